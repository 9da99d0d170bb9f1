//! Runs that a guard stops: nothing visible, an alert, and a person who decides.

use s3lab::Lab;
use serde_json::{Value, json};

use crate::delivery::wait_until;
use crate::http::Server;
use crate::project::{BUCKET, PEOPLE, Project, Text, lab};

fn guarded(lab: &Lab, guard: &'static str) -> Project {
    Project::new(&Text { guard, ..Text::default() }.yaml(), Some(lab))
}

fn held_run(project: &Project) -> String {
    let runs = project.json(&["runs"]);
    assert_eq!(runs[0]["state"], "blocked", "{runs}");
    runs[0]["runId"].as_str().expect("an id").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_releases_a_run_on_the_command_line() {
    let lab = lab().await;
    let project = guarded(&lab, "{ min_rows: 100 }");
    let said = project.segue(&["run", "daily"]);
    assert_eq!(said.code, 4);
    let run = held_run(&project);
    insta::assert_snapshot!(project.transcript(&said).replace(&run, "[run]"), @r"
    exit code 4
    --- stderr
    error: daily/loyal for 2026-01-04T06:30:00Z
      caused by: the guard stopped the run: 3 rows are fewer than min_rows (100)
      hint: Look at the segment with `segue count`. If the size is right, `segue release [run]`; if not, `segue reject [run] --reason …`.
    ");
    // It is asked again by nobody but a person, whoever runs it.
    let again = project.segue(&["run", "daily"]);
    assert_eq!(again.code, 4, "{}", again.stderr);
    assert!(again.stderr.contains("waits for somebody to decide"), "{}", again.stderr);
    assert_eq!((lab.keys(BUCKET).len(), lab.open_uploads(BUCKET).len()), (0, 0));
    // What shrinks further is not what was released.
    let said = project.segue(&["release", &run[..8]]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    project.write("people.csv", PEOPLE.replace("5,eve@example.com,11\n", ""));
    assert_eq!(project.segue(&["run", "daily"]).code, 4);
    assert_eq!(project.segue(&["release", &run]).code, 0);
    let said = project.segue(&["run", "daily"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert_eq!(lab.keys(BUCKET).len(), 2, "the file and the manifest");
    let shown = project.json(&["show", &run]);
    assert_eq!(
        (&shown["state"], &shown["hold"]["decision"], &shown["hold"]["rows"]),
        (&json!("delivered"), &json!("released"), &json!(2))
    );
    let said = project.segue(&["release", &run]);
    assert_ne!(said.code, 0, "it is over");
}

/// Holds the run of a slot, delivers that of a later one, and releases the first.
async fn overtaken(text: Text, export: &str) -> (Lab, Project, crate::project::Said) {
    let lab = lab().await;
    let yaml = text
        .yaml()
        .replace("- segment: loyal\n", &format!("- segment: loyal\n        export: {export}\n"));
    let project = Project::new(&yaml, Some(&lab));
    assert_eq!(project.segue(&["run", "daily", "--slot", "2026-01-02T00:00:00Z"]).code, 4);
    let run = held_run(&project);
    project.write("people.csv", PEOPLE.replace("5,eve@example.com,11\n", ""));
    let later = project.segue(&["run", "daily", "--slot", "2026-01-03T00:00:00Z"]);
    assert_eq!(later.code, 0, "{}", later.stderr);
    let said = project.segue(&["release", &run]);
    let stdout = said.stdout.replace(&run, "[run]");
    (lab, project, crate::project::Said { stdout, ..said })
}

/// A release brings back nothing that is older than what was delivered meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn an_increment_that_a_later_one_has_overtaken_is_skipped_when_it_is_released() {
    let text = Text { guard: "{ max_rows: 2 }", ..Text::default() };
    let (lab, project, said) = overtaken(text, "incremental").await;
    insta::assert_snapshot!(project.transcript(&said), @r"
    exit code 0
    --- stdout
    Run [run] is not released but skipped: a later slot was delivered meanwhile, and what it sent takes the place of this one.
    ");
    let runs = project.json(&["runs"]);
    assert_eq!(
        (&runs[1]["state"], &runs[1]["stop"]["code"]),
        (&json!("skipped"), &json!("superseded"))
    );
    let keys = lab.keys(BUCKET);
    assert_eq!(keys.len(), 2, "{keys:?}");
    let said = project.segue(&["run", "daily", "--slot", "2026-01-02T00:00:00Z"]);
    assert_eq!((said.code, lab.keys(BUCKET)), (0, keys), "{}", said.stderr);
    // The next increment follows the later one.
    let next = project.json(&["run", "daily", "--slot", "2026-01-04T00:00:00Z"]);
    assert_eq!(next["runs"][0]["activated"], 0, "{next}");
    assert_eq!(next["runs"][0]["movement"]["comparedWith"], runs[0]["runId"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_static_name_keeps_what_is_newer_when_an_older_run_is_released() {
    let text = Text { guard: "{ max_rows: 2 }", file_name: "latest", ..Text::default() };
    let (lab, project, said) = overtaken(text, "full").await;
    assert!(said.stdout.contains("is not released but skipped"), "{}", said.stdout);
    assert_eq!(project.json(&["runs"])[1]["stop"]["code"], "superseded");
    let object = lab.object(BUCKET, "drop/latest.csv").expect("the newer file");
    assert_eq!(object.bytes.iter().filter(|byte| **byte == b'\n').count(), 3, "two rows");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_file_with_a_name_of_its_own_may_be_late() {
    let text = Text { guard: "{ max_rows: 2, max_shrink: 50% }", ..Text::default() };
    let (lab, project, said) = overtaken(text, "full").await;
    assert!(said.stdout.contains("is released"), "{}", said.stdout);
    project.write("people.csv", PEOPLE);
    let said = project.segue(&["run", "daily", "--slot", "2026-01-02T00:00:00Z"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert_eq!(lab.keys(BUCKET).len(), 4, "two files with their manifests");
    // What later runs are compared with is still the newest.
    project.write("people.csv", "id,email,points\n1,ann@example.com,10\n");
    let said = project.segue(&["run", "daily", "--slot", "2026-01-04T00:00:00Z"]);
    assert_eq!(said.code, 0, "one row is half of two, and a third of three: {}", said.stderr);
}

/// Whom the receiver has already is not left out: an increment that brings little is an ordinary one.
#[tokio::test(flavor = "multi_thread")]
async fn an_increment_is_not_held_for_those_whom_the_receiver_has() {
    let lab = lab().await;
    let text = Text { guard: "{ max_excluded: 50% }", ..Text::default() };
    let export = "- segment: loyal\n        export: incremental\n";
    let yaml = text.yaml().replace("- segment: loyal\n", export);
    let project = Project::new(&yaml, Some(&lab));
    for day in 1..4 {
        let slot = format!("2026-01-0{day}T00:00:00Z");
        let said = project.segue(&["run", "daily", "--slot", &slot]);
        assert_eq!(said.code, 0, "day {day}: {}", said.stderr);
        let planned = project.segue(&["plan", "daily"]);
        assert!(!planned.stdout.contains("the guard would stop it"), "{}", planned.stdout);
        // One comes, and the others stay as they are.
        project.write("people.csv", format!("{PEOPLE}1{day},new{day}@example.com,500\n"));
    }
    let runs = project.json(&["runs"]);
    let runs = runs.as_array().expect("runs");
    assert!(runs.iter().all(|run| run["state"] == "delivered"), "{runs:?}");
    let newest = project.json(&["show", runs[0]["runId"].as_str().expect("an id")]);
    let excluded = newest["excluded"].as_array().expect("reasons");
    assert!(excluded.iter().any(|it| it["reason"] == "unchanged"), "{newest}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_run_stays_invisible_and_says_why() {
    let lab = lab().await;
    let project = guarded(&lab, "{ max_excluded: 10% }");
    assert_eq!(project.segue(&["run", "daily"]).code, 4);
    let run = held_run(&project);
    let said = project.segue(&["reject", &run, "--reason", "addresses are missing"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    let shown = project.json(&["show", &run]);
    assert_eq!(
        (&shown["state"], &shown["stop"]["code"], &shown["hold"]["cause"]),
        (&json!("failed"), &json!("rejected"), &json!("exclusion_rate"))
    );
    assert_eq!(shown["stop"]["message"], "rejected by command line: addresses are missing");
    assert_eq!(lab.keys(BUCKET).len(), 0);
    assert_eq!(project.segue(&["reject", &run, "--reason", " "]).code, 2);
}

/// A run of the command line has no slot; released, it gets one, and the server makes it.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_goes_on_with_what_the_command_line_began() {
    let lab = lab().await;
    let project = guarded(&lab, "{ max_rows: 2 }");
    assert_eq!(project.segue(&["run", "daily"]).code, 4);
    let run = held_run(&project);
    let server = Server::start(&project).await;
    let path = format!("/api/v1/runs/{run}/release");
    let released = server.ask("POST", &path, &server.operator, &[], None);
    assert_eq!(released.status, 200, "{}", released.text);
    wait_until(|| lab.keys(BUCKET).len() == 2).await;
    let state = || {
        let detail = server.ask("GET", &format!("/api/v1/runs/{run}"), &server.viewer, &[], None);
        detail.json()["state"].clone()
    };
    wait_until(|| state() == "delivered").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_holds_alerts_and_goes_on_when_it_is_told() {
    let lab = lab().await;
    let project = guarded(&lab, "{ max_rows: 2 }");
    let server = Server::start(&project).await;
    let ask = |method: &str, path: &str, token: &str, body: Option<Value>| {
        server.ask(method, path, token, &[], body)
    };
    let slot = |at: &str| {
        let body = json!({ "slot": at });
        let made = ask("POST", "/api/v1/activations/daily/run", &server.operator, Some(body));
        assert_eq!(made.status, 202, "{}", made.text);
    };
    let slots = || {
        let slots = ask("GET", "/api/v1/slots", &server.viewer, None).json();
        slots["items"].as_array().expect("slots").clone()
    };
    slot("2026-01-02T00:00:00Z");
    wait_until(|| slots()[0]["state"] == "blocked").await;
    let run = slots()[0]["runId"].as_str().expect("a run").to_owned();
    let detail = ask("GET", &format!("/api/v1/runs/{run}"), &server.viewer, None).json();
    assert_eq!((&detail["state"], &detail["stop"]["code"]), (&json!("blocked"), &json!("guard")));
    assert_eq!((&detail["hold"]["cause"], &detail["activated"]), (&json!("exploded"), &json!(3)));
    let alerts = ask("GET", "/api/v1/alerts", &server.viewer, None).json();
    let kinds: Vec<&str> = alerts["items"]
        .as_array()
        .expect("alerts")
        .iter()
        .filter_map(|alert| alert["kind"].as_str())
        .collect();
    assert!(kinds.contains(&"exploded"), "{kinds:?}");
    assert_eq!(lab.keys(BUCKET).len(), 0);
    // A later one waits for it, and both say for what.
    slot("2026-01-03T00:00:00Z");
    let told: Vec<Value> = slots().iter().map(|slot| slot["waitsFor"].clone()).collect();
    insta::assert_snapshot!(serde_json::to_string_pretty(&told).expect("JSON"), @r#"
    [
      {
        "kind": "slot",
        "slot": "2026-01-02T00:00:00Z",
        "until": null,
        "message": "waits for the slot 2026-01-02T00:00:00Z, until somebody releases or rejects its run"
      },
      {
        "kind": "decision",
        "slot": null,
        "until": null,
        "message": "waits until somebody releases or rejects its run"
      }
    ]
    "#);
    // Who may not, and what is not held.
    let release = format!("/api/v1/runs/{run}/release");
    assert_eq!(ask("POST", &release, &server.viewer, None).status, 403);
    assert_eq!(ask("POST", &release, &server.operator, None).status, 200);
    assert_eq!(ask("POST", &release, &server.operator, None).status, 409);
    wait_until(|| slots()[1]["state"] == "delivered").await;
    assert_eq!(lab.keys(BUCKET).len(), 2);
    // The next one is rejected; its slot is failed, and says by whom.
    wait_until(|| slots()[0]["state"] == "blocked").await;
    let run = slots()[0]["runId"].as_str().expect("a run").to_owned();
    let reject = format!("/api/v1/runs/{run}/reject");
    let empty = ask("POST", &reject, &server.operator, Some(json!({ "reason": " " })));
    assert_eq!(empty.status, 422, "{}", empty.text);
    let body = json!({ "reason": "too many" });
    assert_eq!(ask("POST", &reject, &server.operator, Some(body)).status, 200);
    let last = &slots()[0];
    assert_eq!((&last["state"], &last["stop"]["code"]), (&json!("failed"), &json!("rejected")));
    assert_eq!(lab.keys(BUCKET).len(), 2, "nothing more is visible");
}
