//! What columns tell of the membership itself: the status, the operation, the time.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringViewArray, TimestampMicrosecondArray};
use arrow::buffer::BooleanBuffer;

use crate::identity_rows::records_of;
use crate::row_set::{Address, RowSet};

/// Where a batch stands in the profiles.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spot<'a> {
    pub(crate) morsel: usize,
    /// Position in the morsel of the first record.
    pub(crate) first_row: u64,
    /// Since when members of the morsel are so who are no new ones, sorted by record; nothing where
    /// that is not known.
    pub(crate) since: Option<&'a [(u64, i64)]>,
}

/// The records that the rows of a batch are of, by position in their morsel: what is known of profiles
/// is known by those.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Records<'a> {
    morsel: usize,
    first: u64,
    /// One for each row, where rows stand at other places than their records.
    of_rows: Option<&'a [u64]>,
    count: usize,
}

impl<'a> Records<'a> {
    pub(crate) fn of(batch: &'a RecordBatch, spot: Spot<'_>) -> Self {
        let (of_rows, count) = (records_of(batch), batch.num_rows());
        Self { morsel: spot.morsel, first: spot.first_row, of_rows, count }
    }

    /// The record of a row.
    fn at(&self, row: usize) -> u64 {
        self.of_rows.map_or(self.first + row as u64, |records| records[row])
    }

    /// The bits of the rows in a set of records.
    pub(crate) fn bits(&self, set: &RowSet) -> BooleanBuffer {
        match self.of_rows {
            Some(records) => BooleanBuffer::collect_bool(self.count, |row| {
                set.contains(Address::new(self.morsel, records[row]))
            }),
            None => {
                let bits = set.slice(self.morsel, self.first, self.count);
                bits.unwrap_or_else(|| BooleanBuffer::new_unset(self.count))
            }
        }
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
    (spot, records): (Spot<'_>, Records<'_>),
) -> ArrayRef {
    let sent = marks.map_or(&[][..], |marks| &marks.since);
    let is_removed = |row: usize| marks.is_some_and(|marks| marks.removed.value(row));
    let times = match spot.since {
        Some([]) => TimestampMicrosecondArray::from_value(time, rows),
        Some(since) => {
            let known = |row: usize| since.binary_search_by_key(&records.at(row), |it| it.0);
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
