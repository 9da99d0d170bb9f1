//! `segue schema`: the JSON Schema of project files, for editors.

use crate::failure::Failure;

/// Print the JSON Schema of project files, for completion and checks in an editor
///
/// With the YAML language server, put this line at the head of the project file:
/// `# yaml-language-server: $schema=./segue.schema.json`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_args: &Args) -> Result<(), Failure> {
    super::answer_json(&::plan::json_schema());
    Ok(())
}
