//! Runs that a guard stopped: nobody takes them until a person has decided.

use ledger::{Claimed, Decision, Error, Kind, RunState, SlotState};
use plan::guard::Cause;

use crate::fixture::{Fixture, alerts, at, counts, dated, stop, telling};

async fn held() -> Fixture {
    let fixture = Fixture::new().await;
    let claim = fixture.claim(&dated(1), at(0)).await;
    let size = (Cause::Collapsed, 7);
    fixture.ledger.hold(&claim, &stop(), size, &counts(), at(1)).await.unwrap();
    fixture
}

#[tokio::test]
async fn a_held_run_waits_for_a_person_and_for_nobody_else() {
    let fixture = held().await;
    let ledger = &fixture.ledger;
    let run_id = dated(1).run_id;
    let detail = ledger.run(run_id).await.unwrap().unwrap();
    assert_eq!((detail.run.state, detail.run.is_held()), (RunState::Blocked, true));
    assert_eq!(detail.run.received, Some(counts().received));
    assert!(matches!(ledger.claim(&dated(1), at(2)).await.unwrap(), Claimed::Held(_)));
    assert_eq!(ledger.unfinished().await.unwrap(), [], "recovery leaves it alone");
    let taken = ledger.take_over(run_id, at(2)).await;
    assert!(matches!(taken, Err(Error::State { .. })), "{taken:?}");
    assert_eq!(ledger.take_up(at(2)).await.unwrap(), 0, "and so does the next start");
}

#[tokio::test]
async fn a_released_run_is_claimed_again_and_delivered() {
    let fixture = held().await;
    let run_id = dated(1).run_id;
    let decided =
        fixture.ledger.decide(run_id, Decision::Released, "ann", None, &telling(), at(3)).await;
    decided.unwrap();
    let again = fixture
        .ledger
        .decide(run_id, Decision::Rejected, "bob", Some("late"), &telling(), at(4))
        .await;
    assert!(matches!(again, Err(Error::State { .. })), "it is decided once");
    fixture.deliver(&dated(1), 2).await;
    let detail = fixture.ledger.run(run_id).await.unwrap().unwrap();
    assert_eq!(detail.run.state, RunState::Delivered);
    let hold = detail.hold.unwrap();
    assert_eq!((hold.decision, hold.actor.as_deref()), (Some(Decision::Released), Some("ann")));
    assert_eq!((hold.cause, hold.rows), (Cause::Collapsed, 7));
}

#[tokio::test]
async fn a_released_run_without_a_slot_gets_one_once() {
    let fixture = held().await;
    let ledger = &fixture.ledger;
    let run_id = dated(1).run_id;
    ledger.decide(run_id, Decision::Released, "ann", None, &telling(), at(3)).await.unwrap();
    assert_eq!(ledger.open_slots().await.unwrap(), []);
    let run = ledger.run(run_id).await.unwrap().unwrap().run;
    for actor in ["ann", "bob"] {
        ledger.plan_released(&run, actor, at(4)).await.unwrap();
    }
    let slots = ledger.open_slots().await.unwrap();
    let [slot] = slots.as_slice() else { panic!("{slots:?}") };
    assert_eq!((slot.state, slot.actor.as_deref()), (SlotState::Planned, Some("ann")));
    assert_eq!((slot.key.slot, &slot.key.segment), (run.slot, &run.segment));
}

#[tokio::test]
async fn a_rejected_run_is_failed_with_the_reason() {
    let fixture = held().await;
    let run_id = dated(1).run_id;
    let reason = Some("the import broke");
    let decided =
        fixture.ledger.decide(run_id, Decision::Rejected, "ann", reason, &telling(), at(3)).await;
    decided.unwrap();
    let run = fixture.ledger.run(run_id).await.unwrap().unwrap().run;
    let told = run.stop.unwrap();
    assert_eq!(run.state, RunState::Failed);
    assert_eq!(
        (told.code.as_str(), told.message.as_str()),
        ("rejected", "rejected by ann: the import broke")
    );
    assert!(
        alerts(&fixture.ledger)
            .await
            .ends_with(" failed rejected: rejected by ann: the import broke"),
        "{}",
        alerts(&fixture.ledger).await
    );
    let unknown = fixture
        .ledger
        .decide(dated(2).run_id, Decision::Released, "ann", None, &telling(), at(4))
        .await;
    assert_eq!(unknown.unwrap_err().kind(), Kind::NotFound);
}

crate::fixture::also_on_postgres![
    a_held_run_waits_for_a_person_and_for_nobody_else,
    a_released_run_is_claimed_again_and_delivered,
    a_released_run_without_a_slot_gets_one_once,
    a_rejected_run_is_failed_with_the_reason,
];
