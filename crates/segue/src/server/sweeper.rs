//! The sweeper: what nobody needs any more, at the start and once an hour.
//!
//! Spilled rows have no names and go with their process, and the engine removes old merged profiles
//! whenever it makes new ones; what is left are uploads of runs that are over, baselines that no
//! increment will be made from, and records of whose data was sent that were kept for long enough.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

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
    run::sweep_baselines(&workspace.baselines_folder(), &shared.ledger).await
}
