//! What is staged in a bucket and not yet visible: the facts of a commit record.
//!
//! `delivery` produces these values, the ledger keeps them, and after a crash they are all that a
//! later process needs to finish what was committed. They hold names, sizes and checksums, never a
//! value of a profile.

use serde::{Deserialize, Serialize};

/// The most parts of one object (Amazon S3 user guide, "multipart upload limits").
pub const PARTS_MAX: usize = 10_000;

/// An object whose bytes are all at the service, in an unfinished multipart upload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StagedObject {
    /// What the object is.
    pub kind: ObjectKind,
    /// Position in the file set: data files count from 1, the manifest is 0.
    pub number: u32,
    /// Where it will be visible.
    pub key: String,
    /// The service's id of the unfinished upload. It is the fencing token: only the ids in the
    /// commit record can ever be completed.
    pub upload_id: String,
    /// Written into the object's metadata, so that an object can be told from anybody else's.
    pub token: String,
    /// The parts, in order, at most [`PARTS_MAX`].
    pub parts: Vec<StagedPart>,
    /// Bytes of the object.
    pub bytes: u64,
    /// Rows in it, without header.
    pub rows: u64,
    /// Characters that the encoding of the file lacks and that became question marks
    /// (`file.unencodable: replace`).
    pub replaced: u64,
    /// SHA-256 of the whole object, lower-case hex.
    pub sha256: String,
    /// CRC-64/NVME of the whole object as the service writes it (base64), if the service checks it.
    pub crc64nvme: Option<String>,
    /// What must hold at the key when the object becomes visible.
    pub condition: Condition,
}

/// What an object of a file set is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ObjectKind {
    /// Rows.
    Data,
    /// The list of the data files, completed last.
    Manifest,
}

/// One part of an unfinished upload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StagedPart {
    /// 1 to [`PARTS_MAX`].
    pub number: u32,
    /// Its size in bytes.
    pub bytes: u64,
    /// The service's ETag for it, as it came.
    pub etag: String,
    /// CRC-64/NVME of the part in base64, if the service checks it.
    pub crc64nvme: Option<String>,
}

/// What must hold at a key when an object becomes visible there. It is decided before the commit
/// record and part of it: a condition that is read again by whoever sends the request would let a
/// stale worker replace a newer run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// Nothing is there (`If-None-Match: *`).
    Absent,
    /// The object that the last delivered run left is there (`If-Match`).
    Unchanged {
        /// Its ETag, as the service gave it.
        etag: String,
    },
}

/// What became visible.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublishedObject {
    /// Position in the file set, as in [`StagedObject::number`].
    pub number: u32,
    /// Its ETag, as the service gave it.
    pub etag: String,
    /// Its version, in a versioned bucket.
    pub version_id: Option<String>,
}
