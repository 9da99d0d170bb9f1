//! Buckets with Object Lock: what is delivered stays, and nothing else is left there for good.

use s3lab::{BucketSpec, Dialect, Lab, Operation, Options, Policy, Retention, RetentionMode, User};

use crate::project::{BUCKET, Project, SECRET, Text};

fn user(policy: Policy) -> User {
    User {
        access_key_id: "LAB".to_owned(),
        secret_access_key: SECRET.to_owned(),
        policy,
        ..User::default()
    }
}

async fn locked(dialect: Dialect) -> Lab {
    let retention = Some(Retention { mode: RetentionMode::Compliance, days: 30 });
    let bucket = BucketSpec { versioned: true, retention, ..BucketSpec::from(BUCKET) };
    let users = vec![user(Policy::all())];
    let options = Options { buckets: vec![bucket], users, dialect, ..Options::default() };
    Lab::start(options).await.expect("the lab starts")
}

fn keep(name: &str, project: &Project, said: &crate::project::Said) {
    let filters = [
        (r"request id [0-9A-Za-z]+", "request id [id]"),
        ("(run|version) +[0-9a-f-]{32,36}", "$1 [id]"),
        (r"\d{4}-\d\d-\d\dT[\d:.]+Z", "[time]"),
    ];
    insta::with_settings!({ filters => filters.to_vec() }, {
        insta::assert_snapshot!(name, project.transcript(said));
    });
}

/// A check leaves nothing that could not be deleted, also where the service ignores conditions.
#[tokio::test(flavor = "multi_thread")]
async fn a_check_leaves_nothing_that_is_locked() {
    for no_conditionals in [false, true] {
        let lab = locked(Dialect { no_conditionals, ..Dialect::default() }).await;
        let project = Project::new(&Text::default().yaml(), Some(&lab));
        let said = project.segue(&["check", "partner"]);
        assert_eq!(said.code, 0, "{}", said.stderr);
        assert_eq!(lab.history().len(), 0, "something was visible");
        assert_eq!(lab.open_uploads(BUCKET), []);
        keep("locked_check", &project, &said);
        let checked = project.json(&["check", "partner"]);
        assert_eq!(checked["capabilities"]["locksObjects"], "yes");
        assert_eq!(checked["capabilities"]["retention"]["period"], "30 days");
        assert_eq!(checked["capabilities"]["keepsConditions"], "unknown");
    }
    // Where the lock cannot be seen, nothing is tried that it could keep.
    let lab = locked(Dialect { no_conditionals: true, ..Dialect::default() }).await;
    let blind = Policy::all().without(&["s3:GetBucketObjectLockConfiguration"]);
    lab.set_user(user(blind));
    let project = Project::new(&Text::default().yaml(), Some(&lab));
    let checked = project.json(&["check", "partner"]);
    assert_eq!(checked["capabilities"]["locksObjects"], "unknown", "{checked:#}");
    assert_eq!(lab.history().len(), 0);
}

/// A static name gets a new version, and the one before stays readable; a failed run leaves nothing.
#[tokio::test(flavor = "multi_thread")]
async fn files_are_replaced_by_versions_and_read_back() {
    let lab = locked(Dialect::default()).await;
    let text = Text { file_name: "audience", ..Text::default() };
    let project = Project::new(&text.yaml().replace("    manifest: true\n", ""), Some(&lab));
    let said = project.segue(&["run", "daily"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    project.write("people.csv", "id,email,points\n9,zoe@example.com,99\n");
    let said = project.segue(&["run", "daily", "--slot", "2026-01-05T00:00:00Z"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    let files = project.json(&["files"]);
    let run = files[1]["runId"].as_str().expect("a run");
    let key = "drop/audience.csv";
    let said = project.segue(&["files", "get", key, "--run", run, "--into", "first.csv"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    let first = std::fs::read_to_string(project.path("first.csv")).expect("a file");
    assert!(first.contains("ann@example.com"), "{first}");
    keep("locked_state", &project, &project.segue(&["files", "state", key]));

    // A run that fails after its parts were sent: its upload is no object, and is aborted.
    let refuse = s3lab::Action::answer(403, "AccessDenied");
    lab.faults().add(s3lab::Fault::on(Operation::UploadPart, refuse));
    let said = project.segue(&["run", "daily", "--slot", "2026-01-06T00:00:00Z"]);
    assert_ne!(said.code, 0, "{}", said.stdout);
    assert_eq!(lab.open_uploads(BUCKET), []);
    let deletions = lab.log().iter().filter(|it| it.operation == Operation::DeleteObject).count();
    assert_eq!(deletions, 0, "no run deletes anything");
}
