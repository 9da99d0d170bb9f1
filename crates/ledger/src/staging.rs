//! Everything before the commit record: the pinned input, and uploads that nobody can see.

use jiff::Timestamp;
use uuid::Uuid;

use crate::claim::{Target, refusal_of_key, reserve};
use crate::error::{Error, Result};
use crate::history;
use crate::open::Ledger;
use crate::run::{Claim, Intent, OpenUpload, RunState, SnapshotInput};
use crate::sql::{Row, Transaction, query};

/// A step of a worker: from which states to which, and its name in an error.
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) from: [RunState; 2],
    /// `None` leaves the state as it is.
    pub(crate) to: Option<RunState>,
}

/// Takes the step if the claim is the latest and the run is where the step begins.
pub(crate) async fn advance(
    db: &mut Transaction,
    claim: &Claim,
    step: &Step,
    now: Timestamp,
) -> Result<()> {
    let done = query(
        "UPDATE runs SET state = coalesce(?, state), updated = ?
         WHERE run_id = ? AND epoch = ? AND state IN (?, ?)",
    )
    .bind(step.to.map(RunState::as_str))
    .bind(now.as_microsecond())
    .bind(claim.run_id.to_string())
    .bind(claim.epoch)
    .bind(step.from[0].as_str())
    .bind(step.from[1].as_str())
    .execute(&mut *db)
    .await?;
    if done.rows_affected() == 1 {
        return Ok(());
    }
    Err(why_not(db, claim, step.name).await?)
}

/// Why a step of a claim changed no row.
async fn why_not(db: &mut Transaction, claim: &Claim, step: &'static str) -> Result<Error> {
    let run_id = claim.run_id;
    let Some(record) = history::find(db, run_id).await? else {
        return Ok(Error::NotFound { run_id });
    };
    if record.epoch != claim.epoch {
        return Ok(Error::Fenced { run_id, epoch: claim.epoch });
    }
    Ok(Error::State { run_id, state: record.state, step })
}

const PIN: Step = Step {
    name: "pin its input",
    from: [RunState::Claimed, RunState::Claimed],
    to: Some(RunState::Staging),
};
const UPLOAD: Step =
    Step { name: "upload", from: [RunState::Staging, RunState::Committing], to: None };
const LIST: Step =
    Step { name: "list its uploads", from: [RunState::Claimed, RunState::Staging], to: None };

impl Ledger {
    /// Pins what the run reads, in the place of what an earlier attempt read. The run is then staging.
    pub async fn pin_snapshot(
        &self,
        claim: &Claim,
        inputs: &[SnapshotInput],
        now: Timestamp,
    ) -> Result<()> {
        let mut write = self.write().await?;
        let db = write.connection();
        advance(db, claim, &PIN, now).await?;
        let run_id = claim.run_id.to_string();
        query("DELETE FROM inputs WHERE run_id = ?").bind(&run_id).execute(&mut *db).await?;
        for (position, input) in (0_i64..).zip(inputs) {
            query(
                "INSERT INTO inputs (run_id, position, location, bytes, version, row_count) VALUES (?, ?, ?, ?, ?, ?)",
            )
            .bind(&run_id)
            .bind(position)
            .bind(&input.location)
            .bind(signed(input.bytes))
            .bind(&input.version)
            .bind(input.rows.map(signed))
            .execute(&mut *db)
            .await?;
        }
        write.commit().await
    }

    /// Writes down that an upload is about to be opened, and reserves its key; before the upload
    /// exists, so that it is looked for after a crash. Used while staging and for a repair.
    ///
    /// # Errors
    /// `Refused` when another run has the key; `Fenced`; `State`.
    pub async fn intend_upload(
        &self,
        claim: &Claim,
        number: u32,
        key: &str,
        token: &str,
        now: Timestamp,
    ) -> Result<Intent> {
        let mut write = self.write().await?;
        let db = write.connection();
        advance(db, claim, &UPLOAD, now).await?;
        let run_id = claim.run_id;
        let run = history::find(db, run_id).await?.ok_or(Error::NotFound { run_id })?;
        let target =
            Target { run_id, slot: run.slot, store: &run.store, key, is_static: run.is_static };
        if let Some(refusal) = refusal_of_key(db, &target).await? {
            return Err(refusal.into());
        }
        reserve(db, run_id, &run.store, key).await?;
        let intent = insert_upload(db, claim, number, key, token, now).await?;
        write.commit().await?;
        Ok(intent)
    }

    /// Writes down the id of an upload that was opened; before its first part is sent.
    pub async fn upload_opened(
        &self,
        claim: &Claim,
        intent: Intent,
        upload_id: &str,
        now: Timestamp,
    ) -> Result<()> {
        let mut write = self.write().await?;
        let db = write.connection();
        advance(db, claim, &UPLOAD, now).await?;
        let done =
            query("UPDATE uploads SET upload_id = ? WHERE intent = ? AND run_id = ? AND epoch = ?")
                .bind(upload_id)
                .bind(intent.0)
                .bind(claim.run_id.to_string())
                .bind(claim.epoch)
                .execute(&mut *db)
                .await?;
        if done.rows_affected() != 1 {
            let fact = "the upload was not intended by this claim";
            return Err(Error::Inconsistent { run_id: claim.run_id, fact });
        }
        write.commit().await
    }

    /// Lists the uploads that this claim or an earlier one opened, to be aborted. Once this claim has
    /// been told of them, none of them can enter a commit record but by this claim.
    ///
    /// # Errors
    /// `Fenced`, as the new owner's uploads are none of the caller's business; `State` once committed.
    pub async fn uploads_to_abort(&self, claim: &Claim, now: Timestamp) -> Result<Vec<OpenUpload>> {
        let mut write = self.write().await?;
        let db = write.connection();
        advance(db, claim, &LIST, now).await?;
        let uploads = uploads_of(db, claim.run_id).await?;
        write.commit().await?;
        Ok(uploads)
    }

    /// Forgets an upload that the service has confirmed to be dead. It needs no claim: it stays dead,
    /// whoever says so. An upload that is not known is no error.
    pub async fn forget_upload(&self, intent: Intent) -> Result<()> {
        let mut write = self.write().await?;
        query("DELETE FROM uploads WHERE intent = ?")
            .bind(intent.0)
            .execute(write.connection())
            .await?;
        write.commit().await
    }

    /// Tells whether the ledger knows an upload, as one to abort or as part of a commit record. An
    /// upload that a store lists at a key of ours and that nobody knows is an orphan: its worker died
    /// before it could write the id down. One that is known belongs to somebody and is left alone.
    pub async fn knows_upload(&self, store: &str, key: &str, upload_id: &str) -> Result<bool> {
        let mut read = self.read().await?;
        let is_known = query(
            "SELECT EXISTS (SELECT 1 FROM uploads JOIN runs USING (run_id)
                     WHERE store = ?1 AND key = ?2 AND upload_id = ?3)
                 OR EXISTS (SELECT 1 FROM objects JOIN runs USING (run_id)
                     WHERE store = ?1 AND key = ?2 AND upload_id = ?3)",
        )
        .bind(store)
        .bind(key)
        .bind(upload_id)
        .fetch_value(&mut read)
        .await?;
        Ok(is_known)
    }

    /// Lists the uploads of runs that are over, at most [`SWEEP_MAX`]; nobody can complete them, and
    /// they are to be aborted.
    pub async fn uploads_to_sweep(&self) -> Result<Vec<OpenUpload>> {
        let mut read = self.read().await?;
        let rows = query(
            "SELECT uploads.*, runs.store FROM uploads JOIN runs USING (run_id)
             WHERE runs.state IN ('delivered', 'skipped', 'failed') ORDER BY intent LIMIT ?",
        )
        .bind(SWEEP_MAX)
        .fetch_all(&mut read)
        .await?;
        rows.iter().map(open_upload).collect()
    }
}

/// The most uploads that one sweep looks at.
pub const SWEEP_MAX: u32 = 10_000;

async fn insert_upload(
    db: &mut Transaction,
    claim: &Claim,
    number: u32,
    key: &str,
    token: &str,
    now: Timestamp,
) -> Result<Intent> {
    let intent = query(
        "INSERT INTO uploads (run_id, epoch, number, key, token, intended) VALUES (?, ?, ?, ?, ?, ?) RETURNING intent",
    )
    .bind(claim.run_id.to_string())
    .bind(claim.epoch)
    .bind(number)
    .bind(key)
    .bind(token)
    .bind(now.as_microsecond())
    .fetch_value(db)
    .await?;
    Ok(Intent(intent))
}

/// The uploads of a run that no commit record names.
pub(crate) async fn uploads_of(db: &mut Transaction, run_id: Uuid) -> Result<Vec<OpenUpload>> {
    let rows = query(
        "SELECT uploads.*, runs.store FROM uploads JOIN runs USING (run_id)
         WHERE uploads.run_id = ? ORDER BY intent",
    )
    .bind(run_id.to_string())
    .fetch_all(db)
    .await?;
    rows.iter().map(open_upload).collect()
}

fn open_upload(row: &Row) -> Result<OpenUpload> {
    Ok(OpenUpload {
        intent: Intent(row.try_get("intent")?),
        run_id: history::uuid(row, "run_id")?,
        epoch: row.try_get("epoch")?,
        store: row.try_get("store")?,
        number: row.try_get("number")?,
        key: row.try_get("key")?,
        token: row.try_get("token")?,
        upload_id: row.try_get("upload_id")?,
        intended: history::time(row, "intended")?,
    })
}

/// SQLite has no unsigned integers; sizes and counts beyond 2^63 do not occur.
pub(crate) fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
