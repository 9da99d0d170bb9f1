//! All rows of one ledger into another, whichever databases the two are in.

use futures::TryStreamExt as _;
use sqlx::{AssertSqlSafe, Executor as _};

use crate::error::{Error, Result};
use crate::place::Place;
use crate::sql::{Cell, Row, Transaction, query};

/// Every table with rows of its own, those first that others refer to.
const TABLES: [&str; 25] = [
    "runs",
    "inputs",
    "exclusions",
    "uploads",
    "objects",
    "reserved_keys",
    "current_objects",
    "baselines",
    "exports",
    "disabled_activations",
    "slots",
    "users",
    "tokens",
    "sessions",
    "setup_links",
    "answered_requests",
    "audit",
    "acts_begun",
    "alerts",
    "alert_sendings",
    "definitions",
    "definition_changes",
    "holds",
    "restores",
    "duties",
];

/// Columns whose numbers the database draws by itself.
const NUMBERED: [(&str, &str); 2] = [("uploads", "intent"), ("alerts", "number")];

/// Copies every row.
///
/// # Errors
/// `NotEmpty` when somebody has written to the target.
pub(crate) async fn copy_all(
    from: &mut Transaction,
    to: &mut Transaction,
    place: &Place,
) -> Result<()> {
    for table in TABLES.into_iter().filter(|table| *table != "definition_changes") {
        let is_filled = query(format!("SELECT EXISTS (SELECT 1 FROM {table})"));
        if is_filled.fetch_value(to).await? {
            return Err(Error::NotEmpty { place: place.to_string() });
        }
    }
    // A run may refer to one that stands behind it.
    match to {
        Transaction::Sqlite(db, _) => {
            db.execute("PRAGMA defer_foreign_keys = ON").await?;
        }
        Transaction::Postgres(db, _) => {
            db.execute("SET CONSTRAINTS ALL DEFERRED").await?;
        }
    }
    // A new ledger has one row there.
    query("DELETE FROM definition_changes").execute(to).await?;
    for table in TABLES {
        copy(from, to, table).await?;
    }
    if let Transaction::Postgres(..) = to {
        for (table, column) in NUMBERED {
            // The next number is drawn behind the largest one.
            query(format!(
                "SELECT setval(pg_get_serial_sequence('{table}', '{column}'),
                     coalesce(max({column}), 0) + 1, false) FROM {table}"
            ))
            .fetch_value::<i64>(to)
            .await?;
        }
    }
    Ok(())
}

/// Copies a table, a row at a time as they come.
async fn copy(from: &mut Transaction, to: &mut Transaction, table: &str) -> Result<()> {
    let select = AssertSqlSafe(format!("SELECT * FROM {table}"));
    match from {
        Transaction::Sqlite(db, _) => {
            let mut rows = sqlx::query(select).fetch(&mut **db);
            while let Some(row) = rows.try_next().await? {
                insert(to, table, &Row::Sqlite(row)).await?;
            }
        }
        Transaction::Postgres(db, _) => {
            let mut rows = sqlx::query(select).persistent(false).fetch(&mut **db);
            while let Some(row) = rows.try_next().await? {
                insert(to, table, &Row::Postgres(row)).await?;
            }
        }
    }
    Ok(())
}

/// Inserts a row. Columns that hold nothing are left out: a nothing that is bound would need a type.
async fn insert(to: &mut Transaction, table: &str, row: &Row) -> Result<()> {
    let mut names = Vec::new();
    let mut values: Vec<crate::sql::Value> = Vec::new();
    for name in row.columns() {
        match row.cell(name.as_str())? {
            Cell::Null => continue,
            Cell::Integer(value) => values.push(value.into()),
            Cell::Text(value) => values.push(value.into()),
        }
        names.push(name);
    }
    let places = vec!["?"; names.len()].join(", ");
    let statement = format!("INSERT INTO {table} ({}) VALUES ({places})", names.join(", "));
    let insert = values.into_iter().fold(query(statement), crate::sql::Query::bind);
    insert.execute(to).await?;
    Ok(())
}
