//! The file itself: who may open it, read it, and write to it.

use std::path::Path;

use ledger::{Error, Kind, Ledger};
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};

use crate::fixture::{Fixture, at, dated, path_in, stop};

async fn raw(path: &Path) -> SqliteConnection {
    sqlx::sqlite::SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .connect()
        .await
        .unwrap()
}

#[cfg(unix)]
#[tokio::test]
async fn only_its_owner_can_read_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/state/ledger.sqlite");
    let ledger = Ledger::open(&path).await.unwrap();
    let _ = ledger.unfinished().await.unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    for entry in std::fs::read_dir(path.parent().unwrap()).unwrap() {
        let entry = entry.unwrap().path();
        assert_eq!(mode(&entry), 0o600, "{}", entry.display());
    }
}

#[tokio::test]
async fn one_process_at_a_time() {
    let fixture = Fixture::new().await;
    let path = path_in(fixture.folder.path());
    let error = Ledger::open(&path).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Locked);
    assert!(
        matches!(error, Error::Locked { owner: Some(pid), .. } if pid == std::process::id()),
        "{error:?}"
    );
    let clone = fixture.ledger.clone();
    drop(fixture.ledger);
    assert_eq!(
        Ledger::open(&path).await.unwrap_err().kind(),
        Kind::Locked,
        "a clone holds it still"
    );
    drop(clone);
    Ledger::open(&path).await.unwrap();
}

#[tokio::test]
async fn readers_see_what_is_written_and_change_nothing() {
    let fixture = Fixture::new().await;
    let path = path_in(fixture.folder.path());
    let reader = Ledger::open_read_only(&path).await.unwrap().unwrap();
    assert_eq!(reader.unfinished().await.unwrap(), []);
    let claim = fixture.claim(&dated(1), at(0)).await;
    assert_eq!(reader.unfinished().await.unwrap().len(), 1);
    let error = reader.fail(&claim, &stop(), at(1)).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Io, "{error:?}");
    assert_eq!(reader.unfinished().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_reader_needs_no_writer_and_creates_no_ledger() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state/ledger.sqlite");
    assert!(Ledger::open_read_only(&path).await.unwrap().is_none());
    assert!(!path.parent().unwrap().exists());
    let ledger = Ledger::open(&path).await.unwrap();
    ledger.close().await;
    let before = std::fs::read(&path).unwrap();
    let reader = Ledger::open_read_only(&path).await.unwrap().unwrap();
    assert_eq!(reader.unfinished().await.unwrap(), []);
    reader.close().await;
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[tokio::test]
async fn a_ledger_of_a_newer_version_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = path_in(folder.path());
    Ledger::open(&path).await.unwrap().close().await;
    let mut db = raw(&path).await;
    sqlx::raw_sql("PRAGMA user_version = 99").execute(&mut db).await.unwrap();
    db.close().await.unwrap();
    let error = Ledger::open(&path).await.unwrap_err();
    assert!(matches!(error, Error::NewerSchema { found: 99, .. }), "{error:?}");
    assert!(error.to_string().contains("has schema 99, and this version knows only "), "{error}");
    assert_eq!(error.hint(), Some("Use the version of Segue that wrote it, or a newer one."));
    let error = Ledger::open_read_only(&path).await.unwrap_err();
    assert_eq!(error.kind(), Kind::NewerSchema);
}

#[tokio::test]
async fn another_database_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = path_in(folder.path());
    let mut db = raw(&path).await;
    sqlx::raw_sql("CREATE TABLE notes (text TEXT)").execute(&mut db).await.unwrap();
    db.close().await.unwrap();
    let error = Ledger::open(&path).await.unwrap_err();
    assert!(matches!(error, Error::NotALedger { .. }), "{error:?}");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_corrupt() {
    let folder = tempfile::tempdir().unwrap();
    let path = path_in(folder.path());
    std::fs::write(&path, "not a database, but long enough to be taken for one. ".repeat(100))
        .unwrap();
    let error = Ledger::open(&path).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Corrupt, "{error:?}");
    assert!(error.hint().unwrap().contains("backup"));
}

#[tokio::test]
async fn a_damaged_value_is_named() {
    let fixture = Fixture::new().await;
    let new = dated(1);
    fixture.commit(&new, 1).await;
    fixture.tamper("UPDATE objects SET parts = '[{]'").await.unwrap();
    let error = fixture.ledger.take_over(new.run_id, at(5)).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Corrupt, "{error:?}");
    let record = fixture.ledger.run(new.run_id).await.unwrap().unwrap().run;
    assert_eq!(record.epoch, 1, "a claim that cannot be read is not made");
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_named() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("state"), "a file").unwrap();
    let error = Ledger::open(&folder.path().join("state/ledger.sqlite")).await.unwrap_err();
    assert!(
        matches!(&error, Error::File { act: "create", path, .. } if path.ends_with("state")),
        "{error:?}"
    );
}

/// Every column there is. A new one has to be looked at here: none may hold a value of a profile.
#[tokio::test]
async fn the_schema_holds_no_row_values() {
    let fixture = Fixture::new().await;
    let mut db = raw(&path_in(fixture.folder.path())).await;
    let tables: Vec<(String, String)> = sqlx::query_as(
        "SELECT tables.name, group_concat(columns.name, ' ')
         FROM sqlite_schema AS tables, pragma_table_info(tables.name) AS columns
         WHERE tables.type = 'table' AND tables.name NOT LIKE 'sqlite_%' GROUP BY tables.name ORDER BY tables.name",
    )
    .fetch_all(&mut db)
    .await
    .unwrap();
    let text: Vec<_> =
        tables.iter().map(|(table, columns)| format!("{table}: {columns}")).collect();
    insta::assert_snapshot!(text.join("\n"), @r"
    acts_begun: id owner begun actor address action object
    alert_sendings: number channel attempts next_attempt sent
    alerts: number id at kind activation segment slot run_id code message
    answered_requests: actor request digest answer at
    audit: number at actor address action object outcome previous digest
    baselines: activation segment run_id slot
    current_objects: store key run_id slot etag
    definition_changes: last
    definitions: section key definition made revision created creator changed changer
    disabled_activations: activation since actor
    duties: name owner lease_until
    exclusions: run_id position reason profiles
    exports: activation segment decided_through
    holds: run_id row_count cause held decision decided actor reason
    inputs: run_id position location bytes version row_count
    objects: run_id position kind number key upload_id token parts bytes row_count sha256 crc64nvme condition_etag etag version_id verification published replaced
    reserved_keys: store key run_id
    restores: taken restored settled
    runs: run_id slot activation segment segment_id destination store bucket stem is_static state epoch first_claimed claimed updated committed finished received activated stop_code stop_message export members added changed removed compared_with owner lease_until staged_epoch file_count file_rows file_bytes
    sessions: digest name guard created last_seen
    setup_links: digest expires owner
    slots: activation segment slot first_slot slot_count destination origin actor state reason message run_id planned began finished not_before attempts starts owner epoch lease_until counted_from
    tokens: id digest name role created creator expires last_used
    uploads: intent run_id epoch number key token upload_id intended
    users: name role password created changed
    ");
}
