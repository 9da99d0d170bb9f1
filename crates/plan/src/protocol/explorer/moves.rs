//! Every move from one state to the next.

use std::collections::HashMap;

use super::Setup;
use super::acting::{Acting, Task, Worker};
use super::world::{FILES, Id, Put, World};
use crate::protocol::{Entry, begin};

/// One step from a state to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Move {
    /// A late request arrives.
    Arrive(u8),
    /// A late plain write arrives.
    ArrivePut(u8),
    /// The store loses an upload.
    Lose(u8),
    Crash(usize),
    Claim(usize),
    /// Somebody releases the run that a guard holds.
    Release,
    /// A worker does one of its tasks.
    Act {
        worker: usize,
        task: usize,
    },
}

/// All states, and the workers in them by number.
pub(super) struct Worlds {
    setup: Setup,
    workers: Vec<Worker>,
    numbers: HashMap<Worker, u32>,
}

type Broken = Option<(Option<Move>, &'static str)>;

impl Worlds {
    pub(super) fn new(setup: Setup) -> Self {
        Self { setup, workers: Vec::new(), numbers: HashMap::new() }
    }

    fn number(&mut self, worker: Option<Worker>) -> u32 {
        let Some(worker) = worker else { return 0 };
        if let Some(number) = self.numbers.get(&worker) {
            return *number;
        }
        self.workers.push(worker.clone());
        let number = self.workers.len() as u32;
        self.numbers.insert(worker, number);
        number
    }

    fn worker(&self, number: u32) -> Option<&Worker> {
        (number as usize).checked_sub(1).map(|at| &self.workers[at])
    }

    /// Says what a move is, for a trace.
    pub(super) fn name(&self, world: &World, step: &Move) -> String {
        match step {
            Move::Act { worker, task } => {
                let acting = self.worker(world.workers[*worker]).expect("only workers act");
                format!("run {} epoch {}: {:?}", acting.run, acting.epoch, acting.tasks[*task])
            }
            _ => format!("{step:?}"),
        }
    }

    /// Adds every state that one move leads to, or returns the move that broke an invariant.
    pub(super) fn successors(&mut self, world: &World, next: &mut Vec<(Move, World)>) -> Broken {
        let broken = arrivals(world, next);
        if broken.is_some() {
            return broken;
        }
        if world.drops < self.setup.drops {
            for id in Id::all(world.open) {
                let mut after = *world;
                after.close(id);
                after.drops += 1;
                next.push((Move::Lose(id.0), after));
            }
        }
        if world.held {
            next.push((Move::Release, World { held: false, ..*world }));
        }
        for worker in 0..world.workers.len() {
            if world.workers[worker] == 0 {
                next.extend(self.claim(world, worker));
                continue;
            }
            let mut after = *world;
            after.workers[worker] = 0;
            next.push((Move::Crash(worker), after.sorted()));
            if let Some(broken) = self.act(world, worker, next) {
                return Some(broken);
            }
        }
        None
    }

    fn claim(&mut self, world: &World, worker: usize) -> Option<(Move, World)> {
        if world.is_over() || world.held || world.claims == self.setup.claims {
            return None;
        }
        let mut after = *world;
        after.claims += 1;
        after.epoch += 1;
        let entry = if world.committed {
            let published = (0..FILES).map(|object| world.published >> object & 1 == 1).collect();
            Entry::RollForward { published, manifest: true }
        } else if world.epoch == 0 {
            Entry::Fresh
        } else {
            Entry::RollBack
        };
        let (state, effects) = begin(entry, self.setup.limits);
        let tasks = effects.into_iter().map(Task::Effect).collect();
        let claimed =
            Worker { run: world.run, epoch: after.epoch, record: world.record, state, tasks };
        after.workers[worker] = self.number(Some(claimed));
        Some((Move::Claim(worker), after.sorted()))
    }

    fn act(&mut self, world: &World, worker: usize, next: &mut Vec<(Move, World)>) -> Broken {
        let acting = self.worker(world.workers[worker]).cloned().expect("only workers act");
        for task in 0..acting.tasks.len() {
            let step = Move::Act { worker, task };
            let mut act = Acting {
                setup: &self.setup,
                worker: &acting,
                task,
                world: *world,
                outcomes: Vec::new(),
                broken: None,
            };
            act.perform();
            let Acting { outcomes, broken, .. } = act;
            if let Some(invariant) = broken {
                return Some((Some(step), invariant));
            }
            for (mut after, worker_after) in outcomes {
                after.workers[worker] = self.number(worker_after);
                next.push((step, after.sorted()));
            }
        }
        None
    }
}

/// Requests of earlier moves arrive; completions once at most matter, plain writes any number of times.
fn arrivals(world: &World, next: &mut Vec<(Move, World)>) -> Broken {
    for id in Id::all(world.late) {
        let mut after = *world;
        let step = Move::Arrive(id.0);
        if let Err(invariant) = after.complete(id) {
            return Some((Some(step), invariant));
        }
        next.push((step, after));
    }
    for put in Put::ALL.into_iter().filter(|put| world.puts & put.bit() != 0) {
        let mut after = *world;
        after.put(put);
        next.push((Move::ArrivePut(put.bit()), after));
    }
    None
}
