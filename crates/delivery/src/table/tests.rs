//! Files are read back by the reader of the `parquet` crate.

use std::sync::Arc;

use arrow_array::builder::*;
use arrow_array::types::*;
use arrow_array::*;
use arrow_schema::{DataType, Field, TimeUnit};
use bytes::Bytes;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::metadata::ParquetMetaData;
use plan::file_format::{FileFormat, Layout};
use proptest::prelude::*;

use super::*;
use crate::encode::{Encoder, Head};

fn batch(columns: Vec<ArrayRef>) -> RecordBatch {
    let named = columns.into_iter().enumerate().map(|(index, array)| (format!("c{index}"), array));
    RecordBatch::try_from_iter_with_nullable(named.map(|(name, array)| (name, array, true)))
        .unwrap()
}

fn encoder(batch: &RecordBatch) -> Encoder {
    Encoder::new(&FileFormat::new(Layout::Parquet), &batch.schema()).unwrap()
}

fn begin(encoder: &Encoder) -> Table {
    let Head::Columns(schema) = encoder.head() else { panic!("Parquet has columns") };
    Table::new(&schema).unwrap()
}

/// A file with the rows of some pieces of a batch.
fn file(batch: &RecordBatch, cuts: &[usize]) -> Vec<u8> {
    let encoder = encoder(batch);
    let mut table = begin(&encoder);
    let mut out = Vec::new();
    let bounds: Vec<usize> =
        [0].into_iter().chain(cuts.iter().copied()).chain([batch.num_rows()]).collect();
    for pair in bounds.windows(2) {
        let chunk = encoder.encode(&batch.slice(pair[0], pair[1] - pair[0])).unwrap();
        table.write(&chunk, &mut out).unwrap();
    }
    table.finish(&mut out).unwrap();
    out
}

fn read(file: Vec<u8>) -> (Arc<ParquetMetaData>, RecordBatch) {
    let builder = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(file)).unwrap();
    let (metadata, schema) = (builder.metadata().clone(), builder.schema().clone());
    let batches: Vec<RecordBatch> = builder.build().unwrap().map(Result::unwrap).collect();
    (metadata, concat_batches(&schema, &batches).unwrap())
}

/// What a reader finds of a column.
fn stored(array: impl Array + 'static) -> ArrayRef {
    let batch = batch(vec![Arc::new(array)]);
    read(file(&batch, &[])).1.column(0).clone()
}

#[track_caller]
fn check(array: impl Array + 'static, expected: impl Array) {
    let found = stored(array);
    assert_eq!(found.data_type(), expected.data_type());
    assert_eq!(found.to_data(), expected.to_data());
}

#[test]
fn columns_keep_their_types() {
    check(BooleanArray::from(vec![Some(true), None]), BooleanArray::from(vec![Some(true), None]));
    check(Int8Array::from(vec![i8::MIN]), Int8Array::from(vec![i8::MIN]));
    check(UInt64Array::from(vec![u64::MAX]), UInt64Array::from(vec![u64::MAX]));
    let odd = || Float64Array::from(vec![Some(-0.0), Some(f64::INFINITY), None]);
    check(odd(), odd());
    let decimal = || {
        Decimal128Array::from(vec![Some(i128::MAX / 2), None])
            .with_precision_and_scale(38, 10)
            .unwrap()
    };
    check(decimal(), decimal());
    check(Date32Array::from(vec![-719_162]), Date32Array::from(vec![-719_162]));
    check(Time64NanosecondArray::from(vec![1]), Time64NanosecondArray::from(vec![1]));
    let texts = || StringArray::from(vec![Some("é\0\n"), None, Some("")]);
    check(texts(), texts());
    check(BinaryArray::from(vec![&b"\xff"[..]]), BinaryArray::from(vec![&b"\xff"[..]]));
}

#[test]
fn what_parquet_lacks_becomes_its_nearest_exact_relative() {
    let half = |value| <Float16Type as ArrowPrimitiveType>::Native::from_f32(value);
    check(Float16Array::from(vec![half(0.5)]), Float32Array::from(vec![0.5]));
    check(Date64Array::from(vec![86_400_000]), Date32Array::from(vec![1]));
    check(Time32SecondArray::from(vec![61]), Time32MillisecondArray::from(vec![61_000]));
    check(NullArray::new(2), StringArray::from(vec![None::<&str>, None]));
    check(StringViewArray::from(vec!["a"]), StringArray::from(vec!["a"]));
    let words: DictionaryArray<Int8Type> = [Some("b"), None, Some("a")].into_iter().collect();
    check(words, StringArray::from(vec![Some("b"), None, Some("a")]));
}

#[test]
fn timestamps_are_points_in_time() {
    let micros = || TimestampMicrosecondArray::from(vec![Some(-1), None]);
    let utc = || micros().with_timezone("UTC");
    check(micros(), utc());
    check(micros().with_timezone("+02:00"), utc());
    let seconds = TimestampSecondArray::from(vec![7]);
    check(seconds, TimestampMillisecondArray::from(vec![7_000]).with_timezone("UTC"));
    let beyond = batch(vec![Arc::new(TimestampSecondArray::from(vec![i64::MAX]))]);
    let error = encoder(&beyond).encode(&beyond).unwrap_err();
    insta::assert_snapshot!(error, @r#"a value of column "c0" is out of the range of its type in a Parquet file"#);
    assert_eq!(error.code(), "out_of_range");
}

/// Nested values that need conversion inside.
fn nested() -> RecordBatch {
    let mut list = ListBuilder::new(TimestampSecondBuilder::new());
    list.append_value([Some(1), None]);
    list.append_null();
    list.append_value([]);
    let mut map = MapBuilder::new(None, StringBuilder::new(), Date64Builder::new());
    map.keys().append_value("k");
    map.values().append_value(86_400_000);
    map.append(true).unwrap();
    map.append(false).unwrap();
    map.append(true).unwrap();
    let words: DictionaryArray<Int8Type> = [Some("x"), None, Some("y")].into_iter().collect();
    let person = StructArray::from(vec![(
        Arc::new(Field::new("name", words.data_type().clone(), true)),
        Arc::new(words) as ArrayRef,
    )]);
    let mut fixed = FixedSizeListBuilder::new(Int16Builder::new(), 2);
    for row in 0..3 {
        fixed.values().append_slice(&[row, row + 1]);
        fixed.append(true);
    }
    batch(vec![
        Arc::new(list.finish()),
        Arc::new(map.finish()),
        Arc::new(person),
        Arc::new(fixed.finish()),
    ])
}

#[test]
fn nested_columns_stay_nested() {
    let (_, found) = read(file(&nested(), &[]));
    let shown = arrow::util::pretty::pretty_format_batches(&[found]);
    insta::assert_snapshot!(shown.unwrap(), @r"
    +--------------------------+-----------------+-----------+--------+
    | c0                       | c1              | c2        | c3     |
    +--------------------------+-----------------+-----------+--------+
    | [1970-01-01T00:00:01Z, ] | {k: 1970-01-02} | {name: x} | [0, 1] |
    |                          |                 | {name: }  | [1, 2] |
    | []                       | {}              | {name: y} | [2, 3] |
    +--------------------------+-----------------+-----------+--------+
    ");
}

#[test]
fn types_without_a_form() {
    for array in [
        Arc::new(DurationSecondArray::from(vec![1])) as ArrayRef,
        Arc::new(IntervalYearMonthArray::from(vec![1])),
        Arc::new(Decimal128Array::from(vec![1]).with_precision_and_scale(5, -2).unwrap()),
        Arc::new(StructArray::new_empty_fields(1, None)),
    ] {
        let batch = batch(vec![array]);
        let format = FileFormat::new(Layout::Parquet);
        let error = Encoder::new(&format, &batch.schema()).err().unwrap();
        assert_eq!(error.code(), "unsupported_type");
        assert!(error.to_string().ends_with("which has no form in a Parquet file"), "{error}");
        assert_eq!(error.hint(), Some("Cast the column to text with an expression."));
    }
}

#[test]
fn a_value_that_is_too_large_is_named() {
    let texts = [String::new(), "x".repeat(plan::file_format::CELL_BYTES_MAX + 1)];
    let batch = batch(vec![Arc::new(StringArray::from_iter_values(texts))]);
    let error = encoder(&batch).encode(&batch).unwrap_err();
    insta::assert_snapshot!(error, @r#"row 2, column "c0": the text is larger than 1048576 bytes"#);
}

#[test]
fn the_footer_tells_who_made_it_and_what_is_inside() {
    let batch = batch(vec![Arc::new(Int64Array::from(vec![Some(3), None, Some(-1)]))]);
    let (metadata, _) = read(file(&batch, &[]));
    assert_eq!(metadata.file_metadata().created_by(), Some(CREATED_BY));
    assert_eq!(metadata.file_metadata().key_value_metadata(), None);
    let column = metadata.row_group(0).column(0);
    assert!(matches!(column.compression(), Compression::ZSTD(_)));
    let statistics = column.statistics().unwrap();
    assert_eq!(statistics.null_count_opt(), Some(1));
    assert_eq!(statistics.min_bytes_opt(), Some(&(-1_i64).to_le_bytes()[..]));
    assert_eq!(statistics.max_bytes_opt(), Some(&3_i64.to_le_bytes()[..]));
}

#[test]
fn a_file_without_rows_still_has_its_columns() {
    let (metadata, found) = read(file(&nested().slice(0, 0), &[]));
    assert_eq!((metadata.num_row_groups(), found.num_rows(), found.num_columns()), (0, 0, 4));
}

/// Texts that do not become smaller.
fn noise(rows: usize, bytes: usize) -> RecordBatch {
    let mut state = 1_u64;
    let mut text = || -> String {
        (0..bytes)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                char::from(b' ' + (state >> 58) as u8)
            })
            .collect()
    };
    batch(vec![Arc::new(StringArray::from_iter_values((0..rows).map(|_| text())))])
}

#[test]
fn row_groups_are_bounded_by_memory() {
    let piece = noise(64, 64 << 10);
    let encoder = encoder(&piece);
    let (mut table, mut out, mut most) = (begin(&encoder), Vec::new(), 0);
    let chunk = encoder.encode(&piece).unwrap();
    for _ in 0..24 {
        table.write(&chunk, &mut out).unwrap();
        most = most.max(table.writer.memory_size());
    }
    assert!(most < ROW_GROUP_BYTES_MAX + BLOCK_BYTES_MAX, "{most}");
    assert!(!out.is_empty(), "a row group is handed out as soon as it is whole");
    table.finish(&mut out).unwrap();
    let (metadata, found) = read(out);
    assert_eq!(found.num_rows(), 24 * 64);
    assert!(metadata.num_row_groups() > 1, "{}", metadata.num_row_groups());
}

#[test]
fn row_groups_are_bounded_by_rows() {
    let rows = ROW_GROUP_ROWS_MAX + 10;
    let flags = BooleanArray::from_iter((0..rows).map(|row| Some(row % 3 == 0)));
    let (metadata, _) = read(file(&batch(vec![Arc::new(flags)]), &[]));
    let rows: Vec<i64> = metadata.row_groups().iter().map(|group| group.num_rows()).collect();
    assert_eq!(rows, [ROW_GROUP_ROWS_MAX as i64, 10]);
}

#[test]
fn rows_are_measured_by_their_plain_values() {
    let sizes = |batch: RecordBatch| {
        let chunk = encoder(&batch).encode(&batch).unwrap();
        let ends: Vec<u32> = [0].into_iter().chain(chunk.row_ends).collect();
        ends.windows(2).map(|pair| pair[1] - pair[0]).collect::<Vec<_>>()
    };
    let texts = || vec![Some("abc"), None, Some("")];
    let flat = batch(vec![
        Arc::new(StringArray::from(texts())),
        Arc::new(StringViewArray::from(texts())),
        Arc::new(Int64Array::from(vec![Some(1), Some(2), None])),
        Arc::new(BooleanArray::from(vec![true; 3])),
    ]);
    assert_eq!(sizes(flat), [7 + 7 + 8 + 1, 8 + 1, 4 + 4 + 1]);
    // A list of two seconds, one missing, then a map of one, a struct of a text, two numbers of 16 bits.
    assert_eq!(sizes(nested()), [4 + 8 + 4 + 5 + 4 + 5 + 8, 8, 4 + 4 + 5 + 8]);
}

fn any_batch() -> impl Strategy<Value = RecordBatch> {
    (prop::collection::vec(prop::option::of("[a-c]{0,3}"), 1..60), 1_usize..400).prop_map(
        |(words, times)| {
            let rows = words.len() * times;
            let text = |row: usize| words[row % words.len()].as_deref();
            let mut lists = ListBuilder::new(StringBuilder::new());
            for row in 0..rows {
                lists.append_value((0..row % 3).map(|_| text(row)));
            }
            batch(vec![
                Arc::new(StringArray::from_iter((0..rows).map(text))),
                Arc::new(Int64Array::from_iter((0..rows).map(|row| text(row).map(|_| row as i64)))),
                Arc::new(lists.finish()),
                Arc::new(TimestampSecondArray::from_iter_values((0..rows).map(|row| row as i64))),
            ])
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn the_same_rows_make_the_same_file_however_they_come(
        batch in any_batch(),
        mut cuts in prop::collection::vec(0_usize..20_000, 0..6),
    ) {
        cuts.iter_mut().for_each(|cut| *cut = (*cut).min(batch.num_rows()));
        cuts.sort_unstable();
        let whole = file(&batch, &[]);
        prop_assert!(file(&batch, &cuts) == whole);
        let (_, found) = read(whole);
        prop_assert_eq!(found.num_rows(), batch.num_rows());
        prop_assert_eq!(found.column(0).to_data(), batch.column(0).to_data());
        prop_assert_eq!(found.column(1).to_data(), batch.column(1).to_data());
    }
}

#[test]
fn the_type_in_the_file_is_utc() {
    let batch = batch(vec![Arc::new(TimestampNanosecondArray::from(vec![1]))]);
    let Head::Columns(schema) = encoder(&batch).head() else { panic!("columns") };
    let expected = DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into()));
    assert_eq!(schema.field(0).data_type(), &expected);
}
