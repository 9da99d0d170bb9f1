//! From the text of one file to its parts: packed, cut to size, and digested on the way.
//!
//! It is plain computation on bytes and runs on a thread that may be kept busy.

use std::sync::Arc;

use aws_lc_rs::digest::{Context, SHA256};
use bytes::Bytes;
use plan::file_format::FileFormat;
use plan::staged::PARTS_MAX;

use crate::buffers::Buffers;
use crate::compress::Packer;
use crate::error::Error;
use crate::store::{Part, hex_text};

/// What becomes of the text of one file.
pub(super) struct Press {
    key: String,
    packer: Packer,
    /// Packed bytes that are not a whole part yet.
    packed: Vec<u8>,
    buffers: Arc<Buffers>,
    part_bytes: usize,
    digests: Digests,
}

/// Checksums of the bytes so far.
struct Digests {
    sha256: Context,
    crc64nvme: u64,
    bytes: u64,
    parts: u32,
}

/// What a whole file comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Summary {
    /// Lower-case hex.
    pub(super) sha256: String,
    pub(super) crc64nvme: u64,
    pub(super) bytes: u64,
}

impl Press {
    /// Begins a file.
    pub(super) fn new(
        key: &str,
        file: &FileFormat,
        part_bytes: u64,
        buffers: Arc<Buffers>,
    ) -> Self {
        let part_bytes = usize::try_from(part_bytes).unwrap_or(usize::MAX);
        Self {
            key: key.to_owned(),
            packer: Packer::new(file.encoding, file.compression),
            packed: buffers.take(),
            buffers,
            part_bytes,
            digests: Digests::new(),
        }
    }

    /// Takes text and returns the parts that it fills.
    pub(super) fn write(&mut self, text: &[u8]) -> Result<Vec<Part>, Error> {
        // Room for a part and what goes over it, once per buffer rather than by doubling.
        let room = (self.part_bytes + text.len()).saturating_sub(self.packed.len());
        self.packed.reserve_exact(room);
        self.packer.write(text, &mut self.packed)?;
        self.full_parts()
    }

    /// Ends the file and returns its last parts. A file without a byte has one empty part, because
    /// an upload without parts cannot be completed.
    pub(super) fn finish(mut self) -> Result<(Vec<Part>, Summary), Error> {
        self.packer.finish(&mut self.packed)?;
        let mut parts = self.full_parts()?;
        if !self.packed.is_empty() || self.digests.parts == 0 {
            let last = std::mem::take(&mut self.packed);
            parts.push(self.digests.part(&self.key, self.buffers.lend(last))?);
        }
        Ok((parts, self.digests.summary()))
    }

    fn full_parts(&mut self) -> Result<Vec<Part>, Error> {
        let mut parts = Vec::new();
        while self.packed.len() >= self.part_bytes {
            let mut rest = self.buffers.take();
            rest.extend_from_slice(&self.packed[self.part_bytes..]);
            let mut full = std::mem::replace(&mut self.packed, rest);
            full.truncate(self.part_bytes);
            parts.push(self.digests.part(&self.key, self.buffers.lend(full))?);
        }
        Ok(parts)
    }
}

impl Digests {
    fn new() -> Self {
        Self {
            sha256: Context::new(&SHA256),
            crc64nvme: crc_fast::crc64_nvme(b""),
            bytes: 0,
            parts: 0,
        }
    }

    fn part(&mut self, key: &str, body: Bytes) -> Result<Part, Error> {
        self.parts += 1;
        if self.parts as usize > PARTS_MAX {
            return Err(Error::Limit {
                what: "parts",
                name: key.to_owned(),
                limit: PARTS_MAX as u64,
            });
        }
        self.sha256.update(&body);
        let part = Part::new(self.parts, body);
        let algorithm = crc_fast::CrcAlgorithm::Crc64Nvme;
        self.crc64nvme =
            crc_fast::checksum_combine(algorithm, self.crc64nvme, part.crc64nvme(), part.bytes());
        self.bytes += part.bytes();
        Ok(part)
    }

    fn summary(self) -> Summary {
        let sha256 = hex_text(self.sha256.finish().as_ref());
        Summary { sha256, crc64nvme: self.crc64nvme, bytes: self.bytes }
    }
}

/// Cuts bytes that are there as a whole into parts.
pub(super) fn cut(key: &str, body: &Bytes, part_bytes: u64) -> Result<(Vec<Part>, Summary), Error> {
    let part_bytes = usize::try_from(part_bytes).unwrap_or(usize::MAX);
    let mut digests = Digests::new();
    let mut parts = Vec::new();
    if body.is_empty() {
        parts.push(digests.part(key, Bytes::new())?);
    }
    for start in (0..body.len()).step_by(part_bytes) {
        let end = body.len().min(start + part_bytes);
        parts.push(digests.part(key, body.slice(start..end))?);
    }
    Ok((parts, digests.summary()))
}

#[cfg(test)]
mod tests {
    use plan::file_format::{Compression, Layout};

    use super::*;

    const FIVE: u64 = 5;

    fn press_all(texts: &[&str], compression: Compression) -> (Vec<Part>, Summary) {
        let file = FileFormat { compression, ..FileFormat::new(Layout::Csv) };
        let mut press = Press::new("a.csv", &file, FIVE, Buffers::new(2));
        let mut parts = Vec::new();
        for text in texts {
            parts.extend(press.write(text.as_bytes()).unwrap());
        }
        let (last, summary) = press.finish().unwrap();
        parts.extend(last);
        (parts, summary)
    }

    #[test]
    fn all_parts_but_the_last_have_the_size() {
        for (texts, expected) in [
            (vec![], vec![""]),
            (vec![""], vec![""]),
            (vec!["ab"], vec!["ab"]),
            (vec!["abcde"], vec!["abcde"]),
            (vec!["abcdef"], vec!["abcde", "f"]),
            (vec!["ab", "cdefg", "hijklmnopqrst"], vec!["abcde", "fghij", "klmno", "pqrst"]),
        ] {
            let (parts, summary) = press_all(&texts, Compression::None);
            let bodies: Vec<&[u8]> = parts.iter().map(|part| &part.body()[..]).collect();
            assert_eq!(
                bodies,
                expected.iter().map(|text| text.as_bytes()).collect::<Vec<_>>(),
                "{texts:?}"
            );
            let numbers: Vec<u32> = parts.iter().map(Part::number).collect();
            assert_eq!(numbers, (1..=parts.len() as u32).collect::<Vec<_>>());
            let whole = texts.concat();
            assert_eq!(summary.crc64nvme, crc_fast::crc64_nvme(whole.as_bytes()));
            assert_eq!(summary.bytes, whole.len() as u64);
            let sha256 = aws_lc_rs::digest::digest(&SHA256, whole.as_bytes());
            assert_eq!(summary.sha256, hex_text(sha256.as_ref()));
            assert_eq!(cut("a.csv", &Bytes::from(whole), FIVE).unwrap().1, summary);
        }
    }

    #[test]
    fn the_same_text_gives_the_same_parts_however_it_comes() {
        for compression in [Compression::None, Compression::Gzip, Compression::Zstd] {
            let whole = press_all(&["one,two\nthree,four\n"], compression).1;
            let pieces = press_all(&["one,t", "wo\nthree", ",four\n"], compression).1;
            assert_eq!(whole, pieces, "{compression:?}");
        }
    }

    #[test]
    fn more_parts_than_a_service_takes_are_an_error() {
        let file = FileFormat::new(Layout::Csv);
        let mut press = Press::new("a.csv", &file, 1, Buffers::new(2));
        assert_eq!(press.write(&vec![b'x'; PARTS_MAX]).unwrap().len(), PARTS_MAX);
        let error = press.write(b"x").err().unwrap();
        insta::assert_snapshot!(error, @"parts of a.csv would pass the limit of 10000");
    }
}
