//! Why an act of delivery failed, with the facts that lead to the next step.
//!
//! Errors name the bucket, the key and the service's own code and request id. They never hold a
//! secret, a signature, a value of a profile, or more than [`MESSAGE_BYTES_MAX`] of what a server
//! wrote.

mod request;
mod told;

use std::io;
use std::path::PathBuf;

pub(crate) use self::request::short_message;
pub use self::request::{Act, CredentialSource, Fault, MESSAGE_BYTES_MAX, RequestError};
pub use self::told::next_step;

/// Everything that can go wrong between rows and visible objects.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A request to an S3 service failed.
    #[error(transparent)]
    Request(Box<RequestError>),
    /// A file or folder could not be used.
    #[error("failed to {act} {}", path.display())]
    Folder {
        /// What was tried, as in "failed to …".
        act: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// A key that cannot be a file below a folder.
    #[error("key {key:?} {problem}")]
    Key {
        /// The key.
        key: String,
        /// What is wrong with it, as in "key … climbs out of the folder".
        problem: &'static str,
    },
    /// The parts of an upload in a folder are not those that were recorded.
    #[error("upload {upload_id} of {key} {problem}")]
    Upload {
        /// Where the object would be visible.
        key: String,
        /// The upload.
        upload_id: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// An object is not what the condition of the upload expects.
    #[error("{key} {problem}")]
    Condition {
        /// The key.
        key: String,
        /// What was found, as in "… has been changed by another writer".
        problem: &'static str,
    },
    /// A limit was reached.
    #[error("{what} of {name} would pass the limit of {limit}")]
    Limit {
        /// What there would be too much of: `parts`, `files`.
        what: &'static str,
        /// Of which object or run.
        name: String,
        /// The limit.
        limit: u64,
    },
    /// A file with certificates cannot be used.
    #[error("{name} {problem}")]
    Certificates {
        /// The file.
        name: String,
        /// What is wrong with it, as in "… holds no certificate".
        problem: &'static str,
    },
    /// The same run produced other bytes than before.
    #[error("nondeterministic_output: {key} was staged with SHA-256 {staged} and is now {found}")]
    Nondeterministic {
        /// Where the object is to be visible.
        key: String,
        /// What the ledger has.
        staged: String,
        /// What was produced now.
        found: String,
    },
    /// What is visible is not what was staged.
    #[error("{key} is not what was staged: {difference}")]
    Damaged {
        /// The key.
        key: String,
        /// How it differs.
        difference: String,
    },
    /// A file could not be encrypted.
    #[error("a file could not be encrypted: {problem}")]
    Encrypt {
        /// What happened.
        problem: String,
    },
    /// A background task ended without an answer.
    #[error("{task} stopped unexpectedly")]
    Task {
        /// What it was doing.
        task: &'static str,
        /// How it ended.
        #[source]
        source: tokio::task::JoinError,
    },
    /// Rows could not be written in the file's format.
    #[error(transparent)]
    Content(#[from] crate::encode::Error),
}

/// What the caller can do about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Credentials or a permission are wrong: exit code 3, nothing helps but the owner of the bucket.
    Denied,
    /// The bucket, the endpoint or the region is wrong.
    Connection,
    /// Trying again later may help.
    Temporary,
    /// The service does not know this operation.
    Unsupported,
    /// Another writer was there.
    Conflict,
    /// There is no room left.
    Full,
    /// The rows, the names or the settings do not fit the format or a limit.
    Invalid,
    /// Bytes changed on the way, or the same run made other bytes.
    Corrupt,
    /// A fault of ours.
    Internal,
}

impl Error {
    /// Returns what the caller can do about it.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Request(request) => request.kind(),
            Self::Folder { source, .. } => kind_of_io(source),
            Self::Key { .. }
            | Self::Limit { .. }
            | Self::Content(_)
            | Self::Certificates { .. } => Kind::Invalid,
            Self::Condition { .. } => Kind::Conflict,
            Self::Upload { .. } | Self::Nondeterministic { .. } | Self::Damaged { .. } => {
                Kind::Corrupt
            }
            Self::Encrypt { .. } | Self::Task { .. } => Kind::Internal,
        }
    }

    /// Returns what to do next, as a sentence, when there is something to say.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Request(request) => request.hint(),
            Self::Folder { source, path, .. } => hint_of_io(source, path),
            Self::Certificates { .. } => Some("Check ca_file of the account: it holds the certificates of your authority, in PEM form.".to_owned()),
            Self::Key { .. } => Some("Choose a folder and a file name without `..`, empty segments, `:` and `\\`; the name of a segment may bring them in by a macro.".to_owned()),
            Self::Limit { what: "files", .. } => Some("Raise rows_per_file or bytes_per_file.".to_owned()),
            Self::Limit { .. } => Some("Set rows_per_file or bytes_per_file, so that more files share the rows.".to_owned()),
            Self::Condition { .. } => {
                Some("Find out who else writes this name, or give the file name a time.".to_owned())
            }
            Self::Nondeterministic { .. } => {
                Some("The same snapshot gave other bytes: report it with the version and the project file.".to_owned())
            }
            Self::Damaged { .. } => Some("Keep the object as evidence and check the path to the store.".to_owned()),
            Self::Content(content) => content.hint().map(str::to_owned),
            Self::Upload { .. } | Self::Encrypt { .. } | Self::Task { .. } => None,
        }
    }

    /// Returns the code of the service's answer, when there was one.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Request(request) => request.code.as_deref(),
            _ => None,
        }
    }
}

impl From<Box<RequestError>> for Error {
    fn from(request: Box<RequestError>) -> Self {
        Self::Request(request)
    }
}

fn kind_of_io(source: &io::Error) -> Kind {
    match source.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Kind::Denied,
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Kind::Full,
        io::ErrorKind::NotADirectory
        | io::ErrorKind::IsADirectory
        | io::ErrorKind::InvalidFilename => Kind::Invalid,
        _ => Kind::Temporary,
    }
}

fn hint_of_io(source: &io::Error, path: &std::path::Path) -> Option<String> {
    let shown = path.display();
    match kind_of_io(source) {
        Kind::Denied => Some(format!(
            "Give this user the right to write {shown}, or deliver to another folder."
        )),
        Kind::Full => Some(format!(
            "Free space on the disk of {shown}, then run again: nothing of this run is visible."
        )),
        Kind::Invalid => Some(format!(
            "A part of {shown} exists and is not what its name asks for; choose another name."
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
