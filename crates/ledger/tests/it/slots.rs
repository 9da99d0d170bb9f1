//! Slots: each has one row and one end, whoever repeats what.

use jiff::Timestamp;
use ledger::{
    DEATHS_MAX, ExportMark, Kind, NextAttempt, POISON, SlotClaim, SlotEnd, SlotFilter, SlotKey,
    SlotRecord, SlotState, Stop,
};
use plan::planner::{Decision, Reason, Skipped};
use uuid::Uuid;

use crate::fixture::{Fixture, alerts, at, dated, stop, telling};

fn mark(seconds: i64) -> ExportMark {
    ExportMark {
        activation: "daily".to_owned(),
        segment: "luxury".to_owned(),
        decided_through: at(seconds),
    }
}

fn key(seconds: i64) -> SlotKey {
    SlotKey { activation: "daily".to_owned(), segment: "luxury".to_owned(), slot: at(seconds) }
}

fn decision(planned: &[i64], through: i64) -> Decision {
    Decision {
        planned: planned.iter().map(|seconds| at(*seconds)).collect(),
        skipped: Vec::new(),
        withdrawn: Vec::new(),
        decided_through: at(through),
    }
}

async fn planned(fixture: &Fixture, slot: i64) {
    fixture.ledger.begin_export(&mark(0)).await.unwrap();
    let marks = fixture.ledger.export_marks().await.unwrap();
    let decision = decision(&[slot], slot);
    assert!(
        fixture
            .ledger
            .record_decision(&marks[0], "partner", &decision, &telling(), at(slot))
            .await
            .unwrap()
    );
}

async fn begin(fixture: &Fixture, slot: i64, now: Timestamp) -> Option<SlotClaim> {
    fixture.ledger.begin_slot(&key(slot), now).await.unwrap()
}

async fn slot(fixture: &Fixture, slot: i64) -> SlotRecord {
    fixture.ledger.slot(&key(slot)).await.unwrap().unwrap()
}

async fn next_attempts(fixture: &Fixture) -> Vec<(Uuid, NextAttempt)> {
    fixture.ledger.next_attempts().await.unwrap().into_iter().collect()
}

#[tokio::test]
async fn a_pass_is_written_once() {
    let fixture = Fixture::new().await;
    let ledger = &fixture.ledger;
    ledger.begin_export(&mark(0)).await.unwrap();
    ledger.begin_export(&mark(500)).await.unwrap();
    assert_eq!(ledger.export_marks().await.unwrap(), [mark(0)], "the first mark counts");
    let pass = decision(&[60], 90);
    assert!(ledger.record_decision(&mark(0), "partner", &pass, &telling(), at(90)).await.unwrap());
    assert!(
        !ledger.record_decision(&mark(0), "partner", &pass, &telling(), at(91)).await.unwrap(),
        "another pass was faster"
    );
    assert_eq!(ledger.export_marks().await.unwrap(), [mark(90)]);
    let slots = ledger.slots(&SlotFilter::default()).await.unwrap();
    assert_eq!(slots.len(), 1);
    assert_eq!((slots[0].state, slots[0].planned), (SlotState::Planned, at(90)));
}

#[tokio::test]
async fn marks_move_together_and_only_forward() {
    let fixture = Fixture::new().await;
    let ledger = &fixture.ledger;
    ledger.begin_export(&mark(10)).await.unwrap();
    ledger.advance_marks(&[mark(0)], at(20)).await.unwrap();
    assert_eq!(ledger.export_marks().await.unwrap(), [mark(10)], "another pass moved it");
    ledger.advance_marks(&[mark(10)], at(5)).await.unwrap();
    assert_eq!(ledger.export_marks().await.unwrap(), [mark(10)], "never back");
    ledger.advance_marks(&[mark(10)], at(20)).await.unwrap();
    assert_eq!(ledger.export_marks().await.unwrap(), [mark(20)]);
}

#[tokio::test]
async fn skipped_and_withdrawn_slots_say_why() {
    let fixture = Fixture::new().await;
    planned(&fixture, 60).await;
    let pass = Decision {
        planned: vec![at(300)],
        skipped: vec![
            Skipped { from: at(61), to: at(100), count: 40, reason: Reason::MissedWindow },
            Skipped { from: at(200), to: at(200), count: 1, reason: Reason::Superseded },
        ],
        withdrawn: vec![(at(60), Reason::Superseded)],
        decided_through: at(300),
    };
    assert!(
        fixture
            .ledger
            .record_decision(&mark(60), "partner", &pass, &telling(), at(301))
            .await
            .unwrap()
    );
    let slots = fixture.ledger.slots(&SlotFilter::default()).await.unwrap();
    let told: Vec<String> = slots
        .iter()
        .map(|slot| {
            let reason = slot.stop.as_ref().map(|stop| stop.code.as_str()).unwrap_or_default();
            format!("{} {} {} {reason}", slot.key.slot, slot.count, slot.state)
        })
        .collect();
    insta::allow_duplicates! { insta::assert_snapshot!(told.join("\n"), @r"
    2026-03-01T02:05:00Z 1 planned 
    2026-03-01T02:03:20Z 1 skipped superseded
    2026-03-01T02:01:40Z 40 skipped missed_window
    2026-03-01T02:01:00Z 1 skipped superseded
    ") };
    let told = alerts(&fixture.ledger).await;
    insta::allow_duplicates! { insta::assert_snapshot!(told, @r"
    2026-03-01T02:01:00Z skipped superseded: a later slot of the same segment takes its place
    2026-03-01T02:01:40Z skipped missed_window: 40 slots from 2026-03-01T02:01:01Z to 2026-03-01T02:01:40Z: nothing ran at its time, and it is too old to be made up for
    2026-03-01T02:03:20Z skipped superseded: a later slot of the same segment takes its place
    ") };
    let page = SlotFilter { limit: Some(2), ..SlotFilter::default() };
    let first = fixture.ledger.slots(&page).await.unwrap();
    let behind = Some(first[1].key.clone());
    let second = fixture.ledger.slots(&SlotFilter { behind, ..page }).await.unwrap();
    assert_eq!([first, second].concat(), slots, "pages are the list");
}

#[tokio::test]
async fn what_somebody_wanted_is_not_told_as_an_alert() {
    let fixture = Fixture::new().await;
    planned(&fixture, 60).await;
    // One that began meanwhile is not withdrawn, and so not told of.
    begin(&fixture, 60, at(61)).await.expect("it waits");
    let skipped = [(61, Reason::Paused), (62, Reason::Restored)];
    let pass = Decision {
        planned: Vec::new(),
        skipped: skipped
            .map(|(slot, reason)| Skipped { from: at(slot), to: at(slot), count: 1, reason })
            .to_vec(),
        withdrawn: vec![(at(60), Reason::Superseded)],
        decided_through: at(300),
    };
    let recorded =
        fixture.ledger.record_decision(&mark(60), "partner", &pass, &telling(), at(301)).await;
    assert!(recorded.unwrap());
    assert_eq!(fixture.ledger.slots(&SlotFilter::default()).await.unwrap().len(), 3);
    assert_eq!(alerts(&fixture.ledger).await, "");
}

#[tokio::test]
async fn a_slot_is_taken_by_one_and_ends_once() {
    let fixture = Fixture::new().await;
    planned(&fixture, 60).await;
    let claim = begin(&fixture, 60, at(61)).await.expect("it waits");
    assert_eq!((claim.epoch, claim.starts), (1, 1));
    assert_eq!(begin(&fixture, 60, at(61)).await, None, "somebody has it");
    fixture.ledger.end_slot(&claim, &SlotEnd::Delivered, at(70)).await.unwrap();
    let over = slot(&fixture, 60).await;
    assert_eq!((over.state, over.finished), (SlotState::Delivered, Some(at(70))));
    let again = fixture.ledger.end_slot(&claim, &SlotEnd::Failed(stop()), at(71)).await;
    assert_eq!(again.unwrap_err().kind(), Kind::Fenced);
    assert_eq!(begin(&fixture, 60, at(72)).await, None, "it is over");
}

#[tokio::test]
async fn what_did_not_do_is_tried_again_at_its_time() {
    let fixture = Fixture::new().await;
    planned(&fixture, 60).await;
    let claim = begin(&fixture, 60, at(61)).await.unwrap();
    let retry = SlotEnd::Retry(stop(), at(120));
    fixture.ledger.end_slot(&claim, &retry, at(62)).await.unwrap();
    let waiting = fixture.ledger.open_slots().await.unwrap();
    assert_eq!((waiting.len(), waiting[0].attempts, waiting[0].starts), (1, 1, 0));
    assert_eq!(waiting[0].not_before, at(120));
    assert_eq!(next_attempts(&fixture).await, [], "no run began");
    let run = Uuid::from_u128(7);
    let next = |is_blocked, not_before| [(run, NextAttempt { is_blocked, not_before })];
    let claim = begin(&fixture, 60, at(120)).await.unwrap();
    fixture.ledger.slot_run(&claim, run).await.unwrap();
    assert_eq!(next_attempts(&fixture).await, next(false, at(120)), "it is under way");
    let retry = SlotEnd::Retry(stop(), at(180));
    fixture.ledger.end_slot(&claim, &retry, at(121)).await.unwrap();
    assert_eq!(next_attempts(&fixture).await, next(false, at(180)));
    let claim = begin(&fixture, 60, at(180)).await.unwrap();
    let blocked = SlotEnd::Blocked(stop(), at(240));
    fixture.ledger.end_slot(&claim, &blocked, at(181)).await.unwrap();
    assert_eq!(next_attempts(&fixture).await, next(true, at(240)));
    let claim = begin(&fixture, 60, at(240)).await.unwrap();
    fixture.ledger.end_slot(&claim, &SlotEnd::Held(stop()), at(241)).await.unwrap();
    assert_eq!(next_attempts(&fixture).await, [], "it waits for somebody");
    let asked = fixture.ledger.request_slot(&key(60), "partner", "ann", &telling(), at(250)).await;
    asked.unwrap();
    assert_eq!(next_attempts(&fixture).await, next(false, at(250)));
    let claim = begin(&fixture, 60, at(250)).await.unwrap();
    fixture.ledger.end_slot(&claim, &SlotEnd::Failed(stop()), at(251)).await.unwrap();
    let failed = slot(&fixture, 60).await;
    assert_eq!((failed.state, failed.stop), (SlotState::Failed, Some(stop())));
    assert_eq!(next_attempts(&fixture).await, [], "it is over");
}

/// Whoever asks for a slot that waits for its next attempt has it at once, with the attempts that it had.
#[tokio::test]
async fn what_waits_to_be_tried_again_is_tried_when_somebody_asks() {
    let fixture = Fixture::new().await;
    planned(&fixture, 60).await;
    let claim = begin(&fixture, 60, at(61)).await.unwrap();
    let retry = SlotEnd::Retry(stop(), at(120));
    fixture.ledger.end_slot(&claim, &retry, at(62)).await.unwrap();
    let asked = fixture.ledger.request_slot(&key(60), "partner", "ann", &telling(), at(70)).await;
    let asked = asked.unwrap();
    assert_eq!((asked.state, asked.not_before, asked.attempts), (SlotState::Planned, at(70), 1));
    assert!(begin(&fixture, 60, at(70)).await.is_some());
}

#[tokio::test]
async fn each_process_that_dies_is_counted() {
    let mut fixture = Fixture::new().await;
    planned(&fixture, 60).await;
    for starts in 1..=3 {
        let claim = begin(&fixture, 60, at(61)).await.expect("it waits");
        assert_eq!((claim.starts, claim.epoch), (starts, starts));
        fixture = fixture.kill().await;
        assert_eq!(fixture.ledger.take_up(at(62)).await.unwrap(), 1);
    }
    let claim = begin(&fixture, 60, at(63)).await.unwrap();
    fixture.ledger.end_slot(&claim, &SlotEnd::Released, at(64)).await.unwrap();
    assert_eq!(slot(&fixture, 60).await.starts, 0, "an attempt that ends is no crash");
}

#[tokio::test]
async fn a_slot_whose_run_is_elsewhere_waits_and_counts_nothing() {
    let fixture = Fixture::new().await;
    planned(&fixture, 60).await;
    let claim = begin(&fixture, 60, at(61)).await.unwrap();
    fixture.ledger.end_slot(&claim, &SlotEnd::Elsewhere(at(90)), at(62)).await.unwrap();
    let waiting = slot(&fixture, 60).await;
    assert_eq!((waiting.state, waiting.stop), (SlotState::Planned, None));
    assert_eq!((waiting.not_before, waiting.attempts, waiting.starts), (at(90), 0, 0));
}

/// Whoever lets go lived, whether its slot was taken over or it only ends without having ended its work.
#[tokio::test]
async fn an_owner_that_lives_is_not_counted() {
    let fixture = Fixture::new().await;
    let ledger = &fixture.ledger;
    planned(&fixture, 60).await;
    let first = begin(&fixture, 60, at(61)).await.unwrap();
    ledger.let_go(&first, at(61)).await.unwrap();
    ledger.take_up(at(62)).await.unwrap();
    let second = begin(&fixture, 60, at(63)).await.unwrap();
    assert_eq!(second.starts, 1, "the first one lived");
    ledger.take_up(at(64)).await.unwrap();
    let third = begin(&fixture, 60, at(65)).await.unwrap();
    assert_eq!(third.starts, 2, "nobody knows yet of the second one");
    ledger.let_go(&second, at(65)).await.unwrap();
    assert_eq!(slot(&fixture, 60).await.starts, 1);
    ledger.end_slot(&third, &SlotEnd::Retry(stop(), at(66)), at(66)).await.unwrap();
    let fourth = begin(&fixture, 60, at(67)).await.unwrap();
    // What is said late is about a count that has ended.
    ledger.let_go(&third, at(67)).await.unwrap();
    assert_eq!(slot(&fixture, 60).await.starts, 1, "the fourth one is under way");
    ledger.end_slot(&fourth, &SlotEnd::Delivered, at(68)).await.unwrap();
}

#[tokio::test]
async fn a_claim_of_before_the_crash_is_fenced_off() {
    let fixture = Fixture::new().await;
    planned(&fixture, 60).await;
    let old = begin(&fixture, 60, at(61)).await.unwrap();
    fixture.ledger.take_up(at(62)).await.unwrap();
    let new = begin(&fixture, 60, at(63)).await.unwrap();
    let error = fixture.ledger.end_slot(&old, &SlotEnd::Delivered, at(64)).await.unwrap_err();
    insta::allow_duplicates! { insta::assert_snapshot!(error, @"the slot 2026-03-01T02:01:00Z of daily/luxury was taken over: epoch 1 is not the latest") };
    let error = fixture.ledger.renew_slot(&old, at(99)).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Fenced);
    fixture.ledger.renew_slot(&new, at(99)).await.unwrap();
}

#[tokio::test]
async fn runs_that_were_left_without_a_slot_get_one() {
    let fixture = Fixture::new().await;
    let new = dated(1);
    fixture.stage(&new, 1).await;
    assert_eq!(fixture.ledger.take_up(at(10)).await.unwrap(), 1);
    assert_eq!(fixture.ledger.take_up(at(11)).await.unwrap(), 0, "once");
    let waiting = fixture.ledger.open_slots().await.unwrap();
    assert_eq!(waiting[0].run_id, Some(new.run_id));
    assert_eq!(waiting[0].key.slot, new.slot);
}

#[tokio::test]
async fn asking_twice_is_one_slot_and_failed_ones_may_be_asked_for_again() {
    let fixture = Fixture::new().await;
    let ask = async |now| {
        fixture.ledger.request_slot(&key(60), "partner", "ann", &telling(), at(now)).await
    };
    assert_eq!(ask(61).await.unwrap().state, SlotState::Planned);
    assert_eq!(ask(62).await.unwrap().planned, at(61), "the same slot");
    let claim = begin(&fixture, 60, at(63)).await.unwrap();
    assert_eq!(ask(64).await.unwrap().state, SlotState::Running);
    fixture.ledger.end_slot(&claim, &SlotEnd::Failed(stop()), at(65)).await.unwrap();
    let again = ask(66).await.unwrap();
    assert_eq!((again.state, again.stop, again.finished), (SlotState::Planned, None, None));
    let claim = begin(&fixture, 60, at(67)).await.unwrap();
    fixture.ledger.end_slot(&claim, &SlotEnd::Delivered, at(68)).await.unwrap();
    assert_eq!(ask(69).await.unwrap().state, SlotState::Delivered, "never again");
}

#[tokio::test]
async fn what_is_asked_for_takes_the_place_of_what_waits() {
    let fixture = Fixture::new().await;
    planned(&fixture, 60).await;
    fixture.ledger.request_slot(&key(90), "partner", "ann", &telling(), at(90)).await.unwrap();
    let earlier = slot(&fixture, 60).await;
    assert_eq!(
        (earlier.state, earlier.stop.unwrap().code.as_str()),
        (SlotState::Skipped, "superseded")
    );
    let told = alerts(&fixture.ledger).await;
    insta::allow_duplicates! { insta::assert_snapshot!(told, @"2026-03-01T02:01:00Z skipped superseded: a later slot of the same segment takes its place") };
}

#[tokio::test]
async fn activations_are_disabled_and_enabled() {
    let fixture = Fixture::new().await;
    let ledger = &fixture.ledger;
    ledger.disable("daily", "ann", at(1)).await.unwrap();
    ledger.disable("daily", "bob", at(2)).await.unwrap();
    let disabled = ledger.disabled().await.unwrap();
    assert_eq!(disabled.len(), 1);
    assert_eq!((disabled[0].actor.as_str(), disabled[0].since), ("ann", at(1)));
    ledger.enable("daily").await.unwrap();
    assert_eq!(ledger.disabled().await.unwrap(), []);
}

/// Takes a slot three times, each time as if the process had died, and then once more.
async fn die_three_times(fixture: &Fixture) -> (Vec<SlotClaim>, SlotClaim) {
    planned(fixture, 60).await;
    let mut claims = Vec::new();
    for number in 0..i64::from(DEATHS_MAX) {
        claims.push(begin(fixture, 60, at(61 + number)).await.unwrap());
        fixture.ledger.take_up(at(61 + number)).await.unwrap();
    }
    let last = begin(fixture, 60, at(70)).await.unwrap();
    assert!(last.starts > DEATHS_MAX, "{last:?}");
    (claims, last)
}

fn poison() -> Stop {
    Stop { code: POISON.to_owned(), message: "the process died".to_owned() }
}

#[tokio::test]
async fn a_slot_that_was_given_up_is_planned_again_when_one_of_the_dead_lives() {
    let fixture = Fixture::new().await;
    let ledger = &fixture.ledger;
    let (claims, last) = die_three_times(&fixture).await;
    ledger.end_slot(&last, &SlotEnd::Failed(poison()), at(71)).await.unwrap();
    assert_eq!(slot(&fixture, 60).await.state, SlotState::Failed);
    ledger.let_go(&claims[1], at(72)).await.unwrap();
    let again = slot(&fixture, 60).await;
    assert_eq!((again.state, again.stop, again.starts), (SlotState::Planned, None, 2));
    assert_eq!((again.finished, again.not_before), (None, at(72)));
    // The other two still count.
    let next = begin(&fixture, 60, at(73)).await.unwrap();
    assert_eq!(next.starts, DEATHS_MAX);
    ledger.end_slot(&next, &SlotEnd::Failed(stop()), at(74)).await.unwrap();
    ledger.let_go(&claims[0], at(75)).await.unwrap();
    assert_eq!(slot(&fixture, 60).await.state, SlotState::Failed, "it failed for another reason");
}

#[tokio::test]
async fn a_committed_run_that_was_poison_begins_its_count_anew() {
    let fixture = Fixture::new().await;
    let ledger = &fixture.ledger;
    let (claims, last) = die_three_times(&fixture).await;
    ledger.end_slot(&last, &SlotEnd::Blocked(poison(), at(9_000)), at(71)).await.unwrap();
    let next = begin(&fixture, 60, at(9_000)).await.unwrap();
    assert_eq!(next.starts, 1);
    ledger.let_go(&claims[0], at(9_001)).await.unwrap();
    assert_eq!(slot(&fixture, 60).await.starts, 1, "it is not of this count");
}

crate::fixture::also_on_postgres![
    a_pass_is_written_once,
    marks_move_together_and_only_forward,
    skipped_and_withdrawn_slots_say_why,
    what_somebody_wanted_is_not_told_as_an_alert,
    a_slot_is_taken_by_one_and_ends_once,
    what_did_not_do_is_tried_again_at_its_time,
    what_waits_to_be_tried_again_is_tried_when_somebody_asks,
    each_process_that_dies_is_counted,
    a_slot_whose_run_is_elsewhere_waits_and_counts_nothing,
    an_owner_that_lives_is_not_counted,
    a_claim_of_before_the_crash_is_fenced_off,
    runs_that_were_left_without_a_slot_get_one,
    asking_twice_is_one_slot_and_failed_ones_may_be_asked_for_again,
    what_is_asked_for_takes_the_place_of_what_waits,
    activations_are_disabled_and_enabled,
    a_slot_that_was_given_up_is_planned_again_when_one_of_the_dead_lives,
    a_committed_run_that_was_poison_begins_its_count_anew,
];
