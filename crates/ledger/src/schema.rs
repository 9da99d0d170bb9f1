//! The schema and its versions. Versions only go forward; each is one script for each of the two
//! databases, and bringing a ledger up to date is one transaction.

use std::path::Path;

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection as _, SqliteConnection};

use crate::error::{Error, Result};
use crate::place::{Address, Place};
use crate::postgres;
use crate::sql::answered;

/// The scripts for SQLite, in order; the version of a ledger is how many of them it has seen.
pub(crate) const SQLITE: &[&str] = &[
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
    include_str!("../migrations/0011_leases.sql"),
    include_str!("../migrations/0012_lists.sql"),
    include_str!("../migrations/0013_living_owners.sql"),
    include_str!("../migrations/0014_sums_and_acts.sql"),
];

/// The scripts for PostgreSQL. The first makes everything that version 10 has, as no older ledger is in
/// a database; each of the others is the twin of one for SQLite.
pub(crate) const POSTGRES: &[&str] = &[
    include_str!("../migrations/postgres/0010_everything.sql"),
    include_str!("../migrations/postgres/0011_leases.sql"),
    include_str!("../migrations/postgres/0012_lists.sql"),
    include_str!("../migrations/postgres/0013_living_owners.sql"),
    include_str!("../migrations/postgres/0014_sums_and_acts.sql"),
];

/// The version that the first script for PostgreSQL leads to.
const POSTGRES_BEGINS_AT: usize = 10;

/// The version of the tables that this program knows.
pub(crate) const KNOWN: i64 = SQLITE.len() as i64;

const _: () = assert!(
    SQLITE.len() == POSTGRES.len() + POSTGRES_BEGINS_AT - 1,
    "each version has a script for each database"
);

/// Marks the file as a ledger of Segue, in SQLite's header: "Segu".
const APPLICATION_ID: i64 = 0x5365_6775;

/// Brings a ledger in a file up to date.
pub(crate) async fn migrate_file(
    db: &mut SqliteConnection,
    path: &Path,
    scripts: &[&'static str],
) -> Result<()> {
    let mut transaction = db.begin_with("BEGIN IMMEDIATE").await?;
    let known = i64::try_from(scripts.len()).unwrap_or(i64::MAX);
    let found = version_of_file(&mut transaction, path).await?;
    if found > known {
        return Err(Error::NewerSchema { place: path.display().to_string(), found, known });
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

/// Brings a ledger in a database up to date, or makes it.
pub(crate) async fn migrate_database(db: &mut PgConnection, address: &Address) -> Result<()> {
    // Servers that start together wait for each other here.
    let mut transaction = postgres::begin_to_migrate(db, address).await?;
    let found = postgres::version(&mut transaction, address).await?;
    refuse_newer(&Place::Postgres(address.clone()), found.unwrap_or(0))?;
    if found == Some(KNOWN) {
        return answered(transaction.rollback()).await;
    }
    let seen = found.and_then(|found| usize::try_from(found).ok());
    let missing = seen.map_or(0, |found| (found + 1).saturating_sub(POSTGRES_BEGINS_AT));
    for script in &POSTGRES[missing..] {
        answered(sqlx::raw_sql(*script).execute(&mut *transaction)).await?;
    }
    // Whoever writes holds this row, and looks at the version before.
    let mark = sqlx::query("UPDATE ledger SET version = $1").bind(KNOWN).persistent(false);
    answered(mark.execute(&mut *transaction)).await?;
    answered(transaction.commit()).await
}

/// Refuses a ledger that a newer program has written to.
pub(crate) fn refuse_newer(place: &Place, found: i64) -> Result<()> {
    if found > KNOWN {
        return Err(Error::NewerSchema { place: place.to_string(), found, known: KNOWN });
    }
    Ok(())
}

/// The version of a ledger in a file, 0 for an empty file.
pub(crate) async fn version_of_file(db: &mut SqliteConnection, path: &Path) -> Result<i64> {
    let version: i64 = sqlx::query_scalar("PRAGMA user_version").fetch_one(&mut *db).await?;
    let application: i64 = sqlx::query_scalar("PRAGMA application_id").fetch_one(&mut *db).await?;
    let tables: i64 =
        sqlx::query_scalar("SELECT count(*) FROM sqlite_schema").fetch_one(db).await?;
    let is_empty = tables == 0 && version == 0;
    if application != APPLICATION_ID && !is_empty {
        return Err(Error::NotALedger { place: path.display().to_string() });
    }
    Ok(version)
}
