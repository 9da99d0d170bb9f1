//! One file in a zip archive, written as it comes (APPNOTE.TXT 6.3.10 of PKWARE).
//!
//! Sizes and checksum are known only behind the data, so they stand there, in a data descriptor, and
//! again in the directory at the end. A reader that works from the front and one that works from the
//! end both find them. Archives that pass 4 GiB take the ZIP64 forms of both, others do not, since
//! some older readers know no ZIP64. Time, system and attributes are constants.

use std::io::{self, Write as _};

use flate2::Crc;
use flate2::write::DeflateEncoder;

/// Writes an archive of one file.
pub(crate) struct Zip {
    name: String,
    deflate: DeflateEncoder<Vec<u8>>,
    crc: Crc,
    text_bytes: u64,
    packed_bytes: u64,
    is_begun: bool,
    /// The largest size or offset that the plain forms can state, in bytes.
    plain_max: u64,
}

/// File sizes and offsets of the plain forms are 32 bits wide; all ones say that ZIP64 has the value.
const PLAIN_MAX: u64 = u32::MAX as u64 - 1;
/// Deflate.
const METHOD: u16 = 8;
/// Sizes are behind the data (bit 3), and the name is UTF-8 (bit 11).
const FLAGS: u16 = 1 << 3 | 1 << 11;
/// The first day that a date of DOS can state: 1 January 1980, midnight.
const TIME: u16 = 0;
const DATE: u16 = 1 << 5 | 1;
/// What it takes to read an archive, in tenths: 2.0 for deflate, 4.5 for ZIP64.
const VERSION_PLAIN: u16 = 20;
const VERSION_ZIP64: u16 = 45;
/// Made on Unix, where the next constant has its meaning.
const SYSTEM_UNIX: u16 = 3 << 8;
/// A regular file that its owner may write and everybody may read.
const ATTRIBUTES: u32 = 0o100_644 << 16;
/// The longest name, in bytes.
const NAME_BYTES_MAX: usize = u16::MAX as usize;

impl Zip {
    /// Begins an archive of a file called `name`, deflated at `level`.
    pub(crate) fn new(name: &str, level: u32) -> Self {
        debug_assert!(name.len() <= NAME_BYTES_MAX, "a key is shorter");
        Self {
            name: name.to_owned(),
            deflate: DeflateEncoder::new(Vec::new(), flate2::Compression::new(level)),
            crc: Crc::new(),
            text_bytes: 0,
            packed_bytes: 0,
            is_begun: false,
            plain_max: PLAIN_MAX,
        }
    }

    /// Takes more of the file and appends what has become of it.
    ///
    /// # Errors
    /// The compressor fails.
    pub(crate) fn write(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
        self.begin(out);
        self.deflate.write_all(bytes)?;
        self.crc.update(bytes);
        self.text_bytes += bytes.len() as u64;
        self.take_packed(out);
        Ok(())
    }

    /// Appends the rest of the file and the directory.
    ///
    /// # Errors
    /// The compressor fails.
    pub(crate) fn finish(&mut self, out: &mut Vec<u8>) -> io::Result<()> {
        self.begin(out);
        self.deflate.try_finish()?;
        self.take_packed(out);
        let descriptor = self.descriptor();
        let directory_at = self.header_bytes() + self.packed_bytes + descriptor.len() as u64;
        let entry = self.entry();
        out.extend_from_slice(&descriptor);
        out.extend_from_slice(&entry);
        out.extend_from_slice(&self.end(directory_at, entry.len()));
        Ok(())
    }

    fn begin(&mut self, out: &mut Vec<u8>) {
        if self.is_begun {
            return;
        }
        self.is_begun = true;
        let mut header = Record::new(0x0403_4b50);
        header.u16(VERSION_PLAIN).u16(FLAGS).u16(METHOD).u16(TIME).u16(DATE);
        // Checksum and sizes: see the descriptor.
        header.u32(0).u32(0).u32(0);
        header.u16(self.name.len() as u16).u16(0).bytes(self.name.as_bytes());
        debug_assert_eq!(header.0.len() as u64, self.header_bytes());
        out.extend_from_slice(&header.0);
    }

    fn header_bytes(&self) -> u64 {
        30 + self.name.len() as u64
    }

    fn take_packed(&mut self, out: &mut Vec<u8>) {
        let packed = self.deflate.get_mut();
        self.packed_bytes += packed.len() as u64;
        out.append(packed);
    }

    /// Whether a size is beyond the plain forms.
    fn is_large(&self) -> bool {
        self.text_bytes.max(self.packed_bytes) > self.plain_max
    }

    fn descriptor(&self) -> Vec<u8> {
        let mut descriptor = Record::new(0x0807_4b50);
        descriptor.u32(self.crc.sum());
        match self.is_large() {
            true => descriptor.u64(self.packed_bytes).u64(self.text_bytes),
            false => descriptor.u32(self.packed_bytes as u32).u32(self.text_bytes as u32),
        };
        descriptor.0
    }

    fn entry(&self) -> Vec<u8> {
        let mut extra = Vec::new();
        let (mut packed, mut text, mut version) =
            (self.packed_bytes as u32, self.text_bytes as u32, VERSION_PLAIN);
        if self.is_large() {
            let mut sizes = Record(Vec::new());
            sizes.u16(1).u16(16).u64(self.text_bytes).u64(self.packed_bytes);
            extra = sizes.0;
            (packed, text, version) = (u32::MAX, u32::MAX, VERSION_ZIP64);
        }
        let mut entry = Record::new(0x0201_4b50);
        entry.u16(SYSTEM_UNIX | version).u16(version).u16(FLAGS).u16(METHOD).u16(TIME).u16(DATE);
        entry.u32(self.crc.sum()).u32(packed).u32(text);
        // No comment, the first disk, and nothing known of what is inside.
        entry.u16(self.name.len() as u16).u16(extra.len() as u16).u16(0).u16(0).u16(0);
        entry.u32(ATTRIBUTES).u32(0).bytes(self.name.as_bytes()).bytes(&extra);
        entry.0
    }

    /// What is behind the directory, which has one entry.
    fn end(&self, directory_at: u64, directory_bytes: usize) -> Vec<u8> {
        let mut end = Record(Vec::new());
        let mut stated_at = directory_at as u32;
        if directory_at > self.plain_max {
            let end_at = directory_at + directory_bytes as u64;
            end.u32(0x0606_4b50).u64(44).u16(SYSTEM_UNIX | VERSION_ZIP64).u16(VERSION_ZIP64);
            end.u32(0).u32(0).u64(1).u64(1).u64(directory_bytes as u64).u64(directory_at);
            end.u32(0x0706_4b50).u32(0).u64(end_at).u32(1);
            stated_at = u32::MAX;
        }
        end.u32(0x0605_4b50).u16(0).u16(0).u16(1).u16(1);
        end.u32(directory_bytes as u32).u32(stated_at).u16(0);
        end.0
    }
}

/// A record of numbers, little end first.
struct Record(Vec<u8>);

impl Record {
    fn new(signature: u32) -> Self {
        Self(signature.to_le_bytes().to_vec())
    }

    fn u16(&mut self, number: u16) -> &mut Self {
        self.bytes(&number.to_le_bytes())
    }

    fn u32(&mut self, number: u32) -> &mut Self {
        self.bytes(&number.to_le_bytes())
    }

    fn u64(&mut self, number: u64) -> &mut Self {
        self.bytes(&number.to_le_bytes())
    }

    fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend_from_slice(bytes);
        self
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Read};

    use super::*;

    fn archive(name: &str, pieces: &[&[u8]], plain_max: u64) -> Vec<u8> {
        let mut zip = Zip { plain_max, ..Zip::new(name, 3) };
        let mut out = Vec::new();
        for piece in pieces {
            zip.write(piece, &mut out).unwrap();
        }
        zip.finish(&mut out).unwrap();
        out
    }

    /// Name and content of the only entry, found from the end of the archive.
    fn read(archive: &[u8]) -> (String, Vec<u8>) {
        let mut archive = zip::ZipArchive::new(Cursor::new(archive)).unwrap();
        assert_eq!(archive.len(), 1);
        let mut entry = archive.by_index(0).unwrap();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        assert_eq!(entry.unix_mode(), Some(0o100_644));
        assert!(entry.last_modified().is_some_and(|time| time.year() == 1980));
        (entry.name().unwrap().into_owned(), content)
    }

    #[test]
    fn an_archive_holds_one_file_under_its_name() {
        let text = "a,b\n".repeat(50_000);
        for (name, pieces) in [
            ("a.csv", vec![]),
            ("a.csv", vec![&b""[..]]),
            ("été 1.csv", vec![text.as_bytes()]),
            ("a.csv", vec![&text.as_bytes()[..1], &text.as_bytes()[1..]]),
        ] {
            assert_eq!(
                read(&archive(name, &pieces, PLAIN_MAX)),
                (name.to_owned(), pieces.concat())
            );
        }
    }

    #[test]
    fn sizes_beyond_the_plain_forms_take_zip64() {
        // Random enough not to become smaller.
        let text: Vec<u8> =
            (0..300_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        for plain_max in [0, 100, 299] {
            let archive = archive("a.csv", &[&text], plain_max);
            assert_eq!(read(&archive), ("a.csv".to_owned(), text.clone()), "{plain_max}");
            let signature = b"PK\x06\x06";
            assert!(archive.windows(4).any(|bytes| bytes == signature), "{plain_max}");
        }
        let plain = archive("a.csv", &[&text], PLAIN_MAX);
        assert!(!plain.windows(4).any(|bytes| bytes == b"PK\x06\x06" || bytes == b"PK\x06\x07"));
    }

    #[test]
    fn nothing_in_an_archive_depends_on_when_or_where_it_was_made() {
        let archive = archive("a", &[b"a"], PLAIN_MAX);
        assert_eq!(
            &archive[..31],
            b"PK\x03\x04\x14\0\x08\x08\x08\0\0\0\x21\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0a"
        );
    }

    #[test]
    fn a_reader_from_the_front_finds_sizes_behind_the_data() {
        let archive = archive("a.csv", &[b"a,b\n"], PLAIN_MAX);
        let at = archive.windows(4).position(|bytes| bytes == b"PK\x07\x08").unwrap();
        let number = |at: usize| u32::from_le_bytes(archive[at..at + 4].try_into().unwrap());
        assert_eq!(number(at + 8) as usize, at - 35, "the deflated bytes before it");
        assert_eq!(number(at + 12), 4);
    }
}
