//! `segue evaluate`: who is in which segment, found out and remembered without sending anything.

use ::plan::Query;
use ::plan::project::Segment;
use engine::{Effects, Evaluated};
use jiff::Timestamp;

use crate::ambient;
use crate::app::evaluations;
use crate::cli::{Format, Global, count, segments};
use crate::failure::{Failure, Kind};
use crate::server::channels;
use crate::sources::Sources;
use crate::workspace::{self, Workspace};

/// Evaluate segments now, and remember who joined and who left
///
/// All of them are evaluated in one scan of the profiles. Runs evaluate what they send by themselves;
/// this is for segments whose history should be finer than their exports, or that are not sent.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Keys of segments (default: all)
    segments: Vec<String>,
    /// The instant of the evaluation, such as 2026-01-04T02:00:00Z (default: now)
    #[arg(long, value_name = "TIME", value_parser = super::parse_slot)]
    slot: Option<Timestamp>,
}

pub(crate) async fn run(global: &Global, args: &Args) -> Result<(), Failure> {
    let workspace = Workspace::load(global).await?;
    let chosen = count::select(&workspace, &args.segments)?;
    let now = super::slot_now();
    let at = args.slot.unwrap_or(now);
    if at > now {
        return Err(Failure::usage(format!("{at} has not come yet"))
            .hint("Memberships are remembered for what has been; give an earlier --slot."));
    }
    // Memberships move beside the ledger; a file is one process's at a time, and so are they.
    let ledger = workspace.open_ledger().await?;
    let (sources, _) = Sources::open(&workspace, global).await?;
    let queries = evaluations::queries(&workspace.project, &chosen, at);
    let asked: Vec<&Query> = queries.iter().collect();
    let effects = Effects { move_until: Some(ambient::now()), keep: false };
    let found = sources.engine.evaluate(&asked, &sources.profiles, effects).await?;
    let good = chosen.iter().zip(&found).filter(|(_, found)| found.is_ok());
    let good: Vec<String> = good.map(|(segment, _)| segment.key.clone()).collect();
    let (project, actor) = (&workspace.project, "command line");
    let (to, now) = (channels::known(&workspace), ambient::now());
    let followed = evaluations::follow(&ledger, project, &good, at, actor, to, now).await?;
    ledger.close().await;
    let reported = report(global, &chosen, found);
    if !followed.is_empty() {
        let exports = workspace::counted(followed.len(), "export");
        super::say(&format!("note: {exports} to follow; `segue run` or a server makes them"));
    }
    reported
}

fn report(
    global: &Global,
    segments: &[&Segment],
    found: Vec<Result<Evaluated, engine::Error>>,
) -> Result<(), Failure> {
    let (mut rows, mut failures) = (Vec::new(), Vec::new());
    for (segment, found) in segments.iter().zip(found) {
        match found {
            Ok(found) => {
                let members = found.members;
                rows.push(segments::Row {
                    segment,
                    members: Some(members),
                    standing: found.standing,
                });
            }
            Err(error) => {
                let context = format!("failed to evaluate segment `{}`", segment.key);
                failures.push(Failure::from(error).context(context));
            }
        }
    }
    if !rows.is_empty() {
        match global.output {
            Format::Text => super::answer(&segments::text(&rows)),
            Format::Json => super::answer_json(&segments::json(&rows)),
        }
    }
    let Some(mut last) = failures.pop() else { return Ok(()) };
    failures.iter().for_each(|failure| super::say(&failure.text()));
    last.is_answered = !rows.is_empty();
    last.kind =
        if failures.iter().any(|other| other.kind != last.kind) { Kind::Run } else { last.kind };
    Err(last)
}
