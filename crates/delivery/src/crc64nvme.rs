//! CRC-64/NVME of bytes that were summed in parts.
//!
//! The checksum of bytes is their polynomial's remainder, so bytes in front are worth their own
//! remainder times x to the power of the bits behind them. The multiplication takes a few hundred
//! steps whatever the length; the library's own way squares matrices, which cost two percent of a run.

/// The polynomial, its bits reversed as the checksum has them (catalogue of CRCs: `0xad93d23594c93659`).
const POLYNOMIAL: u64 = 0xad93_d235_94c9_3659_u64.reverse_bits();
/// The polynomial `1`, reversed.
const ONE: u64 = 1 << 63;
/// The polynomial `x` to the power of 8, reversed: one byte more behind.
const BYTE: u64 = ONE >> 8;

/// The checksum of bytes and, behind them, `behind_bytes` others, of which both checksums are known.
pub(crate) fn combined(front: u64, behind: u64, behind_bytes: u64) -> u64 {
    let (mut power, mut square, mut rest) = (ONE, BYTE, behind_bytes);
    while rest > 0 {
        if rest & 1 == 1 {
            power = product(power, square);
        }
        square = product(square, square);
        rest >>= 1;
    }
    product(front, power) ^ behind
}

/// The product of two polynomials, reduced.
fn product(left: u64, mut right: u64) -> u64 {
    let mut sum = 0;
    for bit in (0..u64::BITS).rev() {
        sum ^= right & (left >> bit & 1).wrapping_neg();
        right = right >> 1 ^ POLYNOMIAL & (right & 1).wrapping_neg();
    }
    sum
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_checksum_of_the_catalogue_is_combined_from_its_parts() {
        let parts = [&b"1234"[..], b"", b"56789"];
        let sum =
            |sum: u64, part: &[u8]| combined(sum, crc_fast::crc64_nvme(part), part.len() as u64);
        let whole = parts.iter().fold(crc_fast::crc64_nvme(b""), |it, part| sum(it, part));
        assert_eq!(whole, 0xae8b_1486_0a79_9888);
    }

    proptest! {
        #[test]
        fn parts_give_the_checksum_of_the_whole(bytes: Vec<u8>, cut: prop::sample::Index) {
            let (front, behind) = bytes.split_at(cut.index(bytes.len() + 1));
            let [sum, front, last] = [&bytes, front, behind].map(crc_fast::crc64_nvme);
            prop_assert_eq!(combined(front, last, behind.len() as u64), sum);
        }

        #[test]
        fn lengths_beyond_memory_agree_with_the_library(front: u64, behind: u64, bytes: u64) {
            let algorithm = crc_fast::CrcAlgorithm::Crc64Nvme;
            let theirs = crc_fast::checksum_combine(algorithm, front, behind, bytes);
            prop_assert_eq!(combined(front, behind, bytes), theirs);
        }
    }
}
