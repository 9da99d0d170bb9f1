//! The binary against a real S3 server. Runs only where `SEGUE_TEST_S3_ENDPOINT` and its sisters
//! name one; the continuous build starts a server and sets them.

use delivery::Store as _;
use plan::project::Account;

use crate::project::{NOW, Project, Text};

pub(crate) fn variable(name: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "the environment says whether there is a server")]
    std::env::var(format!("SEGUE_TEST_S3_{name}")).ok()
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

/// Makes the bucket of a server that was just started; it may be there already.
pub(crate) async fn make_bucket(yaml: &str, endpoint: &str, secret: &str, bucket: &str) {
    let account = account(yaml, endpoint, secret);
    let _ = delivery::s3::client(&account).create_bucket().bucket(bucket).send().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_reaches_a_real_server() {
    let Some(endpoint) = variable("ENDPOINT") else {
        println!("not run: SEGUE_TEST_S3_ENDPOINT names no server");
        return;
    };
    let key = variable("ACCESS_KEY").expect("SEGUE_TEST_S3_ACCESS_KEY goes with the endpoint");
    let secret = variable("SECRET_KEY").expect("SEGUE_TEST_S3_SECRET_KEY goes with the endpoint");
    let bucket = variable("BUCKET").expect("SEGUE_TEST_S3_BUCKET goes with the endpoint");
    let yaml = Text { file: "{ format: csv, rows_per_file: 2 }", ..Text::default() }.yaml();
    let yaml = yaml
        .replace("bucket: exports", &format!("bucket: {bucket}"))
        .replace("access_key_id: LAB", &format!("access_key_id: {key}"));
    let account = account(&yaml, &endpoint, &secret);
    make_bucket(&yaml, &endpoint, &secret, &bucket).await;

    let project = Project::new(&yaml, None);
    let mut command = project.command(&["run", "daily", "--output", "json", "--slot", NOW]);
    command.env("LAB_SECRET", &secret).env("LAB_ENDPOINT", &endpoint);
    let said = project.finish(command.spawn().expect("the binary starts"));
    assert_eq!(said.code, 0, "{}{}", said.stdout, said.stderr);
    let result: serde_json::Value = serde_json::from_str(&said.stdout).expect("JSON");
    let objects = result["runs"][0]["objects"].as_array().expect("objects");
    assert_eq!(objects.len(), 3, "{objects:?}");
    let store = delivery::s3::connect(&account, &bucket, None).await.expect("a store");
    for object in objects {
        let head = store.head(object["key"].as_str().expect("a key")).await.expect("an answer");
        assert_eq!(Some(head.expect("it is visible").bytes), object["bytes"].as_u64());
    }
}

/// A bucket with versions, objects encrypted by the service, and files read back as they were
/// delivered.
#[tokio::test(flavor = "multi_thread")]
async fn versions_and_encryption_on_a_real_server() {
    let Some(endpoint) = variable("ENDPOINT") else {
        println!("not run: SEGUE_TEST_S3_ENDPOINT names no server");
        return;
    };
    let key = variable("ACCESS_KEY").expect("SEGUE_TEST_S3_ACCESS_KEY goes with the endpoint");
    let secret = variable("SECRET_KEY").expect("SEGUE_TEST_S3_SECRET_KEY goes with the endpoint");
    let bucket = variable("BUCKET").expect("SEGUE_TEST_S3_BUCKET goes with the endpoint");
    let bucket = format!("{bucket}-versions");
    let text = Text { file_name: "audience", ..Text::default() };
    let yaml = text
        .yaml()
        .replace("bucket: exports", &format!("bucket: {bucket}"))
        .replace("access_key_id: LAB", &format!("access_key_id: {key}"))
        .replace("    manifest: true\n", "");
    // SeaweedFS 4.48 does not say that an upload will be encrypted, so nothing is sent to it under
    // that setting.
    let encrypts = variable("IAM_USER").is_some();
    let yaml = match encrypts {
        true => yaml
            .replace("    folder: drop\n", "    folder: drop\n    encryption: { sse: AES256 }\n"),
        false => yaml,
    };
    make_bucket(&yaml, &endpoint, &secret, &bucket).await;
    let client = delivery::s3::client(&account(&yaml, &endpoint, &secret));
    let enabled = aws_sdk_s3::types::VersioningConfiguration::builder()
        .status(aws_sdk_s3::types::BucketVersioningStatus::Enabled)
        .build();
    let versioning = client.put_bucket_versioning().bucket(&bucket);
    versioning.versioning_configuration(enabled).send().await.expect("the bucket keeps versions");

    let project = Project::new(&yaml, None);
    let segue = |arguments: &[&str]| {
        let mut command = project.command(arguments);
        command.env("LAB_SECRET", &secret).env("LAB_ENDPOINT", &endpoint);
        let said = project.finish(command.spawn().expect("the binary starts"));
        assert_eq!(said.code, 0, "{arguments:?}: {}{}", said.stdout, said.stderr);
        said.stdout
    };
    segue(&["run", "daily", "--slot", NOW]);
    project.write("people.csv", "id,email,points\n9,zoe@example.com,99\n");
    segue(&["run", "daily", "--slot", "2026-01-05T00:00:00Z"]);
    let files = segue(&["files", "--output", "json"]);
    let files: serde_json::Value = serde_json::from_str(&files).expect("JSON");
    let first = files[1]["runId"].as_str().expect("a run");
    assert_ne!(files[0]["versionId"], files[1]["versionId"], "{files:#}");
    assert!(files[1]["versionId"].is_string(), "{files:#}");
    let key = "drop/audience.csv";
    segue(&["files", "get", key, "--run", first, "--into", "first.csv"]);
    let read = std::fs::read_to_string(project.path("first.csv")).expect("a file");
    assert!(read.contains("ann@example.com"), "{read}");
    let head = client.head_object().bucket(&bucket).key(key).send().await.expect("the object");
    let encryption = head.server_side_encryption().map(|kind| kind.as_str().to_owned());
    assert!(!encrypts || encryption.as_deref() == Some("AES256"), "{encryption:?}");
}
