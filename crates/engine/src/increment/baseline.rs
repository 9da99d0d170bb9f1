//! The set of rows that a run has sent, as Parquet files sorted by entity.
//!
//! | column | |
//! |---|---|
//! | `entity` | 16 bytes that stand for the deduplication key or the primary identity |
//! | `row` | a hash of the mapped attributes, in exports of changes |
//! | `since` | when the row came into the set |
//! | `mapped.*` | the key and identity columns of the mapping, where leavers are sent |
//! | `person` | what stands for the profile ([`crate::people`]), where leavers are sent and told by a key |
//! | `piece` | what stands for the part of the snapshot that the row came from |
//!
//! The file says in its metadata what it was made for; one that was made for another key is of no use,
//! and everybody is sent again.
//!
//! A set that differs little from the one before is the same file, and beside it one of its moves:
//! rows of the same form that came, changed or left since, the last of them with `left` set. Whoever
//! reads a baseline reads both as one.

use std::cmp::Reverse;
use std::collections::HashSet;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, FixedSizeBinaryArray, RecordBatch,
    RecordBatchReader as _, TimestampMicrosecondArray, UInt64Array, new_null_array,
};
use arrow::compute::interleave_record_batch;
use arrow::datatypes::{
    DataType, Field, Schema, SchemaRef, TimeUnit, TimestampMicrosecondType, UInt64Type,
};
use parquet::arrow::arrow_reader::ParquetRecordBatchReader;
use parquet::basic::Compression;
use plan::Query;
use plan::project::ColumnSource;
use plan::run_plan::Increment;

use super::entity::Kept;
use crate::error::{Error, Kind};
use crate::people::{NOBODY, shortened};
use crate::state_file;
use crate::survey::ProfileKey;

/// Rows of one row group, the most that the writer holds in memory.
const GROUP_ROWS_MAX: usize = 1 << 19;
/// Begins the names of kept columns.
const KEPT_PREFIX: &str = "mapped.";
const PIECE_COLUMN: &str = "piece";
const LEFT_COLUMN: &str = "left";
const PERSON_COLUMN: &str = "person";

const VERSION_KEY: &str = "segue.baseline";
const ENTITY_KEY: &str = "segue.entity";
/// Raised when the form of the file or one of its hashes changes.
const VERSION: &str = "1";

/// What a baseline is made for.
#[derive(Debug, Clone)]
pub(super) struct Facts {
    /// What tells entities apart, in words.
    entity: String,
    schema: SchemaRef,
    has_rows: bool,
}

impl Facts {
    pub(super) fn new(
        query: &Query,
        increment: &Increment,
        profile: &ProfileKey,
        kept: &Kept,
    ) -> Self {
        let key = query.columns.iter().filter(|column| column.deduplicate);
        let key = key.map(|column| match &column.source {
            ColumnSource::Field(path) => path.to_string(),
            ColumnSource::Identity(namespace) => format!("identityMap.{namespace}"),
            ColumnSource::Expression { text, .. } => format!("({text})"),
            _ => column.header.clone(),
        });
        let mut parts: Vec<String> = key.collect();
        parts.push(format!("profile by {}", profile.primary));
        let facts = Self::of(parts.join(" + "), increment.changes, &kept.schema);
        if kept.tells_person { facts.with_person() } else { facts }
    }

    /// The same with who each row is about, behind the kept columns.
    fn with_person(self) -> Self {
        let mut fields: Vec<_> = self.schema.fields().iter().cloned().collect();
        let person = Field::new(PERSON_COLUMN, DataType::UInt64, true);
        fields.insert(fields.len() - 1, Arc::new(person));
        Self { schema: Arc::new(Schema::new(fields)), ..self }
    }

    /// Facts of rows that are told apart by what `entity` says in words.
    pub(super) fn of(entity: String, has_rows: bool, kept: &Schema) -> Self {
        let time = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        let mut columns = vec![
            Field::new("entity", DataType::FixedSizeBinary(16), false),
            Field::new("row", DataType::UInt64, true),
            Field::new("since", time, false),
        ];
        // A header may be called like a column of ours.
        let named = |header: &str| format!("{KEPT_PREFIX}{header}");
        let kept = kept.fields().iter();
        columns.extend(kept.map(|field| field.as_ref().clone().with_name(named(field.name()))));
        columns.push(Field::new(PIECE_COLUMN, DataType::UInt64, true));
        Self { entity, schema: Arc::new(Schema::new(columns)), has_rows }
    }
}

/// The files of a baseline.
#[derive(Debug, Clone)]
pub(super) struct Paths {
    pub(super) set: PathBuf,
    pub(super) moves: PathBuf,
    /// See [`Places`](super::places::Places).
    pub(super) places: PathBuf,
}

impl Paths {
    pub(super) fn of(set: &Path) -> Self {
        let beside = |name: &str| set.with_extension(name);
        Self { set: set.to_owned(), moves: beside("moves"), places: beside("places") }
    }

    /// Removes what an attempt before may have left.
    pub(super) fn clear(&self) -> Result<(), Error> {
        for path in [&self.places, &self.moves, &self.set] {
            match std::fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(Error::io(&path.to_string_lossy(), "remove it", error));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// A baseline that can be read.
#[derive(Debug, Clone)]
pub(super) struct Baseline {
    pub(super) paths: Paths,
    has_moves: bool,
    /// Whether rows have the columns that a baseline made now would have.
    pub(super) fits: bool,
    /// Rows of the set's own file.
    pub(super) rows: u64,
    /// Rows of the moves.
    pub(super) moved: u64,
}

impl Baseline {
    /// Opens a baseline; nothing if it is not there, or was made for other entities.
    ///
    /// # Errors
    /// It is damaged.
    pub(super) fn open(path: &Path, facts: &Facts) -> Result<Option<Self>, Error> {
        let paths = Paths::of(path);
        let Some(found) = state_file::Facts::of(path, damaged)? else { return Ok(None) };
        let is_ours =
            found.get(VERSION_KEY) == Some(VERSION) && found.get(ENTITY_KEY) == Some(&facts.entity);
        if !is_ours {
            return Ok(None);
        }
        let moves = state_file::Facts::of(&paths.moves, damaged)?;
        let fits = state_file::batches(path, damaged)?.schema().fields() == facts.schema.fields();
        let moved = moves.as_ref().map_or(0, |moves| moves.rows);
        Ok(Some(Self { has_moves: moves.is_some(), fits, rows: found.rows, moved, paths }))
    }

    /// The batches of the set's own file, sorted by entity.
    pub(super) fn batches(&self) -> Result<Batches<'_>, Error> {
        Batches::open(&self.paths.set)
    }

    /// The batches of the moves, sorted by entity.
    pub(super) fn moves(&self) -> Result<Option<Batches<'_>>, Error> {
        self.has_moves.then(|| Batches::open(&self.paths.moves)).transpose()
    }

    /// The rows of the set, sorted by entity.
    pub(super) fn rows(&self) -> Result<Rows<'_>, Error> {
        let set = Cursor::new(self.batches()?);
        Ok(Rows { set, moves: self.moves()?.map(Cursor::new), except: HashSet::new() })
    }
}

fn damaged(path: &Path) -> Error {
    Error::new(Kind::Internal, "damaged_baseline", "the record of what was sent is damaged")
        .in_file(&path.to_string_lossy())
        .with_hint("Remove the file: the next run then sends everybody again.")
}

/// The batches of a file.
pub(super) struct Batches<'a> {
    path: &'a Path,
    reader: ParquetRecordBatchReader,
}

impl<'a> Batches<'a> {
    fn open(path: &'a Path) -> Result<Self, Error> {
        Ok(Self { path, reader: state_file::batches(path, damaged)? })
    }
}

impl Iterator for Batches<'_> {
    type Item = Result<RecordBatch, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.reader.next()?;
        Some(batch.map_err(|_| damaged(self.path)))
    }
}

/// The entities of a batch of a baseline.
pub(super) fn entities(batch: &RecordBatch) -> Option<Vec<u128>> {
    let column = batch.column(0).as_any().downcast_ref::<FixedSizeBinaryArray>()?;
    let entity = |bytes: &[u8]| bytes.try_into().map_or(0, u128::from_be_bytes);
    Some((0..column.len()).map(|row| entity(column.value(row))).collect())
}

/// The kept column of a batch of a baseline.
pub(super) fn kept<'a>(batch: &'a RecordBatch, header: &str) -> Option<&'a ArrayRef> {
    batch.column_by_name(&format!("{KEPT_PREFIX}{header}"))
}

/// Whom the rows of a batch of a baseline are about: it says so, or else entities are profiles.
pub(super) fn people(batch: &RecordBatch, has_key: bool) -> Vec<u64> {
    if has_key {
        let known = batch.column_by_name(PERSON_COLUMN);
        let known = known.and_then(|it| it.as_primitive_opt::<UInt64Type>());
        // Those of earlier versions do not say it.
        return match known {
            Some(known) => known.iter().map(|person| person.unwrap_or(NOBODY)).collect(),
            None => vec![NOBODY; batch.num_rows()],
        };
    }
    entities(batch).unwrap_or_default().into_iter().map(shortened).collect()
}

/// Whether each row of a batch of moves is of an entity that left.
pub(super) fn left(batch: &RecordBatch) -> Option<&BooleanArray> {
    batch.column_by_name(LEFT_COLUMN)?.as_boolean_opt()
}

/// A row of a baseline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) entity: u128,
    /// Nothing when it was not asked for.
    pub(super) hash: Option<u64>,
    /// Microseconds.
    pub(super) since: i64,
    /// The piece of the snapshot that it came from, where that is known.
    pub(super) piece: Option<u64>,
}

/// The rows of a baseline, one after the other.
pub(super) struct Rows<'a> {
    set: Cursor<'a>,
    moves: Option<Cursor<'a>>,
    except: HashSet<u64>,
}

impl Rows<'_> {
    /// Only those from other pieces.
    pub(super) fn except(self, pieces: HashSet<u64>) -> Self {
        Self { except: pieces, ..self }
    }

    /// The row that [`Rows::pass`] would pass.
    pub(super) fn peek(&mut self) -> Result<Option<Row>, Error> {
        loop {
            let row = match self.next_moved()? {
                // It stands in for what the set says of the entity.
                Some((moved, _)) if self.set.peek()?.is_some_and(|it| it.0.entity == moved) => {
                    self.set.next += 1;
                    continue;
                }
                Some((_, None)) => None,
                Some((_, row)) => row,
                None => match self.set.peek()? {
                    None => return Ok(None),
                    Some((row, _)) => Some(row),
                },
            };
            match row {
                Some(row) if row.piece.is_none_or(|piece| !self.except.contains(&piece)) => {
                    return Ok(Some(row));
                }
                _ => self.pass()?,
            }
        }
    }

    /// Goes on to the next row.
    pub(super) fn pass(&mut self) -> Result<(), Error> {
        let is_moved = self.next_moved()?.is_some();
        match &mut self.moves {
            Some(moves) if is_moved => moves.next += 1,
            _ => self.set.next += 1,
        }
        Ok(())
    }

    /// The entity of the next move, if it comes no later than the next row of the set, and its row,
    /// unless it left.
    fn next_moved(&mut self) -> Result<Option<(u128, Option<Row>)>, Error> {
        let Some(moves) = &mut self.moves else { return Ok(None) };
        let Some((moved, left)) = moves.peek()? else { return Ok(None) };
        let is_later = self.set.peek()?.is_some_and(|(row, _)| row.entity < moved.entity);
        Ok((!is_later).then(|| (moved.entity, (!left).then_some(moved))))
    }
}

/// The rows of a file, one after the other.
struct Cursor<'a> {
    batches: Batches<'a>,
    block: Block,
    next: usize,
}

#[derive(Default)]
struct Block {
    entities: Vec<u128>,
    hashes: Option<UInt64Array>,
    since: Option<TimestampMicrosecondArray>,
    pieces: Option<UInt64Array>,
    left: Option<BooleanArray>,
}

impl<'a> Cursor<'a> {
    fn new(batches: Batches<'a>) -> Self {
        Self { batches, block: Block::default(), next: 0 }
    }

    /// The next row, and whether it says that the entity left.
    fn peek(&mut self) -> Result<Option<(Row, bool)>, Error> {
        while self.next == self.block.entities.len() {
            let Some(batch) = self.batches.next() else { return Ok(None) };
            self.block = self.read(&batch?)?;
            self.next = 0;
        }
        let (Block { entities, hashes, since, pieces, left }, row) = (&self.block, self.next);
        let number = |numbers: &Option<UInt64Array>| {
            let numbers = numbers.as_ref().filter(|numbers| numbers.is_valid(row));
            numbers.map(|numbers| numbers.value(row))
        };
        let found = Row {
            entity: entities[row],
            hash: number(hashes),
            since: since.as_ref().map_or(0, |since| since.value(row)),
            piece: number(pieces),
        };
        Ok(Some((found, left.as_ref().is_some_and(|left| left.value(row)))))
    }

    fn read(&self, batch: &RecordBatch) -> Result<Block, Error> {
        let numbers = |column: &ArrayRef| Some(column.as_primitive_opt::<UInt64Type>()?.clone());
        let block = || {
            Some(Block {
                entities: entities(batch)?,
                hashes: Some(numbers(batch.column(1))?),
                since: Some(
                    batch.column(2).as_primitive_opt::<TimestampMicrosecondType>()?.clone(),
                ),
                // Those of earlier versions say nothing about pieces.
                pieces: batch.column_by_name(PIECE_COLUMN).and_then(numbers),
                left: left(batch).cloned(),
            })
        };
        block().ok_or_else(|| damaged(self.batches.path))
    }
}

/// Where rows of the next baseline go, sorted by entity.
pub(super) trait Sink {
    /// Takes rows that come behind those before, with their kept values.
    ///
    /// # Errors
    /// They cannot be written.
    fn write(&mut self, rows: &[Row], kept: Vec<ArrayRef>) -> Result<(), Error>;
}

/// The columns of rows and their kept values.
fn columns(rows: &[Row], kept: Vec<ArrayRef>, facts: &Facts) -> Result<Vec<ArrayRef>, Error> {
    let entities = rows.iter().map(|row| row.entity.to_be_bytes());
    let entities = FixedSizeBinaryArray::try_from_iter(entities);
    let hashes = rows.iter().map(|row| row.hash.filter(|_| facts.has_rows));
    let since = rows.iter().map(|row| row.since);
    let mut columns: Vec<ArrayRef> = vec![
        Arc::new(entities.map_err(|_| Error::internal("a hash has another length"))?),
        Arc::new(hashes.collect::<UInt64Array>()),
        Arc::new(TimestampMicrosecondArray::from_iter_values(since).with_timezone("UTC")),
    ];
    columns.extend(kept);
    columns.push(Arc::new(rows.iter().map(|row| row.piece).collect::<UInt64Array>()));
    Ok(columns)
}

fn writer(path: &Path, schema: &SchemaRef) -> Result<state_file::Writer, Error> {
    let properties = state_file::properties(GROUP_ROWS_MAX)
        .set_column_compression("row".into(), Compression::UNCOMPRESSED)
        .set_column_dictionary_enabled("since".into(), true)
        .set_column_dictionary_enabled(PIECE_COLUMN.into(), true)
        .set_column_compression(PERSON_COLUMN.into(), Compression::UNCOMPRESSED)
        .build();
    state_file::Writer::create(path, schema, properties)
}

/// Writes the file of a set; it is there, whole, after [`Writer::finish`].
pub(super) struct Writer {
    file: state_file::Writer,
    facts: Facts,
}

impl Writer {
    /// Begins to write beside `path`.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub(super) fn create(path: &Path, facts: &Facts) -> Result<Self, Error> {
        Ok(Self { file: writer(path, &facts.schema)?, facts: facts.clone() })
    }

    /// Makes the file durable, then visible.
    pub(super) fn finish(self) -> Result<(), Error> {
        let facts = [(VERSION_KEY, VERSION.to_owned()), (ENTITY_KEY, self.facts.entity)];
        self.file.finish(facts)?.persist()
    }
}

impl Sink for Writer {
    fn write(&mut self, rows: &[Row], kept: Vec<ArrayRef>) -> Result<(), Error> {
        let columns = columns(rows, kept, &self.facts)?;
        let batch = RecordBatch::try_new(Arc::clone(&self.facts.schema), columns)
            .map_err(|_| Error::internal("kept values do not fit their own schema"))?;
        self.file.write(&batch)
    }
}

/// The moves since a set was written, kept in memory until all are known; whoever adds to them keeps
/// them few.
pub(super) struct Moves {
    facts: Facts,
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
}

impl Moves {
    /// Begins with those that a baseline has already.
    ///
    /// # Errors
    /// It is damaged.
    pub(super) fn after(last: &Baseline, facts: &Facts) -> Result<Self, Error> {
        let mut fields: Vec<Field> =
            facts.schema.fields().iter().map(|field| field.as_ref().clone()).collect();
        fields.push(Field::new(LEFT_COLUMN, DataType::Boolean, false));
        let batches = last.moves()?.into_iter().flatten().collect::<Result<_, _>>()?;
        Ok(Self { facts: facts.clone(), schema: Arc::new(Schema::new(fields)), batches })
    }

    /// Takes in entities that left.
    pub(super) fn leave(&mut self, entities: &[u128]) -> Result<(), Error> {
        let row = |&entity: &u128| Row { entity, hash: None, since: 0, piece: None };
        let rows: Vec<Row> = entities.iter().map(row).collect();
        let kept = self.facts.schema.fields().iter();
        let kept = kept.filter(|field| field.name().starts_with(KEPT_PREFIX));
        let kept = kept.map(|field| new_null_array(field.data_type(), rows.len())).collect();
        self.add(&rows, kept, true)
    }

    fn add(&mut self, rows: &[Row], kept: Vec<ArrayRef>, left: bool) -> Result<(), Error> {
        if rows.is_empty() {
            return Ok(());
        }
        let mut columns = columns(rows, kept, &self.facts)?;
        columns.push(Arc::new(BooleanArray::from(vec![left; rows.len()])));
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), columns)
            .map_err(|_| Error::internal("kept values do not fit their own schema"))?;
        self.batches.push(batch);
        Ok(())
    }

    /// Writes the newest move of each entity, and makes `next` the baseline that `last` and the moves
    /// are.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub(super) fn finish(self, last: &Baseline, next: &Paths) -> Result<(), Error> {
        let mut order: Vec<(u128, Reverse<usize>, usize)> = Vec::new();
        for (number, batch) in self.batches.iter().enumerate() {
            let entities = entities(batch).ok_or_else(|| damaged(&last.paths.moves))?;
            let entities = entities.into_iter().enumerate();
            order.extend(entities.map(|(row, entity)| (entity, Reverse(number), row)));
        }
        order.sort_unstable();
        order.dedup_by_key(|(entity, ..)| *entity);
        let batches: Vec<&RecordBatch> = self.batches.iter().collect();
        let mut file = writer(&next.moves, &self.schema)?;
        for rows in order.chunks(state_file::BATCH_ROWS) {
            let rows: Vec<(usize, usize)> =
                rows.iter().map(|&(_, Reverse(number), row)| (number, row)).collect();
            let batch = interleave_record_batch(&batches, &rows)
                .map_err(|_| Error::internal("moves do not fit each other"))?;
            file.write(&batch)?;
        }
        file.finish([(VERSION_KEY, VERSION.to_owned())])?.persist()?;
        let (from, to) = (&last.paths.set, &next.set);
        // The same file under another name, or else a copy.
        let copy = |_| std::fs::copy(from, to).and_then(|_| File::open(to)?.sync_all());
        std::fs::hard_link(from, to)
            .or_else(copy)
            .map_err(|error| Error::io(&to.to_string_lossy(), "write it", error))
    }
}

impl Sink for Moves {
    fn write(&mut self, rows: &[Row], kept: Vec<ArrayRef>) -> Result<(), Error> {
        self.add(rows, kept, false)
    }
}
