//! PQL, the Profile Query Language of Adobe Experience Platform: its text becomes a rule in SQL.
//!
//! Whoever comes from there can bring the rules along. A text is split into tokens ([`lexer`]),
//! read into a small tree ([`tree`], [`parse`]) and written as the SQL that the engine takes
//! ([`translate`](mod@translate)), with a map from each part of the SQL to the part of the PQL that it came from, so
//! that what the engine finds wrong can be shown in the text that a person wrote.
//!
//! The language is that of Adobe's public pages *Profile Query Language overview* and its siblings
//! on boolean, comparison, array, map, string, object, arithmetic, aggregation, date and quantifier
//! functions, and of *Edge segmentation* and *Streaming segmentation* for `CHAIN` (behaviour
//! reference §3.2). Where they leave a question open, `docs/pql.md` says how it is read here.
//! Anything else is refused by name and place; nothing is guessed.
//!
//! ```
//! use plan::pql;
//!
//! let rule = pql::translate("person.gender in [\"male\"] and not (age < 18)", &[])?;
//! assert_eq!(rule.sql, "person.gender IN ('male') AND NOT coalesce(age < 18, FALSE)");
//! # Ok::<(), pql::Error>(())
//! ```

mod fragment;
mod lexer;
mod names;
mod parse;
mod translate;
mod tree;

#[cfg(test)]
mod tests;

use std::ops::Range;

pub use fragment::SourceMap;

/// The longest text, and the longest translation, in bytes.
pub const TEXT_BYTES_MAX: usize = crate::resolve::RULE_BYTES_MAX;
/// The most words and signs of a text.
pub const TOKENS_MAX: usize = 10_000;
/// The deepest nesting of parentheses, calls, quantifiers and signs.
pub const DEPTH_MAX: usize = 40;

/// A rule in SQL, and where its parts come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Translation {
    /// One boolean expression.
    pub sql: String,
    /// From places in the SQL to places in the PQL.
    pub map: SourceMap,
}

/// A segment that `inSegment` may name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentName {
    /// The key in the project file, which the SQL uses.
    pub key: String,
    /// The id, which rules from Adobe use.
    pub id: String,
    /// The name for people.
    pub name: String,
}

/// Why a text is no PQL rule that can be translated, and where in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// Where the problem begins, in bytes from the start of the text.
    pub offset: usize,
    /// How long the problem is, in bytes.
    pub length: usize,
    /// A stable word for machines: `syntax_error`, `unknown_function`, `unsupported`, ….
    pub code: &'static str,
    /// What is wrong: a lower-case fragment.
    pub message: String,
    /// What to do next: a sentence.
    pub hint: Option<String>,
}

impl Error {
    fn new(place: Range<usize>, code: &'static str, message: impl Into<String>) -> Self {
        let length = place.end.saturating_sub(place.start);
        Self { offset: place.start, length, code, message: message.into(), hint: None }
    }

    fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// Translates a rule; `segments` are those that `inSegment` may name.
///
/// Never panics, and takes no more time than a small multiple of the text's length, whatever the
/// text is.
///
/// # Errors
/// The text is not PQL, goes beyond a limit, or uses something that Segue does not have.
pub fn translate(text: &str, segments: &[SegmentName]) -> Result<Translation, Error> {
    let tokens = lexer::tokens(text)?;
    let query = parse::query(text, &tokens)?;
    translate::rule(&query, &tokens, segments)
}
