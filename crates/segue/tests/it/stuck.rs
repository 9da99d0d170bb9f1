//! Committed runs whose object somebody else changed: a person lets them go on, or ends them.

use s3lab::{Action, Fault, Lab, Operation};
use serde_json::json;

use crate::http::Server;
use crate::project::{BUCKET, Project, Text, lab};

const KEY: &str = "drop/latest.csv";

/// A project with a static name whose second run is committed, and whose object is then changed.
async fn stuck(lab: &Lab, change: &str) -> (Project, String) {
    let project = Project::new(&Text { file_name: "latest", ..Text::default() }.yaml(), Some(lab));
    let first = project.segue(&["run", "daily", "--slot", "2026-01-01T00:00:00Z"]);
    assert_eq!(first.code, 0, "{}", first.stderr);
    let denied = Action::answer(403, "AccessDenied");
    let fault = lab.faults().add(Fault::on(Operation::CompleteMultipartUpload, denied).always());
    let second = project.segue(&["run", "daily", "--slot", "2026-01-02T00:00:00Z"]);
    assert_eq!(second.code, 3, "{}", second.stderr);
    lab.faults().remove(fault);
    match change {
        "deleted" => lab.delete(BUCKET, KEY).expect("a delete"),
        _ => drop(lab.put(BUCKET, KEY, "a stranger was here").await.expect("a put")),
    }
    // By itself it never goes on.
    let again = project.segue(&["run", "daily", "--slot", "2026-01-02T00:00:00Z"]);
    assert_ne!(again.code, 0, "{}", again.stderr);
    let run = project.json(&["runs"])[0].clone();
    assert_eq!(run["state"], "blocked", "{run}");
    (project, run["runId"].as_str().expect("an id").to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_whose_object_was_changed_takes_its_place_when_somebody_releases_it() {
    for change in ["replaced", "deleted"] {
        let lab = lab().await;
        let (project, run) = stuck(&lab, change).await;
        let said = project.segue(&["release", &run]);
        assert_eq!(said.code, 0, "{change}: {}", said.stderr);
        let said = project.segue(&["run", "daily", "--slot", "2026-01-02T00:00:00Z"]);
        assert_eq!(said.code, 0, "{change}: {}", said.stderr);
        let object = lab.object(BUCKET, KEY).expect("it is there");
        assert!(object.bytes.starts_with(b"id,e_mail,points"), "{change}");
        // The next run replaces what this one left, as ever.
        let said = project.segue(&["run", "daily", "--slot", "2026-01-03T00:00:00Z"]);
        assert_eq!(said.code, 0, "{change}: {}", said.stderr);
    }
}

/// A run that waits for a person is told to whoever runs something else, and is not what they asked for.
#[tokio::test(flavor = "multi_thread")]
async fn a_stuck_run_is_no_failure_of_another_one() {
    let lab = lab().await;
    let (project, _) = stuck(&lab, "replaced").await;
    let yaml = std::fs::read_to_string(project.path("segue.yaml")).expect("the project file");
    let other = yaml
        .split_once("  daily:\n")
        .map(|(_, daily)| format!("{yaml}  other:\n{daily}"))
        .expect("an activation");
    project.write("segue.yaml", other.replace(
        "  other:\n    destination: partner\n    segments:\n      - segment: loyal\n        file_name: \"latest\"",
        "  other:\n    destination: partner\n    segments:\n      - segment: loyal\n        file_name: \"other\"",
    ));
    let said = project.segue(&["run", "other"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert!(
        said.stderr.contains("note: daily/loyal for 2026-01-02T00:00:00Z: "),
        "{}",
        said.stderr
    );
    assert!(lab.object(BUCKET, "drop/other.csv").is_some());
    // Whoever asks for what is due and left is told by the exit code.
    assert_ne!(project.segue(&["run"]).code, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_was_there_at_the_release_is_replaced() {
    let lab = lab().await;
    let (project, run) = stuck(&lab, "replaced").await;
    assert_eq!(project.segue(&["release", &run]).code, 0);
    lab.put(BUCKET, KEY, "another stranger").await.expect("a put");
    let said = project.segue(&["run", "daily", "--slot", "2026-01-02T00:00:00Z"]);
    assert_ne!(said.code, 0, "{}", said.stdout);
    assert_eq!(&lab.object(BUCKET, KEY).expect("it is there").bytes[..], b"another stranger");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_of_which_nothing_is_visible_is_ended_when_somebody_rejects_it() {
    let lab = lab().await;
    let (project, run) = stuck(&lab, "replaced").await;
    let mut server = Server::start(&project).await;
    let path = format!("/api/v1/runs/{run}/reject");
    let body = json!({ "reason": "the partner put a file of their own there" });
    let reject = || server.ask("POST", &path, &server.operator, &[], Some(body.clone()));
    // The server tries the run at its start, and meanwhile the answer is that it may work later.
    let mut answer = reject();
    for _ in 0..100 {
        if answer.status != 503 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        answer = reject();
    }
    assert_eq!(answer.status, 200, "{}", answer.text);
    let got = server.ask("GET", &format!("/api/v1/runs/{run}"), &server.viewer, &[], None);
    let detail = got.json();
    assert_eq!((&detail["state"], &detail["stop"]["code"]), (&json!("failed"), &json!("rejected")));
    let again = reject();
    assert_eq!(again.json()["code"], "conflict", "{}", again.text);
    server.stop();
    assert_eq!(&lab.object(BUCKET, KEY).expect("it is there").bytes[..], b"a stranger was here");
    assert!(lab.open_uploads(BUCKET).is_empty());
}
