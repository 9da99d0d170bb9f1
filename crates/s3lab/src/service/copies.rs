//! Copies of objects within a lab. The bytes are read and stored again, so that every digest is computed anew.

use std::sync::Arc;

use http::HeaderMap;
use s3s::dto::*;
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::attributes;
use super::caller;
use super::checksums::set_checksum;
use super::objects::{care, commit, whole};
use super::reads::{Found, find, unreadable};
use crate::body;
use crate::checksum::Algorithm;
use crate::condition::WriteCondition;
use crate::object::Attributes;
use crate::shared::Shared;
use crate::state::Place;

pub(super) async fn copy(
    shared: &Arc<Shared>,
    request: S3Request<CopyObjectInput>,
) -> S3Result<S3Response<CopyObjectOutput>> {
    let caller = caller(&request);
    let headers = request.headers;
    let input = request.input;
    let CopySource::Bucket { bucket, key, version_id } = &input.copy_source else {
        return Err(s3_error!(NotImplemented, "This lab has no access points."));
    };
    let source = Place { bucket: bucket.to_string(), key: key.to_string() };
    let place = Place { bucket: input.bucket.clone(), key: input.key.clone() };
    let found = find(shared, &caller, &source, version_id.as_deref())?;
    let replaces = is_replace(input.metadata_directive.as_ref().map(MetadataDirective::as_str));
    if source == place && !replaces && version_id.is_none() {
        return Err(s3_error!(
            InvalidRequest,
            "This copy request is illegal because it is trying to copy an object to itself without changing the \
             object's metadata, storage class, website redirect location or encryption attributes."
        ));
    }
    let attributes = copied_attributes(&headers, &input, &found)?;
    let tags = if is_replace(input.tagging_directive.as_ref().map(TaggingDirective::as_str)) {
        attributes::read_tags(input.tagging.as_deref())?
    } else {
        found.version.tags.clone()
    };
    let body = found.stored.blob.read(0..found.stored.size).map_err(unreadable)?;
    let declared = body::Declared::default();
    let wanted =
        found.stored.checksum.as_ref().map_or(Algorithm::Crc64nvme, |checksum| checksum.algorithm);
    let received =
        body::receive(&shared.store, body, &declared, None, care(shared), &[wanted]).await?;
    let stored = whole(shared, received, attributes);
    let mut result = CopyObjectResult {
        e_tag: Some(ETag::Strong(stored.etag.clone())),
        last_modified: Some(Timestamp::from(shared.now())),
        ..Default::default()
    };
    set_checksum!(result, &stored.checksum);
    let server_side_encryption = attributes::encryption(&stored.attributes);
    let version_id = commit(shared, &place, &WriteCondition::Always, stored, tags)?;
    let output = CopyObjectOutput {
        copy_object_result: Some(result),
        copy_source_version_id: found.shown_id,
        server_side_encryption,
        version_id,
        ..Default::default()
    };
    Ok(S3Response::new(output))
}

fn is_replace(directive: Option<&str>) -> bool {
    directive == Some("REPLACE")
}

/// Takes the description from the source or from the request; how to store it always comes from the request.
fn copied_attributes(
    headers: &HeaderMap,
    input: &CopyObjectInput,
    source: &Found,
) -> S3Result<Attributes> {
    let given = attributes::read(headers, input.metadata.as_ref())?;
    if is_replace(input.metadata_directive.as_ref().map(MetadataDirective::as_str)) {
        return Ok(given);
    }
    let Attributes { storage_class, encryption, kms_key_id, .. } = given;
    Ok(Attributes { storage_class, encryption, kms_key_id, ..source.stored.attributes.clone() })
}
