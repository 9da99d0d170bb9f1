//! What is kept of an object: its bytes, what describes them, and its versions.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use crate::checksum::Checksum;
use crate::options::{Retention, RetentionMode};
use crate::store::Blob;

/// The version id of objects that were written without versioning.
pub(crate) const NULL_VERSION: &str = "null";

/// What the writer said about an object, kept and returned as it was given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Attributes {
    pub(crate) content_type: Option<String>,
    pub(crate) content_encoding: Option<String>,
    pub(crate) content_language: Option<String>,
    pub(crate) content_disposition: Option<String>,
    pub(crate) cache_control: Option<String>,
    /// Names without `x-amz-meta-`.
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) storage_class: Option<String>,
    pub(crate) encryption: Option<String>,
    pub(crate) kms_key_id: Option<String>,
}

/// A part of an object that was uploaded in parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StoredPart {
    pub(crate) number: i32,
    pub(crate) size: u64,
    pub(crate) checksum: Option<String>,
}

/// An object's unchanging content.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) blob: Blob,
    pub(crate) size: u64,
    /// Without quotes.
    pub(crate) etag: String,
    pub(crate) checksum: Option<Checksum>,
    /// Empty unless it was uploaded in parts.
    pub(crate) parts: Vec<StoredPart>,
    pub(crate) attributes: Attributes,
}

/// Tag names and values in the order in which they were given.
pub(crate) type Tags = Vec<(String, String)>;

/// One version of a key.
#[derive(Clone, Debug)]
pub(crate) struct Version {
    pub(crate) id: String,
    pub(crate) modified: SystemTime,
    /// `None` for a delete marker.
    pub(crate) content: Option<Arc<Stored>>,
    pub(crate) tags: Tags,
    /// Until when, and by which rules, it cannot be deleted.
    pub(crate) locked: Option<(RetentionMode, SystemTime)>,
}

impl Version {
    /// Whether it is kept from being deleted.
    pub(crate) fn is_locked(&self, now: SystemTime) -> bool {
        self.locked.is_some_and(|(_, until)| now < until)
    }
}

/// Whether a bucket keeps versions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Versioning {
    #[default]
    Never,
    Enabled,
    Suspended,
}

/// A bucket. The versions of a key are in the order in which they were written; an empty list never stays.
#[derive(Debug)]
pub(crate) struct Bucket {
    pub(crate) created: SystemTime,
    pub(crate) region: String,
    pub(crate) versioning: Versioning,
    pub(crate) retention: Option<Retention>,
    pub(crate) keys: BTreeMap<String, Vec<Version>>,
}

impl Bucket {
    /// Returns what a reader of the key sees now.
    pub(crate) fn visible(&self, key: &str) -> Option<(&Version, &Arc<Stored>)> {
        visible(self.keys.get(key)?)
    }

    /// Returns the keys that a reader sees, in order.
    pub(crate) fn visible_keys(&self) -> impl Iterator<Item = (&str, (&Version, &Arc<Stored>))> {
        self.keys.iter().filter_map(|(key, versions)| Some((key.as_str(), visible(versions)?)))
    }

    /// Returns the version id to show for a version, which is none in a bucket that never had versions.
    pub(crate) fn shown_id(&self, version: &Version) -> Option<String> {
        (self.versioning != Versioning::Never).then(|| version.id.clone())
    }
}

/// Returns the newest version unless it is a delete marker.
pub(crate) fn visible(versions: &[Version]) -> Option<(&Version, &Arc<Stored>)> {
    let newest = versions.last()?;
    Some((newest, newest.content.as_ref()?))
}
