//! The set of rows that a run has sent, as a Parquet file sorted by entity.
//!
//! | column | |
//! |---|---|
//! | `entity` | 16 bytes that stand for the deduplication key or the primary identity |
//! | `row` | a hash of the mapped attributes, in exports of changes |
//! | `since` | when the row came into the set |
//! | others | the key and identity columns of the mapping, where leavers are sent |
//!
//! The file says in its metadata what it was made for; one that was made for another key is of no use,
//! and everybody is sent again.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, FixedSizeBinaryArray, RecordBatch, TimestampMicrosecondArray,
    UInt64Array,
};
use arrow::datatypes::{
    DataType, Field, Schema, SchemaRef, TimeUnit, TimestampMicrosecondType, UInt64Type,
};
use parquet::arrow::arrow_reader::ParquetRecordBatchReader;
use parquet::basic::Compression;
use plan::Query;
use plan::project::ColumnSource;
use plan::run_plan::Increment;

use crate::error::{Error, Kind};
use crate::state_file;
use crate::survey::ProfileKey;

/// Rows of one row group, the most that the writer holds in memory.
const GROUP_ROWS_MAX: usize = 1 << 19;
/// Columns before the kept ones.
pub(super) const OWN_COLUMNS: usize = 3;

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
        kept: &Schema,
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
        Self::of(parts.join(" + "), increment.changes, kept)
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
        let kept = kept.fields().iter();
        columns.extend(
            kept.map(|field| field.as_ref().clone().with_name(format!("mapped.{}", field.name()))),
        );
        Self { entity, schema: Arc::new(Schema::new(columns)), has_rows }
    }
}

/// A baseline that can be read.
#[derive(Debug, Clone)]
pub(super) struct Baseline {
    path: PathBuf,
}

impl Baseline {
    /// Opens a baseline; nothing if it is not there, or was made for other entities.
    ///
    /// # Errors
    /// It is damaged.
    pub(super) fn open(path: &Path, facts: &Facts) -> Result<Option<Self>, Error> {
        let Some(found) = state_file::Facts::of(path, damaged)? else { return Ok(None) };
        let fits =
            found.get(VERSION_KEY) == Some(VERSION) && found.get(ENTITY_KEY) == Some(&facts.entity);
        Ok(fits.then(|| Self { path: path.to_owned() }))
    }

    /// Its batches, sorted by entity.
    pub(super) fn batches(&self) -> Result<Batches<'_>, Error> {
        let reader = state_file::batches(&self.path, damaged)?;
        Ok(Batches { baseline: self, reader })
    }

    /// Its rows, sorted by entity.
    pub(super) fn rows(&self) -> Result<Cursor<'_>, Error> {
        Ok(Cursor { batches: self.batches()?, block: Block::default(), next: 0 })
    }
}

fn damaged(path: &Path) -> Error {
    Error::new(Kind::Internal, "damaged_baseline", "the record of what was sent is damaged")
        .in_file(&path.to_string_lossy())
        .with_hint("Remove the file: the next run then sends everybody again.")
}

/// The batches of a baseline.
pub(super) struct Batches<'a> {
    baseline: &'a Baseline,
    reader: ParquetRecordBatchReader,
}

impl Iterator for Batches<'_> {
    type Item = Result<RecordBatch, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.reader.next()?;
        Some(batch.map_err(|_| damaged(&self.baseline.path)))
    }
}

/// The entities of a batch of a baseline.
pub(super) fn entities(batch: &RecordBatch) -> Option<Vec<u128>> {
    let column = batch.column(0).as_any().downcast_ref::<FixedSizeBinaryArray>()?;
    let entity = |bytes: &[u8]| bytes.try_into().map_or(0, u128::from_be_bytes);
    Some((0..column.len()).map(|row| entity(column.value(row))).collect())
}

/// A row of a baseline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) entity: u128,
    /// Nothing when it was not asked for.
    pub(super) hash: Option<u64>,
    /// Microseconds.
    pub(super) since: i64,
}

/// The rows of a baseline, one after the other.
pub(super) struct Cursor<'a> {
    batches: Batches<'a>,
    block: Block,
    next: usize,
}

#[derive(Default)]
struct Block {
    entities: Vec<u128>,
    hashes: Option<UInt64Array>,
    since: Option<TimestampMicrosecondArray>,
}

impl Cursor<'_> {
    /// The row that [`Cursor::pass`] would pass.
    pub(super) fn peek(&mut self) -> Result<Option<Row>, Error> {
        while self.next == self.block.entities.len() {
            let Some(batch) = self.batches.next() else { return Ok(None) };
            self.block = self.read(&batch?)?;
            self.next = 0;
        }
        let (Block { entities, hashes, since }, row) = (&self.block, self.next);
        let hash = hashes.as_ref().filter(|hashes| hashes.is_valid(row));
        Ok(Some(Row {
            entity: entities[row],
            hash: hash.map(|hashes| hashes.value(row)),
            since: since.as_ref().map_or(0, |since| since.value(row)),
        }))
    }

    /// Goes on to the next row.
    pub(super) fn pass(&mut self) {
        self.next += 1;
    }

    fn read(&self, batch: &RecordBatch) -> Result<Block, Error> {
        let block = || {
            Some(Block {
                entities: entities(batch)?,
                hashes: Some(batch.column(1).as_primitive_opt::<UInt64Type>()?.clone()),
                since: Some(
                    batch.column(2).as_primitive_opt::<TimestampMicrosecondType>()?.clone(),
                ),
            })
        };
        block().ok_or_else(|| damaged(&self.batches.baseline.path))
    }
}

/// Writes a baseline; it is there, whole, after [`Writer::finish`].
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
        let properties = state_file::properties(GROUP_ROWS_MAX)
            .set_column_compression("row".into(), Compression::UNCOMPRESSED)
            .set_column_dictionary_enabled("since".into(), true)
            .build();
        let file = state_file::Writer::create(path, &facts.schema, properties)?;
        Ok(Self { file, facts: facts.clone() })
    }

    /// Appends rows, which are sorted, behind those before.
    pub(super) fn write(&mut self, rows: &[Row], kept: Vec<ArrayRef>) -> Result<(), Error> {
        let entities = rows.iter().map(|row| row.entity.to_be_bytes());
        let entities = FixedSizeBinaryArray::try_from_iter(entities);
        let hashes = rows.iter().map(|row| row.hash.filter(|_| self.facts.has_rows));
        let since = rows.iter().map(|row| row.since);
        let mut columns: Vec<ArrayRef> = vec![
            Arc::new(entities.map_err(|_| Error::internal("a hash has another length"))?),
            Arc::new(hashes.collect::<UInt64Array>()),
            Arc::new(TimestampMicrosecondArray::from_iter_values(since).with_timezone("UTC")),
        ];
        columns.extend(kept);
        let batch = RecordBatch::try_new(Arc::clone(&self.facts.schema), columns)
            .map_err(|_| Error::internal("kept values do not fit their own schema"))?;
        self.file.write(&batch)
    }

    /// Makes the file durable, then visible.
    pub(super) fn finish(self) -> Result<(), Error> {
        let facts = [(VERSION_KEY, VERSION.to_owned()), (ENTITY_KEY, self.facts.entity)];
        self.file.finish(facts)?.persist()
    }
}
