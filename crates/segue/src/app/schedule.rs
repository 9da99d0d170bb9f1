//! When segments are due next.

use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, Zoned};
use ledger::{SlotRecord, SlotState};
use plan::Project;
use plan::project::{Activation, SegmentExport};

use crate::failure::Failure;
use crate::workspace;

/// The most slots that are shown of one export.
pub(crate) const SLOTS_SHOWN_MAX: usize = 1_000;

/// The slots of one export that come next.
pub(crate) struct Upcoming<'a> {
    pub(crate) activation: &'a Activation,
    pub(crate) export: &'a SegmentExport,
    pub(crate) slots: Vec<UpcomingSlot>,
}

/// One of them.
pub(crate) struct UpcomingSlot {
    pub(crate) slot: Timestamp,
    /// The same on the clocks of the schedule's zone.
    pub(crate) local: Zoned,
    /// Whether clocks there changed since the slot before, or since now.
    pub(crate) clocks_changed: bool,
}

/// Returns the next slots of every export of an activation, or of all activations, in the order of
/// the project. An export without a schedule has none.
///
/// # Errors
/// There is no such activation.
pub(crate) fn upcoming<'a>(
    project: &'a Project,
    activation: Option<&str>,
    count: usize,
    now: Timestamp,
) -> Result<Vec<Upcoming<'a>>, Failure> {
    if let Some(key) = activation
        && project.activation(key).is_none()
    {
        let names = project.activations.iter().map(|activation| activation.key.as_str());
        return Err(workspace::unknown("activation", key, names));
    }
    let meant = project
        .activations
        .iter()
        .filter(|it| activation.is_none_or(|activation| it.key == activation));
    let exports = meant
        .flat_map(|activation| activation.segments.iter().map(move |export| (activation, export)));
    Ok(exports
        .map(|(activation, export)| Upcoming {
            activation,
            export,
            slots: slots(export, count.min(SLOTS_SHOWN_MAX), now),
        })
        .collect())
}

/// The slot of the same segment that a planned slot waits for: runs of one segment of an activation go
/// one after the other, in the order of their slots.
pub(crate) fn waits_for(slot: &SlotRecord, open: &[SlotRecord]) -> Option<Timestamp> {
    let is_before = |other: &&SlotRecord| {
        other.key.activation == slot.key.activation
            && other.key.segment == slot.key.segment
            && other.key.slot < slot.key.slot
            && other.state != SlotState::Planned
    };
    let earlier = open.iter().filter(is_before).map(|other| other.key.slot);
    earlier.min().filter(|_| slot.state == SlotState::Planned)
}

fn slots(export: &SegmentExport, count: usize, now: Timestamp) -> Vec<UpcomingSlot> {
    let Some(schedule) = &export.schedule else { return Vec::new() };
    let mut before = offset(&schedule.zone, now);
    let mark = |slot: Timestamp| {
        let there = offset(&schedule.zone, slot);
        let clocks_changed = std::mem::replace(&mut before, there) != there;
        UpcomingSlot { slot, local: slot.to_zoned(schedule.zone.clone()), clocks_changed }
    };
    schedule.slots_after(now, count).into_iter().map(mark).collect()
}

fn offset(zone: &TimeZone, time: Timestamp) -> Offset {
    zone.to_offset(time)
}
