//! Parquet files of Segue's own state: what they are about stands in their metadata, and a new one
//! takes the place of the old in one step.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};

use crate::error::Error;

/// Begins the names of files that are not whole yet.
pub const PARTIAL_PREFIX: &str = ".partial-";
/// Rows that are read or written at once.
pub(crate) const BATCH_ROWS: usize = 65_536;

/// What a file says that it is about.
#[derive(Debug)]
pub(crate) struct Facts {
    facts: Vec<KeyValue>,
    /// How many rows it has.
    pub(crate) rows: u64,
}

impl Facts {
    /// Reads them; nothing if there is no file.
    ///
    /// # Errors
    /// The file cannot be opened; what `damaged` says when it is not what was written.
    pub(crate) fn of(path: &Path, damaged: fn(&Path) -> Error) -> Result<Option<Self>, Error> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::io(&path.to_string_lossy(), "open it", error)),
        };
        let reader = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|_| damaged(path))?;
        let metadata = reader.metadata().file_metadata();
        let facts = metadata.key_value_metadata().cloned().unwrap_or_default();
        Ok(Some(Self { facts, rows: metadata.num_rows().unsigned_abs() }))
    }

    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        let fact = self.facts.iter().find(|fact| fact.key == key)?;
        fact.value.as_deref()
    }
}

/// Reads the rows of a file, [`BATCH_ROWS`] at once.
///
/// # Errors
/// What `damaged` says.
pub(crate) fn batches(
    path: &Path,
    damaged: fn(&Path) -> Error,
) -> Result<ParquetRecordBatchReader, Error> {
    let open = || {
        let file = File::open(path).ok()?;
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).ok()?;
        builder.with_batch_size(BATCH_ROWS).build().ok()
    };
    open().ok_or_else(|| damaged(path))
}

/// How such files are written. Hashes do not compress, and most keys occur once; say for each column
/// what is otherwise.
pub(crate) fn properties(group_rows_max: usize) -> WriterPropertiesBuilder {
    WriterProperties::builder()
        .set_created_by("segue".to_owned())
        .set_max_row_group_row_count(Some(group_rows_max))
        .set_statistics_enabled(EnabledStatistics::None)
        .set_dictionary_enabled(false)
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1).unwrap_or_default()))
        .set_column_compression("entity".into(), Compression::UNCOMPRESSED)
}

/// A file that is being written beside the one that it will replace.
pub(crate) struct Writer {
    writer: ArrowWriter<File>,
    partial: tempfile::TempPath,
    path: PathBuf,
}

/// A file that is whole and durable, and not yet in its place.
#[derive(Debug)]
pub(crate) struct Pending {
    partial: tempfile::TempPath,
    path: PathBuf,
}

impl Writer {
    /// Begins to write beside `path`.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub(crate) fn create(
        path: &Path,
        schema: &SchemaRef,
        properties: WriterProperties,
    ) -> Result<Self, Error> {
        let failed = |error| unwritable(path, error);
        let folder = folder_of(path);
        std::fs::create_dir_all(folder).map_err(failed)?;
        let partial = tempfile::Builder::new().prefix(PARTIAL_PREFIX).tempfile_in(folder);
        let (file, partial) = partial.map_err(failed)?.into_parts();
        let writer = ArrowWriter::try_new(file, SchemaRef::clone(schema), Some(properties))
            .map_err(|error| failed(error.into()))?;
        Ok(Self { writer, partial, path: path.to_owned() })
    }

    /// Appends rows.
    pub(crate) fn write(&mut self, batch: &RecordBatch) -> Result<(), Error> {
        self.writer.write(batch).map_err(|error| unwritable(&self.path, error.into()))
    }

    /// Ends a group of rows: those that follow are in another one.
    pub(crate) fn end_group(&mut self) -> Result<(), Error> {
        self.writer.flush().map_err(|error| unwritable(&self.path, error.into()))
    }

    /// Says something about the file.
    pub(crate) fn tell(&mut self, key: &'static str, value: String) {
        self.writer.append_key_value_metadata(KeyValue::new(key.to_owned(), value));
    }

    /// Makes the file durable; it takes its place with [`Pending::persist`].
    ///
    /// # Errors
    /// It cannot be written.
    pub(crate) fn finish(
        mut self,
        facts: impl IntoIterator<Item = (&'static str, String)>,
    ) -> Result<Pending, Error> {
        facts.into_iter().for_each(|(key, value)| self.tell(key, value));
        let Self { writer, partial, path } = self;
        let file = writer.into_inner().map_err(|error| unwritable(&path, error.into()))?;
        file.sync_all().map_err(|error| unwritable(&path, error))?;
        Ok(Pending { partial, path })
    }
}

impl Pending {
    /// Puts the file in the place of the one before, in one step.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub(crate) fn persist(self) -> Result<(), Error> {
        let Self { partial, path } = self;
        partial.persist(&path).map_err(|error| unwritable(&path, error.error))?;
        let folder = folder_of(&path);
        let synced = File::open(folder).and_then(|folder| folder.sync_all());
        synced.map_err(|error| unwritable(&path, error))
    }
}

/// The folder of a file; a name alone is a file of the working folder.
fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

fn unwritable(path: &Path, error: io::Error) -> Error {
    Error::io(&path.to_string_lossy(), "write it", error)
}
