//! Buckets with a host of their own, from the check to the delivered file.

use crate::project::{BUCKET, Project, Text, lab};

/// A project whose requests go to `BUCKET.s3.localhost`.
fn project(lab: &s3lab::Lab, more: &str) -> Project {
    let yaml = Text::default().yaml().replace(
        "    endpoint_url: ${LAB_ENDPOINT}\n",
        &format!("    endpoint_url: {}\n    addressing: virtual\n{more}", lab.domain_endpoint()),
    );
    assert!(yaml.contains("addressing: virtual"), "{yaml}");
    Project::new(&yaml, Some(lab))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_in_the_host_is_checked_and_delivered_to() {
    let lab = lab().await;
    let project = project(&lab, "");
    let checked = project.json(&["check", "partner", "--all"]);
    let results = checked["permissions"].as_array().expect("lines").iter();
    let unclear: Vec<_> = results.filter(|line| line["result"] != "ok").collect();
    assert!(unclear.is_empty(), "{unclear:#?}");
    assert_eq!((&checked["ready"], &checked["grade"]), (&true.into(), &"A".into()));
    let said = project.segue(&["run", "daily"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert_eq!(lab.keys(BUCKET).len(), 2);
    let listed = project.segue(&["files"]);
    assert_eq!(listed.code, 0, "{}", listed.stderr);
    let key = lab.keys(BUCKET).into_iter().find(|key| key.ends_with(".csv")).expect("a file");
    let got = project.segue(&["files", "get", &key, "--into", "copy.csv"]);
    assert_eq!(got.code, 0, "{}", got.stderr);
    // A second run finds the first by its name and replaces nothing.
    let again = project.segue(&["run", "daily", "--slot", "2026-01-05T00:00:00Z"]);
    assert_eq!(again.code, 0, "{}", again.stderr);
    assert_eq!(lab.keys(BUCKET).len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_that_the_host_does_not_have_is_missing() {
    let lab = lab().await;
    let yaml = std::fs::read_to_string(project(&lab, "").path("segue.yaml")).expect("a project");
    let other = Project::new(&yaml.replace("bucket: exports", "bucket: nothing-here"), Some(&lab));
    let said = other.segue(&["check", "partner"]);
    assert_eq!(said.code, 3, "{}", said.stdout);
    assert!(said.stderr.contains("the bucket does not exist"), "{}", said.stderr);
}
