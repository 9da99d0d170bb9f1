//! Events one behind the other: whether those of one person make a sequence.
//!
//! A sequence takes an event for each step, no event twice, each at the time of the one before or
//! later. Events at the same time can stand in either order. `within` and `after` measure from the
//! event of the step before. Strictly between the events of two neighbouring steps there is none of
//! the `without` parts between them; behind the last step `without` looks at everything later.
//! With `within` it looks only so far behind the step before.
//!
//! One walk over the events in the order of time finds the times at which each step can be reached.
//! A time at which a step was reached is good for the next step over a span: from `after` on, until
//! `within` is over or until just behind the first event that must not be between. Beginnings of
//! spans rise with the time, so the longest end so far tells whether any span covers a time.

use jiff::{Span, Timestamp, tz::TimeZone};

use super::state::Happened;

/// A distance in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Distance {
    /// Months of the calendar, in UTC.
    pub(crate) months: i32,
    /// Days and less, in microseconds.
    pub(crate) microseconds: i64,
}

impl Distance {
    /// The time so much later; times beyond the calendar are as late as can be.
    fn behind(self, time: i64) -> i64 {
        let later = match self.months {
            0 => Some(time),
            months => Timestamp::from_microsecond(time).ok().and_then(|time| {
                let later = time.to_zoned(TimeZone::UTC).checked_add(Span::new().months(months));
                later.ok().map(|later| later.timestamp().as_microsecond())
            }),
        };
        later.map_or(i64::MAX, |later| later.saturating_add(self.microseconds))
    }

    /// Whether it is none at all.
    fn is_zero(self) -> bool {
        self == Self::default()
    }
}

/// What a sequence consists of.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Pattern {
    pub(crate) steps: Vec<Step>,
}

/// A step, and what must not happen behind it.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Step {
    /// The bit of its events.
    pub(crate) part: u32,
    pub(crate) within: Option<Distance>,
    pub(crate) after: Option<Distance>,
    /// Until the next step, or for ever behind the last.
    pub(crate) without: Vec<Without>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Without {
    /// The bit of its events.
    pub(crate) part: u32,
    pub(crate) within: Option<Distance>,
}

/// Where a step has been reached, for the step behind it.
#[derive(Debug, Default)]
struct Reached {
    /// Beginnings and ends of the spans in which the next step can follow, in order of time.
    spans: Vec<(i64, i64)>,
    /// How many spans have begun.
    begun: usize,
    /// The longest end of those.
    end: Option<i64>,
}

impl Reached {
    /// Whether the next step can happen at a time; times have to come in order.
    fn covers(&mut self, time: i64) -> bool {
        while let Some(&(begin, end)) = self.spans.get(self.begun).filter(|span| span.0 <= time) {
            debug_assert!(begin <= time);
            self.begun += 1;
            self.end = self.end.max(Some(end));
        }
        self.end.is_some_and(|end| end >= time)
    }
}

impl Pattern {
    /// Whether the events of a person, in order of time, make this sequence.
    pub(crate) fn is_in(&self, events: &[Happened]) -> bool {
        debug_assert!(events.is_sorted_by_key(|event| event.time));
        let unwanted = self.unwanted(events);
        let mut reached: Vec<Reached> = Vec::new();
        reached.resize_with(self.steps.len(), Reached::default);
        for group in events.chunk_by(|left, right| left.time == right.time) {
            let time = group[0].time;
            for last in self.reached_at(time, group, &mut reached) {
                let free = free_from(&unwanted[last], time);
                let Some(next) = self.steps.get(last + 1) else {
                    if free == i64::MAX {
                        return true;
                    }
                    continue;
                };
                // What follows at the same time was looked at already.
                let begin = next.after.map_or(time, |after| after.behind(time));
                let begin = begin.max(time.saturating_add(1));
                let end = next.within.map_or(i64::MAX, |within| within.behind(time)).min(free);
                if begin <= end {
                    reached[last].spans.push((begin, end));
                }
            }
        }
        false
    }

    /// For each step the times of what must not happen behind it, with how far that is looked for.
    fn unwanted(&self, events: &[Happened]) -> Vec<Vec<(Option<Distance>, Vec<i64>)>> {
        let times = |part: u32| {
            let found = events.iter().filter(|event| event.parts & bit(part) != 0);
            found.map(|event| event.time).collect()
        };
        let of_step = |step: &Step| {
            step.without.iter().map(|without| (without.within, times(without.part))).collect()
        };
        self.steps.iter().map(of_step).collect()
    }

    /// The steps that can be the last one at a time, given the events of that time.
    fn reached_at(&self, time: i64, group: &[Happened], reached: &mut [Reached]) -> Vec<usize> {
        let any = group.iter().fold(0, |any, event| any | event.parts);
        let mut last = Vec::new();
        let crowd = self.crowd(group);
        for begin in 0..self.steps.len() {
            let can_begin = begin == 0 || reached[begin - 1].covers(time);
            if !can_begin || any & bit(self.steps[begin].part) == 0 {
                continue;
            }
            let mut chosen = Chosen::new(&crowd);
            for (position, step) in self.steps.iter().enumerate().skip(begin) {
                // Two steps at one time have no distance between them.
                let is_apart = step.after.is_some_and(|after| !after.is_zero());
                if (position > begin && is_apart) || !chosen.take(bit(step.part)) {
                    break;
                }
                if !last.contains(&position) {
                    last.push(position);
                }
            }
        }
        last
    }

    /// The events of one time by what they are, without those that are too many to be needed.
    fn crowd(&self, group: &[Happened]) -> Vec<u64> {
        let mut crowd: Vec<u64> = group.iter().map(|event| event.parts).collect();
        if crowd.len() > self.steps.len() {
            crowd.sort_unstable();
            let alike = crowd.chunk_by(|left, right| left == right);
            let needed = alike.flat_map(|alike| &alike[..alike.len().min(self.steps.len())]);
            crowd = needed.copied().collect();
        }
        crowd
    }
}

/// Until when, from a time on, nothing happens that must not.
fn free_from(unwanted: &[(Option<Distance>, Vec<i64>)], time: i64) -> i64 {
    let first = |(within, times): &(Option<Distance>, Vec<i64>)| {
        let found = *times.get(times.partition_point(|unwanted| *unwanted <= time))?;
        let until = within.map_or(i64::MAX, |within| within.behind(time));
        (found <= until).then_some(found)
    };
    unwanted.iter().filter_map(first).min().unwrap_or(i64::MAX)
}

fn bit(part: u32) -> u64 {
    1 << part
}

/// Events of one time, given to steps: each step one, no event twice.
struct Chosen<'a> {
    events: &'a [u64],
    /// The step that an event is given to.
    given: Vec<Option<usize>>,
    /// The bits of the steps that have an event.
    steps: Vec<u64>,
}

impl<'a> Chosen<'a> {
    fn new(events: &'a [u64]) -> Self {
        Self { events, given: vec![None; events.len()], steps: Vec::new() }
    }

    /// Finds an event for one more step; those of others may change for it.
    fn take(&mut self, step: u64) -> bool {
        self.steps.push(step);
        let mut seen = vec![false; self.events.len()];
        self.give(self.steps.len() - 1, &mut seen)
    }

    fn give(&mut self, step: usize, seen: &mut [bool]) -> bool {
        for event in 0..self.events.len() {
            if self.events[event] & self.steps[step] == 0 || seen[event] {
                continue;
            }
            seen[event] = true;
            let is_free = match self.given[event] {
                None => true,
                Some(other) => self.give(other, seen),
            };
            if is_free {
                self.given[event] = Some(step);
                return true;
            }
        }
        false
    }
}

#[cfg(test)]
mod tests;
