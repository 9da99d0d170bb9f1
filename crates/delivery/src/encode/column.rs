//! The columns of one batch, each with its own way to write cells.

use arrow_array::Array;
use arrow_buffer::NullBuffer;
use arrow_schema::DataType;

use super::dictionary::{self, Kept};
use super::error::{Error, Problem};
use super::json;
use super::json_value::Values;
use super::lane::{LANE_ROWS, Lane, Slot};
use super::rules::{CellKind, Rules};
use super::scalar::{self, Shape, Sink};
use super::text::{self, Texts};

/// A column of one batch.
pub(super) trait Column {
    /// Writes the cells of the rows from `start`, `count` of them and at most [`LANE_ROWS`], into
    /// the first rows of `lane`.
    fn fill(&self, start: usize, count: usize, lane: &mut Lane, rules: &Rules)
    -> Result<(), Fault>;
}

/// A column of any type.
pub(super) type BoxedColumn<'a> = Box<dyn Column + 'a>;

/// A cell that cannot be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fault {
    /// The row within those that were asked for.
    pub(super) row: usize,
    pub(super) problem: Problem,
}

/// Why an array cannot be a column.
#[derive(Debug)]
pub(super) struct Unsupported(pub(super) DataType);

impl Unsupported {
    pub(super) fn in_column(self, header: &str) -> Error {
        Error::UnsupportedType {
            column: header.to_owned(),
            data_type: self.0.to_string(),
            file: "a text file",
        }
    }

    pub(super) fn in_column_of_parquet(self, header: &str) -> Error {
        Error::UnsupportedType {
            column: header.to_owned(),
            data_type: self.0.to_string(),
            file: "a Parquet file",
        }
    }
}

/// Finds the way to write the cells of `array`. `kept` are cells of earlier batches; `leads` says that
/// it is the first column.
///
/// # Errors
/// The type that has no form in a cell, `array`'s own or one inside it.
pub(super) fn resolve<'a>(
    array: &'a dyn Array,
    (rules, kept): (&Rules, &Kept),
    leads: bool,
) -> Result<BoxedColumn<'a>, Unsupported> {
    match array.data_type() {
        DataType::Null => Ok(Box::new(Missing)),
        DataType::Dictionary(..) => dictionary::resolve(array, (rules, kept), leads),
        data_type if data_type.is_nested() => json::resolve(array, rules),
        _ if rules.is_json() => scalar::resolve(array, rules.non_finite(), Values),
        _ => scalar::resolve(array, rules.non_finite(), Cells { rules }),
    }
}

/// Which rows of an array hold a value.
pub(super) struct Validity(Option<Vec<u64>>);

impl Validity {
    pub(super) fn new(nulls: Option<&NullBuffer>) -> Self {
        let nulls = nulls.filter(|nulls| nulls.null_count() > 0);
        Self(nulls.map(|nulls| nulls.inner().bit_chunks().iter_padded().collect()))
    }

    /// A bit for each of `count` rows from `start`, set where there is a value.
    #[inline]
    fn bits(&self, start: usize, count: usize) -> u64 {
        let Some(words) = &self.0 else { return all(count) };
        let (word, shift) = (start / LANE_ROWS, start % LANE_ROWS);
        let low = words[word] >> shift;
        let high = match shift {
            0 => 0,
            _ => words.get(word + 1).map_or(0, |word| word << (LANE_ROWS - shift)),
        };
        (low | high) & all(count)
    }

    /// Writes the cell of each of `count` rows from `start`: missing values here, and the others
    /// by `write`, which is given the row in the lane.
    #[inline(always)]
    pub(super) fn fill(
        &self,
        (start, count): (usize, usize),
        lane: &mut Lane,
        mut write: impl FnMut(&mut Lane, usize) -> Result<(), Problem>,
    ) -> Result<(), Fault> {
        let present = self.bits(start, count);
        // One loop for all kinds of rows, so that `write` is compiled once and in place.
        for row in rows_of(present) {
            write(lane, row).map_err(|problem| Fault { row, problem })?;
        }
        if present != all(count) {
            rows_of(all(count) & !present).for_each(|row| lane.put_null(row));
        }
        Ok(())
    }
}

/// A bit for each of `count` rows, 64 at most.
pub(super) fn all(count: usize) -> u64 {
    match count {
        0 => 0,
        _ => u64::MAX >> (LANE_ROWS - count),
    }
}

/// The positions of the set bits, rising.
#[inline(always)]
fn rows_of(mut bits: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let row = bits.trailing_zeros() as usize;
        bits &= bits.wrapping_sub(1);
        (row < LANE_ROWS).then_some(row)
    })
}

/// A column without any value.
struct Missing;

impl Column for Missing {
    fn fill(&self, _: usize, count: usize, lane: &mut Lane, _: &Rules) -> Result<(), Fault> {
        (0..count).for_each(|row| lane.put_null(row));
        Ok(())
    }
}

/// Makes columns of scalar arrays.
struct Cells<'r> {
    rules: &'r Rules,
}

impl<'a> Sink<'a> for Cells<'_> {
    type Output = BoxedColumn<'a>;

    fn short<F>(self, nulls: Option<&NullBuffer>, shape: Shape, write: F) -> BoxedColumn<'a>
    where
        F: Fn(usize, &mut Slot) -> Result<usize, Problem> + 'a,
    {
        let bare = self.rules.never_quotes(shape.alphabet(), shape.kind());
        Box::new(Short { validity: Validity::new(nulls), kind: shape.kind(), bare, write })
    }

    fn long<F>(self, nulls: Option<&NullBuffer>, shape: Shape, write: F) -> BoxedColumn<'a>
    where
        F: Fn(usize, &mut Vec<u8>) + 'a,
    {
        Box::new(Long { validity: Validity::new(nulls), kind: shape.kind(), write })
    }

    fn text<T: Texts + 'a>(self, nulls: Option<&NullBuffer>, texts: T) -> BoxedColumn<'a> {
        Box::new(text::Words::new(Validity::new(nulls), texts))
    }
}

/// Values whose text fits a slot.
struct Short<F> {
    validity: Validity,
    kind: CellKind,
    /// Whether no text of these values needs quotes.
    bare: bool,
    write: F,
}

impl<F: Fn(usize, &mut Slot) -> Result<usize, Problem>> Column for Short<F> {
    fn fill(
        &self,
        start: usize,
        count: usize,
        lane: &mut Lane,
        rules: &Rules,
    ) -> Result<(), Fault> {
        // `write` is called in one place only, so that it is compiled into this loop.
        self.validity.fill((start, count), lane, |lane, row| {
            let present = lane.put_short(row, |slot| (self.write)(start + row, slot))?;
            if self.bare || !present { Ok(()) } else { lane.requote(row, self.kind, rules) }
        })
    }
}

/// Values whose text may be longer than a slot.
struct Long<F> {
    validity: Validity,
    kind: CellKind,
    write: F,
}

impl<F: Fn(usize, &mut Vec<u8>)> Column for Long<F> {
    fn fill(
        &self,
        start: usize,
        count: usize,
        lane: &mut Lane,
        rules: &Rules,
    ) -> Result<(), Fault> {
        let mut text = Vec::new();
        self.validity.fill((start, count), lane, |lane, row| {
            text.clear();
            (self.write)(start + row, &mut text);
            lane.put_text(row, &text, self.kind, rules)
        })
    }
}
