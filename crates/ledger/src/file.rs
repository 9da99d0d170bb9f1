//! What became visible, object by object, over all runs.

use jiff::Timestamp;
use uuid::Uuid;

use crate::error::Result;
use crate::history;
use crate::open::Ledger;
use crate::sql::{Query, Row, Value, query};

/// The most objects that one list holds.
pub const FILES_LISTED_MAX: u32 = 1_001;

/// Which objects to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileFilter {
    /// Only those whose key begins so.
    pub prefix: Option<String>,
    /// Only those of this run.
    pub run_id: Option<Uuid>,
    /// Only those of this destination.
    pub destination: Option<String>,
    /// Only those of these segments; of any where it is empty.
    pub segments: Vec<String>,
    /// Only data files, no manifests.
    pub is_data: bool,
    /// Only those behind this one in the list.
    pub behind: Option<FileBehind>,
    /// At most so many, [`FILES_LISTED_MAX`] without it or beyond it.
    pub limit: Option<u32>,
}

/// The place of an object in the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileBehind {
    /// When it became visible.
    pub published: Timestamp,
    /// Its run.
    pub run_id: Uuid,
    /// Its place in the commit record of the run.
    pub position: u32,
}

/// An object that became visible.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveredFile {
    /// Its run.
    pub run_id: Uuid,
    /// Its place in the commit record of the run.
    pub position: u32,
    /// The activation's key.
    pub activation: String,
    /// The segment's key.
    pub segment: String,
    /// The destination's key.
    pub destination: String,
    /// The store, as runs name it.
    pub store: String,
    /// The bucket; empty for a folder.
    pub bucket: String,
    /// The time for which it was made.
    pub slot: Timestamp,
    /// Whether it is the manifest.
    pub is_manifest: bool,
    /// Its key.
    pub key: String,
    /// Rows in it.
    pub rows: u64,
    /// Its size.
    pub bytes: u64,
    /// Its checksum.
    pub sha256: String,
    /// The service's name for this content.
    pub etag: Option<String>,
    /// The service's name for this version.
    pub version_id: Option<String>,
    /// When it was recorded as visible.
    pub published: Timestamp,
}

impl DeliveredFile {
    /// Its place in the list.
    pub fn place(&self) -> FileBehind {
        FileBehind { published: self.published, run_id: self.run_id, position: self.position }
    }
}

impl Ledger {
    /// Lists what became visible, the latest first.
    pub async fn files(&self, filter: &FileFilter) -> Result<Vec<DeliveredFile>> {
        let mut read = self.read().await?;
        let mut statement = String::from(
            "SELECT objects.*, runs.activation, runs.segment, runs.destination, runs.store, runs.bucket, runs.slot
             FROM objects JOIN runs USING (run_id) WHERE published IS NOT NULL",
        );
        let mut values: Vec<Value> = Vec::new();
        if let Some(prefix) = &filter.prefix {
            statement.push_str(" AND substr(key, 1, length(?)) = ?");
            values.extend([prefix.into(), prefix.into()]);
        }
        if let Some(run_id) = filter.run_id {
            statement.push_str(" AND run_id = ?");
            values.push(run_id.to_string().into());
        }
        if let Some(destination) = &filter.destination {
            statement.push_str(" AND runs.destination = ?");
            values.push(destination.into());
        }
        if let [_, others @ ..] = filter.segments.as_slice() {
            statement.push_str(" AND runs.segment IN (?");
            statement.push_str(&", ?".repeat(others.len()));
            statement.push(')');
            values.extend(filter.segments.iter().map(Value::from));
        }
        if filter.is_data {
            statement.push_str(" AND kind = 'data'");
        }
        if let Some(behind) = filter.behind {
            let (published, run_id) =
                (behind.published.as_microsecond(), behind.run_id.to_string());
            statement.push_str(
                " AND (published < ? OR (published = ? AND (run_id > ? OR (run_id = ? AND position > ?))))",
            );
            values.extend([published.into(), published.into()]);
            values.extend([run_id.clone().into(), run_id.into(), behind.position.into()]);
        }
        statement.push_str(" ORDER BY published DESC, run_id, position LIMIT ?");
        values.push(filter.limit.unwrap_or(FILES_LISTED_MAX).min(FILES_LISTED_MAX).into());
        let asked = values.into_iter().fold(query(statement), Query::bind);
        let rows = asked.fetch_all(&mut read).await?;
        rows.iter().map(file).collect()
    }
}

fn file(row: &Row) -> Result<DeliveredFile> {
    Ok(DeliveredFile {
        run_id: history::uuid(row, "run_id")?,
        position: row.try_get("position")?,
        activation: row.try_get("activation")?,
        segment: row.try_get("segment")?,
        destination: row.try_get("destination")?,
        store: row.try_get("store")?,
        bucket: row.try_get("bucket")?,
        slot: history::time(row, "slot")?,
        is_manifest: row.try_get::<String>("kind")? == "manifest",
        key: row.try_get("key")?,
        rows: row.try_get("row_count")?,
        bytes: row.try_get("bytes")?,
        sha256: row.try_get("sha256")?,
        etag: row.try_get("etag")?,
        version_id: row.try_get("version_id")?,
        published: history::time(row, "published")?,
    })
}
