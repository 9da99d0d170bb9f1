//! Lists of the profile.

use super::scope::{Scope, Value};
use super::{Translated, Translator, called, compared, is_not_null, negated, non_empty};
use crate::pql::Error;
use crate::pql::fragment::{Fragment, Level, Type, Writer};
use crate::pql::names;
use crate::pql::tree::{Comparison, Expr, Name, Node, Quantifier};

/// What an element is called that a rule gives no name.
const ELEMENT: &str = "item";

impl Translator<'_> {
    /// A name in SQL for the elements of a list, and the scope of a condition on them.
    pub(super) fn element(
        &self,
        scope: &Scope,
        variable: Option<&Name>,
        implicit: bool,
    ) -> (String, Scope) {
        let wanted = variable.map_or(ELEMENT, |name| name.text.as_str());
        // A variable of SQL hides a field of the same name, so no field of the rule has it.
        let is_free = |name: &str| {
            let is_given = variable.is_some_and(|given| given.text == name);
            let hides = if is_given { &self.steps } else { &self.names };
            !hides.contains(name) && !scope.elements().any(|known| known == name)
        };
        let mut name = wanted.to_owned();
        let mut number = 1;
        while !is_free(&name) {
            number += 1;
            name = format!("{wanted}_{number}");
        }
        let inner = scope.in_element(&name, variable, implicit);
        (name, inner)
    }

    /// An argument that is evaluated for each element: the variable and the value.
    pub(super) fn per_element(
        &self,
        argument: &Expr,
        scope: &Scope,
        singular: Option<&str>,
        read: impl Fn(&Self, &Expr, &Scope) -> Translated,
    ) -> Translated<(String, Fragment)> {
        if let Node::Lambda(name, body) = &argument.node {
            let (variable, inner) = self.element(scope, Some(name), true);
            return Ok((variable, read(self, body, &inner)?));
        }
        let (variable, mut inner) = self.element(scope, None, true);
        if let Some(singular) = singular {
            let name = Name { text: singular.to_owned(), place: argument.place.clone() };
            inner = scope.in_element(&variable, Some(&name), true);
        }
        Ok((variable.clone(), read(self, argument, &inner)?))
    }

    /// `x in list`, `x notIn list`: the second also asks for both to be there.
    pub(super) fn is_in(
        &self,
        value: &Expr,
        list: &Expr,
        negated_in: bool,
        scope: &Scope,
    ) -> Translated {
        let value = self.plain(value, scope)?;
        let Node::List(items) = &list.node else {
            return self.is_in_field(&value, list, negated_in, scope);
        };
        let items = self.all_plain(items, scope)?;
        let nullable = value.nullable || items.iter().any(|item| item.nullable);
        match (items.is_empty(), negated_in) {
            (true, false) => return Ok(Fragment::value("FALSE", Type::Boolean).always()),
            (true, true) => return Ok(is_not_null(&value)),
            _ => {}
        }
        let word = if negated_in { " NOT IN (" } else { " IN (" };
        let list = Writer::default().at(Level::Sum, &value).text(word);
        let test = list.list(", ", Level::Or, &items).text(")");
        Ok(test.finish(Level::Comparison, Type::Boolean).with_nulls(nullable))
    }

    fn is_in_field(
        &self,
        value: &Fragment,
        list: &Expr,
        negated_in: bool,
        scope: &Scope,
    ) -> Translated {
        let list = self.plain(list, scope)?;
        let has = called("array_has", [&list, value], Type::Boolean);
        if !negated_in {
            return Ok(has);
        }
        let there = [is_not_null(value), is_not_null(&list), negated(&has)];
        let all = Writer::default().list(" AND ", Level::And, &there);
        Ok(all.finish(Level::And, Type::Boolean).always())
    }

    /// `orders.topN(price, 5)`: the elements with the largest values, the largest first.
    pub(super) fn top(
        &self,
        function: &str,
        list: &Fragment,
        key: &Expr,
        amount: &Expr,
        scope: &Scope,
    ) -> Translated {
        let Node::Integer(count) = amount.node else {
            let message = "the number of elements is not a whole number";
            return Err(Error::new(amount.place.clone(), "wrong_argument", message));
        };
        let (variable, key) = self.per_element(key, scope, None, Self::plain)?;
        let keys = higher("array_transform", list, &variable, &key);
        let count = Fragment::value(count.to_string(), Type::Number);
        Ok(called(function, [list, &keys, &count], Type::List))
    }
}

/// `f(list, v -> body)`
pub(super) fn higher(function: &str, list: &Fragment, variable: &str, body: &Fragment) -> Fragment {
    let result = if function == "array_any_match" { Type::Boolean } else { Type::List };
    let call = Writer::new(function).text("(").plain(list);
    let call = call.text(&format!(", {} -> ", names::quoted(variable))).plain(body).text(")");
    call.finish(Level::Value, result)
}

/// `exists` and `forall` over a list.
pub(super) fn quantified(
    quantifier: Quantifier,
    list: &Fragment,
    variable: &str,
    condition: Option<&Fragment>,
) -> Fragment {
    match (quantifier, condition) {
        (Quantifier::Exists, Some(condition)) => {
            higher("array_any_match", list, variable, condition)
        }
        (Quantifier::Exists, None) => non_empty(list),
        (Quantifier::ForAll, Some(condition)) => {
            let any = higher("array_any_match", list, variable, &negated(condition));
            Writer::new("NOT ").plain(&any).finish(Level::Not, Type::Boolean)
        }
        (Quantifier::ForAll, None) => Fragment::value("TRUE", Type::Boolean).always(),
    }
}

/// One value of all elements.
pub(super) fn aggregate(function: &str, list: &Fragment) -> Fragment {
    let sql = match function.to_ascii_lowercase().as_str() {
        "count" => {
            let count = Writer::new("coalesce(cardinality(").plain(list).text("), 0)");
            return count.finish(Level::Value, Type::Number).always();
        }
        "sum" => "array_sum",
        "average" => "array_avg",
        "min" => "array_min",
        _ => "array_max",
    };
    called(sql, [list], Type::Unknown)
}

/// `x.includes(y)` for a list.
pub(super) fn includes(list: &Fragment, item: &Fragment) -> Fragment {
    called("array_has", [list, item], Type::Boolean)
}

/// `a = b`
pub(super) fn equal(left: &Fragment, right: &Fragment) -> Fragment {
    compared(left, Comparison::Equal, right)
}

/// The name of one element of a list: `order` of `orders`.
pub(super) fn singular(list: &Value) -> Option<String> {
    let Value::Path(path) = list else { return None };
    path.last_name()?.strip_suffix('s').filter(|name| !name.is_empty()).map(str::to_owned)
}
