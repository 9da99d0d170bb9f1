//! What the ledger holds of the schedule, as values.

use std::fmt;

use jiff::Timestamp;
use uuid::Uuid;

use crate::run::Stop;

/// The time of what does not begin by itself: the first day of the year 9999.
pub const NEVER: Timestamp = Timestamp::constant(253_370_764_800, 0);

/// A slot under whose attempts the process died so often is given up.
pub const DEATHS_MAX: u32 = 3;

/// The code of the stop of such a slot. It is given up only as long as none of those who were taken for
/// dead says that it lives.
pub const POISON: &str = "poison";

/// Which slot: an export (a segment of an activation) and a time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SlotKey {
    /// The activation's key.
    pub activation: String,
    /// The segment's key.
    pub segment: String,
    /// The time.
    pub slot: Timestamp,
}

/// Where a slot stands. It ends as delivered, or as skipped or failed, those with a reason. What is
/// visible is never taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SlotState {
    /// It waits for its turn, or for the time of its next attempt.
    Planned,
    /// A runner has it.
    Running,
    /// Its run is committed and cannot go on by itself, or a guard holds it.
    Blocked,
    /// The file set is visible.
    Delivered,
    /// It was not run, or there was nothing to send.
    Skipped,
    /// It was tried, and nothing is visible.
    Failed,
}

impl SlotState {
    /// All states, in the order of a slot's life.
    pub const ALL: [Self; 6] =
        [Self::Planned, Self::Running, Self::Blocked, Self::Delivered, Self::Skipped, Self::Failed];

    /// Returns the word for it, as it stands in the ledger and in what people read.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Running => "running",
            Self::Blocked => "blocked",
            Self::Delivered => "delivered",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
        }
    }

    /// Returns the state of a word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }

    /// Whether nothing more happens to the slot unless somebody asks for it.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Delivered | Self::Skipped | Self::Failed)
    }
}

impl fmt::Display for SlotState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why there is a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The schedule says so.
    Schedule,
    /// Somebody asked for it.
    Request,
    /// An earlier process left a run that is not over.
    Recovery,
}

impl Origin {
    /// All origins.
    pub const ALL: [Self; 3] = [Self::Schedule, Self::Request, Self::Recovery];

    /// Returns the word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Schedule => "schedule",
            Self::Request => "request",
            Self::Recovery => "recovery",
        }
    }
}

/// A slot, or many that were skipped together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotRecord {
    /// Which one; the last of many.
    pub key: SlotKey,
    /// The first of many; otherwise the slot itself.
    pub first_slot: Timestamp,
    /// How many slots this stands for.
    pub count: u64,
    /// The destination's key.
    pub destination: String,
    /// Why there is a slot.
    pub origin: Origin,
    /// Who asked for it.
    pub actor: Option<String>,
    /// Where it stands.
    pub state: SlotState,
    /// Why it is skipped, failed or blocked, or why the last attempt did not do.
    pub stop: Option<Stop>,
    /// Its run, once one began.
    pub run_id: Option<Uuid>,
    /// When it was planned, or skipped.
    pub planned: Timestamp,
    /// When the last attempt began.
    pub began: Option<Timestamp>,
    /// When it was over.
    pub finished: Option<Timestamp>,
    /// It is not begun before this time.
    pub not_before: Timestamp,
    /// Attempts that ended and did not do.
    pub attempts: u32,
    /// Attempts that began since one last ended, without those whose owners are known to live.
    pub starts: u32,
}

/// That a run is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NextAttempt {
    /// Whether it stays blocked until then; otherwise it waits for its turn.
    pub is_blocked: bool,
    /// It is not begun before this time.
    pub not_before: Timestamp,
}

/// The right to say what becomes of a slot, until somebody else takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotClaim {
    /// The slot.
    pub key: SlotKey,
    /// The number of the claim.
    pub epoch: u32,
    /// How many attempts began since one last ended, this one included, without those whose owners
    /// are known to live: more than one when the process died under them.
    pub starts: u32,
    /// Attempts that ended and did not do.
    pub attempts: u32,
}

/// What an attempt came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SlotEnd {
    /// The file set is visible.
    Delivered,
    /// There was nothing to send.
    Skipped(Stop),
    /// It will not be tried again.
    Failed(Stop),
    /// The run is committed, and goes on at this time.
    Blocked(Stop, Timestamp),
    /// A guard stopped the run, and nothing is visible; it waits for a person.
    Held(Stop),
    /// It is tried again at this time.
    Retry(Stop, Timestamp),
    /// Another process has the run; it is looked at again at this time.
    Elsewhere(Timestamp),
    /// The attempt was broken off without fault; it may begin at once.
    Released,
}

/// An export and up to where its slots are decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportMark {
    /// The activation's key.
    pub activation: String,
    /// The segment's key.
    pub segment: String,
    /// Every slot up to here is decided.
    pub decided_through: Timestamp,
}

/// An activation whose slots are skipped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disabled {
    /// The activation's key.
    pub activation: String,
    /// Since when.
    pub since: Timestamp,
    /// Who did it.
    pub actor: String,
}
