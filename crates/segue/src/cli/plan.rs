//! `segue plan`: what `run` would do.

use std::path::PathBuf;

use ::plan::RunPlan;
use ::plan::guard::{Size, is_of_members};
use delivery::Store as _;
use delivery::s3::Pace;
use delivery::s3::probe::Grade;
use engine::Baselines;
use ledger::{Ledger, RunState};

use crate::ambient;
use crate::capabilities;
use crate::cli::apply::{self, How};
use crate::cli::{Format, Global, Runs, report, table};
use crate::encryption;
use crate::failure::Failure;
use crate::outbox;
use crate::run;
use crate::select;
use crate::sources::Sources;
use crate::stores;
use crate::traceless::Traceless;
use crate::workspace::Workspace;

/// Show what `run` would do: which objects, how many rows, what would be replaced
///
/// It reads the profiles to count exactly, looks whether anything in the bucket is in the way, and
/// changes nothing, not even Segue's own records.
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

/// The most objects of a run that are looked for in the bucket.
const OBJECTS_LOOKED_FOR_MAX: u32 = 16;

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
    /// What is in the bucket, for a run that is still to be done.
    bucket: Option<Bucket>,
}

/// What a look at the bucket showed.
enum Bucket {
    /// The run could write everything that it has to.
    Free,
    /// Objects that it may not replace, and why not.
    InTheWay(Vec<(String, &'static str)>),
    /// It could not be looked at.
    Unseen(Failure),
}

pub(crate) async fn run(global: &Global, args: &Args) -> Result<(), Failure> {
    if let Some(file) = &args.apply {
        return apply::apply(global, file, &args.how, true).await;
    }
    let mut workspace = Workspace::load(global).await?;
    workspace.leaves_nothing = true;
    let _traceless = Traceless::begin(workspace.state_folder());
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
    let mut preview = Preview { plan, counts, note, grade, place, bucket: None };
    if !is_over(ledger, &preview.plan).await? {
        preview.bucket = Some(match look(workspace, ledger, &preview).await {
            Ok(seen) => seen,
            Err(failure) => Bucket::Unseen(failure),
        });
    }
    Ok(preview)
}

async fn is_over(ledger: Option<&Ledger>, plan: &RunPlan) -> Result<bool, Failure> {
    let Some(ledger) = ledger else { return Ok(false) };
    let known = ledger.run(plan.run_id).await?;
    Ok(known.is_some_and(|it| matches!(it.run.state, RunState::Delivered | RunState::Skipped)))
}

/// Looks whether anything is in the bucket that the run would stop at, without writing there.
async fn look(
    workspace: &Workspace,
    ledger: Option<&Ledger>,
    preview: &Preview,
) -> Result<Bucket, Failure> {
    let output = &preview.plan.output;
    let last = u32::try_from(files(preview)).unwrap_or(u32::MAX).min(OBJECTS_LOOKED_FOR_MAX);
    let keys = (1..=last).map(|number| output.key(number)).chain(output.manifest_key.clone());
    let mut in_the_way = Vec::new();
    if let Some(folder) = outbox::folder_of(workspace, &preview.plan.destination)? {
        // To open it would make it. Which file of a name of its own is ours, only the run tells.
        let stop = keys.filter(|key| !output.is_static && folder.join(key).exists());
        in_the_way.extend(stop.map(|key| (key, run::why_in_the_way(false))));
        return Ok(if in_the_way.is_empty() { Bucket::Free } else { Bucket::InTheWay(in_the_way) });
    }
    let (store, _) = stores::bucket(workspace, &preview.plan.destination, Pace::Check).await?;
    for key in keys {
        let Some(there) = store.head(&key).await? else { continue };
        let ours = match ledger.filter(|_| output.is_static) {
            Some(ledger) => ledger.current_object(&store.identity(), &key).await?,
            None => None,
        };
        if ours.as_ref().is_none_or(|ours| ours.etag != there.etag) {
            in_the_way.push((key, run::why_in_the_way(ours.is_some())));
        }
    }
    Ok(if in_the_way.is_empty() { Bucket::Free } else { Bucket::InTheWay(in_the_way) })
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
    let of_members = counts.excluded.iter().filter(|(reason, _)| is_of_members(reason));
    let size = Size {
        rows: counts.movement.map_or(counts.activated, |movement| movement.members),
        received: counts.received,
        excluded: of_members.map(|(_, count)| count).sum(),
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
        keys.push(format!("… {} files in all", table::number(files(preview))));
    }
    keys.extend(output.manifest_key.clone());
    keys
}

fn text(previews: &[Preview]) -> String {
    let mut lines = Vec::new();
    for preview in previews {
        let (plan, counts) = (&preview.plan, &preview.counts);
        lines.push(format!("{}/{} for {}", plan.activation, plan.segment, plan.slot));
        let members = counts.received - counts.movement.map_or(0, |movement| movement.removed);
        // A member has a row for each identity where such a column is mapped.
        let members = match plan.query.identity_namespace() {
            None => table::counted(members, "member"),
            Some(namespace) => {
                format!("{} identities ({namespace}) of members", table::number(members))
            }
        };
        lines.push(format!("  {members}, {} to send", table::counted(counts.activated, "row")));
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
        lines.extend(preview.bucket.iter().flat_map(seen));
        if let Some(note) = &preview.note {
            lines.push(format!("  {note}"));
        }
        lines.push(String::new());
    }
    lines.push("Nothing was changed. `segue run` with the same names does it.".to_owned());
    lines.join("\n")
}

/// What the bucket showed, in words.
fn seen(bucket: &Bucket) -> Vec<String> {
    match bucket {
        Bucket::Free => vec!["  nothing is in the way there".to_owned()],
        Bucket::InTheWay(objects) => objects
            .iter()
            .map(|(key, why)| format!("  would stop: {key} cannot be written: {why}"))
            .collect(),
        Bucket::Unseen(failure) => {
            let hint = failure.hints.first().map(|hint| format!("\n    {hint}"));
            let why = failure.one_line();
            vec![format!("  the bucket was not looked at: {why}{}", hint.unwrap_or_default())]
        }
    }
}

fn json(preview: &Preview) -> serde_json::Value {
    let plan = &preview.plan;
    let in_the_way = match &preview.bucket {
        Some(Bucket::InTheWay(objects)) => {
            objects.iter().map(|(key, why)| serde_json::json!({ "key": key, "why": why })).collect()
        }
        _ => Vec::new(),
    };
    let unseen = match &preview.bucket {
        Some(Bucket::Unseen(failure)) => Some(failure.one_line()),
        _ => None,
    };
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
        "inTheWay": in_the_way,
        "bucketUnseen": unseen,
    })
}
