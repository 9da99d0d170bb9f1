//! What objects are written with, as the service has it.

use s3lab::{Dialect, Options};

use crate::project::{BUCKET, Project, Text, lab, lab_with};

fn yaml(settings: &str) -> String {
    Text::default()
        .yaml()
        .replace("    bucket: exports\n", &format!("    bucket: exports\n{settings}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_reach_every_object() {
    let settings = "    encryption: { sse: aws:kms, kms_key_id: key-1, bucket_key: true }
    objects:
      storage_class: STANDARD_IA
      tags: { team: data & crm, kind: export }
      acl: bucket-owner-full-control
      content_type: text/plain
      metadata: { Owner: crm }
";
    let lab = lab().await;
    let project = Project::new(&yaml(settings), Some(&lab));
    let said = project.segue(&["run", "daily"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    let keys = lab.keys(BUCKET);
    assert_eq!(keys.len(), 2, "{keys:?}");
    for key in keys {
        let object = lab.object(BUCKET, &key).expect("it is visible");
        assert_eq!(object.server_side_encryption.as_deref(), Some("aws:kms"), "{key}");
        assert_eq!(object.kms_key_id.as_deref(), Some("key-1"), "{key}");
        assert_eq!(object.storage_class.as_deref(), Some("STANDARD_IA"), "{key}");
        let tag = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(object.tags, [tag("team", "data & crm"), tag("kind", "export")], "{key}");
        assert_eq!(object.metadata.get("owner").map(String::as_str), Some("crm"), "{key}");
        // The media type is that of the data; the manifest is JSON whatever they are.
        let expected = if key.ends_with(".json") { "application/json" } else { "text/plain" };
        assert_eq!(object.content_type.as_deref(), Some(expected), "{key}");
    }
    let again = project.segue(&["check", "partner"]);
    assert_eq!(again.code, 0, "{}", again.stderr);

    let project = Project::new(&yaml("    encryption: { sse: AES256 }\n"), Some(&lab));
    let said = project.segue(&["run", "daily", "--slot", "2026-01-05T00:00:00Z"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    let key = lab.keys(BUCKET).into_iter().find(|key| key.contains("20260105")).expect("a file");
    let object = lab.object(BUCKET, &key).expect("it is visible");
    assert_eq!(object.server_side_encryption.as_deref(), Some("AES256"));
}

/// Some services say how an object is encrypted with its parts only. That is believed, once a part that
/// holds no profile has said so.
#[tokio::test(flavor = "multi_thread")]
async fn encryption_may_be_confirmed_with_the_parts() {
    let dialect = Dialect { encryption_said_with_parts: true, ..Dialect::default() };
    let lab = lab_with(Options { dialect, ..Options::default() }).await;
    let project = Project::new(&yaml("    encryption: { sse: AES256 }\n"), Some(&lab));
    let checked = project.json(&["check", "partner"]);
    assert_eq!(checked["capabilities"]["encryption"], "AES256", "{checked:#}");
    assert_eq!(lab.history().len(), 0);
    let said = project.segue(&["run", "daily"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    for key in lab.keys(BUCKET) {
        let object = lab.object(BUCKET, &key).expect("it is visible");
        assert_eq!(object.server_side_encryption.as_deref(), Some("AES256"), "{key}");
    }
    let files = project.json(&["files"]);
    let file = lab.object(BUCKET, files[0]["key"].as_str().expect("a key")).expect("a file");
    assert!(file.bytes.starts_with(b"id,e_mail,points\n"), "nothing of the trial is left");
}

/// A service that ignores the encryption would keep profiles in the clear without a word.
#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_ignores_encryption_gets_nothing() {
    let dialect = Dialect { ignores_encryption: true, ..Dialect::default() };
    let lab = lab_with(Options { dialect, ..Options::default() }).await;
    let project = Project::new(&yaml("    encryption: { sse: AES256 }\n"), Some(&lab));
    for command in [&["check", "partner"][..], &["run", "daily"]] {
        let said = project.segue(command);
        assert_eq!(said.code, 3, "{}", said.stderr);
        assert!(said.stderr.contains("ignores the encryption"), "{}", said.stderr);
        assert_eq!(lab.history().len(), 0);
        assert_eq!(lab.open_uploads(BUCKET), []);
    }
    let said = project.segue(&["check", "partner"]);
    insta::with_settings!({ filters => [(r"segue-check-[0-9a-f]{32}", "segue-check-[nonce]")] }, {
        insta::assert_snapshot!("objects_not_encrypted", project.transcript(&said));
    });
}
