//! Evaluations that somebody asks for: who is in which segment, remembered, and what follows them sent.

use std::sync::Arc;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::profiles::with_sources;
use super::slots::Slots;
use crate::ambient;
use crate::app::evaluations::{self, Evaluation};
use crate::http::App;
use crate::http::problem::Problem;
use crate::http::request::{Ask, Reply};

/// What is evaluated.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Evaluate {
    /// Only these segments; all without it
    segments: Option<Vec<String>>,
}

/// What came of it.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Evaluations {
    /// The instant of the evaluation
    evaluated_at: String,
    items: Vec<Evaluated>,
    /// The slots of exports that follow the evaluation
    followed_by: Slots,
}

/// A segment that was evaluated.
#[derive(Serialize, JsonSchema)]
struct Evaluated {
    segment: String,
    members: u64,
    /// Members that were none at the evaluation before
    joined: Option<u64>,
    /// Those who were members then and are none now
    left: Option<u64>,
}

/// Evaluates segments now, in one scan, and plans what follows.
pub(crate) async fn evaluate(app: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    let Evaluate { segments } = ask.json_or_default()?;
    let workspace = app.shared.workspace();
    let project = &workspace.project;
    let keys: Vec<String> = match segments {
        Some(keys) => keys,
        None => project.segments.iter().map(|segment| segment.key.clone()).collect(),
    };
    let mut unknown = keys.iter().enumerate().filter(|(_, key)| project.segment(key).is_none());
    if let Some((at, unknown)) = unknown.next() {
        let detail = format!("There is no segment `{unknown}`.");
        let hint = "GET /api/v1/segments lists them.";
        return Err(Problem::at_member(&format!("/segments/{at}"), detail).hint(hint));
    }
    let (at, until) = (crate::cli::slot_now(), ambient::now());
    let of_task = keys.clone();
    let found = with_sources(&app, Arc::clone(&workspace), async move |workspace, sources| {
        evaluations::evaluate(workspace, sources, &of_task, at, until).await
    });
    let items: Vec<Evaluated> = found.await?.into_iter().map(Evaluated::of).collect();
    let planned = follow(&app, &ask, &keys, at).await?;
    Reply::json(&Evaluations {
        evaluated_at: at.to_string(),
        items,
        followed_by: Slots::of(&planned),
    })
}

async fn follow(
    app: &App,
    ask: &Ask,
    segments: &[String],
    at: Timestamp,
) -> Result<Vec<ledger::SlotRecord>, Problem> {
    let workspace = app.shared.workspace();
    let (ledger, actor) = (&app.shared.ledger, &ask.actor.name);
    let (project, to) = (&workspace.project, app.shared.rules().to);
    let now = ambient::now();
    let planned = evaluations::follow(ledger, project, segments, at, actor, to, now).await?;
    app.shared.wake.notify_one();
    Ok(planned)
}

impl Evaluated {
    fn of(evaluation: Evaluation) -> Self {
        Self {
            segment: evaluation.segment,
            members: evaluation.members,
            joined: evaluation.moved.map(|(joined, _)| joined),
            left: evaluation.moved.map(|(_, left)| left),
        }
    }
}
