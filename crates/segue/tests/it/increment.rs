//! Incremental exports by the binary: what each file holds, run after run.

use std::collections::BTreeMap;

use s3lab::Lab;

use crate::project::{BUCKET, Project, Text, lab};

const MAPPING: &str = "[{ source: id, mandatory: true }, email, points, \
     { source: segmentMembership.status, target: status }, \
     { source: segmentMembership.operation, target: op }, \
     { source: segmentMembership.lastQualificationTime, target: since }]";

fn yaml(export: &str, mapping: &'static str) -> String {
    let text = Text { mapping, ..Text::default() };
    text.yaml()
        .replace("- segment: loyal\n", &format!("- segment: loyal\n        export: {export}\n"))
}

fn people(rows: &[(&str, &str, i64)]) -> String {
    let row = |(id, email, points): &(&str, &str, i64)| format!("{id},{email},{points}\n");
    "id,email,points\n".to_owned() + &rows.iter().map(row).collect::<String>()
}

/// Runs the slot and returns the rows of its file, without the header.
fn run(project: &Project, lab: &Lab, slot: &str) -> Vec<String> {
    let said = project.segue(&["run", "daily", "--slot", slot]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    let stamp: String = slot.chars().filter(char::is_ascii_digit).collect();
    let key = format!("drop/loyal_{stamp}.csv");
    let body = lab.object(BUCKET, &key).unwrap_or_else(|| panic!("{key} is there"));
    let text = String::from_utf8(body.bytes.to_vec()).expect("text");
    text.lines().skip(1).map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn later_files_hold_who_joined_and_who_left() {
    let lab = lab().await;
    let project = Project::new(&yaml("incremental", MAPPING), Some(&lab));
    project.write("people.csv", people(&[("1", "a@x", 10), ("2", "b@x", 9), ("3", "c@x", 30)]));
    let first = run(&project, &lab, "2026-01-04T02:00:00Z");
    assert_eq!(
        first,
        [
            "1,a@x,10,active,added,2026-01-04T02:00:00Z",
            "3,c@x,30,active,added,2026-01-04T02:00:00Z"
        ]
    );
    // 1 leaves and stays a profile, 2 joins, 3 is gone altogether, 4 is new.
    project.write("people.csv", people(&[("1", "a@y", 5), ("2", "b@x", 11), ("4", "d@x", 12)]));
    let second = run(&project, &lab, "2026-01-05T02:00:00Z");
    assert_eq!(
        second,
        [
            "1,a@y,5,expired,removed,2026-01-05T02:00:00Z",
            "2,b@x,11,active,added,2026-01-05T02:00:00Z",
            "4,d@x,12,active,added,2026-01-05T02:00:00Z",
            "3,,,expired,removed,2026-01-05T02:00:00Z",
        ]
    );
    // Attributes alone change nobody's membership.
    project.write("people.csv", people(&[("1", "a@y", 5), ("2", "new@x", 99), ("4", "d@x", 12)]));
    assert_eq!(run(&project, &lab, "2026-01-06T02:00:00Z"), [""; 0]);
}

/// A second record of somebody means that profiles are merged from then on; nobody becomes another
/// one by it, with a deduplication key in the mapping or without.
#[tokio::test(flavor = "multi_thread")]
async fn records_that_have_to_be_merged_make_nobody_join_or_leave() {
    for key in ["id, ", "{ source: id, deduplicate: true }, "] {
        let lab = lab().await;
        let mapping =
            format!("[{key}points, {{ source: segmentMembership.operation, target: op }}]");
        let project = Project::new(&yaml("incremental", mapping.leak()), Some(&lab));
        project.write("people.csv", people(&[("1", "a@x", 10), ("2", "b@x", 20), ("3", "", 30)]));
        run(&project, &lab, "2026-01-04T02:00:00Z");
        let twice = [("1", "a@x", 10), ("3", "c@x", 5), ("1", "z@x", 11), ("4", "d@x", 40)];
        project.write("people.csv", people(&twice));
        let mut second = run(&project, &lab, "2026-01-05T02:00:00Z");
        second.sort();
        let ids: Vec<&str> = second.iter().map(|row| row.split(',').next().unwrap_or("")).collect();
        let operations: Vec<&str> =
            second.iter().map(|row| row.rsplit(',').next().unwrap_or("")).collect();
        assert_eq!((ids, operations), (vec!["2", "3", "4"], vec!["removed", "removed", "added"]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_of_changes_holds_members_whose_attributes_differ() {
    let lab = lab().await;
    let project = Project::new(&yaml("changes", MAPPING), Some(&lab));
    project.write("people.csv", people(&[("1", "a@x", 10), ("2", "b@x", 20)]));
    run(&project, &lab, "2026-01-04T02:00:00Z");
    project.write("people.csv", people(&[("1", "a@x", 10), ("2", "b@x", 21), ("3", "c@x", 10)]));
    assert_eq!(
        run(&project, &lab, "2026-01-05T02:00:00Z"),
        [
            "2,b@x,21,active,changed,2026-01-04T02:00:00Z",
            "3,c@x,10,active,added,2026-01-05T02:00:00Z"
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_column_that_tells_them_leavers_are_not_sent() {
    let lab = lab().await;
    let project = Project::new(&yaml("incremental", "[id, email, points]"), Some(&lab));
    project.write("people.csv", people(&[("1", "a@x", 10), ("2", "b@x", 20)]));
    run(&project, &lab, "2026-01-04T02:00:00Z");
    project.write("people.csv", people(&[("2", "b@x", 20), ("3", "c@x", 30)]));
    assert_eq!(run(&project, &lab, "2026-01-05T02:00:00Z"), ["3,c@x,30"]);
    // Who comes back is new again.
    project.write("people.csv", people(&[("1", "a@x", 10), ("2", "b@x", 20), ("3", "c@x", 30)]));
    assert_eq!(run(&project, &lab, "2026-01-06T02:00:00Z"), ["1,a@x,10"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_run_loses_and_repeats_nothing() {
    let lab = lab().await;
    let project = Project::new(&yaml("incremental", MAPPING), Some(&lab));
    project.write("people.csv", people(&[("1", "a@x", 10)]));
    run(&project, &lab, "2026-01-04T02:00:00Z");
    let guarded = yaml("incremental", MAPPING).replace("guard: {}", "guard: { max_rows: 1 }");
    project.write("segue.yaml", guarded);
    project.write("people.csv", people(&[("1", "a@x", 10), ("2", "b@x", 20)]));
    let said = project.segue(&["run", "daily", "--slot", "2026-01-05T02:00:00Z"]);
    assert_eq!(said.code, 4, "{}", said.stderr);
    project.write("segue.yaml", yaml("incremental", MAPPING));
    project.write("people.csv", people(&[("1", "a@x", 10), ("2", "b@x", 20), ("3", "c@x", 30)]));
    assert_eq!(
        run(&project, &lab, "2026-01-06T02:00:00Z"),
        [
            "2,b@x,20,active,added,2026-01-06T02:00:00Z",
            "3,c@x,30,active,added,2026-01-06T02:00:00Z"
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn plan_tells_the_difference_and_moves_nothing() {
    let lab = lab().await;
    let project = Project::new(&yaml("changes", MAPPING), Some(&lab));
    project.write("people.csv", people(&[("1", "a@x", 10), ("2", "b@x", 20), ("3", "c@x", 30)]));
    run(&project, &lab, "2026-01-04T02:00:00Z");
    project.write("people.csv", people(&[("1", "a@x", 11), ("2", "b@x", 20), ("4", "d@x", 40)]));
    let plan = || project.segue(&["plan", "daily", "--slot", "2026-01-05T02:00:00Z"]).stdout;
    let told = plan();
    insta::assert_snapshot!(told, @"
    daily/loyal for 2026-01-05T02:00:00Z
      3 members, 3 rows to send
      1 added, 1 changed, 1 removed; 3 rows in a full file
      1 excluded: the receiver has them already
      → s3://exports/drop/loyal_20260105020000.csv
      → s3://exports/drop/manifest-1ab82a46-96c9-5e3a-84ed-6f1f908f7ba1-94af6fc3-f600-5295-ae9a-8bc5f0899bf8.json
      grade unknown: `segue check partner` finds it out
      nothing is in the way there

    Nothing was changed. `segue run` with the same names does it.
    ");
    assert_eq!(plan(), told);
    assert_eq!(run(&project, &lab, "2026-01-05T02:00:00Z").len(), 3);
    let said = project.segue(&["runs", "--output", "json"]);
    let runs: serde_json::Value = serde_json::from_str(&said.stdout).expect("JSON");
    let movement = &runs[0]["movement"];
    assert_eq!((&movement["added"], &movement["changed"]), (&1.into(), &1.into()));
    assert_eq!((&movement["removed"], &movement["members"]), (&1.into(), &3.into()));
    assert_eq!(movement["comparedWith"], runs[1]["runId"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn increments_are_made_in_the_order_of_their_slots() {
    let lab = lab().await;
    let project = Project::new(&yaml("incremental", MAPPING), Some(&lab));
    run(&project, &lab, "2026-01-04T02:00:00Z");
    let said = project.segue(&["run", "daily", "--slot", "2026-01-03T02:00:00Z"]);
    assert_eq!(said.code, 4);
    insta::assert_snapshot!(said.stderr, @"
    error: daily/loyal for 2026-01-03T02:00:00Z
      caused by: the increment for 2026-01-03T02:00:00Z cannot be made: that for 2026-01-04T02:00:00Z was delivered already, and each builds on the one before
      hint: Run it for a later slot, or send everybody with `export: full`.
    ");
}

/// What a receiver has who applies every file to what came before.
#[derive(Default)]
struct Receiver(BTreeMap<String, String>);

impl Receiver {
    fn apply(&mut self, rows: &[String]) {
        for row in rows {
            let cells: Vec<&str> = row.split(',').collect();
            match cells[3] {
                "active" => drop(self.0.insert(cells[0].to_owned(), cells[..3].join(","))),
                _ => drop(self.0.remove(cells[0])),
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_applies_every_file_has_what_a_full_export_would_hold() {
    let lab = lab().await;
    let project = Project::new(&yaml("changes", MAPPING), Some(&lab));
    let mut receiver = Receiver::default();
    let mut seed = 7_u64;
    let mut random = move |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    for day in 4..12 {
        let mut rows = Vec::new();
        for id in 0..40_u64 {
            if random(5) > 0 {
                let email = if random(6) == 0 { String::new() } else { format!("{}@x", random(3)) };
                rows.push((id.to_string(), email, random(20) as i64));
            }
        }
        let people: Vec<(&str, &str, i64)> =
            rows.iter().map(|(id, email, points)| (id.as_str(), email.as_str(), *points)).collect();
        project.write("people.csv", self::people(&people));
        receiver.apply(&run(&project, &lab, &format!("2026-01-{day:02}T02:00:00Z")));
        let members = people.iter().filter(|(.., points)| *points >= 10);
        let expected: Vec<String> =
            members.map(|(id, email, points)| format!("{id},{email},{points}")).collect();
        let mut found: Vec<String> = receiver.0.values().cloned().collect();
        found.sort_by_key(|row| row.split(',').next().and_then(|id| id.parse::<u64>().ok()));
        assert_eq!(found, expected, "day {day}");
    }
}
