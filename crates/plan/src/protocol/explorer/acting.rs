//! A worker with a run in its hands: it performs each effect in the world and gives the answer to the
//! machine. The planted bugs are here, between the two.

use super::world::{FILES, Id, MANIFEST, Put, World};
use super::{Bug, Setup};
use crate::protocol::{Answer, Close, Effect, End, Event, Failure, Seen, State, Upload, step};

/// A worker with a run in its hands.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Worker {
    pub(super) run: u8,
    pub(super) epoch: u8,
    /// The commit record as this worker knows it.
    pub(super) record: [Id; FILES],
    pub(super) state: State,
    pub(super) tasks: Vec<Task>,
}

/// What a worker is about to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Task {
    Effect(Effect),
    /// The second half of looking: the upload was asked for, the object was not.
    Look {
        object: usize,
        upload: Upload,
    },
    /// The second half of a planted bug: the object was looked at, the upload was not asked for.
    Ask {
        object: usize,
        seen: Seen,
    },
    /// The second half of a planted bug: the ETag was read, the manifest was not written.
    Put {
        object: usize,
        put: Put,
    },
}

impl Task {
    fn object(&self) -> usize {
        match *self {
            Self::Look { object, .. } | Self::Ask { object, .. } | Self::Put { object, .. } => {
                object
            }
            Self::Effect(effect) => match effect {
                Effect::Complete { object, .. }
                | Effect::Inspect { object, .. }
                | Effect::Repair { object, .. }
                | Effect::RecordReplacement { object }
                | Effect::RecordPublished { object, .. } => object,
                _ => FILES,
            },
        }
    }
}

/// What a worker's act leads to: the world after it, and the worker, or nothing of it.
pub(super) struct Acting<'a> {
    pub(super) setup: &'a Setup,
    pub(super) worker: &'a Worker,
    pub(super) task: usize,
    pub(super) world: World,
    pub(super) outcomes: Vec<(World, Option<Worker>)>,
    pub(super) broken: Option<&'static str>,
}

impl Acting<'_> {
    pub(super) fn perform(&mut self) {
        match self.worker.tasks[self.task] {
            Task::Look { object, upload } => self.look(object, upload),
            Task::Ask { object, seen } => {
                let upload = self.upload(object);
                self.answer(Event::Inspected { object, seen, upload });
            }
            Task::Put { object, put } => self.send_put(object, put),
            Task::Effect(effect) => self.perform_effect(effect),
        }
    }

    fn perform_effect(&mut self, effect: Effect) {
        match effect {
            Effect::Stage => self.stage(),
            Effect::RecordCommit => self.record_commit(),
            Effect::Complete { object, .. } => self.complete(object),
            Effect::Inspect { object, .. } => self.inspect(object),
            Effect::Repair { object, .. } => self.repair(object),
            Effect::RecordReplacement { object } => self.record_replacement(object),
            Effect::RecordPublished { object, .. } => self.record_published(object),
            Effect::RecordDelivery => self.record_delivery(),
            Effect::AbortUploads => self.abort_uploads(),
            Effect::RecordClose(close) => self.record_close(close),
            Effect::Stop(_) => unreachable!("a stopped worker has no task"),
        }
    }

    /// The file of an object; planting the manifest first only exchanges places.
    fn file(&self, object: usize) -> usize {
        if self.setup.bug == Some(Bug::ManifestFirst) { [MANIFEST, 0, 1][object] } else { object }
    }

    /// Whether the ledger takes a write of this worker.
    fn owns(&self) -> bool {
        let is_latest =
            self.world.epoch == self.worker.epoch || self.setup.bug == Some(Bug::NoFencing);
        self.world.run == self.worker.run && is_latest
    }

    /// The machine takes the event in; the worker goes on with the rest of its tasks and the new ones.
    fn answer(&mut self, event: Event) {
        self.answer_with(event, self.worker.record);
    }

    fn answer_with(&mut self, event: Event, record: [Id; FILES]) {
        let (state, effects) = step(self.worker.state.clone(), event);
        assert_ne!(effects, [Effect::Stop(End::OutOfOrder)], "{event:?} answers no effect");
        if matches!(effects.last(), Some(Effect::Stop(_))) {
            self.outcomes.push((self.world, None));
            return;
        }
        let mut tasks = self.worker.tasks.clone();
        tasks.remove(self.task);
        tasks.extend(effects.into_iter().map(Task::Effect));
        // Any of them may be next: their order is no state of its own.
        tasks.sort_by_key(Task::object);
        let worker = Worker { record, state, tasks, ..self.worker.clone() };
        self.outcomes.push((self.world, Some(worker)));
    }

    /// The task becomes another one; the machine is not asked.
    fn become_task(&mut self, task: Task) {
        let mut worker = self.worker.clone();
        worker.tasks[self.task] = task;
        self.outcomes.push((self.world, Some(worker)));
    }

    fn stage(&mut self) {
        if self.setup.failures {
            self.answer(Event::StagingFailed(Failure::Other));
            self.answer(Event::StagingFailed(Failure::Guard));
        }
        let Worker { run, epoch, .. } = *self.worker;
        let mut record = [Id::NONE; FILES];
        for (object, id) in record.iter_mut().enumerate() {
            *id = Id::new(run, epoch, self.file(object), false);
            self.world.open |= id.bit();
        }
        self.answer_with(Event::Staged { data_files: 2, manifest: true }, record);
    }

    fn record_commit(&mut self) {
        if self.setup.bug == Some(Bug::EarlyCompletion) {
            return self.answer(Event::CommitRecorded);
        }
        if !self.owns() || self.world.committed {
            return self.answer(Event::Fenced);
        }
        self.world.committed = true;
        self.world.record = self.worker.record;
        if self.setup.bug == Some(Bug::ManifestFirst) {
            let [manifest, first, second] = self.worker.record;
            self.world.record = [first, second, manifest];
        }
        self.answer(Event::CommitRecorded);
    }

    fn complete(&mut self, object: usize) {
        if self.file(object) == MANIFEST {
            match self.setup.bug {
                Some(Bug::PlainManifest) => {
                    return self.send_put(object, Put { run: self.worker.run, condition: None });
                }
                Some(Bug::RereadManifest) => {
                    let condition = Some(self.world.run_at(MANIFEST));
                    return self.become_task(Task::Put {
                        object,
                        put: Put { run: self.worker.run, condition },
                    });
                }
                _ => {}
            }
        }
        let id = self.worker.record[object];
        let is_open = self.world.open & id.bit() != 0;
        let is_done = self.world.done & id.bit() != 0;
        let before = self.world;
        if self.setup.denials && (is_open || is_done) {
            self.answer(Event::Completed { object, answer: Answer::Denied });
        }
        if !is_open {
            self.answer(Event::Completed { object, answer: Answer::Gone });
            if is_done {
                self.answer(Event::Completed { object, answer: Answer::Done });
            }
            return;
        }
        // The request is on its way, and the worker gave up waiting. That it is lost, that it arrives
        // later, and that it arrived and only the answer was lost all follow from here.
        self.world.late |= id.bit();
        self.answer(Event::Completed { object, answer: Answer::Unclear });
        self.world = before;
        self.broken = self.world.complete(id).err();
        self.answer(Event::Completed { object, answer: Answer::Done });
    }

    fn send_put(&mut self, object: usize, put: Put) {
        self.world.puts |= put.bit();
        self.answer(Event::Completed { object, answer: Answer::Unclear });
        self.world.put(put);
        self.answer(Event::Completed { object, answer: Answer::Done });
    }

    fn inspect(&mut self, object: usize) {
        if self.setup.bug == Some(Bug::LookBeforeAsking) {
            let seen = self.seen(object);
            return self.become_task(Task::Ask { object, seen });
        }
        let upload = self.upload(object);
        self.become_task(Task::Look { object, upload });
        if self.setup.blind {
            self.become_task(Task::Look { object, upload: Upload::Unknown });
        }
    }

    fn look(&mut self, object: usize, upload: Upload) {
        let seen = self.seen(object);
        self.answer(Event::Inspected { object, seen, upload });
        if self.setup.blind {
            self.answer(Event::Inspected { object, seen: Seen::CannotSee, upload });
            self.answer(Event::Inspected { object, seen: Seen::Unanswered, upload });
        }
    }

    /// What the store says about an upload now.
    fn upload(&self, object: usize) -> Upload {
        let is_put = matches!(self.setup.bug, Some(Bug::PlainManifest | Bug::RereadManifest));
        if is_put && object == MANIFEST {
            Upload::Unknown
        } else if self.world.open & self.worker.record[object].bit() != 0 {
            Upload::Alive
        } else {
            Upload::Gone
        }
    }

    /// What is at the key of an object now, in the eyes of this worker.
    fn seen(&self, object: usize) -> Seen {
        let at_key = self.world.run_at(self.file(object));
        if at_key == Some(self.worker.run) {
            Seen::Ours
        } else if at_key == self.worker.run.checked_sub(1) {
            Seen::AsBefore
        } else {
            Seen::Foreign
        }
    }

    fn repair(&mut self, object: usize) {
        // The intent of the new upload is a ledger write.
        if !self.owns() {
            return self.answer(Event::Fenced);
        }
        let mut record = self.worker.record;
        self.world.close(record[object]);
        record[object] = Id::new(self.worker.run, self.worker.epoch, self.file(object), true);
        self.world.open |= record[object].bit();
        self.answer_with(Event::Repaired { object }, record);
    }

    fn record_replacement(&mut self, object: usize) {
        if self.setup.bug == Some(Bug::UnrecordedRepair) {
            return self.answer(Event::ReplacementRecorded { object });
        }
        if !self.owns() {
            return self.answer(Event::Fenced);
        }
        self.world.record[self.file(object)] = self.worker.record[object];
        self.answer(Event::ReplacementRecorded { object });
    }

    fn record_published(&mut self, object: usize) {
        if !self.owns() {
            return self.answer(Event::Fenced);
        }
        self.world.published |= 1 << object;
        self.answer(Event::PublishedRecorded { object });
    }

    fn record_delivery(&mut self) {
        if !self.owns() {
            return self.answer(Event::Fenced);
        }
        assert_eq!(self.world.published, 0b111, "delivery is recorded when every object is");
        self.world.run += 1;
        self.world.epoch = 0;
        self.world.committed = false;
        self.world.published = 0;
        self.world.record = [Id::NONE; FILES];
        self.answer(Event::DeliveryRecorded);
    }

    /// The worker asks the ledger which uploads there are; it is told of none that a later claim made.
    fn abort_uploads(&mut self) {
        if !self.owns() || self.world.committed {
            return self.answer(Event::Fenced);
        }
        // The requests to abort may all be lost.
        self.answer(Event::Aborted);
        for id in Id::all(self.world.open) {
            if id.run() == self.worker.run && id.epoch() <= self.worker.epoch {
                self.world.close(id);
            }
        }
        self.answer(Event::Aborted);
    }

    /// A closed run can be claimed again, whether it failed or is blocked; one that is held, when
    /// somebody has released it.
    fn record_close(&mut self, close: Close) {
        assert_eq!(
            matches!(close, Close::Blocked(_)),
            self.worker.state.is_committed(),
            "only a committed run is blocked"
        );
        if !self.owns() {
            return self.answer(Event::Fenced);
        }
        self.world.held = close == Close::Held;
        self.answer(Event::CloseRecorded);
    }
}
