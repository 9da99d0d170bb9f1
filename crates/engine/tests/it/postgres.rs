//! Tables and queries of PostgreSQL. Runs only where `SEGUE_TEST_POSTGRES_URL` names a server;
//! `.ci/postgres` starts one.

use std::fs;
use std::time::Duration;

use engine::{Error, Kind, Profiles};
use futures::TryStreamExt;
use plan::project::{Database, Dataset, DatasetFormat, DatasetKind, MergePolicy, Relation};
use plan::schema::FieldType;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection, Executor};

use crate::support::{CSV, Case, SPAN, identity, lines};

/// A schema of its own in the server's database.
struct Server {
    url: String,
    schema: &'static str,
    db: PgConnection,
}

impl Server {
    /// Begins with an empty schema; nothing where there is no server.
    async fn start(schema: &'static str) -> Option<Self> {
        #[expect(
            clippy::disallowed_methods,
            clippy::print_stdout,
            reason = "the environment says whether there is a server"
        )]
        let Ok(url) = std::env::var("SEGUE_TEST_POSTGRES_URL") else {
            println!("not run: SEGUE_TEST_POSTGRES_URL names no server");
            return None;
        };
        let db = PgConnection::connect(&url).await.expect("the server answers");
        let mut server = Self { url, schema, db };
        let schema = format!("DROP SCHEMA IF EXISTS {schema} CASCADE; CREATE SCHEMA {schema}");
        server.run(&schema).await;
        server.run(&format!("SET search_path = {}", server.schema)).await;
        Some(server)
    }

    async fn run(&mut self, sql: &str) {
        self.db.execute(sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))).await.expect(sql);
    }

    /// The address and the password of the URL.
    fn database(&self, relation: Relation) -> Database {
        let address = self.url.strip_prefix("postgres://").expect("a URL");
        let (user, host) = address.split_once('@').expect("a user");
        let (user, password) = user.split_once(':').expect("a password");
        let address = format!("{user}@{host}?options[search_path]={}", self.schema);
        let password = Some(password.to_owned().into());
        Database { address, password, relation, relation_span: SPAN }
    }

    fn case(&self, relation: Relation) -> Case {
        let mut case = Case::new(DatasetFormat::Postgres).location("postgres://SERVER");
        case.dataset.database = Some(self.database(relation));
        case
    }

    fn table(&self, name: &str) -> Case {
        self.case(Relation::Table(name.to_owned()))
    }

    fn query(&self, sql: &str) -> Case {
        self.case(Relation::Query(sql.to_owned()))
    }
}

#[tokio::test]
async fn real_postgres_types_become_types() {
    let Some(mut server) = Server::start("t_types").await else { return };
    server
        .run(
            "CREATE TYPE mood AS ENUM ('sad', 'glad');
            CREATE DOMAIN points AS integer CHECK (VALUE >= 0);
            CREATE TYPE pair AS (a int, b text);
            CREATE TABLE people (id bigint PRIMARY KEY, s smallint, i integer, p points,
              r real, d double precision, n numeric(10,2), u numeric, t text, v varchar(9), c char(4),
              b boolean, day date, at timestamp, atz timestamptz, tm time, id2 uuid, j json, jb jsonb,
              bin bytea, m mood, ip inet, iv interval, li integer[], lt text[], ln numeric(6,3)[],
              lm mood[], pr pair);
            INSERT INTO people VALUES (1, -2, 3, 4, 0.5, -1.25, 12345.6, 0.1, 'Zoé', 'v', 'c', true,
              '2026-01-31', '2026-01-31 10:00:00.5', '2026-01-31 10:00:00+02', '23:59:59.25',
              'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '{\"a\": 1}', '{\"b\":[1]}', '\\x00ff', 'glad',
              '10.0.0.1', '1 day 02:00', '{1,NULL,3}', '{a,\"\"}', '{1.5,-0.001}', '{sad,glad}',
              '(1,x)');
            INSERT INTO people (id, day, at) VALUES (2, '0044-03-15 BC', '1969-12-31 23:59:59.999999');
            INSERT INTO people (id, li, t) VALUES (3, '{}', '')",
        )
        .await;
    let case = server.table("people");
    let fields = case.fields().await.expect("fields");
    insta::assert_snapshot!(fields.join(", "), @"id integer, s integer, i integer, p integer, r float, d float, n decimal, u string, t string, v string, c string, b boolean, day date, at timestamp, atz timestamp, tm time, id2 string, j string, jb string, bin binary, m string, ip string, iv string, li list, lt list, ln list, lm list, pr string");
    let names: Vec<&str> = fields.iter().filter_map(|it| it.split(' ').next()).collect();
    let rows = case.columns(&names).rows().await;
    insta::assert_snapshot!(rows.join("\n"), @r#"
    1|-2|3|4|0.5|-1.25|12345.60|0.1|Zoé|v|c|true|2026-01-31|2026-01-31T10:00:00.500|2026-01-31T08:00:00Z|23:59:59.250|a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11|{"a": 1}|{"b": [1]}|00ff|glad|10.0.0.1/32|P1DT2H|[1, ∅, 3]|[a, ]|[1.500, -0.001]|[sad, glad]|(1,x)
    2|∅|∅|∅|∅|∅|∅|∅|∅|∅|∅|∅|-0043-03-15|1969-12-31T23:59:59.999999|∅|∅|∅|∅|∅|∅|∅|∅|∅|∅|∅|∅|∅|∅
    3|∅|∅|∅|∅|∅|∅|∅||∅|∅|∅|∅|∅|∅|∅|∅|∅|∅|∅|∅|∅|∅|[]|∅|∅|∅|∅
    "#);
    let case = server.query("SELECT id, sum(u) AS total FROM people GROUP BY id  -- all");
    let case =
        case.declare("total", FieldType::Decimal).rule("total > 0").columns(&["id", "total"]);
    assert_eq!(case.rows().await, ["1|0.1000000000"]);
}

#[tokio::test]
async fn real_postgres_rows_come_in_a_fixed_order() {
    let Some(mut server) = Server::start("t_order").await else { return };
    server
        .run(
            "CREATE TABLE keyed (a int, b text, PRIMARY KEY (b, a));
            INSERT INTO keyed VALUES (2, 'x'), (1, 'x'), (3, 'a');
            CREATE TABLE free (t text, n int, j json);
            INSERT INTO free VALUES ('b', 1, '{}'), ('a', 2, NULL), ('B', 1, '[2]'), ('B', 1, '[1]');
            CREATE TABLE big (id int PRIMARY KEY, t text);
            INSERT INTO big SELECT n, repeat(md5(n::text), 8) FROM generate_series(1, 30000) n",
        )
        .await;
    let keyed = server.table("keyed").columns(&["a", "b"]);
    assert_eq!(keyed.rows().await, ["3|a", "1|x", "2|x"]);
    let free = server.table("free").columns(&["t", "n", "j"]);
    assert_eq!(free.rows().await, ["B|1|[1]", "B|1|[2]", "a|2|∅", "b|1|{}"]);
    let big = server.table(&format!("{}.big", server.schema)).columns(&["id"]);
    let rows = big.rows().await;
    assert_eq!((rows.len(), rows[29_999].as_str()), (30_000, "30000"));
}

async fn pin(case: &Case) -> Result<Profiles, Error> {
    let profiles = case.pin().await?;
    case.engine().land(&profiles).await?;
    Ok(profiles)
}

fn versions(profiles: &Profiles) -> Vec<String> {
    profiles.inputs().map(|input| input.version.to_string()).collect()
}

/// The same rows are the same file; other rows are another one, and the old one can be had again.
#[tokio::test]
async fn real_postgres_rows_are_kept_as_they_were() {
    let Some(mut server) = Server::start("t_kept").await else { return };
    server.run("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1), (2)").await;
    let case = server.table("t").columns(&["id"]);
    let first = pin(&case).await.expect("the rows land");
    let input = first.inputs().next().expect("an input").clone();
    assert_eq!((input.location.as_str(), input.rows), ("postgres://SERVER#t_kept.t", Some(2)));
    let version = input.version.to_string();
    let digest = |version: &str| version.split(' ').next().expect("a digest").to_owned();
    assert!(version.starts_with("blake3:") && version.contains(" snapshot:"), "{version}");
    let again = pin(&case).await.expect("the rows land");
    assert_eq!(digest(&versions(&again)[0]), digest(&version));
    server.run("INSERT INTO t VALUES (3)").await;
    let later = pin(&case).await.expect("the rows land");
    assert_ne!(digest(&versions(&later)[0]), digest(&version));

    let engine = case.engine();
    let fresh = case.pin().await.expect("the table is pinned");
    assert_eq!(versions(&fresh), Vec::<String>::new(), "nothing has been read yet");
    let recorded = [(input.location.as_str(), version.as_str())];
    let recalled = engine.recall(&fresh, &recorded).expect("the folder can be read");
    assert_eq!(versions(&recalled), std::slice::from_ref(&version));
    let count = |profiles: Profiles| async move {
        let counts = case.engine().count(&case.query, &profiles).await.expect("a count");
        counts.activated
    };
    assert_eq!(count(recalled).await, 2);
}

/// What is pinned together is seen at one moment, whenever it is read.
#[tokio::test]
async fn real_postgres_datasets_share_one_snapshot() {
    let Some(mut server) = Server::start("t_shared").await else { return };
    server
        .run(
            "CREATE TABLE a (id int PRIMARY KEY); INSERT INTO a VALUES (1);
            CREATE TABLE b (id int PRIMARY KEY); INSERT INTO b VALUES (1)",
        )
        .await;
    let case = server.table("a").columns(&["id"]);
    let engine = case.engine();
    let a = engine.pin(&case.dataset, case.folder.path()).await.expect("a is pinned");
    server.run("INSERT INTO a VALUES (2); INSERT INTO b VALUES (2)").await;
    // One that cannot be pinned does not end the transaction for the others.
    let mut wrong = server.query("SELECT nothing FROM a");
    wrong.dataset.database.as_mut().expect("a database").address =
        case.dataset.database.as_ref().expect("a database").address.clone();
    engine.pin(&wrong.dataset, case.folder.path()).await.expect_err("the query is wrong");
    let b = server.table("b");
    let b = engine.pin(&b.dataset, case.folder.path()).await.expect("b is pinned");
    server.run("DELETE FROM a").await;
    for snapshot in [a, b] {
        let profiles = Profiles::new(MergePolicy::default(), vec![snapshot]);
        let counts = engine.count(&case.query, &profiles).await.expect("it is read");
        assert_eq!(counts.activated, 1);
    }
}

#[tokio::test]
async fn real_postgres_schema_is_checked_without_reading_rows() {
    let Some(mut server) = Server::start("t_lazy").await else { return };
    server
        .run("CREATE VIEW v AS SELECT 1 / (n - 1) AS broken, n FROM generate_series(1, 2) n")
        .await;
    let case = server.table("v").columns(&["n"]);
    assert_eq!(case.fields().await.expect("fields"), ["broken integer", "n integer"]);
    assert!(!case.path(".state/landed").exists(), "no row was read");
    insta::assert_snapshot!(case.error().await, @r"
    database_value: a value cannot be computed or converted by the database (postgres://SERVER#t_lazy.v)
      Look at the casts and divisions of `query`, and at `types`.
    ");
}

#[tokio::test]
async fn real_postgres_refusals_name_the_next_step() {
    let Some(mut server) = Server::start("t_wrong").await else { return };
    server
        .run(
            "CREATE TABLE customers (id int PRIMARY KEY, name text, until date);
            INSERT INTO customers VALUES (1, 'canary-value', 'infinity');
            DROP ROLE IF EXISTS t_wrong_reader; CREATE ROLE t_wrong_reader LOGIN PASSWORD 'pw';
            GRANT USAGE ON SCHEMA t_wrong TO t_wrong_reader;
            CREATE SEQUENCE counter;
            CREATE TABLE grid (g int[]); INSERT INTO grid VALUES ('{{1},{2}}')",
        )
        .await;
    let mut errors = Vec::new();
    for name in ["customer", "t_wrong.costumers", "elsewhere", "a..b"] {
        errors.push(server.table(name).error().await);
    }
    for sql in [
        "SELECT nam FROM customers",
        "SELECT id, id FROM customers",
        "SELECT 1 AS x) AS q; DELETE FROM customers; SELECT * FROM (SELECT 1 AS x",
        "DELETE FROM customers RETURNING id",
        "SELECT nextval('counter')",
        "SELEC 1",
    ] {
        errors.push(server.query(sql).error().await);
    }
    errors.push(server.table("customers").columns(&["until"]).error().await);
    errors.push(server.table("grid").columns(&["g"]).error().await);
    let cast = server.table("customers").declare("name", FieldType::Integer).columns(&["id"]);
    errors.push(cast.error().await);
    errors.push(server.table("customers").declare("nme", FieldType::Integer).error().await);
    let change = |change: &dyn Fn(&mut Database)| {
        let mut case = server.table("customers");
        change(case.dataset.database.as_mut().expect("a database"));
        case
    };
    let wrong = [
        change(&|it| it.password = Some("canary-secret".to_owned().into())),
        change(&|it| it.password = None),
        change(&|it| it.address = it.address.replace("/postgres?", "/nothing?")),
        change(&|it| it.address = "u@127.0.0.1:1/crm".to_owned()),
        change(&|it| it.address = "u@no-such-host.invalid/crm?sslmode=prefer".to_owned()),
        change(&|it| it.address.push_str("&sslmode=verify-full")),
        change(&|it| {
            it.address = it.address.replace("segue@", "t_wrong_reader@");
            it.password = Some("pw".to_owned().into());
        }),
    ];
    for case in wrong {
        errors.push(case.error().await);
    }
    let errors = errors.join("\n");
    assert!(!errors.contains("canary"), "a value or a secret is shown");
    insta::assert_snapshot!(errors, @r#"
    database_table: the database has no table or view `customer` (postgres://SERVER)
      Did you mean `customers`?
    database_table: the database has no table or view `t_wrong.costumers` (postgres://SERVER)
      Did you mean `t_wrong.customers`?
    database_table: the database has no table or view `elsewhere` (postgres://SERVER)
      Write it as in SQL, with its schema: `crm.customers`.
    database_query: the database does not take the query: invalid name syntax (postgres://SERVER)
      Correct `query` or `table`.
    database_query: the database does not take the query: column "nam" does not exist (postgres://SERVER)
      Perhaps you meant to reference the column "customers.name".
    database_query: the query names two columns `id` (postgres://SERVER)
      Give one of the two another name with `AS`.
    database_query: the database does not take the query: cannot insert multiple commands into a prepared statement (postgres://SERVER)
      Correct `query` or `table`.
    database_query: the database does not take the query: syntax error at or near "FROM" (postgres://SERVER)
      Correct `query` or `table`.
    database_read_only: the query would change the database (postgres://SERVER#query)
      Only queries that read can be a dataset.
    database_query: the database does not take the query: syntax error at or near "1" (postgres://SERVER)
      Correct `query` or `table`.
    database_value: a value is `infinity` or `NaN`, which files cannot hold (postgres://SERVER#t_wrong.customers, row 1, field `until`)
      Replace it in a `query`, for example with `nullif(valid_until, 'infinity')`, or declare the field as `string` under `types:`.
    database_value: a list holds lists (postgres://SERVER#t_wrong.grid, row 1, field `g`)
      Read it as text: declare the field as `string` under `types:`.
    database_value: a value cannot be computed or converted by the database (postgres://SERVER#t_wrong.customers)
      Look at the casts and divisions of `query`, and at `types`.
    database_query: a type is declared for a column that is not there (postgres://SERVER, field `nme`)
      Did you mean `name`?
    database_sign_in: the database refuses the sign-in (postgres://SERVER)
      Check the user of the address and the variable of `password`.
    database_sign_in: the database refuses the sign-in (postgres://SERVER)
      Check the user of the address and the variable of `password`.
    database_not_found: the server has no such database (postgres://SERVER)
      Check the last part of the address.
    database_unreachable: the database cannot be reached: nothing listens there (postgres://SERVER)
      Check host and port of the address, and that this machine may connect to it.
    database_unreachable: the database cannot be reached: the host is not known (postgres://SERVER)
      Check host and port of the address, and that this machine may connect to it.
    database_tls: no encrypted connection to the database could be made (postgres://SERVER)
      Add `?sslrootcert=ca.pem` with the server's authority to the address; or `?sslmode=disable` in a network that nobody else is in.
    database_denied: the database refuses to be read: permission denied for table customers (postgres://SERVER)
      Let the user read it: `GRANT SELECT ON … TO …`, and `GRANT USAGE ON SCHEMA … TO …`.
    "#);
}

#[tokio::test]
async fn real_postgres_connections_that_end_early_leave_nothing() {
    let Some(mut server) = Server::start("t_early").await else { return };
    server.run("SET statement_timeout = 0").await;
    let slow = "SELECT n AS id, repeat('x', 5000) AS t, pg_sleep(0.0005)::text AS s FROM generate_series(1, 100000) n";
    let mut timed = server.query(slow).columns(&["id"]);
    timed
        .dataset
        .database
        .as_mut()
        .expect("a database")
        .address
        .push_str("&options[statement_timeout]=1500");
    insta::assert_snapshot!(timed.error().await, @r"
    database_timeout: the database ended the query: it took longer than its statement timeout (postgres://SERVER#query)
      Raise `statement_timeout` for this user (`ALTER ROLE … SET statement_timeout = …`), or read less.
    ");

    let mut case = server.query(slow).columns(&["id"]);
    case.dataset
        .database
        .as_mut()
        .expect("a database")
        .address
        .push_str("&application_name=t_early_victim");
    let running = async { case.run().await.expect_err("the connection ends") };
    let ending = async {
        let copying = "SELECT FROM pg_stat_activity WHERE application_name = 't_early_victim'
            AND query LIKE 'COPY%' AND state = 'active'";
        while server.db.fetch_optional(copying).await.expect("an answer").is_none() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE application_name = 't_early_victim'";
        server.run(end).await;
    };
    let (error, ()) = tokio::join!(running, ending);
    assert_eq!((error.kind(), error.code()), (Kind::Unavailable, "database_lost"), "{error}");
    let kept = fs::read_dir(case.path(".state/landed")).expect("a folder").flatten();
    let kept: Vec<_> = kept.flat_map(|it| fs::read_dir(it.path()).expect("a folder")).collect();
    assert!(kept.is_empty(), "{kept:?}");
}

#[tokio::test]
async fn real_postgres_servers_prove_who_they_are() {
    let Some(mut server) = Server::start("t_tls").await else { return };
    #[expect(clippy::disallowed_methods, reason = "the environment says whether there is a server")]
    let Ok(authority) = std::env::var("SEGUE_TEST_POSTGRES_CA") else {
        println!("not run: SEGUE_TEST_POSTGRES_CA names no certificate");
        return;
    };
    server.run("CREATE VIEW v AS SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()").await;
    let mut case = server.table("v").columns(&["ssl"]);
    let address = &mut case.dataset.database.as_mut().expect("a database").address;
    address.push_str(&format!("&sslmode=verify-full&sslrootcert={authority}"));
    assert_eq!(case.rows().await, ["true"]);
}

/// Events and one of two datasets of profiles, seen at one moment.
#[tokio::test(flavor = "multi_thread")]
async fn real_postgres_rows_are_events_and_parts_of_merged_profiles() {
    let Some(mut server) = Server::start("t_parts").await else { return };
    server
        .run(
            "CREATE TABLE people (id bigint PRIMARY KEY, name text, at timestamptz);
            INSERT INTO people VALUES (1, 'Ann', '2026-01-02T00:00:00Z'), (2, 'Bob', '2026-01-02T00:00:00Z');
            CREATE TABLE orders (who bigint, at timestamptz, total numeric(10,2));
            INSERT INTO orders VALUES (1, '2026-01-30T10:00:00Z', 10.5), (1, '2026-01-02T00:00:00Z', 20),
              (3, '2026-01-30T10:00:00Z', 1), (NULL, now(), 5)",
        )
        .await;
    let case = server
        .table("people")
        .identified_by("id", "CRMID")
        .timestamp("at")
        .text("web.csv", "id,name,at\n2,Bobby,2026-01-03T00:00:00Z\n3,Cid,2026-01-01T00:00:00Z\n")
        .columns(&["id", "name"]);
    let web = Dataset {
        key: "web".to_owned(),
        location: "web.csv".to_owned(),
        format: CSV,
        database: None,
        ..case.dataset.clone()
    };
    let orders = Dataset {
        key: "orders".to_owned(),
        kind: DatasetKind::Event,
        database: Some(server.database(Relation::Table("orders".to_owned()))),
        identities: vec![identity("who", "CRMID")],
        ..case.dataset.clone()
    };
    let pinned = async || {
        let engine = case.engine();
        let mut snapshots = Vec::new();
        for dataset in [&case.dataset, &web, &orders] {
            snapshots.push(engine.pin(dataset, case.folder.path()).await.expect("it is pinned"));
        }
        let events = snapshots.split_off(2);
        Profiles::new(case.policy.clone(), snapshots).with_events(events)
    };
    let profiles = pinned().await;
    // What comes later is not seen, whichever of the two is read first.
    server.run("DELETE FROM orders; UPDATE people SET name = 'later'").await;
    let found = async |profiles: &Profiles, rule: &str| {
        let mut query = case.query.clone();
        query.rule.text = rule.to_owned();
        let rows = case.engine().rows(&query, profiles).await.expect("the rule fits");
        let found: Vec<Vec<String>> =
            rows.map_ordered(|it| Ok::<_, Error>(lines(&it))).try_collect().await.expect("rows");
        let mut found = found.concat();
        found.sort();
        found.join(" ")
    };
    for (rule, expected) in [
        ("TRUE", "1|Ann 2|Bobby 3|Cid"),
        ("(SELECT sum(total) FROM orders) = 30.5", "1|Ann"),
        ("NOT EXISTS (SELECT FROM orders)", "2|Bobby"),
    ] {
        assert_eq!(found(&profiles, rule).await, expected, "{rule}");
    }
    let profiles = pinned().await;
    assert_eq!(found(&profiles, "EXISTS (SELECT FROM orders)").await, "");
    assert_eq!(found(&profiles, "TRUE").await, "1|later 2|Bobby 3|Cid");
}
