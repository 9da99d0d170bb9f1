//! What objects are written with: encryption, storage class, tags, access, media type, metadata.

/// The most tags of an object (Amazon S3 user guide, "Categorizing your storage using tags").
pub const TAGS_MAX: usize = 10;
/// The longest key of a tag, in characters.
pub const TAG_KEY_CHARS_MAX: usize = 128;
/// The longest value of a tag, in characters.
pub const TAG_VALUE_CHARS_MAX: usize = 256;
/// The most bytes of user metadata, names and values together (Amazon S3 user guide, "Working with
/// object metadata"); some of them are kept for Segue's own.
pub const METADATA_BYTES_MAX: usize = 1_536;

/// What the objects of a destination are written with. The default sends nothing and leaves all to
/// the bucket.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ObjectSettings {
    /// How the service encrypts them at rest; what the bucket does when absent.
    pub encryption: Option<Encryption>,
    /// `STANDARD_IA`, `INTELLIGENT_TIERING`, ….
    pub storage_class: Option<String>,
    /// Tags, in the order of the file.
    pub tags: Vec<(String, String)>,
    /// A canned ACL.
    pub acl: Option<String>,
    /// The media type of the data files; that of the format when absent.
    pub content_type: Option<String>,
    /// User metadata, in the order of the file, names in small letters without `x-amz-meta-`.
    pub metadata: Vec<(String, String)>,
}

/// How a service encrypts objects at rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Encryption {
    /// With a key of the service (SSE-S3).
    Aes256,
    /// With a key of AWS KMS (SSE-KMS).
    Kms {
        /// The key, by id or ARN; Amazon's own key of the account when absent.
        key_id: Option<String>,
        /// What the key's policy and its audit log see, in the order of the file.
        context: Vec<(String, String)>,
        /// Whether the bucket's key saves requests to KMS; what the bucket does when absent.
        bucket_key: Option<bool>,
    },
}

impl Encryption {
    /// Returns the value that S3 knows it by.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Aes256 => "AES256",
            Self::Kms { .. } => "aws:kms",
        }
    }
}
