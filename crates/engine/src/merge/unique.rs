//! Whether each record of a dataset is a person of its own: then nothing has to be merged.
//!
//! One pass over the identities alone. Most exports are in the order of their key, and then looking
//! at neighbours is enough; the first pair that is out of order ends that attempt. Otherwise hashes of
//! the identities are sorted into buckets; two equal hashes of different identities would only mean
//! that profiles are merged that need not be.
//!
//! On the way it is found out which stretches of records hold whom (`stretches`), for increments.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{Array, StringViewArray};
use futures::TryStreamExt;
use plan::project::Stitch;
use twox_hash::XxHash3_128;

use super::{Union, identity};
use crate::engine::Settings;
use crate::error::Error;
use crate::ordered::{Ordered, Outlet, Stop};
use crate::path::Steps;
use crate::spill::{Buckets, Sorted};
use crate::stretches::{Cutter, Stretches};

/// The stretches of primary identities, if all records of the one dataset have one, and no two share
/// one; with the graph, any identity at all.
pub(super) async fn if_unique(
    union: &Arc<Union>,
    settings: &Settings,
) -> Result<Option<Stretches>, Error> {
    let source = &union.sources[0];
    source.identities.iter().try_for_each(|column| column.check(&source.survey.schema))?;
    let columns = match union.stitch {
        Stitch::None => &source.identities[..1],
        Stitch::Graph => &source.identities[..],
    };
    let columns: Arc<[identity::Column]> = columns.into();
    if let [_] = columns.as_ref()
        && let Some(stretches) = if_rising(union, &columns, settings).await?
    {
        return Ok(Some(stretches));
    }
    if_hashes_differ(union, &columns, settings).await
}

/// How many stretches a dataset has at most, about: with each row of a baseline it is kept from which of
/// them it is, in a few bits as long as they are few.
const STRETCHES_BITS: u32 = 16;
/// About how many bytes a record of a text file has at least.
const TEXT_BYTES: u64 = 64;

/// About how many records a stretch has.
fn usual(union: &Union, settings: &Settings) -> usize {
    let survey = &union.sources[0].survey;
    let records = (0..survey.morsels.len()).map(|morsel| survey.rows_of(morsel));
    let records = records.sum::<Option<usize>>();
    let records = records.unwrap_or_else(|| (survey.bytes() / TEXT_BYTES) as usize);
    (records >> STRETCHES_BITS).next_power_of_two().max(settings.stretch_records)
}

/// Reads the identities of all records on all threads. `each` is given the morsel and the columns of a
/// batch, and says whether it wants more of that morsel.
async fn read_all(
    union: &Arc<Union>,
    columns: &Arc<[identity::Column]>,
    settings: &Settings,
    each: impl Fn(usize, Vec<(usize, StringViewArray)>) -> Result<bool, Error> + Send + Sync + 'static,
) -> Result<(), Error> {
    let (union, columns) = (Arc::clone(union), Arc::clone(columns));
    let (morsels, threads) = (union.morsels(), settings.threads);
    let mut jobs: Ordered<(), Error> =
        Ordered::new(morsels, threads, move |morsel, _: &Outlet<(), Error>| {
            let survey = &union.sources[0].survey;
            let failed = |error: Error| Stop::Failed(error.in_file(survey.location(morsel)));
            let needed: BTreeSet<Steps> =
                columns.iter().map(|column| column.path.clone()).collect();
            for records in survey.read(morsel, &needed).map_err(failed)? {
                let records = records.map_err(failed)?;
                let identities = identity::columns(&columns, &records).map_err(failed)?;
                if !each(morsel, identities).map_err(Stop::Failed)? {
                    break;
                }
            }
            Ok(())
        });
    while jobs.try_next().await?.is_some() {}
    Ok(())
}

/// The identities of a morsel, if each is greater than the one before.
#[derive(Debug)]
struct Range {
    first: String,
    last: String,
    is_empty: bool,
    cutter: Cutter,
}

/// The stretches, if each record has an identity and they rise within each morsel, over ranges that do
/// not overlap. Nothing also means that it is not known.
async fn if_rising(
    union: &Arc<Union>,
    columns: &Arc<[identity::Column]>,
    settings: &Settings,
) -> Result<Option<Stretches>, Error> {
    let usual = usual(union, settings);
    let ranges: Vec<Mutex<Range>> =
        (0..union.morsels()).map(|_| Mutex::new(Range::new(usual))).collect();
    let (ranges, is_broken) = (Arc::new(ranges), Arc::new(AtomicBool::new(false)));
    let (shared, broken) = (Arc::clone(&ranges), Arc::clone(&is_broken));
    read_all(union, columns, settings, move |morsel, identities| {
        let mut range = shared[morsel].lock().unwrap_or_else(PoisonError::into_inner);
        let rises = identities.iter().all(|(namespace, values)| range.extend(*namespace, values));
        if !rises {
            broken.store(true, Ordering::Relaxed);
        }
        Ok(!broken.load(Ordering::Relaxed))
    })
    .await?;
    if is_broken.load(Ordering::Relaxed) {
        return Ok(None);
    }
    let ranges = outlived(ranges)?.into_iter();
    let mut ranges: Vec<Range> =
        ranges.map(|range| range.into_inner().unwrap_or_else(PoisonError::into_inner)).collect();
    let cutters =
        ranges.iter_mut().map(|range| std::mem::replace(&mut range.cutter, Cutter::new(1)));
    let stretches = cutters.map(Cutter::finish).collect();
    ranges.retain(|range| !range.is_empty);
    ranges.sort_unstable_by(|one, other| one.first.cmp(&other.first));
    Ok(ranges.windows(2).all(|pair| pair[0].last < pair[1].first).then_some(stretches))
}

/// What jobs shared that are all done.
fn outlived<T>(shared: Arc<T>) -> Result<T, Error> {
    Arc::into_inner(shared).ok_or_else(|| Error::internal("a job outlived its stream"))
}

impl Range {
    fn new(usual: usize) -> Self {
        let (first, last) = (String::new(), String::new());
        Self { first, last, is_empty: true, cutter: Cutter::new(usual) }
    }

    /// Takes in values that come behind those so far; false if one is missing or does not rise.
    fn extend(&mut self, namespace: usize, values: &StringViewArray) -> bool {
        if values.null_count() > 0 {
            return false;
        }
        let Some(last) = values.len().checked_sub(1).map(|row| values.value(row)) else {
            return true;
        };
        let mut before = if self.is_empty { None } else { Some(self.last.as_str()) };
        for value in values.iter().flatten() {
            if before.is_some_and(|before| before >= value) {
                return false;
            }
            before = Some(value);
            self.cutter.add(hash(namespace, value));
        }
        if self.is_empty {
            values.value(0).clone_into(&mut self.first);
            self.is_empty = false;
        }
        last.clone_into(&mut self.last);
        true
    }
}

/// The stretches, if each record has a primary identity, and the hashes of all identities differ.
async fn if_hashes_differ(
    union: &Arc<Union>,
    columns: &Arc<[identity::Column]>,
    settings: &Settings,
) -> Result<Option<Stretches>, Error> {
    let buckets = Arc::new(Mutex::new(Buckets::new(settings.limits())));
    let usual = usual(union, settings);
    let cutter = |_| Mutex::new(Cutter::new(usual));
    let cutters: Arc<Vec<Mutex<Cutter>>> = Arc::new((0..union.morsels()).map(cutter).collect());
    let to_cut = Arc::clone(&cutters);
    let is_missing = Arc::new(AtomicBool::new(false));
    let (shared, missing) = (Arc::clone(&buckets), Arc::clone(&is_missing));
    read_all(union, columns, settings, move |morsel, identities| {
        if identities.first().is_none_or(|(_, values)| values.null_count() > 0) {
            missing.store(true, Ordering::Relaxed);
        }
        if missing.load(Ordering::Relaxed) {
            return Ok(false);
        }
        let hashes: Vec<u64> = identities
            .iter()
            .flat_map(|(namespace, values)| {
                values.iter().flatten().map(|value| hash(*namespace, value))
            })
            .collect();
        // The primary identities come first, one for each record.
        let primary = identities.first().map_or(0, |(_, values)| values.len());
        let mut cutter = to_cut[morsel].lock().unwrap_or_else(PoisonError::into_inner);
        hashes[..primary].iter().for_each(|hash| cutter.add(*hash));
        let mut buckets = shared.lock().unwrap_or_else(PoisonError::into_inner);
        hashes.iter().try_for_each(|hash| buckets.push(*hash, &[&hash.to_le_bytes()]))?;
        Ok(true)
    })
    .await?;
    if is_missing.load(Ordering::Relaxed) {
        return Ok(None);
    }
    let sorted = outlived(buckets)?.into_inner().unwrap_or_else(PoisonError::into_inner).finish();
    let shares = sorted.shares();
    let mut jobs: Ordered<bool, Error> =
        Ordered::new(shares.len(), settings.threads, move |share, outlet| {
            for bucket in shares[share].clone() {
                outlet.send(all_distinct(&sorted, bucket).map_err(Stop::Failed)?)?;
            }
            Ok(())
        });
    while let Some(is_distinct) = jobs.try_next().await? {
        if !is_distinct {
            return Ok(None);
        }
    }
    let cutters = outlived(cutters)?.into_iter();
    let cutters = cutters.map(|it| it.into_inner().unwrap_or_else(PoisonError::into_inner));
    Ok(Some(cutters.map(Cutter::finish).collect()))
}

fn hash(namespace: usize, value: &str) -> u64 {
    XxHash3_128::oneshot_with_seed(namespace as u64, value.as_bytes()) as u64
}

fn all_distinct(sorted: &Sorted, bucket: usize) -> Result<bool, Error> {
    let mut bytes = Vec::new();
    sorted.read(bucket, |entries| entries.read_to_end(&mut bytes))?;
    let entries = bytes.as_chunks::<8>().0.iter();
    let mut hashes: Vec<u64> = entries.map(|entry| u64::from_le_bytes(*entry)).collect();
    hashes.sort_unstable();
    Ok(hashes.windows(2).all(|pair| pair[0] != pair[1]))
}
