//! The rows of a query: in snapshot order, read by several threads, counted.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use futures::Stream;

use crate::error::Error;
use crate::ordered::{Ordered, Outlet, Stop};
use crate::row_set::RowSet;
use crate::selection::{Restriction, Selected, Selection};
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
    /// Members left out, by reason: `missing:<header>` in column order, then `duplicate`. Reasons
    /// that could apply are listed even when they did not.
    pub excluded: Vec<(String, u64)>,
    /// Rows: the members that were not left out.
    pub activated: u64,
}

/// The counts of [`Rows`] while they are read; they are final once the stream has ended.
#[derive(Debug, Clone)]
pub struct Tally {
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

    /// The counts so far.
    pub fn counts(&self) -> Counts {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let count = |number: usize| state.excluded.get(&number).copied().unwrap_or(0);
        let excluded = self.reasons.iter().enumerate();
        Counts {
            left_out: self.left_out.to_vec(),
            scanned: state.scanned,
            received: state.received,
            excluded: excluded.map(|(number, reason)| (reason.clone(), count(number))).collect(),
            activated: state.activated,
        }
    }

    fn add(&self, scanned: usize, selected: &Selected) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.scanned += scanned as u64;
        state.received += selected.received;
        state.activated += selected.batch.num_rows() as u64;
        let excluded = selected.missing.iter().copied().chain([selected.duplicates]);
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
        let failed = |error: Error| {
            let place = error.place().is_none_or(|place| place.location.is_empty());
            let error = if place { error.in_file(self.survey.location(morsel)) } else { error };
            Stop::Failed(error.into())
        };
        let mut first_row = 0;
        for records in self.survey.read(morsel, &self.selection.needed).map_err(failed)? {
            let records = records.map_err(failed)?;
            let scanned = records.num_rows();
            let restriction = restriction(first_row, scanned);
            let selected = self.selection.select(&records, &restriction).map_err(failed)?;
            each(Piece { selected, first_row, scanned })?;
            first_row += scanned as u64;
        }
        Ok(())
    }
}

/// The rows of a query, not yet read.
#[derive(Debug)]
pub struct Rows {
    pass: Pass,
    losers: Option<Arc<RowSet>>,
    tally: Tally,
    threads: usize,
}

impl Rows {
    pub(crate) fn new(
        pass: Pass,
        losers: Option<RowSet>,
        left_out: &[(String, u64)],
        threads: usize,
    ) -> Self {
        let tally = Tally::new(&pass.selection, losers.is_some(), left_out);
        Self { pass, losers: losers.map(Arc::new), tally, threads }
    }

    /// The headers, in column order, with the types in which the batches hold their columns.
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.pass.selection.schema)
    }

    /// The counts; keep them, they fill while the stream is read.
    pub fn tally(&self) -> Tally {
        self.tally.clone()
    }

    /// Runs `work` on every batch on the thread that read it, several at once, and yields the
    /// results in snapshot order whatever the number of threads.
    ///
    /// No batch is empty. The stream ends behind the first error; dropping it stops the readers.
    /// Poll it inside a tokio runtime, whose blocking threads do the reading.
    pub fn map_ordered<T, E, F>(self, work: F) -> impl Stream<Item = Result<T, E>> + Send + Unpin
    where
        F: Fn(RecordBatch) -> Result<T, E> + Send + Sync + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let Self { pass, losers, tally, threads } = self;
        let morsels = pass.survey.morsels.len();
        Ordered::new(morsels, threads, move |morsel, outlet: &Outlet<T, E>| {
            let restriction = |first_row, rows| match &losers {
                None => Restriction::None,
                Some(losers) => match losers.slice(morsel, first_row, rows) {
                    None => Restriction::None,
                    Some(bits) => Restriction::Without(bits),
                },
            };
            pass.read_morsel(morsel, restriction, |piece| {
                tally.add(piece.scanned, &piece.selected);
                if piece.selected.batch.num_rows() == 0 {
                    return Ok(());
                }
                let result = work(piece.selected.batch).map_err(Stop::Failed)?;
                Ok(outlet.send(result)?)
            })
        })
    }
}
