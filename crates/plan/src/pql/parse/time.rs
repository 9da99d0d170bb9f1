//! What stands behind `occurs`.

use super::{Parsed, Parser};
use crate::nearest::nearest;
use crate::pql::Error;
use crate::pql::lexer::Kind;
use crate::pql::tree::{Moment, Node, Occurs, Side, Span, Time, Unit};

/// The words for units.
const UNITS: [(&str, &str, Unit); 11] = [
    ("millisecond", "milliseconds", Unit::Millisecond),
    ("second", "seconds", Unit::Second),
    ("minute", "minutes", Unit::Minute),
    ("hour", "hours", Unit::Hour),
    ("day", "days", Unit::Day),
    ("week", "weeks", Unit::Week),
    ("month", "months", Unit::Month),
    ("year", "years", Unit::Year),
    ("decade", "decades", Unit::Decade),
    ("century", "centuries", Unit::Century),
    ("millennium", "millennia", Unit::Millennium),
];

impl Parser<'_> {
    pub(super) fn occurs(&mut self) -> Parsed<Occurs> {
        if let Some(comparison) = self.accept_comparison()? {
            let span = self.span()?;
            let side = self.side().ok_or_else(|| {
                self.unexpected("`before`, `after` or `from`")
                    .with_hint("Write for example `<= 3 days before now`.")
            })?;
            return Ok(Occurs::Distance(comparison, span, side, self.time()?));
        }
        if let Some(side) = self.side() {
            return Ok(Occurs::Side(side, self.time()?));
        }
        if self.accept_word("between") {
            let low = self.time()?;
            self.expect_word("and")?;
            return Ok(Occurs::Between(low, self.time()?));
        }
        if let Kind::Integer(_) = self.peek().kind {
            let error = self.unexpected("a comparison before the number");
            return Err(error.with_hint("Write for example `<= 3 days before now`."));
        }
        let is_field = matches!(self.peek_second().kind, Kind::Sign("." | "[") | Kind::End);
        if self.at_word("on") && !is_field {
            self.next();
        }
        Ok(Occurs::On(self.time()?))
    }

    fn side(&mut self) -> Option<Side> {
        let words = [("before", Side::Before), ("after", Side::After), ("from", Side::From)];
        let found = words.into_iter().find(|(word, _)| self.at_word(word))?;
        self.next();
        Some(found.1)
    }

    /// A time; `3 days before now` is one too.
    fn time(&mut self) -> Parsed<Time> {
        if let (Kind::Integer(_), Kind::Word(_)) = (&self.peek().kind, &self.peek_second().kind) {
            let span = self.span()?;
            let side = self.side().filter(|side| *side != Side::From);
            let side = side.ok_or_else(|| self.unexpected("`before` or `after`"))?;
            let time = self.nested(Self::time)?;
            return Ok(Time::Shifted(span, side, Box::new(time)));
        }
        let start = self.peek().place.start;
        for (word, offset) in [("this", 0), ("last", -1), ("next", 1)] {
            if self.at_word(word) && !self.at_sign_behind() {
                self.next();
                let unit = self.unit()?;
                return Ok(Time::Moment(Moment::Relative(offset, unit), start..self.end()));
            }
        }
        let value = self.nested(Self::sum)?;
        Ok(match value.node {
            Node::Moment(moment) => Time::Moment(moment, value.place),
            _ => Time::Value(value),
        })
    }

    /// `3 days`
    pub(super) fn span(&mut self) -> Parsed<Span> {
        let start = self.peek().place.start;
        let count = self.integer("a count")?;
        let unit = self.unit()?;
        Ok(Span { count, unit, place: start..self.end() })
    }

    fn unit(&mut self) -> Parsed<Unit> {
        let Kind::Word(word) = self.peek().kind.clone() else {
            return Err(self.unexpected("a unit of time"));
        };
        let lower = word.to_ascii_lowercase();
        let found = UNITS.iter().find(|(one, many, _)| lower == *one || lower == *many);
        if let Some((_, _, unit)) = found {
            self.next();
            return Ok(*unit);
        }
        let message = format!("unknown unit of time `{word}`");
        let error = Error::new(self.place(), "unknown_unit", message);
        let known = UNITS.iter().flat_map(|(one, many, _)| [*one, *many]);
        Err(match nearest(&word, known) {
            Some(near) => error.with_hint(format!("Did you mean `{near}`?")),
            None => error.with_hint("Units go from `milliseconds` to `millennia`."),
        })
    }
}
