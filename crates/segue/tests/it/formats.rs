//! Every kind of file, end to end: from profiles to an object that an independent reader agrees with.

use bytes::Bytes;
use jiff::Timestamp;
use jiff::civil::date;
use parquet::basic::Compression;
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::record::{Field, Row};
use s3lab::{Action, Fault, Lab, Operation, Outcome};
use serde_json::{Value, json};

use crate::delivery::{is_committed, wait_until};
use crate::project::{BUCKET, Project, Text, lab};

/// Four people with nested values; the last one is no member.
const PEOPLE: &str = r#"{"id": 1, "name": {"first": "Zoë", "last": "O'Neil \"Z\""}, "tags": ["a", "b\nc"], "points": 9007199254740993, "score": 0.1, "born": "1990-02-28", "vip": true}
{"id": 2, "name": {"first": null, "last": "x\u2028y"}, "tags": [], "points": 10, "score": 2.5, "born": null, "vip": false}
{"id": 3, "name": null, "tags": null, "points": 11, "score": null, "born": "2000-12-31", "vip": null}
{"id": 4, "name": null, "tags": null, "points": 1, "score": null, "born": null, "vip": null}
"#;
const MAPPING: &str = "[id, name, tags, { source: points, target: sum of points }, score, { expression: CAST(born AS DATE), target: born }, vip, { source: segmentMembership.lastQualificationTime, target: at }]";
const HEADERS: [&str; 8] = ["id", "name", "tags", "sum of points", "score", "born", "vip", "at"];

fn text(file: &'static str) -> Text {
    Text { location: "people.jsonl", file, mapping: MAPPING, ..Text::default() }
}

fn project(file: &'static str, lab: &Lab) -> Project {
    let project = Project::new(&text(file).yaml(), Some(lab));
    project.write("people.jsonl", PEOPLE);
    project
}

/// The three members as JSON.
fn members() -> [Value; 3] {
    let at = "2026-01-04T06:30:00Z";
    [
        json!({"id": 1, "name": {"first": "Zoë", "last": "O'Neil \"Z\""}, "tags": ["a", "b\nc"],
            "sum of points": 9_007_199_254_740_993_i64, "score": 0.1, "born": "1990-02-28", "vip": true, "at": at}),
        json!({"id": 2, "name": {"first": null, "last": "x\u{2028}y"}, "tags": [],
            "sum of points": 10, "score": 2.5, "born": null, "vip": false, "at": at}),
        json!({"id": 3, "name": null, "tags": null,
            "sum of points": 11, "score": null, "born": "2000-12-31", "vip": null, "at": at}),
    ]
}

/// Runs, and returns the bytes of the data files in order. The manifest has to agree with each.
fn delivered(project: &Project, lab: &Lab) -> Vec<(String, Vec<u8>)> {
    let run = project.json(&["run", "daily"])["runs"][0].clone();
    assert_eq!(run["state"], "delivered", "{run}");
    assert_eq!(lab.open_uploads(BUCKET).len(), 0);
    let keys = lab.keys(BUCKET);
    let manifest = keys.iter().find(|key| key.contains("manifest-")).expect("a manifest");
    let manifest = lab.object(BUCKET, manifest).expect("the manifest");
    let manifest: Value = serde_json::from_slice(&manifest.bytes).expect("JSON");
    let mut files = Vec::new();
    for file in manifest["exportResults"].as_array().expect("files") {
        let key = format!("drop/{}", file["name"].as_str().expect("a name"));
        let bytes = lab.object(BUCKET, &key).expect("a file").bytes.to_vec();
        assert_eq!(file["size"], bytes.len());
        assert_eq!(file["sha256"], run["objects"][files.len()]["sha256"]);
        files.push((key, bytes));
    }
    files
}

fn json_rows(bytes: &[u8]) -> Vec<Value> {
    bytes
        .split_inclusive(|&byte| byte == b'\n')
        .map(|line| {
            let row: serde_json::Map<String, Value> =
                serde_json::from_slice(line).expect("an object");
            assert_eq!(row.keys().collect::<Vec<_>>(), HEADERS);
            Value::Object(row)
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn json_lines_keep_nested_values_and_every_digit() {
    let lab = lab().await;
    let files = delivered(&project("{ format: json }", &lab), &lab);
    let [(key, bytes)] = &files[..] else { panic!("one file") };
    assert_eq!(key, "drop/loyal_20260104063000.json");
    assert_eq!(json_rows(bytes), members());
    let object = lab.object(BUCKET, key).expect("the file");
    assert_eq!(object.content_type.as_deref(), Some("application/x-ndjson"));
}

#[tokio::test(flavor = "multi_thread")]
async fn json_lines_are_split_and_compressed_like_text() {
    let lab = lab().await;
    let project = project("{ format: json, rows_per_file: 2, compression: gzip }", &lab);
    let mut rows = Vec::new();
    for (key, bytes) in delivered(&project, &lab) {
        assert!(key.ends_with(".json.gz"), "{key}");
        let mut text = Vec::new();
        let mut decoder = flate2::read::GzDecoder::new(&bytes[..]);
        std::io::Read::read_to_end(&mut decoder, &mut text).expect("gzip");
        rows.push(json_rows(&text));
    }
    assert_eq!(rows.iter().map(Vec::len).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(rows.concat(), members());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_zip_archive_holds_the_file_under_its_own_name() {
    let lab = lab().await;
    let mut rows = Vec::new();
    for (key, bytes) in
        delivered(&project("{ format: json, rows_per_file: 2, compression: zip }", &lab), &lab)
    {
        let name =
            key.strip_prefix("drop/").and_then(|key| key.strip_suffix(".zip")).expect("a zip");
        let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).expect("an archive");
        assert_eq!(archive.len(), 1);
        let mut text = Vec::new();
        let mut entry = archive.by_name(name).expect("the file");
        std::io::Read::read_to_end(&mut entry, &mut text).expect("its checksum holds");
        rows.push(json_rows(&text));
        assert_eq!(
            lab.object(BUCKET, &key).expect("the archive").content_type.as_deref(),
            Some("application/zip")
        );
    }
    assert_eq!(rows.iter().map(Vec::len).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(rows.concat(), members());
}

/// A value as the reader of Parquet finds it, in the words of [`members`].
fn as_json(field: &Field) -> Value {
    match field {
        Field::Null => Value::Null,
        Field::Bool(value) => (*value).into(),
        Field::Long(value) => (*value).into(),
        Field::Double(value) => (*value).into(),
        Field::Str(text) => text.as_str().into(),
        Field::Date(days) => {
            let day = date(1970, 1, 1).checked_add(jiff::Span::new().days(*days));
            day.expect("a date").to_string().into()
        }
        Field::TimestampMillis(millis) => {
            Timestamp::from_millisecond(*millis).expect("a time").to_string().into()
        }
        Field::TimestampMicros(micros) => {
            Timestamp::from_microsecond(*micros).expect("a time").to_string().into()
        }
        Field::Group(row) => row_as_json(row),
        Field::ListInternal(list) => list.elements().iter().map(as_json).collect(),
        other => panic!("{other:?}"),
    }
}

fn row_as_json(row: &Row) -> Value {
    row.get_column_iter().map(|(name, field)| (name.clone(), as_json(field))).collect()
}

fn parquet_rows(bytes: &[u8]) -> Vec<Value> {
    let reader = SerializedFileReader::new(Bytes::copy_from_slice(bytes)).expect("Parquet");
    let columns: Vec<_> = reader.metadata().file_metadata().schema().get_fields().to_vec();
    assert_eq!(columns.iter().map(|column| column.name()).collect::<Vec<_>>(), HEADERS);
    for group in reader.metadata().row_groups() {
        let is_packed = |compression| matches!(compression, Compression::ZSTD(_));
        assert!(group.columns().iter().all(|column| is_packed(column.compression())));
    }
    reader.get_row_iter(None).expect("rows").map(|row| row_as_json(&row.expect("a row"))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn parquet_has_typed_and_nested_columns() {
    let lab = lab().await;
    let project = project("{ format: parquet, rows_per_file: 2 }", &lab);
    let mut rows = Vec::new();
    for (number, (key, bytes)) in delivered(&project, &lab).iter().enumerate() {
        let part = ["", "_2"][number];
        assert_eq!(*key, format!("drop/loyal_20260104063000{part}.parquet"));
        rows.push(parquet_rows(bytes));
        let object = lab.object(BUCKET, key).expect("the file");
        assert_eq!(object.content_type.as_deref(), Some("application/vnd.apache.parquet"));
    }
    assert_eq!(rows.iter().map(Vec::len).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(rows.concat(), members());
}

#[tokio::test(flavor = "multi_thread")]
async fn parquet_is_split_by_the_plain_size_of_its_values() {
    let lab = lab().await;
    let project = project("{ format: parquet, bytes_per_file: 120 }", &lab);
    let files = delivered(&project, &lab);
    let rows: Vec<Vec<Value>> = files.iter().map(|(_, bytes)| parquet_rows(bytes)).collect();
    assert_eq!(rows.iter().map(Vec::len).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(rows.concat(), members());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_number_of_threads_changes_no_byte_of_parquet() {
    let lab = lab().await;
    let mut people = String::new();
    for number in 0..30_000 {
        people += &format!(
            "{{\"id\": {number}, \"points\": {}, \"tags\": [\"t{}\"]}}\n",
            number % 40,
            number % 7
        );
    }
    let mut sums = Vec::new();
    for threads in ["1", "2", "4"] {
        let text = Text { mapping: "[id, points, tags]", ..text("{ format: parquet }") };
        let project = Project::new(&text.yaml(), Some(&lab));
        project.write("people.jsonl", &people);
        let run = project.json(&["--threads", threads, "run", "daily", "--to", "out"]);
        sums.push(run["runs"][0]["objects"][0]["sha256"].clone());
    }
    assert!(sums[0].is_string());
    assert_eq!((&sums[0], &sums[0]), (&sums[1], &sums[2]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_column_that_parquet_has_no_form_for_is_named() {
    let lab = lab().await;
    let mapping = "[id, { expression: \"CAST(born AS TIMESTAMP) - TIMESTAMP '2000-01-01T00:00:00Z'\", target: age }]";
    let yaml = Text { mapping, ..text("{ format: parquet }") }.yaml();
    let project = Project::new(&yaml, Some(&lab));
    project.write("people.jsonl", PEOPLE);
    let said = project.segue(&["run", "daily"]);
    insta::assert_snapshot!(project.transcript(&said), @r#"
    exit code 1
    --- stderr
    error: daily/loyal for 2026-01-04T06:30:00Z
      caused by: column "age" is of type Duration(ns), which has no form in a Parquet file
      hint: Cast the column to text with an expression.
    "#);
    assert_eq!(lab.history().len(), 0);
    assert_eq!(lab.open_uploads(BUCKET).len(), 0);
}

/// Loses the upload of the only file after the commit record, and returns what is delivered then.
async fn delivered_after_a_loss(project: &Project, lab: &Lab, key: &str) -> Vec<u8> {
    let hang = Action::Hang(Outcome::NotDone);
    lab.faults().add(Fault::on(Operation::CompleteMultipartUpload, hang));
    let child = project.start(&["run", "daily"]);
    wait_until(|| lab.faults().held() > 0 || is_committed(project)).await;
    let lost: Vec<_> =
        lab.open_uploads(BUCKET).into_iter().filter(|upload| upload.key == key).collect();
    assert_eq!(lost.len(), 1);
    assert!(lab.drop_upload(&lost[0].upload_id), "the lifecycle rule strikes");
    lab.faults().release();
    let said = project.finish(child);
    assert_eq!(said.code, 0, "{}", said.stderr);
    lab.object(BUCKET, key).expect("the file").bytes.to_vec()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_upload_is_made_again_with_the_same_bytes() {
    for (file, extension) in [
        ("{ format: json }", "json"),
        ("{ format: csv, compression: zip }", "csv.zip"),
        ("{ format: parquet }", "parquet"),
    ] {
        let whole = lab().await;
        let expected = delivered(&project(file, &whole), &whole);
        let lab = lab().await;
        let key = format!("drop/loyal_20260104063000.{extension}");
        let repaired = delivered_after_a_loss(&project(file, &lab), &lab, &key).await;
        assert!(repaired == expected[0].1, "{file}");
    }
}

/// The only file of a run that nobody is in.
async fn delivered_without_members(file: &'static str) -> (String, Vec<u8>) {
    let lab = lab().await;
    let yaml = Text { rule: "points < 0", ..text(file) }.yaml();
    let project = Project::new(&yaml, Some(&lab));
    project.write("people.jsonl", PEOPLE);
    delivered(&project, &lab).remove(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_to_send_is_a_file_without_rows() {
    let (key, bytes) = delivered_without_members("{ format: json }").await;
    assert_eq!((&*key, bytes.len()), ("drop/loyal_20260104063000.json", 0));
    let (key, bytes) = delivered_without_members("{ format: parquet }").await;
    assert_eq!(key, "drop/loyal_20260104063000.parquet");
    assert_eq!(parquet_rows(&bytes), [Value::Null; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_of_json_hides_values_and_shows_names() {
    let lab = lab().await;
    let parquet = project("{ format: parquet }", &lab).segue(&["preview", "daily", "--rows", "2"]);
    let project = project("{ format: json }", &lab);
    let said = project.segue(&["preview", "daily", "--rows", "2"]);
    insta::assert_snapshot!(said.stdout, @r#"
    {"id":0,"name":{"xxxxx":"xxx","xxxx":"x'xxxx \"x\""},"tags":["x","x\xx"],"sum of points":0000000000000000,"score":0.0,"born":"0000-00-00","vip":xxxx,"at":"0000-00-00x00:00:00x"}
    {"id":0,"name":{"xxxxx":null,"xxxx":"x\x0000x"},"tags":[],"sum of points":00,"score":0.0,"born":null,"vip":xxxxx,"at":"0000-00-00x00:00:00x"}
    "#);
    assert_eq!(parquet.stdout, said.stdout, "Parquet is shown as JSON");
}

#[tokio::test(flavor = "multi_thread")]
async fn characters_that_an_encoding_lacks_are_replaced_and_counted_on_request() {
    let lab = lab().await;
    let file = "{ format: tsv, encoding: iso-8859-1, unencodable: replace, compression: none, rows_per_file: 2 }";
    let project = Project::new(
        &Text { location: "people.jsonl", file, mapping: "[id, name]", ..Text::default() }.yaml(),
        Some(&lab),
    );
    project.write(
        "people.jsonl",
        concat!(
            "{\"id\": 1, \"name\": \"Zoë €\", \"points\": 10}\n",
            "{\"id\": 2, \"name\": \"\u{141}ódź 😀\", \"points\": 11}\n",
            "{\"id\": 3, \"name\": \"Åse\", \"points\": 12}\n"
        ),
    );
    let files = delivered(&project, &lab);
    let texts: Vec<&[u8]> = files.iter().map(|(_, bytes)| &bytes[..]).collect();
    assert_eq!(
        texts,
        [&b"id\tname\n1\tZo\xeb ?\n2\t?\xf3d? ?\n"[..], &b"id\tname\n3\t\xc5se\n"[..]]
    );
    let run = project.json(&["runs"])[0]["runId"].as_str().expect("an id").to_owned();
    let objects = project.json(&["show", &run])["objects"].clone();
    let replaced: Vec<_> =
        objects.as_array().expect("objects").iter().map(|it| it["replaced"].clone()).collect();
    assert_eq!(replaced, [json!(4), json!(0), json!(0)]);
    let manifest = lab.keys(BUCKET).into_iter().find(|key| key.contains("manifest-"));
    let manifest = lab.object(BUCKET, &manifest.expect("a manifest")).expect("the manifest");
    let manifest: Value = serde_json::from_slice(&manifest.bytes).expect("JSON");
    assert_eq!(manifest["exportResults"][0]["replaced"], 4);
    assert_eq!(manifest["exportResults"][1].get("replaced"), None);
    let shown = project.segue(&["show", &run]).stdout;
    let line = shown.lines().find(|line| line.contains("became")).expect("a line of it");
    insta::assert_snapshot!(line.trim(), @"4 characters that the encoding lacks became `?`");
}
