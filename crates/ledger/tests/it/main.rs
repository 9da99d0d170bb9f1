//! The ledger from the outside: each test opens a real file.
#![expect(clippy::unwrap_used, reason = "these are tests")]

mod access;
mod claims;
mod crashes;
mod definitions;
mod fencing;
mod figures;
mod file;
mod fixture;
mod history;
mod holds;
mod keys;
mod slots;
mod transitions;
