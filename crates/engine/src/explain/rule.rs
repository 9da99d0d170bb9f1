//! The parts of a rule, and what holds of each for one profile.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ops::Range;

use arrow::array::RecordBatch;
use plan::Query;
use plan::project::{Column, ColumnSource, RuleOrigin};
use plan::segment_reference;
use sqlparser::ast::Expr;

use super::{read_row, select_at, text};
use crate::error::Error;
use crate::expression::event_query::ANSWER;
use crate::expression::in_segment;
use crate::expression::parts::{Form, Part, parts};
use crate::expression::{self, Parsed};
use crate::fields;
use crate::path::Steps;
use crate::row_set::Address;
use crate::selection::{Parts, Restriction, Selection, Who};
use crate::survey::Survey;

/// A part of a rule, with what holds of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// Where it stands in the rule, in bytes.
    pub range: Range<usize>,
    /// How its parts are joined.
    pub join: Join,
    /// Whether it is true.
    pub outcome: Outcome,
    /// Whether the outcome of the whole rests on it.
    pub decides: bool,
    /// The fields that a condition reads, in the order in which it names them.
    pub fields: Vec<Value<String>>,
    /// The sides of a comparison that are calculated, by their places in the rule.
    pub calculated: Vec<Value<Range<usize>>>,
    /// The parts. Those of a condition are the rules of the segments that it names, each where it is
    /// named first.
    pub parts: Vec<Judged>,
    /// The key of the segment of which this is the whole rule: the places of it and of its parts are
    /// those in that rule.
    pub segment: Option<String>,
}

/// A value of the profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value<N> {
    /// What it is the value of.
    pub of: N,
    /// The value as text; nothing if it is missing.
    pub value: Option<String>,
}

/// How the parts of a part are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Join {
    /// All have to be true.
    All,
    /// One has to be true.
    Any,
    /// It must not be true.
    Not,
    /// What is unknown counts as false.
    Known,
    /// A condition has no parts.
    Condition,
}

/// Whether a part of a rule is true.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is.
    True,
    /// It is not.
    False,
    /// It cannot be told, because something is missing. Nobody is a member by that.
    Unknown,
    /// It cannot be computed; a run fails on it.
    Failed(String),
}

impl Outcome {
    fn not(&self) -> Self {
        match self {
            Self::True => Self::False,
            Self::False => Self::True,
            other => other.clone(),
        }
    }

    /// What holds of parts of which the first that is `strong` settles the matter.
    fn joined<'a>(parts: impl Iterator<Item = &'a Self> + Clone, strong: &Self) -> Self {
        let is_failed = |outcome: &&Self| matches!(outcome, Self::Failed(_));
        match () {
            () if parts.clone().any(|outcome| outcome == strong) => strong.clone(),
            () if parts.clone().any(|outcome| is_failed(&outcome)) => {
                parts.clone().find(is_failed).cloned().unwrap_or(Self::Unknown)
            }
            () if parts.clone().any(|outcome| *outcome == Self::Unknown) => Self::Unknown,
            () => strong.not(),
        }
    }
}

/// Asks the parts of the rule of a query about one row.
///
/// # Errors
/// The rule does not fit the profiles, or reading fails.
pub(super) fn judge(query: &Query, survey: &Survey, address: Address) -> Result<Judged, Error> {
    let rule = query.rule.text.as_str();
    // What is asked is the rule, not who may be sent, and as it is now, not as it was found before.
    let consent = plan::consent::Consent::default();
    let query = Query { columns: Vec::new(), consent, history: None, ..query.clone() };
    let parts_of = Parts { who: Who::Members, columns: &[], hidden: &[], query: &query };
    let selection = Selection::new(parts_of, survey)?;
    let row = read_row(survey, address, &selection.needed)?;
    let opened = RefCell::default();
    let judge = Judge { rule, query: &query, survey, address, row: &row, opened: &opened };
    let mut judged = judge.whole()?;
    judged.decide();
    Ok(judged)
}

struct Judge<'a> {
    rule: &'a str,
    query: &'a Query,
    survey: &'a Survey,
    address: Address,
    row: &'a RecordBatch,
    /// Keys of the segments whose rules have been gone into: each once, or a few rules that name each
    /// other twice would be told more often than anybody can read.
    opened: &'a RefCell<BTreeSet<String>>,
}

impl Judge<'_> {
    fn whole(&self) -> Result<Judged, Error> {
        let whole = self.outcome(self.rule)?;
        let found = parts(self.rule).ok().and_then(|parts| self.part(&parts).ok());
        Ok(match found {
            // The parts are evaluated apart, the engine evaluates them together: it is right.
            Some(judged) if judged.outcome == whole || matches!(whole, Outcome::Failed(_)) => {
                Judged { outcome: whole, ..judged }
            }
            _ => Judged {
                outcome: whole,
                ..self.part(&Part { range: 0..self.rule.len(), form: Form::Condition(None) })?
            },
        })
    }

    fn part(&self, part: &Part) -> Result<Judged, Error> {
        let (join, parts) = match &part.form {
            Form::All(parts) => (Join::All, parts.as_slice()),
            Form::Any(parts) => (Join::Any, parts.as_slice()),
            Form::Not(inner) => (Join::Not, std::slice::from_ref(inner.as_ref())),
            Form::Known(inner) => (Join::Known, std::slice::from_ref(inner.as_ref())),
            Form::Condition(sides) => return self.condition(&part.range, sides.as_ref()),
        };
        let parts = parts.iter().map(|part| self.part(part)).collect::<Result<Vec<_>, _>>()?;
        let outcomes = parts.iter().map(|part| &part.outcome);
        let outcome = match join {
            Join::All => Outcome::joined(outcomes, &Outcome::False),
            Join::Any => Outcome::joined(outcomes, &Outcome::True),
            Join::Known if parts[0].outcome == Outcome::Unknown => Outcome::False,
            Join::Not => parts[0].outcome.not(),
            Join::Known | Join::Condition => parts[0].outcome.clone(),
        };
        let (range, fields, calculated) = (part.range.clone(), Vec::new(), Vec::new());
        let (decides, segment) = (false, None);
        Ok(Judged { range, join, outcome, decides, fields, calculated, parts, segment })
    }

    fn condition(
        &self,
        range: &Range<usize>,
        sides: Option<&[Range<usize>; 2]>,
    ) -> Result<Judged, Error> {
        let written = &self.rule[range.clone()];
        let fields = self.fields(written)?;
        let sides = sides.into_iter().flatten().filter(|side| self.is_calculated(side));
        let value = |side: &Range<usize>| {
            let value = self.values(&[self.column(side)], &[]).ok()?.pop()?;
            // What is missing is missing for lack of a field, which is said already.
            value.is_some().then(|| Value { of: side.clone(), value })
        };
        Ok(Judged {
            range: range.clone(),
            join: Join::Condition,
            outcome: self.outcome(written)?,
            decides: false,
            fields,
            calculated: sides.filter_map(value).collect(),
            parts: self.segments(written)?,
            segment: None,
        })
    }

    /// The rules of the segments that a condition names. Those of imported segments have none.
    fn segments(&self, condition: &str) -> Result<Vec<Judged>, Error> {
        let mut rules = Vec::new();
        for path in self.parsed(condition)? {
            let Some(written) = in_segment::written(&path) else { continue };
            let segment = segment_reference::find(&self.query.segments, written);
            let segment = segment.map_err(|_| Error::internal("a segment is not known"))?;
            let is_first = self.opened.borrow_mut().insert(segment.key.clone());
            if is_first && segment.import.is_none() {
                let judge = Judge { rule: &segment.rule.text, ..*self };
                rules.push(Judged { segment: Some(segment.key.clone()), ..judge.whole()? });
            }
        }
        Ok(rules)
    }

    /// The fields and segments that a condition names, in order.
    fn parsed(&self, condition: &str) -> Result<Vec<Steps>, Error> {
        let known = fields::describe(&self.survey.schema);
        let parsed = expression::with_stack(|| Parsed::new(condition, &known).map(|it| it.fields));
        parsed.map_err(|_| Error::internal("a condition is none by itself"))
    }

    /// Whether a condition is true: it is or its opposite is, or else it cannot be told.
    fn outcome(&self, condition: &str) -> Result<Outcome, Error> {
        let is_true = |rule: &str| -> Result<bool, Error> {
            let mut query = self.query.clone();
            rule.clone_into(&mut query.rule.text);
            let parts = Parts { who: Who::Members, columns: &[], hidden: &[], query: &query };
            let selection = Selection::new(parts, self.survey)?;
            Ok(select_at(&selection, self.row, &Restriction::None, self.address)?.received > 0)
        };
        let outcome = || {
            Ok::<_, Error>(match () {
                () if is_true(condition)? => Outcome::True,
                () if is_true(&format!("NOT ({condition}\n)"))? => Outcome::False,
                () => Outcome::Unknown,
            })
        };
        match outcome() {
            Err(error) if error.code() == "expression_error" => {
                let message = error.to_string();
                let message = message.strip_suffix(" (field `rule`)").unwrap_or(&message);
                Ok(Outcome::Failed(message.to_owned()))
            }
            outcome => outcome,
        }
    }

    /// The fields that a condition reads, with their values.
    fn fields(&self, condition: &str) -> Result<Vec<Value<String>>, Error> {
        let mut paths = self.parsed(condition)?;
        paths.retain(|path| in_segment::written(path).is_none());
        let values = self.values(&[], &paths)?;
        // What was found out about events is known by a name that nobody wrote.
        let name = |path: &Steps| match path.root().starts_with(ANSWER) {
            true => "events".to_owned(),
            false => path.to_string(),
        };
        let names = paths.iter().map(name);
        Ok(names.zip(values).map(|(of, value)| Value { of, value }).collect())
    }

    fn values(&self, columns: &[Column], paths: &[Steps]) -> Result<Vec<Option<String>>, Error> {
        let parts = Parts { who: Who::Everyone, columns, hidden: paths, query: self.query };
        let selection = Selection::new(parts, self.survey)?;
        let values = select_at(&selection, self.row, &Restriction::None, self.address)?.batch;
        Ok(values.columns().iter().map(text).collect())
    }

    /// Whether a side of a comparison says more than the field or the literal that it is.
    fn is_calculated(&self, side: &Range<usize>) -> bool {
        let known = fields::describe(&self.survey.schema);
        let written = &self.rule[side.clone()];
        expression::with_stack(|| {
            Parsed::new(written, &known).is_ok_and(|parsed| !is_plain(&parsed.tree))
        })
    }

    fn column(&self, side: &Range<usize>) -> Column {
        let span = plan::Span { start: 0, end: 0, line: 1, column: 1 };
        let origin = RuleOrigin::Project { span, spans_text: false };
        let text = self.rule[side.clone()].to_owned();
        Column {
            header: String::new(),
            source: ColumnSource::Expression { text, origin },
            mandatory: false,
            deduplicate: false,
            span,
        }
    }
}

fn is_plain(tree: &Expr) -> bool {
    match tree {
        Expr::Identifier(_) | Expr::Value(_) | Expr::TypedString(_) => true,
        Expr::UnaryOp { expr, .. } | Expr::Nested(expr) => is_plain(expr),
        _ => false,
    }
}

impl Judged {
    /// Marks the parts that the outcome rests on.
    fn decide(&mut self) {
        self.decides = true;
        let has = |outcome: &Outcome| self.parts.iter().any(|part| part.outcome == *outcome);
        let (has_true, has_false) = (has(&Outcome::True), has(&Outcome::False));
        let decides = |part: &Self| match self.join {
            Join::All if self.outcome == Outcome::True => true,
            Join::All if has_false => part.outcome == Outcome::False,
            Join::All => part.outcome != Outcome::True,
            Join::Any if has_true => part.outcome == Outcome::True,
            Join::Any if self.outcome == Outcome::False => true,
            Join::Any => part.outcome != Outcome::False,
            Join::Not | Join::Known | Join::Condition => true,
        };
        let chosen: Vec<bool> = self.parts.iter().map(decides).collect();
        let chosen = self.parts.iter_mut().zip(chosen).filter(|(_, decides)| *decides);
        chosen.for_each(|(part, _)| part.decide());
    }

    /// Goes through the part and all its parts, from the outside in.
    pub fn walk<'a>(&'a self, each: &mut impl FnMut(&'a Self)) {
        each(self);
        self.parts.iter().for_each(|part| part.walk(each));
    }
}
