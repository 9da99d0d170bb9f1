//! How much one asker may ask: a bucket of requests for each, refilled over time.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The most askers that are remembered; beyond it those with a full bucket are forgotten.
const ASKERS_MAX: usize = 10_000;

/// Buckets of one size.
pub(crate) struct Buckets {
    size: f64,
    per_second: f64,
    levels: Mutex<HashMap<String, (f64, Instant)>>,
}

impl Buckets {
    /// Buckets that hold `size` requests and are refilled at `per_second`.
    pub(crate) fn new(size: u32, per_second: f64) -> Self {
        Self { size: f64::from(size), per_second, levels: Mutex::default() }
    }

    /// Takes one request of an asker's bucket, or tells how long to wait for the next.
    pub(crate) fn take(&self, asker: &str, now: Instant) -> Result<(), Duration> {
        let mut levels = self.levels.lock().unwrap_or_else(PoisonError::into_inner);
        if levels.len() >= ASKERS_MAX {
            levels.retain(|_, level| self.level(*level, now) < self.size);
            if levels.len() >= ASKERS_MAX && !levels.contains_key(asker) {
                return Err(Duration::from_secs(1));
            }
        }
        let level = levels.get(asker).map_or(self.size, |level| self.level(*level, now));
        if level < 1.0 {
            return Err(Duration::from_secs_f64((1.0 - level) / self.per_second));
        }
        levels.insert(asker.to_owned(), (level - 1.0, now));
        Ok(())
    }

    fn level(&self, (level, then): (f64, Instant), now: Instant) -> f64 {
        let passed = now.saturating_duration_since(then).as_secs_f64();
        (level + passed * self.per_second).min(self.size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_empties_and_is_refilled_for_each_asker() {
        let buckets = Buckets::new(3, 0.5);
        let now = Instant::now();
        for _ in 0..3 {
            assert_eq!(buckets.take("ann", now), Ok(()));
        }
        assert_eq!(buckets.take("ann", now), Err(Duration::from_secs(2)));
        assert_eq!(buckets.take("bob", now), Ok(()), "another asker");
        assert_eq!(buckets.take("ann", now + Duration::from_secs(2)), Ok(()));
        assert!(buckets.take("ann", now + Duration::from_secs(2)).is_err());
    }
}
