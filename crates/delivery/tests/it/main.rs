//! Tests of the crate through its public face, on folders and on in-process S3 services.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod bench;
mod conformance;
mod faults;
mod file_set;
mod folder;
mod lab;
mod python;
mod real_server;
mod small_spine;
