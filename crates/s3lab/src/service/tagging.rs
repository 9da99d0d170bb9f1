//! Tags of objects.

use std::sync::Arc;

use s3s::dto::*;
use s3s::{S3Request, S3Response, S3Result};

use super::attributes;
use crate::object::Tags;
use crate::shared::Shared;
use crate::state::{Place, no_such_key};

pub(super) async fn get(
    shared: &Arc<Shared>,
    request: S3Request<GetObjectTaggingInput>,
) -> S3Result<S3Response<GetObjectTaggingOutput>> {
    let input = request.input;
    let place = Place { bucket: input.bucket, key: input.key };
    let state = shared.state();
    let version = state.find(&place, input.version_id.as_deref())?;
    if version.content.is_none() {
        return Err(no_such_key());
    }
    let tag_set = version
        .tags
        .iter()
        .map(|(key, value)| Tag { key: Some(key.clone()), value: Some(value.clone()) });
    let version_id = state.bucket(&place.bucket)?.shown_id(version);
    Ok(S3Response::new(GetObjectTaggingOutput { tag_set: tag_set.collect(), version_id }))
}

pub(super) async fn put(
    shared: &Arc<Shared>,
    request: S3Request<PutObjectTaggingInput>,
) -> S3Result<S3Response<PutObjectTaggingOutput>> {
    let input = request.input;
    let tags = input.tagging.tag_set.into_iter();
    let tags: Tags =
        tags.map(|tag| (tag.key.unwrap_or_default(), tag.value.unwrap_or_default())).collect();
    let tags = attributes::check_tags(tags)?;
    let place = Place { bucket: input.bucket, key: input.key };
    let version_id =
        shared.state().set_tags(&shared.store, &place, input.version_id.as_deref(), tags)?;
    Ok(S3Response::new(PutObjectTaggingOutput { version_id }))
}

pub(super) async fn delete(
    shared: &Arc<Shared>,
    request: S3Request<DeleteObjectTaggingInput>,
) -> S3Result<S3Response<DeleteObjectTaggingOutput>> {
    let input = request.input;
    let place = Place { bucket: input.bucket, key: input.key };
    let version_id =
        shared.state().set_tags(&shared.store, &place, input.version_id.as_deref(), Tags::new())?;
    Ok(S3Response::with_status(
        DeleteObjectTaggingOutput { version_id },
        http::StatusCode::NO_CONTENT,
    ))
}
