//! A folder that people can open: the newest object of each key as an ordinary file.
//!
//! ```text
//! <root>/<bucket>/<key>                 objects whose key is a safe path
//! <root>/<bucket>/.escaped/<name>~<id>  all others, and those whose path is taken by another key
//! <root>/.s3lab/staging/<number>        parts, bodies on their way, older versions: gone with the lab
//! <root>/.s3lab/records/<bucket>/<id>   what is known of an object apart from its bytes
//! ```
//! Changes of what is visible are renames, so that nobody ever sees half a file. Callers hold the lock of the
//! state while they call [`Folder::show`]; nothing else here needs one.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use s3s::crypto::{Checksum as _, Sha256};

use super::Blob;
use super::record;
use crate::checksum::{Digest, hex};
use crate::error::Error;
use crate::key_path;
use crate::object::{Attributes, NULL_VERSION, Stored, Version};

/// The hidden folder for what is not to be seen.
const HIDDEN_FOLDER: &str = ".s3lab";

/// A folder with one folder per bucket.
pub(crate) struct Folder {
    root: PathBuf,
    next: AtomicU64,
}

/// An object that was found in the folder when it was opened.
pub(crate) struct Adopted {
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) version: Version,
}

/// A file that holds a body. It removes itself when nobody needs it, unless it is on show.
#[derive(Debug)]
pub(crate) struct FileBlob(Mutex<Place>);

#[derive(Debug)]
struct Place {
    path: PathBuf,
    on_show: bool,
}

impl FileBlob {
    fn new(path: PathBuf, on_show: bool) -> Arc<Self> {
        Arc::new(Self(Mutex::new(Place { path, on_show })))
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.place().path.clone()
    }

    /// Opens the file; holding the lock, so that it is not moved meanwhile.
    pub(crate) fn open(&self) -> io::Result<fs::File> {
        fs::File::open(&self.place().path)
    }

    fn place(&self) -> std::sync::MutexGuard<'_, Place> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves the file to where people see it, in the place of whatever is there.
    fn show(&self, path: PathBuf) -> io::Result<()> {
        let mut place = self.place();
        fs::rename(&place.path, &path)?;
        *place = Place { path, on_show: true };
        Ok(())
    }

    /// Moves the file out of sight; that somebody has removed it by hand is no error.
    fn hide(&self, path: PathBuf) -> io::Result<()> {
        let mut place = self.place();
        match fs::rename(&place.path, &path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => *place = Place { path, on_show: false },
        }
        Ok(())
    }

    /// Notes that another file has taken the place of this one, which is gone. The path is one that is free.
    fn forget(&self, path: PathBuf) {
        *self.place() = Place { path, on_show: false };
    }
}

impl Drop for FileBlob {
    fn drop(&mut self) {
        let place = self.place();
        if !place.on_show {
            // The staging folder is emptied at the next start, should this fail.
            let _ = fs::remove_file(&place.path);
        }
    }
}

impl Folder {
    /// Opens a folder, empties its staging and finds the objects that are there.
    pub(super) fn open(root: &Path) -> Result<(Self, Vec<Adopted>), Error> {
        let folder = Self { root: root.to_owned(), next: AtomicU64::new(1) };
        let adopted =
            folder.prepare().map_err(|source| Error::Folder { path: root.to_owned(), source })?;
        Ok((folder, adopted))
    }

    fn prepare(&self) -> io::Result<Vec<Adopted>> {
        let staging = self.staging();
        if staging.is_dir() {
            fs::remove_dir_all(&staging)?;
        }
        fs::create_dir_all(&staging)?;
        let mut adopted = Vec::new();
        for entry in fs::read_dir(&self.root)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if entry.file_type()?.is_dir() && s3s::path::check_bucket_name(&name) {
                self.adopt_bucket(&name, &mut adopted)?;
            }
        }
        Ok(adopted)
    }

    /// Returns the buckets that have a folder.
    pub(crate) fn buckets(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.root).into_iter().flatten().flatten();
        let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
        names.filter(|name| s3s::path::check_bucket_name(name)).collect()
    }

    /// Makes the folder of a bucket.
    pub(crate) fn create_bucket(&self, bucket: &str) -> io::Result<()> {
        fs::create_dir_all(self.root.join(bucket))?;
        fs::create_dir_all(self.records(bucket))
    }

    /// Removes the folder of a bucket that has no object left.
    pub(crate) fn remove_bucket(&self, bucket: &str) -> io::Result<()> {
        fs::remove_dir_all(self.records(bucket))?;
        fs::remove_dir_all(self.root.join(bucket))
    }

    /// Returns a new file name for a body that is not to be seen.
    pub(super) fn staged(&self) -> Arc<FileBlob> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        FileBlob::new(self.staging().join(number.to_string()), false)
    }

    /// Brings what is on show for a key in line with what is visible: `old` goes, `new` comes, or stays with new
    /// tags. `keep_old` says that the old object stays as an older version.
    pub(crate) fn show(
        &self,
        bucket: &str,
        key: &str,
        old: Option<&Stored>,
        new: Option<(&Version, &Stored)>,
        keep_old: bool,
    ) -> io::Result<()> {
        let old = old.and_then(file_of);
        let old_path = old.map(|blob| blob.path());
        if let Some(blob) = old.filter(|_| keep_old || new.is_none()) {
            blob.hide(self.staged_path())?;
        }
        let record = self.records(bucket).join(record_name(key));
        let Some((version, stored, blob)) =
            new.and_then(|(v, stored)| Some((v, stored, file_of(stored)?)))
        else {
            self.remove_empty_folders(bucket, old_path);
            return remove_if_there(&record);
        };
        if !blob.place().on_show {
            let path = old_path.unwrap_or_else(|| self.path_for(bucket, key));
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent)?;
            }
            blob.show(path)?;
            if let Some(replaced) = old.filter(|_| !keep_old) {
                replaced.forget(self.staged_path());
            }
        }
        fs::write(&record, record::write(&self.root, &blob.path(), key, version, stored))
    }

    fn staged_path(&self) -> PathBuf {
        self.staging().join(self.next.fetch_add(1, Ordering::Relaxed).to_string())
    }

    /// Chooses a path that no other key has: also on file systems that do not tell `A` from `a`.
    fn path_for(&self, bucket: &str, key: &str) -> PathBuf {
        let folder = self.root.join(bucket);
        let free = |path: &PathBuf| {
            let taken = folder.join(path).symlink_metadata().is_ok();
            let blocked = path.ancestors().skip(1).any(|above| folder.join(above).is_file());
            !taken && !blocked
        };
        let relative = key_path::plain(key).filter(free).unwrap_or_else(|| key_path::escaped(key));
        folder.join(relative)
    }

    /// Removes folders that a removed file leaves empty, up to the bucket's own.
    fn remove_empty_folders(&self, bucket: &str, removed: Option<PathBuf>) {
        let top = self.root.join(bucket);
        let Some(removed) = removed else { return };
        for folder in removed
            .ancestors()
            .skip(1)
            .take_while(|folder| *folder != top && folder.starts_with(&top))
        {
            // Fails at the first folder that is not empty, which is what ends the walk.
            if fs::remove_dir(folder).is_err() {
                return;
            }
        }
    }

    fn staging(&self) -> PathBuf {
        self.root.join(HIDDEN_FOLDER).join("staging")
    }

    fn records(&self, bucket: &str) -> PathBuf {
        self.root.join(HIDDEN_FOLDER).join("records").join(bucket)
    }

    /// Finds the objects of a bucket: first those with a record, then plain files that somebody put there.
    fn adopt_bucket(&self, bucket: &str, adopted: &mut Vec<Adopted>) -> io::Result<()> {
        self.create_bucket(bucket)?;
        let mut known = Vec::new();
        for entry in fs::read_dir(self.records(bucket))? {
            let path = entry?.path();
            let text = fs::read_to_string(&path)?;
            match record::read(&self.root, &text) {
                Some((file, key, version)) => {
                    known.push(file.clone());
                    adopted.push(recorded(bucket, key, version, file));
                }
                None => fs::remove_file(&path)?,
            }
        }
        let top = self.root.join(bucket);
        adopt_files(&top, &top, bucket, &known, adopted)
    }
}

fn recorded(bucket: &str, key: String, found: record::Found, file: PathBuf) -> Adopted {
    let stored = Stored { blob: Blob::File(FileBlob::new(file, true)), ..found.stored };
    let version = Version {
        id: NULL_VERSION.into(),
        modified: found.modified,
        content: Some(Arc::new(stored)),
        tags: found.tags,
        locked: None,
    };
    Adopted { bucket: bucket.to_owned(), key, version }
}

fn adopt_files(
    top: &Path,
    folder: &Path,
    bucket: &str,
    known: &[PathBuf],
    adopted: &mut Vec<Adopted>,
) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        let kind = entry.file_type()?;
        if kind.is_dir() && path != top.join(key_path::ESCAPED_FOLDER) {
            adopt_files(top, &path, bucket, known, adopted)?;
        } else if kind.is_file()
            && !known.contains(&path)
            && let Some(key) = path.strip_prefix(top).ok().and_then(Path::to_str)
        {
            adopted.push(unrecorded(bucket, key, &path)?);
        }
    }
    Ok(())
}

/// Makes an object of a file that somebody put into the folder by hand.
fn unrecorded(bucket: &str, key: &str, path: &Path) -> io::Result<Adopted> {
    let metadata = fs::metadata(path)?;
    let md5 = Digest::of(&fs::read(path)?, &[], true).md5.unwrap_or_default();
    let stored = Stored {
        blob: Blob::File(FileBlob::new(path.to_owned(), true)),
        size: metadata.len(),
        etag: hex(&md5),
        checksum: None,
        parts: Vec::new(),
        attributes: Attributes::default(),
    };
    let modified = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
    let version = Version {
        id: NULL_VERSION.into(),
        modified,
        content: Some(Arc::new(stored)),
        tags: Vec::new(),
        locked: None,
    };
    Ok(Adopted { bucket: bucket.to_owned(), key: key.to_owned(), version })
}

fn file_of(stored: &Stored) -> Option<&Arc<FileBlob>> {
    match &stored.blob {
        Blob::File(blob) => Some(blob),
        Blob::Memory(_) | Blob::Discarded => None,
    }
}

fn record_name(key: &str) -> String {
    hex(&Sha256::checksum(key.as_bytes()))
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
