//! Questions to the record of a run.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::path::Path;

use arrow::array::{AsArray, BinaryArray, RecordBatch, UInt32Array};
use arrow::datatypes::UInt32Type;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::metadata::RowGroupMetaData;
use parquet::file::statistics::Statistics;

use super::PersonHash;
use super::write::{
    COLUMNS_KEY, FILE, LEAST, MOST, NAMELESS_KEY, PEOPLE, ROWS_KEY, VERSION, VERSION_KEY,
};
use crate::error::{Error, Kind};

/// What a record says of somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The numbers of the files that they are in, rising, counted from 1.
    pub files: Vec<u32>,
    /// The headers of the files.
    pub columns: Vec<String>,
    /// Rows of the run.
    pub rows: u64,
    /// Rows of which nothing tells whose they are.
    pub nameless: u64,
}

/// A record that can be asked.
struct Record<'a> {
    path: &'a Path,
    builder: ParquetRecordBatchReaderBuilder<File>,
}

impl Found {
    /// Asks the record of a run for somebody, who may be known by several hashes; nothing if there is
    /// no such record. Reads its footer, and of each portion the one range in which
    /// they would be.
    ///
    /// # Errors
    /// The record cannot be opened, or is not what was written.
    pub fn in_record(path: &Path, people: &[PersonHash]) -> Result<Option<Self>, Error> {
        let Some(record) = Record::open(path)? else { return Ok(None) };
        let fact = |key: &str| record.fact(key).ok_or_else(|| damaged(path));
        let number = |key: &str| fact(key)?.parse().map_err(|_| damaged(path));
        let columns = serde_json::from_str(&fact(COLUMNS_KEY)?).map_err(|_| damaged(path))?;
        let (rows, nameless) = (number(ROWS_KEY)?, number(NAMELESS_KEY)?);
        let files = record.files_of(people)?;
        Ok(Some(Self { files, columns, rows, nameless }))
    }
}

/// Everybody in a record: numbers of files, each with what stands for somebody in it.
///
/// # Errors
/// There is no record, or it is not what was written.
pub fn everybody_in(path: &Path) -> Result<Vec<(u32, u64)>, Error> {
    let record = Record::open(path)?.ok_or_else(|| damaged(path))?;
    let groups = (0..record.builder.metadata().num_row_groups()).collect();
    let mut everybody = Vec::new();
    record.read(groups, |file, people| {
        everybody.extend(people.iter().map(|person| (file, *person)));
    })?;
    Ok(everybody)
}

impl<'a> Record<'a> {
    fn open(path: &'a Path) -> Result<Option<Self>, Error> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::io(&path.to_string_lossy(), "open it", error)),
        };
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|_| damaged(path))?;
        let record = Self { path, builder };
        match record.fact(VERSION_KEY).as_deref() {
            Some(VERSION) => Ok(Some(record)),
            _ => Err(damaged(path)),
        }
    }

    fn fact(&self, key: &str) -> Option<String> {
        let facts = self.builder.metadata().file_metadata().key_value_metadata()?;
        facts.iter().find(|fact| fact.key == key)?.value.clone()
    }

    fn files_of(self, people: &[PersonHash]) -> Result<Vec<u32>, Error> {
        let numbers: Vec<u64> = people.iter().flat_map(|person| person.numbers()).collect();
        let mut wanted = Vec::new();
        for (number, group) in self.builder.metadata().row_groups().iter().enumerate() {
            let (least, most) = range(group).ok_or_else(|| damaged(self.path))?;
            if numbers.iter().any(|number| (least..=most).contains(number)) {
                wanted.push(number);
            }
        }
        let mut files = BTreeSet::new();
        if !wanted.is_empty() {
            self.read(wanted, |file, people| {
                if people.iter().any(|person| numbers.contains(person)) {
                    files.insert(file);
                }
            })?;
        }
        Ok(files.into_iter().collect())
    }

    /// Reads ranges of people.
    fn read(self, groups: Vec<usize>, mut each: impl FnMut(u32, &[u64])) -> Result<(), Error> {
        let Self { path, builder } = self;
        let reader = builder.with_row_groups(groups).with_batch_size(1).build();
        for batch in reader.map_err(|_| damaged(path))? {
            let batch = batch.map_err(|_| damaged(path))?;
            let (files, people) = columns(&batch).ok_or_else(|| damaged(path))?;
            for row in 0..batch.num_rows() {
                let (people, _) = people.value(row).as_chunks::<8>();
                let people = people.iter().map(|person| u64::from_le_bytes(*person));
                each(files.value(row), &people.collect::<Vec<_>>());
            }
        }
        Ok(())
    }
}

fn columns(batch: &RecordBatch) -> Option<(&UInt32Array, &BinaryArray)> {
    let files = batch.columns().get(FILE)?.as_primitive_opt::<UInt32Type>()?;
    Some((files, batch.columns().get(PEOPLE)?.as_binary_opt::<i32>()?))
}

/// Between which numbers the people of a group are.
fn range(group: &RowGroupMetaData) -> Option<(u64, u64)> {
    let statistics = |column: usize| match group.columns().get(column)?.statistics()? {
        Statistics::Int64(found) => Some(found),
        _ => None,
    };
    // Parquet keeps unsigned numbers in the bits of signed ones.
    let (least, most) = (statistics(LEAST)?.min_opt()?, statistics(MOST)?.max_opt()?);
    Some((least.cast_unsigned(), most.cast_unsigned()))
}

fn damaged(path: &Path) -> Error {
    let message = "the record of whose data a run sent is damaged";
    Error::new(Kind::Internal, "damaged_record", message).in_file(&path.to_string_lossy()).with_hint(
        "Bring it back from a backup, or remove the file: the run is then named as one without a record.",
    )
}
