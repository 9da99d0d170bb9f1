//! Buckets: made, listed, described, removed.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::HeaderMap;
use s3s::dto::*;
use s3s::{S3Error, S3Request, S3Response, S3Result, s3_error};

use crate::object::{Bucket as Kept, Versioning};
use crate::shared::Shared;
use crate::store::Store;

/// The region whose rules for CreateBucket and GetBucketLocation differ from all others'.
const FIRST_REGION: &str = "us-east-1";

pub(super) async fn list(
    shared: &Arc<Shared>,
    request: S3Request<ListBucketsInput>,
) -> S3Result<S3Response<ListBucketsOutput>> {
    let prefix = request.input.prefix.unwrap_or_default();
    let state = shared.state();
    let buckets =
        state.buckets.iter().filter(|(name, _)| name.starts_with(&prefix)).map(|(name, bucket)| {
            Bucket {
                name: Some(name.clone()),
                creation_date: Some(Timestamp::from(bucket.created)),
                bucket_region: Some(bucket.region.clone()),
            }
        });
    let owner = Owner { display_name: None, id: Some(shared.options.account_id.clone()) };
    let output = ListBucketsOutput {
        buckets: Some(buckets.collect()),
        owner: Some(owner),
        ..Default::default()
    };
    Ok(S3Response::new(output))
}

pub(super) async fn create(
    shared: &Arc<Shared>,
    request: S3Request<CreateBucketInput>,
) -> S3Result<S3Response<CreateBucketOutput>> {
    let name = request.input.bucket;
    let wanted = request.input.create_bucket_configuration.and_then(|c| c.location_constraint);
    let region =
        wanted.map_or_else(|| FIRST_REGION.to_owned(), |constraint| constraint.as_str().to_owned());
    if region != shared.options.region {
        return Err(s3_error!(
            IllegalLocationConstraintException,
            "The {region} location constraint is incompatible for the region specific endpoint this request was \
             sent to."
        ));
    }
    let mut state = shared.state();
    if state.buckets.contains_key(&name) {
        // In its first region S3 answers the owner with success, everywhere else with a conflict.
        if region != FIRST_REGION {
            return Err(s3_error!(
                BucketAlreadyOwnedByYou,
                "Your previous request to create the named bucket succeeded and you already own it."
            ));
        }
        return Ok(S3Response::new(CreateBucketOutput { location: Some(format!("/{name}")) }));
    }
    if let Store::Folder(folder) = &shared.store {
        folder.create_bucket(&name).map_err(S3Error::internal_error)?;
    }
    let bucket = Kept {
        created: shared.now(),
        region,
        versioning: Versioning::Never,
        retention: None,
        keys: BTreeMap::new(),
    };
    let location = Some(format!("/{name}"));
    state.buckets.insert(name, bucket);
    Ok(S3Response::new(CreateBucketOutput { location }))
}

pub(super) async fn head(
    shared: &Arc<Shared>,
    request: S3Request<HeadBucketInput>,
) -> S3Result<S3Response<HeadBucketOutput>> {
    let region = shared.state().bucket(&request.input.bucket)?.region.clone();
    Ok(S3Response::new(HeadBucketOutput { bucket_region: Some(region), ..Default::default() }))
}

pub(super) async fn delete(
    shared: &Arc<Shared>,
    request: S3Request<DeleteBucketInput>,
) -> S3Result<S3Response<DeleteBucketOutput>> {
    let name = request.input.bucket;
    let mut state = shared.state();
    if !state.bucket(&name)?.keys.is_empty() {
        return Err(s3_error!(BucketNotEmpty, "The bucket you tried to delete is not empty"));
    }
    if let Store::Folder(folder) = &shared.store {
        folder.remove_bucket(&name).map_err(S3Error::internal_error)?;
    }
    state.buckets.remove(&name);
    state.uploads.forget_bucket(&name);
    Ok(S3Response::with_status(DeleteBucketOutput {}, http::StatusCode::NO_CONTENT))
}

pub(super) async fn location(
    shared: &Arc<Shared>,
    request: S3Request<GetBucketLocationInput>,
) -> S3Result<S3Response<GetBucketLocationOutput>> {
    let region = shared.state().bucket(&request.input.bucket)?.region.clone();
    let location_constraint =
        (region != FIRST_REGION).then(|| BucketLocationConstraint::from(region));
    Ok(S3Response::new(GetBucketLocationOutput { location_constraint }))
}

pub(super) async fn versioning(
    shared: &Arc<Shared>,
    request: S3Request<GetBucketVersioningInput>,
) -> S3Result<S3Response<GetBucketVersioningOutput>> {
    let status = match shared.state().bucket(&request.input.bucket)?.versioning {
        Versioning::Never => None,
        Versioning::Enabled => {
            Some(BucketVersioningStatus::from_static(BucketVersioningStatus::ENABLED))
        }
        Versioning::Suspended => {
            Some(BucketVersioningStatus::from_static(BucketVersioningStatus::SUSPENDED))
        }
    };
    Ok(S3Response::new(GetBucketVersioningOutput { status, ..Default::default() }))
}

pub(super) async fn set_versioning(
    shared: &Arc<Shared>,
    request: S3Request<PutBucketVersioningInput>,
) -> S3Result<S3Response<PutBucketVersioningOutput>> {
    let status = request.input.versioning_configuration.status;
    let versioning = match status.as_ref().map(BucketVersioningStatus::as_str) {
        Some(BucketVersioningStatus::ENABLED) => Versioning::Enabled,
        Some(BucketVersioningStatus::SUSPENDED) => Versioning::Suspended,
        _ => {
            return Err(s3_error!(
                IllegalVersioningConfigurationException,
                "The Versioning element must be specified"
            ));
        }
    };
    shared.state().bucket_mut(&request.input.bucket)?.versioning = versioning;
    Ok(S3Response::new(PutBucketVersioningOutput {}))
}

/// Says that there is no policy: a lab's policies belong to its users.
pub(super) async fn policy(
    shared: &Arc<Shared>,
    request: S3Request<GetBucketPolicyInput>,
) -> S3Result<S3Response<GetBucketPolicyOutput>> {
    shared.state().bucket(&request.input.bucket)?;
    Err(s3_error!(NoSuchBucketPolicy, "The bucket policy does not exist"))
}

pub(super) async fn lock(
    shared: &Arc<Shared>,
    request: S3Request<GetObjectLockConfigurationInput>,
) -> S3Result<S3Response<GetObjectLockConfigurationOutput>> {
    let Some(retention) = shared.state().bucket(&request.input.bucket)?.retention else {
        return Err(s3_error!(
            ObjectLockConfigurationNotFoundError,
            "Object Lock configuration does not exist for this bucket"
        ));
    };
    let default_retention = DefaultRetention {
        days: i32::try_from(retention.days).ok(),
        mode: Some(ObjectLockRetentionMode::from_static(retention.mode.as_str())),
        years: None,
    };
    let object_lock_configuration = ObjectLockConfiguration {
        object_lock_enabled: Some(ObjectLockEnabled::from_static(ObjectLockEnabled::ENABLED)),
        rule: Some(ObjectLockRule { default_retention: Some(default_retention) }),
    };
    let output = GetObjectLockConfigurationOutput {
        object_lock_configuration: Some(object_lock_configuration),
    };
    Ok(S3Response::new(output))
}

/// In a bucket with a default retention, bytes are taken only with something to check them by.
pub(super) fn check_digest(shared: &Shared, bucket: &str, headers: &HeaderMap) -> S3Result<()> {
    let is_locked = shared.state().bucket(bucket)?.retention.is_some();
    let has_digest = || {
        headers.keys().any(|name| {
            let name = name.as_str();
            name == "content-md5"
                || name == "x-amz-sdk-checksum-algorithm"
                || name.starts_with("x-amz-checksum-")
        })
    };
    if !is_locked || has_digest() {
        return Ok(());
    }
    Err(s3_error!(
        InvalidRequest,
        "Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock \
         parameters"
    ))
}
