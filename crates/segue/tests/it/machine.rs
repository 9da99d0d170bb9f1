//! Credentials that a machine, a container or a cluster offers, each from a fake on loopback.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::Command;
use std::time::Duration;

use s3lab::{Action, BucketSpec, Fault, Lab, Operation, Options, Policy, Role, User};

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
    service_for("", answers)
}

/// The same for those alone whose request holds a text.
fn service_for(proof: &'static str, answers: BTreeMap<&'static str, String>) -> String {
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
                Some(_) if !text.contains(proof) => ("401 Unauthorized", String::new()),
                Some(body) => ("200 OK", body.clone()),
                None => ("404 Not Found", String::new()),
            };
            let _ = write!(
                stream,
                "HTTP/1.1 {status}\r\nx-amzn-errortype: UnauthorizedException\r\nx-aws-ec2-metadata-token-ttl-seconds: 21600\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
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

/// As pods of EKS get it: with a token that stands in a file.
#[tokio::test(flavor = "multi_thread")]
async fn a_pod_offers_its_role_to_the_one_who_has_its_token() {
    let lab = lab_with_token().await;
    let answers = [("GET /v1/credentials", credentials())];
    let endpoint = service_for("authorization: the-token-of-the-pod", answers.into());
    let with_token = |token: &str| {
        check(&lab, |project, command| {
            project.write("pod-token", token);
            command.env("AWS_EC2_METADATA_DISABLED", "true");
            command.env("AWS_CONTAINER_CREDENTIALS_FULL_URI", format!("{endpoint}/v1/credentials"));
            command.env("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", project.path("pod-token"));
        })
    };
    assert_ready("EKS", &with_token("the-token-of-the-pod"));
    insta::assert_snapshot!(last_lines(&with_token("another")), @r"
    error: failed to sign in for s3://exports: the metadata service of this machine gave no credentials
      hint: Check the role of the pod, task or instance, and AWS_CONTAINER_AUTHORIZATION_TOKEN or its file where one is set.
    ");
}

/// What is said in the end, below the log.
fn last_lines(said: &Said) -> String {
    assert_eq!(said.code, 3, "{}", said.stderr);
    let from = said.stderr.find("error: ").expect("an error");
    said.stderr[from..].to_owned()
}

/// What `aws sso login` leaves behind, for a session of this name.
const SSO_CACHE: &str = ".aws/sso/cache/34c6fceca75e456f25e7e99531e2425c6c1de443.json";
const SSO_CONFIG: &str = "[profile partner]
sso_session = dev
sso_account_id = 111122223333
sso_role_name = Segue

[sso-session dev]
sso_region = us-east-1
sso_start_url = https://example.awsapps.com/start
";
const PORTAL: &str = "GET /federation/credentials?role_name=Segue&account_id=111122223333";

fn sso_token(token: &str, expires: &str, refresh: &str) -> String {
    format!(
        "{{\"startUrl\":\"https://example.awsapps.com/start\",\"region\":\"us-east-1\",\"accessToken\":\"{token}\",\"expiresAt\":\"{expires}\"{refresh}}}"
    )
}

/// Single sign-on: the portal gives a role's keys to the one who has signed in, and a session that ends
/// is renewed as long as its registration holds.
#[tokio::test(flavor = "multi_thread")]
async fn a_single_sign_on_is_used_and_renewed() {
    let lab = lab_with_token().await;
    let given = format!(
        "{{\"roleCredentials\":{{\"accessKeyId\":\"LAB\",\"secretAccessKey\":\"{SECRET}\",\"sessionToken\":\"{TOKEN}\",\"expiration\":4922899200000}}}}"
    );
    let portal = service_for("sso-fresh", [(PORTAL, given)].into());
    let renewed = "{\"accessToken\":\"sso-fresh\",\"expiresIn\":28800,\"tokenType\":\"Bearer\",\"refreshToken\":\"sso-refresh-2\"}";
    let oidc = service_for("sso-refresh-1", [("POST /token", renewed.to_owned())].into());
    let yaml = with_chain().replace("kind: default\n", "kind: default\n      profile: partner\n");
    let check = |token: Option<String>| {
        let project = Project::new(&yaml, Some(&lab));
        project.write(".aws/config", SSO_CONFIG);
        if let Some(token) = token {
            project.write(SSO_CACHE, token);
        }
        let mut command = project.command(&["check", "partner"]);
        command
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("AWS_ENDPOINT_URL_SSO", &portal)
            .env("AWS_ENDPOINT_URL_SSO_OIDC", &oidc);
        let said = project.finish(command.spawn().expect("the binary starts"));
        (project, said)
    };
    let later = "2126-01-01T00:00:00Z";
    let (_, said) = check(Some(sso_token("sso-fresh", later, "")));
    assert_ready("SSO", &said);

    let refresh = format!(
        ",\"clientId\":\"id\",\"clientSecret\":\"cs\",\"refreshToken\":\"sso-refresh-1\",\"registrationExpiresAt\":\"{later}\""
    );
    let ended = "2020-01-01T00:00:00Z";
    let (project, said) = check(Some(sso_token("sso-old", ended, &refresh)));
    assert_ready("SSO, renewed", &said);
    let cache = std::fs::read_to_string(project.path(SSO_CACHE)).expect("the cache");
    assert!(cache.contains("sso-fresh") && cache.contains("sso-refresh-2"), "{cache}");

    for (name, token) in [
        ("sso_ended", Some(sso_token("sso-old", ended, ""))),
        ("sso_never", None),
        ("sso_withdrawn", Some(sso_token("sso-other", later, ""))),
    ] {
        let (project, said) = check(token);
        assert!(!said.stderr.contains("sso-"), "{}", said.stderr);
        insta::assert_snapshot!(name, project.transcript(&said));
    }
}

/// A profile may itself assume a role, out of another profile.
#[tokio::test(flavor = "multi_thread")]
async fn a_profile_assumes_its_role() {
    let roles = vec![role(ROLE, Some("segue-x".to_owned()), Policy::all())];
    let users = vec![user(Policy::default().and_allow(&["sts:AssumeRole"], &[ROLE]), None)];
    let options = Options { roles, users, buckets: vec![BUCKET.into()], ..Options::default() };
    let lab = Lab::start(options).await.expect("a lab");
    let yaml = with_chain().replace("kind: default\n", "kind: default\n      profile: partner\n");
    let project = Project::new(&yaml, Some(&lab));
    let config = format!(
        "[profile partner]\nrole_arn = {ROLE}\nsource_profile = base\nexternal_id = segue-x\n[profile base]\naws_access_key_id = LAB\naws_secret_access_key = {SECRET}\n"
    );
    project.write(".aws/config", config);
    let mut command = project.command(&["run", "daily"]);
    command.env("AWS_EC2_METADATA_DISABLED", "true").env("AWS_ENDPOINT_URL_STS", lab.endpoint());
    let said = project.finish(command.spawn().expect("the binary starts"));
    assert_eq!(said.code, 0, "{}", said.stderr);
    let asked = lab.log().iter().filter(|entry| entry.operation == Operation::AssumeRole).count();
    assert_eq!(asked, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_a_profile_may_not_assume_is_said() {
    let users = vec![user(Policy::default(), None)];
    let roles = vec![role(ROLE, None, Policy::all())];
    let options = Options { roles, users, buckets: vec![BUCKET.into()], ..Options::default() };
    let lab = Lab::start(options).await.expect("a lab");
    let said = check(&lab, |project, command| {
        let config = format!(
            "[default]\nrole_arn = {ROLE}\nsource_profile = base\n[profile base]\naws_access_key_id = LAB\naws_secret_access_key = {SECRET}\n"
        );
        project.write(".aws/config", config);
        command.env("AWS_EC2_METADATA_DISABLED", "true");
        command.env("AWS_ENDPOINT_URL_STS", lab.endpoint());
    });
    insta::with_settings!({ filters => [(r"request id [0-9A-Za-z]+", "request id [id]")] }, {
        insta::assert_snapshot!(last_lines(&said), @r"
        error: failed to sign in for s3://exports: the role that this machine names was not given (HTTP 403, AccessDenied, request id [id]): User: LAB is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::111122223333:role/segue
          hint: Check the trust policy of the role: it must trust the source_profile, or the issuer of the token in AWS_WEB_IDENTITY_TOKEN_FILE.
        ");
    });
}

/// Of the shared files and the commands in them.
#[tokio::test(flavor = "multi_thread")]
async fn shared_files_that_give_nothing_say_why() {
    let lab = lab_with_token().await;
    let with_config = |config: &str| {
        let said = check(&lab, |project, command| {
            project.write(".aws/config", config);
            command.env("AWS_EC2_METADATA_DISABLED", "true").env("PATH", "/usr/bin:/bin");
        });
        last_lines(&said)
    };
    insta::assert_snapshot!(with_config("[default]\ncredential_process = false\n"), @r"
    error: failed to sign in for s3://exports: the credential_process of the profile gave no credentials
      hint: Run the command of the profile by hand: it has to print credentials as JSON and end with 0.
    ");
    insta::assert_snapshot!(with_config("[default]\ncredential_process = echo canary-in-the-output\n"), @r"
    error: failed to sign in for s3://exports: the credential_process of the profile gave no credentials
      hint: Run the command of the profile by hand: it has to print credentials as JSON and end with 0.
    ");
    insta::assert_snapshot!(with_config("[profile other]\nregion = us-east-1\n"), @r"
    error: failed to sign in for s3://exports: no credentials were found on this machine
      hint: Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or sign in (`aws sso login`), or name the `profile` of the account.
    ");
    insta::assert_snapshot!(with_config("[default\n"), @r"
    error: failed to sign in for s3://exports: the shared files of AWS on this machine cannot be used
      hint: Correct ~/.aws/config and ~/.aws/credentials: `aws configure list` reads the same.
    ");
}

/// The role of an account may be assumed by what the machine offers.
#[tokio::test(flavor = "multi_thread")]
async fn a_role_is_assumed_by_what_the_machine_offers() {
    let roles = vec![role(ROLE, Some("segue-x".to_owned()), Policy::all())];
    let users = vec![user(Policy::default().and_allow(&["sts:AssumeRole"], &[ROLE]), None)];
    let options = Options { roles, users, buckets: vec![BUCKET.into()], ..Options::default() };
    let lab = Lab::start(options).await.expect("a lab");
    let yaml = with_chain().replace(
        "kind: default\n",
        &format!("kind: assume-role\n      role_arn: {ROLE}\n      external_id: segue-x\n      sts_endpoint_url: ${{LAB_ENDPOINT}}\n"),
    );
    let project = Project::new(&yaml, Some(&lab));
    let mut command = project.command(&["run", "daily"]);
    command.env("AWS_ACCESS_KEY_ID", "LAB").env("AWS_SECRET_ACCESS_KEY", SECRET);
    let said = project.finish(command.spawn().expect("the binary starts"));
    assert_eq!(said.code, 0, "{}", said.stderr);
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

/// The region of a dataset's bucket is learnt from the service, as that of a destination is.
#[tokio::test(flavor = "multi_thread")]
async fn a_dataset_is_read_in_the_region_that_the_service_names() {
    let far = BucketSpec { region: Some("eu-west-3".to_owned()), ..BucketSpec::from("far") };
    let users = vec![user(Policy::all(), None)];
    let options = Options { users, buckets: vec![BUCKET.into(), far], ..Options::default() };
    let lab = Lab::start(options).await.expect("a lab");
    lab.put("far", "in/people.csv", crate::project::PEOPLE).await.expect("the people");
    let yaml = Text { location: "s3://far/in/people.csv", ..Text::default() }
        .yaml()
        .replace("    identities:", "    account: lab\n    identities:");
    let project = Project::new(&yaml, Some(&lab));
    let said = project.segue(&["run", "daily"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert_eq!(lab.keys(BUCKET).len(), 2);
    let refused = lab.log().iter().filter(|entry| entry.status == 301).count();
    assert_eq!(refused, 1, "it is asked once for all");
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
