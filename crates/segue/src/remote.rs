//! A server elsewhere, asked over its API.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

use crate::failure::{Failure, Kind};
use crate::outbound::{self, Sender};

/// How long a server may take: edits are checked against its data.
const TIME_MAX: Duration = Duration::from_secs(300);
/// The most bytes of an answer.
const ANSWER_BYTES_MAX: usize = 64 << 20;

/// A server that is asked with a token.
pub(crate) struct Remote {
    base: String,
    token: SecretString,
    sender: Sender,
}

impl Remote {
    /// Makes a way to ask the server at `url`.
    ///
    /// # Errors
    /// The URL is none, or would take the token beyond this machine in the clear.
    pub(crate) fn new(url: &str, token: SecretString) -> Result<Self, Failure> {
        outbound::url("server", url)?;
        Ok(Self { base: url.trim_end_matches('/').to_owned(), token, sender: outbound::sender()? })
    }

    /// Asks, and returns the answer's JSON.
    ///
    /// # Errors
    /// The server cannot be reached, or answers with a problem.
    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        if_match: Option<&str>,
        body: Option<&Value>,
    ) -> Result<Value, Failure> {
        let unreachable = |error: &dyn std::error::Error| {
            Failure::from_error(Kind::Connection, error)
                .context(format!("the server at {} cannot be asked", self.base))
        };
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base))
            .header(header::USER_AGENT, concat!("segue/", env!("CARGO_PKG_VERSION")))
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token.expose_secret()));
        if let Some(tag) = if_match {
            request = request.header(header::IF_MATCH, tag);
        }
        let bytes = match body {
            Some(body) => {
                request = request.header(header::CONTENT_TYPE, "application/json");
                Bytes::from(body.to_string())
            }
            None => Bytes::new(),
        };
        let request = request.body(Full::new(bytes)).map_err(|error| {
            Failure::from_error(Kind::Usage, &error).context("the request cannot be made")
        })?;
        let asked = async {
            let answer = self.sender.request(request).await.map_err(|error| unreachable(&error))?;
            let status = answer.status();
            let body = Limited::new(answer.into_body(), ANSWER_BYTES_MAX).collect().await;
            let body = body.map_err(|error| unreachable(error.as_ref()))?.to_bytes();
            Ok((status, body))
        };
        let (status, body) = tokio::time::timeout(TIME_MAX, asked).await.unwrap_or_else(|_| {
            let message = format!("the server at {} gave no answer in time", self.base);
            Err(Failure::new(Kind::Temporary, message))
        })?;
        let json = serde_json::from_slice::<Value>(&body).ok();
        match json {
            Some(json) if status.is_success() => Ok(json),
            Some(problem) if problem["code"].is_string() => Err(refused(status, &problem)),
            _ => {
                let message = format!(
                    "what answers at {} is no server of Segue (status {})",
                    self.base,
                    status.as_u16()
                );
                Err(Failure::new(Kind::Connection, message))
            }
        }
    }
}

/// A problem of the API as a failure.
fn refused(status: StatusCode, problem: &Value) -> Failure {
    let kind = match status.as_u16() {
        401 | 403 | 421 => Kind::Connection,
        412 | 429 | 503 => Kind::Temporary,
        400..=499 => Kind::Usage,
        _ => Kind::Run,
    };
    let text = |value: &Value| value.as_str().map(|it| it.trim_end_matches('.').to_owned());
    let detail = text(&problem["detail"]).unwrap_or_default();
    let mut failure = Failure::new(kind, format!("the server refuses: {detail}"));
    for error in problem["errors"].as_array().into_iter().flatten() {
        let place = text(&error["pointer"]).or_else(|| text(&error["place"])).unwrap_or_default();
        let hint = text(&error["hint"]).map_or_else(String::new, |hint| format!(" ({hint})"));
        let detail = text(&error["detail"]).unwrap_or_default();
        failure.causes.push(format!("{place}: {detail}{hint}"));
    }
    failure.hints.extend(problem["hint"].as_str().map(str::to_owned));
    failure
}
