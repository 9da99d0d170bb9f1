//! Today's members and the histories of their segments, side by side in the order of the entities.

use std::path::Path;

use futures::TryStreamExt;
use jiff::Timestamp;
use tokio::runtime::Handle;
use uuid::Uuid;

use super::file::{Cursor, History, Key, State, Writer, microseconds};
use super::{Standing, path};
use crate::error::Error;
use crate::members::morsel_hash;
use crate::ordered::{Ordered, Stop};
use crate::row_set::Address;
use crate::spill::{Buckets, Limits, Sorted, bytes_at};
use crate::state_file::Pending;

/// The most segments with a history of one scan: one bit each.
pub(crate) const TRACKED_MAX: usize = 64;
/// Bytes of an entry before the texts of its key.
const HEAD_BYTES: usize = 16 + 8 + 8 + 4 + 4;

const MICROSECONDS_OF_DAY: i64 = 86_400_000_000;

/// A segment whose history is kept.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tracked {
    pub(crate) segment: Uuid,
    pub(crate) evaluated_at: Timestamp,
    /// How long exits are remembered.
    pub(crate) exits_kept_days: u32,
    /// Whether the history may be moved at all.
    pub(crate) may_move: bool,
    /// Whether it is asked since when each member is one.
    pub(crate) wants_times: bool,
}

/// What the comparison found for one segment.
#[derive(Debug)]
pub(crate) struct Advanced {
    /// Since when members are so, in microseconds, by address, of those who were members before:
    /// entries in the bucket of their morsel.
    pub(crate) since: Option<Sorted>,
    /// The next history, if it moves.
    pub(crate) next: Option<Pending>,
    /// What the history says now.
    pub(crate) standing: Standing,
}

/// Adds a member of the segments in `mask` to `buckets`.
pub(crate) fn push(
    buckets: &mut Buckets,
    entity: u128,
    mask: u64,
    address: Address,
    [namespace, value]: [&str; 2],
) -> Result<(), Error> {
    buckets.push(
        (entity >> 64) as u64,
        &[
            &entity.to_le_bytes(),
            &mask.to_le_bytes(),
            &address.0.to_le_bytes(),
            &(namespace.len() as u32).to_le_bytes(),
            &(value.len() as u32).to_le_bytes(),
            namespace.as_bytes(),
            value.as_bytes(),
        ],
    )
}

/// One entry: small, since all of a bucket are sorted.
struct Entry {
    entity: u128,
    address: Address,
    /// Where in the bytes of the bucket it begins.
    start: usize,
}

/// The entries of one bucket, sorted.
#[derive(Default)]
struct Bucket {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
}

/// Compares the members, each with the bits of its segments, with the histories of these segments.
/// Nothing takes its place yet. Buckets are read and sorted by `threads` threads ahead of the
/// comparison; call it on a thread that may block, inside a runtime.
///
/// # Errors
/// Temporary files or histories that cannot be read or written.
pub(crate) fn advance(
    members: Sorted,
    tracked: &[Tracked],
    primary: &str,
    folder: &Path,
    limits: &Limits,
    threads: usize,
) -> Result<Vec<Advanced>, Error> {
    let limits =
        Limits { memory_bytes: limits.memory_bytes / tracked.len().max(1), ..limits.clone() };
    let begin = |tracked: &Tracked| Walk::begin(tracked, primary, folder, &limits);
    let mut walks = tracked.iter().map(begin).collect::<Result<Vec<_>, _>>()?;
    let shares = members.shares();
    let mut buckets: Ordered<Bucket, Error> =
        Ordered::new(shares.len(), threads, move |share, outlet| {
            for number in shares[share].clone().filter(|&number| members.bytes(number) > 0) {
                outlet.send(Bucket::read(&members, number).map_err(Stop::Failed)?)?;
            }
            Ok(())
        });
    let runtime = Handle::current();
    while let Some(bucket) = runtime.block_on(buckets.try_next())? {
        for (bit, walk) in walks.iter_mut().enumerate() {
            for entry in bucket.entries.iter().filter(|entry| bucket.mask(entry) >> bit & 1 == 1) {
                walk.member(entry, bucket.key(entry))?;
            }
        }
    }
    walks.into_iter().map(|walk| walk.end(primary)).collect()
}

/// The way along one history.
struct Walk {
    evaluated_at: Timestamp,
    now: i64,
    exits_kept: i64,
    before: Option<Cursor>,
    writer: Option<Writer>,
    since: Option<Buckets>,
    /// What the history says that is not moved.
    unmoved: Option<Standing>,
    /// The entity of the member before.
    last: Option<u128>,
    found: Found,
}

#[derive(Default)]
struct Found {
    realized: u64,
    exited: u64,
    joined: u64,
    left: u64,
}

impl Walk {
    fn begin(
        tracked: &Tracked,
        primary: &str,
        folder: &Path,
        limits: &Limits,
    ) -> Result<Self, Error> {
        let path = path(folder, tracked.segment);
        let history = History::open(&path, Some(primary))?;
        let has_come = |history: &History| history.standing.evaluated_at >= tracked.evaluated_at;
        let moves = tracked.may_move && !history.as_ref().is_some_and(has_come);
        Ok(Self {
            evaluated_at: tracked.evaluated_at,
            now: microseconds(tracked.evaluated_at),
            exits_kept: i64::from(tracked.exits_kept_days) * MICROSECONDS_OF_DAY,
            before: history.as_ref().map(History::rows).transpose()?,
            writer: moves.then(|| Writer::create(&path)).transpose()?,
            since: tracked.wants_times.then(|| Buckets::new(limits.clone())),
            unmoved: history.filter(|_| !moves).map(|history| history.standing),
            last: None,
            found: Found::default(),
        })
    }

    /// Decides about a member; none has a smaller entity than the one before.
    fn member(&mut self, entry: &Entry, key: Key<'_>) -> Result<(), Error> {
        let time = match self.last == Some(entry.entity) {
            // Two records that nothing tells apart are one profile, and new each time.
            true => self.now,
            false => self.place(entry.entity, key)?,
        };
        self.last = Some(entry.entity);
        if let Some(since) = self.since.as_mut().filter(|_| time != self.now) {
            let parts = [entry.address.0.to_le_bytes(), time.to_le_bytes()];
            since.push(morsel_hash(entry.address.morsel()), &[&parts[0], &parts[1]])?;
        }
        Ok(())
    }

    /// Since when a member is one.
    fn place(&mut self, entity: u128, key: Key<'_>) -> Result<i64, Error> {
        let before = self.leave_until(Some(entity))?.filter(|before| before.is_realized);
        // A run for an earlier slot than the last must not know of what came later.
        let time = before.map_or(self.now, |before| before.time.min(self.now));
        self.found.joined += u64::from(before.is_none());
        self.found.realized += 1;
        if let Some(writer) = &mut self.writer {
            writer.push(State { entity, is_realized: true, time }, key)?;
        }
        Ok(time)
    }

    /// Passes those in the history before `entity`, none of whom is a member, and returns its own.
    fn leave_until(&mut self, entity: Option<u128>) -> Result<Option<State>, Error> {
        let Some(before) = &mut self.before else { return Ok(None) };
        while let Some((state, key)) = before.peek()? {
            if entity.is_some_and(|entity| state.entity > entity) {
                return Ok(None);
            }
            if Some(state.entity) == entity {
                before.pass();
                return Ok(Some(state));
            }
            self.found.left += u64::from(state.is_realized);
            let time = if state.is_realized { self.now } else { state.time };
            if self.now - time < self.exits_kept {
                self.found.exited += 1;
                if let Some(writer) = &mut self.writer {
                    writer.push(State { is_realized: false, time, ..state }, key)?;
                }
            }
            before.pass();
        }
        Ok(None)
    }

    fn end(mut self, primary: &str) -> Result<Advanced, Error> {
        self.leave_until(None)?;
        let Found { realized, exited, joined, left } = self.found;
        let evaluated_at = self.evaluated_at;
        let found = Standing { evaluated_at, realized, exited, joined, left };
        let standing = self.unmoved.unwrap_or(found);
        let next = self.writer.map(|writer| writer.finish(&standing, primary)).transpose()?;
        Ok(Advanced { since: self.since.map(Buckets::finish), next, standing })
    }
}

impl Bucket {
    fn read(members: &Sorted, number: usize) -> Result<Self, Error> {
        let mut bytes = Vec::new();
        members.load(number, &mut bytes)?;
        let entries = Vec::with_capacity(bytes.len() / HEAD_BYTES);
        let mut bucket = Self { bytes, entries };
        let mut start = 0;
        while start < bucket.bytes.len() {
            let [.., end] = bucket.texts(start);
            if end > bucket.bytes.len() {
                return Err(Error::internal("an entry of an evaluation is cut off"));
            }
            let entity = u128::from_le_bytes(bytes_at(&bucket.bytes, start));
            let address = Address(u64::from_le_bytes(bytes_at(&bucket.bytes, start + 24)));
            bucket.entries.push(Entry { entity, address, start });
            start = end;
        }
        bucket.entries.sort_unstable_by_key(|entry| (entry.entity, entry.address));
        Ok(bucket)
    }

    fn mask(&self, entry: &Entry) -> u64 {
        u64::from_le_bytes(bytes_at(&self.bytes, entry.start + 16))
    }

    /// Where the texts of an entry are: the first, the second, and the end.
    fn texts(&self, start: usize) -> [usize; 3] {
        let length = |from: usize| u32::from_le_bytes(bytes_at(&self.bytes, start + from)) as usize;
        let (first, namespace) = (start + HEAD_BYTES, length(32));
        [first, first + namespace, first + namespace + length(36)]
    }

    fn key(&self, entry: &Entry) -> Key<'_> {
        let [start, middle, end] = self.texts(entry.start);
        let text = |from: usize, to: usize| std::str::from_utf8(&self.bytes[from..to]);
        Key {
            namespace: text(start, middle).unwrap_or_default(),
            value: text(middle, end).unwrap_or_default(),
        }
    }
}
