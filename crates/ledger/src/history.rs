//! Questions about what happened, and the reading of rows.

use jiff::Timestamp;
use plan::project::Export;
use plan::protocol::Verification;
use plan::staged::{Condition, ObjectKind, PublishedObject, StagedObject, StagedPart};
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::hold;
use crate::open::Ledger;
use crate::run::{
    Baseline, CommittedObject, CurrentObject, Excluded, FileRecord, Movement, RunDetail, RunRecord,
    RunState, SnapshotInput, Stop,
};
use crate::sql::{Query, Row, Transaction, Value, query};

/// The most runs that one list holds.
pub const RUNS_LISTED_MAX: u32 = 10_000;

/// Which runs to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunFilter {
    /// Only those of this activation.
    pub activation: Option<String>,
    /// Only those of this segment.
    pub segment: Option<String>,
    /// Only those to this destination.
    pub destination: Option<String>,
    /// Only those in this state.
    pub state: Option<RunState>,
    /// Only those whose slot is at this time or later.
    pub since: Option<Timestamp>,
    /// Only those whose slot is before this time.
    pub before: Option<Timestamp>,
    /// Only those behind this one in the list.
    pub behind: Option<RunBehind>,
    /// At most so many, [`RUNS_LISTED_MAX`] without it or beyond it.
    pub limit: Option<u32>,
}

/// The place of a run in the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunBehind {
    /// Its slot.
    pub slot: Timestamp,
    /// When it was claimed first.
    pub first_claimed: Timestamp,
    /// The run.
    pub run_id: Uuid,
}

impl RunFilter {
    /// What it asks of columns, with what is compared. What is not asked is not in the statement, so that
    /// the database can choose the index that fits.
    fn conditions(&self) -> Vec<(&'static str, Value)> {
        let time = |at: Timestamp| Value::from(at.as_microsecond());
        let all = [
            (" AND activation = ?", self.activation.as_deref().map(Value::from)),
            (" AND segment = ?", self.segment.as_deref().map(Value::from)),
            (" AND destination = ?", self.destination.as_deref().map(Value::from)),
            (" AND state = ?", self.state.map(|it| Value::from(it.as_str()))),
            (" AND slot >= ?", self.since.map(time)),
            (" AND slot < ?", self.before.map(time)),
        ];
        all.into_iter().filter_map(|(text, value)| Some((text, value?))).collect()
    }
}

impl Ledger {
    /// Lists runs, those for the latest slot first.
    pub async fn runs(&self, filter: &RunFilter) -> Result<Vec<RunRecord>> {
        let mut read = self.read().await?;
        let limit = filter.limit.unwrap_or(RUNS_LISTED_MAX).min(RUNS_LISTED_MAX);
        let mut statement = String::from("SELECT * FROM runs WHERE 1 = 1");
        let mut values: Vec<Value> = Vec::new();
        for (condition, value) in filter.conditions() {
            statement.push_str(condition);
            values.push(value);
        }
        if let Some(behind) = filter.behind {
            statement.push_str(
                " AND slot <= ? AND (slot < ? OR first_claimed < ? OR (first_claimed = ? AND run_id > ?))",
            );
            let (slot, claimed) =
                (behind.slot.as_microsecond(), behind.first_claimed.as_microsecond());
            values.extend([slot.into(), slot.into(), claimed.into(), claimed.into()]);
            values.push(behind.run_id.to_string().into());
        }
        statement.push_str(" ORDER BY slot DESC, first_claimed DESC, run_id LIMIT ?");
        values.push(limit.into());
        let asked = values.into_iter().fold(query(statement), Query::bind);
        asked.fetch_all(&mut read).await?.iter().map(run_record).collect()
    }

    /// Lists the runs that are not over, in the order of their slots; recovery takes them over. Those
    /// that a guard holds wait for a person and not for recovery.
    pub async fn unfinished(&self) -> Result<Vec<RunRecord>> {
        unfinished(&mut self.read().await?, None).await
    }

    /// Finds the runs whose id begins with `prefix`, at most `limit`; an empty prefix finds none.
    pub async fn find_runs(&self, prefix: &str, limit: u32) -> Result<Vec<RunRecord>> {
        let prefix = prefix.to_ascii_lowercase();
        if prefix.is_empty() {
            return Ok(Vec::new());
        }
        let mut read = self.read().await?;
        let rows = query(
            "SELECT * FROM runs WHERE substr(run_id, 1, length(?1)) = ?1
             ORDER BY slot DESC, run_id LIMIT ?2",
        )
        .bind(prefix)
        .bind(limit.min(RUNS_LISTED_MAX))
        .fetch_all(&mut read)
        .await?;
        rows.iter().map(run_record).collect()
    }

    /// Returns a run with its files, exclusions and inputs, if there is such a run.
    pub async fn run(&self, run_id: Uuid) -> Result<Option<RunDetail>> {
        let mut read = self.read().await?;
        let Some(run) = find(&mut read, run_id).await? else { return Ok(None) };
        let files = files(&mut read, run_id).await?;
        let excluded = excluded(&mut read, run_id).await?;
        let inputs = inputs(&mut read, run_id).await?;
        let hold = hold::find(&mut read, run_id).await?;
        Ok(Some(RunDetail { run, files, excluded, inputs, hold }))
    }

    /// Returns the newest delivered run of a segment of an activation; guards compare with it.
    pub async fn last_delivered(
        &self,
        activation: &str,
        segment: &str,
    ) -> Result<Option<Baseline>> {
        let mut read = self.read().await?;
        let row = query(
            "SELECT runs.run_id, runs.slot, runs.finished,
                 coalesce(runs.members, runs.file_rows) AS file_rows
             FROM baselines JOIN runs USING (run_id)
             WHERE baselines.activation = ? AND baselines.segment = ?",
        )
        .bind(activation)
        .bind(segment)
        .fetch_optional(&mut read)
        .await?;
        row.as_ref().map(baseline).transpose()
    }

    /// Returns the newest delivered run of a segment of an activation to a place, and the newest that is
    /// committed and not delivered yet. An increment is made from the first, and waits for the other.
    pub async fn newest_to(
        &self,
        activation: &str,
        segment: &str,
        store: &str,
    ) -> Result<(Option<RunRecord>, Option<RunRecord>)> {
        let mut read = self.read().await?;
        let mut newest = Vec::new();
        for states in [[RunState::Delivered; 2], [RunState::Committing, RunState::Blocked]] {
            let row = query(
                "SELECT * FROM runs
                 WHERE activation = ? AND segment = ? AND store = ? AND state IN (?, ?)
                     AND committed IS NOT NULL
                 ORDER BY slot DESC LIMIT 1",
            )
            .bind(activation)
            .bind(segment)
            .bind(store)
            .bind(states[0].as_str())
            .bind(states[1].as_str())
            .fetch_optional(&mut read)
            .await?;
            newest.push(row.as_ref().map(run_record).transpose()?);
        }
        let committed = newest.pop().flatten();
        Ok((newest.pop().flatten(), committed))
    }

    /// Lists the runs whose baselines an increment may still be made from: the newest delivered one of
    /// each segment to each place, and those that are not over.
    pub async fn needed_baselines(&self) -> Result<Vec<Uuid>> {
        let mut read = self.read().await?;
        let rows = query(
            "SELECT run_id FROM runs WHERE state IN ('claimed', 'staging', 'committing', 'blocked')
                 OR (state = 'delivered' AND NOT EXISTS (
                     SELECT 1 FROM runs AS later
                     WHERE later.activation = runs.activation AND later.segment = runs.segment
                         AND later.store = runs.store AND later.state = 'delivered'
                         AND later.slot > runs.slot))",
        )
        .fetch_all(&mut read)
        .await?;
        rows.iter().map(|row| uuid(row, "run_id")).collect()
    }

    /// Returns what the last delivered run left at a key; its ETag is the condition of the next one.
    pub async fn current_object(&self, store: &str, key: &str) -> Result<Option<CurrentObject>> {
        current(&mut self.read().await?, store, key).await
    }
}

/// Lists the runs that are not over; with an owner and a time, those that nobody else has then.
pub(crate) async fn unfinished(
    db: &mut Transaction,
    not_elsewhere: Option<(&str, Timestamp)>,
) -> Result<Vec<RunRecord>> {
    let rows = query(
        "SELECT * FROM runs WHERE (state IN ('claimed', 'staging', 'committing')
                 OR (state = 'blocked' AND committed IS NOT NULL))
             AND (?1 IS NULL OR lease_until IS NULL OR lease_until <= ?1 OR owner = ?2)
             AND NOT EXISTS (SELECT 1 FROM slots WHERE slots.run_id = runs.run_id
                 AND slots.state = 'running' AND slots.owner <> ?2 AND slots.lease_until > ?1)
         ORDER BY slot, run_id LIMIT ?3",
    )
    .bind(not_elsewhere.map(|(_, clock)| clock.as_microsecond()))
    .bind(not_elsewhere.map(|(owner, _)| owner))
    .bind(RUNS_LISTED_MAX)
    .fetch_all(db)
    .await?;
    rows.iter().map(run_record).collect()
}

/// Finds a run.
pub(crate) async fn find(db: &mut Transaction, run_id: Uuid) -> Result<Option<RunRecord>> {
    let row = query("SELECT * FROM runs WHERE run_id = ?")
        .bind(run_id.to_string())
        .fetch_optional(db)
        .await?;
    row.as_ref().map(run_record).transpose()
}

/// What the last delivered run left at a key.
pub(crate) async fn current(
    db: &mut Transaction,
    store: &str,
    key: &str,
) -> Result<Option<CurrentObject>> {
    let row = query("SELECT etag, run_id, slot FROM current_objects WHERE store = ? AND key = ?")
        .bind(store)
        .bind(key)
        .fetch_optional(db)
        .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(CurrentObject {
        etag: row.try_get("etag")?,
        run_id: uuid(&row, "run_id")?,
        slot: time(&row, "slot")?,
    }))
}

/// The commit record of a run, in order.
pub(crate) async fn commit_record(
    db: &mut Transaction,
    run_id: Uuid,
) -> Result<Vec<CommittedObject>> {
    let rows = query("SELECT * FROM objects WHERE run_id = ? ORDER BY position")
        .bind(run_id.to_string())
        .fetch_all(db)
        .await?;
    rows.iter().map(committed_object).collect()
}

async fn files(db: &mut Transaction, run_id: Uuid) -> Result<Vec<FileRecord>> {
    let rows = query("SELECT * FROM objects WHERE run_id = ? ORDER BY position")
        .bind(run_id.to_string())
        .fetch_all(db)
        .await?;
    rows.iter().map(file_record).collect()
}

async fn excluded(db: &mut Transaction, run_id: Uuid) -> Result<Vec<Excluded>> {
    let rows = query("SELECT reason, profiles FROM exclusions WHERE run_id = ? ORDER BY position")
        .bind(run_id.to_string())
        .fetch_all(db)
        .await?;
    let read = |row: &Row| {
        Ok(Excluded { reason: row.try_get("reason")?, profiles: row.try_get("profiles")? })
    };
    rows.iter().map(read).collect()
}

async fn inputs(db: &mut Transaction, run_id: Uuid) -> Result<Vec<SnapshotInput>> {
    let rows = query("SELECT * FROM inputs WHERE run_id = ? ORDER BY position")
        .bind(run_id.to_string())
        .fetch_all(db)
        .await?;
    let read = |row: &Row| {
        Ok(SnapshotInput {
            location: row.try_get("location")?,
            bytes: row.try_get("bytes")?,
            version: row.try_get("version")?,
            rows: row.try_get("row_count")?,
        })
    };
    rows.iter().map(read).collect()
}

pub(crate) fn run_record(row: &Row) -> Result<RunRecord> {
    let state: String = row.try_get("state")?;
    let code: Option<String> = row.try_get("stop_code")?;
    let message: Option<String> = row.try_get("stop_message")?;
    Ok(RunRecord {
        run_id: uuid(row, "run_id")?,
        slot: time(row, "slot")?,
        activation: row.try_get("activation")?,
        segment: row.try_get("segment")?,
        segment_id: uuid(row, "segment_id")?,
        destination: row.try_get("destination")?,
        store: row.try_get("store")?,
        bucket: row.try_get("bucket")?,
        stem: row.try_get("stem")?,
        is_static: row.try_get("is_static")?,
        state: RunState::parse(&state).ok_or_else(|| corrupt("state", &state))?,
        epoch: row.try_get("epoch")?,
        staged_epoch: row.try_get("staged_epoch")?,
        first_claimed: time(row, "first_claimed")?,
        claimed: time(row, "claimed")?,
        committed: optional_time(row, "committed")?,
        finished: optional_time(row, "finished")?,
        received: row.try_get("received")?,
        activated: row.try_get("activated")?,
        export: export(row)?,
        movement: movement(row)?,
        files: row.try_get("file_count")?,
        rows: row.try_get("file_rows")?,
        bytes: row.try_get("file_bytes")?,
        stop: code.zip(message).map(|(code, message)| Stop { code, message }),
    })
}

fn export(row: &Row) -> Result<Export> {
    let word: String = row.try_get("export")?;
    let known = [Export::Full, Export::Incremental, Export::Changes];
    known.into_iter().find(|export| export.as_str() == word).ok_or_else(|| corrupt("export", &word))
}

fn movement(row: &Row) -> Result<Option<Movement>> {
    let Some(members) = row.try_get("members")? else { return Ok(None) };
    let compared_with: Option<String> = row.try_get("compared_with")?;
    Ok(Some(Movement {
        members,
        added: row.try_get("added")?,
        changed: row.try_get("changed")?,
        removed: row.try_get("removed")?,
        compared_with: compared_with.map(|_| uuid(row, "compared_with")).transpose()?,
    }))
}

fn committed_object(row: &Row) -> Result<CommittedObject> {
    let number = row.try_get("number")?;
    let etag: Option<String> = row.try_get("etag")?;
    let version_id = row.try_get("version_id")?;
    let staged = StagedObject {
        kind: kind(row)?,
        number,
        key: row.try_get("key")?,
        upload_id: row.try_get("upload_id")?,
        token: row.try_get("token")?,
        parts: parts(row)?,
        bytes: row.try_get("bytes")?,
        rows: row.try_get("row_count")?,
        replaced: row.try_get("replaced")?,
        sha256: row.try_get("sha256")?,
        crc64nvme: row.try_get("crc64nvme")?,
        condition: condition(row)?,
    };
    Ok(CommittedObject {
        staged,
        published: etag.map(|etag| PublishedObject { number, etag, version_id }),
    })
}

fn file_record(row: &Row) -> Result<FileRecord> {
    let verification: Option<String> = row.try_get("verification")?;
    Ok(FileRecord {
        kind: kind(row)?,
        number: row.try_get("number")?,
        key: row.try_get("key")?,
        rows: row.try_get("row_count")?,
        replaced: row.try_get("replaced")?,
        bytes: row.try_get("bytes")?,
        sha256: row.try_get("sha256")?,
        published: optional_time(row, "published")?,
        etag: row.try_get("etag")?,
        version_id: row.try_get("version_id")?,
        verification: verification.as_deref().map(parse_verification).transpose()?,
    })
}

fn baseline(row: &Row) -> Result<Baseline> {
    Ok(Baseline {
        run_id: uuid(row, "run_id")?,
        slot: time(row, "slot")?,
        rows: row.try_get("file_rows")?,
        finished: time(row, "finished")?,
    })
}

fn parts(row: &Row) -> Result<Vec<StagedPart>> {
    let json: Option<String> = row.try_get("parts")?;
    let Some(json) = json else { return Ok(Vec::new()) };
    serde_json::from_str(&json).map_err(|error| Error::Corrupt(error.into()))
}

fn condition(row: &Row) -> Result<Condition> {
    let etag: Option<String> = row.try_get("condition_etag")?;
    Ok(etag.map_or(Condition::Absent, |etag| Condition::Unchanged { etag }))
}

/// The word for a kind of object in the ledger.
pub(crate) fn kind_word(kind: ObjectKind) -> &'static str {
    match kind {
        ObjectKind::Data => "data",
        ObjectKind::Manifest => "manifest",
    }
}

fn kind(row: &Row) -> Result<ObjectKind> {
    let word: String = row.try_get("kind")?;
    [ObjectKind::Data, ObjectKind::Manifest]
        .into_iter()
        .find(|kind| kind_word(*kind) == word)
        .ok_or_else(|| corrupt("kind", &word))
}

/// The word for a verification in the ledger.
pub(crate) fn verification_word(verification: Verification) -> &'static str {
    match verification {
        Verification::Checked => "checked",
        Verification::Unseen => "unseen",
    }
}

fn parse_verification(word: &str) -> Result<Verification> {
    [Verification::Checked, Verification::Unseen]
        .into_iter()
        .find(|verification| verification_word(*verification) == word)
        .ok_or_else(|| corrupt("verification", word))
}

/// Reads an id.
pub(crate) fn uuid(row: &Row, column: &'static str) -> Result<Uuid> {
    let text: String = row.try_get(column)?;
    text.parse().map_err(|_| corrupt(column, &text))
}

/// Reads a time.
pub(crate) fn time(row: &Row, column: &'static str) -> Result<Timestamp> {
    let microseconds: i64 = row.try_get(column)?;
    Timestamp::from_microsecond(microseconds).map_err(|error| Error::Corrupt(error.into()))
}

/// Reads a time that may not be there.
pub(crate) fn optional_time(row: &Row, column: &'static str) -> Result<Option<Timestamp>> {
    let microseconds: Option<i64> = row.try_get(column)?;
    microseconds.map(|_| time(row, column)).transpose()
}

/// A value that cannot be.
pub(crate) fn corrupt(column: &str, value: &str) -> Error {
    Error::Corrupt(format!("column {column} holds {value:?}").into())
}
