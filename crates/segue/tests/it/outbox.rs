//! Destinations that are folders of this machine.

use std::path::Path;

use serde_json::json;

use crate::http::Server;
use crate::project::{Project, Text};
use crate::served_pages::{Browser, set_up_with};

/// A project that sends to a folder and not to a bucket.
fn to_folder(location: &str) -> Project {
    let bucket = "    account: lab\n    bucket: exports\n";
    let yaml = Text::default().yaml();
    assert!(yaml.contains(bucket));
    Project::new(&yaml.replace(bucket, &format!("    location: {location}\n")), None)
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let mut names: Vec<String> = entries
        .map(|it| it.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn files_are_delivered_whole_to_a_folder() {
    let project = to_folder("outbox");
    let said = project.segue(&["validate"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    insta::assert_snapshot!(project.transcript(&project.segue(&["check", "partner"])), @r"
    exit code 0
    --- stdout
    partner: outbox on this machine

    partner is ready: files can be written there.
    Grade A: file sets are whole or not visible, and never replace what somebody else wrote.
    ");
    insta::assert_snapshot!(project.transcript(&project.segue(&["policy", "partner"])), @r"
    exit code 2
    --- stderr
    error: destination `partner` is the folder outbox
      hint: A folder needs no account and no policy; `segue check` tries to write there.
    ");
    let planned = project.segue(&["plan", "daily"]);
    assert!(
        planned.stdout.contains("→ outbox/drop/loyal_20260104063000.csv"),
        "{}",
        planned.stdout
    );
    let said = project.segue(&["run", "daily"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    let delivered = names(&project.path("outbox/drop"));
    assert_eq!(delivered.len(), 2, "the file and the manifest: {delivered:?}");
    let file = project.path("outbox/drop/loyal_20260104063000.csv");
    let text = std::fs::read_to_string(&file).expect("a file");
    assert!(text.starts_with("id,e_mail,points\n"), "{text}");
    let runs = project.json(&["runs"]);
    assert_eq!(
        (&runs[0]["state"], &runs[0]["destination"]),
        (&json!("delivered"), &json!("partner"))
    );

    // What is gone is put back.
    let run = runs[0]["runId"].as_str().expect("an id");
    std::fs::remove_dir_all(project.path("outbox/drop")).expect("it was there");
    let said = project.segue(&["replay", run]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert_eq!(std::fs::read_to_string(&file).expect("it is back"), text);
}

#[tokio::test(flavor = "multi_thread")]
async fn folders_over_the_api_are_below_what_the_operator_named() {
    let project = Project::new(&Text::default().yaml(), None);
    std::fs::create_dir(project.path("allowed")).expect("a folder");
    std::os::unix::fs::symlink("/tmp", project.path("allowed/out")).expect("a link");
    let folder = project.path("").canonicalize().expect("the folder is there");
    let at = |name: &str| folder.join(name).display().to_string();
    let add = |server: &Server<'_>, location: &str| {
        let body = json!({ "key": "disk", "definition": { "location": location } });
        let made = server.ask("POST", "/api/v1/destinations", &server.admin, &[], Some(body));
        (made.status, made.json())
    };
    let server = Server::start(&project).await;
    let (status, refused) = add(&server, &at("allowed/partner"));
    assert_eq!(status, 422);
    insta::assert_snapshot!(
        refused["errors"].to_string().replace(&folder.display().to_string(), "[folder]"), @r#"[{"pointer":"/definition","place":"stored destination `disk`","code":"not_for_stored","detail":"the folder [folder]/allowed/partner is not one that destinations may be in","hint":"Whoever runs the server names a folder for them: `segue serve --outbox /srv/outbox`."}]"#
    );
    drop(server);

    let allowed = at("allowed");
    let other = Project::new(&Text::default().yaml(), None);
    let server = Server::with(&other, &["--outbox", &allowed], &[]).await;
    for elsewhere in [at("elsewhere"), at("allowed/out/x"), "allowed".into(), "/etc".into()] {
        let (status, answer) = add(&server, &elsewhere);
        assert_eq!(status, 422, "{elsewhere}: {answer}");
    }
    let (status, made) = add(&server, &at("allowed/partner"));
    assert_eq!(status, 201, "{made}");
    assert_eq!((&made["account"], &made["bucket"]), (&json!(null), &json!(null)));
    let path = "/api/v1/destinations/disk/check";
    let checked = server.ask("POST", path, &server.admin, &[], None);
    assert_eq!((checked.status, &checked.json()["ready"]), (200, &json!(true)), "{}", checked.text);
    assert!(names(Path::new(&at("allowed/partner"))).iter().all(|it| it.starts_with('.')));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_is_connected_and_delivered_to_by_forms() {
    let project = Project::new(&Text::default().yaml(), None);
    std::fs::create_dir(project.path("allowed")).expect("a folder");
    let folder = project.path("allowed").canonicalize().expect("it is there");
    let folder = folder.display().to_string();
    let mut opened = set_up_with(&project, &[("SEGUE_OUTBOXES", &folder)]);
    let browser = &mut opened.browser;
    browser.get("/destinations").must_have("/connect?preset=folder");
    assert_eq!(browser.get("/connect?preset=folder").leads_to(), "/connect/account");
    let step = |browser: &mut Browser, path: &str, fields: &[(&str, &str)]| {
        let mut fields = fields.to_vec();
        fields.push(("go", "next"));
        browser.post(path, path, &fields).leads_to().to_owned()
    };
    let account = [("account", ""), ("preset", "folder")];
    assert_eq!(step(browser, "/connect/account", &account), "/connect/place");
    let outside = [("name", "Disk"), ("location", "/etc"), ("manifest", "yes")];
    assert_eq!(step(browser, "/connect/place", &outside), "/connect/format");
    browser.get("/connect/place").must_have("is not one that destinations may be in");
    let inside = format!("{folder}/partner");
    let place = [("name", "Disk"), ("location", inside.as_str()), ("manifest", "yes")];
    assert_eq!(step(browser, "/connect/place", &place), "/connect/format");
    step(browser, "/connect/format", &[("format", "csv"), ("header", "yes")]);
    assert_eq!(step(browser, "/connect/review", &[]), "/destinations/disk?check=now");
    let page = browser.get("/destinations/disk");
    page.must_have(&inside);
    page.must_have("Local folder");
    browser
        .post("/destinations/disk", "/destinations/disk/check", &[])
        .must_have("Ready: everything that is needed is permitted");
    // Changed in the same steps, it stays a folder.
    browser.get("/destinations/disk/edit").leads_to();
    browser.get("/destinations/disk/edit/place").must_have(&inside);
}
