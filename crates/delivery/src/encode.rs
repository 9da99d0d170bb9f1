//! Rows become text: Arrow batches to lines of CSV, TSV or JSON.
//!
//! The rules of cells are the output contract in `docs/output.md`; `rules` holds them all. The
//! encoder is pure: the same batch and settings give the same bytes. Where files begin and end
//! ([`crate::split`]), character sets ([`crate::charset`]) and compression ([`crate::compress`])
//! are not its business.
//!
//! How it works: 64 rows at a time, each column writes its cells into a lane of fixed-size slots
//! (one tight loop per type), then the lanes are joined row by row with copies of fixed size. A cell
//! that is surely plain is recognised by a few wide instructions; any other takes the careful way
//! through all the rules. A row of JSON is the same with names between the cells.
//!
//! ```
//! use std::sync::Arc;
//! use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
//! use plan::file_format::{FileFormat, Layout};
//!
//! let names: ArrayRef = Arc::new(StringArray::from(vec![Some("Zoë, Dr."), None, Some("")]));
//! let points: ArrayRef = Arc::new(Int64Array::from(vec![1200, 0, -3]));
//! let batch = RecordBatch::try_from_iter([("name", names), ("points", points)])?;
//! let encoder = delivery::encode::Encoder::new(&FileFormat::new(Layout::Csv), &batch.schema())?;
//! assert_eq!(encoder.header(), b"name,points\n");
//! assert_eq!(encoder.encode(&batch)?.text, "\"Zoë, Dr.\",1200\n,0\n\"\",-3\n".as_bytes());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::{RecordBatch, new_empty_array};
use arrow_schema::{DataType, Schema};
use plan::file_format::{COLUMNS_MAX, FileFormat};

use crate::buffers::Buffers;

mod calendar;
mod chunk;
mod column;
mod dictionary;
mod error;
mod json;
mod json_string;
mod json_value;
mod lane;
mod number;
mod rows;
mod rules;
mod scalar;
#[cfg(test)]
mod tests;
mod text;

pub use chunk::Chunk;
pub use error::{Error, Problem};

use column::{BoxedColumn, Fault, Unsupported};
use json_value::Name;
use lane::{LANE_ROWS, Lane};
use rows::{Full, Rows};
use rules::{CellKind, Outcome, Rules};

/// How deep lists, structs and maps may be nested inside each other.
pub const NESTING_MAX: usize = 64;

/// Writes batches of one schema in one format. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct Encoder {
    shared: Arc<Shared>,
}

struct Shared {
    rules: Rules,
    headers: Vec<String>,
    header_line: Vec<u8>,
    /// What stands before each value of a JSON object; empty for cells.
    names: Vec<Name>,
    /// Texts of chunks that are done with.
    texts: Arc<Buffers>,
}

/// The most texts of chunks that are kept to be used again.
const TEXTS_KEPT_MAX: usize = 32;

impl Encoder {
    /// Prepares to write batches of `schema`, whose column names are the headers.
    ///
    /// # Errors
    /// When there are no columns, too many, or two of one name; when a type has no form in a cell;
    /// when the settings contradict each other or cannot write a header.
    pub fn new(format: &FileFormat, schema: &Schema) -> Result<Self, Error> {
        let headers: Vec<String> =
            schema.fields().iter().map(|field| field.name().clone()).collect();
        check_headers(&headers)?;
        let rules = Rules::new(format)?;
        for field in schema.fields() {
            check_type(field.data_type(), &rules)
                .map_err(|unsupported| unsupported.in_column(field.name()))?;
        }
        let header_line = match format.dialect.header {
            true => header_line(&headers, &rules)?,
            false => Vec::new(),
        };
        let names = if rules.is_json() { names(&headers)? } else { Vec::new() };
        let texts = Buffers::new(TEXTS_KEPT_MAX);
        Ok(Self { shared: Arc::new(Shared { rules, headers, header_line, names, texts }) })
    }

    /// Returns the line of headers with its line end, in UTF-8; nothing when headers are off.
    pub fn header(&self) -> Vec<u8> {
        self.shared.header_line.clone()
    }

    /// Writes the rows of `batch`.
    ///
    /// # Errors
    /// The first row that cannot be written, with its column and what is wrong there.
    pub fn encode(&self, batch: &RecordBatch) -> Result<Chunk, Error> {
        let text = self.shared.texts.take_as_it_is();
        let mut chunk = Chunk { text, ..Chunk::default() };
        self.encode_into(batch, &mut chunk)?;
        Ok(chunk)
    }

    /// Where texts of chunks may be given back.
    pub(crate) fn texts(&self) -> Arc<Buffers> {
        Arc::clone(&self.shared.texts)
    }

    /// As [`Encoder::encode`], with the buffers of an earlier chunk, whose rows are lost.
    ///
    /// # Errors
    /// As [`Encoder::encode`]; the chunk then holds no useful rows.
    pub fn encode_into(&self, batch: &RecordBatch, chunk: &mut Chunk) -> Result<(), Error> {
        let columns = self.resolve(batch)?;
        let count = columns.len();
        let rules = &self.shared.rules;
        let mut lanes: Vec<Lane> = (0..count)
            .map(|index| Lane::new(rules, index == 0, rules.ending(index + 1 == count)))
            .collect();
        let mut rows = Rows::new(chunk);
        for start in (0..batch.num_rows()).step_by(LANE_ROWS) {
            let rest = batch.num_rows() - start;
            let block = LANE_ROWS.min(rest);
            self.fill(&columns, start, block, &mut lanes)?;
            rows.append(&lanes, &self.shared.names, block, rest - block)
                .map_err(|Full| Error::BatchTooLarge { rows: batch.num_rows() })?;
        }
        rows.finish();
        Ok(())
    }

    fn resolve<'b>(&self, batch: &'b RecordBatch) -> Result<Vec<BoxedColumn<'b>>, Error> {
        let headers = &self.shared.headers;
        if batch.num_columns() != headers.len() {
            return Err(Error::ColumnCount { expected: headers.len(), found: batch.num_columns() });
        }
        let columns = batch.columns().iter().zip(headers).enumerate();
        columns
            .map(|(index, (array, header))| {
                column::resolve(array.as_ref(), &self.shared.rules, index == 0)
                    .map_err(|unsupported| unsupported.in_column(header))
            })
            .collect()
    }

    /// Fills all lanes with the cells of `count` rows. Of several faults the one in the first row
    /// is reported, and the first in that row.
    fn fill(
        &self,
        columns: &[BoxedColumn<'_>],
        start: usize,
        count: usize,
        lanes: &mut [Lane],
    ) -> Result<(), Error> {
        let mut first: Option<(usize, Fault)> = None;
        for (index, (column, lane)) in columns.iter().zip(lanes.iter_mut()).enumerate() {
            lane.clear();
            let count = first.map_or(count, |(_, fault)| fault.row);
            if let Err(fault) = column.fill(start, count, lane, &self.shared.rules) {
                first = Some((index, fault));
            }
        }
        if let (None, [lane]) = (first, lanes) {
            // A line without any character is skipped by most readers, or ends the data.
            let blank = (0..count).find(|&row| lane.is_blank(row));
            first = blank.map(|row| (0, Fault { row, problem: Problem::EmptyLine }));
        }
        first.map_or(Ok(()), |(index, fault)| {
            Err(Error::Cell {
                row: (start + fault.row) as u64,
                column: self.shared.headers[index].clone(),
                problem: fault.problem,
            })
        })
    }
}

fn check_headers(headers: &[String]) -> Result<(), Error> {
    match headers.len() {
        0 => return Err(Error::NoColumns),
        count if count > COLUMNS_MAX => return Err(Error::TooManyColumns { count }),
        _ => {}
    }
    let mut seen: HashMap<String, &String> = HashMap::with_capacity(headers.len());
    for header in headers {
        if let Some(first) = seen.insert(header.to_lowercase(), header) {
            let (first, second) = (first.clone(), header.clone());
            return Err(Error::DuplicateColumn { first, second });
        }
    }
    Ok(())
}

/// Finds out whether arrays of a type can be written, by resolving an empty one.
fn check_type(data_type: &DataType, rules: &Rules) -> Result<(), Unsupported> {
    if nesting(data_type) > NESTING_MAX {
        return Err(Unsupported(data_type.clone()));
    }
    column::resolve(new_empty_array(data_type).as_ref(), rules, false).map(|_| ())
}

/// How deep a type is nested; 0 for one without parts.
fn nesting(data_type: &DataType) -> usize {
    match data_type {
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::ListView(item)
        | DataType::LargeListView(item)
        | DataType::FixedSizeList(item, _)
        | DataType::Map(item, _) => 1 + nesting(item.data_type()),
        DataType::Struct(fields) => {
            1 + fields.iter().map(|field| nesting(field.data_type())).max().unwrap_or(0)
        }
        DataType::Dictionary(_, values) => 1 + nesting(values),
        _ => 0,
    }
}

/// Writes the headers as the names of JSON objects.
fn names(headers: &[String]) -> Result<Vec<Name>, Error> {
    let name = |(index, header): (usize, &String)| {
        Name::new(header, index == 0)
            .map_err(|problem| Error::Header { column: header.clone(), problem })
    };
    headers.iter().enumerate().map(name).collect()
}

/// Writes the headers by the rules of all cells, since they too may hold delimiters or look like
/// formulas.
fn header_line(headers: &[String], rules: &Rules) -> Result<Vec<u8>, Error> {
    let mut line = Vec::new();
    for (index, header) in headers.iter().enumerate() {
        let fault = |problem| Error::Header { column: header.clone(), problem };
        let outcome = rules
            .append_cell(header.as_bytes(), CellKind::Text, index == 0, &mut line)
            .map_err(fault)?;
        if outcome == Outcome::Rejected {
            return Err(fault(Problem::Formula));
        }
        if line.is_empty() && headers.len() == 1 {
            return Err(fault(Problem::EmptyLine));
        }
        let (ending, length) = rules.ending(index + 1 == headers.len());
        line.extend_from_slice(&ending[..usize::from(length)]);
    }
    Ok(line)
}
