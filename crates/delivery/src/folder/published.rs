//! What is known of published files beside their bytes: the token, and a checksum, so that looking
//! at a file does not mean reading it.
//!
//! A record counts only while the file has the size and the time of modification that it had when
//! it was published; a file that somebody else put there is somebody else's.

use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use plan::staged::StagedObject;
use serde::{Deserialize, Serialize};

use super::disk::{self, at};
use crate::error::Error;
use crate::store::{Head, crc64_text};

/// The folder of records, one per key.
pub(super) struct Published {
    records: PathBuf,
}

#[derive(Debug, Serialize, Deserialize)]
struct Record {
    key: String,
    token: String,
    etag: String,
    crc64nvme: u64,
    bytes: u64,
    modified: Option<Timestamp>,
}

impl Published {
    pub(super) fn open(hidden: &Path) -> Result<Self, Error> {
        let records = hidden.join("published");
        fs::create_dir_all(&records).map_err(at("create", &records))?;
        Ok(Self { records })
    }

    /// Forgets everything.
    pub(super) fn remove_all(hidden: &Path) -> Result<(), Error> {
        let records = hidden.join("published");
        fs::remove_dir_all(&records).map_err(at("remove", &records))
    }

    /// Records an object whose bytes are in `data` and are about to be published.
    pub(super) fn record(
        &self,
        object: &StagedObject,
        etag: &str,
        crc64nvme: u64,
        data: &Path,
    ) -> Result<(), Error> {
        let metadata = fs::metadata(data).map_err(at("look at", data))?;
        let record = Record {
            key: object.key.clone(),
            token: object.token.clone(),
            etag: etag.to_owned(),
            crc64nvme,
            bytes: object.bytes,
            modified: modified(&metadata),
        };
        let content = serde_json::to_vec(&record).expect("a record of strings and numbers is JSON");
        disk::replace(&self.file(&object.key), &content)
    }

    /// Returns what is known of the file at a key, if the record is of the file that is there.
    pub(super) fn head(&self, key: &str, metadata: &Metadata) -> Result<Option<Head>, Error> {
        let Some(content) = disk::read(&self.file(key))? else { return Ok(None) };
        let Ok(record) = serde_json::from_slice::<Record>(&content) else { return Ok(None) };
        let modified = modified(metadata);
        if record.key != key
            || record.bytes != metadata.len()
            || record.modified != modified
            || modified.is_none()
        {
            return Ok(None);
        }
        Ok(Some(Head {
            token: Some(record.token),
            bytes: record.bytes,
            etag: record.etag,
            version_id: None,
            crc64nvme: Some(crc64_text(record.crc64nvme)),
        }))
    }

    fn file(&self, key: &str) -> PathBuf {
        self.records.join(format!("{:016x}.json", crc_fast::crc64_nvme(key.as_bytes())))
    }
}

fn modified(metadata: &Metadata) -> Option<Timestamp> {
    metadata.modified().ok().and_then(|time| Timestamp::try_from(time).ok())
}
