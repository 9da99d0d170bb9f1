//! Alerts: the file that did not come, and that none of them holds a value of a profile.

use serde_json::Value;

use crate::delivery::wait_until;
use crate::http::Server;
use crate::project::{Project, SECRET, Text, lab};
use crate::serve::{introduce, serve, slots, stop};

const CANARIES: [&str; 3] = ["canary-mail-7f3a@example.com", "Canary-Name-91be", "777000111"];

fn scheduled(text: &Text) -> String {
    let daily = "      - segment: loyal\n        schedule: { frequency: daily, at: \"02:00\" }\n";
    text.yaml().replace("      - segment: loyal\n", daily)
}

fn people() -> String {
    let [mail, name, points] = CANARIES;
    format!(
        "id,email,points,name\n1,{mail},{points},{name}\n2,,{points},{name}\n3,{mail},5,{name}\n"
    )
}

async fn alerts(server: &Server<'_>, kind: &str) -> Vec<Value> {
    let listed = || server.ask("GET", "/api/v1/alerts", &server.viewer, &[], None);
    let of_kind = || {
        let listed = listed().json();
        let items = listed["items"].as_array().cloned().unwrap_or_default();
        items.into_iter().filter(|alert| alert["kind"] == kind).collect::<Vec<_>>()
    };
    wait_until(|| !of_kind().is_empty()).await;
    for canary in CANARIES.iter().chain([&SECRET]) {
        assert!(!listed().text.contains(canary), "{}", listed().text);
    }
    of_kind()
}

/// The slots of two days fail at once, so that nothing is late, and nothing comes.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_did_not_come_for_a_whole_period_is_told_once() {
    let lab = lab().await;
    let project = Project::new(&scheduled(&Text::default()), Some(&lab));
    introduce(&project).await;
    std::fs::remove_file(project.path("people.csv")).expect("it was there");
    for day in ["2026-01-05T06:30:00Z", "2026-01-06T06:30:00Z"] {
        let child = serve(&project, day, &[]);
        let is_over = || {
            let slots = slots(&project);
            let latest = slots.first().filter(|slot| slot.starts_with(&day[..10]));
            latest.is_some_and(|slot| slot.contains("failed"))
        };
        wait_until(is_over).await;
        assert_eq!(stop(&project, child).code, 0);
    }
    // By then the next day's slot has failed, too, and that of the day before is the one missed.
    for _ in 0..2 {
        let mut server = Server::at(&project, "2026-01-06T06:30:00Z").await;
        let missing = alerts(&server, "missing").await;
        assert_eq!(missing.len(), 1, "{missing:?}");
        assert_eq!(missing[0]["slot"], "2026-01-05T02:00:00Z");
        assert_eq!(
            missing[0]["message"],
            "no file for a whole period: nothing was delivered for 2026-01-05T02:00:00Z or later, 270 minutes after 2026-01-06T02:00:00Z"
        );
        server.stop();
    }
    // With a file of the next day in time nothing more is missing.
    project.write("people.csv", crate::project::PEOPLE);
    let child = serve(&project, "2026-01-07T02:10:00Z", &[]);
    wait_until(|| slots(&project).first().is_some_and(|slot| slot.contains("delivered"))).await;
    assert_eq!(stop(&project, child).code, 0);
    let mut server = Server::at(&project, "2026-01-08T04:00:00Z").await;
    let missing = alerts(&server, "missing").await;
    let slots: Vec<_> = missing.iter().filter_map(|alert| alert["slot"].as_str()).collect();
    assert_eq!(slots, ["2026-01-05T02:00:00Z"], "that of before");
    server.stop();
}

/// Nobody has to look at the list of slots to learn that the server was down over their time.
#[tokio::test(flavor = "multi_thread")]
async fn slots_that_were_missed_are_one_alert() {
    let lab = lab().await;
    let project = Project::new(&scheduled(&Text::default()), Some(&lab));
    introduce(&project).await;
    for _ in 0..2 {
        let mut server = Server::at(&project, "2026-01-09T06:30:00Z").await;
        let skipped = alerts(&server, "skipped").await;
        assert_eq!(skipped.len(), 1, "{skipped:?}");
        assert_eq!(
            (&skipped[0]["code"], &skipped[0]["slot"]),
            (&"missed_window".into(), &"2026-01-08T02:00:00Z".into())
        );
        assert_eq!(
            skipped[0]["message"],
            "4 slots from 2026-01-05T02:00:00Z to 2026-01-08T02:00:00Z: nothing ran at its time, and it is too old to be made up for"
        );
        server.stop();
    }
    let said = project.segue(&["slots", "--limit", "2"]);
    assert_eq!(said.stderr, "note: these are the latest 2; --limit shows more\n");
    let listed = project.segue(&["slots", "--limit", "5", "--output", "json"]);
    assert_eq!(listed.stderr, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_alert_holds_a_value() {
    let broken = [
        ("failed", Text { rule: "CAST(name AS BIGINT) > 1", ..Text::default() }),
        ("failed", Text { rule: "points / (points - points) > 1", ..Text::default() }),
        (
            "failed",
            Text { file: "{ format: csv, quoting: none, delimiter: \"@\" }", ..Text::default() },
        ),
        ("collapsed", Text { guard: "{ min_rows: 100 }", ..Text::default() }),
        ("exploded", Text { guard: "{ max_rows: 0 }", ..Text::default() }),
        ("exclusion_rate", Text { guard: "{ max_excluded: 1% }", ..Text::default() }),
        ("delivered", Text::default()),
    ];
    for (kind, text) in broken {
        let lab = lab().await;
        let project = Project::new(&text.yaml(), Some(&lab));
        project.write("people.csv", people());
        let mut server = Server::with(&project, &[], &[]).await;
        let run = server.ask("POST", "/api/v1/activations/daily/run", &server.operator, &[], None);
        assert_eq!(run.status, 202, "{}", run.text);
        assert_eq!(alerts(&server, kind).await.len(), 1, "{kind}");
        server.stop();
    }
}
