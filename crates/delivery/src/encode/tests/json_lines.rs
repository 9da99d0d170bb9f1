//! JSON lines: golden bytes, the table of bad input, and random batches, read back by serde_json.

use std::sync::Arc;

use arrow_array::builder::*;
use arrow_array::types::*;
use arrow_array::*;
use arrow_buffer::i256;
use plan::file_format::{CELL_BYTES_MAX, FileFormat, Layout, NonFinitePolicy, NulPolicy};
use proptest::prelude::*;
use serde_json::Value;

use super::properties::{any_columns, rows_of};
use super::{Chunk, Encoder, batch, strings, text, try_encode};

fn json() -> FileFormat {
    FileFormat::new(Layout::Json)
}

fn json_with(nul: NulPolicy, non_finite: NonFinitePolicy) -> FileFormat {
    let mut format = json();
    (format.dialect.nul, format.dialect.non_finite) = (nul, non_finite);
    format
}

/// The JSON of each row of an array, which is the second of three columns.
fn values_in(format: &FileFormat, array: impl Array + 'static) -> Vec<String> {
    let plain = strings(&vec![Some("p"); array.len()]);
    let text = text(format, vec![plain.clone(), Arc::new(array), plain]);
    let value = |line: &str| {
        let rest = line.strip_prefix(r#"{"c0":"p","c1":"#).unwrap();
        rest.strip_suffix(r#","c2":"p"}"#).unwrap().to_owned()
    };
    text.lines().map(value).collect()
}

fn check(array: impl Array + 'static, expected: &[&str]) {
    let kind = array.data_type().clone();
    assert_eq!(values_in(&json(), array), expected, "{kind}");
}

#[test]
fn a_file() {
    let batch = RecordBatch::try_from_iter([
        ("email", strings(&[Some("zoë@example.com"), None, Some("say \"hi\", bob")])),
        ("points", Arc::new(Int64Array::from(vec![Some(1200), Some(-3), None])) as ArrayRef),
        ("score", Arc::new(Float64Array::from(vec![0.25, 100.0, f64::NAN]))),
        ("consent", Arc::new(BooleanArray::from(vec![Some(true), Some(false), None]))),
        (
            "qualified at",
            Arc::new(TimestampMicrosecondArray::from(vec![0, 1, 1_700_000_000_000_000])),
        ),
    ])
    .unwrap();
    let encoder = Encoder::new(&json(), &batch.schema()).unwrap();
    assert_eq!(encoder.header(), b"");
    let file = String::from_utf8(encoder.encode(&batch).unwrap().text).unwrap();
    insta::assert_snapshot!(file, @r#"
    {"email":"zoë@example.com","points":1200,"score":0.25,"consent":true,"qualified at":"1970-01-01T00:00:00Z"}
    {"email":null,"points":-3,"score":100,"consent":false,"qualified at":"1970-01-01T00:00:00.000001Z"}
    {"email":"say \"hi\", bob","points":null,"score":"NaN","consent":null,"qualified at":"2023-11-14T22:13:20Z"}
    "#);
    assert!(file.ends_with("}\n"));
}

#[test]
fn numbers_keep_every_digit() {
    check(
        Int64Array::from(vec![i64::MIN, i64::MAX]),
        &["-9223372036854775808", "9223372036854775807"],
    );
    check(UInt64Array::from(vec![u64::MAX]), &["18446744073709551615"]);
    check(
        Float64Array::from(vec![-0.0, 12.5, 3.0, 1e300, 1e-9]),
        &["-0", "12.5", "3", "1e300", "1e-9"],
    );
    check(Float32Array::from(vec![0.1]), &["0.1"]);
    let decimal = |value, precision, scale| {
        Decimal128Array::from(vec![value]).with_precision_and_scale(precision, scale).unwrap()
    };
    check(decimal(12_345_678_901_234_567_890, 38, 10), &["1234567890.1234567890"]);
    check(decimal(-5, 10, -3), &["-5000"]);
    let wide = Decimal256Array::from(vec![i256::from_i128(-12345)]);
    check(wide.with_precision_and_scale(76, 4).unwrap(), &["-1.2345"]);
}

#[test]
fn what_is_no_number() {
    let odd = || Float64Array::from(vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1.0]);
    check(odd(), &[r#""NaN""#, r#""Infinity""#, r#""-Infinity""#, "1"]);
    let as_null = json_with(NulPolicy::Reject, NonFinitePolicy::Null);
    assert_eq!(values_in(&as_null, odd()), ["null", "null", "null", "1"]);
    let reject = json_with(NulPolicy::Reject, NonFinitePolicy::Reject);
    let error = try_encode(&reject, vec![Arc::new(odd())]).unwrap_err();
    assert_eq!(error.to_string(), "row 1, column \"c0\": the value is no finite number");
}

#[test]
fn dates_times_and_spans_are_the_texts_of_cells() {
    check(Date32Array::from(vec![Some(19_782), None]), &[r#""2024-02-29""#, "null"]);
    let nanos = TimestampNanosecondArray::from(vec![1_700_000_000_123_456_789]);
    check(nanos, &[r#""2023-11-14T22:13:20.123456789Z""#]);
    check(Time32SecondArray::from(vec![3_661]), &[r#""01:01:01""#]);
    check(DurationSecondArray::from(vec![-90]), &[r#""-PT90S""#]);
    check(IntervalYearMonthArray::from(vec![14]), &[r#""P1Y2M""#]);
}

#[test]
fn nested_values_are_json_and_not_strings_of_it() {
    let mut list = ListBuilder::new(Int32Builder::new());
    list.append_value([Some(1), None]);
    list.append_null();
    check(list.finish(), &["[1,null]", "null"]);

    let mut map = MapBuilder::new(None, StringBuilder::new(), Float64Builder::new());
    map.keys().append_value("zone");
    map.values().append_value(f64::INFINITY);
    map.keys().append_value("a\u{2028}");
    map.values().append_null();
    map.append(true).unwrap();
    check(map.finish(), &[r#"{"a\u2028":null,"zone":"Infinity"}"#]);

    let person = StructArray::from(vec![(
        Arc::new(arrow_schema::Field::new("name", arrow_schema::DataType::Utf8, true)),
        strings(&[Some("a \"b\""), None]),
    )]);
    check(person, &[r#"{"name":"a \"b\""}"#, r#"{"name":null}"#]);
    check(NullArray::new(1), &["null"]);
    let words: DictionaryArray<Int8Type> = [Some("a"), None, Some("\n")].into_iter().collect();
    check(words, &[r#""a""#, "null", r#""\n""#]);
}

/// The cells of the table of bad input, and texts of every length around that of a slot.
fn bad_texts() -> Vec<String> {
    let mut texts: Vec<String> = [
        "a,b",
        "say \"hi\"",
        "a\nb",
        "a\r\nb",
        "a\rb",
        "\"",
        "\"\"",
        "",
        " a",
        "a ",
        "\ta",
        "\u{a0}a",
        "=1+1",
        "-1",
        "@x",
        "\u{2028}",
        "a\u{2029}b",
        "a\u{85}b",
        "a\u{b}b",
        "a\u{c}b",
        "\u{1b}[31mred",
        "a\u{1}",
        "a\u{7f}b",
        "a\u{9f}b",
        "\u{feff}b",
        "😀",
        "👩\u{200d}👩\u{200d}👧",
        "e\u{301}",
        "\u{202e}abc",
        "Z\u{336}\u{317}",
        "+49 170 1234567",
        "00123",
        "1E5",
        "null",
        "\\",
        "\\u0000",
        "</script>",
    ]
    .map(str::to_owned)
    .to_vec();
    for length in (1..4).chain(24..37).chain(60..68) {
        let plain: String = "abcdefghij".chars().cycle().take(length).collect();
        texts.extend([
            plain.clone(),
            format!("{plain}é"),
            format!("{plain}\""),
            format!("\\{plain}"),
        ]);
    }
    texts
}

#[test]
fn every_text_reads_back_and_stays_on_its_line() {
    let texts = bad_texts();
    let layouts: [ArrayRef; 4] = [
        Arc::new(StringArray::from_iter_values(&texts)),
        Arc::new(StringViewArray::from_iter_values(&texts)),
        Arc::new(BinaryArray::from_iter_values(&texts)),
        Arc::new(
            texts.iter().map(|text| Some(text.as_str())).collect::<DictionaryArray<Int16Type>>(),
        ),
    ];
    for array in layouts {
        let kind = array.data_type().clone();
        let file = text(&json(), vec![array]);
        let lines: Vec<&str> =
            file.split(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}', '\u{c}']).collect();
        assert_eq!(lines.len(), texts.len() + 1, "{kind}");
        for (line, expected) in lines.iter().zip(&texts) {
            let row: Value = serde_json::from_str(line).unwrap();
            assert_eq!(row["c0"], **expected, "{kind}");
        }
    }
}

#[test]
fn nul_characters() {
    let cells = || StringArray::from(vec!["a\0b"]);
    let nested = || {
        let mut list = ListBuilder::new(StringBuilder::new());
        list.append_value([Some("a\0b")]);
        list.finish()
    };
    for array in [Arc::new(cells()) as ArrayRef, Arc::new(nested())] {
        let error = try_encode(&json(), vec![array]).unwrap_err();
        assert_eq!(error.to_string(), "row 1, column \"c0\": the text holds a NUL character");
    }
    let strip = json_with(NulPolicy::Strip, NonFinitePolicy::Text);
    assert_eq!(values_in(&strip, cells()), [r#""ab""#]);
    assert_eq!(values_in(&strip, nested()), [r#"["ab"]"#]);
    let keep = json_with(NulPolicy::Keep, NonFinitePolicy::Text);
    assert_eq!(values_in(&keep, cells()), [r#""a\u0000b""#]);
    assert_eq!(values_in(&keep, nested()), [r#"["a\u0000b"]"#]);
}

#[test]
fn stripping_cannot_make_two_keys_of_a_map_one() {
    let mut map = MapBuilder::new(None, StringBuilder::new(), Int8Builder::new());
    for key in ["a", "a\0"] {
        map.keys().append_value(key);
        map.values().append_value(1);
    }
    map.append(true).unwrap();
    let strip = json_with(NulPolicy::Strip, NonFinitePolicy::Text);
    let error = try_encode(&strip, vec![Arc::new(map.finish())]).unwrap_err();
    assert_eq!(error.code(), "duplicate_map_key");
}

#[test]
fn refusals() {
    let code = |array: ArrayRef| try_encode(&json(), vec![array]).unwrap_err().code();
    let large = "x".repeat(CELL_BYTES_MAX + 1);
    assert_eq!(code(strings(&[Some(&large)])), "cell_too_large");
    let mut list = ListBuilder::new(StringBuilder::new());
    list.append_value([Some(&large)]);
    assert_eq!(code(Arc::new(list.finish())), "cell_too_large");
    assert_eq!(code(Arc::new(BinaryArray::from(vec![&b"\xff"[..]]))), "invalid_unicode");
    assert_eq!(code(Arc::new(Date32Array::from(vec![i32::MAX]))), "out_of_range");
    let nul = RecordBatch::try_from_iter([("a\0", strings(&[]))]).unwrap();
    assert_eq!(Encoder::new(&json(), &nul.schema()).err().unwrap().code(), "nul_in_text");
}

#[test]
fn names_are_escaped_and_may_be_of_any_length() {
    let long = "n".repeat(100);
    let names = ["", "a \"b\"", "é\n", &long];
    let columns = names.map(|name| (name, strings(&[Some("x"), None])));
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let chunk = Encoder::new(&json(), &batch.schema()).unwrap().encode(&batch).unwrap();
    for (line, value) in
        chunk.text.split_inclusive(|&byte| byte == b'\n').zip([Value::from("x"), Value::Null])
    {
        let row: serde_json::Map<String, Value> = serde_json::from_slice(line).unwrap();
        assert_eq!(row.keys().collect::<Vec<_>>(), names);
        assert!(row.values().all(|found| *found == value));
    }
}

/// What a reader of JSON makes of the value of a name in a line, as the text of a cell.
fn as_cell(line: &str, name: &str, value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        // serde_json rounds; what it takes for the number is looked up.
        Value::Number(_) => {
            let (_, rest) = line.split_once(&format!("\"{name}\":")).unwrap();
            Some(rest[..rest.find([',', '}']).unwrap()].to_owned())
        }
        other => Some(other.to_string()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_written_reads_back(columns in any_columns(), cut in 0usize..150) {
        let format = json_with(NulPolicy::Keep, NonFinitePolicy::Text);
        let batch = batch(columns.iter().map(|(array, _)| array.clone()).collect());
        let encoder = Encoder::new(&format, &batch.schema()).unwrap();
        let whole = encoder.encode(&batch).unwrap();
        let mut start = 0;
        for (&end, cells) in whole.row_ends.iter().zip(rows_of(&columns)) {
            let line = str::from_utf8(&whole.text[start..end as usize]).unwrap();
            let row: serde_json::Map<String, Value> = serde_json::from_str(line).unwrap();
            let found: Vec<Option<String>> =
                row.iter().map(|(name, value)| as_cell(line, name, value)).collect();
            prop_assert_eq!(found, cells);
            start = end as usize;
        }
        prop_assert_eq!((whole.rows(), start), (batch.num_rows(), whole.text.len()));

        let cut = cut.min(batch.num_rows());
        let mut joined = Vec::new();
        let mut piece = Chunk { text: vec![b'#'; 700], row_ends: vec![1, 2], rejected: vec![9], columns: None };
        for (start, rows) in [(0, cut), (cut, batch.num_rows() - cut)] {
            encoder.encode_into(&batch.slice(start, rows), &mut piece).unwrap();
            joined.extend_from_slice(&piece.text);
        }
        prop_assert_eq!(joined, whole.text);
    }
}
