//! What an expression asks of the events of a profile.
//!
//! ```sql
//! EXISTS (SELECT FROM orders WHERE total > 100)
//! (SELECT sum(total) FROM orders WHERE "timestamp" > now() - INTERVAL '30 days') >= 500
//! sequence('events', step(type = 'cart'), without(type = 'order', within => INTERVAL '2 days'))
//! ```
//! Each of these is taken out of the expression as a whole and answered for all profiles before any
//! profile is read (see `events`); what is left in its place is a field that holds the answer. Here
//! is only the form: which dataset, which conditions, what is counted.

use sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgOperator, FunctionArgumentList,
    FunctionArguments, Ident, ObjectName, Query, Select, SelectItem, SetExpr, Spanned, TableFactor,
    UnaryOperator, Value, visit_expressions_mut,
};
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Span, Token, Tokenizer};

use super::dialect::ExpressionDialect;
use super::paths::{MARK, Paths};
use super::{ExpressionError, Positions};

/// Begins the names of the fields that hold answers. No dataset has such a field: a colon cannot be
/// part of the name of one in a rule without quotes, and [`crate::fields::describe`] hides them.
pub(crate) const ANSWER: &str = "segue:event:";
/// The most questions to events in one expression.
pub(crate) const QUERIES_MAX: usize = 100;
/// The most parts of a sequence.
pub(crate) const PARTS_MAX: usize = 60;
/// The function that asks for events one behind the other.
const SEQUENCE: &str = "sequence";

/// A question to the events of each profile.
#[derive(Debug, Clone)]
pub(crate) struct EventQuery {
    /// The name of the field that holds the answer; the same for the same question.
    pub(crate) answer: String,
    /// The dataset, or [`crate::events::ALL`] for all of them.
    pub(crate) dataset: String,
    /// Where the dataset is named.
    pub(crate) dataset_span: Span,
    pub(crate) shape: Shape,
}

#[derive(Debug, Clone)]
pub(crate) enum Shape {
    Aggregate {
        function: Aggregate,
        /// What is counted or summed; the event itself if absent.
        value: Option<Box<Expr>>,
        /// Which events count; all if absent.
        condition: Option<Box<Expr>>,
    },
    Sequence(Vec<Part>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Aggregate {
    Exists,
    Count,
    Sum,
    Average,
    Min,
    Max,
}

impl Aggregate {
    fn named(name: &str) -> Option<Self> {
        Some(match name.to_lowercase().as_str() {
            "count" => Self::Count,
            "sum" => Self::Sum,
            "avg" => Self::Average,
            "min" => Self::Min,
            "max" => Self::Max,
            _ => return None,
        })
    }

    /// The name in SQL.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Exists => "EXISTS",
            Self::Count => "count",
            Self::Sum => "sum",
            Self::Average => "avg",
            Self::Min => "min",
            Self::Max => "max",
        }
    }
}

/// An event that has to happen, or must not happen between its neighbours.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub(crate) is_step: bool,
    pub(crate) condition: Expr,
    /// The longest time since the step before: an interval.
    pub(crate) within: Option<Expr>,
    /// The shortest time since the step before: an interval.
    pub(crate) after: Option<Expr>,
}

/// Whether an expression may ask for events, going by its words alone.
pub(crate) fn asks(text: &str) -> bool {
    !datasets_named(text).is_empty()
}

/// The datasets that an expression may ask, going by its words alone: what stands behind `FROM` and
/// at the beginning of a sequence. A field behind `EXTRACT(… FROM` is among them.
pub fn datasets_named(text: &str) -> Vec<String> {
    let dialect = ExpressionDialect::default();
    let mut tokens = Tokenizer::new(&dialect, text).tokenize().unwrap_or_default();
    tokens.retain(|token| !matches!(token, Token::Whitespace(_)));
    let mut named = Vec::new();
    for at in tokens.windows(3) {
        match at {
            [Token::Word(from), Token::Word(name), _] if from.keyword == Keyword::FROM => {
                named.push(name.value.clone());
            }
            [Token::Word(call), Token::LParen, Token::SingleQuotedString(name)]
                if call.value.eq_ignore_ascii_case(SEQUENCE) =>
            {
                named.push(name.clone());
            }
            _ => {}
        }
    }
    named
}

/// Whether a call asks for a sequence of events.
pub(super) fn is_sequence(function: &Function) -> bool {
    function.name.to_string().eq_ignore_ascii_case(SEQUENCE)
}

/// Takes a question to events out of a tree and leaves the field of its answer there.
pub(super) fn take(
    tree: &mut Expr,
    paths: &Paths,
    positions: &Positions,
) -> Result<EventQuery, ExpressionError> {
    let reader = Reader { positions };
    let span = tree.span();
    let mut is_negated = false;
    let (dataset, dataset_span, shape) = match &*tree {
        Expr::Exists { subquery, negated } => {
            is_negated = *negated;
            reader.exists(subquery)?
        }
        Expr::Subquery(query) => reader.aggregate(query)?,
        Expr::Function(function) => reader.sequence(function)?,
        _ => return Err(reader.refuse(span, "this is no question to events")),
    };
    let answer = format!("{ANSWER}{}", fingerprint(tree, paths, is_negated));
    let field = Expr::Identifier(Ident::with_quote_and_span('"', span, answer.clone()));
    *tree = match is_negated {
        true => Expr::UnaryOp { op: UnaryOperator::Not, expr: Box::new(field) },
        false => field,
    };
    Ok(EventQuery { answer, dataset, dataset_span, shape })
}

/// The same for the same question, wherever it stands.
fn fingerprint(tree: &Expr, paths: &Paths, is_negated: bool) -> String {
    let mut tree = tree.clone();
    if let (true, Expr::Exists { negated, .. }) = (is_negated, &mut tree) {
        *negated = false;
    }
    let _ = visit_expressions_mut(&mut tree, |part| {
        if let Expr::Identifier(name) = part {
            *name = Ident::with_quote('"', paths.steps(name).to_string());
        }
        std::ops::ControlFlow::<()>::Continue(())
    });
    let text = tree.to_string();
    blake3::hash(text.as_bytes()).to_hex()[..32].to_owned()
}

type Read = Result<(String, Span, Shape), ExpressionError>;

struct Reader<'a> {
    positions: &'a Positions,
}

impl Reader<'_> {
    fn refuse(&self, span: Span, message: impl Into<String>) -> ExpressionError {
        self.positions.error(span, "not_allowed", message)
    }

    fn exists(&self, query: &Query) -> Read {
        let select = self.select(query)?;
        let is_plain = |item: &SelectItem| {
            matches!(item, SelectItem::Wildcard(_) | SelectItem::UnnamedExpr(Expr::Value(_)))
        };
        if !select.projection.iter().all(is_plain) {
            let message = "what `EXISTS` selects has no meaning";
            let hint = "Write `EXISTS (SELECT FROM orders WHERE …)`.";
            return Err(self.refuse(select.span(), message).with_hint(hint));
        }
        self.shape(select, Aggregate::Exists, None)
    }

    fn aggregate(&self, query: &Query) -> Read {
        let select = self.select(query)?;
        let wrong = |span: Span| {
            let message = "a query over events results in one value";
            let hint = "Write `count(*)`, or `sum`, `avg`, `min` or `max` of something, behind \
                        `SELECT`, and calculate outside the brackets.";
            self.refuse(span, message).with_hint(hint)
        };
        let [SelectItem::UnnamedExpr(Expr::Function(function))] = select.projection.as_slice()
        else {
            return Err(wrong(select.span()));
        };
        let span = function.name.span();
        let aggregate = Aggregate::named(&function.name.to_string()).ok_or_else(|| wrong(span))?;
        let list = self.arguments(function)?;
        let value = match list.args.as_slice() {
            [FunctionArg::Unnamed(FunctionArgExpr::Wildcard)] if aggregate == Aggregate::Count => {
                None
            }
            [FunctionArg::Unnamed(FunctionArgExpr::Expr(value))] => Some(value.clone()),
            _ => {
                let message = format!("`{}` takes one value", aggregate.name());
                return Err(self.refuse(span, message));
            }
        };
        self.shape(select, aggregate, value)
    }

    fn shape(&self, select: &Select, function: Aggregate, value: Option<Expr>) -> Read {
        let (dataset, span) = self.dataset(select)?;
        let condition = select.selection.clone().map(Box::new);
        let value = value.map(Box::new);
        Ok((dataset, span, Shape::Aggregate { function, value, condition }))
    }

    /// The one form of queries: `SELECT … FROM dataset WHERE …`.
    fn select<'q>(&self, query: &'q Query) -> Result<&'q Select, ExpressionError> {
        let unlike = || {
            let message = "a query over events has the form `SELECT … FROM dataset WHERE …`";
            let hint = "Other parts of queries, such as joins, groups, orders and aliases, are not \
                        available.";
            self.refuse(query.span(), message).with_hint(hint)
        };
        let SetExpr::Select(select) = &*query.body else { return Err(unlike()) };
        // Whatever else was written would be printed too.
        let projection: Vec<String> = select.projection.iter().map(ToString::to_string).collect();
        let mut plain = "SELECT".to_owned();
        if !projection.is_empty() {
            plain.push(' ');
            plain.push_str(&projection.join(", "));
        }
        let [from] = select.from.as_slice() else { return Err(unlike()) };
        let TableFactor::Table { name, .. } = &from.relation else { return Err(unlike()) };
        plain.push_str(" FROM ");
        plain.push_str(&name.to_string());
        if let Some(condition) = &select.selection {
            plain.push_str(" WHERE ");
            plain.push_str(&condition.to_string());
        }
        if query.to_string() == plain { Ok(select) } else { Err(unlike()) }
    }

    fn dataset(&self, select: &Select) -> Result<(String, Span), ExpressionError> {
        let TableFactor::Table { name, .. } = &select.from[0].relation else {
            return Err(self.refuse(select.span(), "a dataset of events has to follow `FROM`"));
        };
        match plain_name(name) {
            Some(ident) => Ok((ident.value.clone(), ident.span)),
            None => {
                Err(self.refuse(name.span(), "the key of an event dataset has to follow `FROM`"))
            }
        }
    }

    fn arguments<'f>(
        &self,
        function: &'f Function,
    ) -> Result<&'f FunctionArgumentList, ExpressionError> {
        let refuse = || {
            let message = format!("`{}` takes plain arguments here", function.name);
            let hint = "Conditions stand behind `WHERE`; `DISTINCT`, `FILTER` and `OVER` are not \
                        available.";
            self.refuse(function.name.span(), message).with_hint(hint)
        };
        let is_plain = function.filter.is_none()
            && function.over.is_none()
            && function.within_group.is_empty()
            && function.null_treatment.is_none()
            && matches!(function.parameters, FunctionArguments::None);
        match &function.args {
            FunctionArguments::List(list)
                if is_plain && list.duplicate_treatment.is_none() && list.clauses.is_empty() =>
            {
                Ok(list)
            }
            _ => Err(refuse()),
        }
    }

    fn sequence(&self, function: &Function) -> Read {
        let span = function.name.span();
        let list = self.arguments(function)?;
        let (dataset, dataset_span) = match list.args.first() {
            Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Value(value)))) => {
                match &value.value {
                    Value::SingleQuotedString(name) => (name.clone(), value.span),
                    _ => return Err(self.unlike_sequence(value.span)),
                }
            }
            _ => return Err(self.unlike_sequence(span)),
        };
        let parts: Vec<Part> =
            list.args[1..].iter().map(|part| self.part(part, span)).collect::<Result<_, _>>()?;
        let Some(first) = parts.first() else { return Err(self.unlike_sequence(span)) };
        if parts.len() > PARTS_MAX {
            let message = format!("a sequence has at most {PARTS_MAX} parts");
            return Err(self.positions.error(span, "too_long", message));
        }
        let place = |part: &Part| part.condition.span();
        if !first.is_step {
            let message = "a sequence cannot begin with what must not happen";
            let hint = "Negate the whole: `NOT sequence(…)`.";
            return Err(self.refuse(place(first), message).with_hint(hint));
        }
        if let Some(distance) = first.within.as_ref().or(first.after.as_ref()) {
            let message = "the first step of a sequence has no step before it";
            let hint = "Say when it happened in its condition: `\"timestamp\" > now() - INTERVAL \
                        '7 days'`.";
            return Err(self.refuse(distance.span(), message).with_hint(hint));
        }
        Ok((dataset, dataset_span, Shape::Sequence(parts)))
    }

    fn unlike_sequence(&self, span: Span) -> ExpressionError {
        let message = "`sequence` takes the name of an event dataset and steps";
        let hint = "Write for example `sequence('orders', step(total > 100), step(total > 200, \
                    within => INTERVAL '7 days'))`.";
        self.refuse(span, message).with_hint(hint)
    }

    fn part(&self, argument: &FunctionArg, sequence: Span) -> Result<Part, ExpressionError> {
        let FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Function(function))) = argument else {
            return Err(self.unlike_sequence(sequence));
        };
        let span = function.name.span();
        let is_step = match function.name.to_string().to_lowercase().as_str() {
            "step" => true,
            "without" => false,
            _ => {
                let message = "the parts of a sequence are `step(…)` and `without(…)`";
                return Err(self.refuse(span, message));
            }
        };
        let list = self.arguments(function)?;
        let word = if is_step { "step" } else { "without" };
        let unlike = |span: Span| {
            let message = format!("`{word}` takes one condition, then distances");
            let hint = match is_step {
                true => {
                    "Write `step(total > 100, within => INTERVAL '7 days', after => INTERVAL '1 hour')`."
                }
                false => "Write `without(total > 100, within => INTERVAL '7 days')`.",
            };
            self.refuse(span, message).with_hint(hint)
        };
        let Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(condition))) = list.args.first() else {
            return Err(unlike(span));
        };
        let mut part = Part { is_step, condition: condition.clone(), within: None, after: None };
        for argument in &list.args[1..] {
            let FunctionArg::Named {
                name,
                arg: FunctionArgExpr::Expr(distance),
                operator: FunctionArgOperator::RightArrow,
            } = argument
            else {
                return Err(unlike(span));
            };
            let slot = match name.value.to_lowercase().as_str() {
                "within" => &mut part.within,
                "after" if is_step => &mut part.after,
                _ => return Err(unlike(name.span)),
            };
            if !matches!(distance, Expr::Interval(_)) || slot.is_some() {
                return Err(unlike(name.span));
            }
            *slot = Some(distance.clone());
        }
        Ok(part)
    }
}

/// A name of one word.
fn plain_name(name: &ObjectName) -> Option<&Ident> {
    let [part] = name.0.as_slice() else { return None };
    part.as_ident().filter(|ident| !ident.value.starts_with(MARK))
}
