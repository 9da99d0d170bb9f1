//! The requests of a walk, one function each, with nothing decided but how they are written.

use std::sync::atomic::Ordering;

use aws_sdk_s3::Client;
use aws_sdk_s3::operation::complete_multipart_upload::CompleteMultipartUploadOutput;
use aws_sdk_s3::operation::create_multipart_upload::CreateMultipartUploadOutput;
use aws_sdk_s3::operation::delete_object::DeleteObjectOutput;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    BucketVersioningStatus, ChecksumAlgorithm, ChecksumType, CompletedMultipartUpload,
    CompletedPart, DefaultRetention, RestoreRequest, VersioningConfiguration,
};
use base64::Engine as _;
use plan::object_settings::ObjectSettings;

use super::{Left, Probe};
use crate::error::Act;
use crate::s3::answer::Failure;
use crate::s3::client;
use crate::s3::request::written_with;
use crate::store::{Part, crc64_text};

/// An upload that never existed.
pub(super) const NO_UPLOAD: &str = "segue-check-of-an-upload-that-never-existed";
/// An ETag that no object has.
const NO_ETAG: &str = "\"00000000000000000000000000000000\"";
/// The version that objects have in a bucket without versions.
pub(super) const NULL_VERSION: &str = "null";
/// A state of versioning that no service knows, so that nothing is changed.
const NO_STATE: &str = "SegueCheck";

/// Two accounts, of which one at least does not own the bucket.
const STRANGERS: [&str; 2] = ["000000000000", "999999999999"];

/// What an upload is begun with to see whether the service takes it.
#[derive(Debug, Clone, Copy)]
pub(super) enum BeginWith {
    /// The checksum of the whole object.
    Checksum,
    /// A tag.
    Tags,
}

/// Who is said to own the bucket.
#[derive(Debug, Clone, Copy)]
pub(super) enum Owner {
    /// Whoever the destination expects.
    Expected,
    /// Nobody is named.
    Unnamed,
    /// Somebody else than the destination expects.
    Stranger,
}

impl Probe<'_> {
    fn owner(&self, owner: Owner) -> Option<String> {
        let expected = self.store.expected_owner.clone();
        match owner {
            Owner::Expected => expected,
            Owner::Unnamed => None,
            Owner::Stranger => {
                let mut others = STRANGERS.into_iter();
                others.find(|it| Some(*it) != expected.as_deref()).map(str::to_owned)
            }
        }
    }

    /// Lists nothing in particular. It is the first request of a walk.
    pub(super) async fn list(&self, owner: Owner) -> Result<(), Failure> {
        let owner = self.owner(owner);
        let send = |client: Client| {
            client
                .list_objects_v2()
                .bucket(&self.store.bucket)
                .prefix(&self.scope.start)
                .max_keys(1)
                .set_expected_bucket_owner(owner.clone())
                .customize()
                .config_override(client::first_of_check())
                .send()
        };
        self.store.ask(Act::Reach, None, send).await.map(|_| ())
    }

    /// Lists nothing, of the bucket as such.
    pub(super) async fn list_all(&self) -> Result<(), Failure> {
        let send = |client: Client| {
            client
                .list_objects_v2()
                .bucket(&self.store.bucket)
                .max_keys(0)
                .set_expected_bucket_owner(self.store.expected_owner.clone())
                .send()
        };
        self.store.ask(Act::Reach, None, send).await.map(|_| ())
    }

    pub(super) async fn abort(&self, owner: Owner) -> Result<(), Failure> {
        let owner = self.owner(owner);
        let send = |client: Client| {
            client
                .abort_multipart_upload()
                .bucket(&self.store.bucket)
                .key(&self.key)
                .upload_id(NO_UPLOAD)
                .set_expected_bucket_owner(owner.clone())
                .send()
        };
        self.store.ask(Act::Abort, Some(&self.key), send).await.map(|_| ())
    }

    pub(super) async fn parts(&self, upload_id: &str) -> Result<usize, Failure> {
        let send = |client: Client| {
            client
                .list_parts()
                .bucket(&self.store.bucket)
                .key(&self.key)
                .upload_id(upload_id)
                .set_expected_bucket_owner(self.store.expected_owner.clone())
                .send()
        };
        let page = self.store.ask(Act::ListParts, Some(&self.key), send).await?;
        Ok(page.parts().len())
    }

    pub(super) async fn create(
        &self,
        objects: &ObjectSettings,
    ) -> Result<CreateMultipartUploadOutput, Failure> {
        self.has_asked.store(true, Ordering::Relaxed);
        let send = |client: Client| {
            let request = client
                .create_multipart_upload()
                .bucket(&self.store.bucket)
                .key(&self.key)
                .set_expected_bucket_owner(self.store.expected_owner.clone());
            written_with(request, objects).send()
        };
        self.store.ask(Act::CreateUpload, Some(&self.key), send).await
    }

    /// Begins a second upload to see one ability, and remembers it until it is removed.
    ///
    /// # Errors
    /// There was no answer; that of a service which refuses is inside.
    pub(super) async fn begin(
        &self,
        with: BeginWith,
    ) -> Result<Result<CreateMultipartUploadOutput, Failure>, Failure> {
        self.has_asked.store(true, Ordering::Relaxed);
        let send = |client: Client| {
            let request = client
                .create_multipart_upload()
                .bucket(&self.store.bucket)
                .key(&self.key)
                .set_expected_bucket_owner(self.store.expected_owner.clone());
            // With the destination's own encryption, which the bucket may insist on.
            let objects = ObjectSettings {
                encryption: self.store.objects.encryption.clone(),
                ..ObjectSettings::default()
            };
            let request = written_with(request, &objects);
            match with {
                BeginWith::Checksum => request
                    .checksum_algorithm(ChecksumAlgorithm::Crc64Nvme)
                    .checksum_type(ChecksumType::FullObject),
                BeginWith::Tags => request.tagging("segue-check=1"),
            }
            .send()
        };
        match self.store.ask(Act::CreateUpload, Some(&self.key), send).await {
            Ok(begun) => {
                if let Some(upload_id) = begun.upload_id() {
                    let (key, upload_id) = (self.key.clone(), upload_id.to_owned());
                    self.made().push(Left::Upload { key, upload_id });
                }
                Ok(Ok(begun))
            }
            Err(failure) if failure.status.is_none() => Err(failure),
            Err(failure) => Ok(Err(failure)),
        }
    }

    /// Completes an upload out of one part, only if there is an object of an ETag that none has.
    pub(super) async fn complete(
        &self,
        upload_id: &str,
        part_etag: &str,
    ) -> Result<CompleteMultipartUploadOutput, Failure> {
        let part = CompletedPart::builder().part_number(1).e_tag(part_etag).build();
        let upload = CompletedMultipartUpload::builder().parts(part).build();
        let send = |client: Client| {
            client
                .complete_multipart_upload()
                .bucket(&self.store.bucket)
                .key(&self.key)
                .upload_id(upload_id)
                .set_expected_bucket_owner(self.store.expected_owner.clone())
                .multipart_upload(upload.clone())
                .if_match(NO_ETAG)
                .customize()
                .config_override(client::once())
                .send()
        };
        self.store.ask(Act::Complete, Some(&self.key), send).await
    }

    /// Asks to complete an upload that never existed.
    pub(super) async fn complete_nothing(&self, key: &str) -> Result<(), Failure> {
        let part = CompletedPart::builder().part_number(1).e_tag(NO_ETAG).build();
        let upload = CompletedMultipartUpload::builder().parts(part).build();
        let send = |client: Client| {
            client
                .complete_multipart_upload()
                .bucket(&self.store.bucket)
                .key(key)
                .upload_id(NO_UPLOAD)
                .set_expected_bucket_owner(self.store.expected_owner.clone())
                .multipart_upload(upload.clone())
                .send()
        };
        self.store.ask(Act::Complete, Some(key), send).await.map(|_| ())
    }

    /// Sends a part whose checksum is that of other bytes.
    pub(super) async fn damaged_part(&self, upload_id: &str, part: &Part) -> Result<(), Failure> {
        let wrong = crc64_text(!part.crc64nvme());
        let send = |client: Client| {
            client
                .upload_part()
                .bucket(&self.store.bucket)
                .key(&self.key)
                .upload_id(upload_id)
                .set_expected_bucket_owner(self.store.expected_owner.clone())
                .part_number(1)
                .checksum_crc64_nvme(&wrong)
                .body(ByteStream::from(part.body().clone()))
                .send()
        };
        self.store.ask(Act::PutPart, Some(&self.key), send).await.map(|_| ())
    }

    /// Sends a part whose MD5 is that of other bytes.
    pub(super) async fn part_with_wrong_md5(
        &self,
        upload_id: &str,
        part: &Part,
    ) -> Result<(), Failure> {
        let wrong = base64::engine::general_purpose::STANDARD.encode([0; 16]);
        let send = |client: Client| {
            client
                .upload_part()
                .bucket(&self.store.bucket)
                .key(&self.key)
                .upload_id(upload_id)
                .set_expected_bucket_owner(self.store.expected_owner.clone())
                .part_number(1)
                .content_md5(&wrong)
                .body(ByteStream::from(part.body().clone()))
                .send()
        };
        self.store.ask(Act::PutPart, Some(&self.key), send).await.map(|_| ())
    }

    /// Looks at an object that is not there.
    pub(super) async fn head(&self, key: &str, version_id: Option<&str>) -> Result<(), Failure> {
        let send = |client: Client| {
            client
                .head_object()
                .bucket(&self.store.bucket)
                .key(key)
                .set_version_id(version_id.map(str::to_owned))
                .set_expected_bucket_owner(self.store.expected_owner.clone())
                .send()
        };
        self.store.ask(Act::Head, Some(key), send).await.map(|_| ())
    }

    pub(super) async fn uploads(&self) -> Result<(), Failure> {
        let send = |client: Client| {
            client
                .list_multipart_uploads()
                .bucket(&self.store.bucket)
                .prefix(&self.scope.start)
                .max_uploads(1)
                .set_expected_bucket_owner(self.store.expected_owner.clone())
                .send()
        };
        self.store.ask(Act::ListUploads, None, send).await.map(|_| ())
    }

    pub(super) async fn location(&self) -> Result<(), Failure> {
        let send = |client: Client| {
            client
                .get_bucket_location()
                .bucket(&self.store.bucket)
                .set_expected_bucket_owner(self.store.expected_owner.clone())
                .send()
        };
        self.store.ask(Act::Reach, None, send).await.map(|_| ())
    }

    pub(super) async fn buckets(&self) -> Result<(), Failure> {
        let send = |client: Client| client.list_buckets().max_buckets(1).send();
        self.store.ask(Act::Reach, None, send).await.map(|_| ())
    }

    /// Whether a list of buckets shows another one. Some services list what the caller may see, to
    /// everybody; Amazon's lists are for those who may.
    pub(super) async fn sees_other_buckets(&self) -> bool {
        // Not by `ask`: this is about no bucket, so its answer says nothing of the bucket's region.
        match self.store.signed().client.list_buckets().send().await {
            Ok(list) => {
                let is_other = |name: &str| name != self.store.bucket;
                self.is_amazon() || list.buckets().iter().filter_map(|it| it.name()).any(is_other)
            }
            Err(_) => false,
        }
    }

    /// Whether this is Amazon's own service, whose manners are documented.
    pub(super) fn is_amazon(&self) -> bool {
        self.store.session.shared.account.endpoint_url.is_none()
    }

    /// Reads the policy of the bucket, and does not look at it.
    pub(super) async fn policy(&self) -> Result<(), Failure> {
        let send = |client: Client| {
            client
                .get_bucket_policy()
                .bucket(&self.store.bucket)
                .set_expected_bucket_owner(self.store.expected_owner.clone())
                .send()
        };
        self.store.ask(Act::Reach, None, send).await.map(|_| ())
    }

    /// Returns by which rule the bucket locks new objects; `None` for one that does not lock any.
    pub(super) async fn lock(&self) -> Result<Option<DefaultRetention>, Failure> {
        let send = |client: Client| {
            client
                .get_object_lock_configuration()
                .bucket(&self.store.bucket)
                .set_expected_bucket_owner(self.store.expected_owner.clone())
                .send()
        };
        let answer = self.store.ask(Act::Reach, None, send).await?;
        let configuration = answer.object_lock_configuration;
        Ok(configuration.and_then(|it| it.rule).and_then(|rule| rule.default_retention))
    }

    /// Deletes; without a version only if there is an object, so that a bucket with versions gets no
    /// marker.
    pub(super) async fn delete(
        &self,
        key: &str,
        version_id: Option<String>,
        if_match: Option<&str>,
    ) -> Result<DeleteObjectOutput, Failure> {
        let send = |client: Client| {
            client
                .delete_object()
                .bucket(&self.store.bucket)
                .key(key)
                .set_version_id(version_id.clone())
                .set_if_match(if_match.map(str::to_owned))
                .set_expected_bucket_owner(self.store.expected_owner.clone())
                .send()
        };
        self.store.ask(Act::Delete, Some(key), send).await
    }

    /// Returns what the bucket says of its versions: nothing when it never had any.
    pub(super) async fn versioning(&self) -> Result<Option<String>, Failure> {
        let send = |client: Client| {
            client
                .get_bucket_versioning()
                .bucket(&self.store.bucket)
                .set_expected_bucket_owner(self.store.expected_owner.clone())
                .send()
        };
        let answer = self.store.ask(Act::Reach, None, send).await?;
        Ok(answer.status().map(|status| status.as_str().to_owned()))
    }

    /// Asks for a state of versioning that there is not.
    pub(super) async fn set_versioning(&self) -> Result<(), Failure> {
        let state = BucketVersioningStatus::from(NO_STATE);
        let wanted = VersioningConfiguration::builder().status(state).build();
        let send = |client: Client| {
            client
                .put_bucket_versioning()
                .bucket(&self.store.bucket)
                .versioning_configuration(wanted.clone())
                .set_expected_bucket_owner(self.store.expected_owner.clone())
                .send()
        };
        self.store.ask(Act::Reach, None, send).await.map(|_| ())
    }

    pub(super) async fn restore(&self) -> Result<(), Failure> {
        let wanted = RestoreRequest::builder().days(1).build();
        let send = |client: Client| {
            client
                .restore_object()
                .bucket(&self.store.bucket)
                .key(&self.key)
                .restore_request(wanted.clone())
                .set_expected_bucket_owner(self.store.expected_owner.clone())
                .send()
        };
        self.store.ask(Act::Reach, Some(&self.key), send).await.map(|_| ())
    }
}
