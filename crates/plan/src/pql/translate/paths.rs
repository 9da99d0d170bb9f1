//! Names and the ways from them to fields.

use super::scope::{Events, Path, PathStep, Root, Scope, Value};
use super::{Translated, Translator};
use crate::pql::Error;
use crate::pql::fragment::{Fragment, Level, Type, Writer, literal};
use crate::pql::tree::{Expr, Name, Node};

impl Translator<'_> {
    /// A bare name: a variable, the events, or a field of what is in context.
    pub(super) fn name(&self, name: &str, expr: &Expr, scope: &Scope) -> Translated<Value> {
        if let Some(value) = scope.variable(name) {
            return Ok(value);
        }
        if name.eq_ignore_ascii_case("xEvent") {
            scope.check_events(&expr.place)?;
            return Ok(Value::Events(Events::default()));
        }
        let mut path = scope.implicit();
        path.steps.push(PathStep::Field(name.to_owned()));
        Ok(Value::Path(path))
    }

    pub(super) fn member(&self, inner: &Expr, name: &Name, scope: &Scope) -> Translated<Value> {
        match self.value(inner, scope)? {
            Value::Path(path) if path.is_profile() && name.text.eq_ignore_ascii_case("xEvent") => {
                scope.check_events(&name.place)?;
                Ok(Value::Events(Events::default()))
            }
            Value::Path(path) => Ok(Value::Path(path.then(PathStep::Field(name.text.clone())))),
            Value::Events(events) => self.member_of_events(events, name, scope),
            Value::Plain(fragment) => {
                let access = Writer::default().at(Level::Value, &fragment);
                let access = access.text(&format!("[{}]", literal(&name.text)));
                Ok(Value::from(access.finish(Level::Value, Type::Unknown)))
            }
        }
    }

    /// `x[0]`, `x["key"]` or `x[condition]`.
    pub(super) fn select(&self, inner: &Expr, inside: &Expr, scope: &Scope) -> Translated<Value> {
        let step = match &inside.node {
            Node::Integer(position) => match u32::try_from(*position) {
                Ok(position) if position < u32::MAX => PathStep::Index(position),
                _ => {
                    let message = "the position is too large";
                    return Err(Error::new(inside.place.clone(), "invalid_position", message));
                }
            },
            Node::Text(key) => PathStep::Key(key.clone()),
            _ => return self.filtered(inner, inside, scope),
        };
        match self.value(inner, scope)? {
            Value::Path(path) => Ok(Value::Path(path.then(step))),
            Value::Plain(fragment) => {
                let access = Writer::default().at(Level::Value, &fragment).text(&step.bracketed());
                Ok(Value::from(access.finish(Level::Value, Type::Unknown)))
            }
            Value::Events(_) => {
                let message = "events have no position";
                let error = Error::new(inside.place.clone(), "unsupported", message);
                Err(error.with_hint("Ask with `exists E from xEvent where …`."))
            }
        }
    }

    /// The SQL of a path.
    pub(super) fn path(&self, path: &Path, expr: &Expr) -> Translated {
        if path.root == Root::Profile && path.in_events {
            let message = "a condition on events cannot name a field of the profile";
            let error = Error::new(expr.place.clone(), "profile_in_events", message);
            return Err(error.with_hint(
                "Begin fields of the event with its variable (`E.eventType`); put conditions on \
                 the profile outside, joined with `and`.",
            ));
        }
        match path.sql() {
            Some(sql) => Ok(Fragment::value(sql, Type::Unknown)),
            None => {
                let (message, hint) = match path.root {
                    Root::Event => (
                        "an event as a whole has no value",
                        "Name one of its fields: `E.eventType`.",
                    ),
                    _ => (
                        "the profile as a whole has no value",
                        "Name one of its fields: `$1.person.birthYear`.",
                    ),
                };
                Err(Error::new(expr.place.clone(), "not_a_value", message).with_hint(hint))
            }
        }
    }
}
