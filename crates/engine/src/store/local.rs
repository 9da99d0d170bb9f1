//! Files of this machine.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use plan::project::DatasetFormat;

use super::{INPUTS_MAX, Input, Version, nothing_found, too_many};
use crate::error::Error;
use crate::location::Location;

/// How much is read ahead: enough that a system call is cheap beside decoding.
pub(super) const READ_AHEAD_BYTES: usize = 256 << 10;
/// Folders below a location; links that lead in a circle end here.
const FOLDER_DEPTH_MAX: usize = 32;

/// Lists the files of a location.
pub(super) fn list(
    location: &Location,
    root: &Path,
    format: DatasetFormat,
) -> Result<Vec<Input>, Error> {
    let metadata = fs::metadata(root).map_err(|error| missing(location, root, error))?;
    if metadata.is_dir() {
        let mut found = Vec::new();
        walk(location, root, root, format, FOLDER_DEPTH_MAX, &mut found)?;
        return if found.is_empty() { Err(nothing_found(location, format)) } else { Ok(found) };
    }
    if !metadata.is_file() {
        return Err(Error::input(&location.text, "not a regular file"));
    }
    Ok(vec![pin(root, &metadata)])
}

fn missing(location: &Location, root: &Path, error: io::Error) -> Error {
    let is_missing = error.kind() == io::ErrorKind::NotFound;
    let error = Error::io(&root.to_string_lossy(), "find the dataset", error);
    if is_missing {
        let base = root.ancestors().skip(1).find(|folder| folder.is_dir());
        let hint = match base.filter(|folder| !folder.as_os_str().is_empty()) {
            Some(folder) => format!("The path exists only as far as `{}`.", folder.display()),
            None => {
                "Correct `location`; it is relative to the folder of the project file.".to_owned()
            }
        };
        return error.in_file(&location.text).with_hint(hint);
    }
    error
}

fn walk(
    location: &Location,
    root: &Path,
    folder: &Path,
    format: DatasetFormat,
    depth: usize,
    found: &mut Vec<Input>,
) -> Result<(), Error> {
    let unreadable = |error| Error::io(&folder.to_string_lossy(), "list the folder", error);
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let text = path.to_string_lossy();
        // A link that leads nowhere is no file; one that cannot be looked at is an error.
        let metadata = match fs::metadata(&path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(Error::io(&text, "look at the file", error)),
        };
        if metadata.is_dir() {
            if depth == 0 {
                return Err(Error::input(&text, "the folders are nested too deeply"));
            }
            walk(location, root, &path, format, depth - 1, found)?;
            continue;
        }
        let below = path.strip_prefix(root).unwrap_or(&path).to_string_lossy();
        if metadata.is_file() && location.takes(&below, format) {
            found.push(pin(&path, &metadata));
        }
        if found.len() > INPUTS_MAX {
            return Err(too_many(location));
        }
    }
    Ok(())
}

/// Lists the log of a Delta table, with the folder of its checkpoints' parts.
pub(super) fn list_log(
    location: &Location,
    root: &Path,
    folder: &str,
) -> Result<Vec<Input>, Error> {
    fs::metadata(root).map_err(|error| missing(location, root, error))?;
    let mut found = Vec::new();
    for folder in [root.join(folder), root.join(folder).join("_sidecars")] {
        let unreadable = |error| Error::io(&folder.to_string_lossy(), "list the folder", error);
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => continue,
            Err(error) => return Err(unreadable(error)),
        };
        for entry in entries {
            let path = entry.map_err(unreadable)?.path();
            match fs::metadata(&path) {
                Ok(metadata) if metadata.is_file() => found.push(pin(&path, &metadata)),
                Ok(_) => {}
                // Logs are cleaned up while they are listed.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => {
                    return Err(Error::io(&path.to_string_lossy(), "look at the file", error));
                }
            }
        }
    }
    Ok(found)
}

/// Pins files by their paths below a folder; those that do not exist are left out.
pub(super) fn pin_below(
    root: &Path,
    wanted: &BTreeSet<String>,
) -> Result<BTreeMap<String, Arc<Input>>, Error> {
    let mut found = BTreeMap::new();
    for below in wanted {
        let path = root.join(below);
        match fs::metadata(&path) {
            Ok(metadata) => drop(found.insert(below.clone(), Arc::new(pin(&path, &metadata)))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                return Err(Error::io(&path.to_string_lossy(), "look at the file", error));
            }
        }
    }
    Ok(found)
}

/// Pins one file.
pub(super) fn pin_path(path: &Path) -> Result<Input, Error> {
    let text = path.to_string_lossy();
    let metadata =
        fs::metadata(path).map_err(|error| Error::io(&text, "look at the file", error))?;
    Ok(pin(path, &metadata))
}

fn pin(path: &Path, metadata: &Metadata) -> Input {
    Input {
        location: path.to_string_lossy().into_owned(),
        size: metadata.len(),
        version: version(metadata),
        rows: None,
    }
}

fn version(metadata: &Metadata) -> Version {
    let nanoseconds =
        i128::from(metadata.mtime()) * 1_000_000_000 + i128::from(metadata.mtime_nsec());
    Version::Modified { nanoseconds }
}

fn check(input: &Input, metadata: &Metadata) -> Result<(), Error> {
    let same = metadata.len() == input.size && version(metadata) == input.version;
    if same { Ok(()) } else { Err(input.changed()) }
}

/// Checks that a file is still the pinned one.
pub(super) fn verify(input: &Input) -> Result<(), Error> {
    match fs::metadata(&input.location) {
        Ok(metadata) => check(input, &metadata),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(input.gone()),
        Err(error) => Err(Error::io(&input.location, "look at the file", error)),
    }
}

/// A pinned file, open.
#[derive(Debug)]
pub(crate) struct OpenFile {
    file: Mutex<File>,
    input: Arc<Input>,
}

impl OpenFile {
    /// Opens the file if it is still the pinned one.
    pub(super) fn open(input: &Arc<Input>) -> Result<Self, Error> {
        let file = match File::open(&input.location) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(input.gone()),
            opened => opened.map_err(|error| Error::io(&input.location, "open the file", error))?,
        };
        let failed = |error| Error::io(&input.location, "look at the file", error);
        check(input, &file.metadata().map_err(failed)?)?;
        Ok(Self { file: Mutex::new(file), input: Arc::clone(input) })
    }

    pub(super) fn read(&self, offset: u64, length: usize) -> Result<Bytes, Error> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let mut bytes = Vec::with_capacity(length);
        // Unlike `read_exact_at` this does not fill the memory with zeros first.
        file.seek(SeekFrom::Start(offset))
            .and_then(|_| file.by_ref().take(length as u64).read_to_end(&mut bytes))
            .map_err(|error| Error::io(&self.input.location, "read the file", error))?;
        if bytes.len() == length { Ok(bytes.into()) } else { Err(self.input.changed()) }
    }
}
