//! Every reachable state: [`super::step`] driven through all interleavings that a small world allows.
//!
//! The world has two workers and two successive runs that write the same static names, two data files
//! and a manifest each. A worker may crash at any moment. A run may be claimed at any moment, although
//! its last owner is alive. Every request may be late, repeated or lost, and every answer may be lost.
//! In some setups the store drops an upload, denies requests, or does not let anybody look. Conditions
//! of requests are not part of the world, as if the store ignored them: what is shown here rests on
//! upload ids that work once, and on nothing else.
//!
//! A breadth-first search visits every state once and checks the invariants in each. That it would
//! see a bug is shown by planting some: in the world and in what stands between it and the machine,
//! never in the machine itself.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::Limits;

mod acting;
mod moves;
mod world;

use moves::{Move, Worlds};
use world::World;

/// The most states that a search visits: a bound on memory, well above what the setups need.
const STATES_MAX: usize = 12_000_000;

/// What the world allows.
#[derive(Debug, Clone, Copy)]
struct Setup {
    /// How often runs may be claimed, both runs together.
    claims: u8,
    /// How many open uploads the store may drop.
    drops: u8,
    /// Whether the store may deny a completion, of a finished upload too.
    denials: bool,
    /// Whether looking at an object or its upload may remain without an answer or be denied.
    blind: bool,
    /// Whether staging may fail.
    failures: bool,
    limits: Limits,
    bug: Option<Bug>,
}

/// A planted bug.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bug {
    /// The manifest is written by a plain PutObject.
    PlainManifest,
    /// The manifest is written by a PutObject with If-Match, and whoever sends it reads the ETag again.
    RereadManifest,
    /// The manifest is completed before the data files.
    ManifestFirst,
    /// Objects are completed before the commit record is written.
    EarlyCompletion,
    /// The object is looked at before the upload is asked for.
    LookBeforeAsking,
    /// A replaced upload is completed without being recorded first.
    UnrecordedRepair,
    /// The ledger does not compare epochs.
    NoFencing,
}

impl Setup {
    const PLAIN: Self = Self {
        claims: 4,
        drops: 0,
        denials: false,
        blind: false,
        failures: false,
        limits: Limits { completions: 2, inspections: 1, repairs: 1, denials: 2, in_flight: 1 },
        bug: None,
    };
}

/// What a search found.
#[derive(Debug)]
enum Found {
    /// No reachable state breaks an invariant.
    Whole {
        /// Reachable states.
        states: usize,
        /// Those in which both runs are delivered.
        delivered: usize,
    },
    /// The shortest way to a state that breaks an invariant.
    Broken { invariant: &'static str, trace: Vec<String>, states: usize },
}

fn explore(setup: Setup) -> Found {
    assert!(setup.limits.repairs <= 1, "a worker of this world has one name for a repaired upload");
    let mut worlds = Worlds::new(setup);
    let start = World::start();
    let mut seen: HashMap<World, u32, world::Mixer> = HashMap::with_hasher(world::Mixer);
    let mut queue: Vec<(World, u32)> = vec![(start, 0)];
    seen.insert(start, 0);
    let mut next = Vec::new();
    let mut delivered = 0;
    let mut at = 0;
    while at < queue.len() {
        let (world, _) = queue[at];
        delivered += usize::from(world.is_over());
        next.clear();
        let broken = worlds
            .successors(&world, &mut next)
            .or_else(|| world.broken().map(|what| (None, what)));
        if let Some((step, invariant)) = broken {
            return Found::Broken {
                invariant,
                trace: trace(&mut worlds, &queue, at, step),
                states: queue.len(),
            };
        }
        for &(_, successor) in &next {
            if let Entry::Vacant(vacant) = seen.entry(successor) {
                vacant.insert(queue.len() as u32);
                queue.push((successor, at as u32));
                assert!(
                    queue.len() <= STATES_MAX,
                    "the world has grown beyond {STATES_MAX} states"
                );
            }
        }
        at += 1;
    }
    Found::Whole { states: queue.len(), delivered }
}

/// The moves that lead from the start to a state, and the one that broke an invariant there.
fn trace(
    worlds: &mut Worlds,
    queue: &[(World, u32)],
    end: usize,
    last: Option<Move>,
) -> Vec<String> {
    let mut moves: Vec<String> = last.iter().map(|step| worlds.name(&queue[end].0, step)).collect();
    let mut at = end;
    while at != 0 {
        let (world, parent) = queue[at];
        let before = queue[parent as usize].0;
        let mut next = Vec::new();
        worlds.successors(&before, &mut next);
        let step =
            next.iter().find(|(_, after)| *after == world).expect("a parent leads to its child").0;
        moves.push(worlds.name(&before, &step));
        at = parent as usize;
    }
    moves.reverse();
    moves
}

/// Explores a setup that has to be without a flaw.
fn check_whole(name: &str, setup: Setup) {
    match explore(setup) {
        Found::Whole { states, delivered } => {
            println!("{name}: all {states} states explored, both runs delivered in {delivered}");
            assert!(delivered > 0, "{name}: no state delivers both runs");
        }
        Found::Broken { invariant, trace, .. } => {
            panic!("{name}: {invariant} after\n  {}", trace.join("\n  "))
        }
    }
}

/// Explores a setup with a planted bug, which has to be found.
fn check_broken(bug: Bug, setup: Setup, expected: &str) {
    match explore(Setup { bug: Some(bug), ..setup }) {
        Found::Broken { invariant, trace, states } => {
            println!("{bug:?}: {invariant} after {} moves, {states} states seen", trace.len());
            assert_eq!(invariant, expected, "{bug:?} after\n  {}", trace.join("\n  "));
        }
        Found::Whole { states, .. } => panic!("{bug:?} was not found in {states} states"),
    }
}

#[test]
fn no_interleaving_breaks_the_promise() {
    check_whole("four claims", Setup::PLAIN);
}

#[test]
fn a_lost_upload_is_repaired_without_breaking_the_promise() {
    check_whole("four claims, a lost upload", Setup { drops: 1, ..Setup::PLAIN });
}

#[test]
fn denials_and_blindness_do_not_break_the_promise() {
    let setup = Setup { claims: 3, denials: true, blind: true, failures: true, ..Setup::PLAIN };
    check_whole("three claims, a store that denies and hides", setup);
}

#[test]
fn objects_in_flight_together_do_not_break_the_promise() {
    let limits = Limits { in_flight: 2, ..Setup::PLAIN.limits };
    check_whole("three claims, two objects at a time", Setup { claims: 3, limits, ..Setup::PLAIN });
}

#[test]
fn planted_a_manifest_by_plain_put() {
    check_broken(Bug::PlainManifest, Setup::PLAIN, world::BACKWARD);
}

#[test]
fn planted_a_manifest_under_an_etag_that_is_read_again() {
    check_broken(Bug::RereadManifest, Setup::PLAIN, world::BACKWARD);
}

#[test]
fn planted_a_manifest_before_its_files() {
    check_broken(Bug::ManifestFirst, Setup::PLAIN, world::TORN);
}

#[test]
fn planted_a_completion_before_the_commit_record() {
    check_broken(Bug::EarlyCompletion, Setup::PLAIN, world::UNNAMED);
}

#[test]
fn planted_a_look_before_the_upload_is_asked_for() {
    check_broken(Bug::LookBeforeAsking, Setup { drops: 1, ..Setup::PLAIN }, world::UNNAMED);
}

#[test]
fn planted_a_repair_that_is_not_recorded() {
    check_broken(Bug::UnrecordedRepair, Setup { drops: 1, ..Setup::PLAIN }, world::UNNAMED);
}

#[test]
fn planted_a_ledger_that_does_not_fence() {
    check_broken(Bug::NoFencing, Setup::PLAIN, world::UNNAMED);
}
