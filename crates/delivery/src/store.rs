//! What the delivery protocol asks of a place for objects: the smallest set of acts that stages
//! objects out of sight, makes them visible one by one, and tells afterwards what became of them.
//!
//! It is not a general object store: nothing is read back, deleted or overwritten by a plain write.
//! Two stores implement it, [`crate::s3::S3Store`] and [`crate::folder::FolderStore`], and one
//! conformance suite (`tests/it/conformance.rs`) holds both to the contracts written here.

use std::fmt;

use async_trait::async_trait;
use base64::Engine as _;
use bytes::Bytes;
use jiff::Timestamp;
use plan::staged::{StagedObject, StagedPart};

use crate::error::{Error, Kind};
use crate::measured::Flight;

/// The metadata field of an object that holds its token.
pub const TOKEN_FIELD: &str = "segue-token";
/// The most open uploads that one listing returns.
pub const LISTED_UPLOADS_MAX: usize = 10_000;

/// A place for objects.
///
/// The fencing token of the protocol is the upload id: an object becomes visible by
/// [`complete`](Store::complete) of exactly one upload and by nothing else, and an upload completes
/// at most once. Dropping a future in the middle of any act may leave its effect done or not done;
/// callers settle that with [`inspect`](Store::inspect), as they do after a lost answer.
#[async_trait]
pub trait Store: fmt::Debug + Send + Sync {
    /// Names the place, the same for every process that delivers there: endpoint and bucket, or the
    /// folder. It holds no secret.
    fn identity(&self) -> String;

    /// Opens an upload and returns its id. Nothing is visible.
    ///
    /// It may be repeated after a lost answer; the upload of the lost answer is then found by
    /// [`list_uploads`](Store::list_uploads) or removed by the bucket's lifecycle rule.
    async fn create_upload(&self, new: &NewUpload) -> Result<String, Error>;

    /// Sends one part. It is durable when this returns, and the store has checked it against its
    /// checksum where it can. Sending the same number again replaces the part.
    async fn put_part(&self, key: &str, upload_id: &str, part: &Part) -> Result<StagedPart, Error>;

    /// Makes an object visible, once: the request is sent one time and never repeated in here, so that
    /// whoever calls decides about every unclear answer.
    ///
    /// It happens whole or not at all, and only while the object's condition holds.
    async fn complete(&self, object: &StagedObject) -> Completion;

    /// Throws an upload away. It may be repeated, and an upload that is not there is no error: when
    /// this returns `Ok` the store has confirmed that no part is left and that the id is dead.
    async fn abort(&self, key: &str, upload_id: &str) -> Result<(), Error>;

    /// Looks at the object that is visible at a key.
    async fn head(&self, key: &str) -> Result<Option<Head>, Error>;

    /// Lists open uploads whose key begins with `prefix`, at most [`LISTED_UPLOADS_MAX`].
    async fn list_uploads(&self, prefix: &str) -> Result<Listing, Error>;

    /// Lists the parts of an upload in order, or `None` when there is no such upload.
    async fn parts(&self, key: &str, upload_id: &str) -> Result<Option<Vec<StagedPart>>, Error>;

    /// Finds out what became of a staged object: what stands at its key, and whether its upload can
    /// still be completed. It changes nothing.
    async fn inspect(&self, object: &StagedObject) -> Result<Seen, Error> {
        // The upload first: a completion that lands between the two questions is then seen at the
        // key. The other way round it would look as if the upload were lost and nothing there, and
        // a visible object would be uploaded again.
        let upload = match self.parts(&object.key, &object.upload_id).await {
            Ok(Some(_)) => UploadState::Alive,
            Ok(None) => UploadState::Gone,
            Err(error) if matches!(error.kind(), Kind::Denied | Kind::Unsupported) => {
                UploadState::CannotSee
            }
            Err(error) => return Err(error),
        };
        let at_key = match self.head(&object.key).await {
            Ok(head) => AtKey::of(object, head),
            Err(error) if error.kind() == Kind::Denied => AtKey::CannotSee,
            Err(error) => return Err(error),
        };
        Ok(Seen { at_key, upload })
    }
}

/// What an upload is opened with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewUpload {
    /// Where the object will be visible.
    pub key: String,
    /// Written into the object's metadata under [`TOKEN_FIELD`].
    pub token: String,
    /// The media type.
    pub content_type: String,
    /// The size of every part but the last, in bytes.
    pub part_bytes: u64,
}

/// One part to send.
#[derive(Debug, Clone)]
pub struct Part {
    number: u32,
    body: Bytes,
    crc64nvme: u64,
    flight: Option<Flight>,
}

impl Part {
    /// Takes the bytes of a part and computes its checksum at once, so that damage on any later way
    /// is found by whoever checks.
    pub fn new(number: u32, body: Bytes) -> Self {
        let crc64nvme = crc_fast::crc64_nvme(&body);
        Self { number, body, crc64nvme, flight: None }
    }

    /// The same part, of which somebody wants to know how much has left.
    pub(crate) fn watched_by(&self, flight: &Flight) -> Self {
        Self { flight: Some(flight.clone()), ..self.clone() }
    }

    /// Who wants to know how much of it has left.
    pub(crate) fn flight(&self) -> Option<&Flight> {
        self.flight.as_ref()
    }

    /// Returns its number, counted from 1.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// Returns its bytes.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// Returns its size in bytes.
    pub fn bytes(&self) -> u64 {
        self.body.len() as u64
    }

    /// Returns its CRC-64/NVME.
    pub fn crc64nvme(&self) -> u64 {
        self.crc64nvme
    }
}

/// Writes a CRC-64/NVME as S3 does: base64 of the eight bytes, big end first.
pub fn crc64_text(crc64nvme: u64) -> String {
    base64::engine::general_purpose::STANDARD.encode(crc64nvme.to_be_bytes())
}

/// How an attempt to complete an upload ended, as far as the answer tells. Only `Done` says that the
/// object is visible; every other answer but `Refused` has to be settled by [`Store::inspect`].
#[derive(Debug)]
pub enum Completion {
    /// The object is visible.
    Done {
        /// Its ETag, as the store gave it.
        etag: String,
        /// Its version, in a versioned bucket.
        version_id: Option<String>,
    },
    /// No answer, a cut one, or one that says that the store itself failed: it may have happened.
    Unclear(Error),
    /// The store knows no such upload: it was completed or aborted earlier, or it was lost.
    Gone(Error),
    /// The condition did not hold (or it held, and an earlier attempt completed the object).
    ConditionFailed(Error),
    /// Another write of the same key was in flight. The upload may be unusable (Amazon: start a new
    /// one and send every part again).
    Conflict(Error),
    /// The store refused parts, order, size or checksum: a fault of ours or of the store's.
    Refused(Error),
    /// The caller may not do this, or no longer.
    Denied(Error),
    /// The bucket is in another region or at another address: it was not asked at all.
    Misdirected(Error),
}

/// What [`Store::inspect`] saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// What stands at the key.
    pub at_key: AtKey,
    /// What became of the upload.
    pub upload: UploadState,
}

/// What stands at the key of a staged object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AtKey {
    /// The staged object itself.
    Ours {
        /// Its ETag, as the store gives it.
        etag: String,
        /// Its version, in a versioned bucket.
        version_id: Option<String>,
        /// What shows that the bytes are ours too.
        evidence: Evidence,
    },
    /// An object with our token and other bytes: damage, never to be published.
    OursButDifferent {
        /// How it differs.
        difference: Difference,
    },
    /// Somebody else's object, or one of another run.
    Foreign {
        /// Its ETag.
        etag: String,
    },
    /// Nothing.
    Absent,
    /// The store does not let us look.
    CannotSee,
}

/// What shows that an object with our token and our size holds our bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Evidence {
    /// The store's checksum of the whole object equals ours.
    Checksum,
    /// The ETag is the one that follows from those of the parts.
    ETag,
    /// Neither is comparable (an opaque ETag and no checksum): token and size alone.
    TokenAndSize,
}

/// How an object with our token differs from what was staged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// In size.
    Bytes {
        /// What was staged.
        staged: u64,
        /// What is there.
        found: u64,
    },
    /// In the checksum of the whole object.
    Checksum {
        /// What was staged, base64.
        staged: String,
        /// What is there, base64.
        found: String,
    },
}

/// Whether an upload can still be completed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UploadState {
    /// It is open.
    Alive,
    /// There is none of this id.
    Gone,
    /// The store does not let us look, or cannot tell.
    CannotSee,
}

impl AtKey {
    /// Compares what was staged with what stands at its key.
    pub fn of(object: &StagedObject, head: Option<Head>) -> Self {
        let Some(head) = head else { return Self::Absent };
        if head.token.as_deref() != Some(object.token.as_str()) {
            return Self::Foreign { etag: head.etag };
        }
        if head.bytes != object.bytes {
            return Self::OursButDifferent {
                difference: Difference::Bytes { staged: object.bytes, found: head.bytes },
            };
        }
        let evidence = match (&object.crc64nvme, &head.crc64nvme) {
            (Some(staged), Some(found)) if staged != found => {
                let (staged, found) = (staged.clone(), found.clone());
                return Self::OursButDifferent {
                    difference: Difference::Checksum { staged, found },
                };
            }
            (Some(_), Some(_)) => Evidence::Checksum,
            _ if multipart_etag(object).is_some_and(|etag| etag == head.etag.trim_matches('"')) => {
                Evidence::ETag
            }
            _ => Evidence::TokenAndSize,
        };
        Self::Ours { etag: head.etag, version_id: head.version_id, evidence }
    }
}

/// Returns the ETag that S3 gives to a multipart object whose part ETags are MD5 digests: the MD5 of
/// those digests, a hyphen and the number of parts. `None` when a part's ETag is no digest. A different
/// ETag proves nothing, as it is opaque under a KMS key and at some services.
fn multipart_etag(object: &StagedObject) -> Option<String> {
    use md5::Digest as _;
    let mut digests = md5::Md5::new();
    for part in &object.parts {
        digests.update(hex_bytes(part.etag.trim_matches('"'))?);
    }
    Some(format!("{}-{}", hex_text(&digests.finalize()), object.parts.len()))
}

fn hex_bytes(text: &str) -> Option<[u8; 16]> {
    let digits = text.as_bytes();
    let mut bytes = [0; 16];
    if digits.len() != 2 * bytes.len() {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let high = char::from(pair[0]).to_digit(16)?;
        let low = char::from(pair[1]).to_digit(16)?;
        *byte = u8::try_from(high * 16 + low).ok()?;
    }
    Some(bytes)
}

/// Writes bytes as lower-case hexadecimal digits.
pub(crate) fn hex_text(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}

/// What is known of a visible object without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The token in its metadata, if it has one.
    pub token: Option<String>,
    /// Its size in bytes.
    pub bytes: u64,
    /// Its ETag, as the store gives it.
    pub etag: String,
    /// Its version, in a versioned bucket.
    pub version_id: Option<String>,
    /// The store's CRC-64/NVME of the whole object in base64, if it keeps one.
    pub crc64nvme: Option<String>,
}

/// What [`Store::list_uploads`] returns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listing {
    /// The open uploads.
    Uploads(Vec<OpenUpload>),
    /// The store does not let us list, or cannot.
    NotPermitted,
}

/// An upload that is neither completed nor aborted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenUpload {
    /// Where its object would be visible.
    pub key: String,
    /// Its id.
    pub upload_id: String,
    /// When it was opened, by the store's clock.
    pub initiated: Option<Timestamp>,
}

#[cfg(test)]
mod tests;
