//! A run's files on their way into a store: rows go in, staged objects come out, and nothing is
//! visible.
//!
//! The spine drives it, because the ledger has to know of every upload before the store does:
//!
//! ```no_run
//! # use std::sync::Arc;
//! # use delivery::{Error, Store, encode::{Chunk, Head}, upload::{Identity, Upload}};
//! # use plan::{Output, staged::{Condition, StagedObject}};
//! # async fn example(store: Arc<dyn Store>, output: &Output, identity: Identity, head: Head,
//! #     chunks: Vec<Chunk>) -> Result<Vec<StagedObject>, Error> {
//! let mut upload = Upload::new(store, output, identity, head);
//! for chunk in chunks {
//!     let mut rest = Some(chunk);
//!     while let Some(chunk) = rest {
//!         if let Some(intent) = upload.needs_object(&chunk) {
//!             // The ledger records the intent, and afterwards the upload id.
//!             let _upload_id = upload.begin(intent).await?;
//!         }
//!         rest = upload.write(chunk).await?;
//!     }
//! }
//! if let Some(intent) = upload.needs_object_when_empty() {
//!     upload.begin(intent).await?;
//! }
//! let staged = upload.seal(|_key| Condition::Absent).await?;
//! # Ok(staged) }
//! ```

mod object;
mod press;
mod sending;

use std::sync::Arc;

use bytes::Bytes;
use futures::StreamExt as _;
use plan::Output;
use plan::file_format::{Compression, Encoding, FileFormat, WhenEmpty};
use plan::staged::{Condition, ObjectKind, StagedObject};
use tokio::sync::Semaphore;
use tokio::task::{JoinError, JoinSet};

use self::object::{Lane, OpenObject};
use self::sending::Sending;
use crate::encode::{Chunk, Encoder, Head};
use crate::error::Error;
use crate::part::PartSize;
use crate::pgp::Seal;
use crate::split::Splitter;
use crate::store::{NewUpload, Store};

/// The most files of one run.
pub const FILES_MAX: u32 = 10_000;
/// The most files that are full and still on their way while the next is being written.
pub const FILES_CLOSING_MAX: usize = 4;
/// How many uploads are aborted at the same time.
pub const ABORTS_IN_FLIGHT_MAX: usize = 8;

/// What makes the objects of a run its own: together with an object's number this is its token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The run.
    pub run_id: String,
    /// Random, new for every attempt, so that no two uploads ever share a token.
    pub nonce: String,
}

impl Identity {
    /// Returns the token of an object of the run: data files count from 1, the manifest is 0.
    pub fn token(&self, number: u32) -> String {
        format!("{}.{number}.{}", self.run_id, self.nonce)
    }
}

/// An object that is about to get an upload; the ledger records it before [`begin`] is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intent {
    /// What the object is.
    pub kind: ObjectKind,
    /// Its position in the file set: data files count from 1, the manifest is 0.
    pub number: u32,
    /// Where it will be visible.
    pub key: String,
    /// What it will be known by.
    pub token: String,
    /// The media type.
    pub content_type: String,
    /// The size of every part but the last, in bytes.
    pub part_bytes: u64,
}

/// Opens the upload of an intent and returns its id.
///
/// # Errors
/// Those of [`Store::create_upload`].
pub async fn begin(store: &dyn Store, intent: &Intent) -> Result<String, Error> {
    let new = NewUpload {
        key: intent.key.clone(),
        token: intent.token.clone(),
        content_type: intent.content_type.clone(),
        part_bytes: intent.part_bytes,
    };
    store.create_upload(&new).await
}

/// Stages an object whose bytes are there as a whole: a manifest, or a repair.
///
/// # Errors
/// Those of [`Store::put_part`], and when the object needs more parts than S3 takes.
pub async fn stage(
    store: &Arc<dyn Store>,
    intent: Intent,
    upload_id: String,
    body: Bytes,
    condition: Condition,
) -> Result<StagedObject, Error> {
    let permits = Arc::new(Semaphore::new(PartSize::of(intent.part_bytes).in_flight));
    let (parts, summary) = press::cut(&intent.key, &body, intent.part_bytes)?;
    let mut sending = Sending::new(Arc::clone(store), permits, &intent.key, &upload_id);
    sending.send(parts).await?;
    let staged = sending.finish().await?;
    Ok(StagedObject { condition, ..object::staged_object(intent, upload_id, 0, staged, summary) })
}

/// The data files of one run, being written.
///
/// Dropping it stops what is on its way and leaves the uploads open; [`Upload::abort`] ends them.
pub struct Upload {
    lane: Lane,
    output: Output,
    identity: Identity,
    head: Head,
    splitter: Splitter,
    part_size: PartSize,
    /// The only file that is wanted, when one is written again.
    only: Option<u32>,
    /// The number of the file that is being written, or that the next row begins.
    number: u32,
    current: Current,
    closing: JoinSet<Result<StagedObject, Error>>,
    staged: Vec<StagedObject>,
    begun: Vec<Begun>,
    /// Bytes of the files that are full, as far as they were packed when they were closed.
    closed_bytes: u64,
}

/// What becomes of the rows that come next.
enum Current {
    /// No file has been begun for them.
    None,
    /// They go into this one.
    Open(Box<OpenObject>),
    /// They belong to a file that is not wanted.
    PassedOver,
}

struct Begun {
    key: String,
    upload_id: String,
}

impl std::fmt::Debug for Upload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { identity, number, .. } = self;
        f.debug_struct("Upload")
            .field("identity", identity)
            .field("number", number)
            .finish_non_exhaustive()
    }
}

impl Upload {
    /// Begins a run's files. `head` is what every file begins with.
    pub fn new(store: Arc<dyn Store>, output: &Output, identity: Identity, head: Head) -> Self {
        let head_bytes = match &head {
            Head::Text(text) => text.len(),
            Head::Columns(_) => 0,
        };
        let part_size = PartSize::for_files(&output.file);
        Self {
            lane: Lane::new(store, part_size.in_flight),
            output: output.clone(),
            identity,
            splitter: Splitter::new(&output.file, head_bytes),
            head,
            part_size,
            only: None,
            number: 1,
            current: Current::None,
            closing: JoinSet::new(),
            staged: Vec::new(),
            begun: Vec::new(),
            closed_bytes: 0,
        }
    }

    /// Writes only one of the files, to repair it: rows of the others pass by.
    #[must_use]
    pub fn only(mut self, number: u32) -> Self {
        self.only = Some(number);
        self
    }

    /// Takes another part size, for tests with small files.
    #[must_use]
    pub fn with_part_size(mut self, part_size: PartSize) -> Self {
        self.part_size = part_size;
        let Lane { store, texts, seal, .. } = self.lane;
        self.lane = Lane { texts, seal, ..Lane::new(store, part_size.in_flight) };
        self
    }

    /// Encrypts every file. Each draws from the token that its upload is begun with.
    #[must_use]
    pub fn sealed_by(mut self, seal: Option<Arc<Seal>>) -> Self {
        self.lane.seal = seal;
        self
    }

    /// Gives the texts of chunks back to the encoder that made them: buffers that are used again
    /// spare the time and the memory of fresh ones.
    #[must_use]
    pub fn giving_back_to(mut self, encoder: &Encoder) -> Self {
        self.lane.texts = encoder.texts();
        self
    }

    /// The number of the file that the next row goes into, unless that is full.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// How many bytes the rows so far have become, sent or not: a little less while some of them are
    /// still being packed.
    pub fn bytes(&self) -> u64 {
        match &self.current {
            Current::Open(object) => self.closed_bytes + object.bytes(),
            _ => self.closed_bytes,
        }
    }

    /// Tells which object has to be begun before `chunk` can be written, if one has.
    pub fn needs_object(&mut self, chunk: &Chunk) -> Option<Intent> {
        if chunk.is_empty() || !matches!(self.current, Current::None) {
            return None;
        }
        if self.only.is_some_and(|only| only != self.number) {
            self.current = Current::PassedOver;
            return None;
        }
        Some(self.intent())
    }

    /// Tells which object has to be begun when all rows were written and there were none: the file
    /// with the header alone, if the format wants one.
    pub fn needs_object_when_empty(&self) -> Option<Intent> {
        let is_empty = self.number == 1 && matches!(self.current, Current::None);
        (is_empty && self.output.file.when_empty == WhenEmpty::HeaderOnly).then(|| self.intent())
    }

    /// Opens the upload of an object and returns its id.
    ///
    /// # Errors
    /// Those of [`Store::create_upload`], and when the run has [`FILES_MAX`] files already.
    pub async fn begin(&mut self, intent: Intent) -> Result<String, Error> {
        // A repair has the token of what it replaces, which another process may have drawn.
        let expected = Intent { token: intent.token.clone(), ..self.intent() };
        if !matches!(self.current, Current::None) || intent != expected {
            return Err(self.out_of_turn("was begun out of turn"));
        }
        if intent.number > FILES_MAX {
            let name = self.output.stem.clone();
            return Err(Error::Limit { what: "files", name, limit: u64::from(FILES_MAX) });
        }
        let upload_id = begin(&*self.lane.store, &intent).await?;
        self.begun.push(Begun { key: intent.key.clone(), upload_id: upload_id.clone() });
        let (lane, head) = (self.lane.clone(), self.head.clone());
        let object = OpenObject::new(lane, intent, upload_id.clone(), &self.output.file, head);
        self.current = Current::Open(Box::new(object));
        Ok(upload_id)
    }

    /// Writes the rows of a chunk that fit the current file and returns the others, which belong to
    /// the next. It waits while too much is on its way.
    ///
    /// # Errors
    /// Those of [`Store::put_part`], possibly of a part that was sent earlier; characters that the
    /// file's encoding does not have; a file with more parts than S3 takes.
    pub async fn write(&mut self, mut chunk: Chunk) -> Result<Option<Chunk>, Error> {
        if chunk.is_empty() {
            return Ok(None);
        }
        let rows = self.splitter.fit(&chunk);
        let rest = (rows < chunk.rows()).then(|| chunk.split_off(rows));
        self.splitter.advance(rows, chunk.bytes_of(rows));
        match &mut self.current {
            Current::Open(object) if rows > 0 => object.write(chunk).await?,
            Current::None => return Err(self.out_of_turn("was written to before it was begun")),
            _ => {}
        }
        if rest.is_some() {
            self.next_file().await?;
        }
        Ok(rest)
    }

    /// Ends the set: every part of every file is at the store, and nothing is visible. `conditions`
    /// says for each key what must hold when the object becomes visible.
    ///
    /// # Errors
    /// As [`Upload::write`]. The uploads are then still open: the ledger knows them, and
    /// [`abort_all`] ends them.
    pub async fn seal(
        mut self,
        conditions: impl Fn(&str) -> Condition,
    ) -> Result<Vec<StagedObject>, Error> {
        self.close_current();
        while let Some(ended) = self.closing.join_next().await {
            self.collect(ended)?;
        }
        let mut staged = std::mem::take(&mut self.staged);
        staged.sort_by_key(|object| object.number);
        for object in &mut staged {
            object.condition = conditions(&object.key);
        }
        Ok(staged)
    }

    /// Stops what is on its way and aborts every upload that was begun, until the store confirms it.
    ///
    /// # Errors
    /// The first error of [`Store::abort`], after all uploads were tried.
    pub async fn abort(mut self) -> Result<(), Error> {
        self.current = Current::None;
        self.closing.shutdown().await;
        let begun = std::mem::take(&mut self.begun);
        abort_all(&*self.lane.store, begun.iter().map(|begun| (&*begun.key, &*begun.upload_id)))
            .await
    }

    fn intent(&self) -> Intent {
        Intent {
            kind: ObjectKind::Data,
            number: self.number,
            key: self.output.key(self.number),
            token: self.identity.token(self.number),
            content_type: self
                .output
                .content_type
                .clone()
                .unwrap_or_else(|| content_type(&self.output.file)),
            part_bytes: self.part_size.bytes,
        }
    }

    fn out_of_turn(&self, problem: &'static str) -> Error {
        let key = self.output.key(self.number);
        Error::Upload { key, upload_id: "(none)".to_owned(), problem }
    }

    /// Lets the current file end on its own while the next is written.
    async fn next_file(&mut self) -> Result<(), Error> {
        self.close_current();
        self.number += 1;
        self.splitter.next_file();
        while self.closing.len() >= FILES_CLOSING_MAX {
            let Some(ended) = self.closing.join_next().await else { break };
            self.collect(ended)?;
        }
        Ok(())
    }

    fn close_current(&mut self) {
        if let Current::Open(object) = std::mem::replace(&mut self.current, Current::None) {
            self.closed_bytes += object.bytes();
            self.closing.spawn(object.finish());
        }
    }

    fn collect(
        &mut self,
        ended: Result<Result<StagedObject, Error>, JoinError>,
    ) -> Result<(), Error> {
        self.staged
            .push(ended.map_err(|source| Error::Task { task: "finishing a file", source })??);
        Ok(())
    }
}

/// Aborts uploads, several at a time, until the store confirms each.
///
/// # Errors
/// The first error of [`Store::abort`], after all uploads were tried.
pub async fn abort_all<'a>(
    store: &dyn Store,
    uploads: impl Iterator<Item = (&'a str, &'a str)>,
) -> Result<(), Error> {
    let aborts = uploads.map(|(key, upload_id)| store.abort(key, upload_id));
    let ended: Vec<_> =
        futures::stream::iter(aborts).buffer_unordered(ABORTS_IN_FLIGHT_MAX).collect().await;
    ended.into_iter().collect()
}

/// The media type of an encrypted file.
const ENCRYPTED_TYPE: &str = "application/pgp-encrypted";

/// Returns the media type of a data file. A compressed file is one of its compression, not a CSV file
/// with a content encoding: clients would unpack it on the way, and its name would be wrong.
fn content_type(file: &FileFormat) -> String {
    match file.compression {
        _ if file.encrypted => ENCRYPTED_TYPE.to_owned(),
        Compression::Gzip => "application/gzip".to_owned(),
        Compression::Zstd => "application/zstd".to_owned(),
        Compression::Zip => "application/zip".to_owned(),
        Compression::None if file.layout.is_delimited() => {
            format!("{}; charset={}", file.content_type(), charset(file.encoding))
        }
        Compression::None => file.content_type().to_owned(),
    }
}

/// Returns the name of an encoding in the IANA registry of character sets. UTF-16 files begin with a
/// byte order mark, for which the registry's name is the one without the order.
fn charset(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Utf8 | Encoding::Utf8Bom => "utf-8",
        Encoding::Utf16Le | Encoding::Utf16Be => "utf-16",
        Encoding::Iso8859_1 => "iso-8859-1",
        Encoding::Windows1252 => "windows-1252",
    }
}
