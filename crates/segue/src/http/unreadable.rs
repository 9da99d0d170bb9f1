//! Requests that cannot be read: the library that reads them answers by itself, with a status and nothing
//! else. Here that answer gets the body that every other problem has.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes, BytesMut};
use futures::FutureExt as _;
use http_body_util::BodyExt as _;
use hyper::rt::{Read, ReadBufCursor, Write};

use super::dispatch;
use super::problem::{Code, Problem};

/// Every answer of this server has this header, so one without it is not of this server.
const OF_THIS_SERVER: &[u8] = b"content-security-policy";

/// A connection on which answers without a body are explained.
pub(super) struct Explained<S> {
    stream: S,
    /// What is still to be written of an explanation.
    explanation: Bytes,
}

impl<S> Explained<S> {
    pub(super) fn new(stream: S) -> Self {
        Self { stream, explanation: Bytes::new() }
    }
}

impl<S: Write + Unpin> Explained<S> {
    fn poll_explained(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.explanation.has_remaining() {
            let written = ready!(Pin::new(&mut self.stream).poll_write(cx, &self.explanation))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.explanation.advance(written);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: Read + Unpin> Read for Explained<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(cx, buf)
    }
}

impl<S: Write + Unpin> Write for Explained<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        ready!(this.poll_explained(cx))?;
        if let Some(explanation) = explanation(buf) {
            this.explanation = explanation;
            // It is written with the next step: nothing but the end of the connection follows.
            return Poll::Ready(Ok(buf.len()));
        }
        Pin::new(&mut this.stream).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_explained(cx))?;
        Pin::new(&mut this.stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_explained(cx))?;
        Pin::new(&mut this.stream).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if bufs.first().is_some_and(|first| explanation(first).is_some()) {
            return self.poll_write(cx, &bufs[0]);
        }
        let this = self.get_mut();
        ready!(this.poll_explained(cx))?;
        Pin::new(&mut this.stream).poll_write_vectored(cx, bufs)
    }
}

/// The whole answer to be sent in the place of one that the library made by itself.
fn explanation(head: &[u8]) -> Option<Bytes> {
    let status = head.strip_prefix(b"HTTP/1.1 ").or_else(|| head.strip_prefix(b"HTTP/1.0 "))?;
    let problem = match status.get(..4)? {
        b"400 " => Problem::new(Code::MalformedRequest, "This is not a request of HTTP/1.1.")
            .hint("TLS is for a proxy in front of this server; GET /api/docs shows every request."),
        b"414 " | b"431 " => Problem::new(
            Code::HeadTooLarge,
            "The first line and the headers of a request have at most 16 KiB, and there are at most 100 headers.",
        ),
        _ => return None,
    };
    if head.windows(OF_THIS_SERVER.len()).any(|part| part == OF_THIS_SERVER) {
        return None;
    }
    let (parts, body) = dispatch::secured(problem.into()).into_parts();
    let body = body.collect().now_or_never()?.ok()?.to_bytes();
    let mut text = BytesMut::from(format!("HTTP/1.1 {}\r\n", parts.status).as_bytes());
    for (name, value) in &parts.headers {
        text.extend_from_slice(name.as_str().as_bytes());
        text.extend_from_slice(b": ");
        text.extend_from_slice(value.as_bytes());
        text.extend_from_slice(b"\r\n");
    }
    let length = format!("content-length: {}\r\nconnection: close\r\n\r\n", body.len());
    text.extend_from_slice(length.as_bytes());
    text.extend_from_slice(&body);
    Some(text.freeze())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_answers_of_the_library_are_explained() {
        let told = |head: &str| {
            let text = explanation(head.as_bytes())?;
            Some(String::from_utf8(text.to_vec()).expect("text"))
        };
        let bare = "HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
        let text = told(bare).expect("an explanation");
        let (head, body) = text.split_once("\r\n\r\n").expect("a head");
        assert!(head.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{head}");
        assert!(head.contains("content-type: application/problem+json"), "{head}");
        assert!(head.contains(&format!("content-length: {}", body.len())), "{head}");
        insta::assert_snapshot!(body, @r#"{"type":"/api/docs#malformed_request","title":"The request cannot be read","status":400,"detail":"This is not a request of HTTP/1.1.","code":"malformed_request","hint":"TLS is for a proxy in front of this server; GET /api/docs shows every request.","errors":[]}"#);
        assert_eq!(told(&text), None, "it is told once");
        assert_eq!(told("HTTP/1.1 200 OK\r\n\r\n"), None);
        let large = told("HTTP/1.1 431 Request Header Fields Too Large\r\n\r\n").expect("one");
        insta::assert_snapshot!(large.split_once("\r\n\r\n").expect("a head").1, @r#"{"type":"/api/docs#head_too_large","title":"The head of the request is too large","status":431,"detail":"The first line and the headers of a request have at most 16 KiB, and there are at most 100 headers.","code":"head_too_large","hint":null,"errors":[]}"#);
    }
}
