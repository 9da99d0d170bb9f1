//! Segments that a rule names: `in_segment('luxury')`.
//!
//! A rule that names another segment asks the rule of that segment, on the same profiles and at the
//! same instant. So there is nothing that could be out of date, and no order in which segments would
//! have to be evaluated; but no segment may rest on itself.

use std::ops::Range;

use crate::consent::Consent;
use crate::nearest::nearest;
use crate::project::{Column, ColumnSource, Project, Rule, Segment};
use crate::run_plan::Query;
use crate::sql_text::Scanner;

/// The function that names a segment.
pub const IN_SEGMENT: &str = "in_segment";

/// A segment that a SQL expression names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention {
    /// The key, id or name as written.
    pub name: String,
    /// Where the text stands, its quotes included, in bytes.
    pub place: Range<usize>,
}

/// Returns every `in_segment('…')` of a SQL expression, in order. Texts, quoted names and comments
/// hold none; what is no such call is left to whoever compiles the expression.
pub fn mentions(sql: &str) -> Vec<Mention> {
    let mut found = Vec::new();
    let mut rest = Scanner::new(sql, 0);
    while let Some(word) = rest.next_word() {
        if !sql[word.clone()].eq_ignore_ascii_case(IN_SEGMENT) {
            continue;
        }
        let mut call = Scanner::new(sql, word.end);
        if call.takes('(')
            && let Some((name, place)) = call.text()
            && call.takes(')')
        {
            rest.at = call.at;
            found.push(Mention { name, place });
        }
    }
    found
}

/// Finds the segment that a rule means: by key, then by id, then by name.
///
/// # Errors
/// No segment is called so, or several have the name.
pub fn find<'a>(segments: &'a [Segment], written: &str) -> Result<&'a Segment, NotFound> {
    let called = segments.iter().map(|segment| Called {
        key: &segment.key,
        name: &segment.name,
        has_id: segment.id.hyphenated().to_string().eq_ignore_ascii_case(written),
    });
    position(&called.collect::<Vec<_>>(), written).map(|position| &segments[position])
}

/// What a segment may be called.
pub(crate) struct Called<'a> {
    pub(crate) key: &'a str,
    pub(crate) name: &'a str,
    /// Whether what was written is its id.
    pub(crate) has_id: bool,
}

/// The position of the segment that is meant; see [`find`].
pub(crate) fn position(segments: &[Called<'_>], written: &str) -> Result<usize, NotFound> {
    if let Some(position) = segments.iter().position(|segment| segment.key == written) {
        return Ok(position);
    }
    if let Some(position) = segments.iter().position(|segment| segment.has_id) {
        return Ok(position);
    }
    let named = segments.iter().enumerate().filter(|(_, segment)| segment.name == written);
    let mut named = named.map(|(position, _)| position);
    match (named.next(), named.next()) {
        (Some(position), None) => Ok(position),
        (Some(_), Some(_)) => Err(NotFound::Ambiguous),
        (None, _) => {
            let keys = segments.iter().map(|segment| segment.key);
            let names = segments.iter().map(|segment| segment.name);
            let nearest = nearest(written, keys.chain(names)).map(str::to_owned);
            Err(NotFound::Unknown { nearest })
        }
    }
}

/// Why a name means no segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotFound {
    /// No segment is called so: it never was there, or was deleted.
    Unknown {
        /// The nearest key or name, if one is near enough to be meant.
        nearest: Option<String>,
    },
    /// Several segments have that name.
    Ambiguous,
}

impl Project {
    /// The segments that a rule, columns and consent rest on, whatever the number of steps, in the
    /// order of the file.
    pub fn segments_of(&self, rule: &Rule, columns: &[Column], consent: &Consent) -> Vec<Segment> {
        let mut needed = vec![false; self.segments.len()];
        let expressions = columns.iter().filter_map(|column| match &column.source {
            ColumnSource::Expression { text, .. } => Some(text.as_str()),
            _ => None,
        });
        let purposes = consent.purposes.iter().map(|purpose| purpose.rule.text.as_str());
        let mut texts: Vec<&str> =
            expressions.chain(purposes).chain([rule.text.as_str()]).collect();
        while let Some(text) = texts.pop() {
            for Mention { name, .. } in mentions(text) {
                let Ok(segment) = find(&self.segments, &name) else { continue };
                let position = self.segments.iter().position(|known| known.key == segment.key);
                let Some(needed) = position.and_then(|position| needed.get_mut(position)) else {
                    continue;
                };
                if !std::mem::replace(needed, true) {
                    texts.push(&segment.rule.text);
                }
            }
        }
        let with_need = self.segments.iter().zip(needed);
        with_need.filter(|(_, needed)| *needed).map(|(segment, _)| segment.clone()).collect()
    }

    /// The question who is a member of a segment, without any columns and whoever may be sent.
    pub fn members(&self, segment: &Segment, evaluated_at: jiff::Timestamp) -> Query {
        Query {
            rule: segment.rule.clone(),
            columns: Vec::new(),
            segments: self.segments_of(&segment.rule, &[], &Consent::default()),
            consent: Consent::default(),
            history: None,
            evaluated_at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(sql: &str) -> Vec<(String, &str)> {
        mentions(sql).into_iter().map(|it| (it.name, &sql[it.place])).collect()
    }

    #[test]
    fn calls_are_found_outside_quotes_and_comments() {
        insta::assert_debug_snapshot!(names(
            "In_Segment('a') and not in_segment ( 'it''s' /* no */ ) -- in_segment('c')\n \
             or x = 'in_segment(''d'')' or \"in_segment\"('e') or my_in_segment('f') \
             or in_segment(g) or in_segment('h', 1) or in_segment('i"
        ), @r#"
        [
            (
                "a",
                "'a'",
            ),
            (
                "it's",
                "'it''s'",
            ),
        ]
        "#);
    }
}
