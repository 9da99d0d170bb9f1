//! How much of a part has left: its body goes out in pieces, each counted as the connection takes it.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use aws_sdk_s3::config::interceptors::BeforeTransmitInterceptorContextMut;
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3::error::BoxError;
use aws_sdk_s3::primitives::SdkBody;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use crate::measured::Flight;

/// How much is handed to the connection at once, in bytes: enough that the pieces cost nothing, and
/// little beside a part.
const PIECE_BYTES: usize = 256 * 1024;

/// Counts the body of each attempt, from its first byte.
#[derive(Debug)]
pub(super) struct Leaving(pub(super) Flight);

impl Intercept for Leaving {
    fn name(&self) -> &'static str {
        "Leaving"
    }

    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.0.start_over();
        let request = context.request_mut();
        let inner = std::mem::replace(request.body_mut(), SdkBody::taken());
        let counted = Counted { inner, rest: Bytes::new(), flight: self.0.clone() };
        *request.body_mut() = SdkBody::from_body_1_x(counted);
        Ok(())
    }
}

/// A body in pieces.
struct Counted {
    inner: SdkBody,
    /// What is left of the frame that came last.
    rest: Bytes,
    flight: Flight,
}

impl Body for Counted {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if self.rest.is_empty() {
            match ready!(Body::poll_frame(Pin::new(&mut self.inner), cx)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => self.rest = data,
                    Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
                },
                other => return Poll::Ready(other),
            }
        }
        let piece = self.rest.len().min(PIECE_BYTES);
        let piece = self.rest.split_to(piece);
        self.flight.advance(piece.len() as u64);
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && Body::is_end_stream(&self.inner)
    }

    fn size_hint(&self) -> SizeHint {
        let hint = Body::size_hint(&self.inner);
        let rest = self.rest.len() as u64;
        match hint.exact() {
            Some(exact) => SizeHint::with_exact(exact + rest),
            None => SizeHint::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use http_body_util::BodyExt as _;

    use super::*;
    use crate::measured::Sent;

    #[tokio::test]
    async fn a_body_leaves_whole_and_in_pieces() {
        let bytes = Bytes::from(vec![7_u8; 2 * PIECE_BYTES + 5]);
        let sent = Arc::new(Sent::default());
        let flight = Flight::begin(&sent, bytes.len() as u64);
        let inner = SdkBody::from(bytes.clone());
        let mut body = Counted { inner, rest: Bytes::new(), flight };
        assert_eq!(body.size_hint().exact(), Some(bytes.len() as u64));
        let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
        assert_eq!((first.len(), sent.bytes()), (PIECE_BYTES, PIECE_BYTES as u64));
        assert_eq!(body.size_hint().exact(), Some((bytes.len() - PIECE_BYTES) as u64));
        assert!(!body.is_end_stream());
        let rest = body.collect().await.unwrap().to_bytes();
        assert_eq!([first, rest].concat(), bytes);
        assert_eq!(sent.bytes(), bytes.len() as u64);
    }
}
