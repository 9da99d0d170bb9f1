//! Connections, each in one transaction that sees one snapshot of its database.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::str::FromStr;
use std::sync::{Arc, Weak};
use std::time::Duration;

use plan::project::Database;
use secrecy::ExposeSecret;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgSslMode};
use sqlx::{ConnectOptions, Connection, Executor, Row};
use tokio::sync::Mutex;

use super::refusal;
use crate::error::{Error, Kind};

/// How long a server may take to answer the first time.
const CONNECT_SECONDS_MAX: u64 = 30;

/// An open transaction.
pub(super) struct Session {
    pub(super) connection: Mutex<PgConnection>,
    /// What the transaction sees, as the server names it: `xmin:xmax:xip_list`.
    pub(super) snapshot: String,
    /// How far the server's log had come.
    pub(super) position: String,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("snapshot", &self.snapshot).finish_non_exhaustive()
    }
}

/// The transactions that are open, by address: datasets that are pinned together share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sessions(Arc<Mutex<BTreeMap<String, Weak<Session>>>>);

impl Sessions {
    /// Opens a transaction, or joins the one that is open at the same address.
    pub(super) async fn open(
        &self,
        database: &Database,
        place: &str,
        base: &Path,
    ) -> Result<Arc<Session>, Error> {
        let mut open = self.0.lock().await;
        open.retain(|_, session| session.strong_count() > 0);
        if let Some(session) = open.get(&database.address).and_then(Weak::upgrade) {
            return Ok(session);
        }
        let options = options(database, place, base)?;
        let opening = Session::begin(&options, place);
        let limit = Duration::from_secs(CONNECT_SECONDS_MAX);
        let session = tokio::time::timeout(limit, opening).await;
        let session = Arc::new(session.map_err(|_| refusal::silent(place))??);
        open.insert(database.address.clone(), Arc::downgrade(&session));
        Ok(session)
    }
}

impl Session {
    async fn begin(options: &PgConnectOptions, place: &str) -> Result<Self, Error> {
        let connection = PgConnection::connect_with(options).await;
        let mut connection = connection.map_err(|error| refusal::of_sign_in(place, &error))?;
        let refused = |error| refusal::of(place, &error);
        // Casts to text have to come out the same whatever the server's settings are.
        let begin = "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY;
            SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO, YMD';
            SET LOCAL IntervalStyle = 'iso_8601'; SET LOCAL bytea_output = 'hex'";
        connection.execute(sqlx::raw_sql(begin)).await.map_err(refused)?;
        let query = "SELECT txid_current_snapshot()::text, (CASE WHEN pg_is_in_recovery()
            THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END)::text";
        let row = connection.fetch_one(query).await.map_err(refused)?;
        Ok(Self {
            snapshot: row.try_get(0).map_err(refused)?,
            position: row.try_get::<Option<String>, _>(1).map_err(refused)?.unwrap_or_default(),
            connection: Mutex::new(connection),
        })
    }
}

/// What the address says. Encryption is not left to chance: a server that is not on this machine has
/// to prove who it is, unless the address says otherwise.
fn options(database: &Database, place: &str, base: &Path) -> Result<PgConnectOptions, Error> {
    let broken = || {
        Error::new(Kind::Invalid, "invalid_location", "the address of the database cannot be read")
            .in_file(place)
            .with_hint(
                "Write `postgres://user@host:5432/database`, and the password under `password:`.",
            )
    };
    let url = url::Url::parse(&format!("postgres://{}", database.address)).map_err(|_| broken())?;
    let named = |name: &str| {
        let mut pairs = url.query_pairs();
        pairs.find(|(key, _)| key.replace('-', "") == name).map(|(_, value)| value.into_owned())
    };
    let known = [
        "sslmode",
        "sslrootcert",
        "sslcert",
        "sslkey",
        "host",
        "port",
        "dbname",
        "user",
        "options",
        "application_name",
    ];
    if let Some((unknown, _)) = url
        .query_pairs()
        .find(|(key, _)| !known.contains(&key.as_ref()) && !key.starts_with("options["))
    {
        let error = Error::new(
            Kind::Invalid,
            "invalid_location",
            format!("the address has the unknown parameter `{unknown}`"),
        )
        .in_file(place);
        return Err(match plan::nearest::nearest(&unknown, known) {
            Some(nearest) => error.with_hint(format!("Did you mean `{nearest}`?")),
            None => error.with_hint(format!("Known are {}.", known.join(", "))),
        });
    }
    let mut options = PgConnectOptions::from_str(url.as_str()).map_err(|_| broken())?;
    if let Some(password) = &database.password {
        options = options.password(password.expose_secret());
    }
    for (name, set) in [
        ("sslrootcert", PgConnectOptions::ssl_root_cert as fn(_, std::path::PathBuf) -> _),
        ("sslcert", PgConnectOptions::ssl_client_cert),
        ("sslkey", PgConnectOptions::ssl_client_key),
    ] {
        if let Some(path) = named(name) {
            options = set(options, base.join(path));
        }
    }
    if named("sslmode").is_none() {
        let host = options.get_host();
        let is_here = options.get_socket().is_some()
            || host.starts_with('/')
            || matches!(host, "localhost" | "127.0.0.1" | "::1" | "[::1]");
        options = options.ssl_mode(if is_here { PgSslMode::Prefer } else { PgSslMode::VerifyFull });
    }
    if named("application_name").is_none() {
        options = options.application_name("segue");
    }
    // Statements hold what users wrote; nothing of it belongs in a log.
    Ok(options.disable_statement_logging())
}

#[cfg(test)]
mod tests {
    use super::*;
    use plan::project::Relation;

    fn of(address: &str) -> Result<PgConnectOptions, Error> {
        let database = Database {
            address: address.to_owned(),
            password: Some("p@ss/word".to_owned().into()),
            relation: Relation::Table("t".to_owned()),
            relation_span: plan::Span { start: 0, end: 0, line: 1, column: 1 },
        };
        options(&database, "postgres://db", Path::new("/project"))
    }

    #[test]
    fn servers_elsewhere_have_to_prove_who_they_are() {
        let mode = |address: &str| format!("{:?}", of(address).expect(address).get_ssl_mode());
        for (address, expected) in [
            ("u@db.acme/crm", "VerifyFull"),
            ("u@127.0.0.1:5433/crm", "Prefer"),
            ("u@localhost/crm", "Prefer"),
            ("u@x/crm?host=/var/run/postgresql", "Prefer"),
            ("u@db.acme/crm?sslmode=require", "Require"),
            ("u@db.acme/crm?sslmode=disable", "Disable"),
        ] {
            assert_eq!(mode(address), expected, "{address}");
        }
    }

    #[test]
    fn what_an_address_cannot_say_is_an_error_without_it() {
        let message = |address: &str| of(address).expect_err(address).to_string();
        insta::assert_snapshot!(message("u@db/crm?ssl_mode=require"), @"the address has the unknown parameter `ssl_mode` (postgres://db)");
        insta::assert_snapshot!(message("u@db:port/crm"), @"the address of the database cannot be read (postgres://db)");
        insta::assert_snapshot!(message("u@db/crm?sslmode=maybe"), @"the address of the database cannot be read (postgres://db)");
    }
}
