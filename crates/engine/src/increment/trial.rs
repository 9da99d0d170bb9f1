//! The comparison of an increment alone, over rows that the caller makes: what it costs without
//! the reading and the rules around it. Benchmarks use it (`benches/comparison.rs`).

use std::sync::{Mutex, PoisonError};

use arrow::datatypes::Schema;
use jiff::Timestamp;

use super::Baselines;
use super::baseline::{Baseline, Facts, Sink, Writer};
use super::compare::{self, Against, Compared, Today};
use super::entity;
use super::places::Pieces;
use crate::engine::Settings;
use crate::error::Error;
use crate::row_set::Address;
use crate::rows::Movement;
use crate::spill::{Buckets, Limits};

/// A set of rows, each an entity and a hash of its attributes, sorted as an increment sorts them.
#[derive(Debug)]
pub struct RowHashes {
    buckets: Mutex<Buckets>,
    limits: Limits,
    threads: usize,
}

impl RowHashes {
    /// Begins an empty set.
    pub fn new(settings: &Settings) -> Self {
        let limits = settings.limits();
        let buckets = Mutex::new(Buckets::fine(limits.clone()));
        Self { buckets, limits, threads: settings.threads }
    }

    /// Adds the rows of neighbouring records, of which the first is number `first_row` of its
    /// morsel. Threads may share the set.
    ///
    /// # Errors
    /// Temporary files cannot be written.
    pub fn add(&self, rows: &[(u128, u64)], morsel: usize, first_row: u64) -> Result<(), Error> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        for (&(entity, hash), row) in rows.iter().zip(first_row..) {
            entity::push(&mut buckets, entity, hash, Address::new(morsel, row), &[])?;
        }
        Ok(())
    }

    /// Compares with the rows that the last baseline keeps, and leaves these as the next one. Call it
    /// on a thread that may block, inside a runtime.
    ///
    /// # Errors
    /// Temporary files or baselines cannot be read or written.
    pub fn compare(self, baselines: Baselines<'_>, at: Timestamp) -> Result<Movement, Error> {
        let facts = Facts::of("a trial".to_owned(), true, &Schema::empty());
        let last = baselines.last.map(|path| Baseline::open(path, &facts)).transpose()?.flatten();
        let mut next = baselines.next.map(|path| Writer::create(path, &facts)).transpose()?;
        let buckets = self.buckets.into_inner().unwrap_or_else(PoisonError::into_inner);
        let now = at.as_microsecond();
        let entries = buckets.finish();
        let pieces = Pieces::default();
        let today = Today { entries, converter: None, now, since: false, pieces };
        let before = last.as_ref().map(Baseline::rows).transpose()?;
        let against = Against { leavers: before.is_some(), changes: true, before };
        let (limits, threads) = (&self.limits, self.threads);
        let sink = next.as_mut().map(|writer| writer as &mut dyn Sink);
        let found = compare::compare(today, against, sink, limits, threads)?;
        next.map_or(Ok(()), Writer::finish)?;
        let Compared { members, added, changed, left, .. } = found;
        let removed = left.map_or(0, |left| left.count);
        Ok(Movement { members, added, changed, removed, baseline: last.is_some() })
    }
}
