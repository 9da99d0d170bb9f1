//! Records of delimited text, cell by cell, with their lines.
//!
//! The reading is strict where leniency would lose or shift cells: a quote that is never closed,
//! text behind a closing quote, a lone carriage return, and bytes that are not UTF-8 are errors with
//! their line. An empty cell without quotes is a missing value, `""` is an empty text.

use bytes::Bytes;

use crate::error::{Error, Kind};
use crate::source::Text;

/// The largest record, in bytes. A quote that is never closed is found at this limit.
pub(crate) const RECORD_BYTES_MAX: usize = 16 << 20;

/// What separates and encloses cells.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Format {
    pub(crate) delimiter: u8,
    pub(crate) quote: u8,
}

/// One record.
#[derive(Debug, Default)]
pub(crate) struct Record {
    text: String,
    cells: Vec<Cell>,
    /// Where the record begins, counted from 1.
    pub(crate) line: u64,
}

#[derive(Debug, Clone, Copy)]
struct Cell {
    end: usize,
    was_quoted: bool,
}

impl Record {
    /// How many cells there are.
    pub(crate) fn len(&self) -> usize {
        self.cells.len()
    }

    /// The text of a cell, or nothing where it is missing.
    pub(crate) fn cell(&self, index: usize) -> Option<&str> {
        let start = if index == 0 { 0 } else { self.cells[index - 1].end };
        let text = &self.text[start..self.cells[index].end];
        (self.cells[index].was_quoted || !text.is_empty()).then_some(text)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    CellStart,
    Plain,
    Quoted,
    /// Behind a quote inside quotes: it closes the cell, unless another follows.
    QuoteSeen,
    /// Behind a carriage return: only a line feed may follow.
    ReturnSeen,
}

/// Reads records from a text.
#[derive(Debug)]
pub(crate) struct Records {
    text: Text,
    format: Format,
    block: Bytes,
    bytes: Vec<u8>,
    cells: Vec<Cell>,
    line: u64,
}

impl Records {
    pub(crate) fn new(text: Text, format: Format) -> Self {
        Self { text, format, block: Bytes::new(), bytes: Vec::new(), cells: Vec::new(), line: 1 }
    }

    /// The path or address of the file.
    pub(crate) fn location(&self) -> &str {
        self.text.location()
    }

    /// Reads the next record into `record`; false at the end. Blank lines are passed over.
    pub(crate) fn next(&mut self, record: &mut Record) -> Result<bool, Error> {
        loop {
            if !self.read_record(record)? {
                return Ok(false);
            }
            let is_blank = record.len() == 1 && record.cell(0).is_none();
            if !is_blank {
                return Ok(true);
            }
        }
    }

    fn read_record(&mut self, record: &mut Record) -> Result<bool, Error> {
        self.bytes.clear();
        self.cells.clear();
        record.line = self.line;
        let mut state = State::CellStart;
        loop {
            if self.block.is_empty() && !self.fill()? {
                return self.finish_at_end(state, record);
            }
            let block = std::mem::take(&mut self.block);
            let (used, is_complete) = self.scan(&block, &mut state)?;
            self.block = block.slice(used..);
            if self.bytes.len() > RECORD_BYTES_MAX {
                return Err(self.too_long(record.line, state));
            }
            if is_complete {
                self.take(record)?;
                return Ok(true);
            }
        }
    }

    fn fill(&mut self) -> Result<bool, Error> {
        self.block = self.text.next_block()?;
        Ok(!self.block.is_empty())
    }

    /// Takes in bytes until a record is complete; returns how many were used.
    fn scan(&mut self, block: &[u8], state: &mut State) -> Result<(usize, bool), Error> {
        let Format { delimiter, quote } = self.format;
        for (position, &byte) in block.iter().enumerate() {
            if byte == b'\n' {
                self.line += 1;
            }
            *state = match (*state, byte) {
                (State::Quoted, _) if byte == quote => State::QuoteSeen,
                (State::Quoted, _) => {
                    self.bytes.push(byte);
                    State::Quoted
                }
                (State::ReturnSeen, b'\n') => return Ok((position + 1, true)),
                (State::ReturnSeen, _) => {
                    return Err(self.error("a carriage return stands alone, without a line feed"));
                }
                (State::CellStart, _) if byte == quote => State::Quoted,
                (State::QuoteSeen, _) if byte == quote => {
                    self.bytes.push(byte);
                    State::Quoted
                }
                (state, _) if byte == delimiter => {
                    self.end_cell(state);
                    State::CellStart
                }
                (state, b'\n') => {
                    self.end_cell(state);
                    return Ok((position + 1, true));
                }
                (state, b'\r') => {
                    self.end_cell(state);
                    State::ReturnSeen
                }
                (State::QuoteSeen, _) => {
                    return Err(self
                        .error("text follows a closing quote")
                        .with_hint("A quote inside a quoted cell is written twice."));
                }
                (State::Plain, _) if byte == quote => {
                    return Err(self.error("a quote stands in a cell that does not begin with one"));
                }
                (State::CellStart | State::Plain, _) => {
                    self.bytes.push(byte);
                    State::Plain
                }
            };
        }
        Ok((block.len(), false))
    }

    fn end_cell(&mut self, state: State) {
        let was_quoted = state == State::QuoteSeen;
        self.cells.push(Cell { end: self.bytes.len(), was_quoted });
    }

    fn finish_at_end(&mut self, state: State, record: &mut Record) -> Result<bool, Error> {
        match state {
            State::CellStart if self.cells.is_empty() => return Ok(false),
            State::Quoted => return Err(self.unclosed(record.line)),
            State::ReturnSeen => {}
            State::CellStart | State::Plain | State::QuoteSeen => self.end_cell(state),
        }
        self.take(record)?;
        Ok(true)
    }

    /// Hands the record over as text.
    fn take(&mut self, record: &mut Record) -> Result<(), Error> {
        let mut buffer = std::mem::take(&mut record.text).into_bytes();
        std::mem::swap(&mut buffer, &mut self.bytes);
        std::mem::swap(&mut record.cells, &mut self.cells);
        let invalid = |cell: usize| {
            Error::input(self.text.location(), format!("cell {} is not UTF-8", cell + 1))
                .at_line(record.line)
                .with_hint("Convert the file to UTF-8.")
        };
        let cell_at = |offset| record.cells.iter().position(|cell| offset < cell.end).unwrap_or(0);
        record.text = String::from_utf8(buffer)
            .map_err(|error| invalid(cell_at(error.utf8_error().valid_up_to())))?;
        // Two broken characters side by side could make a whole one.
        let is_split = |cell: &Cell| !record.text.is_char_boundary(cell.end);
        match record.cells.iter().position(is_split) {
            Some(cell) => Err(invalid(cell)),
            None => Ok(()),
        }
    }

    fn too_long(&self, line: u64, state: State) -> Error {
        if state == State::Quoted {
            return self.unclosed(line);
        }
        let message = format!("the record is longer than {RECORD_BYTES_MAX} bytes");
        Error::new(Kind::Invalid, "invalid_input", message).in_file(self.location()).at_line(line)
    }

    fn unclosed(&self, line: u64) -> Error {
        Error::input(self.location(), "a quote is never closed in the record that begins here")
            .at_line(line)
            .with_hint("Close the quote, double it if it belongs to the text, or set `quote` of the dataset.")
    }

    fn error(&self, message: &str) -> Error {
        Error::input(self.location(), message).at_line(self.line)
    }
}
