//! What can be asked afterwards.

use ledger::{Excluded, RunBehind, RunFilter, RunState};
use plan::protocol::Verification;
use uuid::Uuid;

use crate::fixture::{Fixture, at, counts, dated, fixed, input, published, stop};

#[tokio::test]
async fn a_run_tells_everything_about_itself() {
    let fixture = Fixture::new().await;
    let new = dated(1);
    let objects = fixture.deliver(&new, 2).await;
    let detail = fixture.ledger.run(new.run_id).await.unwrap().unwrap();
    let run = &detail.run;
    assert_eq!((run.slot, &*run.activation, &*run.segment), (new.slot, "daily", "luxury"));
    assert_eq!((run.received, run.activated), (Some(120), Some(100)));
    assert_eq!((run.files, run.rows, run.bytes), (2, 100, 2_000), "the manifest is no data file");
    assert_eq!((run.first_claimed, run.committed, run.finished), (at(0), Some(at(3)), Some(at(5))));
    assert_eq!(detail.excluded, counts().excluded);
    assert_eq!(detail.inputs, [input()]);
    assert_eq!(detail.files.len(), 3);
    for (file, object) in detail.files.iter().zip(&objects) {
        assert_eq!((file.kind, file.number, &file.key), (object.kind, object.number, &object.key));
        assert_eq!(
            (file.rows, file.bytes, &file.sha256),
            (object.rows, object.bytes, &object.sha256)
        );
        assert_eq!(file.etag, Some(published(object).etag));
        assert_eq!((file.version_id.as_deref(), file.published), (Some("v1"), Some(at(4))));
        assert_eq!(file.verification, Some(Verification::Checked));
    }
    assert_eq!(fixture.ledger.run(Uuid::nil()).await.unwrap(), None);
}

#[tokio::test]
async fn runs_are_listed_latest_first_and_filtered() {
    let fixture = Fixture::new().await;
    fixture.deliver(&dated(1), 1).await;
    fixture.deliver(&dated(3), 1).await;
    let claim = fixture.claim(&dated(2), at(0)).await;
    fixture.ledger.fail(&claim, &stop(), at(1)).await.unwrap();
    let list = async |filter: RunFilter| {
        let runs = fixture.ledger.runs(&filter).await.unwrap();
        runs.iter().map(|run| run.run_id.as_u128() >> 64).collect::<Vec<_>>()
    };
    assert_eq!(list(RunFilter::default()).await, [3, 2, 1]);
    assert_eq!(list(RunFilter { limit: Some(2), ..RunFilter::default() }).await, [3, 2]);
    assert_eq!(
        list(RunFilter { state: Some(RunState::Delivered), ..RunFilter::default() }).await,
        [3, 1]
    );
    assert_eq!(
        list(RunFilter { segment: Some("luxury".into()), ..RunFilter::default() }).await,
        [3, 2, 1]
    );
    assert_eq!(
        list(RunFilter { segment: Some("lapsed".into()), ..RunFilter::default() }).await,
        [0; 0]
    );
    assert_eq!(
        list(RunFilter { activation: Some("weekly".into()), ..RunFilter::default() }).await,
        [0; 0]
    );
    let destination = Some(dated(1).destination);
    assert_eq!(list(RunFilter { destination, ..RunFilter::default() }).await, [3, 2, 1]);
    assert_eq!(
        list(RunFilter { destination: Some("elsewhere".into()), ..RunFilter::default() }).await,
        [0; 0]
    );
    let (since, before) = (Some(dated(2).slot), Some(dated(3).slot));
    assert_eq!(list(RunFilter { since, ..RunFilter::default() }).await, [3, 2]);
    assert_eq!(list(RunFilter { before, ..RunFilter::default() }).await, [2, 1]);
    assert_eq!(list(RunFilter { since, before, ..RunFilter::default() }).await, [2]);
    let behind = async |run_id| {
        let run = fixture.ledger.run(run_id).await.unwrap().unwrap().run;
        let behind =
            RunBehind { slot: run.slot, first_claimed: run.first_claimed, run_id: run.run_id };
        list(RunFilter { behind: Some(behind), ..RunFilter::default() }).await
    };
    assert_eq!(behind(dated(3).run_id).await, [2, 1]);
    assert_eq!(behind(dated(1).run_id).await, [0; 0]);
}

#[tokio::test]
async fn a_run_is_found_by_the_beginning_of_its_id() {
    let fixture = Fixture::new().await;
    for day in [1, 2, 0xAB] {
        fixture.claim(&dated(day), at(0)).await;
    }
    let find = async |prefix: &str| fixture.ledger.find_runs(prefix, 10).await.unwrap().len();
    assert_eq!(find("00000000-0000-0001").await, 1);
    assert_eq!(find("00000000-0000-00AB").await, 1);
    assert_eq!(find("00000000").await, 3);
    assert_eq!(find("1").await, 0);
    assert_eq!(find("%").await, 0);
    assert_eq!(find("").await, 0);
    assert_eq!(fixture.ledger.find_runs("0", 2).await.unwrap().len(), 2);
}

#[tokio::test]
async fn the_baseline_moves_with_delivery_and_never_back() {
    let fixture = Fixture::new().await;
    let baseline = async || fixture.ledger.last_delivered("daily", "luxury").await.unwrap();
    let (claim, objects) = fixture.commit(&dated(2), 2).await;
    assert_eq!(baseline().await, None);
    fixture.publish(&claim, &objects).await;
    assert_eq!(baseline().await, None);
    fixture.ledger.deliver(&claim, at(5)).await.unwrap();
    let now = baseline().await.unwrap();
    assert_eq!(
        (now.run_id, now.slot, now.rows, now.finished),
        (dated(2).run_id, dated(2).slot, 100, at(5))
    );
    fixture.deliver(&dated(1), 1).await;
    assert_eq!(
        baseline().await.unwrap().run_id,
        dated(2).run_id,
        "an earlier slot was delivered late"
    );
    fixture.deliver(&dated(3), 1).await;
    assert_eq!(baseline().await.unwrap().run_id, dated(3).run_id);
    assert_eq!(fixture.ledger.last_delivered("daily", "lapsed").await.unwrap(), None);
}

#[tokio::test]
async fn a_long_message_is_cut() {
    let fixture = Fixture::new().await;
    let claim = fixture.claim(&fixed(1), at(0)).await;
    let mut stop = stop();
    stop.message = "é".repeat(ledger::MESSAGE_CHARS_MAX + 1);
    fixture.ledger.fail(&claim, &stop, at(1)).await.unwrap();
    let record = fixture.ledger.run(claim.run_id).await.unwrap().unwrap().run;
    assert_eq!(record.stop.unwrap().message.chars().count(), ledger::MESSAGE_CHARS_MAX);
}

#[tokio::test]
async fn counts_may_be_large() {
    let fixture = Fixture::new().await;
    let (claim, mut objects) = fixture.stage(&dated(1), 1).await;
    objects[0].bytes = 5 << 40;
    let mut counts = counts();
    counts.received = i64::MAX.unsigned_abs();
    counts.excluded = vec![Excluded { reason: "duplicate".to_owned(), profiles: 3_000_000_000 }];
    fixture.ledger.commit(&claim, &objects, &counts, at(3)).await.unwrap();
    let detail = fixture.ledger.run(claim.run_id).await.unwrap().unwrap();
    assert_eq!((detail.run.bytes, detail.run.received), (5 << 40, Some(i64::MAX.unsigned_abs())));
    assert_eq!(detail.excluded, counts.excluded);
}

crate::fixture::also_on_postgres![
    a_run_tells_everything_about_itself,
    runs_are_listed_latest_first_and_filtered,
    a_run_is_found_by_the_beginning_of_its_id,
    the_baseline_moves_with_delivery_and_never_back,
    a_long_message_is_cut,
    counts_may_be_large,
];
