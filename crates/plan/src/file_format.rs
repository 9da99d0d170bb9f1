//! How rows become files: the resolved values of `file:` of a destination.
//!
//! The rules of cells (what is quoted, how each type is written) are the output contract in
//! `docs/output.md`; the encoder in `delivery` follows them with these settings.

/// Rows per file when nothing else is asked (behaviour reference §5.6).
pub const ROWS_PER_FILE_DEFAULT: u64 = 5_000_000;
/// The most columns of one file.
pub const COLUMNS_MAX: usize = 4_096;
/// The largest cell, in bytes of UTF-8 before quoting.
pub const CELL_BYTES_MAX: usize = 1 << 20;

/// Everything that decides the bytes of a file apart from its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileFormat {
    /// The kind of file.
    pub layout: Layout,
    /// Extension without a dot and without a compression suffix: `csv`, `txt`.
    pub extension: String,
    /// How a row of delimited text is written; JSON lines take `nul` and `non_finite` from it, and
    /// Parquet nothing.
    pub dialect: Dialect,
    /// How characters become bytes; JSON lines are UTF-8.
    pub encoding: Encoding,
    /// How bytes become smaller; Parquet does that inside.
    pub compression: Compression,
    /// A further file begins after this many rows; the header is not counted.
    pub rows_per_file: u64,
    /// A further file begins before a row that would take the file over this many bytes of text,
    /// counted before compression and with the header, so that the split does not depend on a
    /// compressor; of Parquet, the plain size of the values is counted. A single row that is larger
    /// gets a file of its own.
    pub bytes_per_file: Option<u64>,
    /// What a run without rows delivers.
    pub when_empty: WhenEmpty,
    /// Whether each file is encrypted for recipients, behind its compression.
    pub encrypted: bool,
}

/// The kind of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// Cells between delimiters, comma by default.
    Csv,
    /// Cells between tabs.
    Tsv,
    /// One JSON object (RFC 8259) on each line.
    Json,
    /// Apache Parquet: typed columns, compressed inside.
    Parquet,
}

impl Layout {
    /// Whether rows are cells between delimiters: the other layouts have no header, no quotes and
    /// no texts for missing and empty values to choose.
    pub fn is_delimited(self) -> bool {
        matches!(self, Self::Csv | Self::Tsv)
    }

    /// Its name in the project file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Tsv => "tsv",
            Self::Json => "json",
            Self::Parquet => "parquet",
        }
    }
}

/// How a row of cells is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dialect {
    /// Between cells: an ASCII character that is not the quote, a line end or alphanumeric.
    pub delimiter: u8,
    /// Whether each file begins with the column headers.
    pub header: bool,
    /// The quote character, ASCII.
    pub quote: u8,
    /// Which cells are quoted.
    pub quoting: Quoting,
    /// What precedes a quote inside a quoted cell; equal to `quote` it means doubling. When it is
    /// another character, that character itself is escaped inside quoted cells too.
    pub escape: u8,
    /// The text of a missing value, written as it is. A real value of the same text is quoted.
    pub null: String,
    /// The text of an empty string, written as it is.
    pub empty: String,
    /// What ends each row, the last one included.
    pub line_end: LineEnd,
    /// What happens to text that a spreadsheet would take for a formula.
    pub formula_guard: FormulaGuard,
    /// What happens to a NUL character inside text.
    pub nul: NulPolicy,
    /// What happens to floating point values that are no finite number.
    pub non_finite: NonFinitePolicy,
    /// What happens to a character that the encoding of the file lacks.
    pub unencodable: UnencodablePolicy,
}

/// Which cells are quoted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quoting {
    /// Those that would be read differently without quotes.
    Minimal,
    /// All but missing values.
    All,
    /// None; a cell that would need quotes fails the run, so that no row can be misread.
    None,
}

/// What ends a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineEnd {
    /// `\n`
    Lf,
    /// `\r\n`, as RFC 4180 has it
    Crlf,
}

impl LineEnd {
    /// The characters.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Lf => "\n",
            Self::Crlf => "\r\n",
        }
    }
}

/// What happens to text that begins like a formula: `=`, `+`, `-`, `@`, a tab, a line break, or a
/// fullwidth form of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FormulaGuard {
    /// It is written as it is.
    Off,
    /// A single quote is put before it.
    Prefix,
    /// The row is left out and counted under `formula`.
    Reject,
}

/// What happens to a NUL character inside text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NulPolicy {
    /// The run fails and names row and column.
    Reject,
    /// The character is left out.
    Strip,
    /// It is written as it is, quoted.
    Keep,
}

/// What happens to NaN and the infinities.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NonFinitePolicy {
    /// `NaN`, `Infinity`, `-Infinity`.
    Text,
    /// Written like a missing value.
    Null,
    /// The run fails and names row and column.
    Reject,
}

/// What happens to a character that the encoding of the file lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnencodablePolicy {
    /// The run fails and names the character.
    Reject,
    /// A question mark is written in its place, and counted.
    Replace,
}

/// How characters become bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8 without a byte order mark.
    Utf8,
    /// UTF-8 with a byte order mark.
    Utf8Bom,
    /// UTF-16, little end first, with a byte order mark.
    Utf16Le,
    /// UTF-16, big end first, with a byte order mark.
    Utf16Be,
    /// True ISO 8859-1 (U+0000 to U+00FF).
    Iso8859_1,
    /// Windows code page 1252.
    Windows1252,
}

impl Encoding {
    /// Whether the encoding has a form for `c`.
    pub fn has(self, c: char) -> bool {
        match self {
            Self::Utf8 | Self::Utf8Bom | Self::Utf16Le | Self::Utf16Be => true,
            Self::Iso8859_1 => c <= '\u{ff}',
            Self::Windows1252 => {
                // The 27 characters that stand where ISO 8859-1 has controls.
                matches!(c, '\0'..='\x7f' | '\u{a0}'..='\u{ff}')
                    || "€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ".contains(c)
            }
        }
    }
}

/// How bytes become smaller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None,
    /// gzip (RFC 1952): one member, no name, time 0.
    Gzip,
    /// Zstandard (RFC 8878), one frame.
    Zstd,
    /// A zip archive of the one file, under its own name.
    Zip,
}

impl Compression {
    /// What it adds to the object key, with its dot.
    pub fn suffix(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Gzip => ".gz",
            Self::Zstd => ".zst",
            Self::Zip => ".zip",
        }
    }

    /// Its name in the project file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Zip => "zip",
        }
    }
}

/// What a run without rows delivers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenEmpty {
    /// One file with the header alone (or nothing in it when there is no header).
    HeaderOnly,
    /// Nothing; the run is recorded as skipped.
    Skip,
}

/// What OpenPGP adds to the object key, with its dot.
const ENCRYPTED_SUFFIX: &str = ".gpg";

impl FileFormat {
    /// What stands behind the extension: `.gz`, `.gz.gpg`.
    pub fn suffix(&self) -> String {
        let encrypted = if self.encrypted { ENCRYPTED_SUFFIX } else { "" };
        format!("{}{encrypted}", self.compression.suffix())
    }

    /// The defaults of a layout, as the project file documents them.
    pub fn new(layout: Layout) -> Self {
        let (dialect, extension) = match layout {
            Layout::Csv => (Dialect::new(b','), "csv"),
            Layout::Tsv => (Dialect::new(b'\t'), "txt"),
            Layout::Json => (Dialect::json(), "json"),
            Layout::Parquet => (Dialect::json(), "parquet"),
        };
        Self {
            layout,
            extension: extension.to_owned(),
            dialect,
            encoding: Encoding::Utf8,
            compression: Compression::None,
            rows_per_file: ROWS_PER_FILE_DEFAULT,
            bytes_per_file: None,
            when_empty: WhenEmpty::HeaderOnly,
            encrypted: false,
        }
    }

    /// The media type of the objects, before compression.
    pub fn content_type(&self) -> &'static str {
        match self.layout {
            Layout::Csv => "text/csv",
            Layout::Tsv => "text/tab-separated-values",
            Layout::Json => "application/x-ndjson",
            Layout::Parquet => "application/vnd.apache.parquet",
        }
    }
}

impl Dialect {
    /// The default dialect with the given delimiter: a profile of RFC 4180 with `\n`.
    pub fn new(delimiter: u8) -> Self {
        Self {
            delimiter,
            header: true,
            quote: b'"',
            quoting: Quoting::Minimal,
            escape: b'"',
            null: String::new(),
            empty: "\"\"".to_owned(),
            line_end: LineEnd::Lf,
            formula_guard: FormulaGuard::Off,
            nul: NulPolicy::Reject,
            non_finite: NonFinitePolicy::Text,
            unencodable: UnencodablePolicy::Reject,
        }
    }

    /// What is fixed in JSON lines: the signs of JSON, and no header.
    fn json() -> Self {
        Self { header: false, escape: b'\\', null: "null".to_owned(), ..Self::new(b',') }
    }
}
