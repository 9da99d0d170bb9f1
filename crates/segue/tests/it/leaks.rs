//! No secret and no profile value in a log, an error or the ledger, at any level.

use s3lab::{Action, Fault, Operation};

use crate::project::{Project, SECRET, Text, lab};

const PROFILE_CANARIES: [&str; 3] =
    ["canary-mail-7f3a@example.com", "Canary-Name-91be", "777000111"];

fn people() -> String {
    let [mail, name, points] = PROFILE_CANARIES;
    format!("id,email,points,name\n1,{mail},{points},{name}\n2,{mail},5,{name}\n")
}

fn assert_clean(what: &str, text: &str) {
    for canary in PROFILE_CANARIES.iter().chain([&SECRET]) {
        assert!(!text.contains(canary), "{what} holds {canary}:\n{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn canaries_stay_in_the_files() {
    let lab = lab().await;
    lab.faults().add(Fault::on(Operation::UploadPart, Action::slow_down_late()));
    lab.faults().add(Fault::on(Operation::CompleteMultipartUpload, Action::LoseReply));
    let project = Project::new(&Text::default().yaml(), Some(&lab));
    project.write("people.csv", people());
    let commands: [&[&str]; 9] = [
        &["--log", "trace", "validate"],
        &["--log", "trace", "run", "daily"],
        &["--log", "trace", "run", "daily", "--output", "json"],
        &["--log", "trace", "plan", "daily"],
        &["--log", "trace", "count"],
        &["--log", "trace", "preview", "daily"],
        &["--log", "trace", "runs"],
        &["--log", "trace", "show", "0"],
        &["--log", "trace", "run", "daily", "--segment", "missing"],
    ];
    for command in commands {
        let said = project.segue(command);
        assert_clean(&format!("stdout of {command:?}"), &said.stdout);
        assert_clean(&format!("stderr of {command:?}"), &said.stderr);
    }
    let ledger = std::fs::read(project.path(".segue/ledger.sqlite")).expect("a ledger");
    assert_clean("the ledger", &String::from_utf8_lossy(&ledger));
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_about_values_do_not_repeat_them() {
    let lab = lab().await;
    let broken = [
        ("a cast that fails", Text { rule: "CAST(name AS BIGINT) > 1", ..Text::default() }),
        ("a division by zero", Text { rule: "points / (points - points) > 1", ..Text::default() }),
        (
            "a cell that needs quotes",
            Text { file: "{ format: csv, quoting: none, delimiter: \"@\" }", ..Text::default() },
        ),
        (
            "a letter that Latin-1 lacks",
            Text {
                file: "{ format: csv, encoding: iso-8859-1 }",
                mapping: "[id, { expression: \"concat(name, '€')\", target: x }]",
                ..Text::default()
            },
        ),
    ];
    for (what, text) in broken {
        let project = Project::new(&text.yaml(), Some(&lab));
        project.write("people.csv", people());
        let said = project.segue(&["--log", "trace", "run", "daily"]);
        assert_ne!(said.code, 0, "{what} fails: {}", said.stdout);
        assert_clean(what, &said.stderr);
        assert_clean(what, &said.stdout);
        assert_eq!(lab.history().len(), 0, "{what}: nothing is visible");
    }
}
