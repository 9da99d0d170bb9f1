//! Files: what became visible, over all runs.

use std::sync::Arc;

use ledger::{DeliveredFile, FileBehind, FileFilter};
use schemars::JsonSchema;
use serde::Serialize;

use super::{LIMIT_DEFAULT, bad_cursor, cursor, parse_cursor};
use crate::http::App;
use crate::http::problem::Problem;
use crate::http::request::{Ask, Reply};

/// An object that became visible.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct File {
    run_id: String,
    activation: String,
    segment: String,
    destination: String,
    slot: String,
    bucket: String,
    key: String,
    /// Whether it lists the others
    manifest: bool,
    rows: u64,
    bytes: u64,
    sha256: String,
    etag: Option<String>,
    version_id: Option<String>,
    published_at: String,
}

/// Files.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Files {
    items: Vec<File>,
    /// The cursor of the next page, if there is one
    next: Option<String>,
}

pub(crate) async fn list(app: Arc<App>, ask: Ask) -> Result<Reply, Problem> {
    let limit = ask.number("limit", 1, 1_000)?.unwrap_or(LIMIT_DEFAULT);
    let run = ask.query("run").map(str::parse).transpose();
    let run_id = run.map_err(|_| Problem::at_parameter("run", "`run` is the id of a run."))?;
    let filter = FileFilter {
        prefix: ask.query("key").map(str::to_owned),
        run_id,
        destination: ask.query("destination").map(str::to_owned),
        behind: ask.query("cursor").map(behind_of).transpose()?,
        limit: Some(limit + 1),
        ..FileFilter::default()
    };
    let mut files = app.shared.ledger.files(&filter).await?;
    let most = usize::try_from(limit).unwrap_or(usize::MAX);
    let is_more = files.len() > most;
    files.truncate(most);
    let next = files.last().filter(|_| is_more).map(|last| cursor_of(&last.place()));
    Reply::json(&Files { items: files.into_iter().map(File::of).collect(), next })
}

impl File {
    fn of(file: DeliveredFile) -> Self {
        Self {
            run_id: file.run_id.to_string(),
            activation: file.activation,
            segment: file.segment,
            destination: file.destination,
            slot: file.slot.to_string(),
            bucket: file.bucket,
            key: file.key,
            manifest: file.is_manifest,
            rows: file.rows,
            bytes: file.bytes,
            sha256: file.sha256,
            etag: file.etag,
            version_id: file.version_id,
            published_at: file.published.to_string(),
        }
    }
}

/// Where a list goes on behind a file.
pub(super) fn cursor_of(place: &FileBehind) -> String {
    let (published, run_id) = (place.published.to_string(), place.run_id.to_string());
    cursor(&[&published, &run_id, &place.position.to_string()])
}

/// The place that a cursor names.
///
/// # Errors
/// It is no cursor of a list of files.
pub(super) fn behind_of(text: &str) -> Result<FileBehind, Problem> {
    let [published, run_id, position] = parse_cursor(text)?;
    Ok(FileBehind {
        published: published.parse().map_err(|_| bad_cursor())?,
        run_id: run_id.parse().map_err(|_| bad_cursor())?,
        position: position.parse().map_err(|_| bad_cursor())?,
    })
}
