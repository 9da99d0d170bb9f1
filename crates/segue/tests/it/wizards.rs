//! The wizards of a running server: a destination is connected and segments are activated by forms alone,
//! and what comes of it is delivered.

use serde_json::json;

use crate::delivery::wait_until;
use crate::http::Server;
use crate::project::{BUCKET, Project, SECRET, Text, lab};
use crate::served_pages::{Browser, Page, set_up_with};

/// A step of a wizard with what is filled in.
type Step<'a> = (&'a str, &'a [(&'a str, &'a str)]);

#[tokio::test(flavor = "multi_thread")]
async fn a_destination_is_connected_and_segments_are_activated_by_forms() {
    let lab = lab().await;
    let project = Project::new(&Text::default().yaml(), Some(&lab));
    let key = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    let mut opened = set_up_with(&project, &[("SEGUE_MASTER_KEY", key)]);
    let browser = &mut opened.browser;
    browser.get("/destinations").must_have("/connect?preset=minio");
    assert_eq!(browser.get("/connect?preset=minio").leads_to(), "/connect/account");
    let endpoint = lab.endpoint();
    let steps: [Step<'_>; 3] = [
        (
            "account",
            &[
                ("account", ""),
                ("preset", "minio"),
                ("auth", "access-key"),
                ("access_key_id", "LAB"),
                ("secret", SECRET),
                ("endpoint", &endpoint),
                ("region", "us-east-1"),
            ],
        ),
        (
            "place",
            &[("name", "Agency"), ("bucket", BUCKET), ("folder", "agency"), ("manifest", "yes")],
        ),
        ("format", &[("format", "csv"), ("delimiter", ";"), ("header", "yes")]),
    ];
    for (at, (step, fields)) in steps.iter().enumerate() {
        let path = format!("/connect/{step}");
        let mut fields = fields.to_vec();
        fields.push(("go", "next"));
        let next = ["place", "format", "review"][at];
        assert_eq!(browser.post(&path, &path, &fields).leads_to(), format!("/connect/{next}"));
    }
    // Coming back later, all of it is there.
    browser.get("/connect/place").must_have("value=\"Agency\"");
    let review = browser.get("/connect/review");
    review.must_have("id;email;points");
    review.must_have("0;xxx@xxxxxxx.xxx;00");
    assert!(!review.has("ann@example.com"), "a sample is masked");
    let made = browser.post("/connect/review", "/connect/review", &[("go", "next")]);
    assert_eq!(made.leads_to(), "/destinations/agency?check=now");
    // It stays the service that was chosen, though its address tells nothing.
    let service = "<dd>MinIO</dd>";
    browser.get("/accounts/minio").must_have(service);
    let edit = "/accounts/minio/edit";
    let revision = browser.get(edit).between("name=\"revision\" value=\"", "\"").expect("one");
    let fields = [
        ("auth", "access-key"),
        ("access_key_id", "LAB"),
        ("endpoint", &endpoint),
        ("region", "us-east-1"),
        ("revision", &revision),
    ];
    assert_eq!(browser.post(edit, edit, &fields).leads_to(), "/accounts/minio");
    browser.get("/accounts/minio").must_have(service);
    let checked = browser.post("/destinations/agency", "/destinations/agency/check", &[]);
    checked.must_have("Ready: everything that is needed is permitted");

    assert_eq!(browser.get("/activate?destination=agency").leads_to(), "/activate/segments");
    let nobody = browser.post(
        "/activate/segments",
        "/activate/segments",
        &[("destination", "agency"), ("go", "next")],
    );
    assert_eq!(nobody.status, 422);
    nobody.must_have("Tick at least one.");
    let chosen =
        [("destination", "agency"), ("key", "Agency daily"), ("segment", "loyal"), ("go", "next")];
    assert_eq!(
        browser.post("/activate/segments", "/activate/segments", &chosen).leads_to(),
        "/activate/schedule"
    );
    let schedule = [
        ("frequency.loyal", "daily"),
        ("at.loyal", "02:30"),
        ("export.loyal", "full"),
        ("file_name.loyal", "loyal"),
        ("zone", "Europe/Paris"),
        ("go", "stay"),
        ("shown", "loyal"),
    ];
    assert_eq!(
        browser.post("/activate/schedule", "/activate/schedule", &schedule).leads_to(),
        "/activate/schedule"
    );
    let seen = browser.get("/activate/schedule");
    seen.must_have("loyal.csv");
    seen.must_have("Replaces itself");
    seen.must_have("02:30");
    let mut on = schedule;
    on[5] = ("go", "next");
    assert_eq!(
        browser.post("/activate/schedule", "/activate/schedule", &on).leads_to(),
        "/activate/attributes"
    );
    browser.get("/activate/attributes").must_have("value=\"id\"");
    let columns = [
        ("column.source", "id"),
        ("column.target", ""),
        ("column.rule", "both"),
        ("column.source", "emial"),
        ("column.target", "mail"),
        ("column.rule", "mandatory"),
        ("go", "stay"),
    ];
    browser.post("/activate/attributes", "/activate/attributes", &columns).leads_to();
    // The page stands before the profiles are looked into; without scripts a link leads there.
    browser.get("/activate/attributes").must_have("data-live-first");
    let wrong = browser.get("/activate/attributes?lines=yes");
    wrong.must_have("This does not work yet");
    wrong.must_have("data-fault=\"mapping.1");
    wrong.must_have("<code>emial</code>");
    wrong.must_have("Did you mean");
    wrong.must_have("aria-invalid=\"true\"");
    wrong.must_have("email");
    let mut right = columns;
    (right[3], right[6]) = (("column.source", "email"), ("go", "next"));
    assert_eq!(
        browser.post("/activate/attributes", "/activate/attributes", &right).leads_to(),
        "/activate/review"
    );
    // What follows from the project is there at once; what is counted is asked for.
    let review = browser.get("/activate/review");
    review.must_have("data-more=\"/activate/review?counted=yes&amp;from=0\"");
    review.must_have("No usage policy is about");
    assert!(review.between("Rows sent", "").is_none(), "nothing is counted yet");
    let review = browser.get("/activate/review?counted=yes&from=0");
    review.must_have("Rows sent");
    review.must_have("of 4 profiles");
    review.must_have("A file name has no time");
    let finished = browser.post("/activate/review", "/activate/review", &[("go", "next")]);
    assert_eq!(finished.leads_to(), "/activations/agency-daily");
    browser.get("/activations/agency-daily").must_have("badge ok\">Enabled");
    browser.post("/activations/agency-daily", "/activations/agency-daily/run", &[]).leads_to();
    wait_until(|| lab.keys(BUCKET).iter().any(|key| key == "agency/loyal.csv")).await;
    // The drafts are gone, and no secret was in them or in any page.
    let drafts = std::fs::read_dir(project.path(".segue/drafts")).expect("the folder");
    assert_eq!(drafts.count(), 0);
    assert!(!browser.seen.contains(SECRET));
}

/// A button that is pressed twice sends its form twice, the second time with what the first made.
#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_is_finished_twice_makes_one_thing_and_leads_to_it() {
    let lab = lab().await;
    let project = Project::new(&Text::default().yaml(), Some(&lab));
    let mut opened = set_up_with(&project, &[]);
    let browser = &mut opened.browser;
    let form =
        |page: &Page| page.between("name=\"form\" value=\"", "\"").expect("the key of a form");
    let finish = |browser: &mut Browser, path: &str, form: &str| {
        // The page behind it is another one by now.
        let fields = [("go", "next"), ("form", form)];
        browser.post("/", path, &fields).leads_to().to_owned()
    };

    browser.get("/connect?preset=minio").leads_to();
    let account = [("account", "lab"), ("go", "next")];
    browser.post("/connect/account", "/connect/account", &account).leads_to();
    let place = [("name", "Agency"), ("bucket", BUCKET), ("go", "next")];
    browser.post("/connect/place", "/connect/place", &place).leads_to();
    let format = [("format", "csv"), ("header", "yes"), ("go", "next")];
    browser.post("/connect/format", "/connect/format", &format).leads_to();
    let key = form(&browser.get("/connect/review"));
    assert_eq!(form(&browser.get("/connect/review")), key, "it is that of the draft");
    for _ in 0..2 {
        assert_eq!(finish(browser, "/connect/review", &key), "/destinations/agency?check=now");
    }
    assert_eq!(browser.get("/destinations/agency-2").status, 404);
    // Whoever goes back to the step that is done begins anew.
    assert_eq!(browser.get("/connect/review").leads_to(), "/connect/account");

    browser.get("/activate?destination=agency").leads_to();
    let chosen = [("destination", "agency"), ("segment", "loyal"), ("go", "next")];
    browser.post("/activate/segments", "/activate/segments", &chosen).leads_to();
    let key = form(&browser.get("/activate/review"));
    for _ in 0..2 {
        assert_eq!(finish(browser, "/activate/review", &key), "/activations/agency");
    }
    assert_eq!(browser.get("/activations/agency-2").status, 404);
    assert_eq!(browser.get("/activate/review").leads_to(), "/activate/segments");
    // What is begun meanwhile stays.
    browser.get("/activate?segment=loyal").leads_to();
    assert_eq!(finish(browser, "/activate/review", &key), "/activations/agency");
    browser.get("/activate/segments").must_have("value=\"loyal\" checked");

    // A change is saved once, too.
    browser.get("/activations/agency/edit").leads_to();
    let review = "/activations/agency/edit/review";
    let key = form(&browser.get(review));
    for _ in 0..2 {
        assert_eq!(finish(browser, review, &key), "/activations/agency");
    }
    browser.get("/activations/agency").must_have("loyal");

    // Both at once: one of them waits for the other.
    browser.get("/connect?preset=minio").leads_to();
    browser.post("/connect/account", "/connect/account", &account).leads_to();
    let place = [("name", "Once"), ("bucket", BUCKET), ("folder", "once"), ("go", "next")];
    browser.post("/connect/place", "/connect/place", &place).leads_to();
    browser.post("/connect/format", "/connect/format", &format).leads_to();
    let key = form(&browser.get("/connect/review"));
    let mut other = browser.clone();
    let second = std::thread::spawn({
        let key = key.clone();
        move || finish(&mut other, "/connect/review", &key)
    });
    let first = finish(browser, "/connect/review", &key);
    assert_eq!(first, "/destinations/once?check=now");
    assert_eq!(second.join().expect("an answer"), first);
    assert_eq!(browser.get("/destinations/once-2").status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn first_lines_do_not_wait_for_rules_that_are_not_looked_at() {
    let lab = lab().await;
    let project = Project::new(&Text::default().yaml(), Some(&lab));
    let server = Server::start(&project).await;
    let preview = |count: bool, only: &str| {
        let body = json!({
            "segments": { "wrong": { "rule": "pionts > 1" } },
            "activations": { "draft": {
                "destination": "partner",
                "segments": [{ "segment": "loyal" }, { "segment": "wrong" }],
                "mapping": ["id", "email"],
            } },
            "activation": "draft", "rows": 1, "count": count, "only": [only],
        });
        let answer = server.ask("POST", "/api/v1/preview", &server.analyst, &[], Some(body));
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()
    };
    let seen = preview(false, "loyal");
    let lines = seen["text"].as_str().unwrap_or_default();
    assert!(lines.starts_with("id"), "{seen}");
    assert_eq!((&seen["valid"], lines.lines().count()), (&json!(true), 2), "{seen}");
    // Whoever looks at it, or counts, is told.
    for told in [preview(false, "wrong"), preview(true, "loyal")] {
        let message = told["problems"][0]["message"].as_str().unwrap_or_default();
        assert!(message.contains("pionts"), "{told}");
        assert_eq!(told["text"], json!(null), "{told}");
    }
}
