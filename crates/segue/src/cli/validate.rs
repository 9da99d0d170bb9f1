//! `segue validate`: every problem of the project, at its place.

use crate::ambient;
use crate::cli::{Format, Global};
use crate::draw;
use crate::encryption;
use crate::failure::Failure;
use crate::sources::Sources;
use crate::workspace::{self, Workspace};

/// Check the project file, and every field and rule in it against the data
///
/// All problems are reported at once, each with its line, the place in the file and the nearest
/// valid name. Nothing is written.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Check the file alone, without opening the datasets
    #[arg(long)]
    offline: bool,
}

pub(crate) async fn run(global: &Global, args: &Args) -> Result<(), Failure> {
    let checked = check(global, args).await;
    match (global.output, checked) {
        (Format::Text, Ok((workspace, warnings))) => {
            let path = workspace.path.display().to_string();
            if !warnings.is_empty() {
                super::say(&draw::diagnostics(&workspace.source, &warnings));
            }
            super::answer(&summary(&workspace, &path, args.offline));
            Ok(())
        }
        (Format::Json, Ok((workspace, warnings))) => {
            let problems = draw::diagnostics_json(&workspace.source, &warnings);
            super::answer_json(&serde_json::json!({ "valid": true, "diagnostics": problems }));
            Ok(())
        }
        (_, Err(failure)) => Err(failure),
    }
}

async fn check(
    global: &Global,
    args: &Args,
) -> Result<(Workspace, Vec<::plan::Diagnostic>), Failure> {
    let workspace = Workspace::load(global).await?;
    let mut warnings = workspace.warnings.clone();
    let keys = encryption::check(&workspace.project, ambient::now());
    if args.offline {
        workspace.fail_on_errors(&keys)?;
        warnings.extend(keys);
    } else {
        let (_, found) = Sources::open_all(&workspace, global, keys).await?;
        warnings.extend(found);
    }
    Ok((workspace, warnings))
}

fn summary(workspace: &Workspace, path: &str, offline: bool) -> String {
    let project = &workspace.project;
    let exports: usize =
        project.activations.iter().map(|activation| activation.segments.len()).sum();
    let checked = if offline { "checked without its data" } else { "checked against its data" };
    format!(
        "{path} is valid ({checked}): {}, {}, {}, {}",
        workspace::counted(project.datasets.len(), "dataset"),
        workspace::counted(project.segments.len(), "segment"),
        workspace::counted(project.activations.len(), "activation"),
        workspace::counted(exports, "export"),
    )
}
