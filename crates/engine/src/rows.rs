//! The rows of a query: in snapshot order, read by several threads, counted.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::RecordBatch;
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::{Fields, Schema, SchemaRef};
use futures::{Stream, StreamExt as _, TryStreamExt, stream};

use crate::error::Error;
use crate::increment::{Difference, Gone, OnTheWay, Sent};
use crate::ordered::{Ordered, Outlet, Stop};
use crate::path::Steps;
use crate::people::{People, Whose};
use crate::row_set::RowSet;
use crate::selection::{Marks, Restriction, Selected, Selection, Spot};
use crate::spill::{Buckets, Limits};
use crate::store::blocking;
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
    /// How many records will be read, where that is known before.
    records: Option<u64>,
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
    fn new(pass: &Pass, deduplicates: bool, left_out: &[(String, u64)]) -> Self {
        let duplicate = deduplicates.then(|| "duplicate".to_owned());
        let reasons = pass.selection.reasons().chain(duplicate).collect();
        let survey = &pass.survey;
        let rows =
            (0..survey.morsels.len()).map(|morsel| survey.rows_of(morsel).map(|it| it as u64));
        Self { left_out: left_out.into(), reasons, records: rows.sum(), state: Arc::default() }
    }

    /// How many rows there will be, if the records that are still to come are like those that were read.
    fn expected(&self) -> Option<u64> {
        let records = u128::from(self.records?);
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (scanned, rows) = (u128::from(state.scanned), state.activated);
        let expected = (u128::from(rows) * records).checked_div(scanned)?;
        Some(u64::try_from(expected).unwrap_or(u64::MAX).max(rows))
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
pub(crate) struct Piece<'a> {
    pub(crate) selected: Selected,
    /// How many records the batch had.
    pub(crate) scanned: usize,
    place: Place<'a>,
}

/// Where the records of a batch stand in their morsel.
#[derive(Debug, Clone, Copy)]
enum Place<'a> {
    /// One after the other, from here.
    From(u64),
    /// At these rows.
    At(&'a [u64]),
}

impl Place<'_> {
    fn row(self, position: usize) -> u64 {
        match self {
            Self::From(first) => first + position as u64,
            Self::At(rows) => rows[position],
        }
    }
}

impl Piece<'_> {
    /// The row in the morsel of a record, by its position in the batch that was selected from.
    pub(crate) fn row(&self, position: usize) -> u64 {
        self.place.row(position)
    }

    /// The records that became rows: a bit for each of the batch that was selected from.
    pub(crate) fn taken(&self) -> BooleanBuffer {
        self.selected.taken(self.scanned)
    }
}

/// Records that are read whether they are members or not, and why.
pub(crate) trait Chosen {
    /// Those of a morsel.
    fn rows(&self, morsel: usize, first_row: u64, rows: usize) -> BooleanBuffer;

    /// Why those at `rows` of the morsel are read.
    fn marks(&self, rows: &mut dyn ExactSizeIterator<Item = u64>) -> Marks;
}

impl Pass {
    /// Reads a morsel and hands each batch on; `restriction` tells which records count, given the
    /// position of the first and their number.
    pub(crate) fn read_morsel<E: From<Error>>(
        &self,
        morsel: usize,
        restriction: impl Fn(u64, usize) -> Restriction,
        each: impl FnMut(Piece<'_>) -> Result<(), Stop<E>>,
    ) -> Result<(), Stop<E>> {
        self.read_coded(morsel, &BTreeSet::new(), restriction, each)
    }

    /// The same; columns of the texts that `coded` paths lead to may be dictionaries.
    fn read_coded<E: From<Error>>(
        &self,
        morsel: usize,
        coded: &BTreeSet<Steps>,
        restriction: impl Fn(u64, usize) -> Restriction,
        mut each: impl FnMut(Piece<'_>) -> Result<(), Stop<E>>,
    ) -> Result<(), Stop<E>> {
        let location = self.survey.location(morsel);
        let failed = |error: Error| Stop::Failed(error.in_file_if_untold(location).into());
        let since = self.selection.since(morsel).map_err(failed)?;
        let mut first_row = 0;
        let needed = &self.selection.needed;
        for records in self.survey.read_coded(morsel, needed, coded).map_err(failed)? {
            let records = records.map_err(failed)?;
            let scanned = records.num_rows();
            let restriction = restriction(first_row, scanned);
            let spot = Spot { morsel, first_row, since: since.as_deref() };
            let selected = self.selection.select(&records, &restriction, spot);
            let place = Place::From(first_row);
            let selected =
                selected.map_err(|error| failed(self.at_record(error, spot, place, &records)))?;
            each(Piece { selected, scanned, place })?;
            first_row += scanned as u64;
        }
        Ok(())
    }

    /// Reads the chosen records of a morsel and hands each batch on. Where the file allows it, the
    /// other records are not even decoded.
    pub(crate) fn read_chosen<E: From<Error>>(
        &self,
        morsel: usize,
        chosen: &impl Chosen,
        mut each: impl FnMut(Piece<'_>) -> Result<(), Stop<E>>,
    ) -> Result<(), Stop<E>> {
        let location = self.survey.location(morsel);
        let failed = |error: Error| Stop::Failed(error.in_file_if_untold(location).into());
        let only = match self.survey.rows_of(morsel) {
            Some(rows) if !self.selection.rests_on_places() => {
                let bits = chosen.rows(morsel, 0, rows);
                let needed = &self.selection.needed;
                let records = self.survey.read_only(morsel, needed, &bits).map_err(failed)?;
                records.map(|records| (bits, records))
            }
            _ => None,
        };
        let Some((bits, batches)) = only else {
            let restriction = |first_row: u64, rows: usize| {
                let bits = chosen.rows(morsel, first_row, rows);
                let marks = chosen.marks(&mut (0..rows).map(|row| first_row + row as u64));
                Restriction::Exactly { rows: bits, marks }
            };
            return self.read_morsel(morsel, restriction, each);
        };
        let rows: Vec<u64> = bits.set_indices().map(|row| row as u64).collect();
        let mut rows = rows.as_slice();
        for records in batches {
            let records = records.map_err(failed)?;
            let scanned = records.num_rows();
            let Some((these, rest)) = rows.split_at_checked(scanned) else {
                return Err(failed(Error::internal("more records than were chosen")));
            };
            rows = rest;
            let marks = chosen.marks(&mut these.iter().copied());
            let restriction = Restriction::Exactly { rows: BooleanBuffer::new_set(scanned), marks };
            let (spot, place) = (Spot { morsel, first_row: 0, since: None }, Place::At(these));
            let selected = self.selection.select(&records, &restriction, spot);
            let selected =
                selected.map_err(|error| failed(self.at_record(error, spot, place, &records)))?;
            each(Piece { selected, scanned, place })?;
        }
        Ok(())
    }

    /// Names the first record for which an expression fails, where records can be counted in a file.
    fn at_record(
        &self,
        error: Error,
        spot: Spot<'_>,
        place: Place<'_>,
        records: &RecordBatch,
    ) -> Error {
        let start = self.survey.first_row(spot.morsel);
        let (Some(start), "expression_error") = (start, error.code()) else { return error };
        let fails = |from: usize, rows: usize| {
            let part = records.slice(from, rows);
            let spot = Spot { first_row: spot.first_row + from as u64, ..spot };
            self.selection.select(&part, &Restriction::None, spot).is_err()
        };
        match first_failing(records.num_rows(), fails) {
            Some(record) => error.at_row(start + place.row(record) + 1),
            None => error,
        }
    }
}

/// The first of some rows for which something fails, if it fails for all of them together; `fails` is
/// asked of a start and a number of rows.
pub(crate) fn first_failing(rows: usize, fails: impl Fn(usize, usize) -> bool) -> Option<usize> {
    let (mut from, mut rows) = (0, rows);
    if !fails(from, rows) {
        return None;
    }
    // It is in the first half, or else in the second.
    while rows > 1 {
        let half = rows / 2;
        (from, rows) = if fails(from, half) { (from, half) } else { (from + half, rows - half) };
    }
    Some(from)
}

/// Reads the snapshot on all threads and shows each batch to `visit`, which adds to `made`. Morsels
/// without a restriction are passed over.
pub(crate) async fn visit<T: Send + 'static>(
    pass: Pass,
    made: T,
    threads: usize,
    restriction: impl Fn(usize, u64, usize) -> Option<Restriction> + Send + Sync + 'static,
    visit: impl Fn(usize, &Piece<'_>, &Mutex<T>) -> Result<(), Error> + Send + Sync + 'static,
) -> Result<T, Error> {
    let count = pass.survey.morsels.len();
    on_all_threads(count, made, threads, move |morsel, made| {
        if restriction(morsel, 0, 0).is_none() {
            return Ok(());
        }
        let restrict = |first, rows| restriction(morsel, first, rows).unwrap_or(Restriction::None);
        pass.read_morsel(morsel, restrict, |piece| {
            visit(morsel, &piece, made).map_err(Stop::Failed)
        })
    })
    .await
}

/// As [`visit`], of chosen records alone; `has_any` says in which morsels there are some.
pub(crate) async fn visit_chosen<T: Send + 'static>(
    pass: Pass,
    made: T,
    threads: usize,
    chosen: impl Chosen + Send + Sync + 'static,
    has_any: impl Fn(usize) -> bool + Send + Sync + 'static,
    visit: impl Fn(usize, &Piece<'_>, &Mutex<T>) -> Result<(), Error> + Send + Sync + 'static,
) -> Result<T, Error> {
    let count = pass.survey.morsels.len();
    on_all_threads(count, made, threads, move |morsel, made| {
        if !has_any(morsel) {
            return Ok(());
        }
        pass.read_chosen(morsel, &chosen, |piece| visit(morsel, &piece, made).map_err(Stop::Failed))
    })
    .await
}

/// Does the work of each morsel, several at once.
async fn on_all_threads<T: Send + 'static>(
    count: usize,
    made: T,
    threads: usize,
    work: impl Fn(usize, &Mutex<T>) -> Result<(), Stop<Error>> + Send + Sync + 'static,
) -> Result<T, Error> {
    let made = Arc::new(Mutex::new(made));
    let shared = Arc::clone(&made);
    let mut jobs: Ordered<(), Error> =
        Ordered::new(count, threads, move |morsel, _: &Outlet<(), Error>| work(morsel, &shared));
    while jobs.try_next().await?.is_some() {}
    drop(jobs);
    let made = Arc::into_inner(made).ok_or_else(|| Error::internal("a job outlived its stream"))?;
    Ok(made.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// Reads the snapshot on all threads; `add` puts what it makes of each batch into buckets. Morsels
/// without a restriction are passed over.
pub(crate) async fn sort(
    pass: Pass,
    limits: Limits,
    threads: usize,
    restriction: impl Fn(usize, u64, usize) -> Option<Restriction> + Send + Sync + 'static,
    add: impl Fn(usize, &Piece<'_>, &Mutex<Buckets>) -> Result<(), Error> + Send + Sync + 'static,
) -> Result<Buckets, Error> {
    visit(pass, Buckets::new(limits), threads, restriction, add).await
}

/// The rows of a query, not yet read.
#[derive(Debug)]
pub struct Rows {
    pass: Pass,
    choice: Choice,
    counter: Counter,
    /// Tells whose rows are, if that is asked for; what it goes by stands behind the columns.
    told: Option<Told>,
    /// The paths of texts that may come as dictionaries.
    coded: BTreeSet<Steps>,
    threads: usize,
}

/// Whose rows are, and what else they are.
#[derive(Debug)]
struct Told {
    whose: Whose,
    /// The columns without what is hidden behind them.
    schema: SchemaRef,
}

/// Which records become rows.
#[derive(Debug)]
enum Choice {
    /// All members but those who lose to another one with their key.
    Members { losers: Option<RowSet> },
    /// Exactly those that an incremental run sends, and those of whom no record is left.
    Difference { sent: Sent, gone: Option<Box<Gone>>, next: Option<Arc<OnTheWay>> },
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

    /// How many rows there will be: exactly where that is known before they are read, otherwise by the
    /// share of the snapshot that was read. Nothing before the first record, and where nobody knows
    /// how many records there are.
    pub fn expected(&self) -> Option<u64> {
        match &self.0 {
            Counter::Reading(tally) => tally.expected(),
            Counter::Known(counts) => Some(counts.activated),
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
        let counter = Counter::Reading(Tally::new(&pass, losers.is_some(), left_out));
        let (choice, coded) = (Choice::Members { losers }, BTreeSet::new());
        Self { pass, choice, counter, told: None, coded, threads }
    }

    /// What changed.
    pub(crate) fn of_difference(difference: Difference, threads: usize) -> Self {
        let Difference { pass, sent, gone, on_the_way, counts } = difference;
        let (gone, next) = (gone.map(Box::new), on_the_way.map(Arc::new));
        let choice = Choice::Difference { sent, gone, next };
        let (counter, coded) = (Counter::Known(counts), BTreeSet::new());
        Self { pass, choice, counter, told: None, coded, threads }
    }

    /// The same, telling whose the rows are.
    pub(crate) fn telling(self, whose: Whose) -> Self {
        let fields = self.pass.selection.schema.fields().iter().take(whose.columns()).cloned();
        let schema = Arc::new(Schema::new(fields.collect::<Fields>()));
        Self { told: Some(Told { whose, schema }), ..self }
    }

    /// The same, with columns of text as dictionaries where the files hold them so: they are read and
    /// written with less work. Where single rows are picked there is nothing to gain.
    #[must_use]
    pub fn coded(mut self) -> Self {
        if matches!(self.choice, Choice::Members { .. }) {
            self.coded.clone_from(&self.pass.selection.coded);
        }
        self
    }

    /// The headers, in column order, with the types in which the batches hold their columns, or of
    /// the values of those that come as dictionaries.
    pub fn schema(&self) -> SchemaRef {
        let schema = self.told.as_ref().map_or(&self.pass.selection.schema, |told| &told.schema);
        Arc::clone(schema)
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
        self.map_with_people(move |batch, _| work(batch))
    }

    /// As [`Rows::map_ordered`], with whose the rows of each batch are; nobody's, unless they were
    /// prepared with [`With::People`](crate::With::People).
    pub fn map_with_people<T, E, F>(
        self,
        work: F,
    ) -> impl Stream<Item = Result<T, E>> + Send + Unpin
    where
        F: Fn(RecordBatch, People) -> Result<T, E> + Send + Sync + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let Self { pass, choice, counter, told, coded, threads } = self;
        let morsels = pass.survey.morsels.len();
        let tail = matches!(choice, Choice::Difference { gone: Some(_), .. });
        let next = match &choice {
            Choice::Difference { next, .. } => next.clone(),
            Choice::Members { .. } => None,
        };
        let rows = Ordered::new(
            morsels + usize::from(tail),
            threads,
            move |job, outlet: &Outlet<T, E>| {
                let send = |batch: RecordBatch, people: Option<People>| -> Result<(), Stop<E>> {
                    if batch.num_rows() == 0 {
                        return Ok(());
                    }
                    let (batch, people) = match &told {
                        None => (batch, People::default()),
                        Some(told) => {
                            told.of(&batch, people).map_err(|error| Stop::Failed(error.into()))?
                        }
                    };
                    Ok(outlet.send(work(batch, people).map_err(Stop::Failed)?)?)
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
                        pass.read_coded(job, &coded, restriction, |piece| {
                            if let Counter::Reading(tally) = &counter {
                                tally.add(piece.scanned, &piece.selected);
                            }
                            send(piece.selected.batch, None)
                        })
                    }
                    Choice::Difference { gone: Some(gone), .. } if job == morsels => {
                        gone.read(&pass.selection, |batch, people| send(batch, Some(people)))
                    }
                    Choice::Difference { sent, next, .. } => {
                        if !sent.has_any(job) {
                            return Ok(());
                        }
                        let known = sent.known(job).map_err(|error| Stop::Failed(error.into()))?;
                        pass.read_chosen(job, &known, |piece| {
                            if let Some(next) = next {
                                let taken = next.take(job, &piece);
                                taken.map_err(|error| Stop::Failed(error.into()))?;
                            }
                            send(piece.selected.batch, None)
                        })
                    }
                }
            },
        );
        // The baseline is there before the stream ends, and only if every row was read.
        Box::pin(stream::unfold((Some(rows), next), |(rows, next)| async {
            let mut rows = rows?;
            match rows.next().await {
                Some(Ok(item)) => Some((Ok(item), (Some(rows), next))),
                Some(Err(error)) => Some((Err(error), (None, None))),
                None => {
                    drop(rows);
                    let finished = finish(next?).await;
                    finished.err().map(|error| (Err(error.into()), (None, None)))
                }
            }
        }))
    }
}

/// Writes the baseline that was taken down with the rows.
async fn finish(next: Arc<OnTheWay>) -> Result<(), Error> {
    let next = Arc::into_inner(next).ok_or_else(|| Error::internal("a job outlived its stream"))?;
    blocking(move || next.finish()).await
}

impl Told {
    /// The columns of a batch, and whose its rows are, unless that is known already.
    fn of(
        &self,
        batch: &RecordBatch,
        known: Option<People>,
    ) -> Result<(RecordBatch, People), Error> {
        let people = known.map_or_else(|| self.whose.tell(batch), Ok)?;
        let columns: Vec<usize> = (0..self.schema.fields().len()).collect();
        let batch = batch
            .project(&columns)
            .map_err(|_| Error::internal("columns do not fit their own schema"))?;
        Ok((batch, people))
    }
}
