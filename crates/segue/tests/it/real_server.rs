//! The binary against a real S3 server. Runs only where `SEGUE_TEST_S3_ENDPOINT` and its sisters
//! name one; the continuous build starts servers and sets them.

use std::io::Write as _;

use aws_sdk_s3::Client;
use aws_sdk_s3::types::{
    BucketVersioningStatus, DefaultRetention, ObjectLockConfiguration, ObjectLockEnabled,
    ObjectLockRetentionMode, ObjectLockRule, VersioningConfiguration,
};
use delivery::Store as _;
use plan::project::Account;

use crate::project::{NOW, Project, Said, Text};

pub(crate) fn variable(name: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "the environment says whether there is a server")]
    std::env::var(format!("SEGUE_TEST_S3_{name}")).ok()
}

/// Says that a test stands aside, past the test runner, which keeps to itself what tests print.
pub(crate) fn not_run(test: &str, variable: &str) {
    let _ = writeln!(
        std::io::stderr(),
        "NOT RUN: {test}: SEGUE_TEST_S3_{variable} is not set, so only s3lab was asked"
    );
}

/// A server, and a project that delivers to a bucket of it.
struct Real {
    endpoint: String,
    secret: String,
    bucket: String,
    yaml: String,
    account: Account,
    client: Client,
}

impl Real {
    /// A bucket of the server whose name ends in `suffix`, made by `make`; `None` where there is no
    /// server, or one that lacks something, as `SEGUE_TEST_S3_LACKS` says.
    fn named(test: &str, needs: &str, suffix: &str, text: &Text) -> Option<Self> {
        let Some(endpoint) = variable("ENDPOINT") else {
            not_run(test, "ENDPOINT");
            return None;
        };
        if variable("LACKS").is_some_and(|it| it.split(' ').any(|lack| lack == needs)) {
            let _ = writeln!(std::io::stderr(), "NOT RUN: {test}: the server lacks {needs}");
            return None;
        }
        let key = variable("ACCESS_KEY").expect("SEGUE_TEST_S3_ACCESS_KEY goes with the endpoint");
        let secret =
            variable("SECRET_KEY").expect("SEGUE_TEST_S3_SECRET_KEY goes with the endpoint");
        let bucket = variable("BUCKET").expect("SEGUE_TEST_S3_BUCKET goes with the endpoint");
        let bucket = format!("{bucket}{suffix}");
        let yaml = text
            .yaml()
            .replace("bucket: exports", &format!("bucket: {bucket}"))
            .replace("access_key_id: LAB", &format!("access_key_id: {key}"));
        let account = account(&yaml, &endpoint, &secret);
        let client = delivery::s3::client(&account);
        Some(Self { endpoint, secret, bucket, yaml, account, client })
    }

    fn run(&self, project: &Project, arguments: &[&str]) -> Said {
        let mut command = project.command(arguments);
        command.env("LAB_SECRET", &self.secret).env("LAB_ENDPOINT", &self.endpoint);
        project.finish(command.spawn().expect("the binary starts"))
    }

    /// Runs what has to succeed.
    fn segue(&self, project: &Project, arguments: &[&str]) -> String {
        let said = self.run(project, arguments);
        assert_eq!(said.code, 0, "{arguments:?}: {}{}", said.stdout, said.stderr);
        said.stdout
    }

    fn json(&self, project: &Project, arguments: &[&str]) -> serde_json::Value {
        let stdout = self.segue(project, &[arguments, &["--output", "json"]].concat());
        serde_json::from_str(&stdout).expect("JSON")
    }

    /// Makes the bucket; it may be there already.
    async fn make(&self) {
        let _ = self.client.create_bucket().bucket(&self.bucket).send().await;
    }

    async fn keep_versions(&self) {
        let enabled =
            VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
        let versioning = self.client.put_bucket_versioning().bucket(&self.bucket);
        let kept = versioning.versioning_configuration(enabled).send().await;
        kept.expect("the bucket keeps versions");
    }
}

/// The account of the server, read as the binary reads it.
fn account(yaml: &str, endpoint: &str, secret: &str) -> Account {
    let variables = |name: &str| match name {
        "LAB_SECRET" => Some(secret.to_owned()),
        "LAB_ENDPOINT" => Some(endpoint.to_owned()),
        _ => None,
    };
    let reading = plan::read(yaml, &variables, &|path| Err(path.to_owned()));
    reading.project.expect("the project is valid").accounts.remove(0)
}

/// The client of the server's account, for what the product does not do.
pub(crate) fn client(yaml: &str, endpoint: &str, secret: &str) -> Client {
    delivery::s3::client(&account(yaml, endpoint, secret))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_reaches_a_real_server() {
    let text = Text { file: "{ format: csv, rows_per_file: 2 }", ..Text::default() };
    let Some(real) = Real::named("a run", "nothing", "", &text) else { return };
    real.make().await;
    let project = Project::new(&real.yaml, None);
    let result = real.json(&project, &["run", "daily", "--slot", NOW]);
    let objects = result["runs"][0]["objects"].as_array().expect("objects");
    assert_eq!(objects.len(), 3, "{objects:?}");
    let store = delivery::s3::connect(&real.account, &real.bucket, None).await.expect("a store");
    for object in objects {
        let head = store.head(object["key"].as_str().expect("a key")).await.expect("an answer");
        assert_eq!(Some(head.expect("it is visible").bytes), object["bytes"].as_u64());
    }
    let checked = real.json(&project, &["check", "partner"]);
    assert_eq!(checked["ready"], true, "{checked:#}");
    assert_eq!(checked["left"], serde_json::json!([]), "{checked:#}");
    let checked = real.json(&project, &["check", "partner", "--all"]);
    let lines = checked["permissions"].as_array().expect("permissions").iter();
    let missing: Vec<_> = lines.filter(|line| line["result"] == "missing").collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// A bucket with versions, and files read back as they were delivered.
#[tokio::test(flavor = "multi_thread")]
async fn versions_of_a_real_server_are_read_back() {
    let text = Text { file_name: "audience", ..Text::default() };
    let Some(mut real) = Real::named("versions", "versions", "-versions", &text) else { return };
    real.yaml = real.yaml.replace("    manifest: true\n", "");
    real.make().await;
    real.keep_versions().await;
    let project = Project::new(&real.yaml, None);
    real.segue(&project, &["run", "daily", "--slot", NOW]);
    project.write("people.csv", "id,email,points\n9,zoe@example.com,99\n");
    real.segue(&project, &["run", "daily", "--slot", "2026-01-05T00:00:00Z"]);
    let files = real.json(&project, &["files"]);
    let first = files[1]["runId"].as_str().expect("a run");
    assert_ne!(files[0]["versionId"], files[1]["versionId"], "{files:#}");
    assert!(files[1]["versionId"].is_string(), "{files:#}");
    let key = "drop/audience.csv";
    real.segue(&project, &["files", "get", key, "--run", first, "--into", "first.csv"]);
    let read = std::fs::read_to_string(project.path("first.csv")).expect("a file");
    assert!(read.contains("ann@example.com"), "{read}");
}

/// Objects that the service encrypts, whether it says so at the beginning of an upload or with its parts.
#[tokio::test(flavor = "multi_thread")]
async fn a_real_server_encrypts() {
    let Some(mut real) = Real::named("encryption", "encryption", "", &Text::default()) else {
        return;
    };
    real.yaml = real
        .yaml
        .replace("    folder: drop\n", "    folder: encrypted\n    encryption: { sse: AES256 }\n");
    real.make().await;
    let project = Project::new(&real.yaml, None);
    let checked = real.json(&project, &["check", "partner"]);
    assert_eq!(checked["capabilities"]["encryption"], "AES256", "{checked:#}");
    assert_eq!(checked["capabilities"]["listsParts"], "yes", "{checked:#}");
    real.segue(&project, &["run", "daily", "--slot", NOW]);
    let files = real.json(&project, &["files"]);
    for file in files.as_array().expect("files") {
        let key = file["key"].as_str().expect("a key");
        let head = real.client.head_object().bucket(&real.bucket).key(key).send().await;
        let encryption = head.expect("the object").server_side_encryption().cloned();
        assert_eq!(encryption.as_ref().map(|kind| kind.as_str()), Some("AES256"), "{key}");
        real.segue(&project, &["files", "get", key, "--into", "read-back"]);
        std::fs::remove_file(project.path("read-back")).expect("it was read back");
    }
}

/// A bucket that locks new objects: delivered to, replaced in by versions, and left without anything else.
#[tokio::test(flavor = "multi_thread")]
async fn a_real_server_locks() {
    let text = Text { file_name: "audience", ..Text::default() };
    let Some(real) = Real::named("Object Lock", "locks", "-locked", &text) else { return };
    let create = real.client.create_bucket().bucket(&real.bucket);
    let _ = create.object_lock_enabled_for_bucket(true).send().await;
    let days =
        DefaultRetention::builder().mode(ObjectLockRetentionMode::Governance).days(1).build();
    let rule = ObjectLockRule::builder().default_retention(days).build();
    let lock = ObjectLockConfiguration::builder()
        .object_lock_enabled(ObjectLockEnabled::Enabled)
        .rule(rule)
        .build();
    let set = real.client.put_object_lock_configuration().bucket(&real.bucket);
    set.object_lock_configuration(lock).send().await.expect("the bucket locks");
    let project = Project::new(&real.yaml, None);
    let checked = real.json(&project, &["check", "partner"]);
    assert_eq!(checked["capabilities"]["retention"]["period"], "1 day", "{checked:#}");
    real.segue(&project, &["run", "daily", "--slot", NOW]);
    real.segue(&project, &["run", "daily", "--slot", "2026-01-05T00:00:00Z"]);
    let listed = real.client.list_object_versions().bucket(&real.bucket).send().await;
    let listed = listed.expect("a list");
    let versions = listed.versions().iter().filter_map(|it| it.key());
    let strangers: Vec<&str> = versions
        .filter(|key| !key.starts_with("drop/audience") && !key.starts_with("drop/manifest-"))
        .collect();
    assert!(strangers.is_empty() && listed.delete_markers().is_empty(), "{strangers:?}");
    // MiniStack does not say of an object that it is locked.
    let key = "drop/audience.csv";
    let head = real.client.head_object().bucket(&real.bucket).key(key).send().await;
    let head = head.expect("the object");
    let state = real.json(&project, &["files", "state", key]);
    let told = head.object_lock_mode().map(|mode| mode.as_str());
    assert_eq!(state["lock"]["mode"].as_str(), told, "{state:#}");
}

/// Buckets with a host of their own; `SEGUE_TEST_S3_DOMAIN` names what they are below, which has to end
/// in `.localhost`.
#[tokio::test(flavor = "multi_thread")]
async fn a_real_server_has_buckets_in_its_hosts() {
    let test = "buckets in hosts";
    let Some(mut real) = Real::named(test, "hosts", "-host", &Text::default()) else { return };
    let Some(domain) = variable("DOMAIN") else {
        not_run(test, "DOMAIN");
        return;
    };
    real.make().await;
    let port = real.endpoint.rsplit_once(':').expect("a port").1;
    let at = format!("endpoint_url: http://{domain}:{port}\n    addressing: virtual");
    real.yaml = real.yaml.replace("endpoint_url: ${LAB_ENDPOINT}", &at);
    let project = Project::new(&real.yaml, None);
    let checked = real.json(&project, &["check", "partner"]);
    assert_eq!(checked["ready"], true, "{checked:#}");
    real.segue(&project, &["run", "daily", "--slot", NOW]);
    let files = real.json(&project, &["files"]);
    for file in files.as_array().expect("files") {
        let key = file["key"].as_str().expect("a key");
        // By its path, it is the same object.
        let head = real.client.head_object().bucket(&real.bucket).key(key).send().await;
        head.expect("the object");
    }
}

/// A role that a server gives; `SEGUE_TEST_S3_ROLE` names it.
#[tokio::test(flavor = "multi_thread")]
async fn a_real_server_gives_a_role() {
    let Some(mut real) = Real::named("a role", "roles", "", &Text::default()) else { return };
    let Some(role) = variable("ROLE") else {
        not_run("a role", "ROLE");
        return;
    };
    real.make().await;
    real.yaml = real.yaml.replace("folder: drop", "folder: by-role").replace(
        "kind: access-key\n",
        &format!(
            "kind: assume-role\n      role_arn: {role}\n      sts_endpoint_url: ${{LAB_ENDPOINT}}\n"
        ),
    );
    let project = Project::new(&real.yaml, None);
    let checked = real.json(&project, &["check", "partner"]);
    assert_eq!(checked["ready"], true, "{checked:#}");
    real.segue(&project, &["run", "daily", "--slot", NOW]);
}
