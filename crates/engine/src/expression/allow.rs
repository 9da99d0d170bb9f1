//! Which shapes of expressions pass, and which fields they name.
//!
//! The walk changes the tree: each field gets one flat name, and each chain of `AND`
//! or `OR` becomes a balanced tree. What is not listed here is refused.

use plan::schema::{PATHS_SEARCHED_MAX, Schema};
use sqlparser::ast::{
    AccessExpr, BinaryOperator, CaseWhen, CeilFloorKind, DateTimeField, Expr, Function,
    FunctionArg, FunctionArgExpr, FunctionArguments, Ident, ObjectName, Spanned, Subscript,
    UnaryOperator, Value,
};
use sqlparser::tokenizer::Span;

use super::lambda::{self, Variable};
use super::paths::Paths;
use super::{DEPTH_MAX, ExpressionError, Positions, functions, vocabulary};
use crate::path::Steps;

pub(super) type Allowed = Result<(), ExpressionError>;

/// Checks and rewrites a tree; returns the fields that it names, each once.
pub(super) fn check(
    tree: &mut Expr,
    schema: &Schema,
    paths: &Paths,
    positions: &Positions,
) -> Result<Vec<Steps>, ExpressionError> {
    let (fields, variables) = (Vec::new(), Vec::new());
    let mut walk = Walk { schema, paths, positions, fields, variables };
    walk.expression(tree, 0)?;
    Ok(walk.fields)
}

pub(super) struct Walk<'a> {
    pub(super) schema: &'a Schema,
    pub(super) paths: &'a Paths,
    pub(super) positions: &'a Positions,
    fields: Vec<Steps>,
    /// The elements of lists that are named here, the innermost last.
    pub(super) variables: Vec<Variable>,
}

impl Walk<'_> {
    pub(super) fn expression(&mut self, tree: &mut Expr, depth: usize) -> Allowed {
        if depth > DEPTH_MAX {
            let message = format!("the expression is more than {DEPTH_MAX} operations deep");
            return Err(self
                .positions
                .error(tree.span(), "too_deep", message)
                .with_hint("Only chains of `AND` and of `OR` may be long."));
        }
        match tree {
            Expr::Identifier(_) => self.field(tree),
            Expr::CompoundFieldAccess { root, access_chain } => {
                self.expression(root, depth + 1)?;
                self.subscripts(access_chain, depth)
            }
            Expr::BinaryOp { op: BinaryOperator::And | BinaryOperator::Or, .. } => {
                self.chain(tree, depth)
            }
            Expr::Function(_) => self.call(tree, depth),
            Expr::Value(value) => match &value.value {
                Value::Placeholder(_) => {
                    Err(self.refuse(value.span, "placeholders have no meaning here"))
                }
                _ => Ok(()),
            },
            Expr::TypedString(_) => Ok(()),
            other => self.operation(other, depth + 1),
        }
    }

    /// Shapes that are allowed when their parts are.
    fn operation(&mut self, tree: &mut Expr, depth: usize) -> Allowed {
        let span = tree.span();
        match tree {
            Expr::Nested(expr)
            | Expr::IsTrue(expr)
            | Expr::IsNotTrue(expr)
            | Expr::IsFalse(expr)
            | Expr::IsNotFalse(expr)
            | Expr::IsNull(expr)
            | Expr::IsNotNull(expr)
            | Expr::IsUnknown(expr)
            | Expr::IsNotUnknown(expr)
            | Expr::UnaryOp {
                op: UnaryOperator::Plus | UnaryOperator::Minus | UnaryOperator::Not,
                expr,
            }
            | Expr::Extract { expr, .. }
            | Expr::Ceil { expr, field: CeilFloorKind::DateTimeField(DateTimeField::NoDateTime) }
            | Expr::Floor {
                expr,
                field: CeilFloorKind::DateTimeField(DateTimeField::NoDateTime),
            }
            | Expr::Cast { expr, format: None, array: false, .. } => self.expression(expr, depth),
            Expr::Interval(interval) => self.expression(&mut interval.value, depth),
            Expr::IsDistinctFrom(left, right)
            | Expr::IsNotDistinctFrom(left, right)
            | Expr::SimilarTo { expr: left, pattern: right, .. }
            | Expr::Like { expr: left, pattern: right, any: false, .. }
            | Expr::ILike { expr: left, pattern: right, any: false, .. }
            | Expr::AtTimeZone { timestamp: left, time_zone: right }
            | Expr::AnyOp { left, right, .. }
            | Expr::AllOp { left, right, .. }
            | Expr::Position { expr: left, r#in: right } => self.all([&mut **left, right], depth),
            Expr::BinaryOp { left, op, right } if is_allowed(op) => {
                if let (true, Expr::Value(pattern)) = (is_match(op), &**right) {
                    self.pattern(pattern)?;
                }
                self.all([&mut **left, right], depth)
            }
            Expr::Between { expr, low, high, .. } => self.all([&mut **expr, low, high], depth),
            Expr::InList { expr, list, .. } => {
                self.expression(expr, depth)?;
                self.all(list, depth)
            }
            Expr::Array(array) => self.all(&mut array.elem, depth),
            Expr::Substring { expr, substring_from, substring_for, .. } => {
                self.expression(expr, depth)?;
                self.all(
                    [substring_from, substring_for].into_iter().flatten().map(|part| &mut **part),
                    depth,
                )
            }
            Expr::Trim { expr, trim_what, trim_characters: None, .. } => {
                self.expression(expr, depth)?;
                self.all(trim_what.iter_mut().map(|part| &mut **part), depth)
            }
            Expr::Overlay { expr, overlay_what, overlay_from, overlay_for } => {
                self.all([&mut **expr, overlay_what, overlay_from], depth)?;
                self.all(overlay_for.iter_mut().map(|part| &mut **part), depth)
            }
            Expr::Case { operand, conditions, else_result, .. } => {
                self.all(operand.iter_mut().chain(else_result).map(|part| &mut **part), depth)?;
                let branches = conditions.iter_mut();
                self.all(
                    branches.flat_map(|CaseWhen { condition, result }| [condition, result]),
                    depth,
                )
            }
            Expr::Subquery(_) | Expr::Exists { .. } | Expr::InSubquery { .. } => Err(self
                .refuse(span, "a rule cannot hold a query")
                .with_hint("Write a condition on the fields of one record.")),
            Expr::Lambda(_) => Err(lambda::stray(self.positions, span)),
            Expr::BinaryOp { op, .. } => {
                let message = format!("the operator `{op}` is not available");
                Err(self.refuse(span, message))
            }
            Expr::Wildcard(_) | Expr::QualifiedWildcard(..) => {
                Err(self.refuse(span, "`*` is not a field"))
            }
            _ => Err(self.refuse(span, "this kind of expression is not available")),
        }
    }

    fn all<'e>(&mut self, parts: impl IntoIterator<Item = &'e mut Expr>, depth: usize) -> Allowed {
        parts.into_iter().try_for_each(|part| self.expression(part, depth))
    }

    pub(super) fn refuse(&self, span: Span, message: impl Into<String>) -> ExpressionError {
        self.positions.error(span, "not_allowed", message)
    }

    /// A chain of one logical operator, which may be as long as the text: made balanced, since
    /// what comes after descends into it.
    fn chain(&mut self, tree: &mut Expr, depth: usize) -> Allowed {
        let Expr::BinaryOp { op, .. } = tree else { return Ok(()) };
        let op = op.clone();
        let mut operands = take_operands(tree, &op);
        let levels = operands.len().next_power_of_two().trailing_zeros() as usize;
        for operand in &mut operands {
            self.expression(operand, depth + levels)?;
        }
        *tree = balanced(operands, &op);
        Ok(())
    }

    /// A call; some names stand for other expressions.
    fn call(&mut self, tree: &mut Expr, depth: usize) -> Allowed {
        if let Some(other) = vocabulary::rewritten(tree, self.positions)? {
            *tree = other;
            return self.expression(tree, depth + 1);
        }
        match tree {
            Expr::Function(function) => self.function(function, depth),
            other => self.expression(other, depth + 1),
        }
    }

    fn function(&mut self, function: &mut Function, depth: usize) -> Allowed {
        let span = function.name.span();
        let name = function.name.to_string();
        let lower = name.to_lowercase();
        if !functions::ALLOWED.contains(&lower.as_str()) {
            return Err(self.unknown_function(&name, span));
        }
        let is_plain = function.filter.is_none()
            && function.over.is_none()
            && function.within_group.is_empty()
            && function.null_treatment.is_none()
            && matches!(function.parameters, FunctionArguments::None);
        if !is_plain {
            let message = "functions over many records are not available";
            return Err(self.refuse(function.span(), message));
        }
        function.name = ObjectName::from(vec![Ident::with_span(span, lower.clone())]);
        match &mut function.args {
            FunctionArguments::None => Ok(()),
            FunctionArguments::Subquery(_) => Err(self.refuse(span, "a rule cannot hold a query")),
            FunctionArguments::List(list) => {
                if list.duplicate_treatment.is_some() || !list.clauses.is_empty() {
                    let message = "functions over many records are not available";
                    return Err(self.refuse(span, message));
                }
                if functions::PADDING.contains(&lower.as_str()) {
                    self.padding(&list.args, span)?;
                }
                self.literals(&lower, &list.args)?;
                if functions::HIGHER_ORDER.contains(&lower.as_str()) {
                    return self.higher_order(&lower, &mut list.args, span, depth);
                }
                list.args.iter_mut().try_for_each(|argument| self.argument(argument, span, depth))
            }
        }
    }

    fn argument(&mut self, argument: &mut FunctionArg, span: Span, depth: usize) -> Allowed {
        match argument {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => self.expression(expr, depth + 1),
            _ => Err(self.refuse(span, "arguments are plain expressions")),
        }
    }

    fn unknown_function(&self, name: &str, span: Span) -> ExpressionError {
        if let Some(reason) = functions::reason_refused(&name.to_lowercase()) {
            let message = format!("`{name}` is not available: {reason}");
            return self.positions.error(span, "function_not_allowed", message);
        }
        let error =
            self.positions.error(span, "unknown_function", format!("unknown function `{name}`"));
        match plan::nearest::nearest(name, functions::ALLOWED.iter().copied()) {
            Some(nearest) => error.with_hint(format!("Did you mean `{nearest}`?")),
            None => error,
        }
    }

    /// A field, which gets a flat name, or something of an element of a list.
    fn field(&mut self, tree: &mut Expr) -> Allowed {
        let Expr::Identifier(name) = tree else { return Ok(()) };
        let steps = self.paths.steps(name);
        if let Some(element) = self.of_variable(&steps, name)? {
            *tree = element;
            return Ok(());
        }
        self.resolve(&steps, name)?;
        // The span stays, for errors of types that are found later.
        *name = Ident::with_quote_and_span('"', name.span, steps.to_string());
        if !self.fields.contains(&steps) {
            self.fields.push(steps);
        }
        Ok(())
    }

    fn subscripts(&mut self, chain: &mut [AccessExpr], depth: usize) -> Allowed {
        for access in chain {
            match access {
                AccessExpr::Subscript(Subscript::Index { index }) => {
                    self.expression(index, depth + 1)?;
                }
                AccessExpr::Subscript(Subscript::Slice { lower_bound, upper_bound, stride }) => {
                    let bounds = [lower_bound, upper_bound, stride];
                    self.all(bounds.into_iter().flatten(), depth + 1)?;
                }
                AccessExpr::Dot(name) => {
                    let message = "a field of a calculated value cannot be taken";
                    return Err(self.refuse(name.span(), message));
                }
            }
        }
        Ok(())
    }

    fn resolve(&self, steps: &Steps, name: &Ident) -> Allowed {
        if resolves(self.schema, steps) {
            return Ok(());
        }
        let path = steps.to_string();
        let message = format!("the dataset has no field `{path}`");
        let error = self.positions.error(name.span, "unknown_field", message);
        let paths = self.schema.paths(PATHS_SEARCHED_MAX);
        Err(match plan::nearest::nearest(&path, paths.iter().map(String::as_str)) {
            Some(nearest) => error.with_hint(format!("Did you mean `{nearest}`?")),
            None if steps.0.len() == 1 && name.quote_style.is_some() => {
                error.with_hint("Texts stand between single quotes; double quotes name fields.")
            }
            None => error,
        })
    }
}

/// Whether the dataset has the field.
fn resolves(schema: &Schema, steps: &Steps) -> bool {
    let fields = crate::fields::arrow_fields(&schema.fields);
    steps.data_type(&arrow::datatypes::Schema::new(fields)).is_some()
}

/// Empties a chain of one operator into its operands, in order.
fn take_operands(tree: &mut Expr, chain: &BinaryOperator) -> Vec<Expr> {
    let mut operands = Vec::new();
    let mut pending = vec![std::mem::replace(tree, nothing())];
    while let Some(next) = pending.pop() {
        match next {
            Expr::BinaryOp { left, op, right } if op == *chain => {
                pending.push(*right);
                pending.push(*left);
            }
            operand => operands.push(operand),
        }
    }
    operands
}

fn nothing() -> Expr {
    Expr::Value(Value::Null.with_empty_span())
}

/// Joins operands, in order, as shallow as can be.
fn balanced(mut operands: Vec<Expr>, op: &BinaryOperator) -> Expr {
    if operands.len() < 2 {
        return operands.pop().unwrap_or_else(nothing);
    }
    let right = operands.split_off(operands.len() / 2);
    let (left, right) = (balanced(operands, op), balanced(right, op));
    Expr::BinaryOp { left: Box::new(left), op: op.clone(), right: Box::new(right) }
}

fn is_match(op: &BinaryOperator) -> bool {
    matches!(
        op,
        BinaryOperator::PGRegexMatch
            | BinaryOperator::PGRegexIMatch
            | BinaryOperator::PGRegexNotMatch
            | BinaryOperator::PGRegexNotIMatch
    )
}

fn is_allowed(op: &BinaryOperator) -> bool {
    matches!(
        op,
        BinaryOperator::Plus
            | BinaryOperator::Minus
            | BinaryOperator::Multiply
            | BinaryOperator::Divide
            | BinaryOperator::Modulo
            | BinaryOperator::StringConcat
            | BinaryOperator::Gt
            | BinaryOperator::Lt
            | BinaryOperator::GtEq
            | BinaryOperator::LtEq
            | BinaryOperator::Eq
            | BinaryOperator::NotEq
            | BinaryOperator::BitwiseAnd
            | BinaryOperator::BitwiseOr
    ) || is_match(op)
}
