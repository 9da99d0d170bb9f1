//! `segue ready`: whether a server works, for whoever watches it.

use std::time::Duration;

use bytes::Bytes;
use http::{StatusCode, Uri};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;

use crate::cli::{Format, Global};
use crate::failure::{Failure, Kind};
use crate::outbound;
use crate::server::Beacon;
use crate::workspace::File;

/// How long a server may take to say it.
const TIME_MAX: Duration = Duration::from_secs(4);
/// The most bytes of what it says.
const ANSWER_BYTES_MAX: usize = 4 << 10;

/// Tell whether the server of this project is ready
///
/// Asks `/readyz` of the server that was started last with this state directory, on this machine; health
/// checks of containers take it. It ends with 0 when slots are planned and the ledger answers, with 5 when
/// not, and with 3 when no server answers.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Ask the server at this address instead
    #[arg(long, value_name = "URL", env = "SEGUE_SERVER")]
    server: Option<String>,
}

pub(crate) async fn run(global: &Global, args: &Args) -> Result<(), Failure> {
    let url = match &args.server {
        Some(url) => {
            outbound::url("server", url)?;
            url.trim_end_matches('/').to_owned()
        }
        None => of_project(global)?,
    };
    let (status, text) = tokio::time::timeout(TIME_MAX, ask(&url)).await.unwrap_or_else(|_| {
        let message = format!("the server at {url} gave no answer in time");
        Err(Failure::new(Kind::Connection, message))
    })?;
    if status != StatusCode::OK {
        let why = text.lines().next().unwrap_or_default();
        return Err(Failure::new(Kind::Temporary, format!("the server at {url} is {why}")));
    }
    match global.output {
        Format::Text => super::answer(&format!("The server at {url} is ready.")),
        Format::Json => super::answer_json(&serde_json::json!({ "isReady": true, "url": url })),
    }
    Ok(())
}

/// Where the server of the project is. Whether the project is as it should be is not looked at: the server
/// goes on with the last one that was.
fn of_project(global: &Global) -> Result<String, Failure> {
    let folder = File::read(global)?.state_folder();
    Beacon::seen(&folder).ok_or_else(|| {
        let message = format!("no server has the state directory {}", folder.display());
        Failure::new(Kind::Connection, message)
            .hint("`segue serve` starts one; --server names one elsewhere.")
    })
}

async fn ask(url: &str) -> Result<(StatusCode, String), Failure> {
    let failed = |error: &dyn std::error::Error| {
        Failure::from_error(Kind::Connection, error)
            .context(format!("the server at {url} does not answer"))
    };
    let uri: Uri = format!("{url}/readyz").parse().map_err(|error| failed(&error))?;
    let client: Client<_, Empty<Bytes>> =
        Client::builder(TokioExecutor::new()).build(outbound::connector()?);
    let answer = client.get(uri).await.map_err(|error| failed(&error))?;
    let status = answer.status();
    let body = Limited::new(answer.into_body(), ANSWER_BYTES_MAX).collect().await;
    let body = body.map_err(|error| failed(error.as_ref()))?.to_bytes();
    Ok((status, String::from_utf8_lossy(&body).into_owned()))
}
