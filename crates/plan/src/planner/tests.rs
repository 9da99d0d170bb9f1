//! Single rules by example, and then everything at once: random traces of passes, clocks that jump,
//! servers that are down and runs that are slow, with every slot accounted for at the end.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::civil::Time;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use proptest::prelude::*;

use super::clock::{Verdict, Watch};
use super::*;
use crate::project::Frequency;
use crate::schedule::zones;

fn schedule(frequency: Frequency, zone: &str) -> Schedule {
    Schedule {
        frequency,
        zone: zones().get(zone).expect("a zone"),
        start: None,
        end: None,
        lateness: Lateness::default(),
    }
}

fn every_five_minutes() -> Schedule {
    schedule(Frequency::Cron { expression: "*/5 * * * *".to_owned() }, "UTC")
}

fn at(text: &str) -> Timestamp {
    format!("2026-03-{text}:00Z").parse().expect("a time")
}

fn idle(through: &str) -> Known<'static> {
    Known { decided_through: at(through), waiting: &[], is_running: false, is_paused: false }
}

fn lateness(catch_up: CatchUp, overlap: Overlap) -> Lateness {
    Lateness { catch_up, overlap, ..Lateness::default() }
}

/// What became of the slots, in few words.
fn told(decision: &Decision) -> String {
    let short = |slot: &Timestamp| slot.to_string()[8..16].replace('T', " ");
    let mut words: Vec<String> =
        decision.planned.iter().map(|slot| format!("plan {}", short(slot))).collect();
    for it in &decision.skipped {
        let range = if it.count == 1 {
            short(&it.to)
        } else {
            format!("{}..{} ({})", short(&it.from), short(&it.to), it.count)
        };
        words.push(format!("skip {range} {}", it.reason.code()));
    }
    words.extend(
        decision
            .withdrawn
            .iter()
            .map(|(slot, reason)| format!("withdraw {} {}", short(slot), reason.code())),
    );
    words.join(", ")
}

#[test]
fn a_slot_that_comes_is_planned_once() {
    let schedule = every_five_minutes();
    let first = decide(&schedule, &schedule.lateness, &idle("01T02:01"), at("01T02:05"));
    assert_eq!(told(&first), "plan 01 02:05");
    let known = Known { decided_through: first.decided_through, ..idle("01T02:01") };
    assert_eq!(told(&decide(&schedule, &schedule.lateness, &known, at("01T02:05"))), "");
    assert_eq!(told(&decide(&schedule, &schedule.lateness, &known, at("01T02:09"))), "");
    // Back in time: nothing, and the mark stays.
    let back = decide(&schedule, &schedule.lateness, &known, at("01T01:00"));
    assert_eq!((told(&back), back.decided_through), (String::new(), at("01T02:05")));
}

#[test]
fn three_days_down_are_one_run_and_every_slot_is_told() {
    let schedule = every_five_minutes();
    let decision = decide(&schedule, &schedule.lateness, &idle("01T00:00"), at("04T00:00"));
    assert_eq!(decision.planned, [at("04T00:00")]);
    let counted: u64 = decision.skipped.iter().map(|it| it.count).sum();
    assert_eq!(counted, 863);
    let of = |reason| decision.skipped.iter().filter(|it| it.reason == reason).count();
    // A day's window holds 289 slots with both ends, and the last one runs.
    assert_eq!(of(Reason::Superseded), 288);
    assert_eq!(of(Reason::MissedWindow), 575);
}

#[test]
fn ten_years_are_a_thousand_rows_and_one() {
    let schedule = every_five_minutes();
    let now = at("01T00:00") + (365 * 10 * 24).hours();
    let decision = decide(&schedule, &schedule.lateness, &idle("01T00:00"), now);
    assert_eq!(decision.planned.len(), 1);
    assert_eq!(decision.skipped.len(), SLOTS_NAMED_MAX);
    let old = decision.skipped[0];
    assert_eq!((old.from, old.reason), (at("01T00:05"), Reason::MissedWindow));
    let counted: u64 = decision.skipped.iter().map(|it| it.count).sum();
    assert_eq!(counted + 1, 365 * 10 * 288);
}

#[test]
fn what_was_missed_is_made_up_for_as_the_schedule_says() {
    let schedule = every_five_minutes();
    let of = |catch_up| {
        let lateness = lateness(catch_up, Overlap::Queue);
        told(&decide(&schedule, &lateness, &idle("01T02:00"), at("01T02:17")))
    };
    assert_eq!(
        of(CatchUp::Latest),
        "plan 01 02:15, skip 01 02:05 superseded, skip 01 02:10 superseded"
    );
    assert_eq!(of(CatchUp::All), "plan 01 02:05, plan 01 02:10, plan 01 02:15");
    assert_eq!(
        of(CatchUp::None),
        "skip 01 02:05 missed_window, skip 01 02:10 missed_window, skip 01 02:15 missed_window"
    );
    let window = Lateness { window: SignedDuration::from_mins(10), ..Lateness::default() };
    assert_eq!(
        told(&decide(&schedule, &window, &idle("01T02:00"), at("01T02:17"))),
        "plan 01 02:15, skip 01 02:05 missed_window, skip 01 02:10 superseded"
    );
}

#[test]
fn what_comes_too_early_waits_or_goes() {
    let schedule = every_five_minutes();
    let waiting = [at("01T02:05")];
    let known = Known { is_running: true, waiting: &waiting, ..idle("01T02:06") };
    let of = |overlap| {
        let lateness = lateness(CatchUp::Latest, overlap);
        told(&decide(&schedule, &lateness, &known, at("01T02:10")))
    };
    assert_eq!(of(Overlap::Queue), "plan 01 02:10, withdraw 01 02:05 superseded");
    assert_eq!(of(Overlap::Skip), "skip 01 02:10 overlap");
    assert_eq!(of(Overlap::QueueAll), "plan 01 02:10");
    let alone = Known { is_running: true, waiting: &[], ..known };
    let skip = lateness(CatchUp::Latest, Overlap::Skip);
    assert_eq!(told(&decide(&schedule, &skip, &alone, at("01T02:10"))), "skip 01 02:10 overlap");
}

#[test]
fn a_disabled_activation_skips_and_does_not_replay() {
    let schedule = every_five_minutes();
    let waiting = [at("01T02:05")];
    let known = Known { is_paused: true, waiting: &waiting, ..idle("01T02:06") };
    let paused = decide(&schedule, &schedule.lateness, &known, at("01T02:10"));
    assert_eq!(told(&paused), "skip 01 02:10 paused, withdraw 01 02:05 paused");
    // What waits goes at once, not only when the next slot comes.
    let at_once = decide(&schedule, &schedule.lateness, &known, at("01T02:06"));
    assert_eq!(told(&at_once), "withdraw 01 02:05 paused");
    let enabled = Known { is_paused: false, waiting: &[], ..idle("01T02:10") };
    assert_eq!(
        told(&decide(&schedule, &schedule.lateness, &enabled, at("01T02:16"))),
        "plan 01 02:15"
    );
}

#[test]
fn changing_the_schedule_touches_only_what_is_to_come() {
    let daily = schedule(Frequency::Daily { at: Time::constant(2, 0, 0, 0) }, "UTC");
    let hourly = schedule(Frequency::Hourly { every: 1, at: Time::midnight() }, "UTC");
    let first = decide(&daily, &daily.lateness, &idle("01T00:00"), at("01T02:00"));
    assert_eq!(told(&first), "plan 01 02:00");
    let waiting = first.planned.clone();
    let known =
        Known { decided_through: first.decided_through, waiting: &waiting, ..idle("01T00:00") };
    // The new schedule has slots at 00:00 and 01:00 too; they are past and stay so.
    assert_eq!(told(&decide(&hourly, &hourly.lateness, &known, at("01T02:30"))), "");
    assert_eq!(
        told(&decide(&hourly, &hourly.lateness, &known, at("01T03:00"))),
        "plan 01 03:00, withdraw 01 02:00 superseded"
    );
}

/// What happens next in a trace.
#[derive(Debug, Clone)]
enum Step {
    /// A pass after so many seconds.
    Pass(u32),
    /// The wall clock jumps by so many minutes, and nobody tells.
    Jump(i32),
    /// Nothing runs for so many minutes.
    Down(u32),
    /// The oldest waiting slot begins.
    Begin,
    /// The run under way ends.
    End,
    /// The activation is disabled or enabled.
    Pause(bool),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        12 => (1u32..120).prop_map(Step::Pass),
        2 => (-3_000i32..3_000).prop_map(Step::Jump),
        1 => (1u32..4_000).prop_map(Step::Down),
        6 => Just(Step::Begin),
        6 => Just(Step::End),
        1 => any::<bool>().prop_map(Step::Pause),
    ];
    prop::collection::vec(step, 1..120)
}

/// The ledger of a trace: what became of each slot. Inserting a slot twice is an error.
#[derive(Debug, Default)]
struct Book {
    fate: BTreeMap<Timestamp, &'static str>,
    ranges: Vec<Skipped>,
}

impl Book {
    fn enter(&mut self, slot: Timestamp, fate: &'static str) {
        let before = self.fate.insert(slot, fate);
        assert_eq!(before, None, "{slot} was decided twice");
    }

    fn apply(&mut self, decision: &Decision) {
        for slot in &decision.planned {
            self.enter(*slot, "planned");
        }
        for skipped in &decision.skipped {
            match skipped.count {
                1 => self.enter(skipped.from, skipped.reason.code()),
                _ => self.ranges.push(*skipped),
            }
        }
        for (slot, reason) in &decision.withdrawn {
            let before = self.fate.insert(*slot, reason.code());
            assert_eq!(before, Some("planned"), "{slot} was not waiting");
        }
    }

    fn waiting(&self) -> Vec<Timestamp> {
        self.fate.iter().filter(|(_, fate)| **fate == "planned").map(|(slot, _)| *slot).collect()
    }
}

fn walk(schedule: &Schedule, steps: &[Step]) {
    let start = at("01T00:00");
    let (mut wall, mut monotonic, mut watch) = (start, Duration::ZERO, Watch::default());
    let (mut decided_through, mut running, mut is_paused) = (start, None, false);
    let mut book = Book::default();
    for step in steps {
        match step {
            Step::Jump(minutes) => wall += i64::from(*minutes).minutes(),
            Step::Down(minutes) => {
                wall += i64::from(*minutes).minutes();
                monotonic = Duration::ZERO;
                watch = Watch::default();
                // What was under way begins again after a crash, as the same slot.
            }
            Step::Begin => {
                if let (None, Some(slot)) = (running, book.waiting().first().copied()) {
                    book.fate.insert(slot, "running");
                    running = Some(slot);
                }
            }
            Step::End => {
                if let Some(slot) = running.take() {
                    book.fate.insert(slot, "delivered");
                }
            }
            Step::Pause(paused) => is_paused = *paused,
            Step::Pass(seconds) => {
                wall += i64::from(*seconds).seconds();
                monotonic += Duration::from_secs(u64::from(*seconds));
                if matches!(watch.read(wall, monotonic), Verdict::Ahead(_)) {
                    continue;
                }
                let waiting = book.waiting();
                let known = Known {
                    decided_through,
                    waiting: &waiting,
                    is_running: running.is_some(),
                    is_paused,
                };
                let decision = decide(schedule, &schedule.lateness, &known, wall);
                assert!(decision.decided_through >= decided_through, "the mark never goes back");
                book.apply(&decision);
                // The same pass again decides nothing more.
                let known =
                    Known { decided_through: decision.decided_through, waiting: &[], ..known };
                let again = decide(schedule, &schedule.lateness, &known, wall);
                assert!(again.planned.is_empty() && again.skipped.is_empty());
                decided_through = decision.decided_through;
            }
        }
    }
    account_for_all(schedule, &book, start, decided_through);
}

/// Every slot up to the mark has one entry, and there is no entry without a slot.
fn account_for_all(schedule: &Schedule, book: &Book, start: Timestamp, through: Timestamp) {
    let mut entries = book.fate.clone();
    let mut ranges: BTreeMap<usize, u64> = BTreeMap::new();
    let mut last = start;
    loop {
        let slots = schedule.slots_within(last, through, SLOTS_MAX);
        let Some(newest) = slots.last() else { break };
        last = *newest;
        for slot in slots {
            let inside =
                book.ranges.iter().position(|range| range.from <= slot && slot <= range.to);
            let named = entries.remove(&slot).is_some();
            assert!(named != inside.is_some(), "{slot} is lost, or told twice");
            if let Some(range) = inside {
                *ranges.entry(range).or_default() += 1;
            }
        }
    }
    assert!(entries.is_empty(), "these were never due: {entries:?}");
    for (range, count) in ranges {
        assert_eq!(book.ranges[range].count, count);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(traces()) })]

    /// Chronos' checker: from the schedule and the trace alone, every slot has exactly one fate.
    #[test]
    fn no_slot_is_lost_repeated_or_silent(
        steps in steps(),
        catch_up in prop::sample::select(vec![CatchUp::Latest, CatchUp::All, CatchUp::None]),
        overlap in prop::sample::select(vec![Overlap::Queue, Overlap::Skip, Overlap::QueueAll]),
        expression in prop::sample::select(vec!["*/5 * * * *", "7 * * * *", "30 2 * * *", "* * * * *"]),
        zone in prop::sample::select(vec!["UTC", "Europe/Paris", "Australia/Lord_Howe"]),
    ) {
        let frequency = Frequency::Cron { expression: expression.to_owned() };
        let lateness = Lateness { catch_up, overlap, ..Lateness::default() };
        walk(&Schedule { lateness, ..schedule(frequency, zone) }, &steps);
    }
}

/// How many traces are walked: 200, or as many as `SEGUE_TRACES` says.
#[expect(clippy::disallowed_methods, reason = "the size of this test is for whoever runs it")]
fn traces() -> u32 {
    std::env::var("SEGUE_TRACES").ok().and_then(|text| text.parse().ok()).unwrap_or(200)
}
