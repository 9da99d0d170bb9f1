//! The ends of a run that are not delivery.

use jiff::Timestamp;

use crate::claim::release_keys;
use crate::error::Result;
use crate::open::Ledger;
use crate::run::{Claim, RunState, Stop};
use crate::sql::query;
use crate::staging::{Step, advance};

/// The longest message that is kept with a run, in characters.
pub const MESSAGE_CHARS_MAX: usize = 2_000;

const SKIP: Step = Step {
    name: "be skipped",
    from: [RunState::Claimed, RunState::Staging],
    to: Some(RunState::Skipped),
};
const FAIL: Step =
    Step { name: "fail", from: [RunState::Claimed, RunState::Staging], to: Some(RunState::Failed) };
const BLOCK: Step = Step {
    name: "be blocked",
    from: [RunState::Committing, RunState::Committing],
    to: Some(RunState::Blocked),
};

impl Ledger {
    /// Closes a run for which there was nothing to send. It is final.
    pub async fn skip(&self, claim: &Claim, stop: &Stop, now: Timestamp) -> Result<()> {
        self.stop(claim, &SKIP, stop, now).await
    }

    /// Closes a run that could not be staged or must not be sent. Its keys are free, and it may be
    /// claimed again.
    pub async fn fail(&self, claim: &Claim, stop: &Stop, now: Timestamp) -> Result<()> {
        self.stop(claim, &FAIL, stop, now).await
    }

    /// Marks a committed run that cannot go on by itself. It keeps its keys, and the next claim goes
    /// on with it.
    pub async fn block(&self, claim: &Claim, stop: &Stop, now: Timestamp) -> Result<()> {
        self.stop(claim, &BLOCK, stop, now).await
    }

    async fn stop(&self, claim: &Claim, step: &Step, stop: &Stop, now: Timestamp) -> Result<()> {
        let mut write = self.write().await?;
        let db = write.connection();
        advance(db, claim, step, now).await?;
        let is_over = step.to.is_some_and(RunState::is_over);
        query("UPDATE runs SET stop_code = ?, stop_message = ?, finished = ? WHERE run_id = ?")
            .bind(&stop.code)
            .bind(stop.message.chars().take(MESSAGE_CHARS_MAX).collect::<String>())
            .bind(is_over.then(|| now.as_microsecond()))
            .bind(claim.run_id.to_string())
            .execute(&mut *db)
            .await?;
        if is_over {
            release_keys(db, claim.run_id).await?;
        }
        write.commit().await
    }
}
