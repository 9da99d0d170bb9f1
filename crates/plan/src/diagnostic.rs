//! Problems of a project file, as values with their place.
//!
//! A diagnostic carries facts; how it is drawn (excerpt, colours, JSON) is up to the binary.

/// How bad a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing; nothing is stopped.
    Warning,
    /// Nothing runs until it is mended.
    Error,
}

/// A stretch of the project file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// First byte in the text.
    pub start: usize,
    /// Behind the last byte in the text.
    pub end: usize,
    /// Line of the first byte, counted from 1.
    pub line: u32,
    /// Column of the first byte, in characters, counted from 1.
    pub column: u32,
}

impl Span {
    /// Returns the span of a byte range of `text`. Offsets beyond the text, or inside a character,
    /// move to the next place before them.
    pub fn of(text: &str, range: std::ops::Range<usize>) -> Self {
        let start = text.floor_char_boundary(range.start);
        let end = text.floor_char_boundary(range.end).max(start);
        let line_start = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        Self {
            start,
            end,
            line: count(text[..start].matches('\n').count()),
            column: count(text[line_start..start].chars().count()),
        }
    }
}

/// Turns a number of things before a place into a position counted from 1.
fn count(before: usize) -> u32 {
    u32::try_from(before).map_or(u32::MAX, |before| before.saturating_add(1))
}

/// One problem of a project file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// A stable word for machines: `unknown_key`, `unknown_field`, `duplicate_key`, …
    pub code: &'static str,
    /// What is wrong: a lower-case fragment without a full stop.
    pub message: String,
    /// What to do next: a sentence.
    pub hint: Option<String>,
    /// Where; absent when the problem is of the whole file.
    pub span: Option<Span>,
}

impl Diagnostic {
    /// Returns an error.
    pub fn error(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            code,
            message: message.into(),
            hint: None,
            span: Some(span),
        }
    }

    /// Returns a warning.
    pub fn warning(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, span, message) }
    }

    /// Adds the next step.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
