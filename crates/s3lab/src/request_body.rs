//! The body of a request on its way in: counted, slowed down on purpose, and drained when an answer comes early.

use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use http_body_util::BodyExt as _;
use hyper::body::{Body, Frame, Incoming, SizeHint};

/// How much of an unread body is read before an error is answered, so that the client is ready to hear it.
const DRAIN_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// A handle on the body, kept by the front while the service reads from [`MeteredBody`].
#[derive(Clone)]
pub(crate) struct RequestBody {
    incoming: Arc<Mutex<Incoming>>,
    read: Arc<AtomicU64>,
}

/// The body as the service reads it.
pub(crate) struct MeteredBody {
    body: RequestBody,
    bytes_per_second: Option<u64>,
    pause: Option<Mutex<BoxFuture<'static, ()>>>,
}

impl RequestBody {
    pub(crate) fn new(incoming: Incoming) -> Self {
        Self { incoming: Arc::new(Mutex::new(incoming)), read: Arc::default() }
    }

    /// Returns how many bytes were read.
    pub(crate) fn bytes_read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    pub(crate) fn reader(&self, bytes_per_second: Option<u64>) -> MeteredBody {
        MeteredBody { body: self.clone(), bytes_per_second, pause: None }
    }

    /// Reads and forgets until at least this many bytes were read, the body ends, or it breaks.
    pub(crate) async fn skip(&self, until_bytes: u64) {
        let mut reader = self.reader(None);
        while self.bytes_read() < until_bytes {
            match reader.frame().await {
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return,
            }
        }
    }

    /// Reads what is left, within reason.
    pub(crate) async fn drain(&self) {
        self.skip(self.bytes_read().saturating_add(DRAIN_BYTES_MAX)).await;
    }

    fn incoming(&self) -> MutexGuard<'_, Incoming> {
        self.incoming.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl MeteredBody {
    /// Begins the pause that follows a chunk when the body is to be read slowly.
    fn begin_pause(&mut self, bytes: usize) {
        let Some(rate) = self.bytes_per_second else { return };
        let micros = (bytes as u64).saturating_mul(1_000_000) / rate.max(1);
        self.pause = Some(Mutex::new(Box::pin(tokio::time::sleep(Duration::from_micros(micros)))));
    }

    fn poll_pause(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(pause) = &mut self.pause {
            ready!(pause.get_mut().unwrap_or_else(PoisonError::into_inner).as_mut().poll(cx));
            self.pause = None;
        }
        Poll::Ready(())
    }
}

impl Body for MeteredBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        ready!(self.poll_pause(cx));
        let frame = ready!(Pin::new(&mut *self.body.incoming()).poll_frame(cx));
        if let Some(Ok(frame)) = &frame
            && let Some(data) = frame.data_ref()
        {
            self.body.read.fetch_add(data.len() as u64, Ordering::Relaxed);
            self.begin_pause(data.len());
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.incoming().is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.incoming().size_hint()
    }
}
