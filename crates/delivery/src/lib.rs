//! Bytes and objects: rows become files, and files become visible in a bucket, whole or not at all.
//!
//! The first half turns rows into bytes: encode, split, compress, encrypt. The second half stages those bytes
//! as unfinished uploads, which nobody can see, and completes them once the commit record names them.
//! This crate knows no SQL, no schedule and no ledger: the spine of the binary decides what happens
//! when, and hands over values of `plan`.
//!
//! Nothing here reads a clock, draws random numbers or prints.

// How rows become bytes.
mod buffers;
pub mod charset;
pub mod compress;
mod crc64nvme;
pub mod encode;
pub mod pgp;
pub mod split;
pub mod table;
mod zip;

// How an object gets to a store, and how one learns what became of it.
pub mod error;
pub mod folder;
pub mod manifest;
pub mod measured;
pub mod part;
pub mod publish;
pub mod s3;
pub mod store;
pub mod upload;

pub use error::Error;
pub use store::Store;
