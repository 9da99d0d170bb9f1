//! What is known of the services of destinations: found by `segue check`, kept beside the ledger, and
//! shown wherever a promise about files is made.

use std::io;
use std::path::Path;

use delivery::s3::probe::{Capabilities, Grade};
use plan::power::Power;
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
    powers: &[Power],
) -> Result<(), Failure> {
    if *found == Capabilities::default() {
        return Ok(());
    }
    let path = workspace.capabilities_path(&destination.key);
    let place = place(workspace, destination);
    let powers: Vec<&str> = powers.iter().map(|power| power.action()).collect();
    let kept = serde_json::json!({ "place": place, "capabilities": found, "powers": powers });
    let text = kept.to_string();
    write(&path, &text).map_err(|error| {
        Failure::from_error(Kind::Temporary, &error)
            .context(format!("failed to write {}", path.display()))
            .hint("Give this user the right to write there, or name another --state-dir.")
    })
}

/// Returns what is known of a destination's service: nothing when it was never checked, or has been
/// moved since.
pub(crate) fn known(workspace: &Workspace, destination: &Destination) -> Option<Capabilities> {
    serde_json::from_value(kept(workspace, destination)?["capabilities"].take()).ok()
}

/// Returns what the last check found that the credentials can do although the destination does not
/// need it; `None` when it was never checked.
pub(crate) fn powers(workspace: &Workspace, destination: &Destination) -> Option<Vec<Power>> {
    let kept = kept(workspace, destination)?;
    let actions = kept["powers"].as_array()?;
    Some(actions.iter().filter_map(|action| Power::of_action(action.as_str()?)).collect())
}

fn kept(workspace: &Workspace, destination: &Destination) -> Option<serde_json::Value> {
    let text = std::fs::read_to_string(workspace.capabilities_path(&destination.key)).ok()?;
    let kept: serde_json::Value = serde_json::from_str(&text).ok()?;
    (kept["place"] == place(workspace, destination)).then_some(kept)
}

/// Returns the grade of a destination, if it is known.
pub(crate) fn grade(workspace: &Workspace, destination: &str) -> Option<Grade> {
    let destination = workspace.project.destination(destination)?;
    if destination.location.is_some() {
        // A file comes to its name by a link, which refuses to take the place of another.
        return Some(Grade::A);
    }
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
