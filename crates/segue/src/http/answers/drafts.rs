//! Objects that somebody only tries: counted, shown, explained, checked and scheduled before they are
//! kept.

use std::sync::Arc;

use plan::Section;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::activations::{SLOTS_DEFAULT, Upcoming};
use super::destinations;
use super::objects::problem;
use super::profiles::{self, Preview, Why};
use crate::app::objects::{Editor, Name};
use crate::app::questions::DRAFT;
use crate::cli::check::Keep;
use crate::http::App;
use crate::http::problem::Problem;
use crate::http::request::{Ask, Reply};
use crate::workspace::Workspace;

/// An object that is tried.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Draft {
    /// The key that it has or is to have; it counts where names are made from it
    #[serde(default)]
    key: Option<String>,
    /// As in the project file
    definition: Value,
}

/// Members of a segment that is tried.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DraftPreview {
    /// The key that it has or is to have; it counts where names are made from it
    #[serde(default)]
    key: Option<String>,
    /// As in the project file
    definition: Value,
    /// How many rows, and how they are shown
    #[serde(default)]
    preview: Preview,
}

/// A person and a segment that is tried.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DraftWhy {
    /// As in the project file
    definition: Value,
    /// Who
    person: Why,
}

/// A destination that is tried.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DraftDestination {
    /// As in the project file
    definition: Value,
    /// An account that is tried with it, under the key that the definition names; one of the project
    /// without it
    #[serde(default)]
    account: Option<Value>,
}

/// The project as it would be with objects that are kept nowhere. What is wrong with them is told with
/// pointers that begin with `prefix`.
pub(super) async fn trial(
    app: &App,
    objects: &[(Name, Value)],
    prefix: &str,
) -> Result<Arc<Workspace>, Problem> {
    let shared = &app.shared;
    let editor = Editor { global: &shared.global, ledger: &shared.ledger, turn: &shared.editing };
    let own = objects.last().map(|(name, _)| name);
    let tried = editor.trial(objects).await.map_err(|it| problem(it, prefix, own))?;
    Ok(Arc::new(tried))
}

fn key(written: Option<String>) -> String {
    written.unwrap_or_else(|| DRAFT.to_owned())
}

pub(crate) async fn preview_segment(app: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    let DraftPreview { key: written, definition, preview } = ask.json()?;
    let values = profiles::values(&app, &ask, preview.unmask, "").await?;
    profiles::sampled(&app, key(written), Some(definition), &preview, values).await
}

pub(crate) async fn explain_segment(app: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    let DraftWhy { definition, person } = ask.json()?;
    let values = profiles::values(&app, &ask, person.unmask, "").await?;
    let objects = [((Section::Segments, DRAFT.to_owned()), definition)];
    let workspace = trial(&app, &objects, "/definition").await?;
    profiles::explained(&app, workspace, DRAFT.to_owned(), person, values).await
}

pub(crate) async fn preview_activation(app: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    let DraftPreview { key: written, definition, preview } = ask.json()?;
    let values = profiles::values(&app, &ask, preview.unmask, "").await?;
    let key = key(written);
    let objects = [((Section::Activations, key.clone()), definition)];
    let workspace = trial(&app, &objects, "/definition").await?;
    profiles::previewed(&app, workspace, key, &preview, values).await
}

pub(crate) async fn next(app: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    let Draft { key: written, definition } = ask.json()?;
    let key = key(written);
    let objects = [((Section::Activations, key.clone()), definition)];
    let workspace = trial(&app, &objects, "/definition").await?;
    let count = ask.number("count", 1, 1_000)?.unwrap_or(SLOTS_DEFAULT);
    Reply::json(&Upcoming::of(&workspace, &key, true, count)?)
}

pub(crate) async fn check_destination(app: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    let workspace = destination(&app, &ask).await?;
    destinations::checked(workspace, DRAFT.to_owned(), Keep::Nothing).await
}

pub(crate) async fn check_destination_events(app: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    let workspace = destination(&app, &ask).await?;
    destinations::told(&app, workspace, DRAFT.to_owned(), Keep::Nothing)
}

/// The project with a destination that is tried, and with its account.
async fn destination(app: &App, ask: &Ask) -> Result<Arc<Workspace>, Problem> {
    let DraftDestination { definition, account } = ask.json()?;
    let mut objects = Vec::new();
    if let Some(account) = account {
        let named = definition["account"].as_str().ok_or_else(|| {
            Problem::at_member("/definition/account", "The definition has to name the account.")
        })?;
        objects.push(((Section::Accounts, named.to_owned()), account));
    }
    objects.push(((Section::Destinations, DRAFT.to_owned()), definition));
    trial(app, &objects, "/definition").await
}
