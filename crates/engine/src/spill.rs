//! Entries sorted into buckets, in memory as long as they fit, then in temporary files.
//!
//! The files have no names: they are gone when the process is, however it ends.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use crate::error::{Error, Kind};

/// How many buckets entries are sorted into.
pub(crate) const BUCKETS: usize = 256;

/// The bucket of a hash: its upper bits, since maps of entries use the lower ones. Buckets in their
/// order are in the order of the hashes.
pub(crate) fn bucket_of(hash: u64) -> usize {
    (hash >> 56) as usize % BUCKETS
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
    buckets: Vec<Bucket>,
    in_memory: usize,
    spilled: u64,
}

#[derive(Debug, Default)]
struct Bucket {
    buffer: Vec<u8>,
    file: Option<File>,
}

impl Buckets {
    pub(crate) fn new(limits: Limits) -> Self {
        let buckets = std::iter::repeat_with(Bucket::default).take(BUCKETS).collect();
        Self { limits, buckets, in_memory: 0, spilled: 0 }
    }

    /// Adds an entry, given in parts, to the bucket of a hash.
    pub(crate) fn push(&mut self, hash: u64, parts: &[&[u8]]) -> Result<(), Error> {
        let bucket = bucket_of(hash);
        for part in parts {
            self.buckets[bucket].buffer.extend_from_slice(part);
            self.in_memory += part.len();
        }
        if self.in_memory > self.limits.memory_bytes { self.spill() } else { Ok(()) }
    }

    fn spill(&mut self) -> Result<(), Error> {
        self.spilled += self.in_memory as u64;
        let max = self.limits.spill_bytes;
        if self.spilled > max {
            let message = format!("more than {max} bytes of temporary files are needed");
            return Err(Error::new(Kind::Resources, "spill_limit", message)
                .with_hint("Raise the limit of temporary files."));
        }
        let folder = self.limits.spill_folder.to_string_lossy();
        let failed = |error| Error::io(&folder, "write a temporary file", error);
        for bucket in self.buckets.iter_mut().filter(|bucket| !bucket.buffer.is_empty()) {
            if bucket.file.is_none() {
                bucket.file = Some(self.limits.temporary_file()?);
            }
            if let Some(file) = &mut bucket.file {
                file.write_all(&bucket.buffer).map_err(failed)?;
            }
            bucket.buffer.clear();
        }
        self.in_memory = 0;
        Ok(())
    }

    /// Ends the writing; the buckets can then be read one after the other, or each on its own.
    pub(crate) fn finish(self) -> Sorted {
        let folder = self.limits.spill_folder.to_string_lossy().into_owned();
        let buckets = self
            .buckets
            .into_iter()
            .map(|Bucket { buffer, file }| Full { buffer, file: file.map(Mutex::new) });
        Sorted { folder, buckets: buckets.collect() }
    }

    /// Hands over the entries of each bucket, one bucket after the other, as bytes to read.
    pub(crate) fn read_each(
        mut self,
        mut each: impl FnMut(&mut dyn Read) -> io::Result<()>,
    ) -> Result<(), Error> {
        (0..BUCKETS).try_for_each(|bucket| self.read(bucket, &mut each))
    }

    /// Hands over the entries of one bucket as bytes to read, and forgets them.
    pub(crate) fn read<T>(
        &mut self,
        bucket: usize,
        read: impl FnOnce(&mut dyn Read) -> io::Result<T>,
    ) -> Result<T, Error> {
        let folder = self.limits.spill_folder.to_string_lossy();
        let failed = |error| Error::io(&folder, "read a temporary file", error);
        let Bucket { buffer, file } = std::mem::take(&mut self.buckets[bucket]);
        match file {
            None => read(&mut buffer.as_slice()).map_err(failed),
            Some(mut file) => {
                file.seek(SeekFrom::Start(0)).map_err(failed)?;
                read(&mut BufReader::new(file).chain(buffer.as_slice())).map_err(failed)
            }
        }
    }
}

/// Entries by bucket, all of them written.
#[derive(Debug)]
pub(crate) struct Sorted {
    folder: String,
    buckets: Vec<Full>,
}

#[derive(Debug)]
struct Full {
    buffer: Vec<u8>,
    file: Option<Mutex<File>>,
}

impl Sorted {
    /// How many bytes the entries of a bucket take.
    pub(crate) fn bytes(&self, bucket: usize) -> Result<u64, Error> {
        let Full { buffer, file } = &self.buckets[bucket];
        let Some(file) = file else { return Ok(buffer.len() as u64) };
        let file = file.lock().unwrap_or_else(PoisonError::into_inner);
        let failed = |error| Error::io(&self.folder, "read a temporary file", error);
        Ok(file.metadata().map_err(failed)?.len() + buffer.len() as u64)
    }

    /// Hands over the entries of one bucket as bytes to read.
    pub(crate) fn read<T>(
        &self,
        bucket: usize,
        each: impl FnOnce(&mut dyn Read) -> io::Result<T>,
    ) -> Result<T, Error> {
        let failed = |error| Error::io(&self.folder, "read a temporary file", error);
        let Full { buffer, file } = &self.buckets[bucket];
        let Some(file) = file else { return each(&mut buffer.as_slice()).map_err(failed) };
        let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(0)).map_err(failed)?;
        each(&mut BufReader::new(&mut *file).chain(buffer.as_slice())).map_err(failed)
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
