//! Inputs that are not as they should be: one clear error each, never a panic, never fewer rows.

use std::fs;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringArray};
use engine::{Error, Kind};
use futures::TryStreamExt;
use plan::project::DatasetFormat;
use plan::schema::FieldType;

use crate::formats::{numbers, texts};
use crate::support::{CSV, Case};

const PARQUET: DatasetFormat = DatasetFormat::Parquet;

#[tokio::test]
async fn missing_places() {
    insta::assert_snapshot!(Case::new(PARQUET).error().await, @r#"
    no_input: no file matches the dataset's location (FOLDER)
      A folder is searched for files that end in `.parquet`.
    "#);
    insta::assert_snapshot!(Case::new(CSV).location("data/*.csv").error().await, @r#"
    input_not_found: cannot find the dataset (FOLDER/data/*.csv)
      The path exists only as far as `FOLDER`.
    "#);
    insta::assert_snapshot!(Case::new(CSV).location("s3://bucket/a.csv").error().await, @r#"
    account_missing: the location needs an account (s3://bucket/a.csv)
      Name one of the accounts of the project under `account:`.
    "#);
    insta::assert_snapshot!(Case::new(CSV).text("a.csv", "x\n").location("*.CSV").error().await, @r#"
    no_input: no file matches the dataset's location (FOLDER/*.CSV)
      Check the pattern; `**` reaches through folders, `*` does not.
    "#);
}

#[tokio::test]
async fn csv_that_is_broken() {
    let invalid_utf8: &[u8] = b"a,b\nx,\xff\n";
    let split_character: &[u8] = b"a,b\n\xc3,\xa9\n";
    let cases: [&[u8]; 16] = [
        b"",
        b" \n",
        b"a,b\n1\n",
        b"a,b\n1,2\n1,2,3\n",
        b"a,b\n\"1,2\n3,4\n",
        b"a,b\n\"1\"x,2\n",
        b"a,b\n1\"2,3\n",
        b"a,b\r1,2\r",
        b"a,a\n1,2\n",
        b"a,\n1,2\n",
        invalid_utf8,
        split_character,
        b"\xff\xfea\0\n",
        b"a\0\n\0",
        b"b\n1\n",
        b"a,b\n\"x\ny\",1\n\"z\n\",2,3\n",
    ];
    let mut errors = String::new();
    for content in cases {
        let case = Case::new(CSV).text("a.csv", content).columns(&["a"]);
        let error = match case.run().await {
            Ok((rows, _)) => format!("no error, rows {rows:?}"),
            Err(_) => case.error().await,
        };
        errors.push_str(&format!("{:?}\n  {error}\n", String::from_utf8_lossy(content)));
    }
    insta::assert_snapshot!(errors, @r#"
    ""
      invalid_input: the file is empty: not even a header (FOLDER/a.csv)
    " \n"
      unknown_field: the dataset has no field `a` (field `a`)
      Did you mean ` `?
    "a,b\n1\n"
      invalid_input: the record has 1 cell, the header has 2 (FOLDER/a.csv, line 2)
      Correct the line, or put cells that hold the delimiter or a line break in quotes.
    "a,b\n1,2\n1,2,3\n"
      invalid_input: the record has 3 cells, the header has 2 (FOLDER/a.csv, line 3)
      Correct the line, or put cells that hold the delimiter or a line break in quotes.
    "a,b\n\"1,2\n3,4\n"
      invalid_input: a quote is never closed in the record that begins here (FOLDER/a.csv, line 2)
      Close the quote, double it if it belongs to the text, or set `quote` of the dataset.
    "a,b\n\"1\"x,2\n"
      invalid_input: text follows a closing quote (FOLDER/a.csv, line 2)
      A quote inside a quoted cell is written twice.
    "a,b\n1\"2,3\n"
      invalid_input: a quote stands in a cell that does not begin with one (FOLDER/a.csv, line 2)
    "a,b\r1,2\r"
      invalid_input: a carriage return stands alone, without a line feed (FOLDER/a.csv, line 1)
    "a,a\n1,2\n"
      invalid_input: the header names `a` twice (FOLDER/a.csv, line 1)
    "a,\n1,2\n"
      invalid_input: column 2 has no name in the header (FOLDER/a.csv, line 1)
    "a,b\nx,�\n"
      invalid_input: cell 2 is not UTF-8 (FOLDER/a.csv, line 2)
      Convert the file to UTF-8.
    "a,b\n�,�\n"
      invalid_input: cell 1 is not UTF-8 (FOLDER/a.csv, line 2)
      Convert the file to UTF-8.
    "��a\0\n"
      invalid_input: the file looks like UTF-16 and cannot be read as such (FOLDER/a.csv)
      Convert it to UTF-8.
    "a\0\n\0"
      invalid_input: the file looks like UTF-16 and cannot be read as such (FOLDER/a.csv)
      Convert it to UTF-8.
    "b\n1\n"
      unknown_field: the dataset has no field `a` (field `a`)
      Did you mean `b`?
    "a,b\n\"x\ny\",1\n\"z\n\",2,3\n"
      invalid_input: the record has 3 cells, the header has 2 (FOLDER/a.csv, line 4)
      Correct the line, or put cells that hold the delimiter or a line break in quotes.
    "#);
}

#[tokio::test]
async fn csv_values_that_are_not_of_the_type() {
    let rows: String = (0..20_000).map(|row| format!("{row}\n")).collect();
    let case = Case::new(CSV).text("a.csv", format!("n\n{rows}canary\n")).columns(&["n"]);
    insta::assert_snapshot!(case.error().await, @r#"
    invalid_input: a value is not of type integer (FOLDER/a.csv, line 20002, field `n`)
      Correct the value, or declare another type for the field under `types:`; types that are not declared are guessed from the first records.
    "#);
    let case =
        Case::new(CSV).text("a.csv", "n\n1\n").declare("m", FieldType::Integer).columns(&["n"]);
    insta::assert_snapshot!(case.error().await, @r#"
    invalid_type: a type is declared for a field that no file has (., field `m`)
      Did you mean `n`?
    "#);
    let list = FieldType::List(Box::new(FieldType::String));
    let case = Case::new(CSV).text("a.csv", "n\n1\n").declare("n", list).columns(&["n"]);
    insta::assert_snapshot!(case.error().await, @r#"invalid_type: a list cannot be read from CSV (., field `n`)"#);
}

#[tokio::test]
async fn a_quote_that_is_never_closed_is_found_at_the_limit() {
    let mut content = b"a\n\"".to_vec();
    content.resize(20 << 20, b'x');
    content.extend_from_slice(b"\"\n");
    let case = Case::new(CSV).text("a.csv", content).columns(&["a"]);
    insta::assert_snapshot!(case.error().await, @r"
    invalid_input: a quote is never closed in the record that begins here (FOLDER/a.csv, line 2)
      Close the quote, double it if it belongs to the text, or set `quote` of the dataset.
    ");
}

#[tokio::test]
async fn json_that_is_broken() {
    let deep = format!("{}1{}", "{\"a\":".repeat(100), "}".repeat(100));
    let late = format!("{}  {{\"a\":\"canary\"}}\n", "{\"a\":1}\n".repeat(9_000));
    let late_list = format!("{}{{\"a\":[1]}}\n", "{\"a\":1}\n".repeat(9_000));
    let late_fraction = format!("{}{{\"a\":1.5}}\n", "{\"a\":1}\n".repeat(9_000));
    let late_whole = format!("{}{{\"a\":9223372036854775808}}\n", "{\"a\":1}\n".repeat(9_000));
    let late_digits = format!("{}{{\"a\":9007199254740993}}\n", "{\"a\":1.5}\n".repeat(9_000));
    let late_twice = format!("{}{{\"b\":1,\"b\":2}}\n", "{\"a\":1}\n".repeat(9_000));
    let late_half = format!("{}{{\"b\":[\"\\udead\"]}}\n", "{\"a\":1}\n".repeat(9_000));
    let cases: [&[u8]; 19] = [
        b"{\"a\":1}\n[1]\n",
        b"{\"a\":1}\n{\"a\":\n1}\n",
        b"{\"a\":1} {\"a\":2}\n",
        b"{\"a\":1}\n{\"a\":nonsense}\n",
        b"{\"a\":1}\n{\"a\":1\n",
        b"{\"a\":\"\xff\"}\n",
        deep.as_bytes(),
        late.as_bytes(),
        b"{\"a\":1}\n{\"a\":{\"b\":1}}\n",
        b"{\"a\":1}\n{\"a\":1,\"a\":2}\n",
        b"{\"a\":1}\n{\"a\":\"\\ud800\"}\n",
        b"{\"a\":1}\n{\"a\":1e400}\n",
        b"{\"a\":1}\n{\"a\":NaN}\n",
        late_list.as_bytes(),
        late_fraction.as_bytes(),
        late_whole.as_bytes(),
        late_digits.as_bytes(),
        late_twice.as_bytes(),
        late_half.as_bytes(),
    ];
    let mut errors = String::new();
    for content in cases {
        let case = Case::new(DatasetFormat::JsonLines).text("a.jsonl", content).columns(&["a"]);
        let shown: String = String::from_utf8_lossy(content).chars().take(40).collect();
        errors.push_str(&format!("{shown:?}\n  {}\n", case.error().await));
    }
    insta::assert_snapshot!(errors, @r#"
    "{\"a\":1}\n[1]\n"
      invalid_input: the line is not a JSON object (FOLDER/a.jsonl, line 2, column 1)
    "{\"a\":1}\n{\"a\":\n1}\n"
      invalid_input: the line ends inside of its object (FOLDER/a.jsonl, line 2, column 6, field `a`)
      Each object stands on one line; the file may be cut short.
    "{\"a\":1} {\"a\":2}\n"
      invalid_input: something follows the object (FOLDER/a.jsonl, line 1, column 9)
      Write one object on each line.
    "{\"a\":1}\n{\"a\":nonsense}\n"
      invalid_input: what stands here is no value of JSON (FOLDER/a.jsonl, line 2, column 6, field `a`)
      A value is a text in double quotes, a number, true, false, null, a list or an object; write null for NaN.
    "{\"a\":1}\n{\"a\":1\n"
      invalid_input: the line ends inside of its object (FOLDER/a.jsonl, line 2, column 7)
      Each object stands on one line; the file may be cut short.
    "{\"a\":\"�\"}\n"
      invalid_input: the line is not UTF-8 (FOLDER/a.jsonl, line 1)
      Convert the file to UTF-8.
    "{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":"
      invalid_input: the line is nested more than 64 deep (FOLDER/a.jsonl, line 1, column 321, field `a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a`)
    "{\"a\":1}\n{\"a\":1}\n{\"a\":1}\n{\"a\":1}\n{\"a\":1}\n"
      invalid_input: a value is not of type integer (FOLDER/a.jsonl, line 9001, column 8, field `a`)
      Correct the value, or declare another type for the field under `types:`; types that are not declared are guessed from the first lines.
    "{\"a\":1}\n{\"a\":{\"b\":1}}\n"
      invalid_input: the value is an object here, and a number in line 1 (FOLDER/a.jsonl, line 2, column 6, field `a`)
      A field is a single value, a list or an object in all lines alike.
    "{\"a\":1}\n{\"a\":1,\"a\":2}\n"
      duplicate_member: the object has the member `a` twice (FOLDER/a.jsonl, line 2, column 8)
      Write each member once: nobody can tell which of the two is meant.
    "{\"a\":1}\n{\"a\":\"\\ud800\"}\n"
      invalid_unicode: an escape is half of a surrogate pair, which is no character (FOLDER/a.jsonl, line 2, column 7, field `a`)
      Write the whole pair, such as `\ud83d\ude00`, or the character itself.
    "{\"a\":1}\n{\"a\":1e400}\n"
      invalid_input: a number is larger than any type holds (FOLDER/a.jsonl, line 2, column 6, field `a`)
      Put quotes around it, to have it as a text.
    "{\"a\":1}\n{\"a\":NaN}\n"
      invalid_input: what stands here is no value of JSON (FOLDER/a.jsonl, line 2, column 6, field `a`)
      A value is a text in double quotes, a number, true, false, null, a list or an object; write null for NaN.
    "{\"a\":1}\n{\"a\":1}\n{\"a\":1}\n{\"a\":1}\n{\"a\":1}\n"
      invalid_input: the value is a list, where the field is a single value (FOLDER/a.jsonl, line 9001, column 6, field `a`)
      A field is a single value, a list or an object in all lines alike.
    "{\"a\":1}\n{\"a\":1}\n{\"a\":1}\n{\"a\":1}\n{\"a\":1}\n"
      invalid_input: a value is not of type integer (FOLDER/a.jsonl, line 9001, column 6, field `a`)
      Correct the value, or declare another type for the field under `types:`; types that are not declared are guessed from the first lines.
    "{\"a\":1}\n{\"a\":1}\n{\"a\":1}\n{\"a\":1}\n{\"a\":1}\n"
      invalid_input: a whole number is beyond 64 bits (FOLDER/a.jsonl, line 9001, column 6, field `a`)
      Declare the field as `string` under `types:`, which keeps every digit.
    "{\"a\":1.5}\n{\"a\":1.5}\n{\"a\":1.5}\n{\"a\":1.5}\n"
      invalid_input: a number has more digits than type float holds (FOLDER/a.jsonl, line 9001, column 6, field `a`)
      Declare the field as `string` under `types:`, which keeps every digit.
    "{\"a\":1}\n{\"a\":1}\n{\"a\":1}\n{\"a\":1}\n{\"a\":1}\n"
      duplicate_member: the object has the member `b` twice (FOLDER/a.jsonl, line 9001, column 8)
      Write each member once: nobody can tell which of the two is meant.
    "{\"a\":1}\n{\"a\":1}\n{\"a\":1}\n{\"a\":1}\n{\"a\":1}\n"
      invalid_unicode: an escape is half of a surrogate pair, which is no character (FOLDER/a.jsonl, line 9001, column 8, field `b`)
      Write the whole pair, such as `\ud83d\ude00`, or the character itself.
    "#);
}

#[tokio::test]
async fn files_that_disagree() {
    let case = Case::new(PARQUET)
        .parquet("a.parquet", vec![("x", numbers(&[Some(1)]))])
        .parquet("b.parquet", vec![("x", texts(&[Some("1")]))])
        .columns(&["x"]);
    insta::assert_snapshot!(case.error().await, @r#"
    invalid_input: the field is string here, but integer in FOLDER/a.parquet (FOLDER/b.parquet, field `x`)
      All files of a dataset have to agree on the type of a field.
    "#);
    let case = Case::new(DatasetFormat::JsonLines)
        .text("a.jsonl", "{\"p\":{\"x\":1}}\n")
        .text("b.jsonl", "{\"p\":{\"x\":[]}}\n")
        .text("c.jsonl", "{\"p\":{\"x\":true}}\n")
        .columns(&["p.x"]);
    insta::assert_snapshot!(case.error().await, @r#"
    invalid_input: the field is list here, but integer in FOLDER/a.jsonl (FOLDER/b.jsonl, field `p.x`)
      All files of a dataset have to agree on the type of a field.
    "#);
    let case = Case::new(CSV).text("a.csv", "n\n1\n").text("b.csv", "n\n2.5\n").columns(&["n"]);
    assert_eq!(case.rows().await, ["1.0", "2.5"]);
}

fn table(rows: i64) -> Vec<(&'static str, ArrayRef)> {
    let names = (0..rows).map(|row| format!("name {row}"));
    vec![
        ("id", Arc::new(Int64Array::from_iter_values(0..rows)) as ArrayRef),
        ("name", Arc::new(StringArray::from_iter_values(names))),
    ]
}

#[tokio::test]
async fn parquet_that_is_cut_short_anywhere() {
    let case = Case::new(PARQUET).parquet("a.parquet", table(500)).columns(&["id", "name"]);
    let whole = fs::read(case.path("a.parquet")).expect("the file is read");
    let steps = (0..whole.len()).rev().step_by(37).chain(whole.len() - 40..whole.len());
    for length in steps {
        fs::write(case.path("a.parquet"), &whole[..length]).expect("the file is written");
        let error = case.run().await.expect_err("a part is no file");
        assert_eq!(error.kind(), Kind::Invalid, "{length} bytes: {error}");
    }
    insta::assert_snapshot!(case.error().await, @r#"
    invalid_input: the file is not a whole Parquet file (FOLDER/a.parquet)
      It may be cut short, still being written, or of another format.
    "#);
}

#[tokio::test]
async fn parquet_with_flipped_bytes_never_panics_and_never_loses_rows() {
    let case = Case::new(PARQUET).parquet("a.parquet", table(500)).columns(&["id", "name"]);
    let whole = fs::read(case.path("a.parquet")).expect("the file is read");
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    for _ in 0..400 {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let position = (state % whole.len() as u64) as usize;
        let mut damaged = whole.clone();
        damaged[position] ^= (state >> 56) as u8 | 1;
        fs::write(case.path("a.parquet"), &damaged).expect("the file is written");
        match case.run().await {
            Ok((rows, _)) => assert_eq!(rows.len(), 500, "byte {position}"),
            Err(error) => assert!(
                matches!(error.kind(), Kind::Invalid | Kind::Internal),
                "byte {position}: {error}"
            ),
        }
    }
}

#[tokio::test]
async fn a_footer_that_promises_too_much() {
    let case = Case::new(PARQUET).parquet("a.parquet", table(10)).columns(&["id"]);
    let mut bytes = fs::read(case.path("a.parquet")).expect("the file is read");
    let length = bytes.len();
    bytes[length - 8..length - 4].copy_from_slice(&i32::MAX.to_le_bytes());
    fs::write(case.path("a.parquet"), &bytes).expect("the file is written");
    insta::assert_snapshot!(case.error().await, @r#"
    invalid_input: the file is not a whole Parquet file (FOLDER/a.parquet)
      It may be cut short, still being written, or of another format.
    "#);
}

async fn read_after(case: &Case, change: impl FnOnce(&Case)) -> Error {
    let snapshot = case.pin().await.expect("the files are pinned");
    let engine = case.engine();
    let rows = engine.rows(&case.query, &snapshot).await.expect("the query fits");
    change(case);
    let read = rows
        .map_ordered(|_| Ok::<_, Error>(()))
        .try_for_each(|()| std::future::ready(Ok(())))
        .await
        .expect_err("the change is noticed while reading");
    let verified = engine.verify(&snapshot).await.expect_err("the change is noticed at the end");
    assert_eq!(read.kind(), Kind::Changed);
    verified
}

#[tokio::test]
async fn inputs_that_change_after_they_were_pinned() {
    let case = || Case::new(CSV).text("a.csv", "id\n1\n").text("b.csv", "id\n2\n").columns(&["id"]);
    type Change = fn(&Case);
    let changes: [(&str, Change); 4] = [
        ("longer", |case| fs::write(case.path("b.csv"), "id\n2\n3\n").expect("written")),
        ("gone", |case| fs::remove_file(case.path("b.csv")).expect("removed")),
        ("replaced", |case| {
            fs::write(case.path("new"), "id\n9\n").expect("written");
            fs::rename(case.path("new"), case.path("b.csv")).expect("renamed");
        }),
        ("empty", |case| fs::write(case.path("b.csv"), "").expect("written")),
    ];
    for (name, change) in changes {
        // The clock of the file system has to move on.
        let case = case();
        std::thread::sleep(std::time::Duration::from_millis(20));
        let error = read_after(&case, change).await;
        assert_eq!(error.kind(), Kind::Changed, "{name}");
        assert!(error.to_string().contains("b.csv"), "{name}: {error}");
    }
}

#[tokio::test]
async fn a_new_file_is_not_part_of_the_snapshot() {
    let case = Case::new(CSV).text("a.csv", "id\n1\n").columns(&["id"]);
    let snapshot = case.pin().await.expect("the files are pinned");
    fs::write(case.path("b.csv"), "id\n2\n").expect("written");
    let counts = case.engine().count(&case.query, &snapshot).await.expect("the files are read");
    assert_eq!(counts.activated, 1);
    case.engine().verify(&snapshot).await.expect("nothing pinned changed");
}

#[tokio::test]
async fn places_that_are_no_files() {
    let case = Case::new(CSV).location("/dev/zero").columns(&["id"]);
    insta::assert_snapshot!(case.error().await, @r#"invalid_input: not a regular file (/dev/zero)"#);
}

/// A Parquet footer of groups inside groups, spelled out byte by byte: no writer makes one.
fn nested_footer(depth: u32) -> Vec<u8> {
    let mut varint = Vec::new();
    let mut rest = depth + 2;
    while rest >= 0x80 {
        varint.push((rest & 0x7f) as u8 | 0x80);
        rest >>= 7;
    }
    varint.push(rest as u8);
    // Version 1, then a list of schema elements: a root, groups of one child each, a leaf.
    let mut footer = [&[0x15, 2, 0x19, 0xfc], varint.as_slice()].concat();
    footer.extend([0x48, 1, b'r', 0x15, 2, 0]);
    for _ in 0..depth {
        footer.extend([0x35, 2, 0x18, 1, b'g', 0x15, 2, 0]);
    }
    footer.extend([0x15, 2, 0x25, 2, 0x18, 1, b'x', 0]);
    // No rows, no row groups.
    footer.extend([0x16, 0, 0x19, 0x0c, 0]);
    footer
}

#[tokio::test]
async fn a_schema_that_is_nested_beyond_reason() {
    let file = |depth| {
        let footer = nested_footer(depth);
        let length = (footer.len() as u32).to_le_bytes();
        [b"PAR1", footer.as_slice(), &length, b"PAR1"].concat()
    };
    let case = Case::new(PARQUET).text("a.parquet", file(3));
    assert_eq!(case.fields().await.expect("a schema"), ["g struct"]);
    let case = Case::new(PARQUET).text("a.parquet", file(98));
    assert_eq!(case.fields().await.expect("a schema"), ["g struct"]);
    let case = Case::new(PARQUET).text("a.parquet", file(100_000));
    insta::assert_snapshot!(case.error().await, @r#"invalid_input: the schema is nested more than 100 deep (FOLDER/a.parquet)"#);
}

#[tokio::test]
async fn a_rule_that_fails_late_names_the_record() {
    let last = 1_000_000;
    let divisors: Vec<i64> = (1..=last).map(|row| i64::from(row != last)).collect();
    let mut case = Case::new(DatasetFormat::Parquet)
        .parquet_groups(
            "a.parquet",
            vec![("n", std::sync::Arc::new(arrow::array::Int64Array::from(divisors)))],
            300_000,
        )
        .columns(&["n"]);
    insta::assert_snapshot!(case.error_of_rule("1 / n > 0").await, @r"
    expression_error: a division by zero (FOLDER/a.parquet, row 1000000, field `rule`)
      Use `TRY_CAST`, `nullif(divisor, 0)` or `CASE` so that such values give null.
    ");
    // Only members have columns.
    case.query.rule.text = "TRUE".to_owned();
    insta::assert_snapshot!(case.columns(&["inverse=1 / n"]).error().await, @r"
    expression_error: a division by zero (FOLDER/a.parquet, row 1000000, field `inverse`)
      Use `TRY_CAST`, `nullif(divisor, 0)` or `CASE` so that such values give null.
    ");
}

/// Each `replace` makes the text ten times as long: the run fails, and the process goes on.
#[tokio::test]
async fn a_result_that_would_fill_the_memory() {
    let longer =
        (0..9).fold("name".to_owned(), |text, _| format!("replace({text}, 'n', 'nnnnnnnnnn')"));
    let case = Case::new(CSV).text("a.csv", "id,name\n1,a\n2,nnn\n3,b\n");
    insta::assert_snapshot!(case.columns(&["id", &format!("long={longer}")]).error().await, @"
    too_large: the expression would make more than 256 MiB of a few records (FOLDER/a.csv, field `long`)
      Shorten what it works on first: `left(text, 1000)`, `array_slice(list, 1, 100)`.
    ");
}

/// Lists that make no map, of the second of two records.
async fn no_map(keys: &str, values: &str) -> String {
    let lines = format!(
        "{{\"keys\":[\"a\",\"b\"],\"amounts\":[1,2]}}\n{{\"keys\":{keys},\"amounts\":{values}}}\n"
    );
    let case = Case::new(DatasetFormat::JsonLines).text("a.jsonl", lines);
    case.columns(&["sums=map(keys, amounts)"]).error().await
}

#[tokio::test]
async fn lists_that_make_no_map_name_the_column_and_the_record() {
    insta::assert_snapshot!(no_map("[\"canary\",\"c\"]", "[1]").await, @r"
    expression_error: a list of keys and a list of values that are to be a map have different lengths (FOLDER/a.jsonl, row 2, field `sums`)
      Where lengths may differ, let such records have no map: `CASE WHEN cardinality(k) = cardinality(v) THEN map(k, v) END`.
    ");
    insta::assert_snapshot!(no_map("[\"canary\",\"canary\"]", "[1,2]").await, @r"
    expression_error: two keys of a map are the same (FOLDER/a.jsonl, row 2, field `sums`)
      Where keys may repeat, let such records have no map: `CASE WHEN cardinality(array_distinct(k)) = cardinality(k) THEN map(k, v) END`.
    ");
    insta::assert_snapshot!(no_map("[\"canary\",null]", "[1,2]").await, @r"
    expression_error: a key of a map is missing (FOLDER/a.jsonl, row 2, field `sums`)
      Where keys may be missing, let such records have no map: `CASE WHEN cardinality(array_compact(k)) = cardinality(k) THEN map(k, v) END`.
    ");
}

#[tokio::test]
async fn values_of_one_record_do_not_come_into_the_map_of_another() {
    // Together there are as many keys as values.
    let lines = "{\"keys\":[\"a\",\"b\"],\"amounts\":[1]}\n{\"keys\":[\"c\"],\"amounts\":[2,3]}\n";
    let case = Case::new(DatasetFormat::JsonLines).text("a.jsonl", lines);
    insta::assert_snapshot!(case.columns(&["sums=map(keys, amounts)"]).error().await, @r"
    expression_error: a list of keys and a list of values that are to be a map have different lengths (FOLDER/a.jsonl, row 1, field `sums`)
      Where lengths may differ, let such records have no map: `CASE WHEN cardinality(k) = cardinality(v) THEN map(k, v) END`.
    ");
    let lines = "{\"keys\":[\"a\"],\"amounts\":[1]}\n{\"keys\":[\"c\",\"d\"],\"amounts\":null}\n{\"keys\":null,\"amounts\":[4]}\n";
    let case = Case::new(DatasetFormat::JsonLines).text("a.jsonl", lines);
    let rows = case.columns(&["sums=map(keys, amounts)"]).rows().await;
    assert_eq!(rows, ["{a: 1}", "∅", "∅"]);
}
