//! Arguments that have to stand in the expression itself, or are looked at when they do.

use sqlparser::ast::{Expr, FunctionArg, FunctionArgExpr, Value, ValueWithSpan};
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

/// An argument that is a text as it stands.
fn text_of(argument: &FunctionArg) -> Option<&ValueWithSpan> {
    match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Value(value))) => Some(value),
        _ => None,
    }
}
