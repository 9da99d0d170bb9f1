//! The requests, one function each, with nothing decided but how they are written.

use aws_sdk_s3::Client;
use aws_sdk_s3::operation::complete_multipart_upload::CompleteMultipartUploadOutput;
use aws_sdk_s3::operation::create_multipart_upload::builders::CreateMultipartUploadFluentBuilder;
use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::operation::upload_part::UploadPartOutput;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    ChecksumAlgorithm, ChecksumMode, ChecksumType, CompletedMultipartUpload, ObjectCannedAcl,
    ServerSideEncryption, StorageClass,
};
use bytes::Bytes;
use plan::object_settings::{Encryption, ObjectSettings};
use plan::staged::{Condition, StagedObject, StagedPart};

use super::answer::Failure;
use super::check::Check;
use super::leaving::Leaving;
use super::strays::Attempts;
use super::{S3Store, client, shape};
use crate::error::{Act, Fault};
use crate::store::{LISTED_UPLOADS_MAX, NewUpload, OpenUpload, Part, TOKEN_FIELD};

/// What is sent to see how a part is encrypted.
const NO_PROFILE: &[u8] = b"segue\n";

/// An upload, as requests name it.
pub(super) struct Target<'a> {
    pub(super) key: &'a str,
    pub(super) upload_id: &'a str,
}

pub(super) struct PartsPage {
    pub(super) parts: Vec<StagedPart>,
    pub(super) next: Option<String>,
}

impl S3Store {
    pub(super) async fn create_with(
        &self,
        new: &NewUpload,
        check: Check,
    ) -> Result<String, Failure> {
        let attempts = Attempts::default();
        let algorithm = check.has_crc64().then_some(ChecksumAlgorithm::Crc64Nvme);
        let kind = check.has_crc64().then_some(ChecksumType::FullObject);
        let send = |client: Client| {
            let request = client
                .create_multipart_upload()
                .bucket(&self.bucket)
                .key(&new.key)
                .set_expected_bucket_owner(self.expected_owner.clone())
                .content_type(&new.content_type)
                .metadata(TOKEN_FIELD, &new.token)
                .set_checksum_algorithm(algorithm.clone())
                .set_checksum_type(kind.clone());
            written_with(request, &self.objects).customize().interceptor(attempts.clone()).send()
        };
        let created = self.ask(Act::CreateUpload, Some(&new.key), send).await?;
        let mut encryption = created.server_side_encryption().cloned();
        let missing = || self.not_s3(Act::CreateUpload, &new.key);
        // A checksum of checksums is not what was asked for: it says nothing of the whole object.
        let is_other = kind.is_some() && created.checksum_type() == Some(&ChecksumType::Composite);
        let upload_id = created.upload_id.ok_or_else(missing)?;
        if attempts.were_several() {
            self.abort_strays(&Target { key: &new.key, upload_id: &upload_id }).await;
        }
        if is_other {
            self.abort_once(&Target { key: &new.key, upload_id: &upload_id }).await?;
            return Err(self.failure_of(Act::CreateUpload, Some(&new.key), Fault::Unsupported));
        }
        let to = Target { key: &new.key, upload_id: &upload_id };
        if encryption.is_none() && self.objects.encryption.is_some() {
            encryption = match self.encryption_of_part(&to, check).await {
                Ok(encryption) => encryption,
                Err(failure) => {
                    self.abort_once(&to).await?;
                    return Err(failure);
                }
            };
        }
        if is_encrypted_as_asked(&self.objects, encryption.as_ref()) {
            return Ok(upload_id);
        }
        // No profile was sent yet, and none will be.
        self.abort_once(&to).await?;
        Err(self.failure_of(Act::CreateUpload, Some(&new.key), Fault::NotEncrypted))
    }

    /// Returns how the parts of an upload are encrypted, as the service says it with a part. The part
    /// holds no profile, and the first real one replaces it.
    pub(super) async fn encryption_of_part(
        &self,
        to: &Target<'_>,
        check: Check,
    ) -> Result<Option<ServerSideEncryption>, Failure> {
        let part = Part::new(1, Bytes::from_static(NO_PROFILE));
        Ok(self.put_with(to, &part, check).await?.server_side_encryption)
    }

    pub(super) async fn put_with(
        &self,
        to: &Target<'_>,
        part: &Part,
        check: Check,
    ) -> Result<UploadPartOutput, Failure> {
        let (crc64, md5) = (check.crc64(part), check.md5(part));
        let send = |client: Client| {
            let request = client
                .upload_part()
                .bucket(&self.bucket)
                .key(to.key)
                .upload_id(to.upload_id)
                .set_expected_bucket_owner(self.expected_owner.clone())
                .part_number(part.number() as i32)
                .set_checksum_crc64_nvme(crc64.clone())
                .set_content_md5(md5.clone())
                .body(ByteStream::from(part.body().clone()))
                .customize();
            let request = match part.flight() {
                Some(flight) => request.interceptor(Leaving(flight.clone())),
                None => request,
            };
            if self.signs_bodies {
                request.send()
            } else {
                request.disable_payload_signing().send()
            }
        };
        self.ask(Act::PutPart, Some(to.key), send).await
    }

    /// Sends the request that makes an object visible, one time.
    pub(super) async fn complete_once(
        &self,
        object: &StagedObject,
    ) -> Result<CompleteMultipartUploadOutput, Failure> {
        let (if_none_match, if_match) = match &object.condition {
            Condition::Absent => (Some("*".to_owned()), None),
            Condition::Unchanged { etag } => (None, Some(etag.clone())),
        };
        let parts = object.parts.iter().map(shape::completed_part).collect();
        let upload = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        let crc64 = &object.crc64nvme;
        let send = |client: Client| {
            client
                .complete_multipart_upload()
                .bucket(&self.bucket)
                .key(&object.key)
                .upload_id(&object.upload_id)
                .set_expected_bucket_owner(self.expected_owner.clone())
                .multipart_upload(upload.clone())
                .set_checksum_type(crc64.as_ref().map(|_| ChecksumType::FullObject))
                .set_checksum_crc64_nvme(crc64.clone())
                .set_mpu_object_size(crc64.as_ref().map(|_| object.bytes as i64))
                .set_if_none_match(if_none_match.clone())
                .set_if_match(if_match.clone())
                .customize()
                .config_override(client::once())
                .send()
        };
        self.ask(Act::Complete, Some(&object.key), send).await
    }

    pub(super) async fn abort_once(&self, to: &Target<'_>) -> Result<(), Failure> {
        let send = |client: Client| {
            client
                .abort_multipart_upload()
                .bucket(&self.bucket)
                .key(to.key)
                .upload_id(to.upload_id)
                .set_expected_bucket_owner(self.expected_owner.clone())
                .send()
        };
        match self.ask(Act::Abort, Some(to.key), send).await {
            Err(failure) if failure.fault != Fault::NoUpload => Err(failure),
            _ => Ok(()),
        }
    }

    pub(super) async fn head_object(&self, key: &str) -> Result<HeadObjectOutput, Failure> {
        let send = |client: Client| {
            client
                .head_object()
                .bucket(&self.bucket)
                .key(key)
                .set_expected_bucket_owner(self.expected_owner.clone())
                .checksum_mode(ChecksumMode::Enabled)
                .send()
        };
        self.ask(Act::Head, Some(key), send).await
    }

    pub(super) async fn parts_page(
        &self,
        to: &Target<'_>,
        after: Option<String>,
    ) -> Result<Option<PartsPage>, Failure> {
        let send = |client: Client| {
            client
                .list_parts()
                .bucket(&self.bucket)
                .key(to.key)
                .upload_id(to.upload_id)
                .set_expected_bucket_owner(self.expected_owner.clone())
                .set_part_number_marker(after.clone())
                .send()
        };
        let page = match self.ask(Act::ListParts, Some(to.key), send).await {
            Ok(page) => page,
            Err(failure) if failure.fault == Fault::NoUpload => return Ok(None),
            Err(failure) => return Err(failure),
        };
        let next = page.next_part_number_marker.filter(|_| page.is_truncated == Some(true));
        Ok(Some(PartsPage {
            parts: page.parts.unwrap_or_default().iter().map(shape::listed_part).collect(),
            next,
        }))
    }

    pub(super) async fn list_all_uploads(&self, prefix: &str) -> Result<Vec<OpenUpload>, Failure> {
        let mut uploads = Vec::new();
        let (mut key_marker, mut id_marker) = (None, None);
        loop {
            let send = |client: Client| {
                client
                    .list_multipart_uploads()
                    .bucket(&self.bucket)
                    .prefix(prefix)
                    .set_expected_bucket_owner(self.expected_owner.clone())
                    .set_key_marker(key_marker.clone())
                    .set_upload_id_marker(id_marker.clone())
                    .send()
            };
            let page = self.ask(Act::ListUploads, None, send).await?;
            uploads.extend(
                page.uploads.unwrap_or_default().into_iter().filter_map(shape::open_upload),
            );
            uploads.truncate(LISTED_UPLOADS_MAX);
            (key_marker, id_marker) = (page.next_key_marker, page.next_upload_id_marker);
            if page.is_truncated != Some(true)
                || key_marker.is_none()
                || uploads.len() == LISTED_UPLOADS_MAX
            {
                return Ok(uploads);
            }
        }
    }
}

/// Adds what the objects of a destination are written with.
pub(super) fn written_with(
    request: CreateMultipartUploadFluentBuilder,
    objects: &ObjectSettings,
) -> CreateMultipartUploadFluentBuilder {
    let mut request = request
        .set_storage_class(objects.storage_class.as_deref().map(StorageClass::from))
        .set_acl(objects.acl.as_deref().map(ObjectCannedAcl::from))
        .set_tagging(shape::tagging(&objects.tags));
    for (name, value) in &objects.metadata {
        request = request.metadata(name, value);
    }
    match &objects.encryption {
        None => request,
        Some(Encryption::Aes256) => request.server_side_encryption(ServerSideEncryption::Aes256),
        Some(Encryption::Kms { key_id, context, bucket_key }) => request
            .server_side_encryption(ServerSideEncryption::AwsKms)
            .set_ssekms_key_id(key_id.clone())
            .set_ssekms_encryption_context(shape::kms_context(context))
            .set_bucket_key_enabled(*bucket_key),
    }
}

/// Tells whether the service does what was asked for: one that ignores the header would keep profiles
/// in the clear without a word.
pub(super) fn is_encrypted_as_asked(
    objects: &ObjectSettings,
    answer: Option<&ServerSideEncryption>,
) -> bool {
    match &objects.encryption {
        None => true,
        Some(asked) => answer.is_some_and(|answer| answer.as_str() == asked.name()),
    }
}
