//! Flows: activations, and those that are to become one.

use std::sync::Arc;

use http::StatusCode;
use ledger::Definition;
use plan::Section;
use plan::project::Activation;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::drafts::Kind;
use super::flow::{self, Before, Flow, FlowBody};
use super::patch::{Operation, patch};
use super::{
    Common, FLOW_SPECS, Id, Items, Made, PROFILES_SPEC, S3_SPECS, Spec, connections, drafts,
    free_key, mapping_sets, misfit, tagged, targets, version, version_or_any,
};
use crate::ambient;
use crate::app::objects::{self as kept, Edit, Name, Note, Version};
use crate::http::App;
use crate::http::answers::{activations, objects};
use crate::http::problem::{Code, Problem};
use crate::http::request::{Ask, Reply};
use crate::workspace::Workspace;

/// A flow as it is.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FlowView {
    #[serde(flatten)]
    common: Common,
    flow_spec: Spec,
    source_connection_ids: Vec<Id>,
    target_connection_ids: Vec<Id>,
    inherited_attributes: Value,
    /// The one transformation, with segmentSelectors and profileSelectors
    transformations: Value,
}

/// What a flow is here.
enum Found {
    Activation(String),
    Draft(Id, Definition),
}

pub(crate) async fn add(app: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    let body: FlowBody = ask.json_of_any_type()?;
    let workspace = app.shared.workspace();
    let flow = Flow::read(&workspace, body, None)?;
    flow.check_target(&workspace)?;
    let id = Id(ambient::id());
    let revision = settle(&app, &ask, id, &flow, None).await?;
    Made::reply(id, Some(revision), StatusCode::CREATED)
}

pub(crate) async fn list(app: Arc<App>, _: Ask) -> Result<Reply, Problem> {
    let workspace = app.shared.workspace();
    let mut items = Vec::new();
    for activation in &workspace.project.activations {
        items.push(view_of(&app, &workspace, activation).await?);
    }
    let kept = app.shared.ledger.definitions().await?;
    for (id, note) in drafts::all(&kept, Kind::Flow) {
        items.push(view_of_draft(&workspace, id, note)?);
    }
    Reply::json(&Items { items })
}

pub(crate) async fn get(app: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    let workspace = app.shared.workspace();
    let view = match find(&app, &workspace, &ask).await? {
        Found::Activation(key) => view_of(&app, &workspace, one(&workspace, &key)?).await?,
        Found::Draft(id, note) => view_of_draft(&workspace, id, &note)?,
    };
    let etag = view.common.etag.clone();
    Ok(tagged(Reply::json(&Items { items: vec![view] })?, &etag))
}

pub(crate) async fn change(app: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    let operations: Vec<Operation> = ask.json_of_any_type()?;
    let workspace = app.shared.workspace();
    let (id, revision) = match find(&app, &workspace, &ask).await? {
        Found::Activation(key) => {
            let activation = one(&workspace, &key)?;
            let id = Id(activation.id);
            let shown = Flow::of(&workspace, activation);
            let flow = patched(&workspace, &shown, &operations)?;
            let Some(stored) = workspace.stored(Section::Activations, &key) else {
                let refused = kept::Refused::ReadOnly((Section::Activations, key));
                return Err(objects::problem(refused, "", None));
            };
            let definition = kept::value(stored);
            let before = Before { shown, definition: &definition };
            let set = named_set(&app, &flow, Some(&before)).await?;
            let members = flow.meaning(&workspace, Some(&before), set.as_deref())?;
            let mut next = definition.as_object().cloned().unwrap_or_default();
            if flow.description.is_none() {
                next.remove("description");
            }
            next.extend(members.unwrap_or_default());
            let name = (Section::Activations, key);
            let edit = Edit::Replace(name.clone(), next.into(), version(&ask.headers));
            (id, edited(&app, &ask, &[edit], &[], &name).await?)
        }
        Found::Draft(id, note) => {
            check_version(id, &note, version(&ask.headers))?;
            let shown = Flow::read(&workspace, drafts::flow(&note)?, None)?;
            let flow = patched(&workspace, &shown, &operations)?;
            (id, settle(&app, &ask, id, &flow, Some(note.revision)).await?)
        }
    };
    Made::reply(id, Some(revision), StatusCode::ACCEPTED)
}

/// Removes a flow, and with it the activation that it is.
pub(crate) async fn remove(app: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    let workspace = app.shared.workspace();
    match find(&app, &workspace, &ask).await? {
        Found::Activation(key) => {
            let name = (Section::Activations, key);
            let edit = Edit::Remove(name.clone(), version_or_any(&ask.headers));
            edited(&app, &ask, &[edit], &[], &name).await?;
        }
        Found::Draft(id, note) => {
            check_version(id, &note, version_or_any(&ask.headers))?;
            let note = drafts::note(Kind::Flow, id, None, Some(note.revision));
            let name = (Section::Activations, id.to_string());
            edited(&app, &ask, &[], &[note], &name).await?;
        }
    }
    Ok(Reply::nothing())
}

/// Enables or disables.
pub(crate) async fn act(app: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    let workspace = app.shared.workspace();
    let Found::Activation(key) = find(&app, &workspace, &ask).await? else {
        let detail = "The flow is a draft: it lacks a segment, or attributes.";
        let hint = "PATCH them into it first. If there is to be one attribute, name it in `mandatoryFields`.";
        return Err(Problem::new(Code::Conflict, detail).hint(hint));
    };
    match ask.query("op") {
        Some("enable") => activations::set_enabled(&app, &ask, &key, true).await?,
        Some("disable") => activations::set_enabled(&app, &ask, &key, false).await?,
        _ => {
            let detail = "`op` is missing.";
            let hint = "Write `?op=enable` or `?op=disable`.";
            return Err(Problem::at_parameter("op", detail).hint(hint));
        }
    }
    let activation = one(&workspace, &key)?;
    let revision = workspace.stored(Section::Activations, &key).map(|it| it.revision);
    Made::reply(Id(activation.id), revision, StatusCode::ACCEPTED)
}

/// The flow that a patch leads to.
fn patched(workspace: &Workspace, shown: &Flow, operations: &[Operation]) -> Result<Flow, Problem> {
    let mut document = shown.document(workspace);
    patch(&mut document, operations)?;
    let body: FlowBody = serde_json::from_value(document).map_err(|error| {
        let detail = format!("What comes of it is no flow: {error}.");
        misfit("", detail, "GET the flow to see its members.")
    })?;
    let flow = Flow::read(workspace, body, Some(shown))?;
    flow.check_target(workspace)?;
    Ok(flow)
}

/// Keeps a flow that is no activation yet: as one if it is whole, and as a note otherwise. `seen` is
/// the revision of the note that it has.
async fn settle(
    app: &Arc<App>,
    ask: &Ask,
    id: Id,
    flow: &Flow,
    seen: Option<u64>,
) -> Result<u64, Problem> {
    let workspace = app.shared.workspace();
    let set = named_set(app, flow, None).await?;
    let noted = async || {
        let note = drafts::note(Kind::Flow, id, Some(&flow.document(&workspace)), seen);
        edited(app, ask, &[], &[note], &(Section::Activations, id.to_string())).await
    };
    let Some(members) = flow.meaning(&workspace, None, set.as_deref())? else {
        return noted().await;
    };
    let key = free_key(&workspace, Section::Activations, &flow.name)?;
    let mut definition = Map::from_iter([("id".to_owned(), json!(id))]);
    definition.extend(members);
    let name = (Section::Activations, key);
    let edit = Edit::Add(name.clone(), definition.into());
    let gone = seen.map(|seen| drafts::note(Kind::Flow, id, None, Some(seen)));
    let gone: Vec<Note> = gone.into_iter().collect();
    match edited(app, ask, &[edit], &gone, &name).await {
        // Scripts add one attribute after the other.
        Err(problem) if seen.is_some() && is_about_one_column(&problem) => noted().await,
        done => done,
    }
}

/// Whether nothing is wrong but that there is one column so far, and it might be an empty line.
fn is_about_one_column(problem: &Problem) -> bool {
    !problem.errors.is_empty()
        && problem.errors.iter().all(|error| error.code == "ambiguous_null_single_column")
}

/// The mapping set that a flow is to take up.
async fn named_set(
    app: &App,
    flow: &Flow,
    before: Option<&Before<'_>>,
) -> Result<Option<Vec<super::columns::Mapping>>, Problem> {
    match flow.new_mapping(before) {
        Some(mapping) => mapping_sets::named(app, mapping).await.map(Some),
        None => Ok(None),
    }
}

/// Makes edits, and returns the revision of what was made or changed. What is wrong with it is told
/// with the places of the document.
async fn edited(
    app: &Arc<App>,
    ask: &Ask,
    edits: &[Edit],
    notes: &[Note],
    name: &Name,
) -> Result<u64, Problem> {
    let revision = objects::edit_with(app, ask, edits, notes).await.map_err(|refused| {
        let mut problem = objects::problem(refused, "", Some(name));
        let moved = |pointer: &mut Option<String>| {
            *pointer = pointer.as_deref().and_then(flow::at);
        };
        problem.errors.iter_mut().for_each(|error| moved(&mut error.pointer));
        problem
    })?;
    let workspace = app.shared.workspace();
    // Of a note it is that of the last change, which it was.
    let stored = workspace.stored(name.0, &name.1).map(|it| it.revision);
    Ok(stored.unwrap_or(revision))
}

fn check_version(id: Id, note: &Definition, wanted: Version) -> Result<(), Problem> {
    let name = (Section::Activations, id.to_string());
    let refused = match wanted {
        Version::Any => return Ok(()),
        Version::Of(revision) if revision == note.revision => return Ok(()),
        Version::Of(_) | Version::Unknown => kept::Refused::Changed(name),
        Version::Unnamed => kept::Refused::VersionNeeded(name),
    };
    Err(objects::problem(refused, "", None))
}

async fn find(app: &App, workspace: &Workspace, ask: &Ask) -> Result<Found, Problem> {
    let text = ask.parameter("id");
    let missing = || Problem::not_found("flow", text);
    let id: Id = text.parse().map_err(|_| missing())?;
    if let Some(activation) = activation_of(workspace, id) {
        return Ok(Found::Activation(activation.key.clone()));
    }
    let kept = app.shared.ledger.definitions().await?;
    let note = drafts::find(&kept, Kind::Flow, id).cloned().ok_or_else(missing)?;
    Ok(Found::Draft(id, note))
}

/// The activation of a flow.
pub(super) fn activation_of(workspace: &Workspace, id: Id) -> Option<&Activation> {
    workspace.project.activations.iter().find(|it| it.id == id.0)
}

fn one<'a>(workspace: &'a Workspace, key: &str) -> Result<&'a Activation, Problem> {
    workspace.project.activation(key).ok_or_else(|| Problem::not_found("flow", key))
}

async fn view_of(
    app: &App,
    workspace: &Workspace,
    activation: &Activation,
) -> Result<FlowView, Problem> {
    let disabled = app.shared.ledger.disabled().await?;
    let is_disabled = disabled.iter().any(|it| it.activation == activation.key);
    let state = if is_disabled { "disabled" } else { "enabled" };
    let stored = workspace.stored(Section::Activations, &activation.key);
    let flow = Flow::of(workspace, activation);
    let common = Common::of(Id(activation.id), &activation.name, state, stored);
    Ok(FlowView::of(workspace, &flow, common))
}

fn view_of_draft(workspace: &Workspace, id: Id, note: &Definition) -> Result<FlowView, Problem> {
    let flow = Flow::read(workspace, drafts::flow(note)?, None)?;
    let common = Common::of(id, &flow.name, "draft", Some(note));
    Ok(FlowView::of(workspace, &flow, common))
}

impl FlowView {
    fn of(workspace: &Workspace, flow: &Flow, common: Common) -> Self {
        let (source, profiles) =
            (connections::source_id(workspace), connections::profiles_id(workspace));
        let destination = targets::destination_of(workspace, flow.target);
        let account = destination.map(|it| connections::id_of(workspace, &it.account));
        let (of_profiles, of_s3) = (Spec::of(PROFILES_SPEC), Spec::of(S3_SPECS[0]));
        Self {
            common,
            flow_spec: Spec::of(FLOW_SPECS[0]),
            source_connection_ids: vec![source],
            target_connection_ids: vec![flow.target],
            inherited_attributes: json!({
                "sourceConnections": [{
                    "id": source, "connectionSpec": of_profiles,
                    "baseConnection": { "id": profiles, "connectionSpec": of_profiles },
                }],
                "targetConnections": [{
                    "id": flow.target, "connectionSpec": of_s3,
                    "baseConnection": { "id": account, "connectionSpec": of_s3 },
                }],
            }),
            transformations: flow.transformations(),
        }
    }
}
