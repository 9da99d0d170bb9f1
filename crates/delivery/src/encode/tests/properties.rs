//! Random batches over all types and dialects: what is written reads back as what was put in, and
//! does not depend on how the rows are cut.

use std::sync::Arc;

use arrow_array::types::Int16Type;
use arrow_array::*;
use jiff::{Timestamp, civil::date};
use plan::file_format::{Dialect, FileFormat, Layout, LineEnd, NulPolicy, Quoting};
use proptest::prelude::*;
use proptest::strategy::Union;

use super::numbers::{text_of_f32, text_of_f64};
use super::read_back::assert_reads_as;
use super::{Chunk, Encoder, batch};

/// A column and the texts that its rows stand for.
pub(super) type Expected = (ArrayRef, Vec<Option<String>>);

/// Texts that are likely to upset a reader.
fn any_text() -> impl Strategy<Value = String> {
    let nasty = prop::sample::select(vec![
        "",
        " ",
        "\"",
        "\"\"",
        "'",
        "\\",
        ",",
        "\t",
        "\n",
        "\r",
        "\r\n",
        "NULL",
        "\\N",
        "0",
        "true",
        "\u{feff}",
        "\u{a0}",
        "\u{85}",
        "\u{2028}",
        "é",
        "😀",
        "|",
        ";",
        ":",
        "\0",
        "=1",
        "EMPTY",
        "a plain text of a length that is beyond what a slot can take",
        "word",
    ]);
    prop_oneof![
        3 => "[a-zA-Z0-9 .@-]{0,40}",
        2 => prop::collection::vec(nasty, 0..4).prop_map(|parts| parts.concat()),
        1 => any::<String>(),
    ]
}

fn column_of<T: std::fmt::Debug + Clone + 'static>(
    rows: usize,
    values: impl Strategy<Value = T> + 'static,
    array: impl Fn(Vec<Option<T>>) -> ArrayRef + 'static,
    text: impl Fn(&T) -> String + 'static,
) -> BoxedStrategy<Expected> {
    prop::collection::vec(prop::option::weighted(0.8, values), rows)
        .prop_map(move |values| {
            let texts = values.iter().map(|value| value.as_ref().map(&text)).collect();
            (array(values), texts)
        })
        .boxed()
}

fn dictionary(values: Vec<Option<String>>) -> ArrayRef {
    Arc::new(values.iter().map(|value| value.as_deref()).collect::<DictionaryArray<Int16Type>>())
}

fn expected_micros(micros: &i64) -> String {
    let timestamp = Timestamp::from_microsecond(*micros).unwrap();
    match micros {
        _ if micros % 1_000_000 == 0 => format!("{timestamp:.0}"),
        _ if micros % 1_000 == 0 => format!("{timestamp:.3}"),
        _ => format!("{timestamp:.6}"),
    }
}

fn expected_date(days: &i32) -> String {
    let start = date(1970, 1, 1);
    start.checked_add(jiff::Span::new().days(*days)).unwrap().to_string()
}

fn any_column(rows: usize) -> impl Strategy<Value = Expected> {
    let text = |text: &String| text.clone();
    Union::new([
        column_of(rows, any_text(), |values| Arc::new(StringArray::from(values)), text),
        column_of(rows, any_text(), |values| Arc::new(StringViewArray::from(values)), text),
        column_of(rows, any_text(), |values| Arc::new(LargeStringArray::from(values)), text),
        column_of(
            rows,
            any_text(),
            |values| {
                let bytes = values.iter().map(|value| value.as_ref().map(|text| text.as_bytes()));
                Arc::new(bytes.collect::<BinaryArray>())
            },
            text,
        ),
        column_of(rows, any_text(), dictionary, text),
        column_of(rows, any::<i64>(), |values| Arc::new(Int64Array::from(values)), i64::to_string),
        column_of(rows, -9i8..9, |values| Arc::new(Int8Array::from(values)), i8::to_string),
        column_of(rows, any::<u64>(), |values| Arc::new(UInt64Array::from(values)), u64::to_string),
        column_of(
            rows,
            any::<f64>(),
            |values| Arc::new(Float64Array::from(values)),
            |n| text_of_f64(*n),
        ),
        column_of(
            rows,
            any::<f32>(),
            |values| Arc::new(Float32Array::from(values)),
            |n| text_of_f32(*n),
        ),
        column_of(
            rows,
            any::<bool>(),
            |values| Arc::new(BooleanArray::from(values)),
            bool::to_string,
        ),
        column_of(
            rows,
            -719_162..=2_932_896,
            |values| Arc::new(Date32Array::from(values)),
            expected_date,
        ),
        column_of(
            rows,
            (
                -62_135_596_800_000_000i64..253_402_300_800_000_000,
                prop::sample::select(vec![1, 1_000, 1_000_000]),
            )
                .prop_map(|(micros, unit)| micros / unit * unit),
            |values| Arc::new(TimestampMicrosecondArray::from(values)),
            expected_micros,
        ),
    ])
}

fn any_dialect() -> impl Strategy<Value = Dialect> {
    let signs = prop::sample::select(vec![
        (b'"', b'"'),
        (b'\'', b'\''),
        (b'"', b'\\'),
        (b'"', b'\''),
        (b'\'', b'\\'),
    ]);
    (
        prop::sample::select(b",\t|;:~-".to_vec()),
        signs,
        prop::sample::select(vec![Quoting::Minimal, Quoting::All]),
        prop::sample::select(vec!["", "NULL", "\\N", "0", "true"]),
        prop::sample::select(vec!["quotes", "", "EMPTY"]),
        prop::sample::select(vec![LineEnd::Lf, LineEnd::Crlf]),
    )
        .prop_map(|(delimiter, (quote, escape), quoting, null, empty, line_end)| {
            let quotes = String::from_utf8(vec![quote; 2]).unwrap();
            Dialect {
                quote,
                escape,
                quoting,
                null: null.to_owned(),
                empty: if empty == "quotes" { quotes } else { empty.to_owned() },
                line_end,
                nul: NulPolicy::Keep,
                ..Dialect::new(delimiter)
            }
        })
}

pub(super) fn any_columns() -> impl Strategy<Value = Vec<Expected>> {
    (0usize..150).prop_flat_map(|rows| prop::collection::vec(any_column(rows), 2..6))
}

pub(super) fn rows_of(columns: &[Expected]) -> Vec<Vec<Option<String>>> {
    let rows = columns[0].1.len();
    (0..rows).map(|row| columns.iter().map(|(_, texts)| texts[row].clone()).collect()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn what_is_written_reads_back(columns in any_columns(), dialect in any_dialect()) {
        let format = FileFormat { dialect, ..FileFormat::new(Layout::Csv) };
        let batch = batch(columns.iter().map(|(array, _)| array.clone()).collect());
        let chunk = Encoder::new(&format, &batch.schema()).unwrap().encode(&batch).unwrap();
        prop_assert_eq!(chunk.rows(), batch.num_rows());
        assert_reads_as(&chunk.text, &format.dialect, &rows_of(&columns));
    }

    #[test]
    fn rows_do_not_depend_on_their_batch(
        columns in any_columns(),
        dialect in any_dialect(),
        cuts in prop::collection::vec(0usize..150, 0..4),
    ) {
        let format = FileFormat { dialect, ..FileFormat::new(Layout::Csv) };
        let batch = batch(columns.into_iter().map(|(array, _)| array).collect());
        let encoder = Encoder::new(&format, &batch.schema()).unwrap();
        let whole = encoder.encode(&batch).unwrap();
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(batch.num_rows())).collect();
        cuts.extend([0, batch.num_rows()]);
        cuts.sort_unstable();
        // The buffers of a chunk are used again and again; nothing of its old rows may show.
        let mut piece = Chunk { text: vec![b'#'; 700], row_ends: vec![1, 2], rejected: vec![9], columns: None };
        let mut joined = Vec::new();
        for pair in cuts.windows(2) {
            encoder.encode_into(&batch.slice(pair[0], pair[1] - pair[0]), &mut piece).unwrap();
            prop_assert_eq!(piece.rows(), pair[1] - pair[0]);
            prop_assert_eq!(&piece.rejected, &Vec::<u32>::new());
            joined.extend_from_slice(&piece.text);
        }
        prop_assert_eq!(joined, whole.text);
    }

    #[test]
    fn chunks_can_be_cut_anywhere(columns in any_columns(), at in 0usize..150) {
        let format = FileFormat::new(Layout::Csv);
        let batch = batch(columns.into_iter().map(|(array, _)| array).collect());
        let mut format = format;
        format.dialect.nul = NulPolicy::Keep;
        let whole = Encoder::new(&format, &batch.schema()).unwrap().encode(&batch).unwrap();
        let mut head = whole.clone();
        let tail = head.split_off(at.min(whole.rows()));
        prop_assert_eq!(head.rows() + tail.rows(), whole.rows());
        prop_assert_eq!(head.bytes_of(head.rows()), head.text.len());
        prop_assert_eq!(tail.bytes_of(tail.rows()), tail.text.len());
        prop_assert_eq!([head.text, tail.text].concat(), whole.text);
    }
}
