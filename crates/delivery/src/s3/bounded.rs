//! What is read of an answer that is an error: its beginning. A service's error document has a few
//! hundred bytes; a web page, a proxy or an attacker may send as many as they like.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use aws_sdk_s3::config::interceptors::BeforeDeserializationInterceptorContextMut;
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3::error::BoxError;
use aws_sdk_s3::primitives::SdkBody;
use bytes::Bytes;
use http_body::{Body, Frame};

/// The most that is read of an error, in bytes.
pub const ERROR_BYTES_MAX: usize = 64 * 1024;

/// Cuts the body of every answer that is an error, and of every web page that is an answer to
/// something else than reading an object.
#[derive(Debug)]
pub(super) struct Bounded {
    /// Whether no request reads objects, so that a web page is never what was asked for.
    pub(super) no_objects: bool,
}

impl Intercept for Bounded {
    fn name(&self) -> &'static str {
        "Bounded"
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response_mut();
        let is_page = response.headers().get("content-type").is_some_and(is_web_page);
        if !response.status().is_success() || (self.no_objects && is_page) {
            let inner = response.take_body();
            let body = SdkBody::from_body_1_x(Beginning { inner, left: ERROR_BYTES_MAX });
            *response.body_mut() = body;
        }
        Ok(())
    }
}

/// Tells whether a media type is that of a web page.
pub(super) fn is_web_page(content_type: &str) -> bool {
    content_type.trim_start().to_ascii_lowercase().starts_with("text/html")
}

/// The first bytes of a body.
struct Beginning {
    inner: SdkBody,
    left: usize,
}

impl Body for Beginning {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        let frame = match ready!(Body::poll_frame(Pin::new(&mut self.inner), cx)) {
            Some(Ok(frame)) => frame,
            other => return Poll::Ready(other),
        };
        let Ok(mut data) = frame.into_data() else { return Poll::Ready(None) };
        data.truncate(self.left);
        self.left -= data.len();
        Poll::Ready(Some(Ok(Frame::data(data))))
    }
}
