//! What the encoder refuses, and how it says so.

use std::sync::Arc;

use arrow_array::builder::{Int32Builder, MapBuilder, StringBuilder};
use arrow_array::types::Int8Type;
use arrow_array::{
    ArrayRef, BinaryArray, Date32Array, DictionaryArray, Float64Array, Int8Array, Int64Array,
    RecordBatch, RunArray, StringArray, Time32SecondArray, TimestampSecondArray,
};
use arrow_schema::{DataType, Field, Schema};
use plan::file_format::{CELL_BYTES_MAX, COLUMNS_MAX, FileFormat, Layout, NonFinitePolicy};

use super::{Encoder, Error, batch, format, strings, text, try_encode};

fn csv() -> FileFormat {
    FileFormat::new(Layout::Csv)
}

fn error(columns: Vec<ArrayRef>) -> Error {
    try_encode(&csv(), columns).unwrap_err()
}

fn schema_error(names: &[&str]) -> Error {
    let fields: Vec<_> = names.iter().map(|name| Field::new(*name, DataType::Utf8, true)).collect();
    Encoder::new(&csv(), &Schema::new(fields)).err().unwrap()
}

#[test]
fn columns() {
    assert_eq!(schema_error(&[]).to_string(), "a file needs at least one column");
    assert_eq!(
        schema_error(&["a", "email", "Email"]).to_string(),
        "the columns \"email\" and \"Email\" have the same name"
    );
    assert_eq!(schema_error(&["a", "a"]).code(), "duplicate_column");
    let names: Vec<String> = (0..=COLUMNS_MAX).map(|index| format!("c{index}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    assert_eq!(
        schema_error(&names).to_string(),
        "4097 columns are more than the 4096 that a file can have"
    );
    let wide = Schema::new(
        names[1..].iter().map(|name| Field::new(*name, DataType::Utf8, true)).collect::<Vec<_>>(),
    );
    assert!(Encoder::new(&csv(), &wide).is_ok());
}

#[test]
fn a_batch_of_another_width() {
    let encoder = Encoder::new(&csv(), &batch(vec![strings(&[]), strings(&[])]).schema()).unwrap();
    let error = encoder.encode(&batch(vec![strings(&[Some("a")])])).unwrap_err();
    assert_eq!(error.to_string(), "a batch has 1 columns where the file has 2");
}

#[test]
fn types_without_a_form() {
    let values = StringArray::from(vec!["a"]);
    let runs: ArrayRef = Arc::new(
        RunArray::<arrow_array::types::Int32Type>::try_new(
            &arrow_array::Int32Array::from(vec![1]),
            &values,
        )
        .unwrap(),
    );
    let error = error(vec![strings(&[Some("a")]), runs]);
    assert_eq!(error.code(), "unsupported_type");
    assert!(error.to_string().starts_with("column \"c1\" is of type RunEndEncoded"), "{error}");

    let mut nested = DataType::Int32;
    for _ in 0..=super::super::NESTING_MAX {
        nested = DataType::List(Arc::new(Field::new("item", nested, true)));
    }
    let schema = Schema::new(vec![Field::new("deep", nested, true)]);
    assert_eq!(Encoder::new(&csv(), &schema).err().unwrap().code(), "unsupported_type");
}

#[test]
fn dialects_that_cannot_be_read() {
    let schema = batch(vec![strings(&[])]).schema();
    let refused =
        |format: FileFormat| Encoder::new(&format, &schema).err().map(|error| error.code());
    for delimiter in [b'"', b'\n', b'\r', b'a', b'0', 0, 0xff] {
        assert_eq!(
            refused(format(|dialect| dialect.delimiter = delimiter)),
            Some("invalid_dialect")
        );
    }
    for quote in [b',', b'\n', b'a', 0] {
        assert_eq!(refused(format(|dialect| dialect.quote = quote)), Some("invalid_dialect"));
    }
    for null in [",", "\n", "a\"b", "a,"] {
        assert_eq!(refused(format(|dialect| dialect.null = null.into())), Some("invalid_dialect"));
    }
    for delimiter in *b"\t|;:^ ~" {
        assert_eq!(refused(format(|dialect| dialect.delimiter = delimiter)), None);
    }
}

#[test]
fn the_place_is_the_first_row_at_fault_and_never_its_content() {
    let good = vec![Some("secret"); 300];
    let mut late = good.clone();
    late[200] = Some("secret\0");
    let mut early = good.clone();
    early[150] = Some("secret\0");
    let error = error(vec![strings(&late), strings(&early)]);
    assert_eq!(error.to_string(), "row 151, column \"c1\": the text holds a NUL character");
    assert!(!format!("{error:?}").contains("secret"));
    assert_eq!(error.code(), "nul_in_text");
    assert!(error.hint().is_some());
    let moved = error.with_row_offset(1000);
    assert_eq!(moved.to_string(), "row 1151, column \"c1\": the text holds a NUL character");
}

#[test]
fn cells_that_are_too_large() {
    let most = "x".repeat(CELL_BYTES_MAX);
    assert_eq!(text(&csv(), vec![strings(&[Some(&most)])]).len(), CELL_BYTES_MAX + 1);
    let over = "x".repeat(CELL_BYTES_MAX + 1);
    let refusal = error(vec![strings(&[Some("a"), Some(&over)])]);
    assert_eq!(refusal.code(), "cell_too_large");
    assert_eq!(refusal.to_string(), "row 2, column \"c0\": the text is larger than 1048576 bytes");
    let huge = "x".repeat(64 << 20);
    assert_eq!(error(vec![strings(&[Some(&huge)])]).code(), "cell_too_large");
    let mut list = arrow_array::builder::ListBuilder::new(Int32Builder::new());
    (0..1_000_000).for_each(|item| list.values().append_value(item));
    list.append(true);
    assert_eq!(error(vec![Arc::new(list.finish())]).code(), "cell_too_large");
}

#[test]
fn bytes_that_are_no_text() {
    let bytes: ArrayRef = Arc::new(BinaryArray::from(vec![&b"fine"[..], b"\xff\xfe"]));
    let refusal = error(vec![bytes]);
    assert_eq!(refusal.to_string(), "row 2, column \"c0\": the bytes are no valid UTF-8");
    assert_eq!(refusal.code(), "invalid_unicode");
    // The three bytes of a lone surrogate.
    let surrogate: ArrayRef = Arc::new(BinaryArray::from(vec![&b"\xed\xa0\x80"[..]]));
    assert_eq!(error(vec![surrogate]).code(), "invalid_unicode");
}

#[test]
fn a_value_at_fault_in_a_dictionary_matters_where_a_row_has_it() {
    let values = Arc::new(StringArray::from(vec!["a", "b\0", "c"]));
    let keyed = |keys: Vec<i8>| -> ArrayRef {
        Arc::new(DictionaryArray::<Int8Type>::new(Int8Array::from(keys), values.clone()))
    };
    assert_eq!(text(&csv(), vec![keyed(vec![0, 2, 0])]), "a\nc\na\n");
    assert_eq!(
        error(vec![keyed(vec![0, 2, 1])]).to_string(),
        "row 3, column \"c0\": the text holds a NUL character"
    );
}

#[test]
fn dates_and_times_out_of_range() {
    for array in [
        Arc::new(Date32Array::from(vec![-719_163])) as ArrayRef,
        Arc::new(Date32Array::from(vec![2_932_897])),
        Arc::new(Date32Array::from(vec![i32::MIN])),
        Arc::new(Date32Array::from(vec![i32::MAX])),
        Arc::new(TimestampSecondArray::from(vec![-62_135_596_801])),
        Arc::new(TimestampSecondArray::from(vec![253_402_300_800])),
        Arc::new(TimestampSecondArray::from(vec![i64::MIN])),
        Arc::new(TimestampSecondArray::from(vec![i64::MAX])),
        Arc::new(Time32SecondArray::from(vec![86_400])),
        Arc::new(Time32SecondArray::from(vec![-1])),
    ] {
        assert_eq!(error(vec![array]).code(), "out_of_range");
    }
    // What lies under a missing value does not matter.
    let hidden = Date32Array::new(vec![i32::MAX, 0].into(), Some(vec![false, true].into()));
    assert_eq!(text(&csv(), vec![Arc::new(hidden), strings(&[None, None])]), ",\n1970-01-01,\n");
}

#[test]
fn numbers_that_are_not_finite() {
    let values: ArrayRef = Arc::new(Float64Array::from(vec![1.0, f64::NAN]));
    let reject = format(|dialect| dialect.non_finite = NonFinitePolicy::Reject);
    let refusal = try_encode(&reject, vec![values]).unwrap_err();
    assert_eq!(refusal.to_string(), "row 2, column \"c0\": the value is no finite number");
}

#[test]
fn a_row_may_not_be_an_empty_line() {
    let refusal = error(vec![strings(&[Some("a"), None])]);
    assert_eq!(refusal.code(), "ambiguous_null_single_column");
    assert_eq!(refusal.to_string(), "row 2, column \"c0\": the row would be an empty line");
    let numbers: ArrayRef = Arc::new(Int64Array::from(vec![None, Some(1)]));
    assert_eq!(error(vec![numbers]).code(), "ambiguous_null_single_column");
    let named = format(|dialect| dialect.null = "\\N".to_owned());
    assert_eq!(text(&named, vec![strings(&[Some("a"), None, Some("")])]), "a\n\\N\n\"\"\n");
    let blank = format(|dialect| {
        dialect.null = "\\N".to_owned();
        dialect.empty = String::new();
    });
    let refusal = try_encode(&blank, vec![strings(&[Some("")])]).unwrap_err();
    assert_eq!(refusal.code(), "ambiguous_null_single_column");
    let unnamed = RecordBatch::try_from_iter([("", strings(&[]))]).unwrap();
    assert_eq!(Encoder::new(&csv(), &unnamed.schema()).unwrap().header(), b"\"\"\n");
    assert!(Encoder::new(&blank, &unnamed.schema()).is_err());
}

#[test]
fn a_map_with_one_key_twice() {
    let mut map = MapBuilder::new(None, StringBuilder::new(), Int32Builder::new());
    for value in [1, 2] {
        map.keys().append_value("k");
        map.values().append_value(value);
    }
    map.append(true).unwrap();
    assert_eq!(error(vec![Arc::new(map.finish())]).code(), "duplicate_map_key");
}
