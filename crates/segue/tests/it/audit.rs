//! The audit log of a running server, when the database goes away between a change and its entry.

use std::io::Write as _;
use std::net::TcpStream;
use std::time::Duration;

use s3lab::{Action, Fault, Operation, Outcome};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _, SqliteConnection};

use crate::delivery::wait_until;
use crate::http::Server;
use crate::project::{BUCKET, Project, Text, lab};

/// Changes the ledger behind the back of the server that has it.
async fn tamper(project: &Project, sql: &str) {
    let address = format!("sqlite://{}", project.path(".segue/ledger.sqlite").display());
    let mut db = SqliteConnection::connect(&address).await.expect("the ledger");
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut db).await.expect("it is done");
    db.close().await.expect("an end");
}

/// Nothing can be written to a table from here on.
async fn take_away(project: &Project, table: &str) {
    let sql = format!(
        "CREATE TRIGGER away BEFORE INSERT ON {table} BEGIN SELECT RAISE(ABORT, 'away'); END"
    );
    tamper(project, &sql).await;
}

/// The entries, the newest first: `action outcome`.
fn entries(server: &Server<'_>) -> Vec<String> {
    let log = server.ask("GET", "/api/v1/audit", &server.admin, &[], None).json();
    let text = |entry: &Value, name: &str| entry[name].as_str().unwrap_or_default().to_owned();
    let items = log["items"].as_array().cloned().unwrap_or_default();
    items.iter().map(|it| format!("{} {}", text(it, "action"), text(it, "outcome"))).collect()
}

fn switch(server: &Server<'_>, act: &str) -> u16 {
    let path = format!("/api/v1/activations/daily/{act}");
    server.ask("POST", &path, &server.operator, &[], None).status
}

fn is_enabled(server: &Server<'_>) -> bool {
    let path = "/api/v1/activations/daily";
    let found = server.ask("GET", path, &server.viewer, &[], None).json();
    found["enabled"].as_bool().expect("a word")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_has_its_entry_also_when_the_database_goes_away_in_between() {
    let lab = lab().await;
    let project = Project::new(&Text::default().yaml(), Some(&lab));
    let mut server = Server::start(&project).await;
    take_away(&project, "audit").await;
    assert_eq!(switch(&server, "disable"), 200, "what was done is told as it is");
    assert!(!is_enabled(&server));
    assert_eq!(entries(&server), Vec::<String>::new());
    tamper(&project, "DROP TRIGGER away").await;
    wait_until(|| entries(&server) == ["disable_activation 200"]).await;

    // Nor is it lost when the process goes away, too; what came of it is not known then.
    take_away(&project, "audit").await;
    assert_eq!(switch(&server, "enable"), 200);
    server.kill();
    tamper(&project, "DROP TRIGGER away").await;
    server.open().await;
    assert!(is_enabled(&server));
    assert_eq!(entries(&server), ["enable_activation unknown", "disable_activation 200"]);
    let chain = server.ask("GET", "/api/v1/audit/check", &server.admin, &[], None).json();
    assert_eq!((chain["entries"].as_u64(), &chain["brokenAt"]), (Some(2), &Value::Null), "{chain}");

    // What cannot be begun is not done.
    take_away(&project, "acts_begun").await;
    let status = switch(&server, "disable");
    assert!(status >= 500, "{status}");
    assert!(is_enabled(&server));
    tamper(&project, "DROP TRIGGER away").await;
    assert_eq!(switch(&server, "disable"), 200);
    assert_eq!(entries(&server).len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_hangs_up_is_in_the_log_all_the_same() {
    let lab = lab().await;
    let project = Project::new(&Text::default().yaml(), Some(&lab));
    let server = Server::start(&project).await;
    let hang = Fault::on(Operation::ListObjectsV2, Action::Hang(Outcome::Done)).times(1);
    let id = lab.faults().add(hang);
    let mut stream = TcpStream::connect(&server.address).expect("a connection");
    let request = format!(
        "POST /api/v1/destinations/partner/check HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {}\r\n\r\n",
        server.address, server.admin
    );
    stream.write_all(request.as_bytes()).expect("it is sent");
    wait_until(|| lab.faults().acted(id) > 0).await;
    drop(stream);
    tokio::time::sleep(Duration::from_millis(200)).await;
    lab.faults().release();
    wait_until(|| entries(&server) == ["check_destination 200"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_ends_when_nobody_waits_for_its_answer() {
    let lab = lab().await;
    let yaml = Text { location: "s3://exports/in/", ..Text::default() }.yaml();
    let yaml =
        yaml.replace("    identities:", "    format: csv\n    account: lab\n    identities:");
    let project = Project::new(&yaml, Some(&lab));
    lab.put(BUCKET, "in/a.csv", crate::project::PEOPLE).await.expect("a put");
    let server = Server::start(&project).await;
    let id =
        lab.faults().add(Fault::on(Operation::ListObjectsV2, Action::Hang(Outcome::Done)).times(1));
    let body = json!({ "activation": "daily", "count": true });
    let mut stream = TcpStream::connect(&server.address).expect("a connection");
    let request = format!(
        "POST /api/v1/preview HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        server.address,
        server.admin,
        body.to_string().len(),
    );
    stream.write_all(request.as_bytes()).expect("it is sent");
    wait_until(|| lab.faults().acted(id) > 0).await;
    drop(stream);
    // The bucket still does not answer, and whoever comes next does not wait for it.
    let asked = server.ask("POST", "/api/v1/preview", &server.admin, &[], Some(body));
    assert_eq!(asked.json()["segments"][0]["rows"], 3, "{}", asked.text);
    assert_eq!(entries(&server), ["preview_objects 200", "preview_objects unavailable"]);
    lab.faults().release();
}
