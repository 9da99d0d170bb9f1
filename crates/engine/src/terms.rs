//! Other segments that rules and columns rest on, each evaluated once per batch.
//!
//! A term is a segment that an expression names by `in_segment`. Its rule is the same text as that of
//! the segment itself, evaluated on the same records at the same instant; what it says becomes one
//! more column of the records, which is all that the expression sees of it.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{DataType, Field, Schema};
use jiff::Timestamp;
use plan::project::Segment;
use plan::segment_reference::find;

use crate::error::{Error, Kind};
use crate::expression::in_segment;
use crate::members::Members;
use crate::path::Steps;
use crate::selection::{Condition, Records, Spot};
use crate::survey::Survey;

/// The deepest chain of segments that rest on each other.
const DEPTH_MAX: usize = 64;

/// Segments that expressions name, each behind those that it rests on itself.
#[derive(Debug, Default)]
pub(crate) struct Terms {
    terms: Vec<Term>,
    /// The columns, by the texts that name them, with the position of their term.
    names: Vec<(String, usize)>,
}

#[derive(Debug)]
struct Term {
    key: String,
    source: Source,
}

/// What says who is a member.
#[derive(Debug)]
enum Source {
    /// A rule, with the columns of other terms that it reads.
    Rule { condition: Condition, names: Vec<(String, usize)> },
    /// A set that was found out before.
    Known(Arc<Members>),
}

/// What terms are compiled against.
#[derive(Clone, Copy)]
pub(crate) struct Around<'a> {
    pub(crate) segments: &'a [Segment],
    pub(crate) survey: &'a Survey,
    pub(crate) evaluated_at: Timestamp,
}

impl Terms {
    /// Compiles the segments that are named among `paths`; call it on a stack for expressions.
    ///
    /// # Errors
    /// No segment of that name, or a rule that does not fit the records.
    pub(crate) fn new<'p>(
        paths: impl Iterator<Item = &'p Steps>,
        around: Around<'_>,
    ) -> Result<Self, Error> {
        let mut terms = Self::default();
        terms.include(paths, around)?;
        Ok(terms)
    }

    /// Compiles the segments that are named among more paths.
    ///
    /// # Errors
    /// As [`Terms::new`].
    pub(crate) fn include<'p>(
        &mut self,
        paths: impl Iterator<Item = &'p Steps>,
        around: Around<'_>,
    ) -> Result<(), Error> {
        for named in self.add_all(paths, around, &mut Vec::new())? {
            if !self.names.contains(&named) {
                self.names.push(named);
            }
        }
        Ok(())
    }

    fn add_all<'p>(
        &mut self,
        paths: impl Iterator<Item = &'p Steps>,
        around: Around<'_>,
        open: &mut Vec<String>,
    ) -> Result<Vec<(String, usize)>, Error> {
        let written: BTreeSet<&str> = paths.filter_map(in_segment::written).collect();
        let mut names = Vec::new();
        for written in written {
            names.push((written.to_owned(), self.add(written, around, open)?));
        }
        Ok(names)
    }

    fn add(
        &mut self,
        written: &str,
        around: Around<'_>,
        open: &mut Vec<String>,
    ) -> Result<usize, Error> {
        let segment = find(around.segments, written).map_err(|_| {
            let message = format!("there is no segment `{written}`");
            Error::new(Kind::Invalid, "unknown_segment", message)
        })?;
        if let Some(known) = self.terms.iter().position(|term| term.key == segment.key) {
            return Ok(known);
        }
        // The plan refuses circles; this keeps the stack from those that nobody has checked.
        if open.contains(&segment.key) || open.len() >= DEPTH_MAX {
            let message =
                format!("segments rest on each other in a circle, or more than {DEPTH_MAX} deep");
            return Err(Error::new(Kind::Invalid, "segment_circle", message).at_field(written));
        }
        if segment.import.is_some() {
            let known = around.survey.known.import(&segment.key);
            let known = known.ok_or_else(|| Error::internal("an imported segment was not read"))?;
            self.terms
                .push(Term { key: segment.key.clone(), source: Source::Known(known.members) });
            return Ok(self.terms.len() - 1);
        }
        open.push(segment.key.clone());
        let place = format!("segment {}", segment.key);
        let condition =
            Condition::new(&segment.rule.text, &place, &around.survey.schema, around.evaluated_at)?;
        let names = self.add_all(condition.paths(), around, open)?;
        open.pop();
        let source = Source::Rule { condition, names };
        self.terms.push(Term { key: segment.key.clone(), source });
        Ok(self.terms.len() - 1)
    }

    /// Whether any of the sets is known by the places of records.
    pub(crate) fn rest_on_places(&self) -> bool {
        self.terms.iter().any(|term| matches!(term.source, Source::Known(_)))
    }

    /// The fields of records that the rules read.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &Steps> {
        let conditions = self.terms.iter().filter_map(|term| match &term.source {
            Source::Rule { condition, .. } => Some(condition),
            Source::Known(_) => None,
        });
        conditions.flat_map(Condition::paths)
    }

    /// Adds the columns that say who is a member.
    ///
    /// # Errors
    /// A rule cannot be computed for a value.
    pub(crate) fn extend(
        &self,
        records: &RecordBatch,
        spot: Spot<'_>,
    ) -> Result<RecordBatch, Error> {
        if self.terms.is_empty() {
            return Ok(records.clone());
        }
        let mut found: Vec<ArrayRef> = Vec::with_capacity(self.terms.len());
        for term in &self.terms {
            let members = match &term.source {
                Source::Rule { condition, names } => {
                    condition.holds(&with_columns(records, names, &found)?)?
                }
                Source::Known(known) => Records::of(records, spot).bits(&known.set),
            };
            found.push(Arc::new(BooleanArray::new(members, None)));
        }
        with_columns(records, &self.names, &found)
    }
}

fn with_columns(
    records: &RecordBatch,
    names: &[(String, usize)],
    found: &[ArrayRef],
) -> Result<RecordBatch, Error> {
    if names.is_empty() {
        return Ok(records.clone());
    }
    let mut fields: Vec<_> = records.schema().fields().iter().cloned().collect();
    let mut columns = records.columns().to_vec();
    for (written, term) in names {
        let column = in_segment::column(written);
        fields.push(Arc::new(Field::new(column.root(), DataType::Boolean, false)));
        columns.push(Arc::clone(&found[*term]));
    }
    let options = RecordBatchOptions::new().with_row_count(Some(records.num_rows()));
    RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &options)
        .map_err(|_| Error::internal("columns do not fit their own schema"))
}
