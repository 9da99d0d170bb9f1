//! Figures over many runs: what was delivered over time, how segments grew, what needs somebody.
//!
//! Each question is answered from an index, however many runs there are: pages ask them at every view.

use jiff::Timestamp;
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::history::{corrupt, run_record, time, uuid};
use crate::open::Ledger;
use crate::run::{RunRecord, RunState};
use crate::sql::{Query, Row, Transaction, Value, query};

/// The width of the times by which what ended is added up, in microseconds: a quarter of an hour, which
/// every time zone's days begin with.
const QUARTER: i64 = 15 * 60 * 1_000_000;
/// How many questions one statement asks; SQLite takes 500.
const ASKED_AT_ONCE: usize = 100;

/// What ended in one quarter of an hour in one state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// When the quarter began.
    pub from: Timestamp,
    /// How the runs ended.
    pub state: RunState,
    /// Runs.
    pub runs: u64,
    /// Data files of those that were delivered.
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

/// A run as a mark in a timeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunMark {
    /// The run.
    pub run_id: Uuid,
    /// The activation's key.
    pub activation: String,
    /// The segment's key.
    pub segment: String,
    /// The destination's key.
    pub destination: String,
    /// The slot.
    pub slot: Timestamp,
    /// Where it stands.
    pub state: RunState,
}

/// Which runs a timeline shows.
#[derive(Debug, Clone, Copy)]
pub struct MarkFilter<'a> {
    /// The first slot.
    pub since: Timestamp,
    /// The slot behind the last one.
    pub before: Timestamp,
    /// Only those to this destination.
    pub destination: Option<&'a str>,
    /// Only those in this state.
    pub state: Option<RunState>,
    /// At most so many of each lane, the newest.
    pub each: u32,
}

/// The newest run of each segment of each activation, where it failed or is blocked.
macro_rules! need_attention {
    () => {
        "FROM runs WHERE state IN ('failed', 'blocked') AND NOT EXISTS (
             SELECT 1 FROM runs AS later
             WHERE later.activation = runs.activation AND later.segment = runs.segment
                 AND later.slot >= runs.slot
                 AND (later.slot > runs.slot OR later.first_claimed > runs.first_claimed))"
    };
}

impl Ledger {
    /// Adds up the runs that ended at `since` or later by the quarter of an hour, the earliest first.
    pub async fn ended_since(&self, since: Timestamp) -> Result<Vec<Ended>> {
        let mut read = self.read().await?;
        let rows = query(
            "SELECT finished / ?1 AS quarter, state, count(*) AS ended,
                 CAST(sum(file_count) AS BIGINT) AS files, CAST(sum(file_rows) AS BIGINT) AS sent,
                 CAST(sum(file_bytes) AS BIGINT) AS size FROM runs
             WHERE finished >= ?2 AND state IN ('delivered', 'skipped', 'failed') GROUP BY 1, 2",
        );
        let rows = rows.bind(QUARTER).bind(since.as_microsecond()).fetch_all(&mut read).await?;
        let mut all = Vec::new();
        for row in &rows {
            let (quarter, state) = (row.try_get::<i64>("quarter")?, state(row)?);
            // What a run that was given up had staged was never visible.
            let sum = |column| match state {
                RunState::Delivered => row.try_get::<u64>(column),
                _ => Ok(0),
            };
            let from = Timestamp::from_microsecond(quarter.saturating_mul(QUARTER));
            all.push(Ended {
                from: from.map_err(|error| Error::Corrupt(error.into()))?,
                state,
                runs: row.try_get("ended")?,
                files: sum("files")?,
                rows: sum("sent")?,
                bytes: sum("size")?,
            });
        }
        all.sort_by_key(|it| (it.from, it.state.as_str()));
        Ok(all)
    }

    /// Lists how many were in each of some segments at its last deliveries, at most `each` for a
    /// segment, the earliest first.
    pub async fn segment_sizes(&self, segments: &[&str], each: u32) -> Result<Vec<SegmentSize>> {
        let newest = "SELECT segment, slot, coalesce(members, received) AS size FROM runs
             WHERE segment = ? AND state = 'delivered' AND received IS NOT NULL
             ORDER BY slot DESC, run_id LIMIT ?";
        let asked = segments.iter().map(|it| vec![Value::from(*it), each.into()]).collect();
        let mut sizes = Vec::new();
        for row in for_each(&mut self.read().await?, newest, asked).await? {
            sizes.push(SegmentSize {
                segment: row.try_get("segment")?,
                slot: time(&row, "slot")?,
                members: row.try_get("size")?,
            });
        }
        sizes.sort_by(|a, b| (&a.segment, a.slot).cmp(&(&b.segment, b.slot)));
        Ok(sizes)
    }

    /// Lists the runs of some lanes, each a segment of an activation, the latest slot first.
    pub async fn marks(
        &self,
        lanes: &[(&str, &str)],
        filter: &MarkFilter<'_>,
    ) -> Result<Vec<RunMark>> {
        let of_lane = "SELECT run_id, activation, segment, destination, slot, state FROM runs
             WHERE activation = ? AND segment = ? AND slot >= ? AND slot < ?
                 AND destination = coalesce(?, destination) AND state = coalesce(?, state)
             ORDER BY slot DESC, run_id LIMIT ?";
        let values = |(activation, segment): &(&str, &str)| {
            vec![
                Value::from(*activation),
                Value::from(*segment),
                filter.since.as_microsecond().into(),
                filter.before.as_microsecond().into(),
                filter.destination.into(),
                filter.state.map(RunState::as_str).into(),
                filter.each.into(),
            ]
        };
        let asked = lanes.iter().map(values).collect();
        let mut marks = marks(for_each(&mut self.read().await?, of_lane, asked).await?)?;
        marks.sort_by(|a, b| b.slot.cmp(&a.slot).then(a.run_id.cmp(&b.run_id)));
        Ok(marks)
    }

    /// Finds the newest run of each of some activations.
    pub async fn newest_of_activations(&self, activations: &[&str]) -> Result<Vec<RunMark>> {
        let newest = "SELECT run_id, activation, segment, destination, slot, state FROM runs
             WHERE activation = ? ORDER BY slot DESC, first_claimed DESC, run_id LIMIT 1";
        let asked = activations.iter().map(|it| vec![Value::from(*it)]).collect();
        marks(for_each(&mut self.read().await?, newest, asked).await?)
    }

    /// Finds the newest run to each of some destinations.
    pub async fn newest_to_destinations(&self, destinations: &[&str]) -> Result<Vec<RunMark>> {
        let newest = "SELECT run_id, activation, segment, destination, slot, state FROM runs
             WHERE destination = ? ORDER BY slot DESC, first_claimed DESC, run_id LIMIT 1";
        let asked = destinations.iter().map(|it| vec![Value::from(*it)]).collect();
        marks(for_each(&mut self.read().await?, newest, asked).await?)
    }

    /// Counts the runs that wait for somebody: those of [`Ledger::need_attention`] whose slots are not
    /// open for another attempt, which begins by itself.
    pub async fn need_attention_count(&self) -> Result<u64> {
        let mut read = self.read().await?;
        let waiting = concat!(
            "SELECT count(*) ",
            need_attention!(),
            " AND NOT EXISTS (
                 SELECT 1 FROM slots
                 WHERE slots.activation = runs.activation AND slots.segment = runs.segment
                     AND slots.slot = runs.slot AND slots.run_id = runs.run_id
                     AND slots.state IN ('planned', 'running'))"
        );
        query(waiting).fetch_value(&mut read).await
    }

    /// Lists the runs that are worth a look: the newest run of a segment of an activation,
    /// where it failed or is blocked. The latest slot comes first.
    pub async fn need_attention(&self, limit: u32) -> Result<Vec<RunRecord>> {
        let mut read = self.read().await?;
        let rows =
            query(concat!("SELECT * ", need_attention!(), " ORDER BY slot DESC, run_id LIMIT ?"))
                .bind(limit)
                .fetch_all(&mut read)
                .await?;
        rows.iter().map(run_record).collect()
    }
}

/// Asks one question of each of some things, many at once. What it asks has an order and a limit of its
/// own, so an index answers each.
async fn for_each(
    db: &mut Transaction,
    question: &str,
    things: Vec<Vec<Value>>,
) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    let mut things = things.into_iter().peekable();
    while things.peek().is_some() {
        let some: Vec<Vec<Value>> = things.by_ref().take(ASKED_AT_ONCE).collect();
        let parts: Vec<String> = (0..some.len())
            .map(|number| format!("SELECT * FROM ({question}) AS part_{number}"))
            .collect();
        let asked = query(parts.join(" UNION ALL "));
        let asked = some.into_iter().flatten().fold(asked, Query::bind);
        rows.extend(asked.fetch_all(db).await?);
    }
    Ok(rows)
}

fn marks(rows: Vec<Row>) -> Result<Vec<RunMark>> {
    let mark = |row: &Row| {
        Ok(RunMark {
            run_id: uuid(row, "run_id")?,
            activation: row.try_get("activation")?,
            segment: row.try_get("segment")?,
            destination: row.try_get("destination")?,
            slot: time(row, "slot")?,
            state: state(row)?,
        })
    };
    rows.iter().map(mark).collect()
}

fn state(row: &Row) -> Result<RunState> {
    let word: String = row.try_get("state")?;
    RunState::parse(&word).ok_or_else(|| corrupt("state", &word))
}
