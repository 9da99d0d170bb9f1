//! `segue schedule next`.

use crate::project::{Project, Text};

fn scheduled() -> String {
    Text::default().yaml().replace(
        "      - segment: loyal\n",
        "      - segment: loyal
        schedule: { frequency: daily, at: \"02:30\", zone: Europe/Paris, start: 2026-03-28, end: 2026-03-30 }\n",
    )
}

#[test]
fn the_next_slots_are_shown_in_local_time_and_utc() {
    let project = Project::new(&scheduled(), None);
    let said = project.segue(&["schedule", "next", "daily", "--count", "2"]);
    insta::assert_snapshot!(project.transcript(&said), @r"
    exit code 0
    --- stdout
     activation   segment   local time                                 UTC
    ───────────────────────────────────────────────────────────────────────────────────────────────────────────────
     daily        loyal     Sat 2026-03-28 02:30 +01:00 Europe/Paris   2026-03-28T01:30:00Z
     daily        loyal     Sun 2026-03-29 03:00 +02:00 Europe/Paris   2026-03-29T01:00:00Z   clocks change before
    ");
    let json = project.json(&["schedule", "next", "--count", "9"]);
    assert_eq!(json[0]["slots"].as_array().map(Vec::len), Some(3));
    assert_eq!(json[0]["slots"][1]["slot"], "2026-03-29T01:00:00Z");
    assert_eq!(json[0]["slots"][1]["local"], "2026-03-29T03:00:00+02:00");
    assert_eq!(json[0]["slots"][1]["clocksChanged"], true);
    assert!(!project.path(".segue").exists(), "nothing was written");
}

#[test]
fn what_is_not_scheduled_and_what_is_not_there_is_told() {
    let project = Project::new(&Text::default().yaml(), None);
    let said = project.segue(&["schedule", "next"]);
    insta::assert_snapshot!(project.transcript(&said), @r"
    exit code 0
    --- stdout
    daily/loyal: no schedule: runs when it is named
    ");
    let evaluated = Text::default().yaml().replace(
        "      - segment: loyal\n",
        "      - segment: loyal\n        schedule: { trigger: after-evaluation }\n",
    );
    let evaluated = Project::new(&evaluated, None);
    let said = evaluated.segue(&["schedule", "next"]);
    insta::assert_snapshot!(evaluated.transcript(&said), @"
    exit code 0
    --- stdout
    daily/loyal: waits for an evaluation of its segment
    ");
    let json = evaluated.json(&["schedule", "next"]);
    assert_eq!(json[0]["waitsFor"]["kind"], "evaluation");
    let said = project.segue(&["schedule", "next", "dayly"]);
    insta::assert_snapshot!(project.transcript(&said), @r"
    exit code 2
    --- stderr
    error: the project has no activation `dayly`
      hint: Did you mean `daily`?
    ");
}

#[test]
fn how_late_slots_are_treated_is_checked() {
    let yaml = scheduled().replace("frequency: daily,", "frequency: daily, catch_up_window: 25x,");
    let said = Project::new(&yaml, None).segue(&["schedule", "next"]);
    assert_eq!(said.code, 2);
    for expected in ["error[duration_form]: this is not a catch-up window", "`90m`, `24h`, `7d`"] {
        assert!(said.stderr.contains(expected), "{}", said.stderr);
    }
}
