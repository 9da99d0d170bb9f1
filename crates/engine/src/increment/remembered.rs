//! What a baseline still knows of somebody whom no record of today has.

use std::collections::HashSet;
use std::path::Path;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::TimestampMicrosecondType;
use plan::Query;
use plan::run_plan::Increment;

use super::baseline::{Baseline, Facts, entities, kept, left, people};
use super::entity::Kept;
use crate::error::Error;
use crate::explain::{PersonId, SentRow, text};
use crate::people::hash_of;
use crate::survey::Survey;

/// The rows of somebody in the set that the last delivered run left; nothing without such a set, and
/// where it was made for other keys. `person` is the identity that the profile was known by.
pub(crate) fn remembered(
    query: &Query,
    increment: &Increment,
    last: &Path,
    survey: &Survey,
    person: &PersonId,
) -> Result<Option<Vec<SentRow>>, Error> {
    let kept = Kept::new(query, increment, survey)?;
    let facts = Facts::new(query, increment, &survey.key, &kept);
    let Some(last) = Baseline::open(last, &facts)? else { return Ok(None) };
    let headers: Vec<&str> =
        kept.columns.iter().map(|&column| query.columns[column].header.as_str()).collect();
    let has_key = query.columns.iter().any(|column| column.deduplicate);
    let [_, wanted] = hash_of(&person.namespace, &person.value).numbers();
    let mut found = Vec::new();
    let mut find = |batch: &RecordBatch, counts: &dyn Fn(usize) -> bool| {
        let of_person = people(batch, has_key).into_iter().enumerate();
        let rows = of_person.filter(|(row, it)| *it == wanted && counts(*row));
        found.extend(rows.map(|(row, _)| row_of(batch, row, &headers)));
    };
    let mut moved = HashSet::new();
    for batch in last.moves()?.into_iter().flatten() {
        let batch = batch?;
        moved.extend(entities(&batch).unwrap_or_default());
        let left = left(&batch);
        find(&batch, &|row| left.is_none_or(|left| !left.value(row)));
    }
    for batch in last.batches()? {
        let batch = batch?;
        // What the moves say of an entity stands in for what the set says.
        let entities = entities(&batch).unwrap_or_default();
        find(&batch, &|row| entities.get(row).is_some_and(|entity| !moved.contains(entity)));
    }
    Ok(Some(found))
}

fn row_of(batch: &RecordBatch, row: usize, headers: &[&str]) -> SentRow {
    let since = batch.column(2).as_primitive_opt::<TimestampMicrosecondType>();
    let key = headers.iter().map(|header| {
        let value = kept(batch, header).and_then(|column| text(&column.slice(row, 1)));
        ((*header).to_owned(), value)
    });
    SentRow { since: since.map_or(0, |since| since.value(row)), key: key.collect() }
}
