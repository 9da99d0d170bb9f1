//! Those who left: where their records stand today, or what the baseline still knows of them.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::sync::Arc;

use arrow::array::{BooleanArray, RecordBatch, new_null_array};
use arrow::compute::{cast, filter_record_batch};
use arrow::datatypes::Schema;
use plan::Query;
use plan::project::Column;

use super::Shared;
use super::baseline::{Baseline, Batches, entities, kept, people};
use super::compare::Left;
use super::entity::Teller;
use crate::error::Error;
use crate::ordered::Stop;
use crate::people::People;
use crate::row_set::{Address, RowSet};
use crate::rows::{Pass, sort};
use crate::selection::{Parts, Restriction, Selection, Who};
use crate::spill::{BUCKETS, Limits, Sorted, read_part};
use crate::store::blocking;
use crate::survey::Survey;

/// Up to so many are looked for by a table in memory; more are sorted, with all records, on disk.
const TABLE_ENTITIES_MAX: u64 = 1 << 20;

/// Where those are who left.
pub(super) struct Found {
    /// Their records, if they still have one.
    pub(super) here: RowSet,
    /// Those without a record.
    pub(super) gone: Option<Gone>,
    /// All of them.
    pub(super) count: u64,
}

/// Entities of whom only the baseline knows, sorted.
#[derive(Debug)]
pub(crate) struct Gone {
    entities: Shared<File>,
    /// Where that file is, for messages.
    folder: String,
    baseline: Baseline,
    /// Whether they are told by a deduplication key.
    has_key: bool,
}

/// Looks for the records of those who left, in the morsels where they may be.
pub(super) async fn find(
    query: &Query,
    left: Left,
    last: &Baseline,
    (survey, may_be_in): (&Arc<Survey>, impl Fn(usize) -> bool + Send + Sync + 'static),
    limits: &Limits,
    threads: usize,
) -> Result<Found, Error> {
    let count = left.count;
    if count == 0 {
        return Ok(Found { here: RowSet::default(), gone: None, count });
    }
    let records = records(query, &left, (survey, may_be_in), limits, threads).await?;
    let (last, limits) = (last.clone(), limits.clone());
    let has_key = query.columns.iter().any(|column| column.deduplicate);
    let join = move || -> Result<Found, Error> {
        let folder = limits.spill_folder.to_string_lossy().into_owned();
        let failed = |error| Error::io(&folder, "write a temporary file", error);
        let mut gone = BufWriter::new(limits.temporary_file()?);
        let mut here = RowSet::default();
        let mut gone_count = 0_u64;
        for bucket in 0..BUCKETS {
            let wanted = left.entities.read(bucket, read_entities)?;
            let records = records.read(bucket, read_records)?;
            let mut records = records.into_iter().peekable();
            for entity in wanted {
                while records.next_if(|(found, _)| *found < entity).is_some() {}
                match records.next_if(|(found, _)| *found == entity) {
                    Some((_, address)) => here.insert(address),
                    None => {
                        gone.write_all(&entity.to_le_bytes()).map_err(failed)?;
                        gone_count += 1;
                    }
                }
            }
        }
        let gone = gone.into_inner().map_err(|error| failed(error.into_error()))?;
        let gone = (gone_count > 0).then(|| Gone {
            entities: Shared::new(gone),
            folder,
            baseline: last,
            has_key,
        });
        Ok(Found { here, gone, count })
    };
    blocking(join).await
}

/// The records of all entities that may have left, whatever the rule says of them.
async fn records(
    query: &Query,
    left: &Left,
    (survey, may_be_in): (&Arc<Survey>, impl Fn(usize) -> bool + Send + Sync + 'static),
    limits: &Limits,
    threads: usize,
) -> Result<Sorted, Error> {
    let columns: Vec<Column> =
        query.columns.iter().filter(|column| column.deduplicate).cloned().collect();
    let columns: Vec<Column> = columns.into_iter().map(Column::optional).collect();
    let parts = Parts { who: Who::Everyone, columns: &columns, hidden: &survey.key.columns, query };
    let selection = Arc::new(Selection::new(parts, survey)?);
    let teller = Teller::new(&columns, &selection.schema, &survey.key)?;
    let table = table(left)?;
    let pass = Pass { survey: Arc::clone(survey), selection };
    let where_they_may_be = move |morsel, _, _| may_be_in(morsel).then_some(Restriction::None);
    let buckets =
        sort(pass, limits.clone(), threads, where_they_may_be, move |morsel, piece, buckets| {
            let mut found = Vec::new();
            for (row, entity) in teller.tell(&piece.selected.batch)?.into_iter().enumerate() {
                let wanted =
                    |entity: &u128| table.as_ref().is_none_or(|table| table.contains(entity));
                if let Some(entity) = entity.filter(wanted) {
                    found.push((entity, Address::new(morsel, piece.row(row))));
                }
            }
            let mut buckets = buckets.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            found.iter().try_for_each(|(entity, address)| {
                let parts = [&entity.to_le_bytes()[..], &address.0.to_le_bytes()];
                buckets.push((entity >> 64) as u64, &parts)
            })
        });
    Ok(buckets.await?.finish())
}

fn table(left: &Left) -> Result<Option<HashSet<u128>>, Error> {
    if left.count > TABLE_ENTITIES_MAX {
        return Ok(None);
    }
    let mut table = HashSet::with_capacity(left.count as usize);
    for bucket in 0..BUCKETS {
        table.extend(left.entities.read(bucket, read_entities)?);
    }
    Ok(Some(table))
}

/// The entities of one bucket.
pub(super) fn read_entities(entries: &mut dyn Read) -> io::Result<Vec<u128>> {
    let (mut entities, mut part) = (Vec::new(), Vec::new());
    while read_part(entries, &mut part, 16)? {
        entities.push(part[..].try_into().map_or(0, u128::from_le_bytes));
    }
    Ok(entities)
}

/// Sorted by entity, of each the first record.
fn read_records(entries: &mut dyn Read) -> io::Result<Vec<(u128, Address)>> {
    let (mut records, mut part) = (Vec::new(), Vec::new());
    while read_part(entries, &mut part, 24)? {
        let entity = part[..16].try_into().map_or(0, u128::from_le_bytes);
        let address = part[16..].try_into().map_or(0, u64::from_le_bytes);
        records.push((entity, Address(address)));
    }
    records.sort_unstable();
    records.dedup_by_key(|(entity, _)| *entity);
    Ok(records)
}

impl Gone {
    /// Hands over what is known of them as rows of `selection`, sorted by entity: keys and
    /// identities as they were sent, and nothing else; and whose each of them is.
    pub(crate) fn read<E: From<Error>>(
        &self,
        selection: &Selection,
        mut each: impl FnMut(RecordBatch, People) -> Result<(), Stop<E>>,
    ) -> Result<(), Stop<E>> {
        let outcome = self.batches(selection, |batch, people| Ok(each(batch, people)));
        outcome.unwrap_or_else(|error| Err(Stop::Failed(error.into())))
    }

    /// Ends early with what `each` fails with.
    fn batches<S>(
        &self,
        selection: &Selection,
        mut each: impl FnMut(RecordBatch, People) -> Result<Result<(), S>, Error>,
    ) -> Result<Result<(), S>, Error> {
        let mut moved = HashSet::new();
        for batch in self.baseline.moves()?.into_iter().flatten() {
            moved.extend(entities(&batch?).unwrap_or_default());
        }
        // What the moves say of an entity stands in for what the set says.
        let in_set = |entity: &u128| !moved.contains(entity);
        if let Err(stop) = self.wanted(self.baseline.batches()?, in_set, selection, &mut each)? {
            return Ok(Err(stop));
        }
        match self.baseline.moves()? {
            None => Ok(Ok(())),
            Some(moves) => self.wanted(moves, |_| true, selection, &mut each),
        }
    }

    /// The wanted entities among those of a file that `counts`.
    fn wanted<S>(
        &self,
        batches: Batches<'_>,
        counts: impl Fn(&u128) -> bool,
        selection: &Selection,
        each: &mut impl FnMut(RecordBatch, People) -> Result<Result<(), S>, Error>,
    ) -> Result<Result<(), S>, Error> {
        let failed = |error| Error::io(&self.folder, "read a temporary file", error);
        let opened = self.entities.with(|file| -> io::Result<_> {
            let mut file = file.try_clone()?;
            file.seek(SeekFrom::Start(0))?;
            Ok(BufReader::new(file))
        });
        let mut wanted = opened.map_err(failed)?;
        let mut part = Vec::new();
        let mut next = || -> Result<Option<u128>, Error> {
            let is_there = read_part(&mut wanted, &mut part, 16).map_err(failed)?;
            Ok(part[..].try_into().ok().filter(|_| is_there).map(u128::from_le_bytes))
        };
        let mut entity = next()?;
        for batch in batches {
            let batch = batch?;
            let mut mask = Vec::with_capacity(batch.num_rows());
            for found in entities(&batch).unwrap_or_default() {
                while entity.is_some_and(|entity| entity < found) {
                    entity = next()?;
                }
                mask.push(entity == Some(found) && counts(&found));
            }
            if !mask.contains(&true) {
                continue;
            }
            let rows = filter_record_batch(&batch, &BooleanArray::from(mask))
                .map_err(|_| Error::internal("a baseline has columns of different lengths"))?;
            let people = People::of_profiles(people(&rows, self.has_key));
            if let Err(stop) = each(rows_of(&rows, selection)?, people)? {
                return Ok(Err(stop));
            }
        }
        Ok(Ok(()))
    }
}

/// Rows of the query from rows of a baseline.
fn rows_of(batch: &RecordBatch, selection: &Selection) -> Result<RecordBatch, Error> {
    let rows = batch.num_rows();
    let schema: &Schema = &selection.schema;
    let fill = |(number, field): (usize, &Arc<arrow::datatypes::Field>)| {
        if let Some(known) = selection.column_of_the_gone(number, rows) {
            return known;
        }
        // A key whose type is another one by now is sent if it can be read as the new one.
        let found = kept(batch, field.name());
        let found = found.and_then(|found| cast(found, field.data_type()).ok());
        found.unwrap_or_else(|| new_null_array(field.data_type(), rows))
    };
    let columns = schema.fields().iter().enumerate().map(fill).collect();
    RecordBatch::try_new(Arc::clone(&selection.schema), columns)
        .map_err(|_| Error::internal("columns do not fit their own schema"))
}
