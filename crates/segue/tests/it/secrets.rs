//! Credentials that are stored encrypted, from the command line to the service and nowhere else.

use std::io::Write as _;
use std::process::Stdio;

use s3lab::{Action, Fault, Lab, Operation, Options, Outcome, User};
use serde_json::json;

use crate::delivery::wait_until;
use crate::http::Server;
use crate::project::{BUCKET, Project, SECRET, Said, Text};

const OTHER: &str = "canary-second-0b7e4c1d55aa9f3e";
const KEY: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

/// Two keys of one user, as while a key is being changed.
async fn lab() -> Lab {
    let user = |id: &str, secret: &str| User {
        access_key_id: id.to_owned(),
        secret_access_key: secret.to_owned(),
        ..User::default()
    };
    let users = vec![user("LAB", SECRET), user("SECOND", OTHER)];
    let options = Options { users, buckets: vec![BUCKET.into()], ..Options::default() };
    Lab::start(options).await.expect("the lab starts")
}

fn yaml() -> String {
    Text::default()
        .yaml()
        .replace("access_key_id: LAB", "access_key_id: \"${secret:partner-id}\"")
        .replace("${LAB_SECRET}", "\"${secret:partner}\"")
}

fn set(project: &Project, name: &str, value: &str) -> Said {
    let mut command = project.command(&["secret", "set", name]);
    let mut child = command.stdin(Stdio::piped()).spawn().expect("the binary starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin.write_all(value.as_bytes()).expect("it is read");
    drop(stdin);
    project.finish(child)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stored_secret_signs_and_shows_nowhere() {
    let lab = lab().await;
    let project = Project::new(&yaml(), Some(&lab));
    let said = project.segue(&["validate"]);
    insta::assert_snapshot!("secrets_unknown", project.transcript(&said));
    // The same without quotes.
    project.write("segue.yaml", yaml().replace("\"${", "${").replace("}\"", "}"));
    let unquoted = project.segue(&["validate"]);
    assert!(unquoted.stderr.contains("segue.yaml has 2 problems"), "{}", unquoted.stderr);
    project.write("segue.yaml", yaml());
    let said = set(&project, "partner", &format!("{SECRET}\n"));
    insta::assert_snapshot!("secrets_set", project.transcript(&said));
    assert_eq!(set(&project, "partner-id", "LAB").code, 0);
    let commands: [&[&str]; 8] = [
        &["--log", "trace", "validate"],
        &["--log", "trace", "check", "partner"],
        &["--log", "trace", "run", "daily"],
        &["--log", "trace", "runs"],
        &["--log", "trace", "files"],
        &["--log", "trace", "secret", "list"],
        &["--log", "trace", "secret", "list", "--output", "json"],
        &["--log", "trace", "secret", "rotate"],
    ];
    for command in commands {
        let said = project.segue(command);
        assert_eq!(said.code, 0, "{command:?}: {}", said.stderr);
        assert!(!said.stdout.contains(SECRET) && !said.stderr.contains(SECRET), "{command:?}");
    }
    assert_eq!(lab.keys(BUCKET).len(), 2);
    for entry in walk(&project.path(".segue")) {
        let bytes = std::fs::read(&entry).expect("a file");
        assert!(!String::from_utf8_lossy(&bytes).contains(SECRET), "{}", entry.display());
    }
    let said = project.segue(&["secret", "list"]);
    insta::with_settings!({ filters => vec![("[0-9a-f]{8}", "[key]")] }, {
        insta::assert_snapshot!("secrets_list", said.stdout);
    });
    let said = project.segue(&["run", "daily", "--slot", "2026-01-05T00:00:00Z"]);
    assert_eq!(said.code, 0, "after the rotation: {}", said.stderr);
    assert_eq!(project.segue(&["secret", "remove", "partner"]).code, 0);
    let said = project.segue(&["secret", "remove", "partner"]);
    insta::assert_snapshot!("secrets_remove_again", project.transcript(&said));
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        match entry.path().is_dir() {
            true => found.extend(walk(&entry.path())),
            false => found.push(entry.path()),
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_under_way_keeps_its_secret_and_recovery_uses_the_new_one() {
    let lab = lab().await;
    let project = Project::new(&yaml(), Some(&lab));
    set(&project, "partner-id", "LAB");
    set(&project, "partner", SECRET);
    let hang = Fault::on(Operation::UploadPart, Action::Hang(Outcome::Done));
    let id = lab.faults().add(hang);
    let child = project.start(&["run", "daily"]);
    wait_until(|| lab.faults().acted(id) > 0).await;
    set(&project, "partner-id", "SECOND");
    set(&project, "partner", OTHER);
    lab.faults().remove(id);
    lab.faults().release();
    let said = project.finish(child);
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert_eq!(lab.keys(BUCKET).len(), 2, "it went on with what it had begun with");

    // The first key is disabled while a run is committed and not delivered.
    set(&project, "partner-id", "LAB");
    set(&project, "partner", SECRET);
    let hang = Fault::on(Operation::CompleteMultipartUpload, Action::Hang(Outcome::NotDone));
    let id = lab.faults().add(hang);
    let mut child = project.start(&["run", "daily", "--slot", "2026-01-05T00:00:00Z"]);
    wait_until(|| lab.faults().acted(id) > 0).await;
    child.kill().expect("a kill");
    child.wait().expect("the process is gone");
    lab.faults().remove(id);
    lab.faults().release();
    lab.set_user(User {
        access_key_id: "LAB".to_owned(),
        secret_access_key: "disabled".to_owned(),
        ..User::default()
    });
    set(&project, "partner-id", "SECOND");
    set(&project, "partner", OTHER);
    let said = project.segue(&["run"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert_eq!(lab.keys(BUCKET).len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_come_from_files_too() {
    let lab = lab().await;
    let yaml = Text::default().yaml().replace("${LAB_SECRET}", "\"${file:mounted/secret}\"");
    let project = Project::new(&yaml, Some(&lab));
    let said = project.segue(&["validate"]);
    insta::assert_snapshot!("secrets_no_file", project.transcript(&said));
    project.write("mounted/secret", format!("{SECRET}\n"));
    let said = project.segue(&["run", "daily"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_refused_where_it_would_be_shown() {
    let lab = lab().await;
    let yaml = Text::default().yaml().replace("bucket: exports", "bucket: \"${secret:partner}\"");
    let project = Project::new(&yaml, Some(&lab));
    set(&project, "partner", SECRET);
    let said = project.segue(&["validate"]);
    insta::assert_snapshot!("secrets_shown", project.transcript(&said));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_master_key_may_be_elsewhere() {
    let lab = lab().await;
    let yaml = Text::default().yaml().replace("${LAB_SECRET}", "\"${secret:partner}\"");
    let project = Project::new(&yaml, Some(&lab));
    let run = |key: Option<&str>, arguments: &[&str]| {
        let mut command = project.command(arguments);
        if let Some(key) = key {
            command.env("SEGUE_MASTER_KEY", key);
        }
        command.stdin(Stdio::piped());
        let mut child = command.spawn().expect("the binary starts");
        let mut stdin = child.stdin.take().expect("a pipe");
        let _ = stdin.write_all(SECRET.as_bytes());
        drop(stdin);
        project.finish(child)
    };
    assert_eq!(run(Some(KEY), &["secret", "set", "partner"]).code, 0);
    assert!(!project.path(".segue/master.key").exists());
    assert_eq!(run(Some(KEY), &["run", "daily"]).code, 0);
    let said = run(None, &["validate"]);
    insta::assert_snapshot!("secrets_other_key", project.transcript(&said));
    let said = run(Some("short"), &["validate"]);
    insta::assert_snapshot!("secrets_no_key", project.transcript(&said));
    // Another key in front of it, and then alone.
    let new = KEY.replace('0', "f");
    let both = format!("{new},{KEY}");
    assert_eq!(run(Some(&both), &["secret", "rotate"]).code, 0);
    assert_eq!(run(Some(&new), &["validate"]).code, 0);
    assert_eq!(run(Some(KEY), &["validate"]).code, 2);
}

/// Nobody needs a terminal to store the first secret; a key that was lost is not replaced in silence.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_makes_the_master_key_for_the_first_secret() {
    let lab = lab().await;
    let project = Project::new(&Text::default().yaml(), Some(&lab));
    let server = Server::start(&project).await;
    let key = project.path(".segue/master.key");
    assert!(!key.exists());
    let put = |name: &str| {
        let path = format!("/api/v1/secrets/{name}");
        server.ask("PUT", &path, &server.admin, &[], Some(json!({ "value": OTHER })))
    };
    for name in ["partner", "agency"] {
        let kept = put(name);
        assert_eq!(kept.status, 200, "{}", kept.text);
    }
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(&key).expect("a key").permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "for this user alone");
    assert!(
        !project
            .path(".segue")
            .read_dir()
            .expect("a folder")
            .flatten()
            .any(|it| { it.file_name().to_string_lossy().starts_with(".tmp") })
    );
    std::fs::remove_file(&key).expect("it goes");
    let refused = put("third");
    assert_eq!(refused.status, 409, "{}", refused.text);
    insta::assert_snapshot!(refused.json()["detail"].as_str().unwrap_or_default(), @"The master key that secrets are sealed under cannot be read.");
    insta::assert_snapshot!(refused.json()["hint"].as_str().unwrap_or_default(), @"Bring back the file that holds it, or name it with SEGUE_MASTER_KEY_FILE for the server.");
    assert!(!key.exists(), "another key would not open what is there");
}
