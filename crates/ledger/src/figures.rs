//! Figures over many runs: what was delivered over time, how segments grew, what needs somebody.

use jiff::Timestamp;
use uuid::Uuid;

use crate::error::Result;
use crate::history::{RUNS_LISTED_MAX, corrupt, time, uuid};
use crate::open::Ledger;
use crate::run::RunState;
use crate::sql::{Row, query};

/// A run that ended, for sums.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// When it ended.
    pub finished: Timestamp,
    /// How.
    pub state: RunState,
    /// Data files.
    pub files: u64,
    /// Rows in them.
    pub rows: u64,
    /// Bytes in them.
    pub bytes: u64,
}

/// How many were in a segment when it was delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentSize {
    /// The segment's key.
    pub segment: String,
    /// The slot.
    pub slot: Timestamp,
    /// Members.
    pub members: u64,
}

impl Ledger {
    /// Lists the runs that ended at `since` or later, the latest first, at most [`RUNS_LISTED_MAX`].
    pub async fn ended_since(&self, since: Timestamp) -> Result<Vec<Ended>> {
        let mut read = self.read().await?;
        let rows = query(
            "SELECT runs.finished, runs.state, count(objects.run_id) AS files,
                 CAST(coalesce(sum(objects.row_count), 0) AS BIGINT) AS sent,
                 CAST(coalesce(sum(objects.bytes), 0) AS BIGINT) AS size
             FROM runs LEFT JOIN objects ON objects.run_id = runs.run_id AND objects.kind = 'data'
             WHERE runs.finished >= ? AND runs.state IN ('delivered', 'skipped', 'failed')
             GROUP BY runs.run_id ORDER BY runs.finished DESC LIMIT ?",
        )
        .bind(since.as_microsecond())
        .bind(RUNS_LISTED_MAX)
        .fetch_all(&mut read)
        .await?;
        let ended = |row: &Row| {
            Ok(Ended {
                finished: time(row, "finished")?,
                state: state(row)?,
                files: row.try_get("files")?,
                rows: row.try_get("sent")?,
                bytes: row.try_get("size")?,
            })
        };
        rows.iter().map(ended).collect()
    }

    /// Lists how many were in each segment at its last deliveries, at most `each` for a segment, the
    /// earliest first. With `segment`, only of that one.
    pub async fn segment_sizes(
        &self,
        segment: Option<&str>,
        each: u32,
    ) -> Result<Vec<SegmentSize>> {
        let mut read = self.read().await?;
        let rows = query(
            "SELECT segment, slot, size FROM (
                 SELECT segment, slot, coalesce(members, received) AS size,
                     row_number() OVER (PARTITION BY segment ORDER BY slot DESC, run_id) AS place
                 FROM runs WHERE state = 'delivered' AND received IS NOT NULL
                     AND (?1 IS NULL OR segment = ?1)) AS delivered
             WHERE place <= ?2 ORDER BY segment, slot",
        )
        .bind(segment)
        .bind(each)
        .fetch_all(&mut read)
        .await?;
        let size = |row: &Row| {
            Ok(SegmentSize {
                segment: row.try_get("segment")?,
                slot: time(row, "slot")?,
                members: row.try_get("size")?,
            })
        };
        rows.iter().map(size).collect()
    }

    /// Lists the runs that somebody has to look at: the newest run of a segment of an activation,
    /// where it failed or is blocked. The latest slot comes first.
    pub async fn need_attention(&self) -> Result<Vec<Uuid>> {
        let mut read = self.read().await?;
        let rows = query(
            "SELECT run_id FROM (
                 SELECT run_id, state, slot,
                     row_number() OVER (PARTITION BY activation, segment ORDER BY slot DESC, first_claimed DESC) AS place
                 FROM runs) AS newest
             WHERE place = 1 AND state IN ('failed', 'blocked') ORDER BY slot DESC LIMIT ?",
        )
        .bind(RUNS_LISTED_MAX)
        .fetch_all(&mut read)
        .await?;
        rows.iter().map(|row| uuid(row, "run_id")).collect()
    }
}

fn state(row: &Row) -> Result<RunState> {
    let word: String = row.try_get("state")?;
    RunState::parse(&word).ok_or_else(|| corrupt("state", &word))
}
