//! `segue serve`: the schedule kept, unattended.

use ::plan::planner::turn::Limits;

use crate::cli::Global;
use crate::failure::Failure;
use crate::server::{self, Beacon, Options};

/// Keep the schedule: run every segment when it is due, until told to stop
///
/// Every slot ends as delivered, skipped or failed, with a reason; `segue slots` lists them. Runs that
/// an earlier process left go on first. Ctrl-C or SIGTERM ends it within a minute: runs that are
/// committed are finished, others are rolled back and begin again with the next start.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How many runs may go on at once; they share --memory
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=64))]
    runs: u16,
    /// How many of them may go to one destination
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=64))]
    runs_per_destination: u16,
}

pub(crate) async fn run(global: &Global, args: &Args) -> Result<(), Failure> {
    let limits = Limits {
        runs: usize::from(args.runs),
        per_destination: usize::from(args.runs_per_destination),
    };
    let shared = server::open(global, Options { limits }).await?;
    let beacon = Beacon::light(&shared.workspace(), "");
    super::say("Serving. Ctrl-C ends it.");
    server::work(&shared).await;
    drop(beacon);
    shared.ledger.clone().close().await;
    Ok(())
}
