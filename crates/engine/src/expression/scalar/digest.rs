//! Digests as texts of lower-case hexadecimal digits. `digest(x, 'sha256')` gives the bytes.

use aws_lc_rs::digest;
use crc_fast::CrcAlgorithm;

use super::Texts;

pub(super) const ALL: [Texts; 6] = [
    Texts {
        name: "sha1",
        least: 1,
        most: 1,
        apply: |texts| Some(sha(&digest::SHA1_FOR_LEGACY_USE_ONLY, texts[0])),
    },
    Texts {
        name: "sha224",
        least: 1,
        most: 1,
        apply: |texts| Some(sha(&digest::SHA224, texts[0])),
    },
    Texts { name: "sha256", least: 1, most: 1, apply: |texts| Some(sha256(texts[0])) },
    Texts {
        name: "sha384",
        least: 1,
        most: 1,
        apply: |texts| Some(sha(&digest::SHA384, texts[0])),
    },
    Texts {
        name: "sha512",
        least: 1,
        most: 1,
        apply: |texts| Some(sha(&digest::SHA512, texts[0])),
    },
    Texts { name: "crc32", least: 1, most: 1, apply: |texts| Some(crc32(texts[0])) },
];

/// SHA-256 of the UTF-8 bytes of a text.
pub(super) fn sha256(text: &str) -> String {
    sha(&digest::SHA256, text)
}

fn sha(algorithm: &'static digest::Algorithm, text: &str) -> String {
    let mut hex = String::with_capacity(2 * algorithm.output_len());
    for byte in digest::digest(algorithm, text.as_bytes()).as_ref() {
        for digit in [byte >> 4, byte & 15] {
            hex.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
        }
    }
    hex
}

/// CRC-32 as of zip and gzip (ISO 3309).
fn crc32(text: &str) -> String {
    let sum = crc_fast::checksum(CrcAlgorithm::Crc32IsoHdlc, text.as_bytes());
    format!("{sum:08x}")
}
