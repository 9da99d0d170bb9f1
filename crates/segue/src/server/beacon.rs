//! A small file beside the ledger that tells other commands where the server is.

use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::workspace::Workspace;

/// The file's name, inside the state folder.
const FILE: &str = "server.json";
/// The most bytes of it that are read.
const BYTES_MAX: usize = 4_096;

/// The file, for as long as the server runs.
pub(crate) struct Beacon {
    path: PathBuf,
}

impl Beacon {
    /// Writes where the server listens. It is a help and no more: a failure is told and does no harm.
    pub(crate) fn light(workspace: &Workspace, url: &str) -> Self {
        let path = workspace.state_folder().join(FILE);
        let text = serde_json::json!({ "process": std::process::id(), "url": url });
        if let Err(error) = std::fs::write(&path, format!("{text}\n")) {
            tracing::warn!(%error, path = %path.display(), "other commands cannot be told of this server");
        }
        Self { path }
    }

    /// Where the server that was started last with a state folder said that it listens; it may be gone.
    pub(crate) fn seen(state_folder: &Path) -> Option<String> {
        told(state_folder)?["url"].as_str().map(str::to_owned)
    }
}

impl Drop for Beacon {
    fn drop(&mut self) {
        // One that stays is recognised by its process id.
        drop(std::fs::remove_file(&self.path));
    }
}

/// Returns where the server of a project listens, if `process` is a server.
pub(crate) fn read(workspace: &Workspace, process: u32) -> Option<String> {
    let value = told(workspace.state_folder())?;
    let is_same = value["process"].as_u64() == Some(u64::from(process));
    is_same.then(|| value["url"].as_str().map(str::to_owned))?
}

fn told(state_folder: &Path) -> Option<serde_json::Value> {
    let text = std::fs::read_to_string(state_folder.join(FILE)).ok()?;
    serde_json::from_str(text.get(..text.len().min(BYTES_MAX))?).ok()
}

/// Says what to do when the ledger is in the hands of a server.
pub(crate) fn explain(workspace: &Workspace, mut failure: Failure) -> Failure {
    let Some(process) = failure.holder else { return failure };
    let Some(url) = read(workspace, process) else { return failure };
    failure.hints = vec![
        format!(
            "It is `segue serve` at {url}. Ask it to run: POST {url}/api/v1/activations/ACTIVATION/run, or send it SIGTERM and wait until it ends."
        ),
        "Commands that only read, such as `segue runs` and `segue plan`, work beside it."
            .to_owned(),
    ];
    failure
}
