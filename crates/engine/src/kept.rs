//! What costs much to make, kept on disk and found again by the name of what it was made of.
//!
//! Each has a folder of its own, with files and a summary. It is written under another name and
//! renamed when it is whole, so that nobody sees half of one. Whoever reads one holds a lock in it;
//! those that nobody holds are removed but for the last two.

use std::fs::{self, File, TryLockError};
use std::io;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use crate::error::Error;

/// How many are kept when nobody reads them.
const KEPT: usize = 2;
const SUMMARY: &str = "summary";
const LOCK: &str = "lock";
/// Begins the names of folders that are being written.
const BUILDING: &str = ".building-";

/// What is known of a kept folder: a text in it that says whether the rest is whole.
pub(crate) trait Summary: Sized {
    /// The text.
    fn text(&self) -> String;
    /// Reads the text back; nothing if it is not whole.
    fn parse(text: &str) -> Option<Self>;
    /// Whether the files that it names are there.
    fn is_whole(&self, folder: &Path) -> bool;
}

/// What becomes of what is made, when the last reader is done with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stay {
    /// It is there for the next command.
    Kept,
    /// It goes away, and what was kept before is read without a trace.
    Gone,
}

/// Where what was made of something is, or will be.
#[derive(Debug)]
pub(crate) struct Kept<S> {
    folder: PathBuf,
    name: String,
    stay: Stay,
    summary: PhantomData<fn() -> S>,
}

/// A folder being written; it is removed unless it is finished.
#[derive(Debug)]
pub(crate) struct Building {
    folder: tempfile::TempDir,
    lock: File,
}

/// A folder that was found, with what holds it there.
#[derive(Debug)]
pub(crate) struct Found<S> {
    pub(crate) folder: PathBuf,
    pub(crate) summary: S,
    pub(crate) held: Held,
}

/// Holds a folder for as long as it lives.
#[derive(Debug)]
pub(crate) struct Held {
    _lock: File,
    /// Removed with it.
    _folder: Option<tempfile::TempDir>,
}

impl Held {
    fn there(lock: File) -> Self {
        Self { _lock: lock, _folder: None }
    }
}

impl<S: Summary> Kept<S> {
    pub(crate) fn new(folder: PathBuf, name: String, stay: Stay) -> Self {
        Self { folder, name, stay, summary: PhantomData }
    }

    /// Finds what was made before and is whole.
    pub(crate) fn find(&self) -> Result<Option<Found<S>>, Error> {
        let folder = self.folder.join(&self.name);
        let failed = |error| unusable(&folder, "open what was kept", error);
        let lock = match File::open(folder.join(LOCK)) {
            Ok(lock) => lock,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        lock.lock_shared().map_err(failed)?;
        // They may have been removed between the opening and the lock.
        let Ok(text) = fs::read_to_string(folder.join(SUMMARY)) else { return Ok(None) };
        let Some(summary) = S::parse(&text).filter(|summary| summary.is_whole(&folder)) else {
            return Ok(None);
        };
        // The lock's time of change tells when it was used last.
        if self.stay == Stay::Kept {
            fs::write(folder.join(LOCK), "").map_err(failed)?;
        }
        Ok(Some(Found { folder, summary, held: Held::there(lock) }))
    }

    /// Those that were made of something else and are whole, the one used last first. What is being
    /// removed is passed over.
    pub(crate) fn others(&self) -> Vec<Found<S>> {
        let Ok(entries) = fs::read_dir(&self.folder) else { return Vec::new() };
        let mut others = Vec::new();
        for folder in entries.flatten().map(|entry| entry.path()) {
            let name = folder.file_name().unwrap_or_default().to_string_lossy();
            if name == self.name || name.starts_with(BUILDING) {
                continue;
            }
            let Ok(lock) = File::open(folder.join(LOCK)) else { continue };
            let Ok(used) = lock.metadata().and_then(|lock| lock.modified()) else { continue };
            if lock.try_lock_shared().is_err() {
                continue;
            }
            let Ok(text) = fs::read_to_string(folder.join(SUMMARY)) else { continue };
            if let Some(summary) = S::parse(&text).filter(|summary| summary.is_whole(&folder)) {
                others.push((used, Found { folder, summary, held: Held::there(lock) }));
            }
        }
        others.sort_by_key(|(used, _)| std::cmp::Reverse(*used));
        others.into_iter().map(|(_, found)| found).collect()
    }

    /// Begins to write.
    pub(crate) fn begin(&self) -> Result<Building, Error> {
        let failed = |error| unusable(&self.folder, "make a folder to keep rows in", error);
        fs::create_dir_all(&self.folder).map_err(failed)?;
        self.sweep().map_err(failed)?;
        let folder = tempfile::Builder::new().prefix(BUILDING).tempdir_in(&self.folder);
        let folder = folder.map_err(failed)?;
        let lock = File::create(folder.path().join(LOCK)).map_err(failed)?;
        lock.lock().map_err(failed)?;
        Ok(Building { folder, lock })
    }

    /// Makes what was written the one that is found, and removes old ones.
    pub(crate) fn finish(&self, building: Building, summary: S) -> Result<Found<S>, Error> {
        let target = self.folder.join(&self.name);
        let failed = |error| unusable(&target, "keep what was written", error);
        let Building { folder, lock } = building;
        if self.stay == Stay::Gone {
            let path = folder.path().to_owned();
            let held = Held { _lock: lock, _folder: Some(folder) };
            return Ok(Found { folder: path, summary, held });
        }
        let path = folder.path().join(SUMMARY);
        fs::write(&path, summary.text())
            .and_then(|()| File::open(&path)?.sync_all())
            .map_err(failed)?;
        // Another process may have been faster, with the same content; what is there but not whole
        // is in the way.
        if self.find()?.is_none() {
            if let Err(error) = fs::remove_dir_all(&target)
                && error.kind() != io::ErrorKind::NotFound
            {
                return Err(failed(error));
            }
            match fs::rename(folder.path(), &target) {
                Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {}
                renamed => renamed.map_err(failed)?,
            }
        }
        drop(lock);
        self.sweep().map_err(failed)?;
        self.find()?.ok_or_else(|| Error::internal("what was written was removed at once"))
    }

    /// Removes what nobody holds: folders of processes that ended early, and all but the last ones.
    fn sweep(&self) -> io::Result<()> {
        let mut old = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if name.starts_with(BUILDING) {
                remove_unheld(&path);
            } else if name != self.name
                && let Ok(used) = fs::metadata(path.join(LOCK)).and_then(|lock| lock.modified())
            {
                old.push((used, name, path));
            }
        }
        old.sort_unstable();
        let removed = old.len().saturating_sub(KEPT - 1);
        old.iter().take(removed).for_each(|(_, _, path)| remove_unheld(path));
        Ok(())
    }
}

impl Building {
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// Removes a folder unless somebody holds its lock. What cannot be removed is tried again at the
/// next time.
fn remove_unheld(folder: &Path) {
    let Ok(lock) = File::open(folder.join(LOCK)) else { return };
    match lock.try_lock() {
        Ok(()) => drop(fs::remove_dir_all(folder)),
        Err(TryLockError::WouldBlock | TryLockError::Error(_)) => {}
    }
}

fn unusable(folder: &Path, action: &str, error: io::Error) -> Error {
    Error::io(&folder.to_string_lossy(), action, error)
}
