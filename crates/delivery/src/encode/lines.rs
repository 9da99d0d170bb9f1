//! Rows as text: the lanes of all columns, joined row by row.

use arrow_array::{RecordBatch, new_empty_array};
use arrow_schema::{DataType, Schema};
use plan::file_format::FileFormat;

use super::chunk::Chunk;
use super::column::{self, BoxedColumn, Fault, Unsupported};
use super::dictionary::Kept;
use super::error::{Error, Problem};
use super::json_value::Name;
use super::lane::{LANE_ROWS, Lane};
use super::rows::{Full, Rows};
use super::rules::{CellKind, Outcome, Rules};

/// Writes rows as lines of cells or of JSON.
pub(super) struct Lines {
    rules: Rules,
    headers: Vec<String>,
    header_line: Vec<u8>,
    /// What stands before each value of a JSON object; empty for cells.
    names: Vec<Name>,
    /// Cells of dictionaries that other batches may have too.
    kept: Kept,
}

impl Lines {
    /// Prepares to write batches of `schema`, whose column names are the headers.
    ///
    /// # Errors
    /// A type that has no form in text, or settings that contradict each other or cannot write a
    /// header.
    pub(super) fn new(
        format: &FileFormat,
        schema: &Schema,
        headers: Vec<String>,
    ) -> Result<Self, Error> {
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
        Ok(Self { rules, headers, header_line, names, kept: Kept::default() })
    }

    /// The line of headers; nothing when headers are off.
    pub(super) fn header(&self) -> &[u8] {
        &self.header_line
    }

    /// Writes the rows of `batch` in place of those of `chunk`.
    ///
    /// # Errors
    /// The first row that cannot be written.
    pub(super) fn encode_into(&self, batch: &RecordBatch, chunk: &mut Chunk) -> Result<(), Error> {
        let columns = self.resolve(batch)?;
        let count = columns.len();
        let rules = &self.rules;
        let mut lanes: Vec<Lane> = (0..count)
            .map(|index| Lane::new(rules, index == 0, rules.ending(index + 1 == count)))
            .collect();
        let mut rows = Rows::new(chunk);
        for start in (0..batch.num_rows()).step_by(LANE_ROWS) {
            let rest = batch.num_rows() - start;
            let block = LANE_ROWS.min(rest);
            self.fill(&columns, start, block, &mut lanes)?;
            rows.append(&lanes, &self.names, block, rest - block)
                .map_err(|Full| Error::BatchTooLarge { rows: batch.num_rows() })?;
        }
        rows.finish();
        Ok(())
    }

    fn resolve<'b>(&self, batch: &'b RecordBatch) -> Result<Vec<BoxedColumn<'b>>, Error> {
        let headers = &self.headers;
        if batch.num_columns() != headers.len() {
            return Err(Error::ColumnCount { expected: headers.len(), found: batch.num_columns() });
        }
        let columns = batch.columns().iter().zip(headers).enumerate();
        columns
            .map(|(index, (array, header))| {
                column::resolve(array.as_ref(), (&self.rules, &self.kept), index == 0)
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
            if let Err(fault) = column.fill(start, count, lane, &self.rules) {
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
                column: self.headers[index].clone(),
                problem: fault.problem,
            })
        })
    }
}

/// Finds out whether arrays of a type can be written, by resolving an empty one.
fn check_type(data_type: &DataType, rules: &Rules) -> Result<(), Unsupported> {
    let kept = Kept::default();
    column::resolve(new_empty_array(data_type).as_ref(), (rules, &kept), false).map(|_| ())
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
