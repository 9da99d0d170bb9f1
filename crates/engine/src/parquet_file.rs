//! Parquet files: their footers, and slices of their row groups as batches of rows.
//!
//! Pages are decoded as they are needed, so memory does not depend on the size of a row group. What
//! is read has to add up to what the footer promises: rows are never lost in silence.

mod coded;

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{BooleanBufferBuilder, RecordBatch};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::Schema;
use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader,
    ParquetRecordBatchReaderBuilder, RowSelection,
};
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader};

use crate::error::Error;
use crate::parquet_schema::{self, DEPTH_MAX as SCHEMA_DEPTH_MAX};
use crate::path::Steps;
use crate::source::{Chunks, Source};
use crate::{fields, int96};

/// The largest footer that is read, in bytes.
pub(crate) const FOOTER_BYTES_MAX: u32 = 64 << 20;
/// The most rows of one batch.
pub(crate) const BATCH_ROWS_MAX: usize = 8_192;
/// The fewest rows of one batch, however wide the rows are.
pub(crate) const BATCH_ROWS_MIN: usize = 256;
/// Rows are made into batches of about this many bytes when they are wide.
pub(crate) const BATCH_BYTES_TARGET: u64 = 8 << 20;

const TAIL_BYTES: u64 = 8;

/// Rows of one row group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Slice {
    pub(crate) row_group: usize,
    pub(crate) rows: Range<u64>,
}

/// Reads a footer and settles the types in which columns are read.
pub(crate) fn open(source: &Arc<Source>) -> Result<ArrowReaderMetadata, Error> {
    let footer = read_footer(source)?;
    if parquet_schema::is_too_deep(&footer) {
        let message = format!("the schema is nested more than {SCHEMA_DEPTH_MAX} deep");
        return Err(Error::input(source.location(), message));
    }
    let damaged = |error: parquet::errors::ParquetError| {
        source.explain(|| {
            Error::input(source.location(), format!("the Parquet footer is damaged: {error}"))
        })
    };
    let metadata = ParquetMetaDataReader::decode_metadata(&footer).map_err(damaged)?;
    check_counts(source, &metadata)?;
    let mut reader = ParquetMetaDataReader::new_with_metadata(metadata)
        .with_column_index_policy(PageIndexPolicy::Skip)
        .with_offset_index_policy(PageIndexPolicy::Optional);
    let chunks = Chunks::new(Arc::clone(source), Vec::new());
    reader.read_page_indexes(&chunks).map_err(damaged)?;
    let metadata = Arc::new(reader.finish().map_err(damaged)?);
    let found = ArrowReaderMetadata::try_new(Arc::clone(&metadata), ArrowReaderOptions::new())
        .map_err(damaged)?;
    let views = fields::as_views(found.schema().fields());
    let views = int96::in_microseconds(views, found.parquet_schema());
    let views = Arc::new(Schema::new(views));
    let options = ArrowReaderOptions::new().with_schema(views);
    ArrowReaderMetadata::try_new(metadata, options).map_err(damaged)
}

/// The last bytes tell whether the file is whole, before anything is allocated on its word.
fn read_footer(source: &Source) -> Result<Bytes, Error> {
    let size = source.size();
    let truncated = || {
        Error::input(source.location(), "the file is not a whole Parquet file")
            .with_hint("It may be cut short, still being written, or of another format.")
    };
    if size < TAIL_BYTES + 4 {
        return Err(truncated());
    }
    let tail = source.read(size - TAIL_BYTES, TAIL_BYTES as usize)?;
    if &tail[4..] == b"PARE" {
        return Err(Error::input(source.location(), "the Parquet footer is encrypted"));
    }
    let length = tail[..4].try_into().map_or(u32::MAX, u32::from_le_bytes);
    if &tail[4..] != b"PAR1" || u64::from(length) > size - TAIL_BYTES {
        return Err(truncated());
    }
    if length > FOOTER_BYTES_MAX {
        let message = format!("the Parquet footer is larger than {FOOTER_BYTES_MAX} bytes");
        return Err(Error::input(source.location(), message));
    }
    source.read(size - TAIL_BYTES - u64::from(length), length as usize)
}

fn check_counts(source: &Source, metadata: &ParquetMetaData) -> Result<(), Error> {
    let counts = metadata.row_groups().iter().map(|group| group.num_rows());
    let is_negative = counts.clone().any(|rows| rows < 0);
    let sum = counts.fold(0_i64, i64::saturating_add);
    if is_negative || sum != metadata.file_metadata().num_rows() {
        let message = "the Parquet footer contradicts itself about the number of rows";
        return Err(Error::input(source.location(), message));
    }
    Ok(())
}

/// Cuts the row groups into slices of about `rows_target` rows.
pub(crate) fn slices(metadata: &ParquetMetaData, rows_target: u64) -> Vec<Slice> {
    let mut slices = Vec::new();
    for (row_group, group) in metadata.row_groups().iter().enumerate() {
        let rows = group.num_rows().unsigned_abs();
        let count = rows.div_ceil(rows_target);
        for part in 0..count {
            let rows = rows * part / count..rows * (part + 1) / count;
            slices.push(Slice { row_group, rows });
        }
    }
    slices
}

/// What is read of a slice.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'a> {
    /// The columns below these paths.
    pub(crate) needed: &'a BTreeSet<Steps>,
    /// Texts that may come as codes of a dictionary, where the file holds nothing else of them.
    pub(crate) coded: &'a BTreeSet<Steps>,
    /// The rows whose bit is set; all if it is not given.
    pub(crate) only: Option<&'a BooleanBuffer>,
}

impl<'a> Wanted<'a> {
    /// All rows, with some columns.
    pub(crate) fn of(needed: &'a BTreeSet<Steps>) -> Self {
        static NOTHING: BTreeSet<Steps> = BTreeSet::new();
        Self { needed, coded: &NOTHING, only: None }
    }
}

/// The rows of one slice, or some of them, with the columns that are needed.
pub(crate) struct Reader {
    source: Arc<Source>,
    reader: ParquetRecordBatchReader,
    rows_left: u64,
}

impl Reader {
    /// Begins to read.
    pub(crate) fn new(
        source: Arc<Source>,
        metadata: ArrowReaderMetadata,
        slice: &Slice,
        wanted: Wanted<'_>,
    ) -> Result<Self, Error> {
        let Wanted { needed, coded, only } = wanted;
        let leaves = needed_leaves(&metadata, needed);
        let metadata = coded::with_codes(metadata, slice.row_group, coded);
        let group = metadata.metadata().row_group(slice.row_group);
        let mut ranges = Vec::with_capacity(leaves.len());
        let mut bytes = 0_u64;
        for &leaf in &leaves {
            let column = group.column(leaf);
            let (start, length) = column.byte_range();
            ranges.push(start..start.saturating_add(length));
            bytes = bytes.saturating_add(column.uncompressed_size().unsigned_abs());
        }
        let group_rows = group.num_rows().unsigned_abs();
        let rows_wanted = slice.rows.end - slice.rows.start;
        let mask = ProjectionMask::leaves(metadata.parquet_schema(), leaves);
        let chunks = Chunks::new(Arc::clone(&source), ranges);
        if slice.rows.start == 0 {
            chunks.fetch_first_blocks()?;
        }
        let mut builder = ParquetRecordBatchReaderBuilder::new_with_metadata(chunks, metadata)
            .with_row_groups(vec![slice.row_group])
            .with_projection(mask)
            .with_batch_size(batch_rows(bytes, group_rows));
        let to_usize = |rows: u64| usize::try_from(rows).unwrap_or(usize::MAX);
        let mut rows_left = rows_wanted;
        if let Some(only) = only {
            let mut bits = BooleanBufferBuilder::new(to_usize(slice.rows.end));
            bits.append_n(to_usize(slice.rows.start), false);
            bits.append_buffer(only);
            builder = builder.with_row_selection(RowSelection::from_boolean_buffer(bits.finish()));
            rows_left = only.count_set_bits() as u64;
        } else if rows_wanted < group_rows {
            builder =
                builder.with_offset(to_usize(slice.rows.start)).with_limit(to_usize(rows_wanted));
        }
        let reader = builder.build().map_err(|_| damaged(&source))?;
        Ok(Self { source, reader, rows_left })
    }
}

impl Iterator for Reader {
    type Item = Result<RecordBatch, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.reader.next() {
            Some(Ok(batch)) => {
                let Some(left) = self.rows_left.checked_sub(batch.num_rows() as u64) else {
                    return Some(Err(miscounted(&self.source)));
                };
                self.rows_left = left;
                Some(Ok(batch))
            }
            Some(Err(_)) => Some(Err(damaged(&self.source))),
            None if self.rows_left > 0 => {
                self.rows_left = 0;
                Some(Err(miscounted(&self.source)))
            }
            None => None,
        }
    }
}

/// What the decoder says may quote the data, so it is not passed on.
fn damaged(source: &Source) -> Error {
    source.explain(|| Error::input(source.location(), "the Parquet data is damaged"))
}

fn miscounted(source: &Source) -> Error {
    Error::input(
        source.location(),
        "the Parquet file does not hold the rows that its footer counts",
    )
}

/// The leaf columns below the needed paths.
fn needed_leaves(metadata: &ArrowReaderMetadata, needed: &BTreeSet<Steps>) -> Vec<usize> {
    let fields = metadata.schema().fields();
    let prefixes: Vec<Vec<&str>> = needed
        .iter()
        .map(|steps| steps.struct_names(fields))
        .filter(|names| !names.is_empty())
        .collect();
    let columns = metadata.parquet_schema().columns().iter().enumerate();
    columns
        .filter(|(_, column)| {
            let parts = column.path().parts();
            prefixes.iter().any(|names| {
                names.len() <= parts.len()
                    && names.iter().zip(parts).all(|(name, part)| name == part)
            })
        })
        .map(|(leaf, _)| leaf)
        .collect()
}

fn batch_rows(bytes: u64, rows: u64) -> usize {
    let row_bytes = (bytes / rows.max(1)).max(1);
    let rows = usize::try_from(BATCH_BYTES_TARGET / row_bytes).unwrap_or(BATCH_ROWS_MAX);
    rows.clamp(BATCH_ROWS_MIN, BATCH_ROWS_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_rows_come_in_smaller_batches() {
        let cases = [
            (0, 0, 8_192),
            (100 << 20, 1 << 20, 8_192),
            (1 << 34, 1 << 20, 512),
            (1 << 40, 9, 256),
        ];
        for (bytes, rows, expected) in cases {
            assert_eq!(batch_rows(bytes, rows), expected, "{bytes} bytes in {rows} rows");
        }
    }
}
