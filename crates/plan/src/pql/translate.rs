//! From the tree to SQL.
//!
//! PQL has no null of its own: what cannot be compared is not so. In SQL that is null, which makes
//! no member either, so conditions are written plainly, and only where a condition is negated is
//! null made false first.

mod arrays;
mod chain;
mod domains;
mod events;
mod functions;
mod methods;
mod paths;
mod scope;
mod text;
mod time;

use std::collections::HashSet;
use std::ops::Range;
use std::rc::Rc;

use self::scope::{Path, Root, Scope, Value};
use super::fragment::{Fragment, Level, Type, Writer, literal};
use super::lexer::{Kind, Token};
use super::tree::{Comparison, Expr, Name, Node, Query};
use super::{Error, SegmentName, TEXT_BYTES_MAX, Translation};

type Translated<T = Fragment> = Result<T, Error>;

/// Translates a whole rule.
pub(super) fn rule(
    query: &Query,
    tokens: &[Token],
    segments: &[SegmentName],
) -> Result<Translation, Error> {
    let translator = Translator { segments, names: names_in(tokens), steps: steps_in(tokens) };
    let scope = Scope::of_profile(query.profile.as_ref());
    let rule = translator.condition(&query.body, &scope)?;
    let (sql, map) = rule.into_parts();
    Ok(Translation { sql, map })
}

/// All names of a rule; a variable that is made up must not be one of them.
fn names_in(tokens: &[Token]) -> HashSet<String> {
    tokens.iter().filter_map(name_of).map(str::to_owned).collect()
}

/// The names behind dots; a variable of the rule must not hide one of them.
fn steps_in(tokens: &[Token]) -> HashSet<String> {
    let pairs = tokens.iter().zip(tokens.iter().skip(1));
    let behind_dots = pairs.filter(|(before, _)| before.kind == Kind::Sign("."));
    behind_dots.filter_map(|(_, token)| name_of(token)).map(str::to_owned).collect()
}

fn name_of(token: &Token) -> Option<&str> {
    match &token.kind {
        Kind::Word(name) | Kind::Quoted(name) => Some(name),
        _ => None,
    }
}

struct Translator<'a> {
    segments: &'a [SegmentName],
    names: HashSet<String>,
    steps: HashSet<String>,
}

impl Translator<'_> {
    /// A condition: true, false or unknown.
    fn condition(&self, expr: &Expr, scope: &Scope) -> Translated {
        let value = self.value(expr, scope)?;
        let is_selection = matches!(expr.node, Node::Selection(..));
        let fragment = match value {
            Value::Events(events) => return self.exist(&events, expr),
            value => self.fragment(value, expr)?,
        };
        match fragment.result {
            Type::Boolean | Type::Unknown | Type::Null => Ok(fragment),
            Type::List if is_selection => Ok(non_empty(&fragment).from(&expr.place)),
            other => {
                let message = format!("a condition is expected here, this is {}", word_for(other));
                let error = Error::new(expr.place.clone(), "not_boolean", message);
                Err(error.with_hint("Compare it with a value: `loyalty.points >= 1000`."))
            }
        }
    }

    /// A value that SQL has.
    fn plain(&self, expr: &Expr, scope: &Scope) -> Translated {
        let value = self.value(expr, scope)?;
        self.fragment(value, expr)
    }

    fn fragment(&self, value: Value, expr: &Expr) -> Translated {
        match value {
            Value::Plain(fragment) => Ok(Rc::unwrap_or_clone(fragment)),
            Value::Path(path) => Ok(self.path(&path, expr)?.from(&expr.place)),
            Value::Events(_) => {
                let message = "events cannot be used as a value";
                let error = Error::new(expr.place.clone(), "unsupported", message);
                Err(error
                    .with_hint("Count them, add up a field of them, or ask whether one exists."))
            }
        }
    }

    /// Anything; every piece of SQL remembers where it came from.
    fn value(&self, expr: &Expr, scope: &Scope) -> Translated<Value> {
        let value = match &expr.node {
            Node::Name(name) => self.name(name, expr, scope)?,
            Node::Profile => Value::Path(Path::new(Root::Profile, scope)),
            Node::Member(inner, name) => self.member(inner, name, scope)?,
            Node::Select(inner, inside) => self.select(inner, inside, scope)?,
            Node::Method(inner, name, arguments) => {
                self.method(expr, inner, name, arguments, scope)?
            }
            Node::Selection(value, domain) => self.selection(value, domain, scope)?,
            Node::Let(name, value, body) => {
                let value = self.value(value, scope)?;
                self.value(body, &scope.with_value(name, value))?
            }
            _ => Value::from(self.operation(expr, scope)?),
        };
        let Value::Plain(fragment) = value else { return Ok(value) };
        if fragment.sql.len() > TEXT_BYTES_MAX {
            return Err(too_long(&expr.place));
        }
        Ok(Value::from(Rc::unwrap_or_clone(fragment).from(&expr.place)))
    }

    /// What is a value of SQL in any case.
    fn operation(&self, expr: &Expr, scope: &Scope) -> Translated {
        let place = &expr.place;
        Ok(match &expr.node {
            Node::Text(text) => Fragment::value(literal(text), Type::Text).always(),
            Node::Integer(number) => Fragment::value(number.to_string(), Type::Number).always(),
            Node::Decimal(number) => Fragment::value(number, Type::Number).always(),
            Node::Boolean(true) => Fragment::value("TRUE", Type::Boolean).always(),
            Node::Boolean(false) => Fragment::value("FALSE", Type::Boolean).always(),
            Node::Null => Fragment::value("NULL", Type::Null),
            Node::Date(date) => Fragment::value(format!("DATE '{date}'"), Type::Time).always(),
            Node::Moment(moment) => time::start(*moment, place)?,
            Node::List(items) => self.list(items, place, scope)?,
            Node::Not(inner) => negated(&self.condition(inner, scope)?),
            Node::All(operands) => self.joined(operands, " AND ", Level::And, scope)?,
            Node::Any(operands) => self.joined(operands, " OR ", Level::Or, scope)?,
            Node::Compare(comparison, left, right) => {
                self.compare(*comparison, left, right, scope)?
            }
            Node::Arithmetic(first, rest) => self.arithmetic(first, rest, scope)?,
            Node::Negative(inner) => self.negative(inner, scope)?,
            Node::In { value, list, negated } => self.is_in(value, list, *negated, scope)?,
            Node::Like(value, pattern) => {
                let (value, pattern) = (self.plain(value, scope)?, self.plain(pattern, scope)?);
                let level = Level::Sum;
                Writer::default()
                    .at(level, &value)
                    .text(" LIKE ")
                    .at(level, &pattern)
                    .finish(Level::Comparison, Type::Boolean)
            }
            Node::Call(name, arguments) => self.call(name, arguments, place, scope)?,
            Node::Quantifier(quantifier, domains) => {
                self.quantifier(*quantifier, domains, scope)?
            }
            Node::Over(name, value, domain) => self.over(name, value, domain, scope)?,
            Node::Lambda(_, body) => {
                let message = "a function stands only as the argument of another";
                let error = Error::new(place.start..body.place.start, "syntax_error", message);
                return Err(
                    error.with_hint("Write for example `orders.filter(O => O.total > 10)`.")
                );
            }
            Node::Occurs(value, occurs) => {
                let value = self.plain(value, scope)?;
                self.occurs(&value, occurs, scope)?
            }
            Node::Chain(chain) => self.chain(chain, place, scope)?,
            Node::Name(_)
            | Node::Profile
            | Node::Member(..)
            | Node::Select(..)
            | Node::Method(..)
            | Node::Selection(..)
            | Node::Let(..) => unreachable!("`value` sees to these"),
        })
    }

    fn list(&self, items: &[Expr], place: &Range<usize>, scope: &Scope) -> Translated {
        if items.is_empty() {
            let message = "an empty list has no meaning here";
            return Err(Error::new(place.clone(), "empty_list", message));
        }
        let items = self.all_plain(items, scope)?;
        let list = Writer::new("[").list(", ", Level::Or, &items).text("]");
        Ok(list.finish(Level::Value, Type::List).always())
    }

    fn all_plain(&self, items: &[Expr], scope: &Scope) -> Translated<Vec<Fragment>> {
        self.all(items, |item| self.plain(item, scope))
    }

    /// Translates several; a value with a name may be long, and be named often.
    fn all(
        &self,
        items: &[Expr],
        translate: impl Fn(&Expr) -> Translated,
    ) -> Translated<Vec<Fragment>> {
        let mut all = Vec::with_capacity(items.len());
        let mut length = 0;
        for item in items {
            let fragment = translate(item)?;
            length += fragment.sql.len();
            if length > TEXT_BYTES_MAX {
                return Err(too_long(&item.place));
            }
            all.push(fragment);
        }
        Ok(all)
    }

    fn joined(&self, operands: &[Expr], word: &str, level: Level, scope: &Scope) -> Translated {
        let operands = self.all(operands, |operand| self.condition(operand, scope))?;
        let nullable = operands.iter().any(|operand| operand.nullable);
        let joined = Writer::default().list(word, level, &operands).finish(level, Type::Boolean);
        Ok(joined.with_nulls(nullable))
    }

    fn compare(
        &self,
        comparison: Comparison,
        left: &Expr,
        right: &Expr,
        scope: &Scope,
    ) -> Translated {
        let (left, right) = (self.plain(left, scope)?, self.plain(right, scope)?);
        let against_null = match (left.result, right.result) {
            (_, Type::Null) => Some(&left),
            (Type::Null, _) => Some(&right),
            _ => None,
        };
        match (comparison, against_null) {
            (Comparison::Equal, Some(value)) => Ok(is_null(value)),
            (Comparison::NotEqual, Some(value)) => Ok(is_not_null(value)),
            _ => Ok(compared(&left, comparison, &right)),
        }
    }

    fn arithmetic(&self, first: &Expr, rest: &[(&'static str, Expr)], scope: &Scope) -> Translated {
        let is_sum = matches!(rest.first(), Some(("+" | "-", _)));
        // What follows an operator binds tighter than the operator: `a - (b - c)`.
        let (level, inner) =
            if is_sum { (Level::Sum, Level::Product) } else { (Level::Product, Level::Value) };
        let mut chain = Writer::default().at(level, &self.plain(first, scope)?);
        for (operator, operand) in rest {
            let operand = self.plain(operand, scope)?;
            chain = chain.text(&format!(" {operator} ")).at(inner, &operand);
        }
        Ok(chain.finish(level, Type::Number))
    }

    fn negative(&self, inner: &Expr, scope: &Scope) -> Translated {
        let operand = self.plain(inner, scope)?;
        // Two signs in a row would begin a comment.
        let is_number = matches!(inner.node, Node::Integer(_) | Node::Decimal(_));
        let level = if is_number { Level::Value } else { Level::Product };
        let writer = match operand.sql.starts_with('-') {
            true => Writer::new("-(").plain(&operand).text(")"),
            false => Writer::new("-").at(Level::Value, &operand),
        };
        Ok(writer.finish(level, Type::Number).with_nulls(operand.nullable))
    }
}

fn too_long(place: &Range<usize>) -> Error {
    let message = format!("the rule becomes more than {TEXT_BYTES_MAX} bytes of SQL");
    Error::new(place.clone(), "too_long", message).with_hint("Split the segment.")
}

fn word_for(result: Type) -> &'static str {
    match result {
        Type::Boolean => "a condition",
        Type::Number => "a number",
        Type::Text => "a text",
        Type::Time => "a time",
        Type::List => "a list",
        Type::Null | Type::Unknown => "a value",
    }
}

/// `NOT x`; what is unknown is not so, and its negation is.
fn negated(condition: &Fragment) -> Fragment {
    let writer = match condition.nullable {
        true => Writer::new("NOT coalesce(").plain(condition).text(", FALSE)"),
        false => Writer::new("NOT ").at(Level::Comparison, condition),
    };
    writer.finish(Level::Not, Type::Boolean).always()
}

fn both(left: &Fragment, right: &Fragment) -> Fragment {
    let nullable = left.nullable || right.nullable;
    let both = Writer::default().list(" AND ", Level::And, [left, right]);
    both.finish(Level::And, Type::Boolean).with_nulls(nullable)
}

fn compared(left: &Fragment, comparison: Comparison, right: &Fragment) -> Fragment {
    let written = Writer::default()
        .at(Level::Sum, left)
        .text(&format!(" {} ", comparison.sql()))
        .at(Level::Sum, right)
        .finish(Level::Comparison, Type::Boolean);
    written.with_nulls(left.nullable || right.nullable)
}

fn is_null(value: &Fragment) -> Fragment {
    let test = Writer::default().at(Level::Sum, value).text(" IS NULL");
    test.finish(Level::Comparison, Type::Boolean).always()
}

fn is_not_null(value: &Fragment) -> Fragment {
    let test = Writer::default().at(Level::Sum, value).text(" IS NOT NULL");
    test.finish(Level::Comparison, Type::Boolean).always()
}

fn non_empty(list: &Fragment) -> Fragment {
    let test = Writer::new("coalesce(cardinality(").plain(list).text("), 0) > 0");
    test.finish(Level::Comparison, Type::Boolean).always()
}

/// `f(a, b)`
fn called<'f>(
    function: &str,
    arguments: impl IntoIterator<Item = &'f Fragment>,
    result: Type,
) -> Fragment {
    let call = Writer::new(function).text("(").list(", ", Level::Or, arguments).text(")");
    call.finish(Level::Value, result)
}

fn wrong_count(name: &Name, wanted: &str, found: usize, place: &Range<usize>) -> Error {
    let message = format!("`{}` takes {wanted}, found {found}", name.text);
    Error::new(place.clone(), "wrong_argument", message)
}
