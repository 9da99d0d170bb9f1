//! Keys that files are encrypted with, where they are filled in: what cannot be used is refused there,
//! and a private key is never kept.

use std::path::Path;

use serde_json::{Value, json};

use crate::http::Server;
use crate::project::{BUCKET, Project, Text, lab};
use crate::served_pages::{Browser, Page, set_up_with};

fn key(name: &str) -> String {
    let path = format!("{}/../delivery/tests/pgp/{name}.asc", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// What of a private key nobody else may see.
fn canary() -> String {
    key("curve25519-private").lines().nth(3).expect("a line").to_owned()
}

/// Whether any file below a folder holds a text.
fn is_in(folder: &Path, text: &str) -> bool {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).any(|path| match path.is_dir() {
        true => is_in(&path, text),
        false => {
            let bytes = std::fs::read(&path).unwrap_or_default();
            String::from_utf8_lossy(&bytes).contains(text)
        }
    })
}

/// Fills in the place of files, and goes on.
fn place<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let fields =
        [("name", "Partner drop"), ("bucket", BUCKET), ("manifest", "yes"), ("go", "next")];
    [fields.as_slice(), more].concat()
}

const AT: &str = "/connect/place";

/// The text of a page between two texts, without its tags.
fn plain(page: &Page, before: &str, behind: &str) -> String {
    let found = page.between(before, behind).unwrap_or_default();
    let mut text = String::new();
    let mut is_tag = false;
    for letter in found.chars() {
        match letter {
            '<' => is_tag = true,
            '>' => is_tag = false,
            _ if !is_tag => text.push(letter),
            _ => {}
        }
    }
    text.replace("&#39;", "'").replace("&quot;", "\"")
}

/// What is told at a field, and above the page what to do.
fn told(page: &Page, field: &str) -> String {
    let at_field = plain(page, &format!("id=\"{field}-error\">"), "</p>");
    let step = plain(page, "class=\"do\">", "</p>");
    format!("{} {at_field}\n    {step}", page.status)
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_cannot_be_used_are_refused_where_they_are_filled_in() {
    let lab = lab().await;
    let project = Project::new(&Text::default().yaml(), Some(&lab));
    let mut opened = set_up_with(&project, &[]);
    let browser = &mut opened.browser;
    let account = [("account", "lab"), ("go", "next")];
    browser.post("/connect/account", "/connect/account", &account).leads_to();
    let ssh = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIExample partner@example.com";
    let broken = &key("rsa")[..300];
    let all = [
        ("hello", "hello".to_owned()),
        ("ssh", ssh.to_owned()),
        ("broken", broken.to_owned()),
        ("sign-only", key("sign-only")),
        ("expired", key("expired")),
        ("part-expired", key("part-expired")),
        ("revoked", key("revoked")),
        ("weak", key("weak")),
        ("several", key("several")),
        ("elgamal", key("elgamal")),
        ("brainpool", key("brainpool")),
        ("second of two", format!("{}{}", key("rsa"), key("expired"))),
        ("private", key("curve25519-private")),
    ];
    for lang in ["en", "fr"] {
        browser.post("/", "/preferences", &[("lang", lang), ("next", "/")]);
        let mut found = Vec::new();
        for (name, text) in &all {
            let refused = browser.post(AT, AT, &place(&[("pgp", text)]));
            refused.must_have("aria-invalid=\"true\"");
            assert!(!refused.has("lang=\"en\">"), "{name} in {lang}");
            found.push(format!("{name}: {}", told(&refused, "pgp")));
            // The same while it is typed.
            let typed = browser.post_part(AT, AT, &place(&[("pgp", text)]));
            assert_eq!(typed.status, 200);
            assert!(typed.has("data-fault=\"encryption.pgp"), "{name}");
        }
        insta::assert_snapshot!(format!("recipients_{lang}"), found.join("\n"));
    }
    let good =
        browser.post(AT, AT, &place(&[("pgp", &format!("{}{}", key("rsa"), key("nistp256")))]));
    assert_eq!(good.leads_to(), "/connect/format");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_key_that_is_filled_in_is_never_kept() {
    let lab = lab().await;
    let project = Project::new(&Text::default().yaml(), Some(&lab));
    let mut opened = set_up_with(&project, &[]);
    let browser = &mut opened.browser;
    let account = [("account", "lab"), ("go", "next")];
    browser.post("/connect/account", "/connect/account", &account).leads_to();
    let both = format!("{}{}", key("rsa"), key("curve25519-private"));
    let publics = key("rsa").lines().nth(3).expect("a line").to_owned();
    let state = project.path(".segue");
    for go in ["", "stay", "back", "next"] {
        let mut fields = place(&[("pgp", both.as_str())]);
        fields[3].1 = go;
        match go {
            "" => drop(browser.post_part(AT, AT, &fields)),
            _ => drop(browser.post(AT, AT, &fields)),
        }
        assert!(!is_in(&state, &canary()), "{go:?}: it is kept");
        assert!(is_in(&state, &publics), "{go:?}: the public key beside it stays");
        browser.get(AT).must_have("it was not kept");
    }
    // Whoever goes on over the steps all the same does not get files for fewer people than meant.
    let review = browser.post("/connect/review", "/connect/review", &[("go", "next")]);
    assert_eq!(review.status, 422);
    review.must_have("it was not kept");
    // What a version before this one kept goes away when the page is opened.
    let drafts = std::fs::read_dir(state.join("drafts")).expect("a folder").flatten();
    for draft in drafts.map(|entry| entry.path()) {
        let text = std::fs::read_to_string(&draft).expect("a draft");
        let mut fields: Vec<(String, String)> = serde_json::from_str(&text).expect("fields");
        fields.retain(|(name, _)| !name.starts_with("pgp"));
        fields.push(("pgp".to_owned(), both.clone()));
        std::fs::write(&draft, serde_json::to_vec(&fields).expect("JSON")).expect("a file");
    }
    assert!(is_in(&state, &canary()));
    browser.get(AT).must_have("it was not kept");
    assert!(!is_in(&state, &canary()));
    let gone = browser.post(AT, AT, &place(&[("pgp", &key("rsa"))]));
    assert_eq!(gone.leads_to(), "/connect/format");
    assert!(!browser.seen.contains(&canary()), "a page holds it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_key_goes_nowhere_over_the_api_or_by_apply() {
    let lab = lab().await;
    let project = Project::new(&Text::default().yaml(), Some(&lab));
    let server = Server::start(&project).await;
    // Whatever else is wrong: here the data cannot be looked at.
    std::fs::remove_file(project.path("people.csv")).expect("it was there");
    let with =
        |encryption: Value| json!({ "account": "lab", "bucket": BUCKET, "encryption": encryption });
    let recipient = with(json!({ "pgp": [key("rsa"), key("curve25519-private")] }));
    let signer = with(json!({ "pgp": [key("rsa")], "pgp_sign": key("curve25519-private") }));
    let expired = with(json!({ "pgp": [key("expired")] }));
    let mut found = Vec::new();
    let mut ask = |method: &str, path: &str, body: Value| {
        let answer = server.ask(method, path, &server.admin, &["if-match: *"], Some(body));
        assert!(!answer.text.contains(&canary()), "{path} repeats it: {}", answer.text);
        let json = answer.json();
        let problem =
            if json["errors"].is_array() { &json["errors"][0] } else { &json["problems"][0] };
        let text = |name: &str| problem[name].as_str().unwrap_or_default().to_owned();
        let place = format!(
            "{}{}",
            text("pointer"),
            if json["problems"].is_array() { text("place") } else { String::new() }
        );
        let message = format!("{}{}", text("detail"), text("message"));
        found.push(format!(
            "{method} {path} {}: {place} [{}] {message}",
            answer.status,
            text("code")
        ));
    };
    for definition in [&recipient, &signer, &expired] {
        ask("POST", "/api/v1/destinations", json!({ "key": "drop", "definition": definition }));
    }
    for dry_run in [true, false] {
        let body = json!({ "destinations": { "drop": recipient }, "dryRun": dry_run });
        ask("PUT", "/api/v1/objects", body);
    }
    let sample = json!({
        "destinations": { "drop": recipient }, "activation": "drop",
        "activations": { "drop": { "destination": "drop", "segments": [{ "segment": "loyal" }], "mapping": ["id"] } },
    });
    ask("POST", "/api/v1/preview", sample);
    ask("POST", "/api/v1/drafts/destination/check", json!({ "definition": recipient }));
    insta::assert_snapshot!("recipients_over_the_api", found.join("\n"));
    drop(server);
    project.write("keys/ours.asc", key("curve25519-private"));
    let objects = format!(
        "destinations:\n  drop: {{ account: lab, bucket: {BUCKET}, encryption: {{ pgp: [keys/ours.asc] }} }}\n"
    );
    project.write("objects.yaml", objects);
    let said = ["plan", "apply"].map(|command| {
        let arguments: &[&str] = match command {
            "plan" => &["plan", "--apply", "objects.yaml"],
            _ => &["apply", "objects.yaml"],
        };
        project.transcript(&project.segue(arguments))
    });
    insta::assert_snapshot!("recipients_by_apply", said.join("\n"));
    assert!(!is_in(&project.path(".segue"), &canary()), "it is kept or audited");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_kms_key_is_refused_where_it_is_filled_in() {
    let lab = lab().await;
    let project = Project::new(&Text::default().yaml(), Some(&lab));
    let mut opened = set_up_with(&project, &[]);
    let browser = &mut opened.browser;
    let amazon =
        [("account", ""), ("preset", "amazon"), ("auth", "default"), ("region", "eu-west-3")];
    let own = [("account", "lab")];
    let try_all = |browser: &mut Browser, account: &[(&str, &str)], keys: &[&str]| {
        let account = [account, [("go", "next")].as_slice()].concat();
        browser.post("/connect/account", "/connect/account", &account).leads_to();
        let mut found = Vec::new();
        for key in keys {
            let page = browser.post(AT, AT, &place(&[("sse", "aws:kms"), ("kms_key_id", key)]));
            found.push(match page.status {
                303 => format!("{key}: fine"),
                _ => format!("{key}: {}", told(&page, "kms_key_id")),
            });
        }
        found.join("\n")
    };
    let elsewhere = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    for lang in ["en", "fr"] {
        browser.post("/", "/preferences", &[("lang", lang), ("next", "/")]);
        let found = [
            try_all(browser, &amazon, &["alias/exports", "the team's key", elsewhere]),
            try_all(browser, &own, &["my-key", "my key"]),
        ];
        insta::assert_snapshot!(format!("kms_keys_{lang}"), found.join("\n"));
    }
}
