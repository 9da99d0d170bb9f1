//! Where one file ends and the next begins.
//!
//! Bytes are those of the text, before the character set and compression and with the header, or the
//! plain size of the values of columns, so that the cut does not depend on a compressor. No file but the first can be without rows: a
//! further one is only begun for a row.
//!
//! ```
//! use delivery::encode::Chunk;
//! use delivery::split::Splitter;
//! use plan::file_format::{FileFormat, Layout};
//!
//! let format = FileFormat { rows_per_file: 2, ..FileFormat::new(Layout::Csv) };
//! let mut splitter = Splitter::new(&format, 5);
//! let text = b"a\nb\nc\n".to_vec();
//! let mut chunk = Chunk { text, row_ends: vec![2, 4, 6], ..Chunk::default() };
//! let mut files = vec![String::new()];
//! while !chunk.is_empty() {
//!     let rows = splitter.fit(&chunk);
//!     if rows == 0 {
//!         splitter.next_file();
//!         files.push(String::new());
//!         continue;
//!     }
//!     let rest = chunk.split_off(rows);
//!     splitter.advance(rows, chunk.text.len());
//!     files.last_mut().unwrap().push_str(std::str::from_utf8(&chunk.text)?);
//!     chunk = rest;
//! }
//! assert_eq!(files, ["a\nb\n", "c\n"]);
//! # Ok::<(), std::str::Utf8Error>(())
//! ```

use plan::file_format::FileFormat;

use crate::encode::Chunk;

/// Counts what is in the current file.
#[derive(Debug, Clone)]
pub struct Splitter {
    rows_max: u64,
    bytes_max: u64,
    header_bytes: u64,
    rows: u64,
    bytes: u64,
}

impl Splitter {
    /// Begins the first file. `header_bytes` is the length of the line of headers that every file
    /// begins with, 0 for none.
    pub fn new(format: &FileFormat, header_bytes: usize) -> Self {
        let header_bytes = header_bytes as u64;
        Self {
            rows_max: format.rows_per_file.max(1),
            bytes_max: format.bytes_per_file.unwrap_or(u64::MAX),
            header_bytes,
            rows: 0,
            bytes: header_bytes,
        }
    }

    /// Returns how many of the first rows of `chunk` still fit in the current file. 0 for a chunk
    /// with rows means that the file is full.
    pub fn fit(&self, chunk: &Chunk) -> usize {
        let by_rows = usize::try_from(self.rows_max - self.rows).unwrap_or(usize::MAX);
        let bytes_left = self.bytes_max.saturating_sub(self.bytes);
        let by_bytes = chunk.row_ends.partition_point(|&end| u64::from(end) <= bytes_left);
        // A row that is larger than a file can be gets a file of its own.
        let least = usize::from(self.rows == 0).min(chunk.rows());
        by_rows.min(by_bytes).max(least)
    }

    /// Notes that `rows` rows of `bytes` bytes, no more than fitted, went into the current file.
    pub fn advance(&mut self, rows: usize, bytes: usize) {
        self.rows += rows as u64;
        self.bytes += bytes as u64;
        debug_assert!(self.rows <= self.rows_max);
    }

    /// Begins the next file.
    pub fn next_file(&mut self) {
        self.rows = 0;
        self.bytes = self.header_bytes;
    }

    /// Returns the number of rows in the current file.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Returns the bytes of text in the current file, the header included.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

#[cfg(test)]
mod tests;
