//! Identity columns by the binary: a row for each identity in every kind of file, run after run.

use parquet::file::reader::{FileReader as _, SerializedFileReader};
use s3lab::Lab;

use crate::project::{BUCKET, Project, Text, lab, records};

const CRM: &str = "\
id,email,points,changed
1,ann@example.com,10,2026-01-01T10:00:00Z
1,ann@work.example,10,2026-01-02T10:00:00Z
2,bob@example.com,20,2026-01-02T10:00:00Z
3,,25,2026-01-03T10:00:00Z
4,ann@example.com,30,2026-01-01T10:00:00Z
";

fn yaml(file: &'static str, more: &str) -> String {
    let mapping =
        "[{ source: identityMap.Email, target: email }, points, segmentMembership.status]";
    Text { location: "crm.csv", file, mapping, ..Text::default() }
        .yaml()
        .replace(
            "identities: { id: CRMID }",
            "identities: { id: CRMID, email: Email }\n    timestamp: changed",
        )
        .replace("- segment: loyal\n", &format!("- segment: loyal\n{more}"))
}

fn project(file: &'static str, more: &str, lab: &Lab) -> Project {
    let project = Project::new(&yaml(file, more), Some(lab));
    project.write("crm.csv", CRM);
    project
}

/// Runs a slot and returns the bytes of its one file.
fn file(project: &Project, lab: &Lab, slot: &str) -> Vec<u8> {
    let run = project.json(&["run", "daily", "--slot", slot])["runs"][0].clone();
    assert_eq!(run["state"], "delivered", "{run}");
    let key = run["objects"][0]["key"].as_str().expect("a key").to_owned();
    lab.object(BUCKET, &key).expect("the file").bytes.to_vec()
}

/// Who has an address; of the two who share one, the newer by the timestamp is sent.
const ROWS: [[&str; 2]; 3] =
    [["ann@example.com", "10"], ["ann@work.example", "10"], ["bob@example.com", "20"]];

/// What is known of people, from a file or from evaluations before, is known of each of their rows.
#[tokio::test(flavor = "multi_thread")]
async fn rows_for_identities_rest_on_imported_segments_and_histories() {
    let lab = lab().await;
    let mapping = "[{ source: identityMap.Email, target: email }, points, segmentMembership.lastQualificationTime]";
    let text = Text { location: "crm.csv", mapping, ..Text::default() }
        .yaml()
        .replace(
            "identities: { id: CRMID }",
            "identities: { id: CRMID, email: Email }\n    timestamp: changed",
        )
        .replace(
            "rule: points >= 10\n",
            "rule: \"in_segment('invited') AND points < 30\"\n  invited: { import: { location: invited.csv, field: id, namespace: CRMID } }\n",
        );
    let project = Project::new(&text, Some(&lab));
    project.write("crm.csv", CRM);
    project.write("invited.csv", "id\n1\n4\n");
    let sent = |slot: &str| {
        let mut rows = records(&file(&project, &lab, slot)).split_off(1);
        rows.sort();
        rows
    };
    let (first, second) = ("2026-01-04T02:00:00Z", "2026-01-04T03:00:00Z");
    let ann = |mail: &str| vec![mail.to_owned(), "10".to_owned(), first.to_owned()];
    assert_eq!(sent(first), [ann("ann@example.com"), ann("ann@work.example")]);
    project.write("invited.csv", "id\n1\n2\n4\n");
    let bob = vec!["bob@example.com".to_owned(), "20".to_owned(), second.to_owned()];
    assert_eq!(sent(second), [ann("ann@example.com"), ann("ann@work.example"), bob]);
    let told = project.segue(&["explain", "CRMID:2", "loyal", "--activation", "daily"]);
    assert_eq!(told.code, 0, "{}", told.stderr);
    assert!(told.stdout.contains("activation `daily`: in the file"), "{}", told.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_file_has_a_row_for_each_identity() {
    let slot = "2026-01-04T02:00:00Z";
    let lab = lab().await;
    let csv = file(&project("{ format: csv }", "", &lab), &lab, slot);
    let mut rows: Vec<Vec<String>> = records(&csv).split_off(1);
    rows.sort();
    assert_eq!(rows, ROWS.map(|[email, points]| vec![email, points, "active"]));

    // Each has a bucket of its own: the same slot has the same manifest.
    let lab = crate::project::lab().await;
    let json = file(&project("{ format: json }", "", &lab), &lab, slot);
    let mut rows: Vec<[String; 2]> = String::from_utf8(json)
        .expect("text")
        .lines()
        .map(|line| {
            let row: serde_json::Value = serde_json::from_str(line).expect("an object");
            [row["email"].as_str().expect("a text").to_owned(), row["points"].to_string()]
        })
        .collect();
    rows.sort();
    assert_eq!(rows, ROWS);

    let lab = crate::project::lab().await;
    let parquet = file(&project("{ format: parquet }", "", &lab), &lab, slot);
    let reader = SerializedFileReader::new(bytes::Bytes::from(parquet)).expect("Parquet");
    let rows = reader.get_row_iter(None).expect("rows");
    let mut rows: Vec<[String; 2]> = rows
        .map(|row| {
            let row = row.expect("a row");
            let values: Vec<String> =
                row.get_column_iter().map(|(_, value)| value.to_string()).collect();
            [values[0].trim_matches('"').to_owned(), values[1].clone()]
        })
        .collect();
    rows.sort();
    assert_eq!(rows, ROWS);
}

#[tokio::test(flavor = "multi_thread")]
async fn increments_follow_each_identity() {
    let lab = lab().await;
    let project = project("{ format: csv }", "        export: incremental\n", &lab);
    let sorted = |bytes: Vec<u8>| {
        let mut rows: Vec<String> =
            records(&bytes).split_off(1).into_iter().map(|row| row.join(",")).collect();
        rows.sort();
        rows
    };
    assert_eq!(sorted(file(&project, &lab, "2026-01-04T02:00:00Z")).len(), 3);
    // 1 has another address at work, 4 takes over the address that both had, and 2 is no member.
    let changed = CRM
        .replace("ann@work.example", "ann@new.example")
        .replace("30,2026-01-01", "30,2026-01-09")
        .replace("bob@example.com,20", "bob@example.com,2");
    project.write("crm.csv", changed);
    let rows = sorted(file(&project, &lab, "2026-01-05T02:00:00Z"));
    let expected =
        ["ann@new.example,10,active", "ann@work.example,,expired", "bob@example.com,2,expired"];
    assert_eq!(rows, expected);
    let run = project.json(&["runs"])[0].clone();
    let said = project.segue(&["show", run["runId"].as_str().expect("an id")]);
    insta::assert_snapshot!("identities_show", {
        let text = project.transcript(&said);
        text.lines()
            .filter(|line| line.contains("member") || line.contains("excluded"))
            .collect::<Vec<_>>()
            .join("\n")
    });
}
