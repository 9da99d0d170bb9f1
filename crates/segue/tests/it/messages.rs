//! Every kind of bad input: one clear error that names the thing, the place and the next step, the
//! documented exit code, nothing visible, and the ledger true.

use std::path::{Path, PathBuf};
use std::process::Command;

use s3lab::{Lab, Options, User};

use crate::project::{Project, SECRET, Text, lab, lab_with};

/// Runs a command that must fail, keeps what it says as a snapshot, and checks that nothing of it
/// is visible and that the ledger holds no run as delivered.
fn check(name: &str, lab: &Lab, project: &Project, command: &[&str]) {
    let said = project.segue(command);
    assert_ne!(said.code, 0, "{name}: {}", said.stdout);
    let filters = [
        (r"request id [^,)\]]+", "request id [id]"),
        (r"\(os error \d+\)", "(os error)"),
        (r"[0-9a-f]{16}-\d+\.", "[upload]."),
    ];
    insta::with_settings!({ filters => filters.to_vec() }, {
        insta::assert_snapshot!(name, project.transcript(&said));
    });
    assert_eq!(lab.history().len(), 0, "{name}: nothing is visible");
    let runs = project.segue(&["runs", "--output", "json", "--state", "delivered"]);
    assert!(runs.code != 0 || runs.stdout.trim() == "[]", "{name}: {}", runs.stdout);
}

async fn check_text(name: &str, text: Text, change: impl Fn(&Project)) {
    let lab = lab().await;
    let project = Project::new(&text.yaml(), Some(&lab));
    change(&project);
    check(name, &lab, &project, &["run", "daily"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn inputs_that_cannot_be_read() {
    check_text("missing_file", Text { location: "nobody.csv", ..Text::default() }, |_| {}).await;
    check_text("empty_glob", Text { location: "data/*.parquet", ..Text::default() }, |_| {}).await;
    check_text("ragged_csv", Text::default(), |project| {
        project.write("people.csv", "id,email,points\n1,a@example.com,10\n2,b@example.com\n");
    })
    .await;
    check_text("invalid_utf8", Text::default(), |project| {
        project.write("people.csv", b"id,email,points\n1,a\xff@example.com,10\n");
    })
    .await;
    check_text("unclosed_quote", Text::default(), |project| {
        project.write("people.csv", "id,email,points\n1,\"a@example.com,10\n2,b@example.com,11\n");
    })
    .await;
    check_text("not_parquet", Text { location: "people.parquet", ..Text::default() }, |project| {
        project.write("people.parquet", "this is not Parquet at all");
    })
    .await;
    check_text(
        "truncated_parquet",
        Text { location: "demo/data/profiles/*.parquet", ..Text::default() },
        |project| {
            let said = project.segue(&["demo", "demo", "--data-only", "--profiles", "100"]);
            assert_eq!(said.code, 0, "{}", said.stderr);
            let path = project.path("demo/data/profiles/profiles-000.parquet");
            let bytes = std::fs::read(&path).expect("a file");
            std::fs::write(&path, &bytes[..bytes.len() - 40]).expect("a shorter file");
        },
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn projects_that_do_not_fit_their_data() {
    check_text(
        "unknown_field_in_mapping",
        Text { mapping: "[id, emial]", ..Text::default() },
        |_| {},
    )
    .await;
    check_text("unknown_field_in_rule", Text { rule: "pionts > 3", ..Text::default() }, |_| {})
        .await;
    check_text(
        "rule_is_a_statement",
        Text { rule: "\"COPY people TO '/tmp/x'\"", ..Text::default() },
        |_| {},
    )
    .await;
    check_text("rule_is_no_condition", Text { rule: "points + 1", ..Text::default() }, |_| {})
        .await;
    check_text("unknown_macro", Text { file_name: "%SEGMENT_NAM%", ..Text::default() }, |_| {})
        .await;
    check_text("climbing_folder", Text { folder: "../other", ..Text::default() }, |_| {}).await;
    check_text("climbing_file_name", Text { file_name: "../x", ..Text::default() }, |_| {}).await;
    let long: &'static str = Box::leak("x".repeat(256).into_boxed_str());
    check_text("long_file_name", Text { file_name: long, ..Text::default() }, |_| {}).await;
    check_text(
        "several_problems",
        Text {
            mapping: "[id, id, emial]",
            file: "{ fromat: csv, delimiter: \"\\\"\" }",
            ..Text::default()
        },
        |_| {},
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_segment_written_twice() {
    let lab = lab().await;
    let yaml =
        Text::default().yaml().replace("accounts:", "  loyal:\n    rule: points > 3\naccounts:");
    let project = Project::new(&yaml, Some(&lab));
    check("duplicate_segment", &lab, &project, &["validate"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_written_in_the_clear() {
    let lab = lab().await;
    let project =
        Project::new(&Text::default().yaml().replace("${LAB_SECRET}", SECRET), Some(&lab));
    let said = project.segue(&["validate"]);
    assert!(!said.stderr.contains(SECRET), "{}", said.stderr);
    check("secret_in_clear", &lab, &project, &["validate"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn services_that_refuse() {
    let lab = lab().await;
    let project = Project::new(&Text::default().yaml(), Some(&lab));
    lab.set_user(User {
        access_key_id: "LAB".to_owned(),
        secret_access_key: "another".to_owned(),
        ..User::default()
    });
    check("wrong_secret", &lab, &project, &["run", "daily"]);

    let project = Project::new(
        &Text::default().yaml().replace("access_key_id: LAB", "access_key_id: NOBODY"),
        Some(&lab),
    );
    check("unknown_key", &lab, &project, &["run", "daily"]);

    let empty = Options { buckets: Vec::new(), ..Options::default() };
    let user = User {
        access_key_id: "LAB".to_owned(),
        secret_access_key: SECRET.to_owned(),
        ..User::default()
    };
    let lab = Lab::start(Options { users: vec![user], ..empty }).await.expect("a lab");
    let project = Project::new(&Text::default().yaml(), Some(&lab));
    check("missing_bucket", &lab, &project, &["run", "daily"]);

    let lab = lab_with(Options::default()).await;
    let project = Project::new(&Text::default().yaml(), None);
    check("nobody_listens", &lab, &project, &["run", "daily"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_that_make_no_sense() {
    let lab = lab().await;
    let project = Project::new(&Text::default().yaml(), Some(&lab));
    check("unknown_activation", &lab, &project, &["run", "dialy"]);
    check("unknown_segment", &lab, &project, &["run", "daily", "--segment", "loyla"]);
    check("unknown_command", &lab, &project, &["rnu"]);
    check("bad_slot", &lab, &project, &["run", "daily", "--slot", "yesterday"]);
    std::fs::remove_file(project.path("segue.yaml")).expect("a file");
    check("no_project", &lab, &project, &["-p", ".", "run"]);
}

/// A file system in memory that is soon full. Only a user who may mount can have one.
struct SmallDisk {
    path: PathBuf,
}

impl SmallDisk {
    fn mount(path: &Path, kilobytes: u32) -> Option<Self> {
        std::fs::create_dir_all(path).expect("a folder");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={kilobytes}k"), "tmpfs"]).arg(path);
        let mounted = mount.output().is_ok_and(|output| output.status.success());
        mounted.then(|| Self { path: path.to_path_buf() })
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.path).output();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk() {
    let lab = lab().await;
    let project = Project::new(&Text::default().yaml(), Some(&lab));
    let mut people = "id,email,points\n".to_owned();
    for number in 0..40_000 {
        people.push_str(&format!("{number},person{number}@example.com,50\n"));
    }
    project.write("people.csv", &people);
    let Some(_disk) = SmallDisk::mount(&project.path("small"), 512) else {
        println!("not run: this user may not mount a small file system");
        return;
    };
    check("full_disk_of_files", &lab, &project, &["run", "daily", "--to", "small/out"]);
    let visible =
        std::fs::read_dir(project.path("small/out")).expect("the folder").filter(|entry| {
            entry.as_ref().is_ok_and(|entry| !entry.file_name().to_string_lossy().starts_with('.'))
        });
    assert_eq!(visible.count(), 0, "nothing is visible in the folder");

    let Some(_ledger) = SmallDisk::mount(&project.path("state"), 64) else { return };
    check("full_disk_of_ledger", &lab, &project, &["--state-dir", "state", "run", "daily"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_and_identities_that_do_not_hold() {
    check_text(
        "division_by_zero",
        Text { rule: "100 / (points - 1) > 1", ..Text::default() },
        |_| {},
    )
    .await;
    check_text("namespace_twice", Text::default(), |project| {
        let text = Text::default().yaml().replace("{ id: CRMID }", "{ id: CRMID, email: CRMID }");
        project.write("segue.yaml", text);
    })
    .await;
    check_text("deleted_segment", Text { rule: "in_segment('luxury')", ..Text::default() }, |_| {})
        .await;
    check_text(
        "unknown_namespace_in_mapping",
        Text { mapping: "[id, identityMap.Email]", ..Text::default() },
        |_| {},
    )
    .await;
    check_text(
        "unknown_namespace_in_expression",
        Text {
            mapping: "[id, { expression: hash_email(identityMap.CRMDI), target: hash }]",
            ..Text::default()
        },
        |_| {},
    )
    .await;
}
