//! Activations: what is sent where and when; run now, enable, disable.

use std::sync::Arc;

use http::StatusCode;
use ledger::alert::Telling;
use ledger::{SlotKey, SlotRecord};
use plan::{Project, Section};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::objects::{self, Kept};
use super::once;
use super::slots::{Slots, WaitsFor};
use crate::ambient;
use crate::app::schedule;
use crate::cli::slot_now;
use crate::failure::Failure;
use crate::http::App;
use crate::http::problem::{Code, Problem};
use crate::http::request::{Ask, Reply};
use crate::workspace::Workspace;

/// How many slots of each segment are shown where nobody says.
pub(super) const SLOTS_DEFAULT: u32 = 10;

/// An activation.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Activation {
    key: String,
    id: String,
    destination: String,
    enabled: bool,
    disabled_since: Option<String>,
    disabled_by: Option<String>,
    segments: Vec<Export>,
    columns: Vec<String>,
    last_delivered: Vec<LastDelivered>,
    #[serde(flatten)]
    kept: Kept,
}

/// A segment of an activation.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Export {
    segment: String,
    /// full, incremental or changes
    export: String,
    scheduled: bool,
    next_slot: Option<String>,
    zone: Option<String>,
    catch_up: Option<String>,
    overlap: Option<String>,
}

/// The newest delivered run of a segment.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct LastDelivered {
    segment: String,
    run_id: String,
    slot: String,
    finished_at: String,
    rows: u64,
}

/// Activations.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Activations {
    items: Vec<Activation>,
}

/// What is run now.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RunNow {
    /// Only these segments; all without it
    pub(in crate::http) segments: Option<Vec<String>>,
    /// For this slot, such as 2026-01-04T02:00:00Z; for now without it
    pub(in crate::http) slot: Option<String>,
}

/// The next slots of an activation.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Upcoming {
    items: Vec<UpcomingExport>,
}

/// Those of one of its segments.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct UpcomingExport {
    segment: String,
    scheduled: bool,
    /// What it waits for while no time is known at which it is sent: pause or evaluation
    waits_for: Option<WaitsFor>,
    /// The first object that a run for this instant would write
    key_now: String,
    slots: Vec<UpcomingSlot>,
}

/// One of them.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct UpcomingSlot {
    slot: String,
    /// On the clocks of the schedule's zone
    local: String,
    zone: Option<String>,
    /// Whether clocks there change before it
    clocks_changed: bool,
    /// The first object that it would write
    key: String,
}

pub(crate) async fn list(app: Arc<App>, _: Ask) -> Result<Reply, Problem> {
    let workspace = app.shared.workspace();
    let mut items = Vec::new();
    for activation in &workspace.project.activations {
        items.push(of(&app, activation).await?);
    }
    Reply::json(&Activations { items })
}

pub(crate) async fn get(app: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    one(&app, ask.parameter("key")).await
}

pub(crate) async fn add_activation(app: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    let key = objects::add(&app, &ask, Section::Activations).await?;
    Ok(objects::created(one(&app, &key).await?, Section::Activations, &key))
}

pub(crate) async fn change_activation(app: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    objects::change(&app, &ask, Section::Activations).await?;
    one(&app, ask.parameter("key")).await
}

pub(crate) async fn remove_activation(app: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    objects::remove(&app, &ask, Section::Activations).await
}

async fn one(app: &App, key: &str) -> Result<Reply, Problem> {
    let workspace = app.shared.workspace();
    let reply = Reply::json(&of(app, find(&workspace.project, key)?).await?)?;
    Ok(objects::tagged(reply, &workspace, Section::Activations, key))
}

pub(crate) async fn next(app: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    let workspace = app.shared.workspace();
    let key = &find(&workspace.project, ask.parameter("key"))?.key;
    let count = ask.number("count", 1, 1_000)?.unwrap_or(SLOTS_DEFAULT);
    let is_enabled = !app.shared.ledger.disabled().await?.iter().any(|it| it.activation == *key);
    Reply::json(&Upcoming::of(&workspace, key, is_enabled, count)?)
}

impl Upcoming {
    /// The next slots of each segment of an activation, with the object that each would write.
    pub(super) fn of(
        workspace: &Workspace,
        key: &str,
        is_enabled: bool,
        count: u32,
    ) -> Result<Self, Problem> {
        let (project, now) = (&workspace.project, ambient::now());
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        let upcoming = schedule::upcoming(project, Some(key), count, now)?;
        let mut items = Vec::new();
        for it in &upcoming {
            let object = |slot| -> Result<String, Problem> {
                let plan =
                    project.run_plan(key, &it.export.segment, slot).map_err(Failure::from)?;
                Ok(plan.output.key(1))
            };
            let mut slots = Vec::new();
            for next in &it.slots {
                slots.push(UpcomingSlot {
                    slot: next.slot.to_string(),
                    local: next.local.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string(),
                    zone: next.local.time_zone().iana_name().map(str::to_owned),
                    clocks_changed: next.clocks_changed,
                    key: object(next.slot)?,
                });
            }
            let schedule = it.export.schedule.as_ref();
            items.push(UpcomingExport {
                segment: it.export.segment.clone(),
                scheduled: schedule.is_some(),
                waits_for: schedule::waits_without_slot(schedule, is_enabled, now)
                    .map(WaitsFor::of),
                key_now: object(slot_now())?,
                slots,
            });
        }
        Ok(Self { items })
    }
}

pub(crate) async fn enable(app: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    switched(&app, &ask, true).await
}

pub(crate) async fn disable(app: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    switched(&app, &ask, false).await
}

async fn switched(app: &App, ask: &Ask, is_enabled: bool) -> Result<Reply, Problem> {
    let workspace = app.shared.workspace();
    let activation = find(&workspace.project, ask.parameter("key"))?;
    set_enabled(app, ask, &activation.key, is_enabled).await?;
    Reply::json(&of(app, activation).await?)
}

/// Enables or disables an activation that is there.
pub(in crate::http) async fn set_enabled(
    app: &App,
    ask: &Ask,
    activation: &str,
    is_enabled: bool,
) -> Result<(), Problem> {
    let ledger = &app.shared.ledger;
    match is_enabled {
        true => ledger.enable(activation).await?,
        false => ledger.disable(activation, &ask.actor.name, ambient::now()).await?,
    };
    app.shared.replan.notify_one();
    // What is under way for it ends.
    app.shared.wake.notify_one();
    Ok(())
}

/// Plans the slots that are asked for. Under the same idempotency key the same answer is given again,
/// and nothing is planned.
pub(crate) async fn run(app: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    let wanted: RunNow = ask.json_or_default()?;
    let Some(key) = once::key(&ask)? else {
        let slots = request(&app, &ask, &wanted).await?;
        return accepted(&Slots::of(&slots));
    };
    let _turn = app.keyed.lock().await;
    let ledger = &app.shared.ledger;
    if let Some(answer) = once::answered(ledger, &ask, &key).await? {
        return Ok(Reply::text("application/json", answer).with_status(StatusCode::ACCEPTED));
    }
    let slots = request(&app, &ask, &wanted).await?;
    let answer = Slots::of(&slots);
    let text = serde_json::to_string(&answer)
        .map_err(|_| Problem::new(Code::Internal, "The answer cannot be written."))?;
    once::keep(ledger, &ask, &key, &text, ambient::now()).await?;
    accepted(&answer)
}

fn accepted(slots: &Slots) -> Result<Reply, Problem> {
    Ok(Reply::json(slots)?.with_status(StatusCode::ACCEPTED))
}

async fn request(app: &App, ask: &Ask, wanted: &RunNow) -> Result<Vec<SlotRecord>, Problem> {
    asked(app, ask, ask.parameter("key"), wanted).await
}

/// Plans slots of an activation that somebody asks for.
pub(in crate::http) async fn asked(
    app: &App,
    ask: &Ask,
    key: &str,
    wanted: &RunNow,
) -> Result<Vec<SlotRecord>, Problem> {
    let workspace = app.shared.workspace();
    let activation = find(&workspace.project, key)?;
    let disabled = app.shared.ledger.disabled().await?;
    if disabled.iter().any(|it| it.activation == activation.key) {
        let detail = format!("The activation `{}` is disabled.", activation.key);
        return Err(Problem::new(Code::ActivationDisabled, detail).hint("Enable it first."));
    }
    let slot = match &wanted.slot {
        None => slot_now(),
        Some(text) => text.parse().map_err(|_| {
            let detail = "`slot` has to be an instant such as 2026-01-04T02:00:00Z.";
            Problem::at_member("/slot", detail)
        })?,
    };
    let is_sent = |key: &String| activation.segments.iter().any(|export| export.segment == *key);
    let mut segments = wanted.segments.iter().flatten().enumerate();
    if let Some((at, unknown)) = segments.find(|(_, key)| !is_sent(key)) {
        let detail = format!("The activation does not send segment `{unknown}`.");
        return Err(Problem::at_member(&format!("/segments/{at}"), detail));
    }
    let mut slots = Vec::new();
    for export in &activation.segments {
        if wanted.segments.as_ref().is_some_and(|segments| !segments.contains(&export.segment)) {
            continue;
        }
        let key =
            SlotKey { activation: activation.key.clone(), segment: export.segment.clone(), slot };
        // What cannot be run is told now and not later.
        workspace.project.run_plan(&key.activation, &key.segment, slot).map_err(Failure::from)?;
        let telling = Telling { to: app.shared.rules().to, id: &ambient::id };
        let (destination, actor) = (&activation.destination, &ask.actor.name);
        let requested =
            app.shared.ledger.request_slot(&key, destination, actor, &telling, ambient::now());
        let record = requested.await?;
        slots.push(record);
    }
    app.shared.wake.notify_one();
    Ok(slots)
}

fn find<'a>(project: &'a Project, key: &str) -> Result<&'a plan::project::Activation, Problem> {
    project.activation(key).ok_or_else(|| Problem::not_found("activation", key))
}

async fn of(app: &App, activation: &plan::project::Activation) -> Result<Activation, Problem> {
    let ledger = &app.shared.ledger;
    let disabled = ledger.disabled().await?;
    let disabled = disabled.iter().find(|it| it.activation == activation.key);
    let now = ambient::now();
    let mut last_delivered = Vec::new();
    for export in &activation.segments {
        if let Some(last) = ledger.last_delivered(&activation.key, &export.segment).await? {
            last_delivered.push(LastDelivered {
                segment: export.segment.clone(),
                run_id: last.run_id.to_string(),
                slot: last.slot.to_string(),
                finished_at: last.finished.to_string(),
                rows: last.rows,
            });
        }
    }
    let export = |export: &plan::project::SegmentExport| {
        let schedule = export.schedule.as_ref();
        Export {
            segment: export.segment.clone(),
            export: export.export.as_str().to_owned(),
            scheduled: schedule.is_some(),
            next_slot: schedule
                .and_then(|it| it.slots_after(now, 1).first().map(ToString::to_string)),
            zone: schedule.and_then(|it| it.zone.iana_name().map(str::to_owned)),
            catch_up: schedule.map(|it| it.lateness.catch_up.as_str().to_owned()),
            overlap: schedule.map(|it| it.lateness.overlap.as_str().to_owned()),
        }
    };
    Ok(Activation {
        key: activation.key.clone(),
        id: activation.id.to_string(),
        destination: activation.destination.clone(),
        enabled: disabled.is_none(),
        disabled_since: disabled.map(|it| it.since.to_string()),
        disabled_by: disabled.map(|it| it.actor.clone()),
        segments: activation.segments.iter().map(export).collect(),
        columns: activation.mapping.iter().map(|column| column.header.clone()).collect(),
        last_delivered,
        kept: Kept::of(&app.shared.workspace(), Section::Activations, &activation.key),
    })
}
