//! A request to an S3 service that failed: what was asked, what came back, and what to do next.

use std::fmt;

use super::Kind;

/// The most of a server's message that is kept, in bytes.
pub const MESSAGE_BYTES_MAX: usize = 400;

/// A request to an S3 service that failed: what was asked of whom, and what came back.
#[derive(Debug)]
pub struct RequestError {
    /// What was asked.
    pub act: Act,
    /// The address of the service.
    pub endpoint: String,
    /// The bucket.
    pub bucket: String,
    /// The key, when it was about an object.
    pub key: Option<String>,
    /// What it comes down to.
    pub fault: Fault,
    /// The HTTP status, when there was an answer.
    pub status: Option<u16>,
    /// The S3 error code, when the answer had one.
    pub code: Option<String>,
    /// What the server wrote, cut to [`MESSAGE_BYTES_MAX`].
    pub message: Option<String>,
    /// The request id, which the service's support asks for.
    pub request_id: Option<String>,
}

/// A request to an S3 service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Getting the credentials that requests are signed with.
    SignIn,
    /// Finding out whether the service answers and whether it lists objects.
    Reach,
    /// Finding out the bucket's region.
    FindRegion,
    /// `CreateMultipartUpload`
    CreateUpload,
    /// `UploadPart`
    PutPart,
    /// `CompleteMultipartUpload`
    Complete,
    /// `AbortMultipartUpload`
    Abort,
    /// `DeleteObject`, of what a check made
    Delete,
    /// `HeadObject`
    Head,
    /// `GetObject`
    Read,
    /// `RestoreObject`
    Restore,
    /// `ListParts`
    ListParts,
    /// `ListMultipartUploads`
    ListUploads,
}

impl Act {
    /// All of them.
    pub(super) const ALL: [Self; 13] = [
        Self::SignIn,
        Self::Reach,
        Self::FindRegion,
        Self::CreateUpload,
        Self::PutPart,
        Self::Complete,
        Self::Abort,
        Self::Delete,
        Self::Head,
        Self::Read,
        Self::Restore,
        Self::ListParts,
        Self::ListUploads,
    ];

    /// Returns the words for it, as in "failed to …".
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::SignIn => "sign in for",
            Self::Reach => "reach",
            Self::FindRegion => "find the region of",
            Self::CreateUpload => "start an upload to",
            Self::PutPart => "upload a part of",
            Self::Complete => "complete the upload of",
            Self::Abort => "abort the upload of",
            Self::Delete => "delete",
            Self::Head => "look at",
            Self::Read => "read",
            Self::Restore => "restore",
            Self::ListParts => "list the parts of",
            Self::ListUploads => "list the uploads of",
        }
    }

    /// Returns the permission that Amazon asks for (service authorization reference, "Actions defined by Amazon S3").
    pub fn permission(self) -> &'static str {
        match self {
            Self::SignIn => "sts:AssumeRole",
            Self::Reach | Self::FindRegion => "s3:ListBucket",
            Self::CreateUpload | Self::PutPart | Self::Complete => "s3:PutObject",
            Self::Abort => "s3:AbortMultipartUpload",
            Self::Delete => "s3:DeleteObject",
            Self::Head | Self::Read => "s3:GetObject",
            Self::Restore => "s3:RestoreObject",
            Self::ListParts => "s3:ListMultipartUploadParts",
            Self::ListUploads => "s3:ListBucketMultipartUploads",
        }
    }

    pub(super) fn is_about_bucket(self) -> bool {
        matches!(self, Self::SignIn | Self::Reach | Self::FindRegion | Self::ListUploads)
    }
}

/// What a failed request comes down to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The signature is not that of the access key: the secret is wrong.
    WrongSecret,
    /// The service does not know the access key.
    UnknownKey,
    /// A temporary credential has ended.
    ExpiredToken,
    /// The token is not that of the access key.
    WrongToken,
    /// Nothing on this machine gives credentials.
    NoCredentials,
    /// Nobody has signed in on this machine, or the session is over.
    SignedOut,
    /// The shared files of this machine have no profile of this name.
    NoProfile(String),
    /// What this machine takes credentials from gave none.
    SourceFailed(CredentialSource),
    /// The role of this ARN was not given.
    RoleRefused(String),
    /// The KMS key cannot be used.
    KeyUnusable,
    /// The service ignores the encryption that was asked for.
    NotEncrypted,
    /// The service fails where a KMS key is asked for, and not without one.
    KmsFails,
    /// The bucket belongs to another account than was expected.
    WrongOwner,
    /// The caller may not do this.
    Denied,
    /// There is no such bucket.
    NoBucket,
    /// The bucket is in another region, if the service says which.
    WrongRegion(Option<String>),
    /// The clocks of the two machines differ too much.
    ClockSkew,
    /// There is no such upload.
    NoUpload,
    /// The condition of a write did not hold.
    ConditionFailed,
    /// Another write of the same key was in flight.
    Conflict,
    /// The bytes that arrived are not those that were sent.
    Damaged,
    /// The service refused a parameter, a part or a size.
    Refused,
    /// The service does not know the operation.
    Unsupported,
    /// The service asks for fewer requests.
    Throttled,
    /// The service failed.
    Unavailable,
    /// What answered does not speak S3.
    NotS3,
    /// There is no such host.
    UnknownHost,
    /// The name of the host leads to an address that no service can be at.
    ForbiddenAddress,
    /// Nobody listens at the endpoint.
    ConnectionRefused,
    /// The connection could not be encrypted or the certificate is not trusted.
    Tls,
    /// No answer in time.
    Timeout,
    /// The connection ended too early.
    Broken,
    /// The request could not be made.
    Construction,
}

/// What a machine takes credentials from ("Standardized credential providers" of the AWS SDKs' guide).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialSource {
    /// The shared files `config` and `credentials`.
    Files,
    /// The `credential_process` of a profile.
    Process,
    /// The endpoint for containers, or that of the instance.
    Metadata,
    /// STS, for the role of a profile or of a web identity.
    Role,
}

impl CredentialSource {
    fn words(self) -> &'static str {
        match self {
            Self::Files => "the shared files of AWS on this machine cannot be used",
            Self::Process => "the credential_process of the profile gave no credentials",
            Self::Metadata => "the metadata service of this machine gave no credentials",
            Self::Role => "the role that this machine names was not given",
        }
    }

    fn hint(self) -> &'static str {
        match self {
            Self::Files => {
                "Correct ~/.aws/config and ~/.aws/credentials: `aws configure list` reads the same."
            }
            Self::Process => {
                "Run the command of the profile by hand: it has to print credentials as JSON and end with 0."
            }
            Self::Metadata => {
                "Check the role of the pod, task or instance, and AWS_CONTAINER_AUTHORIZATION_TOKEN or its file where one is set."
            }
            Self::Role => {
                "Check the trust policy of the role: it must trust the source_profile, or the issuer of the token in AWS_WEB_IDENTITY_TOKEN_FILE."
            }
        }
    }
}

impl Fault {
    pub(super) fn kind(&self) -> Kind {
        match self {
            Self::WrongSecret
            | Self::UnknownKey
            | Self::ExpiredToken
            | Self::WrongToken
            | Self::NoCredentials
            | Self::SignedOut
            | Self::NoProfile(_)
            | Self::SourceFailed(_)
            | Self::RoleRefused(_)
            | Self::KeyUnusable
            | Self::WrongOwner
            | Self::Denied => Kind::Denied,
            Self::NoBucket
            | Self::WrongRegion(_)
            | Self::NotS3
            | Self::NotEncrypted
            | Self::KmsFails
            | Self::UnknownHost
            | Self::ForbiddenAddress
            | Self::Tls
            | Self::ClockSkew => Kind::Connection,
            Self::ConnectionRefused => Kind::Connection,
            Self::ConditionFailed | Self::Conflict | Self::NoUpload => Kind::Conflict,
            Self::Damaged => Kind::Corrupt,
            Self::Refused => Kind::Invalid,
            Self::Unsupported => Kind::Unsupported,
            Self::Throttled | Self::Unavailable | Self::Timeout | Self::Broken => Kind::Temporary,
            Self::Construction => Kind::Internal,
        }
    }

    pub(super) fn words(&self) -> &'static str {
        match self {
            Self::WrongSecret => "the secret access key does not match the access key id",
            Self::UnknownKey => "the service does not know the access key id",
            Self::ExpiredToken => "the credentials have expired",
            Self::WrongToken => "the session token does not belong to the access key id",
            Self::NoCredentials => "no credentials were found on this machine",
            Self::SignedOut => {
                "there is no single sign-on session on this machine, or it has ended"
            }
            Self::NoProfile(_) => "the shared files of AWS on this machine have no such profile",
            Self::SourceFailed(source) => source.words(),
            Self::RoleRefused(_) => "the role was not given",
            Self::KeyUnusable => "the KMS key cannot be used",
            Self::NotEncrypted => "the service ignores the encryption that is asked for",
            Self::KmsFails => "the service fails where a KMS key is asked for, and not without one",
            Self::WrongOwner => {
                "the bucket belongs to another account than expected_bucket_owner says"
            }
            Self::Denied => "access denied",
            Self::NoBucket => "the bucket does not exist",
            Self::WrongRegion(_) => "the bucket is in another region",
            Self::ClockSkew => "the clock of this machine and that of the service differ too much",
            Self::NoUpload => "the upload does not exist",
            Self::ConditionFailed => "the object has been changed by another writer",
            Self::Conflict => "another write of the same object is in flight",
            Self::Damaged => "the bytes changed on the way",
            Self::Refused => "the service refused the request",
            Self::Unsupported => "the service does not know this operation",
            Self::Throttled => "the service asks for fewer requests",
            Self::Unavailable => "the service failed",
            Self::NotS3 => "what answers at the endpoint does not speak S3",
            Self::UnknownHost => "the host name of the endpoint does not resolve",
            Self::ForbiddenAddress => {
                "the host name of the endpoint leads to an address that no service can be at"
            }
            Self::ConnectionRefused => "nobody listens at the endpoint",
            Self::Tls => "no trusted TLS connection to the endpoint",
            Self::Timeout => "no answer in time",
            Self::Broken => "the connection ended before the answer",
            Self::Construction => "the request could not be made",
        }
    }
}

impl RequestError {
    pub(super) fn kind(&self) -> Kind {
        match (self.act, &self.fault) {
            // What never answered yet is a wrong address rather than a bad moment.
            (Act::Reach, Fault::Timeout | Fault::Broken) => Kind::Connection,
            (_, fault) => fault.kind(),
        }
    }

    /// Returns the resource that the permission is about, as IAM writes it.
    pub fn resource(&self) -> String {
        match &self.key {
            Some(key) if !self.act.is_about_bucket() => {
                format!("arn:aws:s3:::{}/{key}", self.bucket)
            }
            _ => format!("arn:aws:s3:::{}", self.bucket),
        }
    }

    pub(super) fn hint(&self) -> Option<String> {
        let (bucket, endpoint) = (&self.bucket, &self.endpoint);
        Some(match &self.fault {
            Fault::WrongSecret => "Check the secret access key: it belongs to another key id, or has a stray character.".to_owned(),
            Fault::UnknownKey => format!("Check the access key id: is it active, and of the service at {endpoint}?"),
            Fault::ExpiredToken => "Fetch new temporary credentials and run again.".to_owned(),
            Fault::WrongToken => "Fetch the temporary key anew: id, secret and session_token belong together.".to_owned(),
            Fault::NoCredentials => "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or sign in (`aws sso login`), or name the `profile` of the account.".to_owned(),
            Fault::SignedOut => "Sign in, for example with `aws sso login` for the `profile` of the account, and run again.".to_owned(),
            Fault::NoProfile(name) => format!("Add the profile {name} (`aws configure --profile {name}`), or name another as `profile` of the account."),
            Fault::SourceFailed(source) => source.hint().to_owned(),
            Fault::RoleRefused(role) => format!("Check the trust policy of {role}: it must allow sts:AssumeRole to the one who signs, under the external id; `segue policy` prints it."),
            Fault::KeyUnusable => "Enable the KMS key, or correct kms_key_id of the destination.".to_owned(),
            Fault::NotEncrypted => "Remove encryption.sse of the destination, and have the service or the disk encrypt; or use a service that knows it.".to_owned(),
            Fault::KmsFails => "Choose SSE-S3 (`sse: AES256`) or no encryption for the destination if the service has no KMS; otherwise have whoever runs it look at its KMS.".to_owned(),
            Fault::WrongOwner => format!("Find out whose bucket {bucket} is before anything is sent; then correct bucket or expected_bucket_owner."),
            Fault::Denied => self.hint_of_denied(),
            Fault::NoBucket => format!("Create the bucket {bucket}, or correct bucket (and endpoint_url) of the destination."),
            Fault::WrongRegion(Some(region)) => format!("Set region: {region} in the account."),
            Fault::WrongRegion(None) => "No redirect is followed: set region of the account to that of the bucket, or endpoint_url to the address of its service.".to_owned(),
            Fault::ClockSkew => "Set the clock of this machine (NTP): signatures hold for 15 minutes.".to_owned(),
            Fault::ConditionFailed => "Find out who else writes this name, or give the file name a time.".to_owned(),
            Fault::Timeout if self.act == Act::Reach => format!("Check that an S3 service runs at {endpoint}, and that no firewall swallows the answers."),
            Fault::Broken if self.act == Act::Reach => format!("Check that {endpoint} is an S3 service, and whether it wants https:// instead of http://."),
            Fault::NotS3 => format!("Check endpoint_url {endpoint}: it must be the S3 address of the service, not its web page."),
            Fault::UnknownHost => format!("Check the host name in endpoint_url {endpoint}, and with addressing: path if the bucket is part of it."),
            Fault::ForbiddenAddress => format!("Check endpoint_url {endpoint} and who answers for its name: at link-local addresses machines give away their own credentials."),
            Fault::ConnectionRefused => format!("Check that the service runs at {endpoint} and that the port is right."),
            Fault::Tls => format!("Check that {endpoint} speaks https and that this machine trusts its certificate; ca_file of the account names an authority of your own."),
            Fault::Throttled | Fault::Unavailable | Fault::Timeout | Fault::Broken => "Run again later: the run continues as the same run.".to_owned(),
            Fault::Damaged => "Check proxies between this machine and the service: nothing damaged is published.".to_owned(),
            Fault::NoUpload | Fault::Conflict | Fault::Refused | Fault::Unsupported | Fault::Construction => return None,
        })
    }

    fn hint_of_denied(&self) -> String {
        let (permission, resource) = (self.act.permission(), self.resource());
        if self.message.as_deref().is_some_and(|said| said.contains("explicit deny")) {
            return format!(
                "A policy forbids {permission} on {resource} in this way: `segue check` of the destination finds out whether it demands encryption."
            );
        }
        if let Some((action, on)) = self.message.as_deref().and_then(named_by_denial)
            && action != permission
        {
            let place = if action.starts_with("kms:") {
                "the key's policy"
            } else {
                "the bucket's policy and owner"
            };
            return format!("Grant {action} on {on} to who signs; check {place} too.");
        }
        match self.act {
            Act::Head => format!(
                "Grant {permission} on {resource}, and s3:ListBucket on arn:aws:s3:::{}.",
                self.bucket
            ),
            _ => format!(
                "Grant {permission} on {resource} to the account's key; check the bucket's policy and owner too."
            ),
        }
    }
}

impl std::error::Error for RequestError {}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "failed to {} s3://{}", self.act.words(), self.bucket)?;
        if let Some(key) = &self.key {
            write!(f, "/{key}")?;
        }
        write!(f, ": {}", self.fault.words())?;
        if let Some(status) = self.status {
            write!(f, " (HTTP {status}")?;
            for (name, value) in [("", &self.code), ("request id ", &self.request_id)] {
                if let Some(value) = value {
                    write!(f, ", {name}{value}")?;
                }
            }
            f.write_str(")")?;
        }
        match &self.message {
            Some(message) => write!(f, ": {message}"),
            None => Ok(()),
        }
    }
}

/// Reads which action on which resource was denied, where the service says it ("Access denied error
/// messages" of the IAM user guide).
fn named_by_denial(message: &str) -> Option<(&str, &str)> {
    let (_, denied) = message.split_once("not authorized to perform: ")?;
    let (action, behind) = denied.split_once(" on resource: ")?;
    let resource = behind.split_whitespace().next()?.trim_matches(['"', '.']);
    let is_name = |text: &str| !text.is_empty() && !text.contains(char::is_whitespace);
    (is_name(action) && is_name(resource)).then_some((action, resource))
}

/// Cuts what a server wrote to one line of at most [`MESSAGE_BYTES_MAX`] bytes without control characters.
pub(crate) fn short_message(text: &str) -> String {
    let mut short = String::new();
    for word in text.split_whitespace() {
        let clean: String = word.chars().filter(|c| !c.is_control()).collect();
        if short.len() + clean.len() + 1 > MESSAGE_BYTES_MAX {
            break;
        }
        if !short.is_empty() {
            short.push(' ');
        }
        short.push_str(&clean);
    }
    short
}
