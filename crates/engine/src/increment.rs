//! What changed since the last delivered run: who joined, who left, whose attributes differ.
//!
//! A full export sends a set of rows; an incremental one sends the difference between the set that a
//! full export would send now and the set that the receiver has. Whoever applies all increments to
//! the first file therefore has today's set, exactly, whatever happened in between: leaving the
//! segment, losing a mandatory attribute, losing to another row of the same key.
//!
//! ```text
//! records ──rule──▶ entries (entity, address) ──┐
//!                                               ├─ bucket by bucket ─▶ added, changed, removed
//! baseline of the last delivered run ───────────┘                └──▶ baseline of this run
//! ```
//!
//! An entity is what the receiver tells rows apart by: the deduplication key where there is one,
//! otherwise the profile's primary identity ([`entity`]). Entries are compared by a 128-bit hash,
//! bucket by bucket, both sides sorted ([`compare`]); no side is ever in memory as a whole. The
//! baseline is a Parquet file ([`baseline`]). Where the removed are, or what is still known of them,
//! is found out last ([`removed`]).

mod baseline;
mod compare;
mod entity;
mod removed;
mod standing;
mod trial;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::buffer::BooleanBuffer;
use plan::Query;
use plan::project::Column;
use plan::run_plan::Increment;

use self::baseline::{Baseline, Facts, Writer};
use self::compare::{Compared, Today};
use self::entity::{Entities, Kept};
pub(crate) use self::entity::{Teller, texts};
pub(crate) use self::removed::Gone;
pub(crate) use self::standing::{Standing, standing};
pub use self::trial::RowHashes;
use crate::deduplicate;
use crate::error::Error;
use crate::members::times_of;
use crate::row_set::RowSet;
use crate::rows::{Counts, Movement, Pass};
use crate::selection::{Marks, Parts, Restriction, Selection, Who};
use crate::spill::{Limits, Sorted};
use crate::survey::Survey;

/// Where the sets of rows are kept that runs have sent.
#[derive(Debug, Clone, Copy, Default)]
pub struct Baselines<'a> {
    /// That of the last delivered run. Without one everybody is new.
    pub last: Option<&'a Path>,
    /// Where this run leaves its own; nothing is left without one.
    pub next: Option<&'a Path>,
}

/// What an increment sends, found out and not yet read.
#[derive(Debug)]
pub(crate) struct Difference {
    /// Reads the rows that are sent, whether the rule takes them or not.
    pub(crate) pass: Pass,
    /// Where they stand, and why they are sent.
    pub(crate) sent: Sent,
    /// Of whom only the baseline knows.
    pub(crate) gone: Option<Gone>,
    /// Everything but the rows that are still to be read.
    pub(crate) counts: Counts,
}

/// The records that are sent, by address.
#[derive(Debug, Default)]
pub(crate) struct Sent {
    all: RowSet,
    changed: RowSet,
    removed: RowSet,
    /// When the changed ones became members, where it is asked for: entries (address, microseconds)
    /// in the bucket of their morsel.
    since: Option<Sorted>,
}

impl Sent {
    /// Whether any record of a morsel is sent.
    pub(crate) fn has_any(&self, morsel: usize) -> bool {
        self.all.has_any(morsel)
    }

    /// Loads what is known of the rows of a morsel.
    pub(crate) fn known(&self, morsel: usize) -> Result<Known<'_>, Error> {
        let since = self.since.as_ref().map(|since| times_of(since, morsel)).transpose()?;
        Ok(Known { number: morsel, since: since.unwrap_or_default(), sent: self })
    }
}

/// What is known of the rows of one morsel.
pub(crate) struct Known<'a> {
    number: usize,
    /// Sorted by row.
    since: Vec<(u64, i64)>,
    sent: &'a Sent,
}

impl Known<'_> {
    /// Which of the next records are sent, and why.
    pub(crate) fn restriction(&self, first_row: u64, rows: usize) -> Restriction {
        let bits = |set: &RowSet| {
            let slice = set.slice(self.number, first_row, rows);
            slice.unwrap_or_else(|| BooleanBuffer::new_unset(rows))
        };
        let before = |end: u64| self.since.partition_point(|(row, _)| *row < end);
        let since = &self.since[before(first_row)..before(first_row + rows as u64)];
        Restriction::Exactly {
            rows: bits(&self.sent.all),
            marks: Marks {
                changed: bits(&self.sent.changed),
                removed: bits(&self.sent.removed),
                since: since
                    .iter()
                    .map(|&(row, time)| ((row - first_row) as usize, time))
                    .collect(),
            },
        }
    }
}

/// Finds out what changed, and leaves the new baseline.
///
/// # Errors
/// Those of reading the snapshot; a baseline that cannot be read or written.
pub(crate) async fn difference(
    query: &Query,
    increment: &Increment,
    baselines: Baselines<'_>,
    survey: &Arc<Survey>,
    limits: &Limits,
    threads: usize,
) -> Result<Difference, Error> {
    let losers = deduplicate::losers(query, survey, limits.clone(), threads).await?;
    let kept = Kept::new(query, increment, survey)?;
    let facts = Facts::new(query, increment, &survey.key, &kept.schema);
    let last = match baselines.last {
        Some(path) => Baseline::open(path, &facts)?,
        None => None,
    };
    let has_baseline = last.is_some();
    let told_of_all = kept.columns.clone();
    let entities = Entities::new(query, increment, kept, survey)?;
    let reasons: Vec<String> = entities.pass.selection.reasons().collect();
    let with_key = losers.is_some();
    let (today, census) = entities.sort(losers, limits.clone(), threads).await?;
    let wants_since = query.columns.iter().any(Column::is_qualification_time);
    let today = Today {
        entries: today,
        converter: census.converter,
        now: query.evaluated_at.as_microsecond(),
        since: wants_since,
    };
    let next = baselines.next.map(|path| Writer::create(path, &facts)).transpose()?;
    let compare = {
        let (last, limits, increment) = (last.clone(), limits.clone(), increment.clone());
        move || compare::compare(today, last.as_ref(), next, &increment, &limits, threads)
    };
    let compared = tokio::task::spawn_blocking(compare).await.map_err(crate::store::stopped)??;
    let Compared { mut sent, added, changed, unchanged, repeated, left, members } = compared;
    let (removed, gone) = match (left, last) {
        (Some(left), Some(last)) => {
            let found = removed::find(query, left, &last, survey, limits, threads).await?;
            sent.removed = found.here;
            sent.all.add_all(&sent.removed);
            (found.count, found.gone)
        }
        _ => (0, None),
    };
    let excluded = reasons.into_iter().zip(census.left_out);
    let excluded = excluded
        .chain(Some(("no_identity".to_owned(), census.without_identity)))
        .chain(with_key.then(|| ("duplicate".to_owned(), census.duplicates)))
        .chain((repeated > 0).then(|| ("repeated_identity".to_owned(), repeated)))
        .chain(Some(("unchanged".to_owned(), unchanged)));
    let counts = Counts {
        left_out: Vec::new(),
        scanned: census.scanned,
        received: census.received + removed,
        excluded: excluded.collect(),
        activated: added + changed + removed,
        movement: Some(Movement { members, added, changed, removed, baseline: has_baseline }),
    };
    Ok(Difference { pass: reading(query, &told_of_all, survey)?, sent, gone, counts })
}

/// The pass that reads the rows that are sent: all columns, none of them a condition. Of those who
/// withdrew their consent it has the `kept` columns alone.
fn reading(query: &Query, kept: &[usize], survey: &Arc<Survey>) -> Result<Pass, Error> {
    let columns: Vec<Column> = query.columns.iter().cloned().map(Column::optional).collect();
    let parts = Parts { who: Who::Left { kept }, columns: &columns, hidden: &[], query };
    let selection = Arc::new(Selection::new(parts, survey)?);
    Ok(Pass { survey: Arc::clone(survey), selection })
}

/// A counter that several threads add to.
#[derive(Debug, Default)]
struct Shared<T>(Mutex<T>);

impl<T> Shared<T> {
    fn new(value: T) -> Self {
        Self(Mutex::new(value))
    }

    fn with<R>(&self, work: impl FnOnce(&mut T) -> R) -> R {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
