//! From identities to profiles: what is known of the events of an identity becomes known of every
//! profile that has it.

use std::collections::HashMap;
use std::io::{self, Read};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use futures::TryStreamExt;

use super::people::People;
use super::state::next;
use crate::engine::Settings;
use crate::error::Error;
use crate::ordered::{Ordered, Outlet, Stop};
use crate::row_set::Address;
use crate::spill::{BUCKETS, Buckets, Sorted};

/// In how many pieces of work the buckets are taken.
pub(super) const BUCKET_JOBS: usize = 16;

/// The buckets of a piece of work.
pub(super) fn buckets_of(job: usize) -> Range<usize> {
    BUCKETS / BUCKET_JOBS * job..BUCKETS / BUCKET_JOBS * (job + 1)
}

/// Bytes of a state that says nothing.
const SILENT: usize = 2;

/// What is known of the events of profiles.
pub(super) struct Joined {
    /// By the number of a profile, in buckets of equal ranges of numbers: the number and a state.
    pub(super) states: Sorted,
    /// Events of nobody, by dataset.
    pub(super) strangers: Vec<u64>,
}

/// The bucket of a number in a range: buckets are parts of the range, of equal length.
pub(super) fn range_hash(number: u64, range: &Range<u64>) -> u64 {
    let (offset, length) = (u128::from(number - range.start), u128::from(range.end - range.start));
    let bucket = offset * BUCKETS as u128 / length.max(1);
    (bucket as u64) << 56
}

/// The numbers of a bucket.
pub(super) fn range_of(bucket: usize, range: &Range<u64>) -> Range<u64> {
    let length = u128::from(range.end - range.start);
    let edge = |bucket: usize| (bucket as u128 * length).div_ceil(BUCKETS as u128) as u64;
    range.start + edge(bucket)..range.start + edge(bucket + 1)
}

/// Joins states with profiles.
pub(super) async fn join(
    people: &People,
    states: Sorted,
    sources: usize,
    settings: &Settings,
) -> Result<Joined, Error> {
    let shared = Arc::new(Shared {
        identities: Arc::clone(&people.identities),
        starts: Arc::clone(&people.starts),
        states,
        out: Mutex::new(Buckets::new(settings.limits())),
        strangers: Mutex::new(vec![0; sources]),
    });
    let job = Arc::clone(&shared);
    let mut jobs: Ordered<(), Error> =
        Ordered::new(BUCKET_JOBS, settings.threads, move |number, _: &Outlet<(), Error>| {
            buckets_of(number).try_for_each(|it| job.bucket(it)).map_err(Stop::Failed)
        });
    while jobs.try_next().await?.is_some() {}
    drop(jobs);
    let shared =
        Arc::into_inner(shared).ok_or_else(|| Error::internal("a job outlived its stream"))?;
    let out = shared.out.into_inner().unwrap_or_else(PoisonError::into_inner);
    let strangers = shared.strangers.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(Joined { states: out.finish(), strangers })
}

struct Shared {
    identities: Arc<Sorted>,
    starts: Arc<[u64]>,
    states: Sorted,
    out: Mutex<Buckets>,
    strangers: Mutex<Vec<u64>>,
}

/// The profiles of one bucket of identities.
#[derive(Default)]
struct Profiles {
    /// The first profile that has an identity.
    first: HashMap<u128, u64>,
    /// The others, where there are any.
    more: HashMap<u128, Vec<u64>>,
}

impl Profiles {
    fn insert(&mut self, hash: u128, number: u64) {
        match self.first.entry(hash) {
            std::collections::hash_map::Entry::Vacant(entry) => drop(entry.insert(number)),
            std::collections::hash_map::Entry::Occupied(_) => {
                self.more.entry(hash).or_default().push(number);
            }
        }
    }
}

impl Shared {
    fn bucket(&self, bucket: usize) -> Result<(), Error> {
        let mut profiles = Profiles::default();
        self.identities.read(bucket, |entries| {
            while let Some(hash) = next(entries)? {
                let address = Address(u64::from_le_bytes(needed(entries)?));
                let number = self.starts[address.morsel()] + address.row();
                profiles.insert(u128::from_be_bytes(hash), number);
            }
            Ok(())
        })?;
        let mut strangers: Vec<(u16, u64)> = Vec::new();
        let mut failure = Ok(());
        self.states.read(bucket, |entries| {
            let mut state = Vec::new();
            while let Some(hash) = next(entries)? {
                let hash = u128::from_be_bytes(hash);
                let source = u16::from_le_bytes(needed(entries)?);
                let events = u64::from_le_bytes(needed(entries)?);
                read_state(entries, &mut state)?;
                let Some(&first) = profiles.first.get(&hash) else {
                    strangers.push((source, events));
                    continue;
                };
                if state.len() <= SILENT {
                    continue;
                }
                let more = profiles.more.get(&hash).map_or(&[][..], Vec::as_slice);
                let numbers = std::iter::once(first).chain(more.iter().copied());
                failure = self.hand_over(numbers, &state);
                if failure.is_err() {
                    break;
                }
            }
            Ok(())
        })?;
        failure?;
        let mut all = self.strangers.lock().unwrap_or_else(PoisonError::into_inner);
        for (source, events) in strangers {
            all[source as usize] += events;
        }
        Ok(())
    }

    fn hand_over(&self, numbers: impl Iterator<Item = u64>, state: &[u8]) -> Result<(), Error> {
        let all = 0..self.starts[self.starts.len() - 1];
        let length = (state.len() as u32).to_le_bytes();
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        for number in numbers {
            out.push(range_hash(number, &all), &[&number.to_le_bytes(), &length, state])?;
        }
        Ok(())
    }
}

/// Reads bytes that have to be there.
pub(super) fn needed<const N: usize>(entries: &mut dyn Read) -> io::Result<[u8; N]> {
    next(entries)?.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
}

/// Reads the length of a state, and the state.
pub(super) fn read_state(entries: &mut dyn Read, state: &mut Vec<u8>) -> io::Result<()> {
    let length = u32::from_le_bytes(needed(entries)?) as usize;
    match length {
        0 => state.clear(),
        _ if crate::spill::read_part(entries, state, length)? => {}
        _ => return Err(io::ErrorKind::UnexpectedEof.into()),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spill::bucket_of;

    #[test]
    fn buckets_are_the_parts_of_a_range() {
        for range in [0..1, 5..300, 0..256, 7..8_000, 0..u64::from(u32::MAX)] {
            let mut end = range.start;
            for bucket in 0..BUCKETS {
                let part = range_of(bucket, &range);
                assert_eq!(part.start, end);
                end = part.end;
                for number in [part.start, part.end.saturating_sub(1)] {
                    if part.contains(&number) {
                        assert_eq!(bucket_of(range_hash(number, &range)), bucket);
                    }
                }
            }
            assert_eq!(end, range.end);
        }
    }
}
