//! Runs: what happened, file by file.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::stream;
use ledger::{Decision, RunBehind, RunFilter, RunRecord, RunState};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{LIMIT_DEFAULT, bad_cursor, cursor, parse_cursor};
use crate::ambient;
use crate::app::decide;
use crate::cli::report;
use crate::http::App;
use crate::http::problem::{Code, Problem};
use crate::http::request::{Ask, Content, Reply};
use crate::progress::Gauges;

/// How often a stream looks whether something happened.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// How long a stream lasts; a client begins another one.
const STREAM_LIFE_MAX: Duration = Duration::from_secs(3_600);

/// Why something did not go on.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Stop {
    /// A word for machines
    code: String,
    message: String,
}

impl Stop {
    pub(super) fn of(stop: &ledger::Stop) -> Self {
        Self { code: stop.code.clone(), message: stop.message.clone() }
    }
}

/// A run.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Run {
    run_id: String,
    activation: String,
    segment: String,
    segment_id: String,
    destination: String,
    bucket: String,
    slot: String,
    /// claimed, staging, committing, delivered, skipped, failed or blocked
    state: String,
    attempts: u32,
    first_claimed_at: String,
    claimed_at: String,
    committed_at: Option<String>,
    finished_at: Option<String>,
    /// Profiles read that are members, or left
    received: Option<u64>,
    /// Profiles sent
    activated: Option<u64>,
    /// full, incremental or changes
    export: String,
    files: u32,
    rows: u64,
    bytes: u64,
    stop: Option<Stop>,
    /// How far it is, while it is under way in this server
    progress: Option<Progress>,
}

/// How far a run is.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Progress {
    /// Rows in files, sent or not
    rows: u64,
    /// Bytes sent
    bytes: u64,
    /// Bytes that there will be: about while rows are read, exactly once all parts were begun, `null`
    /// before anything is known
    expected_bytes: Option<u64>,
    /// Parts that the service has taken
    parts: u64,
}

/// Runs.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Runs {
    items: Vec<Run>,
    /// The cursor of the next page, if there is one
    next: Option<String>,
}

/// A run with everything that belongs to it.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RunDetail {
    #[serde(flatten)]
    run: Run,
    objects: Vec<Object>,
    excluded: Vec<Excluded>,
    inputs: Vec<Input>,
    /// That a guard stopped it, and what somebody decided
    hold: Option<Hold>,
    /// When a failed or blocked run is tried again by itself, at the earliest
    next_attempt_at: Option<String>,
}

/// A run that a guard stopped before anything was visible.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Hold {
    /// collapsed, exploded or exclusion_rate
    cause: String,
    /// The rows that a full file would have had
    rows: u64,
    held_at: String,
    /// released or rejected, once somebody has decided
    decision: Option<String>,
    decided_at: Option<String>,
    decided_by: Option<String>,
    reason: Option<String>,
}

/// Why a run is rejected.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reject {
    /// For those who ask later
    #[schemars(length(min = 1, max = 500))]
    reason: String,
}

/// An object of a run.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Object {
    /// 0 for the manifest
    number: u32,
    key: String,
    url: String,
    rows: u64,
    /// Characters that the encoding lacks and that became question marks.
    replaced: u64,
    bytes: u64,
    sha256: String,
    etag: Option<String>,
    version_id: Option<String>,
    /// When it was recorded as visible
    published_at: Option<String>,
}

/// Profiles that were left out.
#[derive(Serialize, JsonSchema)]
struct Excluded {
    /// A word for machines
    reason: String,
    message: String,
    profiles: u64,
}

/// A file that was read.
#[derive(Serialize, JsonSchema)]
struct Input {
    location: String,
    bytes: u64,
    version: String,
}

impl Run {
    fn of(run: &RunRecord, gauges: &Gauges) -> Self {
        let reading = gauges.read(run.run_id).filter(|_| !run.state.is_over());
        Self {
            progress: reading.map(|it| Progress {
                rows: it.rows,
                bytes: it.bytes,
                expected_bytes: it.expected,
                parts: it.parts,
            }),
            run_id: run.run_id.to_string(),
            activation: run.activation.clone(),
            segment: run.segment.clone(),
            segment_id: run.segment_id.to_string(),
            destination: run.destination.clone(),
            bucket: run.bucket.clone(),
            slot: run.slot.to_string(),
            state: run.state.to_string(),
            attempts: run.epoch,
            first_claimed_at: run.first_claimed.to_string(),
            claimed_at: run.claimed.to_string(),
            committed_at: run.committed.map(|at| at.to_string()),
            finished_at: run.finished.map(|at| at.to_string()),
            received: run.received,
            activated: run.activated,
            export: run.export.as_str().to_owned(),
            files: run.files,
            rows: run.rows,
            bytes: run.bytes,
            stop: run.stop.as_ref().map(Stop::of),
        }
    }
}

impl RunDetail {
    async fn of(app: &App, detail: &ledger::RunDetail) -> Result<Self, Problem> {
        let run_id = detail.run.run_id;
        let next = app.shared.ledger.next_attempts().await?.remove(&run_id);
        let waits = !matches!(
            detail.run.state,
            RunState::Claimed | RunState::Staging | RunState::Committing
        );
        let object = |file: &ledger::FileRecord| Object {
            number: file.number,
            key: file.key.clone(),
            url: report::url(&detail.run, &file.key),
            rows: file.rows,
            replaced: file.replaced,
            bytes: file.bytes,
            sha256: file.sha256.clone(),
            etag: file.etag.clone(),
            version_id: file.version_id.clone(),
            published_at: file.published.map(|at| at.to_string()),
        };
        let excluded = |it: &ledger::Excluded| Excluded {
            reason: it.reason.clone(),
            message: report::reason(&it.reason),
            profiles: it.profiles,
        };
        let input = |it: &ledger::SnapshotInput| Input {
            location: it.location.clone(),
            bytes: it.bytes,
            version: it.version.clone(),
        };
        Ok(Self {
            run: Run::of(&detail.run, &app.shared.gauges),
            objects: detail.files.iter().map(object).collect(),
            excluded: detail.excluded.iter().map(excluded).collect(),
            inputs: detail.inputs.iter().map(input).collect(),
            hold: detail.hold.as_ref().map(|hold| Hold {
                cause: hold.cause.as_str().to_owned(),
                rows: hold.rows,
                held_at: hold.held.to_string(),
                decision: hold.decision.map(|it| it.as_str().to_owned()),
                decided_at: hold.decided.map(|at| at.to_string()),
                decided_by: hold.actor.clone(),
                reason: hold.reason.clone(),
            }),
            next_attempt_at: next.filter(|_| waits).map(|next| next.not_before.to_string()),
        })
    }
}

pub(crate) async fn list(app: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    let filter = RunFilter {
        activation: ask.query("activation").map(str::to_owned),
        segment: ask.query("segment").map(str::to_owned),
        destination: ask.query("destination").map(str::to_owned),
        state: ask.query("state").and_then(RunState::parse),
        since: ask.time("since")?,
        before: ask.time("before")?,
        ..RunFilter::default()
    };
    let (runs, next) = page(&app, &ask, filter, "cursor").await?;
    let items = runs.iter().map(|run| Run::of(run, &app.shared.gauges)).collect();
    Reply::json(&Runs { items, next })
}

/// A page of runs, and the cursor of the next; `cursor_name` is the parameter that it comes back as.
pub(in crate::http) async fn page(
    app: &App,
    ask: &Ask,
    filter: RunFilter,
    cursor_name: &str,
) -> Result<(Vec<RunRecord>, Option<String>), Problem> {
    let limit = ask.number("limit", 1, 1_000)?.unwrap_or(LIMIT_DEFAULT);
    let behind = ask.query(cursor_name).map(behind_of).transpose()?;
    let filter = RunFilter { behind, limit: Some(limit + 1), ..filter };
    let mut runs = app.shared.ledger.runs(&filter).await?;
    let is_more = runs.len() > usize::try_from(limit).unwrap_or(usize::MAX);
    runs.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let place = |run: &RunRecord| {
        let RunRecord { slot, first_claimed, run_id, .. } = *run;
        cursor_of(&RunBehind { slot, first_claimed, run_id })
    };
    let next = runs.last().filter(|_| is_more).map(place);
    Ok((runs, next))
}

/// Where a list goes on behind a run.
pub(super) fn cursor_of(place: &RunBehind) -> String {
    let (slot, claimed) = (place.slot.to_string(), place.first_claimed.to_string());
    cursor(&[&slot, &claimed, &place.run_id.to_string()])
}

/// The place that a cursor names.
///
/// # Errors
/// It is no cursor of a list of runs.
pub(super) fn behind_of(text: &str) -> Result<RunBehind, Problem> {
    let [slot, first_claimed, run_id] = parse_cursor(text)?;
    Ok(RunBehind {
        slot: slot.parse().map_err(|_| bad_cursor())?,
        first_claimed: first_claimed.parse().map_err(|_| bad_cursor())?,
        run_id: run_id.parse().map_err(|_| bad_cursor())?,
    })
}

pub(crate) async fn get(app: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    let (_, detail) = find(&app, &ask).await?;
    Reply::json(&RunDetail::of(&app, &detail).await?)
}

pub(crate) async fn release(app: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    decided(&app, &ask, Decision::Released, None).await
}

pub(crate) async fn reject(app: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    let Reject { reason } = ask.json()?;
    if reason.trim().is_empty() || reason.chars().count() > decide::REASON_CHARS_MAX {
        let most = decide::REASON_CHARS_MAX;
        let detail = format!("`reason` has 1 to {most} characters.");
        return Err(Problem::at_member("/reason", detail));
    }
    decided(&app, &ask, Decision::Rejected, Some(&reason)).await
}

async fn decided(
    app: &App,
    ask: &Ask,
    decision: Decision,
    reason: Option<&str>,
) -> Result<Reply, Problem> {
    let (run_id, detail) = find(app, ask).await?;
    if !decide::waits(&detail.run) {
        return Err(Problem::new(Code::Conflict, "The run waits for nobody."));
    }
    if detail.run.is_held() && detail.hold.as_ref().is_some_and(|hold| hold.decision.is_some()) {
        return Err(Problem::new(Code::Conflict, "Somebody has decided already."));
    }
    let (workspace, ledger) = (app.shared.workspace(), &app.shared.ledger);
    let actor = &ask.actor.name;
    let (to, now) = (app.shared.rules().to, ambient::now());
    let asked = decide::Asked { decision, actor, reason, to };
    let decided = decide::decide(&workspace, ledger, run_id, asked, now);
    let detail = Box::pin(decided).await?;
    if detail.run.is_held() && detail.hold.as_ref().is_some_and(ledger::Hold::is_released) {
        ledger.plan_released(&detail.run, actor, now).await?;
    }
    app.shared.wake.notify_one();
    app.shared.replan.notify_one();
    Reply::json(&RunDetail::of(app, &detail).await?)
}

pub(super) async fn find(app: &App, ask: &Ask) -> Result<(Uuid, ledger::RunDetail), Problem> {
    let text = ask.parameter("id");
    let missing = || Problem::not_found("run", text);
    let run_id: Uuid = text.parse().map_err(|_| missing())?;
    let detail = app.shared.ledger.run(run_id).await?;
    Ok((run_id, detail.ok_or_else(missing)?))
}

/// What a stream has told so far.
struct Told {
    app: Arc<App>,
    run_id: Uuid,
    last: Option<String>,
    until: std::time::Instant,
    is_over: bool,
    _permit: tokio::sync::OwnedSemaphorePermit,
}

/// An event whenever the run changes, and a comment now and then, so that nobody between takes the
/// connection for dead.
pub(crate) async fn events(app: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    let (run_id, _) = find(&app, &ask).await?;
    let permit = app.stream()?;
    let until = ambient::instant() + STREAM_LIFE_MAX;
    let told = Told { app, run_id, last: None, until, is_over: false, _permit: permit };
    let events = stream::unfold(told, |mut told| async move {
        if told.is_over || ambient::instant() > told.until {
            return None;
        }
        if told.last.is_some() {
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        let detail = told.app.shared.ledger.run(told.run_id).await.ok().flatten()?;
        let text = serde_json::to_string(&Run::of(&detail.run, &told.app.shared.gauges)).ok()?;
        told.is_over = detail.run.state.is_over();
        let bytes = if told.last.as_ref() == Some(&text) {
            Bytes::from_static(b": nothing new\n\n")
        } else {
            let event = format!("event: run\ndata: {text}\n\n");
            told.last = Some(text);
            Bytes::from(event)
        };
        Some((bytes, told))
    });
    Ok(Reply::of(Content::Events(Box::pin(events))))
}
