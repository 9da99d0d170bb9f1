//! Who is connected: the components of the graph of identities.
//!
//! Linked identities are numbered densely by sorting them, bucket by bucket, so that the only thing in
//! memory that grows with them is an array of numbers. All else is sorted into buckets on disk, and
//! one bucket at a time is in memory.

use std::io::{self, BufWriter, Read, Write as _};
use std::sync::Arc;

use super::graph::{HASH_BYTES, IDENTITIES_MAX, Keys, LEFT_OUT, Scan};
use super::identity::upper;
use crate::error::{Error, Kind};
use crate::spill::{BUCKETS, Buckets, Limits, read_part};

/// The most identities of all people that are linked to others: five bytes of memory each.
pub(crate) const LINKED_MAX: u32 = 1 << 28;

/// Finds the components of the graph and gives each record the key of its own.
pub(super) fn solve(scan: Scan, limits: &Limits) -> Result<(Keys, u64), Error> {
    let Scan { mut firsts, links, texts, rows } = scan;
    let (numbers, translated) = number(links, limits)?;
    let mut graph = Graph::new(numbers.count);
    graph.link(&numbers, translated)?;
    let too_many = graph.count_members();
    let mut members = key_members(&mut graph, &numbers, texts, limits)?;
    let keys = write_keys(&mut firsts, &mut members, &rows, limits)?;
    Ok((keys, too_many))
}

/// The numbers of linked identities: those of a bucket follow each other in the order of their
/// hashes, behind those of the bucket before.
struct Numbers {
    firsts: Vec<u32>,
    count: u32,
}

/// Numbers the identities that links begin with, and replaces those ends by their numbers.
fn number(mut links: Buckets, limits: &Limits) -> Result<(Numbers, Buckets), Error> {
    let mut translated = Buckets::new(limits.clone());
    let mut numbers = Numbers { firsts: Vec::with_capacity(BUCKETS), count: 0 };
    for bucket in 0..BUCKETS {
        let pairs = links.read(bucket, |entries| {
            let mut pairs = Vec::new();
            while let Some(one) = read_hash(entries)? {
                pairs.push((one, read_hash(entries)?.unwrap_or_default()));
            }
            Ok(pairs)
        })?;
        let nodes = distinct(pairs.iter().map(|(one, _)| *one));
        numbers.firsts.push(numbers.count);
        for (one, other) in pairs {
            let position = nodes.binary_search(&one).unwrap_or_default();
            let number = numbers.count + position as u32;
            translated.push(upper(other), &[&other.to_be_bytes(), &number.to_le_bytes()])?;
        }
        let count = u64::from(numbers.count) + nodes.len() as u64;
        if count > u64::from(LINKED_MAX) {
            let message = format!("more than {LINKED_MAX} identities are linked to others");
            return Err(Error::new(Kind::Resources, "too_many_identities", message)
                .with_hint("Use `stitch: none`, or fewer identities."));
        }
        numbers.count = count as u32;
    }
    Ok((numbers, translated))
}

/// Sets of linked identities, by number.
struct Graph {
    /// The way to the one that stands for the set.
    parents: Vec<u32>,
    /// How many members a set has, as far as it matters, at the one that stands for it.
    members: Vec<u8>,
}

impl Graph {
    fn new(count: u32) -> Self {
        Self { parents: (0..count).collect(), members: vec![0; count as usize] }
    }

    /// Joins the two ends of each link. Every identity that is linked begins some link here as it
    /// did before, so that the numbers are the same.
    fn link(&mut self, numbers: &Numbers, mut translated: Buckets) -> Result<(), Error> {
        for bucket in 0..BUCKETS {
            let ends = translated.read(bucket, |entries| {
                let (mut ends, mut part) = (Vec::new(), Vec::new());
                while let Some(hash) = read_hash(entries)? {
                    read_part(entries, &mut part, 4)?;
                    let number = part.as_slice().try_into().map_or(0, u32::from_le_bytes);
                    ends.push((hash, number));
                }
                Ok(ends)
            })?;
            let nodes = distinct(ends.iter().map(|(hash, _)| *hash));
            for (hash, number) in ends {
                let position = nodes.binary_search(&hash).unwrap_or_default() as u32;
                self.join(numbers.firsts[bucket] + position, number);
            }
        }
        Ok(())
    }

    fn find(&mut self, mut node: u32) -> u32 {
        loop {
            let parent = self.parents[node as usize];
            if parent == node {
                return node;
            }
            // The way is halved for those who come next.
            let above = self.parents[parent as usize];
            self.parents[node as usize] = above;
            node = above;
        }
    }

    /// The smaller number stands for both, so that the outcome does not depend on the order of links.
    fn join(&mut self, one: u32, other: u32) {
        let (one, other) = (self.find(one), self.find(other));
        self.parents[one.max(other) as usize] = one.min(other);
    }

    /// Counts the members of each set. Returns how many sets have too many.
    fn count_members(&mut self) -> u64 {
        for node in 0..self.parents.len() as u32 {
            let root = self.find(node) as usize;
            self.members[root] = self.members[root].saturating_add(1);
        }
        self.members.iter().filter(|members| **members > IDENTITIES_MAX).count() as u64
    }
}

/// An identity of a set: what decides which of them is the key comes first.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Member {
    root: u32,
    namespace: u64,
    text: Vec<u8>,
    hash: u128,
}

/// Finds the key of each linked identity: hash and hash of the key, sorted by the former.
fn key_members(
    graph: &mut Graph,
    numbers: &Numbers,
    mut texts: Buckets,
    limits: &Limits,
) -> Result<Buckets, Error> {
    let mut keyed = Buckets::new(limits.clone());
    let mut sets = Buckets::new(limits.clone());
    for bucket in 0..BUCKETS {
        let mut found = texts.read(bucket, read_members)?;
        found.sort_unstable_by_key(|member| member.hash);
        found.dedup_by_key(|member| member.hash);
        for (position, member) in found.into_iter().enumerate() {
            let root = graph.find(numbers.firsts[bucket] + position as u32);
            let hash = member.hash.to_be_bytes();
            if graph.members[root as usize] > IDENTITIES_MAX {
                keyed.push(upper(member.hash), &[&hash, &LEFT_OUT.to_be_bytes()])?;
                continue;
            }
            let length = (member.text.len() as u64).to_le_bytes();
            let head = [member.namespace.to_le_bytes(), length].concat();
            sets.push(spread(root), &[&hash, &head, &member.text, &root.to_le_bytes()])?;
        }
    }
    for bucket in 0..BUCKETS {
        let mut members = sets.read(bucket, read_rooted)?;
        members.sort_unstable();
        for set in members.chunk_by(|left, right| left.root == right.root) {
            for member in set {
                let (hash, key) = (member.hash.to_be_bytes(), set[0].hash.to_be_bytes());
                keyed.push(upper(member.hash), &[&hash, &key])?;
            }
        }
    }
    Ok(keyed)
}

/// Spreads numbers over the buckets (Knuth's multiplicative hash with the golden ratio).
fn spread(number: u32) -> u64 {
    u64::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// Gives each record its key and writes the keys in the order of the inputs.
fn write_keys(
    firsts: &mut Buckets,
    members: &mut Buckets,
    rows: &[u64],
    limits: &Limits,
) -> Result<Keys, Error> {
    let mut starts = vec![0];
    starts.extend(rows.iter().scan(0, |sum, rows| {
        *sum += rows;
        Some(*sum)
    }));
    let total = starts.last().copied().unwrap_or_default();
    // Ranges of records, each of which fits in memory easily.
    let range_rows = total.div_ceil(BUCKETS as u64).max(1);
    let mut placed = Buckets::new(limits.clone());
    for bucket in 0..BUCKETS {
        let mut keys = members.read(bucket, |entries| {
            let mut keys = Vec::new();
            while let Some(hash) = read_hash(entries)? {
                keys.push((hash, read_hash(entries)?.unwrap_or_default()));
            }
            Ok(keys)
        })?;
        keys.sort_unstable();
        for (hash, morsel, row) in firsts.read(bucket, read_firsts)? {
            let linked = keys.binary_search_by_key(&hash, |(hash, _)| *hash);
            let key = linked.map_or(hash, |position| keys[position].1);
            let number = starts[morsel as usize] + row;
            let range = (number / range_rows) << 56;
            placed.push(range, &[&number.to_le_bytes(), &key.to_be_bytes()])?;
        }
    }
    let mut file = BufWriter::new(limits.temporary_file()?);
    for bucket in 0..BUCKETS as u64 {
        let first = (bucket * range_rows).min(total);
        let last = (first + range_rows).min(total);
        let mut bytes = vec![0; (last - first) as usize * HASH_BYTES];
        placed.read(bucket as usize, |entries| {
            while let Some(number) = read_u64(entries)? {
                let at = (number - first) as usize * HASH_BYTES;
                let key = read_hash(entries)?.unwrap_or_default();
                bytes[at..at + HASH_BYTES].copy_from_slice(&key.to_be_bytes());
            }
            Ok(())
        })?;
        file.write_all(&bytes).map_err(|error| unwritten(limits, error))?;
    }
    let file = file.into_inner().map_err(|error| unwritten(limits, error.into_error()))?;
    Ok(Keys { file: Arc::new(file), starts })
}

fn unwritten(limits: &Limits, error: io::Error) -> Error {
    Error::io(&limits.spill_folder.to_string_lossy(), "write a temporary file", error)
}

fn distinct(hashes: impl Iterator<Item = u128>) -> Vec<u128> {
    let mut hashes: Vec<u128> = hashes.collect();
    hashes.sort_unstable();
    hashes.dedup();
    hashes
}

fn read_hash(entries: &mut dyn Read) -> io::Result<Option<u128>> {
    let mut part = Vec::with_capacity(HASH_BYTES);
    let is_whole = read_part(entries, &mut part, HASH_BYTES)?;
    Ok(part.as_slice().try_into().ok().filter(|_| is_whole).map(u128::from_be_bytes))
}

fn read_u64(entries: &mut dyn Read) -> io::Result<Option<u64>> {
    let mut part = Vec::with_capacity(8);
    let is_whole = read_part(entries, &mut part, 8)?;
    Ok(part.as_slice().try_into().ok().filter(|_| is_whole).map(u64::from_le_bytes))
}

fn read_firsts(entries: &mut dyn Read) -> io::Result<Vec<(u128, u64, u64)>> {
    let mut firsts = Vec::new();
    while let Some(hash) = read_hash(entries)? {
        let morsel = read_u64(entries)?.unwrap_or_default();
        firsts.push((hash, morsel, read_u64(entries)?.unwrap_or_default()));
    }
    Ok(firsts)
}

fn read_member(entries: &mut dyn Read) -> io::Result<Option<Member>> {
    let Some(hash) = read_hash(entries)? else { return Ok(None) };
    let namespace = read_u64(entries)?.unwrap_or_default();
    let length = read_u64(entries)?.unwrap_or_default() as usize;
    let mut text = Vec::new();
    read_part(entries, &mut text, length)?;
    Ok(Some(Member { root: 0, namespace, text, hash }))
}

fn read_members(entries: &mut dyn Read) -> io::Result<Vec<Member>> {
    let mut members = Vec::new();
    while let Some(member) = read_member(entries)? {
        members.push(member);
    }
    Ok(members)
}

fn read_rooted(entries: &mut dyn Read) -> io::Result<Vec<Member>> {
    let (mut members, mut part) = (Vec::new(), Vec::new());
    while let Some(mut member) = read_member(entries)? {
        read_part(entries, &mut part, 4)?;
        member.root = part.as_slice().try_into().map_or(0, u32::from_le_bytes);
        members.push(member);
    }
    Ok(members)
}
