//! `CHAIN(xEvent, timestamp, [A: WHAT(…) WHEN(…) COUNT(5), B: WHAT(…)])`

use super::{Parsed, Parser};
use crate::nearest::nearest;
use crate::pql::Error;
use crate::pql::lexer::Kind;
use crate::pql::tree::{Chain, Comparison, Node, Step};

/// What a step can be followed by.
const CLAUSES: [&str; 4] = ["WHEN", "COUNT", "WITHIN", "AFTER"];

impl Parser<'_> {
    pub(super) fn chain(&mut self) -> Parsed {
        let start = self.next().place.start;
        self.expect("(")?;
        let events = self.place();
        if !self.accept_word("xEvent") {
            let error = Error::new(events, "unsupported", "a chain goes over `xEvent`");
            return Err(error.with_hint("Write `CHAIN(xEvent, timestamp, [A: WHAT(…)])`."));
        }
        self.expect(",")?;
        let time = self.nested(Self::postfix)?;
        self.expect(",")?;
        self.expect("[")?;
        let mut steps = Vec::new();
        loop {
            steps.push(self.nested(Self::chain_step)?);
            if self.accept("]") {
                break;
            }
            self.expect(",")?;
        }
        self.expect(")")?;
        Ok(self.node(start, Node::Chain(Box::new(Chain { time, steps }))))
    }

    fn chain_step(&mut self) -> Parsed<Step> {
        let start = self.peek().place.start;
        if matches!(self.peek_second().kind, Kind::Sign(":")) {
            self.name("a name for the step")?;
            self.expect(":")?;
        }
        let negated = self.accept("!") || self.accept_word("not");
        self.expect_word("WHAT")?;
        let what = self.in_parentheses(Self::expression)?;
        let place = start..self.end();
        let mut step =
            Step { place, negated, what, when: None, count: None, within: None, after: None };
        while let Kind::Word(word) = self.peek().kind.clone() {
            self.clause(&word, &mut step)?;
        }
        step.place.end = self.end();
        Ok(step)
    }

    fn clause(&mut self, word: &str, step: &mut Step) -> Parsed<()> {
        let place = self.next().place;
        let is_again = match word.to_ascii_uppercase().as_str() {
            "WHEN" => {
                let when = self.in_parentheses(Self::occurs)?;
                step.when.replace((when, place.start..self.end())).is_some()
            }
            "COUNT" => {
                let (comparison, count) = self.in_parentheses(Self::count)?;
                step.count.replace((comparison, count, place.start..self.end())).is_some()
            }
            "WITHIN" => step.within.replace(self.in_parentheses(Self::span)?).is_some(),
            "AFTER" => step.after.replace(self.in_parentheses(Self::span)?).is_some(),
            _ => return Err(unknown_clause(word, place)),
        };
        if is_again {
            let message = format!("the step has `{word}` twice");
            return Err(Error::new(place, "syntax_error", message));
        }
        Ok(())
    }

    fn in_parentheses<T>(&mut self, inner: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        self.expect("(")?;
        let read = self.nested(inner)?;
        self.expect(")")?;
        Ok(read)
    }

    /// `5`, which is at least five, or `= 5`.
    fn count(&mut self) -> Parsed<(Comparison, i64)> {
        let comparison = self.accept_comparison()?.unwrap_or(Comparison::GreaterOrEqual);
        Ok((comparison, self.integer("a count")?))
    }
}

fn unknown_clause(word: &str, place: std::ops::Range<usize>) -> Error {
    let error = Error::new(place, "unsupported", format!("a step of a chain has no `{word}`"));
    match nearest(word, CLAUSES) {
        Some(near) => error.with_hint(format!("Did you mean `{near}`?")),
        None => error.with_hint(
            "Behind `WHAT(…)` there can be `WHEN(…)`, `COUNT(…)`, `WITHIN(7 days)` and \
             `AFTER(1 hour)`.",
        ),
    }
}
