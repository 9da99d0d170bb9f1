//! `segue check`: whether a destination can be delivered to, permission by permission.

use ::plan::permission::{self, Need, Scope};
use ::plan::power::{self, Power};
use ::plan::project::{Account, Auth, Destination};
use delivery::s3::probe::{Answer, Checked, Finding, Left, Probe, Verdict};
use delivery::s3::{Pace, S3Store, Session};
use serde_json::{Value, json};

use crate::ambient::{self, Interrupt};
use crate::capabilities;
use crate::cli::{Format, Global, powers, table};
use crate::failure::{Failure, Kind};
use crate::stores;
use crate::workspace::{self, Workspace};

/// Check that a destination can be delivered to, and name each permission that is missing
///
/// Each permission is tried by what changes least: mostly on objects and uploads that do not exist.
/// One unfinished upload is begun and aborted; no object is left behind.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The key of the destination
    destination: String,
    /// Also try what Segue does not need, but connectors of this kind have asked for
    #[arg(long)]
    all: bool,
}

/// After how long an upload of another check is taken for one that was killed.
const ABANDONED_AFTER: jiff::SignedDuration = jiff::SignedDuration::from_mins(15);

/// What was found, with what it was found of.
struct Report<'a> {
    destination: &'a Destination,
    account: &'a Account,
    /// Who signs, as an ARN, where the service tells.
    caller: Option<String>,
    endpoint: String,
    region: Option<String>,
    scope: Scope,
    checked: Checked,
    left: Vec<Left>,
    notes: Vec<String>,
}

pub(crate) async fn run(global: &Global, args: &Args) -> Result<(), Failure> {
    let workspace = Workspace::load(global).await?;
    let (destination, account) = find(&workspace, &args.destination)?;
    let (store, session) = stores::bucket(&workspace, &destination.key, Pace::Check).await?;
    let report = check(&workspace, args, destination, account, &store, &session).await?;
    report.keep(&workspace)?;
    let failure = report.failure();
    match global.output {
        Format::Text => super::answer(&report.text()),
        Format::Json => super::answer_json(&report.json(failure.as_ref())),
    }
    failure.map_or(Ok(()), Err)
}

/// Checks a destination, keeps what its service can do, and tells what was found as JSON, with whether
/// it can be delivered to.
///
/// # Errors
/// The service cannot be reached.
pub(crate) async fn checked(workspace: &Workspace, key: &str) -> Result<(bool, Value), Failure> {
    let (destination, account) = find(workspace, key)?;
    let (store, session) = stores::bucket(workspace, &destination.key, Pace::Check).await?;
    let args = Args { destination: key.to_owned(), all: false };
    let report = check(workspace, &args, destination, account, &store, &session).await?;
    report.keep(workspace)?;
    let failure = report.failure();
    Ok((failure.is_none(), report.json(failure.as_ref())))
}

/// Finds a destination and its account by the destination's key.
pub(crate) fn find<'a>(
    workspace: &'a Workspace,
    key: &str,
) -> Result<(&'a Destination, &'a Account), Failure> {
    let project = &workspace.project;
    let names = project.destinations.iter().map(|destination| destination.key.as_str());
    let destination =
        project.destination(key).ok_or_else(|| workspace::unknown("destination", key, names))?;
    let account = project.account(&destination.account).ok_or_else(|| {
        Failure::new(Kind::Internal, format!("destination `{key}` has no account"))
    })?;
    Ok((destination, account))
}

async fn check<'a>(
    workspace: &'a Workspace,
    args: &Args,
    destination: &'a Destination,
    account: &'a Account,
    store: &S3Store,
    session: &Session,
) -> Result<Report<'a>, Failure> {
    let interrupt = Interrupt::listen();
    let replaces = permission::replaces(&workspace.project, destination);
    let needs = match args.all {
        true => permission::all(&destination.objects, replaces),
        false => permission::needs(&destination.objects, replaces),
    };
    let scope = Scope::of(destination, store.region().as_deref());
    let now = ambient::now();
    let abandoned = now.checked_sub(ABANDONED_AFTER).unwrap_or(now);
    let nonce = ambient::nonce();
    let probe = Probe::new(store, &scope, &needs, &nonce, abandoned);
    let walked = tokio::select! {
        walked = probe.walk() => Some(walked),
        () = interrupt.requested() => None,
    };
    let left = probe.clean_up().await;
    let mut checked = match walked {
        Some(walked) => walked.map_err(|error| with_left(error.into(), &left))?,
        None => {
            let stopped = Failure::new(Kind::Interrupted, "the check was stopped");
            return Err(with_left(stopped, &left));
        }
    };
    let region = store.region();
    let mut notes = notes(account, region.as_deref(), &checked);
    if session.role_is_open().await == Some(true) {
        notes.push("The role is given without the external id too, so everybody whom it trusts could be made to use it: add the condition that `segue policy` prints.".to_owned());
    }
    let caller = session.caller().await;
    if caller.as_deref().is_some_and(power::is_root) {
        checked.powers.insert(0, Power::Everything);
    }
    let endpoint = store.endpoint().to_owned();
    Ok(Report { destination, account, caller, endpoint, region, scope, checked, left, notes })
}

fn notes(account: &Account, region: Option<&str>, checked: &Checked) -> Vec<String> {
    let mut notes = Vec::new();
    if let (Some(written), Some(region)) = (account.region.as_deref(), region)
        && written != region
    {
        notes.push(format!(
            "The bucket is in {region}, and account `{}` says {written}: set region: {region}.",
            account.key
        ));
    }
    if let Some(retention) = &checked.capabilities.retention {
        notes.push(format!(
            "New objects are locked for {} ({}): what is delivered cannot be deleted before, and a static name gets a new version each time.",
            retention.period, retention.mode
        ));
    }
    if checked.swept > 0 {
        let uploads = workspace::counted(checked.swept, "upload");
        notes.push(format!("{uploads} of an earlier check was still open and is aborted now."));
    }
    notes
}

fn with_left(mut failure: Failure, left: &[Left]) -> Failure {
    failure.hints.extend(left.iter().map(said));
    failure
}

/// Says what is left and how it goes away.
fn said(left: &Left) -> String {
    match left {
        Left::Upload { key, upload_id } => format!(
            "An unfinished upload is left at {key} (id {upload_id}), which nobody sees: a check in a quarter of an hour aborts it, and so does a lifecycle rule."
        ),
        Left::Object { key, version_id } => {
            let version = version_id.as_ref().map(|id| format!(" (version {id})"));
            format!("An object is left at {key}{}: delete it.", version.unwrap_or_default())
        }
    }
}

impl Report<'_> {
    /// Keeps what the service does and what the credentials may, for `plan`, `show` and `policy`.
    fn keep(&self, workspace: &Workspace) -> Result<(), Failure> {
        let powers = &self.checked.powers;
        capabilities::keep(workspace, self.destination, &self.checked.capabilities, powers)
    }

    fn missing(&self, need: Need) -> Vec<&Finding> {
        let is_missing = |finding: &&Finding| {
            finding.need == need && matches!(finding.verdict, Verdict::Missing(_))
        };
        self.checked.findings.iter().filter(is_missing).collect()
    }

    /// What the command fails with, if the destination cannot be delivered to.
    fn failure(&self) -> Option<Failure> {
        let key = &self.destination.key;
        let missing = self.missing(Need::Required);
        if missing.is_empty() {
            let unclear = self.checked.findings.iter().find(|finding| {
                finding.need == Need::Required && finding.verdict != Verdict::Granted
            })?;
            let message = format!("it cannot be told whether {key} has {}", unclear.permission);
            let failure =
                Failure::new(Kind::Temporary, message).hint("Check again later; a run says more.");
            return Some(Failure { is_answered: true, ..failure });
        }
        let names: Vec<&str> = missing.iter().map(|finding| finding.permission.action()).collect();
        let (verb, names) = (if names.len() == 1 { "is" } else { "are" }, names.join(", "));
        let message = format!("{key} cannot be delivered to: {names} {verb} missing");
        let mut failure = Failure::new(Kind::Connection, message);
        failure.hints.extend(missing.iter().filter_map(|finding| reason(finding)));
        if self.is_refused_everything() {
            failure.hints.push(format!(
                "Nothing at all is permitted: find out whether bucket {} is yours, and whether the key has a policy.",
                self.destination.bucket
            ));
        }
        if missing.iter().any(|finding| reason(finding).is_none()) {
            let grant = format!("Grant what `segue policy {key}` prints, and check again.");
            failure.hints.push(grant);
        }
        Some(Failure { is_answered: true, ..failure })
    }

    fn is_refused_everything(&self) -> bool {
        let findings = &self.checked.findings;
        findings.iter().all(|finding| finding.verdict != Verdict::Granted)
    }

    fn text(&self) -> String {
        let mut lines = vec![self.head(), String::new(), self.table(), String::new()];
        let key = &self.destination.key;
        if self.failure().is_none() {
            lines.push(match self.missing(Need::Useful).as_slice() {
                [] => format!("{key} is ready: everything that it needs is permitted."),
                _ => format!("{key} can be delivered to, with less than everything:"),
            });
            for finding in self.missing(Need::Useful) {
                let permission = finding.permission;
                lines.push(format!("  without {permission}, {}", permission.without()));
            }
        }
        if let Some(grade) = self.checked.capabilities.grade() {
            lines.push(format!("Grade {grade:?}: {}.", grade.promise()));
        }
        lines.extend(self.notes.iter().cloned());
        lines.extend(powers::said(&self.checked.powers, key));
        lines.extend(self.left.iter().map(said));
        lines.join("\n").trim_end().to_owned()
    }

    fn head(&self) -> String {
        let region = self.region.as_deref().unwrap_or("unknown region");
        format!(
            "{}: s3://{}/{} at {} ({region}), {}",
            self.destination.key,
            self.destination.bucket,
            self.scope.start,
            self.endpoint,
            self.signed_by()
        )
    }

    fn signed_by(&self) -> String {
        let with = match &self.account.auth {
            Auth::AssumeRole { role_arn, .. } => return format!("signed as {role_arn}"),
            Auth::AccessKey { access_key_id, .. } => format!("key {access_key_id}"),
            Auth::Default { profile: Some(profile) } => format!("profile {profile}"),
            Auth::Default { profile: None } => "what this machine offers".to_owned(),
        };
        match &self.caller {
            Some(caller) => format!("signed with {with}, as {caller}"),
            None => format!("signed with {with}"),
        }
    }

    fn table(&self) -> String {
        let row = |finding: &Finding| {
            vec![
                finding.permission.to_string(),
                finding.resource.clone(),
                word(&finding.verdict).to_owned(),
                finding.answer.as_ref().map(answered).unwrap_or_default(),
                without(finding),
            ]
        };
        let headers = ["permission", "on", "result", "answer", "without it"];
        table::table(&headers, &[], self.checked.findings.iter().map(row).collect())
    }

    fn json(&self, failure: Option<&Failure>) -> Value {
        let capabilities = &self.checked.capabilities;
        let mut value = json!({
            "destination": self.destination.key,
            "bucket": self.destination.bucket,
            "keysBeginWith": self.scope.start,
            "endpoint": self.endpoint,
            "region": self.region,
            "signedBy": self.caller,
            "ready": failure.is_none(),
            "permissions": self.checked.findings.iter().map(finding_json).collect::<Vec<_>>(),
            "capabilities": serde_json::to_value(capabilities).unwrap_or_default(),
            "grade": capabilities.grade().map(|grade| format!("{grade:?}")),
            "promise": capabilities.grade().map(|grade| grade.promise()),
            "powers": powers::json(&self.checked.powers, &self.scope),
            "notes": self.notes,
            "left": self.left.iter().map(said).collect::<Vec<_>>(),
        });
        if let Some(failure) = failure {
            value["error"] = failure.json()["error"].take();
        }
        value
    }
}

fn word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Granted => "ok",
        Verdict::Missing(_) => "missing",
        Verdict::CannotTell(_) => "cannot tell",
    }
}

fn answered(answer: &Answer) -> String {
    let Answer { status, code, request_id } = answer;
    let code = code.as_ref().map(|code| format!(" {code}")).unwrap_or_default();
    let id = request_id.as_ref().map(|id| format!(", request id {id}")).unwrap_or_default();
    format!("{status}{code}{id}")
}

fn without(finding: &Finding) -> String {
    match &finding.verdict {
        Verdict::CannotTell(why) => (*why).to_owned(),
        _ => finding.permission.without().to_owned(),
    }
}

/// Why a permission is missing, as a sentence, where more is known than that it is.
fn reason(finding: &Finding) -> Option<String> {
    let Verdict::Missing(Some(reason)) = &finding.verdict else { return None };
    let mut characters = reason.chars();
    let first = characters.next()?.to_uppercase();
    Some(format!("{first}{}.", characters.as_str()))
}

fn finding_json(finding: &Finding) -> Value {
    let answer = finding.answer.as_ref();
    json!({
        "action": finding.permission.action(),
        "resource": finding.resource,
        "need": match finding.need {
            Need::Required => "required",
            Need::Useful => "useful",
            Need::Unused => "unused",
        },
        "result": word(&finding.verdict),
        "reason": match &finding.verdict {
            Verdict::Granted => None,
            Verdict::Missing(reason) => reason.clone(),
            Verdict::CannotTell(reason) => Some((*reason).to_owned()),
        },
        "status": answer.map(|answer| answer.status),
        "code": answer.and_then(|answer| answer.code.clone()),
        "requestId": answer.and_then(|answer| answer.request_id.clone()),
        "without": finding.permission.without(),
    })
}
