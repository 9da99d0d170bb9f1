//! Making staged objects visible, and finding out what an unclear answer meant.

use bytes::Bytes;
use delivery::store::{AtKey, Completion, Listing, OpenUpload, UploadState};
use delivery::upload::{Intent, Upload};
use delivery::{manifest, publish};
use engine::With;
use futures::StreamExt as _;
use jiff::{SignedDuration, Timestamp};
use plan::protocol::{self, Answer, Event, RepairFailure, Seen, Verification};
use plan::staged::{ObjectKind, PublishedObject, StagedObject};

use super::stage::{Chunking, Opening, Trouble, encoded, inputs, manifest_text};
use super::{Attempt, Work};
use crate::ambient;
use crate::failure::{Failure, Kind};
use crate::progress::Phase;

impl Attempt<'_> {
    /// Sends one request that makes an object visible.
    pub(super) async fn complete(&self, index: usize, attempt: u8) -> Event {
        let Some(object) = self.object(index) else { return Event::LedgerFailed };
        self.around.line.phase(Phase::Publishing);
        pause(attempt).await;
        let answer = match self.around.store.complete(&object).await {
            Completion::Done { etag, version_id } => {
                self.seen(index, PublishedObject { number: object.number, etag, version_id });
                Answer::Done
            }
            Completion::Unclear(error) => self.unclear(Answer::Unclear, error),
            Completion::Gone(error) => self.unclear(Answer::Gone, error),
            Completion::ConditionFailed(error) => self.unclear(Answer::ConditionFailed, error),
            Completion::Conflict(error) => self.unclear(Answer::Conflict, error),
            Completion::Refused(error) => self.failed(Answer::Refused, error),
            Completion::Denied(error) => self.failed(Answer::Denied, error),
            Completion::Misdirected(error) => self.failed(Answer::Misdirected, error),
        };
        Event::Completed { object: index, answer }
    }

    /// An answer that has to be settled by looking; it is no failure yet.
    fn unclear(&self, answer: Answer, error: delivery::Error) -> Answer {
        tracing::info!(run_id = %self.claim.run_id, %error, "an answer is unclear, the object is looked at");
        answer
    }

    fn failed(&self, answer: Answer, error: delivery::Error) -> Answer {
        self.held().fail(error.into());
        answer
    }

    /// Asks whether the upload is open, and then looks at the object.
    pub(super) async fn inspect(&self, index: usize, attempt: u8) -> Event {
        let Some(object) = self.object(index) else { return Event::LedgerFailed };
        pause(attempt).await;
        let (seen, upload) = match self.around.store.inspect(&object).await {
            Ok(found) => (self.judge(index, &object, found.at_key), upload_state(found.upload)),
            Err(error) => {
                tracing::info!(run_id = %self.claim.run_id, %error, "an object could not be looked at");
                (Seen::Unanswered, protocol::Upload::Unknown)
            }
        };
        Event::Inspected { object: index, seen, upload }
    }

    fn judge(&self, index: usize, object: &StagedObject, at_key: AtKey) -> Seen {
        match at_key {
            AtKey::Ours { etag, version_id, .. } => {
                self.seen(index, PublishedObject { number: object.number, etag, version_id });
                Seen::Ours
            }
            AtKey::OursButDifferent { difference } => {
                self.held().fail(delivery::publish::damaged(object, &difference).into());
                Seen::OursButDifferent
            }
            AtKey::Foreign { etag } => Seen::instead(&object.condition, Some(&etag)),
            AtKey::Absent => Seen::instead(&object.condition, None),
            AtKey::CannotSee => Seen::CannotSee,
        }
    }

    /// Uploads the same bytes under a new id, after the old one is confirmed dead.
    pub(super) async fn repair(&self, index: usize, attempt: u8) -> Event {
        let Some(object) = self.object(index) else { return Event::LedgerFailed };
        pause(attempt).await;
        match self.try_repair(&object).await {
            Ok(fresh) => self.replace(index, &object, fresh),
            Err(Trouble::Ledger(error)) => self.ledger_event(error),
            // What is committed was let through; no guard is asked again.
            Err(Trouble::Guard(..)) => {
                Event::RepairFailed { object: index, failure: RepairFailure::Impossible }
            }
            Err(Trouble::Run(failure)) => {
                let class = match failure.kind {
                    Kind::Temporary => RepairFailure::Temporary,
                    _ => RepairFailure::Impossible,
                };
                self.held().fail(failure);
                Event::RepairFailed { object: index, failure: class }
            }
        }
    }

    /// Takes a new upload in the place of a lost one, if it holds the same bytes.
    fn replace(&self, index: usize, lost: &StagedObject, fresh: StagedObject) -> Event {
        match publish::replacement(lost, fresh) {
            Ok(replacement) => {
                self.held().replacements[index] = Some(replacement);
                Event::Repaired { object: index }
            }
            Err(error) => {
                self.held().fail(error.into());
                Event::RepairFailed { object: index, failure: RepairFailure::BytesDiffer }
            }
        }
    }

    async fn try_repair(&self, lost: &StagedObject) -> Result<StagedObject, Trouble> {
        self.around.store.abort(&lost.key, &lost.upload_id).await?;
        let work = self.work.ok_or_else(|| cannot_repeat(lost))?;
        work.engine.verify(work.profiles).await?;
        match lost.kind {
            ObjectKind::Data => self.stage_again(work, lost).await,
            ObjectKind::Manifest => self.stage_manifest_again(work, lost).await,
        }
    }

    /// Writes one file of the set again: all rows are read, those of other files pass by.
    async fn stage_again(
        &self,
        work: Work<'_>,
        lost: &StagedObject,
    ) -> Result<StagedObject, Trouble> {
        let (rows, encoder) = encoded(work, self.choose(work, With::Nothing).await?.rows)?;
        let store = std::sync::Arc::clone(&self.around.store);
        let upload = Upload::new(store, &work.plan.output, self.identity.clone(), encoder.head());
        let seal = self.seal_again(work, lost)?;
        let mut upload = upload.only(lost.number).giving_back_to(&encoder).sealed_by(seal);
        let mut opening = Opening { token: Some(&lost.token), ..Opening::default() };
        let mut chunks =
            rows.map_ordered(move |batch| encoder.encode(&batch).map_err(Chunking::from));
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|error| error.at_row(0))?;
            self.write_chunk(&mut upload, &mut opening, chunk, None).await?;
        }
        if let Some(intent) = upload.needs_object_when_empty() {
            self.begin(&mut upload, &mut opening, intent).await?;
        }
        let staged = upload.seal(|_| lost.condition.clone()).await?;
        staged.into_iter().next().ok_or_else(|| cannot_repeat(lost).into())
    }

    async fn stage_manifest_again(
        &self,
        work: Work<'_>,
        lost: &StagedObject,
    ) -> Result<StagedObject, Trouble> {
        let counts = self.recorded_counts().await?;
        let files: Vec<StagedObject> = {
            let held = self.held();
            held.objects.iter().filter(|object| object.kind == ObjectKind::Data).cloned().collect()
        };
        let intent = manifest::intent(&work.plan.output, &self.identity)
            .ok_or_else(|| cannot_repeat(lost))?;
        let intent = Intent { token: lost.token.clone(), ..intent };
        let stale = self.stale_keys(work, files.len()).await?;
        let text: Bytes = manifest_text(work, &files, &counts, &inputs(work), &stale);
        self.stage_whole(intent, text, lost.condition.clone()).await
    }

    /// The counts of the commit record, as the manifest tells them.
    async fn recorded_counts(&self) -> Result<ledger::Counts, Trouble> {
        let detail = self.record(self.around.ledger.run(self.claim.run_id).await)?;
        let detail =
            detail.ok_or_else(|| Failure::new(Kind::Internal, "a committed run has no record"))?;
        Ok(ledger::Counts {
            received: detail.run.received.unwrap_or_default(),
            activated: detail.run.activated.unwrap_or_default(),
            excluded: detail.excluded,
            movement: detail.run.movement,
        })
    }

    pub(super) async fn record_replacement(&self, index: usize, now: Timestamp) -> Event {
        let Some(replacement) = self.held().replacements[index].take() else {
            return Event::LedgerFailed;
        };
        let recorded = self.around.ledger.replace_upload(&self.claim, &replacement, now).await;
        if recorded.is_ok() {
            self.held().objects[index] = replacement;
        }
        self.after(recorded, Event::ReplacementRecorded { object: index })
    }

    pub(super) async fn record_published(
        &self,
        index: usize,
        verification: Verification,
        now: Timestamp,
    ) -> Event {
        let Some(object) = self.held().published.get(index).cloned().flatten() else {
            return Event::LedgerFailed;
        };
        let recorded =
            self.around.ledger.object_published(&self.claim, &object, verification, now).await;
        self.after(recorded, Event::PublishedRecorded { object: index })
    }

    /// Aborts every upload that the ledger lists for this run; what cannot be aborted stays listed
    /// for a later sweep.
    pub(super) async fn abort_uploads(&self, now: Timestamp) -> Event {
        self.around.line.phase(Phase::CleaningUp);
        match self.around.ledger.uploads_to_abort(&self.claim, now).await {
            Ok(uploads) => {
                for upload in &uploads {
                    abort(&self.around, upload).await;
                }
                Event::Aborted
            }
            Err(error) => self.ledger_event(error),
        }
    }

    fn object(&self, index: usize) -> Option<StagedObject> {
        self.held().objects.get(index).cloned()
    }

    fn seen(&self, index: usize, object: PublishedObject) {
        self.held().published[index] = Some(object);
    }
}

/// How long after a process died a request of it may still reach the service.
const LATE_REQUEST_MAX: SignedDuration = SignedDuration::from_mins(15);

/// Aborts one upload and forgets it once the store confirms that it is dead. One whose id was never
/// learnt is looked for again by a later sweep, as the request that opens it may still be under way.
pub(crate) async fn abort(around: &super::Surroundings<'_>, upload: &ledger::OpenUpload) {
    let store = &around.store;
    let ended = match &upload.upload_id {
        Some(upload_id) => store.abort(&upload.key, upload_id).await,
        None => abort_unknown(around, upload).await,
    };
    let age = ambient::now().duration_since(upload.intended);
    match ended {
        Ok(()) if upload.upload_id.is_none() && age < LATE_REQUEST_MAX => {}
        Ok(()) => {
            if let Err(error) = around.ledger.forget_upload(upload.intent).await {
                tracing::warn!(%error, key = upload.key, "an aborted upload stays in the ledger");
            }
        }
        Err(error) => {
            tracing::warn!(%error, key = upload.key, "an upload could not be aborted; it is tried again at the next start")
        }
    }
}

/// The process died between asking for an upload and writing down its id: whatever is open at this
/// key was opened by that request, since the key is reserved for the run.
async fn abort_unknown(
    around: &super::Surroundings<'_>,
    upload: &ledger::OpenUpload,
) -> Result<(), delivery::Error> {
    let Listing::Uploads(open) = around.store.list_uploads(&upload.key).await? else {
        tracing::warn!(
            key = upload.key,
            "an unfinished upload may be left: the service does not list uploads; a lifecycle rule removes it"
        );
        return Ok(());
    };
    let is_orphan = |open: &&OpenUpload| {
        open.key == upload.key
            && open.initiated.is_none_or(|initiated| initiated >= before(upload.intended))
    };
    let identity = around.store.identity();
    for orphan in open.iter().filter(is_orphan) {
        // On a static name a newer run may have an upload of its own at the same key.
        match around.ledger.knows_upload(&identity, &orphan.key, &orphan.upload_id).await {
            Ok(false) => around.store.abort(&orphan.key, &orphan.upload_id).await?,
            Ok(true) => {}
            Err(error) => {
                tracing::warn!(%error, "an upload is left alone, as the ledger cannot be asked about it")
            }
        }
    }
    Ok(())
}

/// Clocks of this machine and of the service may differ by this much.
fn before(intended: Timestamp) -> Timestamp {
    intended.checked_sub(SignedDuration::from_mins(15)).unwrap_or(intended)
}

async fn pause(attempt: u8) {
    let pause = ambient::part_of(protocol::pause_before(attempt));
    if !pause.is_zero() {
        tokio::time::sleep(pause).await;
    }
}

fn upload_state(state: UploadState) -> protocol::Upload {
    match state {
        UploadState::Alive => protocol::Upload::Alive,
        UploadState::Gone => protocol::Upload::Gone,
        UploadState::CannotSee => protocol::Upload::Unknown,
    }
}

fn cannot_repeat(lost: &StagedObject) -> Failure {
    Failure::new(
        Kind::Run,
        format!("the upload of {} is lost, and its rows cannot be read again", lost.key),
    )
    .hint("Restore the project file and the input of the run, and run again.")
}
