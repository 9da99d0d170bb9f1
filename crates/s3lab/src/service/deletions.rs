//! Deletions of objects and of versions.

use std::sync::Arc;

use s3s::dto::*;
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::caller;
use crate::condition::WriteCondition;
use crate::gate::denied;
use crate::shared::Shared;
use crate::state::{Deleted, Place};

/// How many keys a DeleteObjects may name.
const KEYS_MAX: usize = 1000;

pub(super) async fn one(
    shared: &Arc<Shared>,
    request: S3Request<DeleteObjectInput>,
) -> S3Result<S3Response<DeleteObjectOutput>> {
    let input = request.input;
    let place = Place { bucket: input.bucket, key: input.key };
    let condition = match input.if_match {
        Some(ETagCondition::ETag(etag)) => WriteCondition::Matches(etag.into_value()),
        Some(ETagCondition::Any) => WriteCondition::Present,
        None => WriteCondition::Always,
    };
    let deleted = delete(shared, &place, input.version_id.as_deref(), &condition)?;
    let output = DeleteObjectOutput {
        delete_marker: deleted.delete_marker.then_some(true),
        version_id: deleted.version_id,
        ..Default::default()
    };
    Ok(S3Response::with_status(output, http::StatusCode::NO_CONTENT))
}

pub(super) async fn many(
    shared: &Arc<Shared>,
    request: S3Request<DeleteObjectsInput>,
) -> S3Result<S3Response<DeleteObjectsOutput>> {
    let caller = caller(&request);
    let input = request.input;
    shared.state().bucket(&input.bucket)?;
    let objects = input.delete.objects;
    if objects.is_empty() || objects.len() > KEYS_MAX {
        return Err(s3_error!(
            MalformedXML,
            "The XML you provided was not well-formed or did not validate against our published schema"
        ));
    }
    let quiet = input.delete.quiet.unwrap_or_default();
    let (mut done, mut errors) = (Vec::new(), Vec::new());
    for object in objects {
        match delete_named(shared, &caller, &input.bucket, &object) {
            Ok(deleted) if !quiet => done.push(report(object, deleted)),
            Ok(_) => {}
            Err(error) => errors.push(Error {
                code: Some(error.code().as_str().to_owned()),
                key: Some(object.key),
                message: error.message().map(str::to_owned),
                version_id: object.version_id,
            }),
        }
    }
    let output =
        DeleteObjectsOutput { deleted: Some(done), errors: Some(errors), ..Default::default() };
    Ok(S3Response::new(output))
}

fn delete_named(
    shared: &Shared,
    caller: &str,
    bucket: &str,
    object: &ObjectIdentifier,
) -> S3Result<Deleted> {
    let action =
        if object.version_id.is_some() { "s3:DeleteObjectVersion" } else { "s3:DeleteObject" };
    if !shared.permits(caller, action, &format!("{bucket}/{}", object.key)) {
        return Err(denied());
    }
    let condition = match &object.e_tag {
        Some(etag) => WriteCondition::Matches(etag.value().to_owned()),
        None => WriteCondition::Always,
    };
    let place = Place { bucket: bucket.to_owned(), key: object.key.clone() };
    delete(shared, &place, object.version_id.as_deref(), &condition)
}

fn delete(
    shared: &Shared,
    place: &Place,
    version_id: Option<&str>,
    condition: &WriteCondition,
) -> S3Result<Deleted> {
    let (at, id) = (shared.now(), shared.unique("version")[..32].to_owned());
    let mut state = shared.state();
    if !shared.options.dialect.no_conditionals {
        state.check(place, condition)?;
    }
    match version_id {
        Some(version_id) => state.delete_version(&shared.store, place, at, version_id),
        None => state.delete(&shared.store, place, at, id),
    }
}

fn report(object: ObjectIdentifier, deleted: Deleted) -> DeletedObject {
    let named = object.version_id.is_some();
    DeletedObject {
        delete_marker: deleted.delete_marker.then_some(true),
        delete_marker_version_id: deleted.version_id.filter(|_| deleted.delete_marker && !named),
        key: Some(object.key),
        version_id: object.version_id,
    }
}
