//! Segments, destinations and activations that are made, changed and removed in the pages, by two people
//! at once as well.

use crate::project::{BUCKET, Project, SECRET, Text, lab};
use crate::served_pages::{Browser, set_up_with};

/// What a form of the editor of rules holds.
fn rule(name: &str, rule: &str) -> Vec<(String, String)> {
    let fields = [("name", name), ("rule", rule), ("language", "sql")];
    fields.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
}

fn post(
    browser: &mut Browser,
    at: &str,
    action: &str,
    fields: &[(String, String)],
) -> crate::served_pages::Page {
    let fields: Vec<(&str, &str)> =
        fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    browser.post(at, action, &fields)
}

/// The version that a page was drawn for.
fn revision(browser: &mut Browser, at: &str) -> String {
    let page = browser.get(at);
    let found = page.between("name=\"revision\" value=\"", "\"");
    found.unwrap_or_else(|| panic!("no revision at {at}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_segment_is_made_changed_and_removed() {
    let lab = lab().await;
    let project = Project::new(&Text::default().yaml(), Some(&lab));
    let mut opened = set_up_with(&project, &[]);
    let browser = &mut opened.browser;
    // What the file has is read-only, and says so.
    let of_file = browser.get("/segments/loyal");
    assert!(!of_file.has("/segments/loyal/edit"));
    of_file.must_have("Change it there");
    let refused = browser.get("/segments/loyal/edit");
    assert_eq!(refused.status, 409);
    refused.must_have("is in the project file");

    browser.get("/segments").must_have("New segment");
    browser.get("/rule").must_have("data-insert=\"rule\" value=\"points\"");
    let nameless = post(browser, "/rule", "/segments", &rule("", "points >= 11"));
    assert_eq!(nameless.status, 422);
    nameless.must_have("The segment needs a name");
    nameless.must_have("points &gt;= 11");
    let wrong = post(browser, "/rule", "/segments", &rule("Very loyal", "pionts >= 11"));
    assert_eq!(wrong.status, 422);
    wrong.must_have("value=\"Very loyal\"");
    wrong.must_have("<mark>pionts</mark>");
    let made = post(browser, "/rule", "/segments", &rule("Very loyal", "points >= 11"));
    assert_eq!(made.leads_to(), "/segments/very-loyal");
    let page = browser.get("/segments/very-loyal");
    page.must_have("/segments/very-loyal/edit");
    page.must_have("Saved");
    let taken = [rule("Other", "true"), vec![("key".to_owned(), "very-loyal".to_owned())]].concat();
    let taken = post(browser, "/rule", "/segments", &taken);
    assert_eq!(taken.status, 409);
    taken.must_have("points");

    // Two people change it at once; the second sees both versions and loses nothing.
    let at = "/segments/very-loyal/edit";
    let seen = revision(browser, at);
    let change = |text: &str, revision: &str| {
        [rule("Very loyal", text), vec![("revision".to_owned(), revision.to_owned())]].concat()
    };
    assert_eq!(
        post(browser, at, at, &change("points >= 12", &seen)).leads_to(),
        "/segments/very-loyal"
    );
    let both = post(browser, at, at, &change("points >= 13", &seen));
    assert_eq!(both.status, 412);
    both.must_have("was changed meanwhile");
    both.must_have("points &gt;= 12");
    both.must_have("points &gt;= 13");
    let newer = both.between("name=\"revision\" value=\"", "\"").expect("the version there is");
    assert_ne!(newer, seen);
    // Going on keeps what was written, and saving then is saving over the other.
    let go_on =
        [change("points >= 13", &newer), vec![("segment".to_owned(), "very-loyal".to_owned())]];
    post(browser, "/rule", "/rule", &go_on.concat()).must_have("points &gt;= 13");
    let mine = post(browser, at, at, &change("points >= 13", &newer));
    assert_eq!(mine.leads_to(), "/segments/very-loyal");
    browser.get("/segments/very-loyal").must_have("13");

    // In PQL it stays in PQL.
    let mut pql = change("points >= 10", &revision(browser, at));
    pql[2].1 = "pql".to_owned();
    assert_eq!(post(browser, at, at, &pql).leads_to(), "/segments/very-loyal");
    browser.get(at).must_have("<option value=\"pql\" selected");

    let old = [("revision", seen.as_str())];
    let late = browser.post("/segments/very-loyal", "/segments/very-loyal/remove", &old);
    assert_eq!(late.status, 412);
    let now = revision(browser, "/segments/very-loyal");
    let gone = [("revision", now.as_str())];
    let gone = browser.post("/segments/very-loyal", "/segments/very-loyal/remove", &gone);
    assert_eq!(gone.leads_to(), "/segments");
    assert_eq!(browser.get("/segments/very-loyal").status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_connected_and_activated_is_changed_and_removed() {
    let lab = lab().await;
    let project = Project::new(&Text::default().yaml(), Some(&lab));
    let mut opened = set_up_with(&project, &[]);
    let browser = &mut opened.browser;
    assert!(!browser.get("/destinations/partner").has("/destinations/partner/edit"));
    assert_eq!(browser.get("/activations/daily/edit").status, 409);

    let step = |browser: &mut Browser, path: &str, fields: &[(&str, &str)]| {
        let mut fields = fields.to_vec();
        fields.push(("go", "next"));
        browser.post(path, path, &fields).leads_to().to_owned()
    };
    step(browser, "/connect/account", &[("account", "lab")]);
    step(browser, "/connect/place", &[("name", "Agency"), ("bucket", BUCKET), ("manifest", "yes")]);
    step(browser, "/connect/format", &[("format", "csv"), ("delimiter", ";"), ("header", "yes")]);
    let made = step(browser, "/connect/review", &[]);
    assert_eq!(made, "/destinations/agency?check=now");

    assert_eq!(
        browser.get("/destinations/agency/edit").leads_to(),
        "/destinations/agency/edit/place"
    );
    let at = |step: &str| format!("/destinations/agency/edit/{step}");
    browser.get(&at("place")).must_have("value=\"Agency\"");
    let place = [("name", "Agency"), ("bucket", BUCKET), ("folder", "new"), ("manifest", "no")];
    assert_eq!(step(browser, &at("place"), &place), at("format"));
    // A draft of something new is another draft.
    assert!(!browser.get("/connect/place").has("value=\"new\""));
    let changed = step(browser, &at("review"), &[]);
    assert_eq!(changed, "/destinations/agency?check=now");
    browser.get("/destinations/agency").must_have("/new/");
    let format = browser.get("/destinations/agency/edit").leads_to().to_owned();
    browser.get(&format);
    browser.get(&at("format")).must_have("<option value=\";\" selected");

    step(
        browser,
        "/activate/segments",
        &[("destination", "agency"), ("key", "agency"), ("segment", "loyal")],
    );
    let times = [
        ("frequency.loyal", "weekly"),
        ("at.loyal", "02:30"),
        ("start.loyal", "2026-01-07"),
        ("zone", "Europe/Paris"),
        ("max_shrink", "50"),
        ("shown", "loyal"),
    ];
    step(browser, "/activate/schedule", &times);
    let columns = [("column.source", "id"), ("column.target", ""), ("column.rule", "both")];
    step(browser, "/activate/attributes", &columns);
    assert_eq!(step(browser, "/activate/review", &[]), "/activations/agency");
    let page = browser.get("/activations/agency");
    page.must_have("Wednesday at 02:30");
    page.must_have("Shrinks by no more than");

    let at = |step: &str| format!("/activations/agency/edit/{step}");
    assert_eq!(browser.get("/activations/agency/edit").leads_to(), at("segments"));
    let schedule = browser.get(&at("schedule"));
    for text in ["value=\"02:30\"", "value=\"2026-01-07\"", "value=\"50%\"", "Europe/Paris"] {
        schedule.must_have(text);
    }
    // Somebody else changes it meanwhile.
    let review = at("review");
    let mut times = times.to_vec();
    times[1] = ("at.loyal", "03:00");
    times.push(("go", "next"));
    browser.post(&at("schedule"), &at("schedule"), &times).leads_to();
    let token = [("name", "script"), ("role", "admin"), ("days", "1")];
    let token = browser.post("/settings", "/settings/tokens", &token);
    let token = format!("segue_{}", token.between("data-copy=\"segue_", "\"").expect("a token"));
    let other = browser.api("GET", "/api/v1/activations/agency", &token, "", "");
    let tag = other.header("etag").expect("a version").to_owned();
    let definition = other.json()["definition"].to_string().replace("02:30", "04:00");
    let body = format!("{{\"definition\":{definition}}}");
    let other = browser.api(
        "PUT",
        "/api/v1/activations/agency",
        &token,
        &format!("if-match: {tag}\r\n"),
        &body,
    );
    assert_eq!(other.status, 200);
    let both = browser.post(&review, &review, &[("go", "next")]);
    assert_eq!(both.status, 412);
    for text in ["segments.0.schedule.at", "03:00", "04:00", "Save my version"] {
        both.must_have(text);
    }
    browser.get("/activations/agency").must_have("04:00");
    let newer = both.between("name=\"revision\" value=\"", "\"").expect("the version there is");
    let saved = browser.post(&review, &review, &[("go", "next"), ("revision", &newer)]);
    assert_eq!(saved.leads_to(), "/activations/agency");
    browser.get("/activations/agency").must_have("Wednesday at 03:00");

    // What is used is not removed, and says why.
    let now = revision(browser, "/destinations/agency");
    let used =
        browser.post("/destinations/agency", "/destinations/agency/remove", &[("revision", &now)]);
    assert_eq!(used.status, 409);
    used.must_have("agency");
    let now = revision(browser, "/activations/agency");
    let gone =
        browser.post("/activations/agency", "/activations/agency/remove", &[("revision", &now)]);
    assert_eq!(gone.leads_to(), "/activations");
    let now = revision(browser, "/destinations/agency");
    let gone =
        browser.post("/destinations/agency", "/destinations/agency/remove", &[("revision", &now)]);
    assert_eq!(gone.leads_to(), "/destinations");
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_come_when_the_page_stands_with_the_share_of_values() {
    let lab = lab().await;
    let project = Project::new(&Text::default().yaml(), Some(&lab));
    let mut opened = set_up_with(&project, &[]);
    let browser = &mut opened.browser;
    browser.get("/fields?for=add").must_have("add:points");
    let shares = [("field", "email"), ("field", "points")];
    let shares = browser.post("/rule", "/fields/shares", &shares);
    assert_eq!(shares.status, 200);
    assert_eq!(shares.json()["points"]["text"], "100%");
    assert_eq!(shares.json()["email"]["text"], "83.3%", "{:?}", shares.json());
    let unknown = browser.post("/rule", "/fields/shares", &[("field", "emial")]);
    assert_eq!(unknown.status, 422);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_shown_changed_and_removed() {
    let lab = lab().await;
    let project = Project::new(&Text::default().yaml(), Some(&lab));
    let key = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    let mut opened = set_up_with(&project, &[("SEGUE_MASTER_KEY", key)]);
    let browser = &mut opened.browser;
    browser.get("/destinations").must_have("/accounts/lab");
    let of_file = browser.get("/accounts/lab");
    of_file.must_have("LAB");
    of_file.must_have("/destinations/partner");
    of_file.must_have("Change it there");
    assert!(!of_file.has("/accounts/lab/edit"));
    assert_eq!(browser.get("/accounts/lab/edit").status, 409);
    assert_eq!(browser.get("/accounts/nobody").status, 404);

    let endpoint = lab.endpoint();
    let account = [
        ("account", ""),
        ("preset", "other"),
        ("auth", "access-key"),
        ("access_key_id", "LAB"),
        ("secret", SECRET),
        ("endpoint", endpoint.as_str()),
        ("region", "us-east-1"),
        ("go", "next"),
    ];
    browser.post("/connect/account", "/connect/account", &account).leads_to();
    let place = [("name", "Agency"), ("bucket", BUCKET), ("manifest", "yes"), ("go", "next")];
    browser.post("/connect/place", "/connect/place", &place).leads_to();
    let format = [("format", "csv"), ("header", "yes"), ("go", "next")];
    browser.post("/connect/format", "/connect/format", &format).leads_to();
    browser.post("/connect/review", "/connect/review", &[("go", "next")]).leads_to();

    let at = "/accounts/other/edit";
    let seen = revision(browser, at);
    browser.get(at).must_have("value=\"LAB\"");
    let change =
        |region: &str, secret: &str, endpoint: &str, revision: &str| -> Vec<(String, String)> {
            let fields = [
                ("auth", "access-key"),
                ("access_key_id", "LAB"),
                ("secret", secret),
                ("role_arn", ""),
                ("endpoint", endpoint),
                ("region", region),
                ("revision", revision),
            ];
            fields.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
        };
    let wrong = post(browser, at, at, &change("us-east-1", "", "no address", &seen));
    assert_eq!(wrong.status, 422);
    wrong.must_have("value=\"no address\"");
    let right = change("eu-west-3", "canary-of-another-key", &endpoint, &seen);
    assert_eq!(post(browser, at, at, &right).leads_to(), "/accounts/other");
    browser.get("/accounts/other").must_have("eu-west-3");
    let secrets = browser.get("/settings");
    secrets.must_have("other-secret");
    // Without a secret the one that is kept stays; the version is an older one.
    let late = post(browser, at, at, &change("us-east-1", "", &endpoint, &seen));
    assert_eq!(late.status, 412);
    late.must_have("was changed meanwhile");
    let newer = revision(browser, at);
    let mut stay = change("us-east-2", "", &endpoint, &newer);
    stay.push(("go".to_owned(), "stay".to_owned()));
    post(browser, at, at, &stay).must_have("value=\"us-east-2\"");
    let mine = post(browser, at, at, &change("us-east-1", "", &endpoint, &newer));
    assert_eq!(mine.leads_to(), "/accounts/other");

    let remove = |browser: &mut Browser, page: &str| {
        let now = revision(browser, page);
        browser.post(page, &format!("{page}/remove"), &[("revision", now.as_str())])
    };
    let used = remove(browser, "/accounts/other");
    assert_eq!(used.status, 409);
    used.must_have("agency");
    assert_eq!(remove(browser, "/destinations/agency").leads_to(), "/destinations");
    assert_eq!(remove(browser, "/accounts/other").leads_to(), "/destinations");
    assert_eq!(browser.get("/accounts/other").status, 404);
    for canary in [SECRET, "canary-of-another-key"] {
        assert!(!browser.seen.contains(canary), "a page holds {canary}");
    }
}
