//! One object on its way into a store: rows go in, parts go out.
//!
//! Packing and digesting run on a blocking thread, one step behind whoever writes; parts are sent
//! from there while the next rows are packed. What is in memory is bounded by the part that is being
//! filled and by the permits for parts on their way.

use std::sync::Arc;

use plan::file_format::FileFormat;
use plan::staged::{Condition, StagedObject, StagedPart};
use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, spawn_blocking};

use super::Intent;
use super::press::{Press, Summary};
use super::sending::Sending;
use crate::buffers::Buffers;
use crate::encode::{Chunk, Head};
use crate::error::Error;
use crate::pgp::{Seal, Sealer};
use crate::store::{Part, Store, crc64_text};

/// What the objects of a run share on their way.
#[derive(Clone)]
pub(super) struct Lane {
    pub(super) store: Arc<dyn Store>,
    /// One for each part on its way.
    pub(super) permits: Arc<Semaphore>,
    pub(super) buffers: Arc<Buffers>,
    /// Where texts go that are packed.
    pub(super) texts: Arc<Buffers>,
    /// How the files are encrypted, if they are.
    pub(super) seal: Option<Arc<Seal>>,
}

impl Lane {
    pub(super) fn new(store: Arc<dyn Store>, parts_in_flight: usize) -> Self {
        // One buffer more than can be on their way: the part that is being filled.
        let buffers = Buffers::new(parts_in_flight + 1);
        let texts = Buffers::new(0);
        let permits = Arc::new(Semaphore::new(parts_in_flight));
        Self { store, permits, buffers, texts, seal: None }
    }
}

/// An object that is being written.
pub(super) struct OpenObject {
    intent: Intent,
    upload_id: String,
    rows: u64,
    /// Bytes that its rows have become, without those that are being packed.
    bytes: u64,
    /// Absent only after a failure.
    pressing: Option<Pressing>,
    texts: Arc<Buffers>,
    sending: Sending,
}

type Pressing = JoinHandle<Result<(Press, Vec<Part>), Error>>;

impl OpenObject {
    /// Begins to write into the upload that was opened for `intent`, with what every file begins
    /// with. If that fails, the next act says so.
    pub(super) fn new(
        lane: Lane,
        intent: Intent,
        upload_id: String,
        file: &FileFormat,
        head: Head,
    ) -> Self {
        let (key, file, part_bytes) = (intent.key.clone(), file.clone(), intent.part_bytes);
        let buffers = lane.buffers;
        let (seal, token) = (lane.seal, intent.token.clone());
        let begun = spawn_blocking(move || {
            let sealer = seal.map(|seal| Sealer::new(seal, &token)).transpose()?;
            Press::begin(&key, &file, head, sealer, part_bytes, buffers)
        });
        let sending = Sending::new(lane.store, lane.permits, &intent.key, &upload_id);
        let texts = lane.texts;
        Self { intent, upload_id, rows: 0, bytes: 0, pressing: Some(begun), texts, sending }
    }

    /// Bytes that its rows have become, without those that are being packed.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Writes whole rows. It waits while the rows before are still being packed, or while too many
    /// parts are on their way.
    pub(super) async fn write(&mut self, rows: Chunk) -> Result<(), Error> {
        let (press, parts) = self.pressed().await?;
        self.rows += rows.rows() as u64;
        self.bytes = press.bytes();
        // At once, so that these rows are packed while the parts before them wait for their turn.
        self.pressing = Some(press_on(press, rows, Arc::clone(&self.texts)));
        self.sending.send(parts).await
    }

    /// Ends the object: all its parts are at the store. Its condition is `Absent` until whoever seals
    /// the set decides.
    pub(super) async fn finish(mut self) -> Result<StagedObject, Error> {
        let (press, parts) = self.pressed().await?;
        self.sending.send(parts).await?;
        let finished = spawn_blocking(move || press.finish()).await;
        let (parts, summary) =
            finished.map_err(|source| Error::Task { task: "packing a file", source })??;
        self.sending.send(parts).await?;
        let staged = self.sending.finish().await?;
        Ok(staged_object(self.intent, self.upload_id, self.rows, staged, summary))
    }

    async fn pressed(&mut self) -> Result<(Press, Vec<Part>), Error> {
        let Some(pressing) = self.pressing.take() else {
            let (key, upload_id) = (self.intent.key.clone(), self.upload_id.clone());
            return Err(Error::Upload {
                key,
                upload_id,
                problem: "was written to after it had failed",
            });
        };
        pressing.await.map_err(|source| Error::Task { task: "packing a file", source })?
    }
}

/// Puts together what the ledger keeps of an object.
pub(super) fn staged_object(
    intent: Intent,
    upload_id: String,
    rows: u64,
    parts: Vec<StagedPart>,
    summary: Summary,
) -> StagedObject {
    let checked_by_store = parts.iter().all(|part| part.crc64nvme.is_some());
    StagedObject {
        kind: intent.kind,
        number: intent.number,
        key: intent.key,
        upload_id,
        token: intent.token,
        parts,
        bytes: summary.bytes,
        rows,
        replaced: summary.replaced,
        sha256: summary.sha256,
        crc64nvme: checked_by_store.then(|| crc64_text(summary.crc64nvme)),
        condition: Condition::Absent,
    }
}

fn press_on(mut press: Press, rows: Chunk, texts: Arc<Buffers>) -> Pressing {
    spawn_blocking(move || {
        let parts = press.write(&rows)?;
        texts.put_back(rows.text);
        Ok((press, parts))
    })
}
