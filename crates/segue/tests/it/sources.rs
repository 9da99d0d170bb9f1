//! Datasets that are tables: a Delta table, and a PostgreSQL server where there is one
//! (`SEGUE_TEST_POSTGRES_URL`; `.ci/postgres` starts it).

use std::fs::File;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use s3lab::{Action, Fault, Operation, Outcome};

use crate::delivery::wait_until;
use crate::project::{BUCKET, Project, Text, lab, records};

fn delta() -> String {
    Text::default()
        .yaml()
        .replace("location: people.csv\n", "location: people\n    format: delta\n")
}

/// Writes a data file of the table.
fn data(project: &Project, name: &str, rows: &[(i64, &str, i64)]) {
    let column = |values: Vec<i64>| Arc::new(Int64Array::from(values)) as ArrayRef;
    let batch = RecordBatch::try_from_iter([
        ("id", column(rows.iter().map(|row| row.0).collect())),
        (
            "email",
            Arc::new(StringArray::from_iter_values(rows.iter().map(|row| row.1))) as ArrayRef,
        ),
        ("points", column(rows.iter().map(|row| row.2).collect())),
    ]);
    let batch = batch.expect("columns of one length");
    let file = File::create(project.path(&format!("people/{name}"))).expect("a file");
    let mut writer = ArrowWriter::try_new(file, batch.schema(), None).expect("a writer");
    writer.write(&batch).expect("rows");
    writer.close().expect("a footer");
}

fn commit(project: &Project, number: u64, actions: &[String]) {
    project.write(&format!("people/_delta_log/{number:020}.json"), actions.join("\n"));
}

fn add(path: &str) -> String {
    format!(
        "{{\"add\":{{\"path\":\"{path}\",\"partitionValues\":{{}},\"size\":1,\"modificationTime\":0,\"dataChange\":true}}}}"
    )
}

fn table(project: &Project) {
    let field = |name: &str, kind: &str| {
        format!(
            "{{\\\"name\\\":\\\"{name}\\\",\\\"type\\\":\\\"{kind}\\\",\\\"nullable\\\":true,\\\"metadata\\\":{{}}}}"
        )
    };
    let fields = [field("id", "long"), field("email", "string"), field("points", "long")];
    let metadata = format!(
        "{{\"metaData\":{{\"id\":\"t\",\"format\":{{\"provider\":\"parquet\"}},\"schemaString\":\"{{\\\"type\\\":\\\"struct\\\",\\\"fields\\\":[{}]}}\",\"partitionColumns\":[],\"configuration\":{{}}}}}}",
        fields.join(",")
    );
    let protocol = "{\"protocol\":{\"minReaderVersion\":1,\"minWriterVersion\":2}}".to_owned();
    commit(project, 0, &[protocol, metadata]);
    data(project, "a.parquet", &[(1, "ann@example.com", 10), (2, "bob@example.com", 9)]);
    commit(project, 1, &[add("a.parquet")]);
}

/// The ids in the first file of a run.
fn sent(project: &Project, run: &serde_json::Value) -> Vec<String> {
    assert_eq!(run["state"], "delivered", "{run}");
    let file = project.path("out").join(run["objects"][0]["key"].as_str().expect("a key"));
    let rows = records(&std::fs::read(file).expect("the file"));
    rows.into_iter().skip(1).map(|row| row[0].clone()).collect()
}

#[test]
fn a_delta_table_is_pinned_at_a_version_that_the_run_tells() {
    let project = Project::new(&delta(), None);
    let said = project.segue(&["validate"]);
    assert!(
        said.stderr.contains("input_not_found") || said.stderr.contains("cannot find"),
        "{}",
        said.stderr
    );
    table(&project);
    let run = project.json(&["run", "daily", "--to", "out"])["runs"][0].clone();
    assert_eq!(sent(&project, &run), ["1"]);
    let shown = project.json(&["show", run["runId"].as_str().expect("an id")]);
    assert_eq!(shown["inputs"][0]["version"], "delta:1", "{shown}");
    let location = shown["inputs"][0]["location"].as_str().expect("a location");
    assert!(location.ends_with("people"), "{location}");
    let manifest = run["objects"][1]["key"].as_str().expect("a manifest");
    let manifest = std::fs::read_to_string(project.path("out").join(manifest)).expect("a manifest");
    assert!(manifest.contains("\"delta:1\""), "{manifest}");

    data(&project, "b.parquet", &[(5, "eve@example.com", 11)]);
    commit(&project, 2, &[add("b.parquet")]);
    let run = project.json(&["run", "daily", "--to", "out", "--slot", "2026-01-03T00:00:00Z"]);
    assert_eq!(sent(&project, &run["runs"][0]), ["1", "5"]);
}

/// A version that is not there is told where it is asked for.
#[test]
fn a_version_that_is_not_there_is_told_at_the_version() {
    let yaml = delta().replace("format: delta\n", "format: delta\n    version: 7\n");
    let line = yaml.lines().position(|line| line.trim() == "version: 7").expect("it is asked for");
    let place = format!("segue.yaml:{}:14", line + 1);
    let project = Project::new(&yaml, None);
    table(&project);
    for command in [&["validate"][..], &["run", "daily", "--to", "out"]] {
        let said = project.segue(command);
        assert_eq!(said.code, 2, "{}", said.stderr);
        assert!(said.stderr.contains(&place), "{}", said.stderr);
        assert!(said.stderr.contains("has no version 7"), "{}", said.stderr);
        assert!(said.stderr.contains("Its newest version is 1."), "{}", said.stderr);
    }
}

/// A project over a table of a schema of its own; nothing where there is no server.
fn database(schema: &str, lab: Option<&s3lab::Lab>) -> Option<(Project, Server)> {
    #[expect(
        clippy::disallowed_methods,
        clippy::print_stdout,
        reason = "the environment says whether there is a server"
    )]
    let Ok(url) = std::env::var("SEGUE_TEST_POSTGRES_URL") else {
        println!("not run: SEGUE_TEST_POSTGRES_URL names no server");
        return None;
    };
    let (user, host) = url.strip_prefix("postgres://")?.split_once('@')?;
    let (user, password) = user.split_once(':')?;
    let yaml = Text { file: "{ format: csv, rows_per_file: 2 }", ..Text::default() }.yaml();
    let yaml = yaml.replace(
        "location: people.csv\n",
        &format!("location: postgres://{user}@{host}\n    password: ${{DB_PASSWORD}}\n    table: {schema}.people\n"),
    );
    let project = Project::new(&yaml, lab);
    let server = Server { url: url.clone(), password: password.to_owned() };
    server.run(&format!(
        "DROP SCHEMA IF EXISTS {schema} CASCADE; CREATE SCHEMA {schema};
        CREATE TABLE {schema}.people (id int PRIMARY KEY, email text, points int);
        INSERT INTO {schema}.people VALUES (1, 'ann@example.com', 10), (2, 'bob@example.com', 9),
          (3, NULL, 30), (4, 'dee@example.com', 12), (5, 'eve@example.com', 11)"
    ));
    Some((project, server))
}

struct Server {
    url: String,
    password: String,
}

impl Server {
    /// Runs statements with the server's own client.
    fn run(&self, sql: &str) {
        let mut client = std::process::Command::new("psql");
        client.args(["--quiet", "-v", "ON_ERROR_STOP=1", "-c", sql, &self.url]);
        let done = client.output().expect("the client runs");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }

    fn start(&self, project: &Project, arguments: &[&str]) -> crate::project::Running {
        let mut command = project.command(arguments);
        command.env("DB_PASSWORD", &self.password).spawn().expect("the binary starts").into()
    }

    fn segue(&self, project: &Project, arguments: &[&str]) -> crate::project::Said {
        project.finish(self.start(project, arguments))
    }
}

#[test]
fn real_postgres_rows_are_sent_and_the_snapshot_is_recorded() {
    let Some((project, server)) = database("t_segue", None) else { return };
    let said = server.segue(&project, &["validate"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    let said = server.segue(&project, &["run", "daily", "--to", "out", "--output", "json"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    let answer: serde_json::Value = serde_json::from_str(&said.stdout).expect("JSON");
    let run = &answer["runs"][0];
    assert_eq!(sent(&project, run), ["1", "4"]);
    let id = run["runId"].as_str().expect("an id");
    let shown = server.segue(&project, &["show", id, "--output", "json"]);
    let shown: serde_json::Value = serde_json::from_str(&shown.stdout).expect("JSON");
    assert_eq!(shown["inputs"][0]["rows"], 5);
    let version = shown["inputs"][0]["version"].as_str().expect("a version");
    assert!(version.starts_with("blake3:") && version.contains("snapshot:"), "{version}");
    let location = shown["inputs"][0]["location"].as_str().expect("a location");
    assert!(location.ends_with("#t_segue.people"), "{location}");
    for text in [&said.stdout, &said.stderr, &shown.to_string()] {
        assert!(!text.contains(&server.password), "a secret is shown");
    }
}

#[test]
fn real_postgres_refusals_have_their_exit_codes() {
    let Some((project, server)) = database("t_codes", None) else { return };
    let wrong = Server { url: server.url.clone(), password: "canary-secret".to_owned() };
    let said = wrong.segue(&project, &["validate"]);
    assert_eq!(said.code, 3, "{}", said.stderr);
    assert!(said.stderr.contains("refuses the sign-in") && !said.stderr.contains("canary"));
    let yaml = std::fs::read_to_string(project.path("segue.yaml")).expect("the project file");
    project.write("segue.yaml", yaml.replace("t_codes.people", "t_codes.poeple"));
    let said = server.segue(&project, &["validate"]);
    assert_eq!(said.code, 2, "{}", said.stderr);
    assert!(said.stderr.contains("Did you mean `t_codes.people`?"), "{}", said.stderr);
    let place = said.stderr.lines().find(|line| line.contains("table: "));
    assert!(place.is_some_and(|it| it.contains("t_codes.poeple")), "{}", said.stderr);
    project.write("segue.yaml", yaml.replace("id: CRMID", "idd: CRMID"));
    let said = server.segue(&project, &["validate"]);
    assert_eq!(said.code, 2, "{}", said.stderr);
    assert!(said.stderr.contains("`id`"), "{}", said.stderr);
}

/// The process dies behind the commit record, the upload of the first file is lost, and the table has
/// changed since: the file is made again from the rows that the run had read.
#[tokio::test(flavor = "multi_thread")]
async fn real_postgres_rows_of_a_run_outlive_a_crash() {
    let lab = lab().await;
    let Some((project, server)) = database("t_crash", Some(&lab)) else { return };
    let fault = Fault::on(Operation::CompleteMultipartUpload, Action::Hang(Outcome::NotDone));
    let id = lab.faults().add(fault);
    let mut child = server.start(&project, &["run", "daily"]);
    wait_until(|| lab.faults().acted(id) > 0).await;
    child.kill().expect("a kill");
    child.wait().expect("the process is gone");
    lab.faults().remove(id);
    lab.faults().release();
    for upload in lab.open_uploads(BUCKET) {
        assert!(lab.drop_upload(&upload.upload_id), "the upload is lost");
    }
    server.run("UPDATE t_crash.people SET email = 'later-' || email, points = 99");
    let said = server.segue(&project, &["run", "daily"]);
    assert!(matches!(said.code, 0), "{}", said.stderr);
    let mut ids = Vec::new();
    for key in lab.keys(BUCKET).iter().filter(|key| key.ends_with(".csv")) {
        let rows = records(&lab.object(BUCKET, key).expect("a file").bytes);
        ids.extend(rows.into_iter().skip(1).map(|row| format!("{} {}", row[0], row[1])));
    }
    assert_eq!(ids, ["1 ann@example.com", "4 dee@example.com", "5 eve@example.com"]);
}
