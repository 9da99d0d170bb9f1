//! The life of the objects of a commit record, from staged to visible and recorded: what an answer
//! means, and what is tried next.
//!
//! No status of a request to complete an upload is believed by itself. After every answer but a plain
//! refusal the object is looked at, and what is there decides:
//!
//! | at the key | upload | next |
//! |---|---|---|
//! | ours | | record it as visible |
//! | ours, but damaged | | block: quarantined |
//! | as the condition asks | open or not known | complete again, or block: unsettled |
//! | as the condition asks | gone | upload again, or block: lost |
//! | anything else | | block: another writer |
//! | not to be seen, after a plain success | | record it as visible, unseen |
//! | not to be seen otherwise | | complete again (some services repeat their success), or block |
//! | no answer | | look again, or block: unsettled |
//!
//! A denial is settled like everything else, as some services deny the second completion of an upload.
//! If the object is not there, the credentials are fetched once more before the run is blocked.
//!
//! The manifest starts when every data file is recorded as visible, never before.

use super::{
    Answer, Blocked, Credentials, Effect, Event, Limits, Reason, RepairFailure, Seen, Upload,
    Verification,
};

/// The objects of a commit record on their way to be visible.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Publication {
    objects: Vec<Object>,
    manifest: bool,
    /// What an object does first: complete, or after a crash look.
    first: First,
    /// The first object that has not been started.
    next: usize,
    in_flight: usize,
    published: usize,
    blocked: Option<Blocked>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum First {
    Complete,
    Inspect,
}

/// What became of an event.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The object goes on with this.
    Next(Effect),
    /// The object needs nothing more for now.
    Settled,
    /// The event does not fit.
    OutOfOrder,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
struct Object {
    doing: Doing,
    said: Said,
    completions: u8,
    denials: u8,
    inspections: u8,
    repairs: u8,
}

/// What an object waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
enum Doing {
    #[default]
    Nothing,
    Completing,
    Inspecting,
    Repairing,
    Replacing,
    Recording,
    Published,
}

/// What the service said last, as far as it matters to what is seen next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
enum Said {
    #[default]
    NothingClear,
    Done,
    Denied,
}

/// What to do with an object after it was looked at.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Publish(Verification),
    Complete(Credentials),
    Inspect,
    Repair,
    Block(Reason),
}

impl Publication {
    /// Begins right after the commit record.
    pub(super) fn start(data_files: usize, manifest: bool) -> Self {
        let objects = vec![Object::default(); data_files + usize::from(manifest)];
        Self {
            objects,
            manifest,
            first: First::Complete,
            next: 0,
            in_flight: 0,
            published: 0,
            blocked: None,
        }
    }

    /// Goes on where an earlier worker stopped: what the ledger does not hold as visible may be so.
    pub(super) fn resume(published: &[bool], manifest: bool) -> Self {
        let mut publication = Self { first: First::Inspect, ..Self::start(0, false) };
        publication.manifest = manifest;
        for &is_published in published {
            let doing = if is_published { Doing::Published } else { Doing::Nothing };
            publication.objects.push(Object { doing, ..Object::default() });
            publication.published += usize::from(is_published);
        }
        publication
    }

    /// Whether every object is recorded as visible.
    pub(super) fn is_whole(&self) -> bool {
        self.published == self.objects.len()
    }

    /// Whether no effect is waiting for its answer.
    pub(super) fn is_quiet(&self) -> bool {
        self.in_flight == 0
    }

    pub(super) fn blocked(&self) -> Option<Blocked> {
        self.blocked
    }

    /// Starts as many objects as may be in flight; the manifest only behind all data files.
    pub(super) fn fill(&mut self, limits: &Limits) -> Vec<Effect> {
        let mut effects = Vec::new();
        let data_files = self.objects.len() - usize::from(self.manifest);
        while self.next < self.objects.len() && self.in_flight < limits.in_flight.max(1) {
            let index = self.next;
            if index == data_files && self.published < data_files {
                break;
            }
            self.next += 1;
            if self.objects[index].doing == Doing::Published {
                continue;
            }
            self.in_flight += 1;
            effects.push(match self.first {
                First::Complete => self.objects[index].complete(index, Credentials::AtHand),
                First::Inspect => self.objects[index].inspect(index),
            });
        }
        effects
    }

    /// Takes in what happened to one object.
    pub(super) fn handle(&mut self, event: Event, limits: &Limits) -> Outcome {
        match event {
            Event::Completed { object, answer } => self.completed(object, answer),
            Event::Inspected { object, seen, upload } => {
                self.inspected(object, seen, upload, limits)
            }
            Event::Repaired { object } => self.repaired(object),
            Event::RepairFailed { object, failure } => self.repair_failed(object, failure, limits),
            Event::ReplacementRecorded { object } => self.replaced(object),
            Event::PublishedRecorded { object } => self.recorded(object),
            _ => Outcome::OutOfOrder,
        }
    }

    /// Whether an object waits for the answer that has come.
    fn awaits(&self, index: usize, doing: Doing) -> bool {
        self.objects.get(index).is_some_and(|object| object.doing == doing)
    }

    fn completed(&mut self, index: usize, answer: Answer) -> Outcome {
        if !self.awaits(index, Doing::Completing) {
            return Outcome::OutOfOrder;
        }
        let object = &mut self.objects[index];
        object.said = match answer {
            Answer::Done => Said::Done,
            Answer::Denied => Said::Denied,
            _ => Said::NothingClear,
        };
        match answer {
            Answer::Refused => self.block(index, Reason::Refused),
            Answer::Misdirected => self.block(index, Reason::Misdirected),
            _ if self.blocked.is_some() => self.rest(index),
            _ => Outcome::Next(object.inspect(index)),
        }
    }

    fn inspected(&mut self, index: usize, seen: Seen, upload: Upload, limits: &Limits) -> Outcome {
        if !self.awaits(index, Doing::Inspecting) {
            return Outcome::OutOfOrder;
        }
        let object = &mut self.objects[index];
        let verdict = object.settle(seen, upload, limits);
        match verdict {
            // Worth writing down even when another object has blocked the run.
            Verdict::Publish(verification) => {
                object.doing = Doing::Recording;
                Outcome::Next(Effect::RecordPublished { object: index, verification })
            }
            Verdict::Block(reason) => self.block(index, reason),
            _ if self.blocked.is_some() => self.rest(index),
            Verdict::Complete(credentials) => Outcome::Next(object.complete(index, credentials)),
            Verdict::Inspect => Outcome::Next(object.inspect(index)),
            Verdict::Repair => Outcome::Next(object.repair(index)),
        }
    }

    fn repaired(&mut self, index: usize) -> Outcome {
        if !self.awaits(index, Doing::Repairing) {
            return Outcome::OutOfOrder;
        }
        self.objects[index].doing = Doing::Replacing;
        Outcome::Next(Effect::RecordReplacement { object: index })
    }

    fn repair_failed(&mut self, index: usize, failure: RepairFailure, limits: &Limits) -> Outcome {
        if !self.awaits(index, Doing::Repairing) {
            return Outcome::OutOfOrder;
        }
        let object = &mut self.objects[index];
        match failure {
            RepairFailure::Temporary
                if self.blocked.is_none() && object.repairs < limits.repairs =>
            {
                Outcome::Next(object.repair(index))
            }
            RepairFailure::Temporary | RepairFailure::Impossible => {
                self.block(index, Reason::UploadLost)
            }
            RepairFailure::BytesDiffer => self.block(index, Reason::NotReproducible),
        }
    }

    fn replaced(&mut self, index: usize) -> Outcome {
        if !self.awaits(index, Doing::Replacing) {
            return Outcome::OutOfOrder;
        }
        if self.blocked.is_some() {
            return self.rest(index);
        }
        let object = &mut self.objects[index];
        *object = Object { repairs: object.repairs, ..Object::default() };
        Outcome::Next(object.complete(index, Credentials::AtHand))
    }

    fn recorded(&mut self, index: usize) -> Outcome {
        if !self.awaits(index, Doing::Recording) {
            return Outcome::OutOfOrder;
        }
        self.objects[index] = Object { doing: Doing::Published, ..Object::default() };
        self.in_flight -= 1;
        self.published += 1;
        Outcome::Settled
    }

    /// Keeps the first reason; the run is blocked once nothing is in flight.
    fn block(&mut self, index: usize, reason: Reason) -> Outcome {
        self.blocked.get_or_insert(Blocked { object: index, reason });
        self.rest(index)
    }

    fn rest(&mut self, index: usize) -> Outcome {
        self.objects[index].doing = Doing::Nothing;
        self.in_flight -= 1;
        Outcome::Settled
    }
}

impl Object {
    fn complete(&mut self, index: usize, credentials: Credentials) -> Effect {
        self.doing = Doing::Completing;
        self.said = Said::NothingClear;
        self.completions += 1;
        Effect::Complete { object: index, attempt: self.completions, credentials }
    }

    fn inspect(&mut self, index: usize) -> Effect {
        self.doing = Doing::Inspecting;
        self.inspections += 1;
        Effect::Inspect { object: index, attempt: self.inspections }
    }

    fn repair(&mut self, index: usize) -> Effect {
        self.doing = Doing::Repairing;
        self.repairs += 1;
        Effect::Repair { object: index, attempt: self.repairs }
    }

    /// The table at the head of this file.
    fn settle(&mut self, seen: Seen, upload: Upload, limits: &Limits) -> Verdict {
        if seen == Seen::Unanswered {
            return if self.inspections < limits.inspections {
                Verdict::Inspect
            } else {
                Verdict::Block(Reason::Unsettled)
            };
        }
        self.inspections = 0;
        match (seen, upload) {
            (Seen::Ours, _) => Verdict::Publish(Verification::Checked),
            (Seen::OursButDifferent, _) => Verdict::Block(Reason::Quarantined),
            (Seen::Foreign, _) => Verdict::Block(Reason::TargetChanged),
            (Seen::CannotSee, _) if self.said == Said::Done => {
                Verdict::Publish(Verification::Unseen)
            }
            (Seen::AsBefore, Upload::Gone) if self.repairs < limits.repairs => Verdict::Repair,
            (Seen::AsBefore, Upload::Gone) => Verdict::Block(Reason::UploadLost),
            (Seen::CannotSee, _) => self.complete_again(Reason::CannotSee, limits),
            (Seen::AsBefore | Seen::Unanswered, _) => {
                self.complete_again(Reason::Unsettled, limits)
            }
        }
    }

    fn complete_again(&mut self, otherwise: Reason, limits: &Limits) -> Verdict {
        if self.said == Said::Denied {
            self.denials += 1;
            return if self.denials < limits.denials {
                Verdict::Complete(Credentials::Refreshed)
            } else {
                Verdict::Block(Reason::Denied)
            };
        }
        if self.completions < limits.completions {
            Verdict::Complete(Credentials::AtHand)
        } else {
            Verdict::Block(otherwise)
        }
    }
}
