//! Entries sorted into buckets, in memory as long as they fit, then in temporary files.
//!
//! The files have no names: they are gone when the process is, however it ends.

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;

use crate::error::{Error, Kind};

/// How many of the upper bits of a hash tell its bucket.
const BUCKET_BITS: u32 = 8;

/// The same for entries of which a whole bucket is sorted in memory, several buckets at once.
const FINE_BUCKET_BITS: u32 = 10;

/// How many buckets entries are sorted into.
pub(crate) const BUCKETS: usize = 1 << BUCKET_BITS;

/// Buckets that one job of a thread takes hold at least so many bytes together: to hand a job over
/// costs more than to read a bucket with a few entries.
const SHARE_BYTES: u64 = 256 << 10;

/// The bucket of a hash: its upper bits, since maps of entries use the lower ones. Buckets in their
/// order are in the order of the hashes.
pub(crate) fn bucket_of(hash: u64) -> usize {
    upper(hash, BUCKET_BITS)
}

fn upper(hash: u64, bits: u32) -> usize {
    (hash >> (u64::BITS - bits)) as usize
}

/// What entries may take.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    pub(crate) memory_bytes: usize,
    pub(crate) spill_folder: PathBuf,
    pub(crate) spill_bytes: u64,
}

impl Limits {
    /// Makes a file without a name in the spill folder, which is made if it is not there.
    pub(crate) fn temporary_file(&self) -> Result<File, Error> {
        let folder = &self.spill_folder;
        let made = std::fs::create_dir_all(folder).and_then(|()| tempfile::tempfile_in(folder));
        made.map_err(|error| Error::io(&folder.to_string_lossy(), "write a temporary file", error))
    }
}

/// Entries by bucket.
#[derive(Debug)]
pub(crate) struct Buckets {
    limits: Limits,
    /// How many of the upper bits of a hash tell its bucket.
    bits: u32,
    buckets: Vec<Bucket>,
    /// One file for all buckets: a file for each would soon be more than a process may open.
    file: Option<File>,
    in_memory: usize,
    spilled: u64,
}

#[derive(Debug, Default)]
struct Bucket {
    buffer: Vec<u8>,
    /// Where in the file its earlier entries are: begin and length, in order.
    extents: Vec<(u64, u64)>,
}

impl Buckets {
    /// [`BUCKETS`] of them.
    pub(crate) fn new(limits: Limits) -> Self {
        Self::of(limits, BUCKET_BITS)
    }

    /// Four times as many, for entries of which a whole bucket is sorted in memory.
    pub(crate) fn fine(limits: Limits) -> Self {
        Self::of(limits, FINE_BUCKET_BITS)
    }

    fn of(limits: Limits, bits: u32) -> Self {
        let buckets = std::iter::repeat_with(Bucket::default).take(1 << bits).collect();
        Self { limits, bits, buckets, file: None, in_memory: 0, spilled: 0 }
    }

    /// Adds an entry, given in parts, to the bucket of a hash.
    pub(crate) fn push(&mut self, hash: u64, parts: &[&[u8]]) -> Result<(), Error> {
        let buffer = &mut self.buckets[upper(hash, self.bits)].buffer;
        for part in parts {
            buffer.extend_from_slice(part);
            self.in_memory += part.len();
        }
        self.spill_if_full()
    }

    /// As [`Buckets::push`], of an entry with a head of fixed size and mostly nothing behind it: the
    /// copy is a few instructions.
    #[inline]
    pub(crate) fn push_headed<const N: usize>(
        &mut self,
        hash: u64,
        head: &[u8; N],
        rest: &[u8],
    ) -> Result<(), Error> {
        let buffer = &mut self.buckets[upper(hash, self.bits)].buffer;
        buffer.extend_from_slice(head);
        if !rest.is_empty() {
            buffer.extend_from_slice(rest);
        }
        self.in_memory += N + rest.len();
        self.spill_if_full()
    }

    #[inline]
    fn spill_if_full(&mut self) -> Result<(), Error> {
        if self.in_memory > self.limits.memory_bytes { self.spill() } else { Ok(()) }
    }

    fn spill(&mut self) -> Result<(), Error> {
        let mut end = self.spilled;
        self.spilled += self.in_memory as u64;
        let max = self.limits.spill_bytes;
        if self.spilled > max {
            let message = format!("more than {max} bytes of temporary files are needed");
            return Err(Error::new(Kind::Resources, "spill_limit", message)
                .with_hint("Raise the limit of temporary files."));
        }
        let folder = self.limits.spill_folder.to_string_lossy();
        let failed = |error| Error::io(&folder, "write a temporary file", error);
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(self.limits.temporary_file()?),
        };
        for bucket in self.buckets.iter_mut().filter(|bucket| !bucket.buffer.is_empty()) {
            file.write_all(&bucket.buffer).map_err(failed)?;
            let length = bucket.buffer.len() as u64;
            bucket.extents.push((end, length));
            end += length;
            bucket.buffer.clear();
        }
        self.in_memory = 0;
        Ok(())
    }

    /// Ends the writing; the buckets can then be read one after the other, or each on its own.
    pub(crate) fn finish(self) -> Sorted {
        let folder = self.limits.spill_folder.to_string_lossy().into_owned();
        Sorted { folder, bits: self.bits, buckets: self.buckets, file: self.file }
    }

    /// Hands over the entries of each bucket, one bucket after the other, as bytes to read.
    pub(crate) fn read_each(
        mut self,
        mut each: impl FnMut(&mut dyn Read) -> io::Result<()>,
    ) -> Result<(), Error> {
        (0..self.buckets.len()).try_for_each(|bucket| self.read(bucket, &mut each))
    }

    /// Hands over the entries of one bucket as bytes to read, and forgets them.
    pub(crate) fn read<T>(
        &mut self,
        bucket: usize,
        read: impl FnOnce(&mut dyn Read) -> io::Result<T>,
    ) -> Result<T, Error> {
        let bucket = std::mem::take(&mut self.buckets[bucket]);
        let folder = self.limits.spill_folder.to_string_lossy();
        let failed = |error| Error::io(&folder, "read a temporary file", error);
        bucket.read(self.file.as_ref(), read).map_err(failed)
    }
}

impl Bucket {
    fn read<T>(
        &self,
        file: Option<&File>,
        read: impl FnOnce(&mut dyn Read) -> io::Result<T>,
    ) -> io::Result<T> {
        match file {
            Some(file) if !self.extents.is_empty() => {
                let spilled = BufReader::new(Extents { file, rest: &self.extents, done: 0 });
                read(&mut spilled.chain(self.buffer.as_slice()))
            }
            _ => read(&mut self.buffer.as_slice()),
        }
    }
}

/// Entries by bucket, all of them written.
#[derive(Debug)]
pub(crate) struct Sorted {
    folder: String,
    bits: u32,
    buckets: Vec<Bucket>,
    file: Option<File>,
}

impl Sorted {
    /// Neighbouring buckets that are worth a job together, in the order of the hashes. Those at the
    /// end may hold nothing.
    pub(crate) fn shares(&self) -> Vec<Range<usize>> {
        let mut shares = Vec::new();
        let (mut start, mut bytes) = (0, 0);
        for bucket in 0..self.buckets.len() {
            bytes += self.bytes(bucket);
            if bytes >= SHARE_BYTES || bucket + 1 == self.buckets.len() {
                shares.push(start..bucket + 1);
                (start, bytes) = (bucket + 1, 0);
            }
        }
        shares
    }

    /// How many of the upper bits of a hash tell its bucket.
    pub(crate) fn bits(&self) -> u32 {
        self.bits
    }

    /// How many bytes the entries of a bucket take.
    pub(crate) fn bytes(&self, bucket: usize) -> u64 {
        let Bucket { buffer, extents } = &self.buckets[bucket];
        extents.iter().map(|(_, length)| length).sum::<u64>() + buffer.len() as u64
    }

    /// Hands over the entries of one bucket as bytes to read.
    pub(crate) fn read<T>(
        &self,
        bucket: usize,
        each: impl FnOnce(&mut dyn Read) -> io::Result<T>,
    ) -> Result<T, Error> {
        let failed = |error| Error::io(&self.folder, "read a temporary file", error);
        self.buckets[bucket].read(self.file.as_ref(), each).map_err(failed)
    }

    /// Loads the entries of one bucket in place of what `bytes` holds.
    pub(crate) fn load(&self, bucket: usize, bytes: &mut Vec<u8>) -> Result<(), Error> {
        let failed = |error| Error::io(&self.folder, "read a temporary file", error);
        let Bucket { buffer, extents } = &self.buckets[bucket];
        let length = usize::try_from(self.bytes(bucket));
        let length = length.map_err(|_| failed(io::ErrorKind::OutOfMemory.into()))?;
        // What was there is overwritten: it need not be cleared.
        bytes.resize(length, 0);
        let mut rest = bytes.as_mut_slice();
        for &(start, length) in extents {
            let (part, behind) = rest.split_at_mut(length as usize);
            let file = self.file.as_ref().ok_or_else(|| Error::internal("extents of no file"))?;
            file.read_exact_at(part, start).map_err(failed)?;
            rest = behind;
        }
        rest.copy_from_slice(buffer);
        Ok(())
    }
}

/// The bytes of a number in an entry; zeros behind the end.
pub(crate) fn bytes_at<const N: usize>(entries: &[u8], start: usize) -> [u8; N] {
    entries.get(start..).and_then(|bytes| bytes.first_chunk()).copied().unwrap_or([0; N])
}

/// The parts of a file that belong to one bucket, one after the other.
struct Extents<'a> {
    file: &'a File,
    rest: &'a [(u64, u64)],
    /// Bytes of the first that have been read.
    done: u64,
}

impl Read for Extents<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(&(start, length)) = self.rest.first() else { return Ok(0) };
        let wanted = buffer.len().min(usize::try_from(length - self.done).unwrap_or(usize::MAX));
        let read = self.file.read_at(&mut buffer[..wanted], start + self.done)?;
        if read == 0 && wanted > 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.done += read as u64;
        if self.done == length {
            (self.rest, self.done) = (&self.rest[1..], 0);
        }
        Ok(read)
    }
}

/// Reads exactly `length` bytes, or nothing at the end of the entries.
pub(crate) fn read_part(
    entries: &mut dyn Read,
    part: &mut Vec<u8>,
    length: usize,
) -> io::Result<bool> {
    part.clear();
    let read = entries.take(length as u64).read_to_end(part)?;
    match read {
        _ if read == length => Ok(true),
        0 => Ok(false),
        _ => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}
