//! Objects in a bucket of Amazon S3 or of a service that speaks its protocol.
//!
//! Every object is a multipart upload, however small, because an open upload is invisible and is
//! completed at most once. The service is made to check each part against a checksum that was
//! computed before the part left; which one it understands is found out on the way and remembered
//! for the destination ([`Check`]).

mod answer;
mod bounded;
mod check;
mod client;
mod connection;
mod leaving;
pub mod probe;
mod renewal;
mod request;
mod session;
mod shape;
mod sign_in;
mod simulation;
mod strays;
mod trust;
pub mod versions;

use std::fmt;
use std::future::Future;
use std::sync::{Mutex, PoisonError, RwLock};

use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::upload_part::UploadPartOutput;
use jiff::Timestamp;
use plan::object_settings::ObjectSettings;
use plan::project::Account;
use plan::staged::{PARTS_MAX, StagedObject, StagedPart};

use self::answer::Failure;
pub use self::bounded::ERROR_BYTES_MAX;
use self::check::{Check, Checks};
pub(crate) use self::client::AMAZON_ENDPOINT;
pub use self::client::{
    ATTEMPT_TIMEOUT, BACKOFF_INITIAL, BACKOFF_MAX, CHECK_ATTEMPTS_MAX, CHECK_READ_TIMEOUT,
    COMPLETE_TIMEOUT, CONNECT_TIMEOUT, Pace, READ_TIMEOUT, REGION_DEFAULT, REQUEST_ATTEMPTS_MAX,
    STALL_GRACE, client,
};
use self::request::Target;
pub use self::session::{Place, RENEW_BEFORE, SIGN_IN_TIMEOUT, Session};
pub use self::trust::Trust;
use crate::error::{Act, Error, Fault, Kind, RequestError};
use crate::store::{Completion, Head, Listing, NewUpload, Part, Store};

/// How often a part that arrives damaged is sent before the way to the service is called broken.
pub const DAMAGED_ATTEMPTS_MAX: u32 = 3;
/// How often an upload is aborted before the service's word for it is doubted: a part that was in
/// flight during the first time may still have arrived.
pub const ABORT_ROUNDS_MAX: u32 = 3;

/// A bucket.
pub struct S3Store {
    session: Session,
    /// Replaced when the service names another region than the account does, and when the
    /// credentials have ended.
    client: RwLock<Signed>,
    endpoint: String,
    bucket: String,
    expected_owner: Option<String>,
    objects: ObjectSettings,
    signs_bodies: bool,
    checks: Checks,
    service_time: Mutex<Option<Timestamp>>,
}

/// A client, and the number of the credentials that it signs with.
#[derive(Clone)]
struct Signed {
    client: Client,
    generation: u64,
}

impl fmt::Debug for S3Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3Store").field("identity", &self.identity()).finish_non_exhaustive()
    }
}

/// Opens a bucket with the credentials of an account, in a session of its own.
///
/// # Errors
/// As [`Session::open`].
pub async fn connect(
    account: &Account,
    bucket: &str,
    expected_owner: Option<&str>,
) -> Result<S3Store, Error> {
    let place = Place {
        bucket: bucket.to_owned(),
        expected_owner: expected_owner.map(str::to_owned),
        ..Place::default()
    };
    Session::new(account, None).open(&place, Pace::Run).await
}

/// Whether credentials that have ended may be why a request was refused.
fn may_have_ended(act: Act, fault: &Fault, status: Option<u16>) -> bool {
    matches!(fault, Fault::ExpiredToken | Fault::UnknownKey)
        || (act == Act::Head && status == Some(400))
}

/// Names a bucket of an account as its store does, without asking anybody.
pub fn identity(account: &Account, bucket: &str) -> String {
    identity_at(&client::shown_endpoint(account), bucket)
}

fn identity_at(endpoint: &str, bucket: &str) -> String {
    format!("{endpoint}/{bucket}")
}

impl S3Store {
    async fn open(session: Session, place: &Place, pace: Pace) -> Result<Self, Error> {
        let (mut client, generation) = session.store_client(pace);
        let account = &session.shared.account;
        if account.region.is_none() && account.endpoint_url.is_none() {
            let region = client::find_region(&client, &place.bucket).await?;
            client = client::in_region(&client, &region);
        }
        Ok(Self {
            endpoint: client::shown_endpoint(account),
            signs_bodies: !client::is_encrypted(account),
            session,
            client: RwLock::new(Signed { client, generation }),
            bucket: place.bucket.clone(),
            expected_owner: place.expected_owner.clone(),
            objects: place.objects.clone(),
            checks: Checks::default(),
            service_time: Mutex::default(),
        })
    }

    /// Returns the address of the service, without anything that could be a secret.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Returns the region that requests are signed for: as given, or as learnt from the service.
    pub fn region(&self) -> Option<String> {
        self.signed().client.config().region().map(ToString::to_string)
    }

    /// What the clock of the service showed when it last refused something. Requests are signed by that
    /// clock, as soon as it is known, so that they pass on a machine whose own is wrong.
    pub fn service_time(&self) -> Option<Timestamp> {
        *self.service_time.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn signed(&self) -> Signed {
        self.client.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn sign_with(&self, signed: Signed) {
        *self.client.write().unwrap_or_else(PoisonError::into_inner) = signed;
    }

    fn failure<E>(&self, act: Act, key: Option<&str>, error: &SdkError<E, HttpResponse>) -> Failure
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        if let Some(time) = answer::time_of(error) {
            *self.service_time.lock().unwrap_or_else(PoisonError::into_inner) = Some(time);
        }
        answer::failure(act, &self.endpoint, &self.bucket, key, error)
    }

    /// Sends a request; once more when the answer names another region than it was signed for, and
    /// once more with new credentials when the old ones have ended or are not known any more: such a
    /// request has done nothing.
    async fn ask<T, E, F>(
        &self,
        act: Act,
        key: Option<&str>,
        call: impl Fn(Client) -> F,
    ) -> Result<T, Failure>
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    {
        let (mut moved, mut renewed) = (false, false);
        let mut signed = self.signed();
        loop {
            // Boxed, or the types of all that waits for it would hold the whole of the SDK's.
            let failure = match Box::pin(call(signed.client.clone())).await {
                Ok(answer) => return Ok(answer),
                Err(error) => self.failure(act, key, &error),
            };
            let next = match &failure.fault {
                Fault::WrongRegion(Some(region)) if !moved => {
                    moved = true;
                    self.in_region(&signed, region)
                }
                // A key that is not known any more may have been replaced where it was found. An answer to
                // HEAD has no body: its 400 says no more than that something is wrong.
                fault if !renewed && may_have_ended(act, fault, failure.status) => {
                    renewed = true;
                    let fresh = self.session.renewed(&signed.client, signed.generation);
                    fresh.map(|(client, generation)| Signed { client, generation })
                }
                _ => None,
            };
            let Some(next) = next else { return Err(failure) };
            self.sign_with(next.clone());
            signed = next;
        }
    }

    fn in_region(&self, signed: &Signed, region: &str) -> Option<Signed> {
        if signed.client.config().region().is_some_and(|current| current.as_ref() == region) {
            return None;
        }
        tracing::warn!(
            bucket = self.bucket,
            region,
            "the bucket is in another region than the account says"
        );
        let client = client::in_region(&signed.client, region);
        Some(Signed { client, generation: signed.generation })
    }

    /// Sends a part until the service has confirmed it, with the strongest check that it takes.
    async fn put_checked(&self, to: &Target<'_>, part: &Part) -> Result<StagedPart, Failure> {
        let mut check = self.checks.current();
        let mut attempts_left = DAMAGED_ATTEMPTS_MAX;
        loop {
            let failure = match self.put_with(to, part, check).await {
                Ok(answer) if check == Check::Crc64 && answer.checksum_crc64_nvme.is_none() => {
                    self.checks.settle_for(Check::Crc64AndMd5);
                    check = Check::Crc64AndMd5;
                    continue;
                }
                Ok(answer) => {
                    self.checks.settle_for(check);
                    return self.staged_part(to, part, answer);
                }
                Err(failure) => failure,
            };
            attempts_left -= 1;
            if attempts_left == 0 {
                return Err(failure);
            }
            check = match check.without_crc64(&failure) {
                Some(weaker) => weaker,
                None if failure.fault == Fault::Damaged => check,
                None => return Err(failure),
            };
        }
    }

    fn staged_part(
        &self,
        to: &Target<'_>,
        part: &Part,
        answer: UploadPartOutput,
    ) -> Result<StagedPart, Failure> {
        let said = answer.server_side_encryption.as_ref();
        if said.is_some() && !request::is_encrypted_as_asked(&self.objects, said) {
            return Err(self.failure_of(Act::PutPart, Some(to.key), Fault::NotEncrypted));
        }
        let etag = answer.e_tag.ok_or_else(|| self.not_s3(Act::PutPart, to.key))?;
        let (number, bytes) = (part.number(), part.bytes());
        Ok(StagedPart { number, bytes, etag, crc64nvme: answer.checksum_crc64_nvme })
    }

    /// Describes an answer that is well-formed for HTTP and lacks what every S3 service gives.
    fn not_s3(&self, act: Act, key: &str) -> Failure {
        let mut failure = self.failure_of(act, Some(key), Fault::NotS3);
        failure.status = Some(200);
        failure
    }

    /// Describes a fault that no answer names.
    fn failure_of(&self, act: Act, key: Option<&str>, fault: Fault) -> Failure {
        Box::new(RequestError {
            act,
            endpoint: self.endpoint.clone(),
            bucket: self.bucket.clone(),
            key: key.map(str::to_owned),
            fault,
            status: None,
            code: None,
            message: None,
            request_id: None,
        })
    }
}

#[async_trait]
impl Store for S3Store {
    fn identity(&self) -> String {
        identity_at(&self.endpoint, &self.bucket)
    }

    async fn create_upload(&self, new: &NewUpload) -> Result<String, Error> {
        let check = self.checks.current();
        match self.create_with(new, check).await {
            Ok(upload_id) => Ok(upload_id),
            Err(failure) => {
                let Some(weaker) = check.without_crc64(&failure) else {
                    return Err(failure.into());
                };
                let upload_id = self.create_with(new, weaker).await?;
                self.checks.settle_for(weaker);
                Ok(upload_id)
            }
        }
    }

    async fn put_part(&self, key: &str, upload_id: &str, part: &Part) -> Result<StagedPart, Error> {
        Ok(self.put_checked(&Target { key, upload_id }, part).await?)
    }

    async fn complete(&self, object: &StagedObject) -> Completion {
        match self.complete_once(object).await {
            // Ceph's gateway leaves its ETag empty: then looking tells.
            Ok(answer) => match answer.e_tag.filter(|etag| !etag.is_empty()) {
                Some(etag) => Completion::Done { etag, version_id: answer.version_id },
                None => Completion::Unclear(self.not_s3(Act::Complete, &object.key).into()),
            },
            Err(failure) => answer::completion(failure),
        }
    }

    async fn abort(&self, key: &str, upload_id: &str) -> Result<(), Error> {
        let to = Target { key, upload_id };
        let mut rounds_left = ABORT_ROUNDS_MAX;
        loop {
            self.abort_once(&to).await?;
            rounds_left -= 1;
            match self.parts_page(&to, None).await {
                Ok(None) => return Ok(()),
                Ok(Some(_)) if rounds_left == 0 => {
                    let problem = "is still open after it was aborted";
                    return Err(Error::Upload {
                        key: key.to_owned(),
                        upload_id: upload_id.to_owned(),
                        problem,
                    });
                }
                Ok(Some(_)) => {}
                // Without the right to look, the service's word is all there is.
                Err(failure) => match Error::from(failure) {
                    error if matches!(error.kind(), Kind::Denied | Kind::Unsupported) => {
                        return Ok(());
                    }
                    error => return Err(error),
                },
            }
        }
    }

    async fn head(&self, key: &str) -> Result<Option<Head>, Error> {
        match self.head_object(key).await {
            Ok(answer) => Ok(Some(shape::head_of(answer))),
            Err(failure) if failure.status == Some(404) && failure.fault != Fault::NoBucket => {
                Ok(None)
            }
            Err(failure) => Err(failure.into()),
        }
    }

    async fn list_uploads(&self, prefix: &str) -> Result<Listing, Error> {
        match self.list_all_uploads(prefix).await.map_err(Error::from) {
            Ok(uploads) => Ok(Listing::Uploads(uploads)),
            Err(error) if matches!(error.kind(), Kind::Denied | Kind::Unsupported) => {
                Ok(Listing::NotPermitted)
            }
            Err(error) => Err(error),
        }
    }

    async fn parts(&self, key: &str, upload_id: &str) -> Result<Option<Vec<StagedPart>>, Error> {
        let to = Target { key, upload_id };
        let mut parts = Vec::new();
        let mut after = None;
        loop {
            let Some(page) = self.parts_page(&to, after).await? else { return Ok(None) };
            parts.extend(page.parts);
            after = page.next;
            if after.is_none() || parts.len() >= PARTS_MAX {
                return Ok(Some(parts));
            }
        }
    }
}
