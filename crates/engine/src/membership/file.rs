//! The history of one segment, as a Parquet file sorted by entity.
//!
//! | column | |
//! |---|---|
//! | `entity` | 16 bytes that stand for the profile |
//! | `namespace`, `key` | the identity that the profile is known by |
//! | `status` | `realized`, or `exited` |
//! | `lastQualificationTime` | when the profile became a member, or stopped being one |
//!
//! When it was evaluated, and how many joined and left, is in the metadata of the file. A history that
//! was kept by another kind of key is of no use, and everybody is a new member.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, FixedSizeBinaryArray, FixedSizeBinaryBuilder, RecordBatch,
    StringBuilder, TimestampMicrosecondArray, TimestampMicrosecondBuilder,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit, TimestampMicrosecondType};
use jiff::Timestamp;
use parquet::arrow::arrow_reader::ParquetRecordBatchReader;

use super::Standing;
use crate::error::{Error, Kind};
use crate::state_file::{self, BATCH_ROWS, Pending};

/// Rows of one row group, the most that the writer holds in memory.
const GROUP_ROWS_MAX: usize = 1 << 18;

/// Raised when the form of the file or its hash changes.
const VERSION: &str = "1";
const VERSION_KEY: &str = "segue.membership";
const PROFILE_KEY: &str = "segue.profile";
const EVALUATED_KEY: &str = "segue.evaluated_at";
const COUNTS: [&str; 4] = ["segue.realized", "segue.exited", "segue.joined", "segue.left"];

const REALIZED: &str = "realized";
const EXITED: &str = "exited";

/// A history that can be read.
#[derive(Debug, Clone)]
pub(super) struct History {
    path: PathBuf,
    pub(super) standing: Standing,
}

impl History {
    /// Opens a history; nothing if it is not there, or its profiles are known by another namespace
    /// than `primary`.
    ///
    /// # Errors
    /// It is damaged.
    pub(super) fn open(path: &Path, primary: Option<&str>) -> Result<Option<Self>, Error> {
        let Some(facts) = state_file::Facts::of(path, damaged)? else { return Ok(None) };
        let is_of_primary = primary.is_none_or(|primary| facts.get(PROFILE_KEY) == Some(primary));
        if facts.get(VERSION_KEY) != Some(VERSION) || !is_of_primary {
            return Ok(None);
        }
        let number = |key: &str| facts.get(key).and_then(|text| text.parse::<u64>().ok());
        let [realized, exited, joined, left] = COUNTS.map(number);
        let evaluated_at = facts.get(EVALUATED_KEY).and_then(|text| text.parse().ok());
        let standing = || {
            let (realized, exited, joined, left) = (realized?, exited?, joined?, left?);
            Some(Standing { evaluated_at: evaluated_at?, realized, exited, joined, left })
        };
        let standing = standing().ok_or_else(|| damaged(path))?;
        Ok(Some(Self { path: path.to_owned(), standing }))
    }

    /// Its rows, sorted by entity.
    ///
    /// # Errors
    /// It is damaged.
    pub(super) fn rows(&self) -> Result<Cursor, Error> {
        let reader = state_file::batches(&self.path, damaged)?;
        Ok(Cursor { path: self.path.clone(), reader, block: None, next: 0 })
    }
}

fn damaged(path: &Path) -> Error {
    Error::new(Kind::Internal, "damaged_membership", "the record of memberships is damaged")
        .in_file(&path.to_string_lossy())
        .with_hint(
            "Restore the file from a backup, or remove it: everybody then becomes a member anew.",
        )
}

/// What a history says of a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct State {
    pub(super) entity: u128,
    pub(super) is_realized: bool,
    /// Microseconds.
    pub(super) time: i64,
}

/// The identity that a profile is known by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Key<'a> {
    pub(super) namespace: &'a str,
    pub(super) value: &'a str,
}

/// The rows of a history, one after the other.
pub(super) struct Cursor {
    path: PathBuf,
    reader: ParquetRecordBatchReader,
    block: Option<Block>,
    next: usize,
}

struct Block {
    rows: usize,
    entities: FixedSizeBinaryArray,
    texts: [ArrayRef; 3],
    times: TimestampMicrosecondArray,
}

impl Cursor {
    /// The row that [`Cursor::pass`] would pass.
    pub(super) fn peek(&mut self) -> Result<Option<(State, Key<'_>)>, Error> {
        while self.block.as_ref().is_none_or(|block| block.rows == self.next) {
            let Some(batch) = self.reader.next() else { return Ok(None) };
            let block = batch.ok().and_then(|batch| Block::of(&batch));
            self.block = Some(block.ok_or_else(|| damaged(&self.path))?);
            self.next = 0;
        }
        Ok(self.block.as_ref().map(|block| block.row(self.next)))
    }

    /// Goes on to the next row.
    pub(super) fn pass(&mut self) {
        self.next += 1;
    }
}

impl Block {
    fn of(batch: &RecordBatch) -> Option<Self> {
        let text = |name: &str| {
            let found = batch.column_by_name(name)?;
            arrow::compute::cast(found, &DataType::Utf8).ok()
        };
        let entities = batch.column_by_name("entity")?;
        let times = batch.column_by_name("lastQualificationTime")?;
        Some(Self {
            rows: batch.num_rows(),
            entities: entities.as_any().downcast_ref::<FixedSizeBinaryArray>()?.clone(),
            texts: [text("namespace")?, text("key")?, text("status")?],
            times: times.as_primitive_opt::<TimestampMicrosecondType>()?.clone(),
        })
    }

    fn row(&self, row: usize) -> (State, Key<'_>) {
        let [namespace, value, status] =
            [0, 1, 2].map(|text: usize| self.texts[text].as_string::<i32>().value(row));
        let entity = self.entities.value(row).try_into().map_or(0, u128::from_be_bytes);
        let state = State { entity, is_realized: status == REALIZED, time: self.times.value(row) };
        (state, Key { namespace, value })
    }
}

/// Writes a history beside the one that it will replace.
pub(super) struct Writer {
    file: state_file::Writer,
    schema: SchemaRef,
    rows: Rows,
}

struct Rows {
    count: usize,
    entities: FixedSizeBinaryBuilder,
    namespaces: StringBuilder,
    keys: StringBuilder,
    statuses: StringBuilder,
    times: TimestampMicrosecondBuilder,
}

impl Default for Rows {
    fn default() -> Self {
        Self {
            count: 0,
            entities: FixedSizeBinaryBuilder::new(16),
            namespaces: StringBuilder::new(),
            keys: StringBuilder::new(),
            statuses: StringBuilder::new(),
            times: TimestampMicrosecondBuilder::new(),
        }
    }
}

impl Writer {
    /// Begins to write beside `path`.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub(super) fn create(path: &Path) -> Result<Self, Error> {
        let time = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        let schema = Arc::new(Schema::new(vec![
            Field::new("entity", DataType::FixedSizeBinary(16), false),
            Field::new("namespace", DataType::Utf8, false),
            Field::new("key", DataType::Utf8, false),
            Field::new("status", DataType::Utf8, false),
            Field::new("lastQualificationTime", time, false),
        ]));
        let mut properties = state_file::properties(GROUP_ROWS_MAX);
        for column in ["namespace", "status", "lastQualificationTime"] {
            properties = properties.set_column_dictionary_enabled(column.into(), true);
        }
        let file = state_file::Writer::create(path, &schema, properties.build())?;
        Ok(Self { file, schema, rows: Rows::default() })
    }

    /// Appends a profile, whose entity is greater than all before.
    pub(super) fn push(&mut self, state: State, key: Key<'_>) -> Result<(), Error> {
        let rows = &mut self.rows;
        let appended = rows.entities.append_value(state.entity.to_be_bytes());
        appended.map_err(|_| Error::internal("a hash has another length"))?;
        rows.namespaces.append_value(key.namespace);
        rows.keys.append_value(key.value);
        rows.statuses.append_value(if state.is_realized { REALIZED } else { EXITED });
        rows.times.append_value(state.time);
        rows.count += 1;
        if rows.count == BATCH_ROWS { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), Error> {
        let mut rows = std::mem::take(&mut self.rows);
        let columns: Vec<ArrayRef> = vec![
            Arc::new(rows.entities.finish()),
            Arc::new(rows.namespaces.finish()),
            Arc::new(rows.keys.finish()),
            Arc::new(rows.statuses.finish()),
            Arc::new(rows.times.finish().with_timezone("UTC")),
        ];
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), columns)
            .map_err(|_| Error::internal("memberships do not fit their own schema"))?;
        self.file.write(&batch)
    }

    /// Makes the file durable; it takes its place with [`Pending::persist`].
    ///
    /// # Errors
    /// It cannot be written.
    pub(super) fn finish(mut self, standing: &Standing, primary: &str) -> Result<Pending, Error> {
        self.flush()?;
        let Standing { evaluated_at, realized, exited, joined, left } = standing;
        let counts = COUNTS.into_iter().zip([realized, exited, joined, left]);
        let counts = counts.map(|(key, count)| (key, count.to_string()));
        let facts = [
            (VERSION_KEY, VERSION.to_owned()),
            (PROFILE_KEY, primary.to_owned()),
            (EVALUATED_KEY, evaluated_at.to_string()),
        ];
        self.file.finish(facts.into_iter().chain(counts))
    }
}

/// Microseconds of a time as a history has it.
pub(super) fn microseconds(time: Timestamp) -> i64 {
    time.as_microsecond()
}
