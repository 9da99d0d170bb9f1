//! Where the characters of a scalar stand that YAML does not take as they are written: lines are
//! folded, indentation is cut, quotes are escaped.
//!
//! Everything but white space is in the file in the same order, so both are walked together. What
//! comes out are the runs of characters that stand in the file one behind the other.

use saphyr_parser::ScalarStyle;

use crate::diagnostic::Span;
use crate::project::BlockLine;

/// The runs of `text`, a scalar that is written at `place` of `file`; nothing if they cannot be told.
pub(super) fn runs(
    text: &str,
    file: &str,
    place: Span,
    style: ScalarStyle,
) -> Option<Vec<BlockLine>> {
    let mut walk = Walk {
        rest: file.get(place.start..)?,
        style,
        at: place.start,
        line: place.line,
        column: place.column,
    };
    match style {
        // The head of a block, `>-`, ends with its line, where the place does not begin behind it.
        ScalarStyle::Folded if walk.rest.starts_with('>') => walk.pass_line(),
        ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => walk.pass(1),
        _ => {}
    }
    let mut runs: Vec<BlockLine> = Vec::new();
    for (offset, letter) in text.char_indices() {
        if letter.is_whitespace() {
            // As many as there are stand there, or other ones, or none.
            continue;
        }
        walk.pass_white_space();
        let length = walk.written(letter)?;
        let follows =
            |run: &BlockLine| run.line == walk.line && offset - run.offset == walk.at - run.start;
        if !runs.last().is_some_and(follows) {
            let (start, line, column) = (walk.at, walk.line, walk.column);
            runs.push(BlockLine { offset, start, line, column });
        }
        walk.pass(length);
    }
    Some(runs)
}

/// A walk through the text of a file.
struct Walk<'a> {
    rest: &'a str,
    style: ScalarStyle,
    /// Where the rest begins: in bytes, and as line and column.
    at: usize,
    line: u32,
    column: u32,
}

impl Walk<'_> {
    fn pass(&mut self, bytes: usize) {
        let (passed, rest) = self.rest.split_at(bytes.min(self.rest.len()));
        for letter in passed.chars() {
            (self.line, self.column) = match letter {
                '\n' => (self.line.saturating_add(1), 1),
                _ => (self.line, self.column.saturating_add(1)),
            };
        }
        (self.rest, self.at) = (rest, self.at + passed.len());
    }

    fn pass_line(&mut self) {
        self.pass(self.rest.find('\n').map_or(self.rest.len(), |end| end + 1));
    }

    /// Passes over white space, escaped or not.
    fn pass_white_space(&mut self) {
        loop {
            let trimmed = self.rest.len() - self.rest.trim_start().len();
            self.pass(trimmed);
            let escapes = ["\\n", "\\t", "\\r", "\\ ", "\\\n", "\\\t"];
            match escapes.into_iter().find(|escape| self.rest.starts_with(escape)) {
                Some(escape) if self.style == ScalarStyle::DoubleQuoted => self.pass(escape.len()),
                _ => return,
            }
        }
    }

    /// How many bytes a letter takes as it is written next; nothing if another one is.
    fn written(&self, letter: char) -> Option<usize> {
        let escaped = match self.style {
            ScalarStyle::SingleQuoted if letter == '\'' => "''",
            ScalarStyle::DoubleQuoted => match letter {
                '"' => "\\\"",
                '\\' => "\\\\",
                '/' if self.rest.starts_with('\\') => "\\/",
                _ => "",
            },
            _ => "",
        };
        if !escaped.is_empty() {
            return self.rest.starts_with(escaped).then_some(escaped.len());
        }
        self.rest.starts_with(letter).then(|| letter.len_utf8())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::{Content, parse};

    /// Where the last word of the one value of a file stands, by the runs of its text.
    fn last_word(file: &str) -> Option<(String, u32, u32)> {
        let (root, _) = parse(file);
        let root = root.expect("YAML");
        let entry = &root.entries()[0];
        let Content::Scalar(scalar) = &entry.value.content else { panic!("a scalar") };
        assert!(scalar.verbatim.is_none(), "{file}");
        let offset = scalar.text.trim_end().rfind(' ').expect("a word") + 1;
        let run = scalar.lines.iter().rev().find(|run| run.offset <= offset)?;
        let start = run.start + (offset - run.offset);
        let at = Span::of(file, start..start);
        let word = scalar.text.trim_end()[offset..].len();
        Some((file[start..start + word].to_owned(), at.line, at.column))
    }

    #[test]
    fn words_are_found_where_they_stand() {
        let found = |word: &str, line, column| Some((word.to_owned(), line, column));
        for (file, expected) in [
            ("a: >\n  one\n  two three\nb: 1\n", found("three", 3, 7)),
            ("a: >-\n\n    one\n\n    two\n      three four\n", found("four", 6, 13)),
            ("a: one\n  two\n  three\n", found("three", 3, 3)),
            ("a: \"say \\\"é\\\" and\\n go\"\n", found("go", 1, 21)),
            ("a: \"one \\\n   two three\"\n", found("three", 2, 8)),
            ("a: 'it''s one\n  two'\n", found("two", 2, 3)),
            ("{a: \"a \\u0041b c\"}", None),
        ] {
            assert_eq!(last_word(file), expected, "{file}");
        }
    }
}
