//! What cannot be seen from outside: settings of the connection, a full disk, later schemas.

use std::path::Path;

use jiff::Timestamp;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteConnectOptions;
use uuid::Uuid;

use super::*;
use crate::claim::Claimed;
use crate::error::Kind;
use crate::run::{NewRun, SnapshotInput};

async fn open_in(folder: &Path) -> Ledger {
    Ledger::open(&folder.join("ledger.sqlite")).await.expect("a new ledger opens")
}

async fn pragma(ledger: &Ledger, statement: &'static str) -> String {
    let mut db =
        ledger.file().expect("it is a file").acquire().await.expect("the connection is free");
    let value: sqlx::sqlite::SqliteRow =
        sqlx::query(statement).fetch_one(&mut *db).await.expect("a pragma has a value");
    let number: std::result::Result<i64, _> = sqlx::Row::try_get(&value, 0);
    number.map_or_else(|_| sqlx::Row::get(&value, 0), |number| number.to_string())
}

fn new_run(number: u128) -> NewRun {
    NewRun {
        run_id: Uuid::from_u128(number),
        slot: Timestamp::UNIX_EPOCH,
        activation: "daily".to_owned(),
        segment: "luxury".to_owned(),
        segment_id: Uuid::nil(),
        destination: "partner".to_owned(),
        store: "store".to_owned(),
        bucket: "bucket".to_owned(),
        stem: format!("stem-{number}"),
        keys: vec![format!("stem-{number}.csv")],
        export: plan::project::Export::Full,
        is_static: false,
    }
}

#[tokio::test]
async fn every_commit_is_synchronised() {
    let folder = tempfile::tempdir().expect("a folder");
    let ledger = open_in(folder.path()).await;
    assert_eq!(pragma(&ledger, "PRAGMA synchronous").await, "2", "2 is FULL");
    assert_eq!(pragma(&ledger, "PRAGMA journal_mode").await, "wal");
    assert_eq!(pragma(&ledger, "PRAGMA foreign_keys").await, "1");
    assert_eq!(pragma(&ledger, "PRAGMA busy_timeout").await, "10000");
}

#[tokio::test]
async fn a_full_disk_is_recognised_and_passes() {
    let folder = tempfile::tempdir().expect("a folder");
    let ledger = open_in(folder.path()).await;
    let Claimed::Run(claim) =
        ledger.claim(&new_run(1), Timestamp::UNIX_EPOCH).await.expect("a claim")
    else {
        panic!("the run is new");
    };
    let pages: i64 = pragma(&ledger, "PRAGMA page_count").await.parse().expect("a number");
    set_pages_max(&ledger, pages + 1).await;
    let input = SnapshotInput {
        location: "x".repeat(100_000),
        bytes: 1,
        version: String::new(),
        rows: None,
    };
    let pin = || ledger.pin_snapshot(&claim, std::slice::from_ref(&input), Timestamp::UNIX_EPOCH);
    let error = pin().await.expect_err("there is no room for the input");
    assert_eq!(error.kind(), Kind::Full, "{error:?}");
    let file = folder.path().join("ledger.sqlite");
    let told = format!("the disk that holds the ledger {} is full", file.display());
    assert_eq!(error.to_string(), told);
    let record = ledger.unfinished().await.expect("reading works").remove(0);
    assert_eq!(record.state, crate::run::RunState::Claimed, "nothing of the step is left");
    set_pages_max(&ledger, pages + 1_000).await;
    pin().await.expect("there is room again");
}

async fn set_pages_max(ledger: &Ledger, pages: i64) {
    let mut db =
        ledger.file().expect("it is a file").acquire().await.expect("the connection is free");
    let statement = format!("PRAGMA max_page_count = {pages}");
    sqlx::raw_sql(sqlx::AssertSqlSafe(statement))
        .execute(&mut *db)
        .await
        .expect("the bound is set");
}

#[tokio::test]
async fn nothing_is_written_after_a_failed_synchronisation() {
    let folder = tempfile::tempdir().expect("a folder");
    let ledger = open_in(folder.path()).await;
    ledger.inner.stopped.store(true, Ordering::Release);
    let error = ledger
        .claim(&new_run(1), Timestamp::UNIX_EPOCH)
        .await
        .expect_err("it takes no more writes");
    assert!(matches!(error, Error::Stopped), "{error:?}");
    assert_eq!(ledger.unfinished().await.expect("reading works"), []);
}

/// A ledger as version 1 wrote it, with one run delivered and one committed.
const VERSION_1: &str = include_str!("../../tests/fixtures/version_1.sql");

async fn version_1(path: &Path) {
    let mut db = raw(path).await;
    sqlx::raw_sql(VERSION_1).execute(&mut db).await.expect("the fixture is SQL");
    sqlx::Connection::close(db).await.expect("it closes");
}

async fn raw(path: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
    sqlx::ConnectOptions::connect(&options).await.expect("the file opens")
}

#[tokio::test]
async fn a_ledger_of_version_1_is_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("ledger.sqlite");
    version_1(&path).await;
    let ledger = Ledger::open(&path).await.expect("it is brought up to date");
    let baseline = ledger
        .last_delivered("daily", "luxury")
        .await
        .expect("it is there")
        .expect("one run is delivered");
    assert_eq!((baseline.run_id, baseline.rows), (Uuid::from_u128(1), 100));
    let unfinished = ledger.unfinished().await.expect("it is there");
    assert_eq!(unfinished.len(), 1);
    let claim =
        ledger.take_over(unfinished[0].run_id, Timestamp::UNIX_EPOCH).await.expect("it goes on");
    assert_eq!((claim.commit.len(), claim.uploads.len()), (2, 1));
    assert_eq!(claim.commit[0].staged.parts[0].bytes, 1_000);
}

#[tokio::test]
async fn later_schemas_are_applied_in_order_and_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("ledger.sqlite");
    version_1(&path).await;
    let mut db = raw(&path).await;
    let scripts =
        [schema::SQLITE[0], "ALTER TABLE runs ADD COLUMN note TEXT; UPDATE runs SET note = 'kept'"];
    let broken = [
        scripts[0],
        scripts[1],
        "CREATE TABLE more (id INTEGER) STRICT; SELECT nothing FROM nowhere",
    ];
    schema::migrate_file(&mut db, &path, &broken).await.expect_err("the third script is broken");
    assert_eq!(version(&mut db).await, 1, "all or nothing");
    schema::migrate_file(&mut db, &path, &scripts).await.expect("both scripts are good");
    assert_eq!(version(&mut db).await, 2);
    let notes: i64 = sqlx::query_scalar("SELECT count(*) FROM runs WHERE note = 'kept'")
        .fetch_one(&mut db)
        .await
        .expect("the column is there");
    assert_eq!(notes, 2);
    schema::migrate_file(&mut db, &path, &scripts).await.expect("there is nothing to do");
    let error = schema::migrate_file(&mut db, &path, &schema::SQLITE[..1])
        .await
        .expect_err("the ledger is newer");
    assert!(matches!(error, Error::NewerSchema { found: 2, known: 1, .. }), "{error:?}");
}

async fn version(db: &mut SqliteConnection) -> i64 {
    sqlx::query_scalar("PRAGMA user_version").fetch_one(db).await.expect("a pragma has a value")
}

#[tokio::test]
async fn a_reader_does_not_bring_an_old_ledger_up_to_date() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("ledger.sqlite");
    version_1(&path).await;
    let mut db = raw(&path).await;
    sqlx::raw_sql("PRAGMA user_version = 0").execute(&mut db).await.expect("it is set");
    let error = Ledger::open_read_only(&path).await.expect_err("it is too old");
    assert_eq!(error.kind(), Kind::NewerSchema);
    assert!(matches!(error, Error::OlderSchema { found: 0, .. }), "{error:?}");
}
