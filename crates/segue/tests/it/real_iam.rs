//! The check against a server that enforces policies and was written by others. Runs only where
//! `SEGUE_TEST_S3_IAM_USER` names a user of such a server; the continuous build starts one.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::{Value, json};

use crate::project::{Project, Said, Text};
use crate::real_server::{client, not_run, variable};

/// A server with a user whose policy can be changed.
struct Server {
    endpoint: String,
    key: String,
    secret: String,
    bucket: String,
    user: String,
}

impl Server {
    fn named() -> Option<Self> {
        Some(Self {
            user: variable("IAM_USER")?,
            endpoint: variable("ENDPOINT")?,
            key: variable("ACCESS_KEY")?,
            secret: variable("SECRET_KEY")?,
            bucket: variable("BUCKET")?,
        })
    }

    /// Asks IAM in the name of the server's own administrator, whose signature it does not look at.
    fn iam(&self, fields: &[(&str, &str)]) -> String {
        let escaped =
            |text: &str| -> String { text.bytes().map(|byte| format!("%{byte:02X}")).collect() };
        let form: Vec<String> =
            fields.iter().map(|(name, value)| format!("{name}={}", escaped(value))).collect();
        self.post("test", &form.join("&"))
    }

    fn post(&self, key: &str, form: &str) -> String {
        let host = self.endpoint.strip_prefix("http://").expect("a plain address");
        let mut stream = TcpStream::connect(host).expect("a connection");
        let request = format!(
            "POST / HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-type: application/x-www-form-urlencoded\r\nauthorization: AWS4-HMAC-SHA256 Credential={key}/20260101/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=0\r\ncontent-length: {}\r\n\r\n{form}",
            form.len()
        );
        stream.write_all(request.as_bytes()).expect("a request");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        answer
    }

    fn grant(&self, document: &Value) {
        self.iam(&[
            ("Action", "PutUserPolicy"),
            ("Version", "2010-05-08"),
            ("UserName", &self.user),
            ("PolicyName", "segue"),
            ("PolicyDocument", &document.to_string()),
        ]);
    }

    fn grant_all_but(&self, actions: &[&str]) {
        let allowed = ["s3:*", "sts:*", "iam:SimulatePrincipalPolicy"];
        self.grant(&json!({ "Version": "2012-10-17", "Statement": [
            { "Effect": "Allow", "Action": allowed, "Resource": "*" },
            { "Effect": "Deny", "Action": actions, "Resource": "*" },
        ]}));
    }

    fn run(&self, project: &Project, arguments: &[&str]) -> Said {
        let mut command = project.command(arguments);
        command.env("LAB_SECRET", &self.secret).env("LAB_ENDPOINT", &self.endpoint);
        project.finish(command.spawn().expect("the binary starts"))
    }

    fn missing(&self, project: &Project) -> Vec<String> {
        self.those(project, "missing")
    }

    /// The actions whose result is this word.
    fn those(&self, project: &Project, result: &str) -> Vec<String> {
        let said = self.run(project, &["check", "partner", "--all", "--output", "json"]);
        let checked: Value = serde_json::from_str(&said.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}{}", said.stdout, said.stderr));
        let lines = checked["permissions"].as_array().expect("permissions").iter();
        lines
            .filter(|line| line["result"] == result)
            .map(|line| line["action"].as_str().expect("an action").to_owned())
            .collect()
    }
}

/// One test and not several: they would change the policy of the same user.
#[tokio::test(flavor = "multi_thread")]
async fn real_policies_are_seen_as_they_are() {
    let Some(server) = Server::named() else {
        not_run("the check under policies", "IAM_USER");
        return;
    };
    let yaml = Text::default()
        .yaml()
        .replace("bucket: exports", &format!("bucket: {}", server.bucket))
        .replace("access_key_id: LAB", &format!("access_key_id: {}", server.key));
    let project = Project::new(&yaml, None);
    server.grant_all_but(&["s3:DeleteBucket"]);
    let client = client(&yaml, &server.endpoint, &server.secret);
    let _ = client.create_bucket().bucket(&server.bucket).send().await;
    assert_eq!(server.missing(&project), [""; 0]);

    for action in [
        "s3:PutObject",
        "s3:AbortMultipartUpload",
        "s3:ListMultipartUploadParts",
        "s3:GetObject",
        "s3:ListBucket",
        "s3:ListBucketMultipartUploads",
        "s3:GetBucketLocation",
        "s3:ListAllMyBuckets",
        "s3:GetObjectVersion",
        "s3:DeleteObject",
        "s3:DeleteObjectVersion",
        "s3:PutBucketVersioning",
        "s3:RestoreObject",
        "s3:ReplicateObject",
    ] {
        server.grant_all_but(&[action]);
        assert_eq!(server.missing(&project), [action]);
        assert_eq!(server.those(&project, "cannot tell"), [""; 0], "without {action}");
    }
    // Who may not ask the simulator is told so, and nothing else.
    server.grant_all_but(&["iam:SimulatePrincipalPolicy"]);
    assert_eq!(server.missing(&project), [""; 0]);
    assert_eq!(server.those(&project, "cannot tell"), ["s3:ReplicateObject"]);

    // What is printed is enough.
    let said = server.run(&project, &["policy", "partner", "--only", "iam"]);
    server.grant(&serde_json::from_str(&said.stdout).expect("JSON"));
    let checked = server.run(&project, &["check", "partner"]);
    assert!(checked.stdout.contains("partner is ready"), "{}{}", checked.stdout, checked.stderr);
    let ran = server.run(&project, &["run", "daily", "--slot", "2026-02-01T00:00:00Z"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    server.grant_all_but(&["s3:DeleteBucket"]);

    // A right under a condition that does not hold is missing like one that was never given.
    let list = |prefix: &str| {
        json!({ "Version": "2012-10-17", "Statement": [
            { "Effect": "Allow", "NotAction": "s3:ListBucket", "Resource": "*" },
            { "Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*",
              "Condition": { "StringLike": { "s3:prefix": prefix } } },
        ]})
    };
    server.grant(&list("drop/*"));
    assert_eq!(server.missing(&project), [""; 0]);
    server.grant(&list("elsewhere/*"));
    assert_eq!(server.missing(&project), ["s3:ListBucket"]);
    server.grant_all_but(&["s3:DeleteBucket"]);

    // A bucket's policy that demands encryption.
    let demand = json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Deny", "Principal": "*", "Action": "s3:PutObject",
        "Resource": format!("arn:aws:s3:::{}/*", server.bucket),
        "Condition": { "StringNotEquals": { "s3:x-amz-server-side-encryption": "AES256" } },
    }]});
    let put = client.put_bucket_policy().bucket(&server.bucket).policy(demand.to_string());
    put.send().await.expect("a policy of the bucket");
    let checked = server.run(&project, &["check", "partner"]);
    assert_eq!(checked.code, 3, "{}", checked.stdout);
    assert!(checked.stderr.contains("demands encryption"), "{}", checked.stderr);
    let encrypted = yaml.replace(
        "    folder: drop\n",
        "    folder: drop\n    encryption: { sse: AES256 }\n    objects: { storage_class: GLACIER }\n",
    );
    let archive = Project::new(&encrypted, None);
    let ran = server.run(&archive, &["run", "daily", "--slot", "2026-03-01T00:00:00Z"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let remove = client.delete_bucket_policy().bucket(&server.bucket);
    remove.send().await.expect("the policy is taken away");

    // What was delivered into an archive, and comes back from it.
    let key = "drop/loyal_20260301000000.csv";
    let state = server.run(&archive, &["files", "state", key]);
    assert!(state.stdout.contains("archived"), "{}{}", state.stdout, state.stderr);
    let restored = server.run(&archive, &["files", "restore", key, "--days", "2"]);
    assert_eq!(restored.code, 0, "{}{}", restored.stdout, restored.stderr);

    // A role, with the external id that Segue makes, and with another.
    let arn = "arn:aws:iam::000000000000:role/segue-ci";
    let yaml = yaml.replace(
        "kind: access-key\n",
        &format!(
            "kind: assume-role\n      role_arn: {arn}\n      sts_endpoint_url: ${{LAB_ENDPOINT}}\n"
        ),
    );
    let project = Project::new(&yaml, None);
    let said = server.run(&project, &["policy", "partner", "--only", "trust", "--principal", "*"]);
    let name = [("Version", "2010-05-08"), ("RoleName", "segue-ci")];
    let create = ("Action", "CreateRole");
    server.iam(&[create, name[0], name[1], ("AssumeRolePolicyDocument", said.stdout.trim())]);
    let rights = json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Action": "s3:*", "Resource": "*" }
    ]});
    let put = ("Action", "PutRolePolicy");
    let policy = [("PolicyName", "segue"), ("PolicyDocument", &*rights.to_string())];
    server.iam(&[put, name[0], name[1], policy[0], policy[1]]);
    let checked = server.run(&project, &["check", "partner"]);
    assert_eq!(checked.code, 0, "{}{}", checked.stdout, checked.stderr);
    let other = yaml.replace("sts_endpoint_url", "external_id: another\n      sts_endpoint_url");
    let project = Project::new(&other, None);
    let checked = server.run(&project, &["check", "partner"]);
    assert_eq!(checked.code, 3, "{}", checked.stdout);
    assert!(checked.stderr.contains("the role was not given"), "{}", checked.stderr);
}
