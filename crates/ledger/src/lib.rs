//! Memory: which runs there were, what they staged, what became visible.
//!
//! The ledger is one SQLite file that one process at a time works with, or a schema of a PostgreSQL
//! database that several servers share ([`Place`]). It knows names, sizes, checksums and counts, and
//! never a row. Every step of a run that must survive a crash is one transaction here,
//! synchronised to disk before the call returns. Every such write carries the epoch of the worker's
//! claim, so that a worker which lost its run is told [`Error::Fenced`] and changes nothing.
//!
//! Reading order: [`run`] is the vocabulary, [`Ledger`] opens it, `sql` is
//! how both databases understand the same statements, `claim` takes a run, `staging`
//! is everything before the commit record, `lease` is who has what, `commit` from there to the end, `close` the other ends,
//! `history` answers questions, and `definition` keeps what was made over the API. Of the schedule,
//! `slots` answers questions, `planning` is where slots come from, `attempt` is somebody at one of them,
//! and `take_up` finds those that nobody works at any more.
//!
//! Nothing here asks for the time: it comes in as `now`.

pub mod access;
pub mod alert;
mod attempt;
pub mod audit;
mod backup;
mod claim;
mod close;
mod commit;
mod copy;
pub mod definition;
mod disabled;
pub mod error;
mod figures;
mod file;
mod history;
mod hold;
mod lease;
mod lent;
mod lock;
mod open;
mod place;
mod planning;
mod postgres;
pub mod run;
mod schema;
pub mod slot;
mod slots;
mod sql;
mod sqlite;
mod staging;
mod stuck;
mod take_up;

pub use access::{Session, Token, User};
pub use audit::AuditEntry;
pub use backup::Restore;
pub use claim::Claimed;
pub use close::MESSAGE_CHARS_MAX;
pub use definition::{Definition, DefinitionChange, Definitions, definitions_in};
pub use error::{Error, Kind, Refusal, Result, next_step};
pub use figures::{Ended, MarkFilter, RunMark, SegmentSize};
pub use file::{DeliveredFile, FILES_LISTED_MAX, FileBehind, FileFilter};
pub use history::{RUNS_LISTED_MAX, RunBehind, RunFilter};
pub use hold::{Decision, Hold};
pub use open::{Ledger, SimulatedClock};
pub use place::{Address, Place, SCHEMA};
pub use run::{
    Baseline, Claim, CommittedObject, Counts, CurrentObject, Excluded, FileRecord, Intent,
    Movement, NewRun, OpenUpload, RunDetail, RunRecord, RunState, SnapshotInput, Stop,
};
pub use slot::{
    DEATHS_MAX, Disabled, ExportMark, NextAttempt, Origin, POISON, SlotClaim, SlotEnd, SlotKey,
    SlotRecord, SlotState,
};
pub use slots::{SLOTS_LISTED_MAX, SlotFilter};
pub use staging::SWEEP_MAX;
