//! Whether each record of a dataset is a person of its own: then nothing has to be merged.
//!
//! One pass over the identities alone. Their hashes are sorted into buckets; two equal hashes of
//! different identities would only mean that profiles are merged that need not be.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hasher};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use futures::TryStreamExt;
use plan::project::Stitch;

use super::{Union, identity};
use crate::engine::Settings;
use crate::error::Error;
use crate::ordered::{Ordered, Outlet, Stop};
use crate::path::Steps;
use crate::spill::{BUCKETS, Buckets};
use crate::store::stopped;

/// Whether all records of the one dataset have a primary identity, and no two share one; with the
/// graph, any identity at all.
pub(super) async fn is_unique(union: &Arc<Union>, settings: &Settings) -> Result<bool, Error> {
    let source = &union.sources[0];
    source.identities.iter().try_for_each(|column| column.check(&source.survey.schema))?;
    let scan = Arc::new(Scan {
        union: Arc::clone(union),
        buckets: Mutex::new(Buckets::new(settings.limits())),
        is_missing: AtomicBool::new(false),
    });
    let job = Arc::clone(&scan);
    let mut jobs: Ordered<(), Error> =
        Ordered::new(union.morsels(), settings.threads, move |morsel, _: &Outlet<(), Error>| {
            job.morsel(morsel).map_err(Stop::Failed)
        });
    while jobs.try_next().await?.is_some() {}
    drop(jobs);
    let scan = Arc::into_inner(scan).ok_or_else(|| Error::internal("a job outlived its stream"))?;
    if scan.is_missing.into_inner() {
        return Ok(false);
    }
    let buckets = scan.buckets.into_inner().unwrap_or_else(PoisonError::into_inner);
    let distinct = move || all_distinct(buckets);
    tokio::task::spawn_blocking(distinct).await.map_err(stopped)?
}

struct Scan {
    union: Arc<Union>,
    buckets: Mutex<Buckets>,
    /// Whether a record without a primary identity was seen: the answer is known then.
    is_missing: AtomicBool,
}

impl Scan {
    fn morsel(&self, morsel: usize) -> Result<(), Error> {
        let source = &self.union.sources[0];
        let columns = match self.union.stitch {
            Stitch::None => &source.identities[..1],
            Stitch::Graph => &source.identities[..],
        };
        let needed: BTreeSet<Steps> = columns.iter().map(|column| column.path.clone()).collect();
        let placed = |error: Error| error.in_file(source.survey.location(morsel));
        for records in source.survey.read(morsel, &needed).map_err(placed)? {
            let identities =
                identity::columns(columns, &records.map_err(placed)?).map_err(placed)?;
            let primary = identities
                .first()
                .is_none_or(|(_, values)| arrow::array::Array::null_count(values) > 0);
            if primary || self.is_missing.load(Ordering::Relaxed) {
                self.is_missing.store(true, Ordering::Relaxed);
                return Ok(());
            }
            let hashes: Vec<u64> = identities
                .iter()
                .flat_map(|(namespace, values)| {
                    values.iter().flatten().map(|value| hash(*namespace, value))
                })
                .collect();
            let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
            hashes.iter().try_for_each(|hash| buckets.push(*hash, &[&hash.to_le_bytes()]))?;
        }
        Ok(())
    }
}

fn hash(namespace: usize, value: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write_usize(namespace);
    hasher.write(value.as_bytes());
    hasher.finish()
}

fn all_distinct(mut buckets: Buckets) -> Result<bool, Error> {
    let mut bytes = Vec::new();
    for bucket in 0..BUCKETS {
        bytes.clear();
        buckets.read(bucket, |entries| entries.read_to_end(&mut bytes))?;
        let entries = bytes.as_chunks::<8>().0.iter();
        let mut hashes: Vec<u64> = entries.map(|entry| u64::from_le_bytes(*entry)).collect();
        hashes.sort_unstable();
        if hashes.windows(2).any(|pair| pair[0] == pair[1]) {
            return Ok(false);
        }
    }
    Ok(true)
}
