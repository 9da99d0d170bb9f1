//! Everything that a lab knows, apart from the bytes: buckets, versions, uploads, and the history of both.
//!
//! All of it is behind one lock, so that a condition is checked and the write done at one instant. Nothing here
//! waits, and no body passes through.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use s3s::{S3Result, s3_error};

use crate::archive::Archive;
use crate::condition::WriteCondition;
use crate::history::{Change, Event, History};
use crate::object::{Bucket, NULL_VERSION, Stored, Tags, Version, Versioning, visible};
use crate::store::Store;
use crate::upload::Uploads;

const SECONDS_OF_DAY: u64 = 24 * 60 * 60;

/// What is behind the lock.
pub(crate) struct State {
    pub(crate) buckets: BTreeMap<String, Bucket>,
    pub(crate) uploads: Uploads,
    pub(crate) history: History,
    pub(crate) archive: Archive,
}

/// Where an object is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) bucket: String,
    pub(crate) key: String,
}

/// A version that is to be the newest of its key.
pub(crate) struct NewVersion {
    /// The id it gets if the bucket keeps versions.
    pub(crate) id: String,
    pub(crate) at: SystemTime,
    /// `None` for a delete marker.
    pub(crate) content: Option<Arc<Stored>>,
    pub(crate) tags: Tags,
}

/// What a deletion did.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Deleted {
    /// Whether the version that was made or removed is a delete marker.
    pub(crate) delete_marker: bool,
    /// The id of the version that was made or removed, in a bucket with versions.
    pub(crate) version_id: Option<String>,
}

impl State {
    pub(crate) fn new(history_changes_max: usize) -> Self {
        Self {
            buckets: BTreeMap::new(),
            uploads: Uploads::default(),
            history: History::new(history_changes_max),
            archive: Archive::default(),
        }
    }

    pub(crate) fn bucket(&self, name: &str) -> S3Result<&Bucket> {
        self.buckets
            .get(name)
            .ok_or_else(|| s3_error!(NoSuchBucket, "The specified bucket does not exist"))
    }

    pub(crate) fn bucket_mut(&mut self, name: &str) -> S3Result<&mut Bucket> {
        self.buckets
            .get_mut(name)
            .ok_or_else(|| s3_error!(NoSuchBucket, "The specified bucket does not exist"))
    }

    /// Checks a condition against what is visible now.
    pub(crate) fn check(&self, place: &Place, condition: &WriteCondition) -> S3Result<()> {
        let current = self.bucket(&place.bucket)?.visible(&place.key);
        condition.check(current.map(|(_, stored)| stored.etag.as_str()))
    }

    /// Finds a version of a key, or what is visible. The caller decides what a delete marker means.
    pub(crate) fn find(&self, place: &Place, version_id: Option<&str>) -> S3Result<&Version> {
        let bucket = self.bucket(&place.bucket)?;
        let versions = bucket.keys.get(&place.key).map_or(&[][..], Vec::as_slice);
        match version_id {
            Some(id) => versions
                .iter()
                .find(|version| version.id == id)
                .ok_or_else(|| s3_error!(NoSuchVersion, "The specified version does not exist.")),
            None => versions.last().ok_or_else(no_such_key),
        }
    }

    /// Makes a version the newest of its key. Returns its id if the bucket keeps versions.
    pub(crate) fn add(
        &mut self,
        store: &Store,
        place: &Place,
        new: NewVersion,
    ) -> S3Result<Option<String>> {
        let bucket = self.bucket(&place.bucket)?;
        let versioning = bucket.versioning;
        // A delete marker is no object, and is never locked.
        let locked = bucket.retention.filter(|_| new.content.is_some()).map(|retention| {
            let days = Duration::from_secs(u64::from(retention.days) * SECONDS_OF_DAY);
            (retention.mode, new.at + days)
        });
        let id = if versioning == Versioning::Enabled { new.id } else { NULL_VERSION.to_owned() };
        let version = Version {
            id: id.clone(),
            modified: new.at,
            content: new.content,
            tags: new.tags,
            locked,
        };
        self.edit(store, place, new.at, |versions| {
            versions.retain(|known| known.id != version.id);
            versions.push(version);
        })?;
        Ok((versioning != Versioning::Never).then_some(id))
    }

    /// Deletes a key as a request without a version does: for good, or under a delete marker.
    pub(crate) fn delete(
        &mut self,
        store: &Store,
        place: &Place,
        at: SystemTime,
        id: String,
    ) -> S3Result<Deleted> {
        if self.bucket(&place.bucket)?.versioning == Versioning::Never {
            self.edit(store, place, at, Vec::clear)?;
            return Ok(Deleted::default());
        }
        let marker = NewVersion { id, at, content: None, tags: Tags::new() };
        let version_id = self.add(store, place, marker)?;
        Ok(Deleted { delete_marker: true, version_id })
    }

    /// Removes one version for good. Removing what is not there is no error; what is locked stays.
    pub(crate) fn delete_version(
        &mut self,
        store: &Store,
        place: &Place,
        at: SystemTime,
        version_id: &str,
    ) -> S3Result<Deleted> {
        let versions = self.bucket(&place.bucket)?.keys.get(&place.key);
        let is_locked = |version: &Version| version.id == version_id && version.is_locked(at);
        if versions.is_some_and(|versions| versions.iter().any(is_locked)) {
            return Err(s3_error!(
                AccessDenied,
                "Access Denied because object protected by object lock."
            ));
        }
        let mut delete_marker = false;
        self.edit(store, place, at, |versions| {
            delete_marker = versions.iter().any(|v| v.id == version_id && v.content.is_none());
            versions.retain(|version| version.id != version_id);
        })?;
        Ok(Deleted { delete_marker, version_id: Some(version_id.to_owned()) })
    }

    /// Replaces the tags of a version. Returns its id if the bucket keeps versions.
    pub(crate) fn set_tags(
        &mut self,
        store: &Store,
        place: &Place,
        version_id: Option<&str>,
        tags: Tags,
    ) -> S3Result<Option<String>> {
        let found = self.find(place, version_id)?;
        let (id, at) = (found.id.clone(), found.modified);
        if found.content.is_none() {
            return Err(no_such_key());
        }
        self.edit(store, place, at, |versions| {
            if let Some(version) = versions.iter_mut().find(|version| version.id == id) {
                version.tags = tags;
            }
        })?;
        Ok((self.bucket(&place.bucket)?.versioning != Versioning::Never).then_some(id))
    }

    /// Changes the versions of a key, shows the result in the store, and records what became visible.
    ///
    /// The store goes first: if it fails, nothing has changed here.
    fn edit(
        &mut self,
        store: &Store,
        place: &Place,
        at: SystemTime,
        change: impl FnOnce(&mut Vec<Version>),
    ) -> S3Result<()> {
        let bucket = self.bucket(&place.bucket)?;
        let versioned = bucket.versioning != Versioning::Never;
        let old = bucket.keys.get(&place.key).cloned().unwrap_or_default();
        let mut new = old.clone();
        change(&mut new);
        let (before, after) = (visible(&old), visible(&new));
        if let Store::Folder(folder) = store {
            let same = is_same(before, after);
            let keep_old = before.is_some_and(|(_, stored)| contains(&new, stored));
            let shown_before = before.filter(|_| !same).map(|(_, stored)| &**stored);
            let shown_after = after.map(|(version, stored)| (version, &**stored));
            let done = folder.show(
                &place.bucket,
                &place.key,
                shown_before,
                shown_after,
                keep_old && !same,
            );
            done.map_err(s3s::S3Error::internal_error)?;
        }
        if let Some(change) = describe(place, at, versioned, before, after) {
            self.history.add(change);
        }
        let keys = &mut self.bucket_mut(&place.bucket)?.keys;
        if new.is_empty() {
            keys.remove(&place.key);
        } else {
            keys.insert(place.key.clone(), new);
        }
        Ok(())
    }

    /// Puts an object there that was found when the store was opened; nothing is recorded or moved.
    pub(crate) fn adopt(&mut self, bucket: &str, key: String, version: Version) {
        if let Some(bucket) = self.buckets.get_mut(bucket) {
            bucket.keys.insert(key, vec![version]);
        }
    }
}

pub(crate) fn no_such_key() -> s3s::S3Error {
    s3_error!(NoSuchKey, "The specified key does not exist.")
}

type Visible<'a> = Option<(&'a Version, &'a Arc<Stored>)>;

fn is_same(before: Visible<'_>, after: Visible<'_>) -> bool {
    matches!((before, after), (Some((_, old)), Some((_, new))) if Arc::ptr_eq(old, new))
}

fn contains(versions: &[Version], stored: &Arc<Stored>) -> bool {
    versions
        .iter()
        .any(|version| version.content.as_ref().is_some_and(|content| Arc::ptr_eq(content, stored)))
}

fn describe(
    place: &Place,
    at: SystemTime,
    versioned: bool,
    before: Visible<'_>,
    after: Visible<'_>,
) -> Option<Change> {
    let (event, (version, stored)) = match (before, after) {
        (None, None) => return None,
        (Some(_), Some(_)) if is_same(before, after) => return None,
        (None, Some(new)) => (Event::Created, new),
        (Some(_), Some(new)) => (Event::Replaced, new),
        (Some(old), None) => (Event::Deleted, old),
    };
    Some(Change {
        sequence: 0,
        at,
        bucket: place.bucket.clone(),
        key: place.key.clone(),
        event,
        etag: stored.etag.clone(),
        size: stored.size,
        version_id: versioned.then(|| version.id.clone()),
        metadata: stored.attributes.metadata.clone(),
    })
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;
    use crate::object::Attributes;
    use crate::options::{Retention, RetentionMode};
    use crate::store::Blob;

    fn stored(etag: &str) -> Option<Arc<Stored>> {
        Some(Arc::new(Stored {
            blob: Blob::Discarded,
            size: 1,
            etag: etag.into(),
            checksum: None,
            parts: Vec::new(),
            attributes: Attributes::default(),
        }))
    }

    fn new(id: &str) -> NewVersion {
        NewVersion { id: id.into(), at: UNIX_EPOCH, content: stored(id), tags: Tags::new() }
    }

    fn state(versioning: Versioning) -> (State, Place) {
        let mut state = State::new(100);
        let bucket = Bucket {
            created: UNIX_EPOCH,
            region: "us-east-1".into(),
            versioning,
            retention: None,
            keys: BTreeMap::new(),
        };
        state.buckets.insert("b".into(), bucket);
        (state, Place { bucket: "b".into(), key: "k".into() })
    }

    fn events(state: &State) -> Vec<(u64, Event, String)> {
        state
            .history
            .all()
            .into_iter()
            .map(|change| (change.sequence, change.event, change.etag))
            .collect()
    }

    #[test]
    fn a_bucket_without_versions_keeps_one() {
        let (mut state, place) = state(Versioning::Never);
        assert_eq!(state.add(&Store::Discard, &place, new("1")).unwrap(), None);
        assert_eq!(state.add(&Store::Discard, &place, new("2")).unwrap(), None);
        assert_eq!(
            state.delete(&Store::Discard, &place, UNIX_EPOCH, "3".into()).unwrap(),
            Deleted::default()
        );
        assert_eq!(
            state.delete(&Store::Discard, &place, UNIX_EPOCH, "4".into()).unwrap(),
            Deleted::default()
        );
        assert!(state.buckets["b"].keys.is_empty());
        assert_eq!(
            events(&state),
            [
                (1, Event::Created, "1".into()),
                (2, Event::Replaced, "2".into()),
                (3, Event::Deleted, "2".into())
            ]
        );
    }

    #[test]
    fn versions_hide_and_come_back() {
        let (mut state, place) = state(Versioning::Enabled);
        assert_eq!(state.add(&Store::Discard, &place, new("1")).unwrap().as_deref(), Some("1"));
        let deleted = state.delete(&Store::Discard, &place, UNIX_EPOCH, "2".into()).unwrap();
        assert_eq!(deleted, Deleted { delete_marker: true, version_id: Some("2".into()) });
        assert!(state.buckets["b"].visible("k").is_none());
        let deleted = state.delete_version(&Store::Discard, &place, UNIX_EPOCH, "2").unwrap();
        assert!(deleted.delete_marker);
        assert_eq!(state.buckets["b"].visible("k").unwrap().1.etag, "1");
        assert_eq!(
            events(&state),
            [
                (1, Event::Created, "1".into()),
                (2, Event::Deleted, "1".into()),
                (3, Event::Created, "1".into())
            ]
        );
    }

    #[test]
    fn a_suspended_bucket_replaces_only_its_null_version() {
        let (mut state, place) = state(Versioning::Enabled);
        state.add(&Store::Discard, &place, new("1")).unwrap();
        state.buckets.get_mut("b").unwrap().versioning = Versioning::Suspended;
        for id in ["2", "3"] {
            assert_eq!(
                state.add(&Store::Discard, &place, new(id)).unwrap().as_deref(),
                Some(NULL_VERSION)
            );
        }
        let ids: Vec<&str> =
            state.buckets["b"].keys["k"].iter().map(|version| version.id.as_str()).collect();
        assert_eq!(ids, ["1", NULL_VERSION]);
    }

    #[test]
    fn what_is_locked_is_hidden_and_replaced_but_not_removed() {
        let (mut state, place) = state(Versioning::Enabled);
        let retention = Retention { mode: RetentionMode::Compliance, days: 1 };
        state.buckets.get_mut("b").unwrap().retention = Some(retention);
        state.add(&Store::Discard, &place, new("1")).unwrap();
        state.add(&Store::Discard, &place, new("2")).unwrap();
        let marker = state.delete(&Store::Discard, &place, UNIX_EPOCH, "3".into()).unwrap();
        assert!(marker.delete_marker);
        let day = UNIX_EPOCH + Duration::from_secs(SECONDS_OF_DAY);
        let mut remove = |id: &str, at| {
            state.delete_version(&Store::Discard, &place, at, id).map_err(|e| e.code().clone())
        };
        assert!(remove("3", UNIX_EPOCH).is_ok(), "a marker is not locked");
        let early = day - Duration::from_secs(1);
        assert_eq!(remove("1", early), Err(s3s::S3ErrorCode::AccessDenied));
        assert!(remove("1", day).is_ok());
    }

    #[test]
    fn old_changes_are_dropped_with_a_visible_gap() {
        let (mut state, place) = state(Versioning::Never);
        state.history = History::new(2);
        for id in ["1", "2", "3"] {
            state.add(&Store::Discard, &place, new(id)).unwrap();
        }
        assert_eq!(
            state.history.all().iter().map(|change| change.sequence).collect::<Vec<_>>(),
            [2, 3]
        );
    }
}
