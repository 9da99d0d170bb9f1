//! What somebody meets who begins: everything that is wrong told at once, trials that use nothing up,
//! runs that cannot begin and are in the ledger all the same.

use std::path::Path;

use s3lab::Lab;
use serde_json::{Value, json};

use crate::project::{BUCKET, Project, Text, lab};

/// A project whose segment is due every day at two.
fn scheduled(text: &Text, lab: Option<&Lab>) -> Project {
    let daily = "- segment: loyal\n        schedule: { frequency: daily, at: \"02:00\" }\n";
    Project::new(&text.yaml().replace("- segment: loyal\n", daily), lab)
}

/// Everything below a folder, as paths from it.
fn everything(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut pending = vec![folder.to_path_buf()];
    while let Some(next) = pending.pop() {
        for entry in std::fs::read_dir(&next).expect("a folder").flatten() {
            let path = entry.path();
            let below = path.strip_prefix(folder).expect("below the folder");
            found.push(below.display().to_string());
            if path.is_dir() {
                pending.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Problems of the structure, of fields, of rules and of headers.
const WRONG: Text = Text {
    location: "people.csv",
    rule: "pionts > 3 AND emial IS NOT NULL AND uper(email) = 'A'",
    folder: "drop",
    file_name: "%SEGMENT_NAM%",
    file: "{ fromat: csv }",
    mapping: "[id, { source: email, target: ID }, phone, { expression: points +, target: more }]",
    guard: "{}",
};

#[tokio::test(flavor = "multi_thread")]
async fn validate_tells_everything_at_once() {
    let project = Project::new(&WRONG.yaml(), None);
    let said = project.segue(&["validate"]);
    insta::assert_snapshot!(project.transcript(&said));

    let answer = project.json(&["validate"]);
    assert_eq!((&answer["valid"], &answer["error"]["exitCode"]), (&json!(false), &json!(2)));
    let diagnostics = answer["diagnostics"].as_array().expect("a list");
    let place = |one: &Value| {
        let at = |key: &str| one[key].to_string().replace('"', "");
        format!(
            "{}:{}:{} {} {}: {} ({})",
            at("path"),
            at("line"),
            at("column"),
            at("severity"),
            at("code"),
            at("message"),
            at("hint")
        )
    };
    let told: Vec<String> = diagnostics.iter().map(place).collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn offline_looks_at_the_form_of_rules() {
    let project = Project::new(&WRONG.yaml(), None);
    std::fs::remove_file(project.path("people.csv")).expect("a file");
    let answer = project.json(&["validate", "--offline"]);
    let codes: Vec<&str> = answer["diagnostics"]
        .as_array()
        .expect("a list")
        .iter()
        .filter(|one| one["severity"] == "error")
        .filter_map(|one| one["code"].as_str())
        .collect();
    // No field is known, so none is unknown.
    insta::assert_snapshot!(codes.join(" "));

    let project = Project::new(&Text { rule: "points >= 10 ANDD", ..Text::default() }.yaml(), None);
    let said = project.segue(&["validate", "--offline"]);
    insta::assert_snapshot!(project.transcript(&said));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_dataset_does_not_hide_the_rest() {
    let text = Text { location: "poeple.csv", rule: "points >> 3", ..WRONG };
    let project = Project::new(&text.yaml().replace("identities:", "identites:"), None);
    let said = project.segue(&["validate"]);
    insta::assert_snapshot!(project.transcript(&said));
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_that_differ_in_case_only_are_refused_by_validate_already() {
    let text = Text { mapping: "[id, { source: email, target: ID }]", ..Text::default() };
    let project = Project::new(&text.yaml(), None);
    let said = project.segue(&["validate"]);
    insta::assert_snapshot!(project.transcript(&said));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trial_into_a_folder_leaves_the_slot_due_and_nothing_hidden() {
    let lab = lab().await;
    let project = scheduled(&Text::default(), Some(&lab));
    let trial = project.json(&["run", "--to", "out"]);
    let of_trial = trial["runs"][0].clone();
    assert_eq!(
        (&of_trial["state"], &of_trial["slot"]),
        (&json!("delivered"), &json!("2026-01-04T02:00:00Z"))
    );
    let name = "loyal_20260104020000.csv";
    let manifest = of_trial["objects"][1]["key"].as_str().expect("a manifest").to_owned();
    let mut files = vec!["drop".to_owned(), format!("drop/{name}"), manifest];
    files.sort();
    assert_eq!(everything(&project.path("out")), files, "the files and nothing else");

    let again = project.segue(&["run", "--to", "out", "--error-on-nothing"]);
    assert_eq!(again.code, 9, "the same folder has it: {}", again.stderr);
    assert_eq!(everything(&project.path("out")), files);
    let other = project.json(&["run", "--to", "elsewhere"]);
    assert_eq!(other["runs"][0]["objects"][0]["sha256"], of_trial["objects"][0]["sha256"]);

    let run = project.json(&["run"]);
    let run = &run["runs"][0];
    assert_eq!((&run["state"], &run["slot"]), (&json!("delivered"), &of_trial["slot"]));
    assert_ne!(run["runId"], of_trial["runId"]);
    assert_eq!(run["objects"][0]["sha256"], of_trial["objects"][0]["sha256"], "the same bytes");
    assert_eq!(lab.keys(BUCKET).len(), 2, "the file and the manifest");
    let nothing = project.segue(&["run", "--error-on-nothing"]);
    assert_eq!(nothing.code, 9, "{}", nothing.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trial_that_fails_leaves_nothing_hidden() {
    let text = Text { rule: "100 / (points - 10) > 1", ..Text::default() };
    let project = scheduled(&text, None);
    let said = project.segue(&["run", "--to", "out"]);
    assert_eq!(said.code, 1, "{}", said.stderr);
    assert_eq!(everything(&project.path("out")), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_whose_input_cannot_be_opened_are_in_the_ledger() {
    let lab = lab().await;
    let project = scheduled(&Text::default(), Some(&lab));
    std::fs::remove_file(project.path("people.csv")).expect("a file");
    let said = project.segue(&["run"]);
    assert_eq!(said.code, 2, "{}", said.stderr);
    let runs = project.json(&["runs"]);
    assert_eq!(runs.as_array().map(Vec::len), Some(1), "{runs}");
    let (state, slot) = (&runs[0]["state"], &runs[0]["slot"]);
    assert_eq!((state, slot), (&json!("failed"), &json!("2026-01-04T02:00:00Z")));
    insta::assert_snapshot!(format!("{}: {}", runs[0]["stop"]["code"], runs[0]["stop"]["message"]),);

    // Again, and it is the same run.
    project.write("people.csv", "id,email,points\n1,a\n");
    assert_eq!(project.segue(&["run"]).code, 2);
    let runs = project.json(&["runs"]);
    assert_eq!(runs.as_array().map(Vec::len), Some(1), "{runs}");
    assert_eq!((&runs[0]["state"], &runs[0]["attempts"]), (&json!("failed"), &json!(2)));
    let message = runs[0]["stop"]["message"].as_str().expect("a message");
    assert!(message.contains("the record has 2 cells"), "{message}");

    // And the slot goes through when the input is there.
    project.write("people.csv", crate::project::PEOPLE);
    let run = project.json(&["run"]);
    assert_eq!(run["runs"][0]["state"], "delivered", "{run}");
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_whose_destination_cannot_be_opened_are_in_the_ledger() {
    let project = scheduled(&Text::default(), None);
    let text = std::fs::read_to_string(project.path("segue.yaml")).expect("a file");
    project.write("segue.yaml", text.replace("${LAB_SECRET}", "\"${NOBODY:-}\""));
    let said = project.segue(&["run"]);
    assert_eq!(said.code, 3, "{}", said.stderr);
    let runs = project.json(&["runs"]);
    assert_eq!(
        (&runs[0]["state"], &runs[0]["stop"]["code"]),
        (&json!("failed"), &json!("connection"))
    );
}

/// Two datasets, so that profiles are merged.
fn merged(lab: &Lab) -> Project {
    let two = Text::default().yaml().replace(
        "    identities: { id: CRMID }\n",
        "    identities: { id: CRMID }\n  more:\n    location: more.csv\n    identities: { id: CRMID }\n\
         profiles: { merge: [people, more] }\n",
    );
    let project = Project::new(&two, Some(lab));
    project.write("more.csv", "id,city\n1,Paris\n2,Lyon\n");
    project
}

#[tokio::test(flavor = "multi_thread")]
async fn plan_looks_at_the_bucket_and_leaves_nothing_behind() {
    let lab = lab().await;
    let project = merged(&lab);
    let before = everything(&project.path("."));
    let said = project.segue(&["plan", "daily"]);
    insta::assert_snapshot!(project.transcript(&said));
    assert_eq!(everything(&project.path(".")), before, "nothing was written");
    assert_eq!((lab.keys(BUCKET).len(), lab.open_uploads(BUCKET).len()), (0, 0));

    lab.put(BUCKET, "drop/loyal_20260104063000.csv", "a stranger's").await.expect("a put");
    let planned = project.json(&["plan", "daily"]);
    let in_the_way = &planned[0]["inTheWay"][0];
    assert_eq!(in_the_way["key"], "drop/loyal_20260104063000.csv", "{planned}");
    assert_eq!(project.segue(&["run", "daily"]).code, 4, "as was said");

    // What a run has kept is used, and stays as it is.
    let kept = everything(&project.path(".segue/profiles"));
    assert!(!kept.is_empty());
    let said = project.segue(&["plan", "daily", "--slot", "2026-01-04T07:00:00Z"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert_eq!(everything(&project.path(".segue/profiles")), kept);
}

#[tokio::test(flavor = "multi_thread")]
async fn plan_says_when_the_bucket_cannot_be_looked_at() {
    let project = Project::new(&Text::default().yaml(), None);
    let said = project.segue(&["plan", "daily"]);
    let filters = [(r"\(os error \d+\)", "(os error)")];
    insta::with_settings!({ filters => filters.to_vec() }, {
        insta::assert_snapshot!(project.transcript(&said));
    });
}
