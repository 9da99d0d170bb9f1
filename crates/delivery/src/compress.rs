//! Bytes become the bytes of a file: the character set, then compression.
//!
//! The same text gives the same bytes however it is cut into pieces, since the compressors are fed
//! blocks of one size, run on one thread, and write neither a name nor a time.

use std::io::Write;

use flate2::GzBuilder;
use flate2::write::GzEncoder;
use plan::file_format::{Compression, FileFormat};
use zstd::stream::write::Encoder as ZstdEncoder;

use crate::charset::Transcoder;
use crate::encode::Error;
use crate::zip::Zip;

/// The level of deflate, in gzip and zip: by measurement on profile rows, each further level costs
/// more time than the bytes it saves are worth.
pub const DEFLATE_LEVEL: u32 = 3;
/// The level of Zstandard, which is its default.
pub const ZSTD_LEVEL: i32 = 3;
/// What compressors are fed at a time.
const BLOCK_BYTES: usize = 128 << 10;
/// The operating system in the header of gzip: unknown, on every system.
const GZIP_SYSTEM_UNKNOWN: u8 = 255;

/// Packs the text of one file.
pub struct Packer {
    transcoder: Transcoder,
    /// Bytes that wait for a block to be full.
    pending: Vec<u8>,
    compressor: Compressor,
}

enum Compressor {
    None,
    Gzip(GzEncoder<Vec<u8>>),
    Zstd(ZstdEncoder<'static, Vec<u8>>),
    Zip(Box<Zip>),
}

impl Packer {
    /// Returns a packer for one file of the format. `name` is what it will be called when it is
    /// unpacked, for the compressions that keep a name.
    pub fn new(file: &FileFormat, name: &str) -> Self {
        Self {
            transcoder: Transcoder::new(file.encoding, file.dialect.unencodable),
            pending: Vec::new(),
            compressor: Compressor::new(file.compression, name),
        }
    }

    /// How many characters became question marks, since the encoding lacks them.
    pub fn replaced(&self) -> u64 {
        self.transcoder.replaced()
    }

    /// Whether the bytes of the file are those of its text.
    pub fn changes_nothing(&self) -> bool {
        self.transcoder.changes_nothing() && matches!(self.compressor, Compressor::None)
    }

    /// Takes more text, UTF-8 that ends at the end of a character, and appends to `out` what has
    /// become of the text so far; a part of it may be held back.
    ///
    /// # Errors
    /// [`Error::Unencodable`] for a character that the encoding lacks and may not replace, [`Error::Compress`] if the
    /// compressor fails. The file is then of no use.
    pub fn write(&mut self, text: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
        if matches!(self.compressor, Compressor::None) {
            return self.transcoder.write(text, out);
        }
        self.transcoder.write(text, &mut self.pending)?;
        let (blocks, _) = self.pending.as_chunks::<BLOCK_BYTES>();
        for block in blocks {
            self.compressor.write(block, out)?;
        }
        let taken = blocks.len() * BLOCK_BYTES;
        self.pending.drain(..taken);
        Ok(())
    }

    /// Appends what was held back and the end of the file. Nothing may be written afterwards.
    ///
    /// # Errors
    /// [`Error::Compress`] if the compressor fails.
    pub fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), Error> {
        self.compressor.write(&self.pending, out)?;
        self.pending = Vec::new();
        self.compressor.finish(out)
    }
}

impl Compressor {
    fn new(compression: Compression, name: &str) -> Self {
        match compression {
            Compression::None => Self::None,
            Compression::Gzip => Self::Gzip(
                GzBuilder::new()
                    .mtime(0)
                    .operating_system(GZIP_SYSTEM_UNKNOWN)
                    .write(Vec::new(), flate2::Compression::new(DEFLATE_LEVEL)),
            ),
            Compression::Zstd => Self::Zstd(zstd_encoder()),
            Compression::Zip => Self::Zip(Box::new(Zip::new(name, DEFLATE_LEVEL))),
        }
    }

    fn write(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
        match self {
            Self::None => out.extend_from_slice(bytes),
            Self::Gzip(encoder) => {
                encoder.write_all(bytes).map_err(Error::Compress)?;
                out.append(encoder.get_mut());
            }
            Self::Zstd(encoder) => {
                encoder.write_all(bytes).map_err(Error::Compress)?;
                out.append(encoder.get_mut());
            }
            Self::Zip(zip) => zip.write(bytes, out).map_err(Error::Compress)?,
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), Error> {
        match self {
            Self::None => {}
            Self::Gzip(encoder) => {
                encoder.try_finish().map_err(Error::Compress)?;
                out.append(encoder.get_mut());
            }
            Self::Zstd(encoder) => {
                encoder.do_finish().map_err(Error::Compress)?;
                out.append(encoder.get_mut());
            }
            Self::Zip(zip) => zip.finish(out).map_err(Error::Compress)?,
        }
        Ok(())
    }
}

fn zstd_encoder() -> ZstdEncoder<'static, Vec<u8>> {
    let mut encoder = ZstdEncoder::new(Vec::new(), ZSTD_LEVEL)
        .expect("creating a compressor in memory fails only for an unknown level");
    encoder.include_checksum(true).expect("the checksum is a setting of every frame");
    encoder
}

#[cfg(test)]
mod tests;
