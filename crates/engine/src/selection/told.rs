//! What columns tell of the membership itself: the status, the operation, the time.

use std::sync::Arc;

use arrow::array::{ArrayRef, StringViewArray, TimestampMicrosecondArray};
use arrow::buffer::BooleanBuffer;

use crate::row_set::RowSet;

/// Where a batch stands in the profiles.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spot<'a> {
    pub(crate) morsel: usize,
    /// Position in the morsel of the first record.
    pub(crate) first_row: u64,
    /// Since when members of the morsel are so who are no new ones, sorted by row; nothing where that
    /// is not known.
    pub(crate) since: Option<&'a [(u64, i64)]>,
}

impl Spot<'_> {
    /// The bits of the batch in a set.
    pub(crate) fn bits(&self, set: &RowSet, rows: usize) -> BooleanBuffer {
        let bits = set.slice(self.morsel, self.first_row, rows);
        bits.unwrap_or_else(|| BooleanBuffer::new_unset(rows))
    }
}

/// Why records are sent that are not simply members.
#[derive(Debug, Clone)]
pub(crate) struct Marks {
    /// They were sent before, with other attributes.
    pub(crate) changed: BooleanBuffer,
    /// They are not in the set any more.
    pub(crate) removed: BooleanBuffer,
    /// Since when changed ones are in the set, by position, sorted; in microseconds.
    pub(crate) since: Vec<(usize, i64)>,
}

/// What is written of members and of those who left (behaviour reference §3.4).
const ACTIVE: &str = "active";
const EXPIRED: &str = "expired";
const ADDED: &str = "added";
const CHANGED: &str = "changed";
const REMOVED: &str = "removed";

pub(super) fn status(marks: Option<&Marks>, members: &BooleanBuffer, rows: usize) -> ArrayRef {
    let Some(marks) = marks else { return repeated(ACTIVE, rows) };
    let word = |row| Some(if marks.removed.value(row) { EXPIRED } else { ACTIVE });
    Arc::new(members.set_indices().map(word).collect::<StringViewArray>())
}

pub(super) fn operation(marks: Option<&Marks>, members: &BooleanBuffer, rows: usize) -> ArrayRef {
    let Some(marks) = marks else { return repeated(ADDED, rows) };
    let word = |row| match () {
        () if marks.removed.value(row) => REMOVED,
        () if marks.changed.value(row) => CHANGED,
        () => ADDED,
    };
    Arc::new(members.set_indices().map(|row| Some(word(row))).collect::<StringViewArray>())
}

/// What is said of so many who left and have no record any more.
pub(super) fn status_of_the_gone(rows: usize) -> ArrayRef {
    repeated(EXPIRED, rows)
}

pub(super) fn operation_of_the_gone(rows: usize) -> ArrayRef {
    repeated(REMOVED, rows)
}

pub(super) fn time_of_the_gone(time: i64, rows: usize) -> ArrayRef {
    Arc::new(TimestampMicrosecondArray::from_value(time, rows).with_timezone("UTC"))
}

fn repeated(word: &str, rows: usize) -> ArrayRef {
    Arc::new(StringViewArray::from_iter_values(std::iter::repeat_n(word, rows)))
}

/// When members became so: now, but for those who were so before. Those who left did so now.
pub(super) fn times(
    time: i64,
    marks: Option<&Marks>,
    members: &BooleanBuffer,
    rows: usize,
    spot: Spot<'_>,
) -> ArrayRef {
    let sent = marks.map_or(&[][..], |marks| &marks.since);
    let is_removed = |row: usize| marks.is_some_and(|marks| marks.removed.value(row));
    let times = match spot.since {
        Some([]) => TimestampMicrosecondArray::from_value(time, rows),
        Some(since) => {
            let first = spot.first_row;
            let known = |row: usize| since.binary_search_by_key(&(first + row as u64), |it| it.0);
            let told = |row: usize| match known(row) {
                Ok(found) if !is_removed(row) => since[found].1,
                _ => time,
            };
            TimestampMicrosecondArray::from_iter_values(members.set_indices().map(told))
        }
        None if sent.is_empty() => TimestampMicrosecondArray::from_value(time, rows),
        None => {
            let known = |row| sent.binary_search_by_key(&row, |(row, _)| *row);
            let told = |row| known(row).map_or(time, |found| sent[found].1);
            TimestampMicrosecondArray::from_iter_values(members.set_indices().map(told))
        }
    };
    Arc::new(times.with_timezone("UTC"))
}
