//! A run that fails before it could begin: it ends in the ledger all the same.

use ledger::{Claimed, Ledger, NewRun, RunState, Stop};
use plan::RunPlan;

use super::class_of;
use crate::ambient;
use crate::failure::Failure;

/// Writes down that a run to `store` failed: its input or its destination could not be opened, or another
/// run has its keys. What is committed, held or over stays as it is, and so does what another process
/// works at.
///
/// # Errors
/// The ledger cannot be written.
pub(crate) async fn fail_unopened(
    ledger: &Ledger,
    plan: &RunPlan,
    store: &str,
    failure: &Failure,
) -> Result<(), Failure> {
    let known = ledger.run(plan.run_id).await?.map(|known| known.run);
    let stays = known.is_some_and(|run| {
        run.is_committed()
            || run.is_held()
            || matches!(run.state, RunState::Delivered | RunState::Skipped)
    });
    if stays {
        return Ok(());
    }
    let now = ambient::now();
    // It writes to no key, and asks for none.
    let new = NewRun { keys: Vec::new(), ..NewRun::of(plan, store) };
    let Claimed::Run(claim) = ledger.claim(&new, now).await? else {
        return Ok(());
    };
    let code = class_of(failure.kind).code().to_owned();
    Ok(ledger.fail(&claim, &Stop { code, message: failure.one_line() }, now).await?)
}
