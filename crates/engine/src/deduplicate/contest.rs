//! Who takes the place of a row with the same key, and why.

use std::sync::{Arc, Mutex, PoisonError};

use futures::TryStreamExt;
use plan::Query;
use plan::project::Column;

use super::{
    OLDEST_LAST, Ranks, SMALLEST_FIRST, converter, has_key, qualification_time, row_bytes,
};
use crate::error::Error;
use crate::explain::{read_row, select_at};
use crate::ordered::{Ordered, Outlet, Stop};
use crate::row_set::Address;
use crate::selection::{Parts, Restriction, Selection, Who};
use crate::store::blocking;
use crate::survey::Survey;

/// The row that is sent for a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Holder {
    pub(crate) address: Address,
    pub(crate) by: By,
}

/// What a row is preferred to another one by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    /// It is the row itself.
    Itself,
    /// It became a member later.
    Membership,
    /// Its timestamp is later.
    Timestamp,
    /// It comes first by this column of the mapping.
    Column(usize),
    /// It stands before the other, which is equal in everything that counts.
    Place,
}

/// Finds the row that is sent for the key of a row, whether that row is a member or not; nothing if
/// there is no key, it has a gap there, or nobody is sent for it.
pub(crate) async fn holder(
    query: &Query,
    survey: &Arc<Survey>,
    address: Address,
    threads: usize,
) -> Result<Option<Holder>, Error> {
    if !query.columns.iter().any(|column| column.deduplicate) {
        return Ok(None);
    }
    let ranks = Ranks::new(query, survey)?;
    let (asked, read) = (query.clone(), Arc::clone(survey));
    let own = blocking(move || row(&asked, &read, address)).await?;
    if has_key(&own, &ranks.keys.1).is_some_and(|has_key| !has_key.value(0)) {
        return Ok(None);
    }
    let key = row_bytes(&ranks.keys.0, &own, &ranks.keys.1)?;
    let key = key.row(0).as_ref().to_vec();
    let Some(best) = best(ranks, key, survey.morsels.len(), threads).await? else {
        return Ok(None);
    };
    let by = if best == address {
        By::Itself
    } else {
        let (query, survey) = (query.clone(), Arc::clone(survey));
        blocking(move || reason(&query, &survey, best, &own)).await?
    };
    Ok(Some(Holder { address: best, by }))
}

/// The columns of a row as they are ranked, whatever the rule says of it.
fn row(
    query: &Query,
    survey: &Survey,
    address: Address,
) -> Result<arrow::array::RecordBatch, Error> {
    let mut columns: Vec<Column> = query.columns.iter().cloned().map(Column::optional).collect();
    columns.extend(with_times(query, survey).then(qualification_time));
    let hidden = survey.timestamp.as_slice();
    let parts = Parts { who: Who::Everyone, columns: &columns, hidden, query };
    let selection = Selection::new(parts, survey)?;
    let row = read_row(survey, address, &selection.needed)?;
    Ok(select_at(&selection, &row, &Restriction::None, address)?.batch)
}

/// Whether it is known since when members are so.
fn with_times(query: &Query, survey: &Survey) -> bool {
    survey.known.members(query).is_some_and(|known| known.since.is_some())
}

/// What ranks a row, as bytes that sort, and where it stands.
type Ranked = (Vec<u8>, Address);

/// The best of all rows with a key.
async fn best(
    ranks: Ranks,
    key: Vec<u8>,
    morsels: usize,
    threads: usize,
) -> Result<Option<Address>, Error> {
    let best: Arc<Mutex<Option<Ranked>>> = Arc::default();
    let shared = Arc::clone(&best);
    let mut jobs: Ordered<(), Error> =
        Ordered::new(morsels, threads, move |morsel, _: &Outlet<(), Error>| {
            ranks.pass.read_morsel(
                morsel,
                |_, _| Restriction::None,
                |piece| {
                    let batch = &piece.selected.batch;
                    let keys =
                        row_bytes(&ranks.keys.0, batch, &ranks.keys.1).map_err(Stop::Failed)?;
                    for (row, position) in piece.selected.positions().into_iter().enumerate() {
                        if keys.row(row).as_ref() != key {
                            continue;
                        }
                        let rank = match ranks.ranks.1.is_empty() {
                            true => Vec::new(),
                            false => {
                                let one = batch.slice(row, 1);
                                let rank = row_bytes(&ranks.ranks.0, &one, &ranks.ranks.1);
                                rank.map_err(Stop::Failed)?.row(0).as_ref().to_vec()
                            }
                        };
                        let found = (rank, Address::new(morsel, piece.row(position)));
                        let mut best = shared.lock().unwrap_or_else(PoisonError::into_inner);
                        if best.as_ref().is_none_or(|best| found < *best) {
                            *best = Some(found);
                        }
                    }
                    Ok(())
                },
            )
        });
    while jobs.try_next().await?.is_some() {}
    let best = best.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(best.as_ref().map(|(_, address)| *address))
}

/// The first thing in which the best row comes before another one.
fn reason(
    query: &Query,
    survey: &Arc<Survey>,
    best: Address,
    other: &arrow::array::RecordBatch,
) -> Result<By, Error> {
    let ranks = Ranks::new(query, survey)?;
    let best = row(query, survey, best)?;
    for &column in &ranks.ranks.1 {
        let is_own = column < query.columns.len();
        let options = if is_own { SMALLEST_FIRST } else { OLDEST_LAST };
        let one = converter(&best.schema(), &[column], |_| options)?;
        let (left, right) =
            (row_bytes(&one, &best, &[column])?, row_bytes(&one, other, &[column])?);
        if left.row(0) != right.row(0) {
            let is_time = column == query.columns.len() && with_times(query, survey);
            return Ok(match () {
                () if is_own => By::Column(column),
                () if is_time => By::Membership,
                () => By::Timestamp,
            });
        }
    }
    Ok(By::Place)
}
