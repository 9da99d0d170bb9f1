//! Functions that stand alone.

use std::ops::Range;

use super::scope::Scope;
use super::{Translated, Translator, time, wrong_count};
use crate::nearest::nearest;
use crate::pql::fragment::{Fragment, Level, Type, Writer, literal};
use crate::pql::tree::{Expr, Moment, Name, Node};
use crate::pql::{Error, names};
use crate::segment_reference::{Called, NotFound, position};

impl Translator<'_> {
    /// `if`, the current time, other segments.
    pub(super) fn call(
        &self,
        name: &Name,
        arguments: &[Expr],
        place: &Range<usize>,
        scope: &Scope,
    ) -> Translated {
        let count = |wanted| wrong_count(name, wanted, arguments.len(), place);
        match (name.text.as_str(), arguments) {
            ("if", [test, yes, no]) => {
                let test = self.condition(test, scope)?;
                let (yes, no) = (self.plain(yes, scope)?, self.plain(no, scope)?);
                let result = if yes.result == no.result { yes.result } else { Type::Unknown };
                let nullable = yes.nullable || no.nullable;
                let case = Writer::new("CASE WHEN ").plain(&test).text(" THEN ").plain(&yes);
                let case = case.text(" ELSE ").plain(&no).text(" END");
                Ok(case.finish(Level::Value, result).with_nulls(nullable))
            }
            ("currentMonth", []) => Ok(part_of_now("month")),
            ("currentYear", []) => Ok(part_of_now("year")),
            ("currentDayOfMonth", []) => Ok(part_of_now("day")),
            ("now", []) => time::start(Moment::Now, place),
            ("today", []) => time::start(Moment::Day(0), place),
            ("inSegment", [Expr { node: Node::Text(segment), place }]) => {
                self.in_segment(segment, place)
            }
            ("inSegment", [other]) => {
                let message = "the segment is not a text";
                let error = Error::new(other.place.clone(), "wrong_argument", message);
                Err(error
                    .with_hint("Write `inSegment(\"…\")` with the key, id or name of a segment."))
            }
            ("if", _) => Err(count("3 arguments")),
            ("inSegment", _) => Err(count("1 argument")),
            ("currentMonth" | "currentYear" | "currentDayOfMonth" | "now" | "today", _) => {
                Err(count("no arguments"))
            }
            _ => Err(unknown_function(name)),
        }
    }

    fn in_segment(&self, wanted: &str, place: &Range<usize>) -> Translated {
        let called = self.segments.iter().map(|segment| Called {
            key: &segment.key,
            name: &segment.name,
            has_id: segment.id.eq_ignore_ascii_case(wanted),
        });
        let nearest = match position(&called.collect::<Vec<_>>(), wanted) {
            Ok(position) => {
                let call = format!("in_segment({})", literal(&self.segments[position].key));
                return Ok(Fragment::value(call, Type::Boolean).always());
            }
            Err(NotFound::Ambiguous) => {
                let message = format!("several segments are called `{wanted}`");
                let error = Error::new(place.clone(), "ambiguous_segment", message);
                return Err(error.with_hint("Write the key of the one that is meant."));
            }
            Err(NotFound::Unknown { nearest }) => nearest,
        };
        let message = format!("there is no segment `{wanted}`");
        let error = Error::new(place.clone(), "unknown_segment", message);
        Err(match nearest {
            Some(near) => error.with_hint(format!("Did you mean `{near}`?")),
            None => error.with_hint(
                "Name the key of a segment of the project, or give a segment the id that it has \
                 in Adobe with `id:`.",
            ),
        })
    }
}

fn part_of_now(part: &str) -> Fragment {
    Fragment::value(format!("date_part('{part}', now())"), Type::Number).always()
}

fn unknown_function(name: &Name) -> Error {
    unknown(name, &names::FUNCTIONS, &names::METHODS, || {
        format!("It stands behind a value: `x.{}(…)`.", name.text)
    })
}

/// A name that is none of `known`; `elsewhere` tells how it is written if it is one of `others`.
pub(super) fn unknown(
    name: &Name,
    known: &[&'static str],
    others: &[&'static str],
    elsewhere: impl FnOnce() -> String,
) -> Error {
    let written = &name.text;
    if let Some(instead) = names::unsupported(written) {
        let message = format!("`{written}` is not available");
        return Error::new(name.place.clone(), "unsupported", message).with_hint(instead);
    }
    let message = format!("unknown function `{written}`");
    let error = Error::new(name.place.clone(), "unknown_function", message);
    match nearest(written, known.iter().copied()) {
        Some(near) => error.with_hint(format!("Did you mean `{near}`?")),
        None if others.contains(&written.as_str()) => error.with_hint(elsewhere()),
        None => error,
    }
}
