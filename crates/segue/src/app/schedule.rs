//! When segments are due next.

use std::collections::BTreeMap;

use jiff::civil::{Date, Time};
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Span, Timestamp, Zoned};
use ledger::{SlotRecord, SlotState};
use plan::Project;
use plan::project::{Activation, Schedule, SegmentExport};

use crate::failure::Failure;
use crate::workspace;

/// The most slots that are shown of one export.
pub(crate) const SLOTS_SHOWN_MAX: usize = 1_000;

/// How many days a calendar looks ahead: five weeks, whatever the weekday.
const CALENDAR_DAYS: i64 = 35;
/// The most slots that a calendar counts.
const CALENDAR_SLOTS_MAX: usize = 2_000;

/// A day on the clocks of a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Day {
    pub(crate) date: Date,
    /// The first slot of the day; nothing where only clocks change.
    pub(crate) first: Option<Time>,
    pub(crate) count: u64,
    pub(crate) clocks_changed: bool,
}

/// The days of the next weeks on which something is due, or on which clocks change.
pub(crate) fn calendar(schedule: &Schedule, now: Timestamp) -> Vec<Day> {
    let zone = &schedule.zone;
    let through = now.saturating_add(SignedDuration::from_hours(24 * CALENDAR_DAYS)).unwrap_or(now);
    let mut days: BTreeMap<Date, Day> = BTreeMap::new();
    for slot in schedule.slots_within(now, through, CALENDAR_SLOTS_MAX) {
        let local = slot.to_zoned(zone.clone());
        let empty = Day { date: local.date(), first: None, count: 0, clocks_changed: false };
        let day = days.entry(local.date()).or_insert(empty);
        day.first = Some(day.first.map_or(local.time(), |first| first.min(local.time())));
        day.count += 1;
    }
    let today = now.to_zoned(zone.clone()).date();
    let whole =
        today.series(Span::new().days(1)).take(CALENDAR_DAYS.try_into().unwrap_or_default());
    for date in whole {
        let at = |date: Date| date.to_zoned(zone.clone()).map(|it| offset(zone, it.timestamp()));
        let tomorrow = date.tomorrow().ok().and_then(|it| at(it).ok());
        if at(date).ok() != tomorrow {
            let empty = Day { date, first: None, count: 0, clocks_changed: false };
            days.entry(date).or_insert(empty).clocks_changed = true;
        }
    }
    days.into_values().collect()
}

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

#[cfg(test)]
mod tests {
    use super::*;
    use plan::planner::Lateness;
    use plan::project::Frequency;

    #[test]
    fn a_calendar_tells_days_and_where_clocks_change() {
        let zone = TimeZone::get("Europe/Paris").expect("a zone");
        let schedule = Schedule {
            frequency: Frequency::Hourly { every: 12, at: jiff::civil::time(2, 30, 0, 0) },
            zone,
            start: None,
            end: None,
            lateness: Lateness::default(),
        };
        let now = "2026-03-27T12:00:00Z".parse().expect("a time");
        let days = calendar(&schedule, now);
        assert_eq!(days.len(), 36, "the day of now and the next 35");
        let changed: Vec<Date> =
            days.iter().filter(|day| day.clocks_changed).map(|day| day.date).collect();
        assert_eq!(changed, [jiff::civil::date(2026, 3, 29)]);
        let day = |date: Date| days.iter().find(|day| day.date == date).expect("it is due");
        assert_eq!(day(jiff::civil::date(2026, 3, 28)).count, 2);
        assert_eq!(day(jiff::civil::date(2026, 3, 28)).first, Some(jiff::civil::time(2, 30, 0, 0)));
    }
}
