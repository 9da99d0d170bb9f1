//! An attempt at a slot: taken, kept, and ended. Each step is one transaction, and names the claim by
//! which the slot was taken.

use jiff::Timestamp;
use uuid::Uuid;

use crate::alert::{self, NewAlert};
use crate::close::MESSAGE_CHARS_MAX;
use crate::error::{Error, Result};
use crate::open::Ledger;
use crate::slot::{DEATHS_MAX, NEVER, POISON, SlotClaim, SlotEnd, SlotKey, SlotState};
use crate::sql::query;

impl Ledger {
    /// Takes a slot that waits, for as long as the lease says. `None` when it does not wait any more.
    pub async fn begin_slot(&self, key: &SlotKey, now: Timestamp) -> Result<Option<SlotClaim>> {
        let mut write = self.write().await?;
        let lease_until = self.lease_until(&mut write, now).await?;
        // A committed run has to go on at last, also one that was poison: its count begins anew.
        let row = query(
            "UPDATE slots SET state = 'running', owner = ?, epoch = epoch + 1, lease_until = ?,
                 began = ?,
                 counted_from = CASE WHEN state = 'blocked' AND reason = 'poison' THEN epoch ELSE counted_from END,
                 starts = CASE WHEN state = 'blocked' AND reason = 'poison' THEN 1 ELSE starts + 1 END
             WHERE activation = ? AND segment = ? AND slot = ? AND state IN ('planned', 'blocked')
             RETURNING epoch, starts, attempts",
        )
        .bind(&*self.owner.name)
        .bind(lease_until)
        .bind(now.as_microsecond())
        .bind(&key.activation)
        .bind(&key.segment)
        .bind(key.slot.as_microsecond())
        .fetch_optional(write.connection())
        .await?;
        let Some(row) = row else { return Ok(None) };
        let claim = SlotClaim {
            key: key.clone(),
            epoch: row.try_get("epoch")?,
            starts: row.try_get("starts")?,
            attempts: row.try_get("attempts")?,
        };
        write.commit().await?;
        Ok(Some(claim))
    }

    /// Names the run of a slot.
    ///
    /// # Errors
    /// `SlotFenced` when somebody else has the slot.
    pub async fn slot_run(&self, claim: &SlotClaim, run_id: Uuid) -> Result<()> {
        let mut write = self.write().await?;
        let done = query(
            "UPDATE slots SET run_id = ?
             WHERE activation = ? AND segment = ? AND slot = ? AND epoch = ? AND state = 'running'",
        )
        .bind(run_id.to_string())
        .bind(&claim.key.activation)
        .bind(&claim.key.segment)
        .bind(claim.key.slot.as_microsecond())
        .bind(claim.epoch)
        .execute(write.connection())
        .await?;
        fence(claim, done.rows_affected())?;
        write.commit().await
    }

    /// Keeps a slot for longer, and with it the run that the caller has for it.
    ///
    /// # Errors
    /// `SlotFenced` when somebody else has the slot.
    pub async fn renew_slot(&self, claim: &SlotClaim, now: Timestamp) -> Result<()> {
        let mut write = self.write().await?;
        let lease_until = self.lease_until(&mut write, now).await?;
        let done = query(
            "UPDATE slots SET lease_until = ?
             WHERE activation = ? AND segment = ? AND slot = ? AND epoch = ? AND state = 'running'",
        )
        .bind(lease_until)
        .bind(&claim.key.activation)
        .bind(&claim.key.segment)
        .bind(claim.key.slot.as_microsecond())
        .bind(claim.epoch)
        .execute(write.connection())
        .await?;
        fence(claim, done.rows_affected())?;
        query(
            "UPDATE runs SET lease_until = ?
             WHERE owner = ? AND lease_until IS NOT NULL AND run_id = (SELECT run_id FROM slots
                 WHERE activation = ? AND segment = ? AND slot = ?)",
        )
        .bind(lease_until)
        .bind(&*self.owner.name)
        .bind(&claim.key.activation)
        .bind(&claim.key.segment)
        .bind(claim.key.slot.as_microsecond())
        .execute(write.connection())
        .await?;
        write.commit().await
    }

    /// Writes down what an attempt came to.
    ///
    /// # Errors
    /// `SlotFenced` when somebody else has the slot.
    pub async fn end_slot(&self, claim: &SlotClaim, end: &SlotEnd, now: Timestamp) -> Result<()> {
        self.end_slot_with(claim, end, &[], now).await
    }

    /// The same, with what somebody should be told of it, in one transaction.
    ///
    /// # Errors
    /// As for [`Ledger::end_slot`].
    pub async fn end_slot_with(
        &self,
        claim: &SlotClaim,
        end: &SlotEnd,
        alerts: &[NewAlert],
        now: Timestamp,
    ) -> Result<()> {
        let (state, stop, not_before) = match end {
            SlotEnd::Delivered => (SlotState::Delivered, None, now),
            SlotEnd::Skipped(stop) => (SlotState::Skipped, Some(stop), now),
            SlotEnd::Failed(stop) => (SlotState::Failed, Some(stop), now),
            SlotEnd::Blocked(stop, at) => (SlotState::Blocked, Some(stop), *at),
            // It goes on when somebody says so, and not by itself.
            SlotEnd::Held(stop) => (SlotState::Blocked, Some(stop), NEVER),
            SlotEnd::Retry(stop, at) => (SlotState::Planned, Some(stop), *at),
            SlotEnd::Elsewhere(at) => (SlotState::Planned, None, *at),
            SlotEnd::Released => (SlotState::Planned, None, now),
        };
        let is_counted = matches!(end, SlotEnd::Retry(..) | SlotEnd::Blocked(..));
        // Whoever was taken for dead may still say that it lives. This attempt itself did not die.
        let is_poison = stop.is_some_and(|stop| stop.code == POISON);
        let mut write = self.write().await?;
        let done = query(
            "UPDATE slots SET state = ?, reason = ?, message = ?, not_before = ?, finished = ?,
                 attempts = attempts + ?, owner = NULL, lease_until = NULL,
                 starts = CASE WHEN ? = 1 THEN starts - 1 ELSE 0 END,
                 counted_from = CASE WHEN ? = 1 THEN counted_from ELSE epoch END
             WHERE activation = ? AND segment = ? AND slot = ? AND epoch = ? AND state = 'running'",
        )
        .bind(state.as_str())
        .bind(stop.map(|stop| stop.code.as_str()))
        .bind(stop.map(|stop| stop.message.chars().take(MESSAGE_CHARS_MAX).collect::<String>()))
        .bind(not_before.as_microsecond())
        .bind(state.is_over().then(|| now.as_microsecond()))
        .bind(is_counted)
        .bind(is_poison)
        .bind(is_poison)
        .bind(&claim.key.activation)
        .bind(&claim.key.segment)
        .bind(claim.key.slot.as_microsecond())
        .bind(claim.epoch)
        .execute(write.connection())
        .await?;
        fence(claim, done.rows_affected())?;
        for alert in alerts {
            alert::insert(write.connection(), alert, now).await?;
        }
        write.commit().await
    }

    /// Says that whoever made a claim lives, although the slot is or will be somebody else's: its
    /// attempt does not count among those under which the process died. Said once for each claim. A slot
    /// that was given up because of it is planned again.
    pub async fn let_go(&self, claim: &SlotClaim, now: Timestamp) -> Result<()> {
        let mut write = self.write().await?;
        let db = write.connection();
        // An attempt that ended since then ended the count too.
        let done = query(
            "UPDATE slots SET starts = starts - 1
             WHERE activation = ?1 AND segment = ?2 AND slot = ?3 AND epoch >= ?4
                 AND counted_from < ?4 AND starts > 0",
        )
        .bind(&claim.key.activation)
        .bind(&claim.key.segment)
        .bind(claim.key.slot.as_microsecond())
        .bind(claim.epoch)
        .execute(&mut *db)
        .await?;
        if done.rows_affected() == 0 {
            return Ok(());
        }
        query(
            "UPDATE slots SET state = 'planned', reason = NULL, message = NULL, finished = NULL, not_before = ?
             WHERE activation = ? AND segment = ? AND slot = ? AND state IN ('failed', 'blocked')
                 AND reason = ? AND starts < ?",
        )
        .bind(now.as_microsecond())
        .bind(&claim.key.activation)
        .bind(&claim.key.segment)
        .bind(claim.key.slot.as_microsecond())
        .bind(POISON)
        .bind(DEATHS_MAX)
        .execute(db)
        .await?;
        write.commit().await
    }
}

fn fence(claim: &SlotClaim, rows: u64) -> Result<()> {
    if rows == 1 {
        return Ok(());
    }
    let SlotKey { activation, segment, slot } = claim.key.clone();
    Err(Error::SlotFenced { activation, segment, slot, epoch: claim.epoch })
}
