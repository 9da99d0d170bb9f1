//! The engine from outside: small files in, rows out.

mod bad_input;
mod compressed;
mod deduplicate;
mod documented;
mod event_histories;
mod events;
mod formats;
mod histories;
mod mapping;
mod merge;
mod merged;
mod order;
mod pql;
mod s3;
mod scalar;
mod support;
