//! One set of statements for two databases.
//!
//! A statement is written once, in the words that SQLite and PostgreSQL share: `?` and `?1` for what is
//! bound, `ON CONFLICT`, `IS NOT DISTINCT FROM`, `CAST(… AS BIGINT)` around sums. What is bound and read
//! is an integer or a text, and nothing else. Here a statement goes to the driver of the database at
//! hand; whatever else differs between the two is in [`crate::open`], [`crate::postgres`] and
//! [`crate::schema`].

use std::borrow::Cow;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{
    AssertSqlSafe, Column as _, ColumnIndex, Database, Postgres, Row as _, Sqlite, TypeInfo as _,
    ValueRef as _,
};

use crate::error::{Error, Result};
use crate::lent::Lent;

/// How long PostgreSQL may take to answer a statement before the connection counts as lost. The server
/// gives up on slow statements earlier; this is for answers that never come.
const ANSWER_MAX: Duration = Duration::from_secs(90);

/// An open transaction of either database; rolled back when it is dropped.
pub(crate) enum Transaction {
    /// With the file, for errors about its disk.
    Sqlite(sqlx::Transaction<'static, Sqlite>, Arc<Path>),
    Postgres(Lent, Statements),
}

/// Whether a connection to PostgreSQL may keep the statements that it was once told. Behind a pooler
/// that lends a connection for one transaction only, the next one does not know them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Statements {
    Kept,
    Forgotten,
}

impl Transaction {
    /// Ends the transaction; what it wrote is durable when this returns.
    pub(crate) async fn commit(self) -> Result<()> {
        match self {
            Self::Sqlite(transaction, file) => {
                transaction.commit().await.map_err(|error| Error::from(error).of_file(&file))
            }
            Self::Postgres(transaction, _) => transaction.commit().await,
        }
    }
}

/// Begins a statement.
pub(crate) fn query(statement: impl Into<Cow<'static, str>>) -> Query {
    Query { statement: statement.into(), values: Vec::new() }
}

/// A statement with what is bound to it so far.
#[must_use]
pub(crate) struct Query {
    statement: Cow<'static, str>,
    values: Vec<Value>,
}

/// What a statement did.
pub(crate) struct Done {
    rows: u64,
}

impl Done {
    pub(crate) fn rows_affected(&self) -> u64 {
        self.rows
    }
}

impl Query {
    pub(crate) fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    pub(crate) async fn execute(self, db: &mut Transaction) -> Result<Done> {
        let rows = match db {
            Transaction::Sqlite(db, file) => {
                let done = self.sqlite().execute(&mut **db).await;
                done.map_err(|error| Error::from(error).of_file(file))?.rows_affected()
            }
            Transaction::Postgres(db, kept) => {
                answered(self.postgres(*kept).execute(&mut **db)).await?.rows_affected()
            }
        };
        Ok(Done { rows })
    }

    pub(crate) async fn fetch_all(self, db: &mut Transaction) -> Result<Vec<Row>> {
        Ok(match db {
            Transaction::Sqlite(db, file) => {
                let rows = self.sqlite().fetch_all(&mut **db).await;
                let rows = rows.map_err(|error| Error::from(error).of_file(file))?;
                rows.into_iter().map(Row::Sqlite).collect()
            }
            Transaction::Postgres(db, kept) => {
                let rows = answered(self.postgres(*kept).fetch_all(&mut **db)).await?;
                rows.into_iter().map(Row::Postgres).collect()
            }
        })
    }

    pub(crate) async fn fetch_optional(self, db: &mut Transaction) -> Result<Option<Row>> {
        Ok(match db {
            Transaction::Sqlite(db, file) => {
                let row = self.sqlite().fetch_optional(&mut **db).await;
                row.map_err(|error| Error::from(error).of_file(file))?.map(Row::Sqlite)
            }
            Transaction::Postgres(db, kept) => {
                answered(self.postgres(*kept).fetch_optional(&mut **db)).await?.map(Row::Postgres)
            }
        })
    }

    /// Reads the one value that the statement is for.
    pub(crate) async fn fetch_value<T: Field>(self, db: &mut Transaction) -> Result<T> {
        let row = self.fetch_optional(db).await?;
        row.ok_or(Error::from(sqlx::Error::RowNotFound))?.cell(0).and_then(T::of)
    }

    fn sqlite(self) -> sqlx::query::Query<'static, Sqlite, <Sqlite as Database>::Arguments> {
        let query = sqlx::query::<Sqlite>(AssertSqlSafe(self.statement.into_owned()));
        self.values.into_iter().fold(query, |query, value| match value {
            Value::Integer(value) => query.bind(value),
            Value::Text(value) => query.bind(value),
        })
    }

    fn postgres(
        self,
        statements: Statements,
    ) -> sqlx::query::Query<'static, Postgres, <Postgres as Database>::Arguments> {
        let query = sqlx::query::<Postgres>(AssertSqlSafe(numbered(&self.statement)))
            .persistent(statements == Statements::Kept);
        self.values.into_iter().fold(query, |query, value| match value {
            Value::Integer(value) => query.bind(value),
            Value::Text(value) => query.bind(value.map(without_nul)),
        })
    }
}

/// Waits for an answer of PostgreSQL, and not for ever.
pub(crate) async fn answered<T>(asked: impl Future<Output = sqlx::Result<T>>) -> Result<T> {
    match tokio::time::timeout(ANSWER_MAX, asked).await {
        // No connection came about, however often it was tried.
        Ok(Err(error @ sqlx::Error::PoolTimedOut)) => Err(Error::Unreachable(error.into())),
        Ok(answer) => Ok(answer?),
        Err(_) => Err(Error::Unreachable("the server does not answer".into())),
    }
}

/// The same statement with PostgreSQL's `$1` in the place of `?` and `?1`; a `?` without a number gets
/// the one behind the largest so far, as SQLite counts.
fn numbered(statement: &str) -> String {
    let mut text = String::with_capacity(statement.len() + 16);
    let mut largest = 0_usize;
    let mut rest = statement.split('?');
    text.push_str(rest.next().unwrap_or_default());
    for part in rest {
        let digits = part.bytes().take_while(u8::is_ascii_digit).count();
        let number = part[..digits].parse().unwrap_or(largest + 1);
        largest = largest.max(number);
        // Writing to a string does not fail.
        let _ = write!(text, "${number}{}", &part[digits..]);
    }
    text
}

/// PostgreSQL keeps no NUL in a text; one can only come from an error message.
fn without_nul(text: String) -> String {
    if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text }
}

/// What is bound to a statement.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Integer(Option<i64>),
    Text(Option<String>),
}

macro_rules! value_from {
    ($variant:ident, $($from:ty => $convert:expr),+ $(,)?) => {
        $(impl From<$from> for Value {
            fn from(value: $from) -> Self {
                let convert: fn($from) -> _ = $convert;
                Self::$variant(convert(value))
            }
        })+
    };
}

value_from! { Integer,
    i64 => Some,
    u32 => |value| Some(i64::from(value)),
    bool => |value| Some(i64::from(value)),
    Option<i64> => |value| value,
    Option<u32> => |value| value.map(i64::from),
}

value_from! { Text,
    &str => |value| Some(value.to_owned()),
    String => Some,
    &String => |value| Some(value.clone()),
    Option<&str> => |value| value.map(str::to_owned),
    Option<String> => |value| value,
    &Option<String> => Clone::clone,
}

/// A row of either database.
pub(crate) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

/// A value of a row.
pub(crate) enum Cell {
    Null,
    Integer(i64),
    Text(String),
}

impl Row {
    /// Reads a column.
    ///
    /// # Errors
    /// `Corrupt` when the column holds something that cannot be.
    pub(crate) fn try_get<T: Field>(&self, column: &str) -> Result<T> {
        self.cell(column).and_then(T::of).map_err(|error| match error {
            Error::Corrupt(cause) => Error::Corrupt(format!("column {column}: {cause}").into()),
            other => other,
        })
    }

    /// The names of the columns, in order.
    pub(crate) fn columns(&self) -> Vec<String> {
        match self {
            Self::Sqlite(row) => row.columns().iter().map(|it| it.name().to_owned()).collect(),
            Self::Postgres(row) => row.columns().iter().map(|it| it.name().to_owned()).collect(),
        }
    }

    pub(crate) fn cell<I: ColumnIndex<SqliteRow> + ColumnIndex<PgRow>>(
        &self,
        column: I,
    ) -> Result<Cell> {
        match self {
            Self::Sqlite(row) => {
                let value = row.try_get_raw(column)?;
                if value.is_null() {
                    return Ok(Cell::Null);
                }
                match value.type_info().name() {
                    "TEXT" => Ok(Cell::Text(decode::<String, Sqlite>(value)?)),
                    _ => Ok(Cell::Integer(decode::<i64, Sqlite>(value)?)),
                }
            }
            Self::Postgres(row) => {
                let value = row.try_get_raw(column)?;
                if value.is_null() {
                    return Ok(Cell::Null);
                }
                match value.type_info().name() {
                    "INT8" => Ok(Cell::Integer(decode::<i64, Postgres>(value)?)),
                    "INT4" => Ok(Cell::Integer(decode::<i32, Postgres>(value)?.into())),
                    "BOOL" => Ok(Cell::Integer(decode::<bool, Postgres>(value)?.into())),
                    _ => Ok(Cell::Text(decode::<String, Postgres>(value)?)),
                }
            }
        }
    }
}

fn decode<'r, T: sqlx::Decode<'r, DB>, DB: Database>(value: DB::ValueRef<'r>) -> Result<T> {
    T::decode(value).map_err(Error::Corrupt)
}

/// What a column can be read as.
pub(crate) trait Field: Sized {
    /// # Errors
    /// `Corrupt` when the cell is no such thing.
    fn of(cell: Cell) -> Result<Self>;
}

impl Field for i64 {
    fn of(cell: Cell) -> Result<Self> {
        match cell {
            Cell::Integer(value) => Ok(value),
            Cell::Text(_) => Err(Error::Corrupt("a text in the place of a number".into())),
            Cell::Null => Err(Error::Corrupt("nothing in the place of a number".into())),
        }
    }
}

impl Field for String {
    fn of(cell: Cell) -> Result<Self> {
        match cell {
            Cell::Text(value) => Ok(value),
            Cell::Integer(_) => Err(Error::Corrupt("a number in the place of a text".into())),
            Cell::Null => Err(Error::Corrupt("nothing in the place of a text".into())),
        }
    }
}

impl Field for u32 {
    fn of(cell: Cell) -> Result<Self> {
        Self::try_from(i64::of(cell)?).map_err(|error| Error::Corrupt(error.into()))
    }
}

impl Field for u64 {
    fn of(cell: Cell) -> Result<Self> {
        Self::try_from(i64::of(cell)?).map_err(|error| Error::Corrupt(error.into()))
    }
}

impl Field for bool {
    fn of(cell: Cell) -> Result<Self> {
        Ok(i64::of(cell)? != 0)
    }
}

impl<T: Field> Field for Option<T> {
    fn of(cell: Cell) -> Result<Self> {
        if let Cell::Null = cell { Ok(None) } else { T::of(cell).map(Some) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_counted_as_sqlite_counts_them() {
        let check = |statement, expected| assert_eq!(numbered(statement), expected);
        check("SELECT 1", "SELECT 1");
        check("a = ? AND b = ?", "a = $1 AND b = $2");
        check("a = ?1 OR b = ?2 OR c = ?1", "a = $1 OR b = $2 OR c = $1");
        check("a = ?, b = ?2 WHERE c = ?3", "a = $1, b = $2 WHERE c = $3");
        check("a = ?5 LIMIT ?", "a = $5 LIMIT $6");
        check("a IN (?, ?12)", "a IN ($1, $12)");
    }

    #[test]
    fn a_nul_is_not_kept() {
        assert_eq!(without_nul("a\0b".to_owned()), "a\u{fffd}b");
        assert_eq!(without_nul("ab".to_owned()), "ab");
    }
}
