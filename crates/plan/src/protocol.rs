//! How a run becomes visible, whole or not at all: the state machine of one worker on one run.
//!
//! It begins after a successful claim and ends with [`Effect::Stop`]. It is pure: [`step`] takes a
//! state and an event and returns the next state and what is to be done. Whoever drives it performs
//! each [`Effect`] with the ledger and the store and feeds the outcome back as an [`Event`], one event
//! for each effect (none for `Stop`); it takes no decision of its own. The machine holds no names,
//! ids or checksums. Objects are addressed by their index in the commit record: the data files in
//! order, then the manifest, if there is one, last.
//!
//! ```text
//!  RollingBack ─▶ Staging ─▶ Committing ─▶ Publishing ─▶ Delivering ─▶ Stopped
//!                    │                          │                        ▲
//!                    └─▶ Discarding ─▶ Closing ◀┘ (blocked)               │
//!                                         └──────────────────────────────┘
//! ```
//!
//! The commit record is the point of no return. Before it nothing can be completed, and a run only
//! goes back; after it a run only goes forward, and *blocked* is a stop that a later process enters
//! again. A run that a guard stopped is *held* before it: nothing of it is left, and it begins anew
//! when somebody releases it. Only the upload ids in the commit record can ever become visible, and they are the same for
//! every worker, so that a late request of a worker that lost the run does what the run's owner wants
//! done anyway. Ledger writes carry the epoch; a worker whose epoch is old is told so with
//! [`Event::Fenced`] and stops at once, leaving everything to the owner.
//!
//! The rules for unclear answers are a table at the head of `publication.rs`. The explorer in the tests
//! drives [`step`] with two workers, crashes, take-overs, and lost, repeated and late requests through every reachable
//! state.
//!
//! ```
//! use plan::protocol::{Answer, Effect, Entry, Event, Limits, Seen, Upload, Verification, begin, step};
//!
//! let (state, effects) = begin(Entry::Fresh, Limits::default());
//! assert_eq!(effects, [Effect::Stage]);
//! let (state, effects) = step(state, Event::Staged { data_files: 1, manifest: false });
//! assert_eq!(effects, [Effect::RecordCommit]);
//! let (state, _) = step(state, Event::CommitRecorded);
//! let (state, _) = step(state, Event::Completed { object: 0, answer: Answer::Done });
//! let (_, effects) = step(state, Event::Inspected { object: 0, seen: Seen::Ours, upload: Upload::Gone });
//! assert_eq!(effects, [Effect::RecordPublished { object: 0, verification: Verification::Checked }]);
//! ```

use std::fmt;
use std::time::Duration;

use crate::staged::Condition;

mod publication;

use publication::{Outcome, Publication};

/// How often a request to complete one upload is sent, before the run is blocked.
pub const COMPLETIONS_MAX: u8 = 10;
/// How often in a row looking at an object may fail without an answer.
pub const INSPECTIONS_MAX: u8 = 10;
/// How often a lost object is uploaded again.
pub const REPAIRS_MAX: u8 = 3;
/// How often completing one upload may be denied. After the first denial the credentials are fetched
/// again, in case they were renewed.
pub const DENIALS_MAX: u8 = 2;
/// How many objects are worked on at the same time.
pub const IN_FLIGHT_MAX: usize = 16;
/// The most objects of one run, the manifest included.
pub const OBJECTS_MAX: usize = 100_000;
/// The longest pause before the second attempt of anything; it doubles with every further attempt.
pub const PAUSE_FIRST: Duration = Duration::from_millis(100);
/// The longest pause before any attempt.
pub const PAUSE_MAX: Duration = Duration::from_secs(20);

/// The bounds of a run's patience; the constants of this module by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Limits {
    /// See [`COMPLETIONS_MAX`].
    pub completions: u8,
    /// See [`INSPECTIONS_MAX`].
    pub inspections: u8,
    /// See [`REPAIRS_MAX`].
    pub repairs: u8,
    /// See [`DENIALS_MAX`].
    pub denials: u8,
    /// See [`IN_FLIGHT_MAX`].
    pub in_flight: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            completions: COMPLETIONS_MAX,
            inspections: INSPECTIONS_MAX,
            repairs: REPAIRS_MAX,
            denials: DENIALS_MAX,
            in_flight: IN_FLIGHT_MAX,
        }
    }
}

/// Returns the longest pause before an attempt, counted from 1. The caller waits a random part of
/// it, so that workers that failed together do not come back together.
pub fn pause_before(attempt: u8) -> Duration {
    if attempt <= 1 {
        return Duration::ZERO;
    }
    let doublings = u32::from(attempt - 2).min(16);
    (PAUSE_FIRST * 2_u32.pow(doublings)).min(PAUSE_MAX)
}

/// What the ledger holds when a worker enters a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// Nothing: nobody has staged anything.
    Fresh,
    /// Uploads, but no commit record: they are aborted, and the run is staged again.
    RollBack,
    /// A commit record.
    RollForward {
        /// For each object of it, in order, whether the ledger holds that it is visible.
        published: Vec<bool>,
        /// Whether the last object is the manifest.
        manifest: bool,
    },
}

/// What is to be done next.
///
/// An attempt is counted from 1; before every further one the driver waits a part of
/// [`pause_before`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Make every object and upload it, nothing visible, with an intent in the ledger before each
    /// upload. Answered by `Staged`, `NothingToSend` or `StagingFailed`.
    Stage,
    /// Write the commit record. Answered by `CommitRecorded`.
    RecordCommit,
    /// Send one request that completes the object's upload, with the condition of the commit record.
    /// Answered by `Completed`.
    Complete {
        /// Index in the commit record.
        object: usize,
        /// Counted from 1 for each upload.
        attempt: u8,
        /// Whether to fetch the credentials again first.
        credentials: Credentials,
    },
    /// Ask whether the upload is still open, and *then* look at the object. The other order could
    /// miss a completion that lands between the two. Answered by `Inspected`.
    Inspect {
        /// Index in the commit record.
        object: usize,
        /// Counted from 1 since the last answer.
        attempt: u8,
    },
    /// Upload the same bytes under a new upload id, with the same token and the same condition, after
    /// the old id was aborted and the service confirmed that it is dead. Answered by `Repaired` or
    /// `RepairFailed`.
    Repair {
        /// Index in the commit record.
        object: usize,
        /// Counted from 1.
        attempt: u8,
    },
    /// Put the new upload in the place of the old one in the commit record. Answered by
    /// `ReplacementRecorded`.
    RecordReplacement {
        /// Index in the commit record.
        object: usize,
    },
    /// Write down that the object is visible, with the ETag that was seen last. Answered by
    /// `PublishedRecorded`.
    RecordPublished {
        /// Index in the commit record.
        object: usize,
        /// Whether it was looked at.
        verification: Verification,
    },
    /// Close the run as delivered. Answered by `DeliveryRecorded`.
    RecordDelivery,
    /// Abort every upload of the run that the ledger lists for this epoch or an earlier one, and take
    /// each out of the ledger when it is confirmed dead. Answered by `Aborted`.
    AbortUploads,
    /// Close the run as what it came to, or mark it blocked. Answered by `CloseRecorded`.
    RecordClose(Close),
    /// The worker is done with the run; nothing more comes.
    Stop(End),
}

impl Effect {
    /// A word for people who look at where the time goes.
    pub fn name(self) -> &'static str {
        match self {
            Self::Stage => "stage",
            Self::RecordCommit => "record commit",
            Self::Complete { .. } => "complete",
            Self::Inspect { .. } => "inspect",
            Self::Repair { .. } => "repair",
            Self::RecordReplacement { .. } => "record replacement",
            Self::RecordPublished { .. } => "record published",
            Self::RecordDelivery => "record delivery",
            Self::AbortUploads => "abort uploads",
            Self::RecordClose(_) => "record close",
            Self::Stop(_) => "stop",
        }
    }
}

/// Which credentials a request uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Credentials {
    /// Those at hand.
    AtHand,
    /// Fetched again before the request.
    Refreshed,
}

/// Whether a visible object was looked at after it was completed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verification {
    /// Token, size and checksum or ETag are those that were staged.
    Checked,
    /// The service said that it is done, and does not let us look.
    Unseen,
}

/// What happened. All but `Fenced` and `LedgerFailed` answer the effect that their name repeats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Event {
    /// All objects are uploaded, and nothing of them is visible.
    Staged {
        /// How many data files, at least one.
        data_files: usize,
        /// Whether a manifest follows them.
        manifest: bool,
    },
    /// There are no rows, and the destination wants no file without rows.
    NothingToSend,
    /// The run cannot be staged, or must not be sent.
    StagingFailed(Failure),
    /// The commit record is durable.
    CommitRecorded,
    /// A request to complete an upload came to an end.
    Completed {
        /// Index in the commit record.
        object: usize,
        /// What the service said.
        answer: Answer,
    },
    /// The service was asked about an object.
    Inspected {
        /// Index in the commit record.
        object: usize,
        /// What is at the key.
        seen: Seen,
        /// What is known of the upload.
        upload: Upload,
    },
    /// The object's bytes are at the service again, under a new upload id.
    Repaired {
        /// Index in the commit record.
        object: usize,
    },
    /// The object could not be uploaded again.
    RepairFailed {
        /// Index in the commit record.
        object: usize,
        /// Why.
        failure: RepairFailure,
    },
    /// The commit record names the new upload.
    ReplacementRecorded {
        /// Index in the commit record.
        object: usize,
    },
    /// The ledger holds that the object is visible.
    PublishedRecorded {
        /// Index in the commit record.
        object: usize,
    },
    /// The run is delivered.
    DeliveryRecorded,
    /// The uploads are aborted; those that could not be aborted stay in the ledger for a later sweep,
    /// and nobody can complete them.
    Aborted,
    /// The run is closed, or marked as blocked.
    CloseRecorded,
    /// A ledger write was refused: another worker owns the run. It answers any effect that writes.
    Fenced,
    /// A ledger write failed or its outcome is unknown. It answers any effect that writes.
    LedgerFailed,
}

/// What a service said to a request to complete an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Answer {
    /// A well-formed result: the object is visible.
    Done,
    /// A timeout, a reset, a 5xx, a 200 with an error inside, a cut body: anything may have happened.
    Unclear,
    /// 404 NoSuchUpload: completed earlier, or aborted.
    Gone,
    /// 412: the condition did not hold, perhaps because an earlier request has completed the upload.
    ConditionFailed,
    /// 409: another write was under way.
    Conflict,
    /// 403. Some services say so when the upload is completed already.
    Denied,
    /// 400 InvalidPart and its kin: what was staged is not what the service holds.
    Refused,
    /// 301, 307, 400 AuthorizationHeaderMalformed: the bucket is elsewhere.
    Misdirected,
}

/// What is at an object's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Seen {
    /// The staged object: token, size and checksum or ETag are equal.
    Ours,
    /// An object with the token of the staged one and another size or checksum.
    OursButDifferent,
    /// What the condition asks for, so that the object can still become visible.
    AsBefore,
    /// Anything else.
    Foreign,
    /// The service does not let us look.
    CannotSee,
    /// No usable answer.
    Unanswered,
}

impl Seen {
    /// Judges a key at which the staged object is not: by the ETag of what is there, if anything is.
    pub fn instead(condition: &Condition, etag: Option<&str>) -> Self {
        match (condition, etag) {
            (Condition::Absent, None) => Self::AsBefore,
            (Condition::Unchanged { etag: before }, Some(etag)) if same_etag(before, etag) => {
                Self::AsBefore
            }
            _ => Self::Foreign,
        }
    }
}

/// Some services put ETags in quotes in one answer and leave them out in the next.
fn same_etag(left: &str, right: &str) -> bool {
    left.trim_matches('"') == right.trim_matches('"')
}

/// What is known of an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Upload {
    /// It is open.
    Alive,
    /// There is none: completed, aborted, or lost.
    Gone,
    /// The service does not say.
    Unknown,
}

/// Why nothing was staged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Failure {
    /// A guard stopped the run: it is held until somebody decides.
    Guard,
    /// Something stands where an object would be written.
    InTheWay,
    /// The service cannot be reached, or refuses: endpoint, credentials, permissions, bucket.
    Connection,
    /// It may work later.
    Temporary,
    /// The user stopped it.
    Interrupted,
    /// Anything else: the input, the rule, the disk.
    Other,
}

impl Failure {
    /// Returns the word for the ledger and for machines.
    pub fn code(self) -> &'static str {
        match self {
            Self::Guard => "guard",
            Self::InTheWay => "in_the_way",
            Self::Connection => "connection",
            Self::Temporary => "temporary",
            Self::Interrupted => "interrupted",
            Self::Other => "failed",
        }
    }
}

/// Why an object could not be uploaded again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RepairFailure {
    /// It may work later.
    Temporary,
    /// The same input gave other bytes; mixing them with what is visible is out of the question.
    BytesDiffer,
    /// The bytes cannot be made again: the input is gone, or the service refuses.
    Impossible,
}

/// What a run comes to when it is not delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Close {
    /// Nothing was sent, as there was nothing to send.
    Skipped,
    /// Nothing was sent.
    Failed(Failure),
    /// A guard stopped it. Nothing was sent, and nothing will be until somebody releases it.
    Held,
    /// It is committed and cannot go on by itself.
    Blocked(Blocked),
}

/// An object that keeps a committed run from going on, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Blocked {
    /// Index in the commit record.
    pub object: usize,
    /// What is in the way.
    pub reason: Reason,
}

/// What keeps a committed run from going on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The visible object is damaged.
    Quarantined,
    /// Somebody else has written or deleted at the key.
    TargetChanged,
    /// The service lost the upload, and the bytes cannot be made again.
    UploadLost,
    /// The upload is lost, and the same input now gives other bytes.
    NotReproducible,
    /// The service refuses what was staged.
    Refused,
    /// The bucket is in another region or at another address.
    Misdirected,
    /// The service denies the request.
    Denied,
    /// The service does not let us look, and without looking nothing is certain.
    CannotSee,
    /// No clear answer after many attempts.
    Unsettled,
}

impl Reason {
    /// Returns the word for the ledger and for machines.
    pub fn code(self) -> &'static str {
        match self {
            Self::Quarantined => "quarantined",
            Self::TargetChanged => "target_changed",
            Self::UploadLost => "upload_lost",
            Self::NotReproducible => "not_reproducible",
            Self::Refused => "refused",
            Self::Misdirected => "misdirected",
            Self::Denied => "denied",
            Self::CannotSee => "cannot_see",
            Self::Unsettled => "unsettled",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Quarantined => "the object became visible with other bytes than were staged",
            Self::TargetChanged => "another writer changed what is at the key",
            Self::UploadLost => "the service lost the upload",
            Self::NotReproducible => "the upload is lost and its bytes could not be made again",
            Self::Refused => "the service refused the parts that were staged",
            Self::Misdirected => "the bucket answers from another region or address",
            Self::Denied => "the service denied the request",
            Self::CannotSee => "the service does not say whether the object is there",
            Self::Unsettled => "the service gave no clear answer",
        })
    }
}

/// How a worker's part in a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum End {
    /// The file set is visible and the ledger says so.
    Delivered,
    /// Nothing was visible, and nothing will be.
    Skipped,
    /// Nothing was visible, and nothing will be unless the run is claimed again.
    Failed(Failure),
    /// Nothing was visible, and nothing will be unless somebody releases the run.
    Held,
    /// The run is committed; the next process that claims it goes on.
    Blocked(Blocked),
    /// Another worker owns the run.
    Fenced,
    /// The ledger could not be written; what it holds decides what the next process does.
    LedgerFailed,
    /// An event came that answers no effect: a fault of the driver. Nothing is lost, as the ledger
    /// holds what the next process needs.
    OutOfOrder,
}

impl From<Close> for End {
    fn from(close: Close) -> Self {
        match close {
            Close::Skipped => Self::Skipped,
            Close::Failed(failure) => Self::Failed(failure),
            Close::Held => Self::Held,
            Close::Blocked(blocked) => Self::Blocked(blocked),
        }
    }
}

/// Where a worker stands in a run.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct State {
    phase: Phase,
    limits: Limits,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Phase {
    /// Aborting what an earlier worker left.
    RollingBack,
    /// Making and uploading the objects.
    Staging,
    /// Writing the commit record.
    Committing { data_files: usize, manifest: bool },
    /// Making the objects visible.
    Publishing(Publication),
    /// Closing the run as delivered.
    Delivering,
    /// Aborting what this worker has uploaded.
    Discarding(Close),
    /// Closing the run as anything else.
    Closing(Close),
    /// Done; whatever comes late changes nothing.
    Stopped,
}

impl State {
    /// Returns whether the run is past the point of no return: it must not be interrupted any more
    /// than a crash would interrupt it.
    pub fn is_committed(&self) -> bool {
        matches!(
            self.phase,
            Phase::Publishing(_) | Phase::Delivering | Phase::Closing(Close::Blocked(_))
        )
    }
}

/// Enters a run.
pub fn begin(entry: Entry, limits: Limits) -> (State, Vec<Effect>) {
    let (phase, effects) = match entry {
        Entry::Fresh => (Phase::Staging, vec![Effect::Stage]),
        Entry::RollBack => (Phase::RollingBack, vec![Effect::AbortUploads]),
        Entry::RollForward { published, manifest } => {
            advance(Publication::resume(&published, manifest), &limits)
        }
    };
    (State { phase, limits }, effects)
}

/// Takes one step.
pub fn step(state: State, event: Event) -> (State, Vec<Effect>) {
    let State { phase, limits } = state;
    let (phase, effects) = match (phase, event) {
        (Phase::Stopped, _) => (Phase::Stopped, Vec::new()),
        (_, Event::Fenced) => stop(End::Fenced),
        (_, Event::LedgerFailed) => stop(End::LedgerFailed),
        (Phase::RollingBack, Event::Aborted) => (Phase::Staging, vec![Effect::Stage]),
        (Phase::Staging, Event::Staged { data_files, manifest }) if data_files > 0 => {
            (Phase::Committing { data_files, manifest }, vec![Effect::RecordCommit])
        }
        (Phase::Staging, Event::NothingToSend) => discard(Close::Skipped),
        (Phase::Staging, Event::StagingFailed(Failure::Guard)) => discard(Close::Held),
        (Phase::Staging, Event::StagingFailed(failure)) => discard(Close::Failed(failure)),
        (Phase::Discarding(close), Event::Aborted) => close_as(close),
        (Phase::Committing { data_files, manifest }, Event::CommitRecorded) => {
            advance(Publication::start(data_files, manifest), &limits)
        }
        (Phase::Publishing(publication), event) => publish(publication, event, &limits),
        (Phase::Delivering, Event::DeliveryRecorded) => stop(End::Delivered),
        (Phase::Closing(close), Event::CloseRecorded) => stop(close.into()),
        _ => stop(End::OutOfOrder),
    };
    (State { phase, limits }, effects)
}

fn publish(mut publication: Publication, event: Event, limits: &Limits) -> (Phase, Vec<Effect>) {
    match publication.handle(event, limits) {
        Outcome::Next(effect) => (Phase::Publishing(publication), vec![effect]),
        Outcome::Settled => advance(publication, limits),
        Outcome::OutOfOrder => stop(End::OutOfOrder),
    }
}

/// Starts whatever may start now, or leaves the publication when there is nothing left of it.
fn advance(mut publication: Publication, limits: &Limits) -> (Phase, Vec<Effect>) {
    if let Some(blocked) = publication.blocked() {
        if publication.is_quiet() {
            return close_as(Close::Blocked(blocked));
        }
        return (Phase::Publishing(publication), Vec::new());
    }
    if publication.is_whole() {
        return (Phase::Delivering, vec![Effect::RecordDelivery]);
    }
    let effects = publication.fill(limits);
    (Phase::Publishing(publication), effects)
}

fn discard(close: Close) -> (Phase, Vec<Effect>) {
    (Phase::Discarding(close), vec![Effect::AbortUploads])
}

fn close_as(close: Close) -> (Phase, Vec<Effect>) {
    (Phase::Closing(close), vec![Effect::RecordClose(close)])
}

fn stop(end: End) -> (Phase, Vec<Effect>) {
    (Phase::Stopped, vec![Effect::Stop(end)])
}

#[cfg(test)]
mod explorer;
#[cfg(test)]
mod tests;
