//! Deduplication keys and their tie-break.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringArray};
use plan::project::DatasetFormat;

use crate::formats::{numbers, texts};
use crate::support::Case;

/// The worked example of behaviour reference §4.8: two profiles with one address, of which the
/// second was qualified later, which here is what its timestamp says.
fn worked_example() -> Case {
    Case::new(DatasetFormat::Parquet).timestamp("qualified").parquet(
        "a.parquet",
        vec![
            ("mail", texts(&[Some("johndoe@example.com"), Some("johndoe@example.com")])),
            ("first", texts(&[Some("John"), Some("John")])),
            ("last", texts(&[Some("Doe"), Some("D")])),
            ("qualified", numbers(&[Some(20_210_310), Some(20_210_410)])),
        ],
    )
}

#[tokio::test]
async fn the_worked_example() {
    let a = "johndoe@example.com|John|Doe";
    let b = "johndoe@example.com|John|D";
    let cases: [(&[&str], &[&str]); 3] = [
        (&["mail", "first", "last"], &[a, b]),
        (&["#mail", "first", "last"], &[b]),
        (&["#mail", "first", "#last"], &[a, b]),
    ];
    for (columns, expected) in cases {
        assert_eq!(worked_example().columns(columns).rows().await, expected, "{columns:?}");
    }
}

#[tokio::test]
async fn of_equal_times_the_lexicographically_first_wins() {
    let case = Case::new(DatasetFormat::Parquet).parquet(
        "a.parquet",
        vec![
            ("mail", texts(&[Some("x"), Some("x"), Some("x"), Some("y"), Some("y")])),
            ("first", texts(&[Some("Jo"), Some("Jo"), None, Some(""), Some("Z")])),
            ("last", texts(&[Some("Morris"), Some("Doe"), Some("A"), Some("1"), Some("0")])),
        ],
    );
    // Missing values come last, and an empty text before any other.
    assert_eq!(case.columns(&["#mail", "first", "last"]).rows().await, ["x|Jo|Doe", "y||1"]);
}

#[tokio::test]
async fn the_order_of_columns_is_the_order_of_comparison() {
    let case = || {
        Case::new(DatasetFormat::Parquet).parquet(
            "a.parquet",
            vec![
                ("k", numbers(&[Some(1), Some(1)])),
                ("a", numbers(&[Some(2), Some(10)])),
                ("b", texts(&[Some("z"), Some("y")])),
            ],
        )
    };
    assert_eq!(case().columns(&["#k", "a", "b"]).rows().await, ["1|2|z"]);
    assert_eq!(case().columns(&["b", "a", "#k"]).rows().await, ["y|10|1"]);
}

#[tokio::test]
async fn timestamps_decide_first_and_missing_ones_are_oldest() {
    let case = Case::new(DatasetFormat::Parquet).timestamp("at").parquet(
        "a.parquet",
        vec![
            ("k", texts(&[Some("a"), Some("a"), Some("a"), Some("b"), Some("b")])),
            ("at", numbers(&[Some(5), None, Some(9), None, Some(-3)])),
            ("v", texts(&[Some("1"), Some("0"), Some("2"), Some("0"), Some("1")])),
        ],
    );
    assert_eq!(case.columns(&["#k", "v"]).rows().await, ["a|2", "b|1"]);
}

#[tokio::test]
async fn rows_that_are_equal_throughout_leave_the_first() {
    let mut case = Case::new(DatasetFormat::Parquet)
        .parquet("b.parquet", vec![("k", numbers(&[Some(1)])), ("n", numbers(&[Some(3)]))])
        .parquet(
            "a.parquet",
            vec![("k", numbers(&[Some(1), Some(1)])), ("n", numbers(&[Some(3), Some(3)]))],
        )
        .columns(&["#k"]);
    for threads in [1, 4] {
        case.threads = threads;
        let (rows, counts) = case.run().await.expect("the run succeeds");
        assert_eq!(rows, ["1"]);
        assert_eq!(counts.excluded, [("duplicate".to_owned(), 2)]);
    }
}

#[tokio::test]
async fn rows_without_a_whole_key_lose_to_nobody() {
    let case = Case::new(DatasetFormat::Parquet).parquet(
        "a.parquet",
        vec![
            ("k", texts(&[None, None, Some(""), Some(""), Some("a"), Some("a"), Some("a")])),
            ("l", texts(&[Some("x"), Some("x"), Some("x"), Some("x"), None, None, Some("x")])),
        ],
    );
    let (rows, counts) = case.columns(&["#k", "#l"]).run().await.expect("the run succeeds");
    assert_eq!(rows.len(), 7);
    assert_eq!(counts.excluded, [("duplicate".to_owned(), 0)]);
}

#[tokio::test]
async fn only_rows_that_would_be_sent_compete() {
    let case = Case::new(DatasetFormat::Parquet).parquet(
        "a.parquet",
        vec![
            ("k", texts(&[Some("a"), Some("a"), Some("a")])),
            ("name", texts(&[None, Some("B"), Some("A")])),
            ("member", numbers(&[Some(1), Some(1), Some(0)])),
        ],
    );
    let case = case.rule("member = 1").columns(&["#k", "!name"]);
    let (rows, counts) = case.run().await.expect("the run succeeds");
    assert_eq!(rows, ["a|B"]);
    assert_eq!(counts.excluded, [("missing:name".to_owned(), 1), ("duplicate".to_owned(), 0)]);
}

/// 120,000 records of 40,000 keys in two files.
fn large() -> Case {
    let file = |from: i64| -> Vec<(&'static str, ArrayRef)> {
        let rows = from..from + 60_000;
        let keys = rows.clone().map(|row| format!("key {}", row * 7_919 % 40_000));
        vec![
            ("k", Arc::new(StringArray::from_iter_values(keys)) as ArrayRef),
            ("v", Arc::new(Int64Array::from_iter_values(rows.map(|row| row % 101)))),
            ("row", Arc::new(Int64Array::from_iter_values(from..from + 60_000))),
        ]
    };
    Case::new(DatasetFormat::Parquet).parquet_groups("a.parquet", file(0), 9_999).parquet_groups(
        "b.parquet",
        file(60_000),
        1 << 20,
    )
}

#[tokio::test]
async fn winners_are_those_of_a_plain_computation_even_when_all_spills() {
    let mut best = std::collections::BTreeMap::new();
    for row in 0..120_000_i64 {
        let entry = best.entry(row * 7_919 % 40_000).or_insert((row % 101, row));
        *entry = (*entry).min((row % 101, row));
    }
    let mut expected: Vec<(i64, i64, i64)> =
        best.into_iter().map(|(key, (value, row))| (row, key, value)).collect();
    expected.sort_unstable();
    let expected: Vec<String> =
        expected.iter().map(|(_, key, value)| format!("key {key}|{value}")).collect();
    for (threads, memory_bytes) in [(1, 1 << 30), (2, 1 << 16), (4, 1 << 16)] {
        let mut case = large().columns(&["#k", "v"]);
        (case.threads, case.memory_bytes) = (threads, memory_bytes);
        let (rows, counts) = case.run().await.expect("the run succeeds");
        assert!(rows == expected, "{threads} threads, {memory_bytes} bytes");
        assert_eq!(counts.excluded, [("duplicate".to_owned(), 80_000)]);
    }
}
