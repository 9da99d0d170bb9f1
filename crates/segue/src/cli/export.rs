//! `segue export`: what the ledger keeps, for the project file.

use ::plan::stored::to_yaml;
use ledger::Definitions;
use serde_json::Value;

use crate::app::objects;
use crate::cli::apply::Server;
use crate::cli::{Format, Global};
use crate::failure::Failure;
use crate::workspace;

/// Print the objects that were made over the API, as YAML that fits into a project file
///
/// Secrets are in it by reference only. `segue apply` takes it back, here or elsewhere.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    server: Server,
}

pub(crate) async fn run(global: &Global, args: &Args) -> Result<(), Failure> {
    let objects = match args.server.remote()? {
        Some(remote) => {
            let answer = remote.ask(http::Method::GET, "/api/v1/objects", None, None).await?;
            answer["objects"].clone()
        }
        None => objects::as_file(&kept(global).await?),
    };
    let is_empty = objects.as_object().is_none_or(serde_json::Map::is_empty);
    match global.output {
        Format::Text if is_empty => super::say("Nothing was made over the API."),
        Format::Text => super::answer(to_yaml(&objects).trim_end()),
        Format::Json => super::answer_json(if is_empty { &Value::Null } else { &objects }),
    }
    Ok(())
}

/// What the ledger of a project keeps, also when the project has problems.
async fn kept(global: &Global) -> Result<Definitions, Failure> {
    Ok(ledger::definitions_in(workspace::File::read(global)?.ledger_place()).await?)
}
