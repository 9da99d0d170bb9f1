//! What a name means at a place of a rule.

use std::ops::Range;
use std::rc::Rc;

use super::{Fragment, Translated, both};
use crate::pql::tree::{Expr, Name};
use crate::pql::{Error, names};

/// Something that an expression can be.
#[derive(Debug, Clone)]
pub(super) enum Value {
    Plain(Rc<Fragment>),
    Path(Path),
    Events(Events),
}

impl From<Fragment> for Value {
    fn from(fragment: Fragment) -> Self {
        Self::Plain(Rc::new(fragment))
    }
}

/// A way to a field.
#[derive(Debug, Clone)]
pub(super) struct Path {
    pub(super) root: Root,
    pub(super) steps: Vec<PathStep>,
    /// Whether it stands in a condition on events.
    pub(super) in_events: bool,
}

/// Where a path begins.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Root {
    Profile,
    /// The event that a condition is on.
    Event,
    /// An element of a list, by the name of its variable in SQL.
    Element(String),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum PathStep {
    Field(String),
    /// Counted from 0.
    Index(u32),
    Key(String),
}

impl PathStep {
    /// The step in brackets; positions count from 1 in SQL.
    pub(super) fn bracketed(&self) -> String {
        match self {
            Self::Field(name) | Self::Key(name) => format!("[{}]", super::literal(name)),
            Self::Index(position) => format!("[{}]", u64::from(*position) + 1),
        }
    }
}

impl Path {
    pub(super) fn new(root: Root, scope: &Scope) -> Self {
        Self { root, steps: Vec::new(), in_events: scope.in_events }
    }

    pub(super) fn then(mut self, step: PathStep) -> Self {
        self.steps.push(step);
        self
    }

    pub(super) fn is_profile(&self) -> bool {
        self.root == Root::Profile && self.steps.is_empty()
    }

    /// The name of the last field.
    pub(super) fn last_name(&self) -> Option<&str> {
        match self.steps.last() {
            Some(PathStep::Field(name)) => Some(name),
            _ => None,
        }
    }

    /// The path in SQL; nothing for the profile or an event as a whole.
    pub(super) fn sql(&self) -> Option<String> {
        let (mut sql, steps) = match (&self.root, self.steps.as_slice()) {
            (Root::Element(variable), steps) => (names::quoted(variable), steps),
            (_, [PathStep::Field(name) | PathStep::Key(name), steps @ ..]) => {
                (names::quoted(name), steps)
            }
            _ => return None,
        };
        for step in steps {
            match step {
                PathStep::Field(name) => sql.extend([".", &names::step(name)]),
                other => sql.push_str(&other.bracketed()),
            }
        }
        Some(sql)
    }
}

/// Events of a profile: all, or those of a condition.
#[derive(Debug, Clone, Default)]
pub(super) struct Events {
    pub(super) condition: Option<Rc<Fragment>>,
    /// What of each event is meant; the event when absent.
    pub(super) value: Option<Box<Value>>,
}

impl Events {
    /// Only those that fulfil one more condition.
    pub(super) fn with(&self, more: Option<&Fragment>) -> Self {
        let condition = match (&self.condition, more) {
            (None, None) => None,
            (Some(known), None) => Some(Rc::clone(known)),
            (None, Some(more)) => Some(Rc::new(more.clone())),
            (Some(known), Some(more)) => Some(Rc::new(both(known, more))),
        };
        Self { condition, value: self.value.clone() }
    }
}

/// The names that are known, and what bare names are fields of.
#[derive(Debug, Clone)]
pub(super) struct Scope {
    variables: Vec<(String, Value)>,
    implicit: Root,
    in_events: bool,
    in_lambda: bool,
}

impl Scope {
    /// The outermost scope; the profile may have a name.
    pub(super) fn of_profile(name: Option<&Name>) -> Self {
        let mut scope = Self {
            variables: Vec::new(),
            implicit: Root::Profile,
            in_events: false,
            in_lambda: false,
        };
        if let Some(name) = name {
            let profile = Value::Path(Path::new(Root::Profile, &scope));
            scope.variables.push((name.text.clone(), profile));
        }
        scope
    }

    pub(super) fn variable(&self, name: &str) -> Option<Value> {
        let found = self.variables.iter().rev().find(|(known, _)| known == name);
        let mut value = found.map(|(_, value)| value.clone())?;
        if let Value::Path(path) = &mut value {
            path.in_events = self.in_events;
        }
        Some(value)
    }

    /// The path to what bare names are fields of.
    pub(super) fn implicit(&self) -> Path {
        Path::new(self.implicit.clone(), self)
    }

    pub(super) fn with_value(&self, name: &Name, value: Value) -> Self {
        let mut scope = self.clone();
        scope.variables.push((name.text.clone(), value));
        scope
    }

    /// The scope of a condition on events. With `implicit`, bare names are fields of the event.
    pub(super) fn in_events(
        &self,
        events: &Expr,
        variable: Option<&Name>,
        implicit: bool,
    ) -> Translated<Self> {
        self.check_events(&events.place)?;
        let mut scope = Self { in_events: true, ..self.clone() };
        if implicit {
            scope.implicit = Root::Event;
        }
        if let Some(name) = variable {
            let event = Value::Path(Path::new(Root::Event, &scope));
            scope.variables.push((name.text.clone(), event));
        }
        Ok(scope)
    }

    /// The scope of a condition on the elements of a list.
    pub(super) fn in_element(&self, sql: &str, variable: Option<&Name>, implicit: bool) -> Self {
        let mut scope = Self { in_lambda: true, ..self.clone() };
        let root = Root::Element(sql.to_owned());
        if implicit {
            scope.implicit = root.clone();
        }
        if let Some(name) = variable {
            let element = Value::Path(Path::new(root, &scope));
            scope.variables.push((name.text.clone(), element));
        }
        scope
    }

    /// The names that variables have in SQL here.
    pub(super) fn elements(&self) -> impl Iterator<Item = &str> {
        let of_variables = self.variables.iter().filter_map(|(_, value)| match value {
            Value::Path(Path { root: Root::Element(sql), .. }) => Some(sql.as_str()),
            _ => None,
        });
        of_variables.chain(match &self.implicit {
            Root::Element(sql) => Some(sql.as_str()),
            _ => None,
        })
    }

    /// Events are looked up once for a profile, so not inside conditions on events or elements.
    pub(super) fn check_events(&self, place: &Range<usize>) -> Translated<()> {
        let message = match (self.in_events, self.in_lambda) {
            (true, _) => "a condition on events cannot ask for events again",
            (_, true) => "a condition on the elements of a list cannot ask for events",
            _ => return Ok(()),
        };
        let error = Error::new(place.clone(), "unsupported", message);
        Err(error.with_hint("Ask for both on their own, joined with `and`; events one behind the other are a `CHAIN`."))
    }
}
