//! Functions of texts. Whether case matters is told by a last argument, which is true or false as
//! it stands.

use super::scope::Scope;
use super::{Translated, Translator, called, compared};
use crate::pql::Error;
use crate::pql::fragment::{Fragment, Level, Type, Writer, literal};
use crate::pql::tree::{Comparison, Expr, Node};

impl Translator<'_> {
    /// Both sides of a comparison of texts, in small letters if case does not matter.
    pub(super) fn sides(
        &self,
        value: Fragment,
        other: &Expr,
        case: Option<&Expr>,
        scope: &Scope,
    ) -> Translated<(Fragment, Fragment)> {
        let is_sensitive = match case.map(|case| (&case.node, &case.place)) {
            None | Some((Node::Boolean(true), _)) => true,
            Some((Node::Boolean(false), _)) => false,
            Some((_, place)) => {
                let message = "whether case matters is `true` or `false`";
                return Err(Error::new(place.clone(), "wrong_argument", message));
            }
        };
        if is_sensitive {
            return Ok((value, self.plain(other, scope)?));
        }
        let other = match &other.node {
            Node::Text(text) => {
                let folded = Fragment::value(literal(&text.to_lowercase()), Type::Text).always();
                folded.from(&other.place)
            }
            _ => lower(&self.plain(other, scope)?),
        };
        Ok((lower(&value), other))
    }

    /// `x.regexGroup("@(\w+)", 1)`: what a group of the first match holds.
    pub(super) fn regex_group(&self, value: &Fragment, pattern: &Expr, group: &Expr) -> Translated {
        let Node::Text(pattern_text) = &pattern.node else {
            let message = "the pattern is not a text";
            return Err(Error::new(pattern.place.clone(), "wrong_argument", message));
        };
        let Node::Integer(number @ 0..=100) = group.node else {
            let message = "the group is not a number from 0 to 100";
            return Err(Error::new(group.place.clone(), "wrong_argument", message));
        };
        // Group 0 is the whole match, so it becomes the first one.
        let (pattern_text, position) = match number {
            0 => (format!("({pattern_text})"), 1),
            _ => (pattern_text.clone(), number),
        };
        let written = Fragment::value(literal(&pattern_text), Type::Text).from(&pattern.place);
        let groups = called("regexp_match", [value, &written], Type::List);
        let one = Writer::default().plain(&groups).text(&format!("[{position}]"));
        Ok(one.finish(Level::Value, Type::Text))
    }
}

fn lower(value: &Fragment) -> Fragment {
    called("lower", [value], Type::Text).with_nulls(value.nullable)
}

/// `f(value, other)`, or that it is not so where both are there.
pub(super) fn test(function: &str, sides: &(Fragment, Fragment), negated: bool) -> Fragment {
    let call = called(function, [&sides.0, &sides.1], Type::Boolean);
    let nullable = sides.0.nullable || sides.1.nullable;
    let call = call.with_nulls(nullable);
    if !negated {
        return call;
    }
    let not = Writer::new("NOT ").plain(&call).finish(Level::Not, Type::Boolean);
    not.with_nulls(nullable)
}

/// `value = other` or `value <> other`
pub(super) fn equal(sides: &(Fragment, Fragment), comparison: Comparison) -> Fragment {
    compared(&sides.0, comparison, &sides.1)
}
