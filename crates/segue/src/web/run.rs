//! What the list of runs and the page of one run show.

use jiff::Timestamp;
use ledger::{FileRecord, RunDetail, RunFilter, RunRecord, RunState};
use plan::project::Export;
use plan::protocol::Verification;
use plan::run_plan::Output;
use plan::staged::ObjectKind;
use ui::component::Tone;
use ui::page::run::{self, File, Input, May, Movement, People, Run, Step, StepKind, Stop};
use ui::page::runs::{Choices, Filter, Lane, Mark, Runs, TIMELINE};

use super::{Look, status};
use crate::failure::Failure;

/// How many lanes the timeline has.
const LANES_MAX: usize = 12;
/// How many marks a lane has.
const MARKS_MAX: u32 = 200;

/// Fills the list.
pub(super) async fn runs(look: &Look<'_>) -> Result<Runs, Failure> {
    let newest = RunFilter { limit: Some(look.limit), ..RunFilter::default() };
    let found = look.ledger.runs(&newest).await?;
    Ok(Runs {
        lanes: lanes(look).await?,
        choices: Choices::default(),
        filter: Filter::default(),
        runs: found.iter().map(|run| look.line(run)).collect(),
        older: None,
        is_later_page: false,
    })
}

async fn lanes(look: &Look<'_>) -> Result<Vec<Lane>, Failure> {
    let since = look.now.saturating_sub(TIMELINE).unwrap_or(look.now);
    let mut lanes = Vec::new();
    let exports =
        look.project().activations.iter().flat_map(|activation| {
            activation.segments.iter().map(move |export| (activation, export))
        });
    for (activation, export) in exports.take(LANES_MAX) {
        let filter = RunFilter {
            activation: Some(activation.key.clone()),
            segment: Some(export.segment.clone()),
            limit: Some(MARKS_MAX),
            ..RunFilter::default()
        };
        let found = look.ledger.runs(&filter).await?;
        let mark = |run: &RunRecord| Mark {
            run: run.run_id.to_string(),
            slot: run.slot,
            status: status(run.state),
        };
        lanes.push(Lane {
            segment: look.segment(&export.segment).name,
            activation: activation.key.clone(),
            runs: found
                .iter()
                .filter(|run| run.slot >= since && run.slot <= look.now)
                .map(mark)
                .collect(),
        });
    }
    Ok(lanes)
}

/// Fills the page of one run, if there is such a run.
pub(super) async fn run(look: &Look<'_>, id: &str) -> Result<Option<Run>, Failure> {
    let Ok(id) = id.parse::<uuid::Uuid>() else { return Ok(None) };
    let Some(detail) = look.ledger.run(id).await? else { return Ok(None) };
    let run = &detail.run;
    Ok(Some(Run {
        id: run.run_id.to_string(),
        segment: look.segment(&run.segment),
        activation: run.activation.clone(),
        destination: look.destination(&run.destination),
        slot: run.slot,
        status: status(run.state),
        stop: run
            .stop
            .as_ref()
            .map(|stop| Stop { code: stop.code.clone(), message: stop.message.clone() }),
        // Files do not move; the steps say how far it was.
        live: None,
        steps: steps(run),
        people: people(&detail),
        movement: run.movement.map(|movement| Movement {
            added: movement.added,
            changed: movement.changed,
            removed: movement.removed,
        }),
        files: detail.files.iter().map(|file| self::file(run, file)).collect(),
        inputs: detail
            .inputs
            .iter()
            .map(|input| Input {
                location: input.location.clone(),
                bytes: input.bytes,
                version: input.version.clone(),
            })
            .collect(),
        export: export(run.export),
        attempts: u64::from(run.epoch),
        may: May::default(),
    }))
}

fn people(detail: &RunDetail) -> Option<People> {
    let (received, activated) = (detail.run.received?, detail.run.activated?);
    let excluded = detail
        .excluded
        .iter()
        .map(|excluded| (excluded.reason.clone(), excluded.profiles))
        .collect();
    Some(People { received, excluded, activated })
}

fn file(run: &RunRecord, file: &FileRecord) -> File {
    let address = match run.bucket.as_str() {
        "" => file.key.clone(),
        bucket => format!("s3://{bucket}/{}", file.key),
    };
    File {
        is_manifest: file.kind == ObjectKind::Manifest,
        name: Output::name_of(&file.key).to_owned(),
        address,
        rows: file.rows,
        bytes: file.bytes,
        sha256: file.sha256.clone(),
        is_visible: file.published.is_some(),
        is_verified: file.verification == Some(Verification::Checked),
    }
}

pub(super) fn export(export: Export) -> run::Export {
    match export {
        Export::Full => run::Export::Full,
        Export::Incremental => run::Export::Incremental,
        Export::Changes => run::Export::Changes,
    }
}

/// The steps of a run: which are done, which is under way or went wrong, and which are to come.
fn steps(run: &RunRecord) -> Vec<Step> {
    let delivered = run.finished.filter(|_| run.state == RunState::Delivered);
    let ends: [Option<Timestamp>; 3] = [Some(run.claimed), run.committed, delivered];
    let kinds = [StepKind::Claimed, StepKind::Staged, StepKind::Delivered];
    let mut steps: Vec<Step> = Vec::new();
    let mut before = run.claimed;
    let mut is_open = true;
    for (kind, end) in kinds.into_iter().zip(ends) {
        let tone = match end {
            Some(_) => Tone::Ok,
            None if !is_open => Tone::Idle,
            None => match run.state {
                RunState::Failed => Tone::Bad,
                RunState::Blocked => Tone::Warn,
                RunState::Skipped => Tone::Idle,
                _ => Tone::Live,
            },
        };
        is_open = is_open && end.is_some();
        let took = end.filter(|_| kind != StepKind::Claimed).map(|end| end.duration_since(before));
        before = end.unwrap_or(before);
        steps.push(Step { kind, tone, at: end, took });
    }
    steps
}
