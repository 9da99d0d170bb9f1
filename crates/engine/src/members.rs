//! Who is in which segment, as far as it was found out: one bit for each profile.
//!
//! An evaluation leaves here what it found, so that the passes that follow, of counting, of
//! deduplication, of sending, ask nobody again.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use plan::Query;

use crate::error::Error;
use crate::row_set::{Address, RowSet};
use crate::spill::{BUCKETS, Sorted, bucket_of, read_part};

/// The members of a segment at an instant.
#[derive(Debug)]
pub(crate) struct Members {
    pub(crate) set: RowSet,
    /// When those became members who were so before, if it is known; see [`times_of`].
    pub(crate) since: Option<Sorted>,
}

/// Who is in an imported segment, and who is not.
#[derive(Debug, Clone)]
pub(crate) struct Import {
    pub(crate) members: Arc<Members>,
    /// What became no member, by reason.
    pub(crate) left_out: Vec<(String, u64)>,
}

/// What was found out about one state of the profiles.
#[derive(Debug, Default)]
pub(crate) struct Known {
    members: Mutex<HashMap<String, Arc<Members>>>,
    imports: Mutex<HashMap<String, Import>>,
}

impl Known {
    /// The members of a query, if they were found out.
    pub(crate) fn members(&self, query: &Query) -> Option<Arc<Members>> {
        let known = self.members.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&question(query)).cloned()
    }

    pub(crate) fn keep_members(&self, query: &Query, members: Members) {
        let mut known = self.members.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(question(query), Arc::new(members));
    }

    /// Bytes of all sets of members.
    pub(crate) fn bytes(&self) -> usize {
        let known = self.members.lock().unwrap_or_else(PoisonError::into_inner);
        known.values().map(|members| members.set.bytes()).sum()
    }

    /// An imported segment, if it was looked up.
    pub(crate) fn import(&self, segment: &str) -> Option<Import> {
        let known = self.imports.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(segment).cloned()
    }

    pub(crate) fn keep_import(&self, segment: &str, import: Import) {
        let mut known = self.imports.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(segment.to_owned(), import);
    }
}

/// Everything that who is a member depends on, but the profiles.
fn question(query: &Query) -> String {
    let history = query.history.map(|history| history.segment).unwrap_or_default();
    let mut text = format!("{}\0{history}\0{}", query.evaluated_at, query.rule.text);
    for segment in &query.segments {
        let _ = write!(text, "\0{}\0{}", segment.key, segment.rule.text);
    }
    text
}

/// The hash that puts all addresses of a morsel into one bucket.
pub(crate) fn morsel_hash(morsel: usize) -> u64 {
    ((morsel % BUCKETS) as u64) << 56
}

/// The times of records of a morsel, sorted by row: entries are addresses and microseconds, each in
/// the bucket of its morsel.
///
/// # Errors
/// Temporary files cannot be read.
pub(crate) fn times_of(times: &Sorted, morsel: usize) -> Result<Vec<(u64, i64)>, Error> {
    let mut found = Vec::new();
    times.read(bucket_of(morsel_hash(morsel)), |entries| {
        let mut part = Vec::new();
        while read_part(entries, &mut part, 16)? {
            let (address, time) = part.split_at(8);
            let number = |bytes: &[u8]| bytes.try_into().map_or(0, u64::from_le_bytes);
            let address = Address(number(address));
            if address.morsel() == morsel {
                found.push((address.row(), number(time) as i64));
            }
        }
        Ok(())
    })?;
    found.sort_unstable();
    Ok(found)
}
