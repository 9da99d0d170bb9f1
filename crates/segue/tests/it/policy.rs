//! `segue policy`: what is printed is enough, and nothing of it is too much.

use s3lab::{Options, Policy, User};
use serde_json::Value;

use crate::project::{BUCKET, Project, SECRET, Text, lab, lab_with};

fn encrypted() -> String {
    Text::default().yaml().replace(
        "    bucket: exports\n",
        "    bucket: exports\n    encryption: { sse: aws:kms, kms_key_id: \"arn:aws:kms:us-east-1:111122223333:key/k1\" }\n    objects: { tags: { team: crm } }\n",
    )
}

/// The statements of a printed policy as the lab evaluates them, without one action.
fn granted(document: &Value, without: Option<&str>) -> Policy {
    let mut policy = Policy::default();
    for statement in document["Statement"].as_array().expect("statements") {
        assert_eq!(statement["Effect"], "Allow");
        let actions: Vec<&str> = statement["Action"]
            .as_array()
            .expect("actions")
            .iter()
            .map(|action| action.as_str().expect("an action"))
            .filter(|action| Some(*action) != without)
            .collect();
        policy = policy.and_allow(&actions, &[statement["Resource"].as_str().expect("a resource")]);
    }
    policy
}

fn actions(document: &Value) -> Vec<String> {
    let statements = document["Statement"].as_array().expect("statements").iter();
    let listed = statements.flat_map(|statement| statement["Action"].as_array().expect("actions"));
    listed.map(|action| action.as_str().expect("an action").to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_printed_policy_is_enough_and_all_of_it_is_needed() {
    for (yaml, versioned) in [(Text::default().yaml(), false), (encrypted(), true)] {
        let bucket = s3lab::BucketSpec { versioned, ..BUCKET.into() };
        let user = |policy: Policy| User {
            access_key_id: "LAB".to_owned(),
            secret_access_key: SECRET.to_owned(),
            policy,
            ..User::default()
        };
        let options = Options {
            buckets: vec![bucket],
            users: vec![user(Policy::default())],
            ..Options::default()
        };
        let lab = s3lab::Lab::start(options).await.expect("a lab");
        let project = Project::new(&yaml, Some(&lab));
        let said = project.segue(&["policy", "partner", "--only", "iam"]);
        let document: Value = serde_json::from_str(&said.stdout).expect("JSON");

        lab.set_user(user(granted(&document, None)));
        let checked = project.segue(&["check", "partner"]);
        assert_eq!(checked.code, 0, "{}", checked.stderr);
        assert!(checked.stdout.contains("partner is ready"), "{}", checked.stdout);
        let run = project.segue(&["run", "daily"]);
        assert_eq!(run.code, 0, "{}", run.stderr);

        for action in actions(&document) {
            lab.set_user(user(granted(&document, Some(&action))));
            let said = project.segue(&["check", "partner", "--output", "json"]);
            let checked: Value = serde_json::from_str(&said.stdout).expect("JSON");
            let lines = checked["permissions"].as_array().expect("permissions").iter();
            let missing: Vec<&str> = lines
                .filter(|line| line["result"] == "missing")
                .map(|line| line["action"].as_str().expect("an action"))
                .collect();
            assert_eq!(missing, [action.as_str()], "{checked:#}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_outside_the_folder_is_granted() {
    let lab = lab_with(Options::default()).await;
    let project = Project::new(&Text::default().yaml(), Some(&lab));
    let said = project.segue(&["policy", "partner", "--only", "iam"]);
    let document: Value = serde_json::from_str(&said.stdout).expect("JSON");
    let policy = granted(&document, None);
    lab.set_user(User {
        access_key_id: "LAB".to_owned(),
        secret_access_key: SECRET.to_owned(),
        policy,
        ..User::default()
    });
    let other = Text { folder: "drop-other", ..Text::default() };
    let project = Project::new(&other.yaml(), Some(&lab));
    let said = project.segue(&["run", "daily"]);
    assert_eq!(said.code, 3, "{}", said.stdout);
    assert_eq!(lab.history().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn policies_read_well() {
    let lab = lab().await;
    let keep = |name: &str, yaml: &str, arguments: &[&str]| {
        let project = Project::new(yaml, Some(&lab));
        insta::assert_snapshot!(name, project.transcript(&project.segue(arguments)));
    };
    keep("policy", &Text::default().yaml(), &["policy", "partner"]);
    let role = encrypted().replace(
        "kind: access-key\n",
        "kind: assume-role\n      role_arn: arn:aws:iam::111122223333:role/segue\n",
    );
    let macros = role.replace("folder: drop", "folder: drop/%SEGMENT_NAME%/x");
    keep("policy_of_role", &macros, &["policy", "partner"]);
    let principal = "arn:aws:iam::444455556666:user/segue";
    keep(
        "policy_terraform",
        &role,
        &["policy", "partner", "--format", "terraform", "--principal", principal],
    );
    keep(
        "policy_no_such_document",
        &Text::default().yaml(),
        &["policy", "partner", "--only", "trust"],
    );
}
