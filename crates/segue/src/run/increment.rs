//! Which rows a run sends: all, or what changed since the last one that was delivered to the place.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use engine::{Baselines, Rows, With};
use ledger::{Ledger, RunRecord};
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
    /// its rows end; it counts once the run is delivered.
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

/// Nothing younger is removed: its run may be about to be written down.
const BASELINE_AGE_MIN: Duration = Duration::from_secs(24 * 3_600);

/// Removes the baselines that no increment will be made from. What cannot be removed is told and does no
/// harm.
///
/// # Errors
/// The ledger cannot be read.
pub(crate) async fn sweep_baselines(folder: &Path, ledger: &Ledger) -> Result<(), Failure> {
    let needed = ledger.needed_baselines().await?;
    let removed = remove_baselines(folder, &needed, BASELINE_AGE_MIN);
    if removed > 0 {
        tracing::info!(baselines = removed, "old baselines were removed");
    }
    Ok(())
}

/// Removes the baselines of other runs than those that are needed, and those that were being written
/// when their process was killed. Returns how many.
fn remove_baselines(folder: &Path, needed: &[Uuid], age_min: Duration) -> usize {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let mut removed = 0;
    for entry in entries.flatten() {
        let path = entry.path();
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let is_over = match run_of_baseline(&name) {
            Some(run) => !needed.contains(&run),
            None => name.starts_with(engine::PARTIAL_PREFIX),
        };
        if !is_over {
            continue;
        }
        // When it came to its name: the file itself may be an older one, under one name more.
        let named = entry.metadata().map(|it| UNIX_EPOCH + Duration::from_secs(it.ctime() as u64));
        if named.map_or(true, |named| age(named) < age_min) {
            continue;
        }
        match std::fs::remove_file(&path) {
            Ok(()) => removed += 1,
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "an old baseline could not be removed")
            }
        }
    }
    removed
}

fn age(modified: SystemTime) -> Duration {
    modified.elapsed().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_baselines_that_nobody_needs_are_removed() {
        let folder = tempfile::tempdir().expect("a folder");
        let (needed, old) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let files =
            [format!("{needed}.2.parquet"), format!("{old}.parquet"), format!("{old}.3.moves")];
        // A killed process left this.
        let partial = format!("{}a1b2c3", engine::PARTIAL_PREFIX);
        for name in files.into_iter().chain(["notes.txt".to_owned(), partial.clone()]) {
            std::fs::write(folder.path().join(name), "x").expect("a file");
        }
        assert_eq!(
            remove_baselines(folder.path(), &[needed], Duration::from_secs(60)),
            0,
            "too young"
        );
        assert!(folder.path().join(&partial).exists(), "it may be about to be whole");
        assert_eq!(remove_baselines(folder.path(), &[needed], Duration::ZERO), 3);
        assert!(!folder.path().join(&partial).exists());
        assert!(folder.path().join(format!("{needed}.2.parquet")).exists());
        assert!(folder.path().join("notes.txt").exists());
        assert_eq!(remove_baselines(Path::new("/nowhere/at/all"), &[], Duration::ZERO), 0);
    }
}
