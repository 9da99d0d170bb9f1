//! What was delivered: listed, read back by version, restored from an archive.

use s3lab::{BucketSpec, Lab, Options};
use serde_json::Value;

use crate::project::{BUCKET, Project, Text, lab_with};

const SECOND: &str = "2026-01-05T00:00:00Z";

pub(crate) async fn versioned() -> Lab {
    let bucket = BucketSpec { versioned: true, ..BucketSpec::from(BUCKET) };
    let user = s3lab::User {
        access_key_id: "LAB".to_owned(),
        secret_access_key: crate::project::SECRET.to_owned(),
        ..s3lab::User::default()
    };
    let options = Options { buckets: vec![bucket], users: vec![user], ..Options::default() };
    Lab::start(options).await.expect("the lab starts")
}

/// A project with one static name, that was delivered twice with different people.
fn delivered_twice(lab: &Lab) -> Project {
    let text = Text { file_name: "audience", ..Text::default() };
    let project = Project::new(&text.yaml().replace("    manifest: true\n", ""), Some(lab));
    assert_eq!(project.segue(&["run", "daily"]).code, 0);
    project.write("people.csv", "id,email,points\n9,zoe@example.com,99\n");
    let said = project.segue(&["run", "daily", "--slot", SECOND]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    project
}

fn keep(project: &Project, said: &crate::project::Said) -> String {
    project.transcript(said)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_version_that_was_delivered_can_be_read_back() {
    let lab = versioned().await;
    let project = delivered_twice(&lab);
    let files = project.json(&["files"]);
    let files = files.as_array().expect("a list");
    assert_eq!(files.len(), 2);
    let text = |value: &Value, key: &str| value[key].as_str().expect("a text").to_owned();
    let versions: Vec<String> = files.iter().map(|file| text(file, "versionId")).collect();
    assert_ne!(versions[0], versions[1]);
    let first_run = text(&files[1], "runId");

    let said = project.segue(&["files", "get", "drop/audience.csv", "--into", "newest.csv"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    let newest = std::fs::read_to_string(project.path("newest.csv")).expect("a file");
    assert_eq!(newest, "id,e_mail,points\n9,zoe@example.com,99\n");
    let url = "s3://exports/drop/audience.csv";
    let said =
        project.segue(&["files", "get", url, "--run", &first_run[..8], "--into", "first.csv"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    let first = std::fs::read_to_string(project.path("first.csv")).expect("a file");
    assert!(first.contains("ann@example.com"), "{first}");
    let said =
        project.segue(&["files", "get", url, "--version", &versions[1], "--into", "same.csv"]);
    assert!(said.stdout.contains("another version than the one"), "{}", said.stdout);
    assert_eq!(std::fs::read_to_string(project.path("same.csv")).expect("a file"), first);

    let said = project.segue(&["files", "get", url, "--into", "newest.csv"]);
    insta::assert_snapshot!("files_there_already", keep(&project, &said));
    let said = project.segue(&["files", "get", "drop/other.csv"]);
    insta::assert_snapshot!("files_unknown", keep(&project, &said));
    let said = project.segue(&["files", "get", url, "--version", "gone", "--into", "x.csv"]);
    assert_eq!(said.code, 3, "{}", said.stderr);
    let left: Vec<_> = std::fs::read_dir(project.path(".")).expect("a folder").flatten().collect();
    assert!(left.iter().all(|entry| !entry.file_name().to_string_lossy().contains(".part")));
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_listed_with_their_versions() {
    let lab = versioned().await;
    let project = delivered_twice(&lab);
    let filters = vec![("[0-9a-f]{32}", "[version]"), (r"\b[0-9a-f]{8}\b", "[run]")];
    insta::with_settings!({ filters => filters }, {
        insta::assert_snapshot!("files_list", project.segue(&["files", "daily"]).stdout);
        let said = project.segue(&["files", "state", "drop/audience.csv"]);
        insta::with_settings!({ filters => vec![("run            .*", "run            [id]"), ("version        .*", "version        [id]")] }, {
            insta::assert_snapshot!("files_state", said.stdout);
        });
    });
    let said = project.segue(&["files", "weekly"]);
    insta::assert_snapshot!("files_unknown_activation", project.transcript(&said));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archived_file_is_restored_before_it_is_read() {
    let lab = lab_with(Options::default()).await;
    let yaml = Text::default().yaml().replace(
        "    folder: drop\n",
        "    folder: drop\n    objects: { storage_class: GLACIER }\n",
    );
    let project = Project::new(&yaml, Some(&lab));
    assert_eq!(project.segue(&["run", "daily"]).code, 0);
    let key = "drop/loyal_20260104063000.csv";
    let state = |project: &Project| project.json(&["files", "state", key])["state"].clone();
    assert_eq!(state(&project), "archived");
    let said = project.segue(&["files", "get", key]);
    insta::assert_snapshot!("files_archived", project.transcript(&said));
    let said = project.segue(&["files", "restore", key, "--days", "3", "--tier", "bulk"]);
    insta::assert_snapshot!("files_restore", project.transcript(&said));
    assert_eq!(state(&project), "restoring");
    let said = project.segue(&["files", "restore", key]);
    insta::assert_snapshot!("files_restore_again", project.transcript(&said));
    assert_eq!(project.segue(&["files", "get", key]).code, 5);
    lab.finish_restores();
    assert_eq!(state(&project), "restored");
    let said = project.segue(&["files", "get", key]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert!(project.path("loyal_20260104063000.csv").exists());
    let said = project.segue(&["files", "restore", key, "--days", "9"]);
    assert!(said.stdout.contains("kept for the days"), "{}{}", said.stdout, said.stderr);
}
