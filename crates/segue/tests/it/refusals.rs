//! What every route answers to requests that nobody should send, and what a ledger answers to processes
//! that should not use it.

use std::collections::BTreeSet;

use serde_json::json;

use crate::delivery::wait_until;
use crate::http::{Answer, Server};
use crate::project::{Project, Text, lab};
use crate::serve::{serve, stop};

/// The most that a body may have, and a little more.
const TOO_MUCH: usize = (1 << 20) + 100;

/// Sends a body as it is, again while there are too many requests.
fn send(server: &Server<'_>, method: &str, path: &str, media: &str, body: &str) -> Answer {
    loop {
        let answer = server.raw(&format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\nauthorization: Bearer {}\r\n\
             if-match: *\r\ncontent-type: {media}\r\ncontent-length: {}\r\n\r\n{body}",
            server.address,
            server.admin,
            body.len()
        ));
        if answer.status != 429 {
            return answer;
        }
        std::thread::sleep(std::time::Duration::from_millis(300));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_answers_nonsense_with_a_code_of_the_reference() {
    let lab = lab().await;
    let project = Project::new(&Text::default().yaml(), Some(&lab));
    let server = Server::start(&project).await;
    let reference = include_str!("../../../../docs/api.md");
    let document = server.ask("GET", "/api/openapi.json", "", &[], None).json();
    let mut codes = BTreeSet::new();
    let mut note = |what: &str, answer: &Answer| {
        assert!(answer.head.contains("application/problem+json"), "{what}: {}", answer.head);
        let problem = answer.json();
        let code = problem["code"].as_str().unwrap_or_default().to_owned();
        assert!((400..500).contains(&answer.status), "{what}: {} {}", answer.status, answer.text);
        assert!(reference.contains(&format!("| `{code}` | {} |", answer.status)), "{what}: {code}");
        codes.insert(code);
    };
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for (method, operation) in methods.as_object().expect("methods") {
            let path = ["{key}", "{id}", "{name}"]
                .iter()
                .fold(path.clone(), |path, it| path.replace(it, "nothing"));
            let method = method.to_uppercase();
            let what = |kind: &str| format!("{method} {path}, {kind}");
            if !path.starts_with("/api/v1/session") {
                let unknown = format!("{path}?colour=red");
                note(&what("parameter"), &send(&server, &method, &unknown, "application/json", ""));
            }
            if operation["requestBody"].is_null() {
                continue;
            }
            for (kind, media, body) in [
                ("broken", "application/json", "{".to_owned()),
                ("of another form", "application/json", "[[[7]]]".to_owned()),
                ("deep", "application/json", "[".repeat(100_000)),
                ("no JSON", "text/plain", "{}".to_owned()),
                ("no UTF-8", "application/json", "{\"a\":\"\u{fffd}\"".to_owned()),
            ] {
                // Scripts for the Flow Service do not say that they send JSON.
                if media == "text/plain" && path.starts_with("/data/") {
                    continue;
                }
                note(&what(kind), &send(&server, &method, &path, media, &body));
            }
            let large = " ".repeat(TOO_MUCH);
            let large = send(&server, &method, &path, "application/json", &large);
            // A server that has heard enough may close before it is heard.
            if large.status != 0 {
                note(&what("large"), &large);
            }
        }
    }
    for expected in ["malformed_request", "unknown_parameter", "not_json", "invalid_value"] {
        assert!(codes.contains(expected), "{codes:?}");
    }
    // The same key for another request is told apart, and a replayed one does nothing.
    let run = |slot: &str| {
        let body = Some(json!({ "slot": slot }));
        let key = ["idempotency-key: one"];
        server.ask("POST", "/api/v1/activations/daily/run", &server.operator, &key, body)
    };
    let first = run("2026-01-01T00:00:00Z");
    assert_eq!((first.status, &first.text), (202, &run("2026-01-01T00:00:00Z").text));
    assert_eq!(run("2026-01-02T00:00:00Z").json()["code"], "idempotency_mismatch");
    let slots = server.ask("GET", "/api/v1/slots", &server.viewer, &[], None).json();
    assert_eq!(slots["items"].as_array().map(Vec::len), Some(1), "{slots}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_has_one_server_and_no_older_one() {
    let lab = lab().await;
    let project = Project::new(&Text::default().yaml(), Some(&lab));
    let child = serve(&project, crate::project::NOW, &[]);
    wait_until(|| project.path(".segue/server.json").exists()).await;
    let second = project.finish(serve(&project, crate::project::NOW, &[]));
    assert_ne!(second.code, 0);
    assert!(second.stderr.contains("hint:"), "{}", second.stderr);
    assert!(second.stderr.contains(&child.id().to_string()), "it names the one: {}", second.stderr);
    assert_eq!(stop(&project, child).code, 0);
    // The version of a ledger stands in the head of the file.
    let path = project.path(".segue/ledger.sqlite");
    let mut bytes = std::fs::read(&path).expect("the ledger");
    bytes[60..64].copy_from_slice(&99_u32.to_be_bytes());
    std::fs::write(&path, &bytes).expect("it is written");
    for command in [&["run", "daily"][..], &["serve", "--listen", "127.0.0.1:0"], &["runs"]] {
        let said = project.segue(command);
        assert_ne!(said.code, 0, "{command:?}");
        assert!(said.stderr.contains("newer"), "{command:?}: {}", said.stderr);
        assert!(said.stderr.contains("hint:"), "{command:?}: {}", said.stderr);
    }
    assert_eq!(std::fs::read(&path).expect("the ledger"), bytes, "nothing was touched");
}
