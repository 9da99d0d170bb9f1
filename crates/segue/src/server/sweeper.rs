//! The sweeper: what nobody needs any more, at the start and once an hour.
//!
//! Spilled rows have no names and go with their process, and the engine removes old merged profiles
//! whenever it makes new ones; what is left are uploads of runs that are over, baselines that no
//! increment will be made from, and records of whose data was sent that were kept for long enough.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::Shared;
use crate::ambient;
use crate::app::replay::Replay;
use crate::app::who_got;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::recover::Recovery;
use crate::run;

/// The pause between two sweeps.
const PAUSE: Duration = Duration::from_secs(3_600);
/// For how long sweeping is the matter of one server: until it comes back to it, and a little longer.
const TURN: SignedDuration = SignedDuration::from_secs(3_900);
/// Nothing younger is removed: its run may be about to be written down.
const BASELINE_AGE_MIN: Duration = Duration::from_secs(24 * 3_600);

/// Sweeps until the process is asked to stop.
pub(super) async fn sweep_until_stopped(shared: Arc<Shared>) {
    loop {
        let handle = tokio::runtime::Handle::current();
        let of_sweep = Arc::clone(&shared);
        let swept = tokio::task::spawn_blocking(move || handle.block_on(sweep(&of_sweep))).await;
        if let Ok(Err(failure)) = swept {
            tracing::warn!(
                failure = failure.one_line(),
                "sweeping failed; it is tried again in an hour"
            );
        }
        tokio::select! {
            () = tokio::time::sleep(PAUSE) => {}
            () = shared.interrupt.requested() => return,
        }
    }
}

async fn sweep(shared: &Shared) -> Result<(), Failure> {
    // Of servers that share a ledger, one sweeps: the same one as long as it lives.
    if !shared.ledger.take_duty("sweeping", TURN, ambient::now()).await? {
        return Ok(());
    }
    // What this server began itself is its own matter; what others left is anybody's after a day.
    shared.ledger.end_lost_acts(Timestamp::MIN, ambient::now()).await?;
    let workspace = shared.workspace();
    let recovery = Recovery {
        workspace: &workspace,
        sources: None,
        ledger: &shared.ledger,
        interrupt: &shared.interrupt,
        progress: &Progress::hidden(),
    };
    recovery.sweep().await?;
    let replay = Replay {
        workspace: &workspace,
        global: &shared.global,
        ledger: &shared.ledger,
        interrupt: &shared.interrupt,
        progress: &Progress::hidden(),
    };
    replay.finish_left().await?;
    let (records, kept) = (workspace.records_folder(), who_got::kept_days(&workspace));
    who_got::sweep(&records, kept, &shared.ledger, ambient::now().into()).await?;
    let needed = shared.ledger.needed_baselines().await?;
    let removed = remove_baselines(&workspace.baselines_folder(), &needed, BASELINE_AGE_MIN);
    if removed > 0 {
        tracing::info!(baselines = removed, "old baselines were removed");
    }
    Ok(())
}

/// Removes the baselines of other runs than those that are needed. Returns how many.
fn remove_baselines(folder: &Path, needed: &[Uuid], age_min: Duration) -> usize {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let mut removed = 0;
    for entry in entries.flatten() {
        let path = entry.path();
        let run = path.file_name().and_then(|name| run::run_of_baseline(name.to_str()?));
        let Some(run) = run.filter(|run| !needed.contains(run)) else { continue };
        // When it came to its name: the file itself may be an older one, under one name more.
        let named = entry.metadata().map(|it| UNIX_EPOCH + Duration::from_secs(it.ctime() as u64));
        if named.map_or(true, |named| age(named) < age_min) {
            continue;
        }
        match std::fs::remove_file(&path) {
            Ok(()) => removed += 1,
            Err(error) => tracing::warn!(%run, %error, "an old baseline could not be removed"),
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
        for name in files.into_iter().chain(["notes.txt".to_owned()]) {
            std::fs::write(folder.path().join(name), "x").expect("a file");
        }
        assert_eq!(
            remove_baselines(folder.path(), &[needed], Duration::from_secs(60)),
            0,
            "too young"
        );
        assert_eq!(remove_baselines(folder.path(), &[needed], Duration::ZERO), 2);
        assert!(folder.path().join(format!("{needed}.2.parquet")).exists());
        assert!(folder.path().join("notes.txt").exists());
        assert_eq!(remove_baselines(Path::new("/nowhere/at/all"), &[], Duration::ZERO), 0);
    }
}
