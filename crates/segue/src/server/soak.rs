//! A month of fifty activations in simulated time, with a real ledger: restarts, processes that die
//! under a run or between two, attempts that fail, clocks that jump. At the end every slot of every
//! schedule has exactly one fate, and every attempt that counted was the only one.
//!
//! The planner's passes, the order of turns and what an outcome means for its slot are the server's
//! own; only time and what a run comes to are made up.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use jiff::{Timestamp, ToSpan as _};
use ledger::{Ledger, SlotClaim, SlotEnd, SlotFilter, SlotKey, SlotState};
use plan::planner::clock::{Verdict, Watch};
use plan::planner::turn::{Candidate, Limits, Turns};
use plan::project::Project;

use super::attempt::{CRASHES_MAX, Outcome, end_of};
use super::{planner, runner};
use crate::failure::{Failure, Kind};

/// How many days go by: 30, or as many as `SEGUE_SOAK_DAYS` says.
const DAYS: i64 = 30;
const ACTIVATIONS: usize = 50;
/// How much time goes by between two looks.
const STEP_MINUTES: i64 = 30;
const LIMITS: Limits = Limits { runs: 8, per_destination: 4 };

/// Draws that are the same every time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

fn project() -> Project {
    let schedules = [
        "{ frequency: daily, at: \"02:00\", zone: Europe/Paris }",
        "{ frequency: hourly, every: 6, overlap: skip }",
        "{ frequency: daily, at: \"02:30\", zone: America/New_York, catch_up: all }",
        "{ frequency: cron, cron: \"15 */8 * * *\", zone: Australia/Lord_Howe, catch_up: none }",
        "{ frequency: weekly, at: \"06:00\", start: 2026-03-02, overlap: queue-all }",
    ];
    let mut text = String::from(
        "version: 1\nname: soak\ndatasets: { people: { location: people.csv, identities: { id: CRMID } } }
segments: { all: { rule: id > 0 } }
accounts: { lab: { type: amazon-s3, region: us-east-1, auth: { kind: default } } }
destinations:\n",
    );
    for number in 0..5 {
        text.push_str(&format!(
            "  d{number}: {{ account: lab, bucket: exports, folder: f{number} }}\n"
        ));
    }
    text.push_str("activations:\n");
    for number in 0..ACTIVATIONS {
        text.push_str(&format!(
            "  a{number}:\n    destination: d{}\n    mapping: [{{ source: id, mandatory: true }}]\n    segments:\n      - {{ segment: all, file_name: \"a{number}_%DATETIME(yyyyMMddHHmmss)%\", schedule: {} }}\n",
            number % 5,
            schedules[number % schedules.len()],
        ));
    }
    let reading = plan::read(&text, &|_| None, &|_| Err(String::new()));
    reading.project.unwrap_or_else(|| panic!("{:?}", reading.diagnostics))
}

/// An attempt that goes on in simulated time.
struct Going {
    claim: SlotClaim,
    candidate: Candidate,
    until: Timestamp,
}

struct Soak {
    project: Project,
    ledger: Ledger,
    dice: Dice,
    now: Timestamp,
    monotonic: Duration,
    watch: Watch,
    turns: Turns,
    going: Vec<Going>,
    /// How often each slot was delivered.
    delivered: BTreeMap<SlotKey, u32>,
    crashes: u32,
    jumps: u32,
}

impl Soak {
    async fn pass(&mut self) {
        if matches!(self.watch.read(self.now, self.monotonic), Verdict::Ahead(_)) {
            return;
        }
        planner::pass(&self.ledger, &self.project, self.now).await.expect("a pass");
    }

    async fn fill(&mut self) {
        let open = self.ledger.open_slots().await.expect("slots");
        let mut waiting = runner::in_order(&open, self.now);
        loop {
            let running: Vec<Candidate> =
                self.going.iter().map(|going| going.candidate.clone()).collect();
            let Some(next) = self.turns.next(&waiting, &running, LIMITS).cloned() else { return };
            waiting.retain(|it| *it != next);
            let key = SlotKey {
                activation: next.activation.clone(),
                segment: next.segment.clone(),
                slot: next.slot,
            };
            let claim = self
                .ledger
                .begin_slot(&key, self.now)
                .await
                .expect("a claim")
                .expect("one runner, so nobody was faster");
            let minutes = i64::try_from(1 + self.dice.roll(90)).expect("small");
            self.going.push(Going { claim, candidate: next, until: self.now + minutes.minutes() });
        }
    }

    async fn end(&mut self) {
        let (over, going) = std::mem::take(&mut self.going)
            .into_iter()
            .partition::<Vec<_>, _>(|going| going.until <= self.now);
        self.going = going;
        for Going { claim, .. } in over {
            let end = self.outcome(&claim);
            if end == SlotEnd::Delivered {
                *self.delivered.entry(claim.key.clone()).or_default() += 1;
            }
            self.ledger.end_slot(&claim, &end, self.now).await.expect("an end");
        }
    }

    fn outcome(&mut self, claim: &SlotClaim) -> SlotEnd {
        if claim.starts > CRASHES_MAX {
            return end_of(Outcome::Poison, false, claim, self.now);
        }
        let failed = |kind| Outcome::Failed(Failure::new(kind, "made up"));
        let (outcome, is_committed) = match self.dice.roll(20) {
            0..=2 => (failed(Kind::Temporary), false),
            3 => (failed(Kind::Run), false),
            4 => (failed(Kind::Connection), true),
            5 => (failed(Kind::Interrupted), false),
            _ => return SlotEnd::Delivered,
        };
        end_of(outcome, is_committed, claim, self.now)
    }

    /// The process ends, well or not, and another one starts some time later.
    async fn restart(mut self, folder: &Path, is_graceful: bool) -> Self {
        for going in std::mem::take(&mut self.going) {
            if is_graceful {
                let released = SlotEnd::Released;
                self.ledger.end_slot(&going.claim, &released, self.now).await.expect("an end");
            }
        }
        self.ledger.close().await;
        self.crashes += 1;
        let down = match self.dice.roll(4) {
            0 => i64::try_from(self.dice.roll(30 * 60)).expect("small"),
            _ => 1,
        };
        self.now += down.minutes();
        let ledger = Ledger::open(&folder.join("ledger.sqlite")).await.expect("the ledger opens");
        ledger.take_up(self.now).await.expect("what was left");
        Self { ledger, watch: Watch::default(), monotonic: Duration::ZERO, ..self }
    }
}

#[tokio::test]
async fn a_month_loses_repeats_and_hides_no_slot() {
    let days = crate::ambient::variable("SEGUE_SOAK_DAYS")
        .and_then(|text| text.parse().ok())
        .unwrap_or(DAYS);
    let folder = in_memory();
    let start: Timestamp = "2026-03-20T00:00:00Z".parse().expect("a time");
    let ledger = Ledger::open(&folder.path().join("ledger.sqlite")).await.expect("a ledger");
    let mut soak = Soak {
        project: project(),
        ledger,
        dice: Dice(0x5365_6775_6500_0001),
        now: start,
        monotonic: Duration::ZERO,
        watch: Watch::default(),
        turns: Turns::default(),
        going: Vec::new(),
        delivered: BTreeMap::new(),
        crashes: 0,
        jumps: 0,
    };
    soak.pass().await;
    // Half an hour at a time; the month, and two days to let everything end.
    let mut steps = 0;
    let mut through = start;
    while soak.now < start + (days * 24).hours() {
        soak.now += STEP_MINUTES.minutes();
        soak.monotonic += Duration::from_secs(STEP_MINUTES.unsigned_abs() * 60);
        steps += 1;
        match soak.dice.roll(200) {
            0 => soak = soak.restart(folder.path(), true).await,
            1 | 2 => soak = soak.restart(folder.path(), false).await,
            3 => {
                let hours = i64::try_from(soak.dice.roll(12)).expect("small") - 6;
                soak.now += hours.hours();
                soak.jumps += 1;
            }
            _ => {}
        }
        soak.end().await;
        soak.pass().await;
        soak.fill().await;
        through = through.max(soak.now);
    }
    // The clock may be behind where it was once, so it is let run past that.
    for _ in 0..(48 * 60 / STEP_MINUTES) {
        soak.now += STEP_MINUTES.minutes();
        soak.monotonic += Duration::from_secs(STEP_MINUTES.unsigned_abs() * 60);
        soak.end().await;
        soak.fill().await;
    }
    check(&soak, start).await;
    assert!(
        soak.crashes > 10 && soak.jumps > 3,
        "{} {} in {steps} steps",
        soak.crashes,
        soak.jumps
    );
}

/// A folder in memory where there is one: ten thousand writes need not wait for a disk here.
fn in_memory() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a folder")
}

/// From the schedules alone: which slots there must be.
async fn check(soak: &Soak, start: Timestamp) {
    let marks = soak.ledger.export_marks().await.expect("marks");
    let slots = soak.ledger.slots(&SlotFilter::default()).await.expect("slots");
    let mut fates: BTreeMap<&'static str, u64> = BTreeMap::new();
    for (activation, export) in planner::exports(&soak.project) {
        let schedule = export.schedule.as_ref().expect("all have one");
        let mark = marks.iter().find(|mark| mark.activation == activation.key).expect("a mark");
        let due = schedule.slots_within(start, mark.decided_through, 10_000);
        let found: Vec<_> =
            slots.iter().filter(|slot| slot.key.activation == activation.key).collect();
        for slot in &due {
            let rows = found.iter().filter(|row| row.first_slot <= *slot && *slot <= row.key.slot);
            assert_eq!(rows.count(), 1, "{} at {slot}", activation.key);
        }
        let told: u64 = found.iter().map(|row| row.count).sum();
        assert_eq!(told, u64::try_from(due.len()).expect("few"), "{}", activation.key);
        for row in found {
            *fates.entry(row.state.as_str()).or_default() += row.count;
            let times = soak.delivered.get(&row.key).copied().unwrap_or(0);
            assert_eq!(times, u32::from(row.state == SlotState::Delivered), "{:?}", row.key);
            assert!(row.state.is_over(), "{row:?}");
            assert!(row.state == SlotState::Delivered || row.stop.is_some(), "{row:?}");
        }
    }
    assert!(fates["delivered"] > 500, "{fates:?}");
    assert!(fates["skipped"] > 10 && fates["failed"] > 10, "{fates:?}");
}
