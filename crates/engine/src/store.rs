//! The places that files are read from: this machine's file system, and S3 services.
//!
//! Three operations are all that reading needs: list, look up, and read a range of a known version.
//! Both places are read from blocking threads, where decoding happens too; waiting for a range of
//! an S3 object simply waits.

mod local;
pub(crate) mod s3;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use plan::project::{Dataset, DatasetFormat};

use crate::error::{Error, Kind};
use crate::location::{Location, Root};

/// The most files of one dataset.
pub(crate) const INPUTS_MAX: usize = 100_000;

/// What tells one version of a file from the next.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Version {
    /// The entity tag that the S3 service gave.
    ETag(String),
    /// The time of the last change of a local file, since 1970.
    Modified {
        /// Nanoseconds.
        nanoseconds: i128,
    },
    /// The version of a Delta table.
    Table {
        /// As the table's log counts them.
        number: u64,
    },
    /// The rows of a database, as one of its snapshots showed them.
    Rows {
        /// Of the file that they are kept in: the same for the same rows.
        digest: String,
        /// What the transaction saw, as PostgreSQL names it.
        snapshot: String,
        /// How far the log of the server had come (LSN).
        position: String,
    },
}

impl Version {
    /// Reads back what was recorded of the rows of a database.
    pub(crate) fn parse_rows(text: &str) -> Option<Self> {
        let (digest, rest) = text.strip_prefix("blake3:")?.split_once(" snapshot:")?;
        let (snapshot, position) = rest.split_once(" lsn:")?;
        let is_digest = !digest.is_empty() && digest.bytes().all(|it| it.is_ascii_hexdigit());
        let [digest, snapshot, position] = [digest, snapshot, position].map(str::to_owned);
        is_digest.then_some(Self::Rows { digest, snapshot, position })
    }

    /// What stands for the content, whenever it was pinned.
    pub(crate) fn content(&self) -> String {
        match self {
            Self::Rows { digest, .. } => digest.clone(),
            other => other.to_string(),
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ETag(tag) => write!(f, "etag:{tag}"),
            Self::Modified { nanoseconds } => write!(f, "modified:{nanoseconds}"),
            Self::Table { number } => write!(f, "delta:{number}"),
            Self::Rows { digest, snapshot, position } => {
                write!(f, "blake3:{digest} snapshot:{snapshot} lsn:{position}")
            }
        }
    }
}

/// One file of a snapshot, or a table as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Input {
    /// The path, or `s3://bucket/key`.
    pub location: String,
    /// Bytes; of a Delta table those of its log that were read.
    pub size: u64,
    /// Which version of the file.
    pub version: Version,
    /// How many rows there are, where that is known without reading them.
    pub rows: Option<u64>,
}

/// The code of the error for a file that is not there any more.
const GONE: &str = "input_gone";

impl Input {
    fn changed(&self) -> Error {
        self.differs("input_changed")
    }

    fn gone(&self) -> Error {
        self.differs(GONE)
    }

    fn differs(&self, code: &'static str) -> Error {
        Error::new(Kind::Changed, code, "the file changed after the run had pinned it")
            .in_file(&self.location)
            .with_hint("Write new files under new names, or rename them into place, and run again.")
    }
}

/// Where the inputs of one dataset are read from.
#[derive(Debug, Clone)]
pub(crate) enum Store {
    Local,
    S3(s3::Bucket),
}

/// Who reads `s3://` locations, by account.
pub(crate) type Clients = BTreeMap<String, s3::Reader>;

/// An input, opened: its bytes at any offset, always of the pinned version.
#[derive(Debug)]
pub(crate) enum Opened {
    Local(local::OpenFile),
    S3(s3::OpenObject),
}

impl Store {
    /// Finds the store of a dataset.
    pub(crate) fn of(
        dataset: &Dataset,
        location: &Location,
        clients: &Clients,
    ) -> Result<Self, Error> {
        let Root::S3 { bucket, .. } = &location.root else { return Ok(Self::Local) };
        let client = dataset.account.as_ref().and_then(|account| clients.get(account));
        let client = client.ok_or_else(|| {
            Error::new(Kind::Invalid, "account_missing", "the location needs an account")
                .in_file(&location.text)
                .with_hint("Name one of the accounts of the project under `account:`.")
        })?;
        Ok(Self::S3(s3::Bucket::new(client.clone(), bucket.clone())))
    }

    /// Lists the files that a location means, sorted by location.
    pub(crate) async fn list(
        &self,
        location: &Location,
        format: DatasetFormat,
    ) -> Result<Vec<Input>, Error> {
        let mut inputs = match (self, &location.root) {
            (Self::S3(bucket), Root::S3 { prefix, .. }) => {
                bucket.list(location, prefix, format).await?
            }
            (_, Root::Local(root)) => {
                let (location, root) = (location.clone(), root.clone());
                let listing = move || local::list(&location, &root, format);
                blocking(listing).await?
            }
            (Self::Local, Root::S3 { .. }) => unreachable!("a store is made for its location"),
        };
        inputs.sort_by(|a, b| a.location.cmp(&b.location));
        Ok(inputs)
    }

    /// Lists the log of a Delta table.
    pub(crate) async fn list_log(&self, location: &Location) -> Result<Vec<Input>, Error> {
        match (self, &location.root) {
            (Self::S3(bucket), Root::S3 { prefix, .. }) => {
                bucket.list_below(location, &folder_prefix(prefix, LOG_FOLDER), |_| true).await
            }
            (_, Root::Local(root)) => {
                let (location, root) = (location.clone(), root.clone());
                let listing = move || local::list_log(&location, &root, LOG_FOLDER);
                blocking(listing).await
            }
            (Self::Local, Root::S3 { .. }) => unreachable!("a store is made for its location"),
        }
    }

    /// Pins files below a location, by their paths from there on; those that do not exist are left
    /// out.
    pub(crate) async fn pin_below(
        &self,
        location: &Location,
        wanted: &BTreeSet<String>,
    ) -> Result<BTreeMap<String, Arc<Input>>, Error> {
        match (self, &location.root) {
            (Self::S3(bucket), Root::S3 { bucket: name, prefix }) => {
                let prefix = folder_prefix(prefix, "");
                let address = format!("s3://{name}/{prefix}");
                let is_wanted = |key: &str| wanted.contains(&key[prefix.len()..]);
                let found = bucket.list_below(location, &prefix, is_wanted).await?;
                let below = |input: &Input| input.location[address.len()..].to_owned();
                Ok(found.into_iter().map(|input| (below(&input), Arc::new(input))).collect())
            }
            (_, Root::Local(root)) => {
                let (root, wanted) = (root.clone(), wanted.clone());
                let pinning = move || local::pin_below(&root, &wanted);
                blocking(pinning).await
            }
            (Self::Local, Root::S3 { .. }) => unreachable!("a store is made for its location"),
        }
    }

    /// Checks that an input is the pinned one if it is still there.
    pub(crate) async fn verify_unless_gone(&self, input: &Input) -> Result<(), Error> {
        match self.verify(input).await {
            Err(error) if error.code() == GONE => Ok(()),
            verified => verified,
        }
    }

    /// Checks that an input is still the pinned one.
    pub(crate) async fn verify(&self, input: &Input) -> Result<(), Error> {
        match self {
            Self::S3(bucket) => bucket.verify(input).await,
            Self::Local => {
                let input = input.clone();
                blocking(move || local::verify(&input)).await
            }
        }
    }

    /// Opens an input for reading on a blocking thread.
    pub(crate) fn open(&self, input: &Arc<Input>) -> Result<Opened, Error> {
        match self {
            Self::Local => local::OpenFile::open(input).map(Opened::Local),
            Self::S3(bucket) => Ok(Opened::S3(bucket.open(input))),
        }
    }

    /// How much is fetched ahead of a reader, in bytes.
    pub(crate) fn read_ahead_bytes(&self) -> usize {
        match self {
            Self::Local => local::READ_AHEAD_BYTES,
            Self::S3(_) => s3::READ_AHEAD_BYTES,
        }
    }
}

impl Opened {
    /// Reads exactly `length` bytes; blocks. The range is inside the pinned size.
    pub(crate) fn read(&self, offset: u64, length: usize) -> Result<Bytes, Error> {
        match self {
            Self::Local(file) => file.read(offset, length),
            Self::S3(object) => object.read(offset, length),
        }
    }

    /// Whether each read takes as long as a request to a service.
    pub(crate) fn is_far(&self) -> bool {
        matches!(self, Self::S3(_))
    }

    /// Reads several ranges, in the order given; from a service several at once.
    pub(crate) fn read_several(&self, ranges: &[(u64, usize)]) -> Result<Vec<Bytes>, Error> {
        match self {
            Self::Local(file) => {
                ranges.iter().map(|&(offset, length)| file.read(offset, length)).collect()
            }
            Self::S3(object) => object.read_several(ranges),
        }
    }
}

/// Pins a file of this machine that is no dataset of anybody.
pub(crate) fn local_input(path: &std::path::Path) -> Result<Input, Error> {
    local::pin_path(path)
}

/// The folder of a Delta table's log.
const LOG_FOLDER: &str = "_delta_log";

/// The beginning of the keys in a folder of a folder.
fn folder_prefix(prefix: &str, folder: &str) -> String {
    let above = prefix.trim_end_matches('/');
    let parts = [above, folder].into_iter().filter(|part| !part.is_empty());
    parts.map(|part| format!("{part}/")).collect()
}

/// A task that did not come back.
pub(crate) fn stopped(_: tokio::task::JoinError) -> Error {
    Error::internal("a reader stopped before its end")
}

/// Does work that reads inputs on a thread that may block: objects are waited for there.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work).await.map_err(stopped)?
}

/// A location that means no file.
fn nothing_found(location: &Location, format: DatasetFormat) -> Error {
    let error = Error::new(Kind::NotFound, "no_input", "no file matches the dataset's location")
        .in_file(&location.text);
    if location.pattern.is_some() {
        return error.with_hint("Check the pattern; `**` reaches through folders, `*` does not.");
    }
    let extensions = crate::location::extensions(format).join("`, `.");
    error.with_hint(format!("A folder is searched for files that end in `.{extensions}`."))
}

fn too_many(location: &Location) -> Error {
    let message = format!("the location means more than {INPUTS_MAX} files");
    Error::new(Kind::Resources, "too_many_inputs", message).in_file(&location.text)
}
