//! The graph of identities: records that are connected by any identities are of one person.
//!
//! Identities are the nodes, and each record links those that it has. One pass over the identities of
//! all records finds the links, `components` finds who is connected by them, and gives each record
//! the key of its person. A person is known by the first identity in the order of namespaces, then
//! of texts. A person with more than [`IDENTITIES_MAX`] identities is left out: most likely one of
//! them, such as the address of a shop, belongs to many people.

use std::collections::BTreeSet;
use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::sync::{Arc, Mutex, PoisonError};

use futures::TryStreamExt;

use super::fragments::Key;
use super::identity::{self, upper};
use super::{Union, components, fragments};
use crate::engine::Settings;
use crate::error::Error;
use crate::ordered::{Ordered, Outlet, Stop};
use crate::path::Steps;
use crate::spill::Buckets;
use crate::store::blocking;

/// The most identities of one person (behaviour reference §10, identity graph).
pub(crate) const IDENTITIES_MAX: u8 = 50;

pub(super) const HASH_BYTES: usize = 16;
/// Stands for a record without identities.
const MISSING: u128 = 0;
/// Stands for a record of a person who is left out.
pub(super) const LEFT_OUT: u128 = u128::MAX;

/// The key of each record, in a temporary file in the order of the inputs.
#[derive(Debug)]
pub(super) struct Keys {
    pub(super) file: Arc<File>,
    /// The number of the first record of each morsel, and behind the last.
    pub(super) starts: Vec<u64>,
}

/// The keys of the records of one morsel.
pub(super) struct MorselKeys {
    file: Arc<File>,
    rows: Range<u64>,
}

impl Keys {
    pub(super) fn of_morsel(&self, morsel: usize) -> MorselKeys {
        let rows = self.starts[morsel]..self.starts[morsel + 1];
        MorselKeys { file: Arc::clone(&self.file), rows }
    }
}

impl MorselKeys {
    pub(super) fn len(&self) -> usize {
        (self.rows.end - self.rows.start) as usize
    }

    /// The keys of some records, given by position in the morsel; nothing if it has fewer.
    pub(super) fn read(&self, rows: &Range<usize>) -> Result<Option<Vec<Key>>, Error> {
        if rows.end > self.len() {
            return Ok(None);
        }
        let mut bytes = vec![0; rows.len() * HASH_BYTES];
        let offset = (self.rows.start + rows.start as u64) * HASH_BYTES as u64;
        self.file
            .read_exact_at(&mut bytes, offset)
            .map_err(|error| Error::io("", "read a temporary file", error))?;
        let key = |bytes: &[u8; HASH_BYTES]| match u128::from_be_bytes(*bytes) {
            MISSING => Key::Missing,
            LEFT_OUT => Key::LeftOut,
            hash => Key::Hash(hash),
        };
        Ok(Some(bytes.as_chunks().0.iter().map(key).collect()))
    }
}

/// Finds the person of each record. Returns those too who are left out, counted by reason.
pub(super) async fn stitch(
    union: &Arc<Union>,
    settings: &Settings,
) -> Result<(fragments::Keys, Vec<(String, u64)>), Error> {
    let scan = scan(union, settings).await?;
    let limits = settings.limits();
    let solve = move || components::solve(scan, &limits);
    let (keys, too_many) = blocking(solve).await?;
    let left_out = vec![("too_many_identities".to_owned(), too_many)];
    Ok((fragments::Keys::Graph(keys), left_out))
}

/// What one pass over the identities of all records found; each is sorted by the hash of an identity.
pub(super) struct Scan {
    /// The first identity of each record: hash, address.
    pub(super) firsts: Buckets,
    /// Links between two identities, in both directions: hash, hash.
    pub(super) links: Buckets,
    /// Linked identities: hash, position of the namespace, text.
    pub(super) texts: Buckets,
    /// Records of each morsel.
    pub(super) rows: Vec<u64>,
}

async fn scan(union: &Arc<Union>, settings: &Settings) -> Result<Scan, Error> {
    for source in &union.sources {
        source.identities.iter().try_for_each(|column| column.check(&source.survey.schema))?;
    }
    let buckets = || Buckets::new(settings.limits());
    let scan = Scan {
        firsts: buckets(),
        links: buckets(),
        texts: buckets(),
        rows: vec![0; union.morsels()],
    };
    let scan = Arc::new(Mutex::new(scan));
    let (job_union, job_scan) = (Arc::clone(union), Arc::clone(&scan));
    let mut jobs: Ordered<(), Error> =
        Ordered::new(union.morsels(), settings.threads, move |morsel, _: &Outlet<(), Error>| {
            scan_morsel(&job_union, morsel, &job_scan).map_err(Stop::Failed)
        });
    while jobs.try_next().await?.is_some() {}
    drop(jobs);
    let scan = Arc::into_inner(scan).ok_or_else(|| Error::internal("a job outlived its stream"))?;
    Ok(scan.into_inner().unwrap_or_else(PoisonError::into_inner))
}

fn scan_morsel(union: &Union, morsel: usize, scan: &Mutex<Scan>) -> Result<(), Error> {
    let source = &union.sources[union.source_of(morsel)];
    let local = morsel - source.first_morsel;
    let needed: BTreeSet<Steps> =
        source.identities.iter().map(|column| column.path.clone()).collect();
    let placed = |error: Error| error.in_file(source.survey.location(local));
    let mut first_row = 0;
    for records in source.survey.read(local, &needed).map_err(placed)? {
        let records = records.map_err(placed)?;
        let columns = identity::columns(&source.identities, &records).map_err(placed)?;
        let mut hashed = Vec::with_capacity(records.num_rows());
        for row in 0..records.num_rows() {
            let identities = identity::of_record(&columns, row);
            hashed.push(
                identities
                    .map(|(namespace, value)| {
                        let hash = identity::hash(&union.namespaces[namespace], value);
                        (hash, namespace, value)
                    })
                    .collect::<Vec<_>>(),
            );
        }
        let mut scan = scan.lock().unwrap_or_else(PoisonError::into_inner);
        for (identities, row) in hashed.iter().zip(first_row..) {
            scan.add(identities, morsel, row)?;
        }
        first_row += records.num_rows() as u64;
        scan.rows[morsel] = first_row;
    }
    Ok(())
}

impl Scan {
    fn add(
        &mut self,
        identities: &[(u128, usize, &str)],
        morsel: usize,
        row: u64,
    ) -> Result<(), Error> {
        let Some((&(first, ..), others)) = identities.split_first() else { return Ok(()) };
        let place = [(morsel as u64).to_le_bytes(), row.to_le_bytes()].concat();
        self.firsts.push(upper(first), &[&first.to_be_bytes(), &place])?;
        if others.is_empty() {
            return Ok(());
        }
        for &(hash, namespace, text) in identities {
            let head =
                [(namespace as u64).to_le_bytes(), (text.len() as u64).to_le_bytes()].concat();
            self.texts.push(upper(hash), &[&hash.to_be_bytes(), &head, text.as_bytes()])?;
        }
        for &(other, ..) in others {
            let (one, other_bytes) = (first.to_be_bytes(), other.to_be_bytes());
            self.links.push(upper(first), &[&one, &other_bytes])?;
            self.links.push(upper(other), &[&other_bytes, &one])?;
        }
        Ok(())
    }
}
