//! Compressed text files: told by their first bytes, whatever they are called, and unpacked as they
//! are read.
//!
//! No text in UTF-8 begins like gzip or Zstandard, so that nothing else can be taken for them.

use std::io::{self, BufReader, Read};
use std::sync::Arc;

use bytes::Bytes;
use flate2::bufread::MultiGzDecoder;
use zstd::stream::read::Decoder as ZstdDecoder;

use crate::error::Error;
use crate::source::{Blocks, Source};

/// The extensions that a compressed file may have behind that of its format.
pub(crate) const EXTENSIONS: [&str; 2] = ["gz", "zst"];

/// How much is unpacked at a time, in bytes.
const BLOCK_BYTES: usize = 256 << 10;
/// The most bytes of history that a Zstandard file may ask for, as a power of two: 128 MiB, what the
/// command line tool allows by default.
const ZSTD_WINDOW_LOG_MAX: u32 = 27;
/// The most bytes that each byte of a compressed file may stand for, beyond [`UNPACKED_BYTES_FREE`]:
/// text as people keep it is packed to a tenth, and hardly ever to a hundredth.
const RATIO_MAX: u64 = 250;
/// How much a small file may unpack to, whatever its size, in bytes.
const UNPACKED_BYTES_FREE: u64 = 1 << 30;
const GZIP_MARK: [u8; 2] = [0x1f, 0x8b];
const ZSTD_MARK: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// A compression of whole files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Packing {
    Gzip,
    Zstd,
}

impl Packing {
    /// Tells how a file that begins with `head` is compressed, if it is.
    pub(crate) fn of(head: &[u8]) -> Option<Self> {
        if head.starts_with(&GZIP_MARK) {
            Some(Self::Gzip)
        } else if head.starts_with(&ZSTD_MARK) {
            Some(Self::Zstd)
        } else {
            None
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "Zstandard",
        }
    }
}

/// The text of a compressed file.
pub(crate) struct Unpacker {
    source: Arc<Source>,
    packing: Packing,
    reader: Box<dyn Read + Send>,
    unpacked_bytes: u64,
}

impl std::fmt::Debug for Unpacker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Unpacker").field("packing", &self.packing).finish_non_exhaustive()
    }
}

impl Unpacker {
    /// Begins to unpack a file from its first byte.
    pub(crate) fn new(source: Arc<Source>, packing: Packing) -> Result<Self, Error> {
        let packed = Packed { blocks: Blocks::new(Arc::clone(&source)), block: Bytes::new() };
        let reader: Box<dyn Read + Send> = match packing {
            // Files that were put together from several are one file to those who read them.
            Packing::Gzip => Box::new(MultiGzDecoder::new(BufReader::new(packed))),
            Packing::Zstd => {
                let mut decoder = ZstdDecoder::new(packed)
                    .map_err(|_| Error::internal("a decompressor cannot be made"))?;
                decoder
                    .window_log_max(ZSTD_WINDOW_LOG_MAX)
                    .map_err(|_| Error::internal("a decompressor refuses its limit"))?;
                Box::new(decoder)
            }
        };
        Ok(Self { source, packing, reader, unpacked_bytes: 0 })
    }

    /// The next bytes of text, empty at the end.
    pub(crate) fn next_block(&mut self) -> Result<Bytes, Error> {
        let mut block = Vec::with_capacity(BLOCK_BYTES);
        match self.reader.by_ref().take(BLOCK_BYTES as u64).read_to_end(&mut block) {
            Ok(length) => {
                self.unpacked_bytes += length as u64;
                self.check_ratio()?;
                Ok(block.into())
            }
            Err(_) => {
                let name = self.packing.name();
                let location = self.source.location();
                Err(self.source.explain(|| {
                    Error::input(location, format!("the {name} data is damaged or cut short"))
                        .with_hint("Make the file again, or copy it again from where it came.")
                }))
            }
        }
    }

    /// Ends the reading of a file that was made to fill whatever it is unpacked to.
    fn check_ratio(&self) -> Result<(), Error> {
        let max = UNPACKED_BYTES_FREE.max(self.source.size().saturating_mul(RATIO_MAX));
        if self.unpacked_bytes <= max {
            return Ok(());
        }
        let message = format!("the file unpacks to more than {RATIO_MAX} times its size");
        Err(Error::input(self.source.location(), message)
            .with_hint("If it is meant to, unpack it first."))
    }
}

/// The bytes of the file as they are stored.
struct Packed {
    blocks: Blocks,
    block: Bytes,
}

impl Read for Packed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.block.is_empty() {
            self.block = self.blocks.next_for_decoder()?;
        }
        let length = buffer.len().min(self.block.len());
        buffer[..length].copy_from_slice(&self.block.split_to(length));
        Ok(length)
    }
}
