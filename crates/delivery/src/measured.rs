//! A store that counts what is sent to it, for those who watch a run.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use plan::staged::{StagedObject, StagedPart};

use crate::error::Error;
use crate::store::{Completion, Head, Listing, NewUpload, Part, Seen, Store};

/// How much was sent; read from another thread while it grows.
#[derive(Debug, Default)]
pub struct Sent {
    parts: AtomicU64,
    bytes: AtomicU64,
}

impl Sent {
    /// Parts that the store has taken.
    pub fn parts(&self) -> u64 {
        self.parts.load(Ordering::Relaxed)
    }

    /// Bytes in them.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }
}

/// A store in front of another, which does everything.
#[derive(Debug)]
pub struct MeasuredStore {
    inner: Arc<dyn Store>,
    sent: Arc<Sent>,
}

impl MeasuredStore {
    /// Counts into `sent` what goes to `inner`.
    pub fn new(inner: Arc<dyn Store>, sent: Arc<Sent>) -> Self {
        Self { inner, sent }
    }
}

#[async_trait]
impl Store for MeasuredStore {
    fn identity(&self) -> String {
        self.inner.identity()
    }

    async fn create_upload(&self, new: &NewUpload) -> Result<String, Error> {
        self.inner.create_upload(new).await
    }

    async fn put_part(&self, key: &str, upload_id: &str, part: &Part) -> Result<StagedPart, Error> {
        let staged = self.inner.put_part(key, upload_id, part).await?;
        let bytes = u64::try_from(part.body().len()).unwrap_or(u64::MAX);
        self.sent.parts.fetch_add(1, Ordering::Relaxed);
        self.sent.bytes.fetch_add(bytes, Ordering::Relaxed);
        Ok(staged)
    }

    async fn complete(&self, object: &StagedObject) -> Completion {
        self.inner.complete(object).await
    }

    async fn abort(&self, key: &str, upload_id: &str) -> Result<(), Error> {
        self.inner.abort(key, upload_id).await
    }

    async fn head(&self, key: &str) -> Result<Option<Head>, Error> {
        self.inner.head(key).await
    }

    async fn list_uploads(&self, prefix: &str) -> Result<Listing, Error> {
        self.inner.list_uploads(prefix).await
    }

    async fn parts(&self, key: &str, upload_id: &str) -> Result<Option<Vec<StagedPart>>, Error> {
        self.inner.parts(key, upload_id).await
    }

    async fn inspect(&self, object: &StagedObject) -> Result<Seen, Error> {
        self.inner.inspect(object).await
    }
}
