//! Taking a run: the first write of every attempt, and the number that fences off the one before.

use jiff::Timestamp;
use uuid::Uuid;

use crate::error::{Error, Refusal, Result};
use crate::history;
use crate::hold;
use crate::open::Ledger;
use crate::run::{Claim, NewRun, RunRecord, RunState};
use crate::sql::{Transaction, query};
use crate::staging::uploads_of;

/// What came of an attempt to claim a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claimed {
    /// The run is the caller's.
    Run(Claim),
    /// The slot is delivered already; there is nothing to do, ever.
    Delivered(RunRecord),
    /// There was nothing to send for the slot; there is nothing to do, ever.
    Skipped(RunRecord),
    /// A guard holds the run until somebody decides. Nothing was changed.
    Held(RunRecord),
    /// The run may not write to its keys. Nothing was changed.
    Refused(Refusal),
}

impl Ledger {
    /// Takes the run of a slot, whoever had it. The claim's epoch fences that worker off, in one
    /// transaction with the reservation of the keys that are known.
    ///
    /// A run that is committed keeps the facts it was committed with; any other takes the new ones.
    pub async fn claim(&self, new: &NewRun, now: Timestamp) -> Result<Claimed> {
        let mut write = self.write().await?;
        let db = write.connection();
        let record = history::find(db, new.run_id).await?;
        match record {
            Some(record) if record.state == RunState::Delivered => {
                return Ok(Claimed::Delivered(record));
            }
            Some(record) if record.state == RunState::Skipped => {
                return Ok(Claimed::Skipped(record));
            }
            Some(record) if record.is_committed() => {
                take(db, new.run_id, RunState::Committing, now).await?
            }
            Some(record) if record.is_held() && !hold::is_released(db, new.run_id).await? => {
                return Ok(Claimed::Held(record));
            }
            Some(_) | None => {
                if let Some(refusal) = refusal(db, new).await? {
                    return Ok(Claimed::Refused(refusal));
                }
                if record.is_none() {
                    insert(db, new, now).await?;
                } else {
                    take(db, new.run_id, RunState::Claimed, now).await?;
                    update(db, new).await?;
                }
                reserve_all(db, new).await?;
            }
        }
        let claim = claim_of(db, new.run_id).await?;
        write.commit().await?;
        Ok(Claimed::Run(claim))
    }

    /// Takes a run that is not over, as it stands, without knowing its plan. Recovery does so: what is
    /// committed goes forward, and of anything else the uploads are aborted and the run is failed.
    ///
    /// # Errors
    /// `NotFound`; `State` when the run is over.
    pub async fn take_over(&self, run_id: Uuid, now: Timestamp) -> Result<Claim> {
        let mut write = self.write().await?;
        let db = write.connection();
        let record = history::find(db, run_id).await?.ok_or(Error::NotFound { run_id })?;
        if record.state.is_over() {
            return Err(Error::State { run_id, state: record.state, step: "be taken over" });
        }
        if record.is_held() {
            return Err(Error::State { run_id, state: record.state, step: "be taken over" });
        }
        let state = if record.is_committed() { RunState::Committing } else { RunState::Claimed };
        take(db, run_id, state, now).await?;
        let claim = claim_of(db, run_id).await?;
        write.commit().await?;
        Ok(claim)
    }
}

async fn insert(db: &mut Transaction, new: &NewRun, now: Timestamp) -> Result<()> {
    query(
        "INSERT INTO runs (run_id, slot, activation, segment, segment_id, destination, store, bucket, stem,
             is_static, export, state, epoch, first_claimed, claimed, updated)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'claimed', 1, ?, ?, ?)",
    )
    .bind(new.run_id.to_string())
    .bind(new.slot.as_microsecond())
    .bind(&new.activation)
    .bind(&new.segment)
    .bind(new.segment_id.to_string())
    .bind(&new.destination)
    .bind(&new.store)
    .bind(&new.bucket)
    .bind(&new.stem)
    .bind(new.is_static)
    .bind(new.export.as_str())
    .bind(now.as_microsecond())
    .bind(now.as_microsecond())
    .bind(now.as_microsecond())
    .execute(db)
    .await?;
    Ok(())
}

/// Raises the epoch. What the run had come to is forgotten, as it is under way again.
async fn take(db: &mut Transaction, run_id: Uuid, state: RunState, now: Timestamp) -> Result<()> {
    query(
        "UPDATE runs SET state = ?, epoch = epoch + 1, claimed = ?, updated = ?,
             finished = NULL, stop_code = NULL, stop_message = NULL
         WHERE run_id = ?",
    )
    .bind(state.as_str())
    .bind(now.as_microsecond())
    .bind(now.as_microsecond())
    .bind(run_id.to_string())
    .execute(db)
    .await?;
    Ok(())
}

/// The plan of a run that is not committed may have changed since the last attempt.
async fn update(db: &mut Transaction, new: &NewRun) -> Result<()> {
    query(
        "UPDATE runs SET slot = ?, activation = ?, segment = ?, segment_id = ?, destination = ?, store = ?,
             bucket = ?, stem = ?, is_static = ?, export = ?
         WHERE run_id = ?",
    )
    .bind(new.slot.as_microsecond())
    .bind(&new.activation)
    .bind(&new.segment)
    .bind(new.segment_id.to_string())
    .bind(&new.destination)
    .bind(&new.store)
    .bind(&new.bucket)
    .bind(&new.stem)
    .bind(new.is_static)
    .bind(new.export.as_str())
    .bind(new.run_id.to_string())
    .execute(db)
    .await?;
    Ok(())
}

/// Reserves the keys that are known, in the place of those of an earlier attempt.
async fn reserve_all(db: &mut Transaction, new: &NewRun) -> Result<()> {
    release_keys(db, new.run_id).await?;
    for key in &new.keys {
        reserve(db, new.run_id, &new.store, key).await?;
    }
    Ok(())
}

/// Reserves a key that [`refusal_of_key`] has let pass.
pub(crate) async fn reserve(
    db: &mut Transaction,
    run_id: Uuid,
    store: &str,
    key: &str,
) -> Result<()> {
    query("INSERT INTO reserved_keys (store, key, run_id) VALUES (?, ?, ?) ON CONFLICT DO NOTHING")
        .bind(store)
        .bind(key)
        .bind(run_id.to_string())
        .execute(db)
        .await?;
    Ok(())
}

/// Lets other runs write to the keys of a run.
pub(crate) async fn release_keys(db: &mut Transaction, run_id: Uuid) -> Result<()> {
    query("DELETE FROM reserved_keys WHERE run_id = ?")
        .bind(run_id.to_string())
        .execute(db)
        .await?;
    Ok(())
}

async fn refusal(db: &mut Transaction, new: &NewRun) -> Result<Option<Refusal>> {
    for key in &new.keys {
        let refusal = refusal_of_key(db, &Target::of(new, key)).await?;
        if refusal.is_some() {
            return Ok(refusal);
        }
    }
    Ok(None)
}

/// A key, and the run that wants to write there.
pub(crate) struct Target<'a> {
    pub(crate) run_id: Uuid,
    pub(crate) slot: Timestamp,
    pub(crate) store: &'a str,
    pub(crate) key: &'a str,
    pub(crate) is_static: bool,
}

impl<'a> Target<'a> {
    fn of(new: &'a NewRun, key: &'a str) -> Self {
        Self {
            run_id: new.run_id,
            slot: new.slot,
            store: &new.store,
            key,
            is_static: new.is_static,
        }
    }
}

/// Why a run may not write to a key, if it may not.
pub(crate) async fn refusal_of_key(
    db: &mut Transaction,
    target: &Target<'_>,
) -> Result<Option<Refusal>> {
    if let Some(refusal) = reserved_by_another(db, target).await? {
        return Ok(Some(refusal));
    }
    let Some(current) = history::current(db, target.store, target.key).await? else {
        return Ok(None);
    };
    if current.run_id == target.run_id {
        return Ok(None);
    }
    let (key, run_id, slot) = (target.key.to_owned(), current.run_id, current.slot);
    if !target.is_static {
        return Ok(Some(Refusal::KeyDelivered { key, run_id, slot }));
    }
    // Once published, monotone: a later run is never replaced by an earlier one.
    Ok((slot > target.slot).then_some(Refusal::Superseded { key, run_id, slot }))
}

async fn reserved_by_another(db: &mut Transaction, target: &Target<'_>) -> Result<Option<Refusal>> {
    let row = query(
        "SELECT runs.run_id, runs.activation, runs.segment, runs.slot
         FROM reserved_keys JOIN runs USING (run_id)
         WHERE reserved_keys.store = ? AND reserved_keys.key = ? AND runs.run_id <> ?",
    )
    .bind(target.store)
    .bind(target.key)
    .bind(target.run_id.to_string())
    .fetch_optional(db)
    .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Refusal::KeyInUse {
        key: target.key.to_owned(),
        run_id: history::uuid(&row, "run_id")?,
        activation: row.try_get("activation")?,
        segment: row.try_get("segment")?,
        slot: history::time(&row, "slot")?,
    }))
}

async fn claim_of(db: &mut Transaction, run_id: Uuid) -> Result<Claim> {
    let epoch = query("SELECT epoch FROM runs WHERE run_id = ?")
        .bind(run_id.to_string())
        .fetch_value(&mut *db)
        .await?;
    let uploads = uploads_of(db, run_id).await?;
    let commit = history::commit_record(db, run_id).await?;
    Ok(Claim { run_id, epoch, uploads, commit })
}
