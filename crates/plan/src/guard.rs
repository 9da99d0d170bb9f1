//! When a run is stopped because of its size: it is held, with nothing visible, until a person releases
//! or rejects it.

use crate::project::Guard;

/// How a run's size is outside its bounds.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum Violation {
    /// Fewer rows than the least.
    #[error("{rows} rows are fewer than min_rows ({min_rows})")]
    TooFew {
        /// Rows to send.
        rows: u64,
        /// The bound.
        min_rows: u64,
    },
    /// More rows than the most.
    #[error("{rows} rows are more than max_rows ({max_rows})")]
    TooMany {
        /// Rows to send.
        rows: u64,
        /// The bound.
        max_rows: u64,
    },
    /// Too many rows lost since the last delivered run.
    #[error(
        "{rows} rows are {percent:.1} % fewer than the {last} of the last run, and max_shrink is {max} %"
    )]
    Shrunk {
        /// Rows to send.
        rows: u64,
        /// Rows of the last delivered run.
        last: u64,
        /// The loss, in percent of `last`.
        percent: f64,
        /// The bound, in percent.
        max: f64,
    },
    /// Too many rows gained since the last delivered run.
    #[error(
        "{rows} rows are {percent:.1} % more than the {last} of the last run, and max_growth is {max} %"
    )]
    Grown {
        /// Rows to send.
        rows: u64,
        /// Rows of the last delivered run.
        last: u64,
        /// The gain, in percent of `last`.
        percent: f64,
        /// The bound, in percent.
        max: f64,
    },
    /// Too many members left out.
    #[error(
        "{excluded} of {received} members would be left out, {percent:.1} %, and max_excluded is {max} %"
    )]
    Excluded {
        /// Rows to send.
        rows: u64,
        /// Members that are left out.
        excluded: u64,
        /// All members.
        received: u64,
        /// The share, in percent of `received`.
        percent: f64,
        /// The bound, in percent.
        max: f64,
    },
}

/// What a run would send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// The rows of a full file.
    pub rows: u64,
    /// Members, those included that are left out.
    pub received: u64,
    /// Members that are left out.
    pub excluded: u64,
}

/// On which side of its bounds a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// There are too few rows.
    Collapsed,
    /// There are too many.
    Exploded,
    /// Too many members are left out.
    ExclusionRate,
}

impl Cause {
    /// Returns the word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Collapsed => "collapsed",
            Self::Exploded => "exploded",
            Self::ExclusionRate => "exclusion_rate",
        }
    }

    /// Returns the cause of a word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Collapsed, Self::Exploded, Self::ExclusionRate]
            .into_iter()
            .find(|cause| cause.as_str() == word)
    }
}

/// Whether what is left out for a reason are members who go without a row in the receiver's file. Others
/// are not: whom the receiver has already (`unchanged`), records that are no profile and profiles that
/// cannot be told, of which the rule was not asked, and events.
pub fn is_of_members(reason: &str) -> bool {
    let others = ["no_identity:", "no_profile:", "too_many_", "event_"];
    reason != "unchanged" && !others.iter().any(|other| reason.starts_with(other))
}

impl Violation {
    /// On which side of its bounds the run is.
    pub fn cause(&self) -> Cause {
        match self {
            Self::TooFew { .. } | Self::Shrunk { .. } => Cause::Collapsed,
            Self::TooMany { .. } | Self::Grown { .. } => Cause::Exploded,
            Self::Excluded { .. } => Cause::ExclusionRate,
        }
    }

    /// The rows of a full file.
    pub fn rows(&self) -> u64 {
        match self {
            Self::TooFew { rows, .. }
            | Self::TooMany { rows, .. }
            | Self::Shrunk { rows, .. }
            | Self::Grown { rows, .. }
            | Self::Excluded { rows, .. } => *rows,
        }
    }

    /// Whether somebody who released the run with so many rows, for this cause, released this too: it
    /// is no further from the bounds.
    pub fn is_covered_by(&self, cause: Cause, rows: u64) -> bool {
        self.cause() == cause
            && match cause {
                Cause::Collapsed | Cause::ExclusionRate => self.rows() >= rows,
                Cause::Exploded => self.rows() <= rows,
            }
    }
}

impl Guard {
    /// Compares what would be sent with the bounds and with the rows of the last delivered run, if
    /// there was one. Relative bounds say nothing about a first run, or about one after an empty one.
    pub fn violation(&self, size: Size, last: Option<u64>) -> Option<Violation> {
        let Size { rows, received, excluded } = size;
        if let Some(min_rows) = self.min_rows.filter(|least| rows < *least) {
            return Some(Violation::TooFew { rows, min_rows });
        }
        if let Some(max_rows) = self.max_rows.filter(|most| rows > *most) {
            return Some(Violation::TooMany { rows, max_rows });
        }
        if received > 0 {
            let percent = 100.0 * excluded as f64 / received as f64;
            if let Some(max) = self.max_excluded_percent.filter(|max| percent > *max) {
                return Some(Violation::Excluded { rows, excluded, received, percent, max });
            }
        }
        let last = last.filter(|last| *last > 0)?;
        let percent = 100.0 * (rows as f64 - last as f64) / last as f64;
        if let Some(max) = self.max_shrink_percent.filter(|max| -percent > *max) {
            return Some(Violation::Shrunk { rows, last, percent: -percent, max });
        }
        let max = self.max_growth_percent.filter(|max| percent > *max)?;
        Some(Violation::Grown { rows, last, percent, max })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(guard: &Guard, rows: u64, last: Option<u64>) -> Option<String> {
        let size = Size { rows, received: rows, excluded: 0 };
        guard.violation(size, last).map(|violation| violation.to_string())
    }

    #[test]
    fn sizes_outside_the_bounds_are_told() {
        let guard = Guard {
            min_rows: Some(10),
            max_rows: Some(1_000),
            max_shrink_percent: Some(50.0),
            max_growth_percent: Some(200.0),
            max_excluded_percent: Some(20.0),
        };
        assert_eq!(told(&guard, 10, None), None);
        assert_eq!(told(&guard, 9, None).as_deref(), Some("9 rows are fewer than min_rows (10)"));
        assert_eq!(
            told(&guard, 1_001, None).as_deref(),
            Some("1001 rows are more than max_rows (1000)")
        );
        assert_eq!(told(&guard, 50, Some(100)), None);
        assert_eq!(
            told(&guard, 49, Some(100)).as_deref(),
            Some("49 rows are 51.0 % fewer than the 100 of the last run, and max_shrink is 50 %")
        );
        assert_eq!(told(&guard, 300, Some(100)), None);
        assert_eq!(
            told(&guard, 301, Some(100)).as_deref(),
            Some("301 rows are 201.0 % more than the 100 of the last run, and max_growth is 200 %")
        );
        assert_eq!(told(&guard, 500, Some(0)), None);
        assert_eq!(told(&Guard::default(), 0, Some(5)), None);
        let size = |excluded| Size { rows: 80, received: 100, excluded };
        assert_eq!(guard.violation(size(20), None), None);
        let found = guard.violation(size(21), None).expect("too many");
        assert_eq!(
            found.to_string(),
            "21 of 100 members would be left out, 21.0 %, and max_excluded is 20 %"
        );
        assert_eq!(found.cause(), Cause::ExclusionRate);
    }

    #[test]
    fn a_release_covers_what_is_no_further_from_the_bounds() {
        let few = |rows| Violation::TooFew { rows, min_rows: 10 };
        assert!(few(5).is_covered_by(Cause::Collapsed, 5));
        assert!(few(6).is_covered_by(Cause::Collapsed, 5));
        assert!(!few(4).is_covered_by(Cause::Collapsed, 5));
        assert!(!few(5).is_covered_by(Cause::Exploded, 5));
        let many = |rows| Violation::TooMany { rows, max_rows: 10 };
        assert!(many(11).is_covered_by(Cause::Exploded, 12));
        assert!(!many(13).is_covered_by(Cause::Exploded, 12));
        for cause in [Cause::Collapsed, Cause::Exploded, Cause::ExclusionRate] {
            assert_eq!(Cause::parse(cause.as_str()), Some(cause));
        }
    }

    #[test]
    fn only_members_without_a_row_count_as_left_out() {
        for reason in ["consent", "missing:e_mail", "missing:event_day", "duplicate", "formula"] {
            assert!(is_of_members(reason), "{reason}");
        }
        // Of an increment, members without an identity; of a dataset, records.
        assert!(is_of_members("no_identity"));
        for reason in [
            "unchanged",
            "no_identity:crm",
            "no_profile:vip",
            "too_many_identities",
            "too_many_records",
            "event_without_profile:orders",
        ] {
            assert!(!is_of_members(reason), "{reason}");
        }
    }
}
