//! `segue runs`: what was delivered, and what was not.

use jiff::Timestamp;
use ledger::{Ledger, RunFilter, RunState};

use crate::cli::{Format, Global, report};
use crate::failure::Failure;
use crate::workspace::Workspace;

/// List runs, the latest slot first
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only those of this activation
    #[arg(long)]
    activation: Option<String>,
    /// Only those of this segment
    #[arg(long)]
    segment: Option<String>,
    /// Only those in this state: claimed, staging, committing, delivered, skipped, failed, blocked
    #[arg(long, value_parser = parse_state)]
    state: Option<RunState>,
    /// Only those to this destination
    #[arg(long)]
    destination: Option<String>,
    /// Only those for a slot at this time or later, such as 2026-01-31T06:00:00Z
    #[arg(long)]
    since: Option<Timestamp>,
    /// Only those for a slot before this time
    #[arg(long)]
    before: Option<Timestamp>,
    /// At most so many
    #[arg(long, default_value_t = 20)]
    limit: u32,
}

fn parse_state(word: &str) -> Result<RunState, String> {
    RunState::parse(word).ok_or_else(|| {
        let words: Vec<&str> = RunState::ALL.iter().map(|state| state.as_str()).collect();
        format!("expected one of {}", words.join(", "))
    })
}

pub(crate) async fn run(global: &Global, args: &Args) -> Result<(), Failure> {
    let workspace = Workspace::load(global).await?;
    let filter = RunFilter {
        activation: args.activation.clone(),
        segment: args.segment.clone(),
        destination: args.destination.clone(),
        state: args.state,
        since: args.since,
        before: args.before,
        behind: None,
        // One more tells whether there are more.
        limit: Some(args.limit.saturating_add(1)),
    };
    let runs = match Ledger::open_read_only(workspace.ledger_place()).await? {
        Some(ledger) => super::latest(ledger.runs(&filter).await?, args.limit),
        None => Vec::new(),
    };
    match global.output {
        Format::Text if runs.is_empty() => super::say("No runs yet. `segue run` makes the first."),
        Format::Text => {
            super::answer(&report::runs_table(&runs));
            for run in &runs {
                if let Some(stop) = &run.stop {
                    super::answer(&format!("{}: {}", report::short_id(run), stop.message));
                }
            }
        }
        Format::Json => super::answer_json(&runs.iter().map(report::run_json).collect()),
    }
    Ok(())
}
