//! The ledger in a PostgreSQL database: signing in, and what each connection is set to.

use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgConnection, PgPool, PgPoolOptions, Postgres};
use sqlx::{AssertSqlSafe, Connection as _};

use crate::error::{Error, Kind, Result};
use crate::place::Address;
use crate::sql::{Statements, answered};

/// How long a server may take to answer the first time.
const CONNECT_MAX: Duration = Duration::from_secs(30);
/// How long a step waits for a connection: while a server starts again, steps wait so long.
const ACQUIRE_MAX: Duration = Duration::from_secs(20);
/// Reads of one process that go on at once, and its one write.
const CONNECTIONS_MAX: u32 = 8;

/// What a ledger is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    Write,
    Read,
}

/// How transactions begin: with what holds for each of them and for nothing else. A connection may be
/// lent for one transaction only, by a pooler, and go to others behind it; so nothing is ever set for
/// longer, and nothing that was set earlier is relied on.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) read: Arc<str>,
    pub(crate) write: Arc<str>,
    pub(crate) statements: Statements,
}

impl Frame {
    pub(crate) fn of(address: &Address, purpose: Use) -> Self {
        let write = match purpose {
            Use::Write => "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE",
            Use::Read => "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY",
        };
        Self {
            read: begin("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", address).into(),
            write: begin(write, address).into(),
            statements: address.statements,
        }
    }
}

/// One message to the server. A process that is stopped in the middle of a write would keep all others
/// waiting; the server ends its transaction after a while.
fn begin(begin: &str, address: &Address) -> String {
    // The name was checked to be a plain one.
    let schema = &address.schema;
    format!(
        "{begin}; SET LOCAL search_path = {schema}; SET LOCAL lock_timeout = '30s';
         SET LOCAL statement_timeout = '60s'; SET LOCAL idle_in_transaction_session_timeout = '10s'"
    )
}

/// Takes the lock under which one process at a time writes, and returns the version of the tables. A
/// commit that returned is on disk from then on, whatever the server's default says.
pub(crate) const LOCK: &str = "SELECT version, set_config('synchronous_commit',
        CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on'
            ELSE current_setting('synchronous_commit') END, true)
    FROM ledger FOR UPDATE";

/// Signs in once, so that what is in the way is told at once and by its name.
pub(crate) async fn sign_in(address: &Address) -> Result<PgConnection> {
    let connecting = PgConnection::connect_with(&address.options);
    match tokio::time::timeout(CONNECT_MAX, connecting).await {
        Ok(Ok(connection)) => Ok(connection),
        Ok(Err(error)) => Err(unopened(address, &error)),
        Err(_) => Err(unreachable(address, "it does not answer")),
    }
}

/// Takes leave of the server. Who only hangs up makes it, and a pooler before it, give up a connection
/// that others could have used.
pub(crate) async fn sign_out(connection: PgConnection) {
    // What it was for is done.
    let _ = answered(connection.close()).await;
}

/// Connections to the database, each made when it is needed.
pub(crate) fn pool(address: &Address) -> PgPool {
    PgPoolOptions::new()
        .max_connections(CONNECTIONS_MAX)
        .acquire_timeout(ACQUIRE_MAX)
        .connect_lazy_with((*address.options).clone())
}

/// Begins to look around: also behind a pooler all of it is asked of one connection.
pub(crate) async fn begin_to_look<'a>(
    connection: &'a mut PgConnection,
    address: &Address,
) -> Result<sqlx::Transaction<'a, Postgres>> {
    let begin = AssertSqlSafe(begin("BEGIN READ ONLY", address));
    answered(connection.begin_with(begin)).await
}

/// The schema version of the ledger, `None` when there is no ledger in the schema yet.
///
/// # Errors
/// `NotALedger` when there are other tables.
pub(crate) async fn version(db: &mut PgConnection, address: &Address) -> Result<Option<i64>> {
    let tables: Vec<String> = answered(
        sqlx::query_scalar(
            "SELECT tablename::text FROM pg_catalog.pg_tables WHERE schemaname = $1",
        )
        .bind(&address.schema)
        .persistent(false)
        .fetch_all(&mut *db),
    )
    .await?;
    if tables.is_empty() {
        return Ok(None);
    }
    if !tables.iter().any(|table| table == "ledger") {
        return Err(Error::NotALedger { place: address.to_string() });
    }
    // The name was checked to be a plain one.
    let version = AssertSqlSafe(format!("SELECT version FROM {}.ledger", address.schema));
    Ok(Some(answered(sqlx::query_scalar(version).persistent(false).fetch_one(&mut *db)).await?))
}

/// Takes the lock under which one process at a time makes or changes the ledger's tables, until the
/// transaction ends, and makes the schema if there is none.
pub(crate) async fn begin_to_migrate<'a>(
    connection: &'a mut PgConnection,
    address: &Address,
) -> Result<sqlx::Transaction<'a, Postgres>> {
    let begin = AssertSqlSafe(begin("BEGIN; SET LOCAL synchronous_commit = on", address));
    let mut transaction = answered(connection.begin_with(begin)).await?;
    let db = &mut *transaction;
    let schema = &address.schema;
    answered(
        sqlx::query("SELECT pg_advisory_xact_lock(hashtext('segue ledger'), hashtext($1))")
            .bind(schema)
            .persistent(false)
            .execute(&mut *db),
    )
    .await?;
    let is_there: bool = answered(
        sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1)",
        )
        .bind(schema)
        .persistent(false)
        .fetch_one(&mut *db),
    )
    .await?;
    if !is_there {
        // The name was checked to be a plain one.
        let create = AssertSqlSafe(format!("CREATE SCHEMA {schema}"));
        answered(sqlx::raw_sql(create).execute(db)).await?;
    }
    Ok(transaction)
}

fn unreachable(address: &Address, fact: &str) -> Error {
    Error::Unopened {
        place: address.to_string(),
        kind: Kind::Unreachable,
        fact: fact.to_owned(),
        hint: "Check host and port of the address, and that this machine may connect to it.",
    }
}

/// What is in the way of signing in, as a fact and a next step.
fn unopened(address: &Address, error: &sqlx::Error) -> Error {
    let refused = |kind, fact: &str, hint| Error::Unopened {
        place: address.to_string(),
        kind,
        fact: fact.to_owned(),
        hint,
    };
    let encryption = || {
        refused(
            Kind::Unreachable,
            "no encrypted connection can be made",
            "Add `?sslrootcert=ca.pem` with the server's authority to the address; or `?sslmode=disable` in a \
             network that nobody else is in.",
        )
    };
    let state =
        error.as_database_error().and_then(|error| error.code().map(|code| code.into_owned()));
    match (state.as_deref(), error) {
        (Some("28P01" | "28000"), _) => refused(
            Kind::Denied,
            "the sign-in is refused",
            "Check user and password of the address, or SEGUE_DATABASE_PASSWORD.",
        ),
        (Some("3D000"), _) => refused(
            Kind::Denied,
            "the server has no such database",
            "Make it with `createdb`, or correct the last part of the address.",
        ),
        (Some("53300"), _) => refused(
            Kind::Busy,
            "the server has no connection left",
            "Try again later, or raise `max_connections` of the server.",
        ),
        (Some("57P03"), _) => {
            refused(Kind::Unreachable, "the server is starting", "Try again in a moment.")
        }
        (Some(state), _) => refused(
            Kind::Unreachable,
            &format!("the server answers with error {state}"),
            "Look into the server's log.",
        ),
        (None, sqlx::Error::Tls(_)) => encryption(),
        (None, sqlx::Error::Io(cause)) if cause.kind() == std::io::ErrorKind::InvalidData => {
            encryption()
        }
        (None, sqlx::Error::Io(cause)) => unreachable(
            address,
            &match cause.kind() {
                std::io::ErrorKind::ConnectionRefused => "nothing listens there".to_owned(),
                std::io::ErrorKind::TimedOut => "it does not answer".to_owned(),
                _ if cause.to_string().contains("lookup") => "the host is not known".to_owned(),
                _ => cause.to_string(),
            },
        ),
        (None, sqlx::Error::Configuration(_)) => refused(
            Kind::Unreachable,
            "the certificates of the address cannot be read",
            "`sslrootcert`, `sslcert` and `sslkey` name PEM files.",
        ),
        (None, _) => refused(
            Kind::Unreachable,
            "its answer cannot be understood",
            "Check that the address is that of a PostgreSQL server.",
        ),
    }
}
