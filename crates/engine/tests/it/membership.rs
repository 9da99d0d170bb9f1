//! Evaluation: many segments in one scan, and what is remembered of who was in them.

use engine::{Effects, Engine, Evaluated, Kind, Profiles};
use futures::TryStreamExt;
use jiff::Timestamp;
use plan::Query;
use plan::field::FieldPath;
use plan::project::Identity;
use plan::run_plan::History;
use uuid::Uuid;

use crate::support::{CSV, Case, SPAN, lines};

const SEGMENT: Uuid = Uuid::from_u128(1);
const MOVE: Effects = Effects { move_until: Some(Timestamp::MAX), keep: true };

fn case(people: &str) -> Case {
    let mut case = Case::new(CSV)
        .text("a.csv", format!("id,email,points\n{people}"))
        .rule("points > 10")
        .columns(&["id", "$time"]);
    let field = FieldPath::parse("id").expect("a path");
    case.dataset.identities.push(Identity { field, namespace: "CRMID".into(), span: SPAN });
    case.query.history = Some(History { segment: SEGMENT, exits_kept_days: 30 });
    case
}

fn day(day: u32) -> Timestamp {
    format!("2026-01-{day:02}T00:00:00Z").parse().expect("a time")
}

/// Evaluates on a day, with rows as they would be sent.
async fn evaluate(case: &mut Case, on: u32, effects: Effects) -> (Evaluated, Vec<String>) {
    case.query.evaluated_at = day(on);
    let (engine, profiles) = (case.engine(), case.pin().await.expect("it is pinned"));
    let found = engine.evaluate(&[&case.query], &profiles, effects).await.expect("a scan");
    let found = found.into_iter().next().expect("one").expect("it is evaluated");
    (found, rows(&engine, &case.query, &profiles).await)
}

async fn rows(engine: &Engine, query: &Query, profiles: &Profiles) -> Vec<String> {
    let rows = engine.rows(query, profiles).await.expect("rows");
    let lines: Vec<Vec<String>> = rows
        .map_ordered(|batch| Ok::<_, engine::Error>(lines(&batch)))
        .try_collect()
        .await
        .expect("rows");
    lines.concat()
}

fn history(case: &Case) -> Vec<u8> {
    std::fs::read(case.path(&format!(".state/membership/{SEGMENT}.parquet"))).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn members_keep_the_time_of_joining() {
    let mut case = case("1,,20\n2,,20\n3,,5\n");
    let (found, rows) = evaluate(&mut case, 1, MOVE).await;
    assert_eq!(rows, ["1|2026-01-01T00:00:00Z", "2|2026-01-01T00:00:00Z"]);
    let standing = found.standing.expect("a history");
    assert_eq!((standing.realized, standing.joined, standing.left, standing.exited), (2, 2, 0, 0));

    let mut case = case.text("a.csv", "id,email,points\n2,,20\n3,,50\n");
    let (found, rows) = evaluate(&mut case, 5, MOVE).await;
    assert_eq!(rows, ["2|2026-01-01T00:00:00Z", "3|2026-01-05T00:00:00Z"]);
    let standing = found.standing.expect("a history");
    assert_eq!((standing.realized, standing.joined, standing.left, standing.exited), (2, 1, 1, 1));
    assert_eq!(case.engine().standing(SEGMENT).expect("a history"), Some(standing));
    assert_eq!(standing.evaluated_at, day(5));

    // Whoever comes back is a new member.
    let mut case = case.text("a.csv", "id,email,points\n1,,20\n2,,20\n");
    let (_, rows) = evaluate(&mut case, 9, MOVE).await;
    assert_eq!(rows, ["1|2026-01-09T00:00:00Z", "2|2026-01-01T00:00:00Z"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn repeating_a_slot_or_running_an_earlier_one_moves_nothing() {
    let mut case = case("1,,20\n2,,5\n");
    let first = evaluate(&mut case, 3, MOVE).await;
    let bytes = history(&case);
    assert!(!bytes.is_empty());
    assert_eq!(evaluate(&mut case, 3, MOVE).await, first);
    assert_eq!(history(&case), bytes);
    let (found, rows) = evaluate(&mut case, 2, MOVE).await;
    assert_eq!(rows, ["1|2026-01-02T00:00:00Z"], "it knows nothing of what came later");
    assert_eq!(found.standing.expect("a history").evaluated_at, day(3));
    // Somebody who only looks, and a slot that has not come yet.
    evaluate(&mut case, 8, Effects { move_until: None, keep: true }).await;
    evaluate(&mut case, 8, Effects { move_until: Some(day(7)), keep: true }).await;
    assert_eq!(history(&case), bytes);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_input_that_changes_moves_nothing() {
    let mut case = case("1,,20\n");
    evaluate(&mut case, 1, MOVE).await;
    let bytes = history(&case);
    case.query.evaluated_at = day(2);
    let profiles = case.pin().await.expect("it is pinned");
    let case = case.text("a.csv", "id,email,points\n1,,20\n2,,30\n");
    let error = case.engine().evaluate(&[&case.query], &profiles, MOVE).await;
    let error = match error {
        Err(error) => error,
        Ok(mut found) => found.remove(0).expect_err("the input is another one"),
    };
    assert_eq!(error.kind(), Kind::Changed);
    assert_eq!(history(&case), bytes);
    let folder = std::fs::read_dir(case.path(".state/membership")).expect("a folder");
    assert_eq!(folder.count(), 2, "nothing half written is left beside history and lock");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_earliest_member_loses_to_a_later_one() {
    let mut case = case("1,a@x,20\n2,a@x,5\n3,b@x,20\n").columns(&["#email"]);
    assert_eq!(evaluate(&mut case, 1, MOVE).await.1.len(), 2);
    let mut case = case.text("a.csv", "id,email,points\n1,a@x,20\n2,a@x,50\n3,b@x,20\n");
    let (_, rows) = evaluate(&mut case, 2, MOVE).await;
    assert_eq!(rows, ["2|2026-01-02T00:00:00Z|a@x", "3|2026-01-01T00:00:00Z|b@x"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_segments_are_evaluated_in_one_scan() {
    let mut people = String::new();
    for id in 0..5_000 {
        people += &format!("{id},,{}\n", id % 100);
    }
    let mut case = case(&people);
    (case.threads, case.memory_bytes) = (3, 1 << 18);
    let profiles = case.pin().await.expect("it is pinned");
    let query = |number: u64| {
        let mut query = case.query.clone();
        query.rule.text = match number {
            7 => "points / (points - 50) > 0".to_owned(),
            number => format!("points < {number}"),
        };
        let segment = Uuid::from_u128(100 + u128::from(number));
        query.history = number.is_multiple_of(2).then_some(History { segment, exits_kept_days: 1 });
        query
    };
    let queries: Vec<Query> = (0..80).map(query).collect();
    let asked: Vec<&Query> = queries.iter().collect();
    let found = case.engine().evaluate(&asked, &profiles, MOVE).await.expect("a scan");
    for (number, found) in found.into_iter().enumerate() {
        match found {
            Ok(found) => {
                assert_eq!(found.members, number as u64 * 50, "{number}");
                assert_eq!(found.standing.is_some(), number.is_multiple_of(2));
            }
            Err(error) => {
                assert_eq!((number, error.code()), (7, "expression_error"));
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_history_says_what_to_do() {
    let mut case = case("1,,20\n");
    evaluate(&mut case, 1, MOVE).await;
    let path = case.path(&format!(".state/membership/{SEGMENT}.parquet"));
    std::fs::write(&path, b"PAR1").expect("it is damaged");
    let profiles = case.pin().await.expect("it is pinned");
    let found = case.engine().evaluate(&[&case.query], &profiles, MOVE).await.expect("a scan");
    let error = found.into_iter().next().expect("one").expect_err("it is damaged");
    insta::assert_snapshot!(error.to_string().replace(&path.display().to_string(), "FILE"), @"the record of memberships is damaged (FILE)");
    insta::assert_snapshot!(error.hint().expect("a hint"), @"Restore the file from a backup, or remove it: everybody then becomes a member anew.");
}
