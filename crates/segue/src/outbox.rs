//! Destinations that are folders of this machine.
//!
//! Whoever writes the project file may name any folder, as they may run the program. Whoever makes a
//! destination over the API may not therefore write anywhere on the server's disk: such a destination has to
//! be below a folder that the server's operator named (`--outbox`).

use std::path::{Component, Path, PathBuf};

use delivery::folder::FolderStore;
use plan::project::Destination;
use plan::{Diagnostic, Section};
use serde_json::{Value, json};

use crate::failure::{Failure, Kind};
use crate::workspace::Workspace;

/// The folder of a destination, if it is one and may be written to.
///
/// # Errors
/// It was made over the API, and is not below a folder that the operator named.
pub(crate) fn folder_of(
    workspace: &Workspace,
    destination: &str,
) -> Result<Option<PathBuf>, Failure> {
    let Some(found) = workspace.project.destination(destination) else { return Ok(None) };
    let Some(location) = &found.location else { return Ok(None) };
    let folder = workspace.folder.join(location);
    if is_stored(workspace, found) && !is_allowed(&workspace.outboxes, &folder) {
        let (message, hint) = refusal(workspace, location);
        return Err(Failure::new(Kind::Connection, message).hint(hint));
    }
    Ok(Some(folder))
}

/// What is wrong with the folders of stored destinations.
pub(crate) fn check(workspace: &Workspace) -> Vec<Diagnostic> {
    let stored = workspace.project.destinations.iter().filter(|it| is_stored(workspace, it));
    let wrong = stored.filter_map(|it| {
        let location = it.location.as_ref()?;
        if is_allowed(&workspace.outboxes, &workspace.folder.join(location)) {
            return None;
        }
        let (message, hint) = refusal(workspace, location);
        Some(Diagnostic::error("not_for_stored", it.span, message).with_hint(hint))
    });
    wrong.collect()
}

fn is_stored(workspace: &Workspace, destination: &Destination) -> bool {
    workspace.stored(Section::Destinations, &destination.key).is_some()
}

fn refusal(workspace: &Workspace, location: &str) -> (String, String) {
    let message = format!("the folder {location} is not one that destinations may be in");
    let hint = match workspace.outboxes.as_slice() {
        [] => {
            "Whoever runs the server names a folder for them: `segue serve --outbox /srv/outbox`."
                .to_owned()
        }
        all => {
            let all: Vec<String> = all.iter().map(|it| it.display().to_string()).collect();
            format!("Name a folder in: {}.", all.join(", "))
        }
    };
    (message, hint)
}

/// Whether a folder is below one of those that were named, wherever links lead.
fn is_allowed(outboxes: &[PathBuf], folder: &Path) -> bool {
    if !folder.is_absolute() || folder.components().any(|it| it == Component::ParentDir) {
        return false;
    }
    // What is not there yet is made below what is.
    let Some(there) = folder.ancestors().find(|it| it.symlink_metadata().is_ok()) else {
        return false;
    };
    let Ok(there) = there.canonicalize() else { return false };
    outboxes.iter().filter_map(|it| it.canonicalize().ok()).any(|outbox| there.starts_with(outbox))
}

/// Checks that the folder of a destination can be delivered to, and tells it as the check of a bucket does.
///
/// # Errors
/// It may not be written to, as [`folder_of`].
pub(crate) async fn checked(
    workspace: &Workspace,
    destination: &Destination,
) -> Result<(bool, Value), Failure> {
    let folder = folder_of(workspace, &destination.key)?;
    let folder = folder.ok_or_else(|| Failure::new(Kind::Internal, "this is no folder"))?;
    let opened = FolderStore::open(&folder).await.map_err(Failure::from);
    let is_ready = opened.is_ok();
    let said = opened.as_ref().err().map(Failure::one_line);
    let mut value = json!({
        "destination": destination.key,
        "location": folder.display().to_string(),
        "ready": is_ready,
        "permissions": [{
            "action": "write",
            "resource": folder.display().to_string(),
            "need": "required",
            "result": if is_ready { "ok" } else { "missing" },
            "reason": said,
            "without": "nothing can be delivered",
        }],
        "grade": "A",
        "notes": [],
        "left": [],
    });
    if let Err(failure) = opened {
        value["error"] = failure.json()["error"].take();
    }
    Ok((is_ready, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_below_what_was_named_wherever_links_lead() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path();
        let outbox = root.join("outbox");
        std::fs::create_dir_all(outbox.join("partner")).expect("a folder");
        std::fs::create_dir_all(root.join("outbox-of-others")).expect("a folder");
        std::os::unix::fs::symlink(root, outbox.join("out")).expect("a link");
        let outboxes = [outbox.clone()];
        let may = |path: &Path| is_allowed(&outboxes, path);
        assert!(may(&outbox) && may(&outbox.join("partner")) && may(&outbox.join("new/deep")));
        assert!(!may(root) && !may(&root.join("outbox-of-others")) && !may(&root.join("new")));
        assert!(!may(&outbox.join("out")) && !may(&outbox.join("out/new")), "a link leads out");
        assert!(!may(&outbox.join("../x")) && !may(Path::new("outbox")));
        assert!(!is_allowed(&[], &outbox));
    }
}
