//! The schema and its versions. Versions only go forward; each is one script and one transaction.

use std::path::Path;

use sqlx::{AssertSqlSafe, Connection as _, SqliteConnection};

use crate::error::{Error, Result};

/// The scripts, in order; the version of a ledger is how many of them it has seen.
pub(crate) const MIGRATIONS: &[&str] = &[
    include_str!("../migrations/0001_runs.sql"),
    include_str!("../migrations/0002_movement.sql"),
    include_str!("../migrations/0003_slots.sql"),
    include_str!("../migrations/0004_access.sql"),
    include_str!("../migrations/0005_alerts.sql"),
    include_str!("../migrations/0006_definitions.sql"),
    include_str!("../migrations/0007_replaced.sql"),
    include_str!("../migrations/0008_holds.sql"),
    include_str!("../migrations/0009_restores.sql"),
    include_str!("../migrations/0010_alert_sendings.sql"),
];

/// Marks the file as a ledger of Segue, in SQLite's header: "Segu".
const APPLICATION_ID: i64 = 0x5365_6775;

/// Brings a ledger up to date.
pub(crate) async fn migrate(
    db: &mut SqliteConnection,
    path: &Path,
    scripts: &[&'static str],
) -> Result<()> {
    let mut transaction = db.begin_with("BEGIN IMMEDIATE").await?;
    let known = version_of(scripts);
    let found = version(&mut transaction, path).await?;
    if found > known {
        return Err(Error::NewerSchema { path: path.to_owned(), found, known });
    }
    if found == known {
        return Ok(());
    }
    let missing = usize::try_from(found).unwrap_or_default();
    for script in &scripts[missing..] {
        sqlx::raw_sql(*script).execute(&mut *transaction).await?;
    }
    let marks = format!("PRAGMA user_version = {known}; PRAGMA application_id = {APPLICATION_ID}");
    sqlx::raw_sql(AssertSqlSafe(marks)).execute(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(())
}

/// Checks that a ledger is of the version that this program reads.
pub(crate) async fn check(db: &mut SqliteConnection, path: &Path) -> Result<()> {
    let known = version_of(MIGRATIONS);
    let found = version(db, path).await?;
    match found.cmp(&known) {
        std::cmp::Ordering::Equal => Ok(()),
        std::cmp::Ordering::Less => Err(Error::OlderSchema { path: path.to_owned(), found, known }),
        std::cmp::Ordering::Greater => {
            Err(Error::NewerSchema { path: path.to_owned(), found, known })
        }
    }
}

/// Checks that a ledger was not written by a newer program. One that has to be brought up to date first
/// is let through.
pub(crate) async fn refuse_newer(db: &mut SqliteConnection, path: &Path) -> Result<()> {
    match check(db, path).await {
        Err(Error::OlderSchema { .. }) => Ok(()),
        checked => checked,
    }
}

fn version_of(scripts: &[&str]) -> i64 {
    i64::try_from(scripts.len()).unwrap_or(i64::MAX)
}

/// The version of a ledger, 0 for an empty file.
async fn version(db: &mut SqliteConnection, path: &Path) -> Result<i64> {
    let version: i64 = sqlx::query_scalar("PRAGMA user_version").fetch_one(&mut *db).await?;
    let application: i64 = sqlx::query_scalar("PRAGMA application_id").fetch_one(&mut *db).await?;
    let tables: i64 =
        sqlx::query_scalar("SELECT count(*) FROM sqlite_schema").fetch_one(db).await?;
    let is_empty = tables == 0 && version == 0;
    if application != APPLICATION_ID && !is_empty {
        return Err(Error::NotALedger { path: path.to_owned() });
    }
    Ok(version)
}
