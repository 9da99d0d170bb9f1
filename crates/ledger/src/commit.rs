//! The commit record and everything behind it: from the point of no return to delivery.

use jiff::Timestamp;
use plan::protocol::{OBJECTS_MAX, Verification};
use plan::staged::{Condition, ObjectKind, PARTS_MAX, PublishedObject, StagedObject};
use uuid::Uuid;

use crate::claim::release_keys;
use crate::error::{Error, Result};
use crate::history;
use crate::open::Ledger;
use crate::run::{Claim, Counts, RunRecord, RunState};
use crate::sql::{Transaction, query};
use crate::staging::{Step, advance, signed};

const COMMIT: Step = Step {
    name: "be committed",
    from: [RunState::Staging, RunState::Staging],
    to: Some(RunState::Committing),
};
const PUBLISH: Step =
    Step { name: "be published", from: [RunState::Committing, RunState::Committing], to: None };
const DELIVER: Step = Step {
    name: "be delivered",
    from: [RunState::Committing, RunState::Committing],
    to: Some(RunState::Delivered),
};

impl Ledger {
    /// Writes the commit record: from here on exactly these uploads can become visible. One
    /// transaction with the counts.
    ///
    /// The objects are the data files numbered from 1, then the manifest, if there is one; each
    /// upload was written down by this claim.
    ///
    /// # Errors
    /// `Inconsistent` when the objects are not so; `Fenced`; `State`.
    pub async fn commit(
        &self,
        claim: &Claim,
        objects: &[StagedObject],
        counts: &Counts,
        now: Timestamp,
    ) -> Result<()> {
        check_order(claim.run_id, objects)?;
        let mut write = self.write().await?;
        let db = write.connection();
        advance(db, claim, &COMMIT, now).await?;
        for (position, object) in (0_i64..).zip(objects) {
            adopt_upload(db, claim, object).await?;
            insert_object(db, claim.run_id, position, object).await?;
        }
        let data: Vec<&StagedObject> =
            objects.iter().filter(|object| object.kind == ObjectKind::Data).collect();
        query(
            "UPDATE runs SET committed = ?, staged_epoch = ?, file_count = ?, file_rows = ?, file_bytes = ?
             WHERE run_id = ?",
        )
        .bind(now.as_microsecond())
        .bind(claim.epoch)
        .bind(signed(data.len() as u64))
        .bind(signed(data.iter().map(|object| object.rows).sum()))
        .bind(signed(data.iter().map(|object| object.bytes).sum()))
        .bind(claim.run_id.to_string())
        .execute(&mut *db)
        .await?;
        write_counts(db, claim.run_id, counts).await?;
        write.commit().await
    }

    /// Puts a new upload of the same bytes in the place of one that the service has confirmed to be
    /// dead.
    ///
    /// # Errors
    /// `Inconsistent` when anything but the upload, its parts and their checksums differs; `Fenced`;
    /// `State`.
    pub async fn replace_upload(
        &self,
        claim: &Claim,
        object: &StagedObject,
        now: Timestamp,
    ) -> Result<()> {
        let mut write = self.write().await?;
        let db = write.connection();
        advance(db, claim, &PUBLISH, now).await?;
        adopt_upload(db, claim, object).await?;
        // The token stays, so that the object is recognised whichever request made it visible.
        let done = query(
            "UPDATE objects SET upload_id = ?, parts = ?
             WHERE run_id = ? AND number = ? AND key = ? AND token = ? AND sha256 = ? AND bytes = ?
                 AND condition_etag IS NOT DISTINCT FROM ? AND published IS NULL",
        )
        .bind(&object.upload_id)
        .bind(parts_json(claim.run_id, object)?)
        .bind(claim.run_id.to_string())
        .bind(object.number)
        .bind(&object.key)
        .bind(&object.token)
        .bind(&object.sha256)
        .bind(signed(object.bytes))
        .bind(condition_etag(&object.condition))
        .execute(&mut *db)
        .await?;
        if done.rows_affected() != 1 {
            return Err(inconsistent(claim, "the new upload is not of the same object"));
        }
        write.commit().await
    }

    /// Writes down that an object is visible. It may be repeated.
    pub async fn object_published(
        &self,
        claim: &Claim,
        object: &PublishedObject,
        verification: Verification,
        now: Timestamp,
    ) -> Result<()> {
        let mut write = self.write().await?;
        let db = write.connection();
        advance(db, claim, &PUBLISH, now).await?;
        let done = query(
            "UPDATE objects SET etag = ?, version_id = ?, verification = ?, published = ?
             WHERE run_id = ? AND number = ?",
        )
        .bind(&object.etag)
        .bind(&object.version_id)
        .bind(history::verification_word(verification))
        .bind(now.as_microsecond())
        .bind(claim.run_id.to_string())
        .bind(object.number)
        .execute(&mut *db)
        .await?;
        if done.rows_affected() != 1 {
            return Err(inconsistent(claim, "the commit record has no object of this number"));
        }
        write.commit().await
    }

    /// Closes the run as delivered. In the same transaction its objects become the current ones at
    /// their keys, the baseline of the segment moves unless a run for a later slot has moved it
    /// already, and the keys are free for other runs.
    ///
    /// # Errors
    /// `Inconsistent` while an object is not recorded as visible; `Fenced`; `State`.
    pub async fn deliver(&self, claim: &Claim, now: Timestamp) -> Result<RunRecord> {
        let run_id = claim.run_id;
        let mut write = self.write().await?;
        let db = write.connection();
        advance(db, claim, &DELIVER, now).await?;
        let hidden: i64 =
            query("SELECT count(*) FROM objects WHERE run_id = ? AND published IS NULL")
                .bind(run_id.to_string())
                .fetch_value(&mut *db)
                .await?;
        if hidden != 0 {
            return Err(inconsistent(claim, "an object is not recorded as visible"));
        }
        finish(db, run_id, now).await?;
        move_current(db, run_id).await?;
        move_baseline(db, run_id).await?;
        release_keys(db, run_id).await?;
        let record = history::find(db, run_id).await?.ok_or(Error::NotFound { run_id })?;
        write.commit().await?;
        Ok(record)
    }
}

fn inconsistent(claim: &Claim, fact: &'static str) -> Error {
    Error::Inconsistent { run_id: claim.run_id, fact }
}

/// Data files count from 1, and the manifest, with number 0, is the last.
fn check_order(run_id: Uuid, objects: &[StagedObject]) -> Result<()> {
    let failed = |fact| Err(Error::Inconsistent { run_id, fact });
    if objects.len() > OBJECTS_MAX {
        return failed("there are too many objects");
    }
    let data_files = match objects.split_last() {
        Some((last, others)) if last.kind == ObjectKind::Manifest && last.number == 0 => others,
        _ => objects,
    };
    if data_files.is_empty() {
        return failed("there is no data file");
    }
    for (number, object) in (1..).zip(data_files) {
        if object.kind != ObjectKind::Data || object.number != number {
            return failed("the objects are not the data files in order, then the manifest");
        }
    }
    Ok(())
}

/// Moves an upload from the ones that are to be aborted to the ones that can be completed.
async fn adopt_upload(db: &mut Transaction, claim: &Claim, object: &StagedObject) -> Result<()> {
    let done = query(
        "DELETE FROM uploads WHERE run_id = ? AND epoch = ? AND number = ? AND key = ? AND token = ? AND upload_id = ?",
    )
    .bind(claim.run_id.to_string())
    .bind(claim.epoch)
    .bind(object.number)
    .bind(&object.key)
    .bind(&object.token)
    .bind(&object.upload_id)
    .execute(db)
    .await?;
    if done.rows_affected() != 1 {
        return Err(inconsistent(claim, "an upload was not written down by this claim"));
    }
    Ok(())
}

async fn insert_object(
    db: &mut Transaction,
    run_id: Uuid,
    position: i64,
    object: &StagedObject,
) -> Result<()> {
    query(
        "INSERT INTO objects (run_id, position, kind, number, key, upload_id, token, parts, bytes, row_count,
             replaced, sha256, crc64nvme, condition_etag)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(run_id.to_string())
    .bind(position)
    .bind(history::kind_word(object.kind))
    .bind(object.number)
    .bind(&object.key)
    .bind(&object.upload_id)
    .bind(&object.token)
    .bind(parts_json(run_id, object)?)
    .bind(signed(object.bytes))
    .bind(signed(object.rows))
    .bind(signed(object.replaced))
    .bind(&object.sha256)
    .bind(&object.crc64nvme)
    .bind(condition_etag(&object.condition))
    .execute(db)
    .await?;
    Ok(())
}

fn parts_json(run_id: Uuid, object: &StagedObject) -> Result<String> {
    if object.parts.len() > PARTS_MAX {
        return Err(Error::Inconsistent { run_id, fact: "an object has too many parts" });
    }
    serde_json::to_string(&object.parts).map_err(|error| Error::Database(error.into()))
}

pub(crate) fn condition_etag(condition: &Condition) -> Option<&str> {
    match condition {
        Condition::Absent => None,
        Condition::Unchanged { etag } => Some(etag),
    }
}

/// Writes the counts of a run in the place of those of an earlier attempt.
pub(crate) async fn write_counts(
    db: &mut Transaction,
    run_id: Uuid,
    counts: &Counts,
) -> Result<()> {
    query("DELETE FROM exclusions WHERE run_id = ?")
        .bind(run_id.to_string())
        .execute(&mut *db)
        .await?;
    query("UPDATE runs SET received = ?, activated = ? WHERE run_id = ?")
        .bind(signed(counts.received))
        .bind(signed(counts.activated))
        .bind(run_id.to_string())
        .execute(&mut *db)
        .await?;
    if let Some(movement) = &counts.movement {
        query(
            "UPDATE runs SET members = ?, added = ?, changed = ?, removed = ?, compared_with = ?
             WHERE run_id = ?",
        )
        .bind(signed(movement.members))
        .bind(signed(movement.added))
        .bind(signed(movement.changed))
        .bind(signed(movement.removed))
        .bind(movement.compared_with.map(|run_id| run_id.to_string()))
        .bind(run_id.to_string())
        .execute(&mut *db)
        .await?;
    }
    for (position, excluded) in (0_i64..).zip(&counts.excluded) {
        query("INSERT INTO exclusions (run_id, position, reason, profiles) VALUES (?, ?, ?, ?)")
            .bind(run_id.to_string())
            .bind(position)
            .bind(&excluded.reason)
            .bind(signed(excluded.profiles))
            .execute(&mut *db)
            .await?;
    }
    Ok(())
}

async fn finish(db: &mut Transaction, run_id: Uuid, now: Timestamp) -> Result<()> {
    query("UPDATE runs SET finished = ?, lease_until = NULL WHERE run_id = ?")
        .bind(now.as_microsecond())
        .bind(run_id.to_string())
        .execute(&mut *db)
        .await?;
    query("UPDATE objects SET parts = NULL WHERE run_id = ?")
        .bind(run_id.to_string())
        .execute(db)
        .await?;
    Ok(())
}

async fn move_current(db: &mut Transaction, run_id: Uuid) -> Result<()> {
    query(
        "INSERT INTO current_objects (store, key, run_id, slot, etag)
         SELECT runs.store, objects.key, runs.run_id, runs.slot, objects.etag
         FROM objects JOIN runs USING (run_id) WHERE runs.run_id = ?
         ON CONFLICT (store, key) DO UPDATE
             SET run_id = excluded.run_id, slot = excluded.slot, etag = excluded.etag",
    )
    .bind(run_id.to_string())
    .execute(db)
    .await?;
    Ok(())
}

/// What was delivered to a folder in the place of a bucket has not reached whom it is for: the next size
/// is not compared with it.
async fn move_baseline(db: &mut Transaction, run_id: Uuid) -> Result<()> {
    query(
        "INSERT INTO baselines (activation, segment, run_id, slot)
         SELECT activation, segment, run_id, slot FROM runs
         WHERE run_id = ? AND NOT (store LIKE 'file://%' AND bucket <> '')
         ON CONFLICT (activation, segment) DO UPDATE SET run_id = excluded.run_id, slot = excluded.slot
         WHERE excluded.slot >= baselines.slot",
    )
    .bind(run_id.to_string())
    .execute(db)
    .await?;
    Ok(())
}
