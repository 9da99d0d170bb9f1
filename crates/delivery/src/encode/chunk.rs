//! A run of encoded rows.

use arrow_array::RecordBatch;

/// Rows as text, or as columns, and where each of them ends.
///
/// The text is UTF-8 and every row includes its line end, so any run of whole rows can be cut out
/// and written as it stands. Rows of a Parquet file are columns until their file is written; what
/// counts as their bytes is the plain size of their values (see `docs/output.md`).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Chunk {
    /// The rows, one after the other; nothing when they are columns.
    pub text: Vec<u8>,
    /// The rows as columns, for a file that is no text.
    pub columns: Option<RecordBatch>,
    /// For each row the byte behind it, of the text or of the plain values; rising.
    pub row_ends: Vec<u32>,
    /// Rows of the batch that the formula guard left out, by position in it; rising.
    pub rejected: Vec<u32>,
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

    /// Keeps the first `rows` rows and returns the others. The rejected rows stay here.
    ///
    /// # Panics
    /// When there are fewer rows.
    pub fn split_off(&mut self, rows: usize) -> Self {
        let bytes = self.bytes_of(rows);
        let text = if self.columns.is_some() { Vec::new() } else { self.text.split_off(bytes) };
        let columns = self.columns.as_mut().map(|columns| {
            let rest = columns.slice(rows, columns.num_rows() - rows);
            *columns = columns.slice(0, rows);
            rest
        });
        let mut row_ends = self.row_ends.split_off(rows);
        let cut = u32::try_from(bytes).expect("row ends are 32 bits wide");
        row_ends.iter_mut().for_each(|end| *end -= cut);
        Self { text, columns, row_ends, rejected: Vec::new() }
    }
}
