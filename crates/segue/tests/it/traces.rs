//! Traces as a collector gets them: the requests of OTLP over HTTP, decoded by the protocol's own types.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;

use crate::project::{Project, Text, lab};

/// Takes what is posted to `/v1/traces`; every answer is empty and good.
fn collector() -> (String, Receiver<ExportTraceServiceRequest>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let (sender, requests) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut reader = BufReader::new(stream.try_clone().expect("a clone"));
            let (mut length, mut first) = (0, String::new());
            loop {
                let mut line = String::new();
                if reader.read_line(&mut line).is_err() || line.trim().is_empty() {
                    break;
                }
                if first.is_empty() {
                    first.clone_from(&line);
                }
                let line = line.to_lowercase();
                if let Some(text) = line.strip_prefix("content-length:") {
                    length = text.trim().parse().expect("a length");
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).expect("a body");
            let answer = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            drop(stream.write_all(answer.as_bytes()));
            assert!(first.starts_with("POST /v1/traces "), "{first}");
            let request = ExportTraceServiceRequest::decode(&body[..]).expect("a request");
            if sender.send(request).is_err() {
                return;
            }
        }
    });
    (format!("http://{address}"), requests)
}

fn text_of<'s>(span: &'s Span, key: &str) -> Option<&'s str> {
    let found = span.attributes.iter().find(|attribute| attribute.key == key)?;
    match found.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text),
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_a_trace_with_its_steps_in_it() {
    let lab = lab().await;
    let project = Project::new(&Text::default().yaml(), Some(&lab));
    project.write("people.csv", "id,email,points\n1,canary-trace@example.com,10\n");
    let (url, requests) = collector();
    let said = project.segue_with(&["run", "daily"], &[("OTEL_EXPORTER_OTLP_ENDPOINT", &url)]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    let requests: Vec<ExportTraceServiceRequest> = requests.try_iter().collect();
    assert!(!format!("{requests:?}").contains("canary-trace"));
    let spans: Vec<&Span> = requests
        .iter()
        .flat_map(|request| &request.resource_spans)
        .flat_map(|resource| &resource.scope_spans)
        .flat_map(|scope| &scope.spans)
        .collect();
    let run = spans.iter().find(|span| span.name == "run").expect("the run");
    assert_eq!(text_of(run, "activation"), Some("daily"));
    let recorded = project.json(&["runs"])[0]["runId"].clone();
    assert_eq!(text_of(run, "run_id"), recorded.as_str());
    let mut steps: Vec<&str> = spans
        .iter()
        .filter(|span| span.parent_span_id == run.span_id && span.trace_id == run.trace_id)
        .map(|span| span.name.as_str())
        .collect();
    assert_eq!(steps.len() + 1, spans.len(), "everything else is a step of the run");
    steps.sort_unstable();
    steps.dedup();
    insta::assert_snapshot!(steps.join(", "), @"complete, inspect, record commit, record delivery, record published, stage");
}

#[test]
fn a_collector_that_is_none_fails_at_once_and_one_that_is_away_fails_nothing() {
    let project = Project::new(&Text::default().yaml(), None);
    let asked =
        |url: &str| project.segue_with(&["runs"], &[("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", url)]);
    let said = asked("no url");
    assert_eq!(said.code, 2);
    insta::assert_snapshot!(said.stderr.trim(), @r"
    error: traces cannot be sent as OTEL_EXPORTER_OTLP_TRACES_ENDPOINT says
      caused by: invalid exporter configuration: OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: invalid endpoint 'no url': invalid uri character
      hint: It is the URL of a collector that speaks OTLP over HTTP, such as `http://127.0.0.1:4318`.
    ");
    let said = asked("http://127.0.0.1:1");
    assert_eq!(said.code, 0, "{}", said.stderr);
}
