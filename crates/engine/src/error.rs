//! What can go wrong while profiles are read, as facts.
//!
//! No value of a profile is ever part of an error: texts of the libraries below are passed on only
//! where they speak of types or of files, never where they may quote a cell.

use std::fmt;

/// What the caller can do about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A dataset, file or bucket does not exist.
    NotFound,
    /// An input, a rule or a mapping is not as it has to be.
    Invalid,
    /// An input changed after it was pinned: run again.
    Changed,
    /// The file system, the S3 service or the database refuses access.
    Denied,
    /// A database cannot be reached, or not safely.
    Unreachable,
    /// The S3 service or the database did not answer, or asked to come back: run later.
    Unavailable,
    /// A limit of memory or disk was reached.
    Resources,
    /// A fault of Segue itself.
    Internal,
}

/// Where in the input a problem is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Place {
    /// The file, folder, glob or `s3://` object.
    pub location: String,
    /// Line in the file, counted from 1.
    pub line: Option<u64>,
    /// Column in the line, in characters, counted from 1.
    pub column: Option<u64>,
    /// Record in the file, counted from 1, headers not included.
    pub row: Option<u64>,
    /// The field.
    pub field: Option<String>,
}

/// A failure of this crate.
#[derive(Debug)]
pub struct Error(Box<Detail>);

#[derive(Debug)]
struct Detail {
    kind: Kind,
    code: &'static str,
    message: String,
    place: Option<Place>,
    hint: Option<String>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_ref().map(|source| source.as_ref() as _)
    }
}

impl Error {
    /// Returns an error; `message` is a lower-case fragment, `code` a stable word for machines.
    pub(crate) fn new(kind: Kind, code: &'static str, message: impl Into<String>) -> Self {
        let message = message.into();
        Self(Box::new(Detail { kind, code, message, place: None, hint: None, source: None }))
    }

    /// Returns an error about the content of an input.
    pub(crate) fn input(location: &str, message: impl Into<String>) -> Self {
        Self::new(Kind::Invalid, "invalid_input", message).in_file(location)
    }

    /// Returns an error for a failed operation on a local file.
    pub(crate) fn io(location: &str, action: &str, source: std::io::Error) -> Self {
        let (kind, code) = match source.kind() {
            std::io::ErrorKind::NotFound => (Kind::NotFound, "input_not_found"),
            std::io::ErrorKind::PermissionDenied => (Kind::Denied, "input_denied"),
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
                (Kind::Resources, "disk_full")
            }
            _ => (Kind::Unavailable, "input_unreadable"),
        };
        let mut error = Self::new(kind, code, format!("cannot {action}")).in_file(location);
        error.0.source = Some(Box::new(source));
        if code == "disk_full" {
            let hint = format!(
                "Free space on the disk of {location} and run again, or name a state folder on another \
                 disk with --state-dir."
            );
            return error.with_hint(hint);
        }
        error
    }

    /// Returns an error for a broken invariant.
    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self::new(Kind::Internal, "internal", message)
    }

    #[must_use]
    pub(crate) fn in_file(mut self, location: &str) -> Self {
        self.0.place.get_or_insert_default().location = location.to_owned();
        self
    }

    /// Names the file, if none is named yet.
    #[must_use]
    pub(crate) fn in_file_if_untold(self, location: &str) -> Self {
        let is_told = self.place().is_some_and(|place| !place.location.is_empty());
        if is_told { self } else { self.in_file(location) }
    }

    #[must_use]
    pub(crate) fn at_line(mut self, line: u64) -> Self {
        self.0.place.get_or_insert_default().line = Some(line);
        self
    }

    #[must_use]
    pub(crate) fn at_column(mut self, column: u64) -> Self {
        self.0.place.get_or_insert_default().column = Some(column);
        self
    }

    #[must_use]
    pub(crate) fn at_row(mut self, row: u64) -> Self {
        self.0.place.get_or_insert_default().row = Some(row);
        self
    }

    #[must_use]
    pub(crate) fn at_field(mut self, field: impl Into<String>) -> Self {
        self.0.place.get_or_insert_default().field = Some(field.into());
        self
    }

    #[must_use]
    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// What the caller can do.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// A stable word for machines: `invalid_input`, `input_changed`, `expression_error`, ….
    pub fn code(&self) -> &'static str {
        self.0.code
    }

    /// Where the problem is, if it is at one place.
    pub fn place(&self) -> Option<&Place> {
        self.0.place.as_ref()
    }

    /// What to do next, as a sentence.
    pub fn hint(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }
}

/// The message and the place behind it: `the file ends early (data/a.csv, line 3)`.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        let Some(place) = &self.0.place else { return Ok(()) };
        let mut separator = " (";
        let mut part = |f: &mut fmt::Formatter<'_>, text: fmt::Arguments<'_>| {
            f.write_str(separator)?;
            separator = ", ";
            f.write_fmt(text)
        };
        if !place.location.is_empty() {
            part(f, format_args!("{}", place.location))?;
        }
        if let Some(line) = place.line {
            part(f, format_args!("line {line}"))?;
        }
        if let Some(column) = place.column {
            part(f, format_args!("column {column}"))?;
        }
        if let Some(row) = place.row {
            part(f, format_args!("row {row}"))?;
        }
        if let Some(field) = &place.field {
            part(f, format_args!("field `{field}`"))?;
        }
        if separator == ", " { f.write_str(")") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_read_as_fragments_with_their_place() {
        let error = Error::input("data/a.csv", "the row has 3 cells, the header 4").at_line(7);
        assert_eq!(error.to_string(), "the row has 3 cells, the header 4 (data/a.csv, line 7)");
        let error = Error::input("a.jsonl", "no value").at_line(2).at_column(5).at_field("a");
        assert_eq!(error.to_string(), "no value (a.jsonl, line 2, column 5, field `a`)");
        let error = Error::input("a.csv", "not an integer").at_row(2).at_field("age");
        assert_eq!(error.to_string(), "not an integer (a.csv, row 2, field `age`)");
        assert_eq!(Error::internal("a reader stopped").to_string(), "a reader stopped");
    }
}
