//! The rows of a query: in snapshot order, read by several threads, counted.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use futures::{Stream, TryStreamExt};

use crate::error::Error;
use crate::increment::{Difference, Gone, Sent};
use crate::ordered::{Ordered, Outlet, Stop};
use crate::row_set::RowSet;
use crate::selection::{Restriction, Selected, Selection, Spot};
use crate::spill::{Buckets, Limits};
use crate::survey::Survey;

/// What became of the records of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counts {
    /// Records that are no profile, and profiles that cannot be told, by reason; the rule was not
    /// asked about them. `no_identity:<dataset>` counts records, `too_many_identities` and
    /// `too_many_records` count profiles. See [`Profiles`](crate::Profiles).
    pub left_out: Vec<(String, u64)>,
    /// Profiles read.
    pub scanned: u64,
    /// Members of the segment: those for whom the rule is true.
    pub received: u64,
    /// Members left out, by reason: `consent`, `missing:<header>` in column order, then
    /// `duplicate`. Reasons
    /// that could apply are listed even when they did not.
    pub excluded: Vec<(String, u64)>,
    /// Rows: the members that were not left out.
    pub activated: u64,
    /// What became of the set of rows since the last delivered run, for an incremental one. Those who
    /// left count as received, and so do members who are `unchanged` and therefore left out.
    pub movement: Option<Movement>,
}

/// How the set of rows that a full export would send differs from the one sent last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Movement {
    /// Rows that a full export would have.
    pub members: u64,
    /// Rows for those who were not in the set.
    pub added: u64,
    /// Rows for those whose attributes differ, in an export of changes.
    pub changed: u64,
    /// Rows for those who are not in the set any more, where leavers are sent.
    pub removed: u64,
    /// Whether there was a set to compare with; without one this is a first, full file.
    pub baseline: bool,
}

/// Counts members while they are read.
#[derive(Debug, Clone)]
pub(crate) struct Tally {
    left_out: Arc<[(String, u64)]>,
    reasons: Arc<[String]>,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    scanned: u64,
    received: u64,
    activated: u64,
    excluded: BTreeMap<usize, u64>,
}

impl Tally {
    fn new(selection: &Selection, deduplicates: bool, left_out: &[(String, u64)]) -> Self {
        let duplicate = deduplicates.then(|| "duplicate".to_owned());
        let reasons = selection.reasons().chain(duplicate).collect();
        Self { left_out: left_out.into(), reasons, state: Arc::default() }
    }

    fn counts(&self) -> Counts {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let count = |number: usize| state.excluded.get(&number).copied().unwrap_or(0);
        let excluded = self.reasons.iter().enumerate();
        Counts {
            left_out: self.left_out.to_vec(),
            scanned: state.scanned,
            received: state.received,
            excluded: excluded.map(|(number, reason)| (reason.clone(), count(number))).collect(),
            activated: state.activated,
            movement: None,
        }
    }

    fn add(&self, scanned: usize, selected: &Selected) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.scanned += scanned as u64;
        state.received += selected.received;
        state.activated += selected.batch.num_rows() as u64;
        let excluded = selected.left_out.iter().copied().chain([selected.duplicates]);
        for (number, count) in excluded.enumerate().filter(|&(_, count)| count > 0) {
            *state.excluded.entry(number).or_default() += count;
        }
    }
}

/// One pass over a snapshot with a selection.
#[derive(Debug, Clone)]
pub(crate) struct Pass {
    pub(crate) survey: Arc<Survey>,
    pub(crate) selection: Arc<Selection>,
}

/// A batch of records after selection, with where it stands.
pub(crate) struct Piece {
    pub(crate) selected: Selected,
    /// Position in the morsel of the first record of the batch.
    pub(crate) first_row: u64,
    /// How many records the batch had.
    pub(crate) scanned: usize,
}

impl Pass {
    /// Reads a morsel and hands each batch on; `restriction` tells which records count, given the
    /// position of the first and their number.
    pub(crate) fn read_morsel<E: From<Error>>(
        &self,
        morsel: usize,
        restriction: impl Fn(u64, usize) -> Restriction,
        mut each: impl FnMut(Piece) -> Result<(), Stop<E>>,
    ) -> Result<(), Stop<E>> {
        let location = self.survey.location(morsel);
        let failed = |error: Error| Stop::Failed(error.in_file_if_untold(location).into());
        let since = self.selection.since(morsel).map_err(failed)?;
        let mut first_row = 0;
        for records in self.survey.read(morsel, &self.selection.needed).map_err(failed)? {
            let records = records.map_err(failed)?;
            let scanned = records.num_rows();
            let restriction = restriction(first_row, scanned);
            let spot = Spot { morsel, first_row, since: since.as_deref() };
            let selected = self.selection.select(&records, &restriction, spot).map_err(failed)?;
            each(Piece { selected, first_row, scanned })?;
            first_row += scanned as u64;
        }
        Ok(())
    }
}

/// Reads the snapshot on all threads; `add` puts what it makes of each batch into buckets. Morsels
/// without a restriction are passed over.
pub(crate) async fn sort(
    pass: Pass,
    limits: Limits,
    threads: usize,
    restriction: impl Fn(usize, u64, usize) -> Option<Restriction> + Send + Sync + 'static,
    add: impl Fn(usize, &Piece, &Mutex<Buckets>) -> Result<(), Error> + Send + Sync + 'static,
) -> Result<Buckets, Error> {
    let buckets = Arc::new(Mutex::new(Buckets::new(limits)));
    let shared = Arc::clone(&buckets);
    let count = pass.survey.morsels.len();
    let mut jobs: Ordered<(), Error> =
        Ordered::new(count, threads, move |morsel, _: &Outlet<(), Error>| {
            if restriction(morsel, 0, 0).is_none() {
                return Ok(());
            }
            let restrict =
                |first, rows| restriction(morsel, first, rows).unwrap_or(Restriction::None);
            pass.read_morsel(morsel, restrict, |piece| {
                add(morsel, &piece, &shared).map_err(Stop::Failed)
            })
        });
    while jobs.try_next().await?.is_some() {}
    drop(jobs);
    let buckets =
        Arc::into_inner(buckets).ok_or_else(|| Error::internal("a job outlived its stream"))?;
    Ok(buckets.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// The rows of a query, not yet read.
#[derive(Debug)]
pub struct Rows {
    pass: Pass,
    choice: Choice,
    counter: Counter,
    threads: usize,
}

/// Which records become rows.
#[derive(Debug)]
enum Choice {
    /// All members but those who lose to another one with their key.
    Members { losers: Option<RowSet> },
    /// Exactly those that an incremental run sends, and those of whom no record is left.
    Difference { sent: Sent, gone: Option<Gone> },
}

#[derive(Debug, Clone)]
enum Counter {
    /// Counts while rows are read.
    Reading(Tally),
    /// Everything was counted before.
    Known(Counts),
}

/// The counts of [`Rows`], final once the stream has ended.
#[derive(Debug, Clone)]
pub struct RowCounts(Counter);

impl RowCounts {
    /// The counts so far.
    pub fn counts(&self) -> Counts {
        match &self.0 {
            Counter::Reading(tally) => tally.counts(),
            Counter::Known(counts) => counts.clone(),
        }
    }
}

impl Rows {
    /// All members.
    pub(crate) fn of_members(
        pass: Pass,
        losers: Option<RowSet>,
        left_out: &[(String, u64)],
        threads: usize,
    ) -> Self {
        let counter = Counter::Reading(Tally::new(&pass.selection, losers.is_some(), left_out));
        Self { pass, choice: Choice::Members { losers }, counter, threads }
    }

    /// What changed.
    pub(crate) fn of_difference(difference: Difference, threads: usize) -> Self {
        let Difference { pass, sent, gone, counts } = difference;
        let choice = Choice::Difference { sent, gone };
        Self { pass, choice, counter: Counter::Known(counts), threads }
    }

    /// The headers, in column order, with the types in which the batches hold their columns.
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.pass.selection.schema)
    }

    /// The counts; keep them, they fill while the stream is read.
    pub fn tally(&self) -> RowCounts {
        RowCounts(self.counter.clone())
    }

    /// Runs `work` on every batch on the thread that read it, several at once, and yields the
    /// results in snapshot order whatever the number of threads; those of whom no record is left
    /// come last.
    ///
    /// No batch is empty. The stream ends behind the first error; dropping it stops the readers.
    /// Poll it inside a tokio runtime, whose blocking threads do the reading.
    pub fn map_ordered<T, E, F>(self, work: F) -> impl Stream<Item = Result<T, E>> + Send + Unpin
    where
        F: Fn(RecordBatch) -> Result<T, E> + Send + Sync + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let Self { pass, choice, counter, threads } = self;
        let morsels = pass.survey.morsels.len();
        let tail = matches!(choice, Choice::Difference { gone: Some(_), .. });
        Ordered::new(morsels + usize::from(tail), threads, move |job, outlet: &Outlet<T, E>| {
            let send = |batch: RecordBatch| -> Result<(), Stop<E>> {
                if batch.num_rows() == 0 {
                    return Ok(());
                }
                Ok(outlet.send(work(batch).map_err(Stop::Failed)?)?)
            };
            match &choice {
                Choice::Members { losers } => {
                    let restriction = |first_row, rows| match losers {
                        None => Restriction::None,
                        Some(losers) => match losers.slice(job, first_row, rows) {
                            None => Restriction::None,
                            Some(bits) => Restriction::Without(bits),
                        },
                    };
                    pass.read_morsel(job, restriction, |piece| {
                        if let Counter::Reading(tally) = &counter {
                            tally.add(piece.scanned, &piece.selected);
                        }
                        send(piece.selected.batch)
                    })
                }
                Choice::Difference { gone: Some(gone), .. } if job == morsels => {
                    gone.read(&pass.selection, send)
                }
                Choice::Difference { sent, .. } => {
                    if !sent.has_any(job) {
                        return Ok(());
                    }
                    let known = sent.known(job).map_err(|error| Stop::Failed(error.into()))?;
                    let restriction = |first_row, rows| known.restriction(first_row, rows);
                    pass.read_morsel(job, restriction, |piece| send(piece.selected.batch))
                }
            }
        })
    }
}
