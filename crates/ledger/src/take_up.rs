//! Slots that nobody works at any more: of a process that is gone, or of a server whose leases are over.

use jiff::{SignedDuration, Timestamp};

use crate::error::Result;
use crate::open::{Ledger, Write};
use crate::slot::DEATHS_MAX;
use crate::sql::{Transaction, query};

impl Ledger {
    /// Takes up what an earlier process left, at the start of this one: slots that it had are planned
    /// again, and every run that is not over, and that no open slot is for, gets one. A ledger in a file
    /// has one process, so all that is under way there was left; one that is shared has servers that
    /// live, and what they have stays theirs.
    ///
    /// Returns how many were taken up.
    pub async fn take_up(&self, now: Timestamp) -> Result<u64> {
        let mut write = self.write().await?;
        let db = write.connection();
        if !self.is_shared() {
            let released = query(
                "UPDATE slots SET state = 'planned', owner = NULL, lease_until = NULL, not_before = ?
                 WHERE state = 'running'",
            )
            .bind(now.as_microsecond())
            .execute(&mut *db)
            .await?;
            let reopened = reopen(db, now, now).await?;
            write.commit().await?;
            return Ok(released.rows_affected() + reopened);
        }
        // Who starts under this name does not work any more at what it had.
        for statement in [
            "UPDATE runs SET lease_until = NULL WHERE owner = ? AND lease_until IS NOT NULL",
            "UPDATE slots SET lease_until = 0 WHERE owner = ? AND state = 'running'",
        ] {
            query(statement).bind(&*self.owner.name).execute(&mut *db).await?;
        }
        let taken = take_over_expired(&mut write, self.owner.lease, now).await?;
        write.commit().await?;
        Ok(taken)
    }

    /// Takes up what a server left that died or stopped: slots and runs whose leases are over, by the
    /// clock of the database. For servers that share a ledger, again and again.
    ///
    /// Returns how many were taken up.
    pub async fn take_up_expired(&self, now: Timestamp) -> Result<u64> {
        if !self.is_shared() {
            return Ok(0);
        }
        let mut write = self.write().await?;
        let taken = take_over_expired(&mut write, self.owner.lease, now).await?;
        write.commit().await?;
        Ok(taken)
    }
}

/// Plans the slots again whose leases are over, unless their runs are still kept, and gives the runs
/// whose leases are over a slot.
///
/// A slot that its next attempt may give up for good waits as long as a lease: who only was slow says so
/// by then.
async fn take_over_expired(
    write: &mut Write,
    lease: SignedDuration,
    now: Timestamp,
) -> Result<u64> {
    let clock = write.clock(now).await?;
    let db = write.connection();
    // Whoever had them is fenced off at once, and cannot come back before the next claim.
    query(
        "UPDATE runs SET epoch = epoch + 1, lease_until = NULL
         WHERE state IN ('claimed', 'staging', 'committing') AND lease_until <= ?",
    )
    .bind(clock.as_microsecond())
    .execute(&mut *db)
    .await?;
    let released = query(
        "UPDATE slots SET state = 'planned', owner = NULL, lease_until = NULL,
             not_before = CASE WHEN starts < ?3 THEN ?1 ELSE ?4 END
         WHERE state = 'running' AND lease_until <= ?2 AND NOT EXISTS (
             SELECT 1 FROM runs WHERE runs.run_id = slots.run_id AND runs.lease_until > ?2)",
    )
    .bind(now.as_microsecond())
    .bind(clock.as_microsecond())
    .bind(DEATHS_MAX)
    .bind(now.checked_add(lease).unwrap_or(now).as_microsecond())
    .execute(&mut *db)
    .await?;
    Ok(released.rows_affected() + reopen(db, clock, now).await?)
}

/// Gives every run that is not over, that nobody keeps, and that no open slot is for, a slot.
async fn reopen(db: &mut Transaction, clock: Timestamp, now: Timestamp) -> Result<u64> {
    let reopened = query(
        "INSERT INTO slots (activation, segment, slot, first_slot, slot_count, destination, origin,
             state, run_id, planned, not_before)
         SELECT activation, segment, slot, slot, 1, destination, 'recovery', 'planned', run_id, ?1, ?1
         FROM runs WHERE (state IN ('claimed', 'staging', 'committing')
                 OR (state = 'blocked' AND committed IS NOT NULL))
             AND (lease_until IS NULL OR lease_until <= ?2)
         ON CONFLICT (activation, segment, slot) DO UPDATE
             SET state = 'planned', finished = NULL, not_before = ?1
             WHERE slots.state NOT IN ('planned', 'running', 'blocked')",
    )
    .bind(now.as_microsecond())
    .bind(clock.as_microsecond())
    .execute(db)
    .await?;
    Ok(reopened.rows_affected())
}
