//! JSON lines as rows: one object on each line, nested as it likes.
//!
//! Fields and types are guessed from the first lines of each file. Fields that appear only later
//! are not seen unless they are declared; values that do not fit their field's type are errors.

use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::{Fields, Schema, SchemaRef};
use arrow_json::ReaderBuilder;
use arrow_json::reader::{Decoder, infer_json_schema};
use bytes::Bytes;

use crate::error::Error;
use crate::fields;
use crate::parquet_file::BATCH_ROWS_MAX;
use crate::source::{Source, Text};

/// The largest line, in bytes.
pub(crate) const LINE_BYTES_MAX: usize = 16 << 20;
/// The deepest nesting of objects and lists.
pub(crate) const DEPTH_MAX: usize = 64;
/// The most lines from which fields and types are guessed, for each file.
pub(crate) const SAMPLE_LINES_MAX: usize = 1_000;
/// The most bytes from which fields and types are guessed, for each file.
pub(crate) const SAMPLE_BYTES_MAX: usize = 8 << 20;
/// The most bytes of lines that become one batch; a longer line is a batch of its own.
pub(crate) const BATCH_BYTES_MAX: usize = 8 << 20;

/// Guesses the fields of a file.
pub(crate) fn sample(source: &Arc<Source>) -> Result<Fields, Error> {
    let mut lines = Lines::new(Text::new(Arc::clone(source)));
    let mut sample = Batch::default();
    while sample.lines.len() < SAMPLE_LINES_MAX && sample.text.len() < SAMPLE_BYTES_MAX {
        if !lines.next_into(&mut sample)? {
            break;
        }
    }
    let inferred = infer_json_schema(sample.text.as_bytes(), None);
    match inferred {
        Ok((schema, _)) => Ok(fields::as_views(schema.fields())),
        Err(_) => {
            let is_bad = |text: &str| infer_json_schema(text.as_bytes(), None).is_err();
            let line = sample.first_line(is_bad);
            Err(Error::input(lines.text.location(), "the line is not a JSON object").at_line(line))
        }
    }
}

/// Lines, put together for decoding at once.
#[derive(Debug, Default)]
struct Batch {
    text: String,
    /// The number of each line in the file, and where it ends in `text`.
    lines: Vec<(u64, usize)>,
}

impl Batch {
    /// The number of the first line that `is_bad`, or of the first line of all.
    fn first_line(&self, is_bad: impl Fn(&str) -> bool) -> u64 {
        let mut start = 0;
        for &(line, end) in &self.lines {
            if is_bad(&self.text[start..end]) {
                return line;
            }
            start = end;
        }
        self.lines.first().map_or(1, |&(line, _)| line)
    }
}

/// Takes a text apart at its line feeds.
#[derive(Debug)]
struct Lines {
    text: Text,
    block: Bytes,
    bytes: Vec<u8>,
    line: u64,
}

impl Lines {
    fn new(text: Text) -> Self {
        Self { text, block: Bytes::new(), bytes: Vec::new(), line: 0 }
    }

    /// Appends the next line that is not blank; false at the end.
    fn next_into(&mut self, batch: &mut Batch) -> Result<bool, Error> {
        while self.read_line()? {
            self.line += 1;
            let line = self.checked_line()?;
            if line.is_empty() {
                continue;
            }
            batch.text.push_str(line);
            batch.text.push('\n');
            batch.lines.push((self.line, batch.text.len()));
            return Ok(true);
        }
        Ok(false)
    }

    /// Reads the bytes of the next line; false at the end.
    fn read_line(&mut self) -> Result<bool, Error> {
        self.bytes.clear();
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
                return Err(Error::input(self.text.location(), message).at_line(self.line + 1));
            }
        }
    }

    fn checked_line(&self) -> Result<&str, Error> {
        let invalid =
            |message: &str| Error::input(self.text.location(), message).at_line(self.line);
        let line = str::from_utf8(&self.bytes).map_err(|_| {
            invalid("the line is not UTF-8").with_hint("Convert the file to UTF-8.")
        })?;
        let line = line.trim_matches([' ', '\t', '\r']);
        if !line.is_empty() && !line.starts_with('{') {
            return Err(invalid("the line is not a JSON object"));
        }
        if depth(line) > DEPTH_MAX {
            let message = format!("the line is nested more than {DEPTH_MAX} deep");
            return Err(invalid(&message));
        }
        Ok(line)
    }
}

/// The deepest nesting of brackets outside of texts.
fn depth(line: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut in_text, mut is_escaped) = (false, false);
    for byte in line.bytes() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if in_text => is_escaped = true,
            b'"' => in_text = !in_text,
            b'{' | b'[' if !in_text => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// The rows of one file.
pub(crate) struct Reader {
    lines: Lines,
    schema: SchemaRef,
    batch: Batch,
}

impl Reader {
    /// Begins to read `fields`; a field that a line lacks is null.
    pub(crate) fn new(source: Arc<Source>, fields: Fields) -> Self {
        let schema = Arc::new(Schema::new(fields));
        Self { lines: Lines::new(Text::new(source)), schema, batch: Batch::default() }
    }

    fn read_batch(&mut self) -> Result<Option<RecordBatch>, Error> {
        self.batch.text.clear();
        self.batch.lines.clear();
        while self.batch.lines.len() < BATCH_ROWS_MAX && self.batch.text.len() < BATCH_BYTES_MAX {
            if !self.lines.next_into(&mut self.batch)? {
                break;
            }
        }
        let rows = self.batch.lines.len();
        if rows == 0 {
            return Ok(None);
        }
        match decode(&self.schema, &self.batch.text, rows) {
            Some(batch) => Ok(Some(batch)),
            None => Err(self.blame()),
        }
    }

    /// Finds the line and the field that cannot be read.
    fn blame(&self) -> Error {
        let fails = |schema: &SchemaRef, text: &str| decode(schema, text, 1).is_none();
        let line = self.batch.first_line(|text| fails(&self.schema, text));
        let position = self.batch.lines.iter().position(|&(number, _)| number == line).unwrap_or(0);
        let start = if position == 0 { 0 } else { self.batch.lines[position - 1].1 };
        let text = &self.batch.text[start..self.batch.lines[position].1];
        let location = self.lines.text.location();
        let none = Arc::new(Schema::empty());
        if fails(&none, text) {
            return Error::input(location, "the line is not one JSON object").at_line(line);
        }
        let error = |message: &str| Error::input(location, message).at_line(line);
        for field in self.schema.fields() {
            let alone = Arc::new(Schema::new(vec![Arc::clone(field)]));
            if fails(&alone, text) {
                let kind = fields::kind_of(field.data_type());
                return error(&format!("a value is not of type {}", kind.name()))
                    .at_field(field.name())
                    .with_hint("Types are guessed from the first lines; declare the field's type under `types:` if it is another.");
            }
        }
        error("the line cannot be read")
    }
}

/// Decodes lines, or nothing if they are not exactly one fitting object each.
fn decode(schema: &SchemaRef, text: &str, rows: usize) -> Option<RecordBatch> {
    if schema.fields().is_empty() {
        return count_objects(text, rows);
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

/// Rows without columns, each line checked all the same.
fn count_objects(text: &str, rows: usize) -> Option<RecordBatch> {
    let any = arrow::datatypes::Field::new("\u{0}", arrow::datatypes::DataType::Utf8View, true);
    decode(&Arc::new(Schema::new(vec![any])), text, rows)?;
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(Arc::new(Schema::empty()), Vec::new(), &options).ok()
}

impl Iterator for Reader {
    type Item = Result<RecordBatch, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read_batch().transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::depth;

    #[test]
    fn brackets_in_texts_are_no_nesting() {
        let cases = [("{}", 1), (r#"{"a":[{"b":1}]}"#, 3), (r#"{"a":"[[[\"[["}"#, 1), ("}}{", 1)];
        for (line, expected) in cases {
            assert_eq!(depth(line), expected, "{line}");
        }
    }
}
