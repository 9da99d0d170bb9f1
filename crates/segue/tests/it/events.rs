//! Rules over events, from the project file to who is sent.

use crate::project::{BUCKET, Project, Text, lab};

const ORDERS: &str = "\
order,person,at,total
a,1,2026-01-03T10:00:00Z,10.5
b,1,2026-01-01T10:00:00Z,20
c,4,2025-12-01T10:00:00Z,5
d,5,2026-01-02T10:00:00Z,5
e,99,2026-01-02T10:00:00Z,canary-7
f,,2026-01-02T10:00:00Z,5
";

const DATASET: &str = "  orders:
    kind: event
    location: orders.csv
    profile: { field: person, namespace: CRMID }
    timestamp: at
    types: { total: string }
segments:";

fn yaml(rule: &str) -> String {
    let text = Text::default().yaml().replace("segments:\n  loyal", &format!("{DATASET}\n  loyal"));
    text.replace("    rule: points >= 10", &format!("    {rule}"))
}

fn project(rule: &str, lab: Option<&s3lab::Lab>) -> Project {
    let project = Project::new(&yaml(rule), lab);
    project.write("orders.csv", ORDERS);
    project
}

const RULE: &str = "rule: EXISTS (SELECT FROM orders WHERE at >= now() - INTERVAL '7 days')";

fn show(name: &str, project: &Project, command: &[&str]) {
    let said = project.segue(command);
    insta::assert_snapshot!(name, project.transcript(&said));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_takes_a_rule_over_events() {
    let lab = lab().await;
    let project = project(RULE, Some(&lab));
    show("validate", &project, &["validate"]);
    show("count", &project, &["count"]);
    show("plan", &project, &["plan", "daily"]);
    show("preview", &project, &["preview", "daily", "--unmask"]);
    let run = project.json(&["run", "daily"]);
    assert_eq!(run["runs"][0]["activated"], 2, "{run}");
    let shown = project.json(&["show", run["runs"][0]["runId"].as_str().expect("an id")]);
    let inputs = shown["inputs"].as_array().expect("inputs");
    let is_orders = |it: &serde_json::Value| {
        it["location"].as_str().is_some_and(|it| it.ends_with("orders.csv"))
    };
    assert!(inputs.iter().any(is_orders), "{shown}");
    let excluded = shown["excluded"].to_string();
    assert!(
        excluded.contains(r#"{"reason":"event_without_profile:orders","profiles":1}"#),
        "{excluded}"
    );
    let keys = lab.keys(BUCKET);
    let key = keys.iter().find(|key| key.contains("manifest-")).expect("a manifest");
    let manifest = lab.object(BUCKET, key).expect("the manifest");
    let manifest = String::from_utf8_lossy(&manifest.bytes).into_owned();
    assert!(manifest.contains("orders.csv") && !manifest.contains("event_"), "{manifest}");
}

#[tokio::test(flavor = "multi_thread")]
async fn increments_follow_the_events() {
    let lab = lab().await;
    let text =
        yaml(RULE).replace("        file_name:", "        export: incremental\n        file_name:");
    let project = Project::new(&text, Some(&lab));
    project.write("orders.csv", ORDERS);
    let run = |slot: &str| {
        let run = project.json(&["run", "daily", "--slot", slot]);
        run["runs"][0]["activated"].as_u64()
    };
    assert_eq!(run("2026-01-04T06:30:00Z"), Some(2));
    project.write("orders.csv", format!("{ORDERS}g,2,2026-01-04T20:00:00Z,1\n"));
    assert_eq!(run("2026-01-05T06:30:00Z"), Some(1), "one joined");
}

#[test]
fn problems_of_rules_over_events_are_shown_at_their_place() {
    let check = |name: &str, rule: &str| show(name, &project(rule, None), &["validate"]);
    check("unknown_dataset", "rule: EXISTS (SELECT FROM ordrs)");
    check("unknown_field", "rule: points > 1 AND (SELECT sum(totl) FROM orders) > 5");
    check("wrong_type", "rule: (SELECT sum(total) FROM orders) > 5");
    check("wrong_condition", "rule: EXISTS (SELECT FROM orders WHERE total)");
    check("other_query", "rule: (SELECT count(*) FROM orders GROUP BY total) > 5");
    check("pql_unknown_field", "pql: xEvent.filter(totl > 5).count() > 1 and points > 1");
    show("count_unknown_dataset", &project("rule: EXISTS (SELECT FROM ordrs)", None), &["count"]);
    let pql = "pql: 'CHAIN(xEvent, timestamp, [A: WHAT(true) WHEN(< 7 days before now)])'";
    let project = project(pql, None);
    show("pql_count", &project, &["count"]);
    show("pql_translate", &project, &["segment", "translate", "loyal"]);
}

#[test]
fn problems_of_event_datasets_are_shown_at_their_place() {
    let check = |name: &str, from: &str, to: &str| {
        let text = yaml(RULE);
        assert!(text.contains(from));
        let project = Project::new(&text.replace(from, to), None);
        project.write("orders.csv", ORDERS);
        show(name, &project, &["validate"]);
    };
    check("other_namespace", "namespace: CRMID", "namespace: CRMD");
    check("wrong_identity", "field: person", "field: persn");
    check("number_as_time", "timestamp: at", "timestamp: person");
    check("missing_events", "location: orders.csv", "location: gone.csv");
    let two = "  events: { kind: event, location: orders.csv, profile: { field: person, namespace: CRMID } }\n  orders:";
    check("reserved_key", "  orders:", two);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_fails_names_the_place_and_nothing_else() {
    let lab = lab().await;
    let rule = "rule: EXISTS (SELECT FROM orders WHERE 1 / (CAST(person AS BIGINT) - 99) > 1)";
    let project = project(rule, Some(&lab));
    show("division_by_zero", &project, &["run", "daily"]);
    let rule = "rule: EXISTS (SELECT FROM orders WHERE CAST(total AS DOUBLE) > 1)";
    let project = self::project(rule, Some(&lab));
    show("not_a_number", &project, &["count"]);
}
