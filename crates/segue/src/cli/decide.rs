//! `segue release` and `segue reject`: what becomes of a run that a guard stopped.

use http::Method;
use ledger::{Decision, Hold, RunDetail, RunState};
use serde_json::json;

use crate::ambient;
use crate::app::decide::{self, REASON_CHARS_MAX};
use crate::cli::apply::Server;
use crate::cli::{Format, Global, report, show};
use crate::failure::Failure;
use crate::server::channels;
use crate::workspace::Workspace;

/// Let a run go on that waits for a person
///
/// One that a guard stopped is made anew by the next `segue run` for its slot, or by the server at once;
/// the guard lets through what is no further from its bounds than what was released. One that is
/// committed, and whose object somebody else replaced or removed, takes the place of what is there now.
/// An increment, or a run with a static name, is skipped if a later slot was delivered meanwhile: it
/// would bring back what is older.
#[derive(Debug, clap::Args)]
pub(crate) struct ReleaseArgs {
    /// The run's id, or the beginning of it
    run: String,
    #[command(flatten)]
    server: Server,
}

/// End a run that waits for a person, if nothing of it is visible; nothing of it becomes so
#[derive(Debug, clap::Args)]
pub(crate) struct RejectArgs {
    /// The run's id, or the beginning of it
    run: String,
    /// Why, for those who ask later
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    server: Server,
}

pub(crate) async fn release(global: &Global, args: &ReleaseArgs) -> Result<(), Failure> {
    decided(global, &args.run, &args.server, Decision::Released, None).await
}

pub(crate) async fn reject(global: &Global, args: &RejectArgs) -> Result<(), Failure> {
    let reason = args.reason.trim();
    if reason.is_empty() || reason.chars().count() > REASON_CHARS_MAX {
        return Err(Failure::usage(format!("a reason has 1 to {REASON_CHARS_MAX} characters"))
            .hint("Say in `--reason` in a sentence why the run is not to be sent."));
    }
    decided(global, &args.run, &args.server, Decision::Rejected, Some(reason)).await
}

async fn decided(
    global: &Global,
    run: &str,
    server: &Server,
    decision: Decision,
    reason: Option<&str>,
) -> Result<(), Failure> {
    if let Some(remote) = server.remote()? {
        let word = match decision {
            Decision::Released => "release",
            Decision::Rejected => "reject",
        };
        let path = format!("/api/v1/runs/{run}/{word}");
        let body = reason.map(|reason| json!({ "reason": reason }));
        let answer = remote.ask(Method::POST, &path, None, body.as_ref()).await?;
        let became = match answer["state"].as_str() {
            Some("skipped") => "skipped: a later slot was delivered meanwhile",
            _ => decision.as_str(),
        };
        match global.output {
            Format::Text => super::answer(&format!("Run {run} is {became}.")),
            Format::Json => super::answer_json(&answer),
        }
        return Ok(());
    }
    let workspace = Workspace::load(global).await?;
    let run_id = show::find(&workspace, run).await?.run.run_id;
    let ledger = workspace.open_ledger().await?;
    let now = ambient::now();
    let actor = "command line";
    let to = channels::known(&workspace);
    let asked = decide::Asked { decision, actor, reason, to };
    let decided = decide::decide(&workspace, &ledger, run_id, asked, now);
    let detail = decided.await?;
    ledger.close().await;
    match global.output {
        Format::Text => super::answer(&text(&detail, decision)),
        Format::Json => super::answer_json(&report::detail_json(&detail)),
    }
    Ok(())
}

fn text(detail: &RunDetail, decision: Decision) -> String {
    let run = &detail.run;
    match decision {
        Decision::Released if run.state == RunState::Skipped => format!(
            "Run {} is not released but skipped: {}.",
            run.run_id,
            run.stop.as_ref().map_or("a later slot was delivered", |stop| stop.message.as_str())
        ),
        Decision::Released => format!(
            "Run {} is released. `segue run {} --segment {} --slot {}` makes it.",
            run.run_id, run.activation, run.segment, run.slot
        ),
        Decision::Rejected => format!("Run {} is rejected; nothing of it is visible.", run.run_id),
    }
}

/// What is known of a hold, in a line.
pub(crate) fn said(hold: &Hold) -> String {
    let actor = hold.actor.as_deref().unwrap_or_default();
    match (hold.decision, &hold.reason) {
        (None, _) => {
            format!("stopped it at {} ({}), nobody has decided", hold.held, hold.cause.as_str())
        }
        (Some(decision), None) => {
            format!("{}, {} by {actor}", hold.cause.as_str(), decision.as_str())
        }
        (Some(decision), Some(reason)) => {
            format!("{}, {} by {actor}: {reason}", hold.cause.as_str(), decision.as_str())
        }
    }
}
