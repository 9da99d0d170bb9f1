//! Today's set and the baseline, side by side in the order of their entities.

use arrow::array::ArrayRef;
use arrow::row::RowConverter;
use plan::run_plan::Increment;

use super::Sent;
use super::baseline::{BATCH_ROWS, Baseline, Cursor, Row, Writer};
use super::entity::ENTRY_HEAD_BYTES;
use crate::error::Error;
use crate::members::morsel_hash;
use crate::row_set::Address;
use crate::spill::{BUCKETS, Buckets, Limits, Sorted, read_part};

/// Today's set.
pub(super) struct Today {
    pub(super) entries: Sorted,
    /// Decodes kept values.
    pub(super) converter: Option<RowConverter>,
    /// When it is, in microseconds.
    pub(super) now: i64,
    /// Whether it matters when changed rows came into the set.
    pub(super) since: bool,
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
    /// Entities that are in the baseline and not in today's set, sorted, if they are wanted.
    pub(super) left: Option<Left>,
}

/// Entities that left.
pub(super) struct Left {
    pub(super) entities: Sorted,
    pub(super) count: u64,
}

struct Entry {
    row: Row,
    address: Address,
    /// Where the kept values are.
    kept: (usize, usize),
}

/// The entries of one bucket, sorted.
#[derive(Default)]
struct Bucket {
    entries: Vec<Entry>,
    kept: Vec<u8>,
}

/// Compares, and writes the next baseline on the way.
///
/// # Errors
/// Temporary files or baselines that cannot be read or written.
pub(super) fn compare(
    today: Today,
    last: Option<&Baseline>,
    next: Option<Writer>,
    increment: &Increment,
    limits: &Limits,
) -> Result<Compared, Error> {
    let is_wanted = increment.leavers && last.is_some();
    let mut comparison = Comparison {
        before: last.map(Baseline::rows).transpose()?,
        changes: increment.changes,
        left: is_wanted.then(|| (Buckets::new(limits.clone()), 0)),
        since: today.since.then(|| Buckets::new(limits.clone())),
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
    let mut next = next;
    for number in 0..BUCKETS {
        let mut bucket = Bucket::read(&today.entries, number, today.now)?;
        comparison.found.repeated += bucket.drop_repeated();
        comparison.found.members += bucket.entries.len() as u64;
        for entry in &mut bucket.entries {
            comparison.place(entry)?;
        }
        if let Some(writer) = &mut next {
            bucket.write(writer, today.converter.as_ref())?;
        }
    }
    comparison.leave_until(None)?;
    next.map_or(Ok(()), Writer::finish)?;
    let Comparison { left, since, mut found, .. } = comparison;
    found.left = left.map(|(buckets, count)| Left { entities: buckets.finish(), count });
    found.sent.since = since.map(Buckets::finish);
    Ok(found)
}

struct Comparison<'a> {
    before: Option<Cursor<'a>>,
    changes: bool,
    left: Option<(Buckets, u64)>,
    since: Option<Buckets>,
    found: Compared,
}

impl Comparison<'_> {
    /// Decides about an entry of today's set; each entity is greater than the one before.
    fn place(&mut self, entry: &mut Entry) -> Result<(), Error> {
        let before = self.leave_until(Some(entry.row.entity))?;
        let Some(before) = before else {
            self.found.added += 1;
            self.found.sent.all.insert(entry.address);
            return Ok(());
        };
        entry.row.since = before.since;
        // Without a hash from then it cannot be told, and nothing may be lost.
        if !self.changes || before.hash == entry.row.hash {
            self.found.unchanged += 1;
            return Ok(());
        }
        self.found.changed += 1;
        self.found.sent.all.insert(entry.address);
        self.found.sent.changed.insert(entry.address);
        if let Some(since) = &mut self.since {
            let morsel = morsel_hash(entry.address.morsel());
            let parts = [entry.address.0.to_le_bytes(), before.since.to_le_bytes()];
            since.push(morsel, &[&parts[0], &parts[1]])?;
        }
        Ok(())
    }

    /// Passes the rows of the baseline before `entity`, all of whom have left, and returns its own.
    fn leave_until(&mut self, entity: Option<u128>) -> Result<Option<Row>, Error> {
        let Some(before) = &mut self.before else { return Ok(None) };
        while let Some(row) = before.peek()? {
            if entity.is_some_and(|entity| row.entity > entity) {
                return Ok(None);
            }
            before.pass();
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
    fn read(entries: &Sorted, number: usize, now: i64) -> Result<Self, Error> {
        let mut bucket = Self::default();
        entries.read(number, |entries| {
            let (mut head, mut value) = (Vec::new(), Vec::new());
            while read_part(entries, &mut head, ENTRY_HEAD_BYTES)? {
                let number =
                    |from: usize| head[from..from + 8].try_into().map_or(0, u64::from_le_bytes);
                let entity = head[..16].try_into().map_or(0, u128::from_le_bytes);
                let length = head[32..36].try_into().map_or(0, u32::from_le_bytes) as usize;
                read_part(entries, &mut value, length)?;
                let start = bucket.kept.len();
                bucket.kept.extend_from_slice(&value);
                bucket.entries.push(Entry {
                    row: Row { entity, hash: Some(number(16)), since: now },
                    address: Address(number(24)),
                    kept: (start, start + length),
                });
            }
            Ok(())
        })?;
        bucket.entries.sort_unstable_by_key(|entry| (entry.row.entity, entry.address));
        Ok(bucket)
    }

    /// Keeps the first row of each entity.
    fn drop_repeated(&mut self) -> u64 {
        let before = self.entries.len();
        self.entries.dedup_by_key(|entry| entry.row.entity);
        (before - self.entries.len()) as u64
    }

    fn write(&self, writer: &mut Writer, converter: Option<&RowConverter>) -> Result<(), Error> {
        for entries in self.entries.chunks(BATCH_ROWS) {
            let rows: Vec<Row> = entries.iter().map(|entry| entry.row).collect();
            let kept: Vec<ArrayRef> = match converter {
                None => Vec::new(),
                Some(converter) => {
                    let parser = converter.parser();
                    let values = entries.iter();
                    let values = values
                        .map(|Entry { kept: (from, to), .. }| parser.parse(&self.kept[*from..*to]));
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
