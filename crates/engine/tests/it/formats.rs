//! Each format of dataset, as a file, a folder and a glob.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Int32Array, Int64Array, ListArray, MapBuilder, StringArray,
    StringBuilder, StructArray,
};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Field, Int64Type};
use plan::project::DatasetFormat;
use plan::schema::FieldType;

use crate::support::{CSV, Case};

pub(crate) fn texts(values: &[Option<&str>]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

pub(crate) fn numbers(values: &[Option<i64>]) -> ArrayRef {
    Arc::new(Int64Array::from(values.to_vec()))
}

/// `person {name {first, last}, age}`, where the whole of the second person is missing and the
/// innermost fields may not be null by themselves.
fn person() -> ArrayRef {
    let required = |name: &str| Arc::new(Field::new(name, DataType::Utf8, false));
    let name: ArrayRef = Arc::new(StructArray::from(vec![
        (required("first"), Arc::new(StringArray::from(vec!["Ana", "?", "Éva"])) as ArrayRef),
        (required("last"), Arc::new(StringArray::from(vec!["A", "?", "C"])) as ArrayRef),
    ]));
    let age: ArrayRef = Arc::new(Int32Array::from(vec![30, 0, 50]));
    let fields = vec![
        Field::new("name", name.data_type().clone(), false),
        Field::new("age", DataType::Int32, false),
    ];
    let nulls = NullBuffer::from(vec![true, false, true]);
    Arc::new(StructArray::new(fields.into(), vec![name, age], Some(nulls)))
}

fn attributes() -> ArrayRef {
    let mut maps = MapBuilder::new(None, StringBuilder::new(), StringBuilder::new());
    for pairs in [vec![("lang", "fr"), ("vip", "1")], vec![], vec![("lang", "de"), ("lang", "hu")]]
    {
        for (key, value) in pairs {
            maps.keys().append_value(key);
            maps.values().append_value(value);
        }
        maps.append(true).expect("a map");
    }
    Arc::new(maps.finish())
}

fn tags() -> ArrayRef {
    let lists = vec![Some(vec![Some(7), Some(8)]), None, Some(vec![])];
    Arc::new(ListArray::from_iter_primitive::<Int64Type, _, _>(lists))
}

fn nested(case: Case) -> Case {
    case.parquet(
        "a.parquet",
        vec![
            ("id", texts(&[Some("1"), Some("2"), Some("3")])),
            ("person", person()),
            ("attributes", attributes()),
            ("tags", tags()),
            ("active", Arc::new(BooleanArray::from(vec![true, false, true]))),
        ],
    )
}

#[tokio::test]
async fn nested_parquet_is_addressed_by_paths() {
    let case = nested(Case::new(DatasetFormat::Parquet)).columns(&[
        "id",
        "person.name.first",
        "person.age",
        "attributes['lang']",
        "tags[1]",
        "tags[5]",
    ]);
    assert_eq!(
        case.fields().await.expect("a schema"),
        ["id string", "person struct", "attributes map", "tags list", "active boolean"]
    );
    assert_eq!(case.rows().await, ["1|Ana|30|fr|8|∅", "2|∅|∅|∅|∅|∅", "3|Éva|50|hu|∅|∅"]);
}

#[tokio::test]
async fn rules_reach_into_nested_fields() {
    let cases = [
        ("person.name.first = 'Ana'", "1"),
        ("person.age > 40", "3"),
        ("person IS NULL", "2"),
        ("person['name'].last IN ('A', 'C')", "1 3"),
        ("attributes['lang'] = 'hu'", "3"),
        ("attributes.vip = '1'", "1"),
        ("tags[1] = 7", "1"),
        ("tags[-1] = 8", "1"),
        ("8 = ANY(tags)", "1"),
        ("array_length(tags) IS NULL", "2"),
        ("array_length(tags) = 0", "3"),
        ("active AND person.age BETWEEN 1 AND 40", "1"),
        ("NOT active OR id = '3'", "2 3"),
        ("person.age > 40 OR person.name.first IS NULL", "2 3"),
        ("CASE WHEN person.age > 40 THEN id = '3' ELSE id = '2' END", "2 3"),
    ];
    for (rule, expected) in cases {
        let case = nested(Case::new(DatasetFormat::Parquet)).rule(rule).columns(&["id"]);
        assert_eq!(case.rows().await.join(" "), expected, "{rule}");
    }
}

#[tokio::test]
async fn files_of_a_folder_are_joined_by_field_name() {
    let case = Case::new(DatasetFormat::Parquet)
        .parquet("b.parquet", vec![("n", numbers(&[Some(3)])), ("id", texts(&[Some("c")]))])
        .parquet("a.parquet", vec![("id", texts(&[Some("a"), Some("b")]))])
        .parquet("c.parquet", vec![("n", Arc::new(Int32Array::from(vec![4])) as ArrayRef)])
        .text("_SUCCESS", "")
        .text("notes.txt", "not a profile")
        .columns(&["id", "n"]);
    assert_eq!(case.rows().await, ["a|∅", "b|∅", "c|3", "∅|4"]);
    assert_eq!(case.rule("n > 3").rows().await, ["∅|4"]);
}

#[tokio::test]
async fn locations_are_files_folders_and_globs() {
    for (location, expected) in [
        ("x/1.csv", "1"),
        ("x", "1 2"),
        ("x/", "1 2"),
        ("./x/*.csv", "1"),
        ("x/**/*.csv", "1 2"),
        ("x/[12].csv", "1"),
        ("x/data.bin", "3"),
        ("*/*.bin", "3"),
    ] {
        let case = Case::new(CSV)
            .location(location)
            .text("x/1.csv", "id\n1\n")
            .text("x/deep/2.csv", "id\n2\n")
            .text("x/data.bin", "id\n3\n")
            .text("x/.hidden.csv", "id\n4\n")
            .text("x/_tmp/5.csv", "id\n5\n")
            .columns(&["id"]);
        assert_eq!(case.rows().await.join(" "), expected, "{location}");
    }
}

#[tokio::test]
async fn csv_cells_are_typed_and_quoted_line_breaks_are_values() {
    let content = "\u{feff}id,name,score,since,zip,ok,empty\r\n\
        1,\"Zoë, \"\"Z\"\"\nLee\",1.5,2026-01-02,01234,true,\r\n\
        \n\
        2,\"\",-2,,99,FALSE,\n\
        3,plain,,2026-03-04,,,";
    let case = Case::new(CSV)
        .text("a.csv", content)
        .columns(&["id", "name", "score", "since", "zip", "ok"]);
    assert_eq!(
        case.fields().await.expect("a schema"),
        [
            "id integer",
            "name string",
            "score float",
            "since date",
            "zip string",
            "ok boolean",
            "empty string"
        ]
    );
    assert_eq!(
        case.rows().await,
        [
            "1|Zoë, \"Z\"\nLee|1.5|2026-01-02|01234|true",
            "2||-2.0|∅|99|false",
            "3|plain|∅|2026-03-04|∅|∅",
        ]
    );
}

#[tokio::test]
async fn csv_of_other_delimiters_and_files_without_a_column() {
    let format = DatasetFormat::Csv { delimiter: b';', quote: b'\'' };
    let case = Case::new(format)
        .text("a.csv", "id;t\n1;'a;b'\n")
        .text("b.csv", "t\nc\n")
        .text("c.csv", "id;t\n")
        .columns(&["id", "t"]);
    assert_eq!(case.rows().await, ["1|a;b", "∅|c"]);
}

#[tokio::test]
async fn declared_types_win_over_guesses() {
    let case = Case::new(CSV)
        .text("a.csv", "id,at,amount\n1,2026-01-02T03:04:05Z,1.50\n")
        .declare("id", FieldType::String)
        .declare("amount", FieldType::Decimal)
        .rule("id = '1' AND at < now() AND amount = 1.5")
        .columns(&["id", "at", "amount"]);
    assert_eq!(case.rows().await, ["1|2026-01-02T03:04:05Z|1.5000000000"]);
}

#[tokio::test]
async fn json_lines_are_nested_and_lines_may_lack_fields() {
    let content = r#"{"id":1,"person":{"name":"Zoë \"Z\""},"tags":["a","b"],"n":1}

        {"id":2,"person":null,"tags":[],"n":2.5,"note":"late"}
{"person":{"name":null,"age":3},"id":3}"#;
    let case = Case::new(DatasetFormat::JsonLines).text("a.jsonl", content).columns(&[
        "id",
        "person.name",
        "person.age",
        "tags[0]",
        "n",
        "note",
    ]);
    assert_eq!(case.rows().await, ["1|Zoë \"Z\"|∅|a|1.0|∅", "2|∅|∅|∅|2.5|late", "3|∅|3|∅|∅|∅"]);
    let case = case.rule("id = 3 AND person.age = 3");
    assert_eq!(case.rows().await.len(), 1);
}

#[tokio::test]
async fn json_fields_can_be_declared_as_maps() {
    let strings = || Box::new(FieldType::String);
    let case = Case::new(DatasetFormat::JsonLines)
        .text("a.jsonl", "{\"a\":{\"x\":\"1\"}}\n{\"a\":{\"y\":\"2\"}}\n")
        .declare("a", FieldType::Map(strings()))
        .declare("late", FieldType::List(strings()))
        .columns(&["a['x']", "a['y']", "late[0]"]);
    assert_eq!(case.rows().await, ["1|∅|∅", "∅|2|∅"]);
}

#[tokio::test]
async fn datasets_without_records_have_no_rows() {
    let case = Case::new(CSV).text("a.csv", "id\n").columns(&["id"]);
    assert_eq!(case.rows().await, Vec::<String>::new());
    let case = Case::new(DatasetFormat::JsonLines).text("a.jsonl", "").columns(&["x=1"]);
    assert_eq!(case.rows().await, Vec::<String>::new());
    let case = Case::new(DatasetFormat::Parquet)
        .parquet("a.parquet", vec![("id", texts(&[]))])
        .columns(&["id"]);
    assert_eq!(case.rows().await, Vec::<String>::new());
}

#[tokio::test]
async fn rows_without_any_field_of_the_dataset() {
    for case in [
        Case::new(CSV).text("a.csv", "id\n1\n2\n"),
        Case::new(DatasetFormat::JsonLines).text("a.jsonl", "{\"id\":1}\n{\"id\":2}\n"),
        Case::new(DatasetFormat::Parquet)
            .parquet("a.parquet", vec![("id", numbers(&[Some(1), Some(2)]))]),
    ] {
        let case = case.columns(&["$status", "$time", "x=1 + 1"]);
        let row = "active|2026-01-31T02:00:00Z|2";
        assert_eq!(case.rows().await, [row, row], "{:?}", case.dataset.format);
    }
}

/// Spark writes timestamps in 96 bits, and means "no end" by a year that nanoseconds do not reach.
#[tokio::test]
async fn old_timestamps_keep_times_that_are_far_away() {
    use parquet::data_type::{ByteArray, ByteArrayType, Int96, Int96Type};
    use parquet::file::properties::WriterProperties;
    use parquet::file::writer::SerializedFileWriter;

    let case = Case::new(DatasetFormat::Parquet).columns(&["until", "in.at", "name"]);
    let schema = "message m { optional binary name (STRING); optional int96 until;
        optional group in { optional int96 at; } }";
    let schema = parquet::schema::parser::parse_message_type(schema).expect("a schema");
    let file = std::fs::File::create(case.path("a.parquet")).expect("the file is made");
    let properties = Arc::new(WriterProperties::new());
    let mut writer =
        SerializedFileWriter::new(file, Arc::new(schema), properties).expect("a writer");
    let time = |day: u32, nanoseconds: u64| {
        let mut time = Int96::new();
        time.set_data(nanoseconds as u32, (nanoseconds >> 32) as u32, day);
        time
    };
    // 9999-12-31, and a second behind 1970-01-01, as Julian days.
    let times = [time(5_373_484, 0), time(2_440_588, 1_000_000_123)];
    let mut group = writer.next_row_group().expect("a row group");
    let mut column = group.next_column().expect("a column").expect("a column");
    let names: [ByteArray; 2] = ["a", "b"].map(ByteArray::from);
    column.typed::<ByteArrayType>().write_batch(&names, Some(&[1, 1]), None).expect("names");
    column.close().expect("a column");
    for levels in [[1, 1], [2, 2]] {
        let mut column = group.next_column().expect("a column").expect("a column");
        column.typed::<Int96Type>().write_batch(&times, Some(&levels), None).expect("times");
        column.close().expect("a column");
    }
    group.close().expect("a row group");
    writer.close().expect("a footer");
    assert_eq!(
        case.rows().await,
        ["9999-12-31T00:00:00|9999-12-31T00:00:00|a", "1970-01-01T00:00:01|1970-01-01T00:00:01|b",]
    );
}

#[tokio::test]
async fn whole_numbers_of_any_length_keep_every_digit() {
    let content = r#"{"id":12345678901234567890,"n":9223372036854775807,"x":9007199254740993}
{"id":1,"n":-9223372036854775808,"x":0.5}
"#;
    let case =
        Case::new(DatasetFormat::JsonLines).text("a.jsonl", content).columns(&["id", "n", "x"]);
    let rows =
        ["12345678901234567890|9223372036854775807|9007199254740993", "1|-9223372036854775808|0.5"];
    assert_eq!(case.rows().await, rows);
    assert_eq!(case.fields().await.expect("a schema"), ["id string", "n integer", "x string"]);
    let csv = "id,x\n12345678901234567890,0.12345678901234567890\n1,0.5\n";
    let case = Case::new(CSV).text("a.csv", csv).columns(&["id", "x"]);
    assert_eq!(case.rows().await, ["12345678901234567890|0.12345678901234567890", "1|0.5"]);
}

#[tokio::test]
async fn numbers_that_a_declared_type_would_round_are_refused() {
    let case = Case::new(DatasetFormat::JsonLines)
        .text("a.jsonl", "{\"x\":0.12345678901}\n")
        .declare("x", FieldType::Decimal)
        .columns(&["x"]);
    insta::assert_snapshot!(case.error().await, @r#"
    invalid_input: a number has more digits than type decimal holds (FOLDER/a.jsonl, line 1, column 6, field `x`)
      Declare the field as `string` under `types:`, which keeps every digit.
    "#);
    let case = Case::new(CSV)
        .text("a.csv", "x\n1.5\n0.12345678901\n")
        .declare("x", FieldType::Decimal)
        .columns(&["x"]);
    insta::assert_snapshot!(case.error().await, @r#"
    invalid_input: a number has more digits than type decimal holds (FOLDER/a.csv, line 3, field `x`)
      Declare the field as `string` under `types:`, which keeps every digit.
    "#);
    let case = Case::new(DatasetFormat::JsonLines)
        .text("a.jsonl", "{\"at\":1700000000}\n")
        .declare("at", FieldType::Timestamp)
        .columns(&["at"]);
    insta::assert_snapshot!(case.error().await, @r#"
    invalid_input: the value is a number, where the field is a timestamp (FOLDER/a.jsonl, line 1, column 7, field `at`)
      Leave its type out of `types:`, and turn it into a time where it is used: `to_timestamp(field)` for seconds.
    "#);
    let case = Case::new(DatasetFormat::JsonLines)
        .text("a.jsonl", "{\"x\":1.0}\n{\"x\":2e3}\n{\"x\":\"7\"}\n")
        .declare("x", FieldType::Integer)
        .columns(&["x"]);
    assert_eq!(case.rows().await, ["1", "2000", "7"]);
}
