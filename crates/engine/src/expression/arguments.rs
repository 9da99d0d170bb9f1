//! Arguments that have to stand in the expression itself, or are looked at when they do.

use sqlparser::ast::{Array, Expr, FunctionArg, FunctionArgExpr, Spanned, Value, ValueWithSpan};
use sqlparser::tokenizer::Span;

use super::allow::{Allowed, Walk};
use super::{functions, scalar};

impl Walk<'_> {
    /// The length of a padded text is a number in the rule, so that no record can ask for more.
    pub(super) fn padding(&self, arguments: &[FunctionArg], span: Span) -> Allowed {
        let length = match arguments.get(1) {
            Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Value(value)))) => {
                match &value.value {
                    Value::Number(digits, _) => digits.parse::<u64>().ok(),
                    _ => None,
                }
            }
            _ => None,
        };
        if length.is_some_and(|length| length <= functions::PADDING_MAX) {
            return Ok(());
        }
        let max = functions::PADDING_MAX;
        Err(self.refuse(span, format!("the length has to be a number up to {max}")))
    }

    /// Texts that stand in the expression are looked at before any record is.
    pub(super) fn literals(&self, function: &str, arguments: &[FunctionArg]) -> Allowed {
        if function == "map" {
            self.keys_and_values(arguments)?;
        }
        let texts: Vec<Option<&ValueWithSpan>> = arguments.iter().map(text_of).collect();
        if functions::PATTERNS.contains(&function)
            && let Some(Some(pattern)) = texts.get(1)
        {
            return self.pattern(pattern);
        }
        for (position, text) in texts.into_iter().enumerate() {
            let Some(text) = text else { continue };
            let Value::SingleQuotedString(written) = &text.value else { continue };
            if let Some((message, hint)) = scalar::wrong_literal(function, position, written) {
                let error = self.positions.error(text.span, "wrong_argument", message);
                return Err(error.with_hint(hint));
            }
        }
        Ok(())
    }

    /// Keys that stand in the expression are there, differ from each other, and each has its value.
    fn keys_and_values(&self, arguments: &[FunctionArg]) -> Allowed {
        let wrong = |span: Span, message: String, hint: &str| {
            Err(self.positions.error(span, "wrong_argument", message).with_hint(hint))
        };
        let Some(keys) = arguments.first().and_then(list_of) else { return Ok(()) };
        let literals: Vec<&ValueWithSpan> = keys.elem.iter().filter_map(literal_of).collect();
        for (position, key) in literals.iter().enumerate() {
            if key.value == Value::Null {
                return wrong(
                    key.span,
                    "a key is missing".to_owned(),
                    "Leave it and its value out.",
                );
            }
            if literals[..position].iter().any(|before| before.value == key.value) {
                let message = "this key stands there twice".to_owned();
                return wrong(key.span, message, "Keys of a map differ from each other.");
            }
        }
        let Some(values) = arguments.get(1).and_then(list_of) else { return Ok(()) };
        let (keys, count) = (keys.elem.len(), values.elem.len());
        if keys == count {
            return Ok(());
        }
        let span = values.elem.first().map_or_else(Span::empty, Spanned::span);
        let message = format!("the numbers of keys and values differ: {keys} and {count}");
        wrong(span, message, "Write as many values as keys: `map(['a', 'b'], [x, y])`.")
    }

    /// A pattern that stands in the expression has to be one.
    pub(super) fn pattern(&self, literal: &ValueWithSpan) -> Allowed {
        let Value::SingleQuotedString(pattern) = &literal.value else { return Ok(()) };
        let compiled =
            regex::RegexBuilder::new(pattern).size_limit(functions::PATTERN_BYTES_MAX).build();
        match compiled {
            Ok(_) => Ok(()),
            Err(regex::Error::CompiledTooBig(_)) => {
                let message = "the pattern is too large";
                Err(self.positions.error(literal.span, "invalid_pattern", message))
            }
            Err(error) => {
                let text = error.to_string();
                let last = text.lines().last().unwrap_or_default();
                let message = format!("this is no pattern: {}", last.trim_start_matches("error: "));
                let error = self.positions.error(literal.span, "invalid_pattern", message);
                Err(error.with_hint("Look-around and back references are not available."))
            }
        }
    }
}

/// An argument that is a list as it stands.
fn list_of(argument: &FunctionArg) -> Option<&Array> {
    match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Array(list))) => Some(list),
        _ => None,
    }
}

fn literal_of(element: &Expr) -> Option<&ValueWithSpan> {
    match element {
        Expr::Value(value) => Some(value),
        _ => None,
    }
}

/// An argument that is a text as it stands.
fn text_of(argument: &FunctionArg) -> Option<&ValueWithSpan> {
    match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Value(value))) => Some(value),
        _ => None,
    }
}
