//! Lists of objects and of versions, and how names are written in any list.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as TOKEN;
use s3s::dto::*;
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::attributes;
use crate::listing::{Page, Query, page, url_encode};
use crate::object::{Stored, Version};
use crate::shared::Shared;

/// The most that one page has, by Amazon's reference of each list.
const PAGE_MAX: i32 = 1000;

/// Returns how many items a page may have. S3 takes larger numbers for its limit, and no negative ones.
pub(super) fn page_limit(name: &str, given: Option<i32>) -> S3Result<i32> {
    match given {
        Some(number) if number < 0 => Err(s3_error!(
            InvalidArgument,
            "Argument {name} must be an integer between 0 and 2147483647"
        )),
        given => Ok(given.unwrap_or(PAGE_MAX).min(PAGE_MAX)),
    }
}

pub(super) fn as_count(limit: i32) -> usize {
    usize::try_from(limit).unwrap_or_default()
}

/// How names are written in an answer.
pub(super) struct Naming {
    encoded: bool,
}

impl Naming {
    pub(super) fn of(encoding: Option<&EncodingType>) -> S3Result<Self> {
        match encoding.map(EncodingType::as_str) {
            None => Ok(Self { encoded: false }),
            Some(EncodingType::URL) => Ok(Self { encoded: true }),
            Some(_) => {
                Err(s3_error!(InvalidArgument, "Invalid Encoding Method specified in Request"))
            }
        }
    }

    pub(super) fn name(&self, name: &str) -> String {
        if self.encoded { url_encode(name) } else { name.to_owned() }
    }

    pub(super) fn given(&self, name: Option<&str>) -> Option<String> {
        name.filter(|name| !name.is_empty()).map(|name| self.name(name))
    }

    pub(super) fn prefixes(&self, prefixes: &[String]) -> Vec<CommonPrefix> {
        prefixes.iter().map(|prefix| CommonPrefix { prefix: Some(self.name(prefix)) }).collect()
    }
}

/// Selects a page of visible objects.
fn visible_page(
    shared: &Shared,
    bucket: &str,
    query: &Query<'_>,
    naming: &Naming,
) -> S3Result<Page<Object>> {
    let state = shared.state();
    let bucket = state.bucket(bucket)?;
    let items = bucket.visible_keys().map(|(key, found)| (key, (key, found)));
    let Page { items, common_prefixes, truncated, last } = page(items, query);
    let items = items
        .into_iter()
        .map(|(key, (version, stored))| object(naming.name(key), version, stored))
        .collect();
    Ok(Page { items, common_prefixes, truncated, last })
}

fn object(key: String, version: &Version, stored: &Stored) -> Object {
    let checksum = stored.checksum.as_ref();
    Object {
        key: Some(key),
        size: i64::try_from(stored.size).ok(),
        e_tag: Some(ETag::Strong(stored.etag.clone())),
        last_modified: Some(Timestamp::from(version.modified)),
        storage_class: Some(attributes::storage_class(&stored.attributes).into()),
        checksum_algorithm: checksum
            .map(|c| vec![ChecksumAlgorithm::from_static(c.algorithm.name())]),
        checksum_type: checksum.map(|c| ChecksumType::from_static(c.kind.name())),
        ..Default::default()
    }
}

pub(super) async fn objects_v2(
    shared: &Arc<Shared>,
    request: S3Request<ListObjectsV2Input>,
) -> S3Result<S3Response<ListObjectsV2Output>> {
    let input = request.input;
    let naming = Naming::of(input.encoding_type.as_ref())?;
    let max_keys = page_limit("max-keys", input.max_keys)?;
    let resumed = input.continuation_token.as_deref().map(read_token).transpose()?;
    let query = Query {
        prefix: input.prefix.as_deref().unwrap_or_default(),
        delimiter: input.delimiter.as_deref().unwrap_or_default(),
        after: resumed.as_deref().or(input.start_after.as_deref()).unwrap_or_default(),
        max: as_count(max_keys),
    };
    let mut page = visible_page(shared, &input.bucket, &query, &naming)?;
    if input.fetch_owner == Some(true) {
        for item in &mut page.items {
            item.owner = Some(owner(shared));
        }
    }
    let common_prefixes = naming.prefixes(&page.common_prefixes);
    let output = ListObjectsV2Output {
        key_count: i32::try_from(page.items.len() + common_prefixes.len()).ok(),
        next_continuation_token: page
            .last
            .filter(|_| page.truncated)
            .map(|last| TOKEN.encode(last)),
        is_truncated: Some(page.truncated),
        contents: Some(page.items),
        common_prefixes: Some(common_prefixes),
        prefix: Some(naming.name(query.prefix)),
        delimiter: naming.given(Some(query.delimiter)),
        start_after: naming.given(input.start_after.as_deref()),
        name: Some(input.bucket),
        max_keys: Some(max_keys),
        continuation_token: input.continuation_token,
        encoding_type: input.encoding_type,
        ..Default::default()
    };
    Ok(S3Response::new(output))
}

fn read_token(token: &str) -> S3Result<String> {
    let name = TOKEN.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    name.ok_or_else(|| s3_error!(InvalidArgument, "The continuation token provided is incorrect"))
}

pub(super) fn owner(shared: &Shared) -> Owner {
    Owner { display_name: None, id: Some(shared.options.account_id.clone()) }
}

pub(super) async fn objects(
    shared: &Arc<Shared>,
    request: S3Request<ListObjectsInput>,
) -> S3Result<S3Response<ListObjectsOutput>> {
    let input = request.input;
    let naming = Naming::of(input.encoding_type.as_ref())?;
    let max_keys = page_limit("max-keys", input.max_keys)?;
    let query = Query {
        prefix: input.prefix.as_deref().unwrap_or_default(),
        delimiter: input.delimiter.as_deref().unwrap_or_default(),
        after: input.marker.as_deref().unwrap_or_default(),
        max: as_count(max_keys),
    };
    let mut page = visible_page(shared, &input.bucket, &query, &naming)?;
    for item in &mut page.items {
        item.owner = Some(owner(shared));
    }
    // Without a delimiter a client goes on from the last key that it got.
    let next = page.last.filter(|_| page.truncated && !query.delimiter.is_empty());
    let output = ListObjectsOutput {
        next_marker: naming.given(next.as_deref()),
        is_truncated: Some(page.truncated),
        contents: Some(page.items),
        common_prefixes: Some(naming.prefixes(&page.common_prefixes)),
        prefix: Some(naming.name(query.prefix)),
        delimiter: naming.given(Some(query.delimiter)),
        marker: Some(naming.name(query.after)),
        name: Some(input.bucket),
        max_keys: Some(max_keys),
        encoding_type: input.encoding_type,
        ..Default::default()
    };
    Ok(S3Response::new(output))
}

/// Where a list of several items per key goes on: after a common prefix, a key, or one item of a key.
pub(super) struct Marker<'a> {
    pub(super) key: &'a str,
    pub(super) id: Option<&'a str>,
    pub(super) delimiter: &'a str,
}

impl Marker<'_> {
    /// Tells whether a key is behind the marker; items of the marker's own key are the caller's to judge.
    pub(super) fn covers(&self, key: &str) -> bool {
        let group = !self.delimiter.is_empty()
            && self.key.ends_with(self.delimiter)
            && key.starts_with(self.key);
        key < self.key || (group && key != self.key)
    }
}

pub(super) async fn versions(
    shared: &Arc<Shared>,
    request: S3Request<ListObjectVersionsInput>,
) -> S3Result<S3Response<ListObjectVersionsOutput>> {
    let input = request.input;
    let naming = Naming::of(input.encoding_type.as_ref())?;
    let max_keys = page_limit("max-keys", input.max_keys)?;
    let marker = Marker {
        key: input.key_marker.as_deref().unwrap_or_default(),
        id: input.version_id_marker.as_deref(),
        delimiter: input.delimiter.as_deref().unwrap_or_default(),
    };
    let query = Query {
        prefix: input.prefix.as_deref().unwrap_or_default(),
        delimiter: marker.delimiter,
        after: "",
        max: as_count(max_keys),
    };
    let state = shared.state();
    let bucket = state.bucket(&input.bucket)?;
    let items =
        bucket.keys.iter().filter(|(key, _)| !marker.covers(key)).flat_map(|(key, versions)| {
            rest_of_versions(key, versions, &marker)
                .map(move |(latest, version)| (key.as_str(), (key, latest, version)))
        });
    let page = page(items, &query);
    let (mut shown, mut markers) = (Vec::new(), Vec::new());
    for (key, latest, version) in &page.items {
        match &version.content {
            Some(stored) => {
                shown.push(object_version(shared, naming.name(key), *latest, version, stored))
            }
            None => markers.push(delete_marker(shared, naming.name(key), *latest, version)),
        }
    }
    let last = page.last.as_deref().filter(|_| page.truncated);
    let last_item = page.items.last().filter(|(key, _, _)| Some(key.as_str()) == last);
    let output = ListObjectVersionsOutput {
        next_key_marker: naming.given(last),
        next_version_id_marker: last_item.map(|(_, _, version)| version.id.clone()),
        is_truncated: Some(page.truncated),
        versions: Some(shown),
        delete_markers: Some(markers),
        common_prefixes: Some(naming.prefixes(&page.common_prefixes)),
        prefix: Some(naming.name(query.prefix)),
        delimiter: naming.given(Some(query.delimiter)),
        key_marker: Some(naming.name(marker.key)),
        version_id_marker: input.version_id_marker.clone(),
        name: Some(input.bucket.clone()),
        max_keys: Some(max_keys),
        encoding_type: input.encoding_type.clone(),
        ..Default::default()
    };
    Ok(S3Response::new(output))
}

/// Returns the versions of a key that follow a marker, newest first, and whether each is the latest.
fn rest_of_versions<'v>(
    key: &str,
    versions: &'v [Version],
    marker: &Marker<'_>,
) -> impl Iterator<Item = (bool, &'v Version)> + use<'v> {
    let count = versions.len();
    let skipped = match marker.id {
        _ if key != marker.key => 0,
        None => count,
        Some(id) => {
            versions.iter().rev().position(|version| version.id == id).map_or(0, |at| at + 1)
        }
    };
    let newest_first = versions.iter().rev().enumerate().map(|(at, version)| (at == 0, version));
    newest_first.skip(skipped)
}

fn object_version(
    shared: &Shared,
    key: String,
    latest: bool,
    version: &Version,
    stored: &Stored,
) -> ObjectVersion {
    ObjectVersion {
        key: Some(key),
        version_id: Some(version.id.clone()),
        is_latest: Some(latest),
        last_modified: Some(Timestamp::from(version.modified)),
        e_tag: Some(ETag::Strong(stored.etag.clone())),
        size: i64::try_from(stored.size).ok(),
        storage_class: Some(attributes::storage_class(&stored.attributes).into()),
        owner: Some(owner(shared)),
        ..Default::default()
    }
}

fn delete_marker(
    shared: &Shared,
    key: String,
    latest: bool,
    version: &Version,
) -> DeleteMarkerEntry {
    DeleteMarkerEntry {
        key: Some(key),
        version_id: Some(version.id.clone()),
        is_latest: Some(latest),
        last_modified: Some(Timestamp::from(version.modified)),
        owner: Some(owner(shared)),
    }
}
