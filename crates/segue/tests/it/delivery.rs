//! Runs against the lab: what becomes visible, when, and under which name.

use s3lab::{Action, Event, Fault, Lab, Operation, Outcome};

use crate::project::{BUCKET, Project, Text, lab, records};

const CSV: &str = "drop/loyal_20260104063000.csv";
const EXPECTED: [[&str; 3]; 4] = [
    ["id", "e_mail", "points"],
    ["1", "ann@example.com", "10"],
    ["4", "o'neill, \"the\" dee@example.com", "12"],
    ["5", "eve@example.com", "11"],
];

fn assert_delivered(lab: &Lab, key: &str) {
    let object = lab
        .object(BUCKET, key)
        .unwrap_or_else(|| panic!("{key} is not among {:?}", lab.keys(BUCKET)));
    assert_eq!(records(&object.bytes), EXPECTED);
    assert_eq!(lab.open_uploads(BUCKET).len(), 0, "no unfinished upload is left");
}

#[tokio::test(flavor = "multi_thread")]
async fn members_arrive_with_a_manifest_behind_them() {
    let lab = lab().await;
    let project = Project::new(&Text::default().yaml(), Some(&lab));
    let run = project.json(&["run", "daily"])["runs"][0].clone();
    assert_eq!(run["state"], "delivered");
    assert_eq!((run["received"].as_u64(), run["activated"].as_u64()), (Some(4), Some(3)));
    assert_eq!(run["excluded"][0]["reason"], "missing:e_mail");
    assert_delivered(&lab, CSV);

    let keys = lab.keys(BUCKET);
    let manifest_key = keys.iter().find(|key| key.contains("manifest-")).expect("a manifest");
    let manifest = lab.object(BUCKET, manifest_key).expect("the manifest");
    let manifest: serde_json::Value = serde_json::from_slice(&manifest.bytes).expect("JSON");
    assert_eq!(manifest["flowRunId"], run["runId"]);
    assert_eq!(manifest["exportResults"][0]["sha256"], run["objects"][0]["sha256"]);
    let created: Vec<String> = lab.history().into_iter().map(|change| change.key).collect();
    assert_eq!(created.last(), Some(manifest_key), "the manifest is the last to become visible");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slot_is_delivered_once() {
    let lab = lab().await;
    let project = Project::new(&Text::default().yaml(), Some(&lab));
    assert_eq!(project.segue(&["run", "daily"]).code, 0);
    let before = lab.history().len();
    let again = project.segue(&["run", "daily"]);
    assert_eq!(again.code, 0, "{}", again.stderr);
    assert!(again.stderr.contains("was delivered before"), "{}", again.stderr);
    assert_eq!(lab.history().len(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_number_of_threads_changes_no_byte() {
    let lab = lab().await;
    let mut sums = Vec::new();
    for threads in ["1", "2", "4"] {
        let project = Project::new(&Text { folder: "drop", ..Text::default() }.yaml(), Some(&lab));
        let mut people = "id,email,points\n".to_owned();
        for number in 0..5_000 {
            people.push_str(&format!("{number},p{number}@example.com,{}\n", number % 40));
        }
        project.write("people.csv", &people);
        let out = project.path("out");
        let run = project.json(&[
            "--threads",
            threads,
            "run",
            "daily",
            "--to",
            &out.display().to_string(),
        ]);
        sums.push(run["runs"][0]["objects"][0]["sha256"].clone());
    }
    assert_eq!(sums[0], sums[1]);
    assert_eq!(sums[0], sums[2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_gets_the_same_files() {
    let lab = lab().await;
    let project = Project::new(&Text::default().yaml(), Some(&lab));
    let run = project.json(&["run", "daily", "--to", "out"]);
    assert_eq!(run["runs"][0]["state"], "delivered");
    let bytes = std::fs::read(project.path("out").join(CSV)).expect("the file");
    assert_eq!(records(&bytes), EXPECTED);
    assert_eq!(lab.keys(BUCKET), Vec::<String>::new(), "nothing went to the bucket");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_split_and_each_has_the_header() {
    let lab = lab().await;
    let text = Text {
        file: "{ format: tsv, extension: txt, rows_per_file: 2, compression: gzip }",
        ..Text::default()
    };
    let project = Project::new(&text.yaml(), Some(&lab));
    assert_eq!(project.segue(&["run", "daily"]).code, 0);
    let mut lines = Vec::new();
    for key in ["drop/loyal_20260104063000.txt.gz", "drop/loyal_20260104063000_2.txt.gz"] {
        let object = lab.object(BUCKET, key).expect("a part");
        let mut decoder = flate2::read::GzDecoder::new(&object.bytes[..]);
        let text = std::io::read_to_string(&mut decoder).expect("gzip");
        assert!(text.starts_with("id\te_mail\tpoints\n"), "{text}");
        lines.push(text.lines().count() - 1);
    }
    assert_eq!(lines, [2, 1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn static_names_are_replaced_and_strangers_are_not() {
    let lab = lab().await;
    let project = Project::new(&Text { file_name: "latest", ..Text::default() }.yaml(), Some(&lab));
    for slot in ["2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"] {
        let said = project.segue(&["run", "daily", "--slot", slot]);
        assert_eq!(said.code, 0, "{}", said.stderr);
    }
    let replaced = lab
        .history()
        .iter()
        .any(|change| change.key == "drop/latest.csv" && change.event == Event::Replaced);
    assert!(replaced, "{:?}", lab.history());

    lab.put(BUCKET, "drop/latest.csv", "a stranger was here").await.expect("a put");
    let said = project.segue(&["run", "daily", "--slot", "2026-01-03T00:00:00Z"]);
    assert_eq!(said.code, 4, "{}", said.stderr);
    assert_eq!(
        &lab.object(BUCKET, "drop/latest.csv").expect("the stranger's").bytes[..],
        b"a stranger was here"
    );
    assert_eq!(lab.open_uploads(BUCKET).len(), 0);

    lab.delete(BUCKET, "drop/latest.csv").expect("a delete");
    let said = project.segue(&["run", "daily", "--slot", "2026-01-03T00:00:00Z"]);
    assert_eq!(said.code, 0, "the same slot goes through once the object is away: {}", said.stderr);
    let said = project.segue(&["run", "daily", "--slot", "2026-01-02T12:00:00Z"]);
    assert_eq!(said.code, 4, "an older slot never replaces a newer one: {}", said.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guard_stops_a_run_before_anything_is_visible() {
    let lab = lab().await;
    let project =
        Project::new(&Text { guard: "{ min_rows: 100 }", ..Text::default() }.yaml(), Some(&lab));
    let said = project.segue(&["run", "daily"]);
    assert_eq!(said.code, 4);
    assert!(said.stderr.contains("3 rows are fewer than min_rows (100)"), "{}", said.stderr);
    assert_eq!(lab.history().len(), 0);
    assert_eq!(lab.open_uploads(BUCKET).len(), 0);
    let runs = project.json(&["runs"]);
    assert_eq!(
        (runs[0]["state"].as_str(), runs[0]["stop"]["code"].as_str()),
        (Some("blocked"), Some("guard"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_to_send_is_a_header_or_nothing() {
    let lab = lab().await;
    let project =
        Project::new(&Text { rule: "points > 1000", ..Text::default() }.yaml(), Some(&lab));
    assert_eq!(project.segue(&["run", "daily"]).code, 0);
    assert_eq!(&lab.object(BUCKET, CSV).expect("a file").bytes[..], b"id,e_mail,points\n");

    let text = Text {
        rule: "points > 1000",
        file: "{ format: csv, when_empty: skip }",
        folder: "other",
        ..Text::default()
    };
    let project = Project::new(&text.yaml(), Some(&lab));
    let run = project.json(&["run", "daily"]);
    assert_eq!(run["runs"][0]["state"], "skipped");
    assert!(!lab.keys(BUCKET).iter().any(|key| key.starts_with("other/")));
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_lie_or_get_lost_are_settled_by_looking() {
    let faults = [
        ("lost reply", Action::LoseReply),
        ("cut reply", Action::CutReply { after_bytes: 20 }),
        ("truncated text", Action::TruncateReply { after_bytes: 60 }),
        (
            "error that was done",
            Action::OkWithError { code: "InternalError".to_owned(), outcome: Outcome::Done },
        ),
        (
            "error that was not done",
            Action::OkWithError { code: "InternalError".to_owned(), outcome: Outcome::NotDone },
        ),
        ("500", Action::internal_error()),
        ("503 early", Action::slow_down_early()),
        ("503 late", Action::slow_down_late()),
        ("409", Action::answer(409, "ConditionalRequestConflict")),
        ("403 once", Action::answer(403, "AccessDenied")),
        ("404 once", Action::answer(404, "NoSuchUpload")),
    ];
    for (name, action) in faults {
        for skip in [0, 1] {
            let lab = lab().await;
            let fault = Fault::on(Operation::CompleteMultipartUpload, action.clone()).skip(skip);
            let id = lab.faults().add(fault);
            let project = Project::new(&Text::default().yaml(), Some(&lab));
            let said = project.segue(&["run", "daily"]);
            assert_eq!(said.code, 0, "{name}, object {skip}: {}", said.stderr);
            assert_eq!(lab.faults().acted(id), 1, "{name}: the fault acted");
            assert_delivered(&lab, CSV);
            let created = lab.history().iter().filter(|change| change.key == CSV).count();
            assert_eq!(created, 1, "{name}: the file became visible once");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_upload_is_made_again() {
    let lab = lab().await;
    lab.faults().add(Fault::on(Operation::CompleteMultipartUpload, Action::Hang(Outcome::NotDone)));
    let project = Project::new(&Text::default().yaml(), Some(&lab));
    let child = project.start(&["run", "daily"]);
    wait_until(|| lab.faults().held() > 0 || is_committed(&project)).await;
    for upload in lab.open_uploads(BUCKET) {
        if upload.key == CSV {
            assert!(lab.drop_upload(&upload.upload_id), "the lifecycle rule strikes");
        }
    }
    lab.faults().release();
    let said = project.finish(child);
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert_delivered(&lab, CSV);
}

pub(crate) fn is_committed(project: &Project) -> bool {
    project.json(&["runs"])[0]["state"] == "committing"
}

/// Asks until it is so, for at most a minute.
pub(crate) async fn wait_until(condition: impl Fn() -> bool) {
    for _ in 0..600 {
        if condition() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("it did not come to be within a minute");
}

#[tokio::test(flavor = "multi_thread")]
async fn profiles_are_read_from_a_bucket_too() {
    let lab = lab().await;
    let yaml = Text { location: "s3://exports/in/", ..Text::default() }.yaml();
    let yaml =
        yaml.replace("    identities:", "    format: csv\n    account: lab\n    identities:");
    let project = Project::new(&yaml, Some(&lab));
    lab.put(BUCKET, "in/a.csv", crate::project::PEOPLE).await.expect("a put");
    lab.put(BUCKET, "in/_ignored.csv", "nothing").await.expect("a put");
    let said = project.segue(&["run", "daily"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert_delivered(&lab, CSV);
    let shown = project.json(&["runs"]);
    let shown = project.json(&["show", shown[0]["runId"].as_str().expect("an id")]);
    assert_eq!(shown["inputs"][0]["location"], "s3://exports/in/a.csv");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_changes_while_it_is_read_fails_the_run() {
    let lab = lab().await;
    let yaml = Text { location: "s3://exports/in/", ..Text::default() }.yaml();
    let yaml =
        yaml.replace("    identities:", "    format: csv\n    account: lab\n    identities:");
    let project = Project::new(&yaml, Some(&lab));
    lab.put(BUCKET, "in/a.csv", crate::project::PEOPLE).await.expect("a put");
    let id = lab
        .faults()
        .add(Fault::on(Operation::CreateMultipartUpload, Action::Hang(Outcome::NotDone)));
    let child = project.start(&["run", "daily"]);
    wait_until(|| lab.faults().acted(id) > 0).await;
    lab.put(BUCKET, "in/a.csv", "id,email,points\n9,new@example.com,99\n").await.expect("a put");
    let before = lab.history().len();
    lab.faults().remove(id);
    lab.faults().release();
    let said = project.finish(child);
    assert_eq!(said.code, 5, "{}", said.stderr);
    assert!(said.stderr.contains("in/a.csv"), "{}", said.stderr);
    assert_eq!(lab.history().len(), before, "nothing became visible");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_due_runs_once_for_its_slot() {
    let lab = lab().await;
    let yaml = Text::default().yaml();
    let schedule = "schedule: { frequency: daily, at: \"02:00\", zone: Europe/Paris }";
    let yaml =
        yaml.replace("        file_name:", &format!("        {schedule}\n        file_name:"));
    let project = Project::new(&yaml, Some(&lab));
    lab.faults()
        .add(Fault::on(Operation::CreateMultipartUpload, Action::answer(403, "AccessDenied")));
    let refused = project.segue(&["run"]);
    assert_eq!(refused.code, 3, "{}", refused.stderr);
    let run = project.json(&["run"])["runs"][0].clone();
    assert_eq!(run["slot"], "2026-01-04T01:00:00Z", "a failed slot is tried again");
    assert_eq!(run["state"], "delivered");
    assert_eq!(lab.keys(BUCKET)[0], "drop/loyal_20260104010000.csv");
    let nothing = project.segue(&["run", "--error-on-nothing"]);
    assert_eq!(nothing.code, 9, "{}", nothing.stderr);
}
