//! `segue validate`: every problem of the project, at its place.

use crate::ambient;
use crate::cli::{Format, Global};
use crate::draw;
use crate::encryption;
use crate::failure::Failure;
use crate::sources::{self, Scope, Sources};
use crate::workspace::{self, Drafted, Workspace};

/// Check the project file, and every field and rule in it against the data
///
/// All problems are reported at once, each with its line, the place in the file and the nearest
/// valid name. Nothing is written.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Check the file and the form of its rules, without opening the datasets
    #[arg(long)]
    offline: bool,
}

pub(crate) async fn run(global: &Global, args: &Args) -> Result<(), Failure> {
    match (global.output, check(global, args).await) {
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
        (Format::Json, Err(failure)) if failure.diagnostics.is_some() => {
            let mut answer = failure.json();
            answer["valid"] = false.into();
            super::answer_json(&answer);
            Err(Failure { is_answered: true, ..failure })
        }
        (_, Err(failure)) => Err(failure),
    }
}

/// Finds everything that can be known at once: what is wrong with the file as such keeps nobody from
/// learning what is wrong with its fields and rules.
async fn check(
    global: &Global,
    args: &Args,
) -> Result<(Workspace, Vec<::plan::Diagnostic>), Failure> {
    let Drafted { workspace, mut problems, has_its_data } = Workspace::draft(global).await?;
    problems.extend(encryption::check(&workspace.project, ambient::now()));
    if args.offline || !has_its_data {
        problems.extend(sources::problems_of_syntax(&workspace, Scope::All));
    } else {
        match Sources::all_problems(&workspace, global).await {
            Ok(found) => problems.extend(found),
            Err(failure) => return Err(workspace.telling(failure, &problems)),
        }
    }
    workspace.fail_on_errors(&problems)?;
    Ok((workspace, problems))
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
