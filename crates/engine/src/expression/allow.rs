//! Which shapes of expressions pass, and which fields they name.
//!
//! The walk changes the tree: each field gets one flat name, and each chain of `AND`
//! or `OR` becomes a balanced tree. What is not listed here is refused.

use plan::field::Step;
use plan::schema::{PATHS_SEARCHED_MAX, Schema};
use plan::segment_reference::IN_SEGMENT;
use sqlparser::ast::{
    AccessExpr, BinaryOperator, CaseWhen, CeilFloorKind, DateTimeField, Expr, Function,
    FunctionArg, FunctionArgExpr, FunctionArguments, Ident, ObjectName, Spanned, Subscript,
    UnaryOperator, Value,
};
use sqlparser::tokenizer::Span;

use super::complaint;
use super::event_query::{self, EventQuery};
use super::in_segment;
use super::lambda::{self, Variable};
use super::paths::Paths;
use super::{DEPTH_MAX, ExpressionError, Positions, functions, times, vocabulary};
use crate::path::Steps;

pub(super) type Allowed = Result<(), ExpressionError>;

/// What an allowed tree names.
#[derive(Debug, Default)]
pub(super) struct Named {
    /// The fields, each once; those that hold answers of events included.
    pub(super) fields: Vec<Steps>,
    /// What is asked of events, each once.
    pub(super) queries: Vec<EventQuery>,
}

/// Whose fields an expression names.
#[derive(Debug, Clone, Copy)]
pub(super) enum Owner<'a> {
    /// Profiles, whose events can be asked for.
    Profiles,
    /// The events of a dataset, or of all datasets if it has no name.
    Events(Option<&'a str>),
}

impl Owner<'_> {
    fn lack(self) -> String {
        match self {
            Self::Profiles => "the dataset has no".to_owned(),
            Self::Events(Some(dataset)) => format!("the events of `{dataset}` have no"),
            Self::Events(None) => "no event dataset has a".to_owned(),
        }
    }
}

/// Checks and rewrites a tree; returns what it names, or all that is wrong with it.
pub(super) fn check(
    tree: &mut Expr,
    schema: &Schema,
    owner: Owner<'_>,
    paths: &Paths,
    positions: &Positions,
) -> Result<Named, Vec<ExpressionError>> {
    let (named, variables, unknown) = (Named::default(), Vec::new(), Vec::new());
    let mut walk = Walk { schema, owner, paths, positions, named, variables, unknown };
    let walked = walk.expression(tree, 0);
    let Walk { named, mut unknown, .. } = walk;
    unknown.extend(walked.err());
    if unknown.is_empty() { Ok(named) } else { Err(unknown) }
}

pub(super) struct Walk<'a> {
    pub(super) schema: &'a Schema,
    pub(super) paths: &'a Paths,
    pub(super) positions: &'a Positions,
    owner: Owner<'a>,
    named: Named,
    /// The elements of lists that are named here, the innermost last.
    pub(super) variables: Vec<Variable>,
    /// Names that are unknown. They do not stop the walk, so that all of them are told at once.
    unknown: Vec<ExpressionError>,
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
            Expr::Subquery(_) | Expr::Exists { .. } => self.event_query(tree),
            Expr::Function(function) if event_query::is_sequence(function) => {
                self.event_query(tree)
            }
            Expr::Function(_) => self.call(tree, depth),
            Expr::Value(value) => match &value.value {
                Value::Placeholder(_) => {
                    Err(self.refuse(value.span, "placeholders have no meaning here"))
                }
                _ => Ok(()),
            },
            Expr::TypedString(literal) => {
                times::settle_zone(literal);
                Ok(())
            }
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
            | Expr::AnyOp { left, right, .. }
            | Expr::AllOp { left, right, .. }
            | Expr::Position { expr: left, r#in: right } => self.all([&mut **left, right], depth),
            Expr::AtTimeZone { timestamp, time_zone } => {
                times::check_zone(time_zone, self.positions)?;
                self.expression(timestamp, depth)
            }
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
            Expr::InSubquery { .. } => {
                Err(self.refuse(span, "a list cannot come from a query").with_hint(
                    "Put the condition into the query: `EXISTS (SELECT FROM orders WHERE …)`.",
                ))
            }
            Expr::Lambda(_) => Err(lambda::stray(self.positions, span)),
            Expr::BinaryOp { op, .. } => {
                let message = format!("the operator `{op}` is not available");
                let hint = complaint::foreign_sign(&op.to_string());
                Err(ExpressionError { hint, ..self.refuse(span, message) })
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
        if let Some(name) = in_segment::named(tree, self.positions)? {
            if let Owner::Events(_) = self.owner {
                let message = "a condition on events cannot ask for a segment";
                return Err(self.refuse(tree.span(), message));
            }
            let steps = in_segment::column(&name);
            *tree =
                Expr::Identifier(Ident::with_quote_and_span('"', tree.span(), steps.to_string()));
            if !self.named.fields.contains(&steps) {
                self.named.fields.push(steps);
            }
            return Ok(());
        }
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
            let error = self.unknown_function(&name, span);
            self.unknown.push(error);
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
            FunctionArguments::Subquery(_) => {
                Err(self.refuse(span, "an argument cannot be a query without brackets"))
            }
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
        let known = functions::ALLOWED.iter().copied().chain([IN_SEGMENT]);
        match plan::nearest::nearest(name, known) {
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
        if let Err(error) = self.resolve(&steps, name) {
            self.unknown.push(error);
        }
        // The span stays, for errors of types that are found later.
        *name = Ident::with_quote_and_span('"', name.span, steps.to_string());
        self.name(steps);
        Ok(())
    }

    fn name(&mut self, steps: Steps) {
        if !self.named.fields.contains(&steps) {
            self.named.fields.push(steps);
        }
    }

    /// Something that is asked of events, which becomes the field of its answer.
    fn event_query(&mut self, tree: &mut Expr) -> Allowed {
        let span = tree.span();
        if let Owner::Events(_) = self.owner {
            let message = "a condition on events cannot ask for other events";
            return Err(self.refuse(span, message));
        }
        let query = event_query::take(tree, self.paths, self.positions)?;
        self.name(Steps(vec![Step::Field(query.answer.clone())]));
        if self.named.queries.iter().any(|known| known.answer == query.answer) {
            return Ok(());
        }
        if self.named.queries.len() == event_query::QUERIES_MAX {
            let most = event_query::QUERIES_MAX;
            let message = format!("events are asked for more than {most} times");
            return Err(self.positions.error(span, "too_long", message));
        }
        self.named.queries.push(query);
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
        let message = format!("{} field `{path}`", self.owner.lack());
        let error = self.positions.error(name.span, super::UNKNOWN_FIELD, message);
        let paths = self.schema.paths(PATHS_SEARCHED_MAX);
        Err(match plan::nearest::nearest(&path, paths.iter().map(String::as_str)) {
            Some(nearest) => error.with_hint(format!("Did you mean `{nearest}`?")),
            None if matches!(self.owner, Owner::Events(_)) => error
                .with_hint("Conditions on the profile stand outside the brackets of the query."),
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
