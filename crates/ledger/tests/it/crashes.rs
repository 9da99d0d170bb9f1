//! What a later process finds, whenever the one before was killed.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use ledger::{Error, Ledger, Place, RunState};
use plan::protocol::Entry;

use crate::fixture::{Fixture, at, counts, dated, input, path_in};

#[tokio::test]
async fn what_was_written_is_there_after_a_kill_at_every_step() {
    let new = dated(1);
    let fixture = Fixture::new().await;
    let claim = fixture.claim(&new, at(0)).await;
    let fixture = fixture.kill().await;
    assert_eq!(fixture.ledger.unfinished().await.unwrap()[0].state, RunState::Claimed);

    fixture.ledger.pin_snapshot(&claim, &[input()], at(1)).await.unwrap();
    let first = fixture.upload(&claim, &new, 1).await;
    fixture.ledger.intend_upload(&claim, 0, &new.keys[1], "token", at(2)).await.unwrap();
    let fixture = fixture.kill().await;
    let claim = fixture.ledger.take_over(new.run_id, at(3)).await.unwrap();
    assert_eq!(claim.entry(), Entry::RollBack);
    let ids: Vec<_> = claim.uploads.iter().map(|upload| upload.upload_id.clone()).collect();
    assert_eq!(ids, [Some(first.upload_id), None]);

    fixture.ledger.pin_snapshot(&claim, &[input()], at(4)).await.unwrap();
    let objects = [fixture.upload(&claim, &new, 1).await];
    fixture.ledger.commit(&claim, &objects, &counts(), at(5)).await.unwrap();
    let fixture = fixture.kill().await;
    let claim = fixture.ledger.take_over(new.run_id, at(6)).await.unwrap();
    assert_eq!(claim.entry(), Entry::RollForward { published: vec![false], manifest: false });
    assert_eq!(claim.commit[0].staged, objects[0]);
    assert_eq!(claim.uploads.len(), 2, "those of the first claim are still to be aborted");

    fixture.publish(&claim, &objects).await;
    let fixture = fixture.kill().await;
    let claim = fixture.ledger.take_over(new.run_id, at(7)).await.unwrap();
    assert_eq!(claim.entry(), Entry::RollForward { published: vec![true], manifest: false });
    fixture.ledger.deliver(&claim, at(8)).await.unwrap();
    let fixture = fixture.kill().await;
    assert_eq!(fixture.ledger.unfinished().await.unwrap(), []);
    assert_eq!(
        fixture.ledger.last_delivered("daily", "luxury").await.unwrap().unwrap().run_id,
        new.run_id
    );
    assert_eq!(fixture.ledger.uploads_to_sweep().await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_ledger_that_is_dropped_can_be_opened_again() {
    let fixture = Fixture::new().await;
    fixture.claim(&dated(1), at(0)).await;
    let Fixture { ledger, place, folder: _folder } = fixture;
    drop(ledger);
    let ledger = Ledger::open(&place).await.unwrap();
    assert_eq!(ledger.unfinished().await.unwrap().len(), 1);
    ledger.close().await;
    Ledger::open(&place).await.unwrap();
}

#[tokio::test]
async fn a_step_that_is_dropped_in_the_middle_happened_or_did_not() {
    let fixture = Fixture::new().await;
    let new = dated(1);
    let (claim, objects) = fixture.stage(&new, 2).await;
    let counts = counts();
    for polls in 0..200 {
        let mut committing = Box::pin(fixture.ledger.commit(&claim, &objects, &counts, at(3)));
        for _ in 0..polls {
            let ended = tokio::select! {
                biased;
                result = &mut committing => Some(result),
                () = tokio::task::yield_now() => None,
            };
            if ended.is_some() {
                break;
            }
        }
        drop(committing);
        let detail = fixture.ledger.run(new.run_id).await.unwrap().unwrap();
        match detail.run.state {
            RunState::Staging => assert_eq!((detail.files.len(), detail.excluded.len()), (0, 0)),
            RunState::Committing => {
                assert_eq!((detail.files.len(), detail.excluded.len()), (3, 2));
                return;
            }
            other => panic!("{other}"),
        }
    }
    // The last one that was dropped may happen behind the look at it.
    match fixture.ledger.commit(&claim, &objects, &counts, at(3)).await {
        Ok(()) | Err(Error::State { state: RunState::Committing, .. }) => {}
        Err(error) => panic!("{error}"),
    }
    let detail = fixture.ledger.run(new.run_id).await.unwrap().unwrap();
    assert_eq!((detail.files.len(), detail.excluded.len()), (3, 2));
}

/// Not a test by itself: the other process of the tests below. It commits a run, says so, and waits
/// to be killed.
#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "a process of the test runner has no other ears")]
async fn other_process() {
    let Ok(folder) = std::env::var(OTHER_PROCESS) else { return };
    let folder = tempfile::Builder::new().disable_cleanup(true).tempdir_in(folder).unwrap();
    let place = Place::File(path_in(folder.path()));
    let ledger = Ledger::open(&place).await.unwrap();
    let fixture = Fixture { ledger, place, folder };
    fixture.commit(&dated(1), 2).await;
    println!("{MARK}{}", fixture.folder.path().display());
    std::future::pending::<()>().await;
}

const OTHER_PROCESS: &str = "LEDGER_TEST_FOLDER";
const MARK: &str = "folder:";

#[tokio::test]
async fn a_process_that_is_killed_leaves_the_ledger_whole_and_free() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "crashes::other_process", "--nocapture"])
        .env(OTHER_PROCESS, folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line =
        lines.find_map(|line| line.unwrap().split_once(MARK).map(|(_, path)| path.to_owned()));
    let path = path_in(line.unwrap().as_ref());

    let error = Ledger::open(&path).await.unwrap_err();
    assert!(
        matches!(&error, Error::Locked { owner: Some(pid), path: named } if *pid == child.id() && *named == path),
        "{error:?}"
    );
    assert!(
        error
            .to_string()
            .ends_with(&format!("is in use by another process (process {})", child.id()))
    );
    assert!(error.hint().unwrap().contains("--state-dir"));
    let reader = Ledger::open_read_only(&path).await.unwrap().unwrap();
    assert_eq!(reader.unfinished().await.unwrap()[0].state, RunState::Committing);

    child.kill().unwrap();
    child.wait().unwrap();
    let ledger = Ledger::open(&path).await.unwrap();
    let claim = ledger.take_over(dated(1).run_id, at(9)).await.unwrap();
    assert_eq!(claim.entry(), Entry::RollForward { published: vec![false; 3], manifest: true });
}

crate::fixture::also_on_postgres![
    what_was_written_is_there_after_a_kill_at_every_step,
    a_ledger_that_is_dropped_can_be_opened_again,
    a_step_that_is_dropped_in_the_middle_happened_or_did_not,
];
