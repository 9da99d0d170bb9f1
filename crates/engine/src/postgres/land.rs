//! Landing: the rows of a query become one Parquet file in the state directory, named by its content.
//!
//! The same rows give the same file, so that what is made of them (merged profiles) is found again
//! when nothing has changed.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use futures::StreamExt;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use tokio::runtime::Handle;

use super::copy::Rows;
use super::describe::Description;
use super::refusal;
use super::session::Session;
use crate::error::Error;
use crate::kept::{self, Building, Held, Kept, Stay};
use crate::store::{Input, Version, blocking, local_input};
use crate::survey::MORSEL_ROWS;

const FILE: &str = "rows.parquet";
/// Row groups are made of at most this many bytes.
const ROW_GROUP_BYTES_MAX: usize = 128 << 20;

/// Rows that have landed.
#[derive(Debug)]
pub(crate) struct Landed {
    /// As the ledger records it.
    pub(crate) input: Input,
    /// The file, as it is read.
    pub(crate) file: Arc<Input>,
    /// Keeps the file from being removed.
    #[expect(dead_code, reason = "held, never read")]
    held: Held,
}

/// What is known of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Summary {
    rows: u64,
    bytes: u64,
}

/// Copies all rows; blocks a thread of its own, as they are encoded there.
pub(super) async fn land(
    session: Arc<Session>,
    description: &Description,
    place: &str,
    (folder, stay): (&Path, Stay),
) -> Result<Landed, Error> {
    let (description, place) = (description.clone(), place.to_owned());
    let (folder, runtime) = (folder.to_owned(), Handle::current());
    let job = move || runtime.block_on(copy(&session, &description, &place, &folder, stay));
    blocking(job).await
}

async fn copy(
    session: &Session,
    description: &Description,
    place: &str,
    folder: &Path,
    stay: Stay,
) -> Result<Landed, Error> {
    // The folder is swept for the place only: other datasets keep their own.
    let of_place = folder.join(&blake3::hash(place.as_bytes()).to_hex()[..16]);
    let building = Kept::<Summary>::new(of_place.clone(), String::new(), stay).begin()?;
    let mut writer = Writer::new(&building, description)?;
    let mut rows = Rows::new(place, &description.columns, description.schema());
    {
        let mut connection = session.connection.lock().await;
        let statement = format!("COPY ({}) TO STDOUT (FORMAT binary)", description.select);
        let stream = connection.copy_out_raw(&statement).await;
        let mut stream = stream.map_err(|error| refusal::of_reading(place, &error, 0))?;
        while let Some(bytes) = stream.next().await {
            let bytes = bytes.map_err(|error| refusal::of_reading(place, &error, rows.rows))?;
            if let Some(batch) = rows.take(&bytes)? {
                writer.write(&batch)?;
            }
        }
    }
    writer.write(&rows.finish()?)?;
    let (digest, bytes) = writer.finish()?;
    let summary = Summary { rows: rows.rows, bytes };
    let kept = Kept::<Summary>::new(of_place, digest.clone(), stay);
    let found = match kept.find()? {
        Some(found) => found,
        None => kept.finish(building, summary)?,
    };
    let version = Version::Rows {
        digest,
        snapshot: session.snapshot.clone(),
        position: session.position.clone(),
    };
    landed(place, found, version)
}

/// Finds rows that landed before, by what was recorded of them.
pub(super) fn recall(place: &str, version: &str, folder: &Path) -> Result<Option<Landed>, Error> {
    let Some(version) = Version::parse_rows(version) else { return Ok(None) };
    let Version::Rows { digest, .. } = &version else { return Ok(None) };
    let of_place = folder.join(&blake3::hash(place.as_bytes()).to_hex()[..16]);
    match Kept::<Summary>::new(of_place, digest.clone(), Stay::Kept).find()? {
        Some(found) => landed(place, found, version).map(Some),
        None => Ok(None),
    }
}

fn landed(place: &str, found: kept::Found<Summary>, version: Version) -> Result<Landed, Error> {
    let file = local_input(&found.folder.join(FILE))?;
    let Summary { rows, bytes } = found.summary;
    let input = Input { location: place.to_owned(), size: bytes, version, rows: Some(rows) };
    Ok(Landed { input, file: Arc::new(file), held: found.held })
}

impl kept::Summary for Summary {
    fn text(&self) -> String {
        format!("segue rows 1\nrows {}\nbytes {}\nend\n", self.rows, self.bytes)
    }

    fn parse(text: &str) -> Option<Self> {
        let lines = text.strip_prefix("segue rows 1\nrows ")?.strip_suffix("\nend\n")?;
        let (rows, bytes) = lines.split_once("\nbytes ")?;
        Some(Self { rows: rows.parse().ok()?, bytes: bytes.parse().ok()? })
    }

    fn is_whole(&self, folder: &Path) -> bool {
        fs::metadata(folder.join(FILE)).is_ok_and(|file| file.len() == self.bytes)
    }
}

/// The file being written.
struct Writer {
    place: String,
    writer: ArrowWriter<Hashing>,
}

impl Writer {
    fn new(building: &Building, description: &Description) -> Result<Self, Error> {
        let path = building.folder().join(FILE);
        let place = path.to_string_lossy().into_owned();
        let file = File::create(&path).map_err(|error| unwritable(&place, error))?;
        let group_rows = usize::try_from(MORSEL_ROWS).unwrap_or(usize::MAX);
        let properties = WriterProperties::builder()
            .set_created_by("segue".to_owned())
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_statistics_enabled(EnabledStatistics::Chunk)
            .set_max_row_group_row_count(Some(group_rows))
            .set_max_row_group_bytes(Some(ROW_GROUP_BYTES_MAX))
            .build();
        let file = Hashing { file, hash: blake3::Hasher::new() };
        let writer = ArrowWriter::try_new(file, description.schema(), Some(properties));
        let writer = writer.map_err(|error| failed(&place, error))?;
        Ok(Self { place, writer })
    }

    fn write(&mut self, batch: &arrow::array::RecordBatch) -> Result<(), Error> {
        self.writer.write(batch).map_err(|error| failed(&self.place, error))
    }

    /// The digest of the file, and its length.
    fn finish(self) -> Result<(String, u64), Error> {
        let Self { place, writer } = self;
        let Hashing { file, hash } = writer.into_inner().map_err(|error| failed(&place, error))?;
        let io = |error| unwritable(&place, error);
        file.sync_all().map_err(io)?;
        let bytes = file.metadata().map_err(io)?.len();
        Ok((hash.finalize().to_hex().chars().take(32).collect(), bytes))
    }
}

/// A file whose bytes are hashed as they are written.
struct Hashing {
    file: File,
    hash: blake3::Hasher,
}

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hash.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

fn unwritable(place: &str, error: io::Error) -> Error {
    Error::io(place, "write the rows of the database", error)
}

/// What the writer says may quote the data, so only what is about the disk is passed on.
fn failed(place: &str, error: ParquetError) -> Error {
    match error {
        ParquetError::External(inner) => match inner.downcast::<io::Error>() {
            Ok(error) => unwritable(place, *error),
            Err(_) => Error::internal("rows of a database cannot be written"),
        },
        _ => Error::internal("rows of a database cannot be written"),
    }
}
