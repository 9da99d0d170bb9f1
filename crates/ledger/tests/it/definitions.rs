//! Definitions: all changes or none, each with a revision of its own.

use ledger::{DefinitionChange, Ledger, definitions_in};
use sqlx::{ConnectOptions as _, Connection as _};

use crate::fixture::{Fixture, at, path_in};

fn put(key: &str, text: &str) -> DefinitionChange {
    DefinitionChange::Put { section: "segments".into(), key: key.into(), text: text.into() }
}

fn remove(key: &str) -> DefinitionChange {
    DefinitionChange::Remove { section: "segments".into(), key: key.into() }
}

async fn told(ledger: &Ledger) -> String {
    let found = ledger.definitions().await.unwrap();
    let one = |it: &ledger::Definition| {
        format!(
            "{}/{} {} r{} {}>{}",
            it.section, it.key, it.text, it.revision, it.creator, it.changer
        )
    };
    let items: Vec<String> = found.items.iter().map(one).collect();
    format!("{} at {}", items.join(", "), found.revision)
}

#[tokio::test]
async fn definitions_keep_their_order_and_never_share_a_revision() {
    let fixture = Fixture::new().await;
    let ledger = &fixture.ledger;
    assert_eq!(told(ledger).await, " at 0");
    let revision = ledger.define(&[put("b", "1"), put("a", "2")], 0, "ann", at(1)).await.unwrap();
    assert_eq!(revision, Some(2));
    assert_eq!(ledger.define(&[put("b", "3")], 2, "bob", at(2)).await.unwrap(), Some(3));
    assert_eq!(told(ledger).await, "segments/b 3 r3 ann>bob, segments/a 2 r2 ann>ann at 3");
    assert_eq!(ledger.define(&[remove("b")], 3, "bob", at(3)).await.unwrap(), Some(4));
    assert_eq!(ledger.define(&[put("b", "1")], 4, "bob", at(4)).await.unwrap(), Some(5));
    assert_eq!(told(ledger).await, "segments/a 2 r2 ann>ann, segments/b 1 r5 bob>bob at 5");
}

#[tokio::test]
async fn who_did_not_see_the_last_change_changes_nothing() {
    let fixture = Fixture::new().await;
    let ledger = &fixture.ledger;
    ledger.define(&[put("a", "1")], 0, "ann", at(1)).await.unwrap();
    assert_eq!(ledger.define(&[put("a", "2")], 0, "bob", at(2)).await.unwrap(), None);
    let wrong =
        DefinitionChange::Put { section: "people".into(), key: "x".into(), text: "1".into() };
    ledger.define(&[put("b", "1"), wrong], 1, "bob", at(3)).await.unwrap_err();
    assert_eq!(told(ledger).await, "segments/a 1 r1 ann>ann at 1", "all or none");
}

#[tokio::test]
async fn definitions_are_read_beside_a_writer_and_of_older_ledgers_there_are_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = path_in(folder.path());
    assert_eq!(definitions_in(&path).await.unwrap().items, []);
    assert!(!path.exists());
    let fixture = Fixture::new().await;
    fixture.ledger.define(&[put("a", "1")], 0, "ann", at(1)).await.unwrap();
    let found = definitions_in(&path_in(fixture.folder.path())).await.unwrap();
    assert_eq!((found.items.len(), found.revision), (1, 1));
    let mut db = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(&path)
        .create_if_missing(true)
        .connect()
        .await
        .unwrap();
    sqlx::raw_sql(include_str!("../fixtures/version_1.sql")).execute(&mut db).await.unwrap();
    db.close().await.unwrap();
    assert_eq!(definitions_in(&path).await.unwrap().items, []);
}

crate::fixture::also_on_postgres![
    definitions_keep_their_order_and_never_share_a_revision,
    who_did_not_see_the_last_change_changes_nothing,
];
