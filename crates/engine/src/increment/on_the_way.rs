//! The next baseline, where it is taken down while the rows of the increment are read.
//!
//! Where no file of the snapshot is new, bits tell who came and who left, and all of them are sent.
//! Their identities are then in the rows: reading them before would unpack the same pages twice.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::baseline::{Baseline, Facts, Moves, Paths};
use super::compare::{self, Against, Today};
use super::entity::{Made, Maker};
use super::places::Pieces;
use crate::error::Error;
use crate::row_set::{Address, RowSet};
use crate::rows::Piece;
use crate::spill::{Buckets, Limits};

/// The baseline of a run whose rows are being read.
pub(crate) struct OnTheWay {
    pub(super) maker: Maker,
    pub(super) last: Baseline,
    pub(super) facts: Facts,
    pub(super) next: Paths,
    pub(super) pieces: Pieces,
    /// Who left.
    pub(super) left: RowSet,
    /// When it is, in microseconds.
    pub(super) now: i64,
    pub(super) limits: Limits,
    pub(super) threads: usize,
    pub(super) entries: Mutex<Entries>,
}

impl fmt::Debug for OnTheWay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnTheWay").field("next", &self.next).finish_non_exhaustive()
    }
}

/// What is made of those who moved.
pub(super) struct Entries {
    /// Who is in the set.
    pub(super) here: Buckets,
    /// Who left.
    pub(super) left: Vec<u128>,
    /// In the set, but with nothing to tell them by.
    pub(super) nameless: Vec<Address>,
}

impl Entries {
    pub(super) fn new(limits: &Limits) -> Self {
        Self { here: Buckets::fine(limits.clone()), left: Vec::new(), nameless: Vec::new() }
    }

    /// Takes down some rows of a morsel, each made of the record at a position; `has_left` tells who left.
    pub(super) fn take(
        &mut self,
        made: &Made,
        piece: &Piece<'_>,
        morsel: usize,
        has_left: &RowSet,
    ) -> Result<(), Error> {
        for (row, position) in piece.selected.positions().into_iter().enumerate() {
            let address = Address::new(morsel, piece.row(position));
            match made.entities[row] {
                Some(entity) if has_left.contains(address) => self.left.push(entity),
                Some(entity) => made.push(row, entity, address, &mut self.here)?,
                None => self.nameless.push(address),
            }
        }
        Ok(())
    }
}

impl OnTheWay {
    /// Takes down whom the rows of a batch are about.
    pub(crate) fn take(&self, morsel: usize, piece: &Piece<'_>) -> Result<(), Error> {
        let made = self.maker.make(&piece.selected.batch)?;
        self.entries().take(&made, piece, morsel, &self.left)
    }

    /// Writes the baseline, once every row was taken down.
    ///
    /// # Errors
    /// The folder or temporary files cannot be written.
    pub(crate) fn finish(self) -> Result<(), Error> {
        let Self { maker, last, facts, next, pieces, now, limits, threads, entries, .. } = self;
        let Entries { here, left, nameless } =
            entries.into_inner().unwrap_or_else(PoisonError::into_inner);
        let (entries, converter) = (here.finish(), maker.into_converter());
        let today = Today { entries, converter, now, since: false, pieces };
        let mut moves = Moves::after(&last, &facts)?;
        let nobody = Against { before: None, leavers: false, changes: false };
        let found = compare::compare(today, nobody, Some(&mut moves), &limits, threads)?;
        // Places rest on one record for each person (0032).
        if found.repeated > 0 || !nameless.is_empty() {
            return Err(Error::internal("a record is not of a person of its own"));
        }
        moves.leave(&left)?;
        moves.finish(&last, &next)
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
