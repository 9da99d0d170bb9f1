//! Tests of the encoder: the contract of cells as tables, golden bytes of every type, and random
//! batches that are read back by two readers, the `csv` crate and one that sees quotes.

mod contract;
mod golden;
mod json_lines;
mod numbers;
mod properties;
mod read_back;
mod refusals;

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, StringArray};
use plan::file_format::{Dialect, FileFormat, Layout};

use super::{Chunk, Encoder, Error};

/// The CSV format with a changed dialect.
fn format(change: impl FnOnce(&mut Dialect)) -> FileFormat {
    let mut format = FileFormat::new(Layout::Csv);
    change(&mut format.dialect);
    format
}

/// A batch of columns named `c0`, `c1` and so on.
fn batch(columns: Vec<ArrayRef>) -> RecordBatch {
    let named = columns.into_iter().enumerate().map(|(index, array)| (format!("c{index}"), array));
    RecordBatch::try_from_iter_with_nullable(named.map(|(name, array)| (name, array, true)))
        .unwrap()
}

fn strings(values: &[Option<&str>]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

fn try_encode(format: &FileFormat, columns: Vec<ArrayRef>) -> Result<Chunk, Error> {
    let batch = batch(columns);
    Encoder::new(format, &batch.schema())?.encode(&batch)
}

/// The text of the columns in the given format.
fn text(format: &FileFormat, columns: Vec<ArrayRef>) -> String {
    let chunk = try_encode(format, columns).unwrap();
    assert_eq!(chunk.bytes_of(chunk.rows()), chunk.text.len());
    String::from_utf8(chunk.text).unwrap()
}
