//! The delivery protocol in its smallest form, for tests: stage, write the commit record, publish,
//! and recover from wherever that ended. The ledger is a value that survives every failure.

use std::sync::Arc;

use bytes::Bytes;
use delivery::encode::{Chunk, Head};
use delivery::part::PartSize;
use delivery::store::{AtKey, Completion, Listing, UploadState};
use delivery::upload::{Identity, Intent, Upload, abort_all, begin, stage};
use delivery::{Error, Store, publish};
use plan::Output;
use plan::staged::{Condition, ObjectKind, StagedObject};

/// How often one object is tried before a test is called stuck.
const TRIES_MAX: u32 = 6;
const MANIFEST_KEY: &str = "manifest.json";

/// What the real ledger would hold of one run.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) intents: Vec<Intent>,
    pub(crate) uploads: Vec<(String, String)>,
    pub(crate) commit: Option<Vec<StagedObject>>,
    pub(crate) delivered: bool,
    attempts: u32,
}

/// One run.
pub(crate) struct Run {
    pub(crate) output: Output,
    pub(crate) chunks: Vec<Chunk>,
    pub(crate) header: Vec<u8>,
    pub(crate) part_bytes: u64,
    pub(crate) prefix: String,
    pub(crate) condition: Condition,
}

impl Run {
    /// Goes on from where the ledger stands, to the end.
    pub(crate) async fn advance(
        &self,
        store: &Arc<dyn Store>,
        ledger: &mut Ledger,
    ) -> Result<(), Error> {
        if ledger.commit.is_none() {
            self.roll_back(store, ledger).await?;
            self.stage_only(store, ledger).await?;
        }
        self.publish(store, ledger).await?;
        ledger.delivered = true;
        Ok(())
    }

    /// Stages everything and writes the commit record.
    pub(crate) async fn stage_only(
        &self,
        store: &Arc<dyn Store>,
        ledger: &mut Ledger,
    ) -> Result<(), Error> {
        ledger.commit = Some(self.stage(store, ledger).await?);
        Ok(())
    }

    /// Ends every upload that the run ever began, those whose id never arrived included.
    pub(crate) async fn roll_back(
        &self,
        store: &Arc<dyn Store>,
        ledger: &mut Ledger,
    ) -> Result<(), Error> {
        if let Listing::Uploads(found) = store.list_uploads(&self.prefix).await? {
            let ours = |key: &str| ledger.intents.iter().any(|intent| intent.key == key);
            let orphans = found.iter().filter(|upload| ours(&upload.key));
            abort_all(&**store, orphans.map(|upload| (&*upload.key, &*upload.upload_id))).await?;
        }
        abort_all(&**store, ledger.uploads.iter().map(|(key, id)| (&**key, &**id))).await?;
        ledger.uploads.clear();
        ledger.intents.clear();
        Ok(())
    }

    async fn stage(
        &self,
        store: &Arc<dyn Store>,
        ledger: &mut Ledger,
    ) -> Result<Vec<StagedObject>, Error> {
        let identity = self.identity(ledger);
        let mut staged = self.stage_files(store, ledger, identity.clone(), None).await?;
        let intent = self.manifest_intent(&identity);
        ledger.intents.push(intent.clone());
        let upload_id = begin(&**store, &intent).await?;
        ledger.uploads.push((intent.key.clone(), upload_id.clone()));
        let body = manifest(&staged);
        staged.push(stage(store, intent, upload_id, body, self.condition.clone()).await?);
        Ok(staged)
    }

    async fn stage_files(
        &self,
        store: &Arc<dyn Store>,
        ledger: &mut Ledger,
        identity: Identity,
        only: Option<u32>,
    ) -> Result<Vec<StagedObject>, Error> {
        let part_size = PartSize { bytes: self.part_bytes, in_flight: 2 };
        let upload =
            Upload::new(Arc::clone(store), &self.output, identity, Head::Text(self.header.clone()));
        let mut upload = upload.with_part_size(part_size);
        if let Some(number) = only {
            upload = upload.only(number);
        }
        for chunk in &self.chunks {
            let mut rest = Some(chunk.clone());
            while let Some(chunk) = rest {
                if let Some(intent) = upload.needs_object(&chunk) {
                    begin_in(&mut upload, ledger, intent).await?;
                }
                rest = upload.write(chunk).await?;
            }
        }
        if let Some(intent) = upload.needs_object_when_empty() {
            begin_in(&mut upload, ledger, intent).await?;
        }
        upload.seal(|_| self.condition.clone()).await
    }

    async fn publish(&self, store: &Arc<dyn Store>, ledger: &mut Ledger) -> Result<(), Error> {
        let count = ledger.commit.as_ref().map_or(0, Vec::len);
        for index in 0..count {
            for attempt in 1.. {
                assert!(attempt < TRIES_MAX, "object {index} is stuck");
                let object = ledger.commit.as_ref().unwrap()[index].clone();
                if let Completion::Done { .. } = store.complete(&object).await {
                    break;
                }
                let seen = store.inspect(&object).await?;
                match (seen.at_key, seen.upload) {
                    (AtKey::Ours { .. }, _) => break,
                    (AtKey::Absent, UploadState::Gone) => self.repair(store, ledger, index).await?,
                    (AtKey::Absent, UploadState::Alive) => {}
                    other => panic!("blocked: {other:?}"),
                }
            }
            let object = &ledger.commit.as_ref().unwrap()[index];
            let seen = store.inspect(object).await?;
            assert!(matches!(seen.at_key, AtKey::Ours { .. }), "{seen:?}");
        }
        Ok(())
    }

    /// Stages an object whose upload was lost after the commit record once more.
    async fn repair(
        &self,
        store: &Arc<dyn Store>,
        ledger: &mut Ledger,
        index: usize,
    ) -> Result<(), Error> {
        let lost = ledger.commit.as_ref().unwrap()[index].clone();
        let identity = self.identity(ledger);
        let fresh = match lost.kind {
            ObjectKind::Data => {
                self.stage_files(store, ledger, identity, Some(lost.number)).await?.remove(0)
            }
            ObjectKind::Manifest => {
                let intent = self.manifest_intent(&identity);
                let upload_id = begin(&**store, &intent).await?;
                let body = manifest(&ledger.commit.as_ref().unwrap()[..index]);
                stage(store, intent, upload_id, body, self.condition.clone()).await?
            }
        };
        ledger.commit.as_mut().unwrap()[index] = publish::replacement(&lost, fresh)?;
        Ok(())
    }

    fn identity(&self, ledger: &mut Ledger) -> Identity {
        ledger.attempts += 1;
        Identity { run_id: "run".to_owned(), nonce: format!("n{}", ledger.attempts) }
    }

    pub(crate) fn manifest_key(&self) -> String {
        format!("{}{MANIFEST_KEY}", self.prefix)
    }

    fn manifest_intent(&self, identity: &Identity) -> Intent {
        Intent {
            kind: ObjectKind::Manifest,
            number: 0,
            key: self.manifest_key(),
            token: identity.token(0),
            content_type: "application/json".to_owned(),
            part_bytes: self.part_bytes,
        }
    }
}

async fn begin_in(upload: &mut Upload, ledger: &mut Ledger, intent: Intent) -> Result<(), Error> {
    ledger.intents.push(intent.clone());
    let key = intent.key.clone();
    let upload_id = upload.begin(intent).await?;
    ledger.uploads.push((key, upload_id));
    Ok(())
}

/// A list of the files: key and SHA-256 per line.
fn manifest(files: &[StagedObject]) -> Bytes {
    files.iter().flat_map(|file| format!("{} {}\n", file.key, file.sha256).into_bytes()).collect()
}
