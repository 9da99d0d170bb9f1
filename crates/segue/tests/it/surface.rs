//! The other commands, and what they print.

use s3lab::Operation;

use crate::project::{NOW, Project, Text, lab};

#[tokio::test(flavor = "multi_thread")]
async fn commands_answer_in_words_and_in_json() {
    let lab = lab().await;
    let project = Project::new(&Text::default().yaml(), Some(&lab));
    for (name, command) in [
        ("validate", &["validate"] as &[&str]),
        ("count", &["count"]),
        ("count_json", &["count", "--output", "json"]),
        ("plan", &["plan", "daily"]),
        ("plan_json", &["plan", "daily", "--output", "json"]),
        ("preview", &["preview", "daily"]),
        ("preview_unmasked", &["preview", "daily", "--unmask", "--rows", "2"]),
        ("runs_before", &["runs"]),
        ("run_nothing_due", &["run"]),
        ("run_nothing_due_is_an_error", &["run", "--error-on-nothing"]),
        ("run", &["run", "daily"]),
        ("runs", &["runs"]),
        ("show_nothing", &["show", "ffffffff"]),
    ] {
        let said = project.segue(command);
        // The manifest tells when the input was last changed, so its checksum is never the same.
        insta::with_settings!({ filters => vec![(r"\b[0-9a-f]{16}\b", "[checksum]      ")] }, {
            insta::assert_snapshot!(name, project.transcript(&said));
        });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn plan_changes_nothing() {
    let lab = lab().await;
    let project = Project::new(&Text::default().yaml(), Some(&lab));
    assert_eq!(project.segue(&["plan", "daily"]).code, 0);
    assert!(!project.path(".segue/ledger.sqlite").exists(), "no ledger was made");
    let log = lab.log();
    assert!(!log.is_empty(), "the bucket was looked at");
    assert!(log.iter().all(|entry| entry.operation == Operation::HeadObject), "{log:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn show_tells_a_run_in_full() {
    let lab = lab().await;
    let project = Project::new(&Text::default().yaml(), Some(&lab));
    let run = project.json(&["run", "daily"])["runs"][0].clone();
    let id = run["runId"].as_str().expect("an id").to_owned();
    let shown = project.json(&["show", &id[..8]]);
    assert_eq!(shown["objects"], run["objects"]);
    assert_eq!(shown["slot"], NOW);
    assert!(
        shown["inputs"][0]["location"]
            .as_str()
            .is_some_and(|location| location.ends_with("people.csv"))
    );
    let words = project.segue(&["show", &id]).stdout;
    for expected in
        ["delivered", "people.csv", "no value in mandatory column e_mail", "s3://exports/drop/"]
    {
        assert!(words.contains(expected), "{expected} is missing in {words}");
    }
}

#[test]
fn init_writes_a_project_that_is_valid_without_its_data() {
    let project = Project::new("", None);
    let said = project.segue(&["init", "fresh"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    let said = project.segue(&["-p", "fresh", "validate", "--offline"]);
    assert_eq!(said.code, 0, "{}{}", said.stdout, said.stderr);
    let again = project.segue(&["init", "fresh"]);
    assert_eq!(again.code, 2);
}

#[test]
fn the_schema_and_the_completions_are_whole() {
    let project = Project::new("", None);
    let schema: serde_json::Value =
        serde_json::from_str(&project.segue(&["schema"]).stdout).expect("JSON");
    assert!(schema["properties"]["activations"].is_object());
    for shell in ["bash", "zsh", "fish"] {
        assert!(project.segue(&["completions", shell]).stdout.contains("preview"), "{shell}");
    }
}

#[test]
fn a_reader_that_stops_is_no_error() {
    let project = Project::new("", None);
    let mut child = project.start(&["schema"]);
    drop(child.stdout.take());
    assert_eq!(child.wait().expect("an end").code(), Some(0));
}

#[test]
fn help_is_a_snapshot() {
    let project = Project::new("", None);
    insta::assert_snapshot!("help", project.transcript(&project.segue(&["--help"])));
    insta::assert_snapshot!("help_run", project.transcript(&project.segue(&["run", "--help"])));
}
