//! Where credentials come from: keys, roles, and what the machine offers.

use std::process::Command;
use std::time::Duration;

use s3lab::{Action, Fault, Lab, Operation, Options, Policy, Role, User};

use crate::project::{BUCKET, Project, SECRET, Said, Text};

const ROLE: &str = "arn:aws:iam::111122223333:role/segue";

/// A project whose account assumes a role.
fn with_role(more: &str) -> String {
    let yaml = Text { file: "{ format: csv, rows_per_file: 1 }", ..Text::default() }.yaml();
    yaml.replace(
        "kind: access-key\n",
        &format!("kind: assume-role\n      role_arn: {ROLE}\n      sts_endpoint_url: ${{LAB_ENDPOINT}}\n{more}"),
    )
}

fn user(policy: Policy) -> User {
    User {
        access_key_id: "LAB".to_owned(),
        secret_access_key: SECRET.to_owned(),
        policy,
        ..User::default()
    }
}

/// A lab whose only user may do nothing but assume the role.
async fn lab_with_role(external_id: Option<String>) -> Lab {
    let role = Role {
        arn: ROLE.to_owned(),
        external_id,
        policy: Policy::all(),
        session: Duration::from_secs(3_600),
    };
    let user = user(Policy::default().and_allow(&["sts:AssumeRole"], &[ROLE]));
    let options = Options {
        roles: vec![role],
        users: vec![user],
        buckets: vec![BUCKET.into()],
        ..Options::default()
    };
    Lab::start(options).await.expect("a lab")
}

/// The external id that the project makes, as the user reads it.
fn external_id(yaml: &str) -> String {
    let project = Project::new(yaml, None);
    let said = project.segue(&["policy", "partner", "--only", "trust"]);
    let trust: serde_json::Value = serde_json::from_str(&said.stdout).expect("JSON");
    let id = &trust["Statement"][0]["Condition"]["StringEquals"]["sts:ExternalId"];
    id.as_str().expect("an external id").to_owned()
}

fn asked(lab: &Lab) -> usize {
    lab.log().iter().filter(|entry| entry.operation == Operation::AssumeRole).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_is_assumed_once_for_all_files() {
    let yaml = with_role("");
    let lab = lab_with_role(Some(external_id(&yaml))).await;
    let project = Project::new(&yaml, Some(&lab));
    let said = project.segue(&["run", "daily"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert!(lab.keys(BUCKET).len() > 2, "{:?}", lab.keys(BUCKET));
    assert_eq!(asked(&lab), 1, "STS is asked once");
    let said = project.segue(&["check", "partner"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert!(!said.stdout.contains("external id"), "{}", said.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_that_end_in_the_middle_are_renewed() {
    let yaml = with_role("");
    let lab = lab_with_role(Some(external_id(&yaml))).await;
    let project = Project::new(&yaml, Some(&lab));
    let expired = Fault::on(Operation::UploadPart, Action::answer(400, "ExpiredToken"));
    lab.faults().add(expired.skip(1));
    let said = project.segue(&["run", "daily"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert_eq!(asked(&lab), 2, "STS is asked again");

    // The service ends all sessions while a run waits: the next request gets new credentials.
    lab.clear_log();
    let wait = Fault::on(Operation::UploadPart, Action::Hang(s3lab::Outcome::NotDone));
    let wait = lab.faults().add(wait);
    let child = project.start(&["run", "daily", "--slot", "2026-01-05T00:00:00Z"]);
    while lab.faults().acted(wait) == 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    lab.end_sessions();
    lab.faults().release();
    let said = project.finish(child);
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert_eq!(asked(&lab), 2, "one for the run, one after the end");

    // The answer to HEAD, which has no body, does not say that the session has ended.
    lab.clear_log();
    lab.faults().add(Fault::on(Operation::HeadObject, Action::answer(400, "ExpiredToken")));
    let said = project.segue(&["run", "daily", "--slot", "2026-01-06T00:00:00Z"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert_eq!(asked(&lab), 2, "STS is asked again");
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_that_are_not_given() {
    let lab = lab_with_role(Some("somebody-else".to_owned())).await;
    let project = Project::new(&with_role(""), Some(&lab));
    keep("sign_in_other_external_id", &project, &project.segue(&["check", "partner"]));
    let run = project.segue(&["run", "daily"]);
    assert_eq!(run.code, 3, "{}", run.stderr);
    lab.set_user(User { secret_access_key: "another".to_owned(), ..user(Policy::all()) });
    keep("sign_in_wrong_secret", &project, &project.segue(&["check", "partner"]));

    // A role that is given to whoever names it is one that others could have Segue use.
    let lab = lab_with_role(None).await;
    let project = Project::new(&with_role(""), Some(&lab));
    let said = project.segue(&["check", "partner"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    keep("sign_in_open_role", &project, &said);
}

fn keep(name: &str, project: &Project, said: &Said) {
    let filters = [(r"request id [0-9A-Za-z]+", "request id [id]")];
    insta::with_settings!({ filters => filters.to_vec() }, {
        insta::assert_snapshot!(name, project.transcript(said));
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_temporary_key_brings_its_token() {
    let temporary = User { session_token: Some("token-1".to_owned()), ..user(Policy::all()) };
    let options =
        Options { users: vec![temporary], buckets: vec![BUCKET.into()], ..Options::default() };
    let lab = Lab::start(options).await.expect("a lab");
    let yaml = Text::default().yaml().replace(
        "      secret_access_key: ${LAB_SECRET}\n",
        "      secret_access_key: ${LAB_SECRET}\n      session_token: ${LAB_TOKEN:-}\n",
    );
    let project = Project::new(&yaml, Some(&lab));
    let with = |token: &str| {
        let mut command = project.command(&["check", "partner"]);
        command.env("LAB_TOKEN", token);
        project.finish(command.spawn().expect("the binary starts"))
    };
    assert_eq!(with("token-1").code, 0);
    keep("sign_in_wrong_token", &project, &with("token-2"));
}

/// Puts credentials where a process finds them.
type Prepare<'a> = &'a dyn Fn(&Project, &mut Command);

/// What the machine offers, one way after the other, each the only one that is there.
#[tokio::test(flavor = "multi_thread")]
async fn the_standard_chain_is_followed() {
    let options = Options {
        users: vec![user(Policy::all())],
        buckets: vec![BUCKET.into()],
        ..Options::default()
    };
    let lab = Lab::start(options).await.expect("a lab");
    let yaml = Text::default().yaml().replace(
        "      kind: access-key\n      access_key_id: LAB\n      secret_access_key: ${LAB_SECRET}\n",
        "      kind: default\n      PROFILE\n",
    );
    let plain = yaml.replace("      PROFILE\n", "");
    let named = yaml.replace("PROFILE", "profile: partner");
    let check = |yaml: &str, prepare: Prepare<'_>| {
        let project = Project::new(yaml, Some(&lab));
        let mut command = project.command(&["check", "partner"]);
        command.env("AWS_EC2_METADATA_DISABLED", "true");
        prepare(&project, &mut command);
        let said = project.finish(command.spawn().expect("the binary starts"));
        (project, said)
    };
    let keys = format!("aws_access_key_id = LAB\naws_secret_access_key = {SECRET}\n");
    let ways: [(&str, &str, Prepare<'_>); 4] = [
        ("environment", &plain, &|_, command| {
            command.env("AWS_ACCESS_KEY_ID", "LAB").env("AWS_SECRET_ACCESS_KEY", SECRET);
        }),
        ("shared file", &plain, &|project, _| {
            project.write(".aws/credentials", format!("[default]\n{keys}"));
        }),
        ("named profile", &named, &|project, _| {
            project.write(".aws/credentials", format!("[partner]\n{keys}"));
        }),
        ("process", &named, &|project, command| {
            let json = format!(
                "{{\"Version\": 1, \"AccessKeyId\": \"LAB\", \"SecretAccessKey\": \"{SECRET}\"}}"
            );
            project.write("keys.json", json);
            let path = project.path("keys.json").display().to_string();
            project.write(
                ".aws/config",
                format!("[profile partner]\ncredential_process = cat {path}\n"),
            );
            command.env("PATH", "/usr/bin:/bin");
        }),
    ];
    for (way, yaml, prepare) in ways {
        let (_, said) = check(yaml, prepare);
        assert_eq!(said.code, 0, "{way}: {}", said.stderr);
    }
    let (project, said) = check(&plain, &|_, _| {});
    keep("sign_in_nothing", &project, &said);
    let (project, said) = check(&named, &|_, _| {});
    keep("sign_in_no_profile", &project, &said);
    let (project, said) = check(&named, &|project, _| {
        project.write(".aws/config", "[profile another]\nregion = eu-west-3\n");
    });
    keep("sign_in_other_profile", &project, &said);
}
