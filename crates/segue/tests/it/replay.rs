//! Delivered files, made again.

use crate::project::{BUCKET, PEOPLE, Project, Text, lab};
use crate::served_pages::set_up_with;

/// The run that was delivered, and its id.
fn delivered(project: &Project) -> String {
    let said = project.segue(&["run", "daily"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    let runs = project.json(&["runs"]);
    runs[0]["runId"].as_str().expect("an id").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_are_gone_are_put_back_as_they_were() {
    let lab = lab().await;
    let project = Project::new(&Text::default().yaml(), Some(&lab));
    let run = delivered(&project);
    let keys = lab.keys(BUCKET);
    let (data, manifest): (Vec<_>, Vec<_>) =
        keys.iter().cloned().partition(|key| key.ends_with(".csv"));
    let before = lab.object(BUCKET, &data[0]).expect("it is there").bytes;

    // What is there is left alone.
    let said = project.segue(&["replay", &run[..8]]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    insta::assert_snapshot!(said.stdout.lines().next().unwrap_or_default(), @"Made again, and the same byte by byte. Nothing was written: the files are where they were delivered.");

    // A part of a set is not put back.
    lab.delete(BUCKET, &data[0]).expect("it was there");
    let said = project.segue(&["replay", &run]);
    insta::assert_snapshot!(project.transcript(&said), @r"
    exit code 1
    --- stderr
    error: a part of the files is still there, and not drop/loyal_20260104063000.csv
      hint: A set is put back whole: remove the rest, or make the files in a folder: `segue replay RUN --to DIR`.
    ");
    assert_eq!(lab.keys(BUCKET), manifest);

    lab.delete(BUCKET, &manifest[0]).expect("it was there");
    let said = project.segue(&["replay", &run]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert!(
        said.stdout.starts_with("Made again, the same byte by byte, and back"),
        "{}",
        said.stdout
    );
    assert_eq!(lab.keys(BUCKET), keys);
    assert_eq!(lab.object(BUCKET, &data[0]).expect("it is back").bytes, before);
    assert_eq!(lab.open_uploads(BUCKET).len(), 0);

    // And that is left alone as well; nothing is left of how it was made.
    let said = project.json(&["replay", &run]);
    assert_eq!((&said["isWritten"], &said["run"]["runId"]), (&false.into(), &run.clone().into()));
    let left = std::fs::read_dir(project.path(".segue/replays")).expect("the folder").count();
    assert_eq!(left, 0);
    assert_eq!(
        project.json(&["runs"]).as_array().expect("runs").len(),
        1,
        "it is no run of its own"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_made_again_is_said_plainly() {
    let lab = lab().await;
    let project = Project::new(&Text::default().yaml(), Some(&lab));
    let run = delivered(&project);
    for key in lab.keys(BUCKET) {
        lab.delete(BUCKET, &key).expect("it was there");
    }
    let mut told = String::new();
    let mut replay = |what: &str, more: &[&str]| {
        let said = project.segue(&[&["replay", &run], more].concat());
        assert_eq!(said.code, 1, "{what}: {}", said.stderr);
        told.push_str(&format!("# {what}\n{}", project.transcript(&said).replace(&run, "[run]")));
        assert_eq!(lab.keys(BUCKET), Vec::<String>::new());
    };
    project.write("people.csv", PEOPLE.replace("eve@", "eva@"));
    replay("a changed input", &[]);
    project.write("segue.yaml", Text { rule: "points >= 11", ..Text::default() }.yaml());
    replay("a changed input and rule", &["--to", "out"]);
    project.write("segue.yaml", Text { file_name: "other", ..Text::default() }.yaml());
    replay("another name", &[]);
    insta::assert_snapshot!(told, @r"
    # a changed input
    exit code 1
    --- stderr
    error: what run [run] read is not as it was: people.csv was changed
      hint: Bring the inputs back as they were, or read the file back with `segue files get`.
    # a changed input and rule
    exit code 1
    --- stderr
    error: what run [run] read is not as it was: people.csv was changed
      hint: Bring the inputs back as they were, or read the file back with `segue files get`.
    # another name
    exit code 1
    --- stderr
    error: the files of activation `daily` have other names now than at run [run]
      hint: Put folder and file name back as they were, and replay again.
    ");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_rule_is_found_before_anything_is_written() {
    let lab = lab().await;
    let project = Project::new(&Text::default().yaml(), Some(&lab));
    let run = delivered(&project);
    let said = project.segue(&["replay", &run, "--to", "out"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    let made = std::fs::read_dir(project.path("out/drop")).expect("a folder").count();
    assert_eq!(made, 2, "the file and the manifest");
    project.write("segue.yaml", Text { rule: "points >= 11", ..Text::default() }.yaml());
    let said = project.segue(&["replay", &run, "--to", "elsewhere"]);
    insta::assert_snapshot!(project.transcript(&said), @r"
    exit code 1
    --- stderr
    error: the inputs are the same and the files are not, so the rule, the columns or the format were changed: drop/loyal_20260104063000.csv
      hint: Nothing was written. Put the project back as it was at the run, and replay again.
    ");
    assert!(!project.path("elsewhere/drop").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_of_a_run_replays_it() {
    let lab = lab().await;
    let project = Project::new(&Text::default().yaml(), Some(&lab));
    let run = delivered(&project);
    let mut opened = set_up_with(&project, &[]);
    let browser = &mut opened.browser;
    let page = format!("/runs/{run}");
    browser.get(&page).must_have("Make the same files again?");
    let act = format!("{page}/replay");
    assert_eq!(browser.post(&page, &act, &[]).leads_to(), page);
    browser.get(&page).must_have("Nothing was written: the files are where they were delivered");
    for key in lab.keys(BUCKET) {
        lab.delete(BUCKET, &key).expect("it was there");
    }
    assert_eq!(browser.post(&page, &act, &[]).leads_to(), page);
    browser.get(&page).must_have("back where the files were delivered");
    assert_eq!(lab.keys(BUCKET).len(), 2);
    project.write("people.csv", PEOPLE.replace("eve@", "eva@"));
    let refused = browser.post(&page, &act, &[]);
    assert_eq!(refused.status, 409);
    refused.must_have("was changed");
}
