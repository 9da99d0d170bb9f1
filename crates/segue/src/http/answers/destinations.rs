//! What destinations need.

use std::sync::Arc;

use plan::{permission, policy};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::cli::check;
use crate::http::App;
use crate::http::problem::{Code, Problem};
use crate::http::request::{Ask, Reply};
use crate::workspace::Workspace;

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
    let workspace = app.shared.workspace();
    let key = ask.parameter("key").to_owned();
    if workspace.project.destination(&key).is_none() {
        return Err(Problem::not_found("destination", &key));
    }
    checked(workspace, key).await
}

/// Tries the permissions of a destination on a thread of its own.
pub(super) async fn checked(workspace: Arc<Workspace>, key: String) -> Result<Reply, Problem> {
    let handle = tokio::runtime::Handle::current();
    let checked =
        tokio::task::spawn_blocking(move || handle.block_on(check::checked(&workspace, &key)));
    let internal = || Problem::new(Code::Internal, "The destination could not be checked.");
    let (ready, report) = checked.await.map_err(|_| internal())??;
    Reply::json(&Checked { ready, report })
}
