//! Which members lose to another one with the same key.
//!
//! Of members whose key columns are equal one row is sent: that with the latest
//! `lastQualificationTime`, then the latest `timestamp` of the dataset (none is older than any),
//! then the lexicographically first of the other scalar columns in column order (behaviour reference
//! §4.8): texts by code point, numbers and times by size, false before true, missing values last.
//! Of rows that are equal in all of these the first in snapshot order is sent. A row with a missing
//! value in its key, null or empty, has no key and loses to nobody.
//!
//! `lastQualificationTime` decides where the history of the segment is known; without one it is that
//! of the run for all members.
//!
//! Two passes find the losers, so that the pass that sends rows keeps their order and its threads.
//! The first reads the key columns alone and finds addresses whose hash occurs more than once; if
//! there are none, that is all. The second reads those rows and compares keys and ranks by their
//! bytes, so that equal hashes of different keys do no harm. Both sort their entries into buckets
//! that spill to disk, and hold one bucket's distinct keys at a time.

pub(crate) mod contest;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io::{self, Read};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow::array::{ArrayRef, RecordBatch};
use arrow::buffer::BooleanBuffer;
use arrow::compute::SortOptions;
use arrow::datatypes::Schema;
use arrow::row::{RowConverter, SortField};
use plan::Query;
use plan::project::{Column, ColumnSource};

use crate::error::{Error, Kind};
use crate::fields;
use crate::row_set::{Address, RowSet};
use crate::rows::{Pass, Piece, sort};
use crate::selection::{Parts, Restriction, Selection, Who, present};
use crate::spill::{Buckets, Limits, read_part};
use crate::store::blocking;
use crate::survey::Survey;

const OLDEST_LAST: SortOptions = SortOptions { descending: true, nulls_first: false };
const SMALLEST_FIRST: SortOptions = SortOptions { descending: false, nulls_first: false };

/// Finds the members of a query that lose, or nothing when no column is part of a key.
pub(crate) async fn losers(
    query: &Query,
    survey: &Arc<Survey>,
    limits: Limits,
    threads: usize,
) -> Result<Option<RowSet>, Error> {
    if !query.columns.iter().any(|column| column.deduplicate) {
        return Ok(None);
    }
    let keys = Keys::new(query, survey)?;
    let ranks = Ranks::new(query, survey)?;
    let candidates = candidates(keys, limits.clone(), threads).await?;
    if candidates.is_empty() {
        return Ok(Some(candidates));
    }
    resolve(ranks, candidates, limits, threads).await.map(Some)
}

/// The first pass: key columns, and mandatory ones, which decide who can win at all.
struct Keys {
    pass: Pass,
    converter: RowConverter,
    /// Positions of the key columns.
    columns: Vec<usize>,
}

impl Keys {
    fn new(query: &Query, survey: &Arc<Survey>) -> Result<Self, Error> {
        let is_read = |column: &&Column| column.deduplicate || column.mandatory;
        let read: Vec<Column> = query.columns.iter().filter(is_read).cloned().collect();
        let pass = pass(query, &read, false, survey)?;
        let is_key = |&number: &usize| read[number].deduplicate;
        let columns: Vec<usize> = (0..read.len()).filter(is_key).collect();
        let schema = &pass.selection.schema;
        if let Some(&key) = columns.iter().find(|&&key| !is_scalar(schema, key)) {
            let message = "a deduplication key has to be a single value";
            return Err(Error::new(Kind::Invalid, "invalid_key", message)
                .at_field(schema.field(key).name())
                .with_hint("Map a field inside it."));
        }
        let converter = converter(schema, &columns, |_| SMALLEST_FIRST)?;
        Ok(Self { pass, converter, columns })
    }
}

fn pass(
    query: &Query,
    columns: &[Column],
    with_timestamp: bool,
    survey: &Arc<Survey>,
) -> Result<Pass, Error> {
    let hidden = if with_timestamp { survey.timestamp.as_slice() } else { &[] };
    let parts = Parts { who: Who::Members, columns, hidden, query };
    let selection = Arc::new(Selection::new(parts, survey)?);
    Ok(Pass { survey: Arc::clone(survey), selection })
}

/// The column that tells since when somebody is a member.
fn qualification_time() -> Column {
    Column {
        header: String::new(),
        source: ColumnSource::LastQualificationTime,
        mandatory: false,
        deduplicate: false,
        span: plan::Span { start: 0, end: 0, line: 1, column: 1 },
    }
}

fn is_scalar(schema: &Schema, column: usize) -> bool {
    fields::kind_of(schema.field(column).data_type()).is_scalar()
}

fn converter(
    schema: &Schema,
    columns: &[usize],
    options: impl Fn(usize) -> SortOptions,
) -> Result<RowConverter, Error> {
    let field = |&column: &usize| {
        SortField::new_with_options(schema.field(column).data_type().clone(), options(column))
    };
    RowConverter::new(columns.iter().map(field).collect())
        .map_err(|_| Error::new(Kind::Invalid, "invalid_key", "a column's type cannot be compared"))
}

/// The bytes of rows, which sort as the rows do.
fn row_bytes(
    converter: &RowConverter,
    batch: &RecordBatch,
    columns: &[usize],
) -> Result<arrow::row::Rows, Error> {
    let columns: Vec<ArrayRef> =
        columns.iter().map(|&column| Arc::clone(batch.column(column))).collect();
    converter.convert_columns(&columns).map_err(|_| Error::internal("rows cannot be compared"))
}

/// Which rows have a value in every key column; nothing when all have.
fn has_key(batch: &RecordBatch, columns: &[usize]) -> Option<BooleanBuffer> {
    let present = columns.iter().filter_map(|&column| present(batch.column(column)));
    present.reduce(|left, right| &left & &right)
}

fn hash(key: &[u8]) -> u64 {
    // Any hash will do: it decides only which rows are compared, not how the comparison ends.
    use std::hash::{DefaultHasher, Hasher};
    let mut hasher = DefaultHasher::new();
    hasher.write(key);
    hasher.finish()
}

fn lock(buckets: &Mutex<Buckets>) -> MutexGuard<'_, Buckets> {
    buckets.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Finds the members whose key might occur more than once.
async fn candidates(keys: Keys, limits: Limits, threads: usize) -> Result<RowSet, Error> {
    let Keys { pass, converter, columns } = keys;
    let every = |_, _, _| Some(Restriction::None);
    let buckets = sort(pass, limits, threads, every, move |morsel, piece, buckets| {
        let batch = &piece.selected.batch;
        let with_key = has_key(batch, &columns);
        let keys = row_bytes(&converter, batch, &columns)?;
        let positions = piece.selected.positions();
        let rows = positions.iter().enumerate();
        let rows = rows.filter(|&(row, _)| with_key.as_ref().is_none_or(|bits| bits.value(row)));
        let entries: Vec<(u64, Address)> = rows
            .map(|(row, &position)| {
                let address = Address::new(morsel, piece.row(position));
                (hash(keys.row(row).as_ref()), address)
            })
            .collect();
        let mut buckets = lock(buckets);
        entries.iter().try_for_each(|(hash, address)| {
            buckets.push(*hash, &[&hash.to_le_bytes(), &address.0.to_le_bytes()])
        })
    });
    let buckets = buckets.await?;
    blocking(move || repeated(buckets)).await
}

/// The addresses of all entries whose hash occurs more than once.
fn repeated(buckets: Buckets) -> Result<RowSet, Error> {
    let mut found = RowSet::default();
    // For each hash the first address, until it has been found to be repeated.
    let mut first: HashMap<u64, Option<Address>> = HashMap::new();
    let mut part = Vec::new();
    buckets.read_each(|entries| {
        first.clear();
        while let Some(hash) = read_u64(entries, &mut part)? {
            let address = Address(read_u64(entries, &mut part)?.unwrap_or_default());
            match first.entry(hash) {
                Entry::Vacant(entry) => drop(entry.insert(Some(address))),
                Entry::Occupied(mut entry) => {
                    if let Some(first) = entry.get_mut().take() {
                        found.insert(first);
                    }
                    found.insert(address);
                }
            }
        }
        Ok(())
    })?;
    Ok(found)
}

fn read_u64(entries: &mut dyn Read, part: &mut Vec<u8>) -> io::Result<Option<u64>> {
    let is_whole = read_part(entries, part, 8)?;
    Ok(part.as_slice().try_into().ok().filter(|_| is_whole).map(u64::from_le_bytes))
}

/// The second pass: keys, and what ranks rows of the same key.
struct Ranks {
    pass: Pass,
    keys: (RowConverter, Vec<usize>),
    ranks: (RowConverter, Vec<usize>),
}

impl Ranks {
    fn new(query: &Query, survey: &Arc<Survey>) -> Result<Self, Error> {
        // Since when somebody is a member is told by a column of its own, in front of the timestamp.
        let mut columns = query.columns.clone();
        let with_times = survey.known.members(query).is_some_and(|known| known.since.is_some());
        let time = with_times.then_some(columns.len());
        columns.extend(with_times.then(qualification_time));
        let pass = pass(query, &columns, true, survey)?;
        let schema = Arc::clone(&pass.selection.schema);
        let hidden = columns.len();
        let is_key = |&column: &usize| query.columns[column].deduplicate;
        let keys: Vec<usize> = (0..query.columns.len()).filter(is_key).collect();
        let mut ranks: Vec<usize> = time.into_iter().collect();
        if schema.fields().len() > hidden {
            if !is_scalar(&schema, hidden) {
                let message = "the dataset's timestamp has to be a single value";
                return Err(
                    Error::new(Kind::Invalid, "invalid_timestamp", message).at_field("timestamp")
                );
            }
            ranks.push(hidden);
        }
        // What is the same for all members ranks none of them.
        let varies = |column: &usize| {
            matches!(
                query.columns[*column].source,
                ColumnSource::Field(_)
                    | ColumnSource::Identity(_)
                    | ColumnSource::Expression { .. }
            )
        };
        let others = (0..query.columns.len())
            .filter(|column| !is_key(column) && is_scalar(&schema, *column));
        ranks.extend(others.filter(varies));
        let options = |column| match column == hidden || Some(column) == time {
            true => OLDEST_LAST,
            false => SMALLEST_FIRST,
        };
        Ok(Self {
            keys: (converter(&schema, &keys, |_| SMALLEST_FIRST)?, keys),
            ranks: (converter(&schema, &ranks, options)?, ranks),
            pass,
        })
    }

    /// Adds the keys, ranks and addresses of the rows of a batch.
    fn add(&self, morsel: usize, piece: &Piece, buckets: &Mutex<Buckets>) -> Result<(), Error> {
        let batch = &piece.selected.batch;
        if batch.num_rows() == 0 {
            return Ok(());
        }
        let keys = row_bytes(&self.keys.0, batch, &self.keys.1)?;
        let ranks = if self.ranks.1.is_empty() {
            None
        } else {
            Some(row_bytes(&self.ranks.0, batch, &self.ranks.1)?)
        };
        let mut buckets = lock(buckets);
        for (row, position) in piece.selected.positions().into_iter().enumerate() {
            let address = Address::new(morsel, piece.row(position));
            let key = keys.row(row);
            let rank = ranks.as_ref().map(|ranks| ranks.row(row));
            let rank = rank.as_ref().map_or(&[][..], |rank| rank.as_ref());
            let lengths = [key.as_ref().len() as u64, rank.len() as u64].map(u64::to_le_bytes);
            let address = address.0.to_le_bytes();
            buckets.push(
                hash(key.as_ref()),
                &[&address, &lengths[0], &lengths[1], key.as_ref(), rank],
            )?;
        }
        Ok(())
    }
}

/// Compares the candidates and returns those that lose.
async fn resolve(
    ranks: Ranks,
    candidates: RowSet,
    limits: Limits,
    threads: usize,
) -> Result<RowSet, Error> {
    let pass = ranks.pass.clone();
    let restriction = move |morsel: usize, first_row: u64, rows: usize| {
        let nobody = || BooleanBuffer::new_unset(rows);
        candidates.has_any(morsel).then(|| {
            Restriction::Only(candidates.slice(morsel, first_row, rows).unwrap_or_else(nobody))
        })
    };
    let add = move |morsel: usize, piece: &Piece, buckets: &Mutex<Buckets>| {
        ranks.add(morsel, piece, buckets)
    };
    let buckets = sort(pass, limits, threads, restriction, add).await?;
    blocking(move || beaten(buckets)).await
}

/// The addresses of all entries that are not the first of their key by rank and address.
fn beaten(buckets: Buckets) -> Result<RowSet, Error> {
    let mut losers = RowSet::default();
    let mut best: HashMap<Vec<u8>, (Vec<u8>, Address)> = HashMap::new();
    let (mut part, mut key, mut rank) = (Vec::new(), Vec::new(), Vec::new());
    buckets.read_each(|entries| {
        best.clear();
        while let Some(address) = read_u64(entries, &mut part)? {
            let address = Address(address);
            let key_bytes = read_u64(entries, &mut part)?.unwrap_or_default() as usize;
            let rank_bytes = read_u64(entries, &mut part)?.unwrap_or_default() as usize;
            read_part(entries, &mut key, key_bytes)?;
            read_part(entries, &mut rank, rank_bytes)?;
            match best.get_mut(&key) {
                None => drop(best.insert(key.clone(), (rank.clone(), address))),
                Some((best_rank, best_address)) => {
                    let wins = (&rank, address) < (best_rank, *best_address);
                    if wins {
                        losers.insert(*best_address);
                        (*best_rank, *best_address) = (rank.clone(), address);
                    } else {
                        losers.insert(address);
                    }
                }
            }
        }
        Ok(())
    })?;
    Ok(losers)
}
