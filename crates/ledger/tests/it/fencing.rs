//! A worker that lost its run changes nothing.

use ledger::{Claim, Error, Result};
use plan::protocol::Verification;

use crate::fixture::{Fixture, at, counts, dated, input, published, stop};

/// Every write of a worker, in turn.
async fn write(fixture: &Fixture, claim: &Claim, which: usize) -> Option<Result<()>> {
    let ledger = &fixture.ledger;
    let object = crate::fixture::staged(&dated(1), claim.epoch, 1);
    Some(match which {
        0 => ledger.pin_snapshot(claim, &[input()], at(9)).await,
        1 => ledger.intend_upload(claim, 1, &object.key, &object.token, at(9)).await.map(drop),
        2 => ledger.uploads_to_abort(claim, at(9)).await.map(drop),
        3 => ledger.commit(claim, std::slice::from_ref(&object), &counts(), at(9)).await,
        4 => ledger.replace_upload(claim, &object, at(9)).await,
        5 => {
            ledger.object_published(claim, &published(&object), Verification::Checked, at(9)).await
        }
        6 => ledger.deliver(claim, at(9)).await.map(drop),
        7 => ledger.skip(claim, &stop(), at(9)).await,
        8 => ledger.fail(claim, &stop(), at(9)).await,
        9 => ledger.block(claim, &stop(), at(9)).await,
        _ => return None,
    })
}

#[tokio::test]
async fn an_old_epoch_is_fenced_off_before_and_behind_the_commit_record() {
    for is_committed in [false, true] {
        let fixture = Fixture::new().await;
        let new = dated(1);
        let (old, _) =
            if is_committed { fixture.commit(&new, 1).await } else { fixture.stage(&new, 1).await };
        let owner = fixture.claim(&new, at(8)).await;
        assert_eq!((old.epoch, owner.epoch), (1, 2));
        let before = fixture.ledger.run(new.run_id).await.unwrap();
        let mut which = 0;
        while let Some(result) = write(&fixture, &old, which).await {
            let error = result.unwrap_err();
            assert!(matches!(error, Error::Fenced { epoch: 1, .. }), "write {which}: {error:?}");
            assert_eq!(fixture.ledger.run(new.run_id).await.unwrap(), before, "write {which}");
            which += 1;
        }
        assert_eq!(which, 10);
    }
}

#[tokio::test]
async fn an_upload_of_an_old_epoch_never_enters_a_commit_record() {
    let fixture = Fixture::new().await;
    let new = dated(1);
    let (_, objects) = fixture.stage(&new, 1).await;
    let owner = fixture.claim(&new, at(8)).await;
    fixture.ledger.pin_snapshot(&owner, &[input()], at(8)).await.unwrap();
    let error = fixture.ledger.commit(&owner, &objects, &counts(), at(9)).await.unwrap_err();
    assert!(matches!(error, Error::Inconsistent { .. }), "{error:?}");
}

#[tokio::test]
async fn an_upload_id_is_written_by_the_claim_that_intended_it() {
    let fixture = Fixture::new().await;
    let new = dated(1);
    let old = fixture.claim(&new, at(0)).await;
    fixture.ledger.pin_snapshot(&old, &[], at(1)).await.unwrap();
    let intent =
        fixture.ledger.intend_upload(&old, 1, "exports/luxury_1.csv", "t", at(1)).await.unwrap();
    let owner = fixture.claim(&new, at(2)).await;
    let error = fixture.ledger.upload_opened(&old, intent, "id", at(3)).await.unwrap_err();
    assert!(matches!(error, Error::Fenced { .. }), "{error:?}");
    fixture.ledger.pin_snapshot(&owner, &[], at(3)).await.unwrap();
    let error = fixture.ledger.upload_opened(&owner, intent, "id", at(3)).await.unwrap_err();
    assert!(matches!(error, Error::Inconsistent { .. }), "{error:?}");
    assert_eq!(owner.uploads[0].upload_id, None, "nobody knows whether it was opened");
}

crate::fixture::also_on_postgres![
    an_old_epoch_is_fenced_off_before_and_behind_the_commit_record,
    an_upload_of_an_old_epoch_never_enters_a_commit_record,
    an_upload_id_is_written_by_the_claim_that_intended_it,
];
