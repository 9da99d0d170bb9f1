//! An opened input as the format readers want it: ranges for Parquet, a byte stream for text.

use std::io::{self, Read};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};

use crate::characters::Characters;
use crate::error::Error;
use crate::store::{Input, Opened, Store};
use crate::unpack::{Packing, Unpacker};

/// A pinned input, open for reading on a blocking thread.
///
/// The libraries that decode turn errors into texts on their way; the first failure of a read is
/// kept here as it was, see [`Source::explain`].
#[derive(Debug)]
pub(crate) struct Source {
    opened: Opened,
    input: Arc<Input>,
    read_ahead_bytes: usize,
    failure: Mutex<Option<Error>>,
}

impl Source {
    /// Opens an input.
    ///
    /// # Errors
    /// It is gone, changed, or may not be read.
    pub(crate) fn open(store: &Store, input: &Arc<Input>) -> Result<Arc<Self>, Error> {
        Ok(Arc::new(Self {
            opened: store.open(input)?,
            input: Arc::clone(input),
            read_ahead_bytes: store.read_ahead_bytes(),
            failure: Mutex::new(None),
        }))
    }

    /// The path or address.
    pub(crate) fn location(&self) -> &str {
        &self.input.location
    }

    /// Bytes.
    pub(crate) fn size(&self) -> u64 {
        self.input.size
    }

    /// Reads a range, which has to lie inside the file.
    pub(crate) fn read(&self, offset: u64, length: usize) -> Result<Bytes, Error> {
        self.check_range(offset, length)?;
        self.opened.read(offset, length)
    }

    /// Reads ranges, which have to lie inside the file, several at once.
    fn read_several(&self, ranges: &[(u64, usize)]) -> Result<Vec<Bytes>, Error> {
        ranges.iter().try_for_each(|&(offset, length)| self.check_range(offset, length))?;
        self.opened.read_several(ranges)
    }

    fn check_range(&self, offset: u64, length: usize) -> Result<(), Error> {
        if offset.checked_add(length as u64).is_none_or(|end| end > self.size()) {
            return Err(Error::input(self.location(), "the file points behind its own end"));
        }
        Ok(())
    }

    /// The failed read behind an error of a decoder, or else what the decoder found.
    pub(crate) fn explain(&self, decoder: impl FnOnce() -> Error) -> Error {
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure.take().unwrap_or_else(decoder)
    }

    fn keep(&self, error: Error) {
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure.get_or_insert(error);
    }
}

/// A block of a file, read ahead.
#[derive(Debug, Default)]
struct Block {
    offset: u64,
    bytes: Bytes,
}

impl Block {
    fn part(&self, offset: u64, length: usize) -> Option<Bytes> {
        let start = usize::try_from(offset.checked_sub(self.offset)?).ok()?;
        let end = start.checked_add(length)?;
        (end <= self.bytes.len()).then(|| self.bytes.slice(start..end))
    }
}

/// A Parquet file whose column chunks are each read through a block of their own.
///
/// Columns are decoded in turns, a batch of each at a time. One block per chunk makes that a few
/// large reads, and keeps memory to a block per column however large the row group is.
#[derive(Debug)]
pub(crate) struct Chunks {
    source: Arc<Source>,
    /// Sorted by offset.
    chunks: Vec<(Range<u64>, Mutex<Block>)>,
}

impl Chunks {
    /// Wraps a source; `ranges` are the column chunks that will be read.
    pub(crate) fn new(source: Arc<Source>, mut ranges: Vec<Range<u64>>) -> Self {
        ranges.sort_by_key(|range| range.start);
        let chunks = ranges.into_iter().map(|range| (range, Mutex::default())).collect();
        Self { source, chunks }
    }

    /// Fetches the first block of every chunk, several at once, where each would have to be waited
    /// for. Otherwise decoding the first batch would wait for one column after the other.
    pub(crate) fn fetch_first_blocks(&self) -> Result<(), Error> {
        if !self.source.opened.is_far() {
            return Ok(());
        }
        let first = |range: &Range<u64>| {
            let length = range.end.saturating_sub(range.start);
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            (range.start, length.min(self.source.read_ahead_bytes))
        };
        let firsts: Vec<(u64, usize)> = self.chunks.iter().map(|(range, _)| first(range)).collect();
        let fetched = self.source.read_several(&firsts)?;
        for (((_, block), (offset, _)), bytes) in self.chunks.iter().zip(firsts).zip(fetched) {
            *block.lock().unwrap_or_else(PoisonError::into_inner) = Block { offset, bytes };
        }
        Ok(())
    }

    fn read(&self, offset: u64, length: usize) -> Result<Bytes, Error> {
        let behind = self.chunks.partition_point(|(range, _)| range.start <= offset);
        let Some((range, block)) = self.chunks[..behind].last() else {
            return self.source.read(offset, length);
        };
        let mut block = block.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(part) = block.part(offset, length) {
            return Ok(part);
        }
        let left = usize::try_from(range.end.saturating_sub(offset)).unwrap_or(usize::MAX);
        let ahead = self.source.read_ahead_bytes.min(left);
        if length >= ahead {
            return self.source.read(offset, length);
        }
        *block = Block { offset, bytes: self.source.read(offset, ahead)? };
        Ok(block.bytes.slice(..length))
    }

    fn read_for_decoder(&self, offset: u64, length: usize) -> parquet::errors::Result<Bytes> {
        self.read(offset, length).map_err(|error| {
            let text = error.to_string();
            self.source.keep(error);
            ParquetError::General(text)
        })
    }
}

impl Length for Chunks {
    fn len(&self) -> u64 {
        self.source.size()
    }
}

/// What is read at once to decode a page header; most headers are shorter.
const HEADER_BYTES: usize = 512;

impl ChunkReader for Chunks {
    type T = ChunkCursor;

    fn get_read(&self, start: u64) -> parquet::errors::Result<ChunkCursor> {
        let left = usize::try_from(self.len().saturating_sub(start)).unwrap_or(usize::MAX);
        let head = self.read_for_decoder(start, HEADER_BYTES.min(left))?;
        let offset = start + head.len() as u64;
        Ok(ChunkCursor { source: Arc::clone(&self.source), head, offset })
    }

    fn get_bytes(&self, start: u64, length: usize) -> parquet::errors::Result<Bytes> {
        self.read_for_decoder(start, length)
    }
}

/// Reads on from an offset: first what the column's block had, then the file.
#[derive(Debug)]
pub(crate) struct ChunkCursor {
    source: Arc<Source>,
    head: Bytes,
    /// Behind `head`.
    offset: u64,
}

impl ChunkCursor {
    fn refill(&mut self, wanted: usize) -> Result<(), Error> {
        let left = self.source.size().saturating_sub(self.offset);
        let length = wanted.max(HEADER_BYTES).min(usize::try_from(left).unwrap_or(usize::MAX));
        self.head = self.source.read(self.offset, length)?;
        self.offset += length as u64;
        Ok(())
    }
}

impl Read for ChunkCursor {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.head.is_empty()
            && let Err(error) = self.refill(buffer.len())
        {
            let text = error.to_string();
            self.source.keep(error);
            return Err(io::Error::other(text));
        }
        let length = buffer.len().min(self.head.len());
        buffer[..length].copy_from_slice(&self.head.split_to(length));
        Ok(length)
    }
}

/// The blocks of a file, from the first byte to the last.
#[derive(Debug)]
pub(crate) struct Blocks {
    source: Arc<Source>,
    offset: u64,
}

impl Blocks {
    pub(crate) fn new(source: Arc<Source>) -> Self {
        Self { source, offset: 0 }
    }

    /// The next bytes, empty at the end.
    fn next(&mut self) -> Result<Bytes, Error> {
        let left = self.source.size() - self.offset;
        let length = self.source.read_ahead_bytes.min(usize::try_from(left).unwrap_or(usize::MAX));
        let bytes = self.source.read(self.offset, length)?;
        self.offset += length as u64;
        Ok(bytes)
    }

    /// As `next`, for a library that turns errors into texts.
    pub(crate) fn next_for_decoder(&mut self) -> io::Result<Bytes> {
        self.next().map_err(|error| {
            let text = error.to_string();
            self.source.keep(error);
            io::Error::other(text)
        })
    }
}

/// The text of a file from its beginning to its end: unpacked if the file is compressed, in UTF-8 and
/// without a byte order mark if it began with one.
#[derive(Debug)]
pub(crate) struct Text {
    source: Arc<Source>,
    bytes: Stored,
    characters: Option<Characters>,
}

#[derive(Debug)]
enum Stored {
    New,
    Plain(Blocks),
    Packed(Unpacker),
}

impl Text {
    pub(crate) fn new(source: Arc<Source>) -> Self {
        Self { source, bytes: Stored::New, characters: None }
    }

    /// The path or address.
    pub(crate) fn location(&self) -> &str {
        self.source.location()
    }

    /// The next bytes, empty at the end.
    pub(crate) fn next_block(&mut self) -> Result<Bytes, Error> {
        let block = self.next_stored()?;
        let mut characters = match self.characters.take() {
            Some(characters) => characters,
            None => Characters::of(&block),
        };
        let text = characters.take(block, || self.next_stored());
        self.characters = Some(characters);
        text?.ok_or_else(|| {
            Error::input(self.location(), "the file looks like UTF-16 and cannot be read as such")
                .with_hint("Convert it to UTF-8.")
        })
    }

    /// The next bytes as they are stored in the file, or in what it unpacks to.
    fn next_stored(&mut self) -> Result<Bytes, Error> {
        match &mut self.bytes {
            Stored::Plain(blocks) => blocks.next(),
            Stored::Packed(unpacker) => unpacker.next_block(),
            Stored::New => {
                let mut blocks = Blocks::new(Arc::clone(&self.source));
                let first = blocks.next()?;
                let Some(packing) = Packing::of(&first) else {
                    self.bytes = Stored::Plain(blocks);
                    return Ok(first);
                };
                let mut unpacker = Unpacker::new(Arc::clone(&self.source), packing)?;
                let first = unpacker.next_block();
                self.bytes = Stored::Packed(unpacker);
                first
            }
        }
    }
}
