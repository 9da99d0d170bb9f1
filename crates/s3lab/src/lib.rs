//! A strict S3 service inside the process, for tests and for the demo.
//!
//! [`Lab::start`] opens real HTTP on a free loopback port. Signatures, checksums, part rules and conditions
//! are checked as Amazon documents them, whatever a client happens to send, so that a delivery that passes here
//! has evidence that its author did not write. Keys are opaque strings; objects live in memory or in a folder.
//!
//! What it adds to a plain server: a gate that evaluates the IAM actions of each request ([`Policy`]), an access
//! log ([`Entry`]), the history of everything that ever became visible ([`Change`]), faults on chosen requests
//! ([`Fault`]), and the known deviations of other services as switches ([`Dialect`]).
//!
//! Buckets are at `127.0.0.1/bucket` and at `bucket.s3.localhost` ([`Lab::domain_endpoint`]), and there is as
//! much of STS and IAM as a sign-in and a check of permissions ask for.
//!
//! It is not a store for production: no TLS, no durability promise, one process.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), s3lab::Error> {
//! let lab = s3lab::Lab::start(s3lab::Options { buckets: vec!["exports".into()], ..Default::default() }).await?;
//! lab.put("exports", "hello.csv", "a,b\n").await?;
//! assert_eq!(lab.keys("exports"), ["hello.csv"]);
//! assert!(lab.endpoint().starts_with("http://127.0.0.1:"));
//! # Ok(()) }
//! ```

// What a lab is given.
mod error;
mod iam;
mod options;

// What a request is, and how it travels.
mod answer;
mod fault;
mod front;
mod host;
mod lab;
mod listen;
mod operation;
mod request_body;
mod shared;
mod signature;
mod wire;
mod xml_body;

// What is stored.
mod archive;
mod body;
mod checksum;
mod condition;
mod history;
mod key_path;
mod listing;
mod object;
mod part_list;
mod state;
mod store;
mod upload;

// How the protocol reaches what is stored.
mod gate;
mod iam_api;
mod service;
mod sts;

// What can be seen afterwards.
mod access_log;

pub use access_log::Entry;
pub use error::Error;
pub use fault::{Action, Fault, FaultId, Faults, Outcome, Timing};
pub use history::{Change, Event};
pub use iam::{Grant, Policy};
pub use lab::{Lab, Object, OpenUpload};
pub use operation::Operation;
pub use options::{
    Backend, BucketSpec, Clock, Dialect, Listing, Options, Retention, RetentionMode,
    SecondComplete, User,
};
pub use sts::Role;
