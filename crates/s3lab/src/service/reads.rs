//! Objects that are read or described.

use std::ops::Range;
use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue};
use s3s::dto::*;
use s3s::{S3Error, S3Request, S3Response, S3Result, s3_error};

use super::attributes;
use super::caller;
use super::checksums::{set_checksum, set_sum};
use crate::archive::{Asked, is_archived};
use crate::condition::ReadCondition;
use crate::gate::denied;
use crate::object::{Attributes, Stored, Version};
use crate::shared::Shared;
use crate::state::{Place, no_such_key};

/// An object that a request found, and that its caller may know of.
pub(super) struct Found {
    pub(super) version: Version,
    pub(super) stored: Arc<Stored>,
    pub(super) shown_id: Option<String>,
}

/// Finds an object, or says what its caller may know of its absence.
pub(super) fn find(
    shared: &Shared,
    caller: &str,
    place: &Place,
    version_id: Option<&str>,
) -> S3Result<Found> {
    let state = shared.state();
    let bucket = state.bucket(&place.bucket)?;
    let version = match state.find(place, version_id) {
        Ok(version) => version.clone(),
        // Without the right to list, S3 does not tell whether a key exists.
        Err(_)
            if version_id.is_none() && !shared.permits(caller, "s3:ListBucket", &place.bucket) =>
        {
            return Err(denied());
        }
        Err(error) => return Err(error),
    };
    let shown_id = bucket.shown_id(&version);
    match version.content.clone() {
        Some(stored) => Ok(Found { version, stored, shown_id }),
        None => Err(deleted(version_id.is_some(), shown_id)),
    }
}

/// Says that the newest version, or the one that was asked for, is a delete marker.
fn deleted(by_id: bool, shown_id: Option<String>) -> S3Error {
    let mut error = if by_id {
        s3_error!(MethodNotAllowed, "The specified method is not allowed against this resource.")
    } else {
        no_such_key()
    };
    let mut headers = HeaderMap::new();
    headers.insert("x-amz-delete-marker", HeaderValue::from_static("true"));
    if let Some(id) = shown_id.and_then(|id| HeaderValue::try_from(id).ok()) {
        headers.insert("x-amz-version-id", id);
    }
    error.set_headers(headers);
    error
}

/// Restores an archived object.
pub(super) async fn restore(
    shared: &Arc<Shared>,
    request: S3Request<RestoreObjectInput>,
) -> S3Result<S3Response<RestoreObjectOutput>> {
    let caller = caller(&request);
    let input = request.input;
    let place = Place { bucket: input.bucket, key: input.key };
    let found = find(shared, &caller, &place, input.version_id.as_deref())?;
    if !is_archived(&found.stored.attributes) {
        return Err(s3_error!(
            InvalidObjectState,
            "Restore is not allowed for the object's current storage class"
        ));
    }
    let days = input.restore_request.and_then(|request| request.days);
    let Some(days) = days.and_then(|days| u32::try_from(days).ok()).filter(|days| *days > 0) else {
        return Err(s3_error!(MalformedXML));
    };
    let now = shared.now();
    let asked = shared.state().archive.ask(&place, &found.version, days, now);
    let mut response = S3Response::new(RestoreObjectOutput::default());
    response.status = Some(match asked {
        Asked::Begun => http::StatusCode::ACCEPTED,
        Asked::Prolonged => http::StatusCode::OK,
        Asked::UnderWay => {
            return Err(s3_error!(
                RestoreAlreadyInProgress,
                "Object restore is already in progress"
            ));
        }
    });
    Ok(response)
}

/// Refuses to read what is in an archive and has no copy, as S3 does.
fn check_archive(shared: &Shared, place: &Place, found: &Found) -> S3Result<()> {
    let is_readable = !is_archived(&found.stored.attributes)
        || shared.state().archive.has_copy(place, &found.version, shared.now());
    if is_readable {
        return Ok(());
    }
    Err(s3_error!(InvalidObjectState, "The operation is not valid for the object's storage class"))
}

/// Which bytes of an object a request asks for.
struct Selection {
    bytes: Range<u64>,
    /// Whether that is said in the answer: a range or a part, and not simply everything.
    partial: bool,
    parts_count: Option<i32>,
}

fn select(
    stored: &Stored,
    range: Option<&s3s::dto::Range>,
    part_number: Option<i32>,
) -> S3Result<Selection> {
    let whole = 0..stored.size;
    match (range, part_number) {
        (Some(_), Some(_)) => Err(s3_error!(
            InvalidRequest,
            "Cannot specify both Range header and partNumber query parameter"
        )),
        (None, None) => Ok(Selection { bytes: whole, partial: false, parts_count: None }),
        (Some(range), None) => {
            let bytes = range.check(stored.size).map_err(|_| out_of_range(stored.size))?;
            Ok(Selection { bytes, partial: true, parts_count: None })
        }
        (None, Some(number)) => select_part(stored, number),
    }
}

fn select_part(stored: &Stored, number: i32) -> S3Result<Selection> {
    if stored.parts.is_empty() && number == 1 {
        return Ok(Selection {
            bytes: 0..stored.size,
            partial: stored.size > 0,
            parts_count: None,
        });
    }
    // Parts are counted by their place in the object, whatever their numbers were.
    let index = usize::try_from(number - 1).unwrap_or(usize::MAX);
    let Some(part) = stored.parts.get(index) else {
        return Err(s3_error!(InvalidPart, "The requested partnumber is not satisfiable"));
    };
    let start: u64 = stored.parts[..index].iter().map(|part| part.size).sum();
    Ok(Selection {
        bytes: start..start + part.size,
        partial: true,
        parts_count: i32::try_from(stored.parts.len()).ok(),
    })
}

fn out_of_range(size: u64) -> S3Error {
    let mut error = s3_error!(InvalidRange, "The requested range is not satisfiable");
    error.set_headers(one_header(http::header::CONTENT_RANGE, &format!("bytes */{size}")));
    error
}

fn one_header(name: HeaderName, value: &str) -> HeaderMap {
    HeaderValue::from_str(value).into_iter().map(|value| (name.clone(), value)).collect()
}

/// Says what a failed condition was compared with, as S3 does.
fn with_etag(mut error: S3Error, etag: &str) -> S3Error {
    error.set_headers(one_header(http::header::ETAG, &format!("\"{etag}\"")));
    error
}

fn content_range(selection: &Selection, size: u64) -> Option<String> {
    let Range { start, end } = selection.bytes;
    selection.partial.then(|| format!("bytes {start}-{}/{size}", end.saturating_sub(1)))
}

pub(super) async fn get(
    shared: &Arc<Shared>,
    request: S3Request<GetObjectInput>,
) -> S3Result<S3Response<GetObjectOutput>> {
    let caller = caller(&request);
    let input = request.input;
    let place = Place { bucket: input.bucket, key: input.key };
    let found = find(shared, &caller, &place, input.version_id.as_deref())?;
    check_archive(shared, &place, &found)?;
    let Found { version, stored, shown_id } = &found;
    let condition = ReadCondition {
        if_match: input.if_match,
        if_none_match: input.if_none_match,
        if_modified_since: input.if_modified_since,
        if_unmodified_since: input.if_unmodified_since,
    };
    condition
        .check(&stored.etag, version.modified)
        .map_err(|error| with_etag(error, &stored.etag))?;
    let selection = select(stored, input.range.as_ref(), input.part_number)?;
    let body = stored.blob.read(selection.bytes.clone()).map_err(unreadable)?;
    let attributes = &stored.attributes;
    let mut output = GetObjectOutput {
        accept_ranges: Some("bytes".into()),
        content_length: i64::try_from(selection.bytes.end - selection.bytes.start).ok(),
        content_range: content_range(&selection, stored.size),
        body: Some(body),
        e_tag: Some(ETag::Strong(stored.etag.clone())),
        last_modified: Some(Timestamp::from(version.modified)),
        metadata: Some(attributes.metadata.clone().into_iter().collect()),
        content_type: Some(content_type(attributes)),
        content_encoding: attributes.content_encoding.clone(),
        content_language: attributes.content_language.clone(),
        content_disposition: attributes.content_disposition.clone(),
        cache_control: attributes.cache_control.clone(),
        storage_class: attributes::header_storage_class(attributes),
        server_side_encryption: attributes::encryption(attributes),
        ssekms_key_id: attributes.kms_key_id.clone(),
        parts_count: selection.parts_count,
        restore: shared.state().archive.header(&place, version),
        tag_count: i32::try_from(version.tags.len()).ok().filter(|count| *count > 0),
        version_id: shown_id.clone(),
        ..Default::default()
    };
    if input.checksum_mode.is_some() && !selection.partial {
        set_checksum!(output, &stored.checksum);
    }
    Ok(S3Response::new(output))
}

/// What S3 says of objects whose writer said nothing.
fn content_type(attributes: &Attributes) -> String {
    attributes.content_type.clone().unwrap_or_else(|| "binary/octet-stream".to_owned())
}

/// Says why the bytes of an object cannot be read.
pub(super) fn unreadable(error: std::io::Error) -> S3Error {
    if error.kind() == std::io::ErrorKind::Unsupported {
        return s3_error!(NotImplemented, "This lab discards bodies.");
    }
    S3Error::internal_error(error)
}

pub(super) async fn head(
    shared: &Arc<Shared>,
    request: S3Request<HeadObjectInput>,
) -> S3Result<S3Response<HeadObjectOutput>> {
    let caller = caller(&request);
    let input = request.input;
    let place = Place { bucket: input.bucket, key: input.key };
    let found = find(shared, &caller, &place, input.version_id.as_deref())?;
    let Found { version, stored, shown_id } = &found;
    let condition = ReadCondition {
        if_match: input.if_match,
        if_none_match: input.if_none_match,
        if_modified_since: input.if_modified_since,
        if_unmodified_since: input.if_unmodified_since,
    };
    condition
        .check(&stored.etag, version.modified)
        .map_err(|error| with_etag(error, &stored.etag))?;
    let selection = select(stored, input.range.as_ref(), input.part_number)?;
    let attributes = &stored.attributes;
    let mut output = HeadObjectOutput {
        accept_ranges: Some("bytes".into()),
        content_length: i64::try_from(selection.bytes.end - selection.bytes.start).ok(),
        content_range: content_range(&selection, stored.size),
        e_tag: Some(ETag::Strong(stored.etag.clone())),
        last_modified: Some(Timestamp::from(version.modified)),
        metadata: Some(attributes.metadata.clone().into_iter().collect()),
        content_type: Some(content_type(attributes)),
        content_encoding: attributes.content_encoding.clone(),
        content_language: attributes.content_language.clone(),
        content_disposition: attributes.content_disposition.clone(),
        cache_control: attributes.cache_control.clone(),
        storage_class: attributes::header_storage_class(attributes),
        server_side_encryption: attributes::encryption(attributes),
        ssekms_key_id: attributes.kms_key_id.clone(),
        restore: shared.state().archive.header(&place, version),
        object_lock_mode: version
            .locked
            .map(|(mode, _)| ObjectLockMode::from_static(mode.as_str())),
        object_lock_retain_until_date: version.locked.map(|(_, until)| Timestamp::from(until)),
        parts_count: selection.parts_count,
        version_id: shown_id.clone(),
        ..Default::default()
    };
    if input.checksum_mode.is_some() && !selection.partial {
        set_checksum!(output, &stored.checksum);
    }
    let mut response = S3Response::new(output);
    if selection.partial {
        response.status = Some(http::StatusCode::PARTIAL_CONTENT);
    }
    Ok(response)
}

pub(super) async fn attributes(
    shared: &Arc<Shared>,
    request: S3Request<GetObjectAttributesInput>,
) -> S3Result<S3Response<GetObjectAttributesOutput>> {
    let caller = caller(&request);
    let input = request.input;
    let place = Place { bucket: input.bucket, key: input.key };
    let Found { version, stored, shown_id } =
        find(shared, &caller, &place, input.version_id.as_deref())?;
    let wants = |name: &str| input.object_attributes.iter().any(|wanted| wanted.as_str() == name);
    let mut output = GetObjectAttributesOutput {
        last_modified: Some(Timestamp::from(version.modified)),
        version_id: shown_id,
        e_tag: wants("ETag").then(|| ETag::Strong(stored.etag.clone())),
        object_size: i64::try_from(stored.size).ok().filter(|_| wants("ObjectSize")),
        storage_class: wants("StorageClass")
            .then(|| attributes::storage_class(&stored.attributes).into()),
        ..Default::default()
    };
    if let Some(kept) = stored.checksum.as_ref().filter(|_| wants("Checksum")) {
        let mut checksum = Checksum::default();
        set_checksum!(checksum, Some(kept));
        output.checksum = Some(checksum);
    }
    if wants("ObjectParts") && !stored.parts.is_empty() {
        output.object_parts = Some(parts_of(&stored, input.part_number_marker, input.max_parts));
    }
    Ok(S3Response::new(output))
}

fn parts_of(
    stored: &Stored,
    marker: Option<i32>,
    max_parts: Option<i32>,
) -> GetObjectAttributesParts {
    let (marker, max) = (marker.unwrap_or_default(), max_parts.unwrap_or(1000).clamp(0, 1000));
    let mut rest = stored.parts.iter().filter(|part| part.number > marker);
    let page: Vec<_> = rest.by_ref().take(usize::try_from(max).unwrap_or_default()).collect();
    let is_truncated = rest.next().is_some();
    let parts = page.iter().map(|part| {
        let mut shown = ObjectPart {
            part_number: Some(part.number),
            size: i64::try_from(part.size).ok(),
            ..Default::default()
        };
        if let (Some(value), Some(kept)) = (&part.checksum, &stored.checksum) {
            set_sum!(shown, kept.algorithm, value.clone());
        }
        shown
    });
    GetObjectAttributesParts {
        total_parts_count: i32::try_from(stored.parts.len()).ok(),
        part_number_marker: Some(marker),
        next_part_number_marker: page.last().map(|part| part.number),
        max_parts: Some(max),
        is_truncated: Some(is_truncated),
        parts: Some(parts.collect()),
    }
}
