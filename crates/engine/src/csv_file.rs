//! Delimited text as rows: the header, types guessed from the first records, batches of values.
//!
//! A file is read by one thread, from its beginning: a line break may be inside quotes, so there is
//! no safe place to begin in the middle.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, RecordBatch, RecordBatchOptions, StringViewArray, StringViewBuilder,
};
use arrow::compute::{self, CastOptions};
use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef};

use crate::csv_record::{Format, Record, Records};
use crate::error::Error;
use crate::parquet_file::BATCH_ROWS_MAX;
use crate::source::{Source, Text};
use crate::{digits, fields, guess};

/// The most records from which types are guessed, for each file.
pub(crate) const SAMPLE_RECORDS_MAX: usize = 1_000;
/// The most columns of a file.
pub(crate) const COLUMNS_MAX: usize = 10_000;

/// Reads the header and guesses types from the records behind it.
pub(crate) fn sample(source: &Arc<Source>, format: Format) -> Result<Fields, Error> {
    let mut records = Records::new(Text::new(Arc::clone(source)), format);
    let header = read_header(&mut records)?;
    let mut types = vec![DataType::Null; header.len()];
    let mut record = Record::default();
    for _ in 0..SAMPLE_RECORDS_MAX {
        if !records.next(&mut record)? {
            break;
        }
        check_length(&records, &record, header.len())?;
        for (column, found) in types.iter_mut().enumerate() {
            if let Some(text) = record.cell(column) {
                *found = guess::join(found, &guess::from_text(text));
            }
        }
    }
    Ok(header.into_iter().zip(types).map(|(name, found)| Field::new(name, found, true)).collect())
}

fn read_header(records: &mut Records) -> Result<Vec<String>, Error> {
    let mut record = Record::default();
    if !records.next(&mut record)? {
        return Err(Error::input(records.location(), "the file is empty: not even a header"));
    }
    let invalid = |message: String| Error::input(records.location(), message).at_line(record.line);
    if record.len() > COLUMNS_MAX {
        return Err(invalid(format!("the header has more than {COLUMNS_MAX} columns")));
    }
    let mut names: Vec<String> = Vec::with_capacity(record.len());
    for column in 0..record.len() {
        let Some(name) = record.cell(column).filter(|name| !name.is_empty()) else {
            return Err(invalid(format!("column {} has no name in the header", column + 1)));
        };
        names.push(name.to_owned());
    }
    let mut sorted: Vec<&String> = names.iter().collect();
    sorted.sort_unstable();
    if let Some(pair) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(invalid(format!("the header names `{}` twice", pair[0])));
    }
    Ok(names)
}

fn check_length(records: &Records, record: &Record, expected: usize) -> Result<(), Error> {
    if record.len() == expected {
        return Ok(());
    }
    let cells =
        if record.len() == 1 { "1 cell".to_owned() } else { format!("{} cells", record.len()) };
    let message = format!("the record has {cells}, the header has {expected}");
    let hint = "Correct the line, or put cells that hold the delimiter or a line break in quotes.";
    Err(Error::input(records.location(), message).at_line(record.line).with_hint(hint))
}

/// The rows of one file.
pub(crate) struct Reader {
    records: Records,
    record: Record,
    header_len: usize,
    /// Position in the file and field of each column that is read.
    columns: Vec<(usize, StringViewBuilder)>,
    schema: SchemaRef,
    /// The line in which each record of the batch begins.
    lines: Vec<u64>,
    is_done: bool,
}

impl Reader {
    /// Begins to read the columns of `fields` that the file has.
    pub(crate) fn new(source: Arc<Source>, format: Format, fields: &Fields) -> Result<Self, Error> {
        let mut records = Records::new(Text::new(source), format);
        let header = read_header(&mut records)?;
        let mut columns = Vec::new();
        let mut found = Vec::new();
        for field in fields {
            if let Some(position) = header.iter().position(|name| name == field.name()) {
                columns.push((position, StringViewBuilder::new()));
                found.push(Arc::clone(field));
            }
        }
        Ok(Self {
            records,
            record: Record::default(),
            header_len: header.len(),
            columns,
            schema: Arc::new(Schema::new(found)),
            lines: Vec::new(),
            is_done: false,
        })
    }

    fn read_batch(&mut self) -> Result<Option<RecordBatch>, Error> {
        self.lines.clear();
        while self.lines.len() < BATCH_ROWS_MAX {
            if !self.records.next(&mut self.record)? {
                self.is_done = true;
                break;
            }
            check_length(&self.records, &self.record, self.header_len)?;
            for ((position, builder), field) in self.columns.iter_mut().zip(self.schema.fields()) {
                // An empty text is a value of a text column only.
                let cell = self.record.cell(*position);
                let is_text = field.data_type() == &DataType::Utf8View;
                builder.append_option(cell.filter(|text| is_text || !text.is_empty()));
            }
            self.lines.push(self.record.line);
        }
        if self.lines.is_empty() { Ok(None) } else { self.take_batch().map(Some) }
    }

    fn take_batch(&mut self) -> Result<RecordBatch, Error> {
        let mut arrays = Vec::with_capacity(self.columns.len());
        let location = self.records.location();
        for ((_, builder), field) in self.columns.iter_mut().zip(self.schema.fields()) {
            arrays.push(typed(builder.finish(), field.data_type()).map_err(|misfit| {
                let kind = fields::kind_of(field.data_type());
                let (row, message, hint) = match misfit {
                    Misfit::Type(row) => {
                        (row, format!("a value is not of type {}", kind.name()), OTHER_TYPE)
                    }
                    Misfit::Digits(row) => {
                        let message =
                            format!("a number has more digits than type {} holds", kind.name());
                        (row, message, MORE_DIGITS)
                    }
                };
                let error = Error::input(location, message).at_field(field.name()).with_hint(hint);
                match self.lines.get(row) {
                    Some(line) => error.at_line(*line),
                    None => error,
                }
            })?);
        }
        let options = RecordBatchOptions::new().with_row_count(Some(self.lines.len()));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &options)
            .map_err(|_| Error::internal("a batch of CSV rows does not fit its own columns"))
    }
}

const OTHER_TYPE: &str = "Correct the value, or declare another type for the field under `types:`; types that are not declared are guessed from the first records.";
const MORE_DIGITS: &str = "Declare the field as `string` under `types:`, which keeps every digit.";

/// The first row whose text is no value of the type.
enum Misfit {
    Type(usize),
    /// It is one, and would lose digits.
    Digits(usize),
}

/// Parses the texts of a column.
fn typed(text: StringViewArray, data_type: &DataType) -> Result<ArrayRef, Misfit> {
    if data_type == &DataType::Utf8View {
        return Ok(Arc::new(text));
    }
    let is_rounded = |text: Option<&str>| text.is_some_and(|it| !digits::survive(it, data_type));
    if digits::may_be_lost(data_type)
        && let Some(row) = text.iter().position(is_rounded)
    {
        return Err(Misfit::Digits(row));
    }
    let options = CastOptions { safe: true, ..Default::default() };
    let values =
        compute::cast_with_options(&text, data_type, &options).map_err(|_| Misfit::Type(0))?;
    if values.null_count() == text.null_count() {
        return Ok(values);
    }
    let lost = (0..text.len()).find(|&row| text.is_valid(row) && values.is_null(row));
    Err(Misfit::Type(lost.unwrap_or(0)))
}

impl Iterator for Reader {
    type Item = Result<RecordBatch, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_done { None } else { self.read_batch().transpose() }
    }
}
