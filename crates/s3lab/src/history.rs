//! What became visible, and when: the record that an oracle checks promises against.

use std::collections::{BTreeMap, VecDeque};
use std::time::SystemTime;

/// One change of what a reader of a key sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Counts the changes of a lab from 1; a gap at the beginning means that old changes were dropped.
    pub sequence: u64,
    /// When, by the lab's clock.
    pub at: SystemTime,
    /// Where.
    pub bucket: String,
    /// Which key.
    pub key: String,
    /// What happened.
    pub event: Event,
    /// The ETag of the object that is visible now, or of the one that went.
    pub etag: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its version, if the bucket has versions.
    pub version_id: Option<String>,
    /// Its user metadata, names without `x-amz-meta-`.
    pub metadata: BTreeMap<String, String>,
}

/// What happened to a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// Nothing was visible, now something is.
    Created,
    /// Something else is visible now.
    Replaced,
    /// Nothing is visible any more.
    Deleted,
}

/// The bounded list of changes.
#[derive(Debug)]
pub(crate) struct History {
    changes: VecDeque<Change>,
    sequence: u64,
    changes_max: usize,
}

impl History {
    pub(crate) fn new(changes_max: usize) -> Self {
        Self { changes: VecDeque::new(), sequence: 0, changes_max }
    }

    /// Adds a change and gives it the next number.
    pub(crate) fn add(&mut self, mut change: Change) {
        self.sequence += 1;
        change.sequence = self.sequence;
        if self.changes.len() >= self.changes_max {
            self.changes.pop_front();
        }
        self.changes.push_back(change);
    }

    pub(crate) fn all(&self) -> Vec<Change> {
        self.changes.iter().cloned().collect()
    }
}
