//! A run of encoded rows.

/// Rows as text, and where each of them ends.
///
/// The text is UTF-8 and every row includes its line end, so any run of whole rows can be cut out
/// and written as it stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chunk {
    /// The rows, one after the other.
    pub text: Vec<u8>,
    /// For each row the byte of `text` behind its line end; rising.
    pub row_ends: Vec<u32>,
    /// Rows of the batch that the formula guard left out.
    pub rejected: u64,
}

impl Chunk {
    /// Returns the number of rows.
    pub fn rows(&self) -> usize {
        self.row_ends.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.row_ends.is_empty()
    }

    /// Returns the bytes that the first `rows` rows take.
    ///
    /// # Panics
    /// When there are fewer rows.
    pub fn bytes_of(&self, rows: usize) -> usize {
        match rows {
            0 => 0,
            _ => self.row_ends[rows - 1] as usize,
        }
    }

    /// Keeps the first `rows` rows and returns the others. The count of rejected rows stays here.
    ///
    /// # Panics
    /// When there are fewer rows.
    pub fn split_off(&mut self, rows: usize) -> Self {
        let bytes = self.bytes_of(rows);
        let text = self.text.split_off(bytes);
        let mut row_ends = self.row_ends.split_off(rows);
        let cut = u32::try_from(bytes).expect("row ends are 32 bits wide");
        row_ends.iter_mut().for_each(|end| *end -= cut);
        Self { text, row_ends, rejected: 0 }
    }
}
