//! The REST API of a running server, asked over real connections.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use s3lab::Lab;
use serde_json::{Value, json};

use crate::delivery::wait_until;
use crate::project::{BUCKET, NOW, Project, Running, SECRET, Text, lab};

const PASSWORD: &str = "canary correct horse battery";

/// A server with a token for each role.
pub(crate) struct Server<'a> {
    project: &'a Project,
    child: Option<Running>,
    pub(crate) address: String,
    pub(crate) admin: String,
    pub(crate) operator: String,
    pub(crate) viewer: String,
    pub(crate) analyst: String,
    pub(crate) destination_admin: String,
    pub(crate) privacy: String,
}

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("{}\n{}", self.head, self.text))
    }
}

impl<'a> Server<'a> {
    pub(crate) async fn start(project: &'a Project) -> Self {
        let token = |role: &str| {
            let made = project.json(&["token", "create", role, "--role", role, "--days", "3650"]);
            made["secret"].as_str().expect("a token").to_owned()
        };
        let mut server = Self {
            project,
            child: None,
            address: String::new(),
            admin: token("admin"),
            operator: token("operator"),
            viewer: token("viewer"),
            analyst: token("analyst"),
            destination_admin: token("destination-admin"),
            privacy: token("privacy"),
        };
        server.open().await;
        server
    }

    /// The same at another time than tests usually have.
    pub(crate) async fn at(project: &'a Project, now: &str) -> Self {
        let mut server = Self::start(project).await;
        server.stop();
        let mut command = project.command(&["serve", "--listen", "127.0.0.1:0"]);
        command.env("SEGUE_NOW", now);
        server.reach(command.spawn().expect("the binary starts").into()).await;
        server
    }

    /// The same with flags and variables, and with a clock that goes on.
    pub(crate) async fn with(
        project: &'a Project,
        flags: &[&str],
        variables: &[(&str, &str)],
    ) -> Self {
        let mut server = Self::start(project).await;
        server.stop();
        let mut command = project.command(&[&["serve", "--listen", "127.0.0.1:0"], flags].concat());
        command.env_remove("SEGUE_NOW").envs(variables.iter().copied());
        server.reach(command.spawn().expect("the binary starts").into()).await;
        server
    }

    pub(crate) async fn open(&mut self) {
        let child = self.project.start(&["serve", "--listen", "127.0.0.1:0"]);
        self.reach(child).await;
    }

    async fn reach(&mut self, child: Running) {
        let beacon = self.project.path(".segue/server.json");
        let url = || {
            let text = std::fs::read_to_string(&beacon).unwrap_or_default();
            let value: Value = serde_json::from_str(&text).unwrap_or_default();
            value["url"].as_str().map(|url| url.trim_start_matches("http://").to_owned())
        };
        wait_until(|| url().is_some()).await;
        self.address = url().unwrap_or_default();
        self.child = Some(child);
    }

    /// Kills the server.
    pub(crate) fn kill(&mut self) {
        drop(self.child.take());
        drop(std::fs::remove_file(self.project.path(".segue/server.json")));
    }

    /// Ends the server and returns what it said.
    pub(crate) fn stop(&mut self) -> String {
        let Some(child) = self.child.take() else { return String::new() };
        let done =
            std::process::Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
        assert!(done.expect("kill is there").success());
        let said = self.project.finish(child);
        assert_eq!(said.code, 0, "{}", said.stderr);
        said.stderr
    }

    /// Sends the bytes of a request as they are.
    pub(crate) fn raw(&self, request: &str) -> Answer {
        let mut stream = TcpStream::connect(&self.address).expect("a connection");
        stream.set_read_timeout(Some(Duration::from_secs(300))).expect("a time limit");
        stream.write_all(request.as_bytes()).expect("it is sent");
        let mut bytes = Vec::new();
        // A server that has heard enough may close early.
        drop(stream.read_to_end(&mut bytes));
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let (head, text) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.split(' ').nth(1).and_then(|it| it.parse().ok()).unwrap_or(0);
        Answer { status, head: head.to_lowercase(), text: text.to_owned() }
    }

    pub(crate) fn ask(
        &self,
        method: &str,
        path: &str,
        token: &str,
        more: &[&str],
        body: Option<Value>,
    ) -> Answer {
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let mut head =
            format!("{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n", self.address);
        if !token.is_empty() {
            head.push_str(&format!("authorization: Bearer {token}\r\n"));
        }
        if !body.is_empty() {
            head.push_str(&format!(
                "content-type: application/json\r\ncontent-length: {}\r\n",
                body.len()
            ));
        }
        for line in more {
            head.push_str(line);
            head.push_str("\r\n");
        }
        self.raw(&format!("{head}\r\n{body}"))
    }

    /// Asks again while there are too many requests.
    pub(crate) fn patiently(&self, method: &str, path: &str, token: &str) -> Answer {
        loop {
            let answer = self.ask(method, path, token, &[], None);
            if answer.status != 429 {
                return answer;
            }
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &self.viewer, &[], None)
    }
}

fn project(lab: &Lab) -> Project {
    Project::new(&Text::default().yaml(), Some(lab))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_main_job_is_done_over_http() {
    let lab = lab().await;
    let project = project(&lab);
    let server = Server::start(&project).await;
    let count = server.ask("POST", "/api/v1/segments/loyal/count", &server.admin, &[], None);
    assert_eq!((count.status, count.json()["members"].as_u64()), (200, Some(4)), "{}", count.text);
    let key = ["idempotency-key: one"];
    let path = "/api/v1/activations/daily/run";
    let body = || Some(json!({ "segments": ["loyal"] }));
    let first = server.ask("POST", path, &server.operator, &key, body());
    assert_eq!(first.status, 202, "{}", first.text);
    assert_eq!(first.json()["items"][0]["slot"], NOW);
    let again = server.ask("POST", path, &server.operator, &key, body());
    assert_eq!((again.status, again.text), (202, first.text), "the same answer");
    let other = server.ask("POST", path, &server.operator, &key, None);
    assert_eq!((other.status, other.json()["code"].as_str()), (409, Some("idempotency_mismatch")));
    wait_until(|| server.get("/api/v1/runs").json()["items"][0]["state"] == "delivered").await;
    let run =
        server.get("/api/v1/runs").json()["items"][0]["runId"].as_str().unwrap_or("").to_owned();
    let detail = server.get(&format!("/api/v1/runs/{run}")).json();
    assert_eq!(detail["activated"], 3);
    assert_eq!(detail["excluded"][0]["profiles"], 1);
    assert_eq!(detail["objects"].as_array().map(Vec::len), Some(2));
    let events = server.get(&format!("/api/v1/runs/{run}/events"));
    assert!(events.head.contains("text/event-stream"), "{}", events.head);
    assert!(events.text.contains("event: run"), "{}", events.text);
    assert_eq!(lab.keys(BUCKET).len(), 2);
    let metrics = server.get("/metrics").text;
    assert!(metrics.contains("segue_slots_total{state=\"delivered\",reason=\"\"} 1"), "{metrics}");
    let slots = server.get("/api/v1/slots").json();
    assert_eq!(
        slots["items"][0]["requestedBy"].as_str().map(|it| it.starts_with("token ")),
        Some(true)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_is_closed_to_those_who_did_not_sign_in_or_may_not() {
    let lab = lab().await;
    let project = project(&lab);
    let server = Server::start(&project).await;
    let document = server.ask("GET", "/api/openapi.json", "", &[], None).json();
    let mut looked = 0;
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for (method, operation) in methods.as_object().expect("methods") {
            let path = path
                .replace("{key}", "nothing")
                .replace("{id}", "nothing")
                .replace("{name}", "nothing");
            let method = method.to_uppercase();
            let open = operation["security"].as_array().is_some_and(Vec::is_empty);
            let nobody = server.patiently(&method, &path, "");
            if open {
                assert_ne!(nobody.status, 401, "{method} {path}");
                continue;
            }
            assert_eq!(nobody.status, 401, "{method} {path}");
            let wrong = server.patiently(&method, &path, "segue_nonsense");
            assert_eq!(wrong.status, 401, "{method} {path}");
            let roles = operation["x-roles"].as_array().expect("roles");
            for (role, token) in [
                ("viewer", &server.viewer),
                ("analyst", &server.analyst),
                ("operator", &server.operator),
                ("destination-admin", &server.destination_admin),
                ("privacy", &server.privacy),
                ("admin", &server.admin),
            ] {
                // What is not there, or says nothing, is let in and changes nothing.
                let answer = server.patiently(&method, &path, token);
                let code = answer.text.contains("\"code\":\"forbidden\"");
                if roles.iter().any(|it| it == role) {
                    assert!(
                        !code && answer.status != 401,
                        "{method} {path} as {role}: {}",
                        answer.text
                    );
                } else {
                    assert!(
                        code && answer.status == 403,
                        "{method} {path} as {role}: {}",
                        answer.text
                    );
                    looked += 1;
                }
            }
        }
    }
    assert!(looked > 100, "{looked}");
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_set_up_sign_in_and_are_guarded() {
    let lab = lab().await;
    let project = project(&lab);
    let mut server = Server::start(&project).await;
    let said = server.stop();
    assert!(said.contains("/setup#"), "{said}");
    // The link of this start.
    server.open().await;
    let used = server.ask(
        "POST",
        "/api/v1/setup",
        "",
        &[],
        Some(json!({ "secret": "wrong", "name": "ann", "password": PASSWORD })),
    );
    assert_eq!((used.status, used.json()["code"].as_str()), (403, Some("forbidden")));
    // The secret went to the terminal of the process, so this test makes the user as an admin.
    let made = server.ask(
        "POST",
        "/api/v1/users",
        &server.admin,
        &[],
        Some(json!({ "name": "ann", "password": PASSWORD, "role": "operator" })),
    );
    assert_eq!(made.status, 201, "{}", made.text);
    let short = server.ask(
        "POST",
        "/api/v1/users",
        &server.admin,
        &[],
        Some(json!({ "name": "bob", "password": "short", "role": "viewer" })),
    );
    assert_eq!((short.status, short.json()["code"].as_str()), (422, Some("invalid_value")));
    let wrong = server.ask(
        "POST",
        "/api/v1/session",
        "",
        &[],
        Some(json!({ "name": "ann", "password": "not the password" })),
    );
    assert_eq!((wrong.status, wrong.json()["code"].as_str()), (401, Some("sign_in_failed")));
    let begun = server.ask(
        "POST",
        "/api/v1/session",
        "",
        &[],
        Some(json!({ "name": "ann", "password": PASSWORD })),
    );
    assert_eq!(begun.status, 201, "{}", begun.text);
    let cookie =
        begun.head.lines().find_map(|line| line.strip_prefix("set-cookie: ")).expect("a cookie");
    for part in ["__host-segue=", "secure", "httponly", "samesite=strict"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    // The head was lowered for the test; the value comes from a second look at the raw bytes.
    let raw = server.raw(&format!(
        "POST /api/v1/session HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{}",
        server.address,
        json!({ "name": "ann", "password": PASSWORD }).to_string().len(),
        json!({ "name": "ann", "password": PASSWORD }),
    ));
    assert_eq!(raw.status, 201);
    let disable = "/api/v1/activations/daily/disable";
    let unknown = server.ask("POST", disable, "", &["cookie: __Host-segue=unknown"], None);
    assert_eq!(unknown.status, 401);
    let audit = server.ask("GET", "/api/v1/audit", &server.admin, &[], None).json();
    let acts: Vec<&str> = audit["items"]
        .as_array()
        .expect("entries")
        .iter()
        .filter_map(|it| it["action"].as_str())
        .collect();
    assert!(acts.contains(&"add_user") && acts.contains(&"begin_session"), "{acts:?}");
    let whole = server.ask("GET", "/api/v1/audit/check", &server.admin, &[], None).json();
    assert_eq!(whole["isWhole"], true);
    assert_eq!(whole["entries"].as_u64(), audit["items"].as_array().map(|it| it.len() as u64));
}

#[tokio::test(flavor = "multi_thread")]
async fn other_sites_and_other_hosts_are_not_answered() {
    let lab = lab().await;
    let project = project(&lab);
    let server = Server::start(&project).await;
    let evil =
        server.raw("GET /healthz HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n");
    assert_eq!((evil.status, evil.json()["code"].as_str()), (421, Some("wrong_host")));
    let path = "/api/v1/activations/daily/disable";
    for line in ["origin: https://evil.example", "sec-fetch-site: cross-site", "origin: null"] {
        let refused = server.ask("POST", path, &server.operator, &[line], None);
        assert_eq!(
            (refused.status, refused.json()["code"].as_str()),
            (403, Some("cross_site")),
            "{line}"
        );
    }
    let own = format!("origin: http://{}", server.address);
    assert_eq!(server.ask("POST", path, &server.operator, &[&own], None).status, 200);
    let head = server.get("/api/docs").head;
    assert!(head.contains("script-src 'self'") && head.contains("nosniff"), "{head}");
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_requests_get_a_problem_with_a_code() {
    let lab = lab().await;
    let project = project(&lab);
    let server = Server::start(&project).await;
    let code = |answer: &Answer| {
        assert!(answer.head.contains("application/problem+json"), "{}", answer.head);
        format!("{} {}", answer.status, answer.json()["code"].as_str().unwrap_or_default())
    };
    for (path, expected) in [
        ("/api/v1/nothing", "404 not_found"),
        ("/api/v1/runs/nothing", "404 not_found"),
        ("/api/v1/runs/ffffffff-ffff-ffff-ffff-ffffffffffff", "404 not_found"),
        ("/api/v1/activations/nothing", "404 not_found"),
        ("/api/v1/runs?limit=0", "422 invalid_value"),
        ("/api/v1/runs?limit=x", "422 invalid_value"),
        ("/api/v1/runs?limit=1&limit=2", "400 malformed_request"),
        ("/api/v1/runs?colour=red", "400 unknown_parameter"),
        ("/api/v1/runs?state=lost", "422 invalid_value"),
        ("/api/v1/runs?cursor=%25%25", "422 invalid_value"),
        ("/api/v1/slots?cursor=YQ", "422 invalid_value"),
    ] {
        assert_eq!(code(&server.get(path)), expected, "{path}");
    }
    let run = "/api/v1/activations/daily/run";
    for (body, expected) in [
        (json!({ "segments": ["nobody"] }), "422 invalid_value"),
        (json!({ "slot": "yesterday" }), "422 invalid_value"),
        (json!({ "colour": "red" }), "422 invalid_value"),
        (json!([1]), "422 invalid_value"),
    ] {
        let text = body.to_string();
        assert_eq!(
            code(&server.ask("POST", run, &server.operator, &[], Some(body))),
            expected,
            "{text}"
        );
    }
    says_where(&server);
    a_token_is_made_once_under_a_key(&server);
    let other = server.ask("PATCH", "/api/v1/runs", &server.operator, &[], None);
    assert_eq!(code(&other), "405 method_not_allowed");
    assert!(other.head.contains("\r\nallow: get, head\r\n"), "{}", other.head);
    let changed = server.ask("DELETE", "/api/v1/segments/loyal", &server.admin, &[], None);
    assert_eq!(code(&changed), "409 read_only");
    let head = format!(
        "POST {run} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\nauthorization: Bearer {}\r\n",
        server.address, server.operator
    );
    let plain =
        server.raw(&format!("{head}content-type: text/plain\r\ncontent-length: 2\r\n\r\n{{}}"));
    assert_eq!(code(&plain), "415 not_json");
    let broken =
        server.raw(&format!("{head}content-type: application/json\r\ncontent-length: 1\r\n\r\n{{"));
    assert_eq!(code(&broken), "400 malformed_request");
    let large = format!(
        "{head}content-type: application/json\r\ncontent-length: 2000000\r\n\r\n{}",
        " ".repeat(2_000_000)
    );
    let large = server.raw(&large);
    assert!(large.status == 413 || large.status == 0, "{}", large.head);
    // What is no request at all is answered by the library that reads requests.
    for garbage in
        ["\u{16}\u{3}\u{1}\u{2}\0\u{1}\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/1.1\r\na b: c\r\n\r\n"]
    {
        let answer = server.raw(garbage);
        assert_eq!(code(&answer), "400 malformed_request", "{garbage:?}");
        assert!(answer.head.contains("\r\ncontent-type: application/problem+json\r\n"));
        assert!(answer.head.contains("\r\nconnection: close"), "{}", answer.head);
    }
    let long =
        format!("GET / HTTP/1.1\r\nhost: {}\r\nx: {}\r\n\r\n", server.address, "x".repeat(20_000));
    assert_eq!(code(&server.raw(&long)), "431 head_too_large");
    // So is the second request of a connection.
    let twice =
        format!("GET /healthz HTTP/1.1\r\nhost: {}\r\n\r\nnonsense\r\n\r\n", server.address);
    assert!(server.raw(&twice).text.contains("malformed_request"), "{twice}");
    server.ask("POST", "/api/v1/activations/daily/disable", &server.operator, &[], None);
    let disabled = server.ask("POST", run, &server.operator, &[], None);
    assert_eq!(code(&disabled), "409 activation_disabled");
}

fn a_token_is_made_once_under_a_key(server: &Server<'_>) {
    let make = |name: &str| {
        let body = json!({ "name": name, "role": "viewer", "days": 1 });
        let key = ["idempotency-key: once-1"];
        server.ask("POST", "/api/v1/tokens", &server.admin, &key, Some(body))
    };
    let made = make("nightly");
    assert_eq!(made.status, 201, "{}", made.text);
    let (id, secret) = (made.json()["id"].clone(), made.json()["secret"].clone());
    let again = make("nightly");
    assert_eq!((again.status, again.json()["code"].as_str()), (409, Some("conflict")));
    let told =
        format!("This request made the token `nightly` ({}) already.", id.as_str().expect("an id"));
    assert_eq!(again.json()["detail"], told);
    assert!(!again.text.contains(secret.as_str().expect("a text")));
    let other = make("another");
    assert_eq!(other.json()["code"], "idempotency_mismatch");
    let tokens = server.ask("GET", "/api/v1/tokens", &server.admin, &[], None).text;
    assert_eq!(tokens.matches("nightly").count(), 1, "{tokens}");
}

/// What does not fit is told with its member or its parameter, and with the reason.
fn says_where(server: &Server<'_>) {
    let token = json!({ "name": "x", "role": "viewer", "days": 1 });
    let with = |member: &str, value: Value| {
        let mut body = token.clone();
        body[member] = value;
        Some(body)
    };
    let run = "/api/v1/activations/daily/run";
    let asked = [
        ("POST", run, Some(json!({ "slot": "yesterday" }))),
        ("POST", run, Some(json!({ "segments": ["loyal", "nobody"] }))),
        ("POST", "/api/v1/evaluations", Some(json!({ "segments": ["nobody"] }))),
        ("POST", "/api/v1/tokens", with("days", json!(0))),
        ("POST", "/api/v1/tokens", with("days", json!(4_000))),
        ("POST", "/api/v1/tokens", with("role", json!("king"))),
        ("POST", "/api/v1/tokens", with("name", json!("a b"))),
        ("GET", "/api/v1/runs?limit=0", None),
        ("GET", "/api/v1/runs?since=yesterday", None),
        ("GET", "/api/v1/runs?state=lost", None),
        ("GET", "/api/v1/runs?cursor=%25%25", None),
        ("GET", "/api/v1/activations/daily/next?count=0", None),
    ];
    let mut told = String::new();
    for (method, path, body) in asked {
        let answer = server.ask(method, path, &server.admin, &[], body);
        let problem = answer.json();
        let errors = problem["errors"].as_array().cloned().unwrap_or_default();
        assert_eq!(answer.status, 422, "{path}: {}", answer.text);
        assert_eq!(errors.len(), 1, "{path}: {}", answer.text);
        let error = &errors[0];
        told.push_str(&format!(
            "{method} {path}: {} {} {}\n",
            error["pointer"].as_str().unwrap_or("-"),
            error["place"].as_str().unwrap_or("-"),
            error["detail"].as_str().unwrap_or("-"),
        ));
    }
    insta::assert_snapshot!("problems_at_their_places", told);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_comes_out() {
    let lab = lab().await;
    let project = project(&lab);
    let mut server = Server::start(&project).await;
    let document = server.ask("GET", "/api/openapi.json", "", &[], None).json();
    server.ask(
        "POST",
        "/api/v1/users",
        &server.admin,
        &[],
        Some(json!({ "name": "ann", "password": PASSWORD, "role": "viewer" })),
    );
    let mut all = String::new();
    for (path, methods) in document["paths"].as_object().expect("paths") {
        if methods.get("get").is_some() {
            let path = path.replace("{key}", "daily").replace("{id}", "x");
            let answer = server.ask("GET", &path, &server.admin, &[], None);
            assert!((200..500).contains(&answer.status), "{path}: {}", answer.text);
            assert!(!answer.text.is_empty(), "{path}: an answer says something");
            all.push_str(&answer.text);
        }
    }
    for key in ["partner", "loyal", "lab"] {
        for kind in ["destinations", "segments", "accounts"] {
            all.push_str(
                &server.ask("GET", &format!("/api/v1/{kind}/{key}"), &server.admin, &[], None).text,
            );
        }
    }
    let admin = server.admin.clone();
    all.push_str(&server.stop());
    let ledger = std::fs::read(project.path(".segue/ledger.sqlite")).expect("the ledger");
    all.push_str(&String::from_utf8_lossy(&ledger));
    for secret in [SECRET, PASSWORD, admin.as_str(), "argon2id$v=19$m=1,", "ann@example.com"] {
        assert!(!all.contains(secret), "{secret} came out");
    }
}

#[test]
fn an_address_that_others_can_reach_needs_a_proxy() {
    let project = Project::new(&Text::default().yaml(), None);
    let said = project.segue(&["serve", "--listen", "0.0.0.0:0"]);
    assert_eq!(said.code, 2);
    insta::assert_snapshot!(said.stderr.trim_end(), @r"
    error: 0.0.0.0:0 can be reached by others, and this server speaks no TLS
      hint: Put a proxy with TLS in front of it and say --behind-proxy, with --host for the name by which it is called; or listen on 127.0.0.1.
    ");
}

/// The status of an answer, if one came.
fn status_of(address: &str, token: &str, is_change: bool) -> Option<u16> {
    let request = match is_change {
        true => {
            let body = json!({ "name": "x", "role": "viewer", "days": 1 }).to_string();
            format!(
                "POST /api/v1/tokens HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            )
        }
        false => format!(
            "GET /api/v1/slots HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\nauthorization: Bearer {token}\r\n\r\n"
        ),
    };
    let mut stream = TcpStream::connect(address).ok()?;
    stream.write_all(request.as_bytes()).ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    text.split(' ').nth(1)?.parse().ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_asked_when_the_server_stops_gets_an_answer() {
    let lab = lab().await;
    let project = project(&lab);
    let mut server = Server::start(&project).await;
    for _ in 0..4 {
        let (address, token) = (server.address.clone(), server.admin.clone());
        // Connections that are open and say nothing hold nobody up.
        let idle = TcpStream::connect(&address).expect("a connection");
        let begun = Instant::now();
        let said = std::thread::scope(|scope| {
            let (address, token) = (&address, &token);
            let ask = move |number: usize| {
                // Until nobody listens any more.
                std::iter::from_fn(|| status_of(address, token, number.is_multiple_of(2))).collect()
            };
            let askers: Vec<_> = (0..4).map(|number| scope.spawn(move || ask(number))).collect();
            std::thread::sleep(Duration::from_millis(150));
            let said = server.stop();
            for asker in askers {
                let statuses: Vec<u16> = asker.join().expect("it has asked");
                assert!(!statuses.is_empty());
                assert!(statuses.iter().all(|status| *status < 500), "{statuses:?}");
            }
            said
        });
        assert!(!said.contains("ERROR") && !said.contains("WARN"), "{said}");
        assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
        drop(idle);
        server.open().await;
    }
    let log = server.patiently("GET", "/api/v1/audit?limit=1000", &server.admin).json();
    let outcomes = log["items"].as_array().expect("entries").iter().map(|it| &it["outcome"]);
    let unknown: Vec<_> = outcomes.filter(|outcome| *outcome == "unknown").collect();
    assert_eq!(unknown, Vec::<&Value>::new(), "a stop in good order leaves nothing open");
}
