//! When a segment of an activation is due: slots as plain arithmetic.
//!
//! Nothing here asks the time; `now` is an argument, and the zone rules are those built into this
//! program, so the same schedule has the same slots on every machine.
//!
//! Daylight saving, as stated in `docs/semantics.md`: a time of day that does not exist is due
//! once, at the first instant after the gap; one that occurs twice is due once, at the first.
//! Schedules that repeat within a day (`hourly`, and cron expressions with `*` or `/` among
//! minutes or hours) follow elapsed time: nothing is due inside a gap, and both passes of a
//! repeated hour are.

mod cron;

#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase};
use jiff::{SignedDuration, Timestamp};

pub(crate) use cron::Cron;

use crate::project::{Frequency, Schedule};

/// How far slots are searched, in days: every day that a cron expression can mean comes again
/// within 40 years.
pub const DAYS_SEARCHED_MAX: usize = 41 * 366;
/// The most slots of one call of [`Schedule::slots_after`].
pub const SLOTS_MAX: usize = 10_000;

/// The least that lies between two instants here.
const INSTANT: SignedDuration = SignedDuration::from_nanos(1);
/// Where `hourly` schedules without a start day count from.
const HOURLY_ANCHOR: Date = jiff::civil::date(2000, 1, 1);

/// The zone rules that this program was built with.
pub(crate) fn zones() -> &'static TimeZoneDatabase {
    static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);
    &ZONES
}

impl Schedule {
    /// Returns the latest slot that is not after `now`, if there is one.
    pub fn latest_slot(&self, now: Timestamp) -> Option<Timestamp> {
        if let Frequency::Evaluation { of } = &self.frequency {
            let (first, end) = self.bounds();
            let just_before = |end: Timestamp| end.saturating_sub(INSTANT).unwrap_or(end);
            let now = end.map_or(now, |end| now.min(just_before(end)));
            let latest = of.as_ref()?.latest_slot(now)?;
            return (first <= latest).then_some(latest);
        }
        if let Frequency::Hourly { every, at } = self.frequency {
            return self.hours(every, at).latest(now);
        }
        let days = Days::new(self)?;
        let mut latest = None;
        let soon = days.date_of(now).saturating_add(jiff::Span::new().days(2));
        let mut date = self.last_day().map_or(soon, |last| last.min(soon));
        for _ in 0..DAYS_SEARCHED_MAX {
            if self.start.is_some_and(|start| date < start) {
                break;
            }
            let found = days.slots(date).into_iter().filter(|slot| *slot <= now).max();
            if latest.is_some() {
                // Where clocks go back over midnight, the slots of two days interleave; so the
                // day before the first find is looked at too.
                return latest.max(found);
            }
            latest = found;
            let Ok(yesterday) = date.yesterday() else { break };
            date = yesterday;
        }
        latest
    }

    /// Returns the first slots after `after`, in order, at most `limit` of them.
    pub fn slots_after(&self, after: Timestamp, limit: usize) -> Vec<Timestamp> {
        self.slots_within(after, Timestamp::MAX, limit)
    }

    /// Returns the first slots after `after` and not after `through`, in order, at most `limit` of
    /// them. Only days up to `through` are looked at.
    pub fn slots_within(
        &self,
        after: Timestamp,
        through: Timestamp,
        limit: usize,
    ) -> Vec<Timestamp> {
        let limit = limit.min(SLOTS_MAX);
        if let Frequency::Evaluation { of } = &self.frequency {
            let Some(of) = of else { return Vec::new() };
            let (first, end) = self.bounds();
            let after = after.max(first.saturating_sub(INSTANT).unwrap_or(first));
            let mut slots = of.slots_within(after, through, limit);
            slots.retain(|slot| end.is_none_or(|end| *slot < end));
            return slots;
        }
        if let Frequency::Hourly { every, at } = self.frequency {
            let mut slots = self.hours(every, at).after(after, limit);
            slots.retain(|slot| *slot <= through);
            return slots;
        }
        let Some(days) = Days::new(self) else { return Vec::new() };
        let before = days.date_of(after).saturating_sub(jiff::Span::new().days(2));
        let behind = days.date_of(through).saturating_add(jiff::Span::new().days(2));
        let mut date = self.start.map_or(before, |start| start.max(before));
        let mut slots = Vec::new();
        let mut full = false;
        for _ in 0..DAYS_SEARCHED_MAX {
            if full || date > behind || self.end.is_some_and(|end| date > end) {
                break;
            }
            // One day more than needed, because the slots of two days may interleave.
            full = limit <= slots.len();
            let found = days.slots(date).into_iter();
            slots.extend(found.filter(|slot| after < *slot && *slot <= through));
            let Ok(tomorrow) = date.tomorrow() else { break };
            date = tomorrow;
        }
        slots.sort_unstable();
        slots.dedup();
        slots.truncate(limit);
        slots
    }

    /// Whether another schedule has the same slots, as far as can be told without looking at them.
    pub fn has_slots_of(&self, other: &Self) -> bool {
        self.frequency == other.frequency
            && self.zone == other.zone
            && (self.start, self.end) == (other.start, other.end)
    }

    /// Whether the schedule is due more than once.
    pub fn repeats(&self) -> bool {
        !matches!(self.frequency, Frequency::Once { .. })
    }

    /// Whether it is due when the segment is evaluated.
    pub fn is_after_evaluation(&self) -> bool {
        matches!(self.frequency, Frequency::Evaluation { .. })
    }

    /// Whether a time lies within the days of the schedule.
    pub fn spans(&self, time: Timestamp) -> bool {
        let (first, end) = self.bounds();
        first <= time && end.is_none_or(|end| time < end)
    }

    /// The first instant of the first day, and that behind the last day.
    fn bounds(&self) -> (Timestamp, Option<Timestamp>) {
        let midnight = |day: Date| once(&self.zone, day.to_datetime(Time::midnight()));
        let first = self.start.and_then(midnight).unwrap_or(Timestamp::MIN);
        (first, self.end.and_then(|end| end.tomorrow().ok()).and_then(midnight))
    }

    /// The last day of the calendar that can have a slot.
    fn last_day(&self) -> Option<Date> {
        if self.repeats() { self.end } else { self.start }
    }

    fn hours(&self, every: u8, at: Time) -> Hours {
        let anchor_date = self.start.unwrap_or(HOURLY_ANCHOR);
        let (_, end) = self.bounds();
        Hours {
            anchor: once(&self.zone, anchor_date.to_datetime(at)),
            starts: self.start.is_some(),
            end,
            period: SignedDuration::from_hours(i64::from(every.max(1))),
        }
    }
}

/// Slots at even distances of elapsed time.
struct Hours {
    anchor: Option<Timestamp>,
    /// Whether nothing is due before the anchor.
    starts: bool,
    /// Nothing is due from here on.
    end: Option<Timestamp>,
    period: SignedDuration,
}

impl Hours {
    fn latest(&self, now: Timestamp) -> Option<Timestamp> {
        let last = self.end.map(|end| end.saturating_sub(SignedDuration::from_nanos(1)).ok());
        let now = last.flatten().map_or(now, |last| now.min(last));
        let slot = self.floor(now)?;
        if self.starts && Some(slot) < self.anchor { None } else { Some(slot) }
    }

    fn after(&self, after: Timestamp, limit: usize) -> Vec<Timestamp> {
        let behind = |slot: Timestamp| slot.checked_add(self.period).ok();
        // The slot before the beginning of time cannot be told; the first one behind it can.
        let early = || self.floor(behind(behind(after)?)?);
        let first = match self.floor(after).map_or_else(early, behind) {
            Some(slot) if self.starts => self.anchor.map(|anchor| anchor.max(slot)),
            slot => slot,
        };
        let next = |slot: &Timestamp| slot.checked_add(self.period).ok();
        std::iter::successors(first, next)
            .take_while(|slot| self.end.is_none_or(|end| *slot < end))
            .take(limit)
            .collect()
    }

    /// The latest slot that is not after `time`, as if there were no start.
    fn floor(&self, time: Timestamp) -> Option<Timestamp> {
        let anchor = self.anchor?;
        let period = self.period.as_secs();
        let elapsed = time.duration_since(anchor);
        // A part of a second before the anchor still belongs to the period before it.
        let seconds = elapsed.as_secs() - i64::from(elapsed.subsec_nanos() < 0);
        let periods = seconds.div_euclid(period);
        anchor.checked_add(SignedDuration::from_secs(periods * period)).ok()
    }
}

/// Slots that belong to days.
struct Days<'a> {
    schedule: &'a Schedule,
    cron: Option<Cron>,
}

impl<'a> Days<'a> {
    /// Returns nothing for a cron expression that is not one, which `resolve` has refused.
    fn new(schedule: &'a Schedule) -> Option<Self> {
        let cron = match &schedule.frequency {
            Frequency::Cron { expression } => Some(Cron::parse(expression).ok()?),
            _ => None,
        };
        Some(Self { schedule, cron })
    }

    fn date_of(&self, time: Timestamp) -> Date {
        self.schedule.zone.to_datetime(time).date()
    }

    /// The slots of one day of the calendar, in no order. A slot that falls into a gap still
    /// belongs to its day, though it may be due on the next.
    fn slots(&self, date: Date) -> Vec<Timestamp> {
        let schedule = self.schedule;
        let (start, end) = (schedule.start, schedule.end);
        if start.is_some_and(|start| date < start) || end.is_some_and(|end| date > end) {
            return Vec::new();
        }
        let at = match &schedule.frequency {
            Frequency::Once { at } => (start == Some(date)).then_some(*at),
            Frequency::Daily { at } => Some(*at),
            Frequency::Weekly { at } => (date.weekday() == weekday_of(start)).then_some(*at),
            Frequency::Monthly { at } => (date.day() == month_day(start, date)).then_some(*at),
            Frequency::Cron { .. } => return self.cron_slots(date),
            Frequency::Hourly { .. } | Frequency::Evaluation { .. } => None,
        };
        at.and_then(|at| once(&schedule.zone, date.to_datetime(at))).into_iter().collect()
    }

    fn cron_slots(&self, date: Date) -> Vec<Timestamp> {
        let Some(cron) = self.cron.as_ref().filter(|cron| cron.is_on(date)) else {
            return Vec::new();
        };
        let zone = &self.schedule.zone;
        let times = cron.times().map(|time| date.to_datetime(time));
        if cron.is_interval() {
            times.flat_map(|time| every(zone, time)).collect()
        } else {
            times.filter_map(|time| once(zone, time)).collect()
        }
    }
}

fn weekday_of(start: Option<Date>) -> Weekday {
    start.map_or(Weekday::Monday, Date::weekday)
}

/// The day of the month of the start day, or the last day of a shorter month.
fn month_day(start: Option<Date>, month: Date) -> i8 {
    start.map_or(1, Date::day).min(month.days_in_month())
}

/// The one instant of a local time: the first of two, or the first after a gap.
fn once(zone: &TimeZone, local: DateTime) -> Option<Timestamp> {
    let ambiguous = zone.to_ambiguous_timestamp(local);
    match ambiguous.offset() {
        AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(local).ok(),
        AmbiguousOffset::Fold { before, .. } => before.to_timestamp(local).ok(),
        AmbiguousOffset::Gap { before, .. } => {
            // Read with the offset before the gap, the time lies behind the change of offset.
            let behind = before.to_timestamp(local).ok()?;
            let just_behind = behind.checked_add(SignedDuration::from_nanos(1)).ok()?;
            zone.preceding(just_behind).next().map(|change| change.timestamp())
        }
    }
}

/// All instants of a local time: none, one or two.
fn every(zone: &TimeZone, local: DateTime) -> Vec<Timestamp> {
    let offsets = match zone.to_ambiguous_timestamp(local).offset() {
        AmbiguousOffset::Unambiguous { offset } => vec![offset],
        AmbiguousOffset::Fold { before, after } => vec![before, after],
        AmbiguousOffset::Gap { .. } => Vec::new(),
    };
    offsets.into_iter().filter_map(|offset| offset.to_timestamp(local).ok()).collect()
}
