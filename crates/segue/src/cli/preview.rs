//! `segue preview`: the first rows, as they would be written.

use crate::app::questions::{FirstRows, Shown, Values, first_rows};
use crate::cli::{Format, Global};
use crate::failure::Failure;
use crate::select::{self, Request};
use crate::sources::Sources;
use crate::workspace::Workspace;

/// Show the first rows of an activation as they would be written
///
/// Letters and digits are masked unless --unmask is given, because a preview ends up in scrollback
/// and screenshots. Rows of a Parquet file are shown as lines of JSON. Of an incremental export the
/// next file is shown: what changed since the last delivered run, or everybody if there is none.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The activation
    activation: String,
    /// One of its segments (default: the first)
    #[arg(long)]
    segment: Option<String>,
    /// How many rows
    #[arg(long, default_value_t = 10)]
    rows: usize,
    /// Of an incremental export, show a file with everybody instead of the next one
    #[arg(long)]
    full: bool,
    /// Show real values
    #[arg(long)]
    unmask: bool,
}

pub(crate) async fn run(global: &Global, args: &Args) -> Result<(), Failure> {
    let workspace = Workspace::load(global).await?;
    let request = Request {
        activations: vec![args.activation.clone()],
        segments: args.segment.iter().cloned().collect(),
        slot: None,
    };
    let plans = select::runs(&workspace.project, &request, super::slot_now())?;
    let plan = plans.into_iter().next();
    let plan = plan.ok_or_else(|| {
        Failure::usage(format!("activation `{}` has no segments", args.activation))
    })?;
    let (sources, _) = Sources::open(&workspace, global).await?;
    let values = if args.unmask { Values::Shown } else { Values::Masked };
    let shown = if args.full { Shown::Full } else { Shown::Next };
    let first = first_rows((&workspace, &sources), &plan, shown, args.rows, values).await?;
    let FirstRows { changed_since, header, text, rows } = first;
    match global.output {
        Format::Text => {
            if let Some(last) = &changed_since {
                let what = match rows.is_empty() {
                    true => "Nothing has changed since",
                    false => "This is what changed since",
                };
                super::say(&format!("{what} the run for {}; `--full` shows everybody.", last.slot));
            }
            super::answer(format!("{header}{text}").trim_end_matches('\n'));
        }
        Format::Json => super::answer_json(&serde_json::json!({
            "activation": plan.activation,
            "segment": plan.segment,
            "masked": !args.unmask,
            "changedSince": changed_since.map(|last| serde_json::json!({
                "runId": last.run_id.to_string(),
                "slot": last.slot.to_string(),
            })),
            "header": header,
            "text": text,
        })),
    }
    Ok(())
}
