//! Who may write to which key.

use ledger::{Claimed, Error, Kind, NewRun, Refusal};

use crate::fixture::{Fixture, STORE, at, dated, fixed, published, stop};

async fn refused(fixture: &Fixture, new: &NewRun) -> Refusal {
    match fixture.ledger.claim(new, at(9)).await.unwrap() {
        Claimed::Refused(refusal) => refusal,
        other => panic!("{other:?}"),
    }
}

/// Another segment whose names come out the same.
fn twin(of: &NewRun) -> NewRun {
    NewRun { run_id: uuid::Uuid::from_u128(99), segment: "lapsed".to_owned(), ..of.clone() }
}

#[tokio::test]
async fn a_key_belongs_to_one_run_until_that_is_over() {
    let fixture = Fixture::new().await;
    let new = dated(1);
    let claim = fixture.claim(&new, at(0)).await;
    let refusal = refused(&fixture, &twin(&new)).await;
    insta::allow_duplicates! { insta::assert_snapshot!(
        refusal,
        @"key exports/luxury_1.csv is reserved by run 00000000-0000-0001-0000-000000000001 of daily/luxury for 2026-03-02T02:00:00Z"
    ) };
    assert_eq!(
        fixture.ledger.run(twin(&new).run_id).await.unwrap(),
        None,
        "a refused claim leaves nothing"
    );
    let elsewhere = NewRun { store: "https://s3.example/other".to_owned(), ..twin(&new) };
    fixture.claim(&elsewhere, at(1)).await;
    fixture.ledger.fail(&claim, &stop(), at(2)).await.unwrap();
    let here = NewRun { run_id: uuid::Uuid::from_u128(100), ..twin(&new) };
    fixture.claim(&here, at(3)).await;
}

#[tokio::test]
async fn a_blocked_run_keeps_its_keys() {
    let fixture = Fixture::new().await;
    let new = fixed(1);
    let (claim, _) = fixture.commit(&new, 1).await;
    fixture.ledger.block(&claim, &stop(), at(4)).await.unwrap();
    assert!(
        matches!(refused(&fixture, &fixed(2)).await, Refusal::KeyInUse { run_id, .. } if run_id == new.run_id)
    );
}

#[tokio::test]
async fn the_key_of_a_further_file_is_reserved_when_it_is_intended() {
    let fixture = Fixture::new().await;
    let (_, objects) = fixture.stage(&dated(1), 2).await;
    let other = dated(2);
    let claim = fixture.claim(&other, at(0)).await;
    fixture.ledger.pin_snapshot(&claim, &[], at(1)).await.unwrap();
    let error =
        fixture.ledger.intend_upload(&claim, 2, &objects[1].key, "token", at(1)).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Conflict);
    assert!(matches!(error, Error::Refused(Refusal::KeyInUse { .. })), "{error:?}");
}

#[tokio::test]
async fn a_dated_name_is_used_once() {
    let fixture = Fixture::new().await;
    let first = dated(1);
    fixture.deliver(&first, 1).await;
    let second = NewRun { keys: first.keys.clone(), ..dated(2) };
    let refusal = refused(&fixture, &second).await;
    assert!(
        matches!(refusal, Refusal::KeyDelivered { run_id, .. } if run_id == first.run_id),
        "{refusal:?}"
    );
}

#[tokio::test]
async fn a_static_name_only_goes_forward() {
    let fixture = Fixture::new().await;
    let objects = fixture.deliver(&fixed(2), 2).await;
    let current =
        fixture.ledger.current_object(STORE, "exports/luxury.csv").await.unwrap().unwrap();
    assert_eq!((current.etag, current.run_id), (published(&objects[0]).etag, fixed(2).run_id));
    let refusal = refused(&fixture, &fixed(1)).await;
    assert!(
        matches!(refusal, Refusal::Superseded { run_id, .. } if run_id == fixed(2).run_id),
        "{refusal:?}"
    );
    fixture.deliver(&fixed(3), 1).await;
    let current =
        fixture.ledger.current_object(STORE, "exports/luxury.csv").await.unwrap().unwrap();
    assert_eq!(current.run_id, fixed(3).run_id);
    let tail = fixture.ledger.current_object(STORE, "exports/luxury_2.csv").await.unwrap().unwrap();
    assert_eq!(tail.run_id, fixed(2).run_id, "the second file of the earlier run is still there");
}

crate::fixture::also_on_postgres![
    a_key_belongs_to_one_run_until_that_is_over,
    a_blocked_run_keeps_its_keys,
    the_key_of_a_further_file_is_reserved_when_it_is_intended,
    a_dated_name_is_used_once,
    a_static_name_only_goes_forward,
];
