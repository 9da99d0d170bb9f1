use super::*;

const DAY: Duration = Duration::from_secs(24 * 3_600);

#[tokio::test]
async fn records_are_removed_when_their_time_is_over() {
    let folder = tempfile::tempdir().expect("a folder");
    let ledger = Ledger::open(&folder.path().join("ledger.sqlite")).await.expect("a ledger");
    let records = folder.path().join("who-got");
    std::fs::create_dir(&records).expect("a folder");
    let now = SystemTime::UNIX_EPOCH + DAY * 20_000;
    let ages = [
        (format!("{}.1.parquet", Uuid::from_u128(1)), 399),
        (format!("{}.1.parquet", Uuid::from_u128(2)), 401),
        // The ledger does not know this run: nothing can be said of it.
        (format!("{}.1.parquet", Uuid::from_u128(3)), 2),
        (format!("{}abc", engine::PARTIAL_PREFIX), 0),
        (format!("{}def", engine::PARTIAL_PREFIX), 2),
        ("notes.txt".to_owned(), 1_000),
    ];
    for (name, days) in &ages {
        let file = std::fs::File::create(records.join(name)).expect("a file");
        file.set_modified(now - DAY * *days).expect("a time");
    }
    let kept = SignedDuration::from_hours(24 * 400);
    sweep(&records, kept, &ledger, now).await.expect("it sweeps");
    let there: Vec<bool> = ages.iter().map(|(name, _)| records.join(name).exists()).collect();
    assert_eq!(there, [true, false, true, true, false, true]);
    sweep(Path::new("/nowhere/at/all"), kept, &ledger, now).await.expect("there is nothing");
}
