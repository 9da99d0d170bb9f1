//! The SQL that the parser accepts in expressions, and an end to its patience.

use std::any::TypeId;
use std::sync::atomic::{AtomicUsize, Ordering};

use sqlparser::ast::Expr;
use sqlparser::dialect::{Dialect, GenericDialect};
use sqlparser::parser::{Parser, ParserError};

/// How many times the parser may begin an expression. It begins anew where it tries one reading
/// after the other, each with all that is nested inside: exponentially often, for texts that are
/// made to be.
const BEGINNINGS_MAX: usize = 100_000;

/// Standard SQL with the operators of PostgreSQL.
#[derive(Debug, Default)]
pub(super) struct ExpressionDialect {
    beginnings: AtomicUsize,
}

impl Dialect for ExpressionDialect {
    fn dialect(&self) -> TypeId {
        TypeId::of::<GenericDialect>()
    }

    fn is_identifier_start(&self, letter: char) -> bool {
        letter.is_alphabetic() || matches!(letter, '_' | '@')
    }

    fn is_identifier_part(&self, letter: char) -> bool {
        letter.is_alphanumeric() || matches!(letter, '_' | '@' | '$')
    }

    fn supports_nested_comments(&self) -> bool {
        true
    }

    fn supports_string_escape_constant(&self) -> bool {
        true
    }

    fn supports_filter_during_aggregation(&self) -> bool {
        true
    }

    /// `EXISTS (SELECT FROM orders)`
    fn supports_empty_projections(&self) -> bool {
        true
    }

    /// `v -> v.total > 10`
    fn supports_lambda_functions(&self) -> bool {
        true
    }

    fn parse_prefix(&self, _: &mut Parser<'_>) -> Option<Result<Expr, ParserError>> {
        // Unlike other errors this one makes the parser give up instead of trying something else.
        let beginnings = self.beginnings.fetch_add(1, Ordering::Relaxed);
        (beginnings >= BEGINNINGS_MAX).then_some(Err(ParserError::RecursionLimitExceeded))
    }
}
