//! `segue serve` as a process: it plans, runs, stops, dies, and goes on.
//!
//! Each process has a pinned clock, so time passes between processes and not within one.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use s3lab::{Action, Fault, Lab, Operation, Outcome};

use crate::delivery::wait_until;
use crate::http::Server;
use crate::project::{BUCKET, NOW, Project, Running, Said, Text, lab};

const FIRST_DAY: &str = "2026-01-04T06:30:00Z";
const LATER: &str = "2026-01-07T06:30:00Z";

fn scheduled(lab: &Lab) -> Project {
    let text = Text { file: "{ format: csv, rows_per_file: 2 }", ..Text::default() };
    let yaml = text.yaml().replace(
        "      - segment: loyal\n",
        "      - segment: loyal\n        schedule: { frequency: daily, at: \"02:00\" }\n",
    );
    Project::new(&yaml, Some(lab))
}

pub(crate) fn serve(project: &Project, now: &str, more: &[&str]) -> Running {
    let mut arguments = vec!["serve", "--listen", "127.0.0.1:0"];
    arguments.extend(more);
    project.command(&arguments).env("SEGUE_NOW", now).spawn().expect("the binary starts").into()
}

fn terminate(child: &Child) {
    let done = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    assert!(done.expect("kill is there").success());
}

pub(crate) fn stop(project: &Project, child: Running) -> Said {
    terminate(&child);
    project.finish(child)
}

/// The slots as `segue slots` lists them: `slot state reason`.
pub(crate) fn slots(project: &Project) -> Vec<String> {
    let listed = project.json(&["slots"]);
    let text = |slot: &serde_json::Value| {
        let reason = slot["stop"]["code"].as_str().unwrap_or_default();
        format!(
            "{} {} {reason}",
            slot["slot"].as_str().unwrap_or_default(),
            slot["state"].as_str().unwrap_or_default()
        )
    };
    listed.as_array().expect("a list").iter().map(text).collect()
}

fn is_marked(project: &Project) -> bool {
    project.path(".segue/server.json").exists()
}

/// Lets a server see the project for the first time, so that slots are due from then on.
pub(crate) async fn introduce(project: &Project) {
    let child = serve(project, FIRST_DAY, &[]);
    wait_until(|| is_marked(project)).await;
    let said = stop(project, child);
    assert_eq!(said.code, 0, "{}", said.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_missed_is_made_up_for_once_and_the_rest_is_told() {
    let lab = lab().await;
    let project = scheduled(&lab);
    introduce(&project).await;
    assert_eq!(slots(&project), Vec::<String>::new(), "nothing before the first start is due");
    for _ in 0..2 {
        let child = serve(&project, LATER, &[]);
        // The second time there is nothing to wait for but the server itself.
        wait_until(|| is_marked(&project)).await;
        wait_until(|| slots(&project).iter().any(|slot| slot.contains("delivered"))).await;
        let said = stop(&project, child);
        assert_eq!(said.code, 0, "{}", said.stderr);
        assert_eq!(
            slots(&project),
            [
                "2026-01-07T02:00:00Z delivered ",
                "2026-01-06T02:00:00Z skipped missed_window",
                "2026-01-05T02:00:00Z skipped missed_window",
            ]
        );
    }
    assert_eq!(lab.keys(BUCKET).len(), 3, "two files and a manifest, once");
    assert!(!is_marked(&project), "the server has put its light out");
}

/// Whoever disables an activation wants no file of it any more. What is committed is whole all the same.
#[tokio::test(flavor = "multi_thread")]
async fn disabling_ends_a_run_that_is_not_committed() {
    for (operation, state, objects) in [
        (Operation::UploadPart, "skipped paused", 0),
        (Operation::CompleteMultipartUpload, "delivered ", 3),
    ] {
        let lab = lab().await;
        let project = scheduled(&lab);
        let server = Server::start(&project).await;
        let post = |path: &str| {
            let path = format!("/api/v1/activations/daily/{path}");
            server.ask("POST", &path, &server.operator, &[], None).status
        };
        let id = lab.faults().add(Fault::on(operation, Action::Hang(Outcome::Done)).times(1));
        assert_eq!(post("run"), 202);
        wait_until(|| lab.faults().acted(id) > 0).await;
        assert_eq!(post("disable"), 200);
        // The runner has looked by then.
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        lab.faults().release();
        wait_until(|| slots(&project)[0].ends_with(state)).await;
        assert_eq!(lab.keys(BUCKET).len(), objects, "{operation:?}");
        assert_eq!(lab.open_uploads(BUCKET).len(), 0, "{operation:?}");
        let alerts = server.ask("GET", "/api/v1/alerts", &server.viewer, &[], None).text;
        assert!(!alerts.contains("paused"), "{alerts}");
        assert_eq!(post("run"), 409);
        // The next one that somebody asks for goes as always.
        assert_eq!(post("enable"), 200);
        let again = serde_json::json!({ "slot": "2026-01-04T06:00:00Z" });
        let path = "/api/v1/activations/daily/run";
        let again = server.ask("POST", path, &server.operator, &[], Some(again));
        assert_eq!(again.status, 202, "{}", again.text);
        wait_until(|| slots(&project).iter().any(|slot| slot == "2026-01-04T06:00:00Z delivered "))
            .await;
        assert_eq!(lab.keys(BUCKET).len(), objects + 3, "{operation:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn kill_9_in_the_middle_is_made_good_within_ten_seconds() {
    for operation in [Operation::UploadPart, Operation::CompleteMultipartUpload] {
        let lab = lab().await;
        let project = scheduled(&lab);
        introduce(&project).await;
        let hang = Action::Hang(Outcome::Done);
        let id = lab.faults().add(Fault::on(operation, hang).skip(1));
        let mut child = serve(&project, LATER, &[]);
        wait_until(|| lab.faults().acted(id) > 0).await;
        child.kill().expect("a kill");
        child.wait().expect("it is gone");
        lab.faults().remove(id);
        lab.faults().release();
        let begin = Instant::now();
        let child = serve(&project, LATER, &[]);
        wait_until(|| slots(&project)[0].contains("delivered")).await;
        assert!(begin.elapsed() < Duration::from_secs(10), "{operation:?}: {:?}", begin.elapsed());
        assert_eq!(stop(&project, child).code, 0);
        assert_eq!(lab.keys(BUCKET).len(), 3, "{operation:?}");
        assert_eq!(lab.history().len(), 3, "{operation:?}: each object became visible once");
        assert_eq!(lab.open_uploads(BUCKET).len(), 0, "{operation:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_brings_the_process_down_three_times_is_given_up() {
    let lab = lab().await;
    let project = scheduled(&lab);
    introduce(&project).await;
    let hang = Action::Hang(Outcome::NotDone);
    let id = lab.faults().add(Fault::on(Operation::UploadPart, hang).always());
    for _ in 0..3 {
        let before = lab.faults().acted(id);
        let mut child = serve(&project, LATER, &[]);
        wait_until(|| lab.faults().acted(id) > before).await;
        child.kill().expect("a kill");
        child.wait().expect("it is gone");
    }
    lab.faults().remove(id);
    lab.faults().release();
    let child = serve(&project, LATER, &[]);
    wait_until(|| slots(&project)[0].contains("failed")).await;
    assert_eq!(slots(&project)[0], "2026-01-07T02:00:00Z failed poison");
    wait_until(|| lab.open_uploads(BUCKET).is_empty()).await;
    assert_eq!(stop(&project, child).code, 0);
    assert_eq!(lab.history().len(), 0, "nothing became visible");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_rolls_back_what_is_not_committed_and_the_next_start_begins_at_once() {
    // The first upload, a part, and the manifest's upload, which is the last thing before the commit
    // record.
    for (operation, skipped) in [
        (Operation::CreateMultipartUpload, 0),
        (Operation::UploadPart, 0),
        (Operation::CreateMultipartUpload, 2),
    ] {
        let lab = lab().await;
        let project = scheduled(&lab);
        introduce(&project).await;
        let slow = Action::Hang(Outcome::Done);
        let id = lab.faults().add(Fault::on(operation, slow).skip(skipped).times(1));
        let child = serve(&project, LATER, &[]);
        wait_until(|| lab.faults().acted(id) > 0).await;
        terminate(&child);
        // The signal has arrived by then.
        tokio::time::sleep(Duration::from_millis(500)).await;
        lab.faults().release();
        let begin = Instant::now();
        let said = project.finish(child);
        assert_eq!(said.code, 0, "{}", said.stderr);
        assert!(begin.elapsed() < Duration::from_secs(60));
        let left = slots(&project);
        assert!(left[0].contains("planned"), "{operation:?} {skipped}: {left:?}");
        assert_eq!(lab.history().len(), 0, "{operation:?} {skipped}: nothing is visible");
        let child = serve(&project, LATER, &[]);
        wait_until(|| slots(&project)[0].contains("delivered")).await;
        assert_eq!(stop(&project, child).code, 0);
        assert_eq!(lab.history().len(), 3, "{operation:?} {skipped}");
        assert_eq!(lab.open_uploads(BUCKET).len(), 0, "{operation:?} {skipped}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn other_commands_are_told_where_the_server_is() {
    let lab = lab().await;
    let project = scheduled(&lab);
    let child = serve(&project, FIRST_DAY, &[]);
    wait_until(|| is_marked(&project)).await;
    let run = project.segue(&["run", "daily"]);
    assert_eq!(run.code, 5);
    assert!(run.stderr.contains("It is `segue serve`"), "{}", run.stderr);
    let second = project.segue(&["serve"]);
    assert_eq!(second.code, 5);
    assert!(second.stderr.contains("in use by another process"), "{}", second.stderr);
    for reading in [["runs"], ["slots"], ["plan"]] {
        let said = project.segue(&reading);
        assert_eq!(said.code, 0, "{reading:?}: {}", said.stderr);
    }
    assert_eq!(stop(&project, child).code, 0);
}

/// A server that says what it says, once.
fn says(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a connection");
        let mut head = [0; 1_024];
        assert!(stream.read(&mut head).expect("a request") > 0);
        stream.write_all(answer.as_bytes()).expect("it is sent");
    });
    format!("http://{address}")
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_watches_is_told_whether_a_server_is_ready() {
    let lab = lab().await;
    let project = Project::new(&Text::default().yaml(), Some(&lab));
    let told = |said: &Said| {
        let text = project.transcript(said);
        let port = text.split("127.0.0.1:").nth(1).unwrap_or_default();
        let port: String = port.chars().take_while(char::is_ascii_digit).collect();
        if port.is_empty() { text } else { text.replace(&port, "[port]") }
    };
    insta::assert_snapshot!(told(&project.segue(&["ready"])), @"
    exit code 3
    --- stderr
    error: no server has the state directory .segue
      hint: `segue serve` starts one; --server names one elsewhere.
    ");
    let child = serve(&project, NOW, &[]);
    wait_until(|| project.path(".segue/server.json").exists()).await;
    wait_until(|| project.segue(&["ready"]).code == 0).await;
    insta::assert_snapshot!(told(&project.segue(&["ready"])), @"
    exit code 0
    --- stdout
    The server at http://127.0.0.1:[port] is ready.
    ");
    assert_eq!(stop(&project, child).code, 0);
    assert_eq!(project.segue(&["ready"]).code, 3, "it is gone");
    let other = says(
        "HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\n\r\nnot ready: the ledger's database is away\n  x",
    );
    insta::assert_snapshot!(told(&project.segue(&["ready", "--server", &other])), @"
    exit code 5
    --- stderr
    error: the server at http://127.0.0.1:[port] is not ready: the ledger's database is away
    ");
    let closed = project.segue(&["ready", "--server", "http://127.0.0.1:9"]);
    assert_eq!(closed.code, 3, "{}", closed.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_names_the_run_that_ended() {
    let lab = lab().await;
    let project = Project::new(&Text::default().yaml(), Some(&lab));
    let flags = ["--log", "info", "--log-format", "json"];
    let mut server = Server::with(&project, &flags, &[]).await;
    let run = "/api/v1/activations/daily/run";
    let asked = server.ask("POST", run, &server.operator, &[], None);
    assert_eq!(asked.status, 202, "{}", asked.text);
    let runs = || server.ask("GET", "/api/v1/runs", &server.viewer, &[], None).json();
    wait_until(|| runs()["items"][0]["state"] == "delivered").await;
    let run_id = runs()["items"][0]["runId"].clone();
    let log = server.stop();
    let told = |line: &str| serde_json::from_str::<serde_json::Value>(line).ok();
    let ended = log.lines().filter_map(told).find(|line| line["message"] == "a run ended");
    let ended = ended.unwrap_or_else(|| panic!("{log}"));
    assert_eq!((&ended["run_id"], &ended["outcome"]), (&run_id, &"delivered".into()), "{ended}");
}
