//! Which slots are planned, and what becomes of those that are not: the scheduler as plain
//! arithmetic.
//!
//! A slot is data and not an event. Each pass looks at the slots of one export (a segment of an
//! activation) that came since the last pass, and decides about every one of them: it is planned, or
//! it is skipped for a reason that is written down. Whoever repeats a pass decides the same.
//!
//! Nothing here asks for the time. [`clock`] tells whether the time that comes in can be believed, and
//! [`turn`] whose turn it is.

pub mod clock;
pub mod turn;

#[cfg(test)]
mod oracle;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};

use crate::project::Schedule;
use crate::schedule::SLOTS_MAX;

/// The most slots of one export that one pass writes down one by one; older ones are one entry.
pub const SLOTS_NAMED_MAX: usize = 1_000;
/// The most slots of one export that wait at a time.
pub const WAITING_MAX: usize = 100;
/// How late a slot may be planned and still count as on time, for exports that do not catch up.
pub const ON_TIME: SignedDuration = SignedDuration::from_mins(1);
/// How old a missed slot may be, unless the project says otherwise.
pub const CATCH_UP_WINDOW: SignedDuration = SignedDuration::from_hours(24);

/// What happens to slots that were missed, because nothing ran at their time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CatchUp {
    /// The latest one is made up for. A full file holds what the earlier ones would have, and an
    /// increment begins where the last delivered one ended.
    #[default]
    Latest,
    /// Each of them, at most [`WAITING_MAX`].
    All,
    /// None.
    None,
}

impl CatchUp {
    /// Returns the word of the project file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Latest => "latest",
            Self::All => "all",
            Self::None => "none",
        }
    }
}

/// What happens to a slot that comes while the one before is not over. Two runs of one export never
/// run at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Overlap {
    /// It waits; a later one takes the place of the one that waits.
    #[default]
    Queue,
    /// It is skipped.
    Skip,
    /// It waits, and so do those behind it, at most [`WAITING_MAX`].
    QueueAll,
}

impl Overlap {
    /// Returns the word of the project file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queue => "queue",
            Self::Skip => "skip",
            Self::QueueAll => "queue-all",
        }
    }
}

/// How an export treats slots that cannot simply run at their time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lateness {
    /// What was missed.
    pub catch_up: CatchUp,
    /// Missed slots that are older are skipped.
    pub window: SignedDuration,
    /// What comes too early.
    pub overlap: Overlap,
}

impl Default for Lateness {
    fn default() -> Self {
        Self { catch_up: CatchUp::default(), window: CATCH_UP_WINDOW, overlap: Overlap::default() }
    }
}

/// Why a slot was not run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// A later slot of the same export takes its place.
    Superseded,
    /// The one before was not over.
    Overlap,
    /// Nothing ran at its time, and it is too old to be made up for.
    MissedWindow,
    /// The activation is disabled.
    Paused,
    /// The ledger was restored from a backup that does not know what became of it.
    Restored,
}

impl Reason {
    /// All reasons.
    pub const ALL: [Self; 5] =
        [Self::Superseded, Self::Overlap, Self::MissedWindow, Self::Paused, Self::Restored];

    /// Returns the word for machines.
    pub fn code(self) -> &'static str {
        match self {
            Self::Superseded => "superseded",
            Self::Overlap => "overlap",
            Self::MissedWindow => "missed_window",
            Self::Paused => "paused",
            Self::Restored => "restored",
        }
    }

    /// Returns the sentence for people.
    pub fn text(self) -> &'static str {
        match self {
            Self::Superseded => "a later slot of the same segment takes its place",
            Self::Overlap => "the run before was not over, and the schedule says `overlap: skip`",
            Self::MissedWindow => "nothing ran at its time, and it is too old to be made up for",
            Self::Paused => "the activation was disabled",
            Self::Restored => "the ledger was restored from a backup that is older",
        }
    }
}

/// What is known of the slots of one export before a pass.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// Every slot up to here is decided. For an export that is seen for the first time: now.
    pub decided_through: Timestamp,
    /// Scheduled slots that are planned and have not begun, in order.
    pub waiting: &'a [Timestamp],
    /// Whether a run of it is under way.
    pub is_running: bool,
    /// Whether the activation is disabled.
    pub is_paused: bool,
}

/// Slots that are not run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Skipped {
    /// The first.
    pub from: Timestamp,
    /// The last; the same as `from` for a single one.
    pub to: Timestamp,
    /// How many there are from `from` to `to`.
    pub count: u64,
    /// Why.
    pub reason: Reason,
}

impl Skipped {
    fn one(slot: Timestamp, reason: Reason) -> Self {
        Self { from: slot, to: slot, count: 1, reason }
    }
}

/// What one pass decides about one export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// To be run, in order.
    pub planned: Vec<Timestamp>,
    /// New slots that are not run, in order; the oldest are one entry if there are many.
    pub skipped: Vec<Skipped>,
    /// Of those that were waiting, the ones that are not run any more.
    pub withdrawn: Vec<(Timestamp, Reason)>,
    /// The mark of the next pass; it never goes back.
    pub decided_through: Timestamp,
}

/// Decides about every slot of a schedule that came since the last pass.
///
/// Time that goes back decides nothing: the mark stays, and the next slot is one behind it.
pub fn decide(
    schedule: &Schedule,
    lateness: &Lateness,
    known: &Known<'_>,
    now: Timestamp,
) -> Decision {
    let mut decision = Decision {
        planned: Vec::new(),
        skipped: Vec::new(),
        withdrawn: Vec::new(),
        decided_through: known.decided_through.max(now),
    };
    if known.is_paused {
        decision.withdrawn = known.waiting.iter().map(|slot| (*slot, Reason::Paused)).collect();
    }
    if now <= known.decided_through {
        return decision;
    }
    let arrived = Arrived::since(schedule, known.decided_through, now);
    let oldest = now.saturating_sub(window(lateness)).unwrap_or(Timestamp::MIN);
    // Those that are counted only are older than any that is named, and whether some of them would
    // be within the window makes no difference: at most `WAITING_MAX` are ever made up for.
    let of_old = if known.is_paused { Reason::Paused } else { Reason::Superseded };
    if let Some(old) = arrived.counted {
        let reason =
            if old.to < oldest && !known.is_paused { Reason::MissedWindow } else { of_old };
        decision.skipped.push(Skipped { reason, ..old });
    }
    let mut candidates = VecDeque::new();
    for slot in arrived.named {
        if known.is_paused {
            decision.skipped.push(Skipped::one(slot, Reason::Paused));
        } else if slot < oldest {
            decision.skipped.push(Skipped::one(slot, Reason::MissedWindow));
        } else {
            candidates.push_back(slot);
        }
    }
    let kept = if lateness.catch_up == CatchUp::All { WAITING_MAX } else { 1 };
    while candidates.len() > kept {
        let earlier = candidates.pop_front().map(|slot| Skipped::one(slot, Reason::Superseded));
        decision.skipped.extend(earlier);
    }
    decision.queue(lateness, known, candidates.into());
    decision
}

impl Decision {
    /// Lets the candidates wait, run or go, whatever was there before.
    fn queue(&mut self, lateness: &Lateness, known: &Known<'_>, candidates: Vec<Timestamp>) {
        let is_busy = known.is_running || !known.waiting.is_empty();
        if lateness.overlap == Overlap::Skip && is_busy {
            self.skipped
                .extend(candidates.into_iter().map(|slot| Skipped::one(slot, Reason::Overlap)));
            return;
        }
        let one = lateness.overlap == Overlap::Queue && lateness.catch_up != CatchUp::All;
        let room = if one { 1 } else { WAITING_MAX };
        let surplus = (known.waiting.len() + candidates.len()).saturating_sub(room);
        if !candidates.is_empty() {
            // The oldest go first, and the candidates are as many as there is room for.
            let gone = known.waiting.iter().take(surplus);
            self.withdrawn.extend(gone.map(|slot| (*slot, Reason::Superseded)));
        }
        self.planned = candidates;
    }
}

fn window(lateness: &Lateness) -> SignedDuration {
    match lateness.catch_up {
        CatchUp::None => ON_TIME,
        CatchUp::Latest | CatchUp::All => lateness.window.max(ON_TIME),
    }
}

/// The slots that came since the last pass.
struct Arrived {
    /// Too many to be named; the reason is not known yet.
    counted: Option<Skipped>,
    /// The latest, in order.
    named: VecDeque<Timestamp>,
}

impl Arrived {
    fn since(schedule: &Schedule, after: Timestamp, now: Timestamp) -> Self {
        let mut arrived = Self { counted: None, named: VecDeque::new() };
        let mut last = after;
        loop {
            let slots = schedule.slots_within(last, now, SLOTS_MAX);
            let is_end = slots.len() < SLOTS_MAX;
            for slot in slots {
                last = slot;
                arrived.push(slot);
            }
            if is_end {
                return arrived;
            }
        }
    }

    fn push(&mut self, slot: Timestamp) {
        self.named.push_back(slot);
        if self.named.len() <= SLOTS_NAMED_MAX {
            return;
        }
        let Some(oldest) = self.named.pop_front() else { return };
        let counted = self
            .counted
            .get_or_insert(Skipped { count: 0, ..Skipped::one(oldest, Reason::Superseded) });
        counted.to = oldest;
        counted.count += 1;
    }
}
