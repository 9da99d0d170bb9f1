//! Memberships over time: who is in a segment since when, and who left it when.
//!
//! ```text
//! members of an evaluation (entity, address) ──┐
//!                                              ├─ bucket by bucket ─▶ when each became a member
//! history that the last evaluation left ───────┘                └──▶ the next history
//! ```
//!
//! A segment has one history, a Parquet file ([`file`]) with a row for each profile that is a member
//! or left not long ago. An evaluation compares it with today's members ([`advance`]); the next one
//! takes its place in one step once every input has been found to be the pinned one. An evaluation
//! for a time that the history has reached already moves nothing, so that a run which is repeated
//! gives the same bytes.

mod advance;
mod file;

use std::fs::File;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use uuid::Uuid;

pub(crate) use self::advance::{Advanced, TRACKED_MAX, Tracked, advance, push};
use self::file::History;
use crate::error::Error;
use crate::explain::{PastMember, PersonId};
use crate::state_file::PARTIAL_PREFIX;

/// The file that is locked while histories move.
const LOCK: &str = "lock";

/// What the history of a segment says about its last evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// The instant of the evaluation.
    pub evaluated_at: Timestamp,
    /// Members.
    pub realized: u64,
    /// Those who left and are not forgotten yet.
    pub exited: u64,
    /// Who became a member by that evaluation.
    pub joined: u64,
    /// Who stopped being one by it.
    pub left: u64,
}

/// The history of a segment below `folder`.
pub(crate) fn path(folder: &Path, segment: Uuid) -> PathBuf {
    folder.join(format!("{segment}.parquet"))
}

/// Reads what a history says about its last evaluation; nothing if there is none.
///
/// # Errors
/// It is damaged.
pub(crate) fn standing(folder: &Path, segment: Uuid) -> Result<Option<Standing>, Error> {
    Ok(History::open(&path(folder, segment), None)?.map(|history| history.standing))
}

/// What a history says of its last evaluation and of somebody, by the identity that their profile was
/// known by; nothing if there is none.
///
/// # Errors
/// It is damaged.
pub(crate) fn past_member(
    folder: &Path,
    segment: Uuid,
    person: &PersonId,
) -> Result<Option<(Standing, Option<PastMember>)>, Error> {
    let Some(history) = History::open(&path(folder, segment), None)? else { return Ok(None) };
    let mut rows = history.rows()?;
    while let Some((state, key)) = rows.peek()? {
        if key.namespace == person.namespace && key.value == person.value {
            let found = PastMember { is_realized: state.is_realized, since: state.time };
            return Ok(Some((history.standing, Some(found))));
        }
        rows.pass();
    }
    Ok(Some((history.standing, None)))
}

/// Waits until no other evaluation moves histories below `folder`, in this process or another; others
/// wait for the returned file to be dropped.
///
/// # Errors
/// The folder cannot be written.
pub(crate) fn lock(folder: &Path) -> Result<File, Error> {
    let failed = |error| Error::io(&folder.to_string_lossy(), "lock it", error);
    std::fs::create_dir_all(folder).map_err(failed)?;
    let lock = File::create(folder.join(LOCK)).map_err(failed)?;
    lock.lock().map_err(failed)?;
    Ok(lock)
}

/// Removes what an evaluation that was killed has left half written; call it under the
/// lock.
pub(crate) fn sweep(folder: &Path) {
    let Ok(files) = std::fs::read_dir(folder) else { return };
    for file in files.flatten() {
        if file.file_name().to_string_lossy().starts_with(PARTIAL_PREFIX) {
            // What cannot be removed is in nobody's way.
            let _ = std::fs::remove_file(file.path());
        }
    }
}
