//! What a lab is made of: everything that a test may choose before it starts.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::iam::Policy;
use crate::sts::Role;

/// The smallest part that is not the last one, in bytes, by Amazon's limits.
pub(crate) const PART_BYTES_MIN: u64 = 5 * 1024 * 1024;

/// How far the time of a request may be from the time of the service, by Amazon's rules.
const CLOCK_SKEW_MAX: Duration = Duration::from_secs(15 * 60);

/// How many log entries, and how many changes, are kept before the oldest are dropped.
const RECORDS_MAX: usize = 100_000;

/// Everything that [`Lab::start`](crate::Lab::start) needs.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where bodies are kept.
    pub backend: Backend,
    /// The region that requests must be signed for.
    pub region: String,
    /// The account that owns every bucket, compared with `x-amz-expected-bucket-owner`.
    pub account_id: String,
    /// Who may sign requests, and for what.
    pub users: Vec<User>,
    /// Roles that users may assume, by `POST /`, as at AWS STS.
    pub roles: Vec<Role>,
    /// Buckets that exist from the start.
    pub buckets: Vec<BucketSpec>,
    /// How this service deviates from Amazon's.
    pub dialect: Dialect,
    /// What time it is.
    pub clock: Clock,
    /// How far `x-amz-date` may be from [`Options::clock`].
    pub clock_skew_max: Duration,
    /// The smallest part that is not the last one, in bytes; tests may lower Amazon's 5 MiB to stay quick.
    pub part_bytes_min: u64,
    /// Whether MD5 and checksums of bodies are computed. Without it ETags are invented and declared
    /// checksums are believed: for speed runs only.
    pub hash_bodies: bool,
    /// How many entries [`Lab::log`](crate::Lab::log) keeps; the oldest are dropped.
    pub log_entries_max: usize,
    /// How many changes [`Lab::history`](crate::Lab::history) keeps; the oldest are dropped.
    pub history_changes_max: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            backend: Backend::Memory,
            region: "us-east-1".into(),
            account_id: "111122223333".into(),
            users: vec![User::default()],
            roles: Vec::new(),
            buckets: Vec::new(),
            dialect: Dialect::default(),
            clock: Clock::system(),
            clock_skew_max: CLOCK_SKEW_MAX,
            part_bytes_min: PART_BYTES_MIN,
            hash_bodies: true,
            log_entries_max: RECORDS_MAX,
            history_changes_max: RECORDS_MAX,
        }
    }
}

/// Where bodies are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Backend {
    /// In memory, gone with the lab.
    Memory,
    /// As files below a folder, one folder per bucket; kept when the lab stops, and found again at the next start.
    Folder(PathBuf),
    /// Nowhere: sizes, ETags, checksums and part lists are real, reading a body answers 501.
    Discard,
}

/// A bucket that exists from the start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BucketSpec {
    /// Its name.
    pub name: String,
    /// The region it is in, when that is not the lab's own: requests signed for the lab's region are then
    /// answered with 301, and requests signed for the bucket's region are served.
    pub region: Option<String>,
    /// Whether versioning is enabled.
    pub versioned: bool,
    /// How long its new versions are kept from being deleted. Such a bucket has to be versioned.
    pub retention: Option<Retention>,
}

/// The default retention of a bucket with Object Lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// By which rules.
    pub mode: RetentionMode,
    /// For how many days from when a version is made.
    pub days: u32,
}

/// The modes of Object Lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetentionMode {
    /// `GOVERNANCE`: a permission of its own lifts it.
    Governance,
    /// `COMPLIANCE`: nobody lifts it.
    Compliance,
}

impl RetentionMode {
    /// Returns its name in Amazon's reference.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Governance => "GOVERNANCE",
            Self::Compliance => "COMPLIANCE",
        }
    }
}

impl From<&str> for BucketSpec {
    fn from(name: &str) -> Self {
        Self { name: name.into(), region: None, versioned: false, retention: None }
    }
}

/// Someone who may sign requests.
#[derive(Clone)]
pub struct User {
    /// The public half of the key pair.
    pub access_key_id: String,
    /// The secret half.
    pub secret_access_key: String,
    /// The token that must come with each request, for temporary credentials.
    pub session_token: Option<String>,
    /// What the user may do.
    pub policy: Policy,
    /// When the key ends, for temporary credentials.
    pub expires: Option<SystemTime>,
    /// Whether it is the root of the account, and no user of it. Its policy holds all the same.
    pub is_root: bool,
}

impl Default for User {
    /// Returns the one administrator of a lab with default options.
    fn default() -> Self {
        Self {
            access_key_id: "LABADMINACCESSKEY000".into(),
            secret_access_key: "lab-admin-secret-for-loopback-only-00000".into(),
            session_token: None,
            policy: Policy::all(),
            expires: None,
            is_root: false,
        }
    }
}

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User")
            .field("access_key_id", &self.access_key_id)
            .field("secret_access_key", &"[redacted]")
            .field("session_token", &self.session_token.as_ref().map(|_| "[redacted]"))
            .field("policy", &self.policy)
            .finish()
    }
}

/// How a service deviates from Amazon's. The default deviates in nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dialect {
    /// What a second Complete of a completed upload answers.
    pub second_complete: SecondComplete,
    /// Conditions of writes are checked before the body is stored, and not again: two writers may both win.
    pub racy_conditionals: bool,
    /// Conditions of writes are ignored.
    pub no_conditionals: bool,
    /// The ETags in a Complete request are not compared with the parts.
    pub part_etags_unchecked: bool,
    /// Declared checksums and MD5 are neither verified nor kept.
    pub no_checksums: bool,
    /// Uploads that ask for the checksum of the whole object get one over those of their parts, and the
    /// answer says so.
    pub composite_checksums: bool,
    /// Uploads are begun without the encryption that they ask for, and nothing says so.
    pub ignores_encryption: bool,
    /// How objects are encrypted is said with each part and with the object, and not when an upload is
    /// begun.
    pub encryption_said_with_parts: bool,
    /// The expected owner of a bucket is not compared (seen of SeaweedFS).
    pub ignores_owner: bool,
    /// ETags are not MD5 (as for objects under a KMS key).
    pub opaque_etags: bool,
    /// The first answer to a Complete has no ETag, and the parts of an upload that is not there are
    /// those of a key that is not there (seen of Ceph's gateway).
    pub bare_completions: bool,
    /// What ListObjects, ListParts and ListMultipartUploads answer.
    pub listing: Listing,
}

/// What a second Complete of a completed upload answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SecondComplete {
    /// 200 with the result of the first, as Amazon does.
    #[default]
    Same,
    /// 404 `NoSuchUpload`.
    NotFound,
    /// 403 `AccessDenied`.
    Denied,
}

/// What ListObjects, ListParts and ListMultipartUploads answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Listing {
    /// The list.
    #[default]
    Allowed,
    /// 403 `AccessDenied`, whatever the policy says.
    Denied,
    /// 501 `NotImplemented`.
    NotImplemented,
}

/// Tells the time to the lab.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> SystemTime + Send + Sync>);

impl Clock {
    /// Makes a clock of a function.
    pub fn new(now: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// Returns the machine's clock: what a client that signs with the real time needs.
    pub fn system() -> Self {
        // The one place of this crate that asks the machine for the time, as a default that callers replace.
        #[allow(clippy::disallowed_methods, reason = "the default of an injected clock")]
        Self::new(SystemTime::now)
    }

    pub(crate) fn now(&self) -> SystemTime {
        (self.0)()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}
