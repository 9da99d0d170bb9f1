//! What a claim returns, by what earlier claims left.

use ledger::{Claimed, Error, RunState};
use plan::protocol::Entry;

use crate::fixture::{Fixture, STORE, at, counts, dated, published, stop};

#[tokio::test]
async fn a_new_run_is_entered_afresh() {
    let fixture = Fixture::new().await;
    let claim = fixture.claim(&dated(1), at(0)).await;
    assert_eq!((claim.epoch, claim.entry()), (1, Entry::Fresh));
    let record = &fixture.ledger.unfinished().await.unwrap()[0];
    assert_eq!(
        (record.state, record.first_claimed, record.claimed),
        (RunState::Claimed, at(0), at(0))
    );
}

#[tokio::test]
async fn a_staged_run_is_rolled_back() {
    let fixture = Fixture::new().await;
    let new = dated(1);
    let (_, objects) = fixture.stage(&new, 2).await;
    let claim = fixture.claim(&new, at(8)).await;
    assert_eq!((claim.epoch, claim.entry()), (2, Entry::RollBack));
    let ids: Vec<_> =
        claim.uploads.iter().map(|upload| upload.upload_id.as_deref().unwrap()).collect();
    assert_eq!(ids, ["upload-1-1", "upload-1-2", "upload-1-0"]);
    assert_eq!(claim.uploads[0].token, objects[0].token);
    for upload in fixture.ledger.uploads_to_abort(&claim, at(9)).await.unwrap() {
        fixture.ledger.forget_upload(upload.intent).await.unwrap();
        fixture.ledger.forget_upload(upload.intent).await.unwrap();
    }
    let claim = fixture.claim(&new, at(10)).await;
    assert_eq!((claim.epoch, claim.entry()), (3, Entry::Fresh));
    let record = fixture.ledger.run(new.run_id).await.unwrap().unwrap().run;
    assert_eq!((record.first_claimed, record.claimed), (at(0), at(10)));
}

#[tokio::test]
async fn a_committed_run_is_rolled_forward_with_its_own_record() {
    let fixture = Fixture::new().await;
    let new = dated(1);
    let (claim, objects) = fixture.commit(&new, 2).await;
    fixture.publish(&claim, &objects[1..2]).await;
    // The project may have changed since; the record has not.
    let mut changed = new.clone();
    changed.stem = "elsewhere/luxury".to_owned();
    changed.keys = vec!["elsewhere/luxury.csv".to_owned()];
    let claim = fixture.claim(&changed, at(8)).await;
    assert_eq!(
        claim.entry(),
        Entry::RollForward { published: vec![false, true, false], manifest: true }
    );
    let staged: Vec<_> = claim.commit.iter().map(|object| object.staged.clone()).collect();
    assert_eq!(staged, objects);
    assert_eq!(claim.commit[1].published, Some(published(&objects[1])));
    assert_eq!(fixture.ledger.run(new.run_id).await.unwrap().unwrap().run.stem, new.stem);
    assert_eq!(fixture.ledger.take_over(new.run_id, at(9)).await.unwrap().commit, claim.commit);
}

#[tokio::test]
async fn a_blocked_run_goes_on_with_the_next_claim() {
    let fixture = Fixture::new().await;
    let new = dated(1);
    let (claim, objects) = fixture.commit(&new, 1).await;
    fixture.ledger.block(&claim, &stop(), at(4)).await.unwrap();
    let record = fixture.ledger.unfinished().await.unwrap().remove(0);
    assert_eq!(
        (record.state, record.stop, record.finished),
        (RunState::Blocked, Some(stop()), None)
    );
    let claim = fixture.claim(&new, at(5)).await;
    let record = fixture.ledger.unfinished().await.unwrap().remove(0);
    assert_eq!((record.state, record.stop), (RunState::Committing, None));
    fixture.publish(&claim, &objects).await;
    fixture.ledger.deliver(&claim, at(6)).await.unwrap();
}

#[tokio::test]
async fn a_failed_run_may_be_tried_again_with_another_plan() {
    let fixture = Fixture::new().await;
    let new = dated(1);
    let (claim, _) = fixture.stage(&new, 1).await;
    fixture.ledger.fail(&claim, &stop(), at(4)).await.unwrap();
    let record = fixture.ledger.run(new.run_id).await.unwrap().unwrap().run;
    assert_eq!(
        (record.state, record.stop, record.finished),
        (RunState::Failed, Some(stop()), Some(at(4)))
    );
    assert_eq!(fixture.ledger.unfinished().await.unwrap(), []);
    let error = fixture.ledger.take_over(new.run_id, at(5)).await.unwrap_err();
    assert!(matches!(error, Error::State { state: RunState::Failed, .. }), "{error:?}");
    let swept: Vec<_> = fixture.ledger.uploads_to_sweep().await.unwrap();
    assert_eq!(swept.len(), 2, "they are still to be aborted");

    let mut changed = new.clone();
    changed.stem = "elsewhere/luxury".to_owned();
    let claim = fixture.claim(&changed, at(6)).await;
    assert_eq!((claim.epoch, claim.entry()), (2, Entry::RollBack));
    let record = fixture.ledger.run(new.run_id).await.unwrap().unwrap().run;
    assert_eq!((record.state, record.stop, record.finished), (RunState::Claimed, None, None));
    assert_eq!(record.stem, "elsewhere/luxury");
}

#[tokio::test]
async fn delivered_and_skipped_are_final() {
    let fixture = Fixture::new().await;
    fixture.deliver(&dated(1), 1).await;
    let claim = fixture.claim(&dated(2), at(0)).await;
    fixture.ledger.skip(&claim, &stop(), at(1)).await.unwrap();
    let delivered = fixture.ledger.claim(&dated(1), at(9)).await.unwrap();
    assert!(matches!(&delivered, Claimed::Delivered(record) if record.epoch == 1), "{delivered:?}");
    let skipped = fixture.ledger.claim(&dated(2), at(9)).await.unwrap();
    assert!(
        matches!(&skipped, Claimed::Skipped(record) if record.stop == Some(stop())),
        "{skipped:?}"
    );
}

#[tokio::test]
async fn claims_at_the_same_time_get_epochs_of_their_own() {
    let fixture = Fixture::new().await;
    let claims = (0..20).map(|_| {
        let ledger = fixture.ledger.clone();
        tokio::spawn(async move {
            match ledger.claim(&dated(1), at(0)).await.unwrap() {
                Claimed::Run(claim) => claim.epoch,
                other => panic!("{other:?}"),
            }
        })
    });
    let mut epochs = Vec::new();
    for claim in claims.collect::<Vec<_>>() {
        epochs.push(claim.await.unwrap());
    }
    epochs.sort_unstable();
    assert_eq!(epochs, (1..=20).collect::<Vec<_>>());
}

#[tokio::test]
async fn an_upload_is_known_from_its_opening_on() {
    let fixture = Fixture::new().await;
    let new = dated(1);
    let known = async |id: &str| {
        fixture.ledger.knows_upload(STORE, "exports/luxury_1.csv", id).await.unwrap()
    };
    assert!(!known("upload-1-1").await);
    let (claim, objects) = fixture.stage(&new, 1).await;
    assert!(known("upload-1-1").await, "it may have to be aborted");
    fixture.ledger.commit(&claim, &objects, &counts(), at(3)).await.unwrap();
    assert!(known("upload-1-1").await, "it is part of a commit record");
    assert!(!known("upload-1-0").await, "that is the id of another key");
    assert!(!known("somebody else's").await);
}

crate::fixture::also_on_postgres![
    a_new_run_is_entered_afresh,
    a_staged_run_is_rolled_back,
    a_committed_run_is_rolled_forward_with_its_own_record,
    a_blocked_run_goes_on_with_the_next_claim,
    a_failed_run_may_be_tried_again_with_another_plan,
    delivered_and_skipped_are_final,
    claims_at_the_same_time_get_epochs_of_their_own,
    an_upload_is_known_from_its_opening_on,
];
