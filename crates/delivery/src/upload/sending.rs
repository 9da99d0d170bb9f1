//! Parts of one upload on their way to the store, several at a time.

use std::sync::Arc;

use plan::staged::StagedPart;
use tokio::sync::Semaphore;
use tokio::task::{JoinError, JoinSet};

use crate::error::Error;
use crate::store::{Part, Store};

/// Parts on their way. Dropping it stops them.
pub(super) struct Sending {
    store: Arc<dyn Store>,
    /// Shared by all objects of a run: what is on its way takes memory.
    permits: Arc<Semaphore>,
    upload: Arc<Upload>,
    tasks: JoinSet<Result<StagedPart, Error>>,
    staged: Vec<StagedPart>,
}

struct Upload {
    key: String,
    upload_id: String,
}

impl Sending {
    pub(super) fn new(
        store: Arc<dyn Store>,
        permits: Arc<Semaphore>,
        key: &str,
        upload_id: &str,
    ) -> Self {
        let upload = Arc::new(Upload { key: key.to_owned(), upload_id: upload_id.to_owned() });
        Self { store, permits, upload, tasks: JoinSet::new(), staged: Vec::new() }
    }

    /// Sends parts as soon as there are permits, and reports parts that have failed meanwhile.
    pub(super) async fn send(&mut self, parts: Vec<Part>) -> Result<(), Error> {
        for part in parts {
            let permit =
                Arc::clone(&self.permits).acquire_owned().await.expect("nobody closes the permits");
            let (store, upload) = (Arc::clone(&self.store), Arc::clone(&self.upload));
            self.tasks.spawn(async move {
                let staged = store.put_part(&upload.key, &upload.upload_id, &part).await;
                drop(permit);
                staged
            });
        }
        while let Some(ended) = self.tasks.try_join_next() {
            self.collect(ended)?;
        }
        Ok(())
    }

    /// Waits for all parts and returns them in order.
    pub(super) async fn finish(mut self) -> Result<Vec<StagedPart>, Error> {
        while let Some(ended) = self.tasks.join_next().await {
            self.collect(ended)?;
        }
        self.staged.sort_by_key(|part| part.number);
        Ok(std::mem::take(&mut self.staged))
    }

    fn collect(
        &mut self,
        ended: Result<Result<StagedPart, Error>, JoinError>,
    ) -> Result<(), Error> {
        let sent = ended.map_err(|source| Error::Task { task: "uploading a part", source })?;
        self.staged.push(sent?);
        Ok(())
    }
}
