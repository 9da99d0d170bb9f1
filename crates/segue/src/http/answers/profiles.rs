//! Questions that read profiles, one at a time: of what the project has. Values are masked for all but
//! those who may see them, and every look at real ones is in the audit log by name.

use std::sync::Arc;

use engine::PersonId;
use ledger::audit::Act;
use plan::schema::FieldType;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ambient;
use crate::app::questions::{self, DRAFT, ROWS_MAX, Shown, Values};
use crate::cli::slot_now;
use crate::failure::Failure;
use crate::http::App;
use crate::http::asker::Asker;
use crate::http::problem::{Code, Problem};
use crate::http::request::{Ask, Reply};
use crate::http::rights::Right;
use crate::sources::Sources;
use crate::workspace::Workspace;

/// The most fields that are listed.
const FIELDS_MAX: usize = 10_000;
/// How many rows are shown where nobody says.
const ROWS_DEFAULT: u32 = 10;

/// The fields of profiles, or of the records of a dataset.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "FieldList")]
pub(crate) struct Fields {
    pub(super) fields: Vec<Field>,
}

/// A field that can be named in a rule or a mapping.
#[derive(Clone, Serialize, JsonSchema)]
pub(super) struct Field {
    /// Its dotted path
    pub(super) path: String,
    /// boolean, integer, float, decimal, string, binary, date, time, timestamp, interval, list, map, or
    /// what cannot be written
    pub(super) r#type: String,
}

/// The size of a segment.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Count {
    segment: String,
    members: u64,
    /// Profiles that were looked at
    profiles: u64,
    counted_at: String,
}

/// How many rows, and how they are shown.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Preview {
    /// Of an activation: one of its segments; the first without it
    segment: Option<String>,
    /// Of a segment: the fields that are shown; its identities without it
    columns: Option<Vec<String>>,
    /// How many rows; 10 without it
    #[schemars(range(min = 1, max = 1_000))]
    pub(super) rows: Option<u32>,
    /// Of an incremental export: a file with everybody instead of the next one
    full: bool,
    /// Whether values are shown as they are, which needs a right of its own
    pub(super) unmask: bool,
}

/// The first rows of a file.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "FirstRows", rename_all = "camelCase")]
#[serde(rename_all = "camelCase")]
pub(crate) struct Rows {
    masked: bool,
    /// The slot of the delivered run since which these rows changed; nothing of a file with everybody
    changed_since: Option<String>,
    /// What the file would begin with
    header: String,
    /// The rows as they would be written
    text: String,
    /// The same as values, by column
    rows: Vec<Value>,
}

/// Of whom it is asked why.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Why {
    /// What kind of identity it is
    namespace: String,
    /// The identity
    value: String,
    /// Also what becomes of the person in the file of this activation
    #[serde(default)]
    activation: Option<String>,
    /// Whether values are shown as they are, which needs a right of its own
    #[serde(default)]
    pub(super) unmask: bool,
}

/// What was found, as the command line prints it with `--output json`.
#[derive(Serialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct Told(Value);

pub(crate) async fn dataset_schema(app: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    let key = ask.parameter("key").to_owned();
    let workspace = app.shared.workspace();
    if !workspace.project.datasets.iter().any(|dataset| dataset.key == key) {
        return Err(Problem::not_found("dataset", &key));
    }
    let internal = || Problem::new(Code::Internal, "The dataset could not be looked at.");
    let permit = Arc::clone(&app.heavy).acquire_owned().await.map_err(|_| internal())?;
    let (of_task, handle) = (Arc::clone(&app), tokio::runtime::Handle::current());
    let looked = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        handle.block_on(Box::pin(Sources::schema_of(&workspace, &of_task.shared.global, &key)))
    });
    let schema = looked.await.map_err(|_| internal())??;
    Reply::json(&Fields { fields: fields_of(&schema) })
}

pub(super) fn fields_of(schema: &plan::Schema) -> Vec<Field> {
    let field = |(path, field_type): (String, &FieldType)| Field {
        path,
        r#type: field_type.name().to_owned(),
    };
    schema.leaves(FIELDS_MAX).into_iter().map(field).collect()
}

pub(crate) async fn count(app: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    let key = ask.parameter("key").to_owned();
    let workspace = app.shared.workspace();
    if workspace.project.segment(&key).is_none() {
        return Err(Problem::not_found("segment", &key));
    }
    counted(&app, workspace, key).await
}

pub(super) async fn counted(
    app: &Arc<App>,
    workspace: Arc<Workspace>,
    segment: String,
) -> Result<Reply, Problem> {
    let counted_at = slot_now();
    let key = segment.clone();
    let found = with_sources(app, workspace, async move |workspace, sources| {
        questions::count(workspace, sources, &key, counted_at).await
    });
    let found = found.await?;
    Reply::json(&Count {
        segment,
        members: found.members,
        profiles: found.scanned,
        counted_at: counted_at.to_string(),
    })
}

pub(crate) async fn preview_activation(app: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    let key = ask.parameter("key").to_owned();
    let workspace = app.shared.workspace();
    if workspace.project.activation(&key).is_none() {
        return Err(Problem::not_found("activation", &key));
    }
    let wanted: Preview = ask.json_or_default()?;
    wanted.refuse_columns()?;
    let values = values(&app, &ask, wanted.unmask, &key).await?;
    previewed(&app, workspace, key, &wanted, values).await
}

pub(crate) async fn preview_segment(app: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    let key = ask.parameter("key").to_owned();
    let workspace = app.shared.workspace();
    if workspace.project.segment(&key).is_none() {
        return Err(Problem::not_found("segment", &key));
    }
    let wanted: Preview = ask.json_or_default()?;
    let values = values(&app, &ask, wanted.unmask, &key).await?;
    sampled(&app, key, None, &wanted, values).await
}

/// Shows members of a segment, by an activation to nowhere.
pub(super) async fn sampled(
    app: &Arc<App>,
    segment: String,
    definition: Option<Value>,
    wanted: &Preview,
    values: Values,
) -> Result<Reply, Problem> {
    if wanted.segment.is_some() {
        return Err(Problem::at_parameter("segment", "`segment` is for activations."));
    }
    let project = app.shared.workspace();
    let identities = || {
        let datasets = project.project.profile_datasets();
        let fields = datasets.flat_map(|dataset| dataset.identities.iter());
        let mut fields: Vec<String> = fields.map(|identity| identity.field.to_string()).collect();
        fields.dedup();
        fields
    };
    let columns = wanted.columns.clone().unwrap_or_else(identities);
    let objects = questions::sample_of(&segment, definition, &columns);
    let prefix = if objects.len() > 3 { "/definition" } else { "" };
    let workspace = super::drafts::trial(app, &objects, prefix).await?;
    let wanted = Preview { segment: Some(segment), rows: wanted.rows, ..Preview::default() };
    previewed(app, workspace, DRAFT.to_owned(), &wanted, values).await
}

pub(super) async fn previewed(
    app: &Arc<App>,
    workspace: Arc<Workspace>,
    activation: String,
    wanted: &Preview,
    values: Values,
) -> Result<Reply, Problem> {
    let rows = wanted.rows.unwrap_or(ROWS_DEFAULT);
    let count = usize::try_from(rows).unwrap_or(ROWS_MAX);
    if !(1..=ROWS_MAX).contains(&count) {
        let detail = format!("`rows` has to be a whole number from 1 to {ROWS_MAX}.");
        return Err(Problem::at_parameter("rows", detail));
    }
    let segment = wanted.segment.clone();
    let shown = if wanted.full { Shown::Full } else { Shown::Next };
    let found = with_sources(app, workspace, async move |workspace, sources| {
        let plan = questions::plan_of(workspace, &activation, segment.as_deref(), slot_now())?;
        questions::first_rows((workspace, sources), &plan, shown, count, values).await
    });
    let found = found.await?;
    Reply::json(&Rows {
        masked: values == Values::Masked,
        changed_since: found.changed_since.map(|last| last.slot.to_string()),
        header: found.header,
        text: found.text,
        rows: found.rows,
    })
}

pub(crate) async fn explain_segment(app: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    let key = ask.parameter("key").to_owned();
    let workspace = app.shared.workspace();
    if workspace.project.segment(&key).is_none() {
        return Err(Problem::not_found("segment", &key));
    }
    let why: Why = ask.json()?;
    let values = values(&app, &ask, why.unmask, &key).await?;
    explained(&app, workspace, key, why, values).await
}

pub(super) async fn explained(
    app: &Arc<App>,
    workspace: Arc<Workspace>,
    segment: String,
    why: Why,
    values: Values,
) -> Result<Reply, Problem> {
    let Why { namespace, value, activation, .. } = why;
    if let Some(activation) = &activation
        && workspace.project.activation(activation).is_none()
    {
        return Err(Problem::not_found("activation", activation));
    }
    let person = PersonId { namespace, value };
    let found = with_sources(app, workspace, async move |workspace, sources| {
        let activation = activation.as_deref();
        questions::explain(workspace, sources, &segment, activation, &person, values).await
    });
    match found.await? {
        Value::Null => Err(nobody()),
        found => Reply::json(&Told(found)),
    }
}

/// What was looked for is not told: it is somebody's identity.
fn nobody() -> Problem {
    Problem::new(Code::NotFound, "No profile has this identity.")
        .hint("Identities are compared letter by letter.")
}

impl Preview {
    fn refuse_columns(&self) -> Result<(), Problem> {
        if self.columns.is_none() {
            return Ok(());
        }
        Err(Problem::at_parameter("columns", "`columns` are for segments.")
            .hint("The mapping of the activation says which columns there are."))
    }
}

/// How values are shown. Who wants to see real ones has to have the right to, and that they were looked
/// at is written down first.
pub(super) async fn values(
    app: &App,
    ask: &Ask,
    unmask: bool,
    object: &str,
) -> Result<Values, Problem> {
    if !unmask {
        return Ok(Values::Masked);
    }
    let is_allowed = ask.actor.role.is_some_and(|role| role.may(Right::Unmask));
    let act = Act {
        actor: ask.actor.name.clone(),
        address: ask.address.clone(),
        action: "unmask".to_owned(),
        object: format!("{} {object}", ask.path).trim_end().to_owned(),
        outcome: if is_allowed { "allowed" } else { "forbidden" }.to_owned(),
    };
    app.shared.ledger.audit(&act, ambient::now()).await?;
    if is_allowed {
        return Ok(Values::Shown);
    }
    Err(Problem::new(Code::Forbidden, "The role does not allow values to be shown as they are.")
        .hint("Leave `unmask` out."))
}

/// Opens the datasets on a thread of its own and asks them something; whoever comes meanwhile waits.
pub(super) async fn with_sources<T: Send + 'static>(
    app: &Arc<App>,
    workspace: Arc<Workspace>,
    ask: impl AsyncFnOnce(&Workspace, &Sources) -> Result<T, Failure> + Send + 'static,
) -> Result<T, Problem> {
    on_a_thread(app, async move |app| {
        let opened = Box::pin(Sources::open(&workspace, &app.shared.global));
        let (sources, _) = opened.await?;
        Box::pin(ask(&workspace, &sources)).await
    })
    .await
}

/// Does something that reads profiles on a thread of its own; whoever comes meanwhile waits.
pub(super) async fn on_a_thread<T: Send + 'static>(
    app: &Arc<App>,
    work: impl AsyncFnOnce(&App) -> Result<T, Failure> + Send + 'static,
) -> Result<T, Problem> {
    let permit = Arc::clone(&app.heavy).acquire_owned().await.map_err(|_| internal())?;
    let (app, handle) = (Arc::clone(app), tokio::runtime::Handle::current());
    let asked = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        // In a box: reading profiles is a deep future, and this one would be deeper still.
        handle.block_on(Box::pin(work(&app)))
    });
    Ok(asked.await.map_err(|_| internal())??)
}

/// The same for a question that changes nothing: it ends when nobody waits for its answer any more, so that
/// whoever comes next does not wait for a page that was left.
pub(super) async fn while_asked<T: Send + 'static>(
    app: &Arc<App>,
    asker: &Asker,
    work: impl AsyncFnOnce(&App) -> Result<T, Failure> + Send + 'static,
) -> Result<T, Problem> {
    let (waiting, asking) = (asker.clone(), asker.clone());
    let permit = tokio::select! {
        permit = Arc::clone(&app.heavy).acquire_owned() => permit.map_err(|_| internal())?,
        () = waiting.leaves() => return Err(left()),
    };
    let (app, handle) = (Arc::clone(app), tokio::runtime::Handle::current());
    let asked = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        handle.block_on(async {
            tokio::select! {
                done = Box::pin(work(&app)) => done.map(Some),
                () = asking.leaves() => Ok(None),
            }
        })
    });
    asked.await.map_err(|_| internal())??.ok_or_else(left)
}

/// Does something that reads no profiles on a thread of its own. It does not wait for those that do.
pub(super) async fn beside<T: Send + 'static>(
    app: &Arc<App>,
    work: impl AsyncFnOnce(&App) -> Result<T, Failure> + Send + 'static,
) -> Result<T, Problem> {
    let (app, handle) = (Arc::clone(app), tokio::runtime::Handle::current());
    let asked = tokio::task::spawn_blocking(move || handle.block_on(Box::pin(work(&app))));
    Ok(asked.await.map_err(|_| internal())??)
}

fn internal() -> Problem {
    Problem::new(Code::Internal, "The profiles could not be asked.")
}

fn left() -> Problem {
    Problem::new(Code::Unavailable, "Nobody waited for the answer any more.")
}
