//! Functions behind a dot.

use std::rc::Rc;

use super::functions::unknown;
use super::scope::{Events, PathStep, Scope, Value};
use super::{
    Translated, Translator, arrays, called, events, is_not_null, is_null, text, wrong_count,
};
use crate::pql::fragment::{Fragment, Level, Type, Writer};
use crate::pql::tree::{Comparison, Expr, Name, Node, Quantifier};
use crate::pql::{Error, names};

impl Translator<'_> {
    pub(super) fn method(
        &self,
        whole: &Expr,
        inner: &Expr,
        name: &Name,
        arguments: &[Expr],
        scope: &Scope,
    ) -> Translated<Value> {
        if !names::METHODS.contains(&name.text.as_str()) {
            return Err(unknown_method(name));
        }
        let wrong = |wanted| wrong_count(name, wanted, arguments.len(), &whole.place);
        check_count(&name.text, arguments.len()).map_err(wrong)?;
        match self.value(inner, scope)? {
            Value::Events(events) => self.of_events(events, inner, name, arguments, scope),
            value => match (name.text.as_str(), arguments, value) {
                ("get", [Expr { node: Node::Text(key), .. }], Value::Path(path)) => {
                    Ok(Value::Path(path.then(PathStep::Key(key.clone()))))
                }
                ("head", [], Value::Path(path)) => Ok(Value::Path(path.then(PathStep::Index(0)))),
                (_, _, value) => {
                    let singular = arrays::singular(&value);
                    let value = self.fragment(value, inner)?;
                    self.of_value(value, name, arguments, singular, scope).map(Value::from)
                }
            },
        }
    }

    fn of_value(
        &self,
        value: Fragment,
        name: &Name,
        arguments: &[Expr],
        singular: Option<String>,
        scope: &Scope,
    ) -> Translated {
        match (name.text.as_str(), arguments) {
            ("isNull", _) => Ok(is_null(&value)),
            ("isNotNull", _) => Ok(is_not_null(&value)),
            ("getMonth", _) => Ok(part("month", &value)),
            ("getYear", _) => Ok(part("year", &value)),
            ("getDayOfMonth", _) => Ok(part("day", &value)),
            ("keys", _) => Ok(called("map_keys", [&value], Type::List)),
            ("values", _) => Ok(called("map_values", [&value], Type::List)),
            ("get", [key]) => self.key(&value, key, scope),
            ("like", [pattern]) => {
                let pattern = self.plain(pattern, scope)?;
                let like = Writer::default().at(Level::Sum, &value).text(" LIKE ");
                Ok(like.at(Level::Sum, &pattern).finish(Level::Comparison, Type::Boolean))
            }
            ("matches", [pattern]) => {
                let sides = (value, self.plain(pattern, scope)?);
                Ok(text::test("regexp_like", &sides, false))
            }
            ("regexGroup", [pattern, group]) => self.regex_group(&value, pattern, group),
            ("in", [list]) => self.in_list(value, list, false, scope),
            ("notIn", [list]) => self.in_list(value, list, true, scope),
            (function, [other, case @ ..]) if is_of_text(function) => {
                let sides = self.sides(value, other, case.first(), scope)?;
                Ok(text_test(function, &sides))
            }
            _ => self.of_list(value, name, arguments, singular, scope),
        }
    }

    fn of_list(
        &self,
        list: Fragment,
        name: &Name,
        arguments: &[Expr],
        singular: Option<String>,
        scope: &Scope,
    ) -> Translated {
        let singular = singular.as_deref();
        match (name.text.as_str(), arguments) {
            ("exists" | "forall", [condition]) => {
                let (variable, condition) =
                    self.per_element(condition, scope, None, Self::condition)?;
                let quantifier = quantifier(&name.text);
                Ok(arrays::quantified(quantifier, &list, &variable, Some(&condition)))
            }
            ("exists", _) => Ok(super::non_empty(&list)),
            ("filter", [condition]) => {
                let (variable, condition) =
                    self.per_element(condition, scope, None, Self::condition)?;
                Ok(arrays::higher("array_filter", &list, &variable, &condition))
            }
            ("map", [value]) => {
                let (variable, value) = self.per_element(value, scope, None, Self::plain)?;
                Ok(arrays::higher("array_transform", &list, &variable, &value))
            }
            ("sum" | "average" | "min" | "max", [value]) => {
                let (variable, value) = self.per_element(value, scope, singular, Self::plain)?;
                let values = arrays::higher("array_transform", &list, &variable, &value);
                Ok(arrays::aggregate(&name.text, &values))
            }
            ("count" | "sum" | "average" | "min" | "max", _) => {
                Ok(arrays::aggregate(&name.text, &list))
            }
            ("topN", [key, amount]) => self.top("array_top", &list, key, amount, scope),
            ("bottomN", [key, amount]) => self.top("array_bottom", &list, key, amount, scope),
            ("head", _) => {
                let first = Writer::default().at(Level::Value, &list).text("[1]");
                Ok(first.finish(Level::Value, Type::Unknown))
            }
            ("distinct", _) => Ok(called("array_distinct", [&list], Type::List)),
            ("includes", [item]) => Ok(arrays::includes(&list, &self.plain(item, scope)?)),
            (function, [other]) => {
                let other = self.plain(other, scope)?;
                Ok(match function {
                    "intersects" => called("array_has_any", [&list, &other], Type::Boolean),
                    "intersection" => called("array_intersect", [&list, &other], Type::List),
                    "subsetOf" => called("array_has_all", [&other, &list], Type::Boolean),
                    "supersetOf" => called("array_has_all", [&list, &other], Type::Boolean),
                    _ => return Err(unknown_method(name)),
                })
            }
            _ => Err(unknown_method(name)),
        }
    }

    /// What can be asked of events.
    fn of_events(
        &self,
        events: Events,
        inner: &Expr,
        name: &Name,
        arguments: &[Expr],
        scope: &Scope,
    ) -> Translated<Value> {
        let each = |argument: &Expr, read: fn(&Self, &Expr, &Scope) -> Translated| {
            let (variable, body) = match &argument.node {
                Node::Lambda(name, body) => (Some(name), body.as_ref()),
                _ => (None, argument),
            };
            read(self, body, &scope.in_events(inner, variable, true)?)
        };
        match (name.text.as_str(), arguments) {
            ("exists" | "forall", [condition]) => {
                let condition = each(condition, Self::condition)?;
                let quantifier = quantifier(&name.text);
                events::quantified(quantifier, &events, Some(&condition)).map(Value::from)
            }
            ("exists" | "isNotNull", _) => Ok(Value::from(events::exists(&events))),
            ("isNull", _) => Ok(Value::from(super::negated(&events::exists(&events)))),
            ("filter", [condition]) => {
                let condition = each(condition, Self::condition)?;
                Ok(Value::Events(events.with(Some(&condition))))
            }
            ("map", [value]) if events.value.is_none() => {
                let value = Value::from(each(value, Self::plain)?);
                Ok(Value::Events(Events { value: Some(Box::new(value)), ..events }))
            }
            ("count" | "sum" | "average" | "min" | "max", []) => {
                self.aggregate_events(name, &events).map(Value::from)
            }
            ("sum" | "average" | "min" | "max", [value]) if events.value.is_none() => {
                let value = Some(Box::new(Value::from(each(value, Self::plain)?)));
                self.aggregate_events(name, &Events { value, ..events }).map(Value::from)
            }
            ("includes", [item]) if events.value.is_some() => {
                let item = self.plain(item, scope)?;
                let value = events.value.clone().expect("the guard looked");
                let value = self.fragment(*value, inner)?;
                let equal = arrays::equal(&value, &item);
                Ok(Value::from(events::exists(&events.with(Some(&equal)))))
            }
            _ => {
                let message = format!("`{}` is not available for events", name.text);
                let error = Error::new(name.place.clone(), "unsupported", message);
                Err(error.with_hint(
                    "Of events there are `count`, `sum`, `average`, `min`, `max`, `exists`, \
                     `filter` and `CHAIN`.",
                ))
            }
        }
    }

    /// `x[condition]`
    pub(super) fn filtered(
        &self,
        inner: &Expr,
        condition: &Expr,
        scope: &Scope,
    ) -> Translated<Value> {
        match self.value(inner, scope)? {
            Value::Events(events) => {
                let scope = scope.in_events(inner, None, true)?;
                let condition = self.condition(condition, &scope)?;
                Ok(Value::Events(events.with(Some(&condition))))
            }
            list => {
                let list = self.fragment(list, inner)?;
                let (variable, condition) =
                    self.per_element(condition, scope, None, Self::condition)?;
                Ok(Value::from(arrays::higher("array_filter", &list, &variable, &condition)))
            }
        }
    }

    fn key(&self, map: &Fragment, key: &Expr, scope: &Scope) -> Translated {
        let key = self.plain(key, scope)?;
        let access = Writer::default().at(Level::Value, map).text("[").plain(&key).text("]");
        Ok(access.finish(Level::Value, Type::Unknown))
    }

    /// `x.in([…])`, which is `x in […]`.
    fn in_list(&self, value: Fragment, list: &Expr, negated: bool, scope: &Scope) -> Translated {
        let place = list.place.clone();
        let name = Name { text: String::from("\u{1}"), place: place.clone() };
        let scope = scope.with_value(&name, Value::Plain(Rc::new(value)));
        self.is_in(&Expr { node: Node::Name(name.text), place }, list, negated, &scope)
    }
}

fn quantifier(name: &str) -> Quantifier {
    if name == "forall" { Quantifier::ForAll } else { Quantifier::Exists }
}

fn part(part: &str, value: &Fragment) -> Fragment {
    let call = Writer::new("date_part('").text(part).text("', ").plain(value).text(")");
    call.finish(Level::Value, Type::Number).with_nulls(value.nullable)
}

fn is_of_text(function: &str) -> bool {
    matches!(
        function,
        "startsWith"
            | "doesNotStartWith"
            | "endsWith"
            | "doesNotEndWith"
            | "contains"
            | "doesNotContain"
            | "equals"
            | "notEqualTo"
    )
}

fn text_test(function: &str, sides: &(Fragment, Fragment)) -> Fragment {
    match function {
        "startsWith" => text::test("starts_with", sides, false),
        "doesNotStartWith" => text::test("starts_with", sides, true),
        "endsWith" => text::test("ends_with", sides, false),
        "doesNotEndWith" => text::test("ends_with", sides, true),
        "contains" => text::test("contains", sides, false),
        "doesNotContain" => text::test("contains", sides, true),
        "notEqualTo" => text::equal(sides, Comparison::NotEqual),
        _ => text::equal(sides, Comparison::Equal),
    }
}

/// How many arguments a function takes, in words when it is the wrong number.
fn check_count(function: &str, found: usize) -> Result<(), &'static str> {
    let (range, words) = match function {
        "topN" | "bottomN" | "regexGroup" => (2..=2, "2 arguments"),
        function if is_of_text(function) => (1..=2, "1 or 2 arguments"),
        "exists" | "sum" | "average" | "min" | "max" => (0..=1, "at most 1 argument"),
        "count" | "distinct" | "head" | "isNull" | "isNotNull" | "keys" | "values" | "getMonth"
        | "getYear" | "getDayOfMonth" => (0..=0, "no arguments"),
        _ => (1..=1, "1 argument"),
    };
    if range.contains(&found) { Ok(()) } else { Err(words) }
}

fn unknown_method(name: &Name) -> Error {
    unknown(name, &names::METHODS, &names::FUNCTIONS, || {
        format!("It stands alone: `{}(…)`.", name.text)
    })
}
