//! The engine from outside: small files in, rows out.

mod bad_input;
mod coded;
mod compressed;
mod consent;
mod deduplicate;
mod delta;
mod documented;
mod event_histories;
mod events;
mod formats;
mod histories;
mod identity_rows;
mod imports;
mod mapping;
mod membership;
mod membership_histories;
mod merge;
mod merged;
mod order;
mod postgres;
mod pql;
mod s3;
mod scalar;
mod segments;
mod support;
mod times;
