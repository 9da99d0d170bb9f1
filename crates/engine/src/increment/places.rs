//! Where the rows of a set stood in the snapshot, one bit for each record.
//!
//! A part of a snapshot that is the same as then (a *piece*) holds the same people in the same places.
//! Of those it is enough to compare bits.

use std::collections::HashMap;
use std::fs::Metadata;
use std::path::Path;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use arrow::array::{AsArray, BinaryArray, RecordBatch, UInt64Array};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, UInt64Type};

use crate::error::{Error, Kind};
use crate::row_set::RowSet;
use crate::state_file;
use crate::survey::{Piece, Survey};

/// The set is worth its places only while a row of the file is of bounded size.
const GROUP_ROWS_MAX: usize = 1 << 10;
/// A file that was written so shortly before the places, in nanoseconds, may have been written again
/// since without its time showing it: clocks of file systems are coarse.
const RECENT_NANOSECONDS: i128 = 2_000_000_000;

const VERSION_KEY: &str = "segue.places";
const FORM_KEY: &str = "segue.form";
const VERSION: &str = "1";

/// The places of a set.
#[derive(Debug)]
pub(super) struct Places {
    /// Words of bits, by piece.
    pieces: HashMap<u64, Vec<u64>>,
    /// When they were written, in nanoseconds since 1970.
    written: i128,
}

impl Places {
    /// Opens places; nothing if there are none, or of rows that were made in another `form`.
    ///
    /// # Errors
    /// The file is damaged.
    pub(super) fn open(path: &Path, form: &str) -> Result<Option<Self>, Error> {
        let Some(facts) = state_file::Facts::of(path, damaged)? else { return Ok(None) };
        if facts.get(VERSION_KEY) != Some(VERSION) || facts.get(FORM_KEY) != Some(form) {
            return Ok(None);
        }
        let modified = std::fs::metadata(path).and_then(|it: Metadata| it.modified());
        let modified =
            modified.map_err(|error| Error::io(&path.to_string_lossy(), "read it", error))?;
        let since = modified.duration_since(UNIX_EPOCH).unwrap_or_default();
        let written = i128::try_from(since.as_nanos()).unwrap_or(i128::MAX);
        let mut pieces = HashMap::new();
        for batch in state_file::batches(path, damaged)? {
            let batch = batch.map_err(|_| damaged(path))?;
            let read = || {
                let hashes = batch.column(0).as_primitive_opt::<UInt64Type>()?;
                Some((hashes, batch.column(1).as_binary_opt::<i32>()?))
            };
            let (hashes, words) = read().ok_or_else(|| damaged(path))?;
            for row in 0..hashes.len() {
                let (words, _) = words.value(row).as_chunks::<8>();
                let words = words.iter().map(|word| u64::from_le_bytes(*word)).collect();
                pieces.insert(hashes.value(row), words);
            }
        }
        Ok(Some(Self { pieces, written }))
    }

    /// The bits of a piece of today's snapshot, if it was there when the set was made.
    pub(super) fn of(&self, piece: Piece) -> Option<&[u64]> {
        let is_recent = |modified: i128| self.written.saturating_sub(modified) < RECENT_NANOSECONDS;
        if piece.modified.is_some_and(is_recent) {
            return None;
        }
        self.pieces.get(&piece.hash).map(Vec::as_slice)
    }

    /// The rows of other pieces than these.
    pub(super) fn elsewhere(&self, stayed: impl Fn(u64) -> bool) -> u64 {
        let others = self.pieces.iter().filter(|(piece, _)| !stayed(**piece));
        others.flat_map(|(_, words)| words).map(|word| u64::from(word.count_ones())).sum()
    }

    /// Writes the places of a set; nothing if records cannot be told by their places.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub(super) fn write(
        path: &Path,
        survey: &Survey,
        set: &RowSet,
        form: &str,
    ) -> Result<(), Error> {
        let pieces: Option<Vec<Piece>> =
            (0..survey.morsels.len()).map(|morsel| survey.piece(morsel)).collect();
        let Some(pieces) = pieces else { return Ok(()) };
        let schema: SchemaRef = Arc::new(Schema::new(vec![
            Field::new("piece", DataType::UInt64, false),
            Field::new("rows", DataType::Binary, false),
        ]));
        let properties = state_file::properties(GROUP_ROWS_MAX).build();
        let mut file = state_file::Writer::create(path, &schema, properties)?;
        for (start, pieces) in pieces.chunks(GROUP_ROWS_MAX).enumerate() {
            let first = start * GROUP_ROWS_MAX;
            let hashes: UInt64Array =
                pieces.iter().map(|piece| piece.hash).collect::<Vec<_>>().into();
            let words = (first..first + pieces.len()).map(|morsel| {
                let words = set.words(morsel).iter();
                words.flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>()
            });
            let words = BinaryArray::from_iter_values(words);
            let batch =
                RecordBatch::try_new(Arc::clone(&schema), vec![Arc::new(hashes), Arc::new(words)]);
            file.write(&batch.map_err(|_| Error::internal("places do not fit their schema"))?)?;
        }
        file.finish([(VERSION_KEY, VERSION.to_owned()), (FORM_KEY, form.to_owned())])?.persist()
    }
}

fn damaged(path: &Path) -> Error {
    Error::new(Kind::Internal, "damaged_baseline", "the record of what was sent is damaged")
        .in_file(&path.to_string_lossy())
        .with_hint("Remove the file: the next run then compares all people anew.")
}
