//! Leases: what one server has, another one leaves alone until the lease is over by the clock of the
//! database. Runs only where `SEGUE_TEST_POSTGRES_URL` names a server; `.ci/postgres` starts one.

use jiff::{SignedDuration, Timestamp};
use ledger::{
    Claim, Claimed, DEATHS_MAX, Error, ExportMark, Kind, Ledger, Place, RunState, SlotEnd, SlotKey,
    SlotState, User,
};
use plan::planner::Decision;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::fixture::{self, Fixture, at, counts, dated, input, stop, telling};

/// Longer than any test takes.
const LEASE: SignedDuration = SignedDuration::from_hours(1);

/// Two servers on one ledger, the second with a clock that is a day ahead; nothing where there is no
/// database.
struct Servers {
    one: Ledger,
    two: Ledger,
    place: Place,
}

impl Servers {
    async fn start() -> Option<Self> {
        fixture::told_server()?;
        let place = Place::Postgres(fixture::address(&fixture::new_schema()));
        let one = Ledger::open(&place).await.unwrap().owned_by("one", LEASE);
        let two = Ledger::open(&place).await.unwrap().owned_by("two", LEASE);
        Some(Self { one, two, place })
    }
}

/// Lets an hour go by: no lease that was taken before is good any more.
async fn expire(place: &Place) {
    let Place::Postgres(address) = place else { panic!("{place}") };
    let shown = address.to_string();
    let (_, schema) = shown.split_once("?schema=").unwrap();
    let mut db = PgConnection::connect(&fixture::server().unwrap()).await.unwrap();
    for table in ["runs", "slots", "duties"] {
        let hour = 3_600_000_000_i64;
        let sql = format!("UPDATE {schema}.{table} SET lease_until = lease_until - {hour}");
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut db).await.unwrap();
    }
    db.close().await.unwrap();
}

/// The clock of the second server.
fn tomorrow(seconds: i64) -> Timestamp {
    at(86_400 + seconds)
}

async fn claim(ledger: &Ledger, day: u8, now: Timestamp) -> Claim {
    match ledger.claim(&dated(day), now).await.unwrap() {
        Claimed::Run(claim) => claim,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn real_postgres_a_run_is_its_owners_until_the_lease_is_over() {
    let Some(Servers { one, two, place }) = Servers::start().await else { return };
    let run_id = dated(1).run_id;
    let first = claim(&one, 1, at(0)).await;
    one.pin_snapshot(&first, &[input()], at(1)).await.unwrap();
    // A clock that is a day ahead makes no lease shorter.
    let other = two.claim(&dated(1), tomorrow(0)).await.unwrap();
    assert!(matches!(other, Claimed::Elsewhere(_)), "{other:?}");
    let error = two.take_over(run_id, tomorrow(1)).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Busy);
    insta::assert_snapshot!(error, @"run 00000000-0000-0001-0000-000000000001 is in the hands of another process");
    assert_eq!(two.left(tomorrow(1)).await.unwrap(), []);
    assert_eq!(one.left(at(1)).await.unwrap().len(), 1, "it is nobody else's");
    assert_eq!(two.take_up_expired(tomorrow(1)).await.unwrap(), 0);
    expire(&place).await;
    // Nobody has taken it yet, so it can be kept.
    one.renew_run(&first, at(2)).await.unwrap();
    assert_eq!(two.left(tomorrow(2)).await.unwrap(), []);
    expire(&place).await;
    assert_eq!(two.left(tomorrow(3)).await.unwrap().len(), 1);
    assert_eq!(two.take_up_expired(tomorrow(3)).await.unwrap(), 1, "it gets a slot");
    // The first one wakes up, and is told so before anybody has claimed its run.
    let error = one.renew_run(&first, at(5)).await.unwrap_err();
    assert!(matches!(error, Error::Fenced { epoch: 1, .. }), "{error:?}");
    let second = two.take_over(run_id, tomorrow(4)).await.unwrap();
    assert_eq!((first.epoch, second.epoch), (1, 3));
    let error = one.commit(&first, &[], &counts(), at(5)).await.unwrap_err();
    assert!(matches!(error, Error::Fenced { .. } | Error::Inconsistent { .. }), "{error:?}");
    let error = one.fail(&first, &stop(), at(5)).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Fenced);
    two.fail(&second, &stop(), tomorrow(6)).await.unwrap();
    // A run that is over is nobody's.
    assert_eq!(claim(&one, 1, at(7)).await.epoch, 4);
}

#[tokio::test]
async fn real_postgres_a_committed_run_names_the_claim_that_staged_it() {
    let Some(Servers { one, two, place }) = Servers::start().await else { return };
    let folder = tempfile::tempdir().unwrap();
    let fixture = Fixture { ledger: one, place, folder };
    fixture.commit(&dated(1), 1).await;
    expire(&fixture.place).await;
    let claim = two.take_over(dated(1).run_id, tomorrow(1)).await.unwrap();
    assert_eq!((claim.epoch, claim.commit.len()), (2, 2));
    let run = two.run(dated(1).run_id).await.unwrap().unwrap().run;
    assert_eq!((run.state, run.epoch, run.staged_epoch), (RunState::Committing, 2, Some(1)));
}

fn key(seconds: i64) -> SlotKey {
    SlotKey { activation: "daily".to_owned(), segment: "luxury".to_owned(), slot: at(seconds) }
}

async fn plan_slot(ledger: &Ledger, seconds: i64) {
    let mark = ExportMark {
        activation: "daily".to_owned(),
        segment: "luxury".to_owned(),
        decided_through: at(0),
    };
    ledger.begin_export(&mark).await.unwrap();
    let decision = Decision {
        planned: vec![at(seconds)],
        skipped: Vec::new(),
        withdrawn: Vec::new(),
        decided_through: at(seconds),
    };
    assert!(
        ledger.record_decision(&mark, "partner", &decision, &telling(), at(seconds)).await.unwrap()
    );
    assert!(
        !ledger
            .record_decision(&mark, "partner", &decision, &telling(), tomorrow(0))
            .await
            .unwrap(),
        "a second planner writes nothing"
    );
}

#[tokio::test]
async fn real_postgres_a_slot_goes_to_one_server_and_to_another_when_that_is_gone() {
    let Some(Servers { one, two, place }) = Servers::start().await else { return };
    plan_slot(&one, 60).await;
    let (a, b) = (key(60), key(60));
    let (first, second) =
        tokio::join!(one.begin_slot(&a, at(61)), two.begin_slot(&b, tomorrow(61)));
    let (first, second) = (first.unwrap(), second.unwrap());
    assert!(first.is_some() != second.is_some(), "exactly one: {first:?} {second:?}");
    let (owner, other, old) = match (first, second) {
        (Some(claim), _) => (one, two, claim),
        (_, Some(claim)) => (two, one, claim),
        _ => unreachable!(),
    };
    assert_eq!(other.take_up_expired(tomorrow(62)).await.unwrap(), 0, "it is kept");
    expire(&place).await;
    assert_eq!(other.take_up_expired(at(62)).await.unwrap(), 1);
    let new = other.begin_slot(&key(60), at(63)).await.unwrap().expect("it waits again");
    assert_eq!((old.epoch, new.epoch, new.starts), (1, 2, 2));
    // Nor can it begin with the run of the slot.
    let run_id = dated(1).run_id;
    other.slot_run(&new, run_id).await.unwrap();
    let late = owner.claim(&dated(1), at(64)).await.unwrap();
    assert_eq!(late, Claimed::Elsewhere(run_id));
    let error = owner.end_slot(&old, &SlotEnd::Delivered, at(64)).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Fenced);
    assert_eq!(owner.renew_slot(&old, at(64)).await.unwrap_err().kind(), Kind::Fenced);
    other.renew_slot(&new, at(64)).await.unwrap();
    other.end_slot(&new, &SlotEnd::Delivered, at(65)).await.unwrap();
    let slot = other.slot(&key(60)).await.unwrap().unwrap();
    assert_eq!(slot.state, SlotState::Delivered);
}

/// The attempt that may give a slot up waits until everybody who lives could say so.
#[tokio::test]
async fn real_postgres_slow_owners_have_time_to_say_that_they_live() {
    let Some(Servers { one, two, place }) = Servers::start().await else { return };
    plan_slot(&one, 60).await;
    let mut claims = Vec::new();
    for number in 0..i64::from(DEATHS_MAX) {
        let (owner, other) = if number % 2 == 0 { (&one, &two) } else { (&two, &one) };
        claims.push(owner.begin_slot(&key(60), at(61 + number)).await.unwrap().unwrap());
        expire(&place).await;
        assert_eq!(other.take_up_expired(at(61 + number)).await.unwrap(), 1);
        let slot = one.slot(&key(60)).await.unwrap().unwrap();
        let waits = slot.not_before.duration_since(at(61 + number));
        let last = number + 1 == i64::from(DEATHS_MAX);
        assert_eq!(waits, if last { LEASE } else { SignedDuration::ZERO });
    }
    for claim in &claims {
        let error = one.renew_slot(claim, at(70)).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Fenced);
        one.let_go(claim, at(70)).await.unwrap();
    }
    let next = two.begin_slot(&key(60), tomorrow(0)).await.unwrap().unwrap();
    assert_eq!((next.starts, next.epoch), (1, DEATHS_MAX + 1), "all of them lived");
}

#[tokio::test]
async fn real_postgres_each_server_has_a_link_for_the_first_user_and_one_is_used() {
    let Some(Servers { one, two, .. }) = Servers::start().await else { return };
    let ann = User {
        name: "ann".to_owned(),
        role: "admin".to_owned(),
        password: "$argon2id$".to_owned(),
        created: at(10),
    };
    assert!(one.set_setup_link("of one", at(0), at(100)).await.unwrap());
    assert!(two.set_setup_link("of two", at(0), at(100)).await.unwrap());
    assert!(two.set_setup_link("of two again", at(1), at(100)).await.unwrap());
    assert!(!one.use_setup_link("of two", &ann).await.unwrap(), "that server has a newer one");
    assert!(two.use_setup_link("of one", &ann).await.unwrap(), "whichever server is asked");
    let bob = User { name: "bob".to_owned(), ..ann };
    assert!(!two.use_setup_link("of two again", &bob).await.unwrap(), "there is a user");
    assert!(!one.set_setup_link("late", at(2), at(100)).await.unwrap());
    // Nor does an old link come back when the user is gone.
    assert!(one.remove_user("ann").await.unwrap());
    assert!(!two.use_setup_link("of two again", &bob).await.unwrap(), "it ended with the first");
}

#[tokio::test]
async fn real_postgres_a_server_that_starts_again_goes_on_at_once_and_leaves_others_alone() {
    let Some(Servers { one, two, place }) = Servers::start().await else { return };
    plan_slot(&one, 60).await;
    let slot = one.begin_slot(&key(60), at(61)).await.unwrap().unwrap();
    let mine = claim(&one, 1, at(61)).await;
    one.slot_run(&slot, mine.run_id).await.unwrap();
    claim(&two, 2, tomorrow(61)).await;
    drop(one);
    let again = Ledger::open(&place).await.unwrap().owned_by("one", LEASE);
    // The slot, and a slot for the run, which was for another time.
    assert_eq!(again.take_up(at(62)).await.unwrap(), 2);
    let waiting = again.open_slots().await.unwrap();
    assert!(waiting.iter().all(|slot| slot.state == SlotState::Planned), "{waiting:?}");
    assert_eq!(again.left(at(62)).await.unwrap().len(), 1, "the other one's run is left alone");
}

#[tokio::test]
async fn real_postgres_a_duty_is_one_servers_at_a_time() {
    let Some(Servers { one, two, place }) = Servers::start().await else { return };
    assert!(one.take_duty("sweeping", LEASE, at(0)).await.unwrap());
    assert!(one.take_duty("sweeping", LEASE, at(0)).await.unwrap(), "it is kept");
    assert!(!two.take_duty("sweeping", LEASE, tomorrow(0)).await.unwrap());
    assert!(two.take_duty("sending", LEASE, tomorrow(0)).await.unwrap(), "another one");
    expire(&place).await;
    assert!(two.take_duty("sweeping", LEASE, tomorrow(1)).await.unwrap());
    assert!(!one.take_duty("sweeping", LEASE, at(1)).await.unwrap());
}

#[tokio::test]
async fn real_postgres_a_ledger_has_one_state_folder_and_one_clock() {
    let Some(Servers { one, two, .. }) = Servers::start().await else { return };
    let (folder, other) = ("one", "two");
    assert!(one.belongs_to(folder).await.unwrap(), "the first is it");
    assert!(two.belongs_to(folder).await.unwrap());
    assert!(!two.belongs_to(other).await.unwrap());
    let (a, b) = (one.time(at(0)).await.unwrap(), two.time(tomorrow(0)).await.unwrap());
    assert!(b.duration_since(a).abs() < SignedDuration::from_secs(30), "{a} {b}");
}
