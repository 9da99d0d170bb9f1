//! `segue slots`: what was due, and what became of it.

use ledger::{Ledger, SlotFilter, SlotRecord, SlotState};
use serde_json::{Value, json};

use crate::app::schedule::Waiting;
use crate::cli::{Format, Global, table};
use crate::failure::Failure;
use crate::workspace::Workspace;

/// List slots that a server planned or skipped, the latest first
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only those of this activation
    #[arg(long)]
    activation: Option<String>,
    /// Only those of this segment
    #[arg(long)]
    segment: Option<String>,
    /// Only those in this state: planned, running, blocked, delivered, skipped, failed
    #[arg(long, value_parser = parse_state)]
    state: Option<SlotState>,
    /// At most so many
    #[arg(long, default_value_t = 20)]
    limit: u32,
}

fn parse_state(word: &str) -> Result<SlotState, String> {
    SlotState::parse(word).ok_or_else(|| {
        format!("expected one of {}", SlotState::ALL.map(SlotState::as_str).join(", "))
    })
}

pub(crate) async fn run(global: &Global, args: &Args) -> Result<(), Failure> {
    let workspace = Workspace::load(global).await?;
    let filter = SlotFilter {
        activation: args.activation.clone(),
        segment: args.segment.clone(),
        state: args.state,
        behind: None,
        // One more tells whether there are more.
        limit: Some(args.limit.saturating_add(1)),
    };
    let (slots, waiting) = match Ledger::open_read_only(workspace.ledger_place()).await? {
        Some(ledger) => {
            let slots = super::latest(ledger.slots(&filter).await?, args.limit);
            (slots, Waiting::of(&ledger).await?)
        }
        None => (Vec::new(), Waiting::default()),
    };
    match global.output {
        Format::Text if slots.is_empty() => super::say("No slots yet. `segue serve` plans them."),
        Format::Text => super::answer(&text(&slots, &waiting)),
        Format::Json => {
            super::answer_json(&slots.iter().map(|slot| json(slot, &waiting)).collect())
        }
    }
    Ok(())
}

fn text(slots: &[SlotRecord], waiting: &Waiting) -> String {
    let row = |slot: &SlotRecord| {
        let count = if slot.count == 1 { String::new() } else { table::number(slot.count) };
        vec![
            slot.key.slot.to_string(),
            count,
            slot.key.activation.clone(),
            slot.key.segment.clone(),
            slot.state.to_string(),
            reason(slot, waiting),
        ]
    };
    let headers = ["slot", "slots", "activation", "segment", "state", "reason"];
    table::table(&headers, &[1], slots.iter().map(row).collect())
}

/// Why a slot is where it is.
fn reason(slot: &SlotRecord, waiting: &Waiting) -> String {
    match (&slot.stop, waiting.waits_for(slot)) {
        (Some(stop), _) => stop.message.clone(),
        (None, Some(waits)) => waits.message(),
        (None, None) => String::new(),
    }
}

fn json(slot: &SlotRecord, waiting: &Waiting) -> Value {
    let waits = waiting.waits_for(slot).map(|waits| {
        json!({
            "kind": waits.code(),
            "slot": waits.slot().map(|slot| slot.to_string()),
            "until": waits.until().map(|until| until.to_string()),
            "message": waits.message(),
        })
    });
    json!({
        "activation": slot.key.activation,
        "segment": slot.key.segment,
        "slot": slot.key.slot.to_string(),
        "firstSlot": slot.first_slot.to_string(),
        "count": slot.count,
        "state": slot.state.as_str(),
        "origin": slot.origin.as_str(),
        "stop": slot.stop.as_ref().map(|stop| json!({ "code": stop.code, "message": stop.message })),
        "runId": slot.run_id.map(|id| id.to_string()),
        "attempts": slot.attempts,
        "plannedAt": slot.planned.to_string(),
        "beganAt": slot.began.map(|at| at.to_string()),
        "finishedAt": slot.finished.map(|at| at.to_string()),
        "notBefore": slot.not_before.to_string(),
        "waitsFor": waits,
    })
}
