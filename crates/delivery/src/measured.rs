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
    begun: AtomicU64,
}

impl Sent {
    /// Parts that the store has taken.
    pub fn parts(&self) -> u64 {
        self.parts.load(Ordering::Relaxed)
    }

    /// Bytes in them, and what has left of parts that are on their way.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Bytes of all parts whose turn has come, sent or not.
    pub fn begun(&self) -> u64 {
        self.begun.load(Ordering::Relaxed)
    }
}

/// One part on its way. The store that sends it says how much of it has left, where it can: a part of
/// several megabytes takes a slow line a minute.
#[derive(Debug, Clone)]
pub struct Flight {
    sent: Arc<Sent>,
    left: Arc<AtomicU64>,
}

impl Flight {
    pub(crate) fn begin(sent: &Arc<Sent>, bytes: u64) -> Self {
        sent.begun.fetch_add(bytes, Ordering::Relaxed);
        Self { sent: Arc::clone(sent), left: Arc::default() }
    }

    /// Counts bytes that have left.
    pub(crate) fn advance(&self, bytes: u64) {
        self.left.fetch_add(bytes, Ordering::Relaxed);
        self.sent.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Takes back what was counted: the part is sent from its first byte again.
    pub(crate) fn start_over(&self) {
        let left = self.left.swap(0, Ordering::Relaxed);
        self.sent.bytes.fetch_sub(left, Ordering::Relaxed);
    }

    /// The store has taken the part, whether it said how much of it had left or not.
    fn land(&self, bytes: u64) {
        self.start_over();
        self.sent.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.sent.parts.fetch_add(1, Ordering::Relaxed);
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
        let flight = Flight::begin(&self.sent, part.bytes());
        let staged = self.inner.put_part(key, upload_id, &part.watched_by(&flight)).await;
        match &staged {
            Ok(_) => flight.land(part.bytes()),
            Err(_) => flight.start_over(),
        }
        staged
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_counts_as_it_leaves_and_once_however_often_it_is_sent() {
        let sent = Arc::new(Sent::default());
        let read = || (sent.bytes(), sent.parts(), sent.begun());
        let flight = Flight::begin(&sent, 10);
        assert_eq!(read(), (0, 0, 10));
        flight.advance(4);
        flight.advance(3);
        assert_eq!(read(), (7, 0, 10));
        flight.start_over();
        assert_eq!(read(), (0, 0, 10));
        flight.advance(10);
        flight.land(10);
        assert_eq!(read(), (10, 1, 10));
        // A store that says nothing meanwhile.
        Flight::begin(&sent, 5).land(5);
        assert_eq!(read(), (15, 2, 15));
        let lost = Flight::begin(&sent, 5);
        lost.advance(2);
        lost.start_over();
        assert_eq!(read(), (15, 2, 20));
    }
}
