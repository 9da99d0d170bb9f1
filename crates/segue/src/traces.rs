//! Traces over OTLP: what a run spent its time on, for whoever collects such things.
//!
//! A run is a span, and each step of the protocol a span inside it. Where they go is said by the
//! variables that all senders of OpenTelemetry know: `OTEL_EXPORTER_OTLP_ENDPOINT` or
//! `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`, with `…_HEADERS` and `…_TIMEOUT`. Without an endpoint nothing
//! is kept and nothing is sent. Like logs, spans hold names, counts and times, never a value of a profile.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full, Limited};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_http::{HttpClient, HttpError};
use opentelemetry_otlp::{SpanExporter, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tokio::runtime::Handle;
use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::Layer;
use tracing_subscriber::registry::LookupSpan;

use crate::ambient;
use crate::failure::{Failure, Kind};
use crate::outbound::{self, Sender};

/// The target of spans that are traced and not logged: `span.run_id` of a log line stays the run's.
pub(crate) const TARGET: &str = "segue::traces";
const ENDPOINTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];
/// What is told of a run: its span, its steps, and what was worth a line in the log.
const LEVEL_MAX: Level = Level::INFO;
/// The most bytes of an answer of the collector that are read.
const ANSWER_BYTES_MAX: usize = 64 << 10;
/// How long the collector may take for one answer.
const TIME_MAX: Duration = Duration::from_secs(10);
/// How long the end of the process waits for what was not sent yet.
const FLUSH_TIME_MAX: Duration = Duration::from_secs(5);

/// What collects the spans of this process and sends them.
pub(crate) struct Traces {
    provider: SdkTracerProvider,
}

impl Traces {
    /// Begins to collect, if an endpoint is set; requests are sent on `runtime`.
    ///
    /// # Errors
    /// The endpoint is no URL.
    pub(crate) fn from_environment(runtime: &Handle) -> Result<Option<Self>, Failure> {
        let is_set = |name: &&str| ambient::variable(name).is_some_and(|url| !url.is_empty());
        let Some(name) = ENDPOINTS.iter().find(|name| is_set(name)) else { return Ok(None) };
        let client = Client { sender: outbound::sender()?, runtime: runtime.clone() };
        let exporter =
            SpanExporter::builder().with_http().with_http_client(client).build().map_err(|error| {
                Failure::from_error(Kind::Usage, &error)
                    .context(format!("traces cannot be sent as {name} says"))
                    .hint("It is the URL of a collector that speaks OTLP over HTTP, such as `http://127.0.0.1:4318`.")
            })?;
        let provider = SdkTracerProvider::builder()
            .with_resource(Resource::builder().with_service_name("segue").build())
            .with_batch_exporter(exporter)
            .build();
        Ok(Some(Self { provider }))
    }

    /// What hands spans over from `tracing`.
    pub(crate) fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        tracing_opentelemetry::layer()
            .with_tracer(self.provider.tracer("segue"))
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
            .with_filter(filter_fn(is_told))
    }

    /// Sends what was not sent yet. Traces that cannot be sent are no failure of what they tell of.
    pub(crate) async fn finish(self) {
        let ended = tokio::task::spawn_blocking(move || {
            self.provider.shutdown_with_timeout(FLUSH_TIME_MAX)
        });
        if let Ok(Err(error)) = ended.await {
            tracing::warn!(%error, "the last traces were not sent");
        }
    }
}

/// Only what Segue says itself, of runs: a library may tell more than should leave the machine.
fn is_told(metadata: &Metadata<'_>) -> bool {
    let target = metadata.target();
    *metadata.level() <= LEVEL_MAX && (target == TARGET || target.starts_with("segue::run"))
}

/// The process's own HTTP client, for a sender that has a thread of its own.
#[derive(Debug)]
struct Client {
    sender: Sender,
    runtime: Handle,
}

#[async_trait::async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let asked = self.sender.request(request.map(Full::new));
        let sent = async {
            let (head, body) = asked.await?.into_parts();
            let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await?.to_bytes();
            Ok(Response::from_parts(head, body))
        };
        // A limit of time begins on the runtime that keeps it.
        self.runtime.spawn(async { tokio::time::timeout(TIME_MAX, sent).await }).await??
    }
}
