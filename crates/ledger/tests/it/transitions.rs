//! Every step in every state: allowed where the table of `RunState` allows it, refused elsewhere, and
//! a refused step changes nothing.

use ledger::{Claim, Error, NewRun, Result, RunState};
use plan::protocol::Verification;

use crate::fixture::{Fixture, at, counts, dated, input, published, staged, stop};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Pin,
    Intend,
    List,
    Commit,
    Replace,
    Published,
    Deliver,
    Skip,
    Fail,
    Block,
    TakeOver,
}

const STEPS: [Step; 11] = [
    Step::Pin,
    Step::Intend,
    Step::List,
    Step::Commit,
    Step::Replace,
    Step::Published,
    Step::Deliver,
    Step::Skip,
    Step::Fail,
    Step::Block,
    Step::TakeOver,
];

/// Where a step leads from a state, if it is allowed.
fn table(state: RunState, step: Step) -> Option<RunState> {
    use RunState::{Blocked, Claimed, Committing, Delivered, Failed, Skipped, Staging};
    match (state, step) {
        (Claimed, Step::Pin) => Some(Staging),
        (Staging | Committing, Step::Intend) => Some(state),
        (Claimed | Staging, Step::List) => Some(state),
        (Staging, Step::Commit) => Some(Committing),
        (Committing, Step::Replace | Step::Published) => Some(Committing),
        (Committing, Step::Deliver) => Some(Delivered),
        (Claimed | Staging, Step::Skip) => Some(Skipped),
        (Claimed | Staging, Step::Fail) => Some(Failed),
        (Committing, Step::Block) => Some(Blocked),
        (Claimed | Staging, Step::TakeOver) => Some(Claimed),
        (Committing | Blocked, Step::TakeOver) => Some(Committing),
        _ => None,
    }
}

/// Brings a new run into a state, ready for any step that is allowed there.
async fn reach(fixture: &Fixture, new: &NewRun, state: RunState) -> Claim {
    let ledger = &fixture.ledger;
    match state {
        RunState::Claimed => fixture.claim(new, at(0)).await,
        RunState::Staging => fixture.stage(new, 1).await.0,
        RunState::Skipped | RunState::Failed => {
            let (claim, _) = fixture.stage(new, 1).await;
            if state == RunState::Failed {
                ledger.fail(&claim, &stop(), at(3)).await.unwrap();
            } else {
                ledger.skip(&claim, &stop(), at(3)).await.unwrap();
            }
            claim
        }
        RunState::Committing | RunState::Delivered | RunState::Blocked => {
            let (claim, objects) = fixture.commit(new, 1).await;
            if state == RunState::Blocked {
                ledger.block(&claim, &stop(), at(4)).await.unwrap();
            } else {
                fixture.publish(&claim, &objects[..1]).await;
            }
            if state == RunState::Delivered {
                fixture.publish(&claim, &objects).await;
                ledger.deliver(&claim, at(5)).await.unwrap();
            }
            claim
        }
    }
}

async fn take(fixture: &Fixture, claim: &Claim, new: &NewRun, step: Step) -> Result<()> {
    let ledger = &fixture.ledger;
    let manifest = staged(new, claim.epoch, 0);
    match step {
        Step::Pin => ledger.pin_snapshot(claim, &[input()], at(6)).await,
        Step::Intend => {
            ledger.intend_upload(claim, 2, "exports/other.csv", "token", at(6)).await.map(drop)
        }
        Step::List => ledger.uploads_to_abort(claim, at(6)).await.map(drop),
        Step::Commit => {
            let objects = [staged(new, claim.epoch, 1), manifest];
            ledger.commit(claim, &objects, &counts(), at(6)).await
        }
        Step::Replace => {
            let mut object = manifest;
            object.upload_id = "repair".to_owned();
            let intent = ledger.intend_upload(claim, 0, &object.key, &object.token, at(6)).await?;
            ledger.upload_opened(claim, intent, &object.upload_id, at(6)).await?;
            ledger.replace_upload(claim, &object, at(6)).await
        }
        Step::Published => {
            ledger
                .object_published(claim, &published(&manifest), Verification::Checked, at(6))
                .await
        }
        Step::Deliver => {
            // Only the last object is missing; in other states this is refused like the step itself.
            let _ = take_published(fixture, claim, new).await;
            ledger.deliver(claim, at(6)).await.map(drop)
        }
        Step::Skip => ledger.skip(claim, &stop(), at(6)).await,
        Step::Fail => ledger.fail(claim, &stop(), at(6)).await,
        Step::Block => ledger.block(claim, &stop(), at(6)).await,
        Step::TakeOver => ledger.take_over(claim.run_id, at(6)).await.map(drop),
    }
}

async fn take_published(fixture: &Fixture, claim: &Claim, new: &NewRun) -> Result<()> {
    let object = published(&staged(new, claim.epoch, 0));
    fixture.ledger.object_published(claim, &object, Verification::Checked, at(6)).await
}

#[tokio::test]
async fn every_step_in_every_state() {
    let fixture = Fixture::new().await;
    let mut day = 0;
    for state in RunState::ALL {
        for step in STEPS {
            day += 1;
            let new = dated(day);
            let claim = reach(&fixture, &new, state).await;
            let before = fixture.ledger.run(new.run_id).await.unwrap().unwrap();
            assert_eq!(before.run.state, state);
            let result = take(&fixture, &claim, &new, step).await;
            let after = fixture.ledger.run(new.run_id).await.unwrap().unwrap();
            match (table(state, step), result) {
                (Some(expected), Ok(())) => {
                    assert_eq!(after.run.state, expected, "{step:?} from {state}")
                }
                (None, Err(Error::State { state: named, .. })) => {
                    assert_eq!(named, state, "{step:?}");
                    assert_eq!(after, before, "a refused {step:?} changed a run that is {state}");
                }
                (expected, result) => panic!("{step:?} from {state}: {result:?}, not {expected:?}"),
            }
            // Free the shared key of the step that reserves one.
            if let Ok(claim) = fixture.ledger.take_over(new.run_id, at(7)).await {
                let _ = fixture.ledger.fail(&claim, &stop(), at(7)).await;
            }
            free_other_key(&fixture).await;
        }
    }
}

/// Runs that are committed keep the key that `Step::Intend` reserved; deliver them.
async fn free_other_key(fixture: &Fixture) {
    for record in fixture.ledger.unfinished().await.unwrap() {
        let claim = fixture.ledger.take_over(record.run_id, at(8)).await.unwrap();
        let objects: Vec<_> = claim.commit.iter().map(|object| object.staged.clone()).collect();
        fixture.publish(&claim, &objects).await;
        fixture.ledger.deliver(&claim, at(9)).await.unwrap();
    }
}

#[tokio::test]
async fn a_commit_record_has_to_fit() {
    let fixture = Fixture::new().await;
    let new = dated(1);
    let (claim, objects) = fixture.stage(&new, 2).await;
    let [first, second, manifest] = &objects[..] else { panic!("{objects:?}") };
    let mut unknown = second.clone();
    unknown.upload_id = "somebody else's".to_owned();
    let rows: [(&str, Vec<_>); 6] = [
        ("there is no data file", vec![]),
        ("there is no data file", vec![manifest.clone()]),
        (
            "the objects are not the data files in order, then the manifest",
            vec![second.clone(), first.clone()],
        ),
        (
            "the objects are not the data files in order, then the manifest",
            vec![manifest.clone(), first.clone()],
        ),
        (
            "the objects are not the data files in order, then the manifest",
            vec![first.clone(), first.clone()],
        ),
        (
            "an upload was not written down by this claim",
            vec![first.clone(), unknown, manifest.clone()],
        ),
    ];
    for (expected, objects) in rows {
        let error = fixture.ledger.commit(&claim, &objects, &counts(), at(3)).await.unwrap_err();
        assert!(
            matches!(error, Error::Inconsistent { fact, .. } if fact == expected),
            "{expected}: {error:?}"
        );
    }
    fixture.ledger.commit(&claim, &objects, &counts(), at(3)).await.unwrap();
}

#[tokio::test]
async fn delivery_waits_for_every_object() {
    let fixture = Fixture::new().await;
    let (claim, objects) = fixture.commit(&dated(1), 2).await;
    fixture.publish(&claim, &objects[..2]).await;
    let error = fixture.ledger.deliver(&claim, at(5)).await.unwrap_err();
    assert!(matches!(error, Error::Inconsistent { .. }), "{error:?}");
    assert_eq!(fixture.ledger.last_delivered("daily", "luxury").await.unwrap(), None);
    fixture.publish(&claim, &objects).await;
    let record = fixture.ledger.deliver(&claim, at(5)).await.unwrap();
    assert_eq!(record.state, RunState::Delivered);
}

#[tokio::test]
async fn a_replacement_is_of_the_same_bytes() {
    let fixture = Fixture::new().await;
    let new = dated(1);
    let (claim, objects) = fixture.commit(&new, 1).await;
    let mut repair = objects[0].clone();
    repair.upload_id = "repair".to_owned();
    let ledger = &fixture.ledger;
    let error = ledger.replace_upload(&claim, &repair, at(4)).await.unwrap_err();
    assert!(matches!(error, Error::Inconsistent { .. }), "no intent was written: {error:?}");
    let intent = ledger.intend_upload(&claim, 1, &repair.key, &repair.token, at(4)).await.unwrap();
    ledger.upload_opened(&claim, intent, "repair", at(4)).await.unwrap();
    let mut other = repair.clone();
    other.sha256 = "00".repeat(32);
    let error = ledger.replace_upload(&claim, &other, at(4)).await.unwrap_err();
    assert!(matches!(error, Error::Inconsistent { .. }), "{error:?}");
    ledger.replace_upload(&claim, &repair, at(4)).await.unwrap();
    let claim = ledger.take_over(new.run_id, at(5)).await.unwrap();
    assert_eq!(claim.commit[0].staged, repair);
    assert_eq!(claim.uploads, [], "the repair is part of the commit record now");
}

crate::fixture::also_on_postgres![
    every_step_in_every_state,
    a_commit_record_has_to_fit,
    delivery_waits_for_every_object,
    a_replacement_is_of_the_same_bytes,
];
