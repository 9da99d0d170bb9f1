use jiff::Timestamp;
use plan::Query;
use plan::diagnostic::Span;
use plan::file_format::{Compression, Layout};
use plan::project::{Column, ColumnSource, Guard, Rule, RuleOrigin};
use plan::staged::Condition;
use uuid::Uuid;

use super::*;

const NOWHERE: Span = Span { start: 0, end: 0, line: 1, column: 1 };

fn run() -> RunPlan {
    let file = FileFormat { compression: Compression::Gzip, ..FileFormat::new(Layout::Csv) };
    RunPlan {
        pgp: None,
        run_id: Uuid::from_u128(1),
        slot: "2026-01-04T01:00:00Z".parse::<Timestamp>().unwrap(),
        activation: "partner-daily".to_owned(),
        segment: "luxury".to_owned(),
        segment_id: Uuid::from_u128(2),
        segment_name: "Luxury Audience".to_owned(),
        destination: "partner".to_owned(),
        destination_id: Uuid::from_u128(3),
        query: query(),
        output: Output {
            bucket: "exports".to_owned(),
            stem: "out/luxury".to_owned(),
            manifest_key: Some("out/manifest-3-1.json".to_owned()),
            is_static: false,
            file,
            expected_bucket_owner: None,
            content_type: None,
        },
        export: plan::project::Export::Full,
        increment: None,
        guard: Guard::default(),
    }
}

fn query() -> Query {
    let column = |header: &str| Column {
        header: header.to_owned(),
        source: ColumnSource::MembershipStatus,
        mandatory: false,
        deduplicate: false,
        span: NOWHERE,
    };
    let origin = RuleOrigin::Project { span: NOWHERE, spans_text: true };
    Query {
        rule: Rule { text: "true".to_owned(), origin },
        columns: vec![column("email"), column("prénom \"x\"")],
        segments: Vec::new(),
        consent: plan::Consent::default(),
        history: None,
        evaluated_at: "2026-01-04T01:00:00Z".parse().unwrap(),
    }
}

fn file(number: u32, key: &str) -> StagedObject {
    StagedObject {
        kind: ObjectKind::Data,
        number,
        key: key.to_owned(),
        upload_id: "u".to_owned(),
        token: "t".to_owned(),
        parts: Vec::new(),
        bytes: 145_854,
        rows: 1_000,
        replaced: 0,
        sha256: "ab".repeat(32),
        crc64nvme: (number == 1).then(|| "rosUhgp5mIg=".to_owned()),
        condition: Condition::Absent,
    }
}

#[test]
fn a_manifest_serves_readers_of_both_kinds() {
    let counts = Counts {
        received: 2_010,
        excluded: BTreeMap::from([("mandatory:email".to_owned(), 7), ("duplicate".to_owned(), 3)]),
        activated: 2_000,
        movement: None,
    };
    let snapshot = [Input {
        location: "crm.parquet".to_owned(),
        bytes: 42,
        version: "2026-01-03T23:00:00Z".to_owned(),
    }];
    let files = [file(1, "out/luxury.csv.gz"), file(2, "out/luxury_2.csv.gz")];
    let stale = ["out/luxury_3.csv.gz".to_owned()];
    let facts = Facts { files: &files, snapshot: &snapshot, counts: &counts, stale: &stale };
    let text = write(&run(), &facts);
    assert_eq!(text, write(&run(), &facts));
    insta::assert_snapshot!(String::from_utf8(text).unwrap(), @r#"
    {
      "flowRunId": "00000000-0000-0000-0000-000000000001",
      "scheduledTime": "2026-01-04T01:00:00Z",
      "exportResults": [
        {
          "sinkPath": "/out",
          "name": "luxury.csv.gz",
          "size": 145854,
          "rows": 1000,
          "sha256": "abababababababababababababababababababababababababababababababab",
          "crc64nvme": "rosUhgp5mIg="
        },
        {
          "sinkPath": "/out",
          "name": "luxury_2.csv.gz",
          "size": 145854,
          "rows": 1000,
          "sha256": "abababababababababababababababababababababababababababababababab"
        }
      ],
      "version": 1,
      "activation": "partner-daily",
      "segment": {
        "key": "luxury",
        "id": "00000000-0000-0000-0000-000000000002",
        "name": "Luxury Audience"
      },
      "destination": {
        "key": "partner",
        "id": "00000000-0000-0000-0000-000000000003"
      },
      "export": "full",
      "counts": {
        "received": 2010,
        "excluded": {
          "duplicate": 3,
          "mandatory:email": 7
        },
        "activated": 2000
      },
      "columns": [
        "email",
        "prénom \"x\""
      ],
      "format": {
        "format": "csv",
        "delimiter": ",",
        "header": true,
        "quote": "\"",
        "quoting": "minimal",
        "escape": "\"",
        "null": "",
        "empty": "\"\"",
        "line_end": "lf",
        "encoding": "utf-8",
        "compression": "gzip",
        "formula_guard": "off"
      },
      "snapshot": [
        {
          "location": "crm.parquet",
          "bytes": 42,
          "version": "2026-01-03T23:00:00Z"
        }
      ],
      "stale": [
        "out/luxury_3.csv.gz"
      ]
    }
    "#);
}

#[test]
fn a_file_at_the_root_of_the_bucket_has_the_root_as_its_path() {
    for (key, sink_path, name) in
        [("a.csv", "/", "a.csv"), ("out/a.csv", "/out", "a.csv"), ("a/b/a/b", "/a/b/a", "b")]
    {
        let staged = file(1, key);
        let shown = File::new(&staged);
        assert_eq!((shown.sink_path.as_str(), shown.name), (sink_path, name));
    }
}

#[test]
fn the_intent_is_there_when_a_manifest_is_asked_for() {
    let identity = Identity { run_id: "run".to_owned(), nonce: "n".to_owned() };
    let mut output = run().output;
    let intent = super::intent(&output, &identity).unwrap();
    assert_eq!(
        (intent.number, intent.token.as_str(), intent.key.as_str()),
        (0, "run.0.n", "out/manifest-3-1.json")
    );
    output.manifest_key = None;
    assert_eq!(super::intent(&output, &identity), None);
}

/// The part of a manifest that tells how its files are written.
fn format_of(layout: Layout) -> String {
    let mut run = run();
    run.output.file = FileFormat::new(layout);
    let counts = Counts::default();
    let facts = Facts { files: &[], snapshot: &[], counts: &counts, stale: &[] };
    let manifest: serde_json::Value = serde_json::from_slice(&write(&run, &facts)).unwrap();
    manifest["format"].to_string()
}

#[test]
fn only_settings_of_the_layout_are_told() {
    insta::assert_snapshot!(format_of(Layout::Tsv), @r#"{"format":"tsv","delimiter":"\t","header":true,"quote":"\"","quoting":"minimal","escape":"\"","null":"","empty":"\"\"","line_end":"lf","encoding":"utf-8","compression":"none","formula_guard":"off"}"#);
    insta::assert_snapshot!(format_of(Layout::Json), @r#"{"format":"json","compression":"none"}"#);
}
