//! Objects that are written at once, and what all writers have in common.

use std::sync::Arc;
use std::time::Duration;

use s3s::dto::*;
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::attributes;
use super::buckets::check_digest;
use super::checksums::set_checksum;
use crate::body::{self, Care, Received};
use crate::checksum::{Algorithm, Checksum as Sum, Kind, hex};
use crate::condition::WriteCondition;
use crate::object::{Attributes, Stored, Tags};
use crate::shared::{Shared, new_version};
use crate::state::Place;

/// How long the dialect with racing conditions waits between its check and its write.
const RACE_WINDOW: Duration = Duration::from_millis(20);

pub(super) async fn put(
    shared: &Arc<Shared>,
    request: S3Request<PutObjectInput>,
) -> S3Result<S3Response<PutObjectOutput>> {
    let S3Request { input, headers, trailing_headers, .. } = request;
    let place = Place { bucket: input.bucket, key: input.key };
    check_digest(shared, &place.bucket, &headers)?;
    let condition = WriteCondition::of(input.if_match.as_ref(), input.if_none_match.as_ref());
    let condition =
        if shared.options.dialect.no_conditionals { WriteCondition::Always } else { condition? };
    let attributes = attributes::read(&headers, input.metadata.as_ref())?;
    let tags = attributes::read_tags(input.tagging.as_deref())?;
    let declared = body::Declared::of(&headers)?;
    let body = input.body.ok_or_else(|| s3_error!(MissingRequestBodyError))?;
    let also = if declared.algorithm().is_none() { &[Algorithm::Crc64nvme][..] } else { &[] };
    let received = body::receive(
        &shared.store,
        body,
        &declared,
        trailing_headers.as_ref(),
        care(shared),
        also,
    )
    .await?;
    let stored = whole(shared, received, attributes);
    let (etag, checksum) = (stored.etag.clone(), stored.checksum.clone());
    let server_side_encryption = attributes::encryption(&stored.attributes);
    let ssekms_key_id = stored.attributes.kms_key_id.clone();
    let condition = race(shared, &place, condition).await?;
    let version_id = commit(shared, &place, &condition, stored, tags)?;
    let mut output = PutObjectOutput {
        e_tag: Some(ETag::Strong(etag)),
        version_id,
        server_side_encryption,
        ssekms_key_id,
        ..Default::default()
    };
    set_checksum!(output, &checksum);
    Ok(S3Response::new(output))
}

/// Writes an object for the lab's owner, without a request.
pub(crate) async fn put_directly(
    shared: &Shared,
    place: &Place,
    bytes: bytes::Bytes,
) -> S3Result<String> {
    let body = StreamingBlob::from(s3s::Body::from(bytes));
    let declared = body::Declared::default();
    let also = [Algorithm::Crc64nvme];
    let received = body::receive(&shared.store, body, &declared, None, care(shared), &also).await?;
    let stored = whole(shared, received, Attributes::default());
    let etag = stored.etag.clone();
    commit(shared, place, &WriteCondition::Always, stored, Tags::new())?;
    Ok(etag)
}

/// Returns how bodies are digested in this lab.
pub(super) fn care(shared: &Shared) -> Care {
    let dialect = &shared.options.dialect;
    Care {
        hash: shared.options.hash_bodies,
        verify: !dialect.no_checksums,
        md5_etag: !dialect.opaque_etags,
    }
}

/// Returns the ETag of a body: its MD5, or something invented where MD5 is not to be seen or was not computed.
pub(super) fn etag(shared: &Shared, md5: Option<[u8; 16]>) -> String {
    match md5.filter(|_| !shared.options.dialect.opaque_etags) {
        Some(md5) => hex(&md5),
        None => shared.unique("etag")[..32].to_owned(),
    }
}

/// Makes an object of a body that arrived at once.
pub(super) fn whole(shared: &Shared, received: Received, attributes: Attributes) -> Stored {
    let digest = &received.digest;
    let kept = received.declared.or_else(|| digest.sums.first().cloned());
    let kept = kept.filter(|_| !shared.options.dialect.no_checksums);
    Stored {
        size: digest.size,
        etag: etag(shared, digest.md5),
        checksum: kept.map(|(algorithm, value)| Sum { algorithm, kind: Kind::FullObject, value }),
        parts: Vec::new(),
        attributes,
        blob: received.blob,
    }
}

/// In the racing dialect: checks now, and lets the write come later, unchecked.
pub(super) async fn race(
    shared: &Shared,
    place: &Place,
    condition: WriteCondition,
) -> S3Result<WriteCondition> {
    if !shared.options.dialect.racy_conditionals || condition == WriteCondition::Always {
        return Ok(condition);
    }
    shared.state().check(place, &condition)?;
    tokio::time::sleep(RACE_WINDOW).await;
    Ok(WriteCondition::Always)
}

/// Makes an object visible if the condition holds at that instant.
pub(super) fn commit(
    shared: &Shared,
    place: &Place,
    condition: &WriteCondition,
    stored: Stored,
    tags: Tags,
) -> S3Result<Option<String>> {
    let version = new_version(shared, stored, tags);
    let mut state = shared.state();
    state.check(place, condition)?;
    state.add(&shared.store, place, version)
}
