//! Figures over many runs.

use ledger::{MarkFilter, RunState, SlotEnd, SlotKey};

use crate::fixture::{Fixture, at, dated, stop, telling};

#[tokio::test]
async fn what_ended_is_added_up_by_the_quarter_of_an_hour() {
    let fixture = Fixture::new().await;
    fixture.deliver(&dated(1), 2).await;
    fixture.deliver(&dated(4), 1).await;
    let failed = fixture.claim(&dated(2), at(10)).await;
    fixture.ledger.fail(&failed, &stop(), at(11)).await.unwrap();
    fixture.claim(&dated(3), at(12)).await;
    let ended = fixture.ledger.ended_since(at(0)).await.unwrap();
    let told: Vec<_> =
        ended.iter().map(|it| (it.state, it.runs, it.files, it.rows, it.bytes)).collect();
    let sums = [(RunState::Delivered, 2, 3, 150, 3_000), (RunState::Failed, 1, 0, 0, 0)];
    assert_eq!(told, sums, "the manifest is no data file, and what goes on has not ended");
    let quarter = 15 * 60 * 1_000_000;
    assert!(ended.iter().all(|it| it.from.as_microsecond() % quarter == 0 && it.from <= at(5)));
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
    let sizes = async |segments: &[&str], each| {
        slots(fixture.ledger.segment_sizes(segments, each).await.unwrap())
    };
    assert_eq!(sizes(&["luxury", "other"], 2).await, [(dated(3).slot, 120), (dated(4).slot, 120)]);
    assert_eq!(sizes(&["luxury"], 9).await.len(), 4);
    assert_eq!(sizes(&["other"], 9).await, []);
    assert_eq!(sizes(&[], 9).await, []);
    let many: Vec<String> = (0..700).map(|number| format!("s{number}")).collect();
    let mut many: Vec<&str> = many.iter().map(String::as_str).collect();
    many.push("luxury");
    assert_eq!(sizes(&many, 1).await, [(dated(4).slot, 120)], "more than one statement asks");
}

#[tokio::test]
async fn lanes_have_their_newest_runs() {
    let fixture = Fixture::new().await;
    for day in 1..=3 {
        fixture.deliver(&dated(day), 1).await;
    }
    let failed = fixture.claim(&dated(4), at(0)).await;
    fixture.ledger.fail(&failed, &stop(), at(1)).await.unwrap();
    let all = MarkFilter {
        since: dated(1).slot,
        before: dated(9).slot,
        destination: None,
        state: None,
        each: 10,
    };
    let slots = async |filter: MarkFilter<'_>| -> Vec<_> {
        let lanes = [("daily", "luxury"), ("daily", "other")];
        let marks = fixture.ledger.marks(&lanes, &filter).await.unwrap();
        assert!(marks.iter().all(|it| (&*it.activation, &*it.segment) == ("daily", "luxury")));
        marks.into_iter().map(|it| it.slot).collect()
    };
    let days = |days: &[u8]| -> Vec<_> { days.iter().map(|day| dated(*day).slot).collect() };
    assert_eq!(slots(all).await, days(&[4, 3, 2, 1]));
    assert_eq!(slots(MarkFilter { each: 2, ..all }).await, days(&[4, 3]));
    assert_eq!(
        slots(MarkFilter { since: dated(2).slot, before: dated(4).slot, ..all }).await,
        days(&[3, 2])
    );
    assert_eq!(slots(MarkFilter { state: Some(RunState::Failed), ..all }).await, days(&[4]));
    assert_eq!(slots(MarkFilter { destination: Some("elsewhere"), ..all }).await, []);
}

#[tokio::test]
async fn the_newest_run_of_a_thing_is_found() {
    let fixture = Fixture::new().await;
    for day in 1..=3 {
        fixture.deliver(&dated(day), 1).await;
    }
    let of = fixture.ledger.newest_of_activations(&["weekly", "daily"]).await.unwrap();
    assert_eq!(of.iter().map(|it| it.slot).collect::<Vec<_>>(), [dated(3).slot]);
    let destination = of[0].destination.clone();
    let to = fixture.ledger.newest_to_destinations(&[&destination, "nowhere"]).await.unwrap();
    assert_eq!(to, of);
    assert_eq!(fixture.ledger.newest_to_destinations(&[]).await.unwrap(), []);
}

#[tokio::test]
async fn a_failure_needs_somebody_until_a_later_run_is_delivered() {
    let fixture = Fixture::new().await;
    let failed = fixture.claim(&dated(1), at(0)).await;
    fixture.ledger.fail(&failed, &stop(), at(1)).await.unwrap();
    let listed = fixture.ledger.need_attention(9).await.unwrap();
    assert_eq!(listed.iter().map(|run| run.run_id).collect::<Vec<_>>(), [dated(1).run_id]);
    assert_eq!(listed[0].stop, Some(stop()));
    assert_eq!(fixture.ledger.need_attention_count().await.unwrap(), 1);
    assert_eq!(fixture.ledger.need_attention(0).await.unwrap(), []);
    fixture.deliver(&dated(2), 1).await;
    assert_eq!(fixture.ledger.need_attention(9).await.unwrap(), []);
    assert_eq!(fixture.ledger.need_attention_count().await.unwrap(), 0);
}

/// What is tried again by itself waits for nobody, and is worth a look all the same.
#[tokio::test]
async fn a_failure_that_is_tried_again_needs_nobody() {
    let fixture = Fixture::new().await;
    let ledger = &fixture.ledger;
    let run = dated(1);
    let key = SlotKey {
        activation: run.activation.clone(),
        segment: run.segment.clone(),
        slot: run.slot,
    };
    ledger.request_slot(&key, "partner", "ann", &telling(), at(0)).await.unwrap();
    let begun = ledger.begin_slot(&key, at(0)).await.unwrap().unwrap();
    let failed = fixture.claim(&run, at(0)).await;
    ledger.slot_run(&begun, run.run_id).await.unwrap();
    ledger.fail(&failed, &stop(), at(1)).await.unwrap();
    ledger.end_slot(&begun, &SlotEnd::Retry(stop(), at(60)), at(1)).await.unwrap();
    assert_eq!(ledger.need_attention_count().await.unwrap(), 0);
    assert_eq!(ledger.need_attention(9).await.unwrap().len(), 1);
    let begun = ledger.begin_slot(&key, at(60)).await.unwrap().unwrap();
    ledger.end_slot(&begun, &SlotEnd::Failed(stop()), at(61)).await.unwrap();
    assert_eq!(ledger.need_attention_count().await.unwrap(), 1);
}

crate::fixture::also_on_postgres![
    what_ended_is_added_up_by_the_quarter_of_an_hour,
    segments_have_their_sizes_at_the_last_deliveries,
    lanes_have_their_newest_runs,
    the_newest_run_of_a_thing_is_found,
    a_failure_needs_somebody_until_a_later_run_is_delivered,
    a_failure_that_is_tried_again_needs_nobody,
];
