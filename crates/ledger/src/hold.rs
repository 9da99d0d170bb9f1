//! Runs that a guard stopped before anything was visible, and what a person decided of them.

use jiff::Timestamp;
use plan::guard::Cause;
use uuid::Uuid;

use crate::alert::{self, NewAlert, Telling};
use crate::claim::release_keys;
use crate::close::MESSAGE_CHARS_MAX;
use crate::commit::write_counts;
use crate::error::{Error, Result};
use crate::history;
use crate::open::Ledger;
use crate::run::{Claim, Counts, RunRecord, RunState, Stop};
use crate::slot::SlotKey;
use crate::sql::{Transaction, query};
use crate::staging::{Step, advance, signed};

/// That a guard stopped a run, and what was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// On which side of its bounds the run was.
    pub cause: Cause,
    /// The rows that a full file would have had.
    pub rows: u64,
    /// When it was stopped last.
    pub held: Timestamp,
    /// What was decided.
    pub decision: Option<Decision>,
    /// When.
    pub decided: Option<Timestamp>,
    /// By whom.
    pub actor: Option<String>,
    /// Why it was rejected.
    pub reason: Option<String>,
}

/// What a person decides of a held run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// It goes on.
    Released,
    /// It is over, with nothing visible.
    Rejected,
}

impl Decision {
    /// Returns the word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Released => "released",
            Self::Rejected => "rejected",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        [Self::Released, Self::Rejected].into_iter().find(|it| it.as_str() == word)
    }
}

impl Hold {
    /// Whether somebody has let the run go on.
    pub fn is_released(&self) -> bool {
        self.decision == Some(Decision::Released)
    }
}

const HOLD: Step = Step {
    name: "be held",
    from: [RunState::Claimed, RunState::Staging],
    to: Some(RunState::Blocked),
};

impl Ledger {
    /// Holds a run that a guard stopped, with what it would have sent. Its uploads are aborted and its
    /// keys are free. A decision that was made for an earlier stop is forgotten.
    pub async fn hold(
        &self,
        claim: &Claim,
        stop: &Stop,
        (cause, rows): (Cause, u64),
        counts: &Counts,
        now: Timestamp,
    ) -> Result<()> {
        let mut write = self.write().await?;
        let db = write.connection();
        advance(db, claim, &HOLD, now).await?;
        write_counts(db, claim.run_id, counts).await?;
        query(
            "UPDATE runs SET stop_code = ?, stop_message = ?, lease_until = NULL WHERE run_id = ?",
        )
        .bind(&stop.code)
        .bind(stop.message.chars().take(MESSAGE_CHARS_MAX).collect::<String>())
        .bind(claim.run_id.to_string())
        .execute(&mut *db)
        .await?;
        query(
            "INSERT INTO holds (run_id, row_count, cause, held) VALUES (?, ?, ?, ?)
             ON CONFLICT (run_id) DO UPDATE SET row_count = excluded.row_count, cause = excluded.cause,
                 held = excluded.held, decision = NULL, decided = NULL, actor = NULL, reason = NULL",
        )
        .bind(claim.run_id.to_string())
        .bind(signed(rows))
        .bind(cause.as_str())
        .bind(now.as_microsecond())
        .execute(&mut *db)
        .await?;
        release_keys(db, claim.run_id).await?;
        write.commit().await
    }

    /// Returns what is known of the hold of a run.
    pub async fn hold_of(&self, run_id: Uuid) -> Result<Option<Hold>> {
        let mut read = self.read().await?;
        find(&mut read, run_id).await
    }

    /// Writes down what somebody decided of a held run. One that is released may be claimed again, and
    /// its slot is planned for now; one that is rejected is failed, and so is its slot.
    ///
    /// # Errors
    /// `NotFound`; `State` when no guard holds the run, or somebody has decided before.
    pub async fn decide(
        &self,
        run_id: Uuid,
        decision: Decision,
        actor: &str,
        reason: Option<&str>,
        telling: &Telling<'_>,
        now: Timestamp,
    ) -> Result<()> {
        let mut write = self.write().await?;
        let db = write.connection();
        let record = history::find(db, run_id).await?.ok_or(Error::NotFound { run_id })?;
        let step = match decision {
            Decision::Released => "be released",
            Decision::Rejected => "be rejected",
        };
        let is_open = find(db, run_id).await?.is_some_and(|hold| hold.decision.is_none());
        if !record.is_held() || !is_open {
            return Err(Error::State { run_id, state: record.state, step });
        }
        query("UPDATE holds SET decision = ?, decided = ?, actor = ?, reason = ? WHERE run_id = ?")
            .bind(decision.as_str())
            .bind(now.as_microsecond())
            .bind(actor)
            .bind(reason)
            .bind(run_id.to_string())
            .execute(&mut *db)
            .await?;
        match decision {
            Decision::Released => {
                query(
                    "UPDATE slots SET state = 'planned', not_before = ?
                     WHERE run_id = ? AND state = 'blocked'",
                )
                .bind(now.as_microsecond())
                .bind(run_id.to_string())
                .execute(&mut *db)
                .await?;
            }
            Decision::Rejected => {
                let reason = reason.unwrap_or_default();
                let message = format!("rejected by {actor}: {reason}");
                let message: String = message.chars().take(MESSAGE_CHARS_MAX).collect();
                query(
                    "UPDATE runs SET state = 'failed', stop_code = 'rejected', stop_message = ?,
                         updated = ?2, finished = ?2
                     WHERE run_id = ?3",
                )
                .bind(&message)
                .bind(now.as_microsecond())
                .bind(run_id.to_string())
                .execute(&mut *db)
                .await?;
                query(
                    "UPDATE slots SET state = 'failed', reason = 'rejected', message = ?1, finished = ?2
                     WHERE run_id = ?3 AND state = 'blocked'",
                )
                .bind(&message)
                .bind(now.as_microsecond())
                .bind(run_id.to_string())
                .execute(&mut *db)
                .await?;
                tell_rejected(db, &record, message, telling, now).await?;
            }
        }
        write.commit().await
    }
}

/// Tells that somebody ended a run.
pub(crate) async fn tell_rejected(
    db: &mut Transaction,
    run: &RunRecord,
    message: String,
    telling: &Telling<'_>,
    now: Timestamp,
) -> Result<()> {
    let (activation, segment) = (run.activation.clone(), run.segment.clone());
    let key = SlotKey { activation, segment, slot: run.slot };
    let alert = telling.of_end("failed", &key, "rejected", message);
    alert::insert(db, &NewAlert { run_id: Some(run.run_id), ..alert }, now).await
}

/// Whether somebody has let a run go on.
pub(crate) async fn is_released(db: &mut Transaction, run_id: Uuid) -> Result<bool> {
    Ok(find(db, run_id).await?.is_some_and(|hold| hold.is_released()))
}

/// Finds the hold of a run.
pub(crate) async fn find(db: &mut Transaction, run_id: Uuid) -> Result<Option<Hold>> {
    let row = query("SELECT * FROM holds WHERE run_id = ?")
        .bind(run_id.to_string())
        .fetch_optional(db)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let cause: String = row.try_get("cause")?;
    let decision: Option<String> = row.try_get("decision")?;
    Ok(Some(Hold {
        cause: Cause::parse(&cause).ok_or_else(|| history::corrupt("cause", &cause))?,
        rows: row.try_get("row_count")?,
        held: history::time(&row, "held")?,
        decision: decision.as_deref().and_then(Decision::parse),
        decided: history::optional_time(&row, "decided")?,
        actor: row.try_get("actor")?,
        reason: row.try_get("reason")?,
    }))
}
