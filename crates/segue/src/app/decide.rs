//! What a person decides of a run that waits for one: a guard stopped it before anything was visible, or
//! it is committed, and somebody else changed what stands at its keys.

use delivery::store::{AtKey, Store};
use jiff::Timestamp;
use ledger::alert::{Channel, Telling};
use ledger::{Claim, Decision, Ledger, RunDetail, RunRecord, RunState, SlotKey};
use plan::project::Export;
use plan::staged::{Condition, StagedObject};
use uuid::Uuid;

use crate::ambient;
use crate::failure::{Failure, Kind};
use crate::run;
use crate::stores;
use crate::workspace::Workspace;

/// The longest reason, in characters.
pub(crate) const REASON_CHARS_MAX: usize = 500;

/// What somebody wants to become of a run.
pub(crate) struct Asked<'a> {
    pub(crate) decision: Decision,
    pub(crate) actor: &'a str,
    pub(crate) reason: Option<&'a str>,
    /// In which ways it is told when the run ends by that.
    pub(crate) to: &'a [Channel],
}

/// Does what was decided, writes it down, and returns the run as it is then. A held run that a later
/// one has overtaken is not released but skipped: nothing of it is missing. What ends is told.
///
/// # Errors
/// The run waits for nobody, somebody has decided before, or its destination cannot be asked.
pub(crate) async fn decide(
    workspace: &Workspace,
    ledger: &Ledger,
    run_id: Uuid,
    asked: Asked<'_>,
    now: Timestamp,
) -> Result<RunDetail, Failure> {
    let Asked { decision, actor, reason, to } = asked;
    let telling = Telling { to, id: &ambient::id };
    let known = ledger.run(run_id).await?;
    let Some(known) = known.filter(|known| waits(&known.run)) else {
        return Err(Failure::usage(format!("run {run_id} waits for nobody"))
            .hint("`segue runs` shows which runs are blocked, and why."));
    };
    if known.hold.as_ref().is_some_and(|hold| hold.decision.is_some()) && known.run.is_held() {
        return Err(Failure::usage(format!("somebody has decided about run {run_id} already"))
            .hint("`segue show` says who, and what."));
    }
    let reason = reason.map(str::trim);
    let is_late = decision == Decision::Released && is_overtaken(ledger, &known.run).await?;
    if known.run.is_held() && is_late {
        let (activation, segment) = (known.run.activation.clone(), known.run.segment.clone());
        let key = SlotKey { activation, segment, slot: known.run.slot };
        ledger.supersede(&key, run_id, run::SUPERSEDED, &telling, now).await?;
    } else if known.run.is_held() {
        ledger.decide(run_id, decision, actor, reason, &telling, now).await?;
    } else {
        let stuck = Stuck::take(workspace, ledger, &known.run, now).await?;
        match decision {
            Decision::Released => stuck.release(now).await?,
            Decision::Rejected => {
                stuck.reject(actor, reason.unwrap_or_default(), &telling, now).await?;
            }
        }
    }
    let detail = ledger.run(run_id).await?;
    detail.ok_or_else(|| Failure::new(Kind::Internal, "a run that was decided of has no record"))
}

/// Whether a later run was delivered behind which this one may not come: its increment holds what this
/// one would have sent, or its files stand under the same names. A full file with a name of its own may
/// be late.
async fn is_overtaken(ledger: &Ledger, run: &RunRecord) -> Result<bool, Failure> {
    if run.export == Export::Full && !run.is_static {
        return Ok(false);
    }
    let (delivered, _) = ledger.newest_to(&run.activation, &run.segment, &run.store).await?;
    Ok(delivered.is_some_and(|later| later.slot > run.slot))
}

/// Whether a person may decide of a run.
pub(crate) fn waits(run: &RunRecord) -> bool {
    run.state == RunState::Blocked
}

/// A committed run that is blocked, taken from whoever had it.
struct Stuck<'a> {
    ledger: &'a Ledger,
    store: std::sync::Arc<dyn Store>,
    claim: Claim,
}

impl<'a> Stuck<'a> {
    async fn take(
        workspace: &Workspace,
        ledger: &'a Ledger,
        run: &RunRecord,
        now: Timestamp,
    ) -> Result<Self, Failure> {
        let Some(store) = stores::reopen(workspace, run).await? else {
            let message = format!("the destination of run {} is not in the project", run.run_id);
            return Err(Failure::usage(message).hint("Put it back first."));
        };
        let claim = ledger.take_over(run.run_id, now).await?;
        Ok(Self { ledger, store, claim })
    }

    /// Objects that the ledger does not hold as visible.
    fn pending(&self) -> impl Iterator<Item = &StagedObject> {
        let pending = self.claim.commit.iter().filter(|object| object.published.is_none());
        pending.map(|object| &object.staged)
    }

    /// Lets the run take the place of what stands at its keys now. Only what is there at this moment is
    /// replaced: what changes after it is in the way again.
    async fn release(&self, now: Timestamp) -> Result<(), Failure> {
        for object in self.pending() {
            let condition = match self.store.inspect(object).await?.at_key {
                AtKey::Ours { .. } => continue,
                AtKey::Foreign { etag } => Condition::Unchanged { etag },
                AtKey::Absent => Condition::Absent,
                AtKey::OursButDifferent { .. } => {
                    return Err(cannot(object, "is damaged").hint("Remove it, and release again."));
                }
                AtKey::CannotSee => {
                    return Err(cannot(object, "cannot be looked at")
                        .hint("Give the account s3:GetObject and s3:ListBucket."));
                }
            };
            if condition != object.condition {
                let change = (&object.condition, &condition);
                self.ledger.recondition(&self.claim, object.number, change, now).await?;
            }
        }
        Ok(self.ledger.hurry(self.claim.run_id, now).await?)
    }

    /// Ends the run, if nothing of it is visible and nothing can become so any more.
    async fn reject(
        &self,
        actor: &str,
        reason: &str,
        telling: &Telling<'_>,
        now: Timestamp,
    ) -> Result<(), Failure> {
        self.check_invisible().await?;
        for object in self.pending() {
            self.store.abort(&object.key, &object.upload_id).await?;
        }
        // A completion may have landed before the upload was dead.
        self.check_invisible().await?;
        Ok(self.ledger.reject_committed(&self.claim, actor, reason, telling, now).await?)
    }

    async fn check_invisible(&self) -> Result<(), Failure> {
        let published = self.claim.commit.iter().find(|object| object.published.is_some());
        let mut visible = published.map(|object| object.staged.key.clone());
        for object in self.pending() {
            if visible.is_none()
                && let AtKey::Ours { .. } | AtKey::OursButDifferent { .. } =
                    self.store.inspect(object).await?.at_key
            {
                visible = Some(object.key.clone());
            }
        }
        match visible {
            None => Ok(()),
            Some(key) => {
                let message = format!("{key} of run {} is visible already", self.claim.run_id);
                Err(Failure::usage(message)
                    .hint("Release the run, so that its files are whole; Segue removes no object."))
            }
        }
    }
}

fn cannot(object: &StagedObject, what: &str) -> Failure {
    Failure::usage(format!("what stands at {} {what}", object.key))
}
