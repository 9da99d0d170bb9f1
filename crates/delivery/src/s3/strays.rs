//! Uploads that nobody knows of: the service opened one and its answer was lost, so that the SDK asked
//! again and was given another.
//!
//! What is known then is only that a request was repeated. The key is reserved for the run, so every
//! upload at it that was opened shortly before ours, by the service's own clock, is such a stray.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use aws_sdk_s3::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3::error::BoxError;
use jiff::SignedDuration;

use super::S3Store;
use super::client::{BACKOFF_MAX, READ_TIMEOUT, REQUEST_ATTEMPTS_MAX};
use super::request::Target;
use crate::store::OpenUpload;

/// How long all attempts of a request may take that carries no body.
const REQUEST_TIME_MAX: Duration = Duration::from_secs(
    REQUEST_ATTEMPTS_MAX as u64 * (READ_TIMEOUT.as_secs() + BACKOFF_MAX.as_secs()),
);

/// Counts how often one request is sent.
#[derive(Debug, Clone, Default)]
pub(super) struct Attempts(Arc<AtomicU32>);

impl Attempts {
    /// Whether the request was sent more than once.
    pub(super) fn were_several(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 1
    }
}

impl Intercept for Attempts {
    fn name(&self) -> &'static str {
        "Attempts"
    }

    fn read_before_transmit(
        &self,
        _context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

impl S3Store {
    /// Aborts what lost answers may have left open beside `ours`. It is a courtesy to the owner of the
    /// bucket: where it is not permitted, a lifecycle rule for unfinished uploads does it.
    pub(super) async fn abort_strays(&self, ours: &Target<'_>) {
        let uploads = match self.list_all_uploads(ours.key).await {
            Ok(uploads) => uploads,
            Err(failure) => {
                let error = crate::Error::from(failure);
                tracing::warn!(%error, key = ours.key, "an unfinished upload may be left: a request was sent twice, and uploads cannot be listed");
                return;
            }
        };
        for stray in strays(&uploads, ours) {
            let to = Target { key: &stray.key, upload_id: &stray.upload_id };
            if let Err(failure) = self.abort_once(&to).await {
                let error = crate::Error::from(failure);
                tracing::warn!(%error, key = ours.key, "an unfinished upload is left, whose opening was answered too late");
            }
        }
    }
}

/// Those that the same request may have opened. Some services do not say when an upload was opened.
fn strays<'u>(
    uploads: &'u [OpenUpload],
    ours: &Target<'_>,
) -> impl Iterator<Item = &'u OpenUpload> {
    let is_ours = |upload: &OpenUpload| upload.upload_id == ours.upload_id;
    let opened = uploads.iter().find(|upload| is_ours(upload)).and_then(|upload| upload.initiated);
    let since =
        opened.and_then(|at| at.checked_sub(SignedDuration::try_from(REQUEST_TIME_MAX).ok()?).ok());
    let (key, upload_id) = (ours.key.to_owned(), ours.upload_id.to_owned());
    uploads.iter().filter(move |upload| {
        upload.key == key
            && upload.upload_id != upload_id
            && upload.initiated.zip(since).is_none_or(|(at, since)| at >= since)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_opened_shortly_before_at_the_same_key_is_a_stray() {
        let upload = |key: &str, upload_id: &str, initiated: Option<&str>| OpenUpload {
            key: key.to_owned(),
            upload_id: upload_id.to_owned(),
            initiated: initiated.map(|at| at.parse().expect("a time")),
        };
        let uploads = [
            upload("a.csv", "ours", Some("2026-01-01T00:10:00Z")),
            upload("a.csv", "before", Some("2026-01-01T00:09:58Z")),
            upload("a.csv", "long before", Some("2026-01-01T00:03:19Z")),
            upload("a.csv", "some time", None),
            upload("a.csv.gz", "other", Some("2026-01-01T00:09:59Z")),
        ];
        let ours = Target { key: "a.csv", upload_id: "ours" };
        let found: Vec<&str> = strays(&uploads, &ours).map(|it| it.upload_id.as_str()).collect();
        assert_eq!(found, ["before", "some time"]);
    }
}
