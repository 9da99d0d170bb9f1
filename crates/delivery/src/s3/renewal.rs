//! Clients that renew their credentials by themselves: those that read datasets.
//!
//! The SDK asks for an identity before each attempt, and asks classifiers after it whether there is to
//! be another one. So a cache that follows the session, and a classifier that has the session forget
//! what has ended, are all that it takes.

use aws_sdk_s3::config::{ConfigBag, ResolveCachedIdentity, RuntimeComponents};
use aws_smithy_runtime_api::client::identity::{IdentityFuture, SharedIdentityResolver};
use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry, RetryAction};

use super::session::Session;

/// The codes of credentials that have ended, or were replaced ("List of error codes" of the S3 API
/// reference).
const ENDED: [&str; 3] = [
    "<Code>ExpiredToken</Code>",
    "<Code>TokenRefreshRequired</Code>",
    "<Code>InvalidAccessKeyId</Code>",
];
/// How far an answer is searched for them, in bytes.
const BYTES_SEARCHED_MAX: usize = 1_024;

/// The credentials at hand, whichever they are at the moment.
#[derive(Debug)]
pub(super) struct Current(pub(super) Session);

impl ResolveCachedIdentity for Current {
    fn resolve_cached_identity<'a>(
        &'a self,
        resolver: SharedIdentityResolver,
        components: &'a RuntimeComponents,
        config: &'a ConfigBag,
    ) -> IdentityFuture<'a> {
        let cache = self.0.cache();
        IdentityFuture::new(async move {
            cache.resolve_cached_identity(resolver, components, config).await
        })
    }
}

/// Has the session forget credentials when the service says that they have ended, and the request
/// sent again: it has done nothing.
#[derive(Debug)]
pub(super) struct Renewing(pub(super) Session);

impl ClassifyRetry for Renewing {
    fn name(&self) -> &'static str {
        "credentials that have ended"
    }

    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let Some(answer) = context.response() else { return RetryAction::NoActionIndicated };
        let body = answer.body().bytes().unwrap_or_default();
        let has_ended = match answer.status().as_u16() {
            // An answer to HEAD has no body: its 400 says no more than that something is wrong.
            400 if body.is_empty() => true,
            400 | 403 => says_ended(body),
            _ => false,
        };
        if !has_ended {
            return RetryAction::NoActionIndicated;
        }
        self.0.forget(self.0.number());
        RetryAction::transient_error()
    }
}

fn says_ended(body: &[u8]) -> bool {
    let beginning = &body[..body.len().min(BYTES_SEARCHED_MAX)];
    let text = String::from_utf8_lossy(beginning);
    ENDED.iter().any(|code| text.contains(code))
}
