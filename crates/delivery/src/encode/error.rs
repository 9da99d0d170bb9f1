//! Why rows could not become bytes.
//!
//! An error names the column, the row and the kind of fault, and never what a cell holds.

use std::io;

use arrow_schema::ArrowError;
use parquet::errors::ParquetError;
use plan::file_format::{CELL_BYTES_MAX, COLUMNS_MAX};

/// A failure of the encoder or of the packer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The schema has no column.
    #[error("a file needs at least one column")]
    NoColumns,
    /// The schema has more than [`COLUMNS_MAX`] columns.
    #[error("{count} columns are more than the {COLUMNS_MAX} that a file can have")]
    TooManyColumns {
        /// Columns of the schema.
        count: usize,
    },
    /// Two headers are the same, or differ only in capitals.
    #[error("the columns {first:?} and {second:?} have the same name")]
    DuplicateColumn {
        /// The header that comes first.
        first: String,
        /// The header that repeats it.
        second: String,
    },
    /// A column (or a part of a nested one) is of a type that has no form in a cell.
    #[error("column {column:?} is of type {data_type}, which has no form in {file}")]
    UnsupportedType {
        /// Header of the column.
        column: String,
        /// The Arrow type.
        data_type: String,
        /// The kind of file, with its article.
        file: &'static str,
    },
    /// The settings of the file contradict each other.
    #[error("the file settings contradict each other: {reason}")]
    Dialect {
        /// Which settings, and how.
        reason: &'static str,
    },
    /// A header cannot be written with these settings.
    #[error("the header of column {column:?} cannot be written: {problem}")]
    Header {
        /// The header.
        column: String,
        /// What is wrong with it.
        problem: Problem,
    },
    /// A cell cannot be written with these settings.
    #[error("row {}, column {column:?}: {problem}", row + 1)]
    Cell {
        /// The row, from 0 within the batch unless [`Error::with_row_offset`] was applied.
        row: u64,
        /// Header of the column.
        column: String,
        /// What is wrong with the cell.
        problem: Problem,
    },
    /// A batch has another number of columns than the schema.
    #[error("a batch has {found} columns where the file has {expected}")]
    ColumnCount {
        /// Columns of the file.
        expected: usize,
        /// Columns of the batch.
        found: usize,
    },
    /// A value is beyond what the type of its column in the file can hold: a point in time whose
    /// milliseconds pass 64 bits. Nothing more is said, since the cause would show the value.
    #[error("a value of column {column:?} is out of the range of its type in a Parquet file")]
    Inconvertible {
        /// Header of the column.
        column: String,
    },
    /// Columns that do not make a batch; a fault of the program.
    #[error("the columns of a batch do not fit the file")]
    Columns(#[source] ArrowError),
    /// The Parquet writer failed; a fault of the program.
    #[error("the Parquet writer failed")]
    Parquet(#[source] ParquetError),
    /// The text of one batch passes 4 GiB; the caller has to hand over fewer rows at a time.
    #[error("the text of a batch of {rows} rows is over 4 GiB")]
    BatchTooLarge {
        /// Rows of the batch.
        rows: usize,
    },
    /// A character does not exist in the encoding of the file.
    #[error(
        "the character U+{:04X} at byte {offset} cannot be written in {encoding}",
        u32::from(*character)
    )]
    Unencodable {
        /// The character.
        character: char,
        /// The encoding of the file.
        encoding: &'static str,
        /// Where in the file, in bytes of UTF-8 text from 0.
        offset: u64,
    },
    /// Text that was handed over is no UTF-8, or is cut within a character.
    #[error("the text at byte {offset} is no valid UTF-8")]
    InvalidText {
        /// Where in the file, in bytes of UTF-8 text from 0.
        offset: u64,
    },
    /// The compressor failed.
    #[error("compression failed")]
    Compress(#[source] io::Error),
}

/// What is wrong with one cell or header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// It is over [`CELL_BYTES_MAX`] bytes.
    #[error("the text is larger than {CELL_BYTES_MAX} bytes")]
    CellTooLarge,
    /// Bytes that are no UTF-8.
    #[error("the bytes are no valid UTF-8")]
    InvalidUnicode,
    /// A NUL character in text, which the settings refuse.
    #[error("the text holds a NUL character")]
    Nul,
    /// NaN or an infinity, which the settings refuse.
    #[error("the value is no finite number")]
    NonFinite,
    /// The text needs quotes and the settings have none.
    #[error("the text needs quotes, and quoting is off")]
    NeedsQuotes,
    /// A date or time outside years 1 to 9999, or outside a day.
    #[error("the date or time is out of range")]
    OutOfRange,
    /// The only cell of a row would be empty: most readers skip such a line.
    #[error("the row would be an empty line")]
    EmptyLine,
    /// A map holds one key twice.
    #[error("a map holds the same key twice")]
    DuplicateKey,
    /// A header begins like a formula, and a header cannot be left out.
    #[error("the text begins like a formula")]
    Formula,
}

impl Problem {
    /// A stable word for records and machines.
    pub fn code(self) -> &'static str {
        match self {
            Self::CellTooLarge => "cell_too_large",
            Self::InvalidUnicode => "invalid_unicode",
            Self::Nul => "nul_in_text",
            Self::NonFinite => "non_finite",
            Self::NeedsQuotes => "needs_quotes",
            Self::OutOfRange => "out_of_range",
            Self::EmptyLine => "ambiguous_null_single_column",
            Self::DuplicateKey => "duplicate_map_key",
            Self::Formula => "formula",
        }
    }

    /// What the user can do about it, as a sentence.
    pub fn hint(self) -> &'static str {
        match self {
            Self::CellTooLarge => "Shorten the value with an expression, or leave the column out.",
            Self::InvalidUnicode => "Convert the bytes to text with an expression, as by `encode`.",
            Self::Nul => "Set `nul: strip` or `nul: keep` under `file:`.",
            Self::NonFinite => "Set `non_finite: text` or `non_finite: null` under `file:`.",
            Self::NeedsQuotes => "Set `quoting: minimal` under `file:`.",
            Self::OutOfRange => "Map the column through an expression that clears such values.",
            Self::EmptyLine => "Set a text for missing values, such as `null: '\\N'`.",
            Self::DuplicateKey => "Map single entries of the map in place of the whole.",
            Self::Formula => "Give the column another target name.",
        }
    }
}

impl Error {
    /// A stable word for records and machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoColumns => "no_columns",
            Self::TooManyColumns { .. } => "too_many_columns",
            Self::DuplicateColumn { .. } => "duplicate_column",
            Self::UnsupportedType { .. } => "unsupported_type",
            Self::Dialect { .. } => "invalid_dialect",
            Self::Header { problem, .. } | Self::Cell { problem, .. } => problem.code(),
            Self::ColumnCount { .. } => "column_count",
            Self::Inconvertible { .. } => "out_of_range",
            Self::Columns(_) | Self::Parquet(_) => "parquet_failed",
            Self::BatchTooLarge { .. } => "batch_too_large",
            Self::Unencodable { .. } => "unencodable",
            Self::InvalidText { .. } => "invalid_unicode",
            Self::Compress(_) => "compression_failed",
        }
    }

    /// What the user can do about it, as a sentence; none where it is a fault of the program.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NoColumns => Some("Map at least one column."),
            Self::TooManyColumns { .. } => Some("Map fewer columns."),
            Self::DuplicateColumn { .. } => Some("Give one of the columns another target name."),
            Self::UnsupportedType { .. } => Some("Cast the column to text with an expression."),
            Self::Header { problem, .. } | Self::Cell { problem, .. } => Some(problem.hint()),
            Self::Unencodable { .. } => Some(
                "Set `unencodable: replace` under `file:` to write `?` in its place, or `encoding: utf-8`.",
            ),
            Self::Dialect { .. } => Some("Change one of these settings under `file:`."),
            Self::Inconvertible { .. } => Some(Problem::OutOfRange.hint()),
            Self::ColumnCount { .. }
            | Self::Columns(_)
            | Self::Parquet(_)
            | Self::BatchTooLarge { .. }
            | Self::InvalidText { .. }
            | Self::Compress(_) => None,
        }
    }

    /// The same error with `rows` added to its row: for a caller that knows how many rows came
    /// before the batch.
    #[must_use]
    pub fn with_row_offset(mut self, rows: u64) -> Self {
        if let Self::Cell { row, .. } = &mut self {
            *row += rows;
        }
        self
    }
}
