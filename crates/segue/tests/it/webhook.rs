//! Alerts as a receiver gets them.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};

use aws_lc_rs::hmac;
use serde_json::Value;

use crate::http::Server;
use crate::project::{Project, Text, lab};

const SECRET: &str = "canary-webhook-secret-0001";

/// A post: its headers in lower case, and its body.
pub(crate) struct Post {
    head: Vec<String>,
    body: String,
}

impl Post {
    fn header(&self, name: &str) -> &str {
        let begin = format!("{name}: ");
        self.head.iter().find_map(|line| line.strip_prefix(&begin)).unwrap_or_default()
    }
}

/// Answers 500 to the first `refused` posts, and 204 to the others.
pub(crate) fn receiver(refused: usize) -> (String, Receiver<Post>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let (sender, posts) = channel();
    std::thread::spawn(move || {
        for (count, stream) in listener.incoming().enumerate() {
            let Ok(mut stream) = stream else { return };
            let mut reader = BufReader::new(stream.try_clone().expect("a clone"));
            let mut head = Vec::new();
            loop {
                let mut line = String::new();
                if reader.read_line(&mut line).is_err() || line.trim().is_empty() {
                    break;
                }
                head.push(line.trim().to_lowercase());
            }
            let mut post = Post { head, body: String::new() };
            let length = post.header("content-length").parse().unwrap_or(0);
            let mut body = vec![0; length];
            if reader.read_exact(&mut body).is_err() {
                return;
            }
            post.body = String::from_utf8(body).expect("UTF-8");
            let status = if count < refused { "500 No" } else { "204 Yes" };
            let answer =
                format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            drop(stream.write_all(answer.as_bytes()));
            if sender.send(post).is_err() {
                return;
            }
        }
    });
    (format!("http://{address}/alerts"), posts)
}

fn is_signed(post: &Post) -> bool {
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    let signed = format!("{}.{}", post.header("segue-timestamp"), post.body);
    let tag = hmac::sign(&key, signed.as_bytes());
    let digits: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    post.header("segue-signature") == format!("v1={digits}")
}

#[tokio::test(flavor = "multi_thread")]
async fn alerts_are_posted_in_order_signed_and_again_until_they_are_taken() {
    let lab = lab().await;
    let project = Project::new(&Text::default().yaml(), Some(&lab));
    let (url, posts) = receiver(1);
    let secret = ("SEGUE_WEBHOOK_SECRET", SECRET);
    let server = Server::with(&project, &["--webhook", &url], &[secret]).await;
    let run = server.ask("POST", "/api/v1/activations/daily/run", &server.operator, &[], None);
    assert_eq!(run.status, 202, "{}", run.text);
    let mut got = Vec::new();
    while got.len() < 3 {
        let post = posts.recv_timeout(std::time::Duration::from_secs(60)).expect("a post");
        assert!(is_signed(&post), "{:?}", post.head);
        assert!(!post.body.contains("@example.com"), "{}", post.body);
        let body: Value = serde_json::from_str(&post.body).expect("JSON");
        assert_eq!(body["id"], post.header("segue-delivery"));
        got.push(body);
    }
    let kinds: Vec<&str> = got.iter().filter_map(|body| body["kind"].as_str()).collect();
    assert_eq!(kinds[..2], ["started", "started"], "the first was not taken");
    assert_eq!(got[0]["id"], got[1]["id"], "and came again as itself");
    // One of four members has no address, which is more than a fifth.
    assert!(["delivered", "exclusion_rate"].contains(&kinds[2]), "{kinds:?}");
    let listed = server.ask("GET", "/api/v1/alerts", &server.viewer, &[], None).json();
    assert!(listed["items"].as_array().is_some_and(|items| items.len() >= 3), "{listed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn alerts_go_where_somebody_says_while_the_server_runs() {
    let lab = lab().await;
    let project = Project::new(&Text::default().yaml(), Some(&lab));
    let key = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    let server = Server::with(&project, &[], &[("SEGUE_MASTER_KEY", key)]).await;
    let path = "/api/v1/alerts/channels";
    let set = |body: Value| server.ask("PUT", path, &server.admin, &[], Some(body));
    let get = || server.ask("GET", path, &server.viewer, &[], None);
    assert_eq!(get().json()["webhook"], Value::Null);
    let (url, posts) = receiver(0);
    let url = format!("{url}/canary-path?key=canary-key");
    for (body, told) in [
        (serde_json::json!({ "webhook": { "url": url } }), "shorter than 16 characters"),
        (serde_json::json!({ "webhook": { "url": "nothing", "secret": SECRET } }), "webhook"),
        (
            serde_json::json!({ "mail": { "server": "x", "from": "a@b.example", "to": ["c@d.example"] } }),
            "mail server",
        ),
    ] {
        let refused = set(body);
        assert_eq!(refused.status, 422, "{}", refused.text);
        assert!(refused.text.contains(told), "{}", refused.text);
        assert!(!refused.text.contains(SECRET));
    }
    let secrets = || server.ask("GET", "/api/v1/secrets", &server.admin, &[], None).text;
    assert!(!secrets().contains("alerts.webhook"), "what is refused leaves no secret");
    let viewer = server.ask("PUT", path, &server.viewer, &[], Some(serde_json::json!({})));
    assert_eq!(viewer.status, 403);

    let done = set(serde_json::json!({ "webhook": { "url": url, "secret": SECRET } }));
    assert_eq!(done.status, 200, "{}", done.text);
    let whole = server.ask("GET", path, &server.admin, &[], None).json();
    assert_eq!(whole["webhook"]["url"], url.as_str(), "who may change it sees it");
    let host = url.split("/alerts").next().expect("a host");
    assert_eq!(get().json()["webhook"]["url"], format!("{host}/…"));
    assert!(!get().text.contains(SECRET) && !secrets().contains(SECRET));
    server.ask("POST", "/api/v1/activations/daily/run", &server.operator, &[], None);
    let post = posts.recv_timeout(std::time::Duration::from_secs(60)).expect("a post");
    assert!(is_signed(&post), "{:?}", post.head);
    // Set again without its secret it keeps it; left out it ends, and so does its secret.
    assert_eq!(set(serde_json::json!({ "webhook": { "url": url } })).status, 200);
    let removed = server.ask("DELETE", "/api/v1/secrets/alerts.webhook", &server.admin, &[], None);
    assert_eq!(removed.status, 409, "{}", removed.text);
    assert!(removed.text.contains("Alerts are sent with this secret."), "{}", removed.text);
    assert!(removed.text.contains("Change where alerts go first."), "{}", removed.text);
    assert!(secrets().contains("alerts.webhook"));
    assert_eq!(set(serde_json::json!({})).json()["webhook"], Value::Null);
    assert!(!secrets().contains("alerts.webhook"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_else_stands_in_the_address_is_for_those_who_may_change_it() {
    let lab = lab().await;
    let project = Project::new(&Text::default().yaml(), Some(&lab));
    let key = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    let mut server = Server::with(&project, &[], &[("SEGUE_MASTER_KEY", key)]).await;
    let (url, posts) = receiver(1);
    let url = format!("{url}/canary-path?key=canary-key");
    let body = serde_json::json!({ "webhook": { "url": url, "secret": SECRET } });
    let set = server.ask("PUT", "/api/v1/alerts/channels", &server.admin, &[], Some(body));
    assert_eq!(set.status, 200, "{}", set.text);
    server.ask("POST", "/api/v1/activations/daily/run", &server.operator, &[], None);
    posts.recv_timeout(std::time::Duration::from_secs(60)).expect("a post that is refused");
    let document = server.ask("GET", "/api/openapi.json", "", &[], None).json();
    let mut seen = String::new();
    for token in [&server.viewer, &server.operator] {
        for (path, methods) in document["paths"].as_object().expect("paths") {
            if methods.get("get").is_some() && !path.contains('{') {
                seen.push_str(&server.patiently("GET", path, token).text);
            }
        }
    }
    assert!(seen.contains("http://127.0.0.1:"), "the host is told");
    seen.push_str(&server.ask("GET", "/api/v1/audit", &server.admin, &[], None).text);
    seen.push_str(&server.stop());
    let ledger = std::fs::read(project.path(".segue/ledger.sqlite")).expect("the ledger");
    seen.push_str(&String::from_utf8_lossy(&ledger));
    for canary in ["canary-path", "canary-key"] {
        assert!(!seen.contains(canary), "{canary} came out");
    }
}
