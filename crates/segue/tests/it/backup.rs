//! Backups, and ledgers that come from one: nothing is sent twice.

use std::fs;

use s3lab::Lab;

use crate::delivery::wait_until;
use crate::project::{BUCKET, Project, Text, lab};
use crate::serve::{introduce, serve, slots, stop};

fn scheduled(lab: &Lab) -> Project {
    let yaml = Text::default().yaml().replace(
        "      - segment: loyal\n",
        "      - segment: loyal\n        schedule: { frequency: daily, at: \"02:00\" }\n",
    );
    Project::new(&yaml, Some(lab))
}

async fn serve_until(project: &Project, now: &str, slot: &str) {
    let child = serve(project, now, &[]);
    wait_until(|| slots(project).iter().any(|it| it.starts_with(slot))).await;
    assert_eq!(stop(project, child).code, 0);
}

fn at(project: &Project, now: &str, arguments: &[&str]) -> crate::project::Said {
    let mut command = project.command(arguments);
    project.finish(command.env("SEGUE_NOW", now).spawn().expect("the binary starts"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_ledger_sends_nothing_twice() {
    let lab = lab().await;
    let project = scheduled(&lab);
    introduce(&project).await;
    serve_until(&project, "2026-01-05T06:00:00Z", "2026-01-05T02:00:00Z delivered").await;
    // A backup is taken beside a server.
    let child = serve(&project, "2026-01-05T07:00:00Z", &[]);
    wait_until(|| project.path(".segue/server.json").exists()).await;
    let said = at(&project, "2026-01-05T07:00:00Z", &["backup", "copies/one"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert_eq!(stop(&project, child).code, 0);
    assert!(!project.path("copies/one/master.key").exists());
    serve_until(&project, "2026-01-07T06:00:00Z", "2026-01-07T02:00:00Z delivered").await;
    let visible = lab.history().len();
    // The disk is lost, and the ledger comes from the backup.
    fs::rename(project.path(".segue"), project.path("lost")).expect("it is moved");
    let said = project.segue(&["restore", "copies/one", "--verify"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert!(!project.path(".segue").exists(), "checking restores nothing");
    let said = at(&project, "2026-01-07T07:00:00Z", &["restore", "copies/one"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    for command in [&["run"][..], &["serve", "--listen", "127.0.0.1:0"]] {
        let said = at(&project, "2026-01-07T07:00:00Z", command);
        assert_eq!(said.code, 4, "{}", said.stderr);
        insta::allow_duplicates! {
            insta::assert_snapshot!(said.stderr.trim_end(), @"
            error: the ledger was restored at 2026-01-07T07:00:00Z from a backup of 2026-01-05T07:00:00Z, and does not know what was delivered since
              hint: `segue restore --settle` tells what was due in between as skipped, so that nothing is sent twice; then run what is missing by its slot.
            ");
        }
    }
    let said = at(&project, "2026-01-07T07:00:00Z", &["restore", "--settle"]);
    insta::assert_snapshot!(said.stdout.trim_end(), @"2 slots since the backup told as skipped. `segue slots` lists them; run what is missing by its slot.");
    assert_eq!(
        slots(&project),
        [
            "2026-01-07T02:00:00Z skipped restored",
            "2026-01-06T02:00:00Z skipped restored",
            "2026-01-05T02:00:00Z delivered ",
        ]
    );
    // What was delivered and is forgotten is not overwritten when somebody asks for it.
    let said =
        at(&project, "2026-01-07T07:00:00Z", &["run", "daily", "--slot", "2026-01-07T02:00:00Z"]);
    assert_eq!(said.code, 4, "{}", said.stderr);
    assert_eq!(lab.history().len(), visible);
    // The next slot is as ever.
    serve_until(&project, "2026-01-08T06:00:00Z", "2026-01-08T02:00:00Z delivered").await;
    assert_eq!(lab.keys(BUCKET).len(), visible + 2);
    assert_eq!(lab.open_uploads(BUCKET).len(), 0);
    let said = project.segue(&["restore", "--settle"]);
    assert_eq!(said.code, 2, "once");
    let said = project.segue(&["restore", "copies/one"]);
    assert!(said.stderr.contains("there is a ledger"), "{}", said.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_backup_is_recognised() {
    let lab = lab().await;
    let project = Project::new(&Text::default().yaml(), Some(&lab));
    let said = project.segue(&["backup", "copies"]);
    assert!(said.stderr.contains("there is no ledger"), "{}", said.stderr);
    assert_eq!(project.segue(&["run", "daily"]).code, 0);
    assert_eq!(project.segue(&["backup", "copies"]).code, 0);
    let said = project.segue(&["backup", "copies"]);
    assert!(said.stderr.contains("is not empty"), "{}", said.stderr);
    let path = project.path("copies/ledger.sqlite");
    let whole = fs::read(&path).expect("the copy");
    let mut damaged = whole.clone();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    fs::write(&path, damaged).expect("it is written");
    let said = project.segue(&["restore", "copies", "--verify"]);
    assert_eq!(said.code, 1);
    assert!(said.stderr.contains("ledger.sqlite of the backup is damaged"), "{}", said.stderr);
    fs::write(&path, whole).expect("it is written");
    assert_eq!(project.segue(&["restore", "copies", "--verify"]).code, 0);
    let list = fs::read_to_string(project.path("copies/backup.json")).expect("the list");
    project.write("copies/backup.json", list.replace("ledger.sqlite", "../people.csv"));
    let said = project.segue(&["restore", "copies", "--verify"]);
    assert!(said.stderr.contains("leads out of the backup"), "{}", said.stderr);
    let said = project.segue(&["restore", "nowhere", "--verify"]);
    assert!(said.stderr.contains("A backup is a folder"), "{}", said.stderr);
}
