//! Scalar columns as the values of JSON objects, and the names in front of them.
//!
//! A value is what a cell of delimited text would hold: as it is if JSON has a form for it (numbers,
//! booleans), otherwise a string.

use arrow_buffer::NullBuffer;
use plan::file_format::{CELL_BYTES_MAX, NulPolicy};

use super::column::{BoxedColumn, Column, Fault, Validity};
use super::error::Problem;
use super::json_string;
use super::lane::{Lane, SLOT_BYTES, Slot};
use super::rules::Rules;
use super::scalar::{Shape, Sink};
use super::text::Texts;

/// What stands before the value of a column: `{"id":` for the first, `"email":` for others.
pub(super) struct Name {
    blocks: Vec<Slot>,
    length: usize,
}

impl Name {
    /// Writes the name of a column. `leads` says that it is the first.
    ///
    /// # Errors
    /// A NUL character, which no name may hold.
    pub(super) fn new(header: &str, leads: bool) -> Result<Self, Problem> {
        let mut text = if leads { b"{".to_vec() } else { Vec::new() };
        json_string::append(header.as_bytes(), NulPolicy::Reject, &mut text)?;
        text.push(b':');
        let length = text.len();
        text.resize(length.next_multiple_of(SLOT_BYTES), 0);
        Ok(Self { blocks: text.as_chunks().0.to_vec(), length })
    }

    /// The bytes that [`Name::copy_to`] writes.
    pub(super) fn bytes_max(&self) -> usize {
        self.blocks.len() * SLOT_BYTES
    }

    /// Copies the name to `out` at `at` and returns where it ends.
    #[inline(always)]
    pub(super) fn copy_to(&self, out: &mut [u8], at: usize) -> usize {
        for (index, block) in self.blocks.iter().enumerate() {
            let at = at + index * SLOT_BYTES;
            out[at..at + SLOT_BYTES].copy_from_slice(block);
        }
        at + self.length
    }
}

/// Makes columns of scalar arrays.
pub(super) struct Values;

impl<'a> Sink<'a> for Values {
    type Output = BoxedColumn<'a>;

    fn short<F>(self, nulls: Option<&NullBuffer>, shape: Shape, write: F) -> BoxedColumn<'a>
    where
        F: Fn(usize, &mut Slot) -> Result<usize, Problem> + 'a,
    {
        Box::new(Short { validity: Validity::new(nulls), shape, write })
    }

    fn long<F>(self, nulls: Option<&NullBuffer>, shape: Shape, write: F) -> BoxedColumn<'a>
    where
        F: Fn(usize, &mut Vec<u8>) + 'a,
    {
        Box::new(Long { validity: Validity::new(nulls), shape, write })
    }

    fn text<T: Texts + 'a>(self, nulls: Option<&NullBuffer>, texts: T) -> BoxedColumn<'a> {
        Box::new(Words { validity: Validity::new(nulls), texts })
    }
}

/// Values whose text fits a slot.
struct Short<F> {
    validity: Validity,
    shape: Shape,
    write: F,
}

impl<F: Fn(usize, &mut Slot) -> Result<usize, Problem>> Column for Short<F> {
    fn fill(&self, start: usize, count: usize, lane: &mut Lane, _: &Rules) -> Result<(), Fault> {
        self.validity.fill((start, count), lane, |lane, row| {
            let mut slot = Slot::default();
            match (self.write)(start + row, &mut slot)? {
                0 => lane.put_null(row),
                length if self.shape.is_bare_in_json(&slot[..length]) => {
                    lane.put_window(row, &slot, length);
                }
                length => lane.put_in_quotes(row, &slot, length),
            }
            Ok(())
        })
    }
}

/// Values whose text may be longer than a slot.
struct Long<F> {
    validity: Validity,
    shape: Shape,
    write: F,
}

impl<F: Fn(usize, &mut Vec<u8>)> Column for Long<F> {
    fn fill(&self, start: usize, count: usize, lane: &mut Lane, _: &Rules) -> Result<(), Fault> {
        let mut text = Vec::new();
        self.validity.fill((start, count), lane, |lane, row| {
            text.clear();
            text.push(b'"');
            (self.write)(start + row, &mut text);
            if self.shape.is_bare_in_json(&text[1..]) {
                lane.put_bare(row, &text[1..]);
            } else {
                text.push(b'"');
                lane.put_bare(row, &text);
            }
            Ok(())
        })
    }
}

/// Texts.
struct Words<T> {
    validity: Validity,
    texts: T,
}

impl<T: Texts> Column for Words<T> {
    fn fill(
        &self,
        start: usize,
        count: usize,
        lane: &mut Lane,
        rules: &Rules,
    ) -> Result<(), Fault> {
        let mut json = Vec::new();
        let is_utf8 = self.texts.is_utf8();
        self.validity.fill((start, count), lane, |lane, row| {
            match self.texts.window(start + row) {
                Some((window, length)) if is_utf8 && is_clear(window, length) => {
                    lane.put_in_quotes(row, window, length);
                }
                _ => {
                    json.clear();
                    self.append(start + row, rules.nul(), &mut json)?;
                    lane.put_bare(row, &json);
                }
            }
            Ok(())
        })
    }
}

impl<T: Texts> Words<T> {
    #[inline(never)]
    fn append(&self, index: usize, nul: NulPolicy, out: &mut Vec<u8>) -> Result<(), Problem> {
        let text = self.texts.text(index);
        if text.len() > CELL_BYTES_MAX {
            return Err(Problem::CellTooLarge);
        }
        if !self.texts.is_utf8() {
            str::from_utf8(text).map_err(|_| Problem::InvalidUnicode)?;
        }
        json_string::append(text, nul, out)
    }
}

/// Whether the first `length` bytes of `window` surely need no escape. The loop has no branch, so
/// that it becomes a few wide instructions.
#[inline(always)]
fn is_clear(window: &Slot, length: usize) -> bool {
    let mut found = false;
    for (at, &byte) in window.iter().enumerate() {
        found |= json_string::is_doubtful(byte) & (at < length);
    }
    !found
}
