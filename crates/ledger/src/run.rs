//! What the ledger holds, as values: runs, their files, their inputs, their counts.

use crate::hold::Hold;
use std::fmt;

use jiff::Timestamp;
use plan::RunPlan;
use plan::project::Export;
use plan::protocol::{Entry, Verification};
use plan::staged::{ObjectKind, PublishedObject, StagedObject};
use uuid::Uuid;

/// Where a run stands.
///
/// | from | step | to |
/// |---|---|---|
/// | (none), claimed, staging, failed | claim | claimed |
/// | committing, blocked | claim | committing |
/// | claimed | pin the snapshot | staging |
/// | staging | commit | committing |
/// | committing | deliver | delivered |
/// | committing | block | blocked |
/// | claimed, staging | skip, fail | skipped, failed |
///
/// Delivered and skipped are final. Failed can be claimed again; until then it holds no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RunState {
    /// A worker has it, and nothing is known of its input.
    Claimed,
    /// Its input is pinned; objects are being uploaded, and nothing is visible.
    Staging,
    /// The commit record is written: it only goes forward.
    Committing,
    /// The file set is visible.
    Delivered,
    /// There was nothing to send.
    Skipped,
    /// Nothing was visible.
    Failed,
    /// Committed, and stopped by something that needs a look; the next claim goes on.
    Blocked,
}

impl RunState {
    /// All states, in the order of a run's life.
    pub const ALL: [Self; 7] = [
        Self::Claimed,
        Self::Staging,
        Self::Committing,
        Self::Delivered,
        Self::Skipped,
        Self::Failed,
        Self::Blocked,
    ];

    /// Returns the word for it, as it stands in the ledger and in what people read.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Claimed => "claimed",
            Self::Staging => "staging",
            Self::Committing => "committing",
            Self::Delivered => "delivered",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
            Self::Blocked => "blocked",
        }
    }

    /// Returns the state of a word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }

    /// Whether the run is over: no key is reserved, and nothing happens without a new claim.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Delivered | Self::Skipped | Self::Failed)
    }
}

impl fmt::Display for RunState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What is known of a run before it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRun {
    /// The same for the same slot, whoever asks.
    pub run_id: Uuid,
    /// The time for which the run is due.
    pub slot: Timestamp,
    /// The activation's key.
    pub activation: String,
    /// The segment's key.
    pub segment: String,
    /// The segment's id.
    pub segment_id: Uuid,
    /// The destination's key.
    pub destination: String,
    /// Names the place of the objects, bucket included, the same for every process that delivers
    /// there. It holds no secret. Keys are unique within it.
    pub store: String,
    /// The bucket, for people; empty for a folder.
    pub bucket: String,
    /// What the keys of the data files begin with.
    pub stem: String,
    /// The keys that are known already: of the first data file, and of the manifest.
    pub keys: Vec<String>,
    /// Whether each run replaces the objects of the last one.
    pub is_static: bool,
    /// Which rows it sends.
    pub export: Export,
}

impl NewRun {
    /// Takes the facts from a plan; `store` is the destination's identity.
    pub fn of(plan: &RunPlan, store: &str) -> Self {
        let output = &plan.output;
        let mut keys = vec![output.key(1)];
        keys.extend(output.manifest_key.clone());
        Self {
            run_id: plan.run_id,
            slot: plan.slot,
            activation: plan.activation.clone(),
            segment: plan.segment.clone(),
            segment_id: plan.segment_id,
            destination: plan.destination.clone(),
            store: store.to_owned(),
            bucket: output.bucket.clone(),
            stem: output.stem.clone(),
            keys,
            is_static: output.is_static,
            export: plan.export,
        }
    }
}

/// The right to write about a run until somebody else claims it, and what earlier workers left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The run.
    pub run_id: Uuid,
    /// The number of the claim, counted from 1.
    pub epoch: u32,
    /// Uploads that no commit record names. They are to be aborted.
    pub uploads: Vec<OpenUpload>,
    /// The commit record in order, empty before there is one.
    pub commit: Vec<CommittedObject>,
}

impl Claim {
    /// Returns how to enter the protocol.
    pub fn entry(&self) -> Entry {
        if let Some(last) = self.commit.last() {
            return Entry::RollForward {
                published: self.commit.iter().map(|object| object.published.is_some()).collect(),
                manifest: last.staged.kind == ObjectKind::Manifest,
            };
        }
        if self.uploads.is_empty() { Entry::Fresh } else { Entry::RollBack }
    }
}

/// The number of an upload's row; written before the upload exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Intent(pub(crate) i64);

/// An upload that no commit record names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenUpload {
    /// Names it towards the ledger.
    pub intent: Intent,
    /// The run it was meant for.
    pub run_id: Uuid,
    /// The epoch of the worker that opened it.
    pub epoch: u32,
    /// Names the place of its object.
    pub store: String,
    /// The number of the file, 0 for the manifest.
    pub number: u32,
    /// Where its object would have been visible.
    pub key: String,
    /// The token in its metadata.
    pub token: String,
    /// Its id; unknown if the worker died before it could write it down, and then the upload may or
    /// may not exist.
    pub upload_id: Option<String>,
    /// When it was about to be opened.
    pub intended: Timestamp,
}

/// An object of a commit record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommittedObject {
    /// What was staged.
    pub staged: StagedObject,
    /// What became visible, if that is recorded.
    pub published: Option<PublishedObject>,
}

/// An input file of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotInput {
    /// A path or an `s3://` address.
    pub location: String,
    /// Its size.
    pub bytes: u64,
    /// The ETag, or the time of the last change: what tells one content from another.
    pub version: String,
    /// Its rows, if they are known without reading it.
    pub rows: Option<u64>,
}

/// How many profiles came in, went out, and did not.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counts {
    /// Profiles of the segment.
    pub received: u64,
    /// Profiles sent.
    pub activated: u64,
    /// Profiles not sent, by reason.
    pub excluded: Vec<Excluded>,
    /// How the set moved, in an incremental run.
    pub movement: Option<Movement>,
}

/// How the set of rows that a full export would send moved since the run that it is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Movement {
    /// Rows that a full export would have sent.
    pub members: u64,
    /// Rows for those who were not in the set.
    pub added: u64,
    /// Rows for those whose attributes differ.
    pub changed: u64,
    /// Rows for those who are not in the set any more.
    pub removed: u64,
    /// The run whose set the receiver has; nothing for a first, full file.
    pub compared_with: Option<Uuid>,
}

/// Profiles that were not sent for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excluded {
    /// A code and the column it is about; never a value.
    pub reason: String,
    /// How many.
    pub profiles: u64,
}

/// A run, as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunRecord {
    /// Its id.
    pub run_id: Uuid,
    /// The time for which it was due.
    pub slot: Timestamp,
    /// The activation's key.
    pub activation: String,
    /// The segment's key.
    pub segment: String,
    /// The segment's id.
    pub segment_id: Uuid,
    /// The destination's key.
    pub destination: String,
    /// Names the place of the objects.
    pub store: String,
    /// The bucket, empty for a folder.
    pub bucket: String,
    /// What the keys of the data files begin with.
    pub stem: String,
    /// Whether each run replaces the objects of the last one.
    pub is_static: bool,
    /// Where it stands.
    pub state: RunState,
    /// How often it was claimed.
    pub epoch: u32,
    /// The claim by which its objects were staged, known from the commit record on. What an attempt
    /// leaves outside the ledger is named after it, so that no other attempt can touch it.
    pub staged_epoch: Option<u32>,
    /// When it was claimed for the first time.
    pub first_claimed: Timestamp,
    /// When it was claimed last.
    pub claimed: Timestamp,
    /// When the commit record was written.
    pub committed: Option<Timestamp>,
    /// When it came to an end, good or bad.
    pub finished: Option<Timestamp>,
    /// Profiles of the segment, known from the commit record on.
    pub received: Option<u64>,
    /// Profiles sent, known from the commit record on.
    pub activated: Option<u64>,
    /// Which rows it sends.
    pub export: Export,
    /// How the set moved, known of incremental runs from the commit record on.
    pub movement: Option<Movement>,
    /// Data files in the commit record.
    pub files: u32,
    /// Rows in them.
    pub rows: u64,
    /// Bytes in them.
    pub bytes: u64,
    /// Why it failed, was skipped or is blocked.
    pub stop: Option<Stop>,
}

impl RunRecord {
    /// Whether it is past the point of no return and not over: it only goes forward.
    pub fn is_committed(&self) -> bool {
        matches!(self.state, RunState::Committing | RunState::Blocked) && self.committed.is_some()
    }

    /// Whether a guard stopped it and nothing of it is visible.
    pub fn is_held(&self) -> bool {
        self.state == RunState::Blocked && self.committed.is_none()
    }
}

/// Why a run did not go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stop {
    /// A word for machines.
    pub code: String,
    /// For people.
    pub message: String,
}

/// A run with everything that belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunDetail {
    /// The run.
    pub run: RunRecord,
    /// Its objects, the manifest last.
    pub files: Vec<FileRecord>,
    /// Profiles that were not sent.
    pub excluded: Vec<Excluded>,
    /// What it read.
    pub inputs: Vec<SnapshotInput>,
    /// That a guard stopped it, and what was decided.
    pub hold: Option<Hold>,
}

/// An object of a run's commit record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileRecord {
    /// What it is.
    pub kind: ObjectKind,
    /// Its number, 0 for the manifest.
    pub number: u32,
    /// Where it is, or will be.
    pub key: String,
    /// Rows in it, without header.
    pub rows: u64,
    /// Characters that the encoding lacks and that became question marks.
    pub replaced: u64,
    /// Its size.
    pub bytes: u64,
    /// SHA-256, lower-case hex.
    pub sha256: String,
    /// When it was recorded as visible.
    pub published: Option<Timestamp>,
    /// Its ETag once it is visible.
    pub etag: Option<String>,
    /// Its version in a versioned bucket.
    pub version_id: Option<String>,
    /// Whether it was looked at after it became visible.
    pub verification: Option<Verification>,
}

/// The newest delivered run of a segment of an activation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Baseline {
    /// The run.
    pub run_id: Uuid,
    /// Its slot.
    pub slot: Timestamp,
    /// The rows of its data files.
    pub rows: u64,
    /// When it was delivered.
    pub finished: Timestamp,
}

/// What the last delivered run left at a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CurrentObject {
    /// Its ETag, as the service gave it.
    pub etag: String,
    /// The run.
    pub run_id: Uuid,
    /// The run's slot.
    pub slot: Timestamp,
}
