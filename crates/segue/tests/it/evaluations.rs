//! Exports that follow evaluations: those that somebody asks for, and those of the schedule.

use serde_json::{Value, json};

use crate::delivery::wait_until;
use crate::http::Server;
use crate::project::{BUCKET, NOW, Project, Text, lab};
use crate::serve::{introduce, serve, slots, stop};

/// A project whose one export follows evaluations, which are as `membership` says.
fn yaml(membership: &str) -> String {
    let follow = "      - segment: loyal\n        schedule: { trigger: after-evaluation }\n";
    let text = Text { file_name: "%SEGMENT_NAME%_%TIMESTAMP%", ..Text::default() };
    format!("{}{membership}", text.yaml().replace("      - segment: loyal\n", follow))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_follows_an_evaluation_is_sent_when_somebody_asks_for_one() {
    let lab = lab().await;
    let project = Project::new(&yaml(""), Some(&lab));
    let server = Server::with(&project, &[], &[]).await;
    let evaluate = |token: &str, body: Option<Value>| {
        server.ask("POST", "/api/v1/evaluations", token, &[], body)
    };
    assert_eq!(evaluate(&server.viewer, None).status, 403);
    assert_eq!(evaluate(&server.operator, Some(json!({ "segments": ["nobody"] }))).status, 422);
    let next =
        server.ask("GET", "/api/v1/activations/daily/next", &server.viewer, &[], None).json();
    assert_eq!(next["items"][0]["slots"], json!([]), "nothing is due by the clock");
    let found = evaluate(&server.operator, Some(json!({ "segments": ["loyal"] })));
    assert_eq!(found.status, 200, "{}", found.text);
    let found = found.json();
    assert_eq!(found["items"][0]["members"], 4, "{found}");
    assert_eq!(found["items"][0]["joined"], 4, "{found}");
    let slot = &found["followedBy"]["items"][0];
    assert_eq!(slot["slot"], found["evaluatedAt"], "{found}");
    let runs = || server.ask("GET", "/api/v1/runs", &server.viewer, &[], None).json();
    wait_until(|| runs()["items"][0]["state"] == "delivered").await;
    assert_eq!(runs()["items"][0]["slot"], found["evaluatedAt"]);
    assert_eq!(lab.keys(BUCKET).len(), 2, "a file and its manifest");
    // What is disabled is evaluated, and not sent.
    let disable = "/api/v1/activations/daily/disable";
    assert_eq!(server.ask("POST", disable, &server.operator, &[], None).status, 200);
    // Of one instant there is one evaluation, and instants are seconds.
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    let again = evaluate(&server.operator, None).json();
    assert_eq!(again["items"][0]["joined"], 0, "{again}");
    assert_eq!(again["followedBy"]["items"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_evaluates_and_then_runs_what_follows() {
    let lab = lab().await;
    let project = Project::new(&yaml(""), Some(&lab));
    let said = project.segue(&["run"]);
    assert!(said.stderr.contains("Nothing is due"), "{}", said.stderr);
    let said = project.segue(&["evaluate"]);
    assert!(said.stderr.contains("note: 1 export to follow"), "{}", said.stderr);
    let said = project.segue(&["run"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert_eq!(project.json(&["runs"])[0]["slot"], NOW);
    assert_eq!(lab.keys(BUCKET).len(), 2, "a file and its manifest");
    let said = project.segue(&["run"]);
    assert!(said.stderr.contains("Nothing is due"), "it was sent: {}", said.stderr);
    assert!(lab.open_uploads(BUCKET).is_empty());
}

/// The exit code is that of what was asked; a slot that a later one has overtaken is nobody's any more.
#[tokio::test(flavor = "multi_thread")]
async fn an_export_that_was_overtaken_fails_nobody() {
    let lab = lab().await;
    let text =
        yaml("").replace("schedule: { trigger", "export: incremental\n        schedule: { trigger");
    let project = Project::new(&text, Some(&lab));
    let earlier = ["evaluate", "--slot", "2026-01-04T05:00:00Z"];
    assert_eq!(project.segue(&earlier).code, 0);
    assert_eq!(project.segue(&["run", "daily"]).code, 0);
    let said = project.segue(&["run"]);
    insta::assert_snapshot!(project.transcript(&said), @r"
    exit code 0
    --- stderr
    note: daily/loyal for 2026-01-04T05:00:00Z: nothing was done, as a later slot was delivered meanwhile, and what it sent takes the place of this one
    Nothing is due. To run one anyway, name it: daily
    ");
    assert_eq!(slots(&project), ["2026-01-04T05:00:00Z skipped superseded"]);
    // Whoever names that slot is told that it cannot be had.
    let said = project.segue(&["run", "daily", "--slot", "2026-01-04T05:00:00Z"]);
    assert_eq!(said.code, 4, "{}", said.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn evaluations_have_a_schedule_that_exports_follow() {
    let lab = lab().await;
    let by_clock =
        "membership:\n  schedule: { frequency: daily, at: \"01:00\", zone: Europe/Paris }\n";
    let project = Project::new(&yaml(by_clock), Some(&lab));
    let next = project.json(&["schedule", "next", "daily", "--count", "1"]);
    assert!(next.to_string().contains("2026-01-05T00:00:00Z"), "{next}");
    introduce(&project).await;
    let child = serve(&project, "2026-01-05T06:30:00Z", &[]);
    wait_until(|| slots(&project).iter().any(|slot| slot.contains("delivered"))).await;
    assert_eq!(stop(&project, child).code, 0);
    assert_eq!(slots(&project), ["2026-01-05T00:00:00Z delivered "]);
}
