//! Records sorted into buckets by hash, in temporary files of Arrow's own form.
//!
//! The files have no names: they are gone when the process is, however it ends.

use std::fs::File;
use std::io::{BufReader, BufWriter, Seek, SeekFrom};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::interleave;
use arrow::datatypes::{DataType, SchemaRef};
use arrow::error::ArrowError;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;

use crate::error::{Error, Kind};
use crate::spill::Limits;

/// Bytes of records that one thread holds before it sorts them into buckets.
pub(super) const CHUNK_BYTES: usize = 8 << 20;
/// The most buckets at once: each is an open file.
pub(super) const BUCKETS_MAX: usize = 256;

/// Which bits of a hash number the buckets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bits {
    /// How many bits above them number the buckets that these buckets are parts of.
    above: u32,
    count: u32,
}

impl Bits {
    /// Enough buckets for `bytes` when each should hold `each`.
    pub(super) fn for_bytes(above: u32, bytes: u64, each: u64) -> Self {
        let wanted = bytes.div_ceil(each.max(1)).clamp(1, BUCKETS_MAX as u64);
        Self { above, count: wanted.next_power_of_two().trailing_zeros() }
    }

    pub(super) fn buckets(self) -> usize {
        1 << self.count
    }

    /// How many bits of the hash are the same in one of these buckets.
    pub(super) fn below(self) -> u32 {
        self.above + self.count
    }

    pub(super) fn bucket(self, hash: u128) -> usize {
        let shifted = (hash << self.above).checked_shr(u128::BITS - self.count);
        shifted.map_or(0, |bucket| bucket as usize)
    }
}

/// Buckets being filled; threads share it.
#[derive(Debug)]
pub(super) struct Sorter {
    pub(super) bits: Bits,
    schema: SchemaRef,
    limits: Limits,
    buckets: Vec<Mutex<Option<Writing>>>,
    /// Of all sorters of one merge together.
    spilled: Arc<AtomicU64>,
}

struct Writing {
    writer: StreamWriter<BufWriter<File>>,
    bytes: u64,
}

impl std::fmt::Debug for Writing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writing").field("bytes", &self.bytes).finish_non_exhaustive()
    }
}

/// A filled bucket.
#[derive(Debug)]
pub(super) struct BucketFile {
    file: File,
    folder: String,
    /// Of its columns in memory, about.
    pub(super) bytes: u64,
}

impl Sorter {
    /// Makes empty buckets. The first column of `schema` is the hash.
    pub(super) fn new(
        bits: Bits,
        schema: SchemaRef,
        limits: Limits,
        spilled: Arc<AtomicU64>,
    ) -> Self {
        let buckets = std::iter::repeat_with(Mutex::default).take(bits.buckets()).collect();
        Self { bits, schema, limits, buckets, spilled }
    }

    /// The columns of the records.
    pub(super) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Adds records. Each bucket takes its own in one piece, which `each` is shown.
    pub(super) fn add(
        &self,
        records: &[RecordBatch],
        mut each: impl FnMut(usize, &RecordBatch) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut rows: Vec<(usize, (usize, usize))> = Vec::new();
        for (batch, records) in records.iter().enumerate() {
            let hashes = hashes(records).enumerate();
            rows.extend(hashes.map(|(row, hash)| (self.bits.bucket(hash), (batch, row))));
        }
        rows.sort_by_key(|(bucket, _)| *bucket);
        let order: Vec<(usize, usize)> = rows.iter().map(|(_, place)| *place).collect();
        let sorted = gather(&self.schema, records, &order)?;
        let mut start = 0;
        for run in rows.chunk_by(|(left, _), (right, _)| left == right) {
            let (bucket, piece) = (run[0].0, sorted.slice(start, run.len()));
            each(bucket, &piece)?;
            self.write(bucket, &piece)?;
            start += run.len();
        }
        Ok(())
    }

    fn write(&self, bucket: usize, records: &RecordBatch) -> Result<(), Error> {
        let mut place = self.buckets[bucket].lock().unwrap_or_else(PoisonError::into_inner);
        if place.is_none() {
            let file = BufWriter::new(self.limits.temporary_file()?);
            let writer = StreamWriter::try_new(file, &self.schema);
            let writer = writer.map_err(|error| self.failed("write", error))?;
            *place = Some(Writing { writer, bytes: 0 });
        }
        let Some(writing) = place.as_mut() else { return Ok(()) };
        writing.writer.write(records).map_err(|error| self.failed("write", error))?;
        let bytes = bytes_of(records);
        writing.bytes += bytes;
        let spilled = self.spilled.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if spilled > self.limits.spill_bytes {
            let max = self.limits.spill_bytes;
            let message = format!("more than {max} bytes of temporary files are needed");
            return Err(Error::new(Kind::Resources, "spill_limit", message)
                .with_hint("Raise the limit of temporary files."));
        }
        Ok(())
    }

    /// The buckets in the order of their hashes; those without records are left out.
    pub(super) fn finish(self) -> Result<Vec<(usize, BucketFile)>, Error> {
        let folder = self.limits.spill_folder.to_string_lossy().into_owned();
        let failed = |error| failed(&folder, "write", error);
        let mut filled = Vec::new();
        for (number, bucket) in self.buckets.into_iter().enumerate() {
            let bucket = bucket.into_inner().unwrap_or_else(PoisonError::into_inner);
            let Some(Writing { mut writer, bytes }) = bucket else { continue };
            writer.finish().map_err(failed)?;
            let file = writer.into_inner().map_err(failed)?.into_inner();
            let file = file.map_err(|error| failed(ArrowError::from(error.into_error())))?;
            filled.push((number, BucketFile { file, folder: folder.clone(), bytes }));
        }
        Ok(filled)
    }

    fn failed(&self, action: &str, error: ArrowError) -> Error {
        failed(&self.limits.spill_folder.to_string_lossy(), action, error)
    }
}

impl BucketFile {
    /// Goes through the records, batch by batch; it can be done again.
    pub(super) fn read(
        &mut self,
    ) -> Result<impl Iterator<Item = Result<RecordBatch, Error>>, Error> {
        let folder = self.folder.clone();
        let failed = move |error| failed(&folder, "read", error);
        self.file.seek(SeekFrom::Start(0)).map_err(|error| failed(error.into()))?;
        let reader = StreamReader::try_new(BufReader::new(&self.file), None).map_err(&failed)?;
        Ok(reader.map(move |batch| batch.map_err(&failed)))
    }
}

/// The hashes of records, which are their first column.
pub(super) fn hashes(records: &RecordBatch) -> impl ExactSizeIterator<Item = u128> {
    let hashes = records.column(0).as_fixed_size_binary();
    (0..hashes.len()).map(|row| {
        let mut bytes = [0; 16];
        bytes.copy_from_slice(hashes.value(row));
        u128::from_be_bytes(bytes)
    })
}

/// Puts records together in another order.
pub(super) fn gather(
    schema: &SchemaRef,
    records: &[RecordBatch],
    order: &[(usize, usize)],
) -> Result<RecordBatch, Error> {
    let gathered = (0..schema.fields().len()).map(|column| {
        let arrays: Vec<&dyn Array> =
            records.iter().map(|records| records.column(column).as_ref()).collect();
        interleave(&arrays, order)
    });
    let columns =
        gathered.collect::<Result<Vec<ArrayRef>, ArrowError>>().map_err(|_| too_wide())?;
    RecordBatch::try_new(Arc::clone(schema), columns)
        .map_err(|_| Error::internal("gathered columns do not fit their schema"))
}

/// Values that do not fit one column any more.
pub(super) fn too_wide() -> Error {
    let message = "the values of a field are too large to be merged";
    Error::new(Kind::Resources, "too_wide", message)
        .with_hint("A few thousand neighbouring records may hold 2 GiB of one field at most.")
}

/// Bytes of the values of records, about: the same however the records are cut into batches, since the
/// files that buckets become follow from it.
pub(super) fn bytes_of(records: &RecordBatch) -> u64 {
    records.columns().iter().map(|column| array_bytes(column.as_ref())).sum()
}

fn array_bytes(array: &dyn Array) -> u64 {
    let length = array.len() as u64;
    let extent = |offsets: &[i32]| {
        let at = |offset: Option<&i32>| offset.map_or(0, |offset| *offset as usize);
        at(offsets.first())..at(offsets.last())
    };
    let list = |offsets: &[i32], values: &dyn Array| {
        let extent = extent(offsets);
        4 * length + array_bytes(values.slice(extent.start, extent.len()).as_ref())
    };
    // A bit for whether the value is there, in whole bytes.
    length
        + match array.data_type() {
            DataType::Boolean => length,
            DataType::Utf8 => 4 * length + extent(array.as_string::<i32>().offsets()).len() as u64,
            DataType::Binary => {
                4 * length + extent(array.as_binary::<i32>().offsets()).len() as u64
            }
            DataType::List(_) => {
                let lists = array.as_list::<i32>();
                list(lists.offsets(), lists.values().as_ref())
            }
            DataType::Map(..) => {
                let maps = array.as_map();
                list(maps.offsets(), maps.entries())
            }
            DataType::Struct(_) => {
                let columns = array.as_struct().columns().iter();
                columns.map(|column| array_bytes(column.as_ref())).sum()
            }
            DataType::FixedSizeBinary(width) => u64::from(width.unsigned_abs()) * length,
            other => match other.primitive_width() {
                Some(width) => width as u64 * length,
                None => array.to_data().get_slice_memory_size().unwrap_or(0) as u64,
            },
        }
}

fn failed(folder: &str, action: &str, error: ArrowError) -> Error {
    let action = format!("{action} a temporary file");
    match error {
        ArrowError::IoError(_, error) => Error::io(folder, &action, error),
        other => Error::internal(format!("cannot {action}: {other}")),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use arrow::array::{
        BooleanArray, Int64Array, ListArray, MapBuilder, StringArray, StringBuilder,
    };
    use arrow::datatypes::Int32Type;

    use super::*;

    #[test]
    fn bytes_do_not_depend_on_how_records_are_cut() {
        let texts = [Some("one"), None, Some(""), Some("three"), None, Some("a longer one")];
        let numbers = [None, None, Some(3), Some(4), Some(5), Some(6)];
        let lists = numbers.map(|number| number.map(|number| vec![Some(1); number as usize]));
        let mut maps = MapBuilder::new(None, StringBuilder::new(), StringBuilder::new());
        for (row, text) in texts.iter().enumerate() {
            for (key, value) in BTreeMap::from([("k", *text), ("other", Some("v"))]) {
                maps.keys().append_value(key);
                maps.values().append_option(value);
            }
            maps.append(row != 2).expect("as many keys as values");
        }
        let columns: [(&str, ArrayRef); 5] = [
            ("text", Arc::new(StringArray::from(texts.to_vec()))),
            ("number", Arc::new(Int64Array::from(numbers.to_vec()))),
            ("flag", Arc::new(BooleanArray::from(numbers.map(|it| it.map(|it| it > 4)).to_vec()))),
            ("list", Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>(lists))),
            ("map", Arc::new(maps.finish())),
        ];
        let records = RecordBatch::try_from_iter(columns).expect("columns of one length");
        for cut in 0..=records.num_rows() {
            let parts = [records.slice(0, cut), records.slice(cut, records.num_rows() - cut)];
            assert_eq!(parts.iter().map(bytes_of).sum::<u64>(), bytes_of(&records), "at {cut}");
        }
    }

    #[test]
    fn buckets_are_numbered_by_the_upper_bits() {
        let bits = Bits::for_bytes(0, 1_000, 300);
        assert_eq!((bits.buckets(), bits.below()), (4, 2));
        assert_eq!(bits.bucket(0), 0);
        assert_eq!(bits.bucket(u128::MAX), 3);
        assert_eq!(bits.bucket(1 << 126), 1);
        let one = Bits::for_bytes(0, 0, 300);
        assert_eq!((one.buckets(), one.bucket(u128::MAX)), (1, 0));
        let inner = Bits::for_bytes(2, 1_000, 300);
        assert_eq!((inner.bucket(1 << 126), inner.bucket(3 << 124), inner.below()), (0, 3, 4));
        assert_eq!(Bits::for_bytes(0, u64::MAX, 1).buckets(), BUCKETS_MAX);
    }
}
