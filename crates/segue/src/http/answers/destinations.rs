//! What destinations need.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::stream;
use plan::{permission, policy};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::cli::check::{self, Keep, Told};
use crate::failure::Failure;
use crate::http::App;
use crate::http::problem::{Code, Problem};
use crate::http::request::{Ask, Content, Reply};
use crate::server;
use crate::workspace::Workspace;

/// How long a stream is silent at most while a permission is tried.
const STILL_THERE: Duration = Duration::from_secs(5);

/// The smallest policies that a destination works with.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Policy {
    /// What the user or role that delivers may do
    iam: Value,
    /// Who may assume the role
    trust: Option<Value>,
    /// What the one who assumes the role needs
    assume: Option<Value>,
    /// The statement for the policy of the KMS key
    kms_key_statement: Option<Value>,
    /// What the bucket refuses
    bucket: Value,
    /// What the bucket tidies up
    lifecycle: Value,
}

pub(crate) async fn policy(app: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    let workspace = app.shared.workspace();
    let key = ask.parameter("key");
    if workspace.project.destination(key).is_none() {
        return Err(Problem::not_found("destination", key));
    }
    let (destination, account) = check::find(&workspace, key)?;
    let replaces = permission::replaces(&workspace.project, destination);
    let uses = policy::Uses { replaces, reads_back: false };
    let policies = policy::of(destination, account, account.region.as_deref(), uses, None);
    Reply::json(&Policy {
        iam: policies.iam,
        trust: policies.trust,
        assume: policies.assume,
        kms_key_statement: policies.kms_key,
        bucket: policies.bucket,
        lifecycle: policies.lifecycle,
    })
}

/// What a check found.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Checked {
    /// Whether the destination can be delivered to
    ready: bool,
    /// As `segue check --output json` prints it: each permission with the service's answer, what the
    /// service can do, and what to do next
    report: Value,
}

pub(crate) async fn check(app: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    let (workspace, key) = asked(&app, &ask).await?;
    checked(workspace, key, Keep::BesideLedger).await
}

pub(crate) async fn check_events(app: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    let (workspace, key) = asked(&app, &ask).await?;
    told(&app, workspace, key, Keep::BesideLedger)
}

/// The destination that is asked for, as the project and its secrets are at this moment.
async fn asked(app: &App, ask: &Ask) -> Result<(Arc<Workspace>, String), Problem> {
    // Why a project cannot be used is told by the server's status; the last good one is checked.
    drop(server::reload(&app.shared).await);
    let workspace = app.shared.workspace();
    let key = ask.parameter("key").to_owned();
    match workspace.project.destination(&key) {
        Some(_) => Ok((workspace, key)),
        None => Err(Problem::not_found("destination", &key)),
    }
}

/// Tries the permissions of a destination.
pub(super) async fn checked(
    workspace: Arc<Workspace>,
    key: String,
    keep: Keep,
) -> Result<Reply, Problem> {
    let checking = checking(workspace, key, keep, |_| {});
    Reply::json(&checking.await.map_err(|_| broken())??)
}

/// The same, with an event for each permission as soon as it is tried.
///
/// # Errors
/// Too many streams are open.
pub(super) fn told(
    app: &App,
    workspace: Arc<Workspace>,
    key: String,
    keep: Keep,
) -> Result<Reply, Problem> {
    let permit = app.stream()?;
    let (sender, events) = mpsc::unbounded_channel();
    let lines = sender.clone();
    let checking = checking(workspace, key, keep, move |told| {
        let (name, value) = told.json();
        // Nobody may be listening any more; the check goes on and cleans up all the same.
        let _ = lines.send(event(name, &value));
    });
    tokio::spawn(async move {
        let _permit = permit;
        let last = match checking.await.map_err(|_| broken()).and_then(|it| Ok(it?)) {
            Ok(checked) => event("checked", &checked),
            Err(problem) => event("problem", &problem.body()),
        };
        let _ = sender.send(last);
    });
    let events = stream::unfold(events, |mut events| async move {
        let waited = tokio::time::timeout(STILL_THERE, events.recv()).await;
        // A comment, so that nobody between takes the connection for dead.
        let said = waited.unwrap_or_else(|_| Some(Bytes::from_static(b": still trying\n\n")))?;
        Some((said, events))
    });
    Ok(Reply::of(Content::Events(Box::pin(events))))
}

/// Tries the permissions of a destination on a thread of its own.
fn checking(
    workspace: Arc<Workspace>,
    key: String,
    keep: Keep,
    tell: impl Fn(Told<'_>) + Send + Sync + 'static,
) -> JoinHandle<Result<Checked, Failure>> {
    let handle = tokio::runtime::Handle::current();
    tokio::task::spawn_blocking(move || {
        let checked = handle.block_on(check::checked(&workspace, &key, keep, &tell));
        checked.map(|(ready, report)| Checked { ready, report })
    })
}

fn broken() -> Problem {
    Problem::new(Code::Internal, "The destination could not be checked.")
}

fn event(name: &str, value: &impl Serialize) -> Bytes {
    let text = serde_json::to_string(value).unwrap_or_default();
    Bytes::from(format!("event: {name}\ndata: {text}\n\n"))
}
