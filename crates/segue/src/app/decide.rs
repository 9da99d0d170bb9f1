//! What a person decides of a run that a guard stopped.

use jiff::Timestamp;
use ledger::{Decision, Ledger, RunDetail};
use uuid::Uuid;

use crate::failure::{Failure, Kind};

/// The longest reason, in characters.
pub(crate) const REASON_CHARS_MAX: usize = 500;

/// Writes a decision down and returns the run as it is then.
///
/// # Errors
/// No guard holds the run, or somebody has decided before.
pub(crate) async fn decide(
    ledger: &Ledger,
    run_id: Uuid,
    decision: Decision,
    actor: &str,
    reason: Option<&str>,
    now: Timestamp,
) -> Result<RunDetail, Failure> {
    let known = ledger.run(run_id).await?;
    let is_held = known.as_ref().is_some_and(|known| known.run.is_held());
    if !is_held {
        return Err(Failure::usage(format!("no guard holds run {run_id}"))
            .hint("`segue runs` shows which runs are blocked, and why."));
    }
    if known.and_then(|known| known.hold).is_some_and(|hold| hold.decision.is_some()) {
        return Err(Failure::usage(format!("somebody has decided about run {run_id} already"))
            .hint("`segue show` says who, and what."));
    }
    ledger.decide(run_id, decision, actor, reason.map(str::trim), now).await?;
    let detail = ledger.run(run_id).await?;
    detail.ok_or_else(|| Failure::new(Kind::Internal, "a run that was decided of has no record"))
}
