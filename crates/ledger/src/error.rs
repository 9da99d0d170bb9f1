//! What can go wrong with the ledger, and what to do next.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use uuid::Uuid;

use crate::run::RunState;

/// A result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// What went wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Another process has the ledger.
    #[error("the ledger {} is in use by another process{}", path.display(), owner_text(*owner))]
    Locked {
        /// The ledger's file.
        path: PathBuf,
        /// The id of that process, if it could be read.
        owner: Option<u32>,
    },
    /// Another worker owns the run.
    #[error("run {run_id} was taken over: epoch {epoch} is not the latest")]
    Fenced {
        /// The run.
        run_id: Uuid,
        /// The epoch of the worker that is fenced off.
        epoch: u32,
    },
    /// Another process works at the run, and its lease is not over.
    #[error("run {run_id} is in the hands of another process")]
    Elsewhere {
        /// The run.
        run_id: Uuid,
    },
    /// Somebody else has the slot.
    #[error(
        "the slot {slot} of {activation}/{segment} was taken over: epoch {epoch} is not the latest"
    )]
    SlotFenced {
        /// The activation.
        activation: String,
        /// The segment.
        segment: String,
        /// The slot.
        slot: Timestamp,
        /// The epoch of the claim that is fenced off.
        epoch: u32,
    },
    /// The run is in a state in which this step has no place.
    #[error("run {run_id} is {state} and cannot {step}")]
    State {
        /// The run.
        run_id: Uuid,
        /// Its state.
        state: RunState,
        /// What was attempted.
        step: &'static str,
    },
    /// There is no such run.
    #[error("there is no run {run_id}")]
    NotFound {
        /// The id that was asked for.
        run_id: Uuid,
    },
    /// A key cannot be written by this run.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// What was to be written contradicts itself or what the ledger holds.
    #[error("run {run_id} cannot be recorded: {fact}")]
    Inconsistent {
        /// The run.
        run_id: Uuid,
        /// What does not fit.
        fact: &'static str,
    },
    /// The ledger was written by a newer version of Segue.
    #[error("the ledger {place} has schema {found}, and this version knows only {known}")]
    NewerSchema {
        /// Where the ledger is.
        place: String,
        /// Its schema.
        found: i64,
        /// The newest schema that is known.
        known: i64,
    },
    /// The ledger was written by an older version and is open for reading only.
    #[error(
        "the ledger {place} has schema {found}, older than {known}, and is open for reading only"
    )]
    OlderSchema {
        /// Where the ledger is.
        place: String,
        /// Its schema.
        found: i64,
        /// The schema that is needed.
        known: i64,
    },
    /// The file, or the schema of the database, holds something else.
    #[error("{place} is a database, but not a ledger")]
    NotALedger {
        /// Where that is.
        place: String,
    },
    /// Only a ledger to which nothing was written can be filled from another one.
    #[error("there is something in the ledger {place} already")]
    NotEmpty {
        /// Where it is.
        place: String,
    },
    /// Only a ledger in a file can be asked for this.
    #[error("the ledger {place} is not a file")]
    NotAFile {
        /// Where it is.
        place: String,
    },
    /// The address of a database is no such thing. Nothing of it is here: it may hold a password.
    #[error("the address of the database {fact}")]
    Address {
        /// What is wrong with it.
        fact: String,
    },
    /// The database cannot be opened.
    #[error("the ledger {place} cannot be opened: {fact}")]
    Unopened {
        /// Where it is.
        place: String,
        /// What a caller can do about it.
        kind: Kind,
        /// What is in the way.
        fact: String,
        /// What to do about it.
        hint: &'static str,
    },
    /// The database went away, or does not answer any more. What was under way happened or did not;
    /// whoever asks again is told.
    #[error("the database of the ledger cannot be reached")]
    Unreachable(#[source] Cause),
    /// A pooler gives the connection to somebody else after each transaction, and nobody said so.
    #[error("a pooler between Segue and the database of the ledger changes connections")]
    Pooled(#[source] Cause),
    /// The file is damaged, or a value in it cannot be.
    #[error("the ledger is damaged")]
    Corrupt(#[source] Cause),
    /// The disk is full.
    #[error("the disk that holds the ledger {} is full", place.as_deref().unwrap_or("in the database"))]
    Full {
        /// Where the ledger is, if that is a file.
        place: Option<String>,
        /// What the database says.
        source: Cause,
    },
    /// The ledger's file or folder cannot be used.
    #[error("failed to {act} {}", path.display())]
    File {
        /// What was attempted.
        act: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The disk failed, or the file may not be written.
    #[error("the ledger cannot be written")]
    Io(#[source] Cause),
    /// An earlier write failed so that its outcome is unknown; nothing more is written.
    #[error("the ledger takes no more writes after a failed one")]
    Stopped,
    /// Another connection holds the database for too long.
    #[error("the ledger is busy")]
    Busy(#[source] Cause),
    /// Anything else that the database reports.
    #[error("the ledger failed")]
    Database(#[source] Cause),
}

/// What lies under an error of the ledger.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why a run may not write to a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Another run that is not over has reserved the key.
    #[error("key {key} is reserved by run {run_id} of {activation}/{segment} for {slot}")]
    KeyInUse {
        /// The key.
        key: String,
        /// The run that has it.
        run_id: Uuid,
        /// Its activation.
        activation: String,
        /// Its segment.
        segment: String,
        /// Its slot.
        slot: Timestamp,
    },
    /// Another run has delivered an object there, and the name is not static.
    #[error("key {key} already holds what run {run_id} delivered for {slot}")]
    KeyDelivered {
        /// The key.
        key: String,
        /// The run that delivered it.
        run_id: Uuid,
        /// Its slot.
        slot: Timestamp,
    },
    /// A run for a later slot has delivered there; going back is refused.
    #[error("key {key} already holds what the later run {run_id} delivered for {slot}")]
    Superseded {
        /// The key.
        key: String,
        /// The run that delivered it.
        run_id: Uuid,
        /// Its slot.
        slot: Timestamp,
    },
}

/// What a caller can do about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// Wait for the other process, or end it.
    Locked,
    /// Leave the run to its owner.
    Fenced,
    /// Choose another name, or finish the other run.
    Conflict,
    /// There is no such thing.
    NotFound,
    /// Use a newer version.
    NewerSchema,
    /// Restore the file.
    Corrupt,
    /// Free space.
    Full,
    /// Look at the disk and the permissions.
    Io,
    /// Try again.
    Busy,
    /// Wait for the database, or look at its address.
    Unreachable,
    /// Correct what signs in to the database.
    Denied,
    /// Correct what was asked for.
    Invalid,
    /// A fault of Segue.
    Internal,
}

impl Error {
    /// Returns what a caller can do about it.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Locked { .. } => Kind::Locked,
            Self::Fenced { .. } | Self::SlotFenced { .. } => Kind::Fenced,
            Self::Refused(_) => Kind::Conflict,
            Self::NotFound { .. } => Kind::NotFound,
            Self::NewerSchema { .. } | Self::OlderSchema { .. } => Kind::NewerSchema,
            Self::Corrupt(_) | Self::NotALedger { .. } => Kind::Corrupt,
            Self::Full { .. } => Kind::Full,
            Self::File { .. } | Self::Io(_) | Self::Stopped => Kind::Io,
            Self::Busy(_) | Self::Elsewhere { .. } => Kind::Busy,
            Self::Unreachable(_) | Self::Pooled(_) => Kind::Unreachable,
            Self::Unopened { kind, .. } => *kind,
            Self::Address { .. } | Self::NotAFile { .. } | Self::NotEmpty { .. } => Kind::Invalid,
            Self::State { .. } | Self::Inconsistent { .. } | Self::Database(_) => Kind::Internal,
        }
    }

    /// Returns the next step for a person, if there is one.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Locked { .. } => {
                "One process at a time runs with a state folder. Wait until the other one ends, or give this one \
                 a folder of its own with --state-dir."
            }
            Self::Refused(refusal) => refusal.hint(),
            Self::NewerSchema { .. } => "Use the version of Segue that wrote it, or a newer one.",
            Self::OlderSchema { .. } => {
                "Run any command that writes, such as `segue run`; it brings the ledger up to date."
            }
            Self::NotALedger { place } if place.starts_with("postgres://") => {
                "Name a schema that is empty or not there yet: `?schema=…` behind the address."
            }
            Self::NotALedger { .. } => "Name another state folder with --state-dir.",
            Self::NotEmpty { .. } => {
                "Name another one; what is in this one may not be in the other."
            }
            Self::NotAFile { .. } => "PostgreSQL looks after its pages itself.",
            Self::Address { .. } => {
                "Write `postgres://USER@HOST:5432/DATABASE`, and the password into SEGUE_DATABASE_PASSWORD."
            }
            Self::Unopened { hint, .. } => hint,
            Self::Unreachable(_) => {
                "Nothing is lost: what was committed goes on when the database is there again."
            }
            Self::Pooled(_) => {
                "Add `?pooler=transaction` to the address of the database. Nothing is lost."
            }
            Self::Corrupt(_) => {
                "Restore the state folder from a backup. Do not delete it: without it Segue cannot tell what was delivered."
            }
            Self::Full { .. } => {
                "Free some space on that disk, or move the state folder to a larger one and name it with --state-dir, and run again; nothing is lost, and committed runs go on where they stopped."
            }
            Self::File { .. } | Self::Io(_) => {
                "Check the disk and the permissions of the state folder, and run again."
            }
            Self::Stopped => "Start the process again; it goes on with what the ledger holds.",
            Self::Elsewhere { .. } => {
                "That process takes it to its end, or another one does within a minute of its death; `segue runs` shows it."
            }
            Self::Busy(_) => "Try again; another program is reading or copying the ledger.",
            Self::NotFound { .. } => "`segue runs` lists the runs.",
            _ => return None,
        })
    }
}

const KEY_IN_USE_HINT: &str = "Two runs may not write to the same key. Give one of them another file name or folder, or let the other run finish: the next `segue run` goes on with it.";
const KEY_DELIVERED_HINT: &str = "Put more of the time into the file name, such as %DATETIME(yyyyMMddHHmmss)%, or leave the time out to replace the object with every run.";

/// Returns what to do about a run that was refused, from what was told of it then: a ledger keeps the
/// sentence, and the next step follows from it.
pub fn next_step(told: &str) -> Option<&'static str> {
    let is_of_key = told.starts_with("key ");
    if is_of_key && told.contains(" is reserved by run ") {
        Some(KEY_IN_USE_HINT)
    } else if is_of_key && told.contains(" already holds what run ") {
        Some(KEY_DELIVERED_HINT)
    } else {
        None
    }
}

impl Refusal {
    fn hint(&self) -> &'static str {
        match self {
            Self::KeyInUse { .. } => KEY_IN_USE_HINT,
            Self::KeyDelivered { .. } => KEY_DELIVERED_HINT,
            Self::Superseded { .. } => {
                "A newer file set is in place, and an older one never replaces it."
            }
        }
    }
}

fn owner_text(owner: Option<u32>) -> String {
    owner.map(|pid| format!(" (process {pid})")).unwrap_or_default()
}

/// Primary result codes of SQLite (sqlite.org/rescode.html); extended ones hold them in the low byte.
mod result_code {
    pub(super) const BUSY: i32 = 5;
    pub(super) const LOCKED: i32 = 6;
    pub(super) const READONLY: i32 = 8;
    pub(super) const IOERR: i32 = 10;
    pub(super) const CORRUPT: i32 = 11;
    pub(super) const FULL: i32 = 13;
    pub(super) const CANTOPEN: i32 = 14;
    pub(super) const NOTADB: i32 = 26;
}

/// Codes of PostgreSQL (its manual, appendix A), by what they mean here.
fn of_postgres(code: &str, error: sqlx::Error) -> Error {
    match code {
        // The connection is gone: the server stops, was stopped, or ended an idle transaction.
        "57P01" | "57P02" | "57P03" | "57P05" | "25P03" | "25P02" => {
            Error::Unreachable(error.into())
        }
        _ if code.starts_with("08") => Error::Unreachable(error.into()),
        "53100" => Error::Full { place: None, source: cause(error) },
        "XX001" | "XX002" => Error::Corrupt(error.into()),
        // A standby, or somebody who may only read.
        "25006" | "42501" => Error::Io(error.into()),
        // A statement that this connection was not told, or was told by somebody else.
        "26000" | "42P05" => Error::Pooled(error.into()),
        // No connection, no lock, no answer in time, or a deadlock with something that is not Segue.
        "53300" | "55P03" | "57014" | "40001" | "40P01" => Error::Busy(error.into()),
        _ => Error::Database(error.into()),
    }
}

/// What the database itself says.
fn cause(error: sqlx::Error) -> Cause {
    match error {
        sqlx::Error::Database(said) => said.into_error(),
        other => other.into(),
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        let of_postgres_server = error
            .as_database_error()
            .and_then(|error| error.try_downcast_ref::<sqlx::postgres::PgDatabaseError>())
            .map(|error| error.code().to_owned());
        if let Some(code) = of_postgres_server {
            return of_postgres(&code, error);
        }
        let code = error
            .as_database_error()
            .and_then(sqlx::error::DatabaseError::code)
            .and_then(|code| code.parse::<i32>().ok());
        match code.map(|code| code & 0xff) {
            Some(result_code::FULL) => Self::Full { place: None, source: cause(error) },
            Some(result_code::CORRUPT | result_code::NOTADB) => Self::Corrupt(error.into()),
            Some(result_code::IOERR | result_code::READONLY | result_code::CANTOPEN) => {
                Self::Io(error.into())
            }
            Some(result_code::BUSY | result_code::LOCKED) => Self::Busy(error.into()),
            _ => Self::from_driver(error),
        }
    }
}

impl Error {
    /// Says which file is meant, where an error is about the disk that holds it.
    pub(crate) fn of_file(self, file: &Path) -> Self {
        match self {
            Self::Full { source, .. } => {
                Self::Full { place: Some(file.display().to_string()), source }
            }
            other => other,
        }
    }

    /// Errors that come from the driver rather than from the database.
    fn from_driver(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::Decode(_)
            | sqlx::Error::ColumnDecode { .. }
            | sqlx::Error::TypeNotFound { .. } => Self::Corrupt(error.into()),
            // SQLite's own failures are not of these kinds; there is a network in between.
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::BeginFailed => Self::Unreachable(error.into()),
            sqlx::Error::PoolTimedOut => Self::Busy(error.into()),
            _ => Self::Database(error.into()),
        }
    }
}
