//! What is known of the services of destinations: found by `segue check`, kept beside the ledger, and
//! shown wherever a promise about files is made.

use std::io;
use std::path::Path;

use delivery::s3::probe::{Capabilities, Grade};
use plan::project::Destination;

use crate::failure::{Failure, Kind};
use crate::workspace::Workspace;

/// Keeps what a check found. A check that saw nothing does not replace one that did.
///
/// # Errors
/// The state folder cannot be written.
pub(crate) fn keep(
    workspace: &Workspace,
    destination: &Destination,
    found: &Capabilities,
) -> Result<(), Failure> {
    if *found == Capabilities::default() {
        return Ok(());
    }
    let path = workspace.capabilities_path(&destination.key);
    let place = place(workspace, destination);
    let text = serde_json::json!({ "place": place, "capabilities": found }).to_string();
    write(&path, &text).map_err(|error| {
        Failure::from_error(Kind::Temporary, &error)
            .context(format!("failed to write {}", path.display()))
            .hint("Give this user the right to write there, or name another --state-dir.")
    })
}

/// Returns what is known of a destination's service: nothing when it was never checked, or has been
/// moved since.
pub(crate) fn known(workspace: &Workspace, destination: &Destination) -> Option<Capabilities> {
    let text = std::fs::read_to_string(workspace.capabilities_path(&destination.key)).ok()?;
    let mut kept: serde_json::Value = serde_json::from_str(&text).ok()?;
    if kept["place"] != place(workspace, destination) {
        return None;
    }
    serde_json::from_value(kept["capabilities"].take()).ok()
}

/// Returns the grade of a destination, if it is known.
pub(crate) fn grade(workspace: &Workspace, destination: &str) -> Option<Grade> {
    let destination = workspace.project.destination(destination)?;
    known(workspace, destination)?.grade()
}

/// Says a grade with its promise.
pub(crate) fn said(grade: Option<Grade>, destination: &str) -> String {
    match grade {
        Some(grade) => format!("grade {grade:?}: {}", grade.promise()),
        None => format!("grade unknown: `segue check {destination}` finds it out"),
    }
}

/// What the abilities belong to: another endpoint or bucket has others.
fn place(workspace: &Workspace, destination: &Destination) -> String {
    let account = workspace.project.account(&destination.account);
    let endpoint = account.and_then(|account| account.endpoint_url.as_deref());
    format!("{}/{}", endpoint.unwrap_or("amazon"), destination.bucket)
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let unfinished = path.with_extension("new");
    std::fs::write(&unfinished, text)?;
    std::fs::rename(&unfinished, path)
}
