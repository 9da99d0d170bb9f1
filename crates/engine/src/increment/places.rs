//! Where the rows of a set stood in the snapshot, one bit for each record.
//!
//! A part of a snapshot that is the same as then (a *piece*) holds the same people in the same places.
//! Of those it is enough to compare bits. A piece is a part of a file that was not written since, or
//! records with the same identities in the same order, in whatever file they are.

use std::collections::HashMap;
use std::fs::Metadata;
use std::path::Path;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use arrow::array::{AsArray, BinaryArray, RecordBatch, UInt64Array};
use arrow::buffer::{BooleanBuffer, Buffer};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, UInt64Type};

use crate::error::{Error, Kind};
use crate::row_set::{Address, RowSet, Words};
use crate::state_file;
use crate::survey::{Piece, Survey, Told};

/// The set is worth its places only while a row of the file is of bounded size.
const GROUP_ROWS_MAX: usize = 1 << 10;
/// A file that was written so shortly before the places, in nanoseconds, may have been written again
/// since without its time showing it: clocks of file systems are coarse.
const RECENT_NANOSECONDS: i128 = 2_000_000_000;

const VERSION_KEY: &str = "segue.places";
const FORM_KEY: &str = "segue.form";
const VERSION: &str = "1";

/// The pieces of a snapshot, by morsel; nothing where people cannot be told by their places.
#[derive(Debug, Default)]
pub(super) struct Pieces(Vec<Option<Vec<Piece>>>);

impl Pieces {
    /// Those of today's snapshot.
    pub(super) fn of(survey: &Survey, told: Told) -> Self {
        Self((0..survey.morsels.len()).map(|morsel| survey.pieces(morsel, told)).collect())
    }

    /// What stands for the piece of a record.
    pub(super) fn hash_of(&self, address: Address) -> Option<u64> {
        let pieces = self.0.get(address.morsel())?.as_deref()?;
        let is_behind = |piece: &Piece| piece.end.is_some_and(|end| end <= address.row());
        Some(pieces.get(pieces.partition_point(is_behind))?.hash)
    }

    /// All of them.
    pub(super) fn all(&self) -> impl Iterator<Item = Piece> {
        self.0.iter().flatten().flatten().copied()
    }

    /// Those of a morsel, each with the position of its first record.
    fn spans(&self, morsel: usize) -> impl Iterator<Item = (u64, Piece)> {
        let pieces = self.0.get(morsel).and_then(Option::as_deref).unwrap_or_default();
        pieces.iter().scan(0, |next, piece| {
            let start = *next;
            *next = piece.end.unwrap_or(start);
            Some((start, *piece))
        })
    }
}

/// What is known of the records of a morsel from the last set, as bits from the first record.
#[derive(Debug, Default)]
pub(super) struct Then {
    /// Whether it is in a piece that was there.
    pub(super) stayed: Vec<u64>,
    /// Whether it was in the set, of those.
    pub(super) was_in: Vec<u64>,
    /// Whether all of them are in pieces that were there.
    pub(super) all_stayed: bool,
}

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

    /// What is known of a morsel, whose bits take `words` words or fewer.
    pub(super) fn then(&self, pieces: &Pieces, morsel: usize, words: usize) -> Then {
        let (mut stayed, mut was_in) = (Words::default(), Words::default());
        let mut all_stayed = pieces.0.get(morsel).is_some_and(Option::is_some);
        for (start, piece) in pieces.spans(morsel) {
            let known = self.of(piece);
            all_stayed &= known.is_some();
            let before = known.unwrap_or_default();
            let rows = match piece.end {
                Some(end) => usize::try_from(end - start).unwrap_or_default(),
                None => 64 * words.max(before.len()),
            };
            let is_known = known.is_some();
            stayed.append(&BooleanBuffer::collect_bool(rows, |_| is_known));
            let mut bits: Vec<u64> = before.iter().map(|word| word.to_le()).collect();
            bits.resize(rows.div_ceil(64), 0);
            was_in.append(&BooleanBuffer::new(Buffer::from_vec(bits), 0, rows));
        }
        Then { stayed: stayed.into(), was_in: was_in.into(), all_stayed }
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
        pieces: &Pieces,
        set: &RowSet,
        form: &str,
    ) -> Result<(), Error> {
        if !pieces.0.iter().all(Option::is_some) {
            return Ok(());
        }
        let all: Vec<(usize, u64, Piece)> = (0..pieces.0.len())
            .flat_map(|morsel| pieces.spans(morsel).map(move |(start, it)| (morsel, start, it)))
            .collect();
        let schema: SchemaRef = Arc::new(Schema::new(vec![
            Field::new("piece", DataType::UInt64, false),
            Field::new("rows", DataType::Binary, false),
        ]));
        let properties = state_file::properties(GROUP_ROWS_MAX).build();
        let mut file = state_file::Writer::create(path, &schema, properties)?;
        for pieces in all.chunks(GROUP_ROWS_MAX) {
            let hashes: UInt64Array =
                pieces.iter().map(|(.., piece)| piece.hash).collect::<Vec<_>>().into();
            let words = pieces.iter().map(|&(morsel, start, piece)| {
                let words = set.words_of(morsel, start, piece.end);
                words.into_iter().flat_map(u64::to_le_bytes).collect::<Vec<u8>>()
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
