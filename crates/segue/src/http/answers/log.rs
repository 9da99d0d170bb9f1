//! The audit log.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;

use super::{LIMIT_DEFAULT, cursor_behind, number_behind};
use crate::http::App;
use crate::http::problem::Problem;
use crate::http::request::{Ask, Reply};

/// Who did what.
#[derive(Serialize, JsonSchema)]
struct Entry {
    number: u64,
    at: String,
    actor: String,
    address: String,
    action: String,
    object: String,
    /// An HTTP status, or the code of a problem
    outcome: String,
    /// The digest of the entry before
    previous: String,
    digest: String,
}

/// The log.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Audit {
    items: Vec<Entry>,
    /// The cursor of the next page, if there is one
    next: Option<String>,
}

/// What a look at the whole log found.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Check {
    is_whole: bool,
    /// The number of the last entry that fits
    entries: u64,
    /// The first that does not fit
    broken_at: Option<u64>,
    /// The digest of the last entry that fits. Kept elsewhere, that of the newest one shows later that
    /// nothing was cut off
    newest: Option<String>,
}

pub(crate) async fn list(app: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    let limit = ask.number("limit", 1, 1_000)?.unwrap_or(LIMIT_DEFAULT);
    let before = number_behind(&ask)?;
    let entries = app.shared.ledger.audit_log(before, limit).await?;
    let next = cursor_behind(entries.last().map(|entry| entry.number), entries.len(), limit);
    let items = entries.into_iter().map(|entry| Entry {
        number: entry.number,
        at: entry.at.to_string(),
        actor: entry.act.actor,
        address: entry.act.address,
        action: entry.act.action,
        object: entry.act.object,
        outcome: entry.act.outcome,
        previous: entry.previous,
        digest: entry.digest,
    });
    Reply::json(&Audit { items: items.collect(), next })
}

pub(crate) async fn check(app: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    let first = ask.number("first", 1, u32::MAX)?.unwrap_or(1).into();
    let last = ask.number("last", 1, u32::MAX)?.map_or(u64::MAX, u64::from);
    let chain = app.shared.ledger.check_audit_part(first, last).await?;
    Reply::json(&Check {
        is_whole: chain.broken_at.is_none(),
        entries: chain.entries,
        broken_at: chain.broken_at,
        newest: chain.newest,
    })
}
