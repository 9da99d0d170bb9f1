//! The pages of a running server, walked as a browser walks them, from the one-time link on.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::Child;
use std::time::Duration;

use s3lab::{Action, Fault, Operation, Outcome};

use crate::delivery::wait_until;
use crate::project::{BUCKET, Project, SECRET, Text, lab};

const PASSWORD: &str = "canary correct horse battery";
/// A value of the dataset that no page shows unless it is asked to.
const CANARY: &str = "ann@example.com";

/// Somebody with a browser: it keeps cookies, and tells where forms come from.
#[derive(Clone)]
pub(crate) struct Browser {
    address: String,
    cookies: Vec<(String, String)>,
    /// Every page that was seen.
    pub(crate) seen: String,
}

/// An answer.
pub(crate) struct Page {
    pub(crate) status: u16,
    head: String,
    text: String,
}

impl Page {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// What first stands between two texts.
    pub(crate) fn between(&self, before: &str, behind: &str) -> Option<String> {
        let (_, rest) = self.text.split_once(before)?;
        rest.split_once(behind).map(|(found, _)| found.to_owned())
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }

    pub(crate) fn leads_to(&self) -> &str {
        assert_eq!(self.status, 303, "{}\n{}", self.head, self.text);
        self.header("location").expect("a place")
    }

    /// Whether another answer holds the same.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        self.text == other.text
    }

    pub(crate) fn has(&self, text: &str) -> bool {
        self.text.contains(text)
    }

    pub(crate) fn must_have(&self, text: &str) {
        assert!(self.has(text), "no {text:?} in {}\n{}", self.head, self.text);
    }
}

impl Browser {
    /// Another one at the same server, which nobody signed in with.
    pub(crate) fn without_session(&self) -> Self {
        Self { address: self.address.clone(), cookies: Vec::new(), seen: String::new() }
    }

    fn send(&mut self, method: &str, path: &str, more: &str, body: &str) -> Page {
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncookie: {}\r\n{more}content-length: {}\r\n\r\n{body}",
            self.address,
            cookies.join("; "),
            body.len()
        );
        let mut stream = TcpStream::connect(&self.address).expect("a connection");
        stream.set_read_timeout(Some(Duration::from_secs(300))).expect("a time limit");
        stream.write_all(request.as_bytes()).expect("it is sent");
        let mut bytes = Vec::new();
        drop(stream.read_to_end(&mut bytes));
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let (head, text) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.split(' ').nth(1).and_then(|it| it.parse().ok()).unwrap_or(0);
        for line in head.lines() {
            let Some(cookie) = line.strip_prefix("set-cookie: ") else { continue };
            let (pair, rest) = cookie.split_once(';').unwrap_or((cookie, ""));
            let (name, value) = pair.split_once('=').expect("a cookie");
            self.cookies.retain(|(known, _)| known != name);
            if !rest.contains("Max-Age=0") {
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
        self.seen.push_str(text);
        Page { status, head: head.to_owned(), text: text.to_owned() }
    }

    pub(crate) fn get(&mut self, path: &str) -> Page {
        self.send("GET", path, "", "")
    }

    /// Sends a form as the page at `at` would: with its token, and with the key of a form that is sent
    /// once.
    pub(crate) fn post(&mut self, at: &str, action: &str, fields: &[(&str, &str)]) -> Page {
        self.post_with(at, action, fields, "")
    }

    /// The same while somebody types: only what comes of it is answered.
    pub(crate) fn post_part(&mut self, at: &str, action: &str, fields: &[(&str, &str)]) -> Page {
        self.post_with(at, action, fields, "x-segue-part: 1\r\n")
    }

    fn post_with(&mut self, at: &str, action: &str, fields: &[(&str, &str)], more: &str) -> Page {
        let page = self.get(at);
        let hidden = |name: &str| page.between(&format!("name=\"{name}\" value=\""), "\"");
        let token = hidden("csrf").unwrap_or_default();
        let mut fields = fields.to_vec();
        fields.push(("csrf", &token));
        let key = hidden("form");
        fields.extend(key.as_deref().map(|key| ("form", key)));
        self.post_as_is(action, &fields, more)
    }

    /// Asks the API with a token, as a program would.
    pub(crate) fn api(
        &mut self,
        method: &str,
        path: &str,
        token: &str,
        more: &str,
        body: &str,
    ) -> Page {
        let cookies = std::mem::take(&mut self.cookies);
        let head =
            format!("authorization: Bearer {token}\r\ncontent-type: application/json\r\n{more}");
        let page = self.send(method, path, &head, body);
        self.cookies = cookies;
        page
    }

    fn post_as_is(&mut self, action: &str, fields: &[(&str, &str)], more: &str) -> Page {
        let mut body = url_encoded(fields);
        body = body.trim_end_matches('&').to_owned();
        let more = format!(
            "content-type: application/x-www-form-urlencoded\r\norigin: http://{}\r\nsec-fetch-site: same-origin\r\n{more}",
            self.address
        );
        self.send("POST", action, &more, &body)
    }
}

fn url_encoded(fields: &[(&str, &str)]) -> String {
    let encode = |text: &str| -> String {
        text.bytes()
            .map(|byte| match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
                byte => format!("%{byte:02X}"),
            })
            .collect()
    };
    fields.iter().map(|(name, value)| format!("{}={}&", encode(name), encode(value))).collect()
}

/// A server without users, the browser in front of it, and the link that it printed.
pub(crate) struct Opened {
    child: Child,
    pub(crate) browser: Browser,
    link: String,
}

impl Opened {
    fn new(project: &Project) -> Self {
        Self::with(project, &[])
    }

    fn with(project: &Project, variables: &[(&str, &str)]) -> Self {
        let mut command = project.command(&["serve", "--listen", "127.0.0.1:0"]);
        command.envs(variables.iter().copied());
        let mut child = command.spawn().expect("the binary starts");
        let mut lines = BufReader::new(child.stderr.take().expect("stderr")).lines();
        let link = lines.find_map(|line| {
            let line = line.expect("text");
            line.split("http://").nth(1).filter(|it| it.contains("/setup#")).map(str::to_owned)
        });
        // Whatever it says later must not stop it.
        std::thread::spawn(move || lines.for_each(drop));
        let link = link.expect("a link");
        let (address, path) = link.split_once('/').expect("a path");
        let browser =
            Browser { address: address.to_owned(), cookies: Vec::new(), seen: String::new() };
        let link = format!("/{path}");
        Self { child, browser, link }
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Opens a server and makes the first user by the link.
pub(crate) fn set_up(project: &Project) -> Opened {
    set_up_with(project, &[])
}

/// The same in an environment with these variables.
pub(crate) fn set_up_with(project: &Project, variables: &[(&str, &str)]) -> Opened {
    let mut opened = Opened::with(project, variables);
    let code = opened.link.split_once('#').expect("a code").1.to_owned();
    let fields = [("code", code.as_str()), ("user", "ann"), ("password", PASSWORD)];
    let made = opened.browser.post_as_is("/setup", &fields, "");
    assert_eq!(made.leads_to(), "/");
    opened
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_goes_from_the_link_to_a_delivered_run() {
    let lab = lab().await;
    let project = Project::new(&Text::default().yaml(), Some(&lab));
    let mut opened = Opened::new(&project);
    let (path, code) = opened.link.split_once('#').expect("a code");
    let (path, code) = (path.to_owned(), code.to_owned());
    let browser = &mut opened.browser;
    assert_eq!(browser.get("/").leads_to(), "/sign-in");
    assert_eq!(
        browser.get("/runs?state=failed").leads_to(),
        "/sign-in?next=%2Fruns%3Fstate%3Dfailed"
    );
    assert_eq!(browser.get("/sign-in").leads_to(), "/setup", "there is nobody to sign in");
    browser.get(&path).must_have("action=\"/setup\"");
    let wrong = [("code", "wrong"), ("user", "ann"), ("password", PASSWORD)];
    let refused = browser.post_as_is("/setup", &wrong, "");
    assert_eq!(refused.status, 403);
    refused.must_have("The link was used, or is too old.");
    let right = [("code", code.as_str()), ("user", "ann"), ("password", PASSWORD)];
    assert_eq!(browser.post_as_is("/setup", &right, "").leads_to(), "/");
    assert_eq!(browser.get("/setup").leads_to(), "/sign-in", "it is used");

    let home = browser.get("/");
    home.must_have("Nothing has been sent yet");
    home.must_have(">ann</b>");
    let policy = home.header("content-security-policy").expect("a policy");
    assert!(policy.contains("form-action 'self'") && !policy.contains("unsafe"), "{policy}");
    assert_eq!(home.header("cache-control"), Some("no-store"));
    let style = home.text.split("href=\"/assets/").nth(2).and_then(|it| it.split('"').next());
    let style = browser.get(&format!("/assets/{}", style.expect("a stylesheet")));
    assert_eq!(style.status, 200);
    assert_eq!(style.header("cache-control"), Some("public, max-age=31536000, immutable"));

    let begun = browser.post("/activations/daily", "/activations/daily/run", &[]);
    let run = begun.leads_to().to_owned();
    assert!(run.starts_with("/runs/"), "{run}");
    let first = browser.get(&run);
    assert_eq!(first.status, 200, "{}", first.text);
    first.must_have("It is on its way");
    wait_until(|| lab.keys(BUCKET).len() == 2).await;
    let mut page = browser.get(&run);
    while !page.has("badge ok\">Delivered") {
        page = browser.get(&run);
        assert!(!page.has("It is on its way"), "it is said once");
    }
    page.must_have("s3://exports/drop/");
    page.must_have("No value for e_mail");
    let live = browser.get(&format!("{run}/live?seen=running"));
    assert_eq!(live.header("content-type"), Some("text/event-stream"));
    live.must_have("event: end");
    browser.get("/").must_have("Everything that was due has been delivered");
    browser.get("/runs?state=failed").must_have("No run matches");
    browser.get("/runs?activation=daily").must_have(&run);
}

/// What a stream told about a run, in order: the percent, the rows and the bytes, as they are written.
fn told(stream: &str) -> Vec<(String, String, String)> {
    let events = stream.lines().filter_map(|line| line.strip_prefix("data: "));
    let events = events.filter_map(|text| serde_json::from_str::<serde_json::Value>(text).ok());
    let text = |event: &serde_json::Value, name: &str| event[name].as_str().map(str::to_owned);
    events
        .filter_map(|it| Some((text(&it, "percent")?, text(&it, "rows")?, text(&it, "bytes")?)))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn progress_follows_what_was_sent() {
    let lab = lab().await;
    let project = Project::new(&Text::default().yaml(), Some(&lab));
    let person = |id: u32| format!("{id},{:x<400}@example.com,{}\n", id, 10 + id % 7);
    let people: String = (1..=30_000).map(person).collect();
    project.write("people.csv", format!("id,email,points\n{people}"));
    let mut opened = set_up(&project);
    let browser = &mut opened.browser;
    // Two parts, whose bodies are taken slowly.
    let slow = Action::SlowBody { bytes_per_second: 1 << 20 };
    lab.faults().add(Fault::on(Operation::UploadPart, slow).times(2));
    let begun = browser.post("/activations/daily", "/activations/daily/run", &[]);
    let run = begun.leads_to().to_owned();
    while !browser.get(&run).has("seen=running") {}
    let stream = browser.get(&format!("{run}/live?seen=running"));
    let told = told(&stream.text);
    let percent = |text: &str| text.split_once('%').and_then(|(it, _)| it.parse::<u8>().ok());
    let percents: Vec<u8> = told.iter().filter_map(|(text, ..)| percent(text)).collect();
    assert!(percents.is_sorted(), "{told:?}");
    // Long before all bytes have left, all rows are in files.
    let is_half = |(text, rows, _): &(String, String, String)| {
        rows == "30,000" && percent(text).is_some_and(|it| (1..98).contains(&it))
    };
    assert!(told.iter().any(is_half), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_whose_name_is_taken_is_listed_with_its_reason() {
    let lab = lab().await;
    let file_name = "%SEGMENT_NAME%_%DATETIME(yyyy)%";
    let project = Project::new(&Text { file_name, ..Text::default() }.yaml(), Some(&lab));
    let said = project.segue(&["run", "daily", "--slot", "2026-01-02T06:00:00Z"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    let mut opened = set_up(&project);
    let browser = &mut opened.browser;
    let begun = browser.post("/activations/daily", "/activations/daily/run", &[]);
    let run = begun.leads_to().to_owned();
    let mut page = browser.get(&run);
    while !page.has("badge bad\">Failed") {
        assert_eq!(page.status, 200, "{}", page.text);
        page = browser.get(&run);
    }
    page.must_have("It may not be delivered as it is");
    page.must_have("already holds what run");
    page.must_have("Put more of the time into the file name");
    browser.get("/runs?state=failed").must_have(&run);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_failed_is_followed_to_its_next_attempt() {
    let lab = lab().await;
    let project = Project::new(&Text::default().yaml(), Some(&lab));
    let mut opened = set_up(&project);
    let browser = &mut opened.browser;
    let refused = Action::answer(403, "InvalidAccessKeyId");
    lab.faults().add(Fault::on(Operation::CreateMultipartUpload, refused));
    let begun = browser.post("/activations/daily", "/activations/daily/run", &[]);
    let run = begun.leads_to().to_owned();
    let mut page = browser.get(&run);
    while !page.has("The next attempt begins today") {
        assert!(!page.has("badge ok"), "{}", page.text);
        page = browser.get(&run);
    }
    page.must_have("badge warn\">To be retried");
    page.must_have("It is tried again by itself");
    page.must_have("The last attempt was not delivered");
    let live = page.between("data-live=\"", "\"").expect("it is followed").replace("&amp;", "&");
    browser.get("/runs").must_have("badge warn\">To be retried");
    // Nobody has to do anything, and the home page says when it goes on.
    let home = browser.get("/");
    home.must_have("was not delivered yet, and is tried again by itself");
    home.must_have("next attempt today");
    assert!(!home.has("needs attention"), "{}", home.text);
    let id = run.trim_start_matches("/runs/");
    let answer = opened.browser.get(&format!("/api/v1/runs/{id}"));
    answer.must_have("\"state\":\"failed\"");
    answer.must_have("\"nextAttemptAt\":\"20");
    let browser = &mut opened.browser;
    browser.post(&run, &format!("{run}/retry"), &[]).leads_to();
    browser.get(&live).must_have("event: end");
    wait_until(|| lab.keys(BUCKET).len() == 2).await;
    let mut page = browser.get(&run);
    while !page.has("badge ok\">Delivered") {
        page = browser.get(&run);
    }
    assert!(!page.has("tried again"), "{}", page.text);
}

/// A run that has not begun says what it waits for, and leads there.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_waits_leads_to_the_one_before_it() {
    let lab = lab().await;
    let project = Project::new(&Text::default().yaml(), Some(&lab));
    let mut opened = set_up(&project);
    let browser = &mut opened.browser;
    let token = [("name", "airflow"), ("role", "operator"), ("days", "1")];
    let token = browser.post("/settings", "/settings/tokens", &token);
    let token = format!("segue_{}", token.between("data-copy=\"segue_", "\"").expect("a token"));
    // The first hangs: one that waits itself would give way to the next.
    let hangs = Action::Hang(Outcome::Done);
    lab.faults().add(Fault::on(Operation::CreateMultipartUpload, hangs));
    let begin = |browser: &mut Browser, hour: u32| {
        let body = format!("{{\"slot\":\"2026-01-02T{hour:02}:00:00Z\"}}");
        let path = "/api/v1/activations/daily/run";
        assert_eq!(browser.api("POST", path, &token, "", &body).status, 202);
        let runs = browser.get("/runs").text;
        let run = runs.split("href=\"/runs/").find(|it| it.contains("badge")).expect("a run");
        format!("/runs/{}", run.split('"').next().unwrap_or_default())
    };
    let first = begin(browser, 6);
    while !browser.get(&first).has("badge live\">Running") {}
    let second = begin(browser, 7);
    assert_ne!(first, second);
    let page = browser.get(&second);
    page.must_have("It waits for the run before it");
    page.must_have(&format!("href=\"{first}\">Open that run"));
    lab.faults().release();
    for run in [first, second] {
        while !browser.get(&run).has("badge ok\">Delivered") {}
    }
}

/// A file that is late because its run failed leads to that run, which is tried again.
#[tokio::test(flavor = "multi_thread")]
async fn a_late_file_leads_to_the_run_that_is_tried_again() {
    let lab = lab().await;
    let project = Project::new(&Text::default().yaml(), Some(&lab));
    let refuse = || {
        let refused = Action::answer(403, "InvalidAccessKeyId");
        lab.faults().add(Fault::on(Operation::CreateMultipartUpload, refused));
    };
    refuse();
    let said = project.segue(&["run", "daily", "--slot", "2026-01-02T06:00:00Z"]);
    assert_ne!(said.code, 0, "{}", said.stderr);
    let mut opened = set_up(&project);
    let browser = &mut opened.browser;
    let run = browser.get("/runs?state=failed").between("href=\"/runs/", "\"").expect("a run");
    let run = format!("/runs/{run}");
    browser.get("/").must_have("needs attention");
    refuse();
    browser.post(&run, &format!("{run}/retry"), &[]).leads_to();
    let mut home = browser.get("/");
    while !home.has(", to be retried") {
        home = browser.get("/");
    }
    home.must_have("1 file is late");
    let late = home.between("<p class=\"detail\"><a href=\"/runs/", ", to be retried");
    assert!(late.is_some_and(|it| format!("/runs/{it}").starts_with(&run)), "{}", home.text);
    assert!(!home.has("needs attention"), "{}", home.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn forms_do_what_the_api_does_and_say_why_not() {
    let lab = lab().await;
    let project = Project::new(&Text::default().yaml(), Some(&lab));
    let mut opened = set_up(&project);
    let browser = &mut opened.browser;
    let forged = browser.post_as_is("/activations/daily/pause", &[("csrf", "guessed")], "");
    assert_eq!(forged.status, 403, "{}", forged.text);
    let foreign = "sec-fetch-mode: navigate\r\n";
    let foreign = browser.send(
        "POST",
        "/activations/daily/pause",
        &format!("origin: https://evil.example\r\n{foreign}"),
        "",
    );
    assert_eq!(foreign.status, 403);
    browser.get("/activations/daily").must_have("badge ok\">Enabled");

    let paused = browser.post("/activations/daily", "/activations/daily/pause", &[]);
    assert_eq!(paused.leads_to(), "/activations/daily");
    browser.get("/activations/daily").must_have("until you enable it again");
    browser.get("/activations").must_have("Paused");
    let refused = browser.post("/activations/daily", "/activations/daily/run", &[]);
    assert_eq!(refused.status, 409);
    refused.must_have("The activation is paused");
    refused.must_have("Enable it first.");
    refused.must_have("<h1>daily</h1>");
    browser.post("/activations/daily", "/activations/daily/enable", &[]).leads_to();

    let checked = browser.post("/destinations/partner", "/destinations/partner/check", &[]);
    assert_eq!(checked.status, 200, "{}", checked.text);
    checked.must_have("Ready: everything that is needed is permitted");
    checked.must_have("s3:PutObject");
    browser.get("/destinations/partner").must_have("Grade A");
    // The same while it goes on: first what will be tried, then each as it is found, then the page.
    let told = browser.post("/destinations/partner", "/destinations/partner/check/live", &[]);
    assert_eq!(told.header("content-type"), Some("text/event-stream"));
    told.must_have("event: rows");
    told.must_have("Being tried");
    told.must_have("{\"key\":\"s3:PutObject\"");
    told.must_have("event: page");
    let counted = browser.post("/segments/loyal", "/segments/loyal/count", &[]);
    counted.must_have("Exact count");
    counted.must_have("of 6 profiles");

    let gone = browser.post("/runs", "/runs/00000000-0000-0000-0000-000000000000/retry", &[]);
    assert_eq!(gone.status, 404);
    let missing = browser.get("/nothing");
    assert_eq!(missing.status, 404);
    missing.must_have("There is nothing at this address");
    for path in ["/runs/x", "/segments/x", "/destinations/x", "/activations/x"] {
        assert_eq!(browser.get(path).status, 404, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_are_tried_and_people_looked_up_masked() {
    let lab = lab().await;
    let project = Project::new(&Text::default().yaml(), Some(&lab));
    let mut opened = set_up(&project);
    let browser = &mut opened.browser;
    browser.get("/rule?segment=loyal").must_have("points &gt;= 10");
    let wrong = [("rule", "points >= 10\n and emial = 'x'"), ("language", "sql")];
    let wrong = browser.post("/rule", "/rule", &wrong);
    wrong.must_have("data-place=\"2:6:5\"");
    wrong.must_have("<mark>emial</mark>");
    wrong.must_have("Did you mean");
    let right = browser.post("/rule", "/rule", &[("rule", "points >= 10"), ("language", "sql")]);
    right.must_have("Exact count");
    right.must_have("66.7%");
    assert!(!right.has("ann@"));
    let pql = browser.post("/rule", "/rule", &[("rule", "points >= 10"), ("language", "pql")]);
    pql.must_have("66.7%");

    let asked = [("namespace", "CRMID"), ("identity", "1")];
    let masked = browser.post("/profiles", "/profiles", &asked);
    masked.must_have("xxx@xxxxxxx.xxx");
    masked.must_have("points &gt;= 10");
    assert!(!masked.has(CANARY));
    let nobody =
        browser.post("/profiles", "/profiles", &[("namespace", "CRMID"), ("identity", "99")]);
    assert_eq!(nobody.status, 404);
    nobody.must_have("Nobody has this identity");
    let unknown = browser.post("/profiles", "/profiles", &[("namespace", "X"), ("identity", "1")]);
    assert_eq!(unknown.status, 422, "{}", unknown.text);
    let seen_before = std::mem::take(&mut browser.seen);
    for canary in [CANARY, SECRET, PASSWORD] {
        assert!(!seen_before.contains(canary), "a page holds {canary}");
    }
    let real = [("namespace", "CRMID"), ("identity", "1"), ("reveal", "yes")];
    let real = browser.post("/profiles", "/profiles", &real);
    real.must_have(CANARY);
    real.must_have("Real values are shown");
    let audit = browser.get("/audit");
    audit.must_have("reveal_person");
    audit.must_have("The entries shown follow from each other");
    assert!(!audit.has(CANARY) && !audit.has("CRMID:1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_are_narrowed_and_files_of_a_person_go_on() {
    let lab = lab().await;
    let file = "{ format: csv, rows_per_file: 1 }";
    let project = Project::new(&Text { file, ..Text::default() }.yaml(), Some(&lab));
    let november = (1..=18).map(|day| format!("2025-11-{day:02}T06:00:00Z"));
    let october =
        (0..36).map(|number| format!("2025-10-01T{:02}:{:02}:00Z", number / 2, number % 2));
    for slot in november.chain(october) {
        let said = project.segue(&["run", "daily", "--slot", &slot]);
        assert_eq!(said.code, 0, "{}", said.stderr);
    }
    let mut opened = set_up(&project);
    let browser = &mut opened.browser;
    let all = browser.get("/runs");
    all.must_have("name=\"destination\"");
    all.must_have("name=\"from\"");
    let some = browser.get("/runs?destination=partner&from=2025-11-03&to=2025-11-05");
    for day in [3, 4, 5] {
        some.must_have(&format!("2025-11-0{day}T06:00:00Z"));
    }
    assert!(!some.has("2025-11-02T06:00:00Z") && !some.has("2025-11-06T06:00:00Z"));
    assert_eq!(some.text.matches("class=\"mark ok\"").count(), 3, "the timeline has the same");
    browser.get("/runs?destination=nowhere").must_have("No run matches these filters");

    // Nobody has a profile with this identity any more; the files went out all the same.
    project.write("people.csv", "id,email,points\n2,bob@example.com,9\n");
    let asked = [("namespace", "CRMID"), ("identity", "1")];
    let first = browser.post("/profiles", "/profiles", &asked);
    assert_eq!(first.text.matches(".csv").count(), 50);
    first.must_have("Nobody has this identity");
    first.must_have("loyal · daily → partner");
    first.must_have("Columns: id, e_mail, points");
    first.must_have("Exact for each run delivered since");
    let next = first.between("name=\"files\" value=\"", "\"").expect("there are more");
    let more = [("namespace", "CRMID"), ("identity", "1"), ("files", next.as_str())];
    let second = browser.post("/profiles", "/profiles", &more);
    assert_eq!(second.text.matches(".csv").count(), 4);
    assert!(!second.has("name=\"files\""));
    // Who never was in a file has none.
    let other =
        browser.post("/profiles", "/profiles", &[("namespace", "CRMID"), ("identity", "2")]);
    assert!(!other.has(".csv"));
    other.must_have("No recorded file has data of this person");
}

/// As a browser does when the page that shows the token is loaded again.
fn sent_again_a_form_makes_no_second_token(browser: &mut Browser, token: &[(&str, &str)]) {
    let page = browser.get("/settings");
    let hidden = |name: &str| page.between(&format!("name=\"{name}\" value=\""), "\"");
    let (csrf, key) = (hidden("csrf").expect("a guard"), hidden("form").expect("a key"));
    let fields = [token, &[("csrf", csrf.as_str()), ("form", key.as_str())]].concat();
    let made = browser.post_as_is("/settings/tokens", &fields, "");
    let secret = made.between("data-copy=\"segue_", "\"").expect("it is shown");
    let again = browser.post_as_is("/settings/tokens", &fields, "");
    assert_eq!(again.leads_to(), "/settings");
    let settings = browser.get("/settings");
    settings.must_have("This form made its token before, and no second one");
    assert!(!settings.has(&secret), "it is shown once");
    let name = token[0].1;
    assert_eq!(settings.text.matches(&format!(">{name}<code")).count(), 1, "{}", settings.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn users_come_and_go_and_see_what_their_role_allows() {
    let lab = lab().await;
    let project = Project::new(&Text::default().yaml(), Some(&lab));
    let mut opened = set_up(&project);
    let browser = &mut opened.browser;
    let short = [("name", "vic"), ("password", "short"), ("role", "viewer")];
    let short = browser.post("/settings", "/settings/users", &short);
    assert_eq!(short.status, 422);
    short.must_have("a password has at least 12 characters");
    let vic = [("name", "vic"), ("password", PASSWORD), ("role", "viewer")];
    assert_eq!(browser.post("/settings", "/settings/users", &vic).leads_to(), "/settings");
    browser.get("/settings").must_have("The user can sign in now");
    let last = browser.post("/settings", "/settings/users/ann/remove", &[]);
    assert_eq!(last.status, 409);
    last.must_have("This is the last admin.");
    let token = [("name", "script"), ("role", "viewer"), ("days", "30")];
    let made = browser.post("/settings", "/settings/tokens", &token);
    made.must_have("segue_");
    let token = [("name", "script-2"), ("role", "viewer"), ("days", "30")];
    sent_again_a_form_makes_no_second_token(browser, &token);
    let id = made.text.split("/settings/tokens/").nth(1).and_then(|it| it.split('/').next());
    let revoke = format!("/settings/tokens/{}/revoke", id.expect("an id"));
    assert_eq!(browser.post("/settings", &revoke, &[]).leads_to(), "/settings");
    let id = revoke.split('/').nth(3).expect("an id");
    let audit = browser.get("/audit");
    let of_token = audit.text.matches(&format!("script<code class=\"under\">{id}</code>")).count();
    assert_eq!(of_token, 2, "made and revoked: {}", audit.text);
    audit.must_have(">vic</td>");
    assert_eq!(browser.post("/", "/sign-out", &[]).leads_to(), "/sign-in");
    assert_eq!(browser.get("/").leads_to(), "/sign-in");
    browser.get("/sign-in").must_have("You are signed out");

    let wrong = [("user", "vic"), ("password", "not the password"), ("next", "/runs")];
    let wrong = browser.post_as_is("/sign-in", &wrong, "");
    assert_eq!(wrong.status, 401);
    wrong.must_have("do not match");
    let away = [("user", "vic"), ("password", PASSWORD), ("next", "//evil.example/")];
    assert_eq!(browser.post_as_is("/sign-in", &away, "").leads_to(), "/");
    let back = [("user", "vic"), ("password", PASSWORD), ("next", "/runs?state=failed")];
    assert_eq!(browser.post_as_is("/sign-in", &back, "").leads_to(), "/runs?state=failed");
    for path in ["/audit", "/profiles", "/rule"] {
        let refused = browser.get(path);
        assert_eq!(refused.status, 403, "{path}");
        refused.must_have("Your role does not allow this");
    }
    let settings = browser.get("/settings");
    assert_eq!(settings.status, 200);
    assert!(!settings.has("add-user") && !settings.has(">script<"));
    let refused = browser.post("/activations/daily", "/activations/daily/run", &[]);
    assert_eq!(refused.status, 403);
    assert!(!browser.get("/activations/daily").has("run-now"));

    let french = browser.post("/", "/preferences", &[("lang", "fr"), ("next", "/runs")]);
    assert_eq!(french.leads_to(), "/runs");
    browser.get("/runs").must_have("<html lang=\"fr\"");
    browser.post("/", "/preferences", &[("scheme", "dark"), ("next", "/runs")]);
    browser.get("/runs").must_have("data-scheme=\"dark\"");
    browser.cookies.push(("segue-zone".to_owned(), "Europe%2FParis".to_owned()));
    browser.get("/runs").must_have("Europe/Paris");
    let cross = "sec-fetch-site: cross-site\r\nsec-fetch-mode: navigate\r\n";
    let cookies = std::mem::take(&mut browser.cookies);
    let once_more = browser.send("GET", "/runs", cross, "");
    assert_eq!(once_more.status, 200, "the cookie is not sent from another site");
    once_more.must_have("content=\"0;url=/runs\"");
    browser.cookies = cookies;
}
