//! Who delivers into a folder just now, so that nobody takes away what another needs there.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::Path;

use super::disk::at;
use crate::error::Error;

/// The file that everybody holds who has the folder open.
const FILE: &str = "in-use";

/// Holds the hidden folder open for as long as it lives.
pub(super) struct Presence {
    _file: File,
}

impl Presence {
    /// Makes the hidden folder if it is not there, and holds it.
    pub(super) fn enter(hidden: &Path) -> Result<Self, Error> {
        let path = hidden.join(FILE);
        loop {
            fs::create_dir_all(hidden).map_err(at("create", hidden))?;
            let opened = OpenOptions::new().create(true).append(true).open(&path);
            let file = match opened {
                // Somebody tidied between the two.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                opened => opened.map_err(at("open", &path))?,
            };
            match file.lock_shared() {
                Err(error) if error.kind() != io::ErrorKind::Unsupported => {
                    return Err(at("lock", &path)(error));
                }
                _ => {}
            }
            if is_at(&file, &path)? {
                return Ok(Self { _file: file });
            }
        }
    }

    /// Holds it alone, or nothing if others have it, if it is not there, or if this cannot be told.
    pub(super) fn alone(hidden: &Path) -> Result<Option<Self>, Error> {
        let path = hidden.join(FILE);
        let file = match OpenOptions::new().append(true).open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(at("open", &path))?,
        };
        match file.try_lock() {
            Ok(()) if is_at(&file, &path)? => Ok(Some(Self { _file: file })),
            Ok(()) | Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {
                Ok(None)
            }
            Err(TryLockError::Error(error)) => Err(at("lock", &path)(error)),
        }
    }

    /// Ends it by removing the file, before the lock is given up.
    pub(super) fn leave_nothing(self, hidden: &Path) -> Result<(), Error> {
        super::disk::remove(&hidden.join(FILE))
    }
}

/// Whether the file is still the one of that name: it may have been removed before it was locked.
#[cfg(not(unix))]
fn is_at(_: &File, _: &Path) -> Result<bool, Error> {
    Ok(true)
}

/// Whether the file is still the one of that name: it may have been removed before it was locked.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> Result<bool, Error> {
    use std::os::unix::fs::MetadataExt as _;

    let held = file.metadata().map_err(at("look at", path))?;
    match fs::metadata(path) {
        Ok(there) => Ok((there.dev(), there.ino()) == (held.dev(), held.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(at("look at", path)(error)),
    }
}
