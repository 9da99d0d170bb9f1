//! Which rows a run sends: all, or what changed since the last one that was delivered to the place.

use std::path::{Path, PathBuf};

use engine::{Baselines, Rows, With};
use ledger::RunRecord;
use plan::RunPlan;
use uuid::Uuid;

use super::stage::Trouble;
use super::{Attempt, Work};
use crate::failure::{Failure, Kind};

/// Rows, and the run whose set the receiver has.
pub(super) struct Chosen {
    pub(super) rows: Rows,
    pub(super) compared_with: Option<Uuid>,
}

impl Attempt<'_> {
    /// Prepares the rows of the run. An incremental one leaves its baseline beside the ledger before
    /// the first row is read; it counts once the run is delivered.
    pub(super) async fn choose(&self, work: Work<'_>, with: With) -> Result<Chosen, Trouble> {
        let plan = work.plan;
        super::membership::evaluate(work).await?;
        let Some(increment) = &plan.increment else {
            let rows = work.engine.rows_and(&plan.query, with, work.profiles).await?;
            return Ok(Chosen { rows, compared_with: None });
        };
        let (delivered, committed) = self.newest(plan).await?;
        check_order(plan, delivered.as_ref(), committed.as_ref())?;
        let last = delivered.map(|run| (run.run_id, baseline_of(self.around.baselines, &run)));
        let next = baseline_in(self.around.baselines, plan.run_id, Some(self.claim.epoch));
        let baselines =
            Baselines { last: last.as_ref().map(|(_, path)| path.as_path()), next: Some(&next) };
        let found =
            work.engine.difference_and(&plan.query, increment, baselines, with, work.profiles);
        let rows = found.await?;
        let movement = rows.tally().counts().movement;
        let is_compared = movement.is_some_and(|movement| movement.baseline);
        Ok(Chosen { rows, compared_with: last.map(|(run, _)| run).filter(|_| is_compared) })
    }

    async fn newest(
        &self,
        plan: &RunPlan,
    ) -> Result<(Option<RunRecord>, Option<RunRecord>), Trouble> {
        let store = self.around.store.identity();
        let ledger = self.around.ledger;
        self.record(ledger.newest_to(&plan.activation, &plan.segment, &store).await)
    }

    /// Removes the baseline that the delivered run's own has replaced. What stays behind is in nobody's
    /// way, so it is told and does no harm.
    pub(super) async fn forget_baseline(&self, run: &RunRecord) {
        let Some(before) = run.movement.and_then(|movement| movement.compared_with) else { return };
        let Ok(Some(before)) = self.around.ledger.run(before).await else { return };
        for path in Baselines::files(&baseline_of(self.around.baselines, &before.run)) {
            match std::fs::remove_file(&path) {
                Ok(()) => {}
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => {
                    tracing::warn!(path = %path.display(), %error, "an old baseline could not be removed");
                }
            }
        }
    }
}

/// Where a committed run has left the set of rows that it sends.
pub(crate) fn baseline_of(folder: &Path, run: &RunRecord) -> PathBuf {
    baseline_in(folder, run.run_id, run.staged_epoch)
}

/// Where an attempt leaves the set of rows that it sends. Each has a file of its own: one that was
/// stopped, and taken over, and wakes up must not write over what the other one sends.
fn baseline_in(folder: &Path, run_id: Uuid, epoch: Option<u32>) -> PathBuf {
    match epoch {
        Some(epoch) => folder.join(format!("{run_id}.{epoch}.parquet")),
        // As earlier versions named it.
        None => folder.join(format!("{run_id}.parquet")),
    }
}

/// Where a committed run has left the record of whose data it sends.
pub(crate) fn record_of(folder: &Path, run: &RunRecord) -> PathBuf {
    baseline_in(folder, run.run_id, run.staged_epoch)
}

/// Where an attempt leaves the record of whose data it sends; each has a file of its own, as it has a
/// baseline.
pub(super) fn record_in(folder: &Path, run_id: Uuid, epoch: u32) -> PathBuf {
    baseline_in(folder, run_id, Some(epoch))
}

/// The run that has left a file of this name among the baselines, or among the records.
pub(crate) fn run_of_baseline(name: &str) -> Option<Uuid> {
    name.split('.').next()?.parse().ok()
}

/// Increments build on one another, so they are made in the order of their slots.
pub(crate) fn check_order(
    plan: &RunPlan,
    delivered: Option<&RunRecord>,
    committed: Option<&RunRecord>,
) -> Result<(), Failure> {
    if let Some(later) = delivered.filter(|run| run.slot > plan.slot) {
        return Err(Failure::new(
            Kind::Blocked,
            format!(
                "the increment for {} cannot be made: that for {} was delivered already, and each builds on the one before",
                plan.slot, later.slot
            ),
        )
        .hint("Run it for a later slot, or send everybody with `export: full`."));
    }
    match committed.filter(|run| run.run_id != plan.run_id) {
        None => Ok(()),
        Some(run) => Err(Failure::new(
            Kind::Blocked,
            format!(
                "the increment for {} waits: run {} for {} is committed and not delivered yet, and each builds on the one before",
                plan.slot, run.run_id, run.slot
            ),
        )
        .hint("`segue show` tells what is in that run's way; it goes on by itself with the next `segue run`.")),
    }
}
