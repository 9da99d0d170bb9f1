//! Committed runs that cannot go on by themselves, because somebody else changed what stands at their
//! keys: what a person decides of them. Everything here is done under a claim, so that a worker that
//! had the run before can do nothing more.

use jiff::Timestamp;
use plan::staged::Condition;
use uuid::Uuid;

use crate::alert::Telling;
use crate::claim::release_keys;
use crate::close::MESSAGE_CHARS_MAX;
use crate::commit::condition_etag;
use crate::error::{Error, Result};
use crate::history;
use crate::hold::tell_rejected;
use crate::open::Ledger;
use crate::run::{Claim, RunState};
use crate::sql::query;
use crate::staging::{Step, advance};

const RECONDITION: Step = Step {
    name: "wait for another object",
    from: [RunState::Committing, RunState::Committing],
    to: None,
};
const REJECT: Step = Step {
    name: "be rejected",
    from: [RunState::Committing, RunState::Committing],
    to: Some(RunState::Failed),
};

impl Ledger {
    /// Lets an object of a commit record take the place of something else than it was to: `after`
    /// instead of `before`.
    ///
    /// # Errors
    /// `Inconsistent` when the object is visible, or was to take the place of something else;
    /// `Fenced`; `State`.
    pub async fn recondition(
        &self,
        claim: &Claim,
        number: u32,
        (before, after): (&Condition, &Condition),
        now: Timestamp,
    ) -> Result<()> {
        let mut write = self.write().await?;
        let db = write.connection();
        advance(db, claim, &RECONDITION, now).await?;
        let done = query(
            "UPDATE objects SET condition_etag = ?
             WHERE run_id = ? AND number = ? AND condition_etag IS NOT DISTINCT FROM ?
                 AND published IS NULL",
        )
        .bind(condition_etag(after))
        .bind(claim.run_id.to_string())
        .bind(number)
        .bind(condition_etag(before))
        .execute(&mut *db)
        .await?;
        if done.rows_affected() != 1 {
            return Err(inconsistent(claim, "the object does not wait for what it was said to"));
        }
        write.commit().await
    }

    /// Has the slot of a run begin now instead of at its next attempt.
    pub async fn hurry(&self, run_id: Uuid, now: Timestamp) -> Result<()> {
        let mut write = self.write().await?;
        query("UPDATE slots SET not_before = ? WHERE run_id = ? AND state = 'blocked'")
            .bind(now.as_microsecond())
            .bind(run_id.to_string())
            .execute(write.connection())
            .await?;
        write.commit().await
    }

    /// Ends a committed run of which nothing is visible, and whose uploads the service has confirmed to
    /// be dead: the run and its slot are failed as rejected, and its keys are free.
    ///
    /// # Errors
    /// `Inconsistent` when something of it is recorded as visible; `Fenced`; `State`.
    pub async fn reject_committed(
        &self,
        claim: &Claim,
        actor: &str,
        reason: &str,
        telling: &Telling<'_>,
        now: Timestamp,
    ) -> Result<()> {
        let mut write = self.write().await?;
        let db = write.connection();
        advance(db, claim, &REJECT, now).await?;
        let visible =
            query("SELECT 1 FROM objects WHERE run_id = ? AND published IS NOT NULL LIMIT 1")
                .bind(claim.run_id.to_string())
                .fetch_optional(&mut *db)
                .await?;
        if visible.is_some() {
            return Err(inconsistent(claim, "a part of it is visible"));
        }
        let message = format!("rejected by {actor}: {reason}");
        let message: String = message.chars().take(MESSAGE_CHARS_MAX).collect();
        query(
            "UPDATE runs SET stop_code = 'rejected', stop_message = ?, finished = ? WHERE run_id = ?",
        )
        .bind(&message)
        .bind(now.as_microsecond())
        .bind(claim.run_id.to_string())
        .execute(&mut *db)
        .await?;
        // Also while a server tries the run once more: that attempt is of no account then.
        query(
            "UPDATE slots SET state = 'failed', reason = 'rejected', message = ?, finished = ?,
                 starts = 0, owner = NULL, lease_until = NULL
             WHERE run_id = ? AND state IN ('blocked', 'planned', 'running')",
        )
        .bind(&message)
        .bind(now.as_microsecond())
        .bind(claim.run_id.to_string())
        .execute(&mut *db)
        .await?;
        release_keys(db, claim.run_id).await?;
        let run_id = claim.run_id;
        let record = history::find(db, run_id).await?.ok_or(Error::NotFound { run_id })?;
        tell_rejected(db, &record, message, telling, now).await?;
        write.commit().await
    }
}

fn inconsistent(claim: &Claim, fact: &'static str) -> Error {
    Error::Inconsistent { run_id: claim.run_id, fact }
}
