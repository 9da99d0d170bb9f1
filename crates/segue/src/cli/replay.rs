//! `segue replay`: a delivered file set, made again.

use std::path::PathBuf;

use serde_json::json;

use crate::ambient::Interrupt;
use crate::app::backup;
use crate::app::replay::{Replay, Replayed, Target};
use crate::cli::{Format, Global, report, show};
use crate::failure::Failure;
use crate::progress::Progress;
use crate::workspace::Workspace;

/// Make the files of a delivered run again, byte by byte, and put them back
///
/// It works as long as the run's inputs and the project are as they were; otherwise it says what is not,
/// and writes nothing. Files that are still where they were delivered are left alone.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The run's id, or the beginning of it
    run: String,
    /// Make them in a folder instead of where they were delivered
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
}

pub(crate) async fn run(global: &Global, args: &Args) -> Result<(), Failure> {
    let workspace = Workspace::load(global).await?;
    let run_id = show::find(&workspace, &args.run).await?.run.run_id;
    let ledger = workspace.open_ledger().await?;
    backup::guard(&ledger).await?;
    let replay = Replay {
        workspace: &workspace,
        global,
        ledger: &ledger,
        interrupt: &Interrupt::listen(),
        progress: &Progress::on_terminal(),
    };
    let target = args.to.clone().map_or(Target::Back, Target::Folder);
    let replayed = replay.run(run_id, &target).await?;
    ledger.close().await;
    match global.output {
        Format::Text => super::answer(&text(&replayed, &target)),
        Format::Json => super::answer_json(&json!({
            "run": report::detail_json(&replayed.detail),
            "isWritten": replayed.is_written,
        })),
    }
    Ok(())
}

fn text(replayed: &Replayed, target: &Target) -> String {
    let what = match (replayed.is_written, target) {
        (false, _) => "Made again, and the same byte by byte. Nothing was written: the files are where they were delivered.".to_owned(),
        (true, Target::Back) => "Made again, the same byte by byte, and back where they were delivered.".to_owned(),
        (true, Target::Folder(folder)) => format!("Made again in {}, the same byte by byte.", folder.display()),
    };
    format!("{what}\n\n{}", report::files_table(std::slice::from_ref(&replayed.detail)))
}
