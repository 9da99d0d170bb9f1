//! Credentials that a machine, a container or a cluster offers, each from a fake on loopback.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::Command;
use std::time::Duration;

use s3lab::{Action, Fault, Lab, Operation, Options, Policy, Role, User};

use crate::project::{BUCKET, Project, SECRET, Said, Text};

const ROLE: &str = "arn:aws:iam::111122223333:role/segue";
const FIRST: &str = "arn:aws:iam::111122223333:role/first";
const TOKEN: &str = "canary-session-token-41aa";

fn user(policy: Policy, session_token: Option<&str>) -> User {
    User {
        access_key_id: "LAB".to_owned(),
        secret_access_key: SECRET.to_owned(),
        session_token: session_token.map(str::to_owned),
        policy,
        ..User::default()
    }
}

fn role(arn: &str, external_id: Option<String>, policy: Policy) -> Role {
    Role { arn: arn.to_owned(), external_id, policy, session: Duration::from_secs(3_600) }
}

/// A service that answers by method and path, as a machine's own do.
fn service(answers: BTreeMap<&'static str, String>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut request = [0; 8_192];
            let length = stream.read(&mut request).unwrap_or(0);
            let text = String::from_utf8_lossy(&request[..length]).into_owned();
            let line: Vec<&str> = text.lines().next().unwrap_or_default().split(' ').collect();
            let asked = format!("{} {}", line.first().unwrap_or(&""), line.get(1).unwrap_or(&""));
            let (status, body) = match answers.get(&*asked) {
                Some(body) => ("200 OK", body.clone()),
                None => ("404 Not Found", String::new()),
            };
            let _ = write!(
                stream,
                "HTTP/1.1 {status}\r\nx-aws-ec2-metadata-token-ttl-seconds: 21600\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            );
        }
    });
    endpoint
}

fn credentials() -> String {
    format!(
        "{{\"Code\":\"Success\",\"Type\":\"AWS-HMAC\",\"LastUpdated\":\"2026-01-01T00:00:00Z\",\"AccessKeyId\":\"LAB\",\"SecretAccessKey\":\"{SECRET}\",\"Token\":\"{TOKEN}\",\"Expiration\":\"2126-01-01T00:00:00Z\"}}"
    )
}

fn with_chain() -> String {
    Text::default().yaml().replace(
        "      kind: access-key\n      access_key_id: LAB\n      secret_access_key: ${LAB_SECRET}\n",
        "      kind: default\n",
    )
}

fn check(lab: &Lab, prepare: impl Fn(&Project, &mut Command)) -> Said {
    let project = Project::new(&with_chain(), Some(lab));
    let mut command = project.command(&["--log", "debug", "check", "partner"]);
    prepare(&project, &mut command);
    project.finish(command.spawn().expect("the binary starts"))
}

fn assert_ready(way: &str, said: &Said) {
    assert_eq!(said.code, 0, "{way}: {}{}", said.stdout, said.stderr);
    for canary in [SECRET, TOKEN] {
        assert!(!said.stderr.contains(canary) && !said.stdout.contains(canary), "{way}");
    }
}

async fn lab_with_token() -> Lab {
    let users = vec![user(Policy::all(), Some(TOKEN))];
    let options = Options { users, buckets: vec![BUCKET.into()], ..Options::default() };
    Lab::start(options).await.expect("a lab")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_offers_its_role() {
    let lab = lab_with_token().await;
    let endpoint = service([("GET /credentials", credentials())].into());
    let said = check(&lab, |_, command| {
        command.env("AWS_EC2_METADATA_DISABLED", "true");
        command.env("AWS_CONTAINER_CREDENTIALS_FULL_URI", format!("{endpoint}/credentials"));
    });
    assert_ready("ECS", &said);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_offers_its_role() {
    let lab = lab_with_token().await;
    let path = "/latest/meta-data/iam/security-credentials/";
    let role: &'static str = Box::leak(format!("GET {path}segue").into_boxed_str());
    let list: &'static str = Box::leak(format!("GET {path}").into_boxed_str());
    let endpoint = service(
        [
            ("PUT /latest/api/token", "token-of-the-instance".to_owned()),
            (list, "segue".to_owned()),
            (role, credentials()),
        ]
        .into(),
    );
    let said = check(&lab, |_, command| {
        command.env("AWS_EC2_METADATA_SERVICE_ENDPOINT", &endpoint);
    });
    assert_ready("IMDSv2", &said);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_is_reached_through_another() {
    let yaml = Text::default().yaml().replace(
        "kind: access-key\n",
        &format!("kind: assume-role\n      role_arn: {ROLE}\n      through: [\"{FIRST}\"]\n      external_id: segue-x\n      sts_endpoint_url: ${{LAB_ENDPOINT}}\n"),
    );
    let may = |arn: &str| Policy::default().and_allow(&["sts:AssumeRole"], &[arn]);
    let roles =
        vec![role(FIRST, None, may(ROLE)), role(ROLE, Some("segue-x".to_owned()), Policy::all())];
    let users = vec![user(may(FIRST), None)];
    let options = Options { roles, users, buckets: vec![BUCKET.into()], ..Options::default() };
    let lab = Lab::start(options).await.expect("a lab");
    let project = Project::new(&yaml, Some(&lab));
    let said = project.segue(&["run", "daily"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    let asked = lab.log().iter().filter(|entry| entry.operation == Operation::AssumeRole).count();
    assert_eq!(asked, 2, "each role once");
    let said = project.segue(&["policy", "partner", "--only", "trust"]);
    assert!(said.stdout.contains(FIRST), "the last role trusts the one before: {}", said.stdout);
    let said = project.segue(&["policy", "partner", "--only", "assume"]);
    assert!(said.stdout.contains(FIRST) && !said.stdout.contains(ROLE), "{}", said.stdout);
}

/// Datasets are read with credentials that end in the middle, and that the service ends early.
#[tokio::test(flavor = "multi_thread")]
async fn datasets_are_read_on_with_new_credentials() {
    let yaml = Text { location: "s3://exports/in/people.csv", ..Text::default() }
        .yaml()
        .replace("    identities:", "    account: lab\n    identities:")
        .replace(
            "kind: access-key\n",
            &format!("kind: assume-role\n      role_arn: {ROLE}\n      external_id: segue-x\n      sts_endpoint_url: ${{LAB_ENDPOINT}}\n"),
        );
    let roles = vec![role(ROLE, Some("segue-x".to_owned()), Policy::all())];
    let users = vec![user(Policy::default().and_allow(&["sts:AssumeRole"], &[ROLE]), None)];
    let options = Options { roles, users, buckets: vec![BUCKET.into()], ..Options::default() };
    let lab = Lab::start(options).await.expect("a lab");
    lab.put(BUCKET, "in/people.csv", crate::project::PEOPLE).await.expect("the people");
    for operation in [Operation::ListObjectsV2, Operation::GetObject, Operation::HeadObject] {
        lab.clear_log();
        lab.faults().add(Fault::on(operation, Action::answer(400, "ExpiredToken")));
        let project = Project::new(&yaml, Some(&lab));
        let said = project.segue(&["count"]);
        assert_eq!(said.code, 0, "{operation:?}: {}", said.stderr);
        let log = lab.log();
        let asked = log.iter().filter(|entry| entry.operation == Operation::AssumeRole).count();
        let met = log.iter().any(|entry| entry.operation == operation);
        assert_eq!(asked, if met { 2 } else { 1 }, "{operation:?}");
        lab.faults().clear();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_web_identity_is_exchanged_for_a_role() {
    let lab = lab_with_token().await;
    let answer = format!(
        "<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>LAB</AccessKeyId><SecretAccessKey>{SECRET}</SecretAccessKey><SessionToken>{TOKEN}</SessionToken><Expiration>2126-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"
    );
    let endpoint = service([("POST /", answer)].into());
    let said = check(&lab, |project, command| {
        project.write("token", "a-token-of-the-cluster");
        command.env("AWS_EC2_METADATA_DISABLED", "true");
        command.env("AWS_WEB_IDENTITY_TOKEN_FILE", project.path("token"));
        command.env("AWS_ROLE_ARN", ROLE).env("AWS_ROLE_SESSION_NAME", "segue");
        command.env("AWS_ENDPOINT_URL_STS", &endpoint);
    });
    assert_ready("web identity", &said);
}
