//! `segue preview`: the first rows, as they would be written.

use delivery::encode::Encoder;
use futures::StreamExt as _;

use crate::cli::mask::mask;
use crate::cli::{Format, Global};
use crate::failure::{Failure, Kind};
use crate::select::{self, Request};
use crate::sources::Sources;
use crate::workspace::Workspace;

/// The most rows of one preview.
const ROWS_MAX: usize = 1_000;

/// Show the first rows of an activation as they would be written
///
/// Letters and digits are masked unless --unmask is given, because a preview ends up in scrollback
/// and screenshots.
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
    /// Show real values
    #[arg(long)]
    unmask: bool,
}

pub(crate) async fn run(global: &Global, args: &Args) -> Result<(), Failure> {
    let workspace = Workspace::load(global)?;
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
    let (header, text) = first_rows(&sources, &plan, args.rows.min(ROWS_MAX)).await?;
    let text = if args.unmask { text } else { mask(&text) };
    match global.output {
        Format::Text => super::answer(format!("{header}{text}").trim_end_matches('\n')),
        Format::Json => super::answer_json(&serde_json::json!({
            "activation": plan.activation,
            "segment": plan.segment,
            "masked": !args.unmask,
            "header": header,
            "text": text,
        })),
    }
    Ok(())
}

async fn first_rows(
    sources: &Sources,
    plan: &::plan::RunPlan,
    wanted: usize,
) -> Result<(String, String), Failure> {
    let rows = sources.engine.rows(&plan.query, &sources.profiles).await.map_err(Failure::from)?;
    let encoder = Encoder::new(&plan.output.file, &rows.schema()).map_err(Failure::from)?;
    let header = readable(encoder.header())?;
    let mut chunks = rows.map_ordered(move |batch| {
        let batch = batch.slice(0, batch.num_rows().min(wanted));
        encoder.encode(&batch).map_err(Failure::from)
    });
    let mut text = String::new();
    let mut found = 0;
    while found < wanted
        && let Some(chunk) = chunks.next().await
    {
        let mut chunk = chunk?;
        if chunk.rows() > wanted - found {
            chunk.split_off(wanted - found);
        }
        found += chunk.rows();
        text.push_str(&readable(chunk.text)?);
    }
    Ok((header, text))
}

fn readable(text: Vec<u8>) -> Result<String, Failure> {
    String::from_utf8(text)
        .map_err(|error| Failure::from_error(Kind::Internal, &error.utf8_error()))
}
