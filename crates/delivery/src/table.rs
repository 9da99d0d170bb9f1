//! A Parquet file, written as its rows come.
//!
//! The same rows give the same bytes however they are cut into chunks: they are gathered into blocks
//! whose bounds depend on the rows alone, and only whole blocks reach the writer, whose pages depend
//! on what it is given at a time. Row groups end at the end of a block.

use arrow::compute::concat_batches;
use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties};

use crate::compress::ZSTD_LEVEL;
use crate::encode::{Chunk, Error};

/// The most rows that are given to the writer at a time.
pub const BLOCK_ROWS_MAX: usize = 8_192;
/// A block ends with the row that takes it to this many bytes of plain values.
pub const BLOCK_BYTES_MAX: usize = 4 << 20;
/// A row group ends with the block that takes it to this many rows.
pub const ROW_GROUP_ROWS_MAX: usize = 1 << 20;
/// A row group ends with the block that takes what it holds in memory, packed for the most part, to
/// this many bytes.
pub const ROW_GROUP_BYTES_MAX: usize = 32 << 20;
/// Who made a file, as its footer says.
const CREATED_BY: &str = concat!("segue version ", env!("CARGO_PKG_VERSION"));

/// Writes one file.
pub(crate) struct Table {
    writer: ArrowWriter<Vec<u8>>,
    schema: SchemaRef,
    /// The rows of the block that is not whole yet.
    block: Vec<RecordBatch>,
    block_rows: usize,
    block_bytes: usize,
}

impl Table {
    /// Begins a file with these columns.
    ///
    /// # Errors
    /// The writer refuses them.
    pub(crate) fn new(schema: &SchemaRef) -> Result<Self, Error> {
        let level = ZstdLevel::try_new(ZSTD_LEVEL).map_err(Error::Parquet)?;
        let properties = WriterProperties::builder()
            .set_created_by(CREATED_BY.to_owned())
            .set_compression(Compression::ZSTD(level))
            .set_statistics_enabled(EnabledStatistics::Page)
            // Lists and maps in the names that the format's specification has for their parts.
            .set_coerce_types(true)
            // Row groups are ended here.
            .set_max_row_group_row_count(None)
            .build();
        // Without the schema of Arrow beside the file's own: it would tell how the engine held a
        // column, in an order of its own.
        let options = ArrowWriterOptions::new()
            .with_properties(properties)
            .with_skip_arrow_metadata(true)
            .with_schema_root("schema".to_owned());
        let writer = ArrowWriter::try_new_with_options(Vec::new(), schema.clone(), options)
            .map_err(Error::Parquet)?;
        let schema = schema.clone();
        Ok(Self { writer, schema, block: Vec::new(), block_rows: 0, block_bytes: 0 })
    }

    /// Takes more rows and appends to `out` what has become of them, which is nothing until a row
    /// group is whole.
    ///
    /// # Errors
    /// The writer fails.
    pub(crate) fn write(&mut self, chunk: &Chunk, out: &mut Vec<u8>) -> Result<(), Error> {
        let Some(columns) = &chunk.columns else { return Ok(()) };
        let mut taken = 0;
        while taken < chunk.rows() {
            let rows = self.fit(chunk, taken);
            self.block.push(columns.slice(taken, rows));
            self.block_rows += rows;
            self.block_bytes += chunk.bytes_of(taken + rows) - chunk.bytes_of(taken);
            taken += rows;
            if self.block_rows >= BLOCK_ROWS_MAX || self.block_bytes >= BLOCK_BYTES_MAX {
                self.write_block()?;
            }
        }
        out.append(self.writer.inner_mut());
        Ok(())
    }

    /// Appends the rest of the file with its footer. Nothing may be written afterwards.
    ///
    /// # Errors
    /// The writer fails.
    pub(crate) fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), Error> {
        self.write_block()?;
        self.writer.finish().map_err(Error::Parquet)?;
        out.append(self.writer.inner_mut());
        Ok(())
    }

    /// How many rows of `chunk` from `start` the block still takes; at least one.
    fn fit(&self, chunk: &Chunk, start: usize) -> usize {
        let by_rows = (BLOCK_ROWS_MAX - self.block_rows).min(chunk.rows() - start);
        let left = BLOCK_BYTES_MAX - self.block_bytes;
        let ends = &chunk.row_ends[start..start + by_rows];
        let before = chunk.bytes_of(start);
        let full = ends.partition_point(|&end| (end as usize) - before < left);
        // The row that fills the block belongs to it.
        (full + 1).min(by_rows)
    }

    fn write_block(&mut self) -> Result<(), Error> {
        let block = std::mem::take(&mut self.block);
        (self.block_rows, self.block_bytes) = (0, 0);
        match &block[..] {
            [] => return Ok(()),
            [whole] => self.writer.write(whole),
            pieces => {
                let whole = concat_batches(&self.schema, pieces).map_err(Error::Columns)?;
                self.writer.write(&whole)
            }
        }
        .map_err(Error::Parquet)?;
        let is_full = self.writer.in_progress_rows() >= ROW_GROUP_ROWS_MAX
            || self.writer.memory_size() >= ROW_GROUP_BYTES_MAX;
        if is_full {
            self.writer.flush().map_err(Error::Parquet)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
