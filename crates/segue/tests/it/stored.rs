//! Objects that are kept in the ledger: over the API, by `segue apply`, and as part of the project.

use s3lab::Lab;
use serde_json::{Value, json};

use crate::delivery::wait_until;
use crate::http::{Answer, Server};
use crate::project::{BUCKET, Project, SECRET, Text, lab, records};
use crate::serve::{introduce, serve, slots, stop};

/// The sections of the project's text that are kept in the ledger here.
fn without(yaml: &str, sections: &[&str]) -> String {
    let mut kept = String::new();
    let mut is_left_out = false;
    for line in yaml.lines() {
        if !line.starts_with(' ') {
            is_left_out = sections.iter().any(|it| line.starts_with(&format!("{it}:")));
        }
        if !is_left_out {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

fn account(lab: &Lab) -> Value {
    json!({
        "auth": { "kind": "access-key", "access_key_id": "LAB", "secret_access_key": "${secret:lab}" },
        "region": "us-east-1", "endpoint_url": lab.endpoint(),
    })
}

fn destination() -> Value {
    json!({ "account": "own", "bucket": BUCKET, "folder": "own", "file": { "format": "csv" }, "manifest": true })
}

fn activation() -> Value {
    json!({
        "destination": "mine",
        "segments": [{ "segment": "rich", "file_name": "%SEGMENT_NAME%_%DATETIME(yyyyMMddHHmmss)%" }],
        "mapping": ["id", "points"],
    })
}

/// The project file with its datasets and segments, a stored secret, and a lab.
fn project(lab: &Lab) -> Project {
    let yaml = without(&Text::default().yaml(), &["accounts", "destinations", "activations"]);
    let project = Project::new(&yaml, Some(lab));
    project.write("lab.secret", SECRET);
    let said = project.segue(&["secret", "set", "lab", "--from-file", "lab.secret"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    project
}

fn told(answer: &Answer) -> String {
    let problem = answer.json();
    let mut text = format!("{} {}", answer.status, problem["code"].as_str().unwrap_or("fine"));
    for error in problem["errors"].as_array().into_iter().flatten() {
        let or_place = if error["pointer"].is_null() { &error["place"] } else { &error["pointer"] };
        text.push_str(&format!(
            "\n  {} {}: {}",
            error["code"].as_str().unwrap_or_default(),
            or_place.as_str().unwrap_or_default(),
            error["detail"].as_str().unwrap_or_default()
        ));
    }
    text
}

fn etag(answer: &Answer) -> String {
    let line = answer.head.lines().find_map(|line| line.strip_prefix("etag: "));
    line.unwrap_or_else(|| panic!("no ETag: {}", answer.head)).to_owned()
}

/// Makes what the main job needs, over the API alone.
fn make(server: &Server<'_>, lab: &Lab) {
    for (section, key, definition) in [
        ("segments", "rich", json!({ "rule": "points >= 11" })),
        ("accounts", "own", account(lab)),
        ("destinations", "mine", destination()),
        ("activations", "weekly", activation()),
    ] {
        let body = json!({ "key": key, "definition": definition });
        let path = format!("/api/v1/{section}");
        let made = server.ask("POST", &path, &server.admin, &[], Some(body));
        assert_eq!(made.status, 201, "{}", made.text);
        assert!(made.head.contains(&format!("location: {path}/{key}")), "{}", made.head);
        let made = made.json();
        assert_eq!((made["readOnly"].as_bool(), &made["definition"]), (Some(false), &definition));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_main_job_is_made_and_done_over_the_api() {
    let lab = lab().await;
    let project = project(&lab);
    let mut server = Server::start(&project).await;
    make(&server, &lab);
    let run = server.ask("POST", "/api/v1/activations/weekly/run", &server.operator, &[], None);
    assert_eq!(run.status, 202, "{}", run.text);
    let delivered = || {
        let runs = server.ask("GET", "/api/v1/runs", &server.viewer, &[], None).json();
        runs["items"][0]["state"] == "delivered"
    };
    wait_until(delivered).await;
    let key = lab.keys(BUCKET).into_iter().find(|key| key.ends_with(".csv")).expect("a file");
    assert!(key.starts_with("own/rich_"), "{key}");
    assert_eq!(
        records(&lab.object(BUCKET, &key).expect("it is there").bytes).len(),
        4,
        "three and a header"
    );
    server.stop();
    // The command line and the next server know them too.
    assert_eq!(project.json(&["count", "rich"])[0]["members"].as_u64(), Some(3));
    let said = project.segue(&["run", "weekly", "--slot", "2026-01-03T00:00:00Z"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    let said = project.segue(&["export"]);
    insta::assert_snapshot!(project.transcript(&said), @r#"
    exit code 0
    --- stdout
    segments:
      rich:
        rule: points >= 11
    accounts:
      own:
        auth:
          kind: access-key
          access_key_id: LAB
          secret_access_key: "${secret:lab}"
        region: us-east-1
        endpoint_url: "[endpoint]"
    destinations:
      mine:
        account: own
        bucket: exports
        folder: own
        file:
          format: csv
        manifest: true
    activations:
      weekly:
        destination: mine
        segments:
          - segment: rich
            file_name: "%SEGMENT_NAME%_%DATETIME(yyyyMMddHHmmss)%"
        mapping:
          - id
          - points
    "#);
    // What is exported fits into the file, and is then what the file says.
    let before = std::fs::read_to_string(project.path("segue.yaml")).expect("the file");
    let segments = "segments:\n";
    let (rich, rest) = said.stdout.split_once("accounts:").expect("sections");
    let rich = rich.strip_prefix(segments).expect("segments first");
    let joined = before.replace(segments, &format!("{segments}{rich}"));
    project.write("segue.yaml", format!("{joined}accounts:{rest}"));
    let said = project.segue(&["validate"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert!(said.stderr.contains("hidden_object"), "{}", said.stderr);
    let said = project.segue(&["plan", "weekly", "--slot", "2026-01-03T00:00:00Z"]);
    assert!(said.stdout.contains("done already"), "it is the same run: {}", said.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn edits_name_the_version_that_they_were_made_for() {
    let lab = lab().await;
    let project = project(&lab);
    let server = Server::start(&project).await;
    make(&server, &lab);
    let path = "/api/v1/segments/rich";
    let get = || server.ask("GET", path, &server.viewer, &[], None);
    let put = |more: &[&str], rule: &str| {
        let body = json!({ "definition": { "rule": rule } });
        server.ask("PUT", path, &server.admin, more, Some(body))
    };
    assert_eq!(told(&put(&[], "points >= 1")), "428 precondition_required");
    let first = format!("if-match: {}", etag(&get()));
    let changed = put(&[&first], "points >= 12");
    assert_eq!(told(&changed), "200 fine");
    assert_eq!(etag(&changed), etag(&get()));
    assert_eq!(get().json()["rule"], "points >= 12", "the server uses it at once");
    assert_eq!(told(&put(&[&first], "points >= 1")), "412 precondition_failed");
    assert_eq!(told(&put(&["if-match: \"file-1\""], "points >= 1")), "412 precondition_failed");
    assert_eq!(told(&put(&["if-match: *"], "points >= 13")), "200 fine");
    // What others need is not removed.
    let remove = |path: &str, more: &[&str]| server.ask("DELETE", path, &server.admin, more, None);
    assert_eq!(told(&remove(path, &[])), "428 precondition_required");
    let problem = |path: &str| {
        let problem = remove(path, &["if-match: *"]).json();
        format!("{} {}: {}", problem["status"], problem["code"], problem["detail"])
    };
    insta::assert_snapshot!(problem(path), @r#"409 "conflict": "The segment `rich` is used by the activation `weekly`.""#);
    insta::assert_snapshot!(problem("/api/v1/accounts/own"), @r#"409 "conflict": "The account `own` is used by the destination `mine`.""#);
    assert_eq!(remove("/api/v1/activations/weekly", &["if-match: *"]).status, 204);
    assert_eq!(remove(path, &["if-match: *"]).status, 204);
    assert_eq!(told(&remove(path, &["if-match: *"])), "404 not_found");
    assert_eq!(get().status, 404);
    // A new one of the same key is another version.
    let body = json!({ "key": "rich", "definition": { "rule": "points >= 11" } });
    let again = server.ask("POST", "/api/v1/segments", &server.admin, &[], Some(body));
    assert_ne!(format!("if-match: {}", etag(&again)), first);
    assert_eq!(told(&put(&[&first], "points >= 1")), "412 precondition_failed");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_is_told_with_the_member() {
    let lab = lab().await;
    let project = project(&lab);
    let server = Server::start(&project).await;
    make(&server, &lab);
    let post = |section: &str, key: &str, definition: Value| {
        let body = json!({ "key": key, "definition": definition });
        let path = format!("/api/v1/{section}");
        format!(
            "{section} {key}: {}",
            told(&server.ask("POST", &path, &server.admin, &[], Some(body)))
        )
    };
    let all = [
        post("segments", "loyal", json!({ "rule": "true" })),
        post("segments", "rich", json!({ "rule": "true" })),
        post("segments", "two words", json!({ "rule": "true" })),
        post("segments", "a", json!({ "rule": "pionts >= 1", "colour": "red" })),
        post("segments", "a", json!({ "rule": "pionts >= 1" })),
        post("segments", "a", json!({ "rule": "points +" })),
        post("segments", "a", json!([])),
        post("segments", "a", json!({ "rule_file": "/etc/passwd" })),
        post(
            "accounts",
            "a",
            json!({ "auth": { "kind": "access-key", "access_key_id": "x", "secret_access_key": "hunter2hunter2" } }),
        ),
        post(
            "accounts",
            "a",
            json!({ "auth": { "kind": "access-key", "access_key_id": "x", "secret_access_key": "${secret:gone}" } }),
        ),
        post(
            "destinations",
            "a",
            json!({ "account": "nobody", "bucket": "Not A Bucket", "folder": "${HOME}" }),
        ),
        post(
            "activations",
            "a",
            json!({ "destination": "mine", "segments": [{ "segment": "rich", "schedule": { "frequency": "daily", "at": "25:00" } }], "mapping": ["id", "emial", { "source": "points", "target": "id" }] }),
        ),
        post("activations", "a", activation()),
    ];
    insta::assert_snapshot!(all.join("\n"));
    let read_only = server.ask(
        "PUT",
        "/api/v1/segments/loyal",
        &server.admin,
        &["if-match: *"],
        Some(json!({ "definition": { "rule": "true" } })),
    );
    assert_eq!(told(&read_only), "409 read_only");
    let file = server.ask("GET", "/api/v1/segments/loyal", &server.viewer, &[], None);
    assert_eq!(file.json()["readOnly"], true);
    assert!(etag(&file).starts_with("\"file-"));
    // Nothing of what was refused is there, and no secret anywhere.
    let kept = server.ask("GET", "/api/v1/objects", &server.viewer, &[], None);
    assert_eq!(kept.json()["objects"]["segments"].as_object().map(serde_json::Map::len), Some(1));
    let ledger = std::fs::read(project.path(".segue/ledger.sqlite-wal")).expect("the ledger");
    assert!(!String::from_utf8_lossy(&ledger).contains("hunter2"));
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_go_in_and_never_come_out() {
    let lab = lab().await;
    let project = project(&lab);
    let server = Server::start(&project).await;
    make(&server, &lab);
    let put = |name: &str, value: &str| {
        let path = format!("/api/v1/secrets/{name}");
        server.ask("PUT", &path, &server.admin, &[], Some(json!({ "value": value })))
    };
    assert_eq!(told(&put("partner", "canary-of-a-secret")), "200 fine");
    for (name, value, place) in [("a%2Fb", "x", "name: A name has"), ("partner", "", "/value: ")] {
        let refused = told(&put(name, value));
        let expected = format!("422 invalid_value\n  invalid_value {place}");
        assert!(refused.starts_with(&expected), "{refused}");
    }
    let list = server.ask("GET", "/api/v1/secrets", &server.admin, &[], None);
    let names: Vec<&str> = list.json()["items"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|it| if it["name"] == "lab" { "lab" } else { "partner" })
        .collect();
    assert_eq!(names, ["lab", "partner"]);
    assert!(!list.text.contains("canary") && !list.text.contains(SECRET));
    // A secret that changes is used by the next request.
    assert_eq!(told(&put("lab", "wrong")), "200 fine");
    let check = "/api/v1/destinations/mine/check";
    let checked = server.ask("POST", check, &server.admin, &[], None);
    assert_ne!(checked.json()["ready"], true, "{}", checked.text);
    assert_eq!(told(&put("lab", SECRET)), "200 fine");
    let checked = server.ask("POST", check, &server.admin, &[], None);
    assert_eq!(checked.json()["ready"], true, "{}", checked.text);
    let remove = |name: &str| {
        server.ask("DELETE", &format!("/api/v1/secrets/{name}"), &server.admin, &[], None)
    };
    assert_eq!(told(&remove("lab")), "409 conflict");
    assert_eq!(remove("partner").status, 204);
    assert_eq!(told(&remove("partner")), "404 not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn apply_brings_a_ledger_or_a_server_to_what_a_file_says() {
    let lab = lab().await;
    let project = project(&lab);
    let wanted = |rule: &str| {
        format!(
            "version: 1
datasets: {{}}
segments:
  rich: {{ rule_file: rich.sql, name: Rich }}
  rare: {{ rule: \"{rule}\" }}
  loyal: {{ rule: points >= 1 }}
accounts:
  own:
    auth: {{ kind: access-key, access_key_id: LAB, secret_access_key: \"${{secret:lab}}\" }}
    endpoint_url: {}
destinations:
  mine: {{ account: own, bucket: exports }}
",
            lab.endpoint()
        )
    };
    project.write("objects.yaml", wanted("points > 50"));
    project.write("rich.sql", "points >= 11\n");
    let said = project.segue(&["plan", "--apply", "objects.yaml"]);
    insta::assert_snapshot!(project.transcript(&said), @r"
    exit code 0
    --- stdout
    + segment `rich`
    + segment `rare`
      segment `loyal`: in the server's own project file; left out
    + account `own`
    + destination `mine`
    4 objects would change. `segue apply` does it.
    --- stderr
    note: datasets stay as the server's own project file says
    ");
    let said = project.segue(&["apply", "objects.yaml"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert_eq!(project.json(&["count", "rich"])[0]["members"].as_u64(), Some(3));
    let said = project.segue(&["apply", "objects.yaml"]);
    assert!(said.stdout.contains("Everything is as the file says."), "{}", said.stdout);
    // Over HTTP the same, with what is to be removed.
    let server = Server::start(&project).await;
    let url = format!("http://{}", server.address);
    let remote = |arguments: &[&str]| {
        let mut command = project.command(arguments);
        command.env("SEGUE_SERVER", &url).env("SEGUE_TOKEN", &server.admin);
        project.finish(command.spawn().expect("the binary starts"))
    };
    let text = wanted("points > 60").replace("  rich: { rule_file: rich.sql, name: Rich }\n", "");
    project.write("objects.yaml", text);
    let said = remote(&["plan", "--apply", "objects.yaml"]);
    insta::assert_snapshot!(said.stdout.trim_end(), @r#"
    ~ segment `rare`
        /rule: "points > 50" → "points > 60"
      segment `loyal`: in the server's own project file; left out
      segment `rich`: kept, and not in the file (--prune removes it)
    1 object would change. `segue apply` does it.
    "#);
    let said = remote(&["apply", "--prune", "objects.yaml"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    let gone = server.ask("GET", "/api/v1/segments/rich", &server.viewer, &[], None);
    assert_eq!(gone.status, 404);
    let exported = remote(&["export"]);
    assert!(exported.stdout.contains("points > 60"), "{}", exported.stdout);
    let here = project.segue(&["apply", "objects.yaml", "--prune"]);
    assert!(here.stdout.contains("Everything is as the file says."), "{}", here.stdout);
    project.write("objects.yaml", wanted("pionts > 60"));
    let said = remote(&["apply", "objects.yaml"]);
    insta::assert_snapshot!(project.transcript(&said), @r#"
    exit code 2
    --- stderr
    note: datasets stay as the server's own project file says
    error: the server refuses: stored segment `rare`: rule of segment `rare`: the dataset has no field `pionts`
      caused by: /segments/rare/rule: rule of segment `rare`: the dataset has no field `pionts` (Did you mean `points`?)
      hint: Did you mean `points`?
    "#);
    let said = project.segue(&["apply", "objects.yaml"]);
    assert!(said.stderr.contains("--server"), "{}", said.stderr);
}

/// The same edits, of the file and of stored objects, mean the same for slots, runs and increments.
#[tokio::test(flavor = "multi_thread")]
async fn edits_mean_what_edits_of_the_file_mean() {
    const DAYS: [&str; 4] = [
        "2026-01-04T06:30:00Z",
        "2026-01-05T06:30:00Z",
        "2026-01-06T06:30:00Z",
        "2026-01-08T06:30:00Z",
    ];
    let activations = |at: &str, rule: &str, mapping: &str| {
        format!(
            "segments:
  rich:
    rule: {rule}
activations:
  inc:
    destination: partner
    segments:
      - segment: rich
        export: incremental
        schedule: {{ frequency: daily, at: \"{at}\" }}
    mapping: {mapping}
"
        )
    };
    let edits = [
        activations("02:00", "points >= 11", "[id, points, segmentMembership.status]"),
        activations("03:00", "points >= 10", "[id, points, segmentMembership.status]"),
        activations("03:00", "points >= 10", "[id, email, segmentMembership.status]"),
        "segments: {}\nactivations: {}\n".to_owned(),
    ];
    let mut seen = Vec::new();
    for is_stored in [false, true] {
        let lab = lab().await;
        let base = without(&Text::default().yaml(), &["segments", "activations"])
            + "segments:\n  loyal: { rule: points >= 10 }\n";
        let project = Project::new(&base, Some(&lab));
        let mut all = Vec::new();
        for (day, edit) in DAYS.into_iter().zip(&edits) {
            if is_stored {
                project.write("objects.yaml", edit);
                let said = project.segue(&["apply", "--prune", "objects.yaml"]);
                assert_eq!(said.code, 0, "{}", said.stderr);
            } else {
                let edit = edit.replace("segments: {}\nactivations: {}\n", "");
                let objects = edit.replace("segments:\n  rich", "  rich");
                project.write("segue.yaml", format!("{base}{objects}"));
            }
            if day == DAYS[0] {
                introduce(&project).await;
                continue;
            }
            let child = serve(&project, day, &[]);
            let is_over = || {
                let slots = slots(&project);
                !slots.is_empty()
                    && slots.iter().all(|it| !it.contains("planned") && !it.contains("running"))
            };
            wait_until(|| project.path(".segue/server.json").exists()).await;
            wait_until(is_over).await;
            assert_eq!(stop(&project, child).code, 0);
            all.push(slots(&project).join(", "));
            let mut files: Vec<String> = lab
                .keys(BUCKET)
                .into_iter()
                .filter(|key| key.ends_with(".csv"))
                .map(|key| {
                    String::from_utf8_lossy(&lab.object(BUCKET, &key).expect("it is there").bytes)
                        .into_owned()
                })
                .collect();
            files.sort();
            all.push(files.join("--\n"));
        }
        seen.push(all.join("\n"));
    }
    assert_eq!(seen[0], seen[1]);
    assert!(seen[0].contains("2026-01-06T03:00:00Z delivered"), "{}", seen[0]);
}
