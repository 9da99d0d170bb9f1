//! Slots: what was due, and what became of it.

use std::sync::Arc;

use ledger::{SlotFilter, SlotKey, SlotRecord, SlotState};
use schemars::JsonSchema;
use serde::Serialize;

use super::runs::Stop;
use super::{LIMIT_DEFAULT, bad_cursor, cursor, parse_cursor};
use crate::app::schedule::{Waiting, Waits};
use crate::http::App;
use crate::http::problem::Problem;
use crate::http::request::{Ask, Reply};

/// A slot, or many that were skipped together.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Slot {
    activation: String,
    segment: String,
    destination: String,
    /// The time; the last of many
    slot: String,
    /// The first of many; otherwise the same
    first_slot: String,
    /// How many slots this stands for
    count: u64,
    /// planned, running, blocked, delivered, skipped or failed
    state: String,
    /// schedule, request or recovery
    origin: String,
    /// Who asked for it
    requested_by: Option<String>,
    /// Why it is skipped, failed or blocked, or why the last attempt did not do
    stop: Option<Stop>,
    run_id: Option<String>,
    planned_at: String,
    began_at: Option<String>,
    finished_at: Option<String>,
    /// It is not begun before this time
    not_before: String,
    /// What it waits for, in lists
    waits_for: Option<WaitsFor>,
    /// Attempts that did not do
    attempts: u32,
}

/// What a slot waits for.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WaitsFor {
    /// slot (an earlier one of the same segment), decision (of a person), time (of the next attempt), turn
    /// (as many runs go on as may), pause (the activation is disabled) or evaluation
    kind: String,
    /// The earlier slot
    slot: Option<String>,
    /// The time
    until: Option<String>,
    message: String,
}

impl WaitsFor {
    pub(super) fn of(waits: Waits) -> Self {
        Self {
            kind: waits.code().to_owned(),
            slot: waits.slot().map(|slot| slot.to_string()),
            until: waits.until().map(|until| until.to_string()),
            message: waits.message(),
        }
    }
}

/// Slots.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Slots {
    items: Vec<Slot>,
    /// The cursor of the next page, if there is one
    next: Option<String>,
}

impl Slots {
    pub(super) fn of(records: &[SlotRecord]) -> Self {
        Self { items: records.iter().map(Slot::of).collect(), next: None }
    }
}

impl Slot {
    pub(super) fn of(record: &SlotRecord) -> Self {
        let text = |time: &jiff::Timestamp| time.to_string();
        Self {
            activation: record.key.activation.clone(),
            segment: record.key.segment.clone(),
            destination: record.destination.clone(),
            slot: text(&record.key.slot),
            first_slot: text(&record.first_slot),
            count: record.count,
            state: record.state.to_string(),
            origin: record.origin.as_str().to_owned(),
            requested_by: record.actor.clone(),
            stop: record.stop.as_ref().map(Stop::of),
            run_id: record.run_id.map(|id| id.to_string()),
            planned_at: text(&record.planned),
            began_at: record.began.as_ref().map(text),
            finished_at: record.finished.as_ref().map(text),
            not_before: text(&record.not_before),
            waits_for: None,
            attempts: record.attempts,
        }
    }
}

pub(crate) async fn list(app: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    let limit = ask.number("limit", 1, 1_000)?.unwrap_or(LIMIT_DEFAULT);
    let behind = ask.query("cursor").map(key_of).transpose()?;
    let filter = SlotFilter {
        activation: ask.query("activation").map(str::to_owned),
        segment: ask.query("segment").map(str::to_owned),
        state: ask.query("state").and_then(SlotState::parse),
        behind,
        limit: Some(limit + 1),
    };
    let mut records = app.shared.ledger.slots(&filter).await?;
    let is_more = records.len() > usize::try_from(limit).unwrap_or(usize::MAX);
    records.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let next = records
        .last()
        .filter(|_| is_more)
        .map(|last| cursor(&[&last.key.slot.to_string(), &last.key.activation, &last.key.segment]));
    let mut slots = Slots::of(&records);
    if records.iter().any(|record| !record.state.is_over()) {
        let waiting = Waiting::of(&app.shared.ledger).await?;
        for (slot, record) in slots.items.iter_mut().zip(&records) {
            slot.waits_for = waiting.waits_for(record).map(WaitsFor::of);
        }
    }
    Reply::json(&Slots { next, ..slots })
}

fn key_of(text: &str) -> Result<SlotKey, Problem> {
    let [slot, activation, segment] = parse_cursor(text)?;
    let slot = slot.parse().map_err(|_| bad_cursor())?;
    Ok(SlotKey { activation, segment, slot })
}
