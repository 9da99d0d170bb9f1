//! Evaluations: who is in which segment, found out and remembered, and what is sent because of it.

use engine::Effects;
use jiff::Timestamp;
use ledger::alert::{Channel, Telling};
use ledger::{Ledger, SlotKey, SlotRecord};
use plan::project::Segment;
use plan::{Project, Query};

use crate::ambient;
use crate::failure::{Failure, Kind};
use crate::server::exports;
use crate::sources::Sources;
use crate::workspace::Workspace;

/// What an evaluation found of one segment.
pub(crate) struct Evaluation {
    pub(crate) segment: String,
    pub(crate) members: u64,
    /// Who joined and who left since the evaluation before, of a segment with a history.
    pub(crate) moved: Option<(u64, u64)>,
}

/// The questions who is in each segment, with their histories.
pub(crate) fn queries(project: &Project, segments: &[&Segment], at: Timestamp) -> Vec<Query> {
    let query = |segment: &&Segment| {
        let history = Some(project.history(segment));
        Query { history, ..project.members(segment, at) }
    };
    segments.iter().map(query).collect()
}

/// Evaluates segments for the instant `at` in one scan; histories move if it is not behind `until`.
///
/// # Errors
/// A rule or the data does not do. Histories of segments before it have moved.
pub(crate) async fn evaluate(
    workspace: &Workspace,
    sources: &Sources,
    keys: &[String],
    at: Timestamp,
    until: Timestamp,
) -> Result<Vec<Evaluation>, Failure> {
    let project = &workspace.project;
    let segments: Vec<&Segment> = keys.iter().filter_map(|key| project.segment(key)).collect();
    let queries = queries(project, &segments, at);
    let asked: Vec<&Query> = queries.iter().collect();
    let effects = Effects { move_until: Some(until), keep: false };
    let found = Box::pin(sources.engine.evaluate(&asked, &sources.profiles, effects)).await?;
    if found.len() != segments.len() {
        return Err(Failure::new(Kind::Internal, "a segment was not evaluated"));
    }
    let evaluation = |(segment, found): (&&Segment, Result<engine::Evaluated, engine::Error>)| {
        let context = format!("failed to evaluate segment `{}`", segment.key);
        let found = found.map_err(|error| Failure::from(error).context(context))?;
        Ok(Evaluation {
            segment: segment.key.clone(),
            members: found.members,
            moved: found.standing.map(|standing| (standing.joined, standing.left)),
        })
    };
    segments.iter().zip(found).map(evaluation).collect()
}

/// Plans the exports that follow the evaluation of segments at an instant: those with `trigger:
/// after-evaluation` whose activation is enabled and whose days it lies in.
pub(crate) async fn follow(
    ledger: &Ledger,
    project: &Project,
    segments: &[String],
    at: Timestamp,
    actor: &str,
    to: &[Channel],
    now: Timestamp,
) -> Result<Vec<SlotRecord>, Failure> {
    let telling = Telling { to, id: &ambient::id };
    let disabled = ledger.disabled().await?;
    let mut planned = Vec::new();
    for (activation, export) in exports(project) {
        let follows = export
            .schedule
            .as_ref()
            .is_some_and(|schedule| schedule.is_after_evaluation() && schedule.spans(at));
        let is_disabled = disabled.iter().any(|it| it.activation == activation.key);
        if !follows || is_disabled || !segments.contains(&export.segment) {
            continue;
        }
        let (activation, destination) = (activation.key.clone(), &activation.destination);
        let key = SlotKey { activation, segment: export.segment.clone(), slot: at };
        planned.push(ledger.request_slot(&key, destination, actor, &telling, now).await?);
    }
    Ok(planned)
}
