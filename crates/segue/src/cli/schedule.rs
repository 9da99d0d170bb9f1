//! `segue schedule next`: when segments are due, on the clocks of their zones and in UTC.

use jiff::Zoned;

use crate::ambient;
use crate::app::schedule::{self, Upcoming, UpcomingSlot, Waits};
use crate::cli::{Format, Global, table};
use crate::failure::Failure;
use crate::workspace::Workspace;

/// Look at schedules
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Next(NextArgs),
}

/// Show the next slots, in local time and in UTC
///
/// Nothing is read but the project. A slot before which the clocks of its zone change is marked.
#[derive(Debug, clap::Args)]
struct NextArgs {
    /// Only this activation
    activation: Option<String>,
    /// How many slots of each segment
    #[arg(long, value_name = "N", default_value_t = 5)]
    count: usize,
}

pub(crate) async fn run(global: &Global, args: &Args) -> Result<(), Failure> {
    let Command::Next(args) = &args.command;
    let workspace = Workspace::load(global).await?;
    let upcoming = schedule::upcoming(
        &workspace.project,
        args.activation.as_deref(),
        args.count,
        ambient::now(),
    )?;
    match global.output {
        Format::Text => super::answer(&text(&upcoming)),
        Format::Json => super::answer_json(&upcoming.iter().map(json).collect()),
    }
    Ok(())
}

fn text(upcoming: &[Upcoming<'_>]) -> String {
    let mut rows = Vec::new();
    let mut silent = Vec::new();
    for it in upcoming {
        if it.slots.is_empty() {
            let why = match (waits(it), &it.export.schedule) {
                (Some(waits), _) => waits.message(),
                (None, Some(_)) => "not due any more".to_owned(),
                (None, None) => "no schedule: runs when it is named".to_owned(),
            };
            silent.push(format!("{}/{}: {why}", it.activation.key, it.export.segment));
        }
        for slot in &it.slots {
            rows.push(vec![
                it.activation.key.clone(),
                it.export.segment.clone(),
                local(&slot.local),
                slot.slot.to_string(),
                note(slot).to_owned(),
            ]);
        }
    }
    let mut parts = Vec::new();
    if !rows.is_empty() {
        parts.push(table::table(&["activation", "segment", "local time", "UTC", ""], &[], rows));
    }
    if !silent.is_empty() {
        parts.push(silent.join("\n"));
    }
    parts.join("\n\n")
}

/// What an export waits for that has no time at which it is due. Whether somebody has disabled its
/// activation is known to the ledger, which is not asked.
fn waits(it: &Upcoming<'_>) -> Option<Waits> {
    schedule::waits_without_slot(it.export.schedule.as_ref(), true, ambient::now())
}

/// `Sun 2026-03-29 03:00 +02:00 Europe/Paris`.
fn local(time: &Zoned) -> String {
    let zone = time.time_zone().iana_name().unwrap_or("UTC");
    format!("{} {zone}", time.strftime("%a %Y-%m-%d %H:%M %:z"))
}

fn note(slot: &UpcomingSlot) -> &'static str {
    if slot.clocks_changed { "clocks change before" } else { "" }
}

pub(crate) fn json(it: &Upcoming<'_>) -> serde_json::Value {
    let slots: Vec<serde_json::Value> = it
        .slots
        .iter()
        .map(|slot| {
            serde_json::json!({
                "slot": slot.slot.to_string(),
                "local": slot.local.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string(),
                "zone": slot.local.time_zone().iana_name(),
                "clocksChanged": slot.clocks_changed,
            })
        })
        .collect();
    serde_json::json!({
        "activation": it.activation.key,
        "segment": it.export.segment,
        "isScheduled": it.export.schedule.is_some(),
        "waitsFor": waits(it).map(|it| serde_json::json!({ "kind": it.code(), "message": it.message() })),
        "slots": slots,
    })
}
