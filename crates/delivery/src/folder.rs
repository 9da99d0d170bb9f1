//! Objects in a local folder, by the same protocol as in a bucket.
//!
//! Uploads live in [`STAGING`] inside the folder, on the same file system as the objects, so that a
//! finished upload becomes an object by a link or a rename: whole, or not at all. Keys become paths
//! below the folder and cannot leave it.
//!
//! A part that was put survives the end of the process. It survives a loss of power only from the
//! moment its object is completed, which syncs it first: until then the parts of another process are
//! read back and compared with their checksums before they are published, and an upload that was
//! lost that way is reported as gone, as a service does when it loses one.

mod disk;
mod presence;
mod published;
mod staging;
mod straight;

use std::collections::HashSet;
use std::fmt;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use plan::staged::{Condition, StagedObject, StagedPart};
use tokio::task::spawn_blocking;

use self::disk::{at, sync_folder};
use self::presence::Presence;
use self::published::Published;
use self::staging::{Recorded, Staging};
use crate::error::{Error, Kind};
use crate::store::{Completion, Head, Listing, NewUpload, Part, Store, crc64_text};

/// The folder, inside the delivery folder, that holds what is not visible yet and what is known of
/// what is.
pub const STAGING: &str = ".segue-staging";

/// A local folder.
pub struct FolderStore {
    inner: Arc<Inner>,
}

impl fmt::Debug for FolderStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FolderStore").field("root", &self.inner.root).finish_non_exhaustive()
    }
}

struct Inner {
    root: PathBuf,
    staging: Staging,
    published: Published,
    /// Uploads whose parts this process wrote: the operating system still has them all.
    written: Mutex<HashSet<String>>,
    _presence: Presence,
}

impl FolderStore {
    /// Opens a folder for delivery and makes it if it is not there.
    ///
    /// # Errors
    /// When it cannot be made or written to.
    pub async fn open(root: impl Into<PathBuf>) -> Result<Self, Error> {
        let root = root.into();
        on_disk("opening the folder", move || {
            fs::create_dir_all(&root).map_err(at("create", &root))?;
            let root = fs::canonicalize(&root).map_err(at("open", &root))?;
            let hidden = root.join(STAGING);
            let _presence = Presence::enter(&hidden)?;
            let (staging, published) = (Staging::open(&hidden)?, Published::open(&hidden)?);
            let written = Mutex::default();
            Ok(Self { inner: Arc::new(Inner { root, staging, published, written, _presence }) })
        })
        .await
    }

    /// Takes away what is hidden in a folder, unless an upload is unfinished there or another store has
    /// it open. Whoever calls has no run there that is not over: by what is hidden, such a run knows
    /// what it has published.
    ///
    /// # Errors
    /// When something cannot be looked at or removed.
    pub async fn tidy(root: impl Into<PathBuf>) -> Result<(), Error> {
        let hidden = root.into().join(STAGING);
        on_disk("tidying the folder", move || {
            let Some(presence) = Presence::alone(&hidden)? else { return Ok(()) };
            if Staging::open(&hidden)?.is_empty()? {
                Published::remove_all(&hidden)?;
                Staging::remove_all(&hidden)?;
                presence.leave_nothing(&hidden)?;
                // Not if somebody has begun to use it again meanwhile.
                let _ = fs::remove_dir(&hidden);
            }
            Ok(())
        })
        .await
    }

    /// Returns where the object of a key is, or will be.
    ///
    /// # Errors
    /// When the key is no path below the folder.
    pub fn path_of(&self, key: &str) -> Result<PathBuf, Error> {
        self.inner.path_of(key)
    }

    async fn run<T: Send + 'static>(
        &self,
        task: &'static str,
        work: impl FnOnce(&Inner) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let inner = Arc::clone(&self.inner);
        on_disk(task, move || work(&inner)).await
    }
}

/// Runs work that waits for a disk where it may wait.
async fn on_disk<T: Send + 'static>(
    task: &'static str,
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    spawn_blocking(work).await.map_err(|source| Error::Task { task, source })?
}

#[async_trait]
impl Store for FolderStore {
    fn identity(&self) -> String {
        format!("file://{}", self.inner.root.display())
    }

    async fn create_upload(&self, new: &NewUpload) -> Result<String, Error> {
        let new = new.clone();
        self.run("starting an upload", move |inner| {
            inner.path_of(&new.key)?;
            let upload_id = inner.staging.create(&new)?;
            inner.written().insert(upload_id.clone());
            Ok(upload_id)
        })
        .await
    }

    async fn put_part(&self, key: &str, upload_id: &str, part: &Part) -> Result<StagedPart, Error> {
        let (key, upload_id, part) = (key.to_owned(), upload_id.to_owned(), part.clone());
        self.run("writing a part", move |inner| inner.staging.put(&key, &upload_id, &part)).await
    }

    async fn complete(&self, object: &StagedObject) -> Completion {
        let object = object.clone();
        match self.run("publishing a file", move |inner| inner.complete(&object)).await {
            Ok(completion) => completion,
            Err(error) if error.kind() == Kind::Denied => Completion::Denied(error),
            Err(error) if error.kind() == Kind::Invalid => Completion::Refused(error),
            Err(error) => Completion::Unclear(error),
        }
    }

    async fn abort(&self, _key: &str, upload_id: &str) -> Result<(), Error> {
        let upload_id = upload_id.to_owned();
        self.run("aborting an upload", move |inner| inner.forget(&upload_id)).await
    }

    async fn head(&self, key: &str) -> Result<Option<Head>, Error> {
        let key = key.to_owned();
        self.run("looking at a file", move |inner| inner.head(&key)).await
    }

    async fn list_uploads(&self, prefix: &str) -> Result<Listing, Error> {
        let prefix = prefix.to_owned();
        self.run("listing uploads", move |inner| inner.staging.list(&prefix).map(Listing::Uploads))
            .await
    }

    async fn parts(&self, key: &str, upload_id: &str) -> Result<Option<Vec<StagedPart>>, Error> {
        let (key, upload_id) = (key.to_owned(), upload_id.to_owned());
        self.run("listing parts", move |inner| {
            let recorded = inner.staging.find(&key, &upload_id)?;
            recorded.map(|recorded| inner.staging.parts(&recorded)).transpose()
        })
        .await
    }
}

impl Inner {
    fn written(&self) -> std::sync::MutexGuard<'_, HashSet<String>> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn forget(&self, upload_id: &str) -> Result<(), Error> {
        self.written().remove(upload_id);
        self.staging.remove(upload_id)
    }

    /// Turns a key into a path. Whatever could leave the folder, hide in it, or mean two things on two
    /// systems is refused rather than mended: a mended name could be another object's.
    fn path_of(&self, key: &str) -> Result<PathBuf, Error> {
        let refuse = |problem| Err(Error::Key { key: key.to_owned(), problem });
        let mut path = self.root.clone();
        for segment in key.split('/') {
            match segment {
                "" => return refuse("has an empty segment"),
                "." | ".." => return refuse("climbs out of the folder"),
                STAGING => return refuse("is inside the folder that holds unfinished files"),
                _ if segment.contains(['\\', ':', '\0']) => {
                    return refuse(
                        "has a colon, a backslash or a NUL, which names of files do not have",
                    );
                }
                _ => path.push(segment),
            }
        }
        Ok(path)
    }

    fn head(&self, key: &str) -> Result<Option<Head>, Error> {
        let path = self.path_of(key)?;
        let metadata = match fs::metadata(&path) {
            Ok(metadata) => metadata,
            Err(error) if is_absence(&error) => return Ok(None),
            Err(error) => return Err(at("look at", &path)(error)),
        };
        if metadata.is_dir() {
            return Err(Error::Key { key: key.to_owned(), problem: "is the name of a folder" });
        }
        if let Some(head) = self.published.head(key, &metadata)? {
            return Ok(Some(head));
        }
        let (crc64nvme, bytes) = disk::checksum(&path)?;
        Ok(Some(Head {
            token: None,
            bytes,
            etag: etag(crc64nvme, bytes),
            version_id: None,
            crc64nvme: Some(crc64_text(crc64nvme)),
        }))
    }

    /// Publishes a file while no other process publishes in this folder.
    fn complete(&self, object: &StagedObject) -> Result<Completion, Error> {
        let target = self.path_of(&object.key)?;
        let _lock = self.staging.lock()?;
        let Some(recorded) = self.staging.find(&object.key, &object.upload_id)? else {
            return Ok(Completion::Gone(upload_error(object, "does not exist")));
        };
        if self.staging.parts(&recorded)? != object.parts {
            return Ok(Completion::Refused(upload_error(
                object,
                "has other parts than were recorded",
            )));
        }
        if !self.is_intact(&recorded, object)? {
            self.forget(&object.upload_id)?;
            return Ok(Completion::Gone(upload_error(
                object,
                "lost bytes before it was completed",
            )));
        }
        if let Some(problem) = self.broken_condition(object)? {
            return Ok(Completion::ConditionFailed(Error::Condition {
                key: object.key.clone(),
                problem,
            }));
        }
        self.publish(&recorded, object, &target)
    }

    /// Tells whether the upload's file holds what its parts say. Another process may have lost power
    /// after it wrote them; what this one wrote needs no reading.
    fn is_intact(&self, recorded: &Recorded, object: &StagedObject) -> Result<bool, Error> {
        let wrote_it = self.written().contains(&object.upload_id);
        let length = fs::metadata(&recorded.data).map_err(at("look at", &recorded.data))?.len();
        Ok(length == object.bytes && (wrote_it || staging::parts_match(recorded, &object.parts)?))
    }

    fn broken_condition(&self, object: &StagedObject) -> Result<Option<&'static str>, Error> {
        let head = self.head(&object.key)?;
        let problem = match (&object.condition, &head) {
            (Condition::Absent, None) => None,
            (Condition::Absent, Some(_)) => Some("is there already"),
            (Condition::Unchanged { etag }, Some(head)) if head.etag == *etag => None,
            (Condition::Unchanged { .. }, Some(_)) => Some("has been changed by another writer"),
            (Condition::Unchanged { .. }, None) => Some("has been removed by another writer"),
        };
        // An attempt that ended between publishing and cleaning up left its upload behind.
        if problem.is_some()
            && head.is_some_and(|head| head.token.as_deref() == Some(&*object.token))
        {
            self.forget(&object.upload_id)?;
        }
        Ok(problem)
    }

    fn publish(
        &self,
        recorded: &Recorded,
        object: &StagedObject,
        target: &Path,
    ) -> Result<Completion, Error> {
        let crc64nvme = staging::whole_checksum(&object.parts);
        let etag = etag(crc64nvme, object.bytes);
        let data = &recorded.data;
        File::open(data).and_then(|file| file.sync_all()).map_err(at("write", data))?;
        let parent = target.parent().unwrap_or(&self.root);
        fs::create_dir_all(parent).map_err(at("create", parent))?;
        // Before the file is visible, so that it is known as ours from the first moment. Until then the
        // record does not fit the file that is there, and is not taken for it.
        self.published.record(object, &etag, crc64nvme, data)?;
        match &object.condition {
            Condition::Absent => {
                if !link_if_absent(data, target)? {
                    let problem = "is there already";
                    return Ok(Completion::ConditionFailed(Error::Condition {
                        key: object.key.clone(),
                        problem,
                    }));
                }
            }
            Condition::Unchanged { .. } => {
                fs::rename(data, target).map_err(at("publish", target))?
            }
        }
        sync_folder(parent)?;
        self.forget(&object.upload_id)?;
        Ok(Completion::Done { etag, version_id: None })
    }
}

/// Gives a file a second name unless the name is taken, in one act. File systems without links get
/// the same in two, which only a writer that does not take the folder's lock could come between.
fn link_if_absent(data: &Path, target: &Path) -> Result<bool, Error> {
    match fs::hard_link(data, target) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::Unsupported | io::ErrorKind::PermissionDenied
            ) =>
        {
            if fs::symlink_metadata(target).is_ok() {
                return Ok(false);
            }
            fs::rename(data, target).map_err(at("publish", target))?;
            Ok(true)
        }
        Err(error) => Err(at("publish", target)(error)),
    }
}

fn is_absence(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn etag(crc64nvme: u64, bytes: u64) -> String {
    format!("{crc64nvme:016x}-{bytes}")
}

fn upload_error(object: &StagedObject, problem: &'static str) -> Error {
    Error::Upload { key: object.key.clone(), upload_id: object.upload_id.clone(), problem }
}

#[cfg(test)]
mod tests;
