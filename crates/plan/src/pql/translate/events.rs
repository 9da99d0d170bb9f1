//! Events of the profile.

use super::scope::{Events, Path, PathStep, Root, Scope, Value};
use super::{Translated, Translator, compared, negated};
use crate::pql::Error;
use crate::pql::fragment::{Fragment, Level, Type, Writer};
use crate::pql::tree::{Comparison, Expr, Name, Quantifier};

/// The table of all events, in SQL.
pub(super) const TABLE: &str = "events";

impl Translator<'_> {
    /// Whether there are such events.
    pub(super) fn exist(&self, events: &Events, expr: &Expr) -> Translated {
        Ok(exists(events).from(&expr.place))
    }

    /// `xEvent.commerce.order`: something of each event.
    pub(super) fn member_of_events(
        &self,
        mut events: Events,
        name: &Name,
        scope: &Scope,
    ) -> Translated<Value> {
        let step = PathStep::Field(name.text.clone());
        let path = match events.value.map(|value| *value) {
            None => {
                let mut path = Path::new(Root::Event, scope);
                path.in_events = true;
                path
            }
            Some(Value::Path(path)) => path,
            Some(_) => {
                let message = "a calculated value of events has no fields";
                return Err(Error::new(name.place.clone(), "unsupported", message));
            }
        };
        events.value = Some(Box::new(Value::Path(path.then(step))));
        Ok(Value::Events(events))
    }

    /// `count`, `sum`, … over events.
    pub(super) fn aggregate_events(&self, name: &Name, events: &Events) -> Translated {
        let function = match name.text.to_ascii_lowercase().as_str() {
            "count" => {
                let count = Writer::new("(SELECT count(*)");
                return Ok(ended(count, events).finish(Level::Value, Type::Number).always());
            }
            "average" => "avg".to_owned(),
            other => other.to_owned(),
        };
        let Some(value) = &events.value else {
            let message = format!("`{}` does not know of which field of the events", name.text);
            let error = Error::new(name.place.clone(), "wrong_argument", message);
            let hint =
                format!("Write for example `xEvent.{}(commerce.order.priceTotal)`.", name.text);
            return Err(error.with_hint(hint));
        };
        let at = Expr { node: crate::pql::tree::Node::Null, place: name.place.clone() };
        let value = self.fragment(value.as_ref().clone(), &at)?;
        let call = Writer::new("(SELECT ").text(&function).text("(").plain(&value).text(")");
        Ok(ended(call, events).finish(Level::Value, Type::Unknown))
    }

    /// `xEvent.count() >= 5` for one step of a chain.
    pub(super) fn count_compared(
        &self,
        events: &Events,
        comparison: Comparison,
        count: i64,
    ) -> Fragment {
        let writer = Writer::new("(SELECT count(*)");
        let found = ended(writer, events).finish(Level::Value, Type::Number).always();
        let wanted = Fragment::value(count.to_string(), Type::Number).always();
        compared(&found, comparison, &wanted)
    }
}

/// `EXISTS (SELECT FROM events WHERE …)`
pub(super) fn exists(events: &Events) -> Fragment {
    ended(Writer::new("EXISTS (SELECT"), events).finish(Level::Comparison, Type::Boolean).always()
}

/// `exists` and `forall` over events.
pub(super) fn quantified(
    quantifier: Quantifier,
    events: &Events,
    condition: Option<&Fragment>,
) -> Translated {
    Ok(match (quantifier, condition) {
        (Quantifier::Exists, condition) => exists(&events.with(condition)),
        (Quantifier::ForAll, Some(condition)) => {
            negated(&exists(&events.with(Some(&negated(condition)))))
        }
        (Quantifier::ForAll, None) => Fragment::value("TRUE", Type::Boolean).always(),
    })
}

/// ` FROM events WHERE …)`
fn ended(writer: Writer, events: &Events) -> Writer {
    let writer = writer.text(" FROM ").text(TABLE);
    match &events.condition {
        None => writer.text(")"),
        Some(condition) => writer.text(" WHERE ").plain(condition).text(")"),
    }
}
