//! The operations, as the protocol layer calls them. Each is a few lines here and a function in a file below.

mod attributes;
mod buckets;
mod checksums;
mod copies;
mod deletions;
mod listings;
mod objects;
mod reads;
mod tagging;
mod upload_lists;
mod uploads;

use std::sync::Arc;

use s3s::dto::*;
use s3s::{S3, S3Request, S3Response, S3Result};

pub(crate) use self::objects::put_directly;
use crate::shared::Shared;

/// The backend of the protocol layer.
pub(crate) struct Service(pub(crate) Arc<Shared>);

macro_rules! operations {
    ($($name:ident($input:ty) -> $output:ty = $function:path;)*) => {
        #[async_trait::async_trait]
        impl S3 for Service {
            $(async fn $name(&self, request: S3Request<$input>) -> S3Result<S3Response<$output>> {
                $function(&self.0, request).await
            })*
        }
    };
}

operations! {
    list_buckets(ListBucketsInput) -> ListBucketsOutput = buckets::list;
    create_bucket(CreateBucketInput) -> CreateBucketOutput = buckets::create;
    head_bucket(HeadBucketInput) -> HeadBucketOutput = buckets::head;
    delete_bucket(DeleteBucketInput) -> DeleteBucketOutput = buckets::delete;
    get_bucket_location(GetBucketLocationInput) -> GetBucketLocationOutput = buckets::location;
    get_bucket_versioning(GetBucketVersioningInput) -> GetBucketVersioningOutput = buckets::versioning;
    put_bucket_versioning(PutBucketVersioningInput) -> PutBucketVersioningOutput = buckets::set_versioning;
    get_bucket_policy(GetBucketPolicyInput) -> GetBucketPolicyOutput = buckets::policy;
    get_object_lock_configuration(GetObjectLockConfigurationInput) -> GetObjectLockConfigurationOutput = buckets::lock;

    put_object(PutObjectInput) -> PutObjectOutput = objects::put;
    get_object(GetObjectInput) -> GetObjectOutput = reads::get;
    head_object(HeadObjectInput) -> HeadObjectOutput = reads::head;
    get_object_attributes(GetObjectAttributesInput) -> GetObjectAttributesOutput = reads::attributes;
    copy_object(CopyObjectInput) -> CopyObjectOutput = copies::copy;
    delete_object(DeleteObjectInput) -> DeleteObjectOutput = deletions::one;
    restore_object(RestoreObjectInput) -> RestoreObjectOutput = reads::restore;
    delete_objects(DeleteObjectsInput) -> DeleteObjectsOutput = deletions::many;

    get_object_tagging(GetObjectTaggingInput) -> GetObjectTaggingOutput = tagging::get;
    put_object_tagging(PutObjectTaggingInput) -> PutObjectTaggingOutput = tagging::put;
    delete_object_tagging(DeleteObjectTaggingInput) -> DeleteObjectTaggingOutput = tagging::delete;

    list_objects(ListObjectsInput) -> ListObjectsOutput = listings::objects;
    list_objects_v2(ListObjectsV2Input) -> ListObjectsV2Output = listings::objects_v2;
    list_object_versions(ListObjectVersionsInput) -> ListObjectVersionsOutput = listings::versions;
    list_multipart_uploads(ListMultipartUploadsInput) -> ListMultipartUploadsOutput = upload_lists::uploads;
    list_parts(ListPartsInput) -> ListPartsOutput = upload_lists::parts;

    create_multipart_upload(CreateMultipartUploadInput) -> CreateMultipartUploadOutput = uploads::create;
    upload_part(UploadPartInput) -> UploadPartOutput = uploads::part;
    complete_multipart_upload(CompleteMultipartUploadInput) -> CompleteMultipartUploadOutput = uploads::complete;
    abort_multipart_upload(AbortMultipartUploadInput) -> AbortMultipartUploadOutput = uploads::abort;
}

/// Returns who signed a request; the gate let nobody else through.
fn caller<T>(request: &S3Request<T>) -> String {
    request
        .credentials
        .as_ref()
        .map(|credentials| credentials.access_key.clone())
        .unwrap_or_default()
}
