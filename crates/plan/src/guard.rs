//! When a run is stopped because of its size.

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
}

impl Guard {
    /// Compares the rows to send with the bounds and with the rows of the last delivered run, if
    /// there was one. Relative bounds say nothing about a first run, or about one after an empty one.
    pub fn violation(&self, rows: u64, last: Option<u64>) -> Option<Violation> {
        if let Some(min_rows) = self.min_rows.filter(|least| rows < *least) {
            return Some(Violation::TooFew { rows, min_rows });
        }
        if let Some(max_rows) = self.max_rows.filter(|most| rows > *most) {
            return Some(Violation::TooMany { rows, max_rows });
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
        guard.violation(rows, last).map(|violation| violation.to_string())
    }

    #[test]
    fn sizes_outside_the_bounds_are_told() {
        let guard = Guard {
            min_rows: Some(10),
            max_rows: Some(1_000),
            max_shrink_percent: Some(50.0),
            max_growth_percent: Some(200.0),
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
    }
}
