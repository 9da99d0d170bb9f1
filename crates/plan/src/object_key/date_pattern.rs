//! The pattern of `%DATETIME(pattern)%`: a small fixed set of letters.

use std::fmt::Write as _;

use jiff::civil::DateTime;

/// The letters that a pattern may hold.
pub(super) const LETTERS: [&str; 8] = ["yyyy", "YYYY", "MM", "dd", "HH", "mm", "ss", "SSS"];

/// A pattern, checked.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct DatePattern(Vec<DatePiece>);

#[derive(Debug, Clone, PartialEq)]
enum DatePiece {
    Year,
    Month,
    Day,
    Hour,
    Minute,
    Second,
    Millisecond,
    Text(String),
}

/// What of a pattern is not understood, with its offset in bytes.
#[derive(Debug, PartialEq)]
pub(super) struct PatternError<'a> {
    pub offset: usize,
    pub found: &'a str,
}

impl DatePattern {
    pub(super) fn parse(pattern: &str) -> Result<Self, PatternError<'_>> {
        let mut pieces = Vec::new();
        let mut offset = 0;
        while let Some(first) = pattern[offset..].chars().next() {
            let rest = &pattern[offset..];
            let (piece, length) = match first {
                '\'' => quoted(rest).ok_or(PatternError { offset, found: rest })?,
                '-' | '_' | '.' | ':' | 'T' | 'Z' => (DatePiece::Text(first.to_string()), 1),
                _ => {
                    let run = rest.len() - rest.trim_start_matches(first).len();
                    let found = &rest[..run];
                    (letters(found).ok_or(PatternError { offset, found })?, run)
                }
            };
            pieces.push(piece);
            offset += length;
        }
        if pieces.is_empty() {
            return Err(PatternError { offset: 0, found: pattern });
        }
        Ok(Self(pieces))
    }

    pub(super) fn format(&self, time: DateTime) -> String {
        let mut text = String::new();
        for piece in &self.0 {
            let written = match piece {
                DatePiece::Year => write!(text, "{:04}", time.year()),
                DatePiece::Month => write!(text, "{:02}", time.month()),
                DatePiece::Day => write!(text, "{:02}", time.day()),
                DatePiece::Hour => write!(text, "{:02}", time.hour()),
                DatePiece::Minute => write!(text, "{:02}", time.minute()),
                DatePiece::Second => write!(text, "{:02}", time.second()),
                DatePiece::Millisecond => write!(text, "{:03}", time.millisecond()),
                DatePiece::Text(literal) => write!(text, "{literal}"),
            };
            written.expect("writing to a string cannot fail");
        }
        text
    }
}

fn letters(run: &str) -> Option<DatePiece> {
    Some(match run {
        "yyyy" | "YYYY" => DatePiece::Year,
        "MM" => DatePiece::Month,
        "dd" => DatePiece::Day,
        "HH" => DatePiece::Hour,
        "mm" => DatePiece::Minute,
        "ss" => DatePiece::Second,
        "SSS" => DatePiece::Millisecond,
        _ => return None,
    })
}

/// Text between single quotes, and how many bytes it takes with them.
fn quoted(rest: &str) -> Option<(DatePiece, usize)> {
    let end = rest[1..].find('\'')?;
    let text = &rest[1..=end];
    let text = if text.is_empty() { "'" } else { text };
    Some((DatePiece::Text(text.to_owned()), end + 2))
}
