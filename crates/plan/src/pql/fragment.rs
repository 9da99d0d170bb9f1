//! Pieces of SQL that know where they came from.

use std::ops::Range;

use super::TEXT_BYTES_MAX;

/// From places in a translation to places in the text that was translated.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SourceMap {
    /// Ranges of the SQL with the ranges of the PQL; one lies within the other or they do not
    /// meet.
    pieces: Vec<(Range<usize>, Range<usize>)>,
}

impl SourceMap {
    /// Returns the part of the source that the given part of the translation came from: that of
    /// the smallest piece around it.
    pub fn source(&self, translated: Range<usize>) -> Option<Range<usize>> {
        let around = |piece: &&(Range<usize>, Range<usize>)| {
            piece.0.start <= translated.start && translated.end <= piece.0.end
        };
        let pieces = self.pieces.iter().filter(around);
        pieces.min_by_key(|(sql, _)| sql.len()).map(|(_, source)| source.clone())
    }
}

/// How tightly a piece of SQL holds together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    Or,
    And,
    Not,
    Comparison,
    Sum,
    Product,
    Value,
}

/// What is known of a value without the schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    Boolean,
    Number,
    Text,
    Time,
    List,
    Null,
    /// A field, or something of one.
    Unknown,
}

/// A piece of SQL.
#[derive(Debug, Clone)]
pub(super) struct Fragment {
    pub(super) sql: String,
    pub(super) level: Level,
    pub(super) result: Type,
    /// Whether it can be null, so that `NOT` has to see to it.
    pub(super) nullable: bool,
    pieces: Vec<(Range<usize>, Range<usize>)>,
}

impl Fragment {
    /// A value that is no operation.
    pub(super) fn value(sql: impl Into<String>, result: Type) -> Self {
        let (sql, pieces) = (sql.into(), Vec::new());
        Self { sql, level: Level::Value, result, nullable: true, pieces }
    }

    pub(super) fn level(self, level: Level) -> Self {
        Self { level, ..self }
    }

    /// The same, never null.
    pub(super) fn always(self) -> Self {
        Self { nullable: false, ..self }
    }

    /// The same, null only if it can be told so.
    pub(super) fn with_nulls(self, nullable: bool) -> Self {
        Self { nullable, ..self }
    }

    /// Says where the whole came from.
    pub(super) fn from(mut self, source: &Range<usize>) -> Self {
        self.pieces.push((0..self.sql.len(), source.clone()));
        self
    }

    pub(super) fn into_parts(self) -> (String, SourceMap) {
        (self.sql, SourceMap { pieces: self.pieces })
    }
}

/// Puts pieces together.
#[derive(Debug, Default)]
pub(super) struct Writer {
    sql: String,
    pieces: Vec<(Range<usize>, Range<usize>)>,
}

impl Writer {
    pub(super) fn new(text: &str) -> Self {
        Self { sql: text.to_owned(), pieces: Vec::new() }
    }

    pub(super) fn text(mut self, text: &str) -> Self {
        self.sql.push_str(text);
        self
    }

    /// Adds a piece as it is. What is already too long, as the translator will say, does not grow.
    pub(super) fn plain(mut self, fragment: &Fragment) -> Self {
        if self.sql.len() > TEXT_BYTES_MAX {
            return self;
        }
        let offset = self.sql.len();
        self.sql.push_str(&fragment.sql);
        let shift = |range: &Range<usize>| range.start + offset..range.end + offset;
        self.pieces
            .extend(fragment.pieces.iter().map(|(sql, source)| (shift(sql), source.clone())));
        self
    }

    /// Adds a piece, in parentheses if it holds together less tightly than `level`.
    pub(super) fn at(self, level: Level, fragment: &Fragment) -> Self {
        if fragment.level >= level {
            return self.plain(fragment);
        }
        self.text("(").plain(fragment).text(")")
    }

    /// Adds pieces with a text between each two.
    pub(super) fn list<'f>(
        mut self,
        between: &str,
        level: Level,
        fragments: impl IntoIterator<Item = &'f Fragment>,
    ) -> Self {
        for (position, fragment) in fragments.into_iter().enumerate() {
            if position > 0 {
                self = self.text(between);
            }
            self = self.at(level, fragment);
        }
        self
    }

    pub(super) fn finish(self, level: Level, result: Type) -> Fragment {
        let Self { sql, pieces } = self;
        Fragment { sql, level, result, nullable: true, pieces }
    }
}

/// A text as a SQL literal.
pub(super) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
