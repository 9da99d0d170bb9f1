//! What the list of runs and the page of one run show.

use std::collections::BTreeSet;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use ledger::{
    FileRecord, MarkFilter, RunBehind, RunDetail, RunFilter, RunRecord, RunState, SlotRecord,
    SlotState,
};
use plan::project::Export;
use plan::protocol::Verification;
use plan::run_plan::Output;
use plan::staged::ObjectKind;
use ui::component::{Choice, Tone};
use ui::page::run::{
    self, File, Input, Live, May, Movement, People, Phase as Doing, Run, Step, StepKind, Stop,
};
use ui::page::runs::{Choices, Filter, Lane, Mark, Period, Runs};
use ui::page::{RunLine, RunStatus};

use super::Look;
use crate::app::schedule::{Waiting, Waits};
use crate::cli::report;
use crate::failure::Failure;
use crate::progress::Phase;

/// How many lanes the timeline has.
const LANES_MAX: usize = 12;
/// How many runs that wait are listed.
const WAITING_MAX: usize = 20;
/// How many marks a lane has.
const MARKS_MAX: u32 = 200;

/// Which part of the list is wanted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wanted {
    pub(crate) filter: Filter,
    /// The run before the first one, on a later page.
    pub(crate) behind: Option<uuid::Uuid>,
}

/// Fills the list.
pub(crate) async fn runs(look: &Look<'_>, wanted: &Wanted) -> Result<Runs, Failure> {
    let Wanted { filter, behind } = wanted;
    let behind = match behind {
        None => None,
        Some(id) => look.ledger.run(*id).await?.map(|detail| RunBehind {
            slot: detail.run.slot,
            first_claimed: detail.run.first_claimed,
            run_id: detail.run.run_id,
        }),
    };
    let midnight = |day: Date| Some(day.to_zoned(look.zone.clone()).ok()?.timestamp());
    let newest = RunFilter {
        activation: filter.activation.clone(),
        segment: filter.segment.clone(),
        destination: filter.destination.clone(),
        state: filter.state.as_deref().and_then(RunState::parse),
        since: filter.from.and_then(midnight),
        before: filter.to.and_then(|day| midnight(day.tomorrow().ok()?)),
        behind,
        limit: Some(look.limit.saturating_add(1)),
    };
    let mut found = look.ledger.runs(&newest).await?;
    let limit = usize::try_from(look.limit).unwrap_or(usize::MAX);
    let is_more = found.len() > limit;
    found.truncate(limit);
    let last = found.last().filter(|_| is_more && look.gauges.is_some());
    let mut lines = waiting_lines(look, wanted).await?;
    lines.retain(|line| found.iter().all(|run| run.run_id.to_string() != line.id));
    let waiting_beyond = lines.len().saturating_sub(WAITING_MAX);
    lines.truncate(WAITING_MAX);
    let goes_on = !lines.is_empty() || found.iter().any(|run| !run.state.is_over());
    lines.extend(found.iter().map(|run| look.line(run)));
    let period = Period::of_days(filter.from, filter.to, &look.zone, look.now);
    let is_first_page = behind.is_none();
    let (lanes, lanes_beyond) =
        if is_first_page { lanes(look, filter, period).await? } else { (Vec::new(), 0) };
    Ok(Runs {
        lanes,
        lanes_beyond,
        period,
        choices: choices(look),
        filter: filter.clone(),
        older: last.map(|last| older(filter, last.run_id)),
        runs: lines,
        is_later_page: !is_first_page,
        waiting_beyond: u64::try_from(waiting_beyond).unwrap_or(u64::MAX),
        goes_on,
    })
}

/// The slots that wait for their turn now, as runs that have not begun.
async fn waiting_lines(look: &Look<'_>, wanted: &Wanted) -> Result<Vec<RunLine>, Failure> {
    let Wanted { filter, behind } = wanted;
    let is_past = filter.from.is_some() || filter.to.is_some();
    if look.gauges.is_none() || behind.is_some() || filter.state.is_some() || is_past {
        return Ok(Vec::new());
    }
    let is_meant = |wanted: &Option<String>, key: &str| wanted.as_ref().is_none_or(|it| it == key);
    let mut lines = Vec::new();
    let open = look.ledger.open_slots().await?;
    // Those that have begun are runs already.
    let begun: BTreeSet<uuid::Uuid> = match open.is_empty() {
        true => BTreeSet::new(),
        false => look.ledger.unfinished().await?.iter().map(|run| run.run_id).collect(),
    };
    for slot in &open {
        let key = &slot.key;
        let is_due = matches!(slot.state, SlotState::Planned | SlotState::Running)
            && slot.not_before <= look.now;
        if !is_due
            || !is_meant(&filter.activation, &key.activation)
            || !is_meant(&filter.segment, &key.segment)
            || !is_meant(&filter.destination, &slot.destination)
        {
            continue;
        }
        let planned = look.project().run_id(&key.activation, &key.segment, key.slot);
        let is_run = |id: &uuid::Uuid| begun.contains(id) || slot.run_id == Some(*id);
        let Some(id) = planned.filter(|id| !is_run(id)) else { continue };
        lines.push(RunLine {
            id: id.to_string(),
            segment: look.segment(&key.segment).name,
            activation: key.activation.clone(),
            destination: look.destination(&slot.destination).name,
            status: RunStatus::Waiting,
            slot: key.slot,
            rows: None,
            files: 0,
            bytes: 0,
            duration: None,
        });
    }
    Ok(lines)
}

/// The address of the page behind a run.
fn older(filter: &Filter, last: uuid::Uuid) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    let day = |day: Option<Date>| day.map(|day| day.to_string());
    let kept = [
        ("activation", filter.activation.clone()),
        ("segment", filter.segment.clone()),
        ("destination", filter.destination.clone()),
        ("state", filter.state.clone()),
        ("from", day(filter.from)),
        ("to", day(filter.to)),
    ];
    for (name, value) in kept {
        if let Some(value) = value {
            query.append_pair(name, &value);
        }
    }
    query.append_pair("behind", &last.to_string());
    format!("/runs?{}", query.finish())
}

fn choices(look: &Look<'_>) -> Choices {
    let project = look.project();
    let choice =
        |value: &str, text: &str| Choice { value: value.to_owned(), text: text.to_owned() };
    let activations = project.activations.iter().map(|it| choice(&it.key, &it.key));
    let segments = project.segments.iter().map(|it| choice(&it.key, &it.name));
    let destinations = project.destinations.iter().map(|it| choice(&it.key, &it.name));
    Choices {
        activations: activations.collect(),
        segments: segments.collect(),
        destinations: destinations.collect(),
    }
}

/// The lanes of the timeline, and how many it has no room for.
async fn lanes(
    look: &Look<'_>,
    filter: &Filter,
    period: Period,
) -> Result<(Vec<Lane>, u64), Failure> {
    let is_meant = |wanted: &Option<String>, key: &str| wanted.as_ref().is_none_or(|it| it == key);
    let mut wanted: Vec<(&str, &str)> = Vec::new();
    for activation in &look.project().activations {
        if is_meant(&filter.activation, &activation.key)
            && is_meant(&filter.destination, &activation.destination)
        {
            let segments = activation.segments.iter().map(|it| it.segment.as_str());
            let segments = segments.filter(|segment| is_meant(&filter.segment, segment));
            wanted.extend(segments.map(|segment| (activation.key.as_str(), segment)));
        }
    }
    let beyond = wanted.len().saturating_sub(LANES_MAX);
    wanted.truncate(LANES_MAX);
    let shown = MarkFilter {
        since: period.from,
        before: period.to,
        destination: filter.destination.as_deref(),
        state: filter.state.as_deref().and_then(RunState::parse),
        each: MARKS_MAX,
    };
    let marks = look.ledger.marks(&wanted, &shown).await?;
    let lane = |(activation, segment): &(&str, &str)| {
        let of_lane =
            marks.iter().filter(|it| it.activation == *activation && it.segment == *segment);
        Lane {
            segment: look.segment(segment).name,
            activation: (*activation).to_owned(),
            runs: of_lane
                .map(|it| Mark {
                    run: it.run_id.to_string(),
                    slot: it.slot,
                    status: look.status(it.run_id, it.state),
                })
                .collect(),
        }
    };
    Ok((wanted.iter().map(lane).collect(), u64::try_from(beyond).unwrap_or(u64::MAX)))
}

/// Why a run did not go on; what to do is told as a check of its destination tells it.
fn stop(look: &Look<'_>, run: &RunRecord, stop: &ledger::Stop) -> Stop {
    let destination = look.project().destination(&run.destination);
    let account = destination.and_then(|it| look.project().account(&it.account));
    let endpoint = account.and_then(|account| account.endpoint_url.as_deref());
    Stop {
        code: stop.code.clone(),
        message: stop.message.clone(),
        hint: delivery::error::next_step(&stop.message, endpoint)
            .or_else(|| ledger::next_step(&stop.message).map(str::to_owned)),
    }
}

/// Fills the page of one run, if there is such a run, or a slot that will become it.
pub(crate) async fn run(look: &Look<'_>, id: &str) -> Result<Option<Run>, Failure> {
    let Ok(id) = id.parse::<uuid::Uuid>() else { return Ok(None) };
    let Some(detail) = look.ledger.run(id).await? else { return waiting(look, id).await };
    let run = &detail.run;
    Ok(Some(Run {
        id: run.run_id.to_string(),
        segment: look.segment(&run.segment),
        activation: run.activation.clone(),
        destination: look.destination(&run.destination),
        slot: run.slot,
        status: look.status(run.run_id, run.state),
        next_attempt: look.next_attempts.get(&run.run_id).map(|next| next.not_before),
        waits: None,
        behind: None,
        stop: run.stop.as_ref().map(|stop| self::stop(look, run, stop)),
        live: live(look, run).await?,
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
        may: may(look, &detail),
    }))
}

/// A run that is over and did not deliver can be tried again, and a blocked one at once.
/// One that a guard holds waits for somebody to decide.
fn may(look: &Look<'_>, detail: &RunDetail) -> May {
    let run = &detail.run;
    if run.is_held() {
        let is_open = detail.hold.as_ref().is_some_and(|hold| hold.decision.is_none());
        let may = is_open && look.may.run;
        return May { release: may, reject: may, ..May::default() };
    }
    let can = matches!(run.state, RunState::Failed | RunState::Skipped | RunState::Blocked);
    let is_sent = look.project().activation(&run.activation).is_some_and(|activation| {
        activation.segments.iter().any(|export| export.segment == run.segment)
    });
    let may = is_sent && look.may.run;
    let again = may && run.state == RunState::Delivered && look.is_enabled(&run.activation);
    let replay = again && run.export == Export::Full;
    May { retry: can && may, again, replay, ..May::default() }
}

/// How far a run is, where it is under way here.
pub(crate) async fn live(look: &Look<'_>, run: &RunRecord) -> Result<Option<Live>, Failure> {
    // One that a guard stopped does not go on before somebody decides.
    let goes_on = !run.state.is_over() && run.state != RunState::Blocked;
    let Some(gauges) = look.gauges.filter(|_| goes_on) else { return Ok(None) };
    let reading = gauges.read(run.run_id);
    let since = reading.and_then(|it| it.since);
    let phase = match reading.map_or(Phase::default(), |it| it.phase) {
        _ if run.is_committed() => Doing::Publishing,
        Phase::Committing | Phase::Publishing | Phase::CleaningUp => Doing::Publishing,
        _ if since.is_some() => Doing::Sending,
        _ => Doing::Preparing,
    };
    Ok(Some(Live {
        phase,
        rows: reading.map_or(run.rows, |it| it.rows),
        bytes: reading.map_or(run.bytes, |it| it.bytes),
        expected: reading.and_then(|it| it.expected),
        parts: reading.map_or(0, |it| it.parts),
        elapsed: look.now.duration_since(run.claimed),
        sending: since.map_or(SignedDuration::ZERO, |since| look.now.duration_since(since)),
    }))
}

/// The page of a run that has not begun.
async fn waiting(look: &Look<'_>, id: uuid::Uuid) -> Result<Option<Run>, Failure> {
    if look.gauges.is_none() {
        return Ok(None);
    }
    let waiting = Waiting::of(look.ledger).await?;
    let id_of = |slot: &SlotRecord| {
        let key = &slot.key;
        slot.run_id.or_else(|| look.project().run_id(&key.activation, &key.segment, key.slot))
    };
    let Some(slot) = waiting.open.iter().find(|slot| id_of(slot) == Some(id)) else {
        return Ok(None);
    };
    let waits = waiting.waits_for(slot);
    let is_before = |before: &&SlotRecord| {
        let (key, of) = (&before.key, &slot.key);
        Some(key.slot) == waits.and_then(Waits::slot)
            && (&key.activation, &key.segment) == (&of.activation, &of.segment)
    };
    let behind = waiting.open.iter().find(is_before).and_then(id_of);
    let activation = look.project().activation(&slot.key.activation);
    let mode = activation.and_then(|activation| {
        activation.segments.iter().find(|export| export.segment == slot.key.segment)
    });
    let steps = [StepKind::Claimed, StepKind::Staged, StepKind::Delivered];
    let step = |kind| Step { kind, tone: Tone::Idle, at: None, took: None };
    Ok(Some(Run {
        id: id.to_string(),
        segment: look.segment(&slot.key.segment),
        activation: slot.key.activation.clone(),
        destination: look.destination(&slot.destination),
        slot: slot.key.slot,
        status: RunStatus::Waiting,
        next_attempt: None,
        waits: waits.map(super::activation::waits),
        behind: behind.map(|id| id.to_string()),
        stop: None,
        live: None,
        steps: steps.map(step).to_vec(),
        people: None,
        movement: None,
        files: Vec::new(),
        inputs: Vec::new(),
        export: mode.map_or(run::Export::Full, |it| export(it.export)),
        attempts: u64::from(slot.attempts),
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
    let address = report::url(run, &file.key);
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
