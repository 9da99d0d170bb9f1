//! Every kind of file, end to end: from profiles to an object that an independent reader agrees with.

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
    for (file, extension) in [("{ format: json }", "json")] {
        let whole = lab().await;
        let expected = delivered(&project(file, &whole), &whole);
        let lab = lab().await;
        let key = format!("drop/loyal_20260104063000.{extension}");
        let repaired = delivered_after_a_loss(&project(file, &lab), &lab, &key).await;
        assert!(repaired == expected[0].1, "{file}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_to_send_is_an_empty_file() {
    let lab = lab().await;
    let yaml = Text { rule: "points < 0", ..text("{ format: json }") }.yaml();
    let project = Project::new(&yaml, Some(&lab));
    project.write("people.jsonl", PEOPLE);
    let files = delivered(&project, &lab);
    assert_eq!(files, [("drop/loyal_20260104063000.json".to_owned(), Vec::new())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_of_json_hides_values_and_shows_names() {
    let lab = lab().await;
    let project = project("{ format: json }", &lab);
    let said = project.segue(&["preview", "daily", "--rows", "2"]);
    insta::assert_snapshot!(said.stdout, @r#"
    {"id":0,"name":{"xxxxx":"xxx","xxxx":"x'xxxx \"x\""},"tags":["x","x\xx"],"sum of points":0000000000000000,"score":0.0,"born":"0000-00-00","vip":xxxx,"at":"0000-00-00x00:00:00x"}
    {"id":0,"name":{"xxxxx":null,"xxxx":"x\x0000x"},"tags":[],"sum of points":00,"score":0.0,"born":null,"vip":xxxxx,"at":"0000-00-00x00:00:00x"}
    "#);
}
