//! A check that is told line by line while it goes on.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use s3lab::{Action, Fault, Operation, Outcome, Policy, User};
use serde_json::{Value, json};

use crate::http::Server;
use crate::project::{BUCKET, Project, SECRET, Text, lab};

/// Events as they come, each with its name.
struct Events(BufReader<TcpStream>);

impl Events {
    fn ask(server: &Server<'_>, path: &str, token: &str, body: Option<Value>) -> Self {
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let mut stream = TcpStream::connect(&server.address).expect("a connection");
        stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a time limit");
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            server.address,
            body.len()
        );
        stream.write_all(request.as_bytes()).expect("it is sent");
        Self(BufReader::new(stream))
    }
}

impl Iterator for Events {
    type Item = (String, Value);

    fn next(&mut self) -> Option<Self::Item> {
        let mut name = String::new();
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line).expect("the stream goes on") == 0 {
                return None;
            }
            if let Some(found) = line.trim_end().strip_prefix("event: ") {
                name = found.to_owned();
            }
            if let Some(data) = line.trim_end().strip_prefix("data: ") {
                return Some((name, serde_json::from_str(data).expect("JSON")));
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_line_comes_when_it_is_tried_and_stands_so_in_the_whole_answer() {
    let lab = lab().await;
    lab.set_user(User {
        access_key_id: "LAB".to_owned(),
        secret_access_key: SECRET.to_owned(),
        policy: Policy::all().without(&["s3:ListMultipartUploadParts"]),
        ..User::default()
    });
    let project = Project::new(&Text::default().yaml(), Some(&lab));
    let server = Server::start(&project).await;
    let hang = Action::Hang(Outcome::NotDone);
    lab.faults().add(Fault::on(Operation::CreateMultipartUpload, hang));
    let path = "/api/v1/destinations/partner/check/events";
    let mut events = Events::ask(&server, path, &server.destination_admin, None);
    let (name, begun) = events.next().expect("an event");
    assert_eq!(name, "begun");
    let expected: Vec<&Value> =
        begun["permissions"].as_array().expect("lines").iter().map(|it| &it["action"]).collect();
    assert_eq!(expected.len(), 6, "{begun:#}");
    assert_eq!(expected[0], "s3:PutObject");
    // The service has not yet answered whether anything may be written.
    let early: Vec<(String, Value)> = events.by_ref().take(5).collect();
    assert_eq!(lab.open_uploads(BUCKET).len(), 0);
    lab.faults().release();
    let late: Vec<(String, Value)> = events.collect();
    let names: Vec<&str> = early.iter().chain(&late).map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, [["permission"; 6].as_slice(), &["checked"]].concat());
    let told: Vec<&Value> = early.iter().chain(&late).take(6).map(|(_, line)| line).collect();
    let shown: Vec<String> = told
        .iter()
        .map(|line| {
            format!("{} {}", line["action"].as_str().unwrap(), line["result"].as_str().unwrap())
        })
        .collect();
    assert_eq!(
        shown,
        [
            "s3:ListBucket ok",
            "s3:AbortMultipartUpload ok",
            "s3:ListMultipartUploadParts missing",
            "s3:ListBucketMultipartUploads ok",
            "s3:GetObject ok",
            "s3:PutObject ok",
        ]
    );
    let checked = &late.last().expect("an end").1;
    assert_eq!(checked["ready"], true);
    let lines = checked["report"]["permissions"].as_array().expect("lines");
    assert_eq!(lines.len(), told.len());
    for line in lines {
        assert!(told.contains(&line), "{line:#}");
    }
    assert_eq!(lab.history().len(), 0);
    assert_eq!(lab.open_uploads(BUCKET), []);
    // It is kept as after the check that answers once.
    assert!(project.path(".segue/destinations/partner.json").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_reached_ends_in_a_problem() {
    let lab = lab().await;
    let project = Project::new(&Text::default().yaml(), Some(&lab));
    let server = Server::start(&project).await;
    let endpoint = lab.endpoint();
    let tried = |secret: &str| {
        json!({
            "definition": { "account": "tried", "bucket": BUCKET },
            "account": {
                "auth": { "kind": "access-key", "access_key_id": "LAB", "secret_access_key": secret },
                "region": "us-east-1",
                "endpoint_url": endpoint,
            },
        })
    };
    let path = "/api/v1/drafts/destination/check/events";
    let ask = |body| Events::ask(&server, path, &server.admin, Some(body));
    let events: Vec<(String, Value)> = ask(tried("${LAB_SECRET}")).collect();
    assert_eq!(events.last().expect("an end").0, "checked");
    assert_eq!(events.last().expect("an end").1["ready"], true);
    // Nothing of a destination that is only tried is kept.
    assert!(!project.path(".segue/destinations").exists());
    lab.set_user(User {
        access_key_id: "LAB".to_owned(),
        secret_access_key: "another".to_owned(),
        policy: Policy::all(),
        ..User::default()
    });
    let events: Vec<(String, Value)> = ask(tried("${LAB_SECRET}")).collect();
    let names: Vec<&str> = events.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["begun", "problem"]);
    let problem = &events[1].1;
    assert_eq!((&problem["code"], &problem["status"]), (&json!("service_refused"), &json!(502)));
    let missing =
        Events::ask(&server, "/api/v1/destinations/none/check/events", &server.admin, None);
    assert_eq!(missing.count(), 0, "what is not there has no events");
}
