//! What a folder remembers of an object apart from its bytes, as lines of `name value`.
//!
//! Values are percent-encoded, so that a line is always one field. A record that does not fit its file is void.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::Blob;
use crate::checksum::{Algorithm, Checksum, Kind};
use crate::listing::url_encode;
use crate::object::{Attributes, Stored, Tags, Version};
use crate::operation::percent_decode;

/// What was read from a record; the blob is still to be set.
pub(super) struct Found {
    pub(super) stored: Stored,
    pub(super) modified: SystemTime,
    pub(super) tags: Tags,
}

/// Writes the record of an object whose file is at `path` below `root`.
pub(super) fn write(
    root: &Path,
    path: &Path,
    key: &str,
    version: &Version,
    stored: &Stored,
) -> String {
    let mut text = String::new();
    let mut line = |name: &str, value: &str| {
        text.push_str(&format!("{name} {}\n", url_encode(value)));
    };
    let modified = version.modified.duration_since(UNIX_EPOCH).unwrap_or_default();
    line("key", key);
    line("path", &path.strip_prefix(root).unwrap_or(path).to_string_lossy());
    line("size", &stored.size.to_string());
    line("etag", &stored.etag);
    line("modified_ms", &modified.as_millis().to_string());
    if let Some(checksum) = &stored.checksum {
        line("checksum_algorithm", checksum.algorithm.name());
        line("checksum_type", checksum.kind.name());
        line("checksum", &checksum.value);
    }
    for (name, value) in named(&stored.attributes) {
        if let Some(value) = value {
            line(name, value);
        }
    }
    for (name, value) in &stored.attributes.metadata {
        line(&format!("meta:{}", url_encode(name)), value);
    }
    for (name, value) in &version.tags {
        line(&format!("tag:{}", url_encode(name)), value);
    }
    text
}

fn named(attributes: &Attributes) -> [(&'static str, &Option<String>); 8] {
    [
        ("content_type", &attributes.content_type),
        ("content_encoding", &attributes.content_encoding),
        ("content_language", &attributes.content_language),
        ("content_disposition", &attributes.content_disposition),
        ("cache_control", &attributes.cache_control),
        ("storage_class", &attributes.storage_class),
        ("encryption", &attributes.encryption),
        ("kms_key_id", &attributes.kms_key_id),
    ]
}

/// Reads a record: the file, the key, and what is known. `None` if anything is missing or the file differs.
pub(super) fn read(root: &Path, text: &str) -> Option<(PathBuf, String, Found)> {
    let lines: Vec<(String, String)> = text
        .lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(name, value)| (percent_decode(name.as_bytes()), percent_decode(value.as_bytes())))
        .collect();
    let field = |name: &str| lines.iter().find(|(n, _)| n == name).map(|(_, value)| value.clone());
    let starting = |prefix: &str| -> Vec<(String, String)> {
        let found =
            lines.iter().filter_map(|(n, v)| Some((n.strip_prefix(prefix)?.to_owned(), v.clone())));
        found.collect()
    };
    let path = root.join(field("path")?);
    let size: u64 = field("size")?.parse().ok()?;
    let metadata = std::fs::metadata(&path).ok()?;
    if !metadata.is_file() || metadata.len() != size {
        return None;
    }
    let attributes = Attributes {
        content_type: field("content_type"),
        content_encoding: field("content_encoding"),
        content_language: field("content_language"),
        content_disposition: field("content_disposition"),
        cache_control: field("cache_control"),
        metadata: starting("meta:").into_iter().collect(),
        storage_class: field("storage_class"),
        encryption: field("encryption"),
        kms_key_id: field("kms_key_id"),
    };
    let checksum = read_checksum(&field);
    let stored = Stored {
        blob: Blob::Discarded,
        size,
        etag: field("etag")?,
        checksum,
        parts: Vec::new(),
        attributes,
    };
    let modified = UNIX_EPOCH + Duration::from_millis(field("modified_ms")?.parse().ok()?);
    Some((path, field("key")?, Found { stored, modified, tags: starting("tag:") }))
}

fn read_checksum(field: &dyn Fn(&str) -> Option<String>) -> Option<Checksum> {
    let algorithm = Algorithm::from_name(&field("checksum_algorithm")?)?;
    let kind = Kind::from_name(&field("checksum_type")?)?;
    Some(Checksum { algorithm, kind, value: field("checksum")? })
}
