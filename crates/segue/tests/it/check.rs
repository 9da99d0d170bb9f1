//! `segue check`: every permission by its name, and every way in which a service cannot be reached.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use s3lab::{
    Action, BucketSpec, Clock, Dialect, Fault, Lab, Operation, Options, Outcome, Policy, User,
};
use serde_json::Value;

use crate::project::{BUCKET, Project, SECRET, Said, Text, lab, lab_with};

/// Every action that a complete check names.
const ALL: [&str; 14] = [
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
];
const REQUIRED: [&str; 2] = ["s3:PutObject", "s3:AbortMultipartUpload"];

fn user(policy: Policy) -> User {
    User {
        access_key_id: "LAB".to_owned(),
        secret_access_key: SECRET.to_owned(),
        policy,
        ..User::default()
    }
}

/// The text of the check without what differs from run to run.
fn shown(project: &Project, said: &Said) -> String {
    project.transcript(said)
}

fn keep(name: &str, project: &Project, said: &Said) {
    let filters = [
        (r"request id [0-9A-Za-z]+", "request id [id]"),
        (r#""requestId": "[0-9A-Za-z]+""#, r#""requestId": "[id]""#),
        (r"segue-check-[0-9a-f]{32}", "segue-check-[nonce]"),
        (r"\d{4}-\d\d-\d\dT[\d:.]+Z", "[time]"),
        (r"127\.0\.0\.1:\d+", "127.0.0.1:[port]"),
    ];
    insta::with_settings!({ filters => filters.to_vec() }, {
        insta::assert_snapshot!(name, shown(project, said));
    });
}

/// Nothing was ever visible, and no upload is open.
fn assert_nothing_left(lab: &Lab, what: &str) {
    assert_eq!(lab.history().len(), 0, "{what}: something was visible");
    assert_eq!(lab.open_uploads(BUCKET), [], "{what}: an upload is open");
}

fn results(checked: &Value) -> Vec<(String, String)> {
    let lines = checked["permissions"].as_array().expect("permissions");
    let text = |line: &Value, key: &str| line[key].as_str().unwrap_or_default().to_owned();
    lines.iter().map(|line| (text(line, "action"), text(line, "result"))).collect()
}

fn missing(checked: &Value) -> Vec<String> {
    let lines = results(checked).into_iter();
    lines.filter(|(_, result)| result == "missing").map(|(action, _)| action).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destination_that_is_ready() {
    let lab = lab().await;
    let project = Project::new(&Text::default().yaml(), Some(&lab));
    let said = project.segue(&["check", "partner"]);
    keep("check_ready", &project, &said);
    assert_nothing_left(&lab, "check");
    let said = project.segue(&["check", "partner", "--all"]);
    keep("check_all", &project, &said);
    let said = project.segue(&["check", "partner", "--output", "json"]);
    keep("check_json", &project, &said);
    assert_nothing_left(&lab, "check --all");
    let said = project.segue(&["check", "partnr"]);
    keep("check_unknown", &project, &said);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_permission_that_is_missing_is_named_and_no_other() {
    let lab = lab().await;
    let project = Project::new(&Text::default().yaml(), Some(&lab));
    for action in ALL {
        lab.set_user(user(Policy::all().without(&[action])));
        let said = project.segue(&["check", "partner", "--all", "--output", "json"]);
        let checked: Value = serde_json::from_str(&said.stdout).expect("JSON");
        assert_eq!(missing(&checked), [action], "{checked:#}");
        let is_required = REQUIRED.contains(&action);
        assert_eq!(said.code, if is_required { 3 } else { 0 }, "{action}: {}", said.stderr);
        assert_eq!(checked["ready"], !is_required, "{action}");
        assert_nothing_left(&lab, action);
    }
    // No request of S3 needs this one, so nothing can be said about it either way to those who may
    // not ask IAM's simulator.
    for also in [None, Some("s3:ReplicateObject")] {
        let lacks: Vec<&str> = ["iam:SimulatePrincipalPolicy"].into_iter().chain(also).collect();
        lab.set_user(user(Policy::all().without(&lacks)));
        let checked = project.json(&["check", "partner", "--all"]);
        let unclear: Vec<_> =
            results(&checked).into_iter().filter(|(_, result)| result != "ok").collect();
        assert_eq!(unclear, [("s3:ReplicateObject".to_owned(), "cannot tell".to_owned())]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_settings_need_is_named_too() {
    let yaml = Text::default().yaml().replace(
        "    bucket: exports\n",
        "    bucket: exports\n    encryption: { sse: aws:kms, kms_key_id: key-1 }\n    objects: { tags: { team: crm }, acl: bucket-owner-full-control }\n",
    );
    let lab = lab().await;
    let project = Project::new(&yaml, Some(&lab));
    assert_eq!(missing(&project.json(&["check", "partner"])), [""; 0]);
    for action in [
        "kms:GenerateDataKey",
        "kms:Decrypt",
        "s3:PutObjectTagging",
        "s3:PutObjectAcl",
        "s3:PutObject",
    ] {
        lab.set_user(user(Policy::all().without(&[action])));
        let said = project.segue(&["check", "partner", "--output", "json"]);
        let checked: Value = serde_json::from_str(&said.stdout).expect("JSON");
        assert_eq!(missing(&checked), [action], "{checked:#}");
        assert_eq!(said.code, 3, "{action}");
        assert_nothing_left(&lab, action);
    }
}

/// What the check calls required is what a run cannot do without, and nothing else is.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_needs_what_the_check_says() {
    for action in ["s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"]
        .into_iter()
        .chain(["s3:GetObject", "s3:ListBucket", "s3:ListBucketMultipartUploads"])
    {
        let lab = lab().await;
        let project = Project::new(&Text::default().yaml(), Some(&lab));
        lab.set_user(user(Policy::all().without(&[action])));
        let said = project.segue(&["run", "daily"]);
        let delivers = action != "s3:PutObject" && action != "s3:AbortMultipartUpload";
        // A run that succeeds aborts nothing; it is the one that fails that needs that right.
        if delivers || action == "s3:AbortMultipartUpload" {
            assert_eq!(said.code, 0, "{action}: {}", said.stderr);
        } else {
            assert_eq!(said.code, 3, "{action}: {}", said.stderr);
        }
    }
    // Replacing a static name reads what is there.
    let text = Text { file_name: "%SEGMENT_NAME%", ..Text::default() };
    let lab = lab().await;
    let project = Project::new(&text.yaml(), Some(&lab));
    assert_eq!(project.segue(&["run", "daily"]).code, 0);
    lab.set_user(user(Policy::all().without(&["s3:GetObject"])));
    let checked = project.segue(&["check", "partner"]);
    assert_eq!(checked.code, 3, "{}", checked.stdout);
    let mut again = project.command(&["run", "daily"]);
    again.env("SEGUE_NOW", "2026-01-05T06:30:00Z");
    let said = project.finish(again.spawn().expect("the binary starts"));
    assert_ne!(said.code, 0, "{}", said.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_are_told_apart() {
    let lab = lab().await;
    let project = Project::new(&Text::default().yaml(), Some(&lab));
    let optional = ["s3:ListBucket", "s3:GetObject", "s3:ListBucketMultipartUploads"];
    lab.set_user(user(Policy::all().without(&optional)));
    keep("check_less", &project, &project.segue(&["check", "partner"]));
    lab.set_user(user(Policy::all().without(&["s3:PutObject"])));
    keep("check_no_put", &project, &project.segue(&["check", "partner"]));
    lab.set_user(user(Policy::default()));
    keep("check_nothing", &project, &project.segue(&["check", "partner"]));
    lab.set_user(user(Policy::all().and_demand("x-amz-server-side-encryption", "AES256")));
    keep("check_demands_encryption", &project, &project.segue(&["check", "partner"]));
    lab.set_user(user(Policy::all().and_demand("x-amz-server-side-encryption", "aws:kms")));
    keep("check_demands_kms", &project, &project.segue(&["check", "partner"]));
    assert_nothing_left(&lab, "refusals");

    let owned = Text::default().yaml().replace(
        "    bucket: exports\n",
        "    bucket: exports\n    expected_bucket_owner: \"999999999999\"\n",
    );
    lab.set_user(user(Policy::all()));
    let project = Project::new(&owned, Some(&lab));
    keep("check_wrong_owner", &project, &project.segue(&["check", "partner"]));
}

/// A service that takes the owner of a bucket and does not look at it is told of.
#[tokio::test(flavor = "multi_thread")]
async fn an_owner_that_nobody_compares_is_no_protection() {
    let yaml = Text::default().yaml().replace(
        "    bucket: exports\n",
        "    bucket: exports\n    expected_bucket_owner: \"111122223333\"\n",
    );
    for (ignores_owner, compares) in [(false, "yes"), (true, "no")] {
        let dialect = Dialect { ignores_owner, ..Dialect::default() };
        let lab = lab_with(Options { dialect, ..Options::default() }).await;
        let project = Project::new(&yaml, Some(&lab));
        let checked = project.json(&["check", "partner"]);
        assert_eq!(checked["ready"], true, "{checked:#}");
        assert_eq!(checked["capabilities"]["comparesOwner"], compares, "{checked:#}");
        let notes = checked["notes"].to_string();
        assert_eq!(notes.contains("expected_bucket_owner has no effect"), ignores_owner, "{notes}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_and_clocks_that_are_wrong() {
    let lab = lab().await;
    let project = Project::new(&Text::default().yaml(), Some(&lab));
    lab.set_user(User { secret_access_key: "another".to_owned(), ..user(Policy::all()) });
    keep("check_wrong_secret", &project, &project.segue(&["check", "partner"]));
    let unknown = Text::default().yaml().replace("access_key_id: LAB", "access_key_id: NOBODY");
    let project = Project::new(&unknown, Some(&lab));
    keep("check_unknown_key", &project, &project.segue(&["check", "partner"]));

    #[expect(clippy::disallowed_methods, reason = "a clock that is off by twenty minutes")]
    let late = Clock::new(|| SystemTime::now() + Duration::from_secs(20 * 60));
    let lab = lab_with(Options { clock: late, ..Options::default() }).await;
    let project = Project::new(&Text::default().yaml(), Some(&lab));
    keep("check_clock", &project, &project.segue(&["check", "partner"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn buckets_that_are_elsewhere() {
    let missing = Text::default().yaml().replace("bucket: exports", "bucket: no-such-bucket");
    let lab = lab().await;
    let project = Project::new(&missing, Some(&lab));
    keep("check_no_bucket", &project, &project.segue(&["check", "partner"]));

    let far = BucketSpec { region: Some("eu-west-3".to_owned()), ..BUCKET.into() };
    let options =
        Options { buckets: vec![far], users: vec![user(Policy::all())], ..Options::default() };
    let lab = Lab::start(options).await.expect("a lab");
    let project = Project::new(&Text::default().yaml(), Some(&lab));
    keep("check_other_region", &project, &project.segue(&["check", "partner"]));
}

/// A server that answers every request with the same bytes, and says how many it sent.
fn server(
    answer: impl Fn(&mut TcpStream, &AtomicU64) + Send + 'static,
) -> (String, Arc<AtomicU64>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
    let sent = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&sent);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut request = [0; 4_096];
            let _ = stream.read(&mut request);
            answer(&mut stream, &count);
        }
    });
    (endpoint, sent)
}

fn at(endpoint: &str) -> Project {
    Project::new(&Text::default().yaml().replace("${LAB_ENDPOINT}", endpoint), None)
}

#[tokio::test(flavor = "multi_thread")]
async fn endpoints_that_are_not_s3() {
    let page = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 22\r\n\r\n<html>welcome</html>\r\n";
    let (endpoint, _) = server(move |stream, _| {
        let _ = stream.write_all(page.as_bytes());
    });
    let project = at(&endpoint);
    keep("check_web_page", &project, &project.segue(&["check", "partner"]));

    let (endpoint, sent) = server(|stream, sent| {
        let head = "HTTP/1.1 404 Not Found\r\ncontent-type: text/plain\r\ncontent-length: 1000000000\r\n\r\n";
        let _ = stream.write_all(head.as_bytes());
        let block = [b'x'; 65_536];
        for _ in 0..1_000_000_000 / block.len() {
            if stream.write_all(&block).is_err() {
                return;
            }
            sent.fetch_add(block.len() as u64, Ordering::Relaxed);
        }
    });
    let project = at(&endpoint);
    keep("check_endless_page", &project, &project.segue(&["check", "partner"]));
    let sent = sent.load(Ordering::Relaxed);
    assert!(sent < 100_000_000, "only the beginning is read, {sent} bytes were sent");

    // A server that speaks TLS, to one who does not.
    let (endpoint, _) = server(|stream, _| {
        let _ = stream.write_all(&[0x15, 0x03, 0x01, 0x00, 0x02, 0x02, 0x46]);
    });
    let project = at(&endpoint);
    keep("check_wants_tls", &project, &project.segue(&["check", "partner"]));

    let lab = lab().await;
    let project = at(&lab.endpoint().replace("http://", "https://"));
    keep("check_wants_no_tls", &project, &project.segue(&["check", "partner"]));
}

/// An answer to what nobody needs, that is none of S3's, ends no check.
#[tokio::test(flavor = "multi_thread")]
async fn an_odd_answer_about_what_is_not_needed_is_told() {
    let lab = lab().await;
    let project = Project::new(&Text::default().yaml(), Some(&lab));
    for (operation, action) in [
        (Operation::GetBucketLocation, Action::TruncateReply { after_bytes: 20 }),
        (Operation::RestoreObject, Action::answer(418, "IamATeapot")),
        (Operation::ListBuckets, Action::TruncateReply { after_bytes: 0 }),
    ] {
        lab.faults().clear();
        lab.faults().add(Fault::on(operation, action).always());
        let checked = project.json(&["check", "partner", "--all"]);
        assert_eq!(checked["ready"], true, "{operation}: {checked:#}");
        assert_eq!(missing(&checked), [""; 0], "{operation}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_says_nothing() {
    let (endpoint, _) = server(|stream, _| {
        // Until the client gives up.
        let _ = stream.read(&mut [0; 16]);
    });
    let project = at(&endpoint);
    keep("check_silence", &project, &project.segue(&["check", "partner"]));
}

/// An answer that sends the client to another host is not followed: the credentials stay here.
#[tokio::test(flavor = "multi_thread")]
async fn another_host_gets_nothing() {
    let (trapped, reached) = server(|_, sent| {
        sent.fetch_add(1, Ordering::Relaxed);
    });
    let location = trapped;
    let (endpoint, _) = server(move |stream, _| {
        let body = format!(
            "<Error><Code>TemporaryRedirect</Code><Message>go</Message><Endpoint>{location}</Endpoint></Error>"
        );
        let head = format!(
            "HTTP/1.1 307 Temporary Redirect\r\nlocation: {location}/exports\r\ncontent-type: application/xml\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let _ = stream.write_all(head.as_bytes());
    });
    let project = at(&endpoint);
    let said = project.segue(&["check", "partner"]);
    keep("check_foreign_redirect", &project, &said);
    assert_eq!(reached.load(Ordering::Relaxed), 0, "the other host was asked");
}

/// What the credentials can do beyond what is needed is told, and nothing of it is done.
#[tokio::test(flavor = "multi_thread")]
async fn credentials_that_can_do_too_much_are_told_of() {
    let lab = lab().await;
    let project = Project::new(&Text::default().yaml(), Some(&lab));
    let said = project.segue(&["policy", "partner", "--only", "iam"]);
    assert!(
        said.stderr.contains("finds out whether the credentials can do more"),
        "{}",
        said.stderr
    );
    let powers = |project: &Project| -> Vec<String> {
        let checked = project.json(&["check", "partner"]);
        let powers = checked["powers"].as_array().expect("powers").iter();
        powers.map(|it| it["action"].as_str().expect("an action").to_owned()).collect()
    };
    let all = ["s3:PutObject", "s3:GetObject", "s3:DeleteObject", "s3:GetBucketPolicy"];
    assert_eq!(powers(&project), all, "the only bucket of a service is no other one");
    assert_nothing_left(&lab, "powers");
    keep("policy_too_much", &project, &project.segue(&["policy", "partner", "--only", "iam"]));

    // Each of them alone.
    let said = project.segue(&["policy", "partner", "--only", "iam"]);
    let least: Value = serde_json::from_str(&said.stdout).expect("JSON");
    let policy = || {
        let statements = least["Statement"].as_array().expect("statements").iter();
        statements.fold(Policy::default(), |policy, statement| {
            let actions: Vec<&str> = statement["Action"]
                .as_array()
                .expect("actions")
                .iter()
                .filter_map(Value::as_str)
                .collect();
            policy.and_allow(&actions, &[statement["Resource"].as_str().expect("a resource")])
        })
    };
    lab.set_user(user(policy()));
    assert_eq!(powers(&project), [""; 0], "what is printed is not too much");
    let said = project.segue(&["policy", "partner"]);
    assert!(!said.stderr.contains("can do more"), "{}", said.stderr);
    for action in all {
        lab.set_user(user(policy().and_allow(&[action], &["*"])));
        assert_eq!(powers(&project), [action]);
    }
    // Without a folder there is nothing outside of it.
    let whole = Text { folder: "\"\"", ..Text::default() };
    let project = Project::new(&whole.yaml(), Some(&lab));
    lab.set_user(user(Policy::all()));
    assert_eq!(powers(&project), ["s3:DeleteObject", "s3:GetBucketPolicy"]);
    assert_nothing_left(&lab, "powers");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_root_of_an_account_is_told_of() {
    let lab = lab().await;
    let project = Project::new(&Text::default().yaml(), Some(&lab));
    let arn = "arn:aws:iam::111122223333:user/LAB";
    assert_eq!(project.json(&["check", "partner"])["signedBy"], arn);
    lab.set_user(User { is_root: true, ..user(Policy::all()) });
    let checked = project.json(&["check", "partner"]);
    assert_eq!(checked["signedBy"], "arn:aws:iam::111122223333:root");
    assert_eq!(checked["powers"][0]["action"], "*", "{checked:#}");
    // A service that does not say who signs is checked all the same.
    lab.faults()
        .add(Fault::on(Operation::AssumeRole, Action::answer(400, "InvalidAction")).always());
    assert_eq!(project.json(&["check", "partner"])["signedBy"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_bucket_that_can_be_seen_is_told_of() {
    let buckets = vec![BUCKET.into(), "payroll".into()];
    let options = Options { buckets, users: vec![user(Policy::all())], ..Options::default() };
    let lab = Lab::start(options).await.expect("a lab");
    let project = Project::new(&Text::default().yaml(), Some(&lab));
    let said = project.segue(&["check", "partner"]);
    assert!(said.stdout.contains("see other buckets"), "{}", said.stdout);
    assert!(!said.stdout.contains("payroll"), "{}", said.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_that_is_stopped_leaves_nothing() {
    let lab = lab().await;
    let project = Project::new(&Text::default().yaml(), Some(&lab));
    lab.faults().add(Fault::on(Operation::UploadPart, Action::Hang(Outcome::NotDone)));
    let child = project.start(&["check", "partner"]);
    while lab.open_uploads(BUCKET).is_empty() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let stop = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(stop.is_ok_and(|status| status.success()));
    let said = project.finish(child);
    assert_eq!(said.code, 130, "{}", said.stderr);
    assert_nothing_left(&lab, "stopped");

    // Killed, it cannot tidy up; the next check does.
    let hang = Fault::on(Operation::UploadPart, Action::Hang(Outcome::NotDone));
    let id = lab.faults().add(hang);
    let mut child = project.start(&["check", "partner"]);
    while lab.open_uploads(BUCKET).is_empty() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    child.kill().expect("a signal");
    child.wait().expect("an end");
    // It may have died before it came so far.
    lab.faults().remove(id);
    assert_eq!(lab.open_uploads(BUCKET).len(), 1, "it may be that of a check that goes on");
    let mut later = project.command(&["check", "partner"]);
    later.env("SEGUE_NOW", "2126-01-01T00:00:00Z");
    let said = project.finish(later.spawn().expect("the binary starts"));
    keep("check_swept", &project, &said);
    assert_nothing_left(&lab, "swept");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_service_does_is_graded() {
    for (name, dialect, grade, visible) in [
        ("amazon", Dialect::default(), "A", 0),
        ("no checksums", Dialect { no_checksums: true, ..Dialect::default() }, "C", 0),
        // The object that appears is deleted again.
        ("no conditions", Dialect { no_conditionals: true, ..Dialect::default() }, "B", 2),
    ] {
        let lab = lab_with(Options { dialect, ..Options::default() }).await;
        let project = Project::new(&Text::default().yaml(), Some(&lab));
        let checked = project.json(&["check", "partner"]);
        assert_eq!(checked["grade"], grade, "{name}: {checked:#}");
        assert_eq!(lab.history().len(), visible, "{name}");
        assert_eq!(lab.keys(BUCKET), [""; 0], "{name}");
        // It is kept, and shown where a promise is made.
        let planned = project.segue(&["plan", "daily"]);
        assert!(planned.stdout.contains(&format!("grade {grade}")), "{name}: {}", planned.stdout);
    }
    // Without the right to delete, whether conditions are kept is not tried.
    let lab = lab().await;
    lab.set_user(user(Policy::all().without(&["s3:DeleteObject"])));
    let project = Project::new(&Text::default().yaml(), Some(&lab));
    let checked = project.json(&["check", "partner"]);
    assert_eq!(checked["capabilities"]["keepsConditions"], "unknown", "{checked:#}");
    assert_eq!(checked["grade"], "B");
    assert_nothing_left(&lab, "no deletes");
}

/// Under a key of KMS that cannot be used, S3 answers what KMS said.
#[tokio::test(flavor = "multi_thread")]
async fn keys_that_cannot_be_used() {
    let yaml = Text::default().yaml().replace(
        "    bucket: exports\n",
        "    bucket: exports\n    encryption: { sse: aws:kms, kms_key_id: key-1 }\n",
    );
    let lab = lab().await;
    let project = Project::new(&yaml, Some(&lab));
    let disabled = Action::answer(400, "KMS.DisabledException");
    lab.faults().add(Fault::on(Operation::CreateMultipartUpload, disabled).always());
    keep("check_kms_disabled", &project, &project.segue(&["check", "partner"]));
    let run = project.segue(&["run", "daily"]);
    assert_eq!(run.code, 3, "{}", run.stderr);
    keep("run_kms_disabled", &project, &run);
    lab.faults().clear();
    // A service without a KMS that fails at every request with a key, each sent twice, and at no other.
    let fails = Fault::on(Operation::CreateMultipartUpload, Action::internal_error());
    lab.faults().add(fails.clone().times(2));
    keep("check_no_kms", &project, &project.segue(&["check", "partner"]));
    assert_nothing_left(&lab, "no KMS");
    lab.faults().add(fails.always());
    keep("check_fails", &project, &project.segue(&["check", "partner"]));
    lab.faults().clear();
    lab.set_user(user(Policy::all().without(&["kms:GenerateDataKey"])));
    keep("check_kms_denied", &project, &project.segue(&["check", "partner"]));
    assert_nothing_left(&lab, "KMS");
}

#[test]
fn addresses_that_no_service_is_at() {
    for (name, address) in [
        ("check_metadata_address", "http://169.254.169.254"),
        ("check_hidden_address", "http://2852039166"),
    ] {
        let project = at(address);
        keep(name, &project, &project.segue(&["check", "partner"]));
    }
}

/// Services that keep a checksum of checksums refuse ours of the whole object: it is not stated.
#[tokio::test(flavor = "multi_thread")]
async fn a_service_with_composite_checksums_is_delivered_to() {
    let dialect = Dialect { composite_checksums: true, ..Dialect::default() };
    let lab = lab_with(Options { dialect, ..Options::default() }).await;
    let project = Project::new(&Text::default().yaml(), Some(&lab));
    let said = project.segue(&["run", "daily"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    let checked = project.json(&["check", "partner"]);
    assert_eq!(checked["capabilities"]["wholeCheck"], "no", "{checked:#}");
    assert_eq!(checked["capabilities"]["partCheck"], "md5");
    assert_eq!(checked["capabilities"]["refusesDamage"], "yes");
    assert_eq!(checked["capabilities"]["takesAllParts"], "yes");
    assert_eq!(checked["capabilities"]["takesTags"], "yes");
    // Killed between commit and completion, the next process does not know what was answered.
    let hang = Fault::on(Operation::CompleteMultipartUpload, Action::Hang(Outcome::NotDone));
    let id = lab.faults().add(hang);
    let mut child = project.start(&["run", "daily", "--slot", "2026-01-05T00:00:00Z"]);
    crate::delivery::wait_until(|| lab.faults().acted(id) > 0).await;
    child.kill().expect("a kill");
    child.wait().expect("an end");
    lab.faults().clear();
    lab.faults().release();
    let said = project.segue(&["run"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert_eq!(lab.keys(BUCKET).len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_port_is_told_after_one_request() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    // Connections are taken, and nothing is said on them.
    let taken = std::thread::spawn(move || {
        listener.set_nonblocking(true).expect("it does not wait");
        let (until, mut taken) = (Instant::now() + Duration::from_secs(14), Vec::new());
        while Instant::now() < until {
            taken.extend(listener.accept());
            std::thread::sleep(Duration::from_millis(20));
        }
        taken.len()
    });
    let project = Project::new(&Text::default().yaml(), None);
    let began = Instant::now();
    let mut command = project.command(&["check", "partner"]);
    command.env("LAB_ENDPOINT", format!("http://{address}"));
    let said = project.finish(command.spawn().expect("the binary starts"));
    let took = began.elapsed();
    keep("check_silent", &project, &said);
    assert!(took < Duration::from_secs(14), "{took:?}");
    assert_eq!(taken.join().expect("a count"), 1, "one request, once");
}
