//! `CHAIN`: one event, or several one behind the other.

use std::ops::Range;
use std::rc::Rc;

use super::events::{self, TABLE};
use super::scope::{Events, Scope};
use super::{Translated, Translator, both};
use crate::pql::Error;
use crate::pql::fragment::{Fragment, Level, Type, Writer};
use crate::pql::tree::{Chain, Comparison, Expr, Node, Span, Step};

/// The most steps of a sequence, those that `COUNT` repeats included.
const STEPS_MAX: usize = 50;

impl Translator<'_> {
    pub(super) fn chain(&self, chain: &Chain, place: &Range<usize>, scope: &Scope) -> Translated {
        let here = Expr { node: Node::Null, place: place.clone() };
        let inner = scope.in_events(&here, None, true)?;
        let time = self.plain(&chain.time, &inner)?;
        match chain.steps.as_slice() {
            [only] if !only.negated => self.single(only, &time, &inner),
            steps => self.sequence(steps, &time, &inner),
        }
    }

    /// An event that needs no order.
    fn single(&self, step: &Step, time: &Fragment, scope: &Scope) -> Translated {
        refuse_distance(step)?;
        let condition = self.step_condition(step, time, scope)?;
        let events = Events { condition: condition.map(Rc::new), value: None };
        match &step.count {
            None => Ok(events::exists(&events)),
            Some((comparison, count, _)) => Ok(self.count_compared(&events, *comparison, *count)),
        }
    }

    /// What an event of a step fulfils; nothing when every event does.
    fn step_condition(
        &self,
        step: &Step,
        time: &Fragment,
        scope: &Scope,
    ) -> Translated<Option<Fragment>> {
        let what = match step.what.node {
            Node::Boolean(true) => None,
            _ => Some(self.condition(&step.what, scope)?),
        };
        let when = match &step.when {
            None => None,
            Some((occurs, place)) => Some(self.occurs(time, occurs, scope)?.from(place)),
        };
        Ok(match (what, when) {
            (Some(what), Some(when)) => Some(both(&what, &when)),
            (what, when) => what.or(when),
        })
    }

    fn sequence(&self, steps: &[Step], time: &Fragment, scope: &Scope) -> Translated {
        let mut parts = Vec::new();
        for (position, step) in steps.iter().enumerate() {
            if position == 0 {
                refuse_distance(step)?;
                if step.negated {
                    let message = "a chain cannot begin with what must not happen";
                    let error = Error::new(step.place.clone(), "unsupported", message);
                    return Err(error.with_hint("Negate the whole: `not (CHAIN(…))`."));
                }
            }
            let condition = self.step_condition(step, time, scope)?;
            let condition =
                condition.unwrap_or_else(|| Fragment::value("TRUE", Type::Boolean).always());
            let (part, repeated) = self.part(step, &condition)?;
            if parts.len() + repeated > STEPS_MAX {
                let message = format!("a chain of more than {STEPS_MAX} steps");
                return Err(Error::new(step.place.clone(), "too_long", message));
            }
            parts.extend(std::iter::repeat_n(part, repeated));
        }
        let sequence = Writer::new("sequence('").text(TABLE).text("', ");
        let sequence = sequence.list(", ", Level::Or, &parts).text(")");
        Ok(sequence.finish(Level::Value, Type::Boolean).always())
    }

    /// A step in SQL, and how many times it stands there.
    fn part(&self, step: &Step, condition: &Fragment) -> Translated<(Fragment, usize)> {
        let word = if step.negated { "without(" } else { "step(" };
        let mut part = Writer::new(word).plain(condition);
        for (name, span) in [("within", &step.within), ("after", &step.after)] {
            let Some(span) = span else { continue };
            if step.negated && name == "after" {
                let message = "what must not happen has no `AFTER`";
                return Err(Error::new(span.place.clone(), "unsupported", message));
            }
            part = part.text(&format!(", {name} => {}", interval(span)?));
        }
        let part = part.text(")").finish(Level::Value, Type::Boolean).from(&step.place);
        Ok((part, repeated(step)?))
    }
}

fn interval(span: &Span) -> Translated<String> {
    super::time::interval(span)
}

/// `COUNT(5)` in a sequence is the step five times: at least five such events, in order.
fn repeated(step: &Step) -> Translated<usize> {
    let Some((comparison, count, place)) = &step.count else { return Ok(1) };
    let is_plain = step.within.is_none() && step.after.is_none() && !step.negated;
    let count = usize::try_from(*count).ok().filter(|count| *count > 0);
    match count {
        Some(count) if *comparison == Comparison::GreaterOrEqual && is_plain => Ok(count),
        _ => {
            let message = "in a chain of several steps `COUNT` can only say at least how many";
            let error = Error::new(place.clone(), "unsupported", message);
            Err(error.with_hint(
                "Write `COUNT(5)` with a number from 1 and without `WITHIN`, `AFTER` or `not`; \
                 for other counts use a chain of one step.",
            ))
        }
    }
}

/// The first step has none before it.
fn refuse_distance(step: &Step) -> Translated<()> {
    let Some(span) = step.within.as_ref().or(step.after.as_ref()) else { return Ok(()) };
    let message = "the first step of a chain has no step before it";
    let error = Error::new(span.place.clone(), "unsupported", message);
    Err(error.with_hint("Say when it happened with `WHEN(<= 7 days before now)`."))
}
