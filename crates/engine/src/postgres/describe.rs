//! What a table or a query gives: columns with their types, and an order of its rows.

use plan::project::{Database, Dataset, Relation};
use plan::schema::FieldType;
use sqlx::postgres::types::Oid;
use sqlx::postgres::{PgConnection, PgTypeKind};
use sqlx::{AssertSqlSafe, Column as _, Executor, Row, SqlSafeStr, Statement};

use super::refusal;
use super::session::Session;
use super::values::Kind as ValueKind;
use crate::error::{Error, Kind};

/// A table or a query, looked at.
#[derive(Debug, Clone)]
pub(super) struct Description {
    /// The table's name, or `query`.
    pub(super) name: String,
    pub(super) columns: Vec<Column>,
    /// What is sent: all rows, cast to types that are known here, in a fixed order.
    pub(super) select: String,
}

/// A column.
#[derive(Debug, Clone)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: ValueKind,
}

/// A table that was found.
struct Table {
    name: String,
    key: Vec<String>,
}

/// Looks at a table or query. Reads no row of it.
pub(super) async fn describe(
    session: &Session,
    database: &Database,
    dataset: &Dataset,
) -> Result<Description, Error> {
    let place = &dataset.location;
    let mut connection = session.connection.lock().await;
    let failed = |error| refusal::of(place, &error);
    // What fails here must not end the transaction, which may be that of other datasets too.
    connection.execute("SAVEPOINT looking").await.map_err(failed)?;
    let described = look(&mut connection, database, dataset).await;
    let end = match described.is_ok() {
        true => "RELEASE SAVEPOINT looking",
        false => "ROLLBACK TO SAVEPOINT looking",
    };
    let ended = connection.execute(end).await.map_err(failed);
    let described = described?;
    ended?;
    Ok(described)
}

async fn look(
    db: &mut PgConnection,
    database: &Database,
    dataset: &Dataset,
) -> Result<Description, Error> {
    let place = &dataset.location;
    let (name, from, key) = match &database.relation {
        Relation::Table(written) => {
            let Table { name, key } = table(db, written, place).await?;
            (name.clone(), name, key)
        }
        // On lines of its own: the query may end with a comment.
        Relation::Query(query) => ("query".to_owned(), format!("(\n{query}\n)"), Vec::new()),
    };
    let found = columns(db, &from, place).await?;
    check_names(&found, dataset)?;
    let mut columns = Vec::with_capacity(found.len());
    let (mut selected, mut sorted) = (Vec::new(), Vec::new());
    for found in found {
        let declared = dataset.declared.iter().find(|(name, _)| *name == found.name);
        let (kind, cast) = match declared {
            Some((_, declared)) => declared_as(declared),
            None => (found.kind.clone(), found.cast),
        };
        let value = format!("q.{}{cast}", quoted(&found.name));
        // Collations differ between servers; bytes do not.
        let collation = if kind.is_text() { " COLLATE \"C\"" } else { "" };
        sorted.push(format!("({value}){collation}"));
        selected.push(value);
        columns.push(Column { name: found.name, kind });
    }
    let order = match key.is_empty() {
        true => sorted.join(", "),
        false => key.iter().map(|name| format!("q.{name}")).collect::<Vec<_>>().join(", "),
    };
    let select = format!("SELECT {} FROM {from} AS q ORDER BY {order}", selected.join(", "));
    // A cast may not be possible, a column may be forbidden: planning tells, without reading a row.
    let plan = AssertSqlSafe(format!("EXPLAIN {select}"));
    db.execute(sqlx::raw_sql(plan)).await.map_err(|error| refusal::of(place, &error))?;
    Ok(Description { name, columns, select })
}

/// A column as the server tells it.
struct Found {
    name: String,
    kind: ValueKind,
    cast: &'static str,
}

async fn columns(db: &mut PgConnection, from: &str, place: &str) -> Result<Vec<Found>, Error> {
    let statement = prepared(db, &format!("SELECT * FROM {from} AS q"), place).await?;
    let mut found = Vec::new();
    for column in statement.columns() {
        let origin = column.relation_id().zip(column.relation_attribute_no());
        let oid = column.type_info().oid().map_or(0, |oid| oid.0);
        let modifier = match origin {
            Some(origin) if matches!(oid, NUMERIC | NUMERICS) => {
                modifier(db, origin, place).await?
            }
            _ => None,
        };
        let is_array = matches!(column.type_info().kind(), PgTypeKind::Array(_));
        let (kind, cast) = match ValueKind::of(oid, modifier) {
            Some(kind) => (kind, ""),
            None if is_array => (ValueKind::List(Box::new(ValueKind::Text)), "::text[]"),
            None => (ValueKind::Text, "::text"),
        };
        found.push(Found { name: column.name().to_owned(), kind, cast });
    }
    Ok(found)
}

const NUMERIC: u32 = 1700;
const NUMERICS: u32 = 1231;

/// How many digits a number may have, as its column declares it.
async fn modifier(
    db: &mut PgConnection,
    (table, column): (Oid, i16),
    place: &str,
) -> Result<Option<i32>, Error> {
    let query = "SELECT atttypmod FROM pg_attribute WHERE attrelid = $1 AND attnum = $2";
    let row = sqlx::query(query).bind(table).bind(column).fetch_optional(db).await;
    let row = row.map_err(|error| refusal::of(place, &error))?;
    let modifier = row.map(|row| row.try_get::<i32, _>(0)).transpose();
    Ok(modifier.map_err(|error| refusal::of(place, &error))?.filter(|modifier| *modifier >= 0))
}

async fn prepared(
    db: &mut PgConnection,
    sql: &str,
    place: &str,
) -> Result<sqlx::postgres::PgStatement, Error> {
    let sql = AssertSqlSafe(sql.to_owned()).into_sql_str();
    db.prepare(sql).await.map_err(|error| refusal::of(place, &error))
}

fn check_names(columns: &[Found], dataset: &Dataset) -> Result<(), Error> {
    let place = &dataset.location;
    let invalid =
        |message: String| Error::new(Kind::Invalid, "database_query", message).in_file(place);
    if columns.is_empty() {
        return Err(invalid("the table or query has no columns".to_owned()));
    }
    let twice = |(number, column): (usize, &Found)| {
        let is_same = |other: &&Found| other.name == column.name;
        columns[..number].iter().find(is_same).map(|it| it.name.clone())
    };
    if let Some(name) = columns.iter().enumerate().find_map(twice) {
        let hint = "Give one of the two another name with `AS`.";
        return Err(invalid(format!("the query names two columns `{name}`")).with_hint(hint));
    }
    for (name, _) in &dataset.declared {
        if columns.iter().any(|column| column.name == *name) {
            continue;
        }
        let error = invalid("a type is declared for a column that is not there".to_owned());
        let error = error.at_field(name);
        let names = columns.iter().map(|column| column.name.as_str());
        return Err(match plan::nearest::nearest(name, names) {
            Some(nearest) => error.with_hint(format!("Did you mean `{nearest}`?")),
            None => error,
        });
    }
    Ok(())
}

/// The type that a declared column is cast to.
fn declared_as(declared: &FieldType) -> (ValueKind, &'static str) {
    match declared {
        FieldType::Boolean => (ValueKind::Boolean, "::boolean"),
        FieldType::Integer => (ValueKind::Int64, "::bigint"),
        FieldType::Float => (ValueKind::Float64, "::double precision"),
        FieldType::Decimal => (ValueKind::Decimal(38, 10), "::numeric(38,10)"),
        FieldType::Date => (ValueKind::Date, "::date"),
        FieldType::Time => (ValueKind::Time, "::time"),
        FieldType::Timestamp => (ValueKind::TimestampUtc, "::timestamptz"),
        _ => (ValueKind::Text, "::text"),
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Finds a table or view and its primary key.
async fn table(db: &mut PgConnection, written: &str, place: &str) -> Result<Table, Error> {
    let refused = |error| refusal::of(place, &error);
    // Children of an inherited table do not share its key.
    let query = "SELECT c.oid, quote_ident(n.nspname) || '.' || quote_ident(c.relname),
          NOT (c.relhassubclass AND c.relkind = 'r')
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.oid = to_regclass($1) AND c.relkind IN ('r', 'v', 'm', 'f', 'p')";
    let row = sqlx::query(query).bind(written).fetch_optional(&mut *db).await.map_err(refused)?;
    let Some(row) = row else { return Err(unknown(db, written, place).await) };
    let id: Oid = row.try_get(0).map_err(refused)?;
    let name: String = row.try_get(1).map_err(refused)?;
    let has_own_key: bool = row.try_get(2).map_err(refused)?;
    let mut key = Vec::new();
    if has_own_key {
        let query = "SELECT quote_ident(a.attname) FROM pg_index i
            CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k(number, position)
            JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
            WHERE i.indrelid = $1 AND i.indisprimary ORDER BY k.position";
        let rows = sqlx::query(query).bind(id).fetch_all(&mut *db).await.map_err(refused)?;
        for row in rows {
            key.push(row.try_get::<String, _>(0).map_err(refused)?);
        }
    }
    Ok(Table { name, key })
}

/// A table that there is not, with the nearest that there is.
async fn unknown(db: &mut PgConnection, written: &str, place: &str) -> Error {
    let message = format!("the database has no table or view `{written}`");
    let error = Error::new(Kind::NotFound, "database_table", message).in_file(place);
    let query = "SELECT form FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        CROSS JOIN LATERAL (VALUES
          (CASE WHEN pg_table_is_visible(c.oid) THEN quote_ident(c.relname) END),
          (quote_ident(n.nspname) || '.' || quote_ident(c.relname))) AS f(form)
        WHERE c.relkind IN ('r', 'v', 'm', 'f', 'p') AND form IS NOT NULL
          AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
        ORDER BY 1 LIMIT 10000";
    let rows = sqlx::query(query).fetch_all(db).await.unwrap_or_default();
    let names: Vec<String> = rows.iter().filter_map(|row| row.try_get(0).ok()).collect();
    match plan::nearest::nearest(written, names.iter().map(String::as_str)) {
        Some(nearest) => error.with_hint(format!("Did you mean `{nearest}`?")),
        None => error.with_hint("Write it as in SQL, with its schema: `crm.customers`."),
    }
}
