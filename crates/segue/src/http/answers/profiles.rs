//! Questions that read profiles: one at a time, and no value of a profile in the answer.

use std::sync::Arc;

use engine::Effects;
use schemars::JsonSchema;
use serde::Serialize;

use crate::cli::slot_now;
use crate::failure::{Failure, Kind};
use crate::http::App;
use crate::http::problem::{Code, Problem};
use crate::http::request::{Ask, Reply};
use crate::sources::Sources;

/// The most fields that are listed.
const FIELDS_MAX: usize = 10_000;

/// The fields of profiles, by their dotted paths.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Fields {
    fields: Vec<String>,
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

pub(crate) async fn schema(app: Arc<App>, _: Ask) -> Result<Reply, Problem> {
    let fields = with_sources(&app, async |sources| {
        Ok(sources.engine.fields(&sources.profiles).await?.paths(FIELDS_MAX))
    });
    Reply::json(&Fields { fields: fields.await? })
}

pub(crate) async fn count(app: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    let key = ask.parameter("key").to_owned();
    let workspace = app.shared.workspace();
    let segment = workspace.project.segment(&key);
    let segment = segment.ok_or_else(|| Problem::not_found("segment", &key))?;
    let counted_at = slot_now();
    let query = workspace.project.members(segment, counted_at);
    let found = with_sources(&app, async move |sources| {
        let (engine, profiles) = (&sources.engine, &sources.profiles);
        let mut found = engine.evaluate(&[&query], profiles, Effects::default()).await?;
        let nothing = || Failure::new(Kind::Internal, "a segment was not evaluated");
        Ok(found.pop().ok_or_else(nothing)??)
    });
    let found = found.await?;
    Reply::json(&Count {
        segment: key,
        members: found.members,
        profiles: found.scanned,
        counted_at: counted_at.to_string(),
    })
}

/// Opens the datasets on a thread of its own and asks them something; whoever comes meanwhile waits.
async fn with_sources<T: Send + 'static>(
    app: &Arc<App>,
    ask: impl AsyncFnOnce(&Sources) -> Result<T, Failure> + Send + 'static,
) -> Result<T, Problem> {
    on_a_thread(app, async move |app| {
        let workspace = app.shared.workspace();
        let opened = Box::pin(Sources::open(&workspace, &app.shared.global));
        let (sources, _) = opened.await?;
        Box::pin(ask(&sources)).await
    })
    .await
}

/// Does something that reads profiles on a thread of its own; whoever comes meanwhile waits.
pub(super) async fn on_a_thread<T: Send + 'static>(
    app: &Arc<App>,
    work: impl AsyncFnOnce(&App) -> Result<T, Failure> + Send + 'static,
) -> Result<T, Problem> {
    let internal = || Problem::new(Code::Internal, "The profiles could not be asked.");
    let permit = Arc::clone(&app.heavy).acquire_owned().await.map_err(|_| internal())?;
    let (app, handle) = (Arc::clone(app), tokio::runtime::Handle::current());
    let asked = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        // In a box: reading profiles is a deep future, and this one would be deeper still.
        handle.block_on(Box::pin(work(&app)))
    });
    Ok(asked.await.map_err(|_| internal())??)
}
