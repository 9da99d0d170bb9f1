//! From the rows of one file to its parts: packed, cut to size, and digested on the way.
//!
//! It is plain computation on bytes and runs on a thread that may be kept busy.

use std::sync::Arc;

use aws_lc_rs::digest::{Context, SHA256};
use bytes::Bytes;
use plan::Output;
use plan::file_format::FileFormat;
use plan::staged::PARTS_MAX;

use crate::buffers::{Buffers, Filling};
use crate::compress::Packer;
use crate::crc64nvme;
use crate::encode::{Chunk, Head};
use crate::error::Error;
use crate::pgp::Sealer;
use crate::store::{Part, hex_text};
use crate::table::Table;

/// What becomes of the rows of one file.
pub(super) struct Press {
    key: String,
    form: Form,
    sealer: Option<Sealer>,
    /// Packed bytes that are not a whole part yet.
    packed: Filling,
    buffers: Arc<Buffers>,
    part_bytes: usize,
    digests: Digests,
}

enum Form {
    Text(Box<Packer>),
    Table(Box<Table>),
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
    /// Characters that became question marks.
    pub(super) replaced: u64,
}

impl Press {
    /// Begins a file with what every file begins with, and returns the parts that it fills. With a
    /// sealer it is encrypted.
    pub(super) fn begin(
        key: &str,
        file: &FileFormat,
        head: Head,
        sealer: Option<Sealer>,
        part_bytes: u64,
        buffers: Arc<Buffers>,
    ) -> Result<(Self, Vec<Part>), Error> {
        let part_bytes = usize::try_from(part_bytes).unwrap_or(usize::MAX);
        let (form, text) = match head {
            Head::Text(text) => {
                let packer = Packer::new(file, unpacked_name(key, file));
                (Form::Text(Box::new(packer)), text)
            }
            Head::Columns(schema) => (Form::Table(Box::new(Table::new(&schema)?)), Vec::new()),
        };
        let packed = Filling::new(buffers.take(), part_bytes);
        let key = key.to_owned();
        let digests = Digests::new();
        let mut press = Self { key, form, sealer, packed, buffers, part_bytes, digests };
        let parts = press.write(&Chunk { text, ..Chunk::default() })?;
        Ok((press, parts))
    }

    /// How many bytes of the file there are so far.
    pub(super) fn bytes(&self) -> u64 {
        self.digests.bytes + self.packed.len() as u64
    }

    /// Takes rows and returns the parts that they fill.
    pub(super) fn write(&mut self, rows: &Chunk) -> Result<Vec<Part>, Error> {
        match &mut self.form {
            Form::Text(packer) if self.sealer.is_some() => {
                let mut bytes = Vec::new();
                packer.write(&rows.text, &mut bytes)?;
                self.seal(bytes)
            }
            Form::Text(packer) if packer.changes_nothing() => self.cut(&rows.text),
            Form::Text(packer) => {
                packer.write(&rows.text, self.packed.end())?;
                self.full_parts()
            }
            Form::Table(table) => {
                let mut bytes = Vec::new();
                table.write(rows, &mut bytes)?;
                self.seal(bytes)
            }
        }
    }

    /// Ends the file and returns its last parts. A file without a byte has one empty part, because
    /// an upload without parts cannot be completed.
    pub(super) fn finish(mut self) -> Result<(Vec<Part>, Summary), Error> {
        let mut bytes = Vec::new();
        let mut replaced = 0;
        match &mut self.form {
            Form::Text(packer) => {
                packer.finish(&mut bytes)?;
                replaced = packer.replaced();
            }
            Form::Table(table) => table.finish(&mut bytes)?,
        }
        let mut parts = self.seal(bytes)?;
        if let Some(mut sealer) = self.sealer.take() {
            let mut rest = Vec::new();
            sealer.finish(&mut rest)?;
            parts.append(&mut self.cut(&rest)?);
        }
        if self.packed.len() > 0 || self.digests.parts == 0 {
            let last = self.packed.finish(usize::MAX, &self.buffers);
            parts.push(self.digests.part(&self.key, last)?);
        }
        Ok((parts, Summary { replaced, ..self.digests.summary() }))
    }

    /// Takes bytes of the file, as they are or encrypted.
    fn seal(&mut self, bytes: Vec<u8>) -> Result<Vec<Part>, Error> {
        let Some(sealer) = &mut self.sealer else { return self.cut(&bytes) };
        let mut sealed = Vec::new();
        sealer.write(&bytes, &mut sealed)?;
        self.cut(&sealed)
    }

    /// Takes bytes as they are, many at once or few, so that no buffer becomes larger than a part.
    fn cut(&mut self, mut bytes: &[u8]) -> Result<Vec<Part>, Error> {
        let mut parts = Vec::new();
        while !bytes.is_empty() {
            let room = (self.part_bytes - self.packed.len()).min(bytes.len());
            let (head, rest) = bytes.split_at(room);
            self.packed.extend(head);
            parts.append(&mut self.full_parts()?);
            bytes = rest;
        }
        Ok(parts)
    }

    fn full_parts(&mut self) -> Result<Vec<Part>, Error> {
        let mut parts = Vec::new();
        while self.packed.len() >= self.part_bytes {
            let mut rest = Filling::new(self.buffers.take(), self.part_bytes);
            rest.extend(self.packed.rest(self.part_bytes));
            let full = std::mem::replace(&mut self.packed, rest);
            let full = full.finish(self.part_bytes, &self.buffers);
            parts.push(self.digests.part(&self.key, full)?);
        }
        Ok(parts)
    }
}

/// What a file is called when it is unpacked.
fn unpacked_name<'k>(key: &'k str, file: &FileFormat) -> &'k str {
    let name = Output::name_of(key);
    name.strip_suffix(&file.suffix()).unwrap_or(name)
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
        self.crc64nvme = crc64nvme::combined(self.crc64nvme, part.crc64nvme(), part.bytes());
        self.bytes += part.bytes();
        Ok(part)
    }

    fn summary(self) -> Summary {
        let sha256 = hex_text(self.sha256.finish().as_ref());
        Summary { sha256, crc64nvme: self.crc64nvme, bytes: self.bytes, replaced: 0 }
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
    use arrow_array::{ArrayRef, RecordBatch, StringArray};
    use plan::file_format::{Compression, Layout};

    use super::*;
    use crate::encode::Encoder;

    const FIVE: u64 = 5;

    fn chunk(text: &[u8]) -> Chunk {
        Chunk { text: text.to_vec(), ..Chunk::default() }
    }

    fn press_all(texts: &[&str], compression: Compression) -> (Vec<Part>, Summary) {
        let file = FileFormat { compression, ..FileFormat::new(Layout::Csv) };
        let head = Head::Text(Vec::new());
        let (mut press, mut parts) =
            Press::begin("a.csv", &file, head, None, FIVE, Buffers::new(2)).unwrap();
        for text in texts {
            parts.extend(press.write(&chunk(text.as_bytes())).unwrap());
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
        for compression in
            [Compression::None, Compression::Gzip, Compression::Zstd, Compression::Zip]
        {
            let whole = press_all(&["one,two\nthree,four\n"], compression).1;
            let pieces = press_all(&["one,t", "wo\nthree", ",four\n"], compression).1;
            assert_eq!(whole, pieces, "{compression:?}");
        }
    }

    #[test]
    fn a_row_group_is_cut_into_parts_of_the_size() {
        let texts = (0..300).map(|row| format!("{row:x<99}"));
        let texts: ArrayRef = Arc::new(StringArray::from_iter_values(texts));
        let batch = RecordBatch::try_from_iter([("text", texts)]).unwrap();
        let file = FileFormat::new(Layout::Parquet);
        let encoder = Encoder::new(&file, &batch.schema()).unwrap();
        let (mut press, mut parts) =
            Press::begin("a.parquet", &file, encoder.head(), None, 64, Buffers::new(2)).unwrap();
        parts.extend(press.write(&encoder.encode(&batch).unwrap()).unwrap());
        let (last, summary) = press.finish().unwrap();
        parts.extend(last);
        let (tail, others) = parts.split_last().unwrap();
        assert!(others.len() > 5 && others.iter().all(|part| part.bytes() == 64));
        assert!((1..=64).contains(&tail.bytes()));
        let whole: Vec<u8> = parts.iter().flat_map(|part| part.body().to_vec()).collect();
        assert_eq!((&whole[..4], &whole[whole.len() - 4..]), (&b"PAR1"[..], &b"PAR1"[..]));
        assert_eq!(cut("a.parquet", &Bytes::from(whole), 64).unwrap().1, summary);
    }

    #[test]
    fn more_parts_than_a_service_takes_are_an_error() {
        let file = FileFormat::new(Layout::Csv);
        let head = Head::Text(Vec::new());
        let (mut press, _) = Press::begin("a.csv", &file, head, None, 1, Buffers::new(2)).unwrap();
        assert_eq!(press.write(&chunk(&vec![b'x'; PARTS_MAX])).unwrap().len(), PARTS_MAX);
        let error = press.write(&chunk(b"x")).err().unwrap();
        insta::assert_snapshot!(error, @"parts of a.csv would pass the limit of 10000");
    }
}
