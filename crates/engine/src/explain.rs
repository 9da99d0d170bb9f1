//! Why somebody is in a segment or not, and what becomes of them in an export.
//!
//! The person is found by an identity, their one row is read, and the parts of the rule are asked
//! one by one ([`rule`]). For an export, the same is done with the rows that it would have of them
//! ([`fate`]): what is missing, who takes their place, what was sent before. Nothing is kept of the
//! others, so the memory does not depend on how many there are.

mod fate;
mod gone;
mod person;
mod rule;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use plan::Query;
use plan::run_plan::Increment;

use crate::Engine;
use crate::error::Error;
use crate::path::Steps;
use crate::profiles::Profiles;
use crate::row_set::Address;
use crate::selection::{Restriction, Selected, Selection, Spot};
use crate::store::blocking;
use crate::survey::Survey;

pub use fate::{Departure, Duplicate, Fate, FileRow, Move, TieBreak};
pub use gone::{PastMember, SentRow};
pub use person::LeftOut;
pub use rule::{Join, Judged, Outcome, Value};

/// An identity: a namespace and a value in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonId {
    /// What kind of id it is.
    pub namespace: String,
    /// The id.
    pub value: String,
}

/// What an export is asked about.
#[derive(Debug, Clone, Copy)]
pub struct Export<'a> {
    /// What an incremental one rests on; nothing for a full one.
    pub increment: Option<&'a Increment>,
    /// What its last delivered run sent.
    pub baseline: Option<&'a Path>,
}

/// What is found out about an identity.
#[derive(Debug)]
pub enum Explained {
    /// No record has it.
    Nobody,
    /// Records have it, and yet they are no profile.
    LeftOut(LeftOut),
    /// It is that of a profile.
    Profile(Box<Explanation>),
}

/// Why a profile is in a segment or not.
#[derive(Debug)]
pub struct Explanation {
    /// The identity that the profile is known by.
    pub person: PersonId,
    /// The rule, with what holds of each part.
    pub rule: Judged,
    /// The rows that the export would have of the person, if one was asked about.
    pub rows: Vec<FileRow>,
}

impl Engine {
    /// Finds out why records that have an identity are no profile; nothing if no record has it.
    ///
    /// # Errors
    /// The datasets cannot be read.
    pub async fn left_out(
        &self,
        profiles: &Profiles,
        person: &PersonId,
    ) -> Result<Option<LeftOut>, Error> {
        person::left_out(profiles, person, self.settings.threads).await
    }

    /// Explains one profile, found by any of its identities.
    ///
    /// Reads the identities of all profiles, and with deduplication keys their keys; of everything
    /// else only the rows that it speaks of.
    ///
    /// # Errors
    /// No dataset has the namespace, several profiles have the identity, the rule or the mapping
    /// does not fit, or reading fails.
    pub async fn explain(
        &self,
        query: &Query,
        profiles: &Profiles,
        person: &PersonId,
        export: Option<Export<'_>>,
    ) -> Result<Explained, Error> {
        let threads = self.settings.threads;
        person::check_namespace(profiles, &person.namespace)?;
        let content = Arc::clone(profiles.content(&self.settings).await?);
        let survey = &content.survey;
        let found = person::find(survey, &content.identities, person, threads).await?;
        let Some(&[address, ..]) = found.as_deref() else {
            let left_out = person::left_out(profiles, person, threads).await?;
            return Ok(left_out.map_or(Explained::Nobody, Explained::LeftOut));
        };
        let known_by = {
            let survey = Arc::clone(survey);
            blocking(move || identity_of(&survey, address)).await?
        };
        let survey = self.answered(query, &query.columns, profiles).await?.survey;
        let judged = {
            let (query, survey) = (query.clone(), Arc::clone(&survey));
            blocking(move || rule::judge(&query, &survey, address)).await?
        };
        let mut explanation = Explanation { person: known_by, rule: judged, rows: Vec::new() };
        if let Some(export) = export {
            let rows = content.rows(query, &survey)?;
            // Where rows are identities, there are others at other places.
            let addresses = match query.identity_namespace() {
                None => vec![address],
                Some(_) => person::find(&rows, &content.identities, person, threads)
                    .await?
                    .unwrap_or_default(),
            };
            for address in addresses {
                let row = fate::of(query, &rows, address, export, threads).await?;
                explanation.rows.push(row);
            }
        }
        Ok(Explained::Profile(Box::new(explanation)))
    }
}

/// Reads one row.
pub(crate) fn read_row(
    survey: &Survey,
    address: Address,
    needed: &BTreeSet<Steps>,
) -> Result<RecordBatch, Error> {
    let mut before = usize::try_from(address.row()).unwrap_or(usize::MAX);
    for records in survey.read(address.morsel(), needed)? {
        let records = records?;
        if before < records.num_rows() {
            return Ok(records.slice(before, 1));
        }
        before -= records.num_rows();
    }
    Err(Error::internal("a row is not where it was found"))
}

/// What a selection makes of one row.
pub(crate) fn select_at(
    selection: &Selection,
    row: &RecordBatch,
    restriction: &Restriction,
    address: Address,
) -> Result<Selected, Error> {
    let (morsel, first_row) = (address.morsel(), address.row());
    let since = selection.since(morsel)?;
    let spot = Spot { morsel, first_row, since: since.as_deref() };
    selection.select(row, restriction, spot)
}

/// The identity that the profile of a row is known by.
fn identity_of(survey: &Survey, address: Address) -> Result<PersonId, Error> {
    let columns = &survey.key.columns;
    let row = read_row(survey, address, &columns.iter().cloned().collect())?;
    let mut texts = Vec::new();
    for column in columns {
        let data_type = column.data_type(&survey.schema);
        let data_type = data_type.ok_or_else(|| Error::internal("a key without its field"))?;
        let value = column.extract(&row, &data_type);
        texts.push(text(&value.map_err(|_| Error::internal("a key cannot be read"))?));
    }
    let value = texts.pop().flatten().unwrap_or_default();
    let namespace = texts.pop().flatten().or_else(|| survey.key.namespace.clone());
    Ok(PersonId { namespace: namespace.unwrap_or_default(), value })
}

/// The first value of a column as text; nothing if it is missing. Floating point numbers that are whole
/// have no point, as in files.
pub(crate) fn text(column: &ArrayRef) -> Option<String> {
    let options = FormatOptions::default();
    let formatter = ArrayFormatter::try_new(column, &options).ok()?;
    let is_missing = column.is_empty() || column.logical_nulls().is_some_and(|it| it.is_null(0));
    let text = (!is_missing).then(|| formatter.value(0).to_string())?;
    if !column.data_type().is_floating() {
        return Some(text);
    }
    Some(text.strip_suffix(".0").map_or_else(|| text.replace(".0e", "e"), str::to_owned))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Float32Array, Float64Array, StringViewArray};

    use super::*;

    #[test]
    fn whole_numbers_have_no_point() {
        let columns: [(ArrayRef, &str); 6] = [
            (Arc::new(Float64Array::from(vec![9.0])), "9"),
            (Arc::new(Float64Array::from(vec![-0.25])), "-0.25"),
            (Arc::new(Float64Array::from(vec![2e30])), "2e30"),
            (Arc::new(Float64Array::from(vec![f64::NAN])), "NaN"),
            (Arc::new(Float32Array::from(vec![1_000.0])), "1000"),
            (Arc::new(StringViewArray::from(vec!["9.0e"])), "9.0e"),
        ];
        for (column, expected) in columns {
            assert_eq!(text(&column).as_deref(), Some(expected));
        }
        assert_eq!(text(&(Arc::new(Float64Array::from(vec![None])) as ArrayRef)), None);
    }
}
