//! One request from its first byte to the log: faults, checks before the signature, the service, the answer.
//!
//! The operations themselves are behind the protocol layer, in [`service`](crate::service).

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Request, Response};
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Frame, Incoming, SizeHint};
use s3s::Body;
use s3s::service::S3Service;

use crate::access_log::Entry;
use crate::answer::{Refusal, complete_error, error_code};
use crate::fault::{Action, HELD_BODY_BYTES_MAX, Held, Outcome, Timing};
use crate::iam_api;
use crate::operation::{Operation, Target};
use crate::request_body::RequestBody;
use crate::shared::Shared;
use crate::signature::{Claim, Expected};
use crate::wire::ResetSwitch;
use crate::xml_body;

/// How long what is left of a cut answer may take to leave before the connection ends.
const CUT_PAUSE: Duration = Duration::from_millis(20);

/// Serves requests, one after the other on each connection.
#[derive(Clone)]
pub(crate) struct Front {
    pub(crate) shared: Arc<Shared>,
    pub(crate) service: S3Service,
}

/// Says that a request gets no answer: its connection ends.
#[derive(Debug)]
pub(crate) struct Dropped;

impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("connection dropped on purpose")
    }
}

impl std::error::Error for Dropped {}

/// What is known of a request before anything is done.
struct Exchange {
    target: Target,
    request_id: String,
    access_key_id: Option<String>,
    is_head: bool,
}

impl Front {
    /// Serves a request; `Dropped` ends the connection, by a reset if the switch is set.
    pub(crate) async fn serve(
        &self,
        request: Request<Incoming>,
        reset: &ResetSwitch,
    ) -> Result<Response<Body>, Dropped> {
        let (head, incoming) = request.into_parts();
        let body = RequestBody::new(incoming);
        let exchange = self.begin(&head);
        let action = self.shared.faults.meet(&exchange.target);
        let faulted = action.is_some();
        let answer = self.act(head, &body, &exchange, action).await;
        if answer.is_none() {
            reset.set();
        }
        let answer = answer.map(|response| dress(response, &exchange));
        self.log(exchange, answer.as_ref(), body.bytes_read(), faulted);
        answer.map(|(response, _)| response).ok_or(Dropped)
    }

    /// Serves a request that was held back. Returns the status and the S3 error code.
    pub(crate) async fn replay(&self, held: Held) -> (u16, Option<String>) {
        let exchange = self.begin(&held.head);
        let size = held.body.len() as u64;
        let response = match self.check_claim(&held.head, &exchange.target) {
            Ok(()) => self.call(held.head, Body::from(held.body)).await,
            Err(refusal) => refusal.into_response(),
        };
        let answer = dress(response, &exchange);
        self.log(exchange, Some(&answer), size, true);
        (answer.0.status().as_u16(), answer.1)
    }

    fn begin(&self, head: &Parts) -> Exchange {
        let claim = Claim::of(&head.uri, &head.headers).ok().flatten();
        Exchange {
            target: Target::of(&head.method, &head.uri, &head.headers),
            request_id: self.shared.unique("request")[..16].to_uppercase(),
            access_key_id: claim.map(|claim| claim.access_key_id),
            is_head: head.method == Method::HEAD,
        }
    }

    /// Lets a fault act around the operation. `None` means that there is no answer.
    async fn act(
        &self,
        head: Parts,
        body: &RequestBody,
        exchange: &Exchange,
        action: Option<Action>,
    ) -> Option<Response<Body>> {
        match &action {
            Some(Action::Answer { status, code, timing }) => {
                if *timing == Timing::Late {
                    body.skip(u64::MAX).await;
                }
                return Some(Refusal::new(*status, code, "A fault was asked for.").into_response());
            }
            Some(Action::ResetRequest { after_bytes }) => {
                body.skip(*after_bytes).await;
                return None;
            }
            Some(Action::OkWithError { code, outcome: Outcome::NotDone }) => {
                body.skip(u64::MAX).await;
                return Some(Refusal::new(200, code, "A fault was asked for.").into_response());
            }
            Some(Action::Hang(Outcome::NotDone)) => self.shared.faults.wait_for_release().await,
            _ => {}
        }
        let response = self.operate(head, body, exchange, action.as_ref()).await;
        self.act_after(response, action).await
    }

    async fn act_after(
        &self,
        response: Response<Body>,
        action: Option<Action>,
    ) -> Option<Response<Body>> {
        match action {
            Some(Action::LoseReply) => None,
            Some(Action::OkWithError { code, outcome: Outcome::Done }) => {
                Some(Refusal::new(200, &code, "A fault was asked for.").into_response())
            }
            Some(Action::Hang(Outcome::Done)) => {
                self.shared.faults.wait_for_release().await;
                Some(response)
            }
            Some(Action::CutReply { after_bytes }) => {
                Some(response.map(|body| Body::http_body_unsync(CutBody::new(body, after_bytes))))
            }
            Some(Action::TruncateReply { after_bytes }) => {
                Some(truncate(response, after_bytes).await)
            }
            _ => Some(response),
        }
    }

    /// Checks the request and hands it to the protocol layer.
    async fn operate(
        &self,
        head: Parts,
        body: &RequestBody,
        exchange: &Exchange,
        action: Option<&Action>,
    ) -> Response<Body> {
        let hold = action == Some(&Action::HoldDuplicate);
        if is_for_iam(&head) {
            let answered = self.ask_iam(&head, body, exchange).await;
            return answered.unwrap_or_else(Refusal::into_response);
        }
        let ready = match self.check_claim(&head, &exchange.target) {
            Ok(()) => self.prepare_body(&head, body, exchange, action, hold).await,
            Err(refusal) => Err(refusal),
        };
        let response = match ready {
            Ok(ready) => self.call(head, ready).await,
            Err(refusal) => refusal.into_response(),
        };
        if !response.status().is_success() {
            // A client that is still sending would see a broken connection instead of the error.
            body.drain().await;
        }
        response
    }

    /// Answers what is signed for IAM, which the protocol layer does not know.
    async fn ask_iam(
        &self,
        head: &Parts,
        body: &RequestBody,
        exchange: &Exchange,
    ) -> Result<Response<Body>, Refusal> {
        self.check_claim(head, &exchange.target)?;
        let form = xml_body::read(body).await?;
        let caller = exchange.access_key_id.as_deref().unwrap_or_default();
        iam_api::answer(&self.shared, caller, head, &form)
    }

    async fn prepare_body(
        &self,
        head: &Parts,
        body: &RequestBody,
        exchange: &Exchange,
        action: Option<&Action>,
        hold: bool,
    ) -> Result<Body, Refusal> {
        if !hold && !exchange.target.operation.has_xml_body() {
            let bytes_per_second = match action {
                Some(Action::SlowBody { bytes_per_second }) => Some(*bytes_per_second),
                _ => None,
            };
            return Ok(Body::http_body(body.reader(bytes_per_second)));
        }
        let bytes = xml_body::read(body).await?;
        if exchange.target.operation.has_xml_body() {
            xml_body::verify(exchange.target.operation, &head.headers, &bytes)?;
        }
        if hold {
            self.hold(head, &bytes)?;
        }
        Ok(Body::from(bytes))
    }

    fn hold(&self, head: &Parts, body: &Bytes) -> Result<(), Refusal> {
        let small = body.len() <= HELD_BODY_BYTES_MAX;
        if small && self.shared.faults.hold(Held { head: head.clone(), body: body.clone() }) {
            return Ok(());
        }
        Err(Refusal::new(
            400,
            "MaxMessageLengthExceeded",
            "A fault wanted to hold more than a lab holds.",
        ))
    }

    fn check_claim(&self, head: &Parts, target: &Target) -> Result<(), Refusal> {
        // The gate refuses anonymous requests.
        let Some(claim) = Claim::of(&head.uri, &head.headers)? else { return Ok(()) };
        let options = &self.shared.options;
        let user = self.shared.user(&claim.access_key_id);
        let bucket_region =
            self.shared.state().buckets.get(&target.bucket).map(|bucket| bucket.region.clone());
        claim.check(&Expected {
            now: self.shared.now(),
            skew_max: options.clock_skew_max,
            region: &options.region,
            bucket_region: bucket_region.as_deref(),
            user: user.as_ref(),
        })
    }

    async fn call(&self, head: Parts, body: Body) -> Response<Body> {
        match self.service.call(Request::from_parts(head, body)).await {
            Ok(response) => response,
            Err(_) => Refusal::new(
                500,
                "InternalError",
                "We encountered an internal error. Please try again.",
            )
            .into_response(),
        }
    }

    fn log(
        &self,
        exchange: Exchange,
        answer: Option<&(Response<Body>, Option<String>)>,
        bytes_in: u64,
        faulted: bool,
    ) {
        let query = exchange.target.query_summary();
        self.shared.log.add(Entry {
            request_id: exchange.request_id,
            at: self.shared.now(),
            operation: exchange.target.operation,
            bucket: exchange.target.bucket,
            key: exchange.target.key,
            query,
            access_key_id: exchange.access_key_id,
            status: answer.map_or(0, |(response, _)| response.status().as_u16()),
            code: answer.and_then(|(_, code)| code.clone()),
            bytes_in,
            bytes_out: answer.map_or(0, |(response, _)| body_bytes(response)),
            faulted,
        });
    }
}

fn is_for_iam(head: &Parts) -> bool {
    let claim = Claim::of(&head.uri, &head.headers).ok().flatten();
    claim.is_some_and(|claim| claim.service == "iam")
}

/// Adds to an answer what S3 adds to all of them. Returns its error code too, which a HEAD does not show.
fn dress(response: Response<Body>, exchange: &Exchange) -> (Response<Body>, Option<String>) {
    let (mut head, mut body) = response.into_parts();
    let document = body.bytes().unwrap_or_default();
    let code = error_code(&document);
    if code.is_some() {
        let resource = format!("/{}/{}", exchange.target.bucket, exchange.target.key);
        body = complete_error(&document, &resource, &exchange.request_id).map_or(body, Body::from);
        head.headers.remove(http::header::CONTENT_LENGTH);
    }
    if code.is_some() && exchange.target.operation == Operation::AssumeRole {
        body = body_in_sts_form(body);
    }
    if code.is_some() && (exchange.is_head || head.status == http::StatusCode::NOT_MODIFIED) {
        body = Body::empty();
        head.headers.remove(http::header::CONTENT_TYPE);
    }
    add_ids(&mut head.headers, &exchange.request_id);
    (Response::from_parts(head, body), code)
}

/// STS wraps its error documents.
fn body_in_sts_form(body: Body) -> Body {
    let document = body.bytes().unwrap_or_default();
    let text = String::from_utf8_lossy(&document);
    let error = text.find("<Error>").map_or("", |at| &text[at..]);
    Body::from(format!("<ErrorResponse>{error}</ErrorResponse>"))
}

fn add_ids(headers: &mut HeaderMap, request_id: &str) {
    if let Ok(value) = HeaderValue::from_str(request_id) {
        headers.insert("x-amz-request-id", value.clone());
        headers.insert("x-amzn-requestid", value.clone());
        headers.insert("x-amz-id-2", value);
    }
    headers.insert(http::header::SERVER, HeaderValue::from_static("s3lab"));
}

fn body_bytes(response: &Response<Body>) -> u64 {
    let header = response.headers().get(http::header::CONTENT_LENGTH);
    let declared =
        header.and_then(|value| value.to_str().ok()).and_then(|value| value.parse().ok());
    declared.or(response.body().size_hint().exact()).unwrap_or_default()
}

async fn truncate(response: Response<Body>, after_bytes: usize) -> Response<Body> {
    let (mut head, body) = response.into_parts();
    head.headers.remove(http::header::CONTENT_LENGTH);
    // An answer that cannot be read is shorter still, which is what was asked for.
    let bytes = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    Response::from_parts(head, Body::from(bytes.slice(..after_bytes.min(bytes.len()))))
}

/// A body that ends in an error after some bytes, announcing its full length.
struct CutBody {
    inner: Body,
    left: u64,
    ending: Option<BoxFuture<'static, ()>>,
}

impl CutBody {
    fn new(inner: Body, left: u64) -> Self {
        Self { inner, left, ending: None }
    }

    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Dropped>>> {
        // The pause lets the bytes before the cut leave: an error makes the server forget what it has buffered.
        let ending = self.ending.get_or_insert_with(|| Box::pin(tokio::time::sleep(CUT_PAUSE)));
        ready!(ending.as_mut().poll(cx));
        Poll::Ready(Some(Err(Dropped)))
    }
}

impl hyper::body::Body for CutBody {
    type Data = Bytes;
    type Error = Dropped;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Dropped>>> {
        if self.left == 0 {
            return self.poll_end(cx);
        }
        let frame = ready!(Pin::new(&mut self.inner).poll_frame(cx));
        let Some(Ok(Ok(data))) = frame.map(|frame| frame.map(Frame::into_data)) else {
            return self.poll_end(cx);
        };
        let keep = usize::try_from(self.left).unwrap_or(usize::MAX).min(data.len());
        self.left -= keep as u64;
        Poll::Ready(Some(Ok(Frame::data(data.slice(..keep)))))
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
