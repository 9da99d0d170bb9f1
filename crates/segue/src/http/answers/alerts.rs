//! Alerts: what happened that somebody should know.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;

use super::{LIMIT_DEFAULT, cursor_behind, number_behind};
use crate::http::App;
use crate::http::problem::Problem;
use crate::http::request::{Ask, Reply};

/// An alert.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Alert {
    /// By which a receiver tells a repeated one
    id: String,
    at: String,
    /// started, delivered, skipped, failed, blocked, collapsed, exploded, late, missing or exclusion_rate
    kind: String,
    activation: String,
    segment: String,
    slot: String,
    run_id: Option<String>,
    code: Option<String>,
    message: String,
    /// Attempts to send it
    attempts: u32,
    next_attempt_at: Option<String>,
    sent_at: Option<String>,
}

/// Alerts.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Alerts {
    items: Vec<Alert>,
    /// The cursor of the next page, if there is one
    next: Option<String>,
}

pub(crate) async fn list(app: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    let limit = ask.number("limit", 1, 1_000)?.unwrap_or(LIMIT_DEFAULT);
    let before = number_behind(&ask)?;
    let found = app.shared.ledger.alerts(before, limit).await?;
    let next = cursor_behind(found.last().map(|alert| alert.number), found.len(), limit);
    let items = found.into_iter().map(|alert| Alert {
        id: alert.id.to_string(),
        at: alert.at.to_string(),
        kind: alert.kind,
        activation: alert.key.activation,
        segment: alert.key.segment,
        slot: alert.key.slot.to_string(),
        run_id: alert.run_id.map(|id| id.to_string()),
        code: alert.code,
        message: alert.message,
        attempts: alert.attempts,
        next_attempt_at: alert.next_attempt.map(|at| at.to_string()),
        sent_at: alert.sent.map(|at| at.to_string()),
    });
    Reply::json(&Alerts { items: items.collect(), next })
}
