//! Unfinished uploads on disk: for each a record of what it is, a file with its bytes, and a list of
//! the parts that were put.
//!
//! Parts are written into the one file at their place, so that completing copies nothing. Each line
//! of the list is written after its part; a line that a crash cut short is no line.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use plan::staged::StagedPart;
use serde::{Deserialize, Serialize};

use super::disk::{self, at};
use super::straight;
use crate::error::Error;
use crate::store::{LISTED_UPLOADS_MAX, NewUpload, OpenUpload, Part, crc64_text};

/// How many uploads of one key and one token are told apart.
const SAME_UPLOADS_MAX: u32 = 1_000;

/// The folder of unfinished uploads.
pub(super) struct Staging {
    uploads: PathBuf,
    lock: PathBuf,
}

/// An upload that exists.
pub(super) struct Recorded {
    /// The file of its bytes.
    pub(super) data: PathBuf,
    list: PathBuf,
    part_bytes: u64,
}

/// What the record of an upload holds.
#[derive(Debug, Serialize, Deserialize)]
struct Record {
    key: String,
    token: String,
    part_bytes: u64,
}

/// One line of the list of parts.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    number: u32,
    bytes: u64,
    crc64nvme: u64,
}

impl Staging {
    pub(super) fn open(hidden: &Path) -> Result<Self, Error> {
        let uploads = hidden.join("uploads");
        fs::create_dir_all(&uploads).map_err(at("create", &uploads))?;
        Ok(Self { uploads, lock: hidden.join("lock") })
    }

    /// Whether nothing is left of any upload.
    pub(super) fn is_empty(&self) -> Result<bool, Error> {
        let mut entries = fs::read_dir(&self.uploads).map_err(at("list", &self.uploads))?;
        Ok(entries.next().is_none())
    }

    /// Removes the folder, which is empty, and its lock.
    pub(super) fn remove_all(hidden: &Path) -> Result<(), Error> {
        let uploads = hidden.join("uploads");
        fs::remove_dir(&uploads).map_err(at("remove", &uploads))?;
        disk::remove(&hidden.join("lock"))
    }

    /// Waits until no other process publishes here; the lock ends with the returned file.
    pub(super) fn lock(&self) -> Result<File, Error> {
        let opened = OpenOptions::new().create(true).append(true).open(&self.lock);
        let file = opened.map_err(at("open", &self.lock))?;
        match file.lock() {
            Err(error) if error.kind() != io::ErrorKind::Unsupported => {
                Err(at("lock", &self.lock)(error))
            }
            _ => Ok(file),
        }
    }

    /// Opens an upload. Its id follows from key and token, which hold the caller's randomness.
    pub(super) fn create(&self, new: &NewUpload) -> Result<String, Error> {
        let record =
            Record { key: new.key.clone(), token: new.token.clone(), part_bytes: new.part_bytes };
        let content = serde_json::to_vec(&record).expect("a record of strings and numbers is JSON");
        let stem = crc_fast::crc64_nvme(format!("{}\0{}", new.key, new.token).as_bytes());
        for attempt in 1..=SAME_UPLOADS_MAX {
            let upload_id = format!("{stem:016x}-{attempt}");
            let path = self.file(&upload_id, "json");
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(_) => {
                    let data = self.file(&upload_id, "data");
                    File::create(&data).map_err(at("create", &data))?;
                    disk::replace(&path, &content)?;
                    return Ok(upload_id);
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(at("create", &path)(error)),
            }
        }
        Err(Error::Limit {
            what: "uploads",
            name: new.key.clone(),
            limit: u64::from(SAME_UPLOADS_MAX),
        })
    }

    /// Finds an upload by its id; one of another key is not it.
    pub(super) fn find(&self, key: &str, upload_id: &str) -> Result<Option<Recorded>, Error> {
        if !is_id(upload_id) {
            return Ok(None);
        }
        let Some(record) = self.record(&self.file(upload_id, "json"))? else { return Ok(None) };
        let data = self.file(upload_id, "data");
        // Without its file the upload was published and not yet cleaned up.
        if record.key != key || fs::symlink_metadata(&data).is_err() {
            return Ok(None);
        }
        Ok(Some(Recorded {
            data,
            list: self.file(upload_id, "parts"),
            part_bytes: record.part_bytes,
        }))
    }

    /// Writes a part at its place, then its line.
    pub(super) fn put(&self, key: &str, upload_id: &str, part: &Part) -> Result<StagedPart, Error> {
        let Some(recorded) = self.find(key, upload_id)? else {
            let problem = "does not exist";
            return Err(Error::Upload {
                key: key.to_owned(),
                upload_id: upload_id.to_owned(),
                problem,
            });
        };
        let start = u64::from(part.number().saturating_sub(1)) * recorded.part_bytes;
        straight::write_at(&recorded.data, start, part.body())
            .map_err(at("write", &recorded.data))?;
        let line = Line { number: part.number(), bytes: part.bytes(), crc64nvme: part.crc64nvme() };
        let mut text = serde_json::to_vec(&line).expect("a line of numbers is JSON");
        text.push(b'\n');
        let list = OpenOptions::new().create(true).append(true).open(&recorded.list);
        list.and_then(|mut file| file.write_all(&text)).map_err(at("write", &recorded.list))?;
        Ok(line.staged())
    }

    /// Lists the parts of an upload in order; of a part that was put twice, the later.
    pub(super) fn parts(&self, recorded: &Recorded) -> Result<Vec<StagedPart>, Error> {
        let content = disk::read(&recorded.list)?.unwrap_or_default();
        let mut parts: Vec<StagedPart> = Vec::new();
        for line in content.split_inclusive(|byte| *byte == b'\n') {
            let Ok(line) = serde_json::from_slice::<Line>(line) else { continue };
            match parts.binary_search_by_key(&line.number, |part| part.number) {
                Ok(index) => parts[index] = line.staged(),
                Err(index) => parts.insert(index, line.staged()),
            }
        }
        Ok(parts)
    }

    /// Removes an upload. The record goes last, so that a removal that was cut short can be repeated.
    pub(super) fn remove(&self, upload_id: &str) -> Result<(), Error> {
        if !is_id(upload_id) {
            return Ok(());
        }
        for extension in ["data", "parts", "json"] {
            disk::remove(&self.file(upload_id, extension))?;
        }
        Ok(())
    }

    pub(super) fn list(&self, prefix: &str) -> Result<Vec<OpenUpload>, Error> {
        let mut uploads = Vec::new();
        for entry in fs::read_dir(&self.uploads).map_err(at("list", &self.uploads))? {
            let path = entry.map_err(at("list", &self.uploads))?.path();
            if path.extension().is_none_or(|extension| extension != "json")
                || uploads.len() >= LISTED_UPLOADS_MAX
            {
                continue;
            }
            let (Some(record), Some(upload_id)) = (self.record(&path)?, path.file_stem()) else {
                continue;
            };
            if record.key.starts_with(prefix) {
                let opened = fs::metadata(&path).and_then(|metadata| metadata.modified()).ok();
                let initiated = opened.and_then(|time| Timestamp::try_from(time).ok());
                uploads.push(OpenUpload {
                    key: record.key,
                    upload_id: upload_id.display().to_string(),
                    initiated,
                });
            }
        }
        uploads
            .sort_by(|one, other| (&one.key, &one.upload_id).cmp(&(&other.key, &other.upload_id)));
        Ok(uploads)
    }

    /// Reads a record; one that a crash left empty is none.
    fn record(&self, path: &Path) -> Result<Option<Record>, Error> {
        Ok(disk::read(path)?.and_then(|content| serde_json::from_slice(&content).ok()))
    }

    fn file(&self, upload_id: &str, extension: &str) -> PathBuf {
        self.uploads.join(format!("{upload_id}.{extension}"))
    }
}

impl Line {
    fn staged(&self) -> StagedPart {
        StagedPart {
            number: self.number,
            bytes: self.bytes,
            etag: format!("{:016x}", self.crc64nvme),
            crc64nvme: Some(crc64_text(self.crc64nvme)),
        }
    }
}

/// Ids come back from the ledger and become file names: only those that [`Staging::create`] could
/// have made do.
fn is_id(upload_id: &str) -> bool {
    !upload_id.is_empty() && upload_id.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

/// Reads an upload back and compares it with the checksums of its parts.
pub(super) fn parts_match(recorded: &Recorded, parts: &[StagedPart]) -> Result<bool, Error> {
    let read = || -> io::Result<bool> {
        let mut file = File::open(&recorded.data)?;
        for part in parts {
            let (found, bytes) = disk::checksum_of(&mut file, part.bytes)?;
            if bytes != part.bytes || format!("{found:016x}") != part.etag {
                return Ok(false);
            }
        }
        Ok(true)
    };
    read().map_err(at("read", &recorded.data))
}

/// Returns the CRC-64/NVME of an object from those of its parts, which are the ETags here.
pub(super) fn whole_checksum(parts: &[StagedPart]) -> u64 {
    let of_nothing = crc_fast::crc64_nvme(b"");
    parts.iter().fold(of_nothing, |sum, part| {
        let next = u64::from_str_radix(&part.etag, 16).unwrap_or_default();
        crate::crc64nvme::combined(sum, next, part.bytes)
    })
}
