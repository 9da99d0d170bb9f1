//! A request that was let in, and the answer to it.

use std::convert::Infallible;

use bytes::Bytes;
use futures::StreamExt as _;
use futures::stream::BoxStream;
use http::{HeaderMap, Response, StatusCode, header};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::Frame;
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::asker::Asker;
use super::misfit;
use super::problem::{Code, Problem};
use super::sign_in::Actor;

/// The body of an answer.
pub(crate) type Body = UnsyncBoxBody<Bytes, Infallible>;

/// A request whose sender may make it.
pub(crate) struct Ask {
    pub(crate) actor: Actor,
    /// Who waits for the answer.
    pub(crate) asker: Asker,
    pub(crate) headers: HeaderMap,
    /// Where the request comes from.
    pub(crate) address: String,
    pub(crate) path: String,
    pub(crate) parameters: Vec<(String, String)>,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) body: Bytes,
}

impl Ask {
    /// A part of the path.
    pub(crate) fn parameter(&self, name: &str) -> &str {
        self.parameters.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    /// A parameter of the query.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// A whole number of the query, within bounds.
    pub(crate) fn number(&self, name: &str, least: u32, most: u32) -> Result<Option<u32>, Problem> {
        let Some(text) = self.query(name) else { return Ok(None) };
        match text.parse::<u32>() {
            Ok(number) if (least..=most).contains(&number) => Ok(Some(number)),
            _ => Err(Problem::at_parameter(
                name,
                format!("`{name}` has to be a whole number from {least} to {most}."),
            )),
        }
    }

    /// A time of the query.
    pub(crate) fn time(&self, name: &str) -> Result<Option<Timestamp>, Problem> {
        let Some(text) = self.query(name) else { return Ok(None) };
        text.parse().map(Some).map_err(|_| {
            let detail = format!("`{name}` has to be a time such as 2026-01-31T06:00:00Z.");
            Problem::at_parameter(name, detail)
        })
    }

    /// The body as a value.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        let is_json = self
            .headers
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|value| {
                value.split(';').next().unwrap_or("").trim() == "application/json"
            });
        if !is_json {
            return Err(Problem::new(Code::NotJson, "The body has to be `application/json`."));
        }
        self.json_of_any_type()
    }

    /// The same for a body that may be left out.
    pub(crate) fn json_or_default<T: DeserializeOwned + Default>(&self) -> Result<T, Problem> {
        if self.body.is_empty() { Ok(T::default()) } else { self.json() }
    }

    /// The body as a value, whatever it says that it is: for those whose requests are made elsewhere.
    pub(crate) fn json_of_any_type<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        serde_json::from_slice(&self.body).map_err(|error| misfit::problem(&self.body, &error))
    }
}

/// An answer.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) content: Content,
}

/// What is in it.
pub(crate) enum Content {
    Nothing,
    Bytes(&'static str, Bytes),
    Events(BoxStream<'static, Bytes>),
}

impl Reply {
    pub(crate) fn json(value: &impl Serialize) -> Result<Self, Problem> {
        Self::json_as("application/json", value)
    }

    pub(crate) fn json_as(
        content_type: &'static str,
        value: &impl Serialize,
    ) -> Result<Self, Problem> {
        let bytes = serde_json::to_vec(value)
            .map_err(|_| Problem::new(Code::Internal, "The answer cannot be written."))?;
        Ok(Self::of(Content::Bytes(content_type, bytes.into())))
    }

    pub(crate) fn text(content_type: &'static str, text: impl Into<Bytes>) -> Self {
        Self::of(Content::Bytes(content_type, text.into()))
    }

    pub(crate) fn nothing() -> Self {
        Self { status: StatusCode::NO_CONTENT, ..Self::of(Content::Nothing) }
    }

    pub(crate) fn of(content: Content) -> Self {
        Self { status: StatusCode::OK, headers: HeaderMap::new(), content }
    }

    pub(crate) fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// The same; if it is a stream of events, it ends when something else does.
    pub(crate) fn until(mut self, end: impl Future<Output = ()> + Send + 'static) -> Self {
        if let Content::Events(events) = self.content {
            self.content = Content::Events(events.take_until(Box::pin(end)).boxed());
        }
        self
    }

    pub(crate) fn into_response(self) -> Response<Body> {
        let mut response = Response::new(match self.content {
            Content::Nothing => Full::new(Bytes::new()).boxed_unsync(),
            Content::Bytes(_, ref bytes) => Full::new(bytes.clone()).boxed_unsync(),
            Content::Events(_) => Full::new(Bytes::new()).boxed_unsync(),
        });
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        let content_type = match self.content {
            Content::Nothing => None,
            Content::Bytes(content_type, _) => Some(content_type),
            Content::Events(stream) => {
                let frames = stream.map(|bytes| Ok::<_, Infallible>(Frame::data(bytes)));
                *response.body_mut() = StreamBody::new(frames).boxed_unsync();
                Some("text/event-stream")
            }
        };
        if let Some(content_type) = content_type {
            let value = http::HeaderValue::from_static(content_type);
            response.headers_mut().insert(header::CONTENT_TYPE, value);
        }
        response
    }
}

impl From<Problem> for Reply {
    fn from(problem: Problem) -> Self {
        let bytes = serde_json::to_vec(&problem.body()).unwrap_or_default();
        let content = Content::Bytes("application/problem+json", bytes.into());
        let mut reply = Self::of(content).with_status(problem.code.status());
        if let Some(seconds) = problem.retry_after {
            reply.headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if let Some(allowed) = problem.allow.as_deref().and_then(|it| it.parse().ok()) {
            reply.headers.insert(header::ALLOW, allowed);
        }
        if problem.code == Code::NotSignedIn {
            let value = http::HeaderValue::from_static("Bearer realm=\"segue\"");
            reply.headers.insert(header::WWW_AUTHENTICATE, value);
        }
        reply
    }
}
