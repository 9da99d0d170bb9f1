//! Memberships, imported segments and consent by the binary.

use s3lab::Lab;
use serde_json::json;

use crate::project::{BUCKET, Project, Said, Text, lab};

const MAPPING: &str = "[id, { source: segmentMembership.lastQualificationTime, target: since }]";

const ID: &str = "[{ source: id, mandatory: true, deduplicate: true }]";

fn yaml(mapping: &'static str, more: &str) -> String {
    let text = Text { mapping, ..Text::default() }.yaml();
    text.replace("accounts:\n", &format!("{more}accounts:\n"))
}

/// Runs a command as if it were given at a time.
fn at(project: &Project, now: &str, arguments: &[&str]) -> Said {
    let mut command = project.command(arguments);
    command.env("SEGUE_NOW", now);
    project.finish(command.spawn().expect("the binary starts"))
}

/// Runs what is named at its slot and returns the rows of its file, without the header.
fn run(project: &Project, lab: &Lab, slot: &str) -> Vec<String> {
    let said = at(project, slot, &["run", "daily", "--slot", slot]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    rows(lab, slot)
}

fn rows(lab: &Lab, slot: &str) -> Vec<String> {
    let stamp: String = slot.chars().filter(char::is_ascii_digit).collect();
    let key = format!("drop/loyal_{stamp}.csv");
    let body = lab.object(BUCKET, &key).unwrap_or_else(|| panic!("{key} is there"));
    let text = String::from_utf8(body.bytes.to_vec()).expect("text");
    text.lines().skip(1).map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn full_files_tell_since_when_somebody_is_a_member() {
    let lab = lab().await;
    let project = Project::new(&yaml(MAPPING, ""), Some(&lab));
    project.write("people.csv", "id,email,points\n1,,10\n2,,9\n");
    assert_eq!(run(&project, &lab, "2026-01-04T02:00:00Z"), ["1,2026-01-04T02:00:00Z"]);
    project.write("people.csv", "id,email,points\n1,,10\n2,,19\n");
    let looks: [&[&str]; 4] =
        [&["count"], &["plan", "daily"], &["preview", "daily", "--unmask"], &["segments"]];
    for look in looks {
        assert_eq!(at(&project, "2026-01-04T03:00:00Z", look).code, 0);
    }
    assert_eq!(
        run(&project, &lab, "2026-01-05T02:00:00Z"),
        ["1,2026-01-04T02:00:00Z", "2,2026-01-05T02:00:00Z"]
    );
    // A run that a guard stops has evaluated; running the slot again gives the same.
    let guarded = yaml(MAPPING, "").replace("guard: {}", "guard: { max_rows: 1 }");
    project.write("segue.yaml", guarded);
    project.write("people.csv", "id,email,points\n2,,19\n3,,50\n");
    let slot = "2026-01-06T02:00:00Z";
    assert_eq!(at(&project, slot, &["run", "daily", "--slot", slot]).code, 4);
    let held = project.json(&["runs", "--state", "blocked"])[0]["runId"].clone();
    assert_eq!(project.segue(&["release", held.as_str().expect("an id")]).code, 0);
    project.write("segue.yaml", yaml(MAPPING, ""));
    assert_eq!(run(&project, &lab, slot), ["2,2026-01-05T02:00:00Z", "3,2026-01-06T02:00:00Z"]);
    let said = at(&project, "2026-01-07T00:00:00Z", &["segments"]);
    insta::assert_snapshot!(project.transcript(&said), @"
    exit code 0
    --- stdout
     segment   name    members   joined   left   evaluated
    ──────────────────────────────────────────────────────────────────
     loyal     loyal         2        1      1   2026-01-06T02:00:00Z
    ");
}

#[test]
fn segments_are_evaluated_without_being_sent() {
    let more = "  few: { rule: in_segment('loyal') and points > 20 }\n";
    let project =
        Project::new(&yaml(ID, "").replace("accounts:\n", &format!("{more}accounts:\n")), None);
    let now = "2026-01-04T06:30:00Z";
    insta::assert_snapshot!(project.transcript(&at(&project, now, &["segments"])), @"
    exit code 0
    --- stdout
     segment   name    members   joined   left   evaluated
    ───────────────────────────────────────────────────────
     loyal     loyal         –        –      –   –
     few       few           –        –      –   –
    ");
    insta::assert_snapshot!(project.transcript(&at(&project, now, &["evaluate"])), @"
    exit code 0
    --- stdout
     segment   name    members   joined   left   evaluated
    ──────────────────────────────────────────────────────────────────
     loyal     loyal         4        4      0   2026-01-04T06:30:00Z
     few       few           1        1      0   2026-01-04T06:30:00Z
    ");
    project.write("people.csv", "id,email,points\n3,,15\n1,,11\n");
    let slot = ["evaluate", "few", "--slot", "2026-01-04T05:00:00Z", "--output", "json"];
    let said = at(&project, now, &slot);
    let found: serde_json::Value = serde_json::from_str(&said.stdout).expect("JSON");
    assert_eq!(found[0]["members"], 0, "the members of the snapshot");
    assert_eq!(found[0]["evaluatedAt"], json!(now), "an earlier slot moves nothing");
    insta::assert_snapshot!(project.transcript(&at(&project, "2026-01-05T06:30:00Z", &["evaluate"])), @"
    exit code 0
    --- stdout
     segment   name    members   joined   left   evaluated
    ──────────────────────────────────────────────────────────────────
     loyal     loyal         2        0      2   2026-01-05T06:30:00Z
     few       few           0        0      1   2026-01-05T06:30:00Z
    ");
    let said = at(&project, now, &["evaluate", "--slot", "2027-01-01T00:00:00Z"]);
    insta::assert_snapshot!(project.transcript(&said), @"
    exit code 2
    --- stderr
    error: 2027-01-01T00:00:00Z has not come yet
      hint: Memberships are remembered for what has been; give an earlier --slot.
    ");
    let said = at(&project, now, &["evaluate", "lojal"]);
    insta::assert_snapshot!(project.transcript(&said), @"
    exit code 2
    --- stderr
    error: the project has no segment `lojal`
      hint: Did you mean `loyal`?
    ");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_withdraws_consent_leaves() {
    let lab = lab().await;
    let mapping = "[id, { source: email, target: mail }, { source: segmentMembership.status, target: status }]";
    let consent = "consent: { opt_out: out, purposes: { mail: agrees } }\n";
    let incremental = |text: String| {
        text.replace("- segment: loyal\n", "- segment: loyal\n        export: incremental\n")
            .replace("    manifest: true\n", "    manifest: true\n    marketing_actions: [mail]\n")
    };
    let project = Project::new(&incremental(yaml(mapping, consent)), Some(&lab));
    let head = "id,email,points,out,agrees\n";
    let first = "1,a@x,20,,true\n2,b@x,20,yes,true\n3,c@x,20,,\n4,d@x,20,no,true\n";
    project.write("people.csv", format!("{head}{first}"));
    assert_eq!(run(&project, &lab, "2026-01-04T02:00:00Z"), ["1,a@x,active", "4,d@x,active"]);
    let shown = project.segue(&["runs", "--output", "json"]).stdout;
    let runs: serde_json::Value = serde_json::from_str(&shown).expect("JSON");
    let id = runs[0]["runId"].as_str().expect("an id").to_owned();
    assert!(project.segue(&["show", &id]).stdout.contains("2 excluded: no consent, or opted out"));
    project
        .write("people.csv", format!("{head}1,a@x,20,out,true\n3,c@x,20,,true\n4,d@x,20,,true\n"));
    assert_eq!(run(&project, &lab, "2026-01-05T02:00:00Z"), ["1,,expired", "3,c@x,active"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_imported_segment_is_sent_and_pinned() {
    let lab = lab().await;
    let import = "  news: { import: { location: ids.csv, field: who, namespace: CRMID } }\n";
    let text = yaml(ID, "").replace("accounts:\n", &format!("{import}accounts:\n"));
    let text = text.replace("rule: points >= 10", "rule: points >= 10 and not in_segment('news')");
    let project = Project::new(&text, Some(&lab));
    project.write("ids.csv", "who\n1\n5\n99\n");
    assert_eq!(run(&project, &lab, "2026-01-04T02:00:00Z"), ["3", "4"]);
    let key =
        lab.keys(BUCKET).into_iter().find(|key| key.contains("manifest")).expect("a manifest");
    let manifest = lab.object(BUCKET, &key).expect("a manifest");
    assert!(String::from_utf8_lossy(&manifest.bytes).contains("ids.csv"));
    insta::assert_snapshot!(project.transcript(&project.segue(&["count"])), @"
    exit code 0
    --- stdout
     segment   name    members   of profiles    share
    ──────────────────────────────────────────────────
     loyal     loyal         2             6   33.3 %
     news      news          2             6   33.3 %
    1 left out: an identity of imported segment news has no profile
    ");
    project.write("ids.csv", "whom\n1\n");
    insta::assert_snapshot!(project.transcript(&project.segue(&["validate"])), @"
    exit code 2
    --- stderr
    error[unknown_field]: the file of imported segment `news` has no field `who`
      --> segue.yaml:10:47
       |
    10 |   news: { import: { location: ids.csv, field: who, namespace: CRMID } }
       |                                               ^^^
       |
       = help: Did you mean `whom`?
    error: segue.yaml has 1 problem
    ");
    std::fs::remove_file(project.path("ids.csv")).expect("a file");
    insta::assert_snapshot!(project.transcript(&project.segue(&["validate"])), @"
    exit code 2
    --- stderr
    error[unreadable_dataset]: imported segment `news`: cannot find the dataset (ids.csv): No such file or directory (os error 2)
      --> segue.yaml:10:31
       |
    10 |   news: { import: { location: ids.csv, field: who, namespace: CRMID } }
       |                               ^^^^^^^
       |
       = help: Correct `location`; it is relative to the folder of the project file.
    error: segue.yaml has 1 problem
    ");
}
