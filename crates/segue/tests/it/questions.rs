//! Questions over the API that read profiles, of what the project has and of what is only tried.

use serde_json::{Value, json};

use crate::delivery::wait_until;
use crate::http::{Answer, Server};
use crate::project::{BUCKET, Project, Text, lab};

fn told(answer: &Answer) -> String {
    format!("{} {}", answer.status, answer.json()["code"].as_str().unwrap_or("fine"))
}

#[tokio::test(flavor = "multi_thread")]
async fn segments_and_activations_are_shown_masked() {
    let lab = lab().await;
    let project = Project::new(&Text::default().yaml(), Some(&lab));
    let server = Server::start(&project).await;
    let ask = |path: &str, body: Option<Value>| {
        server.ask("POST", &format!("/api/v1/{path}"), &server.analyst, &[], body)
    };
    let rows = ask("activations/daily/preview", Some(json!({ "rows": 2 }))).json();
    assert_eq!(rows["masked"], true);
    assert_eq!(rows["header"], "id,e_mail,points\n");
    let text = "0,xxx@xxxxxxx.xxx,00\n0,\"x'xxxxx, \"\"xxx\"\" xxx@xxxxxxx.xxx\",00\n";
    assert_eq!(rows["text"], text);
    assert_eq!(rows["rows"][0], json!({ "id": "0", "e_mail": "xxx@xxxxxxx.xxx", "points": "00" }));
    let sample = ask("segments/loyal/preview", Some(json!({ "columns": ["email", "points"] })));
    assert_eq!(sample.json()["rows"].as_array().map(Vec::len), Some(4), "{}", sample.text);
    assert_eq!(sample.json()["rows"][1], json!({ "email": null, "points": "00" }));
    let identities = ask("segments/loyal/preview", None).json();
    assert_eq!(identities["rows"][0], json!({ "id": "0" }));
    let why = json!({ "namespace": "CRMID", "value": "2" });
    let why = ask("segments/loyal/explain", Some(why)).json();
    assert_eq!((&why["isMember"], &why["masked"]), (&json!(false), &json!(true)));
    let who = json!({ "namespace": "CRMID", "value": "3", "activation": "daily" });
    let who = ask("segments/loyal/explain", Some(who)).json();
    assert_eq!(who["activation"]["rows"][0]["reason"], "missing", "{who}");
    let found = ask("profiles/lookup", Some(json!({ "namespace": "CRMID", "value": "1" })));
    assert_eq!(found.json()["fields"][1]["value"], "xxx@xxxxxxx.xxx", "{}", found.text);
    assert!(!found.text.contains("ann@"), "{}", found.text);
    for (path, body, expected) in [
        ("profiles/lookup", json!({ "namespace": "CRMID", "value": "99" }), "404 not_found"),
        ("profiles/lookup", json!({ "namespace": "Nothing", "value": "1" }), "422 project_invalid"),
        ("segments/nothing/preview", json!({}), "404 not_found"),
        ("segments/loyal/preview", json!({ "rows": 0 }), "422 invalid_value"),
        ("segments/loyal/preview", json!({ "columns": ["emial"] }), "422 invalid_value"),
        ("segments/loyal/preview", json!({ "segment": "loyal" }), "422 invalid_value"),
        ("activations/daily/preview", json!({ "segment": "nothing" }), "422 project_invalid"),
        ("activations/daily/preview", json!({ "columns": ["id"] }), "422 invalid_value"),
        (
            "segments/loyal/explain",
            json!({ "namespace": "CRMID", "value": "1", "activation": "x" }),
            "404 not_found",
        ),
    ] {
        assert_eq!(told(&ask(path, Some(body.clone()))), expected, "{path} {body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn real_values_need_a_right_and_are_written_down() {
    let lab = lab().await;
    let project = Project::new(&Text::default().yaml(), Some(&lab));
    let server = Server::start(&project).await;
    let body = || Some(json!({ "namespace": "CRMID", "value": "1" }));
    let path = "/api/v1/profiles/reveal";
    let refused = server.ask("POST", path, &server.analyst, &[], body());
    assert_eq!(told(&refused), "403 forbidden");
    let found = server.ask("POST", path, &server.privacy, &[], body());
    assert!(found.text.contains("ann@example.com"), "{}", found.text);
    let rows = || Some(json!({ "rows": 1, "unmask": true }));
    let of_segment = "/api/v1/segments/loyal/preview";
    let refused = server.ask("POST", of_segment, &server.analyst, &[], rows());
    assert_eq!(told(&refused), "403 forbidden");
    let rows = Some(json!({ "rows": 1, "unmask": true }));
    let rows = server.ask("POST", "/api/v1/activations/daily/preview", &server.admin, &[], rows);
    assert_eq!(rows.json()["rows"][0]["e_mail"], "ann@example.com");
    let audit = server.ask("GET", "/api/v1/audit", &server.privacy, &[], None);
    let acts: Vec<String> = audit.json()["items"]
        .as_array()
        .expect("entries")
        .iter()
        .filter(|it| it["action"] == "unmask" || it["action"] == "reveal_person")
        .map(|it| {
            format!(
                "{} {}",
                it["object"].as_str().unwrap_or(""),
                it["outcome"].as_str().unwrap_or("")
            )
        })
        .collect();
    assert_eq!(
        acts,
        [
            "/api/v1/activations/daily/preview daily allowed",
            "/api/v1/segments/loyal/preview loyal forbidden",
            "/api/v1/profiles/reveal 200",
            "/api/v1/profiles/reveal forbidden",
        ]
    );
    assert!(!audit.text.contains("ann@"), "{}", audit.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_only_tried_is_answered_and_kept_nowhere() {
    let lab = lab().await;
    let project = Project::new(&Text::default().yaml(), Some(&lab));
    let server = Server::start(&project).await;
    let ask = |path: &str, body: Value| {
        server.ask("POST", &format!("/api/v1/drafts/{path}"), &server.admin, &[], Some(body))
    };
    let rule = || json!({ "rule": "points >= 11" });
    let tried = ask("segment/try", json!({ "definition": rule(), "sample": 1 }));
    assert_eq!(tried.json()["members"], 3, "{}", tried.text);
    assert_eq!(tried.json()["rows"][0], json!(["0", "00"]), "{}", tried.text);
    let wrong = ask("segment/try", json!({ "definition": { "pql": "points >" } })).json();
    assert_eq!((&wrong["valid"], &wrong["problem"]["line"]), (&json!(false), &json!(1)), "{wrong}");
    let both = json!({ "definition": { "rule": "true", "pql": "true" } });
    assert_eq!(told(&ask("segment/try", both)), "422 invalid_value");
    let body = json!({ "definition": rule(), "preview": { "columns": ["id"], "rows": 2 } });
    let rows = ask("segment/preview", body);
    assert_eq!(rows.json()["rows"].as_array().map(Vec::len), Some(2), "{}", rows.text);
    let person = json!({ "namespace": "CRMID", "value": "4" });
    let why = ask("segment/explain", json!({ "definition": rule(), "person": person }));
    assert_eq!(why.json()["isMember"], true, "{}", why.text);
    let activation = || {
        json!({
            "destination": "partner",
            "segments": [{ "segment": "loyal", "schedule": { "frequency": "daily", "at": "02:00", "zone": "Europe/Paris" } }],
            "mapping": ["id", "points"],
        })
    };
    let rows = ask("activation/preview", json!({ "definition": activation() }));
    assert_eq!(rows.json()["header"], "id,points\n", "{}", rows.text);
    let next =
        ask("activation/next?count=1", json!({ "key": "weekly", "definition": activation() }))
            .json();
    let slot = &next["items"][0]["slots"][0];
    assert_eq!(slot["local"], "2026-01-05T02:00:00+01:00", "{next}");
    assert!(
        slot["key"].as_str().is_some_and(|key| key.starts_with("drop/partner_segment")),
        "{next}"
    );
    let endpoint = lab.endpoint();
    let secret =
        server.ask("PUT", "/api/v1/secrets/lab", &server.admin, &[], Some(json!({ "value": "x" })));
    assert_eq!(secret.status, 200, "{}", secret.text);
    let destination = json!({
        "definition": { "account": "tried", "bucket": BUCKET },
        "account": { "auth": { "kind": "access-key", "access_key_id": "LAB", "secret_access_key": "${LAB_SECRET}" }, "region": "us-east-1", "endpoint_url": endpoint },
    });
    let checked = ask("destination/check", destination);
    assert_eq!(checked.json()["ready"], true, "{}", checked.text);
    assert!(!project.path(".segue/destinations").exists(), "nothing is kept of what was found");
    let wrong = json!({ "definition": { "rule": "pionts > 1" }, "person": { "namespace": "CRMID", "value": "4" } });
    let wrong = ask("segment/explain", wrong);
    assert_eq!(told(&wrong), "422 invalid_value");
    assert_eq!(wrong.json()["errors"][0]["pointer"], "/definition/rule");
    let clash = ask("segment/preview", json!({ "key": "loyal", "definition": rule() }));
    assert_eq!(told(&clash), "409 conflict");
    let kept = server.ask("GET", "/api/v1/objects", &server.viewer, &[], None).json();
    assert_eq!((&kept["revision"], &kept["yaml"]), (&json!(0), &json!("")));
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_have_types_and_files_are_found_by_key_and_run() {
    let lab = lab().await;
    let project = Project::new(&Text::default().yaml(), Some(&lab));
    let server = Server::start(&project).await;
    let get = |path: &str| server.ask("GET", &format!("/api/v1/{path}"), &server.viewer, &[], None);
    let fields = json!([
        { "path": "id", "type": "integer" },
        { "path": "email", "type": "string" },
        { "path": "points", "type": "integer" },
    ]);
    assert_eq!(get("schema").json()["fields"], fields);
    assert_eq!(get("datasets/people/schema").json()["fields"], fields);
    assert_eq!(told(&get("datasets/nothing/schema")), "404 not_found");
    let run = |slot: &str| {
        let path = "/api/v1/activations/daily/run";
        server.ask("POST", path, &server.operator, &[], Some(json!({ "slot": slot })))
    };
    for slot in ["2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"] {
        assert_eq!(run(slot).status, 202);
        let delivered = || get("slots").json()["items"][0]["state"] == "delivered";
        wait_until(delivered).await;
    }
    let all = get("files").json();
    assert_eq!(all["items"].as_array().map(Vec::len), Some(4), "{all}");
    let of_key = get("files?key=drop/loyal_20260102").json();
    assert_eq!(of_key["items"].as_array().map(Vec::len), Some(1), "{of_key}");
    let id = of_key["items"][0]["runId"].as_str().expect("a run").to_owned();
    let of_run = get(&format!("files?run={id}")).json();
    assert_eq!(of_run["items"].as_array().map(Vec::len), Some(2), "with the manifest: {of_run}");
    assert_eq!(of_run["items"][0], of_key["items"][0]);
    assert_eq!(told(&get("files?run=x")), "422 invalid_value");
    // Page by page it is the same list.
    let mut paged = Vec::new();
    let mut page = get("files?limit=1").json();
    loop {
        paged.extend(page["items"].as_array().expect("items").clone());
        let Some(next) = page["next"].as_str() else { break };
        page = get(&format!("files?limit=1&cursor={next}")).json();
    }
    assert_eq!(json!(paged), all["items"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_runs_sees_how_many_rows_and_no_line() {
    let lab = lab().await;
    let project = Project::new(&Text::default().yaml(), Some(&lab));
    let server = Server::start(&project).await;
    let activation = json!({
        "destination": "partner",
        "segments": [{ "segment": "loyal" }],
        "mapping": [{ "source": "id", "mandatory": true }, "email"],
    });
    let asked = |token: &str, more: Value| {
        let mut body = json!({
            "activations": { "draft": activation }, "activation": "draft", "rows": 5, "count": true,
        });
        if let (Some(body), Some(more)) = (body.as_object_mut(), more.as_object()) {
            body.extend(more.clone());
        }
        let answer = server.ask("POST", "/api/v1/preview", token, &[], Some(body));
        assert_eq!(answer.status, 200, "{}", answer.text);
        let found = answer.json();
        (found["segments"][0]["rows"].clone(), found["text"].is_null())
    };
    let rule = json!({ "segments": { "asked": { "rule": "email = 'ann@example.com'" } } });
    assert_eq!(asked(&server.analyst, json!({})), (json!(4), false));
    assert_eq!(asked(&server.operator, json!({})), (json!(4), true), "numbers, and no line");
    assert_eq!(asked(&server.operator, rule), (json!(null), true), "a rule is a question");
    assert_eq!(asked(&server.viewer, json!({})), (json!(null), true));
}
