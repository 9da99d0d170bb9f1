//! The record of a run while its files are written.
//!
//! | column | |
//! |---|---|
//! | `file` | the number of the file in the run, counted from 1 |
//! | `least`, `most` | between which numbers those of this row are |
//! | `people` | what stands for them: numbers of 8 bytes, least byte first |
//!
//! Rows of a run are taken down as they come. A [`PORTION`] of them is laid into ranges by the upper bits
//! of what stands for people, and each range is a row of the record and a group of its own, whose
//! statistics say the same: a question reads one range of each portion. Laying into ranges is all the
//! order that this needs, at a fraction of what sorting costs, and memory is two portions whatever the
//! number of rows.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryArray, RecordBatch, UInt32Array, UInt64Array};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use parquet::basic::Compression;
use parquet::file::properties::EnabledStatistics;
use tokio::task::JoinHandle;

use super::{NOBODY, People};
use crate::error::Error;
use crate::state_file;
use crate::store::blocking;
use crate::store::stopped;

/// Rows that are taken down before they are written: 8 MiB.
pub(super) const PORTION: usize = 1 << 20;
/// About how many people are in a range: a quarter of a MiB.
const RANGE_PEOPLE: usize = 1 << 15;

pub(super) const FILE: usize = 0;
pub(super) const LEAST: usize = 1;
pub(super) const MOST: usize = 2;
pub(super) const PEOPLE: usize = 3;
pub(super) const COLUMNS: [&str; 4] = ["file", "least", "most", "people"];

pub(super) const VERSION_KEY: &str = "segue.people";
pub(super) const COLUMNS_KEY: &str = "segue.columns";
pub(super) const ROWS_KEY: &str = "segue.rows";
pub(super) const NAMELESS_KEY: &str = "segue.nameless";
/// Raised when the form of the file or its hash changes.
pub(super) const VERSION: &str = "1";

/// Takes down whose rows go into which file.
///
/// Nothing is where records are until [`Pending::persist`]: a run that ends before leaves none.
#[derive(Debug)]
pub struct Recorder {
    /// The file that rows go into.
    file: u32,
    /// Who is in it, and not yet on the way into the record.
    portion: Vec<u64>,
    writing: Writing,
    rows: u64,
    nameless: u64,
}

/// The portions before, on their way into the record.
#[derive(Debug)]
enum Writing {
    Here(Box<Writer>),
    Away(JoinHandle<Result<Box<Writer>, Error>>),
    /// Something failed.
    Lost,
}

struct Writer {
    file: state_file::Writer,
    schema: SchemaRef,
    /// Two that are used again: a portion, and the same laid into ranges.
    spare: [Vec<u64>; 2],
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").finish_non_exhaustive()
    }
}

/// A record that is whole and not yet in its place.
#[derive(Debug)]
pub struct Pending(state_file::Pending);

impl Pending {
    /// Puts the record in its place, in one step.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn persist(self) -> Result<(), Error> {
        self.0.persist()
    }
}

impl Recorder {
    /// Begins the record of a run beside `path`; `columns` are the headers of its files.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn create<'a>(
        path: &Path,
        columns: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, Error> {
        let writer = Box::new(Writer::create(path, columns)?);
        let writing = Writing::Here(writer);
        let portion = Vec::with_capacity(PORTION);
        Ok(Self { file: 0, portion, writing, rows: 0, nameless: 0 })
    }

    /// Takes down that some of the rows of a batch went into a file.
    ///
    /// # Errors
    /// The record cannot be written.
    pub async fn add(
        &mut self,
        file: u32,
        people: &People,
        rows: Range<usize>,
    ) -> Result<(), Error> {
        if rows.is_empty() {
            return Ok(());
        }
        let is_full = self.portion.len() + people.most(&rows) > PORTION;
        if self.file != file || is_full {
            self.close_portion().await?;
            self.file = file;
        }
        self.rows += rows.len() as u64;
        self.nameless += people.put(rows, &mut self.portion);
        Ok(())
    }

    /// Ends the record: it is whole and durable, and not in its place.
    ///
    /// # Errors
    /// The record cannot be written.
    pub async fn finish(mut self) -> Result<Pending, Error> {
        self.close_portion().await?;
        let (writer, rows, nameless) = (self.writer().await?, self.rows, self.nameless);
        let finish = move || {
            let facts = [
                (VERSION_KEY, VERSION.to_owned()),
                (ROWS_KEY, rows.to_string()),
                (NAMELESS_KEY, nameless.to_string()),
            ];
            writer.file.finish(facts)
        };
        Ok(Pending(blocking(finish).await?))
    }

    /// Lets the portion be written while the next one is made.
    async fn close_portion(&mut self) -> Result<(), Error> {
        if self.portion.is_empty() {
            return Ok(());
        }
        let mut writer = self.writer().await?;
        let mut fresh = std::mem::take(&mut writer.spare[0]);
        fresh.clear();
        // At once: a buffer that grows is copied, and leaves pages behind.
        fresh.reserve_exact(PORTION);
        let (file, portion) = (self.file, std::mem::replace(&mut self.portion, fresh));
        let write = move || {
            writer.write(file, &portion)?;
            writer.spare[0] = portion;
            Ok(writer)
        };
        self.writing = Writing::Away(tokio::task::spawn_blocking(write));
        Ok(())
    }

    async fn writer(&mut self) -> Result<Box<Writer>, Error> {
        match std::mem::replace(&mut self.writing, Writing::Lost) {
            Writing::Here(writer) => Ok(writer),
            Writing::Away(task) => task.await.map_err(stopped)?,
            Writing::Lost => Err(Error::internal("the record of a run was lost before")),
        }
    }
}

impl Writer {
    fn create<'a>(path: &Path, columns: impl IntoIterator<Item = &'a str>) -> Result<Self, Error> {
        let types = [DataType::UInt32, DataType::UInt64, DataType::UInt64, DataType::Binary];
        let fields = COLUMNS.iter().zip(types);
        let fields: Vec<Field> =
            fields.map(|(name, data_type)| Field::new(*name, data_type, false)).collect();
        let schema = Arc::new(Schema::new(fields));
        let mut properties = state_file::properties(PORTION);
        for (number, name) in COLUMNS.into_iter().enumerate() {
            properties = properties.set_column_compression(name.into(), Compression::UNCOMPRESSED);
            if number != PEOPLE {
                let all = EnabledStatistics::Chunk;
                properties = properties.set_column_statistics_enabled(name.into(), all);
            }
        }
        let mut file = state_file::Writer::create(path, &schema, properties.build())?;
        let columns: Vec<&str> = columns.into_iter().collect();
        file.tell(COLUMNS_KEY, serde_json::json!(columns).to_string());
        Ok(Self { file, schema, spare: Default::default() })
    }

    /// Appends people of a file.
    fn write(&mut self, file: u32, people: &[u64]) -> Result<(), Error> {
        let bits = (people.len() / RANGE_PEOPLE).checked_ilog2().unwrap_or(0);
        let mut laid = std::mem::take(&mut self.spare[1]);
        let ends = lay(people, bits, &mut laid);
        let mut begin = 0;
        for (range, end) in (0_u64..).zip(ends) {
            if end > begin {
                let least = range.unbounded_shl(u64::BITS - bits);
                let most = least | u64::MAX.unbounded_shr(bits);
                self.write_range(file, (least, most), &laid[begin..end])?;
            }
            begin = end;
        }
        self.spare[1] = laid;
        Ok(())
    }

    fn write_range(
        &mut self,
        file: u32,
        (least, most): (u64, u64),
        people: &[u64],
    ) -> Result<(), Error> {
        let bytes: Vec<[u8; 8]> = people.iter().map(|person| person.to_le_bytes()).collect();
        let bytes = bytes.into_flattened();
        let ends = OffsetBuffer::from_lengths([bytes.len()]);
        let columns: Vec<ArrayRef> = vec![
            Arc::new(UInt32Array::from(vec![file])),
            Arc::new(UInt64Array::from(vec![least])),
            Arc::new(UInt64Array::from(vec![most])),
            Arc::new(BinaryArray::new(ends, bytes.into(), None)),
        ];
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), columns);
        self.file.write(&batch.map_err(|_| Error::internal("people do not fit their record"))?)?;
        self.file.end_group()
    }
}

/// Lays numbers into `2^bits` ranges by their upper bits, and returns where each ends.
fn lay(people: &[u64], bits: u32, laid: &mut Vec<u64>) -> Vec<usize> {
    let range = |person: u64| person.unbounded_shr(u64::BITS - bits) as usize;
    let mut ends = vec![0; 1 << bits];
    people.iter().for_each(|&person| ends[range(person)] += 1);
    let mut next = 0;
    for end in &mut ends {
        // Until they are laid, where the next one goes.
        next += std::mem::replace(end, next);
    }
    laid.resize(people.len(), NOBODY);
    for &person in people {
        let place = &mut ends[range(person)];
        laid[*place] = person;
        *place += 1;
    }
    ends
}
