//! The exact bytes of every type.

use std::sync::Arc;

use arrow_array::builder::*;
use arrow_array::types::*;
use arrow_array::*;
use arrow_buffer::{IntervalDayTime, IntervalMonthDayNano, OffsetBuffer, ScalarBuffer, i256};
use arrow_schema::{DataType, Field};
use plan::file_format::{
    Dialect, FileFormat, FormulaGuard, Layout, NonFinitePolicy, NulPolicy, Quoting,
};

use super::{format, strings, text};
use crate::encode::Encoder;

type Half = <Float16Type as ArrowPrimitiveType>::Native;

/// Checks each row of a column in a second column of a file.
fn check_in(format: &FileFormat, array: impl Array + 'static, expected: &[&str]) {
    let first = strings(&vec![Some("p"); array.len()]);
    let kind = array.data_type().clone();
    let text = text(format, vec![first, Arc::new(array)]);
    let plain = if format.dialect.quoting == Quoting::All { "\"p\"" } else { "p" };
    let delimiter = char::from(format.dialect.delimiter);
    let rows: String = expected.iter().map(|cell| format!("{plain}{delimiter}{cell}\n")).collect();
    assert_eq!(text, rows, "{kind}");
}

fn check(array: impl Array + 'static, expected: &[&str]) {
    check_in(&FileFormat::new(Layout::Csv), array, expected);
}

#[test]
fn booleans_and_nothing() {
    check(BooleanArray::from(vec![Some(true), None, Some(false)]), &["true", "", "false"]);
    check(NullArray::new(2), &["", ""]);
}

#[test]
fn whole_numbers() {
    check(Int8Array::from(vec![i8::MIN, 0, i8::MAX]), &["-128", "0", "127"]);
    check(Int16Array::from(vec![i16::MIN, i16::MAX]), &["-32768", "32767"]);
    check(Int32Array::from(vec![i32::MIN, i32::MAX]), &["-2147483648", "2147483647"]);
    check(
        Int64Array::from(vec![Some(i64::MIN), None, Some(9_007_199_254_740_993), Some(i64::MAX)]),
        &["-9223372036854775808", "", "9007199254740993", "9223372036854775807"],
    );
    check(UInt8Array::from(vec![0, u8::MAX]), &["0", "255"]);
    check(UInt16Array::from(vec![u16::MAX]), &["65535"]);
    check(UInt32Array::from(vec![u32::MAX]), &["4294967295"]);
    check(UInt64Array::from(vec![0, u64::MAX]), &["0", "18446744073709551615"]);
}

#[test]
fn floating_point() {
    check(Float64Array::from(vec![-0.0, 12.5, 3.0, 1e300]), &["-0", "12.5", "3", "1e300"]);
    check(Float32Array::from(vec![0.1, 3.0]), &["0.1", "3"]);
    let halves: Vec<Half> =
        [0.1, 65504.0, 1.0, -2.5, 5.9604645e-8, 0.33325195].map(Half::from_f32).to_vec();
    check(Float16Array::from(halves), &["0.1", "65500", "1", "-2.5", "6e-8", "0.3333"]);
    let odd = || Float64Array::from(vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY]);
    check(odd(), &["NaN", "Infinity", "-Infinity"]);
    let as_null = format(|dialect| dialect.non_finite = NonFinitePolicy::Null);
    check_in(&as_null, odd(), &["", "", ""]);
}

#[test]
fn every_half_precision_number_reads_back() {
    let halves: Vec<Half> =
        (0..=u16::MAX).map(Half::from_bits).filter(|half| half.is_finite()).collect();
    let array = Float16Array::from(halves.clone());
    let text = text(&FileFormat::new(Layout::Csv), vec![Arc::new(array)]);
    for (line, half) in text.lines().zip(halves) {
        let read = Half::from_f32(line.parse().unwrap());
        assert_eq!(read.to_bits(), half.to_bits(), "{line}");
    }
}

#[test]
fn decimals() {
    let decimal = |values: Vec<i128>, precision, scale| {
        Decimal128Array::from(values).with_precision_and_scale(precision, scale).unwrap()
    };
    check(
        decimal(vec![1, -15_000_000_000, 0, 12_345_678_901_234_567_890], 38, 10),
        &["0.0000000001", "-1.5000000000", "0.0000000000", "1234567890.1234567890"],
    );
    check(decimal(vec![5, -5, 12345], 10, 2), &["0.05", "-0.05", "123.45"]);
    check(decimal(vec![5, 0, -7], 10, -3), &["5000", "0", "-7000"]);
    check(decimal(vec![42], 10, 0), &["42"]);
    let most = 10i128.pow(38) - 1;
    check(
        decimal(vec![most, -most], 38, 38),
        &[&format!("0.{}", "9".repeat(38)), &format!("-0.{}", "9".repeat(38))],
    );
    check(
        Decimal256Array::from(vec![i256::from_i128(-12345)])
            .with_precision_and_scale(76, 4)
            .unwrap(),
        &["-1.2345"],
    );
    check(Decimal32Array::from(vec![-12345]).with_precision_and_scale(9, 2).unwrap(), &["-123.45"]);
    check(
        Decimal64Array::from(vec![12345]).with_precision_and_scale(18, 6).unwrap(),
        &["0.012345"],
    );
}

#[test]
fn dates_and_times() {
    check(
        Date32Array::from(vec![-719_162, -1, 0, 19_782, 2_932_896]),
        &["0001-01-01", "1969-12-31", "1970-01-01", "2024-02-29", "9999-12-31"],
    );
    check(Date64Array::from(vec![86_400_000, -1]), &["1970-01-02", "1969-12-31"]);
    check(
        TimestampSecondArray::from(vec![-62_135_596_800, -1, 253_402_300_799]),
        &["0001-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "9999-12-31T23:59:59Z"],
    );
    check(
        TimestampMillisecondArray::from(vec![0, 1, -1, 60_010]),
        &[
            "1970-01-01T00:00:00Z",
            "1970-01-01T00:00:00.001Z",
            "1969-12-31T23:59:59.999Z",
            "1970-01-01T00:01:00.010Z",
        ],
    );
    check(
        TimestampMicrosecondArray::from(vec![1, 1_000, 1_000_000]).with_timezone("Europe/Paris"),
        &["1970-01-01T00:00:00.000001Z", "1970-01-01T00:00:00.001Z", "1970-01-01T00:00:01Z"],
    );
    check(
        TimestampNanosecondArray::from(vec![1, i64::MIN, i64::MAX, 1_000, 1_000_000]),
        &[
            "1970-01-01T00:00:00.000000001Z",
            "1677-09-21T00:12:43.145224192Z",
            "2262-04-11T23:47:16.854775807Z",
            "1970-01-01T00:00:00.000001Z",
            "1970-01-01T00:00:00.001Z",
        ],
    );
    check(Time32SecondArray::from(vec![0, 86_399]), &["00:00:00", "23:59:59"]);
    check(Time32MillisecondArray::from(vec![45_296_789]), &["12:34:56.789"]);
    check(Time64MicrosecondArray::from(vec![1]), &["00:00:00.000001"]);
    check(
        Time64NanosecondArray::from(vec![1, 60_000_000_000]),
        &["00:00:00.000000001", "00:01:00"],
    );
}

#[test]
fn spans() {
    check(DurationSecondArray::from(vec![90, -90, 0]), &["PT90S", "-PT90S", "PT0S"]);
    check(DurationMillisecondArray::from(vec![1_500, -1]), &["PT1.500S", "-PT0.001S"]);
    check(DurationMicrosecondArray::from(vec![1]), &["PT0.000001S"]);
    check(DurationNanosecondArray::from(vec![i64::MIN]), &["-PT9223372036.854775808S"]);
    check(IntervalYearMonthArray::from(vec![14, -1, 0]), &["P1Y2M", "P-1M", "PT0S"]);
    check(IntervalDayTimeArray::from(vec![IntervalDayTime::new(2, -1_500)]), &["P2DT-1.500S"]);
    check(
        IntervalMonthDayNanoArray::from(vec![
            IntervalMonthDayNano::new(25, 3, 4_000_000_001),
            IntervalMonthDayNano::new(0, 0, 0),
        ]),
        &["P2Y1M3DT4.000000001S", "PT0S"],
    );
}

#[test]
fn texts_of_one_length() {
    let fixed = FixedSizeBinaryArray::try_from_iter([b"ab", b"c,"].into_iter()).unwrap();
    check(fixed.slice(1, 1), &["\"c,\""]);
    check(fixed, &["ab", "\"c,\""]);
}

#[test]
fn dictionaries_of_anything() {
    let keys = || Int32Array::from(vec![Some(1), None, Some(0), Some(2)]);
    let numbers = Arc::new(Int64Array::from(vec![Some(10), Some(-20), None]));
    check(DictionaryArray::new(keys(), numbers), &["-20", "", "10", ""]);
    let words =
        Arc::new(StringViewArray::from(vec!["a", "b,c", "a text that is far too long for a slot"]));
    check(
        DictionaryArray::new(keys(), words),
        &["\"b,c\"", "", "a", "a text that is far too long for a slot"],
    );
    // More values than the rows make use of.
    let many: Vec<String> = (0..5_000).map(|index| format!("word {index}")).collect();
    let sparse =
        DictionaryArray::new(Int32Array::from(vec![4_999, 0]), Arc::new(StringArray::from(many)));
    check(sparse, &["word 4999", "word 0"]);
    check(DictionaryArray::<Int8Type>::from_iter([None::<&str>, None]), &["", ""]);
}

#[test]
fn batches_of_one_dictionary_are_written_alike() {
    let values = Arc::new(StringArray::from(vec!["\u{feff}a", "b,c", "plain"]));
    let coded = |keys: &[i32]| {
        let keys = Int32Array::from(keys.to_vec());
        Arc::new(DictionaryArray::new(keys, Arc::clone(&values) as ArrayRef)) as ArrayRef
    };
    let others = DictionaryArray::new(
        Int32Array::from(vec![0, 2]),
        Arc::new(StringArray::from(vec!["x", "y", "z"])),
    );
    let batch = |first: ArrayRef, second: ArrayRef| {
        RecordBatch::try_from_iter([("first", first), ("second", second)]).unwrap()
    };
    let batches = [
        batch(coded(&[0, 1]), coded(&[2, 0])),
        batch(coded(&[2, 0]), coded(&[1, 1])),
        batch(Arc::new(others), coded(&[2, 2])),
        batch(coded(&[1]), coded(&[0])),
    ];
    let encoder = Encoder::new(&FileFormat::new(Layout::Csv), &batches[0].schema()).unwrap();
    let texts = batches.map(|batch| String::from_utf8(encoder.encode(&batch).unwrap().text));
    let texts = texts.map(|text| text.unwrap());
    // The mark that begins a file is dangerous in the first column only.
    assert_eq!(texts[0], "\"\u{feff}a\",plain\n\"b,c\",\u{feff}a\n");
    assert_eq!(texts[1], "plain,\"b,c\"\n\"\u{feff}a\",\"b,c\"\n");
    assert_eq!(texts[2], "x,plain\nz,plain\n");
    assert_eq!(texts[3], "\"b,c\",\u{feff}a\n");
}

#[test]
fn signs_of_the_dialect_in_numbers() {
    let colon = format(|dialect| dialect.delimiter = b':');
    check_in(&colon, TimestampSecondArray::from(vec![0]), &["\"1970-01-01T00:00:00Z\""]);
    check_in(&colon, Date32Array::from(vec![0]), &["1970-01-01"]);
    let dash = format(|dialect| dialect.delimiter = b'-');
    check_in(&dash, Int32Array::from(vec![-5, 5]), &["\"-5\"", "5"]);
    let dot = format(|dialect| {
        (dialect.quote, dialect.escape) = (b'.', b'.');
        dialect.empty = "..".to_owned();
    });
    check_in(&dot, Float64Array::from(vec![1.5, 2.0]), &[".1..5.", "2"]);
    let null = |text: &str| format(|dialect| dialect.null = text.to_owned());
    check_in(&null("0"), Int64Array::from(vec![Some(0), None, Some(10)]), &["\"0\"", "0", "10"]);
    check_in(&null("true"), BooleanArray::from(vec![true, false]), &["\"true\"", "false"]);
    check_in(&null("NaN"), Float64Array::from(vec![Some(f64::NAN), None]), &["\"NaN\"", "NaN"]);
    let all = format(|dialect| dialect.quoting = Quoting::All);
    check_in(&all, Int64Array::from(vec![Some(i64::MIN), None]), &["\"-9223372036854775808\"", ""]);
    let as_null = format(|dialect: &mut Dialect| {
        dialect.quoting = Quoting::All;
        dialect.non_finite = NonFinitePolicy::Null;
    });
    check_in(&as_null, Float64Array::from(vec![f64::NAN, 1.0]), &["", "\"1\""]);
}

#[test]
fn the_formula_guard_leaves_numbers_alone() {
    let prefix = format(|dialect| dialect.formula_guard = FormulaGuard::Prefix);
    check_in(&prefix, Int64Array::from(vec![-1]), &["-1"]);
    check_in(&prefix, Float64Array::from(vec![-1.5, f64::NEG_INFINITY]), &["-1.5", "-Infinity"]);
    check_in(
        &prefix,
        Decimal128Array::from(vec![-15]).with_precision_and_scale(38, 1).unwrap(),
        &["-1.5"],
    );
    check_in(&prefix, DurationSecondArray::from(vec![-5, 5]), &["\"'-PT5S\"", "PT5S"]);
    let keyed =
        DictionaryArray::new(Int8Array::from(vec![0]), Arc::new(Int64Array::from(vec![-1])));
    check_in(&prefix, keyed, &["-1"]);
}

fn person() -> StructArray {
    StructArray::from(vec![
        (
            Arc::new(Field::new("name", DataType::Utf8, true)),
            Arc::new(StringArray::from(vec![Some("Zoë \"Z\"\n"), None])) as ArrayRef,
        ),
        (
            Arc::new(Field::new("age", DataType::Int64, true)),
            Arc::new(Int64Array::from(vec![Some(42), None])),
        ),
        (
            Arc::new(Field::new("born", DataType::Date32, true)),
            Arc::new(Date32Array::from(vec![Some(0), None])),
        ),
    ])
}

#[test]
fn structs_are_json_with_sorted_keys() {
    check(
        person(),
        &[
            "\"{\"\"age\"\":42,\"\"born\"\":\"\"1970-01-01\"\",\"\"name\"\":\"\"Zoë \\\"\"Z\\\"\"\\n\"\"}\"",
            "\"{\"\"age\"\":null,\"\"born\"\":null,\"\"name\"\":null}\"",
        ],
    );
}

/// The JSON of a column, without the quotes of cells.
fn json(array: impl Array + 'static) -> Vec<String> {
    let format = format(|dialect| {
        (dialect.delimiter, dialect.quote, dialect.escape) = (b'~', b'`', b'`');
        dialect.nul = NulPolicy::Keep;
    });
    let text = text(&format, vec![strings(&vec![None; array.len()]), Arc::new(array)]);
    text.lines().map(|line| line[1..].trim_matches('`').to_owned()).collect()
}

#[test]
fn lists_of_every_kind() {
    let mut list = ListBuilder::new(Int32Builder::new());
    list.append_value([Some(1), None, Some(-3)]);
    list.append_null();
    list.append_value([]);
    let list = list.finish();
    assert_eq!(json(list.slice(1, 2)), ["", "[]"]);
    assert_eq!(json(list), ["[1,null,-3]", "", "[]"]);
    let mut large = LargeListBuilder::new(StringViewBuilder::new());
    large.append_value([Some("a"), Some("b")]);
    assert_eq!(json(large.finish()), [r#"["a","b"]"#]);
    let mut fixed = FixedSizeListBuilder::new(BooleanBuilder::new(), 2);
    for item in [true, false, false, true] {
        fixed.values().append_value(item);
    }
    fixed.append(true);
    fixed.append(true);
    let fixed = fixed.finish();
    assert_eq!(json(fixed.slice(1, 1)), ["[false,true]"]);
    assert_eq!(json(fixed), ["[true,false]", "[false,true]"]);
    let item = || Arc::new(Field::new("item", DataType::Int32, true));
    let items = || Arc::new(Int32Array::from(vec![1, 2, 3]));
    let view = ListViewArray::new(
        item(),
        ScalarBuffer::from(vec![1, 0]),
        ScalarBuffer::from(vec![2, 1]),
        items(),
        None,
    );
    assert_eq!(json(view), ["[2,3]", "[1]"]);
    let view = LargeListViewArray::new(
        item(),
        ScalarBuffer::from(vec![0i64]),
        ScalarBuffer::from(vec![0i64]),
        items(),
        None,
    );
    assert_eq!(json(view), ["[]"]);
}

#[test]
fn maps_are_sorted_by_key() {
    let mut map = MapBuilder::new(None, StringBuilder::new(), Float64Builder::new());
    for (key, value) in [("b", 1.0), ("a b", 0.5), ("a", -0.0), ("é", f64::NAN), ("B", 1e20)] {
        map.keys().append_value(key);
        map.values().append_value(value);
    }
    map.append(true).unwrap();
    map.append(true).unwrap();
    assert_eq!(json(map.finish()), [r#"{"B":1e20,"a":-0,"a b":0.5,"b":1,"é":"NaN"}"#, "{}"]);
    let mut numbered = MapBuilder::new(None, Int64Builder::new(), BooleanBuilder::new());
    for key in [10, 9] {
        numbered.keys().append_value(key);
        numbered.values().append_value(true);
    }
    numbered.append(true).unwrap();
    assert_eq!(json(numbered.finish()), [r#"{"10":true,"9":true}"#]);
}

#[test]
fn nested_values_of_all_types_are_valid_json() {
    let keyed = DictionaryArray::<Int8Type>::from_iter([Some("k")]);
    let fields: Vec<(&str, ArrayRef)> = vec![
        ("bytes", Arc::new(BinaryArray::from(vec![&b"\0\x01\x1f\x7f\\"[..]]))),
        ("decimal", Arc::new(Decimal256Array::from(vec![i256::from_i128(1)]))),
        ("keyed", Arc::new(keyed)),
        ("none", Arc::new(NullArray::new(1))),
        ("people", Arc::new(person().slice(1, 1))),
        ("span", Arc::new(DurationSecondArray::from(vec![5]))),
        ("time", Arc::new(TimestampSecondArray::from(vec![0]))),
        ("wait", Arc::new(IntervalYearMonthArray::from(vec![1]))),
    ];
    let array = StructArray::from(
        fields
            .into_iter()
            .map(|(name, array)| {
                (Arc::new(Field::new(name, array.data_type().clone(), true)), array)
            })
            .collect::<Vec<_>>(),
    );
    let lines = json(array);
    let parsed: serde_json::Value = serde_json::from_str(&lines[0]).unwrap();
    assert_eq!(parsed["bytes"], "\0\u{1}\u{1f}\u{7f}\\");
    assert_eq!(parsed["keyed"], "k");
    assert_eq!(parsed["none"], serde_json::Value::Null);
    assert_eq!(parsed["time"], "1970-01-01T00:00:00Z");
    assert_eq!(parsed["wait"], "P1M");
    assert_eq!(parsed["people"]["age"], serde_json::Value::Null);
}

#[test]
fn nested_text_obeys_the_nul_policy() {
    let list = || {
        let mut list = ListBuilder::new(StringBuilder::new());
        list.append_value([Some("a\0b")]);
        list.finish()
    };
    let with = |nul| format(|dialect| dialect.nul = nul);
    check_in(&with(NulPolicy::Keep), list(), &["\"[\"\"a\\u0000b\"\"]\""]);
    check_in(&with(NulPolicy::Strip), list(), &["\"[\"\"ab\"\"]\""]);
    let refusal = super::try_encode(&with(NulPolicy::Reject), vec![Arc::new(list())]).unwrap_err();
    assert_eq!(refusal.code(), "nul_in_text");
}

#[test]
fn nested_values_are_quoted_even_if_no_reader_needs_it() {
    let list = || {
        let mut list = ListBuilder::new(Int32Builder::new());
        list.append_value([Some(1)]);
        list.finish()
    };
    check(list(), &["\"[1]\""]);
    check_in(&format(|dialect| dialect.quoting = Quoting::None), list(), &["[1]"]);
}

#[test]
fn slices_of_nested_arrays() {
    let offsets = OffsetBuffer::new(ScalarBuffer::from(vec![0, 1, 3]));
    let item = Arc::new(Field::new("item", DataType::Utf8, true));
    let list = ListArray::new(item, offsets, strings(&[Some("a"), Some("b"), None]), None);
    assert_eq!(json(list.slice(1, 1)), [r#"["b",null]"#]);
    assert_eq!(json(person().slice(1, 1)), [r#"{"age":null,"born":null,"name":null}"#]);
}

/// A whole file as it is, with the header.
#[test]
fn a_file() {
    let batch = RecordBatch::try_from_iter([
        ("email", strings(&[Some("zoë@example.com"), None, Some("a,b@example.com")])),
        ("points", Arc::new(Int64Array::from(vec![Some(1200), Some(-3), None])) as ArrayRef),
        ("score", Arc::new(Float64Array::from(vec![0.25, 100.0, f64::NAN]))),
        ("consent", Arc::new(BooleanArray::from(vec![Some(true), Some(false), None]))),
        (
            "qualified at",
            Arc::new(TimestampMicrosecondArray::from(vec![0, 1, 1_700_000_000_000_000])),
        ),
    ])
    .unwrap();
    let crlf = format(|dialect| dialect.line_end = plan::file_format::LineEnd::Crlf);
    let encoder = super::Encoder::new(&crlf, &batch.schema()).unwrap();
    let mut file = encoder.header();
    file.extend(encoder.encode(&batch).unwrap().text);
    let expected = "email,points,score,consent,qualified at\r\n\
        zoë@example.com,1200,0.25,true,1970-01-01T00:00:00Z\r\n\
        ,-3,100,false,1970-01-01T00:00:00.000001Z\r\n\
        \"a,b@example.com\",,NaN,,2023-11-14T22:13:20Z\r\n";
    assert_eq!(String::from_utf8(file).unwrap(), expected);
}
