//! Whose turn it is: fair between destinations and between activations.
//!
//! A thousand exports of one activation at two o'clock do not keep another activation waiting: the
//! next run goes to the destination with the fewest runs under way, then to the activation with the
//! fewest, then to the one that has waited longest since its last turn, and within it to the oldest
//! slot.

use std::collections::BTreeMap;

use jiff::Timestamp;

/// How much may run at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Runs in all.
    pub runs: usize,
    /// Runs to one destination.
    pub per_destination: usize,
}

/// An export that waits or runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The activation's key.
    pub activation: String,
    /// The segment's key.
    pub segment: String,
    /// The destination's key.
    pub destination: String,
    /// The slot.
    pub slot: Timestamp,
}

/// Counts whose turn it was.
#[derive(Debug, Clone, Default)]
pub struct Turns {
    count: u64,
    last: BTreeMap<String, u64>,
}

impl Turns {
    /// Picks the next of `waiting` to run beside `running`, and notes that it had its turn.
    pub fn next<'a>(
        &mut self,
        waiting: &'a [Candidate],
        running: &[Candidate],
        limits: Limits,
    ) -> Option<&'a Candidate> {
        if running.len() >= limits.runs {
            return None;
        }
        let busy =
            |same: &dyn Fn(&Candidate) -> bool| running.iter().filter(|run| same(run)).count();
        let next = waiting
            .iter()
            .filter(|it| {
                let same_export =
                    |run: &Candidate| run.activation == it.activation && run.segment == it.segment;
                busy(&same_export) == 0
                    && busy(&|run| run.destination == it.destination) < limits.per_destination
            })
            .min_by_key(|it| {
                (
                    busy(&|run| run.destination == it.destination),
                    busy(&|run| run.activation == it.activation),
                    self.last.get(&it.activation).copied().unwrap_or(0),
                    it.slot,
                    &it.segment,
                )
            })?;
        self.count += 1;
        self.last.insert(next.activation.clone(), self.count);
        Some(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(activation: &str, segment: u32, destination: &str) -> Candidate {
        Candidate {
            activation: activation.to_owned(),
            segment: format!("s{segment}"),
            destination: destination.to_owned(),
            slot: Timestamp::UNIX_EPOCH,
        }
    }

    const ONE: Limits = Limits { runs: 1, per_destination: 1 };

    #[test]
    fn a_crowd_does_not_keep_others_waiting() {
        let mut waiting: Vec<_> = (0..1_000).map(|it| candidate("crowd", it, "big")).collect();
        waiting.push(candidate("small", 0, "big"));
        waiting.push(candidate("other", 0, "far"));
        let mut turns = Turns::default();
        let mut order = Vec::new();
        for _ in 0..4 {
            let next = turns.next(&waiting, &[], ONE).expect("something waits").clone();
            waiting.retain(|it| *it != next);
            order.push(next.activation);
        }
        order.sort();
        assert_eq!(order, ["crowd", "crowd", "other", "small"]);
    }

    #[test]
    fn limits_hold_and_one_export_never_runs_twice_at_once() {
        let limits = Limits { runs: 3, per_destination: 2 };
        let waiting = [candidate("a", 0, "x"), candidate("b", 0, "x"), candidate("c", 0, "y")];
        let mut turns = Turns::default();
        let running = [candidate("a", 0, "x"), candidate("d", 0, "x")];
        let next = turns.next(&waiting, &running, limits).map(|it| it.activation.as_str());
        assert_eq!(next, Some("c"), "two runs go to x already");
        let running = [candidate("a", 0, "x")];
        let next = turns.next(&waiting[..1], &running, limits);
        assert_eq!(next, None, "the export is running");
        let running = [candidate("e", 0, "y"), candidate("d", 0, "x"), candidate("f", 0, "z")];
        assert_eq!(turns.next(&waiting, &running, limits), None, "three run already");
    }
}
