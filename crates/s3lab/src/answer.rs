//! Answers that are made here and not by the protocol layer: errors as S3 writes them.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use s3s::Body;

/// An error that a request is refused with before it reaches an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) code: String,
    pub(crate) message: String,
    /// More elements of the XML document.
    pub(crate) elements: Vec<(&'static str, String)>,
    pub(crate) headers: Vec<(&'static str, String)>,
}

impl Refusal {
    pub(crate) fn new(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self {
            status,
            code: code.into(),
            message: message.into(),
            elements: Vec::new(),
            headers: Vec::new(),
        }
    }

    #[must_use]
    pub(crate) fn element(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.elements.push((name, value.into()));
        self
    }

    #[must_use]
    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn into_response(self) -> Response<Body> {
        let mut xml = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{}</Code><Message>{}</Message>",
            escape(&self.code),
            escape(&self.message)
        );
        for (name, value) in &self.elements {
            xml.push_str(&format!("<{name}>{}</{name}>", escape(value)));
        }
        xml.push_str("</Error>");
        let mut response = Response::new(Body::from(xml));
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
        for (name, value) in self.headers {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
        response
    }
}

impl From<Refusal> for s3s::S3Error {
    fn from(refusal: Refusal) -> Self {
        let code = s3s::S3ErrorCode::from_bytes(refusal.code.as_bytes());
        let mut error =
            Self::with_message(code.unwrap_or(s3s::S3ErrorCode::InternalError), refusal.message);
        if let Ok(status) = StatusCode::from_u16(refusal.status) {
            error.set_status_code(status);
        }
        let headers: HeaderMap = refusal
            .headers
            .into_iter()
            .filter_map(|(name, value)| {
                Some((HeaderName::from_static(name), HeaderValue::from_str(&value).ok()?))
            })
            .collect();
        error.set_headers(headers);
        error
    }
}

/// Returns the text of the first `<Code>` of an error document.
pub(crate) fn error_code(document: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(document).ok()?;
    let error = &text[text.find("<Error>")?..];
    let (_, rest) = error.split_once("<Code>")?;
    Some(rest.split_once("</Code>")?.0.to_owned())
}

/// Adds what S3 adds to every error document: what it is about, and the request's id.
pub(crate) fn complete_error(document: &[u8], resource: &str, request_id: &str) -> Option<Bytes> {
    let text = std::str::from_utf8(document).ok()?;
    let at = text.rfind("</Error>")?;
    let more = format!(
        "<Resource>{}</Resource><RequestId>{}</RequestId>",
        escape(resource),
        escape(request_id)
    );
    Some(Bytes::from(format!("{}{more}{}", &text[..at], &text[at..])))
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            // XML 1.0 cannot hold most control characters in any spelling.
            c if c.is_control() => escaped.push('?'),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_documents() {
        let refusal = Refusal::new(400, "Odd", "a < b").element("Region", "eu-west-1");
        let response = refusal.header("x-amz-bucket-region", "eu-west-1").into_response();
        assert_eq!(response.headers()["x-amz-bucket-region"], "eu-west-1");
        let document = response.body().bytes().unwrap();
        assert_eq!(error_code(&document).as_deref(), Some("Odd"));
        let completed = complete_error(&document, "/b/k&", "ID").unwrap();
        assert_eq!(
            std::str::from_utf8(&completed).unwrap(),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>Odd</Code><Message>a &lt; b</Message>\
             <Region>eu-west-1</Region><Resource>/b/k&amp;</Resource><RequestId>ID</RequestId></Error>"
        );
        assert_eq!(error_code(b"<Result><Code>no</Code></Result>"), None);
    }
}
