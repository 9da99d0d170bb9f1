//! Every file that a person's data went out in, as the command line, the API and the pages answer it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use s3lab::{Action, Fault, Lab, Operation};
use serde_json::{Value, json};

use crate::files::versioned;
use crate::http::Server;
use crate::project::{BUCKET, Project, Text, lab, records};

/// Runs a slot and returns the run.
fn run(project: &Project, slot: &str) -> Value {
    let said = project.segue(&["run", "daily", "--slot", slot, "--output", "json"]);
    assert_eq!(said.code, 0, "{} {}", said.stdout, said.stderr);
    let answer: Value = serde_json::from_str(&said.stdout).expect("JSON");
    assert_eq!(answer["runs"][0]["state"], "delivered", "{answer}");
    answer["runs"][0].clone()
}

/// The names of the files that somebody's data went out in, sorted.
fn files(project: &Project, person: &str) -> Vec<String> {
    let answer = project.json(&["who-got", person]);
    let files = answer["files"].as_array().expect("files");
    let name = |file: &Value| {
        let url = file["url"].as_str().expect("an address");
        url.rsplit('/').next().expect("a name").to_owned()
    };
    let mut names: Vec<String> = files.iter().map(name).collect();
    names.sort();
    names
}

/// The records of runs.
fn record_files(project: &Project) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(project.path(".segue/who-got")) else { return Vec::new() };
    entries.map(|entry| entry.expect("an entry").path()).collect()
}

/// Which ids stand in which file of the bucket.
fn ids_in_bucket(lab: &Lab, column: usize) -> BTreeMap<String, BTreeSet<String>> {
    let mut found = BTreeMap::new();
    for key in lab.keys(BUCKET).into_iter().filter(|key| key.ends_with(".csv")) {
        let bytes = lab.object(BUCKET, &key).expect("the file").bytes;
        let ids = records(&bytes).into_iter().skip(1).map(|row| row[column].clone()).collect();
        found.insert(key.rsplit('/').next().expect("a name").to_owned(), ids);
    }
    found
}

fn people(rows: &[(&str, &str, i64)]) -> String {
    let row = |(id, email, points): &(&str, &str, i64)| format!("{id},{email},{points}\n");
    "id,email,points\n".to_owned() + &rows.iter().map(row).collect::<String>()
}

fn incremental(export: &str, mapping: &'static str) -> String {
    let text = Text { mapping, ..Text::default() };
    text.yaml()
        .replace("- segment: loyal\n", &format!("- segment: loyal\n        export: {export}\n"))
}

const EARLIER: &str = "2026-01-03T02:00:00Z";
const FIRST: &str = "2026-01-04T02:00:00Z";
const SECOND: &str = "2026-01-05T02:00:00Z";
const FIRST_FILE: &str = "loyal_20260104020000.csv";
const SECOND_FILE: &str = "loyal_20260105020000.csv";

#[tokio::test(flavor = "multi_thread")]
async fn everybody_is_found_in_exactly_their_files() {
    let lab = versioned().await;
    let file = "{ format: csv, rows_per_file: 2 }";
    let mapping = "[id, { source: email, target: \"e-mail\", mandatory: true }, points]";
    let project = Project::new(&Text { file, mapping, ..Text::default() }.yaml(), Some(&lab));
    let everybody: Vec<(String, String, i64)> = (0..20)
        .map(|id| {
            let email = if id % 5 == 0 { String::new() } else { format!("p{id}@example.com") };
            (id.to_string(), email, id)
        })
        .collect();
    let rows: Vec<(&str, &str, i64)> = everybody
        .iter()
        .map(|(id, email, points)| (id.as_str(), email.as_str(), *points))
        .collect();
    project.write("people.csv", people(&rows));
    run(&project, FIRST);
    // Some leave the segment, some the datasets.
    let rows: Vec<(&str, &str, i64)> =
        rows.iter().skip(3).map(|(id, email, points)| (*id, *email, 24 - points)).collect();
    project.write("people.csv", people(&rows));
    run(&project, SECOND);

    let in_bucket = ids_in_bucket(&lab, 0);
    assert!(in_bucket.len() > 6, "{in_bucket:?}");
    for id in 0..25 {
        let expected: Vec<String> = in_bucket
            .iter()
            .filter(|(_, ids)| ids.contains(&id.to_string()))
            .map(|(name, _)| name.clone())
            .collect();
        assert_eq!(files(&project, &format!("CRMID:{id}")), expected, "{id}");
    }

    let answer = project.json(&["who-got", "CRMID:12"]);
    let file = &answer["files"][0];
    assert_eq!(file["columns"], json!(["id", "e-mail", "points"]));
    assert_eq!((&file["destination"], &file["activation"]), (&json!("partner"), &json!("daily")));
    let key = file["key"].as_str().expect("a key");
    let version = lab.object(BUCKET, key).expect("it is there").version_id;
    assert_eq!(file["versionId"], json!(version));
    assert_eq!((&answer["notKnown"], &answer["hasProfile"]), (&json!([]), &json!(true)));
    assert_eq!(project.json(&["who-got", "CRMID:2"])["hasProfile"], json!(false));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_answer_is_told_to_people() {
    let lab = lab().await;
    let project = Project::new(&Text::default().yaml(), Some(&lab));
    let said = project.segue(&["who-got", "CRMID:1"]);
    let before = project.transcript(&said);
    run(&project, FIRST);
    run(&project, SECOND);
    std::fs::remove_file(record_of(&project, FIRST)).expect("it was there");
    project.write("people.csv", people(&[("2", "b@x", 20)]));
    let ids = |text: String| {
        let runs = project.json(&["runs"]);
        let runs = runs.as_array().expect("runs").iter();
        runs.fold(text, |text, run| {
            let (id, slot) = (run["runId"].as_str().expect("an id"), run["slot"].as_str());
            text.replace(&id[..8], &format!("[{}]", &slot.expect("a slot")[5..10]))
        })
    };
    let here = project.transcript(&project.segue(&["who-got", "CRMID:1"]));
    let nowhere = project.transcript(&project.segue(&["who-got", "CRMID:2"]));
    let wrong = project.transcript(&project.segue(&["who-got", "1"]));
    let unknown = project.transcript(&project.segue(&["who-got", "CRMIT:1"]));
    let told = ids(format!("{before}---\n{here}---\n{nowhere}---\n{wrong}---\n{unknown}"));
    insta::assert_snapshot!(told, @r"
    exit code 2
    --- stderr
    error: nothing was delivered yet
      hint: `segue run` delivers.
    ---
    exit code 0
    --- stdout
     went out               destination   activation   segment   run        object                                       version   columns
    ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
     2026-01-04T06:30:00Z   partner       daily        loyal     [01-05]   s3://exports/drop/loyal_20260105020000.csv   -         id, e_mail, points

    No profile has this identity today: files are found that went out under this very identity.
    Each run that was delivered since 2026-01-04T06:30:00Z has a record; records are kept for 400 days.

    It is not known whether these runs sent data of this person:
     run        delivered              activation   segment   why
    ───────────────────────────────────────────────────────────────────────────
     [01-04]   2026-01-04T06:30:00Z   daily        loyal     it has no record
    ---
    exit code 0
    --- stdout
    No recorded file has data of this person.

    Each run that was delivered since 2026-01-04T06:30:00Z has a record; records are kept for 400 days.

    It is not known whether these runs sent data of this person:
     run        delivered              activation   segment   why
    ───────────────────────────────────────────────────────────────────────────
     [01-04]   2026-01-04T06:30:00Z   daily        loyal     it has no record
    ---
    exit code 2
    --- stderr
    error: an identity is a namespace and a value with a colon between them
      hint: Write for example `segue who-got CRMID:12345`.
    ---
    exit code 2
    --- stderr
    error: no profile dataset has the namespace `CRMIT`
      hint: Did you mean `CRMID`?
    ");
}

/// The record of the run for a slot.
fn record_of(project: &Project, slot: &str) -> PathBuf {
    let runs = project.json(&["runs"]);
    let is_of_slot = |run: &&Value| run["slot"] == slot;
    let run = runs.as_array().expect("runs").iter().find(is_of_slot).expect("the run");
    let id = run["runId"].as_str().expect("an id");
    let is_of_run = |path: &PathBuf| path.to_string_lossy().contains(id);
    record_files(project).into_iter().find(is_of_run).expect("a record")
}

/// Those who left are told by their keys, also where those say nothing of who they are.
#[tokio::test(flavor = "multi_thread")]
async fn those_who_are_gone_are_found_in_the_file_that_says_so() {
    let status = "{ source: segmentMembership.status, target: status }]";
    for key in
        ["id, ", "{ source: id, deduplicate: true }, ", "{ source: email, deduplicate: true }, "]
    {
        for export in ["incremental", "changes"] {
            let lab = lab().await;
            let mapping = format!("[{key}points, {status}");
            let project = Project::new(&incremental(export, mapping.leak()), Some(&lab));
            project.write(
                "people.csv",
                people(&[("1", "a@x", 10), ("2", "b@x", 20), ("3", "c@x", 30), ("5", "e@x", 50)]),
            );
            run(&project, FIRST);
            // 1 is gone, 2 left, 3 has other points, 4 is new, 5 is as before.
            project.write(
                "people.csv",
                people(&[("2", "b@x", 2), ("3", "c@x", 31), ("4", "d@x", 40), ("5", "e@x", 50)]),
            );
            run(&project, SECOND);
            let both = vec![FIRST_FILE.to_owned(), SECOND_FILE.to_owned()];
            let of_three = if export == "changes" { both.clone() } else { both[..1].to_vec() };
            let expected = [
                ("1", both.clone()),
                ("2", both.clone()),
                ("3", of_three),
                ("4", both[1..].to_vec()),
                ("5", both[..1].to_vec()),
            ];
            for (id, expected) in expected {
                let found = files(&project, &format!("CRMID:{id}"));
                assert_eq!(found, expected, "{id} of {export} by {key}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_are_left_out_are_in_no_record() {
    let lab = lab().await;
    let file = "{ format: csv, formula_guard: reject }";
    let mapping =
        "[{ source: email, mandatory: true, deduplicate: true }, { source: name, target: name }]";
    let yaml = Text { file, mapping, ..Text::default() }.yaml().replacen(
        "segments:\n",
        "consent: { opt_out: out }\nsegments:\n",
        1,
    );
    let project = Project::new(&yaml, Some(&lab));
    project.write(
        "people.csv",
        "id,email,points,name,out\n1,a@x,10,Ann,false\n2,,10,Bob,false\n3,c@x,10,=1,false\n4,d@x,10,Dan,true\n5,e@x,1,Eve,false\n6,a@x,10,Zoe,false\n7,g@x,10,Gil,false\n",
    );
    run(&project, FIRST);
    let there: Vec<bool> =
        (1..=7).map(|id| !files(&project, &format!("CRMID:{id}")).is_empty()).collect();
    assert_eq!(there, [true, false, false, false, false, false, true]);
}

/// A mapping about addresses has a row for each; whoever asks with an address that is gone by then
/// finds its row.
#[tokio::test(flavor = "multi_thread")]
async fn rows_about_identities_are_found_by_person_and_by_identity() {
    let lab = lab().await;
    let mapping = "[{ source: identityMap.Email, target: email }, points]";
    let yaml = Text {
        location: "crm.csv",
        mapping,
        file: "{ format: csv, rows_per_file: 1 }",
        ..Text::default()
    }
    .yaml()
    .replace(
        "identities: { id: CRMID }",
        "identities: { id: CRMID, email: Email }\n    timestamp: changed",
    );
    let project = Project::new(&yaml, Some(&lab));
    let head = "id,email,points,changed\n";
    let bob = "2,bob@x,20,2026-01-02T10:00:00Z\n";
    let ann = "1,ann@x,10,2026-01-01T10:00:00Z\n1,ann@work,10,2026-01-02T10:00:00Z\n";
    project.write("crm.csv", format!("{head}{ann}{bob}"));
    run(&project, FIRST);
    let in_bucket = ids_in_bucket(&lab, 0);
    let with = |emails: &[&str]| -> Vec<String> {
        let is_asked = |ids: &BTreeSet<String>| emails.iter().any(|it| ids.contains(*it));
        in_bucket.iter().filter(|(_, ids)| is_asked(ids)).map(|(name, _)| name.clone()).collect()
    };
    let of_ann = with(&["ann@x", "ann@work"]);
    assert_eq!(of_ann.len(), 2);
    for identity in ["CRMID:1", "Email:ann@x", "Email:ann@work"] {
        assert_eq!(files(&project, identity), of_ann, "{identity}");
    }
    assert_eq!(files(&project, "Email:bob@x"), with(&["bob@x"]));
    project.write("crm.csv", format!("{head}{bob}"));
    assert_eq!(files(&project, "Email:ann@work"), with(&["ann@work"]));
    assert_eq!(files(&project, "CRMID:1"), of_ann);
}

/// A stitched profile may be known by another identity than before; all that are known are asked for.
#[tokio::test(flavor = "multi_thread")]
async fn profiles_that_came_together_have_the_files_of_both() {
    let lab = lab().await;
    let yaml = Text { mapping: "[points, email]", ..Text::default() }.yaml();
    let (head, rest) = yaml.split_once("datasets:").expect("datasets");
    let (_, tail) = rest.split_once("segments:").expect("segments");
    let yaml = format!(
        "{head}datasets:
  crm: {{ location: crm.csv, identities: {{ id: CRMID, email: Email }}, timestamp: changed }}
  web: {{ location: web.csv, identities: {{ cookie: ECID, email: Email }}, timestamp: changed }}
profiles: {{ stitch: graph }}
segments:{tail}"
    );
    let project = Project::new(&yaml, Some(&lab));
    let web =
        |email: &str| format!("cookie,email,points,changed\nc1,{email},30,2026-01-01T10:00:00Z\n");
    project.write(
        "crm.csv",
        "id,email,points,changed\n1,ann@x,10,2026-01-02T10:00:00Z\n2,,2,2026-01-02T10:00:00Z\n",
    );
    project.write("web.csv", web(""));
    run(&project, FIRST);
    project.write("web.csv", web("ann@x"));
    run(&project, SECOND);
    let both = vec![FIRST_FILE.to_owned(), SECOND_FILE.to_owned()];
    for identity in ["CRMID:1", "ECID:c1", "Email:ann@x"] {
        assert_eq!(files(&project, identity), both, "{identity}");
    }
    assert_eq!(files(&project, "CRMID:2"), Vec::<String>::new());
    // Nobody is there any more; what they were known by is still found.
    project.write("crm.csv", "id,email,points,changed\n2,,2,2026-01-02T10:00:00Z\n");
    project.write("web.csv", "cookie,email,points,changed\nc9,z@x,1,2026-01-01T10:00:00Z\n");
    assert_eq!(files(&project, "CRMID:1"), both);
}

#[tokio::test(flavor = "multi_thread")]
async fn other_kinds_of_files_and_places_are_recorded_as_well() {
    for file in [
        "{ format: parquet, rows_per_file: 2 }",
        "{ format: json, rows_per_file: 2, compression: gzip }",
        "{ format: csv, bytes_per_file: 36, compression: zip }",
    ] {
        let lab = lab().await;
        let project = Project::new(&Text { file, ..Text::default() }.yaml(), Some(&lab));
        project.write(
            "people.csv",
            people(&[("1", "a@x", 10), ("2", "b@x", 1), ("3", "c@x", 30), ("4", "d@x", 40)]),
        );
        run(&project, FIRST);
        let [one, three, four] = ["1", "3", "4"].map(|id| files(&project, &format!("CRMID:{id}")));
        assert_eq!((one.len(), three.len(), four.len()), (1, 1, 1), "{file}");
        assert!(one <= three && three <= four && one != four, "{one:?} {three:?} {four:?}");
        assert_eq!(files(&project, "CRMID:2"), Vec::<String>::new());
        let said = project.segue(&["run", "daily", "--slot", FIRST, "--to", "out"]);
        assert_eq!(said.code, 0, "{}", said.stderr);
        let answer = project.json(&["who-got", "CRMID:4"]);
        let urls: Vec<&str> = answer["files"]
            .as_array()
            .expect("files")
            .iter()
            .filter_map(|it| it["url"].as_str())
            .collect();
        assert_eq!(urls.len(), 2, "{urls:?}");
        assert!(urls.iter().any(|url| url.starts_with("s3://exports/drop/")), "{urls:?}");
        assert!(urls.iter().any(|url| url.contains("/out/drop/")), "{urls:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_that_deliver_nothing_leave_no_record() {
    let lab = lab().await;
    let project =
        Project::new(&Text { guard: "{ max_rows: 1 }", ..Text::default() }.yaml(), Some(&lab));
    assert_eq!(project.segue(&["run", "daily", "--slot", FIRST]).code, 4);
    assert_eq!(record_files(&project), Vec::<PathBuf>::new());
    let broken = Text { rule: "points / (points - points) > 1", ..Text::default() };
    project.write("segue.yaml", broken.yaml());
    assert_eq!(project.segue(&["run", "daily", "--slot", SECOND]).code, 1);
    let nobody = Text {
        rule: "points > 1000",
        file: "{ format: csv, when_empty: skip }",
        ..Text::default()
    };
    project.write("segue.yaml", nobody.yaml());
    assert_eq!(project.segue(&["run", "daily", "--slot", SECOND]).code, 0);
    assert_eq!(record_files(&project), Vec::<PathBuf>::new());
    project.write("segue.yaml", Text::default().yaml());
    // What is delivered in spite of lost answers has its record.
    lab.faults().add(Fault::on(Operation::CompleteMultipartUpload, Action::LoseReply));
    run(&project, "2026-01-06T02:00:00Z");
    assert_eq!(record_files(&project).len(), 1);
    assert_eq!(files(&project, "CRMID:1"), ["loyal_20260106020000.csv"]);
    // A replay is no other run.
    for key in lab.keys(BUCKET) {
        lab.delete(BUCKET, &key).expect("it was there");
    }
    let id = project.json(&["runs", "--state", "delivered"])[0]["runId"].clone();
    let id = id.as_str().expect("an id").to_owned();
    let before = std::fs::read(&record_files(&project)[0]).expect("the record");
    assert_eq!(project.segue(&["replay", &id]).code, 0);
    assert_eq!(project.segue(&["replay", &id, "--to", "again"]).code, 0);
    assert_eq!(record_files(&project).len(), 1);
    assert_eq!(std::fs::read(&record_files(&project)[0]).expect("the record"), before);
    assert_eq!(files(&project, "CRMID:1"), ["loyal_20260106020000.csv"]);
}

/// Records are kept for their time and come with backups; what is not known is named.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_known_is_named() {
    let lab = lab().await;
    let yaml = Text::default().yaml().replacen(
        "segments:\n",
        "who_got: { kept_days: 30 }\nsegments:\n",
        1,
    );
    let project = Project::new(&yaml, Some(&lab));
    run(&project, FIRST);
    run(&project, SECOND);
    let answer = project.json(&["who-got", "CRMID:1"]);
    assert_eq!((&answer["keptDays"], &answer["notKnown"]), (&json!(30), &json!([])));
    assert!(answer["recordedSince"].is_string(), "{answer}");

    let said = project.segue(&["backup", "kept"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert_eq!(std::fs::read_dir(project.path("kept/who-got")).expect("records").count(), 2);
    let said = project.segue(&["restore", "kept", "--state-dir", "other"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    let restored = project.json(&["--state-dir", "other", "who-got", "CRMID:1"]);
    assert_eq!(restored["files"], answer["files"]);

    std::fs::write(record_of(&project, FIRST), "torn").expect("it is torn");
    std::fs::remove_file(record_of(&project, SECOND)).expect("it was there");
    let answer = project.json(&["who-got", "CRMID:1"]);
    let why = |answer: &Value| {
        let gaps = answer["notKnown"].as_array().expect("gaps");
        gaps.iter().map(|gap| gap["why"].as_str().expect("why").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(why(&answer), ["no_record", "damaged"]);
    assert_eq!((&answer["files"], &answer["recordedSince"]), (&json!([]), &Value::Null));
    // A month later.
    let said = project.segue_with(
        &["run", "daily", "--slot", "2026-01-06T02:00:00Z"],
        &[("SEGUE_NOW", "2100-01-01T00:00:00Z")],
    );
    assert_eq!(said.code, 0, "{}", said.stderr);
    let said = project.segue_with(
        &["who-got", "CRMID:1", "--output", "json"],
        &[("SEGUE_NOW", "2100-01-01T00:00:00Z")],
    );
    let answer: Value = serde_json::from_str(&said.stdout).expect("JSON");
    assert!(why(&answer).ends_with(&["expired".to_owned(), "expired".to_owned()]), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn those_without_a_primary_identity_are_found_by_what_they_have() {
    let lab = lab().await;
    let yaml = Text { mapping: "[points, email]", ..Text::default() }
        .yaml()
        .replace("{ id: CRMID }", "{ id: CRMID, email: Email }")
        .replacen("segments:\n", "profiles: { stitch: graph }\nsegments:\n", 1);
    let project = Project::new(&yaml, Some(&lab));
    project.write("people.csv", people(&[("1", "a@x", 10), ("", "b@x", 20), ("3", "c@x", 30)]));
    run(&project, FIRST);
    assert_eq!(files(&project, "CRMID:3"), [FIRST_FILE]);
    let answer = project.json(&["who-got", "Email:b@x"]);
    assert_eq!(answer["files"].as_array().map(Vec::len), Some(1), "{answer}");
    assert_eq!(answer["notKnown"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_value_is_in_a_record_a_log_or_an_error() {
    let lab = lab().await;
    let (id, mail) = ("canary-id-55d2", "canary-mail-7f3a@example.com");
    let mapping = "[{ source: email, deduplicate: true }, points, { source: segmentMembership.status, target: status }]";
    let project = Project::new(&incremental("changes", mapping), Some(&lab));
    project.write("people.csv", people(&[(id, mail, 10), ("other", "o@x", 20)]));
    run(&project, FIRST);
    project.write("people.csv", people(&[("other", "o@x", 20)]));
    run(&project, SECOND);
    for path in record_files(&project) {
        let bytes = std::fs::read(&path).expect("a record");
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.contains(id) && !text.contains(mail), "{}", path.display());
        assert!(text.contains("status"), "it tells the headers");
    }
    let asked = format!("CRMID:{id}");
    for command in [
        vec!["--log", "trace", "who-got", asked.as_str()],
        vec!["--log", "trace", "who-got", asked.as_str(), "--output", "json"],
        vec!["--log", "trace", "who-got", id],
        vec!["--log", "trace", "who-got", "Nothing:canary-id-55d2"],
    ] {
        let said = project.segue(&command);
        for text in [&said.stdout, &said.stderr] {
            assert!(!text.contains(id) && !text.contains(mail), "{command:?}: {text}");
        }
    }
    std::fs::write(record_of(&project, FIRST), "torn").expect("it is torn");
    let said = project.segue(&["--log", "trace", "who-got", &asked]);
    assert!(
        said.stdout.contains("its record is damaged") && !said.stderr.contains(id),
        "{}",
        said.stderr
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_answers_page_by_page() {
    let lab = lab().await;
    let project = Project::new(
        &Text { file: "{ format: csv, rows_per_file: 1 }", ..Text::default() }.yaml(),
        Some(&lab),
    );
    for day in 1..=27 {
        let slot = format!("2025-11-{day:02}T06:00:00Z");
        assert_eq!(project.segue(&["run", "daily", "--slot", &slot]).code, 0);
    }
    let server = Server::start(&project).await;
    let ask = |body: Value| {
        server.ask("POST", "/api/v1/profiles/who-got", &server.analyst, &[], Some(body))
    };
    let mut urls = Vec::new();
    let mut body = json!({ "namespace": "CRMID", "value": "1" });
    loop {
        let answer = ask(body.clone());
        assert_eq!(answer.status, 200, "{}", answer.text);
        let page = answer.json();
        let files = page["files"].as_array().expect("files");
        urls.extend(files.iter().filter_map(|it| it["url"].as_str()).map(str::to_owned));
        assert_eq!(page["notKnown"], json!([]));
        if page["next"].is_null() {
            break;
        }
        body["cursor"] = page["next"].clone();
    }
    assert_eq!(urls.len(), 27, "{urls:?}");
    assert!(urls.is_sorted_by(|one, other| one > other), "the latest slot first: {urls:?}");
    for (body, expected) in [
        (json!({ "namespace": "CRMID", "value": "1", "cursor": "x" }), (422, "invalid_value")),
        (json!({ "namespace": "Nothing", "value": "1" }), (422, "project_invalid")),
        (json!({ "namespace": "CRMID" }), (422, "invalid_value")),
    ] {
        let answer = ask(body.clone());
        let code = answer.json()["code"].as_str().unwrap_or_default().to_owned();
        assert_eq!((answer.status, code.as_str()), expected, "{body}");
    }
    let refused = server.ask(
        "POST",
        "/api/v1/profiles/who-got",
        &server.viewer,
        &[],
        Some(json!({ "namespace": "CRMID", "value": "1" })),
    );
    assert_eq!(refused.status, 403);
    let audit = server.ask("GET", "/api/v1/audit", &server.privacy, &[], None);
    assert!(audit.text.contains("who_got"), "{}", audit.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_somebody_who_is_gone_it_is_told_what_is_still_known() {
    let lab = lab().await;
    let mapping = "[id, points, { source: segmentMembership.status, target: status }, { source: segmentMembership.lastQualificationTime, target: since }]";
    let project = Project::new(&incremental("incremental", mapping), Some(&lab));
    project.write("people.csv", people(&[("canary1", "a@x", 10), ("2", "b@x", 20)]));
    run(&project, EARLIER);
    project.write("people.csv", people(&[("2", "b@x", 20)]));
    let ask = |person: &str, more: &[&str]| {
        let command = [&["explain", person, "loyal"], more].concat();
        let told = project.transcript(&project.segue(&command));
        let runs = project.json(&["runs"]);
        let runs = runs.as_array().expect("runs").iter();
        runs.fold(told, |told, run| {
            let (id, slot) = (run["runId"].as_str().expect("an id"), run["slot"].as_str());
            let told = told.replace(id, "RUN-ID");
            told.replace(&id[..8], &format!("[{}]", &slot.expect("a slot")[5..10]))
        })
    };
    insta::assert_snapshot!("gone_before_the_next_file", ask("CRMID:canary1", &["--unmask"]));
    run(&project, FIRST);
    let masked = ask("CRMID:canary1", &["--activation", "daily"]);
    assert!(!masked.contains("canary"), "{masked}");
    insta::assert_snapshot!("gone_and_told", masked);
    insta::assert_snapshot!("gone_as_json", ask("CRMID:canary1", &["--output", "json"]));
    insta::assert_snapshot!("never_there", ask("CRMID:9", &[]));
}
