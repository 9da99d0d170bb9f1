//! The ledger in a PostgreSQL database. Runs only where `SEGUE_TEST_POSTGRES_URL` names a server;
//! `.ci/postgres` starts one.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use s3lab::{Action, Fault, Lab, Operation, Outcome};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::delivery::wait_until;
use crate::project::{BUCKET, Project, Said, Text, lab};

/// A server, and a schema in it for one ledger.
pub(crate) struct Server {
    /// With the password in it.
    pub(crate) url: String,
    pub(crate) password: String,
    user: String,
    host: String,
    pub(crate) schema: String,
}

impl Server {
    /// Nothing where there is no server.
    pub(crate) fn new() -> Option<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        #[expect(
            clippy::disallowed_methods,
            clippy::print_stdout,
            reason = "the environment says whether there is a server"
        )]
        let Ok(url) = std::env::var("SEGUE_TEST_POSTGRES_URL") else {
            println!("not run: SEGUE_TEST_POSTGRES_URL names no server; `.ci/postgres` starts one");
            return None;
        };
        let (user, host) = url.strip_prefix("postgres://")?.split_once('@')?;
        let (user, password) = user.split_once(':')?;
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        Some(Self {
            password: password.to_owned(),
            user: user.to_owned(),
            host: host.to_owned(),
            schema: format!("segue_{}_{count}", std::process::id()),
            url,
        })
    }

    /// The address of the ledger, without the password.
    pub(crate) fn address(&self) -> String {
        format!("postgres://{}@{}?schema={}", self.user, self.host, self.schema)
    }

    /// The same through something else that listens on this machine.
    fn address_at(&self, port: u16) -> String {
        let database = self.host.split_once('/').map_or("postgres", |(_, database)| database);
        format!("postgres://{}@127.0.0.1:{port}/{database}?schema={}", self.user, self.schema)
    }

    fn port(&self) -> u16 {
        let (host, _) = self.host.split_once('/').expect("a database");
        host.split_once(':').expect("a port").1.parse().expect("a number")
    }

    /// A command that works with the ledger in the database.
    pub(crate) fn command(&self, project: &Project, arguments: &[&str]) -> Command {
        self.command_at(project, &self.address(), arguments)
    }

    fn command_at(&self, project: &Project, address: &str, arguments: &[&str]) -> Command {
        let mut command = project.command(arguments);
        command.env("SEGUE_DATABASE", address).env("SEGUE_DATABASE_PASSWORD", &self.password);
        command
    }

    pub(crate) fn segue(&self, project: &Project, arguments: &[&str]) -> Said {
        let mut command = self.command(project, arguments);
        let said = project.finish(command.spawn().expect("the binary starts"));
        for text in [&said.stdout, &said.stderr] {
            assert!(!text.contains(&self.password), "a secret is shown: {text}");
        }
        said
    }

    pub(crate) fn json(&self, project: &Project, arguments: &[&str]) -> serde_json::Value {
        let said = self.segue(project, &[arguments, &["--output", "json"]].concat());
        serde_json::from_str(&said.stdout)
            .unwrap_or_else(|error| panic!("{error} in {} {}", said.stdout, said.stderr))
    }

    /// Runs statements with the server's own client.
    pub(crate) fn psql(&self, sql: &str) -> String {
        let sql = sql.replace('@', &self.schema);
        let mut client = Command::new("psql");
        client.args([
            "--quiet",
            "--tuples-only",
            "--no-align",
            "-v",
            "ON_ERROR_STOP=1",
            "-c",
            &sql,
        ]);
        let done = client.arg(&self.url).output().expect("the client runs");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).expect("UTF-8").trim().to_owned()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn real_postgres_a_ledger_in_a_database_serves_every_command() {
    let lab = lab().await;
    let Some(server) = Server::new() else { return };
    let project = Project::new(&Text::default().yaml(), Some(&lab));
    let said = server.segue(&project, &["runs"]);
    assert_eq!((said.code, said.stdout.as_str()), (0, ""), "{}", said.stderr);
    let said = server.segue(&project, &["run", "daily"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    let runs = server.json(&project, &["runs"]);
    assert_eq!(runs[0]["state"], "delivered");
    let shown = server.json(&project, &["show", runs[0]["runId"].as_str().expect("an id")]);
    assert_eq!(shown["activated"], 3);
    let said = server.segue(&project, &["run", "daily"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert_eq!(lab.history().len(), 2, "the slot is delivered once");
    for command in [&["slots"][..], &["files"], &["plan", "daily"], &["token", "list"]] {
        let said = server.segue(&project, command);
        assert_eq!(said.code, 0, "{command:?}: {}", said.stderr);
    }
    assert!(!project.path(".segue/ledger.sqlite").exists(), "there is no second ledger");
    // No canary and no secret has got into it.
    let dump = Command::new("pg_dump").args(["--schema", &server.schema, &server.url]).output();
    let dump = String::from_utf8_lossy(&dump.expect("pg_dump runs").stdout).into_owned();
    assert!(dump.contains("drop/loyal"), "it is the ledger");
    for secret in ["ann@example.com", crate::project::SECRET, &server.password] {
        assert!(!dump.contains(secret), "{secret}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn real_postgres_ledgers_move_by_backups() {
    let lab = lab().await;
    let Some(server) = Server::new() else { return };
    let project = Project::new(&Text::default().yaml(), Some(&lab));
    // From the file into the database.
    assert_eq!(project.segue(&["run", "daily"]).code, 0);
    assert_eq!(project.segue(&["backup", "copies/one"]).code, 0);
    let said = server.segue(&project, &["restore", "copies/one"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    let said = server.segue(&project, &["run", "daily"]);
    assert_eq!(said.code, 4, "{}", said.stderr);
    assert_eq!(server.segue(&project, &["restore", "--settle"]).code, 0);
    let said = server.segue(&project, &["run", "daily"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert_eq!(lab.history().len(), 2, "the ledger knows what was delivered");
    let said = server.segue(&project, &["restore", "copies/one"]);
    assert_eq!(said.code, 2, "{}", said.stderr);
    // And out of it.
    let said = server.segue(&project, &["backup", "copies/two"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert_eq!(project.segue(&["restore", "copies/two", "--verify"]).code, 0);
    assert!(!project.path("copies/two/ledger.sqlite-wal").exists());
}

#[test]
fn real_postgres_addresses_and_refusals_are_told_without_secrets() {
    let Some(server) = Server::new() else { return };
    let project = Project::new(&Text::default().yaml(), None);
    let told = |address: &str| {
        let mut command = server.command_at(&project, address, &["run", "daily"]);
        let command = command.env("SEGUE_DATABASE_PASSWORD", "canary-password");
        let said = project.finish(command.spawn().expect("the binary starts"));
        assert!(!said.stderr.contains("canary"), "{}", said.stderr);
        project.transcript(&said).replace(&server.port().to_string(), "PORT")
    };
    let text = [
        "canary",
        "postgres://u:canary@db/teams?sslmod=disable",
        "postgres://u@127.0.0.1:1/teams",
        &server.address().replace(&format!("?schema={}", server.schema), ""),
    ]
    .map(told)
    .concat();
    insta::assert_snapshot!(text, @"
    exit code 2
    --- stderr
    error: the address of the database cannot be read
      hint: Write `postgres://USER@HOST:5432/DATABASE`, and the password into SEGUE_DATABASE_PASSWORD.
    exit code 2
    --- stderr
    error: the address of the database has the unknown parameter `sslmod`; did you mean `sslmode`?
      hint: Write `postgres://USER@HOST:5432/DATABASE`, and the password into SEGUE_DATABASE_PASSWORD.
    exit code 3
    --- stderr
    error: the ledger postgres://127.0.0.1:1/teams cannot be opened: nothing listens there
      hint: Check host and port of the address, and that this machine may connect to it.
    exit code 3
    --- stderr
    error: the ledger postgres://127.0.0.1:PORT/postgres cannot be opened: the sign-in is refused
      hint: Check user and password of the address, or SEGUE_DATABASE_PASSWORD.
    ");
    let said = project.segue(&["run", "--help"]);
    assert!(said.stdout.contains("--database"));
}

/// Something between a process and the server that can be cut.
struct Proxy {
    port: u16,
    is_open: Arc<AtomicBool>,
    cuts: watch::Sender<u32>,
}

impl Proxy {
    async fn start(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let is_open = Arc::new(AtomicBool::new(true));
        let (cuts, cut) = watch::channel(0);
        let of_task = Arc::clone(&is_open);
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                if !of_task.load(Ordering::SeqCst) {
                    continue;
                }
                let mut cut = cut.clone();
                cut.mark_unchanged();
                tokio::spawn(async move {
                    let Ok(mut server) = TcpStream::connect(("127.0.0.1", server)).await else {
                        return;
                    };
                    tokio::select! {
                        _ = tokio::io::copy_bidirectional(&mut client, &mut server) => {}
                        _ = cut.changed() => {}
                    }
                });
            }
        });
        Self { port, is_open, cuts }
    }

    /// Ends every connection, and lets none through.
    fn cut(&self) {
        self.is_open.store(false, Ordering::SeqCst);
        self.cuts.send_modify(|cuts| *cuts += 1);
    }
}

/// Every upload is gone and each object became visible once.
fn assert_once(lab: &Lab, keys: usize) {
    assert_eq!(lab.keys(BUCKET).len(), keys);
    assert_eq!(lab.history().len(), keys, "each object became visible once");
    assert_eq!(lab.open_uploads(BUCKET).len(), 0, "no unfinished upload is left");
}

/// The database goes away while a request to the store hangs, before and behind the commit record.
#[tokio::test(flavor = "multi_thread")]
async fn real_postgres_a_database_that_goes_away_in_mid_run_loses_nothing() {
    for (operation, outcome) in [
        (Operation::UploadPart, Outcome::Done),
        (Operation::CompleteMultipartUpload, Outcome::Done),
        (Operation::CompleteMultipartUpload, Outcome::NotDone),
    ] {
        let lab = lab().await;
        let Some(server) = Server::new() else { return };
        let project = Project::new(&Text::default().yaml(), Some(&lab));
        let proxy = Proxy::start(server.port()).await;
        let id = lab.faults().add(Fault::on(operation, Action::Hang(outcome)));
        let address = server.address_at(proxy.port);
        let mut command = server.command_at(&project, &address, &["run", "daily"]);
        let child = command.spawn().expect("the binary starts");
        wait_until(|| lab.faults().acted(id) > 0).await;
        proxy.cut();
        lab.faults().remove(id);
        lab.faults().release();
        let said = tokio::task::block_in_place(|| project.finish(child));
        assert_eq!(said.code, 3, "{operation:?} {outcome:?}: {}", said.stderr);
        assert!(
            said.stderr.contains("the database of the ledger cannot be reached")
                && said.stderr.contains("Nothing is lost"),
            "{operation:?} {outcome:?}: {}",
            said.stderr
        );
        assert!(!said.stderr.contains(&server.password));
        // The database is there again.
        let said = server.segue(&project, &["run", "daily"]);
        assert_eq!(said.code, 0, "{operation:?} {outcome:?}: {}", said.stderr);
        assert_eq!(server.json(&project, &["runs"])[0]["state"], "delivered");
        assert_once(&lab, 2);
    }
}
