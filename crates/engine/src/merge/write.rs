//! Buckets of records become files of profiles, several at once, in the order of the hashes.

use std::collections::HashSet;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{ArrayRef, RecordBatch};
use arrow::compute;
use arrow::datatypes::{Schema, SchemaRef};
use futures::TryStreamExt;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

use super::Union;
pub(super) use super::bucket::profile_field;
use super::bucket::{Bucket, Group, RECORDS_MAX};
use super::bucket_file::{Bits, BucketFile, Sorter, bytes_of, hashes, too_wide};
use super::fragments::{Sorted, bucket_bytes_max};
use super::reuse::Before;
use crate::engine::Settings;
use crate::error::Error;
use crate::fields::PROFILE_FIELD;
use crate::ordered::{Ordered, Outlet, Stop};
use crate::parquet_file::{BATCH_BYTES_TARGET, BATCH_ROWS_MAX};
use crate::spill::Limits;
use crate::survey::MORSEL_ROWS;

/// The most encoded bytes of a row group, which is in memory until it is written.
const ROW_GROUP_BYTES_MAX: usize = 64 << 20;
/// Hashes are split up to this bit; two persons that are the same so far are too unlikely to be.
const SPLIT_BITS_MAX: u32 = 96;

/// A file of profiles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) name: String,
    pub(super) bytes: u64,
}

impl Part {
    fn new(prefix: u128, bytes: u64) -> Self {
        Self { name: part_name(prefix), bytes }
    }

    /// The bucket that its profiles are of.
    fn bucket(&self, bits: Bits) -> Option<usize> {
        let digits = self.name.strip_prefix("part-")?.strip_suffix(".parquet")?;
        Some(bits.bucket(u128::from_str_radix(digits, 16).ok()? << NAMELESS_BITS))
    }
}

/// The lower bits of hashes, of which names of files say nothing.
const NAMELESS_BITS: u32 = u128::BITS - SPLIT_BITS_MAX;

/// The name of the file of the profiles whose hashes begin with `prefix`.
fn part_name(prefix: u128) -> String {
    format!("part-{:024x}.parquet", prefix >> NAMELESS_BITS)
}

/// What one bucket became.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// Its files in order.
    pub(super) parts: Vec<Part>,
    /// How many profiles were left out for having too many records.
    pub(super) too_many: u64,
}

/// Merges all buckets into files below `folder`, and takes over those that are what they were
/// before. Returns what each became, in order.
pub(super) async fn merge(
    union: &Arc<Union>,
    sorted: Sorted,
    before: Option<&Before>,
    folder: &Path,
    settings: &Settings,
) -> Result<Vec<Outcome>, Error> {
    let Sorted { bits, files, spilled, clean, .. } = sorted;
    let mut all: Vec<Outcome> = Vec::new();
    for (number, is_clean) in clean.iter().enumerate() {
        all.push(match before.filter(|_| *is_clean) {
            Some(before) => Outcome {
                parts: before.take(|part| part.bucket(bits) == Some(number), folder)?,
                too_many: before.remembered.too_many[number],
            },
            None => Outcome::default(),
        });
    }
    let files: Vec<_> = files.into_iter().filter(|(number, _)| !clean[*number]).collect();
    let numbers: Vec<usize> = files.iter().map(|(number, _)| *number).collect();
    let jobs = files.len();
    let files: Vec<_> = files.into_iter().map(|file| Mutex::new(Some(file))).collect();
    let merging = Merging {
        union: Arc::clone(union),
        folder: folder.to_owned(),
        limits: settings.limits(),
        spilled,
        schema: written_schema(union),
        bucket_bytes_max: bucket_bytes_max(settings),
    };
    let mut outcomes: Ordered<Outcome, Error> =
        Ordered::new(jobs, settings.threads, move |job, outlet: &Outlet<Outcome, Error>| {
            let file = files[job].lock().unwrap_or_else(PoisonError::into_inner).take();
            let Some((number, file)) = file else { return Ok(()) };
            let mut outcome = Outcome::default();
            let prefix = (number as u128).checked_shl(u128::BITS - bits.below()).unwrap_or(0);
            merging.bucket(prefix, bits.below(), file, &mut outcome).map_err(Stop::Failed)?;
            Ok(outlet.send(outcome)?)
        });
    for number in numbers {
        if let Some(outcome) = outcomes.try_next().await? {
            all[number] = outcome;
        }
    }
    Ok(all)
}

struct Merging {
    union: Arc<Union>,
    folder: PathBuf,
    limits: Limits,
    spilled: Arc<AtomicU64>,
    schema: SchemaRef,
    /// A bucket with more bytes is split again.
    bucket_bytes_max: u64,
}

impl Merging {
    /// Merges the records of a bucket whose hashes begin with the first `below` bits of `prefix`.
    fn bucket(
        &self,
        prefix: u128,
        below: u32,
        mut file: BucketFile,
        outcome: &mut Outcome,
    ) -> Result<(), Error> {
        if file.bytes > self.bucket_bytes_max && below < SPLIT_BITS_MAX {
            return self.split(prefix, below, file, outcome);
        }
        let batches = file.read()?.collect::<Result<Vec<RecordBatch>, Error>>()?;
        drop(file);
        let bucket = Bucket::new(&self.union, &batches);
        let (groups, too_many) = bucket.groups();
        outcome.too_many += too_many;
        if !groups.is_empty() {
            outcome.parts.push(self.write(prefix, &bucket, &groups, &batches)?);
        }
        Ok(())
    }

    /// Sorts a bucket into smaller ones. Persons with too many records are left out here, or no
    /// splitting would make their bucket smaller.
    fn split(
        &self,
        prefix: u128,
        below: u32,
        mut file: BucketFile,
        outcome: &mut Outcome,
    ) -> Result<(), Error> {
        let crowded = crowded(&mut file)?;
        outcome.too_many += crowded.len() as u64;
        let bits = Bits::for_bytes(below, file.bytes, self.bucket_bytes_max / 2);
        let mut sorter: Option<Sorter> = None;
        for batch in file.read()? {
            let batch = batch?;
            let kept = hashes(&batch).map(|hash| Some(!crowded.contains(&hash))).collect();
            let batch = compute::filter_record_batch(&batch, &kept).map_err(|_| too_wide())?;
            let sorter = sorter.get_or_insert_with(|| {
                Sorter::new(bits, batch.schema(), self.limits.clone(), Arc::clone(&self.spilled))
            });
            sorter.add(&[batch], |_, _| Ok(()))?;
        }
        drop(file);
        let Some(sorter) = sorter else { return Ok(()) };
        for (number, file) in sorter.finish()? {
            let inner = (number as u128).checked_shl(u128::BITS - bits.below()).unwrap_or(0);
            self.bucket(prefix | inner, bits.below(), file, outcome)?;
        }
        Ok(())
    }

    fn write(
        &self,
        prefix: u128,
        bucket: &Bucket<'_>,
        groups: &[Group],
        batches: &[RecordBatch],
    ) -> Result<Part, Error> {
        let path = self.folder.join(part_name(prefix));
        let place = path.to_string_lossy().into_owned();
        let io = |error| Error::io(&place, "write merged profiles", error);
        let failed = |error| unwritable(&place, error);
        let file = File::create(&path).map_err(io)?;
        let properties = properties();
        let schema = Arc::clone(&self.schema);
        let mut writer = ArrowWriter::try_new(file, schema, Some(properties)).map_err(failed)?;
        for groups in groups.chunks(output_rows(batches)) {
            writer.write(&self.profiles(bucket, groups)?).map_err(failed)?;
        }
        let file = writer.into_inner().map_err(failed)?;
        file.sync_all().map_err(io)?;
        let bytes = file.metadata().map_err(io)?.len();
        Ok(Part::new(prefix, bytes))
    }

    fn profiles(&self, bucket: &Bucket<'_>, groups: &[Group]) -> Result<RecordBatch, Error> {
        let mut columns: Vec<ArrayRef> = self.union.leaves.assemble(bucket.leaves(groups)?)?;
        columns.push(bucket.known(groups)?);
        RecordBatch::try_new(Arc::clone(&self.schema), columns)
            .map_err(|_| Error::internal("merged profiles do not fit their schema"))
    }
}

/// The hashes of a bucket that more than [`RECORDS_MAX`] records have.
fn crowded(file: &mut BucketFile) -> Result<HashSet<u128>, Error> {
    let mut all = Vec::new();
    for batch in file.read()? {
        all.extend(hashes(&batch?));
    }
    all.sort_unstable();
    let runs = all.chunk_by(|left, right| left == right);
    Ok(runs.filter(|run| run.len() > RECORDS_MAX).map(|run| run[0]).collect())
}

/// Profiles in one batch: few when records are wide.
fn output_rows(batches: &[RecordBatch]) -> usize {
    let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    let bytes: u64 = batches.iter().map(bytes_of).sum();
    let row_bytes = (bytes / rows.max(1) as u64).max(1);
    usize::try_from(BATCH_BYTES_TARGET / row_bytes)
        .unwrap_or(BATCH_ROWS_MAX)
        .clamp(1, BATCH_ROWS_MAX)
}

fn written_schema(union: &Union) -> SchemaRef {
    let mut fields: Vec<_> = union.leaves.written().iter().cloned().collect();
    fields.push(Arc::new(profile_field(union.clock)));
    Arc::new(Schema::new(fields))
}

fn properties() -> WriterProperties {
    // No two hashes and no two keys are the same: a dictionary of them would be for nothing.
    let unique = |name: &str| ColumnPath::new(vec![PROFILE_FIELD.to_owned(), name.to_owned()]);
    let group_rows = usize::try_from(MORSEL_ROWS).unwrap_or(usize::MAX);
    WriterProperties::builder()
        .set_created_by("segue".to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_max_row_group_row_count(Some(group_rows))
        .set_max_row_group_bytes(Some(ROW_GROUP_BYTES_MAX))
        .set_column_dictionary_enabled(unique("hash"), false)
        .set_column_dictionary_enabled(unique("value"), false)
        .build()
}

/// What the writer says may quote the data, so only what is about the disk is passed on.
fn unwritable(place: &str, error: parquet::errors::ParquetError) -> Error {
    use parquet::errors::ParquetError;
    let error = match error {
        ParquetError::External(inner) => match inner.downcast::<std::io::Error>() {
            Ok(error) => return Error::io(place, "write merged profiles", *error),
            Err(_) => "the writer failed",
        },
        ParquetError::NYI(_) | ParquetError::ArrowError(_) => "a field's type cannot be merged",
        _ => "the writer failed",
    };
    Error::internal(format!("merged profiles cannot be written: {error}"))
}
