//! What was asked and answered, for tests that count requests and for the demo's curious users.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use crate::operation::Operation;

/// One request and its answer. Holds no secret and no signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The answer's `x-amz-request-id`.
    pub request_id: String,
    /// When the answer began, by the lab's clock.
    pub at: SystemTime,
    /// What was asked.
    pub operation: Operation,
    /// The bucket, or empty.
    pub bucket: String,
    /// The key, or empty.
    pub key: String,
    /// The query without signatures, decoded.
    pub query: String,
    /// Who asked, as far as the request said.
    pub access_key_id: Option<String>,
    /// The HTTP status, or 0 if the connection was broken instead of an answer.
    pub status: u16,
    /// The S3 error code, if the answer had one.
    pub code: Option<String>,
    /// How many bytes of the request's body were read, framing included.
    pub bytes_in: u64,
    /// How many bytes the answer's body has, as far as its length was known.
    pub bytes_out: u64,
    /// Whether a fault acted on this request.
    pub faulted: bool,
}

/// The bounded list of entries.
#[derive(Debug)]
pub(crate) struct AccessLog {
    entries: Mutex<VecDeque<Entry>>,
    entries_max: usize,
}

impl AccessLog {
    pub(crate) fn new(entries_max: usize) -> Self {
        Self { entries: Mutex::default(), entries_max }
    }

    pub(crate) fn add(&self, entry: Entry) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= self.entries_max {
            entries.pop_front();
        }
        entries.push_back(entry);
    }

    pub(crate) fn all(&self) -> Vec<Entry> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    pub(crate) fn clear(&self) {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
