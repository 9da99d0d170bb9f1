//! From an allowed tree to something that computes values, with types checked.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema};
use arrow::temporal_conversions::timestamp_ns_to_datetime;
use datafusion_common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion_common::{DFSchema, DataFusionError};
use datafusion_expr::execution_props::ExecutionProps;
use datafusion_expr::simplify::SimplifyContext;
use datafusion_expr::{BinaryExpr, Expr as Logical, ExprSchemable, Operator};
use datafusion_optimizer::simplify_expressions::ExprSimplifier;
use datafusion_physical_expr::PhysicalExpr;
use jiff::Timestamp;
use plan::schema::FieldType;
use sqlparser::ast::{Expr, ExprWithAlias};
use sqlparser::tokenizer::Span;

use super::catalog::Catalog;
use super::result_size::{self, RESULT_BYTES_MAX};
use super::{Expect, ExpressionError, Parsed, in_segment, takes, wrong_parts};
use crate::fields;
use crate::path::Steps;

/// The longest message of the engine that is passed on, in characters.
const MESSAGE_CHARS_MAX: usize = 200;

/// An expression that is ready to compute values from flat columns.
#[derive(Debug, Clone)]
pub(crate) struct Compiled {
    /// Reads columns by their position in the schema that it was compiled for.
    pub(crate) expression: Arc<dyn PhysicalExpr>,
    /// The type of the result.
    pub(crate) data_type: DataType,
}

/// Plans an expression over a dataset and returns the type of its result.
pub(super) fn check(
    parsed: &Parsed,
    schema: &Schema,
    expect: Expect,
) -> Result<FieldType, ExpressionError> {
    let flat = flat_schema(&parsed.fields, schema);
    let compiled = compile(parsed, &flat, expect, Timestamp::UNIX_EPOCH)?;
    Ok(fields::kind_of(&compiled.data_type))
}

/// A schema of flat columns: one for each path, named by it.
pub(crate) fn flat_schema(paths: &[Steps], schema: &Schema) -> Schema {
    let column = |path: &Steps| {
        let data_type = in_segment::data_type(path, schema);
        Field::new(path.to_string(), data_type, true)
    };
    Schema::new(paths.iter().map(column).collect::<Vec<_>>())
}

/// Compiles an expression for batches of the `flat` schema; `now` is what `now()` returns.
///
/// Call inside [`super::with_stack`].
pub(crate) fn compile(
    parsed: &Parsed,
    flat: &Schema,
    expect: Expect,
    now: Timestamp,
) -> Result<Compiled, ExpressionError> {
    compile_within(RESULT_BYTES_MAX, parsed, flat, expect, now)
}

/// The same with another limit for the results of functions, in bytes.
pub(super) fn compile_within(
    result_bytes_max: usize,
    parsed: &Parsed,
    flat: &Schema,
    expect: Expect,
    now: Timestamp,
) -> Result<Compiled, ExpressionError> {
    let planner = Planner::new(flat, now, result_bytes_max).map_err(|_| {
        parsed.positions.error(Span::empty(), "unknown_field", "two fields have one name")
    })?;
    let compiled = planner.compile(&parsed.tree).map_err(|error| {
        let (span, call) = wrong_parts::smallest(&planner, &parsed.tree);
        let told = call.and_then(|call| {
            let written = parsed.positions.word(span)?;
            takes::wrong_arguments(&planner, &call, written)
        });
        error.at(parsed, span, told)
    })?;
    let found = fields::kind_of(&compiled.data_type);
    let whole = |code, message: String| parsed.error(None, code, message);
    match (expect, found) {
        (Expect::Boolean, FieldType::Boolean) => Ok(compiled),
        (Expect::Boolean, other) => {
            let what = if parsed.is_part() { "a condition on events" } else { "a rule" };
            let message =
                format!("{what} has to be true or false, this is of type {}", other.name());
            Err(whole("not_boolean", message)
                .with_hint("Compare the value with another: `points > 0`."))
        }
        (Expect::Any, FieldType::Unsupported(name)) => {
            Err(whole("unsupported_type", format!("a value of type {name} cannot be written")))
        }
        (Expect::Any, _) => Ok(compiled),
    }
}

pub(super) struct Planner {
    schema: DFSchema,
    properties: ExecutionProps,
    context: SimplifyContext,
    result_bytes_max: usize,
}

/// What the engine has against an expression.
pub(super) enum Refusal {
    Engine(DataFusionError),
    Comparison(FieldType, FieldType),
    /// A function of elements that has to be true or false is of this type.
    Condition(FieldType),
    /// A list that is to be a text has elements of this type.
    Elements(FieldType),
    /// What is made of constants alone is too large.
    Constants,
}

impl From<DataFusionError> for Refusal {
    fn from(error: DataFusionError) -> Self {
        Self::Engine(error)
    }
}

impl Refusal {
    /// The error at a place; `told` is what is known better of a wrong call than the engine says.
    fn at(
        self,
        parsed: &Parsed,
        span: Span,
        told: Option<(String, Option<&'static str>)>,
    ) -> ExpressionError {
        match self {
            Self::Engine(error) => match told.filter(|_| is_about_arguments(&error)) {
                Some((message, hint)) => {
                    let error = parsed.positions.error(span, "type_error", message);
                    ExpressionError { hint: hint.map(str::to_owned), ..error }
                }
                None => parsed.positions.error(span, "type_error", cleaned(&error)),
            },
            Self::Elements(found) => {
                let message = format!(
                    "`array_to_string` takes a list of single values, these are of type {}",
                    found.name()
                );
                let hint = "Take one value of each element first: \
                            `array_to_string(array_transform(list, x -> x.name), ',')`.";
                parsed.positions.error(span, "type_error", message).with_hint(hint)
            }
            Self::Constants => {
                let message = "a value that is made of constants alone may become very large";
                parsed.positions.error(span, "too_large", message)
            }
            Self::Comparison(left, right) => {
                let message = format!(
                    "values of type {} and {} cannot be compared",
                    left.name(),
                    right.name()
                );
                let hint = "Write numbers without quotes and texts with single quotes, or convert \
                            with `CAST(… AS BIGINT)` or `TRY_CAST`.";
                parsed.positions.error(span, "type_error", message).with_hint(hint)
            }
            Self::Condition(found) => {
                let message = format!(
                    "what is asked of the elements has to be true or false, this is of type {}",
                    found.name()
                );
                let hint = "Compare the value with another: `o -> o.total > 10`.";
                parsed.positions.error(span, "not_boolean", message).with_hint(hint)
            }
        }
    }
}

impl Planner {
    fn new(
        flat: &Schema,
        now: Timestamp,
        result_bytes_max: usize,
    ) -> Result<Self, DataFusionError> {
        let schema = DFSchema::try_from(flat.clone())?;
        let nanoseconds = i64::try_from(now.as_nanosecond()).unwrap_or(i64::MAX);
        let now = timestamp_ns_to_datetime(nanoseconds).map(|now| now.and_utc());
        let mut properties = ExecutionProps::new();
        properties.query_execution_start_time = now;
        let context = SimplifyContext::builder()
            .with_schema(Arc::new(schema.clone()))
            .with_config_options(Catalog::get().shared_options())
            .with_query_execution_start_time(now)
            .build();
        Ok(Self { schema, properties, context, result_bytes_max })
    }

    /// Plans an expression, or a part of one.
    pub(super) fn compile(&self, tree: &Expr) -> Result<Compiled, Refusal> {
        let tree = ExprWithAlias { expr: tree.clone(), alias: None };
        let logical = Catalog::get().plan(tree, &self.schema)?;
        self.check_comparisons(&logical)?;
        let simplifier = ExprSimplifier::new(self.context.clone());
        let logical = simplifier.coerce(logical, &self.schema)?;
        if result_size::are_constants_too_large(&logical)? {
            return Err(Refusal::Constants);
        }
        let logical = simplifier.simplify(logical)?;
        let data_type = logical.get_type(&self.schema)?;
        let expression = datafusion_physical_expr::create_physical_expr(
            &logical,
            &self.schema,
            &self.properties,
            &Default::default(),
        )?;
        Ok(Compiled {
            expression: result_size::limited(expression, self.result_bytes_max)?,
            data_type,
        })
    }

    /// The engine would find some way to compare anything: numbers with texts as texts, so that
    /// `9` is more than `10`.
    fn check_comparisons(&self, logical: &Logical) -> Result<(), Refusal> {
        let (mut wrong, mut condition, mut elements) = (None, None, None);
        let mut compare = |left: &Logical, right: &Logical| -> Result<(), DataFusionError> {
            let (left, right) = (left.get_type(&self.schema)?, right.get_type(&self.schema)?);
            if !are_comparable(&left, &right) {
                wrong.get_or_insert((fields::kind_of(&left), fields::kind_of(&right)));
            }
            Ok(())
        };
        logical.apply(|part| {
            match part {
                Logical::BinaryExpr(BinaryExpr { left, op, right }) if is_comparison(*op) => {
                    compare(left, right)?;
                }
                Logical::Between(between) => {
                    compare(&between.expr, &between.low)?;
                    compare(&between.expr, &between.high)?;
                }
                Logical::InList(list) => {
                    for item in &list.list {
                        compare(&list.expr, item)?;
                    }
                }
                Logical::ScalarFunction(call) if call.name() == "array_to_string" => {
                    if let Some(list) = call.args.first() {
                        let list = list.get_type(&self.schema)?;
                        elements = elements.take().or_else(|| takes::unwritable_elements(&list));
                    }
                }
                Logical::HigherOrderFunction(call) if call.name() != "array_transform" => {
                    for argument in &call.args {
                        let Logical::Lambda(lambda) = argument else { continue };
                        let found = fields::kind_of(&lambda.body.get_type(&self.schema)?);
                        let is_null = lambda.body.get_type(&self.schema)?.is_null();
                        if found != FieldType::Boolean && !is_null {
                            condition.get_or_insert(found);
                        }
                    }
                }
                _ => {}
            }
            Ok(TreeNodeRecursion::Continue)
        })?;
        if let Some(found) = condition {
            return Err(Refusal::Condition(found));
        }
        if let Some(found) = elements {
            return Err(Refusal::Elements(found));
        }
        wrong.map_or(Ok(()), |(left, right)| Err(Refusal::Comparison(left, right)))
    }
}

fn is_comparison(op: Operator) -> bool {
    matches!(
        op,
        Operator::Eq
            | Operator::NotEq
            | Operator::Lt
            | Operator::LtEq
            | Operator::Gt
            | Operator::GtEq
            | Operator::IsDistinctFrom
            | Operator::IsNotDistinctFrom
    )
}

/// Values of one group can be compared, and times with texts that spell them.
fn are_comparable(left: &DataType, right: &DataType) -> bool {
    if left.is_null() || right.is_null() {
        return true;
    }
    match (Group::of(left), Group::of(right)) {
        (Group::Time, Group::Text) | (Group::Text, Group::Time) => true,
        (left, right) => left == right,
    }
}

#[derive(PartialEq)]
enum Group {
    Boolean,
    Number,
    Text,
    Time,
    Other,
}

impl Group {
    fn of(data_type: &DataType) -> Self {
        match fields::kind_of(data_type) {
            FieldType::Boolean => Self::Boolean,
            FieldType::Integer | FieldType::Float | FieldType::Decimal => Self::Number,
            FieldType::String => Self::Text,
            FieldType::Date | FieldType::Time | FieldType::Timestamp => Self::Time,
            _ => Self::Other,
        }
    }
}

/// Whether the engine has something against the number or the types of arguments. Functions of our own
/// say themselves what they take.
fn is_about_arguments(error: &DataFusionError) -> bool {
    let text = error.strip_backtrace();
    let is_own = text.contains("coercion failed with: Error during planning: ");
    let signs = [
        "failed to match any signature",
        "No function matches",
        "to the signature",
        "does not support type",
        "user-defined coercion failed",
        "named_struct requires",
        "Expected a Map type",
        "expected a list, found",
    ];
    !is_own && signs.iter().any(|sign| text.contains(sign))
}

/// A message about types, without the engine's own preambles. Before any record has been read it
/// can hold nothing but the expression's own words.
fn cleaned(error: &DataFusionError) -> String {
    let text = error.strip_backtrace();
    let line = text.lines().next().unwrap_or_default();
    let mut message = line.trim();
    for preamble in [
        "Error during planning: ",
        "type_coercion",
        "Execution error: ",
        "Arrow error: ",
        "This feature is not implemented: ",
    ] {
        message = message.strip_prefix(preamble).unwrap_or(message);
    }
    // Functions of our own say what they take; the engine says it once more around it.
    let message = match message.split_once("coercion failed with: Error during planning: ") {
        Some((_, own)) => own.split(". No function matches").next().unwrap_or(own),
        None => message,
    };
    let message = message.trim_end_matches('.').replace("Utf8View", "text").replace("Utf8", "text");
    let message: String = message.chars().take(MESSAGE_CHARS_MAX).collect();
    super::complaint::lower_first(&message)
}
