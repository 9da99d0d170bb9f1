//! Uploads in parts that are under way, and those that were completed and may be asked again.

use std::collections::{BTreeMap, VecDeque};
use std::time::SystemTime;

use s3s::{S3Result, s3_error};

use crate::checksum::{Algorithm, Checksum, Kind};
use crate::object::{Attributes, Tags};
use crate::state::Place;
use crate::store::Blob;

/// How many completed uploads are remembered for a second Complete.
const COMPLETED_MAX: usize = 10_000;

/// The lowest and highest part number.
pub(crate) const PART_NUMBERS: std::ops::RangeInclusive<i32> = 1..=10_000;

/// An upload that was begun.
#[derive(Debug)]
pub(crate) struct Upload {
    pub(crate) place: Place,
    pub(crate) initiated: SystemTime,
    pub(crate) initiator: String,
    pub(crate) attributes: Attributes,
    pub(crate) tags: Tags,
    /// What the writer declared; without it S3 keeps a CRC64NVME of the whole.
    pub(crate) checksum: Option<(Algorithm, Kind)>,
    pub(crate) parts: BTreeMap<i32, Part>,
}

/// A part that was uploaded.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) blob: Blob,
    pub(crate) size: u64,
    pub(crate) etag: String,
    pub(crate) md5: Option<[u8; 16]>,
    /// Base64 values by algorithm.
    pub(crate) sums: Vec<(Algorithm, String)>,
    pub(crate) modified: SystemTime,
}

impl Part {
    pub(crate) fn sum(&self, algorithm: Algorithm) -> Option<&str> {
        self.sums.iter().find(|(known, _)| *known == algorithm).map(|(_, value)| value.as_str())
    }
}

/// A part as a Complete request names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NamedPart {
    pub(crate) number: i32,
    pub(crate) etag: String,
    pub(crate) sums: Vec<(Algorithm, String)>,
}

/// What a completed upload made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Completed {
    pub(crate) place: Place,
    pub(crate) named: Vec<NamedPart>,
    pub(crate) etag: String,
    pub(crate) checksum: Option<Checksum>,
    pub(crate) version_id: Option<String>,
}

/// All uploads of a lab, by id.
#[derive(Debug, Default)]
pub(crate) struct Uploads {
    open: BTreeMap<String, Upload>,
    completed: VecDeque<(String, Completed)>,
    begun: u64,
}

impl Uploads {
    /// Counts the uploads that were ever begun.
    pub(crate) fn next_number(&mut self) -> u64 {
        self.begun += 1;
        self.begun
    }

    pub(crate) fn begin(&mut self, id: String, upload: Upload) {
        self.open.insert(id, upload);
    }

    /// Finds an open upload of this key.
    pub(crate) fn get(&self, id: &str, place: &Place) -> S3Result<&Upload> {
        self.open.get(id).filter(|upload| upload.place == *place).ok_or_else(no_such_upload)
    }

    pub(crate) fn get_mut(&mut self, id: &str, place: &Place) -> S3Result<&mut Upload> {
        self.open.get_mut(id).filter(|upload| upload.place == *place).ok_or_else(no_such_upload)
    }

    /// Ends an upload without a result. Tells whether it was open.
    pub(crate) fn remove(&mut self, id: &str) -> bool {
        self.open.remove(id).is_some()
    }

    /// Ends an upload with a result.
    pub(crate) fn complete(&mut self, id: &str, result: Completed) {
        self.open.remove(id);
        if self.completed.len() >= COMPLETED_MAX {
            self.completed.pop_front();
        }
        self.completed.push_back((id.to_owned(), result));
    }

    pub(crate) fn completed(&self, id: &str, place: &Place) -> Option<&Completed> {
        self.completed
            .iter()
            .rev()
            .find(|(known, result)| known == id && result.place == *place)
            .map(|(_, r)| r)
    }

    /// Returns the open uploads of a bucket in the order of a list: by key, then by id, which grows with time.
    pub(crate) fn of_bucket(&self, bucket: &str) -> Vec<(&str, &Upload)> {
        let mut found: Vec<(&str, &Upload)> = self
            .open
            .iter()
            .filter(|(_, upload)| upload.place.bucket == bucket)
            .map(|(id, upload)| (id.as_str(), upload))
            .collect();
        found.sort_by_key(|(id, upload)| (&upload.place.key, *id));
        found
    }

    pub(crate) fn forget_bucket(&mut self, bucket: &str) {
        self.open.retain(|_, upload| upload.place.bucket != bucket);
        self.completed.retain(|(_, result)| result.place.bucket != bucket);
    }
}

pub(crate) fn no_such_upload() -> s3s::S3Error {
    s3_error!(
        NoSuchUpload,
        "The specified multipart upload does not exist. The upload ID might be invalid, or the multipart upload \
         might have been aborted or completed."
    )
}
