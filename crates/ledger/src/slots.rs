//! Questions about slots, and the reading of their rows.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::error::Result;
use crate::history;
use crate::open::Ledger;
use crate::run::Stop;
use crate::slot::{NEVER, NextAttempt, Origin, SlotKey, SlotRecord, SlotState};
use crate::sql::{Query, Row, Transaction, Value, query};

/// The most slots that one list holds.
pub const SLOTS_LISTED_MAX: u32 = 10_000;

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

impl SlotFilter {
    /// What it asks of columns, with what is compared. What is not asked is not in the statement, so that
    /// the database can choose the index that fits.
    fn conditions(&self) -> Vec<(&'static str, Value)> {
        let all = [
            (" AND activation = ?", self.activation.as_deref().map(Value::from)),
            (" AND segment = ?", self.segment.as_deref().map(Value::from)),
            (" AND state = ?", self.state.map(|it| Value::from(it.as_str()))),
        ];
        all.into_iter().filter_map(|(text, value)| Some((text, value?))).collect()
    }
}

impl Ledger {
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

    /// Lists the runs whose slots are open for another attempt, and when that may begin: those of slots
    /// that wait or are begun, and those of blocked slots that go on by themselves.
    pub async fn next_attempts(&self) -> Result<BTreeMap<Uuid, NextAttempt>> {
        let mut read = self.read().await?;
        let rows = query(
            "SELECT run_id, state, not_before FROM slots
             WHERE state IN ('planned', 'running', 'blocked') AND run_id IS NOT NULL AND not_before < ?
             LIMIT ?",
        )
        .bind(NEVER.as_microsecond())
        .bind(SLOTS_LISTED_MAX)
        .fetch_all(&mut read)
        .await?;
        let next = |row: &Row| {
            let state: String = row.try_get("state")?;
            let is_blocked = state == SlotState::Blocked.as_str();
            let next = NextAttempt { is_blocked, not_before: history::time(row, "not_before")? };
            Ok((history::uuid(row, "run_id")?, next))
        };
        rows.iter().map(next).collect()
    }

    /// Lists slots, the latest first.
    pub async fn slots(&self, filter: &SlotFilter) -> Result<Vec<SlotRecord>> {
        let mut read = self.read().await?;
        let mut statement = String::from("SELECT * FROM slots WHERE 1 = 1");
        let mut values: Vec<Value> = Vec::new();
        for (condition, value) in filter.conditions() {
            statement.push_str(condition);
            values.push(value);
        }
        if let Some(behind) = &filter.behind {
            statement.push_str(" AND slot <= ? AND (slot < ? OR (activation, segment) > (?, ?))");
            let slot = behind.slot.as_microsecond();
            values.extend([slot.into(), slot.into()]);
            values.extend([Value::from(&behind.activation), Value::from(&behind.segment)]);
        }
        statement.push_str(" ORDER BY slot DESC, activation, segment LIMIT ?");
        values.push(filter.limit.unwrap_or(SLOTS_LISTED_MAX).min(SLOTS_LISTED_MAX).into());
        let asked = values.into_iter().fold(query(statement), Query::bind);
        let rows = asked.fetch_all(&mut read).await?;
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
}

/// Finds a slot.
pub(crate) async fn find(db: &mut Transaction, key: &SlotKey) -> Result<Option<SlotRecord>> {
    let row = query("SELECT * FROM slots WHERE activation = ? AND segment = ? AND slot = ?")
        .bind(&key.activation)
        .bind(&key.segment)
        .bind(key.slot.as_microsecond())
        .fetch_optional(db)
        .await?;
    row.as_ref().map(slot_record).transpose()
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
