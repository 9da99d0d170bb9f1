//! `segue explain`: why somebody is in a segment or not, and in a file or not.

use crate::project::{BUCKET, Project, Text, lab};

const CRM: &str = "\
id,email,points,country,changed
1,ann@example.com,10,FR,2026-01-01T10:00:00Z
2,bob@example.com,20,DE,2026-01-02T10:00:00Z
3,,25,FR,2026-01-03T10:00:00Z
4,ann@example.com,30,FR,2026-01-02T10:00:00Z
5,dee@example.com,,BE,2026-01-02T10:00:00Z
,nobody@example.com,99,FR,2026-01-01T10:00:00Z
";
const WEB: &str = "\
cookie,email,pages,seen
c1,ann@example.com,11,2026-01-02T12:00:00Z
c2,eve@example.com,0,2026-01-02T12:00:00Z
";
const RULE: &str =
    "\"points >= 10 AND (upper(country) IN ('FR', 'BE') OR pages / 2 > 4) AND NOT email IS NULL\"";
const MAPPING: &str = "[id, { source: email, mandatory: true, deduplicate: true }, points]";

/// Two datasets in the place of the usual one, and a segment in PQL.
fn yaml(rule: &str, profiles: &str, mapping: &str) -> String {
    let text = Text { rule: "RULE", mapping: "MAPPING", ..Text::default() }.yaml();
    let (head, rest) = text.split_once("datasets:").expect("datasets");
    let (_, tail) = rest.split_once("accounts:").expect("accounts");
    format!(
        "{head}datasets:
  crm:
    location: crm.csv
    identities: {{ id: CRMID, email: Email }}
    timestamp: changed
  web:
    location: web.csv
    identities: {{ cookie: ECID, email: Email }}
    timestamp: seen
profiles: {profiles}
segments:
  loyal:
    rule: {rule}
  french:
    pql: country = \"FR\" and not (points > 15)
  filed:
    rule_file: rules/filed.sql
accounts:{tail}"
    )
    .replace("MAPPING", mapping)
}

fn project(yaml: &str) -> Project {
    project_in(yaml, None)
}

fn project_in(yaml: &str, lab: Option<&s3lab::Lab>) -> Project {
    let project = Project::new(yaml, lab);
    project.write("crm.csv", CRM);
    project.write("web.csv", WEB);
    project.write("rules/filed.sql", "-- those who count\npoints > 15\n  OR country\n    = 'BE'\n");
    project
}

fn check(project: &Project, name: &str, command: &[&str]) {
    let said = project.segue(command);
    insta::assert_snapshot!(name, project.transcript(&said));
}

#[test]
fn the_parts_of_a_rule_are_shown_with_their_values() {
    let project = project(&yaml(RULE, "{ stitch: none }", MAPPING));
    for (name, command) in [
        ("explain_in", &["explain", "CRMID:1", "loyal", "--unmask"] as &[&str]),
        ("explain_masked", &["explain", "CRMID:1", "loyal"]),
        ("explain_out", &["explain", "CRMID:2", "loyal", "--unmask"]),
        ("explain_unknown", &["explain", "CRMID:5", "loyal", "--unmask"]),
        ("explain_json", &["explain", "CRMID:2", "loyal", "--output", "json"]),
        ("explain_pql", &["explain", "CRMID:4", "french", "--unmask"]),
        ("explain_file", &["explain", "CRMID:1", "filed", "--unmask"]),
        ("explain_help", &["explain", "--help"]),
    ] {
        check(&project, name, command);
    }
}

#[test]
fn who_cannot_be_found_is_told_why() {
    let project = project(&yaml(RULE, "{ stitch: none }", MAPPING));
    for (name, command) in [
        ("explain_nobody", &["explain", "CRMID:404", "loyal"] as &[&str]),
        ("explain_ambiguous", &["explain", "Email:ann@example.com", "loyal"]),
        ("explain_namespace", &["explain", "Emial:ann@example.com", "loyal"]),
        ("explain_form", &["explain", "ann@example.com", "loyal"]),
        ("explain_segment", &["explain", "CRMID:1", "loyall"]),
        ("explain_activation", &["explain", "CRMID:1", "loyal", "--activation", "dayly"]),
        ("explain_not_sent", &["explain", "CRMID:1", "french", "--activation", "daily"]),
        ("explain_left_out", &["explain", "Email:nobody@example.com", "loyal"]),
        (
            "explain_left_out_json",
            &["explain", "Email:nobody@example.com", "loyal", "--output", "json"],
        ),
    ] {
        check(&project, name, command);
    }
}

/// Thousands of ids share the address of a shop: nobody is that.
#[test]
fn identities_that_glue_people_together_are_named() {
    let project = project(&yaml(RULE, "{ stitch: graph }", MAPPING));
    let glued =
        (100..3_100).map(|id| format!("{id},shop@example.com,50,FR,2026-01-01T10:00:00Z\n"));
    project.write("crm.csv", format!("{CRM}{}", glued.collect::<String>()));
    check(&project, "explain_glued", &["explain", "CRMID:123", "loyal"]);
    check(&project, "count_glued", &["count", "loyal"]);
    check(&project, "profile_glued", &["profile", "show", "CRMID:123"]);
}

#[test]
fn the_way_into_a_file_is_told() {
    let project = project(&yaml(RULE, "{ stitch: none }", MAPPING));
    let ask = |name: &str, person: &str| {
        check(&project, name, &["explain", person, "loyal", "--activation", "daily", "--unmask"]);
    };
    ask("explain_sent", "CRMID:4");
    ask("explain_duplicate", "CRMID:1");
    ask("explain_not_member", "CRMID:2");
    let said = project.json(&["explain", "CRMID:1", "loyal", "--activation", "daily"]);
    insta::assert_snapshot!("explain_duplicate_json", format!("{:#}", said["activation"]));

    let everyone = yaml("id IS NOT NULL", "{ stitch: none }", MAPPING);
    project.write("segue.yaml", &everyone);
    ask("explain_missing", "CRMID:3");
    project.write("crm.csv", CRM.replace("2026-01-02T10:00:00Z", "2026-01-01T10:00:00Z"));
    ask("explain_duplicate_by_column", "CRMID:4");
    let mapping = MAPPING.replace("[id, ", "[").replace(", points", "");
    project.write("segue.yaml", yaml("id IS NOT NULL", "{ stitch: none }", &mapping));
    ask("explain_duplicate_by_order", "CRMID:4");
    ask("explain_sent_by_order", "CRMID:1");
}

#[test]
fn identity_columns_are_told_row_by_row() {
    let mapping =
        "[identityMap.Email, { expression: hash_email(identityMap.Email), target: hash }, points]";
    let project = project(&yaml("points > 5", "{ stitch: graph }", mapping));
    project.write("crm.csv", format!("{CRM}1,ann@work.example,10,FR,2026-01-03T10:00:00Z\n"));
    for (name, person) in [("explain_identities", "CRMID:1"), ("explain_no_identity", "CRMID:3")] {
        let said =
            project.segue(&["explain", person, "loyal", "--activation", "daily", "--unmask"]);
        insta::assert_snapshot!(name, project.transcript(&said));
    }
    check(&project, "identities_plan", &["plan", "daily"]);
    check(&project, "identities_preview", &["preview", "daily"]);
    check(&project, "identities_preview_unmasked", &["preview", "daily", "--unmask"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn increments_are_told_against_what_was_sent() {
    let lab = lab().await;
    let changes = "- segment: loyal\n        export: changes\n";
    let text = yaml("points > 5", "{ stitch: none }", MAPPING)
        .replace("- segment: loyal\n", changes)
        .replace("points]", "points, segmentMembership.status]");
    let project = project_in(&text, Some(&lab));
    let fate = |person: &str| {
        let said = project.json(&["explain", person, "loyal", "--activation", "daily"]);
        said["activation"]["rows"][0]["reason"].as_str().unwrap_or_default().to_owned()
    };
    assert_eq!(fate("CRMID:2"), "added");
    let run = project.json(&["run", "daily", "--slot", "2026-01-04T02:00:00Z"]);
    assert_eq!(run["runs"][0]["state"], "delivered", "{run}");
    assert_eq!(fate("CRMID:2"), "unchanged");
    // 2 has other points, 4 is not a member any more and takes the key of 1 with it.
    let changed = CRM.replace(",20,", ",21,").replace(",30,", ",1,");
    project.write("crm.csv", changed.replace("1,ann@", "1,other@"));
    for (name, person) in [
        ("explain_changed", "CRMID:2"),
        ("explain_removed", "CRMID:4"),
        ("explain_added", "CRMID:1"),
    ] {
        let command = ["explain", person, "loyal", "--activation", "daily", "--unmask"];
        check(&project, name, &command);
    }
    let run = project.json(&["run", "daily", "--slot", "2026-01-04T03:00:00Z"]);
    let object = run["runs"][0]["objects"][0]["key"].as_str().expect("a key").to_owned();
    let body = lab.object(BUCKET, &object).expect("the file");
    let mut rows: Vec<&str> = std::str::from_utf8(&body.bytes).expect("text").lines().collect();
    rows.sort_unstable();
    insta::assert_snapshot!(rows.join("\n"), @r"
    1,other@example.com,10,active
    2,bob@example.com,21,active
    4,ann@example.com,1,expired
    id,email,points,segmentMembership_status
    ");
    let never = project_text(&project)
        .replace("export: changes", "export: changes\n        leavers: never");
    project.write("segue.yaml", never);
    project.write("crm.csv", CRM.replace(",21,", ",1,").replace(",20,", ",1,"));
    check(&project, "explain_left", &["explain", "CRMID:2", "loyal", "--activation", "daily"]);
}

/// What is told of somebody who left is what the next file has of them, what it withholds included.
#[tokio::test(flavor = "multi_thread")]
async fn who_withdrew_their_consent_is_told_as_the_next_file_has_them() {
    let lab = lab().await;
    let text = yaml("points > 5", "{ stitch: none }", MAPPING)
        .replace("- segment: loyal\n", "- segment: loyal\n        export: incremental\n")
        .replace("points]", "points, country, segmentMembership.status]")
        .replace("destinations:", "consent:\n  opt_out: optOut\ndestinations:");
    let project = project_in(&text, Some(&lab));
    let people = |of_one: &str, of_two: &str, of_three: &str| {
        format!(
            "id,email,points,country,changed,optOut\n{of_one}\n{of_two}\n{of_three}\n\
             4,dee@example.com,9,FR,2026-01-02T10:00:00Z,no\n"
        )
    };
    let before = people(
        "1,ann@example.com,20,FR,2026-01-01T10:00:00Z,no",
        "2,bob@example.com,20,DE,2026-01-02T10:00:00Z,no",
        "3,cid@example.com,20,DE,2026-01-02T10:00:00Z,no",
    );
    project.write("crm.csv", before);
    let run = project.json(&["run", "daily", "--slot", "2026-01-04T02:00:00Z"]);
    assert_eq!(run["runs"][0]["state"], "delivered", "{run}");
    // 1 opts out; 2 opts out, and is no member any more either; 3 is only that.
    let after = people(
        "1,ann@example.com,21,FR,2026-01-01T10:00:00Z,yes",
        "2,bob@example.com,1,DE,2026-01-02T10:00:00Z,yes",
        "3,cid@example.com,2,DE,2026-01-02T10:00:00Z,no",
    );
    project.write("crm.csv", after);
    let mut told = Vec::new();
    for (name, person) in [
        ("explain_withdrawn", "CRMID:1"),
        ("explain_withdrawn_and_left", "CRMID:2"),
        ("explain_left_with_consent", "CRMID:3"),
    ] {
        let command = ["explain", person, "loyal", "--activation", "daily", "--unmask"];
        check(&project, name, &command);
        let said = project.json(&command);
        let row = &said["activation"]["rows"][0];
        assert_eq!(row["reason"], "removed", "{said}");
        let cells = row["columns"].as_array().expect("columns").iter();
        let cells: Vec<&str> = cells.map(|it| it["value"].as_str().unwrap_or_default()).collect();
        told.push(cells.join(","));
    }
    let said = project.json(&["explain", "CRMID:1", "loyal", "--activation", "daily"]);
    insta::assert_snapshot!("explain_withdrawn_json", format!("{:#}", said["activation"]));
    // What is previewed is that file, too.
    check(&project, "preview_next", &["preview", "daily", "--unmask"]);
    check(&project, "preview_full", &["preview", "daily", "--unmask", "--full"]);
    let previewed = project.json(&["preview", "daily", "--unmask"]);
    assert_eq!(previewed["changedSince"]["slot"], "2026-01-04T02:00:00Z");
    let run = project.json(&["run", "daily", "--slot", "2026-01-04T03:00:00Z"]);
    let object = run["runs"][0]["objects"][0]["key"].as_str().expect("a key").to_owned();
    let body = lab.object(BUCKET, &object).expect("the file");
    let body = std::str::from_utf8(&body.bytes).expect("text").to_owned();
    let sent = previewed["header"].as_str().expect("a header").to_owned()
        + previewed["text"].as_str().expect("rows");
    assert_eq!(body, sent);
    let mut rows: Vec<&str> = body.lines().skip(1).collect();
    rows.sort_unstable();
    assert_eq!(rows, told);
    check(&project, "preview_unchanged", &["preview", "daily", "--unmask"]);
}

fn project_text(project: &Project) -> String {
    std::fs::read_to_string(project.path("segue.yaml")).expect("the project file")
}

#[test]
fn conditions_over_events_are_told_with_their_answers() {
    let rule = "\"points > 5 AND ((SELECT count(*) FROM orders WHERE total > 6) >= 2 OR EXISTS (SELECT FROM orders WHERE total > 90))\"";
    let orders = "  orders:
    kind: event
    location: orders.csv
    profile: { field: person, namespace: CRMID }
    timestamp: at
profiles:";
    let project = project(&yaml(rule, "{ stitch: none }", MAPPING).replace("profiles:", orders));
    project.write("orders.csv", "person,at,total\n1,2026-01-03T10:00:00Z,10\n1,2026-01-03T11:00:00Z,7\n2,2026-01-03T11:00:00Z,7\n");
    for (name, person) in [("explain_events_in", "CRMID:1"), ("explain_events_out", "CRMID:2")] {
        let command = ["explain", person, "loyal", "--activation", "daily", "--unmask"];
        check(&project, name, &command);
    }
}

#[test]
fn segments_that_a_rule_rests_on_are_opened() {
    let rule = "\"in_segment('French people') AND (in_segment('busy') OR points < 0) AND NOT in_segment('invited')\"";
    let segments = "  busy: { rule: \"pages / 2 > 4 OR in_segment('filed')\" }
  invited: { import: { location: invited.csv, field: id, namespace: CRMID } }
  circle: { rule: \"CASE WHEN in_segment('busy') THEN in_segment('french') END\" }
accounts:";
    let text = yaml(rule, "{ stitch: none }", MAPPING).replace("accounts:", segments);
    let project = project(&text.replace("  french:\n", "  french:\n    name: French people\n"));
    project.write("invited.csv", "id\n9\n");
    for (name, command) in [
        ("explain_segments_in", &["explain", "CRMID:4", "loyal", "--unmask"] as &[&str]),
        ("explain_segments_out", &["explain", "CRMID:1", "loyal", "--unmask"]),
        ("explain_segments_inside", &["explain", "CRMID:4", "circle", "--unmask"]),
    ] {
        check(&project, name, command);
    }
    let said = project.json(&["explain", "CRMID:1", "loyal"]);
    insta::assert_snapshot!("explain_segments_json", format!("{:#}", said["rule"]["parts"][0]));
}

#[test]
fn who_may_not_be_sent_is_told() {
    let consent = "consent:
  opt_out: optOut
  purposes: { mail: \"mail = 'y' AND in_segment('filed')\" }
destinations:";
    let text = yaml("points > 5", "{ stitch: none }", MAPPING)
        .replace("destinations:", consent)
        .replace("    bucket: exports\n", "    bucket: exports\n    marketing_actions: [mail]\n");
    let project = project(&text);
    project.write(
        "crm.csv",
        "\
id,email,points,country,changed,optOut,mail
1,ann@example.com,20,FR,2026-01-01T10:00:00Z,yes,y
2,bob@example.com,20,DE,2026-01-02T10:00:00Z,,n
3,cid@example.com,20,DE,2026-01-02T10:00:00Z,no,y
4,dee@example.com,10,DE,2026-01-02T10:00:00Z,no,y
",
    );
    for (name, person) in [
        ("explain_opted_out", "CRMID:1"),
        ("explain_no_consent", "CRMID:2"),
        ("explain_consents", "CRMID:3"),
        ("explain_no_consent_by_segment", "CRMID:4"),
    ] {
        check(&project, name, &["explain", person, "loyal", "--activation", "daily", "--unmask"]);
    }
    let said = project.json(&["explain", "CRMID:1", "loyal", "--activation", "daily"]);
    assert_eq!(said["activation"]["rows"][0]["reason"], "consent", "{said}");
}

/// All that can be asked of people works where their records are objects, which are waited for.
#[tokio::test(flavor = "multi_thread")]
async fn datasets_in_a_bucket_are_asked_like_files() {
    let lab = lab().await;
    let text = yaml(RULE, "{ stitch: none }", MAPPING)
        .replace("location: crm.csv", "location: s3://exports/in/crm.csv\n    account: lab")
        .replace("location: web.csv", "location: s3://exports/in/web.csv\n    account: lab")
        .replace("- segment: loyal", "- segment: loyal\n        export: changes");
    let project = project_in(&text, Some(&lab));
    lab.put(BUCKET, "in/crm.csv", CRM).await.expect("the object is put");
    lab.put(BUCKET, "in/web.csv", WEB).await.expect("the object is put");
    let with_export = ["explain", "CRMID:1", "loyal", "--unmask", "--activation", "daily"];
    let said = |command: &[&str]| {
        let said = project.segue(command);
        assert_eq!(said.code, 0, "{command:?}: {}", said.stderr);
        said.stdout
    };
    for (command, expected) in [
        (&["validate"] as &[&str], ""),
        (&["explain", "CRMID:1", "loyal", "--unmask"], "ann@example.com"),
        (&with_export, "CRMID 4 has the same `email` and is sent instead"),
        (&["run", "daily"], "delivered"),
        (
            &["explain", "CRMID:4", "loyal", "--activation", "daily"],
            "sent before, and the same since",
        ),
        (&["profile", "show", "CRMID:1"], "crm"),
        (&["who-got", "CRMID:4"], "daily"),
        (&["preview", "daily", "--full"], "id"),
        (&["count"], "loyal"),
    ] {
        let found = said(command);
        assert!(found.contains(expected), "{command:?}: {found}");
    }
}
