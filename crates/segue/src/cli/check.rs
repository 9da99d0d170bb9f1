//! `segue check`: whether a destination can be delivered to, permission by permission. On a terminal
//! each is shown as it is tried; elsewhere all of them are, at the end.

mod lines;

use std::io::IsTerminal as _;
use std::sync::{Mutex, PoisonError};

use ::plan::permission::{self, Need, Permission, Scope};
use ::plan::power::{self, Power};
use ::plan::project::{Account, Auth, Destination};
use delivery::s3::probe::{Checked, Finding, Grade, Known, Left, Probe, Verdict};
use delivery::s3::{Pace, S3Store, Session};
use jiff::Timestamp;
use serde_json::{Value, json};

use self::lines::Growing;
use crate::ambient::{self, Interrupt};
use crate::capabilities;
use crate::cli::{Format, Global, powers, table};
use crate::encryption;
use crate::failure::{Failure, Kind};
use crate::outbox;
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

/// What is checked.
#[derive(Clone, Copy)]
struct Subject<'a> {
    workspace: &'a Workspace,
    destination: &'a Destination,
    account: &'a Account,
    session: &'a Session,
}

/// What was found, with what it was found of.
struct Report<'a> {
    subject: Subject<'a>,
    /// Who signs, as an ARN, where the service tells.
    caller: Option<String>,
    endpoint: String,
    region: Option<String>,
    scope: Scope,
    checked: Checked,
    left: Vec<Left>,
    notes: Vec<String>,
}

/// What is told while a check goes on.
pub(crate) enum Told<'a> {
    /// What is going to be tried, before anything is.
    Begun(&'a Scope, &'a [(Permission, Need)]),
    /// A permission that has been tried.
    Tried(&'a Finding),
}

/// Whom it is told to.
pub(crate) type Tell<'a> = &'a (dyn Fn(Told<'_>) + Sync);

impl Told<'_> {
    /// The same for machines: a word for what it is, and what it is about. A permission is told as it
    /// stands in what the check comes to.
    pub(crate) fn json(&self) -> (&'static str, Value) {
        match self {
            Self::Begun(scope, needs) => {
                let line = |(permission, need): &(Permission, Need)| {
                    lines::expected(*permission, *need, &scope.resource(*permission))
                };
                let permissions: Vec<Value> = needs.iter().map(line).collect();
                ("begun", json!({ "permissions": permissions }))
            }
            Self::Tried(finding) => ("permission", lines::json(finding)),
        }
    }
}

/// What becomes of what a check finds out about a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    /// It is kept beside the ledger, for `plan`, `show` and `policy`.
    BesideLedger,
    /// The destination is only tried, and nothing of it is kept.
    Nothing,
}

pub(crate) async fn run(global: &Global, args: &Args) -> Result<(), Failure> {
    let workspace = Workspace::load(global).await?;
    let found = workspace.project.destination(&args.destination);
    if let Some(found) = found.filter(|found| found.location.is_some()) {
        return folder(global, &workspace, found).await;
    }
    let (destination, account) = find(&workspace, &args.destination)?;
    let (store, session) = stores::bucket(&workspace, &destination.key, Pace::Check).await?;
    let subject = Subject { workspace: &workspace, destination, account, session: &session };
    let is_live = global.output == Format::Text && std::io::stdout().is_terminal();
    let growing = Mutex::new(None);
    let tell = |told: Told<'_>| {
        let mut growing = growing.lock().unwrap_or_else(PoisonError::into_inner);
        match told {
            Told::Begun(scope, needs) => {
                let region = store.region();
                let head = subject.head(scope, store.endpoint(), region.as_deref(), None);
                *growing = Some(Growing::new(std::io::stdout(), head, needs, scope));
            }
            Told::Tried(finding) => growing.iter_mut().for_each(|it| it.add(finding)),
        }
    };
    let quiet = |_: Told<'_>| {};
    let tell: Tell<'_> = if is_live { &tell } else { &quiet };
    let report = subject.check(args.all, &store, tell).await?;
    report.keep(&workspace)?;
    let failure = report.failure();
    match global.output {
        Format::Text if is_live => super::answer(&report.rest()),
        Format::Text => super::answer(&report.text()),
        Format::Json => super::answer_json(&report.json(failure.as_ref())),
    }
    failure.map_or(Ok(()), Err)
}

/// Checks a destination, tells each permission as it is tried, and returns what was found as JSON,
/// with whether it can be delivered to.
///
/// # Errors
/// The service cannot be reached.
pub(crate) async fn checked(
    workspace: &Workspace,
    key: &str,
    keep: Keep,
    tell: Tell<'_>,
) -> Result<(bool, Value), Failure> {
    let found = workspace.project.destination(key);
    if let Some(found) = found.filter(|found| found.location.is_some()) {
        return outbox::checked(workspace, found).await;
    }
    let (destination, account) = find(workspace, key)?;
    let (store, session) = stores::bucket(workspace, &destination.key, Pace::Check).await?;
    let subject = Subject { workspace, destination, account, session: &session };
    let report = subject.check(false, &store, tell).await?;
    if keep == Keep::BesideLedger {
        report.keep(workspace)?;
    }
    let failure = report.failure();
    Ok((failure.is_none(), report.json(failure.as_ref())))
}

/// Checks a destination that is a folder of this machine.
async fn folder(
    global: &Global,
    workspace: &Workspace,
    destination: &Destination,
) -> Result<(), Failure> {
    let (is_ready, report) = outbox::checked(workspace, destination).await?;
    let (key, place) = (&destination.key, report["location"].as_str().unwrap_or_default());
    let failure = (!is_ready).then(|| {
        let why = report["permissions"][0]["reason"].as_str().unwrap_or_default();
        let message = format!("{key} cannot be delivered to: {why}");
        Failure { is_answered: true, ..Failure::new(Kind::Connection, message) }
            .hint(format!("Give the user that runs Segue the right to write to {place}."))
    });
    match global.output {
        Format::Text if is_ready => super::answer(&format!(
            "{key}: {place} on this machine\n\n{key} is ready: files can be written there.\nGrade A: {}.",
            Grade::A.promise()
        )),
        Format::Text => super::answer(&format!("{key}: {place} on this machine")),
        Format::Json => super::answer_json(&report),
    }
    failure.map_or(Ok(()), Err)
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
    if let Some(location) = &destination.location {
        return Err(Failure::usage(format!("destination `{key}` is the folder {location}"))
            .hint("A folder needs no account and no policy; `segue check` tries to write there."));
    }
    let account = project.account(&destination.account).ok_or_else(|| {
        Failure::new(Kind::Internal, format!("destination `{key}` has no account"))
    })?;
    Ok((destination, account))
}

impl<'a> Subject<'a> {
    async fn check(
        self,
        all: bool,
        store: &S3Store,
        tell: Tell<'_>,
    ) -> Result<Report<'a>, Failure> {
        let Self { workspace, destination, account, session } = self;
        let interrupt = Interrupt::listen();
        let replaces = permission::replaces(&workspace.project, destination);
        let needs = match all {
            true => permission::all(&destination.objects, replaces),
            false => permission::needs(&destination.objects, replaces),
        };
        let scope = Scope::of(destination, store.region().as_deref());
        let now = ambient::now();
        let abandoned = now.checked_sub(ABANDONED_AFTER).unwrap_or(now);
        let nonce = ambient::nonce();
        let probe = Probe::new(store, &scope, &needs, &nonce, abandoned);
        tell(Told::Begun(&scope, &needs));
        let tried = |finding: &Finding| tell(Told::Tried(finding));
        let walked = tokio::select! {
            walked = probe.walk(&tried) => Some(walked),
            () = interrupt.requested() => None,
        };
        let left = probe.clean_up().await;
        let mut checked = match walked {
            Some(walked) => walked.map_err(|error| with_left(failed(error), &left))?,
            None => {
                let stopped = Failure::new(Kind::Interrupted, "the check was stopped");
                return Err(with_left(stopped, &left));
            }
        };
        let region = store.region();
        let mut notes = notes(account, region.as_deref(), &checked);
        notes.extend(
            store.service_time().and_then(|theirs| clock_note(ambient::signing_clock(), theirs)),
        );
        if session.role_is_open().await == Some(true) {
            notes.push("The role is given without the external id too, so everybody whom it trusts could be made to use it: add the condition that `segue policy` prints.".to_owned());
        }
        let caller = session.caller().await;
        if caller.as_deref().is_some_and(power::is_root) {
            checked.powers.insert(0, Power::Everything);
        }
        let endpoint = store.endpoint().to_owned();
        Ok(Report { subject: self, caller, endpoint, region, scope, checked, left, notes })
    }

    fn head(
        &self,
        scope: &Scope,
        endpoint: &str,
        region: Option<&str>,
        caller: Option<&str>,
    ) -> String {
        let Destination { key, bucket, .. } = self.destination;
        let region = region.unwrap_or("unknown region");
        let signed = self.signed_by(caller);
        format!("{key}: s3://{bucket}/{} at {endpoint} ({region}), {signed}", scope.start)
    }

    fn signed_by(&self, caller: Option<&str>) -> String {
        let with = match &self.account.auth {
            Auth::AssumeRole { role_arn, .. } => return format!("signed as {role_arn}"),
            Auth::AccessKey { access_key_id, .. } => format!("key {access_key_id}"),
            Auth::Default { profile: Some(profile) } => format!("profile {profile}"),
            Auth::Default { profile: None } => "what this machine offers".to_owned(),
        };
        match caller {
            Some(caller) => format!("signed with {with}, as {caller}"),
            None => format!("signed with {with}"),
        }
    }
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
    if checked.capabilities.compares_owner == Known::No {
        notes.push("The service does not compare the owner of the bucket: expected_bucket_owner has no effect there.".to_owned());
    }
    if checked.swept > 0 {
        let uploads = workspace::counted(checked.swept, "upload");
        notes.push(format!("{uploads} of an earlier check was still open and is aborted now."));
    }
    notes
}

/// Says that the two clocks differ, where that is more than an answer takes.
fn clock_note(ours: Timestamp, theirs: Timestamp) -> Option<String> {
    let ahead = ours.duration_since(theirs);
    let minutes = usize::try_from(ahead.unsigned_abs().as_secs() / 60).unwrap_or(usize::MAX);
    if minutes == 0 {
        return None;
    }
    let side = if ahead.is_negative() { "behind" } else { "ahead of" };
    let minutes = workspace::counted(minutes, "minute");
    Some(format!(
        "The clock of this machine is {minutes} {side} that of the service: set it (NTP). Requests are signed by the service's time, but schedules and names go by this machine's."
    ))
}

/// Why a check could not go on. What a run would do about it, which goes on as the same run, is no advice
/// here.
fn failed(error: delivery::Error) -> Failure {
    let is_passing = error.kind() == delivery::error::Kind::Temporary;
    let failure = Failure::from(error);
    match is_passing {
        true => Failure { hints: Vec::new(), ..failure }
            .hint("Check again in a while; if it stays so, ask whoever runs the service."),
        false => failure,
    }
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
        capabilities::keep(workspace, self.subject.destination, &self.checked.capabilities, powers)
    }

    fn missing(&self, need: Need) -> Vec<&Finding> {
        let is_missing = |finding: &&Finding| {
            finding.need == need && matches!(finding.verdict, Verdict::Missing(_))
        };
        self.checked.findings.iter().filter(is_missing).collect()
    }

    /// What the command fails with, if the destination cannot be delivered to.
    fn failure(&self) -> Option<Failure> {
        let refused = self.refused();
        let pgp = self.subject.destination.pgp.as_ref().filter(|_| refused.is_none());
        let useless = pgp.and_then(|pgp| encryption::useless_key(pgp, ambient::now()));
        refused.or(useless.map(|failure| Failure { is_answered: true, ..failure }))
    }

    /// The same as far as permissions go.
    fn refused(&self) -> Option<Failure> {
        let key = &self.subject.destination.key;
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
        failure.hints.extend(missing.iter().filter_map(|finding| lines::reason(finding)));
        if self.is_refused_everything() {
            failure.hints.push(format!(
                "Nothing at all is permitted: find out whether bucket {} is yours, and whether the key has a policy.",
                self.subject.destination.bucket
            ));
        }
        if missing.iter().any(|finding| lines::reason(finding).is_none()) {
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
        let caller = self.caller.as_deref();
        let head = self.subject.head(&self.scope, &self.endpoint, self.region.as_deref(), caller);
        let rows = self.checked.findings.iter().map(|it| lines::cells(it).to_vec()).collect();
        let table = table::table(&lines::HEADERS, &[], rows);
        let text = [head, String::new(), table, String::new(), self.verdict()].join("\n");
        text.trim_end().to_owned()
    }

    /// What is still to be said when each line has been shown.
    fn rest(&self) -> String {
        let is_said = matches!(self.subject.account.auth, Auth::AssumeRole { .. });
        let caller = self.caller.as_ref().filter(|_| !is_said);
        let signed = caller.map(|caller| format!("Signed as {caller}.\n")).unwrap_or_default();
        format!("\n{signed}{}", self.verdict())
    }

    /// What the lines come to.
    fn verdict(&self) -> String {
        let mut lines = Vec::new();
        let key = &self.subject.destination.key;
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

    fn json(&self, failure: Option<&Failure>) -> Value {
        let capabilities = &self.checked.capabilities;
        let mut value = json!({
            "destination": self.subject.destination.key,
            "bucket": self.subject.destination.bucket,
            "keysBeginWith": self.scope.start,
            "endpoint": self.endpoint,
            "region": self.region,
            "signedBy": self.caller,
            "ready": failure.is_none(),
            "permissions": self.checked.findings.iter().map(lines::json).collect::<Vec<_>>(),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_that_differ_are_told() {
        let ours: Timestamp = "2026-01-05T06:20:00Z".parse().expect("a time");
        let note = |theirs: &str| clock_note(ours, theirs.parse().expect("a time"));
        assert_eq!(note("2026-01-05T06:19:01Z"), None);
        assert_eq!(note("2026-01-05T06:20:59Z"), None);
        insta::assert_snapshot!(note("2026-01-05T06:00:00Z").unwrap_or_default(), @"The clock of this machine is 20 minutes ahead of that of the service: set it (NTP). Requests are signed by the service's time, but schedules and names go by this machine's.");
        insta::assert_snapshot!(note("2026-01-05T06:21:00Z").unwrap_or_default(), @"The clock of this machine is 1 minute behind that of the service: set it (NTP). Requests are signed by the service's time, but schedules and names go by this machine's.");
    }
}
