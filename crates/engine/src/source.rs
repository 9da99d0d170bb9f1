//! An opened input as the format readers want it: ranges for Parquet, a byte stream for text.

use std::io::{self, Read};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};

use crate::error::Error;
use crate::store::{Input, Opened, Store};

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
        if offset.checked_add(length as u64).is_none_or(|end| end > self.size()) {
            return Err(Error::input(self.location(), "the file points behind its own end"));
        }
        self.opened.read(offset, length)
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

/// A text file from its first byte to its last.
#[derive(Debug)]
pub(crate) struct Text {
    source: Arc<Source>,
    offset: u64,
}

impl Text {
    pub(crate) fn new(source: Arc<Source>) -> Self {
        Self { source, offset: 0 }
    }

    /// The path or address.
    pub(crate) fn location(&self) -> &str {
        self.source.location()
    }

    /// The next bytes, empty at the end.
    pub(crate) fn next_block(&mut self) -> Result<Bytes, Error> {
        let left = self.source.size() - self.offset;
        let length = self.source.read_ahead_bytes.min(usize::try_from(left).unwrap_or(usize::MAX));
        let bytes = self.source.read(self.offset, length)?;
        self.offset += length as u64;
        Ok(bytes)
    }
}
