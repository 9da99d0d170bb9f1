//! What an incremental export sent last, for whoever only looks at what it would send next.

use std::path::PathBuf;

use jiff::Timestamp;
use ledger::Ledger;
use plan::RunPlan;
use uuid::Uuid;

use crate::failure::Failure;
use crate::workspace::Workspace;
use crate::{run, stores};

/// The run that the next increment is compared with.
#[derive(Debug, Clone)]
pub(crate) struct LastSent {
    pub(crate) run_id: Uuid,
    pub(crate) slot: Timestamp,
    /// Where the set of rows is that its receiver has by then.
    pub(crate) baseline: PathBuf,
}

/// Finds the last delivered run of an incremental export to its destination; nothing if there is none,
/// and for a full export, which rests on none.
///
/// # Errors
/// The ledger cannot be read.
pub(crate) async fn find(
    workspace: &Workspace,
    plan: &RunPlan,
) -> Result<Option<LastSent>, Failure> {
    let store = stores::identity(workspace, &plan.destination);
    let (Some(_), Some(store)) = (&plan.increment, store) else { return Ok(None) };
    let Some(ledger) = Ledger::open_read_only(workspace.ledger_place()).await? else {
        return Ok(None);
    };
    let (delivered, _) = ledger.newest_to(&plan.activation, &plan.segment, &store).await?;
    Ok(delivered.map(|it| LastSent {
        run_id: it.run_id,
        slot: it.slot,
        baseline: run::baseline_of(&workspace.baselines_folder(), &it),
    }))
}
