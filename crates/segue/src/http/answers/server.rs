//! The server itself: health, figures, the document and its page.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use jiff::Timestamp;
use ledger::{SlotRecord, SlotState};
use schemars::JsonSchema;
use serde::Serialize;

use crate::ambient;
use crate::http::problem::Problem;
use crate::http::request::{Ask, Reply};
use crate::http::{App, document, explorer};
use crate::server::PlanningStatus;

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const PLAIN: &str = "text/plain; charset=utf-8";

/// Without a pass of the planner for so long the server is not ready: three are missing.
const SILENCE_MAX: Duration = Duration::from_secs(90);

/// Whoever asks whether a server is ready does not wait for long.
const ANSWER_MAX: Duration = Duration::from_secs(2);

/// For how long the planner has not made a pass.
fn silence(app: &App, status: &PlanningStatus) -> Duration {
    let last = status.last_pass.unwrap_or(app.shared.started);
    ambient::instant().saturating_duration_since(last)
}

/// What this server is and how it is doing.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Server {
    version: String,
    now: String,
    uptime_seconds: u64,
    /// Whether passes of the planner happen
    planning: bool,
    seconds_since_last_planner_pass: u64,
    /// Why slots are not planned just now, or the project file is not used
    trouble: Option<String>,
    next_due: Option<String>,
    running: usize,
    waiting: usize,
    blocked: usize,
}

pub(crate) async fn server(app: Arc<App>, _: Ask) -> Result<Reply, Problem> {
    let open = app.shared.ledger.open_slots().await?;
    let status = app.shared.planning.borrow().clone();
    let now = ambient::instant();
    let count = |state| open.iter().filter(|slot| slot.state == state).count();
    Reply::json(&Server {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        now: ambient::now().to_string(),
        uptime_seconds: now.saturating_duration_since(app.shared.started).as_secs(),
        planning: silence(&app, &status) <= SILENCE_MAX,
        seconds_since_last_planner_pass: silence(&app, &status).as_secs(),
        trouble: status.trouble.clone(),
        next_due: status.next_due.map(|at| at.to_string()),
        running: count(SlotState::Running),
        waiting: count(SlotState::Planned),
        blocked: count(SlotState::Blocked),
    })
}

pub(crate) async fn health(_: Arc<App>, _: Ask) -> Result<Reply, Problem> {
    Ok(Reply::text(PLAIN, "ok\n"))
}

/// With the cause in few words and nothing else, as everybody may ask.
pub(crate) async fn readiness(app: Arc<App>, _: Ask) -> Result<Reply, Problem> {
    let status = app.shared.planning.borrow().clone();
    let ledger = &app.shared.ledger;
    let asked = tokio::time::timeout(ANSWER_MAX, ledger.export_marks()).await;
    let cause = match asked {
        // A connection is tried for longer.
        Err(_) if ledger.is_shared() => "the database of the ledger cannot be reached",
        Err(_) => "the ledger does not answer",
        Ok(Err(error)) if error.kind() == ledger::Kind::Unreachable => {
            "the database of the ledger cannot be reached"
        }
        Ok(Err(_)) => "the ledger cannot be read",
        Ok(Ok(_)) if silence(&app, &status) > SILENCE_MAX => "the planner makes no passes",
        Ok(Ok(_)) => return Ok(Reply::text(PLAIN, "ready\n")),
    };
    let told = format!("not ready: {cause}\n");
    Ok(Reply::text(PLAIN, told).with_status(StatusCode::SERVICE_UNAVAILABLE))
}

pub(crate) async fn openapi(_: Arc<App>, _: Ask) -> Result<Reply, Problem> {
    Reply::json(&document())
}

pub(crate) async fn explorer(_: Arc<App>, _: Ask) -> Result<Reply, Problem> {
    Ok(Reply::text(HTML, explorer::PAGE))
}

pub(crate) async fn explorer_script(_: Arc<App>, _: Ask) -> Result<Reply, Problem> {
    Ok(Reply::text(SCRIPT, explorer::SCRIPT))
}

pub(crate) async fn explorer_style(_: Arc<App>, _: Ask) -> Result<Reply, Problem> {
    Ok(Reply::text("text/css; charset=utf-8", explorer::STYLE))
}

/// Figures in Prometheus' text form. Names of activations and segments are labels; there is nothing of
/// a profile in them.
pub(crate) async fn metrics(app: Arc<App>, _: Ask) -> Result<Reply, Problem> {
    let ledger = &app.shared.ledger;
    let open = ledger.open_slots().await?;
    let status = app.shared.planning.borrow().clone();
    let now = ambient::instant();
    let mut page = Page::default();
    page.one(
        "segue_up_seconds",
        "gauge",
        "Seconds since the start.",
        now.saturating_duration_since(app.shared.started).as_secs_f64(),
    );
    page.one(
        "segue_seconds_since_last_planner_pass",
        "gauge",
        "Beyond 90 the server is not ready.",
        silence(&app, &status).as_secs_f64(),
    );
    page.one(
        "segue_planner_passes_total",
        "counter",
        "Passes of the planner.",
        status.passes as f64,
    );
    page.one(
        "segue_clock_jumps_total",
        "counter",
        "Jumps of the clock.",
        status.clock_jumps as f64,
    );
    page.one(
        "segue_planner_trouble",
        "gauge",
        "1 while slots are not planned, or the project file is not used.",
        f64::from(u8::from(status.trouble.is_some())),
    );
    page.head("segue_slots_open", "gauge", "Slots that are not over.");
    for state in [SlotState::Planned, SlotState::Running, SlotState::Blocked] {
        let count = open.iter().filter(|slot| slot.state == state).count();
        page.value("segue_slots_open", &[("state", state.as_str())], count as f64);
    }
    page.one(
        "segue_oldest_open_slot_seconds",
        "gauge",
        "How late the oldest slot is that is not over.",
        lateness(&open, ambient::now()),
    );
    page.head("segue_slots_total", "counter", "Slots that are over, by what became of them.");
    for (state, reason, count) in ledger.slot_totals().await? {
        page.value("segue_slots_total", &[("state", &state), ("reason", &reason)], count as f64);
    }
    page.head(
        "segue_last_delivered_slot_timestamp_seconds",
        "gauge",
        "The slot of the newest delivered run of each segment.",
    );
    let workspace = app.shared.workspace();
    for activation in &workspace.project.activations {
        for export in &activation.segments {
            let last = ledger.last_delivered(&activation.key, &export.segment).await?;
            if let Some(last) = last {
                let labels =
                    [("activation", activation.key.as_str()), ("segment", &export.segment)];
                page.value(
                    "segue_last_delivered_slot_timestamp_seconds",
                    &labels,
                    last.slot.as_second() as f64,
                );
            }
        }
    }
    Ok(Reply::text("text/plain; version=0.0.4; charset=utf-8", page.text))
}

fn lateness(open: &[SlotRecord], now: Timestamp) -> f64 {
    let oldest = open.iter().map(|slot| slot.key.slot).min();
    oldest.map_or(0.0, |slot| now.duration_since(slot).as_secs_f64().max(0.0))
}

/// A page of figures.
#[derive(Default)]
struct Page {
    text: String,
}

impl Page {
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        let _ = write!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
    }

    fn value(&mut self, name: &str, labels: &[(&str, &str)], value: f64) {
        let escaped =
            |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let labels: Vec<String> =
            labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
        let labels =
            if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let _ = writeln!(self.text, "{name}{labels} {value}");
    }

    fn one(&mut self, name: &str, kind: &str, help: &str, value: f64) {
        self.head(name, kind, help);
        self.value(name, &[], value);
    }
}
