//! Faults on chosen requests: what a network and a busy service do, when a test wants it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::watch;

use crate::operation::{Operation, Target};

/// How many requests may be held back at a time, and how large a body may be that is held.
const HELD_MAX: usize = 100;
pub(crate) const HELD_BODY_BYTES_MAX: usize = 8 * 1024 * 1024;

/// A fault: which requests it meets, and what happens to them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Only this operation; any if `None`.
    pub operation: Option<Operation>,
    /// Only keys that contain this text; any if `None`.
    pub key_contains: Option<String>,
    /// How many matching requests go through before the fault acts.
    pub skip: u64,
    /// How many matching requests it acts on then.
    pub times: u64,
    /// What happens.
    pub action: Action,
}

/// What happens to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// The operation does not take place; this error is the answer.
    Answer {
        /// The HTTP status.
        status: u16,
        /// The S3 error code.
        code: String,
        /// Whether the body is read first.
        timing: Timing,
    },
    /// The connection is reset after this many bytes of the body were read; the operation does not take place.
    ResetRequest {
        /// How many bytes, at least; at the end of the body at the latest.
        after_bytes: u64,
    },
    /// The operation takes place, then the connection is reset.
    LoseReply,
    /// The operation takes place; the connection ends within the answer's body.
    CutReply {
        /// How many bytes of the answer's body are sent.
        after_bytes: u64,
    },
    /// The operation takes place; the answer is whole for HTTP, but its text ends early.
    TruncateReply {
        /// How many bytes of the answer's body are left.
        after_bytes: usize,
    },
    /// The request waits until [`Faults::release`] or the end of the lab, before the operation or after it.
    Hang(Outcome),
    /// The body is read slowly.
    SlowBody {
        /// How fast, at least 1.
        bytes_per_second: u64,
    },
    /// The answer is 200 with an `<Error>` in its body.
    OkWithError {
        /// The S3 error code in the body.
        code: String,
        /// Whether the operation takes place nevertheless.
        outcome: Outcome,
    },
    /// The operation takes place, and a copy of the request is kept for
    /// [`Lab::deliver_held`](crate::Lab::deliver_held). Bodies above 8 MiB are refused with 400.
    HoldDuplicate,
}

/// When an answer is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timing {
    /// Before the body is read: a client that is still sending may see a broken pipe instead.
    Early,
    /// After the body was read.
    Late,
}

/// Whether an operation took place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It did.
    Done,
    /// It did not.
    NotDone,
}

impl Action {
    /// Returns 503 `SlowDown` before the body is read.
    pub fn slow_down_early() -> Self {
        Self::Answer { status: 503, code: "SlowDown".into(), timing: Timing::Early }
    }

    /// Returns 503 `SlowDown` after the body was read.
    pub fn slow_down_late() -> Self {
        Self::answer(503, "SlowDown")
    }

    /// Returns 500 `InternalError`.
    pub fn internal_error() -> Self {
        Self::answer(500, "InternalError")
    }

    /// Returns 400 `ExpiredToken`.
    pub fn expired_token() -> Self {
        Self::answer(400, "ExpiredToken")
    }

    /// Returns any error, after the body was read.
    pub fn answer(status: u16, code: &str) -> Self {
        Self::Answer { status, code: code.into(), timing: Timing::Late }
    }
}

impl Fault {
    /// Acts once, on the first request of an operation.
    pub fn on(operation: Operation, action: Action) -> Self {
        Self { operation: Some(operation), ..Self::on_any(action) }
    }

    /// Acts once, on the first request of any operation.
    pub fn on_any(action: Action) -> Self {
        Self { operation: None, key_contains: None, skip: 0, times: 1, action }
    }

    /// Meets only keys that contain a text.
    #[must_use]
    pub fn key_contains(mut self, text: &str) -> Self {
        self.key_contains = Some(text.to_owned());
        self
    }

    /// Lets some matching requests through first.
    #[must_use]
    pub fn skip(mut self, requests: u64) -> Self {
        self.skip = requests;
        self
    }

    /// Acts on several requests in a row.
    #[must_use]
    pub fn times(mut self, requests: u64) -> Self {
        self.times = requests;
        self
    }

    /// Acts on all matching requests from then on.
    #[must_use]
    pub fn always(self) -> Self {
        self.times(u64::MAX)
    }

    fn meets(&self, target: &Target) -> bool {
        self.operation.is_none_or(|operation| operation == target.operation)
            && self.key_contains.as_ref().is_none_or(|text| target.key.contains(text))
    }
}

/// Names a fault that was added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FaultId(u64);

/// The faults of a lab. A request meets at most one: the first added that still acts.
#[derive(Debug)]
pub struct Faults {
    rules: Mutex<Rules>,
    released: watch::Sender<u64>,
    held: Mutex<Vec<Held>>,
}

#[derive(Debug, Default)]
struct Rules {
    next: u64,
    list: Vec<Rule>,
}

#[derive(Debug)]
struct Rule {
    id: FaultId,
    fault: Fault,
    met: u64,
    acted: u64,
}

/// A request that is kept for later.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub(crate) head: http::request::Parts,
    pub(crate) body: Bytes,
}

impl Faults {
    pub(crate) fn new() -> Self {
        Self { rules: Mutex::default(), released: watch::Sender::new(0), held: Mutex::default() }
    }

    /// Adds a fault.
    pub fn add(&self, fault: Fault) -> FaultId {
        let mut rules = self.rules();
        rules.next += 1;
        let id = FaultId(rules.next);
        rules.list.push(Rule { id, fault, met: 0, acted: 0 });
        id
    }

    /// Takes a fault away.
    pub fn remove(&self, id: FaultId) {
        self.rules().list.retain(|rule| rule.id != id);
    }

    /// Takes all faults away.
    pub fn clear(&self) {
        self.rules().list.clear();
    }

    /// Returns how many requests a fault acted on; 0 for one that was taken away.
    pub fn acted(&self, id: FaultId) -> u64 {
        self.rules().list.iter().find(|rule| rule.id == id).map_or(0, |rule| rule.acted)
    }

    /// Lets every request go on that hangs now.
    pub fn release(&self) {
        self.released.send_modify(|count| *count += 1);
    }

    /// Returns how many requests are held for a later delivery.
    pub fn held(&self) -> usize {
        self.held_list().len()
    }

    /// Returns what happens to a request, and counts it.
    pub(crate) fn meet(&self, target: &Target) -> Option<Action> {
        let mut rules = self.rules();
        let mut found = None;
        for rule in rules.list.iter_mut().filter(|rule| rule.fault.meets(target)) {
            rule.met += 1;
            let acts = rule.met > rule.fault.skip && rule.acted < rule.fault.times;
            if found.is_none() && acts {
                rule.acted += 1;
                found = Some(rule.fault.action.clone());
            }
        }
        found
    }

    /// Waits for the next [`Faults::release`].
    pub(crate) async fn wait_for_release(&self) {
        // The sender lives in `self`, so that this ends only with a change.
        let _ = self.released.subscribe().changed().await;
    }

    /// Keeps a request. Tells whether there was room.
    pub(crate) fn hold(&self, held: Held) -> bool {
        let mut list = self.held_list();
        let room = list.len() < HELD_MAX;
        if room {
            list.push(held);
        }
        room
    }

    pub(crate) fn take_held(&self) -> Vec<Held> {
        std::mem::take(&mut self.held_list())
    }

    fn rules(&self) -> MutexGuard<'_, Rules> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn held_list(&self) -> MutexGuard<'_, Vec<Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(operation: Operation, key: &str) -> Target {
        Target { operation, bucket: "b".into(), key: key.into(), query: Vec::new() }
    }

    #[test]
    fn faults_choose_and_count() {
        let faults = Faults::new();
        let lost =
            Fault::on(Operation::PutObject, Action::LoseReply).key_contains("b").skip(1).times(2);
        let id = faults.add(lost);
        faults.add(Fault::on_any(Action::internal_error()));
        let meet = |operation, key| faults.meet(&target(operation, key));
        assert_eq!(meet(Operation::PutObject, "abc"), Some(Action::internal_error()));
        assert_eq!(meet(Operation::PutObject, "abc"), Some(Action::LoseReply));
        assert_eq!(meet(Operation::PutObject, "x"), None);
        assert_eq!(meet(Operation::GetObject, "abc"), None);
        assert_eq!(meet(Operation::PutObject, "abc"), Some(Action::LoseReply));
        assert_eq!(meet(Operation::PutObject, "abc"), None);
        assert_eq!(faults.acted(id), 2);
        faults.remove(id);
        assert_eq!(faults.acted(id), 0);
    }
}
