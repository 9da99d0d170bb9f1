//! The schedule's memory: each pass of the planner is one transaction, and so is each step of a slot.

use jiff::{SignedDuration, Timestamp};
use plan::planner::{Decision, Reason};
use uuid::Uuid;

use crate::alert::{self, NewAlert};
use crate::close::MESSAGE_CHARS_MAX;
use crate::error::{Error, Result};
use crate::history;
use crate::open::{Ledger, Write};
use crate::run::Stop;
use crate::slot::{
    DEATHS_MAX, Disabled, ExportMark, NEVER, Origin, SlotClaim, SlotEnd, SlotKey, SlotRecord,
    SlotState,
};
use crate::sql::{Query, Row, Transaction, query};

/// The most slots that one list holds.
pub const SLOTS_LISTED_MAX: u32 = 10_000;

/// How many marks one statement moves.
const MARKS_AT_ONCE: usize = 100;

/// Which slots to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SlotFilter {
    /// Only those of this activation.
    pub activation: Option<String>,
    /// Only those of this segment.
    pub segment: Option<String>,
    /// Only those in this state.
    pub state: Option<SlotState>,
    /// Only those behind this one in the list.
    pub behind: Option<SlotKey>,
    /// At most so many, [`SLOTS_LISTED_MAX`] without it or beyond it.
    pub limit: Option<u32>,
}

impl Ledger {
    /// Returns up to where the slots of every export are decided.
    pub async fn export_marks(&self) -> Result<Vec<ExportMark>> {
        let mut read = self.read().await?;
        let rows = query("SELECT * FROM exports ORDER BY activation, segment")
            .fetch_all(&mut read)
            .await?;
        let mark = |row: &Row| {
            Ok(ExportMark {
                activation: row.try_get("activation")?,
                segment: row.try_get("segment")?,
                decided_through: history::time(row, "decided_through")?,
            })
        };
        rows.iter().map(mark).collect()
    }

    /// Begins to decide about an export that is seen for the first time: nothing before `mark` is due.
    pub async fn begin_export(&self, mark: &ExportMark) -> Result<()> {
        let mut write = self.write().await?;
        query(
            "INSERT INTO exports (activation, segment, decided_through) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        )
        .bind(&mark.activation)
        .bind(&mark.segment)
        .bind(mark.decided_through.as_microsecond())
        .execute(write.connection())
        .await?;
        write.commit().await
    }

    /// Writes down what a pass decided, and moves the mark; all of it or nothing. `mark` is the one
    /// that the decision was made from: if it has moved, another pass was faster, and nothing is
    /// written.
    ///
    /// Returns whether it was written.
    pub async fn record_decision(
        &self,
        mark: &ExportMark,
        destination: &str,
        decision: &Decision,
        now: Timestamp,
    ) -> Result<bool> {
        let mut write = self.write().await?;
        let db = write.connection();
        let moved = query(
            "UPDATE exports SET decided_through = ?
             WHERE activation = ? AND segment = ? AND decided_through = ?",
        )
        .bind(decision.decided_through.as_microsecond())
        .bind(&mark.activation)
        .bind(&mark.segment)
        .bind(mark.decided_through.as_microsecond())
        .execute(&mut *db)
        .await?;
        if moved.rows_affected() != 1 {
            return Ok(false);
        }
        let key = |slot| SlotKey {
            activation: mark.activation.clone(),
            segment: mark.segment.clone(),
            slot,
        };
        for slot in &decision.planned {
            let new = NewSlot::planned(key(*slot), destination, Origin::Schedule);
            insert(db, &new, now).await?;
        }
        for skipped in &decision.skipped {
            let new = NewSlot {
                first_slot: skipped.from,
                count: skipped.count,
                skipped: Some(skipped.reason),
                ..NewSlot::planned(key(skipped.to), destination, Origin::Schedule)
            };
            insert(db, &new, now).await?;
        }
        for (slot, reason) in &decision.withdrawn {
            withdraw(db, &key(*slot), *reason, now).await?;
        }
        write.commit().await?;
        Ok(true)
    }

    /// Moves the marks of exports that had no slot since, all in one transaction. A mark that another
    /// pass has moved stays.
    pub async fn advance_marks(&self, marks: &[ExportMark], through: Timestamp) -> Result<()> {
        let mut write = self.write().await?;
        for marks in marks.chunks(MARKS_AT_ONCE) {
            let row = |mark: usize| {
                let first = 2 + 3 * mark;
                format!("(?{first}, ?{}, ?{})", first + 1, first + 2)
            };
            let rows = (0..marks.len()).map(row).collect::<Vec<_>>().join(", ");
            let update = query(format!(
                "UPDATE exports SET decided_through = ?1 WHERE decided_through < ?1
                     AND (activation, segment, decided_through) IN (VALUES {rows})"
            ));
            let bind = |update: Query, mark: &ExportMark| {
                update
                    .bind(&mark.activation)
                    .bind(&mark.segment)
                    .bind(mark.decided_through.as_microsecond())
            };
            let update = marks.iter().fold(update.bind(through.as_microsecond()), bind);
            update.execute(write.connection()).await?;
        }
        write.commit().await
    }

    /// Plans a slot that somebody asked for. One that is planned or over for that time stays as it is,
    /// except a skipped or failed one, which is planned again. Earlier ones of the same export that
    /// wait are skipped: it takes their place.
    ///
    /// Returns the slot as it is then.
    pub async fn request_slot(
        &self,
        key: &SlotKey,
        destination: &str,
        actor: &str,
        now: Timestamp,
    ) -> Result<SlotRecord> {
        let mut write = self.write().await?;
        let db = write.connection();
        let new = NewSlot {
            actor: Some(actor),
            ..NewSlot::planned(key.clone(), destination, Origin::Request)
        };
        insert(db, &new, now).await?;
        query(
            "UPDATE slots SET state = 'planned', origin = 'request', actor = ?, reason = NULL, message = NULL,
                 finished = NULL, not_before = ?, attempts = 0, starts = 0, counted_from = epoch
             WHERE activation = ? AND segment = ? AND slot = ? AND slot_count = 1
                 AND state IN ('skipped', 'failed', 'blocked')",
        )
        .bind(actor)
        .bind(now.as_microsecond())
        .bind(&key.activation)
        .bind(&key.segment)
        .bind(key.slot.as_microsecond())
        .execute(&mut *db)
        .await?;
        let record = find(db, key).await?.ok_or_else(|| history::corrupt("slot", "nothing"))?;
        let earlier = query(
            "SELECT slot FROM slots
             WHERE activation = ? AND segment = ? AND slot < ? AND state = 'planned'",
        )
        .bind(&key.activation)
        .bind(&key.segment)
        .bind(key.slot.as_microsecond())
        .fetch_all(&mut *db)
        .await?;
        for row in &earlier {
            let slot = history::time(row, "slot")?;
            withdraw(db, &SlotKey { slot, ..key.clone() }, Reason::Superseded, now).await?;
        }
        write.commit().await?;
        Ok(record)
    }

    /// Closes a slot that may not come behind a later one any more, and its run, if a guard holds that:
    /// a later run was delivered, and `message` says what that means. Nothing of it is visible.
    ///
    /// # Errors
    /// `Elsewhere` when another process works at the run.
    pub async fn supersede(
        &self,
        key: &SlotKey,
        run_id: Uuid,
        message: &str,
        now: Timestamp,
    ) -> Result<()> {
        let mut write = self.write().await?;
        if self.is_elsewhere(&mut write, run_id, now).await? {
            return Err(Error::Elsewhere { run_id });
        }
        let db = write.connection();
        let code = Reason::Superseded.code();
        query(
            "UPDATE runs SET state = 'skipped', stop_code = ?1, stop_message = ?2, updated = ?3, finished = ?3
             WHERE run_id = ?4 AND state = 'blocked' AND committed IS NULL",
        )
        .bind(code)
        .bind(message)
        .bind(now.as_microsecond())
        .bind(run_id.to_string())
        .execute(&mut *db)
        .await?;
        query(
            "UPDATE slots SET state = 'skipped', reason = ?, message = ?, finished = ?
             WHERE activation = ? AND segment = ? AND slot = ? AND state IN ('planned', 'blocked')",
        )
        .bind(code)
        .bind(message)
        .bind(now.as_microsecond())
        .bind(&key.activation)
        .bind(&key.segment)
        .bind(key.slot.as_microsecond())
        .execute(&mut *db)
        .await?;
        write.commit().await
    }

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

    /// Lists the slots that are not over, in the order of their times.
    pub async fn open_slots(&self) -> Result<Vec<SlotRecord>> {
        let mut read = self.read().await?;
        let rows = query(
            "SELECT * FROM slots WHERE state IN ('planned', 'running', 'blocked')
             ORDER BY slot, activation, segment LIMIT ?",
        )
        .bind(SLOTS_LISTED_MAX)
        .fetch_all(&mut read)
        .await?;
        rows.iter().map(slot_record).collect()
    }

    /// Lists slots, the latest first.
    pub async fn slots(&self, filter: &SlotFilter) -> Result<Vec<SlotRecord>> {
        let mut read = self.read().await?;
        let behind = filter.behind.as_ref();
        let rows = query(
            "SELECT * FROM slots
             WHERE (?1 IS NULL OR activation = ?1) AND (?2 IS NULL OR segment = ?2)
                 AND (?3 IS NULL OR state = ?3)
                 AND (?4 IS NULL OR slot < ?4 OR (slot = ?4 AND (activation, segment) > (?5, ?6)))
             ORDER BY slot DESC, activation, segment LIMIT ?7",
        )
        .bind(&filter.activation)
        .bind(&filter.segment)
        .bind(filter.state.map(SlotState::as_str))
        .bind(behind.map(|key| key.slot.as_microsecond()))
        .bind(behind.map(|key| key.activation.as_str()))
        .bind(behind.map(|key| key.segment.as_str()))
        .bind(filter.limit.unwrap_or(SLOTS_LISTED_MAX).min(SLOTS_LISTED_MAX))
        .fetch_all(&mut read)
        .await?;
        rows.iter().map(slot_record).collect()
    }

    /// Counts the slots that are over, by state and reason.
    pub async fn slot_totals(&self) -> Result<Vec<(String, String, u64)>> {
        let mut read = self.read().await?;
        let rows = query(
            "SELECT state, coalesce(reason, '') AS reason, CAST(sum(slot_count) AS BIGINT) AS total FROM slots
             WHERE state IN ('delivered', 'skipped', 'failed')
             GROUP BY state, reason ORDER BY state, reason",
        )
        .fetch_all(&mut read)
        .await?;
        rows.iter()
            .map(|row| Ok((row.try_get("state")?, row.try_get("reason")?, row.try_get("total")?)))
            .collect()
    }

    /// Returns a slot, if there is such a slot.
    pub async fn slot(&self, key: &SlotKey) -> Result<Option<SlotRecord>> {
        find(&mut self.read().await?, key).await
    }

    /// Takes a slot that waits, for as long as the lease says. `None` when it does not wait any more.
    pub async fn begin_slot(&self, key: &SlotKey, now: Timestamp) -> Result<Option<SlotClaim>> {
        let mut write = self.write().await?;
        let lease_until = self.lease_until(&mut write, now).await?;
        let row = query(
            "UPDATE slots SET state = 'running', owner = ?, epoch = epoch + 1, lease_until = ?,
                 began = ?, starts = starts + 1
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
            SlotEnd::Released => (SlotState::Planned, None, now),
        };
        let is_counted = matches!(end, SlotEnd::Retry(..) | SlotEnd::Blocked(..));
        let mut write = self.write().await?;
        let done = query(
            "UPDATE slots SET state = ?, reason = ?, message = ?, not_before = ?, finished = ?,
                 attempts = attempts + ?, starts = 0, counted_from = epoch, owner = NULL,
                 lease_until = NULL
             WHERE activation = ? AND segment = ? AND slot = ? AND epoch = ? AND state = 'running'",
        )
        .bind(state.as_str())
        .bind(stop.map(|stop| stop.code.as_str()))
        .bind(stop.map(|stop| stop.message.chars().take(MESSAGE_CHARS_MAX).collect::<String>()))
        .bind(not_before.as_microsecond())
        .bind(state.is_over().then(|| now.as_microsecond()))
        .bind(is_counted)
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
    /// attempt does not count among those under which the process died. Said once for each claim.
    pub async fn let_go(&self, claim: &SlotClaim) -> Result<()> {
        let mut write = self.write().await?;
        // An attempt that ended since then ended the count too.
        query(
            "UPDATE slots SET starts = starts - 1
             WHERE activation = ?1 AND segment = ?2 AND slot = ?3 AND epoch >= ?4
                 AND counted_from < ?4 AND starts > 0",
        )
        .bind(&claim.key.activation)
        .bind(&claim.key.segment)
        .bind(claim.key.slot.as_microsecond())
        .bind(claim.epoch)
        .execute(write.connection())
        .await?;
        write.commit().await
    }

    /// Disables an activation; one that is disabled stays as it is.
    pub async fn disable(&self, activation: &str, actor: &str, now: Timestamp) -> Result<()> {
        let mut write = self.write().await?;
        query(
            "INSERT INTO disabled_activations (activation, since, actor) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        )
        .bind(activation)
        .bind(now.as_microsecond())
        .bind(actor)
        .execute(write.connection())
        .await?;
        write.commit().await
    }

    /// Enables an activation. Slots that were skipped stay skipped.
    pub async fn enable(&self, activation: &str) -> Result<()> {
        let mut write = self.write().await?;
        query("DELETE FROM disabled_activations WHERE activation = ?")
            .bind(activation)
            .execute(write.connection())
            .await?;
        write.commit().await
    }

    /// Lists the activations that are disabled.
    pub async fn disabled(&self) -> Result<Vec<Disabled>> {
        let mut read = self.read().await?;
        let rows = query("SELECT * FROM disabled_activations ORDER BY activation")
            .fetch_all(&mut read)
            .await?;
        let disabled = |row: &Row| {
            Ok(Disabled {
                activation: row.try_get("activation")?,
                since: history::time(row, "since")?,
                actor: row.try_get("actor")?,
            })
        };
        rows.iter().map(disabled).collect()
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

/// What is known of a slot at its beginning.
struct NewSlot<'a> {
    key: SlotKey,
    first_slot: Timestamp,
    count: u64,
    destination: &'a str,
    origin: Origin,
    actor: Option<&'a str>,
    skipped: Option<Reason>,
}

impl<'a> NewSlot<'a> {
    fn planned(key: SlotKey, destination: &'a str, origin: Origin) -> Self {
        let first_slot = key.slot;
        Self { key, first_slot, count: 1, destination, origin, actor: None, skipped: None }
    }
}

/// A slot that is there already, because somebody asked for a run at that very time, stays.
async fn insert(db: &mut Transaction, new: &NewSlot<'_>, now: Timestamp) -> Result<()> {
    let state = if new.skipped.is_some() { SlotState::Skipped } else { SlotState::Planned };
    query(
        "INSERT INTO slots (activation, segment, slot, first_slot, slot_count, destination,
             origin, actor, state, reason, message, planned, finished, not_before)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
    )
    .bind(&new.key.activation)
    .bind(&new.key.segment)
    .bind(new.key.slot.as_microsecond())
    .bind(new.first_slot.as_microsecond())
    .bind(crate::staging::signed(new.count))
    .bind(new.destination)
    .bind(new.origin.as_str())
    .bind(new.actor)
    .bind(state.as_str())
    .bind(new.skipped.map(Reason::code))
    .bind(new.skipped.map(Reason::text))
    .bind(now.as_microsecond())
    .bind(new.skipped.map(|_| now.as_microsecond()))
    .bind(now.as_microsecond())
    .execute(db)
    .await?;
    Ok(())
}

/// A slot that began in the meantime goes on.
async fn withdraw(
    db: &mut Transaction,
    key: &SlotKey,
    reason: Reason,
    now: Timestamp,
) -> Result<()> {
    query(
        "UPDATE slots SET state = 'skipped', reason = ?, message = ?, finished = ?
         WHERE activation = ? AND segment = ? AND slot = ? AND state = 'planned'",
    )
    .bind(reason.code())
    .bind(reason.text())
    .bind(now.as_microsecond())
    .bind(&key.activation)
    .bind(&key.segment)
    .bind(key.slot.as_microsecond())
    .execute(db)
    .await?;
    Ok(())
}

async fn find(db: &mut Transaction, key: &SlotKey) -> Result<Option<SlotRecord>> {
    let row = query("SELECT * FROM slots WHERE activation = ? AND segment = ? AND slot = ?")
        .bind(&key.activation)
        .bind(&key.segment)
        .bind(key.slot.as_microsecond())
        .fetch_optional(db)
        .await?;
    row.as_ref().map(slot_record).transpose()
}

fn fence(claim: &SlotClaim, rows: u64) -> Result<()> {
    if rows == 1 {
        return Ok(());
    }
    let SlotKey { activation, segment, slot } = claim.key.clone();
    Err(Error::SlotFenced { activation, segment, slot, epoch: claim.epoch })
}

fn slot_record(row: &Row) -> Result<SlotRecord> {
    let state: String = row.try_get("state")?;
    let origin: String = row.try_get("origin")?;
    let code: Option<String> = row.try_get("reason")?;
    let message: Option<String> = row.try_get("message")?;
    let run_id: Option<String> = row.try_get("run_id")?;
    Ok(SlotRecord {
        key: SlotKey {
            activation: row.try_get("activation")?,
            segment: row.try_get("segment")?,
            slot: history::time(row, "slot")?,
        },
        first_slot: history::time(row, "first_slot")?,
        count: row.try_get("slot_count")?,
        destination: row.try_get("destination")?,
        origin: Origin::ALL
            .into_iter()
            .find(|it| it.as_str() == origin)
            .ok_or_else(|| history::corrupt("origin", &origin))?,
        actor: row.try_get("actor")?,
        state: SlotState::parse(&state).ok_or_else(|| history::corrupt("state", &state))?,
        stop: code.zip(message).map(|(code, message)| Stop { code, message }),
        run_id: run_id.map(|_| history::uuid(row, "run_id")).transpose()?,
        planned: history::time(row, "planned")?,
        began: history::optional_time(row, "began")?,
        finished: history::optional_time(row, "finished")?,
        not_before: history::time(row, "not_before")?,
        attempts: row.try_get("attempts")?,
        starts: row.try_get("starts")?,
    })
}
