//! JSON lines as rows: one object on each line, nested as it likes.
//!
//! Fields and types are guessed from the first lines of each file. Fields that appear only later
//! are not seen unless they are declared; values that do not fit their field's type are errors.
//! Every line is scanned before it is decoded: the decoder forgives more than a value survives.

mod expected;
mod guess;
mod scan;

use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::{Fields, Schema, SchemaRef};
use arrow_json::ReaderBuilder;
use arrow_json::reader::Decoder;
use bytes::Bytes;

use self::expected::Expected;
use self::guess::Guess;
use self::scan::{Fault, Shape};
use crate::error::{Error, Kind};
use crate::fields;
use crate::parquet_file::BATCH_ROWS_MAX;
use crate::source::{Source, Text};

/// The largest line, in bytes.
pub(crate) const LINE_BYTES_MAX: usize = 16 << 20;
/// The most lines from which fields and types are guessed, for each file.
pub(crate) const SAMPLE_LINES_MAX: usize = 1_000;
/// The most bytes from which fields and types are guessed, for each file.
pub(crate) const SAMPLE_BYTES_MAX: usize = 8 << 20;
/// The most bytes of lines that become one batch; a longer line is a batch of its own.
pub(crate) const BATCH_BYTES_MAX: usize = 8 << 20;

/// Guesses the fields of a file.
pub(crate) fn sample(source: &Arc<Source>) -> Result<Fields, Error> {
    let mut lines = Lines::new(Text::new(Arc::clone(source)));
    let mut guess = Guess::new();
    let (mut count, mut bytes) = (0, 0);
    while count < SAMPLE_LINES_MAX && bytes < SAMPLE_BYTES_MAX && lines.read_line()? {
        guess.line = lines.number;
        let (_, line) = lines.checked(&mut guess)?;
        count += usize::from(!line.is_empty());
        bytes += line.len();
    }
    Ok(fields::as_views(&guess.fields()))
}

/// Lines, put together for decoding at once.
#[derive(Debug, Default)]
struct Batch {
    text: String,
    lines: Vec<Line>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Line {
    /// In the file, counted from 1.
    number: u64,
    /// The characters of space before the object.
    indent: usize,
    /// Where it ends in the batch's text.
    end: usize,
}

/// Takes a text apart at its line feeds.
#[derive(Debug)]
struct Lines {
    text: Text,
    block: Bytes,
    /// The line that was read last, and its number.
    bytes: Vec<u8>,
    number: u64,
}

impl Lines {
    fn new(text: Text) -> Self {
        Self { text, block: Bytes::new(), bytes: Vec::new(), number: 0 }
    }

    /// Reads the bytes of the next line; false at the end.
    fn read_line(&mut self) -> Result<bool, Error> {
        self.bytes.clear();
        self.number += 1;
        loop {
            if self.block.is_empty() {
                self.block = self.text.next_block()?;
                if self.block.is_empty() {
                    return Ok(!self.bytes.is_empty());
                }
            }
            if let Some(end) = self.block.iter().position(|&byte| byte == b'\n') {
                self.bytes.extend_from_slice(&self.block[..end]);
                self.block = self.block.slice(end + 1..);
                return Ok(true);
            }
            self.bytes.extend_from_slice(&self.block);
            self.block = Bytes::new();
            if self.bytes.len() > LINE_BYTES_MAX {
                let message = format!("the line is longer than {LINE_BYTES_MAX} bytes");
                return Err(Error::input(self.text.location(), message).at_line(self.number));
            }
        }
    }

    /// The line that was read, without the space around it: empty, or an object that fits `shape`.
    /// Before it, how many characters of space there are.
    fn checked(&self, shape: &mut impl Shape) -> Result<(usize, &str), Error> {
        let written = str::from_utf8(&self.bytes).map_err(|_| {
            Error::input(self.text.location(), "the line is not UTF-8")
                .at_line(self.number)
                .with_hint("Convert the file to UTF-8.")
        })?;
        let indented = written.trim_end_matches(SPACE);
        let line = indented.trim_start_matches(SPACE);
        let indent = indented.len() - line.len();
        if !line.is_empty() {
            scan::scan(line, shape)
                .map_err(|fault| misfit(fault, self.text.location(), self.number, indent, line))?;
        }
        Ok((indent, line))
    }
}

/// What may stand around the object of a line.
const SPACE: [char; 3] = [' ', '\t', '\r'];

/// The error for a fault in a line, behind `indent` characters of space.
fn misfit(fault: Fault, location: &str, number: u64, indent: usize, line: &str) -> Error {
    let Fault { refusal, at, field } = fault;
    let before = line[..line.floor_char_boundary(at)].chars().count();
    let error = Error::new(Kind::Invalid, refusal.code, refusal.message)
        .in_file(location)
        .at_line(number)
        .at_column((indent + before + 1) as u64);
    let error = if field.is_empty() { error } else { error.at_field(field) };
    match refusal.hint {
        Some(hint) => error.with_hint(hint),
        None => error,
    }
}

/// The rows of one file.
pub(crate) struct Reader {
    lines: Lines,
    expected: Expected,
    schema: SchemaRef,
    batch: Batch,
}

impl Reader {
    /// Begins to read `fields`; a field that a line lacks is null.
    pub(crate) fn new(source: Arc<Source>, fields: Fields) -> Self {
        let (lines, expected) = (Lines::new(Text::new(source)), Expected::new(&fields));
        Self { lines, expected, schema: Arc::new(Schema::new(fields)), batch: Batch::default() }
    }

    fn read_batch(&mut self) -> Result<Option<RecordBatch>, Error> {
        let Self { lines, expected, batch, .. } = self;
        batch.text.clear();
        batch.lines.clear();
        while batch.lines.len() < BATCH_ROWS_MAX
            && batch.text.len() < BATCH_BYTES_MAX
            && lines.read_line()?
        {
            let (indent, line) = lines.checked(expected)?;
            if !line.is_empty() {
                batch.text.push_str(line);
                batch.text.push('\n');
                let end = batch.text.len();
                batch.lines.push(Line { number: lines.number, indent, end });
            }
        }
        let rows = batch.lines.len();
        if rows == 0 {
            return Ok(None);
        }
        match decode(&self.schema, &batch.text, rows) {
            Some(batch) => Ok(Some(batch)),
            None => Err(self.blame()),
        }
    }

    /// Finds the value that the decoder refused.
    fn blame(&self) -> Error {
        let location = self.lines.text.location();
        let mut expected = Expected::new(self.schema.fields()).thorough();
        let mut start = 0;
        for &Line { number, indent, end } in &self.batch.lines {
            let line = self.batch.text[start..end].trim_end();
            if let Err(fault) = scan::scan(line, &mut expected) {
                return misfit(fault, location, number, indent, line);
            }
            start = end;
        }
        let first = self.batch.lines.first().copied().unwrap_or_default();
        Error::input(location, "the lines from here on cannot be read").at_line(first.number)
    }
}

/// Decodes lines, or nothing if they are not exactly one fitting object each.
fn decode(schema: &SchemaRef, text: &str, rows: usize) -> Option<RecordBatch> {
    if schema.fields().is_empty() {
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        return RecordBatch::try_new_with_options(Arc::clone(schema), Vec::new(), &options).ok();
    }
    let mut decoder = decoder(schema)?;
    let used = decoder.decode(text.as_bytes()).ok()?;
    if used != text.len() || decoder.has_partial_record() || decoder.len() != rows {
        return None;
    }
    let batch = decoder.flush().ok()??;
    (batch.num_rows() == rows).then_some(batch)
}

fn decoder(schema: &SchemaRef) -> Option<Decoder> {
    ReaderBuilder::new(Arc::clone(schema))
        // One more than there are lines: a line with two objects must not pass for two lines.
        .with_batch_size(BATCH_ROWS_MAX + 1)
        .with_coerce_primitive(true)
        .build_decoder()
        .ok()
}

impl Iterator for Reader {
    type Item = Result<RecordBatch, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read_batch().transpose()
    }
}
