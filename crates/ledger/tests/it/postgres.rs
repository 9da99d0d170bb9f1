//! The ledger in a PostgreSQL database: who may open it, and what several processes do to each other.
//! Runs only where `SEGUE_TEST_POSTGRES_URL` names a server; `.ci/postgres` starts one.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::task::Poll;
use std::time::Duration;

use ledger::{Address, Error, Kind, Ledger, Place};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::fixture::{self, Fixture, act, at, dated, stop};

/// A schema without a ledger, and a way to it behind the ledger's back; nothing where there is no
/// server.
struct Server {
    schema: String,
    db: PgConnection,
}

impl Server {
    async fn start() -> Option<Self> {
        let url = fixture::told_server()?;
        let db = PgConnection::connect(&url).await.unwrap();
        Some(Self { schema: fixture::new_schema(), db })
    }

    fn place(&self) -> Place {
        Place::Postgres(fixture::address(&self.schema))
    }

    /// The address under a name by which the server knows its connections.
    fn named(&self, name: &str) -> Place {
        let url = fixture::server().unwrap();
        let url = format!("{url}?schema={}&application_name={name}", self.schema);
        Place::Postgres(Address::parse(&url, None).unwrap())
    }

    async fn run(&mut self, sql: &str) {
        let sql = sql.replace("@", &self.schema);
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut self.db).await.unwrap();
    }

    /// Ends the connections of a name, as a restart of the server does.
    async fn end_connections(&mut self, name: &str) -> usize {
        let sql =
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1";
        sqlx::query(sql).bind(name).fetch_all(&mut self.db).await.unwrap().len()
    }
}

#[tokio::test]
async fn real_postgres_has_the_columns_that_files_have() {
    let Some(mut server) = Server::start().await else { return };
    Ledger::open(server.place()).await.unwrap();
    let of_database: Vec<(String, String)> = sqlx::query_as(
        "SELECT table_name::text, column_name::text FROM information_schema.columns
         WHERE table_schema = $1 AND table_name <> 'ledger'",
    )
    .bind(&server.schema)
    .fetch_all(&mut server.db)
    .await
    .unwrap();
    let fixture = Fixture::new().await;
    let url = format!("sqlite:{}", fixture.place);
    let mut file = sqlx::SqliteConnection::connect(&url).await.unwrap();
    let of_file: Vec<(String, String)> = sqlx::query_as(
        "SELECT tables.name, columns.name
         FROM sqlite_schema AS tables, pragma_table_info(tables.name) AS columns
         WHERE tables.type = 'table' AND tables.name NOT LIKE 'sqlite_%'",
    )
    .fetch_all(&mut file)
    .await
    .unwrap();
    let by_table = |all: Vec<(String, String)>| {
        let mut tables: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (table, column) in all {
            tables.entry(table).or_default().push(column);
        }
        tables.values_mut().for_each(|columns| columns.sort_unstable());
        tables
    };
    assert_eq!(by_table(of_database), by_table(of_file));
}

#[tokio::test]
async fn real_postgres_servers_that_start_together_make_one_ledger() {
    let Some(server) = Server::start().await else { return };
    assert!(Ledger::open_read_only(server.place()).await.unwrap().is_none(), "there is none yet");
    let opening = (0..6).map(|_| tokio::spawn(Ledger::open(server.place())));
    for ledger in opening.collect::<Vec<_>>() {
        let ledger = ledger.await.unwrap().unwrap();
        assert_eq!(ledger.unfinished().await.unwrap(), []);
        assert!(ledger.is_shared());
    }
}

#[tokio::test]
async fn real_postgres_processes_write_in_turns() {
    let Some(server) = Server::start().await else { return };
    let mut writing = Vec::new();
    for _ in 0..3 {
        let ledger = Ledger::open(server.place()).await.unwrap();
        writing.push(tokio::spawn(async move {
            for number in 0..40 {
                ledger.audit(&act(number), at(0)).await.unwrap();
            }
        }));
    }
    for one in writing {
        one.await.unwrap();
    }
    let ledger = Ledger::open_read_only(server.place()).await.unwrap().unwrap();
    let chain = ledger.check_audit().await.unwrap();
    assert_eq!((chain.entries, chain.broken_at), (120, None));
}

#[tokio::test]
async fn real_postgres_readers_see_what_is_written_and_change_nothing() {
    let Some(server) = Server::start().await else { return };
    let ledger = Ledger::open(server.place()).await.unwrap();
    let reader = Ledger::open_read_only(server.place()).await.unwrap().unwrap();
    let ledger::Claimed::Run(claim) = ledger.claim(&dated(1), at(0)).await.unwrap() else {
        panic!("the run is new");
    };
    assert_eq!(reader.unfinished().await.unwrap().len(), 1);
    let error = reader.fail(&claim, &stop(), at(1)).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Io, "{error:?}");
    assert_eq!(reader.unfinished().await.unwrap().len(), 1);
}

#[tokio::test]
async fn real_postgres_a_newer_server_ends_the_writing_of_older_ones() {
    let Some(mut server) = Server::start().await else { return };
    let old = Ledger::open(server.place()).await.unwrap();
    server.run("UPDATE @.ledger SET version = 99").await;
    let error = old.claim(&dated(1), at(0)).await.unwrap_err();
    assert!(matches!(error, Error::NewerSchema { found: 99, .. }), "{error:?}");
    let error = Ledger::open(server.place()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::NewerSchema, "{error:?}");
    let error = Ledger::open_read_only(server.place()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::NewerSchema, "{error:?}");
    assert_eq!(error.hint(), Some("Use the version of Segue that wrote it, or a newer one."));
}

#[tokio::test]
async fn real_postgres_tables_of_others_are_left_alone() {
    let Some(mut server) = Server::start().await else { return };
    server.run("CREATE SCHEMA @; CREATE TABLE @.notes (text text)").await;
    let error = Ledger::open(server.place()).await.unwrap_err();
    assert!(matches!(error, Error::NotALedger { .. }), "{error:?}");
    assert!(error.hint().unwrap().contains("schema"));
}

#[tokio::test]
async fn real_postgres_connections_that_end_are_replaced_and_nothing_is_lost() {
    let Some(mut server) = Server::start().await else { return };
    let ledger = Ledger::open(server.named("ending")).await.unwrap();
    for number in 0..5 {
        ledger.audit(&act(number), at(0)).await.unwrap();
        assert!(server.end_connections("ending").await > 0);
    }
    let writing = {
        let ledger = ledger.clone();
        tokio::spawn(async move {
            let mut known = 0;
            for number in 0..60 {
                match ledger.audit(&act(number), at(0)).await {
                    Ok(()) => known += 1,
                    Err(error) => assert_eq!(error.kind(), Kind::Unreachable, "{error:?}"),
                }
            }
            known
        })
    };
    while !writing.is_finished() {
        server.end_connections("ending").await;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let known: u64 = writing.await.unwrap();
    let chain = ledger.check_audit().await.unwrap();
    assert_eq!(chain.broken_at, None);
    assert!(chain.entries >= 5 + known, "{} of {known}", chain.entries);
}

/// Drops what is done when it has waited so many times.
async fn only<T>(mut waits: usize, done: impl Future<Output = T>) -> Option<T> {
    let mut done = pin!(done);
    poll_fn(|context| match done.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending if waits == 0 => Poll::Ready(None),
        Poll::Pending => {
            waits -= 1;
            Poll::Pending
        }
    })
    .await
}

/// A run that ends drops the renewal of its lease wherever that is: no connection is left in a transaction,
/// and none owes an answer that the next one would take for its own.
#[tokio::test(flavor = "multi_thread")]
async fn real_postgres_whoever_is_dropped_leaves_no_transaction_open() {
    let Some(mut server) = Server::start().await else { return };
    let ledger = Ledger::open(server.named("dropped")).await.unwrap();
    // The server itself would end such a transaction after ten seconds.
    let left = Arc::new(AtomicI64::new(0));
    let watching = tokio::spawn({
        let left = Arc::clone(&left);
        async move {
            let open = "SELECT count(*) FROM pg_stat_activity
                        WHERE application_name = 'dropped' AND state LIKE 'idle in transaction%'
                            AND state_change < clock_timestamp() - interval '5 s'";
            loop {
                let open = sqlx::query_scalar(open).fetch_one(&mut server.db).await.unwrap();
                left.fetch_max(open, Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    });
    let mut dropped = 0;
    for waits in (0..30).rev() {
        let waiting = (0..8).map(|number| {
            let ledger = ledger.clone();
            tokio::spawn(async move {
                if number % 2 == 0 {
                    only(waits, ledger.audit(&act(number), at(0))).await
                } else {
                    only(waits, ledger.check_audit()).await.map(|chain| chain.map(drop))
                }
            })
        });
        for waited in waiting.collect::<Vec<_>>() {
            match waited.await.unwrap() {
                Some(done) => done.unwrap(),
                None => dropped += 1,
            }
        }
    }
    assert!(dropped > 10, "{dropped}");
    for number in 0..20 {
        ledger.audit(&act(number), at(0)).await.unwrap();
    }
    assert_eq!(ledger.check_audit().await.unwrap().broken_at, None);
    assert!(!watching.is_finished(), "somebody watches until the end");
    watching.abort();
    assert_eq!(left.load(Ordering::Relaxed), 0, "after {dropped} were dropped");
}

/// A process that is stopped in the middle of a write keeps nobody waiting for long.
#[tokio::test]
async fn real_postgres_a_write_that_stops_in_the_middle_is_ended_by_the_server() {
    let Some(mut server) = Server::start().await else { return };
    let _open = Ledger::open(server.named("settings")).await.unwrap();
    let one = Ledger::open(server.named("settings")).await.unwrap();
    one.audit(&act(1), at(0)).await.unwrap();
    // What the pool's connections are set to cannot be seen from another one; its effect can.
    let mut stopped = PgConnection::connect(&fixture::server().unwrap()).await.unwrap();
    for sql in [
        "SET idle_in_transaction_session_timeout = '1s'".to_owned(),
        format!("BEGIN; SELECT version FROM {}.ledger FOR UPDATE", server.schema),
    ] {
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut stopped).await.unwrap();
    }
    let began = std::time::Instant::now();
    one.audit(&act(2), at(0)).await.unwrap();
    assert!(began.elapsed() >= std::time::Duration::from_millis(500), "it had to wait");
    server.run("SELECT 1").await;
}

#[tokio::test]
async fn real_postgres_refusals_are_told_without_secrets() {
    let Some(server) = Server::start().await else { return };
    let url = fixture::server().unwrap();
    let (user, host) = url.strip_prefix("postgres://").unwrap().split_once('@').unwrap();
    let (user, password) = user.split_once(':').unwrap();
    let (host, _) = host.split_once('/').unwrap();
    let addresses = [
        format!("postgres://{user}:canary-secret@{host}/postgres"),
        format!("postgres://{user}:{password}@{host}/no_such_database"),
        format!("postgres://{user}:{password}@127.0.0.1:1/postgres"),
        format!("postgres://{user}:{password}@no-such-host.invalid/postgres?sslmode=disable"),
        format!("postgres://{user}:{password}@{host}/postgres?sslmode=verify-full"),
    ];
    let mut told = Vec::new();
    for address in addresses {
        let place = Place::Postgres(Address::parse(&address, None).unwrap());
        let error = Ledger::open(place).await.unwrap_err();
        let port = host.split_once(':').map_or("", |(_, port)| port);
        told.push(format!("{error}\n  {}", error.hint().unwrap()).replace(port, "PORT"));
        assert!(!format!("{error:?} {error}").contains("canary"), "{error:?}");
        assert!(!format!("{error:?} {error}").contains(password), "{error:?}");
    }
    drop(server);
    insta::assert_snapshot!(told.join("\n"), @"
    the ledger postgres://127.0.0.1:PORT/postgres cannot be opened: the sign-in is refused
      Check user and password of the address, or SEGUE_DATABASE_PASSWORD.
    the ledger postgres://127.0.0.1:PORT/no_such_database cannot be opened: the server has no such database
      Make it with `createdb`, or correct the last part of the address.
    the ledger postgres://127.0.0.1:1/postgres cannot be opened: nothing listens there
      Check host and port of the address, and that this machine may connect to it.
    the ledger postgres://no-such-host.invalid:5432/postgres cannot be opened: the host is not known
      Check host and port of the address, and that this machine may connect to it.
    the ledger postgres://127.0.0.1:PORT/postgres cannot be opened: no encrypted connection can be made
      Add `?sslrootcert=ca.pem` with the server's authority to the address; or `?sslmode=disable` in a network that nobody else is in.
    ");
}
