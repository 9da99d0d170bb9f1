//! Rows: datasets become a deterministic, bounded stream of batches.
//!
//! A dataset is pinned as a [`Snapshot`]; a query over it gives [`Rows`]; the rows are read by
//! several threads and come in the order of the snapshot, the same for any number of threads.
//!
//! The crate reads files itself, leaf column by leaf column, and uses DataFusion for what it is best
//! at: SQL expressions over Arrow columns. It knows nothing of destinations, schedules, the ledger,
//! or how rows are written.
//!
//! Reading order: [`engine`](Engine) is what can be asked; `snapshot`, `survey` and `rows` are the
//! way of the data; `selection` is what happens to a batch; `expression` is the language of rules;
//! `deduplicate` and `increment` are what needs more than a batch; `explain` says of one person what
//! all of these did.

mod engine;

mod location;
mod snapshot;
mod source;
mod store;
mod survey;
mod unpack;

mod delta;
mod postgres;

mod characters;
mod csv_file;
mod csv_record;
mod digits;
mod guess;
mod int96;
mod json_lines;
mod parquet_file;
mod parquet_schema;

mod expression;
mod fields;
mod identity_rows;
mod path;

mod kept;
mod merge;
mod profiles;

mod events;

mod consent;
mod deduplicate;
mod evaluate;
mod explain;
mod import;
mod increment;
mod members;
mod membership;
mod ordered;
mod people;
mod row_set;
mod rows;
mod selection;
mod spill;
mod state_file;
mod stretches;
mod terms;

mod error;

pub use engine::{Engine, Settings, With};
pub use error::{Error, Kind, Place};
pub use evaluate::{Effects, Evaluated};
pub use events::{ALL as ALL_EVENTS, EventFields};
pub use explain::{
    Departure, Duplicate, Explained, Explanation, Export, Fate, FileRow, Join, Judged, LeftOut,
    Move, Outcome, PastMember, PersonId, SentRow, TieBreak, Value,
};
pub use expression::event_query::datasets_named as event_datasets_named;
pub use expression::{
    Expect, ExpressionError, check_expression, check_with_events, problems_of_syntax,
    problems_with_events,
};
pub use increment::{Baselines, RowHashes};
pub use membership::Standing;
pub use merge::{Origin, Profile};
pub use people::{
    Found as FoundInRecord, Pending as PendingRecord, People, PersonHash, Recorder, everybody_in,
    hash_of,
};
pub use profiles::Profiles;
pub use rows::{Counts, Movement, RowCounts, Rows};
pub use snapshot::Snapshot;
pub use state_file::PARTIAL_PREFIX;
pub use store::{Input, Version};
