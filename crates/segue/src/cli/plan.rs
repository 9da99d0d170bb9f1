//! `segue plan`: what `run` would do.

use std::path::PathBuf;

use ::plan::RunPlan;
use delivery::s3::probe::Grade;
use engine::Baselines;
use ledger::{Ledger, RunState};

use crate::ambient;
use crate::capabilities;
use crate::cli::apply::{self, How};
use crate::cli::{Format, Global, Runs, report, table};
use crate::encryption;
use crate::failure::Failure;
use crate::run;
use crate::select;
use crate::sources::Sources;
use crate::stores;
use crate::workspace::Workspace;

/// Show what `run` would do: which objects, how many rows, what would be replaced
///
/// It reads the profiles to count exactly, and changes nothing, not even Segue's own records.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    runs: Runs,
    /// Instead, show what `segue apply` of this file would change
    #[arg(long, value_name = "FILE", conflicts_with_all = ["activations", "segments", "slot"])]
    apply: Option<PathBuf>,
    #[command(flatten)]
    how: How,
}

/// What one run would do.
struct Preview {
    plan: RunPlan,
    counts: engine::Counts,
    /// Why it would not run, or what it would replace.
    note: Option<String>,
    /// What the destination's service is known to do.
    grade: Option<Grade>,
    /// What the keys stand behind: `s3://bucket/`, or a folder.
    place: String,
}

pub(crate) async fn run(global: &Global, args: &Args) -> Result<(), Failure> {
    if let Some(file) = &args.apply {
        return apply::apply(global, file, &args.how, true).await;
    }
    let workspace = Workspace::load(global).await?;
    let request = args.runs.request();
    let plans = select::runs(&workspace.project, &request, super::slot_now())?;
    let keys = encryption::check(&workspace.project, ambient::now());
    let (sources, _) = Sources::open_with(&workspace, global, keys).await?;
    let ledger = Ledger::open_read_only(workspace.ledger_place()).await?;
    let mut previews = Vec::new();
    for plan in plans {
        let grade = capabilities::grade(&workspace, &plan.destination);
        previews.push(preview(&workspace, &sources, ledger.as_ref(), plan, grade).await?);
    }
    match global.output {
        Format::Text if previews.is_empty() => {
            super::say("Nothing is due. Name an activation to see what it would do now.");
        }
        Format::Text => super::answer(&text(&previews)),
        Format::Json => super::answer_json(&previews.iter().map(json).collect()),
    }
    Ok(())
}

async fn preview(
    workspace: &Workspace,
    sources: &Sources,
    ledger: Option<&Ledger>,
    plan: RunPlan,
    grade: Option<Grade>,
) -> Result<Preview, Failure> {
    let counts = counts(workspace, sources, ledger, &plan).await?;
    let note = note(ledger, &plan, &counts).await?;
    let destination = workspace.project.destination(&plan.destination);
    let place = destination.map(|it| it.address("")).unwrap_or_default();
    Ok(Preview { plan, counts, note, grade, place })
}

/// Exact counts; of an increment those of the difference, without leaving a trace.
async fn counts(
    workspace: &Workspace,
    sources: &Sources,
    ledger: Option<&Ledger>,
    plan: &RunPlan,
) -> Result<engine::Counts, Failure> {
    let Some(increment) = &plan.increment else {
        // Which of several profiles with one key is sent makes no difference to the counts.
        return Ok(sources.engine.count(&plan.query, &sources.profiles).await?);
    };
    let store = stores::identity(workspace, &plan.destination);
    let (delivered, committed) = match (ledger, store) {
        (Some(ledger), Some(store)) => {
            ledger.newest_to(&plan.activation, &plan.segment, &store).await?
        }
        _ => (None, None),
    };
    run::check_order(plan, delivered.as_ref(), committed.as_ref())?;
    run::look(&plan.query, &sources.engine, &sources.profiles).await?;
    let folder = workspace.baselines_folder();
    let last = delivered.map(|run| run::baseline_of(&folder, &run));
    let baselines = Baselines { last: last.as_deref(), next: None };
    let rows =
        sources.engine.difference(&plan.query, increment, baselines, &sources.profiles).await?;
    Ok(rows.tally().counts())
}

async fn note(
    ledger: Option<&Ledger>,
    plan: &RunPlan,
    counts: &engine::Counts,
) -> Result<Option<String>, Failure> {
    let Some(ledger) = ledger else { return Ok(None) };
    let last = ledger.last_delivered(&plan.activation, &plan.segment).await?;
    let size = ::plan::guard::Size {
        rows: counts.movement.map_or(counts.activated, |movement| movement.members),
        received: counts.received,
        excluded: counts.left_out.iter().chain(&counts.excluded).map(|(_, count)| count).sum(),
    };
    if let Some(violation) = plan.guard.violation(size, last.as_ref().map(|last| last.rows)) {
        return Ok(Some(format!("the guard would stop it: {violation}")));
    }
    if let Some(known) = ledger.run(plan.run_id).await? {
        if known.run.is_held() {
            let note = match known.hold.is_some_and(|hold| hold.is_released()) {
                true => "released; would go on",
                false => "held by the guard; `segue release` or `segue reject` decides",
            };
            return Ok(Some(note.to_owned()));
        }
        match known.run.state {
            RunState::Delivered | RunState::Skipped => {
                return Ok(Some("done already; nothing would happen".to_owned()));
            }
            RunState::Committing | RunState::Blocked => {
                return Ok(Some("would go on where it stopped".to_owned()));
            }
            RunState::Claimed | RunState::Staging | RunState::Failed => {}
        }
    }
    match last {
        Some(last) if plan.output.is_static => {
            Ok(Some(format!("replaces the files of {}", last.slot)))
        }
        _ => Ok(None),
    }
}

/// The least number of files; a limit in bytes may make more.
fn files(preview: &Preview) -> u64 {
    preview.counts.activated.div_ceil(preview.plan.output.file.rows_per_file).max(1)
}

fn keys(preview: &Preview) -> Vec<String> {
    let output = &preview.plan.output;
    let shown = files(preview).min(3);
    let mut keys: Vec<String> = (1..=shown)
        .filter_map(|number| u32::try_from(number).ok())
        .map(|number| output.key(number))
        .collect();
    if files(preview) > shown {
        keys.push(format!("… {} files in all", files(preview)));
    }
    keys.extend(output.manifest_key.clone());
    keys
}

fn text(previews: &[Preview]) -> String {
    let mut lines = Vec::new();
    for preview in previews {
        let (plan, counts) = (&preview.plan, &preview.counts);
        lines.push(format!("{}/{} for {}", plan.activation, plan.segment, plan.slot));
        lines.push(format!(
            "  {} {}, {} rows to send",
            table::number(counts.received - counts.movement.map_or(0, |movement| movement.removed)),
            // A member has a row for each identity where such a column is mapped.
            match plan.query.identity_namespace() {
                None => "members".to_owned(),
                Some(namespace) => format!("identities ({namespace}) of members"),
            },
            table::number(counts.activated)
        ));
        if let Some(movement) = &counts.movement {
            let movement = ledger::Movement {
                members: movement.members,
                added: movement.added,
                changed: movement.changed,
                removed: movement.removed,
                compared_with: None,
            };
            let since = if counts.movement.is_some_and(|it| it.baseline) {
                ""
            } else {
                " (a first, full file)"
            };
            lines.push(format!("  {}{since}", report::movement(&movement)));
        }
        let excluded = counts.left_out.iter().chain(&counts.excluded);
        for (reason, profiles) in excluded.filter(|(_, profiles)| *profiles > 0) {
            lines.push(format!("  {}", report::exclusion(*profiles, reason)));
        }
        for key in keys(preview) {
            lines.push(format!("  → {}", preview.place.clone() + &key));
        }
        lines.push(format!("  {}", capabilities::said(preview.grade, &plan.destination)));
        if let Some(note) = &preview.note {
            lines.push(format!("  {note}"));
        }
        lines.push(String::new());
    }
    lines.push("Nothing was changed. `segue run` with the same names does it.".to_owned());
    lines.join("\n")
}

fn json(preview: &Preview) -> serde_json::Value {
    let plan = &preview.plan;
    serde_json::json!({
        "runId": plan.run_id.to_string(),
        "activation": plan.activation,
        "segment": plan.segment,
        "slot": plan.slot.to_string(),
        "bucket": plan.output.bucket,
        "keys": keys(preview),
        "received": preview.counts.received,
        "activated": preview.counts.activated,
        "excluded": preview.counts.left_out.iter().chain(&preview.counts.excluded).map(|(reason, profiles)| serde_json::json!({ "reason": reason, "profiles": profiles })).collect::<Vec<_>>(),
        "movement": preview.counts.movement.map(|movement| serde_json::json!({
            "members": movement.members,
            "added": movement.added,
            "changed": movement.changed,
            "removed": movement.removed,
            "isFirst": !movement.baseline,
        })),
        "grade": preview.grade.map(|grade| format!("{grade:?}")),
        "note": preview.note,
    })
}
