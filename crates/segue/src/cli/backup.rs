//! `segue backup` and `segue restore`.

use std::path::PathBuf;

use ledger::Ledger;
use serde_json::json;

use crate::ambient;
use crate::app::backup::{self, Backup};
use crate::cli::{Format, Global, table};
use crate::failure::Failure;
use crate::server;
use crate::workspace::{self, File, Workspace};

/// Copy the ledger, and what belongs to it, into a folder
///
/// A server may go on meanwhile. The master key of secrets is not in a backup; keep it elsewhere.
#[derive(Debug, clap::Args)]
pub(crate) struct BackupArgs {
    /// A folder that is empty or not there yet
    folder: PathBuf,
}

/// Make the ledger from a backup again
///
/// Every file is compared with its digest first, every page of the ledger is walked, and its audit log
/// is checked. Nothing is run with a restored ledger until it is settled: what was due since the backup
/// may have been delivered, and the ledger does not know.
#[derive(Debug, clap::Args)]
pub(crate) struct RestoreArgs {
    /// The folder of the backup
    #[arg(required_unless_present = "settle")]
    folder: Option<PathBuf>,
    /// Only check the backup
    #[arg(long)]
    verify: bool,
    /// Tell what was due since the backup as skipped, and let runs begin again
    #[arg(long, conflicts_with_all = ["folder", "verify"])]
    settle: bool,
}

pub(crate) async fn backup(global: &Global, args: &BackupArgs) -> Result<(), Failure> {
    let file = File::read(global)?;
    let (place, state) = (file.ledger_place(), file.state_folder());
    let made = backup::take(place, &state, &args.folder, ambient::now()).await?;
    told(global, &made, &format!("in {}", args.folder.display()));
    Ok(())
}

pub(crate) async fn restore(global: &Global, args: &RestoreArgs) -> Result<(), Failure> {
    let Some(folder) = &args.folder else { return settle(global).await };
    if args.verify {
        let found = backup::verify(folder).await?;
        told(global, &found, "as they were written");
        return Ok(());
    }
    let file = File::read(global)?;
    let (place, state) = (file.ledger_place(), file.state_folder());
    let made = backup::restore(place, folder, &state, ambient::now()).await?;
    told(global, &made, &format!("restored into {}", state.display()));
    super::say(
        "Nothing is run until `segue restore --settle` has told what was due since the backup.",
    );
    Ok(())
}

async fn settle(global: &Global) -> Result<(), Failure> {
    let workspace = Workspace::load(global).await?;
    let ledger = Ledger::open(workspace.ledger_place())
        .await
        .map_err(|error| server::explain(&workspace, error.into()))?;
    if ledger.unsettled_restore().await?.is_none() {
        return Err(Failure::usage("the ledger was not restored, or is settled already"));
    }
    let skipped = backup::settle(&ledger, &workspace.project, ambient::now()).await?;
    ledger.close().await;
    match global.output {
        Format::Text => super::answer(&format!(
            "{} since the backup told as skipped. `segue slots` lists them; run what is missing by its slot.",
            workspace::counted(usize::try_from(skipped).unwrap_or(usize::MAX), "slot")
        )),
        Format::Json => super::answer_json(&json!({ "skipped": skipped })),
    }
    Ok(())
}

fn told(global: &Global, backup: &Backup, what: &str) {
    let bytes: u64 = backup.files.iter().map(|file| file.bytes).sum();
    match global.output {
        Format::Text => super::answer(&format!(
            "{} of {}, {} {what}",
            workspace::counted(backup.files.len(), "file"),
            backup.taken_at,
            table::size(bytes)
        )),
        Format::Json => super::answer_json(&json!({
            "takenAt": backup.taken_at.to_string(),
            "files": backup.files.len(),
            "bytes": bytes,
        })),
    }
}
