//! Where bodies are: written once as a stream, joined from parts, read by range.
//!
//! It knows nothing of ETags, versions or conditions. For a folder it also keeps what people see there in line
//! with what is visible in a bucket; see [`Folder`].

mod folder;
mod record;

use std::io;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures::stream;
use s3s::dto::StreamingBlob;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _, AsyncWriteExt as _};

use self::folder::FileBlob;
pub(crate) use self::folder::{Adopted, Folder};
use crate::options::Backend;

/// How many bytes are read from a file at a time.
const READ_BYTES: usize = 256 * 1024;

/// Where bodies are kept.
pub(crate) enum Store {
    Memory,
    Discard,
    Folder(Folder),
}

/// A body that was stored. Its size is known to whoever keeps it.
#[derive(Clone, Debug)]
pub(crate) enum Blob {
    Memory(Arc<Vec<Bytes>>),
    File(Arc<FileBlob>),
    Discarded,
}

/// A body that is being stored.
pub(crate) enum Writer {
    Memory(Vec<Bytes>),
    File(tokio::fs::File, Arc<FileBlob>),
    Discard,
}

impl Store {
    /// Opens the store, with what a folder already holds.
    pub(crate) fn open(backend: &Backend) -> Result<(Self, Vec<Adopted>), crate::Error> {
        match backend {
            Backend::Memory => Ok((Self::Memory, Vec::new())),
            Backend::Discard => Ok((Self::Discard, Vec::new())),
            Backend::Folder(root) => {
                let (folder, adopted) = Folder::open(root)?;
                Ok((Self::Folder(folder), adopted))
            }
        }
    }

    pub(crate) async fn writer(&self) -> io::Result<Writer> {
        match self {
            Self::Memory => Ok(Writer::Memory(Vec::new())),
            Self::Discard => Ok(Writer::Discard),
            Self::Folder(folder) => {
                let blob = folder.staged();
                Ok(Writer::File(tokio::fs::File::create_new(blob.path()).await?, blob))
            }
        }
    }

    /// Stores the concatenation of bodies. The parts stay as they are.
    pub(crate) async fn join(&self, parts: Vec<Blob>) -> io::Result<Blob> {
        match self {
            Self::Memory => {
                Ok(Blob::Memory(Arc::new(parts.iter().flat_map(Blob::chunks).cloned().collect())))
            }
            Self::Discard => Ok(Blob::Discarded),
            Self::Folder(folder) => {
                let whole = folder.staged();
                let target = Arc::clone(&whole);
                tokio::task::spawn_blocking(move || concatenate(&parts, &target)).await??;
                Ok(Blob::File(whole))
            }
        }
    }
}

impl Writer {
    pub(crate) async fn write(&mut self, bytes: Bytes) -> io::Result<()> {
        match self {
            Self::Memory(chunks) => chunks.push(bytes),
            Self::File(file, _) => file.write_all(&bytes).await?,
            Self::Discard => {}
        }
        Ok(())
    }

    pub(crate) async fn finish(self) -> io::Result<Blob> {
        match self {
            Self::Memory(chunks) => Ok(Blob::Memory(Arc::new(chunks))),
            Self::Discard => Ok(Blob::Discarded),
            Self::File(mut file, blob) => {
                file.flush().await?;
                Ok(Blob::File(blob))
            }
        }
    }
}

impl Blob {
    /// Opens a range of the body for reading; a later removal does not disturb the reader.
    pub(crate) fn read(&self, range: Range<u64>) -> io::Result<StreamingBlob> {
        match self {
            Self::Memory(chunks) => Ok(in_chunks(cut(chunks, &range))),
            Self::File(blob) => Ok(in_file(blob.open()?, range)),
            Self::Discarded => {
                Err(io::Error::new(io::ErrorKind::Unsupported, "this lab discards bodies"))
            }
        }
    }

    /// Returns the whole body, for direct inspection by tests.
    pub(crate) fn bytes(&self) -> io::Result<Vec<u8>> {
        match self {
            Self::Memory(chunks) => Ok(chunks.concat()),
            Self::File(blob) => {
                let mut bytes = Vec::new();
                io::Read::read_to_end(&mut blob.open()?, &mut bytes)?;
                Ok(bytes)
            }
            Self::Discarded => Ok(Vec::new()),
        }
    }

    fn chunks(&self) -> &[Bytes] {
        match self {
            Self::Memory(chunks) => chunks,
            Self::File(_) | Self::Discarded => &[],
        }
    }
}

fn concatenate(parts: &[Blob], target: &FileBlob) -> io::Result<()> {
    let mut file = std::fs::File::create_new(target.path())?;
    for part in parts {
        if let Blob::File(blob) = part {
            io::copy(&mut blob.open()?, &mut file)?;
        }
    }
    Ok(())
}

/// Returns the part of a list of chunks that lies in a range of the whole.
fn cut(chunks: &[Bytes], range: &Range<u64>) -> Vec<Bytes> {
    let mut at = 0;
    let mut found = Vec::new();
    for chunk in chunks {
        let end = at + chunk.len() as u64;
        let (from, to) = (range.start.clamp(at, end), range.end.clamp(at, end));
        if from < to {
            let within = |offset: u64| {
                usize::try_from(offset - at).expect("an offset in a chunk that is in memory")
            };
            found.push(chunk.slice(within(from)..within(to)));
        }
        at = end;
    }
    found
}

fn in_chunks(chunks: Vec<Bytes>) -> StreamingBlob {
    StreamingBlob::wrap(stream::iter(chunks.into_iter().map(Ok::<_, io::Error>)))
}

fn in_file(file: std::fs::File, range: Range<u64>) -> StreamingBlob {
    let begin = (tokio::fs::File::from_std(file), range);
    StreamingBlob::wrap(stream::try_unfold(begin, |(mut file, Range { start, end })| async move {
        file.seek(io::SeekFrom::Start(start)).await?;
        let mut buffer = bytes::BytesMut::with_capacity(READ_BYTES);
        let count =
            (&mut file).take((end - start).min(READ_BYTES as u64)).read_buf(&mut buffer).await?;
        let next = (file, start + count as u64..end);
        Ok::<_, io::Error>((count > 0).then(|| (buffer.freeze(), next)))
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_chunks() {
        let chunks: Vec<Bytes> = ["abc", "", "de", "f"].map(Bytes::from).into();
        for (range, expected) in [
            (0..6, "abcdef"),
            (0..3, "abc"),
            (2..4, "cd"),
            (3..3, ""),
            (5..6, "f"),
            (1..99, "bcdef"),
        ] {
            assert_eq!(cut(&chunks, &range).concat(), expected.as_bytes(), "{range:?}");
        }
    }
}
