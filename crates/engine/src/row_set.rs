//! A set of records of a snapshot, one bit each.

use arrow::buffer::{BooleanBuffer, Buffer};

/// Bits of a row's number in its morsel; the rest of an [`Address`] numbers the morsel.
const ROW_BITS: u32 = 40;

/// Where a record stands: its morsel, and its position there. Addresses sort in snapshot order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Address(pub(crate) u64);

impl Address {
    pub(crate) fn new(morsel: usize, row: u64) -> Self {
        debug_assert!(row < 1 << ROW_BITS);
        Self((morsel as u64) << ROW_BITS | row)
    }

    /// The number of the morsel.
    pub(crate) fn morsel(self) -> usize {
        self.parts().0
    }

    /// The position in the morsel.
    pub(crate) fn row(self) -> u64 {
        self.parts().1 as u64
    }

    fn parts(self) -> (usize, usize) {
        ((self.0 >> ROW_BITS) as usize, (self.0 & ((1 << ROW_BITS) - 1)) as usize)
    }
}

/// Bits of the records of one morsel, from the first.
#[derive(Debug, Default)]
pub(crate) struct Words {
    words: Vec<u64>,
    bits: usize,
    count: u64,
}

impl From<Vec<u64>> for Words {
    fn from(words: Vec<u64>) -> Self {
        let count = words.iter().map(|word| u64::from(word.count_ones())).sum();
        Self { bits: words.len() * 64, count, words }
    }
}

impl From<Words> for Vec<u64> {
    fn from(words: Words) -> Self {
        words.words
    }
}

impl Words {
    /// Adds the bits of the next records.
    pub(crate) fn append(&mut self, bits: &BooleanBuffer) {
        let shift = self.bits % 64;
        for word in bits.bit_chunks().iter_padded() {
            match self.words.last_mut() {
                Some(last) if shift > 0 => {
                    *last |= word << shift;
                    self.words.push(word >> (64 - shift));
                }
                _ => self.words.push(word),
            }
        }
        self.words.truncate((self.bits + bits.len()).div_ceil(64));
        self.count += bits.count_set_bits() as u64;
        self.bits += bits.len();
    }

    /// How many are set.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }
}

/// A set of records.
#[derive(Debug, Clone, Default)]
pub(crate) struct RowSet {
    morsels: Vec<Vec<u64>>,
    len: u64,
}

impl RowSet {
    /// Adds a record; it is fine if it is there already.
    pub(crate) fn insert(&mut self, address: Address) {
        let (morsel, row) = address.parts();
        if self.morsels.len() <= morsel {
            self.morsels.resize_with(morsel + 1, Vec::new);
        }
        let words = &mut self.morsels[morsel];
        if words.len() <= row / 64 {
            words.resize(row / 64 + 1, 0);
        }
        let bit = 1 << (row % 64);
        self.len += u64::from(words[row / 64] & bit == 0);
        words[row / 64] |= bit;
    }

    /// Puts the bits of a morsel that has none yet.
    pub(crate) fn put(&mut self, morsel: usize, words: Words) {
        if words.count == 0 {
            return;
        }
        if self.morsels.len() <= morsel {
            self.morsels.resize_with(morsel + 1, Vec::new);
        }
        self.len += words.count;
        self.morsels[morsel] = words.words;
    }

    /// Bytes that it takes.
    pub(crate) fn bytes(&self) -> usize {
        self.morsels.iter().map(|words| words.len() * 8).sum()
    }

    /// Adds all records of another set.
    pub(crate) fn add_all(&mut self, other: &Self) {
        let morsels = self.morsels.len().max(other.morsels.len());
        self.morsels.resize_with(morsels, Vec::new);
        for (words, others) in self.morsels.iter_mut().zip(&other.morsels) {
            words.resize(words.len().max(others.len()), 0);
            for (word, other) in words.iter_mut().zip(others) {
                self.len += u64::from((other & !*word).count_ones());
                *word |= other;
            }
        }
    }

    /// Whether a record is in the set.
    pub(crate) fn contains(&self, address: Address) -> bool {
        let (morsel, row) = address.parts();
        let word = self.morsels.get(morsel).and_then(|words| words.get(row / 64));
        word.is_some_and(|word| word >> (row % 64) & 1 == 1)
    }

    /// Takes a record out; it is fine if it is not there.
    pub(crate) fn remove(&mut self, address: Address) {
        let (morsel, row) = address.parts();
        let word = self.morsels.get_mut(morsel).and_then(|words| words.get_mut(row / 64));
        if let Some(word) = word {
            let bit = 1 << (row % 64);
            self.len -= u64::from(*word & bit != 0);
            *word &= !bit;
        }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// The bits of a morsel, from its first record; those behind the last word are not set.
    pub(crate) fn words(&self, morsel: usize) -> &[u64] {
        self.morsels.get(morsel).map_or(&[], Vec::as_slice)
    }

    /// The bits of the records of a morsel from `start` on, to the one before `end` if that is given;
    /// those behind the last word are not set.
    pub(crate) fn words_of(&self, morsel: usize, start: u64, end: Option<u64>) -> Vec<u64> {
        let rows = match end {
            Some(end) => end.saturating_sub(start) as usize,
            None => (64 * self.words(morsel).len()).saturating_sub(start as usize),
        };
        let bits = self.slice(morsel, start, rows);
        bits.map_or(Vec::new(), |bits| {
            let mut words: Words = Words::default();
            words.append(&bits);
            words.words
        })
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether a morsel has any.
    pub(crate) fn has_any(&self, morsel: usize) -> bool {
        self.morsels.get(morsel).is_some_and(|words| !words.is_empty())
    }

    /// The bits of `rows` records of a morsel, or nothing if none of them is in the set.
    pub(crate) fn slice(
        &self,
        morsel: usize,
        first_row: u64,
        rows: usize,
    ) -> Option<BooleanBuffer> {
        let words = self.morsels.get(morsel)?;
        let first = usize::try_from(first_row).ok()?;
        let word_range = first / 64..(first + rows).div_ceil(64);
        let mut part: Vec<u64> =
            word_range.map(|word| words.get(word).copied().unwrap_or(0)).collect();
        if part.iter().all(|&word| word == 0) {
            return None;
        }
        // Bits are numbered from the least significant of the first byte.
        part.iter_mut().for_each(|word| *word = word.to_le());
        Some(BooleanBuffer::new(Buffer::from_vec(part), first % 64, rows))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_follow_each_other_bit_by_bit() {
        for lengths in [[64, 64, 3], [1, 63, 130], [70, 0, 58], [5, 200, 7]] {
            let (mut words, mut plain) = (Words::default(), Vec::new());
            for length in lengths {
                let bits: Vec<bool> =
                    (plain.len()..plain.len() + length).map(|row| row % 3 == 0).collect();
                words.append(&BooleanBuffer::from(bits.as_slice()));
                plain.extend(bits);
            }
            let bit = |row: usize| words.words[row / 64] >> (row % 64) & 1 == 1;
            assert_eq!((0..plain.len()).map(bit).collect::<Vec<_>>(), plain, "{lengths:?}");
            assert_eq!(words.words.len(), plain.len().div_ceil(64), "{lengths:?}");
            assert_eq!(words.count(), plain.iter().filter(|&&bit| bit).count() as u64);
        }
    }

    #[test]
    fn slices_hold_the_bits_of_their_rows() {
        let mut set = RowSet::default();
        for row in [0, 63, 64, 130] {
            set.insert(Address::new(2, row));
            set.insert(Address::new(2, row));
        }
        assert_eq!(set.len, 4);
        assert!(!set.has_any(0) && set.has_any(2) && !set.has_any(3));
        let rows = |first, count| {
            let bits = set.slice(2, first, count)?;
            Some(bits.set_indices().collect::<Vec<_>>())
        };
        assert_eq!(rows(0, 200), Some(vec![0, 63, 64, 130]));
        assert_eq!(rows(60, 10), Some(vec![3, 4]));
        assert_eq!(rows(131, 500), Some(vec![]));
        assert_eq!(rows(1_000, 5), None);
    }
}
