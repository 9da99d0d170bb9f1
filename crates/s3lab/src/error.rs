//! Why a lab could not start, or a direct change was refused.

use std::io;
use std::path::PathBuf;

/// What can go wrong outside of HTTP; answers to requests are S3 errors and never come here.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No loopback port could be opened.
    #[error("failed to listen on a loopback port")]
    Listen(#[source] io::Error),
    /// The folder of [`Backend::Folder`](crate::Backend::Folder) could not be read or written.
    #[error("failed to use {}", path.display())]
    Folder {
        /// The file or folder that was being used.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// A bucket in the options has a name that S3 does not allow.
    #[error("bucket name {name:?} is not a valid S3 bucket name")]
    BucketName {
        /// The refused name.
        name: String,
    },
    /// A direct change was refused with the S3 error of the same name.
    #[error("{code}: {message}")]
    Refused {
        /// The S3 error code, such as `NoSuchBucket`.
        code: String,
        /// The text that a client would have seen.
        message: String,
    },
}

impl Error {
    /// Returns what to do next, as a sentence.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Listen(_) => "Check that this process may open sockets on 127.0.0.1.",
            Self::Folder { .. } => "Choose a folder that this user may write to, with free space.",
            Self::BucketName { .. } => "Use 3 to 63 lower-case letters, digits, dots and hyphens.",
            Self::Refused { .. } => "Look up the code in Amazon's list of S3 error responses.",
        }
    }
}

impl From<s3s::S3Error> for Error {
    fn from(refused: s3s::S3Error) -> Self {
        Self::Refused {
            code: refused.code().as_str().to_owned(),
            message: refused.message().unwrap_or_default().to_owned(),
        }
    }
}
