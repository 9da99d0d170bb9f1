//! Runs of flows, and runs that somebody asks for.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::StatusCode;
use ledger::{RunFilter, RunRecord, RunState, SlotFilter, SlotRecord, SlotState};
use plan::project::Activation;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::flows::activation_of;
use super::{FLOW_SPECS, Id, Spec, misfit, segments};
use crate::http::App;
use crate::http::answers::{activations, runs};
use crate::http::problem::{Code, Problem};
use crate::http::request::{Ask, Reply};
use crate::workspace::Workspace;

/// The most segments of one request.
const SEGMENTS_MAX: usize = 80;
/// What a filter of runs begins with.
const OF_FLOW: &str = "flowId==";

/// A run.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FlowRun {
    id: Id,
    flow_id: Option<Id>,
    flow_spec: Spec,
    /// Milliseconds since 1970
    created_at: i64,
    updated_at: i64,
    created_client: String,
    /// The segment's id
    provider_ref_id: String,
    etag: String,
    metrics: Metrics,
}

/// What a run came to.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Metrics {
    duration_summary: Duration,
    size_summary: Size,
    record_summary: Records,
    file_summary: Files,
    status_summary: Status,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Duration {
    #[serde(rename = "startedAtUTC")]
    started_at: Option<i64>,
    #[serde(rename = "completedAtUTC")]
    completed_at: Option<i64>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Size {
    /// Bytes of the inputs
    input_bytes: u64,
    /// Bytes of the files
    output_bytes: u64,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Records {
    /// Profiles that are members, or left
    input_record_count: u64,
    /// Rows in the files
    output_record_count: u64,
    /// Profiles that were left out
    skipped_record_count: u64,
    source_summaries: Vec<Source>,
}

/// The segment that was sent.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Source {
    id: Id,
    input_record_count: u64,
    skipped_record_count: u64,
    entity_summaries: Vec<Entity>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Entity {
    /// segment:ID
    id: String,
    input_record_count: u64,
    skipped_record_count: u64,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Files {
    output_file_count: u32,
}

#[derive(Serialize, JsonSchema)]
struct Status {
    /// queued, processing, success, failed, skipped or blocked
    status: String,
    errors: Vec<Trouble>,
}

/// Why a run did not go on.
#[derive(Serialize, JsonSchema)]
struct Trouble {
    code: String,
    message: String,
}

/// Runs.
#[derive(Serialize, JsonSchema)]
pub(crate) struct FlowRuns {
    items: Vec<FlowRun>,
    #[serde(rename = "_page")]
    page: Page,
}

#[derive(Serialize, JsonSchema)]
struct Page {
    count: usize,
    /// Goes back as `continuationToken`
    next: Option<String>,
}

/// One run, as a list of one.
#[derive(Serialize, JsonSchema)]
pub(crate) struct OneRun {
    items: Vec<FlowRun>,
}

/// Runs that are asked for.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct AdHoc {
    /// For each flow the segments to be sent now
    activation_info: BTreeMap<String, Vec<String>>,
}

/// Runs that were asked for.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Ordered {
    order: Vec<Order>,
}

#[derive(Serialize, JsonSchema)]
struct Order {
    segment: String,
    /// The flow
    order: String,
    #[serde(rename = "statusURL")]
    status_url: String,
}

pub(crate) async fn list(app: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    let workspace = app.shared.workspace();
    let flow = ask.query("property").map(|text| flow_of(&workspace, text)).transpose()?;
    let activation = match flow {
        // A flow that is no activation yet, or is none any more, has no runs.
        Some(None) => {
            return Reply::json(&FlowRuns {
                items: Vec::new(),
                page: Page { count: 0, next: None },
            });
        }
        Some(Some(activation)) => Some(activation.key.clone()),
        None => None,
    };
    let filter = RunFilter { activation: activation.clone(), ..RunFilter::default() };
    let (runs, next) = runs::page(&app, &ask, filter, "continuationToken").await?;
    let mut items = Vec::new();
    if ask.query("continuationToken").is_none() {
        items.extend(queued(&app, &workspace, activation.as_deref()).await?);
        items.retain(|it| !runs.iter().any(|run| run.run_id == it.id.0));
    }
    items.extend(runs.iter().map(|run| FlowRun::of(&workspace, run, 0)));
    let page = Page { count: items.len(), next };
    Reply::json(&FlowRuns { items, page })
}

/// The activation of a filter such as `flowId==ID`; nothing if there is none of this id.
fn flow_of<'a>(
    workspace: &'a Workspace,
    property: &str,
) -> Result<Option<&'a Activation>, Problem> {
    let text = property.strip_prefix(OF_FLOW).unwrap_or_default();
    let id: Id = text.parse().map_err(|_| {
        let detail = "`property` is not a filter that there is.";
        Problem::at_parameter("property", detail)
            .hint(format!("Write `{OF_FLOW}` and the id of a flow."))
    })?;
    Ok(activation_of(workspace, id))
}

pub(crate) async fn get(app: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    let text = ask.parameter("id");
    let missing = || Problem::not_found("run", text);
    let id: Id = text.parse().map_err(|_| missing())?;
    let workspace = app.shared.workspace();
    let run = match app.shared.ledger.run(id.0).await? {
        Some(detail) => {
            let bytes = detail.inputs.iter().map(|input| input.bytes).sum();
            FlowRun::of(&workspace, &detail.run, bytes)
        }
        None => {
            let queued = queued(&app, &workspace, None).await?;
            queued.into_iter().find(|run| run.id == id).ok_or_else(missing)?
        }
    };
    Reply::json(&OneRun { items: vec![run] })
}

/// Runs that wait for their turn.
async fn queued(
    app: &App,
    workspace: &Workspace,
    activation: Option<&str>,
) -> Result<Vec<FlowRun>, Problem> {
    let mut runs = Vec::new();
    for state in [SlotState::Planned, SlotState::Running] {
        let filter = SlotFilter {
            activation: activation.map(str::to_owned),
            state: Some(state),
            ..SlotFilter::default()
        };
        let slots = app.shared.ledger.slots(&filter).await?;
        runs.extend(slots.iter().filter_map(|slot| FlowRun::queued(workspace, slot)));
    }
    Ok(runs)
}

/// Plans runs now, each segment of each flow once, or none of them.
pub(crate) async fn order(app: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    let AdHoc { activation_info } = ask.json_of_any_type()?;
    let count: usize = activation_info.values().map(Vec::len).sum();
    if count == 0 || count > SEGMENTS_MAX {
        let detail = format!("A request names 1 to {SEGMENTS_MAX} segments.");
        let hint = "Send `activationInfo` with the segments of each flow.";
        return Err(misfit("/activationInfo", detail, hint));
    }
    let workspace = app.shared.workspace();
    let mut wanted = Vec::new();
    for (flow, names) in &activation_info {
        let at = format!("/activationInfo/{flow}");
        let id = flow.parse().ok();
        let activation = id.and_then(|id| activation_of(&workspace, id)).ok_or_else(|| {
            let hint = "It has to have a segment and an attribute; GET /flows lists them.";
            misfit(&at, format!("There is no flow `{flow}` that runs."), hint)
        })?;
        let mut segments = Vec::new();
        for name in names {
            let segment = segments::segment(&workspace.project, name).filter(|segment| {
                activation.segments.iter().any(|export| export.segment == segment.key)
            });
            let segment = segment.ok_or_else(|| {
                let hint = "PATCH it into the flow first.";
                misfit(&at, format!("The flow does not send segment `{name}`."), hint)
            })?;
            check_idle(&app, activation, &segment.key).await?;
            segments.push((name, segment));
        }
        wanted.push((flow, activation, segments));
    }
    let server = server(&ask.headers);
    let mut order = Vec::new();
    for (flow, activation, segments) in wanted {
        let keys = segments.iter().map(|(_, segment)| segment.key.clone()).collect();
        let now = activations::RunNow { segments: Some(keys), slot: None };
        for slot in activations::asked(&app, &ask, &activation.key, &now).await? {
            let Some(run) = FlowRun::queued(&workspace, &slot) else { continue };
            let named = segments.iter().find(|(_, segment)| segment.key == slot.key.segment);
            order.push(Order {
                segment: named
                    .map_or_else(|| slot.key.segment.clone(), |(name, _)| (*name).clone()),
                order: flow.clone(),
                status_url: format!("{server}/data/foundation/flowservice/runs/{}", run.id),
            });
        }
    }
    Ok(Reply::json(&Ordered { order })?.with_status(StatusCode::OK))
}

/// The address by which this server was called; a proxy in front tells whether it was by TLS.
fn server(headers: &http::HeaderMap) -> String {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let scheme = if text("x-forwarded-proto") == Some("https") { "https" } else { "http" };
    format!("{scheme}://{}", text("host").unwrap_or_default())
}

/// Refuses a segment that is being sent, or is about to be.
async fn check_idle(app: &App, activation: &Activation, segment: &str) -> Result<(), Problem> {
    for state in [SlotState::Planned, SlotState::Running, SlotState::Blocked] {
        let filter = SlotFilter {
            activation: Some(activation.key.clone()),
            segment: Some(segment.to_owned()),
            state: Some(state),
            limit: Some(1),
            ..SlotFilter::default()
        };
        if let Some(slot) = app.shared.ledger.slots(&filter).await?.first() {
            let detail = format!("The slot {} of segment `{segment}` is not over.", slot.key.slot);
            let hint = "Wait until it is; GET /runs tells how far it is.";
            return Err(Problem::new(Code::Conflict, detail).hint(hint));
        }
    }
    Ok(())
}

impl FlowRun {
    fn of(workspace: &Workspace, run: &RunRecord, input_bytes: u64) -> Self {
        let received = run.received.unwrap_or_default();
        let skipped = run.activated.map_or(0, |activated| received.saturating_sub(activated));
        let status = match run.state {
            RunState::Delivered => "success",
            RunState::Failed => "failed",
            RunState::Skipped => "skipped",
            RunState::Blocked => "blocked",
            _ => "processing",
        };
        let millis = |time: jiff::Timestamp| time.as_millisecond();
        let updated = run.finished.or(run.committed).unwrap_or(run.claimed);
        Self {
            id: Id(run.run_id),
            flow_id: workspace.project.activation(&run.activation).map(|it| Id(it.id)),
            flow_spec: Spec::of(FLOW_SPECS[0]),
            created_at: millis(run.first_claimed),
            updated_at: millis(updated),
            created_client: "segue".to_owned(),
            provider_ref_id: run.segment_id.to_string(),
            etag: format!("\"{}\"", millis(updated)),
            metrics: Metrics {
                duration_summary: Duration {
                    started_at: Some(millis(run.first_claimed)),
                    completed_at: run.finished.map(millis),
                },
                size_summary: Size { input_bytes, output_bytes: run.bytes },
                record_summary: Records {
                    input_record_count: received,
                    output_record_count: run.rows,
                    skipped_record_count: skipped,
                    source_summaries: vec![Source {
                        id: super::connections::source_id(workspace),
                        input_record_count: received,
                        skipped_record_count: skipped,
                        entity_summaries: vec![Entity {
                            id: format!("segment:{}", run.segment_id),
                            input_record_count: received,
                            skipped_record_count: skipped,
                        }],
                    }],
                },
                file_summary: Files { output_file_count: run.files },
                status_summary: Status {
                    status: status.to_owned(),
                    errors: run.stop.iter().map(Trouble::of).collect(),
                },
            },
        }
    }

    /// The run that a slot is going to be; nothing if its activation has gone.
    fn queued(workspace: &Workspace, slot: &SlotRecord) -> Option<Self> {
        let key = &slot.key;
        let plan = workspace.project.run_plan(&key.activation, &key.segment, key.slot).ok()?;
        let planned = slot.planned.as_millisecond();
        Some(Self {
            id: Id(plan.run_id),
            flow_id: workspace.project.activation(&key.activation).map(|it| Id(it.id)),
            flow_spec: Spec::of(FLOW_SPECS[0]),
            created_at: planned,
            updated_at: planned,
            created_client: "segue".to_owned(),
            provider_ref_id: plan.segment_id.to_string(),
            etag: format!("\"{planned}\""),
            metrics: Metrics {
                duration_summary: Duration { started_at: None, completed_at: None },
                size_summary: Size { input_bytes: 0, output_bytes: 0 },
                record_summary: Records {
                    input_record_count: 0,
                    output_record_count: 0,
                    skipped_record_count: 0,
                    source_summaries: Vec::new(),
                },
                file_summary: Files { output_file_count: 0 },
                status_summary: Status {
                    status: "queued".to_owned(),
                    errors: slot.stop.iter().map(Trouble::of).collect(),
                },
            },
        })
    }
}

impl Trouble {
    fn of(stop: &ledger::Stop) -> Self {
        Self { code: stop.code.clone(), message: stop.message.clone() }
    }
}
