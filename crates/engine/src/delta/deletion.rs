//! Deleted rows: bitmaps of positions in a data file, beside the file or in the log itself.

use roaring::{RoaringBitmap, RoaringTreemap};

use super::Table;
use super::action::DeletionVector;
use super::log::damaged;
use crate::error::{Error, Kind};
use crate::source::Source;
use crate::store::Store;

/// The largest bitmap, in bytes.
const VECTOR_BYTES_MAX: u64 = 256 << 20;
/// What bitmaps of the two forms begin with.
const PORTABLE: u32 = 1_681_511_377;
const NATIVE: u32 = 1_681_511_376;

impl DeletionVector {
    /// The path, in the table's folder, of the file that holds the bitmap, if a file does.
    pub(super) fn file(&self, location: &str) -> Result<Option<String>, Error> {
        match self.storage_type.as_str() {
            "i" => Ok(None),
            "u" => {
                let written = &self.path_or_inline_dv;
                let split =
                    written.len().checked_sub(20).filter(|at| written.is_char_boundary(*at));
                let (prefix, id) = written.split_at(split.ok_or_else(|| broken(location))?);
                let bytes: Option<[u8; 16]> = z85(id).and_then(|bytes| bytes.try_into().ok());
                let id = hyphenated(bytes.ok_or_else(|| broken(location))?);
                let separator = if prefix.is_empty() { "" } else { "/" };
                Ok(Some(format!("{prefix}{separator}deletion_vector_{id}.bin")))
            }
            _ => {
                let message = "the Delta table keeps deletion vectors outside of its folder";
                Err(Error::new(Kind::Invalid, "unsupported_table", message)
                    .in_file(location)
                    .with_hint("Rewrite the table without them (`REORG TABLE … APPLY (PURGE)`)."))
            }
        }
    }
}

impl Table {
    /// The deleted rows of a file, by position; blocks.
    pub(super) fn deleted(
        &self,
        store: &Store,
        location: &str,
        vector: &DeletionVector,
    ) -> Result<RoaringTreemap, Error> {
        if vector.size_in_bytes > VECTOR_BYTES_MAX {
            return Err(broken(location));
        }
        let length = usize::try_from(vector.size_in_bytes).unwrap_or(usize::MAX);
        let bitmap = match vector.file(location)? {
            None => {
                let mut bytes = z85(&vector.path_or_inline_dv).ok_or_else(|| broken(location))?;
                bytes.truncate(length);
                parse(&bytes)
            }
            Some(path) => {
                let input = self.deletion_files.get(&path);
                let input =
                    input.ok_or_else(|| Error::internal("a deletion vector is not pinned"))?;
                let source = Source::open(store, input)?;
                // Length, bitmap, checksum.
                let bytes = source.read(vector.offset.unwrap_or(1), length.saturating_add(8))?;
                let (stored, rest) = bytes.split_at(4);
                let (bitmap, sum) = rest.split_at(length);
                let is_whole = stored == (vector.size_in_bytes as u32).to_be_bytes()
                    && sum == (checksum(bitmap) as u32).to_be_bytes();
                if is_whole { parse(bitmap) } else { None }
            }
        };
        bitmap.filter(|bitmap| bitmap.len() == vector.cardinality).ok_or_else(|| broken(location))
    }
}

fn checksum(bytes: &[u8]) -> u64 {
    crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32IsoHdlc, bytes)
}

fn parse(bytes: &[u8]) -> Option<RoaringTreemap> {
    let (magic, rest) = bytes.split_at_checked(4)?;
    if magic == PORTABLE.to_le_bytes() {
        return RoaringTreemap::deserialize_from(rest).ok();
    }
    // An older form, that of the protocol's own example: bitmaps one after the other, each behind its
    // length.
    let number: fn([u8; 4]) -> u32 = match magic {
        _ if magic == NATIVE.to_le_bytes() => u32::from_le_bytes,
        _ if magic == NATIVE.to_be_bytes() => u32::from_be_bytes,
        _ => return None,
    };
    let (count, mut rest) = rest.split_first_chunk::<4>()?;
    let mut bitmaps = Vec::new();
    for high in 0..number(*count) {
        let (length, behind) = rest.split_first_chunk::<4>()?;
        let (bitmap, behind) = behind.split_at_checked(number(*length) as usize)?;
        bitmaps.push((high, RoaringBitmap::deserialize_from(bitmap).ok()?));
        rest = behind;
    }
    Some(RoaringTreemap::from_bitmaps(bitmaps))
}

fn broken(location: &str) -> Error {
    damaged(location, "a deletion vector cannot be read")
}

const Z85: &[u8; 85] =
    b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";

/// Decodes five characters to four bytes each (ZeroMQ RFC 32).
fn z85(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 5 * 4);
    let groups = text.as_bytes().chunks_exact(5);
    groups.remainder().is_empty().then_some(())?;
    for group in groups {
        let mut value = 0_u64;
        for sign in group {
            value = value * 85 + Z85.iter().position(|known| known == sign)? as u64;
        }
        bytes.extend(u32::try_from(value).ok()?.to_be_bytes());
    }
    Some(bytes)
}

/// The usual text of a UUID.
fn hyphenated(bytes: [u8; 16]) -> String {
    let mut text = String::with_capacity(36);
    for (position, byte) in bytes.iter().enumerate() {
        if matches!(position, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.push_str(&format!("{byte:02x}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vector(storage_type: &str, path_or_inline_dv: &str) -> DeletionVector {
        DeletionVector {
            storage_type: storage_type.to_owned(),
            path_or_inline_dv: path_or_inline_dv.to_owned(),
            offset: Some(1),
            size_in_bytes: 1,
            cardinality: 1,
        }
    }

    /// The examples of the protocol.
    #[test]
    fn names_of_files_follow_from_their_ids() {
        let file = |text| vector("u", text).file("/t").expect("a path");
        assert_eq!(
            file("ab^-aqEH.-t@S}K{vb[*k^").as_deref(),
            Some("ab/deletion_vector_d2c639aa-8816-431a-aaf6-d3fe2512ff61.bin")
        );
        assert!(vector("u", "short").file("/t").is_err());
        assert!(vector("p", "s3://b/x").file("/t").is_err());
        assert_eq!(vector("i", "anything").file("/t").expect("no file"), None);
    }

    #[test]
    fn a_bitmap_in_the_log_is_read() {
        let text = "wi5b=000010000siXQKl0rr91000f55c8Xg0@@D72lkbi5=-{L";
        let bitmap = parse(&z85(text).expect("text")[..40]).expect("a bitmap");
        assert_eq!(bitmap.iter().collect::<Vec<_>>(), [3, 4, 7, 11, 18, 29]);
        assert!(parse(&[0; 12]).is_none());
    }
}
