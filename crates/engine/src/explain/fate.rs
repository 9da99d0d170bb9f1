//! What becomes of a row in an export: it is in the file, or why it is not.

use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::buffer::BooleanBuffer;
use plan::Query;
use plan::project::Column;

use super::{Export, PersonId, identity_of, read_row, select_at, text};
use crate::deduplicate::contest::{By, Holder, holder};
use crate::error::Error;
use crate::increment::{Standing, kept_columns, standing};
use crate::row_set::Address;
use crate::selection::{Marks, Parts, Restriction, Selection, Spot, Who, present};
use crate::store::blocking;
use crate::survey::Survey;

/// A row that an export would have, or has not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileRow {
    /// What becomes of it.
    pub fate: Fate,
    /// The values of its columns, in their order; nothing where one is missing.
    pub values: Vec<Option<String>>,
    /// The columns that the file withholds, by position: attributes of somebody who left and has not
    /// consented.
    pub withheld: Vec<usize>,
}

/// What becomes of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// The rule does not take the person.
    NotMember,
    /// They have not consented, or have opted out.
    Refused,
    /// Mandatory columns have no value: their headers.
    Missing(Vec<String>),
    /// Another row with the same key is sent instead.
    Duplicate(Duplicate),
    /// Nothing tells the row from others, so that an increment cannot follow it.
    Nameless,
    /// It was sent by an earlier run and is what it was.
    Unchanged {
        /// When it came into the set, in microseconds since 1970.
        since: i64,
    },
    /// It is not in the set any more, and those who left are not sent.
    Left(Departure),
    /// It is in the file.
    Sent(Move),
}

/// Why a row is in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Move {
    /// A full file has all members.
    Member,
    /// It was not sent before.
    Added,
    /// It was sent before, with other attributes.
    Changed {
        /// When it came into the set, in microseconds since 1970.
        since: i64,
    },
    /// It is not in the set any more.
    Removed(Departure),
}

/// Why a row that was sent before is not in the set any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Departure {
    /// The rule does not take the person any more.
    NotMember,
    /// They have opted out, or withdrawn their consent.
    Refused,
    /// A mandatory column has no value any more.
    Missing,
}

impl Departure {
    fn of(fate: &Fate) -> Self {
        match fate {
            Fate::Refused => Self::Refused,
            Fate::Missing(_) => Self::Missing,
            _ => Self::NotMember,
        }
    }
}

/// Who is sent instead, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duplicate {
    /// Whose row is sent.
    pub winner: PersonId,
    /// The headers of the key.
    pub key: Vec<String>,
    /// What decided.
    pub by: TieBreak,
}

/// What decides between rows of one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TieBreak {
    /// The later time of becoming a member.
    Membership,
    /// The later timestamp.
    Timestamp,
    /// The first in the order of this column.
    Column(String),
    /// The rows are equal in all that counts: the first in the order of the profiles.
    Order,
}

/// Finds out what becomes of a row.
pub(super) async fn of(
    query: &Query,
    survey: &Arc<Survey>,
    address: Address,
    export: Export<'_>,
    threads: usize,
) -> Result<FileRow, Error> {
    let holder = holder(query, survey, address, threads).await?;
    let (query, survey) = (query.clone(), Arc::clone(survey));
    let increment = export.increment.cloned();
    let baseline = export.baseline.map(Path::to_owned);
    blocking(move || {
        let export = Export { increment: increment.as_ref(), baseline: baseline.as_deref() };
        decide(&query, &survey, address, export, holder)
    })
    .await
}

/// The same, when it is known who is sent for the key of the row.
fn decide(
    query: &Query,
    survey: &Survey,
    address: Address,
    export: Export<'_>,
    holder: Option<Holder>,
) -> Result<FileRow, Error> {
    let row = Row::read(query, survey, address)?;
    let fate = row.fate(query, survey, holder)?;
    let fate = match (export.increment, fate) {
        (None, fate) | (Some(_), fate @ Fate::Duplicate(_)) => fate,
        (Some(increment), fate) => {
            let known = standing(query, increment, export.baseline, survey, address)?;
            // Where another row has the key, it is that row which was sent before.
            let is_free = holder.is_none();
            match (known, fate) {
                (Standing::Nameless, Fate::Sent(_)) => Fate::Nameless,
                (Standing::Known { since, is_changed: false }, Fate::Sent(_)) => {
                    Fate::Unchanged { since }
                }
                (Standing::Known { since, .. }, Fate::Sent(_)) => {
                    Fate::Sent(Move::Changed { since })
                }
                (_, Fate::Sent(_)) => Fate::Sent(Move::Added),
                (Standing::Known { .. }, fate) if is_free && increment.leavers => {
                    Fate::Sent(Move::Removed(Departure::of(&fate)))
                }
                (Standing::Known { .. }, fate) if is_free => Fate::Left(Departure::of(&fate)),
                (_, fate) => fate,
            }
        }
    };
    match (&fate, export.increment) {
        (Fate::Sent(Move::Removed(_)), Some(increment)) => {
            let kept = kept_columns(query, increment, survey)?;
            let (values, withheld) = row.values_of_leaver(query, survey, &kept)?;
            Ok(FileRow { fate, values, withheld })
        }
        _ => {
            let values = row.values(&fate)?;
            Ok(FileRow { fate, values, withheld: Vec::new() })
        }
    }
}

fn bit(is_set: bool) -> BooleanBuffer {
    BooleanBuffer::from(vec![is_set])
}

/// A row with the columns of the mapping.
struct Row {
    is_member: bool,
    /// Whether a member may be sent.
    consents: bool,
    address: Address,
    selection: Selection,
    records: RecordBatch,
    columns: RecordBatch,
}

impl Row {
    fn read(query: &Query, survey: &Survey, address: Address) -> Result<Self, Error> {
        let columns: Vec<Column> = query.columns.iter().cloned().map(Column::optional).collect();
        let select = |who: Who<'_>, columns: &[Column], query: &Query| -> Result<_, Error> {
            let selection = Selection::new(Parts { who, columns, hidden: &[], query }, survey)?;
            let records = read_row(survey, address, &selection.needed)?;
            let selected = select_at(&selection, &records, &Restriction::None, address)?;
            Ok((selection, records, selected))
        };
        let asked = select(Who::Members, &[], query)?.2;
        let (is_member, consents) = (asked.received > 0, !asked.positions().is_empty());
        let (selection, records, selected) = select(Who::Everyone, &columns, query)?;
        let columns = selected.batch;
        Ok(Self { is_member, consents, address, selection, records, columns })
    }

    /// The values of the columns, as the file has them of somebody who has not left.
    fn values(&self, fate: &Fate) -> Result<Vec<Option<String>>, Error> {
        let Fate::Sent(Move::Changed { since }) = fate else {
            return Ok(self.columns.columns().iter().map(text).collect());
        };
        let marks = Marks { changed: bit(true), removed: bit(false), since: vec![(0, *since)] };
        let sent = Restriction::Exactly { rows: bit(true), marks };
        let sent = select_at(&self.selection, &self.records, &sent, self.address)?.batch;
        Ok(sent.columns().iter().map(text).collect())
    }

    /// The values of the columns, as the file has them of somebody who left, and which of the columns
    /// it withholds.
    fn values_of_leaver(
        &self,
        query: &Query,
        survey: &Survey,
        kept: &[usize],
    ) -> Result<(Vec<Option<String>>, Vec<usize>), Error> {
        let columns: Vec<Column> = query.columns.iter().cloned().map(Column::optional).collect();
        let parts = Parts { who: Who::Left { kept }, columns: &columns, hidden: &[], query };
        let selection = Selection::new(parts, survey)?;
        let records = read_row(survey, self.address, &selection.needed)?;
        let marks = Marks { changed: bit(false), removed: bit(true), since: Vec::new() };
        let sent = Restriction::Exactly { rows: bit(true), marks };
        let sent = select_at(&selection, &records, &sent, self.address)?.batch;
        let values = sent.columns().iter().map(text).collect();
        let spot =
            Spot { morsel: self.address.morsel(), first_row: self.address.row(), since: None };
        let withheld = selection.withheld_of(&records, spot)?.to_vec();
        Ok((values, withheld))
    }

    /// The fate in a full file.
    fn fate(&self, query: &Query, survey: &Survey, holder: Option<Holder>) -> Result<Fate, Error> {
        if !self.is_member {
            return Ok(Fate::NotMember);
        }
        if !self.consents {
            return Ok(Fate::Refused);
        }
        let is_missing = |&(number, column): &(usize, &Column)| {
            let present = present(self.columns.column(number));
            column.mandatory && present.is_some_and(|present| !present.value(0))
        };
        let missing = query.columns.iter().enumerate().filter(is_missing);
        let missing: Vec<String> = missing.map(|(_, column)| column.header.clone()).collect();
        if !missing.is_empty() {
            return Ok(Fate::Missing(missing));
        }
        let Some(Holder { address, by }) = holder else { return Ok(Fate::Sent(Move::Member)) };
        let by = match by {
            By::Itself => return Ok(Fate::Sent(Move::Member)),
            By::Membership => TieBreak::Membership,
            By::Timestamp => TieBreak::Timestamp,
            By::Column(column) => TieBreak::Column(query.columns[column].header.clone()),
            By::Place => TieBreak::Order,
        };
        let key = query.columns.iter().filter(|column| column.deduplicate);
        let key = key.map(|column| column.header.clone()).collect();
        Ok(Fate::Duplicate(Duplicate { winner: identity_of(survey, address)?, key, by }))
    }
}
