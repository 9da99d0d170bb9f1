//! How large the parts of an object are.
//!
//! S3 allows 1 to 10,000 parts of 5 MiB to 5 GiB, of which only the last may be smaller (Amazon S3
//! user guide, "multipart upload limits"). Every part but the last has the same size, because some
//! services (Cloudflare R2) insist on it. The size is decided before the first byte, when the size
//! of the object is only guessed, and it decides two things: how large an object can become, and how
//! much memory its parts take on the way.

use plan::file_format::FileFormat;
use plan::staged::PARTS_MAX;

/// The smallest part that is not the last, in bytes.
pub const PART_BYTES_MIN: u64 = 5 << 20;
/// The size of parts of objects of an ordinary size, in bytes.
pub const PART_BYTES_DEFAULT: u64 = 8 << 20;
/// The largest part that is chosen, in bytes. S3 would take 5 GiB; parts wait in memory.
pub const PART_BYTES_MAX: u64 = 32 << 20;
/// The most parts of one run that are on their way at the same time.
pub const PARTS_IN_FLIGHT_MAX: usize = 4;
/// The most bytes of one run that are on their way at the same time; larger parts are fewer.
pub const BYTES_IN_FLIGHT_MAX: u64 = 64 << 20;
/// What a row is taken to need when only the number of rows is known, in bytes: a wide row, so that a
/// file of an ordinary number of rows never runs out of parts.
const ROW_BYTES_GUESS: u64 = 2 << 10;
/// Sizes are multiples of this.
const PART_BYTES_STEP: u64 = 1 << 20;

/// The parts of the objects of one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartSize {
    /// The size of every part but the last, in bytes.
    pub bytes: u64,
    /// How many may be on their way at the same time.
    pub in_flight: usize,
}

impl PartSize {
    /// Decides for the files of a format, which says how many rows or bytes one of them can hold.
    /// Compression is not counted on.
    pub fn for_files(file: &FileFormat) -> Self {
        let by_rows = file.rows_per_file.saturating_mul(ROW_BYTES_GUESS);
        Self::for_object(file.bytes_per_file.unwrap_or(by_rows))
    }

    /// Decides for an object that may become so large, in bytes.
    pub fn for_object(bytes_max: u64) -> Self {
        let least = bytes_max.div_ceil(PARTS_MAX as u64);
        let rounded = least.div_ceil(PART_BYTES_STEP).saturating_mul(PART_BYTES_STEP);
        Self::of(rounded.clamp(PART_BYTES_DEFAULT, PART_BYTES_MAX))
    }

    /// Takes a size as it is given, within the limits of S3 and of this crate.
    pub fn of(bytes: u64) -> Self {
        let bytes = bytes.clamp(PART_BYTES_MIN, PART_BYTES_MAX);
        let in_flight = usize::try_from(BYTES_IN_FLIGHT_MAX / bytes).unwrap_or(PARTS_IN_FLIGHT_MAX);
        Self { bytes, in_flight: in_flight.clamp(1, PARTS_IN_FLIGHT_MAX) }
    }
}

impl Default for PartSize {
    fn default() -> Self {
        Self::of(PART_BYTES_DEFAULT)
    }
}

#[cfg(test)]
mod tests {
    use plan::file_format::Layout;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sizes_follow_what_a_file_may_become() {
        for (rows_per_file, bytes_per_file, mebibytes, in_flight) in [
            (5_000_000, None, 8, 4),
            (1, None, 8, 4),
            (50_000_000, None, 10, 4),
            (u64::MAX, None, 32, 2),
            (u64::MAX, Some(1 << 30), 8, 4),
            (u64::MAX, Some(100 << 30), 11, 4),
            (u64::MAX, Some(200 << 30), 21, 3),
            (u64::MAX, Some(u64::MAX), 32, 2),
        ] {
            let file = FileFormat { rows_per_file, bytes_per_file, ..FileFormat::new(Layout::Csv) };
            let expected = PartSize { bytes: mebibytes << 20, in_flight };
            assert_eq!(
                PartSize::for_files(&file),
                expected,
                "{rows_per_file} rows, {bytes_per_file:?} bytes"
            );
        }
    }

    proptest! {
        #[test]
        fn every_size_is_within_the_limits(bytes_max: u64) {
            let size = PartSize::for_object(bytes_max);
            prop_assert!((PART_BYTES_MIN..=PART_BYTES_MAX).contains(&size.bytes));
            prop_assert!((1..=PARTS_IN_FLIGHT_MAX).contains(&size.in_flight));
            prop_assert!(size.in_flight as u64 * size.bytes <= BYTES_IN_FLIGHT_MAX);
            let fits = size.bytes.saturating_mul(PARTS_MAX as u64) >= bytes_max;
            prop_assert!(fits || size.bytes == PART_BYTES_MAX);
        }
    }
}
