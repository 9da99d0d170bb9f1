//! Who is in the segments that are sent, and since when: found out before the rows are read.

use ::plan::{Query, RunPlan};
use engine::{Effects, Engine, Profiles};

use super::Work;
use crate::ambient;
use crate::failure::Failure;

/// Evaluates the segments of several runs in one scan of the profiles, so that none of the runs has to
/// ask its rule again. What is wrong with one of them is told by its own run.
pub(crate) async fn evaluate_all(plans: &[RunPlan], engine: &Engine, profiles: &Profiles) {
    let mut queries: Vec<&Query> = Vec::new();
    for plan in plans {
        let is_asked = |other: &&Query| {
            other.history == plan.query.history
                && other.rule.text == plan.query.rule.text
                && other.evaluated_at == plan.query.evaluated_at
        };
        if !queries.iter().any(is_asked) {
            queries.push(&plan.query);
        }
    }
    if queries.len() < 2 {
        return;
    }
    if let Err(error) = engine.evaluate(&queries, profiles, effects()).await {
        tracing::debug!(%error, "the segments could not be evaluated together");
    }
}

/// Finds out since when the members of a run's segment are so, if its rows rest on it, and moves the
/// segment's history to the slot. Repeating the slot, or one before, moves nothing; neither does a
/// slot that has not come yet.
///
/// # Errors
/// As [`Engine::evaluate`].
pub(super) async fn evaluate(work: Work<'_>) -> Result<(), Failure> {
    let query = &work.plan.query;
    if query.history.is_none() || work.engine.knows_members(query, work.profiles).await? {
        return Ok(());
    }
    for found in work.engine.evaluate(&[query], work.profiles, effects()).await? {
        found?;
    }
    Ok(())
}

/// The same for somebody who only looks: no history moves.
///
/// # Errors
/// As [`Engine::evaluate`].
pub(crate) async fn look(
    query: &Query,
    engine: &Engine,
    profiles: &Profiles,
) -> Result<(), Failure> {
    if query.history.is_none() {
        return Ok(());
    }
    let effects = Effects { move_until: None, keep: true };
    for found in engine.evaluate(&[query], profiles, effects).await? {
        found?;
    }
    Ok(())
}

fn effects() -> Effects {
    Effects { move_until: Some(ambient::now()), keep: true }
}
