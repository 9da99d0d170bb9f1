//! Credentials that are changed while a server runs: it is not started again, and no run is lost.

use std::time::Duration;

use s3lab::{Lab, Options, User};
use serde_json::{Value, json};

use crate::delivery::wait_until;
use crate::http::Server;
use crate::project::{BUCKET, Project, SECRET, Text};

const OTHER: &str = "canary-rotated-5d0a77b1c3e9f2";

fn user(id: &str, secret: &str) -> User {
    User { access_key_id: id.to_owned(), secret_access_key: secret.to_owned(), ..User::default() }
}

/// Two keys, as while one is being replaced by the other.
async fn lab() -> Lab {
    let users = vec![user("LAB", SECRET), user("SECOND", OTHER)];
    let options = Options { users, buckets: vec![BUCKET.into()], ..Options::default() };
    Lab::start(options).await.expect("the lab starts")
}

/// Runs the activation for a slot and waits until it is over. Returns the slot.
async fn run(server: &Server<'_>, slot: &str) -> Value {
    let body = Some(json!({ "slot": slot }));
    let path = "/api/v1/activations/daily/run";
    let asked = server.ask("POST", path, &server.operator, &[], body);
    assert_eq!(asked.status, 202, "{}", asked.text);
    let find = || {
        let slots = server.ask("GET", "/api/v1/slots", &server.viewer, &[], None).json();
        let items = slots["items"].as_array().expect("slots").clone();
        items.into_iter().find(|it| it["slot"] == slot).unwrap_or_default()
    };
    wait_until(|| !find()["stop"].is_null() || find()["state"] == "delivered").await;
    find()
}

fn ready(server: &Server<'_>) -> bool {
    let path = "/api/v1/destinations/partner/check";
    server.ask("POST", path, &server.admin, &[], None).json()["ready"] == true
}

#[tokio::test(flavor = "multi_thread")]
async fn files_with_secrets_are_read_again_by_a_server_that_runs() {
    let lab = lab().await;
    let yaml = Text::default()
        .yaml()
        .replace("access_key_id: LAB", "access_key_id: ${file:mounted/id}")
        .replace("${LAB_SECRET}", "${file:mounted/secret}");
    let project = Project::new(&yaml, Some(&lab));
    project.write("mounted/id", "LAB\n");
    project.write("mounted/secret", format!("{SECRET}\n"));
    let mut server = Server::start(&project).await;
    assert_eq!(run(&server, "2026-01-01T00:00:00Z").await["state"], "delivered");
    // The new key is there, and the old one is gone: what runs from now on signs with the new one.
    project.write("mounted/id", "SECOND\n");
    project.write("mounted/secret", format!("{OTHER}\n"));
    lab.set_user(user("LAB", "disabled"));
    assert_eq!(run(&server, "2026-01-02T00:00:00Z").await["state"], "delivered");
    assert!(ready(&server), "a check reads them again too");
    assert_eq!(lab.keys(BUCKET).len(), 4);
    let said = server.stop();
    assert!(!said.contains(SECRET) && !said.contains(OTHER), "{said}");
}

/// The key is replaced at the service before the file is: what was due in between is tried again.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_between_two_keys_waits_for_the_new_one() {
    let lab = lab().await;
    let yaml = Text::default().yaml().replace("${LAB_SECRET}", "${file:mounted/secret}");
    let project = Project::new(&yaml, Some(&lab));
    project.write("mounted/secret", SECRET);
    let server = Server::start(&project).await;
    lab.set_user(user("LAB", OTHER));
    let slot = "2026-01-01T00:00:00Z";
    let waiting = run(&server, slot).await;
    assert_eq!(
        (&waiting["state"], &waiting["stop"]["code"]),
        (&json!("planned"), &json!("connection"))
    );
    // Slots, runs and alerts call it by one name.
    let runs = server.ask("GET", "/api/v1/runs", &server.viewer, &[], None).json();
    if let Some(run) = runs["items"].as_array().and_then(|items| items.first()) {
        assert_eq!(run["stop"]["code"], "connection", "{run}");
    }
    assert_eq!(lab.history().len(), 0, "nothing is visible");
    project.write("mounted/secret", OTHER);
    assert!(ready(&server));
}

/// A profile that somebody rewrites: the SDK reads it once, and so it has to be asked for anew.
#[tokio::test(flavor = "multi_thread")]
async fn a_profile_that_was_rewritten_is_found_when_its_key_is_gone() {
    let lab = lab().await;
    let yaml = Text::default().yaml().replace(
        "      kind: access-key\n      access_key_id: LAB\n      secret_access_key: ${LAB_SECRET}\n",
        "      kind: default\n      profile: partner\n",
    );
    let project = Project::new(&yaml, Some(&lab));
    let profile = |id: &str, secret: &str| {
        let keys = format!("aws_access_key_id = {id}\naws_secret_access_key = {secret}\n");
        project.write(".aws/credentials", format!("[partner]\n{keys}"));
    };
    profile("LAB", SECRET);
    let server = Server::start(&project).await;
    assert_eq!(run(&server, "2026-01-01T00:00:00Z").await["state"], "delivered");
    profile("SECOND", OTHER);
    lab.remove_user("LAB");
    assert_eq!(run(&server, "2026-01-02T00:00:00Z").await["state"], "delivered");
    assert_eq!(lab.keys(BUCKET).len(), 4);
    // What nobody knows any more is told as such, and not for ever asked again.
    lab.remove_user("SECOND");
    let begin = std::time::Instant::now();
    let stopped = run(&server, "2026-01-03T00:00:00Z").await;
    assert_eq!(stopped["stop"]["code"], "connection", "{stopped}");
    assert!(begin.elapsed() < Duration::from_secs(60), "{:?}", begin.elapsed());
}
