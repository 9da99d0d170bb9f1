//! kill -9 at awkward moments, and the next start.

use s3lab::{Action, Fault, Lab, Operation, Outcome};

use crate::delivery::wait_until;
use crate::project::{BUCKET, NOW, Project, Text, lab, records};

/// Starts a run, kills it while the `nth` request of an operation hangs, and lets that request go.
async fn kill_at(lab: &Lab, project: &Project, operation: Operation, nth: u64, outcome: Outcome) {
    let id = lab.faults().add(Fault::on(operation, Action::Hang(outcome)).skip(nth));
    let mut child = project.start(&["run", "daily"]);
    wait_until(|| lab.faults().acted(id) > 0).await;
    child.kill().expect("a kill");
    child.wait().expect("the process is gone");
    lab.faults().remove(id);
    lab.faults().release();
}

/// After any crash and the next start: the set is whole, each object became visible once, the
/// ledger agrees, and no upload is left.
fn assert_whole(lab: &Lab, project: &Project, what: &str) {
    let keys = lab.keys(BUCKET);
    assert_eq!(keys.len(), 3, "{what}: {keys:?}");
    for change in lab.history() {
        let times = lab.history().iter().filter(|other| other.key == change.key).count();
        assert_eq!(times, 1, "{what}: {} became visible {times} times", change.key);
    }
    let ids: Vec<String> = keys
        .iter()
        .filter(|key| key.ends_with(".csv"))
        .flat_map(|key| {
            records(&lab.object(BUCKET, key).expect("a file").bytes).into_iter().skip(1)
        })
        .map(|record| record[0].clone())
        .collect();
    assert_eq!(ids, ["1", "4", "5"], "{what}");
    assert_eq!(lab.open_uploads(BUCKET).len(), 0, "{what}: no unfinished upload is left");
    let runs = project.json(&["runs"]);
    assert_eq!(runs[0]["state"], "delivered", "{what}");
}

fn two_files() -> Text {
    Text { file: "{ format: csv, rows_per_file: 2 }", ..Text::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_killed_before_the_commit_record_leaves_nothing() {
    for (operation, nth) in [
        (Operation::CreateMultipartUpload, 0),
        (Operation::CreateMultipartUpload, 1),
        (Operation::UploadPart, 0),
        (Operation::UploadPart, 2),
    ] {
        for outcome in [Outcome::NotDone, Outcome::Done] {
            let what = format!("{operation:?} {nth} {outcome:?}");
            let lab = lab().await;
            let project = Project::new(&two_files().yaml(), Some(&lab));
            kill_at(&lab, &project, operation, nth, outcome).await;
            assert_eq!(lab.history().len(), 0, "{what}: nothing is visible");
            let said = project.segue(&["run", "daily"]);
            assert_eq!(said.code, 0, "{what}: {}", said.stderr);
            assert_whole(&lab, &project, &what);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_killed_while_publishing_is_finished_by_the_next_start() {
    for nth in 0..3 {
        for outcome in [Outcome::NotDone, Outcome::Done] {
            let what = format!("completion {nth} {outcome:?}");
            let lab = lab().await;
            let project = Project::new(&two_files().yaml(), Some(&lab));
            kill_at(&lab, &project, Operation::CompleteMultipartUpload, nth, outcome).await;
            // Whatever is named: the run that was left comes first. Nothing else is due.
            let said = project.segue(&["run"]);
            assert_eq!(said.code, 0, "{what}: {}", said.stderr);
            assert_whole(&lab, &project, &what);
        }
    }
}

/// A request may reach the service when its process is gone, and when the next one has looked for what it
/// left.
#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_opens_late_is_found_by_a_later_start() {
    let lab = lab().await;
    let project = Project::new(&two_files().yaml(), Some(&lab));
    kill_at(&lab, &project, Operation::CreateMultipartUpload, 1, Outcome::NotDone).await;
    let said = project.segue(&["run", "daily"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert_whole(&lab, &project, "before it opens");
    let keys = lab.keys(BUCKET);
    let key = keys.iter().find(|key| key.ends_with("_2.csv")).expect("the second file");
    for now in [NOW, NOW, "2026-01-04T06:50:00Z"] {
        lab.open_upload(BUCKET, key);
        let said = project.segue_with(&["run"], &[("SEGUE_NOW", now)]);
        assert_eq!(said.code, 0, "{}", said.stderr);
        assert_whole(&lab, &project, now);
    }
    // So late no request arrives any more: what is open then is somebody else's.
    lab.open_upload(BUCKET, key);
    let said = project.segue_with(&["run"], &[("SEGUE_NOW", "2026-01-04T07:50:00Z")]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert_eq!(lab.open_uploads(BUCKET).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_was_rolled_back_says_so() {
    let lab = lab().await;
    let project = Project::new(&two_files().yaml(), Some(&lab));
    kill_at(&lab, &project, Operation::UploadPart, 0, Outcome::NotDone).await;
    let said = project.segue(&["run"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert!(said.stderr.contains("ended before it was committed"), "{}", said.stderr);
    let runs = project.json(&["runs"]);
    assert_eq!(runs[0]["state"], "failed");
    assert_eq!(lab.open_uploads(BUCKET).len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_do_not_share_a_ledger() {
    let lab = lab().await;
    let id = lab.faults().add(Fault::on(Operation::UploadPart, Action::Hang(Outcome::NotDone)));
    let project = Project::new(&two_files().yaml(), Some(&lab));
    let first = project.start(&["run", "daily"]);
    wait_until(|| lab.faults().acted(id) > 0).await;
    let second = project.segue(&["run", "daily"]);
    assert_eq!(second.code, 5, "{}", second.stderr);
    assert!(second.stderr.contains("in use by another process"), "{}", second.stderr);
    let runs = project.json(&["runs"]);
    assert_eq!(runs[0]["state"], "staging", "reading needs no lock");
    lab.faults().remove(id);
    lab.faults().release();
    let said = project.finish(first);
    assert_eq!(said.code, 0, "{}", said.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_input_that_changes_while_it_is_read_fails_the_run() {
    let lab = lab().await;
    let hang = Action::Hang(Outcome::NotDone);
    let id = lab.faults().add(Fault::on(Operation::CreateMultipartUpload, hang));
    let project = Project::new(&Text::default().yaml(), Some(&lab));
    let child = project.start(&["run", "daily"]);
    wait_until(|| lab.faults().acted(id) > 0).await;
    project.write("people.csv", "id,email,points\n7,new@example.com,99\n");
    lab.faults().remove(id);
    lab.faults().release();
    let said = project.finish(child);
    assert_eq!(said.code, 5, "{}", said.stderr);
    assert!(said.stderr.contains("people.csv"), "{}", said.stderr);
    assert_eq!(lab.history().len(), 0, "nothing became visible");
    assert_eq!(lab.open_uploads(BUCKET).len(), 0);
}
