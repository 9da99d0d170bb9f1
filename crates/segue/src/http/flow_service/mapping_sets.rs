//! Mapping sets: lists of columns that a flow takes up by their id. The schemas that scripts make for
//! them say nothing that the datasets do not, and are not kept.

use std::sync::Arc;

use http::StatusCode;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::columns::{self, Mapping};
use super::drafts::Kind;
use super::flow::{MappingRef, mapping_id};
use super::{Id, drafts, misfit};
use crate::ambient;
use crate::app::objects::Name;
use crate::http::App;
use crate::http::answers::objects;
use crate::http::problem::Problem;
use crate::http::request::{Ask, Reply};
use crate::workspace::Workspace;

/// The most columns of a set.
const MAPPINGS_MAX: usize = 1_000;

/// A schema that somebody makes for a mapping set.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct NewSchema {
    #[expect(dead_code, reason = "the datasets say what profiles are")]
    name: Option<String>,
}

/// A schema that was made.
#[derive(Serialize, JsonSchema)]
pub(crate) struct MadeSchema {
    id: String,
    version: u64,
}

/// A mapping set.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct NewMappingSet {
    #[expect(dead_code, reason = "the datasets say what profiles are")]
    input_schema: Option<Value>,
    #[expect(dead_code, reason = "the datasets say what profiles are")]
    output_schema: Option<Value>,
    #[expect(dead_code, reason = "there is one")]
    xdm_version: Option<String>,
    #[expect(dead_code, reason = "a set is made once")]
    version: Option<u64>,
    mappings: Vec<Mapping>,
}

/// A mapping set that was made.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MadeMappingSet {
    id: String,
    version: u64,
    /// Milliseconds since 1970
    created_date: i64,
    modified_date: i64,
    created_by: String,
    modified_by: String,
}

/// A mapping set as it is.
#[derive(Serialize, JsonSchema)]
pub(crate) struct MappingSet {
    id: String,
    version: u64,
    mappings: Vec<Mapping>,
}

pub(crate) async fn add_schema(_: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    let _: NewSchema = ask.json_of_any_type()?;
    let id = Id(Uuid::new_v5(&Uuid::NAMESPACE_OID, &ask.body));
    let schema = MadeSchema { id: id.0.simple().to_string(), version: 0 };
    Ok(Reply::json(&schema)?.with_status(StatusCode::CREATED))
}

pub(crate) async fn add(app: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    let NewMappingSet { mappings, .. } = ask.json_of_any_type()?;
    if mappings.is_empty() || mappings.len() > MAPPINGS_MAX {
        let detail = format!("A mapping set has 1 to {MAPPINGS_MAX} mappings.");
        return Err(misfit("/mappings", detail, "Send `destination`, `source` and `sourceType`."));
    }
    for (index, mapping) in mappings.iter().enumerate() {
        columns::mapped(index, mapping)?;
    }
    let id = Id(ambient::id());
    let note = drafts::note(Kind::MappingSet, id, Some(&json!(mappings)), None);
    let edited = objects::edit_with(&app, &ask, &[], &[note]).await;
    edited.map_err(|refused| objects::problem(refused, "", None::<&Name>))?;
    let now: Timestamp = ambient::now();
    let made = MadeMappingSet {
        id: id.0.simple().to_string(),
        version: 0,
        created_date: now.as_millisecond(),
        modified_date: now.as_millisecond(),
        created_by: ask.actor.name.clone(),
        modified_by: ask.actor.name.clone(),
    };
    Ok(Reply::json(&made)?.with_status(StatusCode::CREATED))
}

pub(crate) async fn get(app: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    let text = ask.parameter("id");
    let missing = || Problem::not_found("mapping set", text);
    let id: Id = text.parse().map_err(|_| missing())?;
    let kept = app.shared.ledger.definitions().await?;
    let mappings = match drafts::find(&kept, Kind::MappingSet, id) {
        Some(note) => drafts::read(note)?,
        None => of_activation(&app.shared.workspace(), id).ok_or_else(missing)?,
    };
    Reply::json(&MappingSet { id: id.0.simple().to_string(), version: 0, mappings })
}

/// Removes a set; flows that took it up keep their columns.
pub(crate) async fn remove(app: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    let text = ask.parameter("id");
    let missing = || Problem::not_found("mapping set", text);
    let id: Id = text.parse().map_err(|_| missing())?;
    let kept = app.shared.ledger.definitions().await?;
    let note = drafts::find(&kept, Kind::MappingSet, id).ok_or_else(missing)?;
    let note = drafts::note(Kind::MappingSet, id, None, Some(note.revision));
    let edited = objects::edit_with(&app, &ask, &[], &[note]).await;
    edited.map_err(|refused| objects::problem(refused, "", None::<&Name>))?;
    Ok(Reply::nothing())
}

/// The mapping of an activation as a set.
fn of_activation(workspace: &Workspace, id: Id) -> Option<Vec<Mapping>> {
    let mut activations = workspace.project.activations.iter();
    let activation = activations.find(|it| mapping_id(it) == id)?;
    Some(activation.mapping.iter().map(columns::mapping_of).collect())
}

/// The set that a flow names.
pub(super) async fn named(app: &App, mapping: &MappingRef) -> Result<Vec<Mapping>, Problem> {
    let kept = app.shared.ledger.definitions().await?;
    let id = mapping.mapping_id;
    match drafts::find(&kept, Kind::MappingSet, id) {
        Some(note) => drafts::read(note),
        None => of_activation(&app.shared.workspace(), id).ok_or_else(|| {
            let detail = format!("There is no mapping set `{}`.", id.0.simple());
            let hint = "POST /data/foundation/conversion/mappingSets makes one.";
            misfit("/transformations/0/params/profileMapping/mappingId", detail, hint)
        }),
    }
}
