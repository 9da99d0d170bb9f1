//! When segments are due next.

use std::collections::BTreeMap;

use jiff::civil::{Date, Time};
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Span, Timestamp, Zoned};
use ledger::slot::NEVER;
use ledger::{Ledger, Origin, SlotRecord, SlotState};
use plan::Project;
use plan::project::{Activation, Schedule, SegmentExport};

use crate::ambient;
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

/// What something that is due waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Waits {
    /// An earlier slot of the same segment: runs of one segment of an activation go one after the other,
    /// in the order of their slots.
    Slot(Timestamp),
    /// The same, of a run that somebody has to release or reject.
    HeldSlot(Timestamp),
    /// Somebody has to release or reject its run.
    Decision,
    /// The time of its next attempt.
    Time(Timestamp),
    /// As many runs go on as may; or a server is about to begin it.
    Turn,
    /// Its activation is disabled.
    Pause,
    /// Its segment is sent when it is evaluated, and nobody knows when that is.
    Evaluation,
}

impl Waits {
    /// The word for machines.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Slot(_) | Self::HeldSlot(_) => "slot",
            Self::Decision => "decision",
            Self::Time(_) => "time",
            Self::Turn => "turn",
            Self::Pause => "pause",
            Self::Evaluation => "evaluation",
        }
    }

    /// The earlier slot that it waits for.
    pub(crate) fn slot(self) -> Option<Timestamp> {
        match self {
            Self::Slot(slot) | Self::HeldSlot(slot) => Some(slot),
            _ => None,
        }
    }

    /// The time that it waits for.
    pub(crate) fn until(self) -> Option<Timestamp> {
        match self {
            Self::Time(until) => Some(until),
            _ => None,
        }
    }

    /// The sentence for people, without its subject.
    pub(crate) fn message(self) -> String {
        match self {
            Self::Slot(slot) => format!("waits for the slot {slot}, which is not over"),
            Self::HeldSlot(slot) => {
                format!("waits for the slot {slot}, until somebody releases or rejects its run")
            }
            Self::Decision => "waits until somebody releases or rejects its run".to_owned(),
            Self::Time(until) => format!("waits for its next attempt at {until}"),
            Self::Turn => "waits for its turn among the runs that may go on at once".to_owned(),
            Self::Pause => "waits until its activation is enabled".to_owned(),
            Self::Evaluation => "waits for an evaluation of its segment".to_owned(),
        }
    }
}

/// What is asked about every slot that waits: the slots that are not over, and what is disabled.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    pub(crate) open: Vec<SlotRecord>,
    disabled: Vec<String>,
    now: Timestamp,
}

impl Waiting {
    /// As the ledger has it.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub(crate) async fn of(ledger: &Ledger) -> Result<Self, Failure> {
        let disabled = ledger.disabled().await?;
        Ok(Self {
            open: ledger.open_slots().await?,
            disabled: disabled.into_iter().map(|it| it.activation).collect(),
            now: ambient::now(),
        })
    }

    /// What a slot waits for; nothing for one that is running or over.
    pub(crate) fn waits_for(&self, slot: &SlotRecord) -> Option<Waits> {
        let is_enabled = !self.disabled.contains(&slot.key.activation);
        waits_for(slot, &self.open, is_enabled, self.now)
    }
}

/// What a slot waits for. `open` are the slots that are not over, of all segments. Nothing for a slot that
/// is running or over.
fn waits_for(
    slot: &SlotRecord,
    open: &[SlotRecord],
    is_enabled: bool,
    now: Timestamp,
) -> Option<Waits> {
    if slot.state == SlotState::Running || slot.state.is_over() {
        return None;
    }
    if is_held(slot) {
        return Some(Waits::Decision);
    }
    let is_before = |other: &&SlotRecord| {
        other.key.activation == slot.key.activation
            && other.key.segment == slot.key.segment
            && other.key.slot < slot.key.slot
    };
    if let Some(first) = open.iter().filter(is_before).min_by_key(|other| other.key.slot) {
        let wait = if is_held(first) { Waits::HeldSlot } else { Waits::Slot };
        return Some(wait(first.key.slot));
    }
    Some(if slot.not_before > now {
        Waits::Time(slot.not_before)
    } else if !is_enabled && slot.origin == Origin::Schedule {
        Waits::Pause
    } else {
        Waits::Turn
    })
}

/// Whether a slot goes on when somebody says so, and not by itself.
fn is_held(slot: &SlotRecord) -> bool {
    slot.state == SlotState::Blocked && slot.not_before >= NEVER
}

/// What an export waits for that has no time at which it is due.
pub(crate) fn waits_without_slot(
    schedule: Option<&Schedule>,
    is_enabled: bool,
    now: Timestamp,
) -> Option<Waits> {
    let schedule = schedule?;
    if !is_enabled {
        return Some(Waits::Pause);
    }
    let is_due = !schedule.slots_after(now, 1).is_empty();
    (schedule.is_after_evaluation() && !is_due).then_some(Waits::Evaluation)
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

    fn slot(at: i64, state: SlotState, not_before: Timestamp) -> SlotRecord {
        let time = |seconds| Timestamp::from_second(seconds).expect("a time");
        SlotRecord {
            key: ledger::SlotKey {
                activation: "daily".to_owned(),
                segment: "loyal".to_owned(),
                slot: time(at),
            },
            first_slot: time(at),
            count: 1,
            destination: "partner".to_owned(),
            origin: Origin::Schedule,
            actor: None,
            state,
            stop: None,
            run_id: None,
            planned: time(at),
            began: None,
            finished: None,
            not_before,
            attempts: 0,
            starts: 0,
        }
    }

    #[test]
    fn every_slot_that_waits_says_for_what() {
        let now = Timestamp::from_second(1_000).expect("a time");
        let later = Timestamp::from_second(2_000).expect("a time");
        let told = |slots: &[SlotRecord], is_enabled| {
            let last = slots.last().expect("a slot");
            let waits = waits_for(last, slots, is_enabled, now);
            waits.map_or("nothing".to_owned(), |waits| {
                format!("{}: {}", waits.code(), waits.message())
            })
        };
        let all = [
            told(&[slot(900, SlotState::Planned, now)], true),
            told(&[slot(900, SlotState::Planned, now)], false),
            told(&[slot(900, SlotState::Planned, later)], true),
            told(&[slot(900, SlotState::Blocked, later)], true),
            told(&[slot(900, SlotState::Blocked, NEVER)], true),
            told(&[slot(800, SlotState::Running, now), slot(900, SlotState::Planned, now)], true),
            told(&[slot(800, SlotState::Planned, now), slot(900, SlotState::Planned, now)], true),
            told(&[slot(800, SlotState::Blocked, NEVER), slot(900, SlotState::Planned, now)], true),
            told(&[slot(900, SlotState::Running, now)], true),
            told(&[slot(900, SlotState::Delivered, now)], true),
        ];
        insta::assert_snapshot!(all.join("\n"), @"
        turn: waits for its turn among the runs that may go on at once
        pause: waits until its activation is enabled
        time: waits for its next attempt at 1970-01-01T00:33:20Z
        time: waits for its next attempt at 1970-01-01T00:33:20Z
        decision: waits until somebody releases or rejects its run
        slot: waits for the slot 1970-01-01T00:13:20Z, which is not over
        slot: waits for the slot 1970-01-01T00:13:20Z, which is not over
        slot: waits for the slot 1970-01-01T00:13:20Z, until somebody releases or rejects its run
        nothing
        nothing
        ");
    }

    #[test]
    fn what_is_never_due_by_the_clock_waits_for_an_evaluation_or_for_somebody() {
        let now = Timestamp::from_second(1_000).expect("a time");
        let schedule = |frequency| Schedule {
            frequency,
            zone: TimeZone::UTC,
            start: None,
            end: None,
            lateness: Lateness::default(),
        };
        let daily = schedule(Frequency::Daily { at: jiff::civil::time(2, 0, 0, 0) });
        assert_eq!(waits_without_slot(Some(&daily), true, now), None);
        assert_eq!(waits_without_slot(Some(&daily), false, now), Some(Waits::Pause));
        assert_eq!(waits_without_slot(None, false, now), None, "it is sent when somebody asks");
        let evaluated = schedule(Frequency::Evaluation { of: None });
        assert_eq!(waits_without_slot(Some(&evaluated), true, now), Some(Waits::Evaluation));
    }

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
