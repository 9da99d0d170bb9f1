//! Records on their way to the bucket of their person.
//!
//! What a record takes along: the hash of the identity that it is merged by, its place in the
//! inputs, its time, its identities by namespace, and its fields leaf by leaf.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow::array::{
    ArrayRef, AsArray, BooleanArray, FixedSizeBinaryArray, Int64Array, RecordBatch,
    StringViewArray, UInt64Array, new_null_array,
};
use arrow::compute::{self, CastOptions};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef, TimeUnit};
use futures::TryStreamExt;

use super::bucket_file::{Bits, BucketFile, CHUNK_BYTES, Sorter, bytes_of, hashes, too_wide};
use super::digest::{self, Digest, NOTHING};
use super::reuse::{Before, Contribution, DIGESTS_MAX};
use super::{Source, Union, graph, identity};
use crate::engine::Settings;
use crate::error::{Error, Kind};
use crate::fields;
use crate::ordered::{Ordered, Outlet, Stop};
use crate::path::Steps;
use crate::row_set::Address;

/// The most bytes of records of one bucket. A profile takes about as much again when it is written.
const BUCKET_BYTES_MAX: usize = 64 << 20;
/// The fewest, however little memory there is.
const BUCKET_BYTES_MIN: usize = 4 << 10;
/// The part of the memory that the buckets of all threads take together.
const BUCKET_SHARE: usize = 8;
/// How much larger records are in memory than in their files, about: Parquet packs and compresses.
const EXPANSION: u64 = 4;

/// Columns of sorted records, behind the hash.
pub(super) const ADDRESS: usize = 1;
pub(super) const TIME: usize = 2;
/// The first of the namespaces' columns; behind them come the leaves.
pub(super) const NAMESPACES: usize = 3;

/// What timestamps are compared as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Clock {
    /// Microseconds since 1970; also where no dataset has a timestamp.
    Instants,
    /// Numbers of unknown meaning.
    Numbers,
}

impl Clock {
    /// # Errors
    /// One dataset counts, and another tells the time.
    pub(super) fn of<'a>(
        datasets: impl Iterator<Item = (&'a str, &'a SchemaRef, Option<&'a Steps>)>,
    ) -> Result<Self, Error> {
        let mut found: Option<(Self, &str)> = None;
        for (dataset, schema, path) in datasets {
            let Some(path) = path else { continue };
            let kind = path.data_type(schema).ok_or_else(|| {
                let message = format!("the dataset `{dataset}` has no field `{path}`");
                Error::new(Kind::Invalid, "unknown_field", message).at_field("timestamp")
            })?;
            let clock = if kind.is_integer() { Self::Numbers } else { Self::Instants };
            match found {
                Some((first, key)) if first != clock => {
                    let message = format!(
                        "the timestamps of `{key}` and `{dataset}` cannot be compared: one is a number"
                    );
                    return Err(Error::new(Kind::Invalid, "timestamp_kinds", message));
                }
                _ => found = Some((clock, dataset)),
            }
        }
        Ok(found.map_or(Self::Instants, |(clock, _)| clock))
    }

    /// The type in which the latest timestamp of a profile is kept.
    pub(super) fn data_type(self) -> DataType {
        match self {
            Self::Instants => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Self::Numbers => DataType::Int64,
        }
    }

    /// The times of records as numbers that can be compared.
    pub(super) fn read(self, path: &Steps, records: &RecordBatch) -> Result<Int64Array, Error> {
        let failed = |_| {
            Error::input("", "a value cannot be read as a timestamp").at_field(path.to_string())
        };
        let options = CastOptions { safe: false, ..Default::default() };
        let found = path.extract(records, &self.data_type()).map_err(failed)?;
        let numbers = compute::cast_with_options(&found, &DataType::Int64, &options);
        Ok(numbers.map_err(failed)?.as_primitive::<Int64Type>().clone())
    }
}

/// The most bytes of records of one bucket, which is in memory while it is merged.
pub(super) fn bucket_bytes_max(settings: &Settings) -> u64 {
    let each = settings.memory_bytes / BUCKET_SHARE / settings.threads.max(1);
    each.clamp(BUCKET_BYTES_MIN, BUCKET_BYTES_MAX) as u64
}

/// How a record finds its person.
#[derive(Debug)]
pub(super) enum Keys {
    /// By its primary identity.
    Primary,
    /// As the graph of identities says.
    Graph(graph::Keys),
}

/// What is left of a record's place when it has no bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    Hash(u128),
    /// The record has no identity.
    Missing,
    /// The record is of a person who is left out and counted elsewhere.
    LeftOut,
}

/// The columns of sorted records.
pub(super) fn schema(union: &Union) -> SchemaRef {
    let mut fields = vec![
        Field::new("hash", DataType::FixedSizeBinary(16), false),
        Field::new("address", DataType::UInt64, false),
        Field::new("time", DataType::Int64, true),
    ];
    fields.extend(union.namespaces.iter().map(|name| Field::new(name, DataType::Utf8, true)));
    let leaves = union.leaves.leaves.iter();
    fields.extend(leaves.map(|leaf| Field::new("", leaf.data_type.clone(), true)));
    Arc::new(Schema::new(fields))
}

/// How many buckets records are sorted into.
pub(super) fn bits(union: &Union, settings: &Settings) -> Bits {
    let bytes = union.sources.iter().map(|source| source.survey.bytes()).sum::<u64>();
    // What is known of the files is rough: a bucket that comes out too large is split again.
    let each = bucket_bytes_max(settings) / 2;
    Bits::for_bytes(0, bytes.saturating_mul(EXPANSION), each)
}

/// What is sorted, and how.
pub(super) struct Sorting<'a> {
    pub(super) keys: Keys,
    pub(super) bits: Bits,
    /// Names of all inputs with their versions.
    pub(super) names: Vec<String>,
    /// The state before.
    pub(super) before: Option<&'a Before>,
}

/// Records in buckets: all of those whose bucket is not what it was before.
pub(super) struct Sorted {
    pub(super) bits: Bits,
    pub(super) files: Vec<(usize, BucketFile)>,
    pub(super) spilled: Arc<AtomicU64>,
    /// What each input gave. Where they are not remembered, digests are missing.
    pub(super) contributions: Vec<Contribution>,
    /// For each bucket whether it is what it was before.
    pub(super) clean: Vec<bool>,
}

impl Sorted {
    /// Records without identity by dataset.
    pub(super) fn without_identity(&self, union: &Union) -> Vec<(String, u64)> {
        let missing = |source: &Source| -> u64 {
            let inputs = source.first_input..source.first_input + source.survey.inputs().len();
            self.contributions[inputs].iter().map(|input| input.missing).sum()
        };
        let sources = union.sources.iter();
        sources.map(|it| (format!("no_identity:{}", it.key), missing(it))).collect()
    }
}

/// Reads records and sorts them into buckets.
///
/// Inputs that are new are read whole. Then it is known which buckets have changed, and of the other
/// inputs only those are read that have records in one, and only these records are sorted. With the
/// graph every input is read: what a record's person is may change with another record.
pub(super) async fn sort(
    union: &Arc<Union>,
    sorting: Sorting<'_>,
    settings: &Settings,
) -> Result<Sorted, Error> {
    for source in &union.sources {
        source.identities.iter().try_for_each(|column| column.check(&source.survey.schema))?;
    }
    let Sorting { keys, bits, names, before } = sorting;
    let schema = schema(union);
    let spilled = Arc::new(AtomicU64::new(0));
    let can_remember =
        union.morsels().saturating_mul(bits.buckets()) <= DIGESTS_MAX && digest::can_tell(&schema);
    let is_known = matches!(keys, Keys::Primary) && can_remember;
    let known = |name: &String| before.and_then(|it| it.contribution(name)).filter(|_| is_known);
    let mut contributions: Vec<Option<Contribution>> =
        names.iter().map(|name| known(name).cloned()).collect();
    let sorter = Sorter::new(bits, schema, settings.limits(), Arc::clone(&spilled));
    let shared = Arc::new(Shared {
        union: Arc::clone(union),
        keys,
        can_remember,
        tallies: Mutex::new(vec![Tally::default(); union.morsels()]),
        sorter,
    });
    let morsels = 0..union.morsels();
    let new = morsels.clone().filter(|&it| contributions[union.input_of(it)].is_none());
    shared.pass(new.collect(), None, settings).await?;
    let tallies = std::mem::take(&mut *shared.tallies());
    for (input, name) in names.into_iter().enumerate() {
        if contributions[input].is_none() {
            let of_input = morsels.clone().filter(|&morsel| union.input_of(morsel) == input);
            let tallies = of_input.map(|morsel| &tallies[morsel]);
            contributions[input] = Some(contribution(name, tallies, bits, can_remember));
        }
    }
    let is_new: Vec<bool> = tallies.iter().map(|tally| tally.is_read).collect();
    let contributions: Vec<Contribution> = contributions.into_iter().flatten().collect();
    let clean = match before.filter(|_| can_remember) {
        Some(before) => before.clean(&contributions),
        None => vec![false; bits.buckets()],
    };
    let wanted: Arc<[bool]> = clean.iter().map(|is_clean| !is_clean).collect();
    let has_wanted = |morsel: &usize| {
        let digests = contributions[union.input_of(*morsel)].digests.iter().zip(wanted.iter());
        digests.into_iter().any(|(digest, is_wanted)| *is_wanted && *digest != NOTHING)
    };
    let rest = morsels.filter(|morsel| !is_new[*morsel] && has_wanted(morsel)).collect();
    shared.pass(rest, Some(Arc::clone(&wanted)), settings).await?;
    let shared =
        Arc::into_inner(shared).ok_or_else(|| Error::internal("a job outlived its stream"))?;
    Ok(Sorted { bits, files: shared.sorter.finish()?, spilled, contributions, clean })
}

/// What an input gave, from what its morsels gave.
fn contribution<'a>(
    input: String,
    tallies: impl Iterator<Item = &'a Tally>,
    bits: Bits,
    can_remember: bool,
) -> Contribution {
    let mut missing = 0;
    let mut digests = vec![NOTHING; if can_remember { bits.buckets() } else { 0 }];
    for tally in tallies {
        missing += tally.missing;
        for (all, digest) in digests.iter_mut().zip(&tally.digests) {
            if *digest != NOTHING {
                let both = blake3::hash(&[*all, *digest].concat());
                *all = both.as_bytes().first_chunk().copied().unwrap_or(NOTHING);
            }
        }
    }
    Contribution { input, missing, digests }
}

/// What a morsel turned out to have.
#[derive(Debug, Clone, Default)]
struct Tally {
    is_read: bool,
    /// Records without identity.
    missing: u64,
    /// By bucket, where they are remembered.
    digests: Vec<Digest>,
}

struct Shared {
    union: Arc<Union>,
    keys: Keys,
    can_remember: bool,
    tallies: Mutex<Vec<Tally>>,
    sorter: Sorter,
}

impl Shared {
    fn tallies(&self) -> MutexGuard<'_, Vec<Tally>> {
        self.tallies.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sorts the records of some morsels, of all buckets or of those that are wanted. Only of whole
    /// morsels it is remembered what they have.
    async fn pass(
        self: &Arc<Self>,
        morsels: Vec<usize>,
        wanted: Option<Arc<[bool]>>,
        settings: &Settings,
    ) -> Result<(), Error> {
        let job = Arc::clone(self);
        let count = morsels.len();
        let mut jobs: Ordered<(), Error> =
            Ordered::new(count, settings.threads, move |number, _: &Outlet<(), Error>| {
                let morsel = morsels[number];
                let tally = job.morsel(morsel, wanted.as_deref()).map_err(Stop::Failed)?;
                if wanted.is_none() {
                    job.tallies()[morsel] = tally;
                }
                Ok(())
            });
        while jobs.try_next().await?.is_some() {}
        Ok(())
    }

    fn morsel(&self, morsel: usize, wanted: Option<&[bool]>) -> Result<Tally, Error> {
        let number = self.union.source_of(morsel);
        let source = &self.union.sources[number];
        let local = morsel - source.first_morsel;
        let needed = needed(&self.union, source);
        let graph_keys = match &self.keys {
            Keys::Primary => None,
            Keys::Graph(keys) => Some(keys.of_morsel(morsel)),
        };
        let placed = |error: Error| error.in_file(source.survey.location(local));
        let is_remembered = self.can_remember && wanted.is_none();
        let digests = vec![NOTHING; if is_remembered { self.sorter.bits.buckets() } else { 0 }];
        let mut tally = Tally { is_read: true, missing: 0, digests };
        let mut first_row = 0_usize;
        let (mut pending, mut bytes) = (Vec::new(), 0);
        for records in source.survey.read(local, &needed).map_err(placed)? {
            let records = records.map_err(placed)?;
            let identities = identity::columns(&source.identities, &records).map_err(placed)?;
            let rows = first_row..first_row + records.num_rows();
            let keys = match &graph_keys {
                None => primary_keys(&self.union, source, &identities, records.num_rows()),
                Some(keys) => keys.read(&rows)?.ok_or_else(changed)?,
            };
            tally.missing += keys.iter().filter(|key| **key == Key::Missing).count() as u64;
            let fragments =
                fragments(&self.union, source, &records, &identities).map_err(placed)?;
            let mut fragments = keyed(fragments, &keys, morsel, &rows, self.sorter.schema())?;
            if let Some(wanted) = wanted {
                let bits = self.sorter.bits;
                let mask = hashes(&fragments).map(|hash| Some(wanted[bits.bucket(hash)])).collect();
                fragments =
                    compute::filter_record_batch(&fragments, &mask).map_err(|_| too_wide())?;
            }
            bytes += bytes_of(&fragments) as usize;
            pending.push(fragments);
            if bytes > CHUNK_BYTES {
                self.add(&pending, &mut tally)?;
                (pending, bytes) = (Vec::new(), 0);
            }
            first_row = rows.end;
        }
        if graph_keys.is_some_and(|keys| keys.len() != first_row) {
            return Err(changed());
        }
        if !pending.is_empty() {
            self.add(&pending, &mut tally)?;
        }
        Ok(tally)
    }

    fn add(&self, records: &[RecordBatch], tally: &mut Tally) -> Result<(), Error> {
        self.sorter.add(records, |bucket, piece| match tally.digests.get_mut(bucket) {
            Some(digest) => digest::extend(digest, piece),
            None => Ok(()),
        })
    }
}

fn changed() -> Error {
    Error::internal("a file has another number of records than a moment ago")
}

/// The fields that are read of a dataset: all.
pub(super) fn needed(union: &Union, source: &Source) -> BTreeSet<Steps> {
    let identities = source.identities.iter().map(|column| &column.path);
    let leaves = union.leaves.leaves.iter().map(|leaf| &leaf.path);
    let all = identities.chain(&source.survey.timestamp).chain(leaves);
    all.filter(|path| path.data_type(&source.survey.schema).is_some()).cloned().collect()
}

pub(super) fn primary_keys(
    union: &Union,
    source: &Source,
    identities: &[(usize, StringViewArray)],
    rows: usize,
) -> Vec<Key> {
    let (Some(primary), Some((_, values))) = (source.identities.first(), identities.first()) else {
        return vec![Key::Missing; rows];
    };
    let namespace = &union.namespaces[primary.namespace];
    let key = |value: Option<&str>| {
        value.map_or(Key::Missing, |value| Key::Hash(identity::hash(namespace, value)))
    };
    values.iter().map(key).collect()
}

/// Time, identities and leaves of records, in the order of [`schema`]'s columns behind the address.
pub(super) fn fragments(
    union: &Union,
    source: &Source,
    records: &RecordBatch,
    identities: &[(usize, StringViewArray)],
) -> Result<Vec<ArrayRef>, Error> {
    let rows = records.num_rows();
    let mut columns: Vec<ArrayRef> = Vec::new();
    columns.push(match &source.survey.timestamp {
        Some(path) => Arc::new(union.clock.read(path, records)?),
        None => new_null_array(&DataType::Int64, rows),
    });
    for namespace in 0..union.namespaces.len() {
        let found = identities.iter().find(|(of, _)| *of == namespace);
        columns.push(match found {
            Some((_, values)) => compute::cast(values, &DataType::Utf8)
                .map_err(|_| Error::internal("an identity has no text"))?,
            None => new_null_array(&DataType::Utf8, rows),
        });
    }
    for leaf in &union.leaves.leaves {
        let column = leaf.path.extract(records, &leaf.data_type).map_err(|_| {
            let kind = fields::kind_of(&leaf.data_type);
            let message = format!("a value cannot be read as {}", kind.name());
            Error::new(Kind::Invalid, "invalid_input", message).at_field(leaf.path.to_string())
        });
        columns.push(column?);
    }
    Ok(columns)
}

/// Puts hash and place in front, and leaves out the records that have no bucket.
pub(super) fn keyed(
    columns: Vec<ArrayRef>,
    keys: &[Key],
    morsel: usize,
    rows: &Range<usize>,
    schema: &SchemaRef,
) -> Result<RecordBatch, Error> {
    let hash = |key: &Key| match key {
        Key::Hash(hash) => hash.to_be_bytes(),
        Key::Missing | Key::LeftOut => [0; 16],
    };
    let hashes: Vec<u8> = keys.iter().flat_map(hash).collect();
    let hashes = FixedSizeBinaryArray::try_new(16, hashes.into(), None);
    let addresses = rows.clone().map(|row| Address::new(morsel, row as u64).0);
    let mut all: Vec<ArrayRef> = vec![
        Arc::new(hashes.map_err(|_| Error::internal("hashes are of one length"))?),
        Arc::new(UInt64Array::from_iter_values(addresses)),
    ];
    all.extend(columns);
    let batch = RecordBatch::try_new(Arc::clone(schema), all)
        .map_err(|_| Error::internal("sorted records do not fit their schema"))?;
    let is_kept = |key: &Key| Some(matches!(key, Key::Hash(_)));
    if keys.iter().all(|key| matches!(key, Key::Hash(_))) {
        return Ok(batch);
    }
    let mask: BooleanArray = keys.iter().map(is_kept).collect();
    compute::filter_record_batch(&batch, &mask).map_err(|_| too_wide())
}
