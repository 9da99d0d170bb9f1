//! Figures over many runs.

use ledger::RunState;

use crate::fixture::{Fixture, at, dated, stop};

#[tokio::test]
async fn what_ended_is_listed_with_its_sums() {
    let fixture = Fixture::new().await;
    fixture.deliver(&dated(1), 2).await;
    let failed = fixture.claim(&dated(2), at(10)).await;
    fixture.ledger.fail(&failed, &stop(), at(11)).await.unwrap();
    fixture.claim(&dated(3), at(12)).await;
    let ended = fixture.ledger.ended_since(at(0)).await.unwrap();
    let told: Vec<_> = ended.iter().map(|it| (it.state, it.files, it.rows, it.bytes)).collect();
    let sums = [(RunState::Failed, 0, 0, 0), (RunState::Delivered, 2, 100, 2_000)];
    assert_eq!(told, sums, "the manifest is no data file, and what goes on has not ended");
    assert_eq!(fixture.ledger.ended_since(at(11)).await.unwrap().len(), 1);
    assert_eq!(fixture.ledger.ended_since(at(12)).await.unwrap(), []);
}

#[tokio::test]
async fn segments_have_their_sizes_at_the_last_deliveries() {
    let fixture = Fixture::new().await;
    for day in 1..=4 {
        fixture.deliver(&dated(day), 1).await;
    }
    let slots = |sizes: Vec<ledger::SegmentSize>| -> Vec<_> {
        sizes.into_iter().map(|size| (size.slot, size.members)).collect()
    };
    let newest = fixture.ledger.segment_sizes(None, 2).await.unwrap();
    assert_eq!(slots(newest), [(dated(3).slot, 120), (dated(4).slot, 120)]);
    assert_eq!(fixture.ledger.segment_sizes(Some("luxury"), 9).await.unwrap().len(), 4);
    assert_eq!(fixture.ledger.segment_sizes(Some("other"), 9).await.unwrap(), []);
}

#[tokio::test]
async fn a_failure_needs_somebody_until_a_later_run_is_delivered() {
    let fixture = Fixture::new().await;
    let failed = fixture.claim(&dated(1), at(0)).await;
    fixture.ledger.fail(&failed, &stop(), at(1)).await.unwrap();
    assert_eq!(fixture.ledger.need_attention().await.unwrap(), [dated(1).run_id]);
    fixture.deliver(&dated(2), 1).await;
    assert!(fixture.ledger.need_attention().await.unwrap().is_empty());
}

crate::fixture::also_on_postgres![
    what_ended_is_listed_with_its_sums,
    segments_have_their_sizes_at_the_last_deliveries,
    a_failure_needs_somebody_until_a_later_run_is_delivered,
];
