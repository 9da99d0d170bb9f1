//! What the planner decided, and what somebody asked for: where slots come from. Each pass of the planner
//! is one transaction.

use jiff::Timestamp;
use plan::planner::{Decision, Reason, Skipped};
use uuid::Uuid;

use crate::alert::{self, NewAlert, Telling};
use crate::error::{Error, Result};
use crate::history;
use crate::open::Ledger;
use crate::run::RunRecord;
use crate::slot::{ExportMark, Origin, SlotKey, SlotRecord, SlotState};
use crate::slots::find;
use crate::sql::{Query, Row, Transaction, query};

/// How many marks one statement moves.
const MARKS_AT_ONCE: usize = 100;

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
    /// written. What is skipped is told.
    ///
    /// Returns whether it was written.
    pub async fn record_decision(
        &self,
        mark: &ExportMark,
        destination: &str,
        decision: &Decision,
        telling: &Telling<'_>,
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
        for alert in of_skipped(mark, &decision.skipped, telling) {
            alert::insert(db, &alert, now).await?;
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
            withdraw(db, &key(*slot), *reason, telling, now).await?;
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
    /// except a skipped or failed one, which is planned again, and one that waits for its next attempt,
    /// which is due at once. Earlier ones of the same export that
    /// wait are skipped: it takes their place.
    ///
    /// Returns the slot as it is then.
    pub async fn request_slot(
        &self,
        key: &SlotKey,
        destination: &str,
        actor: &str,
        telling: &Telling<'_>,
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
        // One that waits for its next attempt waits no longer.
        query(
            "UPDATE slots SET not_before = ? WHERE activation = ? AND segment = ? AND slot = ?
                 AND state = 'planned' AND attempts > 0 AND not_before > ?",
        )
        .bind(now.as_microsecond())
        .bind(&key.activation)
        .bind(&key.segment)
        .bind(key.slot.as_microsecond())
        .bind(now.as_microsecond())
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
            let earlier = SlotKey { slot, ..key.clone() };
            withdraw(db, &earlier, Reason::Superseded, telling, now).await?;
        }
        write.commit().await?;
        Ok(record)
    }

    /// Plans the slot of a released run that was made without one, as those of the command line are, so
    /// that a server makes it. A slot that is there stays as it is.
    pub async fn plan_released(&self, run: &RunRecord, actor: &str, now: Timestamp) -> Result<()> {
        let (activation, segment) = (run.activation.clone(), run.segment.clone());
        let key = SlotKey { activation, segment, slot: run.slot };
        let planned = NewSlot::planned(key, &run.destination, Origin::Request);
        let mut write = self.write().await?;
        let new = NewSlot { actor: Some(actor), ..planned };
        insert(write.connection(), &new, now).await?;
        write.commit().await
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
        telling: &Telling<'_>,
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
        let closed = query(
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
        if closed.rows_affected() == 1
            && let Some(alert) = telling.of_skipped(key, Reason::Superseded, message.to_owned())
        {
            alert::insert(db, &NewAlert { run_id: Some(run_id), ..alert }, now).await?;
        }
        write.commit().await
    }
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

/// What is told of slots that are skipped together: how many they are, once for each reason.
fn of_skipped(mark: &ExportMark, skipped: &[Skipped], telling: &Telling<'_>) -> Vec<NewAlert> {
    let of_reason = |reason: Reason| {
        let these = || skipped.iter().filter(|it| it.reason == reason);
        let (first, last) = (these().map(|it| it.from).min()?, these().map(|it| it.to).max()?);
        let message = match these().map(|it| it.count).sum::<u64>() {
            1 => reason.text().to_owned(),
            count => format!("{count} slots from {first} to {last}: {}", reason.text()),
        };
        let (activation, segment) = (mark.activation.clone(), mark.segment.clone());
        telling.of_skipped(&SlotKey { activation, segment, slot: last }, reason, message)
    };
    Reason::ALL.into_iter().filter_map(of_reason).collect()
}

/// A slot that began in the meantime goes on.
async fn withdraw(
    db: &mut Transaction,
    key: &SlotKey,
    reason: Reason,
    telling: &Telling<'_>,
    now: Timestamp,
) -> Result<()> {
    let withdrawn = query(
        "UPDATE slots SET state = 'skipped', reason = ?, message = ?, finished = ?
         WHERE activation = ? AND segment = ? AND slot = ? AND state = 'planned'",
    )
    .bind(reason.code())
    .bind(reason.text())
    .bind(now.as_microsecond())
    .bind(&key.activation)
    .bind(&key.segment)
    .bind(key.slot.as_microsecond())
    .execute(&mut *db)
    .await?;
    if withdrawn.rows_affected() == 1
        && let Some(alert) = telling.of_skipped(key, reason, reason.text().to_owned())
    {
        alert::insert(db, &alert, now).await?;
    }
    Ok(())
}
