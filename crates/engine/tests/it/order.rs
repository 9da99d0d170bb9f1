//! The same rows in the same order, whatever the number of threads.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arrow::array::{ArrayRef, Int64Array, StringArray};
use engine::Error;
use futures::{StreamExt, TryStreamExt};
use plan::project::DatasetFormat;

use crate::support::{CSV, Case, lines};

/// Three files of several row groups, 300,000 records in all, of which one group is cut up.
fn large() -> Case {
    let file = |start: i64, rows: i64| -> Vec<(&'static str, ArrayRef)> {
        let ids = Int64Array::from_iter_values(start..start + rows);
        let names =
            StringArray::from_iter_values((start..start + rows).map(|id| format!("name {id}")));
        vec![("id", Arc::new(ids)), ("name", Arc::new(names))]
    };
    Case::new(DatasetFormat::Parquet)
        .parquet_groups("a.parquet", file(0, 50_000), 7_001)
        .parquet_groups("b.parquet", file(50_000, 200_000), 1 << 20)
        .parquet_groups("c.parquet", file(250_000, 50_000), 40_000)
}

#[tokio::test]
async fn rows_come_in_snapshot_order_for_any_number_of_threads() {
    let expected: Vec<String> =
        (0..300_000).filter(|id| id % 3 != 0).map(|id| format!("{id}|name {id}")).collect();
    for threads in [1, 2, 4] {
        let mut case = large().rule("id % 3 <> 0").columns(&["id", "name"]);
        case.threads = threads;
        let rows = case.rows().await;
        assert!(rows == expected, "{threads} threads: {} rows", rows.len());
    }
}

#[tokio::test]
async fn text_files_come_in_order_too() {
    let mut case = Case::new(CSV).columns(&["id"]);
    for file in 0..9 {
        let rows: Vec<String> = (0..9_000).map(|row| (file * 9_000 + row).to_string()).collect();
        case = case.text(&format!("{file}.csv"), format!("id\n{}\n", rows.join("\n")));
    }
    for threads in [1, 3] {
        case.threads = threads;
        let rows = case.rows().await;
        assert!(rows == (0..81_000).map(|id| id.to_string()).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn work_runs_ahead_only_so_far_and_stops_when_the_stream_is_dropped() {
    let case = large().columns(&["id", "name"]);
    let snapshot = case.pin().await.expect("the files are pinned");
    let rows = case.engine().rows(&case.query, &snapshot).await.expect("the query fits");
    let done = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&done);
    let mut batches = rows.map_ordered(move |batch| {
        counter.fetch_add(1, Ordering::SeqCst);
        Ok::<_, Error>(lines(&batch).len())
    });
    assert!(batches.next().await.is_some_and(|first| first.is_ok()));
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    let ahead = done.load(Ordering::SeqCst);
    assert!(ahead < 70, "{ahead} batches were made for one that was taken");
    drop(batches);
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    let after = done.load(Ordering::SeqCst);
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    assert_eq!(done.load(Ordering::SeqCst), after);
}

#[tokio::test]
async fn errors_of_the_work_end_the_stream() {
    #[derive(Debug)]
    enum Failure {
        Engine,
        Work,
    }
    impl From<Error> for Failure {
        fn from(_: Error) -> Self {
            Self::Engine
        }
    }
    let case = large().columns(&["id"]);
    let snapshot = case.pin().await.expect("the files are pinned");
    for panics in [false, true] {
        let rows = case.engine().rows(&case.query, &snapshot).await.expect("the query fits");
        let outcome = rows
            .map_ordered(
                move |_| if panics { panic!("on purpose") } else { Err::<(), _>(Failure::Work) },
            )
            .try_for_each(|()| std::future::ready(Ok(())))
            .await;
        let as_expected = match outcome {
            Err(Failure::Engine) => panics,
            Err(Failure::Work) => !panics,
            Ok(()) => false,
        };
        assert!(as_expected);
    }
}
