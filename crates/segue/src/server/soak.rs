//! A month of fifty activations in simulated time, with a real ledger: restarts, processes that die
//! under a run or between two, attempts that fail, clocks that jump. In a database several servers
//! share the work; their clocks are a day apart, and some are stopped for hours and wake up as if
//! nothing were. At the end every slot of every schedule has exactly one fate, and every attempt that
//! counted was the only one.
//!
//! The planner's passes, the order of turns and what an outcome means for its slot are the server's
//! own; only time and what a run comes to are made up.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp, ToSpan as _};
use ledger::{
    Address, DEATHS_MAX, Kind, Ledger, Place, SimulatedClock, SlotClaim, SlotEnd, SlotFilter,
    SlotKey, SlotState,
};
use plan::planner::clock::{Verdict, Watch};
use plan::planner::turn::{Candidate, Limits, Turns};
use plan::project::Project;

use super::attempt::{Outcome, end_of};
use super::{planner, runner};
use crate::ambient;
use crate::failure::{Failure, Kind as FailureKind};

/// How many days go by: 30, or as many as `SEGUE_SOAK_DAYS` says.
const DAYS: i64 = 30;
const ACTIVATIONS: usize = 50;

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

/// Whether a server is there, and otherwise until when not, by a clock that nobody sets.
#[derive(Clone, Copy, PartialEq)]
enum Life {
    Up,
    /// Its process is gone.
    Down(Duration),
    /// Its process is stopped, with all that it has in hand.
    Asleep(Duration),
}

struct Server {
    name: String,
    /// How far its clock is from the right time.
    skew: SignedDuration,
    life: Life,
    /// Open while its process is there.
    ledger: Option<Ledger>,
    started: Duration,
    watch: Watch,
    turns: Turns,
    going: Vec<Going>,
}

/// What all servers have in common: the world around them, and what has come about.
struct World {
    project: Project,
    place: Place,
    /// That of the database.
    clock: SimulatedClock,
    limits: Limits,
    /// How much time goes by between two looks.
    step: SignedDuration,
    dice: Dice,
    /// The right time, or what goes for it.
    now: Timestamp,
    monotonic: Duration,
    /// How often each slot was delivered.
    delivered: BTreeMap<SlotKey, u32>,
    /// How often a process died under a slot since an attempt at it last ended.
    deaths: BTreeMap<SlotKey, u32>,
    /// Under which slots a process sleeps.
    asleep: Vec<SlotKey>,
    figures: Figures,
}

/// How much happened: a test of nothing shows nothing.
#[derive(Debug, Default)]
struct Figures {
    crashes: u32,
    stops: u32,
    naps: u32,
    jumps: u32,
    fenced: u32,
}

impl Server {
    fn new(number: usize, skew: SignedDuration) -> Self {
        Self {
            name: format!("server {number}"),
            skew,
            life: Life::Down(Duration::ZERO),
            ledger: None,
            started: Duration::ZERO,
            watch: Watch::default(),
            turns: Turns::default(),
            going: Vec::new(),
        }
    }

    fn ledger(&self) -> &Ledger {
        self.ledger.as_ref().expect("the process is there")
    }

    /// The time that it goes by: in a database, that of the database.
    async fn now(&self, world: &World) -> Timestamp {
        let own = world.now.checked_add(self.skew).expect("no end of time");
        self.ledger().time(own).await.expect("the time")
    }

    /// The process starts, or wakes up, if it is time.
    async fn come_back(&mut self, world: &mut World) {
        match self.life {
            Life::Down(until) if until <= world.monotonic => {
                let ledger = Ledger::open(&world.place).await.expect("the ledger opens");
                self.ledger =
                    Some(ledger.owned_by(&self.name, world.lease()).on_clock(&world.clock));
                let now = self.now(world).await;
                self.ledger().take_up(now).await.expect("what was left");
                (self.watch, self.started) = (Watch::default(), world.monotonic);
                self.life = Life::Up;
            }
            Life::Asleep(until) if until <= world.monotonic => {
                for going in &self.going {
                    let known = world.asleep.iter().position(|key| *key == going.claim.key);
                    world.asleep.remove(known.expect("it slept"));
                }
                self.life = Life::Up;
            }
            _ => {}
        }
    }

    async fn look(&mut self, world: &mut World) {
        self.end(world).await;
        self.renew(world).await;
        self.pass(world).await;
        self.fill(world).await;
    }

    async fn pass(&mut self, world: &World) {
        let now = self.now(world).await;
        let monotonic = world.monotonic - self.started;
        if matches!(self.watch.read(now, monotonic), Verdict::Ahead(_)) {
            return;
        }
        planner::pass(self.ledger(), &world.project, &[], now).await.expect("a pass");
    }

    async fn fill(&mut self, world: &mut World) {
        let now = self.now(world).await;
        let open = self.ledger().open_slots().await.expect("slots");
        let mut waiting = runner::in_order(&open, now);
        loop {
            let running: Vec<Candidate> =
                self.going.iter().map(|going| going.candidate.clone()).collect();
            let Some(next) = self.turns.next(&waiting, &running, world.limits).cloned() else {
                return;
            };
            waiting.retain(|it| *it != next);
            let key = SlotKey {
                activation: next.activation.clone(),
                segment: next.segment.clone(),
                slot: next.slot,
            };
            let claim = self.ledger().begin_slot(&key, now).await.expect("a claim");
            let claim = claim.expect("one server looks at a time, so nobody was faster");
            let minutes = i64::try_from(1 + world.dice.roll(90)).expect("small");
            self.going.push(Going { claim, candidate: next, until: now + minutes.minutes() });
        }
    }

    async fn end(&mut self, world: &mut World) {
        let now = self.now(world).await;
        let (over, going) = std::mem::take(&mut self.going)
            .into_iter()
            .partition::<Vec<_>, _>(|going| going.until <= now);
        self.going = going;
        for Going { claim, .. } in over {
            let end = world.outcome(&claim, now);
            match self.ledger().end_slot(&claim, &end, now).await {
                Ok(()) => {
                    world.deaths.remove(&claim.key);
                    if end == SlotEnd::Delivered {
                        *world.delivered.entry(claim.key).or_default() += 1;
                    }
                }
                Err(error) => self.lose(world, &claim, &error).await,
            }
        }
    }

    /// Keeps what it has, and takes up what others left.
    async fn renew(&mut self, world: &mut World) {
        let now = self.now(world).await;
        for going in std::mem::take(&mut self.going) {
            match self.ledger().renew_slot(&going.claim, now).await {
                Ok(()) => self.going.push(going),
                Err(error) => self.lose(world, &going.claim, &error).await,
            }
        }
        self.ledger().take_up_expired(now).await.expect("what others left");
    }

    /// Another server has a slot that this one works at.
    async fn lose(&self, world: &mut World, claim: &SlotClaim, error: &ledger::Error) {
        assert_eq!(error.kind(), Kind::Fenced, "{error:?}");
        self.ledger().let_go(claim, world.now).await.expect("a word");
        world.figures.fenced += 1;
    }

    /// The process ends: asked to, or by kill -9 under all that it has in hand.
    async fn leave(&mut self, world: &mut World, is_graceful: bool) {
        let now = self.now(world).await;
        for Going { claim, .. } in std::mem::take(&mut self.going) {
            if !is_graceful {
                *world.deaths.entry(claim.key).or_default() += 1;
                continue;
            }
            match self.ledger().end_slot(&claim, &SlotEnd::Released, now).await {
                Ok(()) => drop(world.deaths.remove(&claim.key)),
                Err(error) => self.lose(world, &claim, &error).await,
            }
        }
        self.ledger.take().expect("the process is there").close().await;
        let figures = &mut world.figures;
        if is_graceful {
            figures.stops += 1
        } else {
            figures.crashes += 1
        }
        let minutes = if world.dice.roll(4) == 0 { world.dice.roll(30 * 60) } else { 1 };
        self.life = Life::Down(world.monotonic + Duration::from_secs(60 * minutes));
    }

    /// The process is stopped in the middle of everything, for hours.
    fn fall_asleep(&mut self, world: &mut World) {
        world.asleep.extend(self.going.iter().map(|going| going.claim.key.clone()));
        world.figures.naps += 1;
        let minutes = 120 + world.dice.roll(240);
        self.life = Life::Asleep(world.monotonic + Duration::from_secs(60 * minutes));
    }
}

impl World {
    fn outcome(&mut self, claim: &SlotClaim, now: Timestamp) -> SlotEnd {
        if claim.starts > DEATHS_MAX {
            let died = self.deaths.get(&claim.key).copied().unwrap_or(0);
            let asleep = self.asleep.iter().filter(|key| **key == claim.key).count();
            let gone = died + u32::try_from(asleep).expect("few");
            assert!(gone >= DEATHS_MAX, "{claim:?} is given up, and only {gone} are gone");
            return end_of(Outcome::Poison, false, claim, self.lease(), now);
        }
        let failed = |kind| Outcome::Failed(Failure::new(kind, "made up"));
        let (outcome, is_committed) = match self.dice.roll(20) {
            0..=2 => (failed(FailureKind::Temporary), false),
            3 => (failed(FailureKind::Run), false),
            4 => (failed(FailureKind::Connection), true),
            5 => (failed(FailureKind::Interrupted), false),
            6 => (failed(FailureKind::Elsewhere), self.dice.roll(2) == 0),
            _ => return SlotEnd::Delivered,
        };
        end_of(outcome, is_committed, claim, self.lease(), now)
    }

    /// Longer than the time between two looks, and shorter than between three.
    fn lease(&self) -> SignedDuration {
        self.step * 3 / 2
    }

    fn go_on(&mut self) {
        self.now = self.now.checked_add(self.step).expect("no end of time");
        self.monotonic += self.step.unsigned_abs();
        self.clock.set(self.now);
    }

    /// What somebody does to a server, or to the clock, now and then.
    async fn meddle(&mut self, servers: &mut [Server]) {
        if self.dice.roll(100) == 0 {
            let hours = i64::try_from(self.dice.roll(12)).expect("small") - 6;
            self.now += hours.hours();
            self.clock.set(self.now);
            self.figures.jumps += 1;
        }
        let chosen = usize::try_from(self.dice.roll(60)).expect("small") % servers.len();
        let is_one_of_many = servers.len() > 1;
        let server = &mut servers[chosen];
        match self.dice.roll(100) {
            _ if server.life != Life::Up => {}
            0 => server.leave(self, true).await,
            1 | 2 => server.leave(self, false).await,
            3..=5 if is_one_of_many => server.fall_asleep(self),
            _ => {}
        }
    }
}

/// Lets the month go by, and looks at what is left.
async fn soak(
    place: Place,
    mut servers: Vec<Server>,
    limits: Limits,
    step: SignedDuration,
) -> Figures {
    let days =
        ambient::variable("SEGUE_SOAK_DAYS").and_then(|text| text.parse().ok()).unwrap_or(DAYS);
    let start: Timestamp = "2026-03-20T00:00:00Z".parse().expect("a time");
    let mut world = World {
        project: project(),
        place,
        clock: SimulatedClock::default(),
        limits,
        step,
        dice: Dice(0x5365_6775_6500_0001),
        now: start,
        monotonic: Duration::ZERO,
        delivered: BTreeMap::new(),
        deaths: BTreeMap::new(),
        asleep: Vec::new(),
        figures: Figures::default(),
    };
    world.clock.set(start);
    for server in &mut servers {
        server.come_back(&mut world).await;
        server.pass(&world).await;
    }
    while world.now < start + (days * 24).hours() {
        world.go_on();
        world.meddle(&mut servers).await;
        for server in &mut servers {
            server.come_back(&mut world).await;
            if server.life == Life::Up {
                server.look(&mut world).await;
            }
        }
    }
    // Two days more, in which nothing new is due and everything ends. The clock may be behind where it
    // was once, so it is let run past that.
    let end = world.monotonic + Duration::from_secs(48 * 3_600);
    while world.monotonic < end {
        world.go_on();
        for server in &mut servers {
            server.come_back(&mut world).await;
            if server.life == Life::Up {
                server.end(&mut world).await;
                server.renew(&mut world).await;
                server.fill(&mut world).await;
            }
        }
    }
    let ledger = servers[0].ledger().clone();
    check(&world, &ledger, start).await;
    for server in servers {
        server.ledger.expect("the process is there").close().await;
    }
    world.figures
}

#[tokio::test]
async fn a_month_loses_repeats_and_hides_no_slot() {
    let folder = in_memory();
    let place = Place::File(folder.path().join("ledger.sqlite"));
    let servers = vec![Server::new(0, SignedDuration::ZERO)];
    let limits = Limits { runs: 8, per_destination: 4 };
    let figures = soak(place, servers, limits, SignedDuration::from_mins(30)).await;
    assert!(figures.crashes > 5 && figures.stops > 1 && figures.jumps > 3, "{figures:?}");
}

/// Runs only where `SEGUE_TEST_POSTGRES_URL` names a server; `.ci/postgres` starts one.
#[tokio::test]
async fn real_postgres_a_month_of_several_servers_loses_repeats_and_hides_no_slot() {
    let Some(url) = ambient::variable("SEGUE_TEST_POSTGRES_URL") else {
        println!("not run: SEGUE_TEST_POSTGRES_URL names no server; `.ci/postgres` starts one");
        return;
    };
    let url = format!("{url}?schema=soak_{}", std::process::id());
    let place = Place::Postgres(Address::parse(&url, None).expect("an address"));
    let days = [0, 1, -1].map(|days| SignedDuration::from_hours(24 * days));
    let servers = days.into_iter().enumerate().map(|(number, skew)| Server::new(number, skew));
    let limits = Limits { runs: 3, per_destination: 2 };
    let figures = soak(place, servers.collect(), limits, SignedDuration::from_hours(1)).await;
    assert!(figures.crashes > 5 && figures.stops > 1 && figures.jumps > 2, "{figures:?}");
    assert!(figures.naps > 10 && figures.fenced > 10, "{figures:?}");
}

/// A folder in memory where there is one: ten thousand writes need not wait for a disk here.
fn in_memory() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a folder")
}

/// From the schedules alone: which slots there must be.
async fn check(world: &World, ledger: &Ledger, start: Timestamp) {
    let marks = ledger.export_marks().await.expect("marks");
    let slots = ledger.slots(&SlotFilter::default()).await.expect("slots");
    let mut fates: BTreeMap<&'static str, u64> = BTreeMap::new();
    for (activation, export) in planner::exports(&world.project) {
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
            let times = world.delivered.get(&row.key).copied().unwrap_or(0);
            assert_eq!(times, u32::from(row.state == SlotState::Delivered), "{:?}", row.key);
            assert!(row.state.is_over(), "{row:?}");
            assert!(row.state == SlotState::Delivered || row.stop.is_some(), "{row:?}");
        }
    }
    assert!(fates["delivered"] > 500, "{fates:?}");
    assert!(fates["skipped"] > 10 && fates["failed"] > 10, "{fates:?}");
}
