//! Whether the wall clock can be believed.
//!
//! A clock that jumps forward would make slots due that are not; so planning is held until further
//! readings agree. One that goes back makes nothing due twice, because a pass never decides about what
//! is behind its mark; it is told all the same, as nothing is planned until the mark is reached again.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// How far the wall clock may be off from what the monotonic one says.
pub const JUMP_MIN: SignedDuration = SignedDuration::from_hours(1);
/// How many readings must agree with a jump before it is believed.
pub const AGREEING_READINGS: u32 = 2;

/// What a reading tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The clock went on as expected.
    Steady,
    /// It is ahead of what was expected: nothing is to be planned with this reading.
    Ahead(SignedDuration),
    /// It went back by so much; this reading may be planned with.
    Behind(SignedDuration),
}

/// The readings so far.
#[derive(Debug, Clone, Copy, Default)]
pub struct Watch {
    last: Option<(Timestamp, Duration)>,
    /// A jump that is not believed yet, and how many later readings agreed with it.
    suspect: Option<(Timestamp, Duration, u32)>,
}

impl Watch {
    /// Takes a reading of the wall clock, and of a clock that only ever counts up, both of now.
    pub fn read(&mut self, wall: Timestamp, monotonic: Duration) -> Verdict {
        let Some(last) = self.last else {
            self.last = Some((wall, monotonic));
            return Verdict::Steady;
        };
        let ahead = ahead(last, wall, monotonic);
        if ahead < JUMP_MIN {
            self.last = Some((wall, monotonic));
            self.suspect = None;
            let went_back = ahead <= -JUMP_MIN;
            return if went_back { Verdict::Behind(-ahead) } else { Verdict::Steady };
        }
        let agreeing = match self.suspect {
            Some((since, then, agreeing))
                if self::ahead((since, then), wall, monotonic).abs() < JUMP_MIN =>
            {
                agreeing + 1
            }
            _ => 0,
        };
        if agreeing >= AGREEING_READINGS {
            self.last = Some((wall, monotonic));
            self.suspect = None;
            return Verdict::Steady;
        }
        self.suspect = Some((wall, monotonic, agreeing));
        Verdict::Ahead(ahead)
    }
}

/// By how much the wall clock is ahead of where it should be after `last`.
fn ahead(last: (Timestamp, Duration), wall: Timestamp, monotonic: Duration) -> SignedDuration {
    let passed = monotonic.saturating_sub(last.1);
    let expected = SignedDuration::try_from(passed).unwrap_or(SignedDuration::MAX);
    wall.duration_since(last.0).saturating_sub(expected)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).expect("in range")
    }

    #[test]
    fn a_jump_ahead_is_held_until_two_readings_agree() {
        let mut watch = Watch::default();
        let day = 86_400;
        let hold = Verdict::Ahead(SignedDuration::from_secs(day));
        let readings = [
            (0, 0, Verdict::Steady),
            (30, 30, Verdict::Steady),
            (60 + day, 60, hold),
            (90 + day, 90, hold),
            (120 + day, 120, Verdict::Steady),
            (150 + day, 150, Verdict::Steady),
        ];
        for (wall, monotonic, expected) in readings {
            assert_eq!(watch.read(at(wall), Duration::from_secs(monotonic)), expected, "{wall}");
        }
    }

    #[test]
    fn a_jump_that_is_corrected_leaves_nothing() {
        let mut watch = Watch::default();
        assert_eq!(watch.read(at(0), Duration::ZERO), Verdict::Steady);
        let years = 10 * 365 * 86_400;
        let far = watch.read(at(years), Duration::from_secs(1));
        assert_eq!(far, Verdict::Ahead(SignedDuration::from_secs(years - 1)));
        assert_eq!(watch.read(at(2), Duration::from_secs(2)), Verdict::Steady);
        let far = watch.read(at(years), Duration::from_secs(3));
        assert!(matches!(far, Verdict::Ahead(_)), "the count begins anew");
    }

    #[test]
    fn going_back_is_told_once() {
        let mut watch = Watch::default();
        watch.read(at(0), Duration::ZERO);
        let back = Verdict::Behind(SignedDuration::from_secs(7_200));
        assert_eq!(watch.read(at(-7_190), Duration::from_secs(10)), back);
        assert_eq!(watch.read(at(-7_180), Duration::from_secs(20)), Verdict::Steady);
    }

    #[test]
    fn readings_that_disagree_with_each_other_are_not_believed() {
        let mut watch = Watch::default();
        watch.read(at(0), Duration::ZERO);
        for (days, monotonic) in [(1, 1), (3, 2), (1, 3), (5, 4), (2, 5)] {
            let verdict = watch.read(at(days * 86_400), Duration::from_secs(monotonic));
            assert!(matches!(verdict, Verdict::Ahead(_)), "{days}: {verdict:?}");
        }
    }
}
