//! `in_segment('luxury')`: a column that says who is a member of another segment.
//!
//! Whoever evaluates the expression adds that column to the records; see `terms`.

use arrow::datatypes::{DataType, Schema};
use plan::field::Step;
use plan::segment_reference::IN_SEGMENT;
use sqlparser::ast::{
    Expr, FunctionArg, FunctionArgExpr, FunctionArguments, Spanned, Value, ValueWithSpan,
};

use super::{ExpressionError, Positions};
use crate::path::Steps;

/// Begins the names of these columns; no rule can spell it as a function, and no dataset has it.
const COLUMN: &str = "segue:in_segment:";

/// The column for a segment as it is written in the expression.
pub(crate) fn column(written: &str) -> Steps {
    Steps(vec![Step::Field(format!("{COLUMN}{written}"))])
}

/// The segment, as written, that a column is about.
pub(crate) fn written(column: &Steps) -> Option<&str> {
    column.root().strip_prefix(COLUMN)
}

/// The type of a column of flat records.
pub(super) fn data_type(path: &Steps, schema: &Schema) -> DataType {
    match written(path) {
        Some(_) => DataType::Boolean,
        None => path.data_type(schema).unwrap_or(DataType::Null),
    }
}

/// The segment that a call names, if it is a call of this function.
pub(super) fn named(tree: &Expr, positions: &Positions) -> Result<Option<String>, ExpressionError> {
    let Expr::Function(function) = tree else { return Ok(None) };
    if !function.name.to_string().eq_ignore_ascii_case(IN_SEGMENT) {
        return Ok(None);
    }
    let is_plain = function.filter.is_none() && function.over.is_none();
    if let FunctionArguments::List(list) = &function.args
        && let [
            FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Value(ValueWithSpan {
                value: Value::SingleQuotedString(name),
                ..
            }))),
        ] = list.args.as_slice()
        && is_plain
        && list.duplicate_treatment.is_none()
        && list.clauses.is_empty()
    {
        return Ok(Some(name.clone()));
    }
    let message = "`in_segment` takes one text: the key, id or name of a segment";
    Err(positions
        .error(tree.span(), "wrong_argument", message)
        .with_hint("Write `in_segment('luxury')`."))
}
