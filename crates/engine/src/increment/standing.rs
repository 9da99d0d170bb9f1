//! What an increment knows of one row.

use std::path::Path;

use plan::Query;
use plan::project::Column;
use plan::run_plan::Increment;

use super::baseline::{Baseline, Facts};
use super::entity::{Attributes, Kept, Teller};
use crate::error::Error;
use crate::explain::{read_row, select_at};
use crate::row_set::Address;
use crate::selection::{Parts, Restriction, Selection, Who};
use crate::survey::Survey;

/// What the last delivered run sent of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Nothing tells the row from others.
    Nameless,
    /// There is nothing to compare with: everybody is new.
    First,
    /// Nothing.
    New,
    /// The row, which has been in the set since then, in microseconds.
    Known {
        since: i64,
        /// Whether its attributes differ, in an export of changes.
        is_changed: bool,
    },
}

/// Looks a row up in the baseline.
pub(crate) fn standing(
    query: &Query,
    increment: &Increment,
    last: Option<&Path>,
    survey: &Survey,
    address: Address,
) -> Result<Standing, Error> {
    let columns: Vec<Column> = query.columns.iter().cloned().map(Column::optional).collect();
    let hidden = survey.key.columns.as_slice();
    let parts = Parts { who: Who::Everyone, columns: &columns, hidden, query };
    let selection = Selection::new(parts, survey)?;
    let teller = Teller::new(&columns, &selection.schema, &survey.key)?;
    let row = read_row(survey, address, &selection.needed)?;
    let row = select_at(&selection, &row, &Restriction::None, address)?.batch;
    let Some(entity) = teller.tell(&row)?.into_iter().next().flatten() else {
        return Ok(Standing::Nameless);
    };
    let kept = Kept::new(query, increment, survey)?;
    let facts = Facts::new(query, increment, &survey.key, &kept);
    let last = last.map(|path| Baseline::open(path, &facts)).transpose()?.flatten();
    let Some(last) = last else { return Ok(Standing::First) };
    let mut rows = last.rows()?;
    while let Some(before) = rows.peek()?.filter(|before| before.entity <= entity) {
        if before.entity == entity {
            let hash = match increment.changes {
                true => Attributes::new(&columns, &selection.schema)?.hash(&row)?.pop(),
                false => None,
            };
            let is_changed = increment.changes && before.hash != hash;
            return Ok(Standing::Known { since: before.since, is_changed });
        }
        rows.pass()?;
    }
    Ok(Standing::New)
}
