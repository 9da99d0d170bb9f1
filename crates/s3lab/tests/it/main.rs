//! The lab as its clients see it: Amazon's own SDK where it can ask the question, requests made by hand where
//! it cannot.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot go on says where")]
#![allow(
    clippy::disallowed_methods,
    reason = "the SDK signs with the machine's time, and so must the rest"
)]

/// Runs test functions, each given a lab, in memory and in a folder.
macro_rules! on_both_backends {
    ($($name:ident)*) => {
        mod memory {
            $(#[tokio::test]
            async fn $name() {
                super::$name(crate::client::start(s3lab::Backend::Memory).await).await;
            })*
        }
        mod folder {
            $(#[tokio::test]
            async fn $name() {
                let folder = tempfile::tempdir().unwrap();
                super::$name(crate::client::start(s3lab::Backend::Folder(folder.path().into())).await).await;
            })*
        }
    };
}

mod client;
mod raw;

mod conformance;
mod dialects;
mod discard;
mod faults;
mod folder;
mod locks;
mod multipart;
mod policies;
mod races;
mod records;
mod signatures;
