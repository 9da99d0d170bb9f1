//! Today's set and the baseline, side by side in the order of their entities.

use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::ArrayRef;
use arrow::row::RowConverter;
use futures::TryStreamExt;
use tokio::runtime::Handle;

use super::Sent;
use super::baseline::{Row, Rows, Sink};
use super::entity::ENTRY_HEAD_BYTES;
use super::places::Pieces;
use crate::error::Error;
use crate::members::morsel_hash;
use crate::ordered::{Ordered, Stop};
use crate::row_set::Address;
use crate::spill::{Buckets, Limits, Sorted, bytes_at};
use crate::state_file::BATCH_ROWS;

/// Today's set.
pub(super) struct Today {
    pub(super) entries: Sorted,
    /// Decodes kept values.
    pub(super) converter: Option<RowConverter>,
    /// When it is, in microseconds.
    pub(super) now: i64,
    /// Whether it matters when changed rows came into the set.
    pub(super) since: bool,
    /// What stands for where they are.
    pub(super) pieces: Pieces,
}

/// What today's set is compared with, and what is made of it.
pub(super) struct Against<'a> {
    /// The rows sent last; without them everybody is new.
    pub(super) before: Option<Rows<'a>>,
    /// Whether it is asked who left.
    pub(super) leavers: bool,
    /// Whether attributes are compared.
    pub(super) changes: bool,
}

/// What the comparison found.
pub(super) struct Compared {
    pub(super) sent: Sent,
    /// Rows of today's set.
    pub(super) members: u64,
    pub(super) added: u64,
    pub(super) changed: u64,
    pub(super) unchanged: u64,
    /// Rows with the entity of another row; only the first is in the set.
    pub(super) repeated: u64,
    /// Entities that are in the baseline and not in today's set, sorted, if that is asked.
    pub(super) left: Option<Left>,
}

/// Entities that left.
pub(super) struct Left {
    pub(super) entities: Sorted,
    pub(super) count: u64,
}

/// One entry, with all that is compared: nothing is looked up in the order of entities in bytes that lie
/// in another order.
#[derive(Debug, Clone, Copy, Default)]
struct Entry {
    /// The halves of the entity: as one number it would have to be aligned, at the cost of a fifth more.
    high: u64,
    low: u64,
    hash: u64,
    address: Address,
    /// Where in the bytes of the bucket it begins.
    start: usize,
}

impl Entry {
    fn entity(&self) -> u128 {
        u128::from(self.high) << 64 | u128::from(self.low)
    }
}

/// The entries of one bucket, sorted.
#[derive(Default)]
struct Bucket {
    /// As they were written.
    bytes: Vec<u8>,
    entries: Vec<Entry>,
}

/// Buckets that are done with, whose memory is used again: what is new has to be cleared by the
/// operating system, page by page.
#[derive(Default)]
struct Spare(Mutex<Vec<Bucket>>);

impl Spare {
    fn take(&self) -> Bucket {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default()
    }

    fn put(&self, bucket: Bucket) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(bucket);
    }
}

/// Entries that are sorted together: few enough for the nearest cache.
const GROUP_ENTRIES: usize = 256;
/// The most bits of an entity by which the entries of a bucket are laid into groups.
const GROUP_BITS_MAX: u32 = 12;

/// Compares, and hands the rows of the next baseline to `next` on the way. Buckets are read and sorted
/// by `threads` threads ahead of the comparison; call it on a thread that may block, inside a runtime.
///
/// # Errors
/// Temporary files or baselines that cannot be read or written.
pub(super) fn compare(
    today: Today,
    against: Against<'_>,
    mut next: Option<&mut dyn Sink>,
    limits: &Limits,
    threads: usize,
) -> Result<Compared, Error> {
    let Today { entries, converter, now, since, pieces } = today;
    let Against { before, leavers, changes } = against;
    let mut comparison = Comparison {
        before,
        changes,
        left: leavers.then(|| (Buckets::new(limits.clone()), 0)),
        since: since.then(|| Buckets::new(limits.clone())),
        found: Compared {
            sent: Sent::default(),
            members: 0,
            added: 0,
            changed: 0,
            unchanged: 0,
            repeated: 0,
            left: None,
        },
    };
    let spare = Arc::new(Spare::default());
    let shares = entries.shares();
    let mut buckets: Ordered<Bucket, Error> = Ordered::new(shares.len(), threads, {
        let spare = Arc::clone(&spare);
        move |share, outlet| {
            for number in shares[share].clone().filter(|&number| entries.bytes(number) > 0) {
                let bucket = spare.take().read(&entries, number).map_err(Stop::Failed)?;
                outlet.send(bucket)?;
            }
            Ok(())
        }
    });
    let runtime = Handle::current();
    while let Some(mut bucket) = runtime.block_on(buckets.try_next())? {
        comparison.found.repeated += bucket.drop_repeated();
        comparison.found.members += bucket.entries.len() as u64;
        let mut since = Vec::with_capacity(bucket.entries.len());
        for entry in &bucket.entries {
            since.push(comparison.place(entry)?.unwrap_or(now));
        }
        if let Some(writer) = &mut next {
            bucket.write(*writer, &since, &pieces, converter.as_ref())?;
        }
        spare.put(bucket);
    }
    comparison.leave_until(None)?;
    let Comparison { left, since, mut found, .. } = comparison;
    found.left = left.map(|(buckets, count)| Left { entities: buckets.finish(), count });
    found.sent.since = since.map(Buckets::finish);
    Ok(found)
}

struct Comparison<'a> {
    before: Option<Rows<'a>>,
    changes: bool,
    left: Option<(Buckets, u64)>,
    since: Option<Buckets>,
    found: Compared,
}

impl Comparison<'_> {
    /// Decides about an entry of today's set; each entity is greater than the one before. Returns
    /// since when it is in the set, if it was there before.
    fn place(&mut self, entry: &Entry) -> Result<Option<i64>, Error> {
        let Some(before) = self.leave_until(Some(entry.entity()))? else {
            self.found.added += 1;
            self.found.sent.all.insert(entry.address);
            return Ok(None);
        };
        // Without a hash from then it cannot be told, and nothing may be lost.
        if !self.changes || before.hash == Some(entry.hash) {
            self.found.unchanged += 1;
            return Ok(Some(before.since));
        }
        self.found.changed += 1;
        self.found.sent.all.insert(entry.address);
        self.found.sent.changed.insert(entry.address);
        if let Some(since) = &mut self.since {
            let morsel = morsel_hash(entry.address.morsel());
            let parts = [entry.address.0.to_le_bytes(), before.since.to_le_bytes()];
            since.push(morsel, &[&parts[0], &parts[1]])?;
        }
        Ok(Some(before.since))
    }

    /// Passes the rows of the baseline before `entity`, all of whom have left, and returns its own.
    fn leave_until(&mut self, entity: Option<u128>) -> Result<Option<Row>, Error> {
        let Some(before) = &mut self.before else { return Ok(None) };
        while let Some(row) = before.peek()? {
            if entity.is_some_and(|entity| row.entity > entity) {
                return Ok(None);
            }
            before.pass()?;
            if Some(row.entity) == entity {
                return Ok(Some(row));
            }
            if let Some((left, count)) = &mut self.left {
                left.push((row.entity >> 64) as u64, &[&row.entity.to_le_bytes()])?;
                *count += 1;
            }
        }
        Ok(None)
    }
}

impl Bucket {
    /// Reads a bucket in place of what this one holds. Its entries are first laid into groups by the
    /// upper bits of their entities, since sorting many small groups misses the caches less than
    /// sorting one large one.
    fn read(self, entries: &Sorted, number: usize) -> Result<Self, Error> {
        let mut bucket = self;
        entries.load(number, &mut bucket.bytes)?;
        let groups = Groups::of(bucket.bytes.len() / ENTRY_HEAD_BYTES, entries.bits());
        let mut ends = vec![0; groups.count()];
        let (mut count, mut start) = (0, 0);
        while start < bucket.bytes.len() {
            ends[groups.of_entity(bucket.high(start))] += 1;
            count += 1;
            start += ENTRY_HEAD_BYTES + bucket.kept_length(start);
        }
        if start > bucket.bytes.len() {
            return Err(Error::internal("an entry of an increment is cut off"));
        }
        let begins = ends.iter().scan(0, |sum, &entries| {
            *sum += entries;
            Some(*sum - entries)
        });
        let mut next: Vec<usize> = begins.collect();
        bucket.entries.resize(count, Entry::default());
        let mut start = 0;
        while start < bucket.bytes.len() {
            let entry = bucket.entry(start);
            let place = &mut next[groups.of_entity(entry.high)];
            bucket.entries[*place] = entry;
            *place += 1;
            start += ENTRY_HEAD_BYTES + bucket.kept_length(start);
        }
        let mut rest = bucket.entries.as_mut_slice();
        for entries in ends {
            let (group, behind) = rest.split_at_mut(entries);
            group.sort_unstable_by_key(|entry| (entry.high, entry.low, entry.address));
            rest = behind;
        }
        Ok(bucket)
    }

    fn high(&self, start: usize) -> u64 {
        u64::from_le_bytes(bytes_at(&self.bytes, start + 8))
    }

    fn entry(&self, start: usize) -> Entry {
        let number = |at: usize| u64::from_le_bytes(bytes_at(&self.bytes, start + at));
        let address = Address(number(24));
        Entry { low: number(0), high: number(8), hash: number(16), address, start }
    }

    fn kept_length(&self, start: usize) -> usize {
        u32::from_le_bytes(bytes_at(&self.bytes, start + 32)) as usize
    }

    /// The kept values of an entry, encoded.
    fn kept(&self, entry: &Entry) -> &[u8] {
        let start = entry.start + ENTRY_HEAD_BYTES;
        &self.bytes[start..start + self.kept_length(entry.start)]
    }

    /// Keeps the first row of each entity.
    fn drop_repeated(&mut self) -> u64 {
        let before = self.entries.len();
        self.entries.dedup_by_key(|entry| entry.entity());
        (before - self.entries.len()) as u64
    }

    fn write(
        &self,
        writer: &mut dyn Sink,
        since: &[i64],
        pieces: &Pieces,
        converter: Option<&RowConverter>,
    ) -> Result<(), Error> {
        for (entries, since) in self.entries.chunks(BATCH_ROWS).zip(since.chunks(BATCH_ROWS)) {
            let row = |(entry, since): (&Entry, &i64)| Row {
                entity: entry.entity(),
                hash: Some(entry.hash),
                since: *since,
                piece: pieces.hash_of(entry.address),
            };
            let rows: Vec<Row> = entries.iter().zip(since).map(row).collect();
            let kept: Vec<ArrayRef> = match converter {
                None => Vec::new(),
                Some(converter) => {
                    let parser = converter.parser();
                    let values = entries.iter().map(|entry| parser.parse(self.kept(entry)));
                    converter
                        .convert_rows(values)
                        .map_err(|_| Error::internal("kept values cannot be read back"))?
                }
            };
            writer.write(&rows, kept)?;
        }
        Ok(())
    }
}

/// How the entries of a bucket are laid into groups.
#[derive(Debug, Clone, Copy)]
struct Groups {
    /// How many bits of an entity are the same for all entries, since they tell the bucket.
    bucket_bits: u32,
    /// How many bits behind those tell the group.
    bits: u32,
}

impl Groups {
    /// Groups for so many entries of a bucket.
    fn of(entries: usize, bucket_bits: u32) -> Self {
        let bits = (entries / GROUP_ENTRIES).checked_ilog2().unwrap_or(0);
        Self { bucket_bits, bits: bits.min(GROUP_BITS_MAX) }
    }

    fn count(self) -> usize {
        1 << self.bits
    }

    /// The group of an entity, by its upper half.
    fn of_entity(self, high: u64) -> usize {
        ((high << self.bucket_bits).unbounded_shr(u64::BITS - self.bits)) as usize
    }
}
