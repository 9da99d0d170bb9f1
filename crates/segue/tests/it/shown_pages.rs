//! What pages of a running server show of things as they are.

use s3lab::{Lab, Options, User};

use crate::project::{Project, SECRET, Text, lab};
use crate::served_pages::set_up;

/// A public key of the tests of encryption.
fn key(name: &str) -> String {
    let path = format!("{}/../delivery/tests/pgp/{name}.asc", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destination_says_how_its_files_are_encrypted_and_for_whom() {
    let lab = lab().await;
    let more = "    folder: drop
    expected_bucket_owner: \"123456789012\"
    encryption: { sse: aws:kms, kms_key_id: alias/exports, pgp: [keys/partner.asc] }
    objects: { storage_class: STANDARD_IA, tags: { team: crm } }
";
    let yaml = Text::default().yaml().replace("    folder: drop\n", more);
    let project = Project::new(&yaml, Some(&lab));
    project.write("keys/partner.asc", key("curve25519"));
    let mut opened = set_up(&project);
    let page = opened.browser.get("/destinations/partner");
    for text in ["SSE-KMS", "alias/exports", "STANDARD_IA", "team=crm", "123456789012"] {
        page.must_have(text);
    }
    let fours: Vec<String> = key_fingerprint()
        .chars()
        .collect::<Vec<_>>()
        .chunks(4)
        .map(|four| four.iter().collect())
        .collect();
    page.must_have(&fours.join(" "));
}

/// The fingerprint of `curve25519.asc`, as another program sees it.
fn key_fingerprint() -> String {
    use pgp::composed::{Deserializable as _, SignedPublicKey};
    use pgp::types::KeyDetails as _;
    let (key, _) = SignedPublicKey::from_string(&key("curve25519")).expect("a key");
    key.primary_key.fingerprint().as_bytes().iter().map(|byte| format!("{byte:02X}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_to_do_about_a_missing_bucket_is_the_same_for_a_run_and_for_a_check() {
    let user = User {
        access_key_id: "LAB".to_owned(),
        secret_access_key: SECRET.to_owned(),
        ..User::default()
    };
    let options = Options { users: vec![user], buckets: Vec::new(), ..Options::default() };
    let lab = Lab::start(options).await.expect("a lab");
    let project = Project::new(&Text::default().yaml(), Some(&lab));
    assert_ne!(project.segue(&["run", "daily"]).code, 0);
    let mut opened = set_up(&project);
    let browser = &mut opened.browser;
    let step =
        "Create the bucket exports, or correct bucket (and endpoint_url) of the destination.";
    let run = browser.get("/runs").between("href=\"/runs/", "\"").expect("a run");
    browser.get(&format!("/runs/{run}")).must_have(step);
    browser.post("/destinations/partner", "/destinations/partner/check", &[]).must_have(step);
}

#[tokio::test(flavor = "multi_thread")]
async fn browsers_get_an_icon_without_a_session() {
    let project = Project::new(&Text::default().yaml(), None);
    let mut opened = set_up(&project);
    let page = opened.browser.get("/");
    let url = page.between("rel=\"icon\" href=\"", "\"").expect("pages name an icon");
    let mut nobody = opened.browser.without_session();
    let [named, looked_for] = [url.as_str(), "/favicon.ico"].map(|path| nobody.get(path));
    assert_eq!(looked_for.status, 200);
    assert_eq!(looked_for.header("content-type"), Some("image/svg+xml"));
    assert!(looked_for.is_like(&named), "it is the icon of the pages");
}
