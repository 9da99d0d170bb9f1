//! Several servers on one database and one bucket, with clocks a day apart, killed and stopped again
//! and again. Runs only where `SEGUE_TEST_POSTGRES_URL` names a server; `.ci/postgres` starts one.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use s3lab::{Action, Fault, Lab, Operation, Outcome};

use crate::database::{Proxy, Server};
use crate::delivery::wait_until;
use crate::project::{BUCKET, Project, Running, Text, lab};

const ACTIVATIONS: usize = 4;
/// How far the clocks of the servers are from the right time.
const CLOCKS: [Option<&str>; 3] = [None, Some("+24h"), Some("-24h")];
const LEASE_SECONDS: u64 = 5;

/// A few activations of the same people, each with files of its own.
fn team(lab: &Lab) -> Project {
    let yaml =
        Text { file_name: "%ACTIVATION_NAME%_%DATETIME(yyyyMMddHHmmss)%", ..Text::default() }
            .yaml();
    let (head, activation) = yaml.split_once("  daily:\n").expect("an activation");
    let all: String =
        (0..ACTIVATIONS).map(|number| format!("  d{number}:\n{activation}")).collect();
    Project::new(&format!("{head}{all}"), Some(lab))
}

/// Plans slots of an hour each, as if somebody had asked for them.
fn plan_slots(server: &Server, project: &Project, hours: usize) {
    let said = server.segue(project, &["token", "list"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    let last = ACTIVATIONS - 1;
    server.psql(&format!(
        "INSERT INTO @.slots (activation, segment, slot, first_slot, slot_count, destination, origin,
             state, planned, not_before)
         SELECT 'd' || a, 'loyal', time, time, 1, 'partner', 'request', 'planned', 0, 0
         FROM generate_series(0, {last}) AS a,
             (SELECT (1767225600 + 3600 * n) * 1000000::bigint AS time
              FROM generate_series(1, {hours}) AS n) AS times"
    ));
}

fn serve(server: &Server, project: &Project, number: usize) -> Running {
    serve_at(server, &server.address(), project, number)
}

fn serve_at(server: &Server, address: &str, project: &Project, number: usize) -> Running {
    let log = project.path(&format!("server-{number}.log"));
    let log = File::options().append(true).create(true).open(log).expect("a log");
    let name = format!("server-{number}");
    let lease = LEASE_SECONDS.to_string();
    let mut command = server.command_at(
        project,
        address,
        &["serve", "--listen", "127.0.0.1:0", "--name", &name, "--lease", &lease, "--log", "info"],
    );
    match CLOCKS[number % CLOCKS.len()] {
        Some(clock) => command.env("SEGUE_NOW", clock),
        None => command.env_remove("SEGUE_NOW"),
    };
    command.stdout(Stdio::null()).stderr(log).spawn().expect("the binary starts").into()
}

fn signal(child: &Child, signal: &str) {
    let done = Command::new("kill").args([signal, &child.id().to_string()]).status();
    assert!(done.expect("kill is there").success());
}

fn states(server: &Server) -> String {
    server.psql("SELECT state, count(*) FROM @.slots GROUP BY state ORDER BY state")
}

/// What the servers wrote, for a test that fails.
fn logs(project: &Project) -> String {
    (0..=CLOCKS.len())
        .map(|number| {
            let path = project.path(&format!("server-{number}.log"));
            format!("--- {number}\n{}\n", std::fs::read_to_string(path).unwrap_or_default())
        })
        .collect()
}

/// Each object became visible once, no slot is missing, and the ledger agrees.
fn assert_each_once(server: &Server, lab: &Lab, project: &Project, slots: usize) {
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    for change in lab.history() {
        *times.entry(change.key.clone()).or_default() += 1;
    }
    let twice: Vec<_> = times.iter().filter(|(_, times)| **times != 1).collect();
    assert!(twice.is_empty(), "{twice:?}\n{}", logs(project));
    assert_eq!(times.len(), 2 * slots, "a file and a manifest for each slot");
    assert_eq!(lab.keys(BUCKET).len(), 2 * slots);
    let published = server.psql("SELECT count(*) FROM @.objects WHERE published IS NOT NULL");
    assert_eq!(published, (2 * slots).to_string());
    let delivered = server.psql("SELECT count(*) FROM @.runs WHERE state = 'delivered'");
    assert_eq!(delivered, slots.to_string());
    // Whoever delivered a slot left the record of whose data it sent, where all servers find it.
    let answer = server.json(project, &["who-got", "CRMID:1"]);
    assert_eq!(answer["files"].as_array().map(Vec::len), Some(slots));
    assert_eq!(answer["notKnown"].as_array().map(Vec::len), Some(0), "{}", answer["notKnown"]);
    let answer = server.json(project, &["who-got", "CRMID:2"]);
    assert_eq!(answer["files"].as_array().map(Vec::len), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn real_postgres_servers_share_the_work_and_deliver_each_slot_once() {
    const HOURS: usize = 12;
    let slots = ACTIVATIONS * HOURS;
    let lab = lab().await;
    let Some(server) = Server::new() else { return };
    let project = team(&lab);
    plan_slots(&server, &project, HOURS);
    // Each run takes long enough to be hit.
    let slow = Fault::on(Operation::UploadPart, Action::SlowBody { bytes_per_second: 60 });
    lab.faults().add(slow.key_contains(".csv").always());
    let mut servers: Vec<Running> =
        (0..CLOCKS.len()).map(|number| serve(&server, &project, number)).collect();
    let all = format!("delivered|{slots}");
    let began = Instant::now();
    let (mut kills, mut stops) = (0, 0);
    for round in 0.. {
        assert!(
            began.elapsed() < Duration::from_secs(400),
            "{}\n{}",
            states(&server),
            logs(&project)
        );
        if states(&server) == all {
            break;
        }
        let number = (round / 2) % servers.len();
        if round % 2 == 0 {
            servers[number].kill().expect("a kill");
            servers[number].wait().expect("it is gone");
            kills += 1;
            tokio::time::sleep(Duration::from_millis(700)).await;
            servers[number] = serve(&server, &project, number);
        } else {
            // Another one is stopped for longer than its leases, and wakes up as if nothing were.
            let other = (number + 1) % servers.len();
            signal(&servers[other], "-STOP");
            tokio::time::sleep(Duration::from_secs(2 * LEASE_SECONDS + 1)).await;
            signal(&servers[other], "-CONT");
            stops += 1;
        }
        tokio::time::sleep(Duration::from_secs(3)).await;
    }
    for child in &servers {
        signal(child, "-TERM");
    }
    for child in servers {
        let said = tokio::task::block_in_place(|| project.finish(child));
        assert_eq!(said.code, 0, "{}", logs(&project));
    }
    assert_each_once(&server, &lab, &project, slots);
    assert!(kills > 0 && stops > 0, "{kills} kills, {stops} stops");
    let taken = server.psql("SELECT count(*) FROM @.runs WHERE epoch > 1");
    assert_ne!(taken, "0", "nothing was taken over after {kills} kills and {stops} stops");
    // Uploads of attempts that were cut off are aborted by whoever comes next.
    let said = server.segue(&project, &["run"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert_eq!(lab.open_uploads(BUCKET).len(), 0, "no unfinished upload is left");
}

/// A server that is stopped behind its commit record is taken over, and when it wakes up it changes
/// nothing.
#[tokio::test(flavor = "multi_thread")]
async fn real_postgres_a_server_that_wakes_up_finds_its_run_taken_over() {
    for operation in [Operation::UploadPart, Operation::CompleteMultipartUpload] {
        let lab = lab().await;
        let Some(server) = Server::new() else { return };
        let project = team(&lab);
        plan_slots(&server, &project, 1);
        server.psql("DELETE FROM @.slots WHERE activation <> 'd0'");
        let hang = Fault::on(operation, Action::Hang(Outcome::Done)).times(1);
        let id = lab.faults().add(hang);
        let asleep = serve(&server, &project, 0);
        wait_until(|| lab.faults().acted(id) > 0).await;
        signal(&asleep, "-STOP");
        let began = Instant::now();
        let awake = serve(&server, &project, 1);
        wait_until(|| states(&server) == "delivered|1").await;
        assert!(began.elapsed() > Duration::from_secs(1), "the lease counts");
        signal(&asleep, "-CONT");
        lab.faults().release();
        tokio::time::sleep(Duration::from_secs(LEASE_SECONDS)).await;
        for child in [asleep, awake] {
            signal(&child, "-TERM");
            let said = tokio::task::block_in_place(|| project.finish(child));
            assert_eq!(said.code, 0, "{}", logs(&project));
        }
        assert_each_once(&server, &lab, &project, 1);
        assert_eq!(lab.open_uploads(BUCKET).len(), 0, "{operation:?}");
        let log = std::fs::read_to_string(project.path("server-0.log")).expect("a log");
        assert!(log.contains("taken over"), "{operation:?}: {log}");
    }
}

/// Three servers are stopped under one slot, for so long that it is given up; one that wakes up takes that
/// back.
#[tokio::test(flavor = "multi_thread")]
async fn real_postgres_a_slot_that_was_given_up_for_sleepers_is_delivered_when_one_wakes_up() {
    let lab = lab().await;
    let Some(server) = Server::new() else { return };
    let project = team(&lab);
    plan_slots(&server, &project, 1);
    server.psql("DELETE FROM @.slots WHERE activation <> 'd0'");
    let mut asleep = Vec::new();
    for number in 0..3 {
        let hang = Fault::on(Operation::UploadPart, Action::Hang(Outcome::NotDone)).times(1);
        let id = lab.faults().add(hang);
        let child = serve(&server, &project, number);
        wait_until(|| lab.faults().acted(id) > 0).await;
        signal(&child, "-STOP");
        asleep.push(child);
    }
    let awake = serve(&server, &project, 3);
    let state = || server.psql("SELECT state, reason FROM @.slots");
    wait_until(|| state() == "failed|poison").await;
    for child in &asleep {
        signal(child, "-CONT");
    }
    lab.faults().release();
    wait_until(|| states(&server) == "delivered|1").await;
    for child in asleep.into_iter().chain([awake]) {
        signal(&child, "-TERM");
        let said = tokio::task::block_in_place(|| project.finish(child));
        assert_eq!(said.code, 0, "{}", logs(&project));
    }
    assert_each_once(&server, &lab, &project, 1);
}

/// The database goes away behind the commit record, and comes back: the server goes on by itself.
#[tokio::test(flavor = "multi_thread")]
async fn real_postgres_a_server_goes_on_when_its_database_is_back() {
    let lab = lab().await;
    let Some(server) = Server::new() else { return };
    let project = team(&lab);
    plan_slots(&server, &project, 1);
    server.psql("DELETE FROM @.slots WHERE activation <> 'd0'");
    let proxy = Proxy::start(server.port()).await;
    let hang = Fault::on(Operation::CompleteMultipartUpload, Action::Hang(Outcome::Done));
    let id = lab.faults().add(hang);
    let child = serve_at(&server, &server.address_at(proxy.port), &project, 0);
    wait_until(|| lab.faults().acted(id) > 0).await;
    proxy.cut();
    lab.faults().release();
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_ne!(states(&server), "delivered|1");
    proxy.mend();
    wait_until(|| states(&server) == "delivered|1").await;
    signal(&child, "-TERM");
    let said = tokio::task::block_in_place(|| project.finish(child));
    assert_eq!(said.code, 0, "{}", logs(&project));
    assert_each_once(&server, &lab, &project, 1);
    assert_eq!(lab.open_uploads(BUCKET).len(), 0);
    assert!(!logs(&project).contains(&server.password));
}

/// Where a pooler listens that lends connections for one transaction, if there is one.
#[expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "the environment says whether there is a pooler"
)]
fn pooler() -> Option<u16> {
    let port = std::env::var("SEGUE_TEST_POOLER_PORT").ok().and_then(|port| port.parse().ok());
    if port.is_none() {
        println!("not run: SEGUE_TEST_POOLER_PORT names no pooler; `.ci/postgres` starts one");
    }
    port
}

/// Connections that are another one with each transaction, and that others use, too.
#[tokio::test(flavor = "multi_thread")]
async fn real_postgres_servers_work_behind_a_pooler_of_transactions() {
    let lab = lab().await;
    let (Some(server), Some(port)) = (Server::new(), pooler()) else { return };
    let (project, other) = (team(&lab), team(&lab));
    plan_slots(&server, &project, 3);
    let address = format!("{}&pooler=transaction", server.address_at(port));
    let at = |project: &Project, address: &str, arguments: &[&str]| {
        let child = server.command_at(project, address, arguments).spawn();
        project.finish(child.expect("the binary starts"))
    };
    let servers: Vec<Running> =
        (0..CLOCKS.len()).map(|number| serve_at(&server, &address, &project, number)).collect();
    // Another ledger behind the same pooler, which is never taken for this one.
    let elsewhere = address.replace(&server.schema, &format!("{}_other", server.schema));
    for _ in 0..5 {
        let listed = at(&other, &elsewhere, &["token", "list"]);
        assert_eq!(listed.code, 0, "{}", listed.stderr);
        let slots = at(&other, &elsewhere, &["slots", "--output", "json"]);
        assert_eq!((slots.code, slots.stdout.trim()), (0, "[]"), "{}", slots.stderr);
    }
    let all = format!("delivered|{}", 3 * ACTIVATIONS);
    wait_until(|| states(&server) == all).await;
    for child in servers {
        signal(&child, "-TERM");
        let said = tokio::task::block_in_place(|| project.finish(child));
        assert_eq!(said.code, 0, "{}", logs(&project));
    }
    assert_each_once(&server, &lab, &project, 3 * ACTIVATIONS);
    assert!(!logs(&project).contains("ERROR"), "{}", logs(&project));
    // Whoever does not say that there is such a pooler is told.
    let mut told = None;
    for _ in 0..20 {
        let said = at(&project, &server.address_at(port), &["slots"]);
        if said.code != 0 {
            told = Some(said);
            break;
        }
    }
    let told = told.expect("it cannot go well for long");
    // Where in the database's source it was refused is of no account.
    let lines: Vec<&str> = told.stderr.lines().filter(|line| !line.contains("caused by")).collect();
    insta::assert_snapshot!(lines.join("\n"), @"
    error: a pooler between Segue and the database of the ledger changes connections
      hint: Add `?pooler=transaction` to the address of the database. Nothing is lost.
    ");
}

/// A server that idles while its database is away says so, and is ready again when it is back.
#[tokio::test(flavor = "multi_thread")]
async fn real_postgres_a_server_says_that_its_database_is_away() {
    let lab = lab().await;
    let Some(server) = Server::new() else { return };
    let project = team(&lab);
    plan_slots(&server, &project, 1);
    let proxy = Proxy::start(server.port()).await;
    let child = serve_at(&server, &server.address_at(proxy.port), &project, 0);
    wait_until(|| states(&server) == format!("delivered|{ACTIVATIONS}")).await;
    let beacon = std::fs::read_to_string(project.path(".segue/server.json")).expect("a beacon");
    let beacon: serde_json::Value = serde_json::from_str(&beacon).expect("JSON");
    let host = beacon["url"].as_str().expect("a URL").trim_start_matches("http://").to_owned();
    let ask = |path: &str| tokio::task::block_in_place(|| get(&host, path));
    assert_eq!(ask("/readyz"), (200, "ready\n".to_owned()));
    proxy.cut();
    wait_until(|| ask("/readyz").0 == 503).await;
    let away = "not ready: the database of the ledger cannot be reached\n";
    wait_until(|| ask("/readyz").1 == away).await;
    assert_eq!(ask("/healthz").0, 200, "the process itself is well");
    wait_until(|| logs(&project).contains("slots cannot be planned")).await;
    wait_until(|| logs(&project).contains("the ledger cannot be used")).await;
    proxy.mend();
    wait_until(|| ask("/readyz").0 == 200).await;
    wait_until(|| logs(&project).contains("slots are planned again")).await;
    wait_until(|| logs(&project).contains("the ledger can be used again")).await;
    let log = logs(&project);
    assert_eq!(log.matches("slots cannot be planned").count(), 1, "once, and not at every look");
    signal(&child, "-TERM");
    let said = tokio::task::block_in_place(|| project.finish(child));
    assert_eq!(said.code, 0, "{log}");
}

/// Asks a server something that everybody may ask.
fn get(host: &str, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(host).expect("a connection");
    let request = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("it is sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let (head, text) = answer.split_once("\r\n\r\n").expect("a head");
    let status = head.split(' ').nth(1).and_then(|it| it.parse().ok()).expect("a status");
    (status, text.to_owned())
}

/// One state folder for all servers of a ledger, and one ledger for a state folder.
#[tokio::test(flavor = "multi_thread")]
async fn real_postgres_another_state_folder_is_refused() {
    let lab = lab().await;
    let Some(server) = Server::new() else { return };
    let project = team(&lab);
    assert_eq!(server.segue(&project, &["token", "list"]).code, 0);
    let said = server.segue(&project, &["run", "d0", "--state-dir", "elsewhere"]);
    let port = server.address();
    let port = port.split(['/', ':', '?', '@']).find_map(|part| part.parse::<u16>().ok());
    let told = |said: &crate::project::Said| {
        project
            .transcript(said)
            .replace(&port.expect("a port").to_string(), "PORT")
            .replace(&server.schema, "SCHEMA")
    };
    insta::assert_snapshot!(told(&said), @"
    exit code 2
    --- stderr
    error: the ledger postgres://127.0.0.1:PORT/postgres?schema=SCHEMA belongs to another state folder than elsewhere
      hint: All servers of a ledger share one state folder: name the shared volume with --state-dir. Another project takes another schema: `?schema=…` behind the address.
    ");
    assert!(!project.path("elsewhere/database.json").exists(), "it was left as it was");
    // Without the database, the folder's old ledger would know nothing of what was sent.
    let said = project.segue(&["run", "d0"]);
    insta::assert_snapshot!(told(&said), @"
    exit code 2
    --- stderr
    error: the state folder .segue belongs to the ledger postgres://127.0.0.1:PORT/postgres?schema=SCHEMA
      hint: Name that ledger with --database or SEGUE_DATABASE. If the ledger is to be a file again, remove .segue/database.json first.
    ");
    assert_eq!(lab.history().len(), 0);
}
