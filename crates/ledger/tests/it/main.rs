//! The ledger from the outside: each test opens a real file, and most a real database as well (`.ci/postgres`).
#![expect(clippy::unwrap_used, reason = "these are tests")]

mod access;
mod claims;
mod copies;
mod crashes;
mod definitions;
mod fencing;
mod figures;
mod file;
mod fixture;
mod history;
mod holds;
mod keys;
mod postgres;
mod slots;
mod tidy;
mod transitions;
