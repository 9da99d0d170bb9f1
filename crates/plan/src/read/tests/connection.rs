//! Accounts and what their destinations write with, from the text to its meaning.

use super::*;

const AUTH: &str =
    "auth: { kind: access-key, access_key_id: \"${KEY_ID}\", secret_access_key: \"${SECRET}\" }";

fn changes(cases: &[(&str, &str)]) -> String {
    cases.iter().map(|(from, to)| format!("{to}\n{}", indented(&change(from, to)))).collect()
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("    {line}\n")).collect()
}

#[test]
fn ways_of_signing_in() {
    let role = "arn:aws:iam::123456789012:role/segue";
    let auth = |auth: &str| {
        let text = FULL.replace(AUTH, auth);
        let account = read_text(&text).project.expect("there is no error").accounts.remove(0);
        format!("{:?}", account.auth)
    };
    let found = [
        auth(&format!("auth: {{ kind: assume-role, role_arn: {role} }}")),
        auth(&format!(
            "auth: {{ kind: assume-role, role_arn: {role}, external_id: given-1, profile: base }}"
        )),
        auth(&format!(
            "auth: {{ kind: assume-role, role_arn: {role}, sts_endpoint_url: http://127.0.0.1:1, access_key_id: \"${{KEY_ID}}\", secret_access_key: \"${{SECRET}}\" }}"
        )),
        auth("auth: { kind: default }"),
        auth("auth: { kind: default, profile: partner }"),
    ];
    insta::assert_snapshot!("ways_of_signing_in", found.join("\n"));
}

#[test]
fn accounts_that_do_not_fit() {
    let endpoint = "endpoint_url: http://127.0.0.1:9000/";
    let found = changes(&[
        (AUTH, "auth: { kind: assume-role }"),
        (AUTH, "auth: { kind: assume-role, role_arn: segue }"),
        (
            AUTH,
            "auth: { kind: assume-role, role_arn: arn:aws:iam::123456789012:role/segue, external_id: \"a b\" }",
        ),
        (
            AUTH,
            "auth: { kind: assume-role, role_arn: arn:aws:iam::123456789012:role/segue, profile: base, access_key_id: \"${KEY_ID}\", secret_access_key: \"${SECRET}\" }",
        ),
        (AUTH, "auth: { kind: default, role_arn: arn:aws:iam::123456789012:role/segue }"),
        (
            AUTH,
            "auth: { kind: assume-role, role_arn: arn:aws:iam::123456789012:role/segue, sts_endpoint_url: http://sts.example.com }",
        ),
        (endpoint, "endpoint_url: http://minio.example.com"),
        (endpoint, "endpoint_url: http://minio.example.com\n    allow_http: true"),
    ]);
    insta::assert_snapshot!("accounts_that_do_not_fit", found);
}

#[test]
fn what_objects_are_written_with() {
    let settings = "manifest: true
    encryption: { sse: aws:kms, kms_key_id: key-1, kms_context: { team: crm }, bucket_key: true }
    objects:
      storage_class: STANDARD_IA
      tags: { team: crm, kind: export }
      acl: bucket-owner-full-control
      content_type: text/plain
      metadata: { Owner: crm }";
    let text = FULL.replace("manifest: true", settings);
    let mut project = read_text(&text).project.expect("there is no error");
    insta::assert_snapshot!(
        "what_objects_are_written_with",
        format!("{:#?}", project.destinations.remove(0).objects)
    );
    let found = changes(&[
        ("manifest: true", "encryption: { sse: AES256, kms_key_id: key-1 }"),
        ("manifest: true", "encryption: { sse: kms }"),
        ("manifest: true", "encryption: { pgp: [keys/partner.asc] }"),
        ("manifest: true", "objects: { storage_class: STANDART_IA, acl: everybody }"),
        ("manifest: true", "objects: { tags: { \"\": x } }"),
        ("manifest: true", "objects: { content_type: csv }"),
        ("manifest: true", "objects: { metadata: { segue-token: x } }"),
    ]);
    insta::assert_snapshot!("objects_that_do_not_fit", found);
}

#[test]
fn kms_keys_are_of_the_accounts_service() {
    const OTHER: &str = "    endpoint_url: http://127.0.0.1:9000/\n";
    assert_eq!(FULL.matches(OTHER).count(), 1);
    let amazon = FULL.replace(OTHER, "");
    let told = |full: &str, key: &str| {
        let settings = format!("encryption: {{ sse: aws:kms, kms_key_id: \"{key}\" }}");
        format!("{key}\n{}", indented(&problems(&full.replace("manifest: true", &settings))))
    };
    let id = "1234abcd-12ab-34cd-56ef-1234567890ab";
    let found = [
        told(&amazon, id),
        told(&amazon, "alias/exports"),
        told(&amazon, "the key of the team"),
        told(&amazon, &format!("arn:aws:kms:us-east-1:111122223333:key/{id}")),
        told(FULL, "my-key"),
        told(FULL, "my key"),
    ];
    insta::assert_snapshot!("kms_keys", found.concat());
}
