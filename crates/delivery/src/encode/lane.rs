//! The cells of one column for up to 64 rows, ready to be joined into rows.
//!
//! A cell and the delimiter or line end behind it take a slot of 32 bytes, so that joining cells
//! into rows is a copy of fixed size for nearly every cell. Longer cells, and those that took the
//! careful way through the quoting rules, lie in `spill`; their slot says where.

use super::error::Problem;
use super::rules::{CellKind, Outcome, Rules};

/// Rows of a lane: as many as a validity word has bits.
pub(super) const LANE_ROWS: usize = 64;
/// Bytes of a slot.
pub(super) const SLOT_BYTES: usize = 32;
/// The longest text of a slot: the line end behind it takes up to two bytes.
pub(super) const SLOT_TEXT_MAX: usize = SLOT_BYTES - 2;
/// In place of a length: the cell is in `spill`.
const SPILLED: u8 = u8::MAX;

/// Room for one short cell.
pub(super) type Slot = [u8; SLOT_BYTES];

/// The cells of one column.
pub(super) struct Lane {
    lengths: [u8; LANE_ROWS],
    slots: [Slot; LANE_ROWS],
    spill: Vec<u8>,
    /// The rows that the formula guard leaves out, one bit each.
    pub(super) rejected: u64,
    /// Whether this is the column that begins a file.
    pub(super) leads: bool,
    ending: [u8; 2],
    ending_length: u8,
    null: Vec<u8>,
    /// `null` with its ending, if that fits.
    null_slot: Slot,
}

impl Lane {
    /// A lane whose cells are followed by `ending`; `leads` says that it is the first column.
    pub(super) fn new(rules: &Rules, leads: bool, (ending, ending_length): ([u8; 2], u8)) -> Self {
        let mut lane = Self {
            lengths: [0; LANE_ROWS],
            slots: [[0; SLOT_BYTES]; LANE_ROWS],
            spill: Vec::new(),
            rejected: 0,
            leads,
            ending,
            ending_length,
            null: rules.null().to_vec(),
            null_slot: [0; SLOT_BYTES],
        };
        if lane.null.len() <= SLOT_TEXT_MAX {
            lane.null_slot[..lane.null.len()].copy_from_slice(&lane.null);
        }
        lane
    }

    /// Forgets the cells.
    pub(super) fn clear(&mut self) {
        self.spill.clear();
        self.rejected = 0;
    }

    /// Lets `write` put a text of at most [`SLOT_TEXT_MAX`] bytes into the slot of `row` and say
    /// how long it is; 0 stands for a missing value. Returns whether there is one.
    #[inline(always)]
    pub(super) fn put_short(
        &mut self,
        row: usize,
        write: impl FnOnce(&mut Slot) -> Result<usize, Problem>,
    ) -> Result<bool, Problem> {
        let length = write(&mut self.slots[row])?;
        match length {
            0 => self.put_null(row),
            _ => self.end_slot(row, length),
        }
        Ok(length > 0)
    }

    /// Takes `window` as the cell of `row`; its first `length` bytes need no quotes.
    #[inline(always)]
    pub(super) fn put_window(&mut self, row: usize, window: &Slot, length: usize) {
        self.slots[row] = *window;
        self.end_slot(row, length);
    }

    /// As [`Lane::put_window`], with a JSON quote on either side.
    #[inline(always)]
    pub(super) fn put_in_quotes(&mut self, row: usize, window: &Slot, length: usize) {
        if length + 2 > SLOT_TEXT_MAX {
            return self.spill_in_quotes(row, &window[..length]);
        }
        let mut slot = [b'"'; SLOT_BYTES];
        slot[1..].copy_from_slice(&window[..SLOT_BYTES - 1]);
        slot[length + 1] = b'"';
        self.put_window(row, &slot, length + 2);
    }

    #[inline(never)]
    fn spill_in_quotes(&mut self, row: usize, text: &[u8]) {
        let start = self.spill.len();
        self.spill.push(b'"');
        self.spill.extend_from_slice(text);
        self.spill.push(b'"');
        self.end_spill(row, start);
    }

    #[inline(always)]
    fn end_slot(&mut self, row: usize, length: usize) {
        self.slots[row][length..length + 2].copy_from_slice(&self.ending);
        self.lengths[row] = length as u8 + self.ending_length;
    }

    /// Writes the text of a missing value.
    #[inline(always)]
    pub(super) fn put_null(&mut self, row: usize) {
        match self.null.len() {
            0..=SLOT_TEXT_MAX => {
                self.slots[row] = self.null_slot;
                self.end_slot(row, self.null.len());
            }
            _ => self.spill_null(row),
        }
    }

    #[cold]
    fn spill_null(&mut self, row: usize) {
        let start = self.spill.len();
        self.spill.extend_from_slice(&self.null);
        self.end_spill(row, start);
    }

    /// Writes a text that needs no quotes, whatever its length.
    #[inline]
    pub(super) fn put_bare(&mut self, row: usize, text: &[u8]) {
        let start = self.spill.len();
        let (blocks, rest) = text.as_chunks::<SLOT_BYTES>();
        blocks.iter().for_each(|block| self.spill.extend_from_slice(block));
        match text.last_chunk::<SLOT_BYTES>() {
            // The last block overlaps the one before; a copy of fixed size is worth that.
            Some(end) => {
                self.spill.truncate(start + text.len() - SLOT_BYTES);
                self.spill.extend_from_slice(end);
            }
            None => self.spill.extend_from_slice(rest),
        }
        self.end_spill(row, start);
    }

    /// Writes a text by all the rules of cells.
    pub(super) fn put_text(
        &mut self,
        row: usize,
        text: &[u8],
        kind: CellKind,
        rules: &Rules,
    ) -> Result<(), Problem> {
        let start = self.spill.len();
        match rules.append_cell(text, kind, self.leads, &mut self.spill)? {
            Outcome::Written => {}
            Outcome::Rejected => self.rejected |= 1 << row,
        }
        self.settle(row, start);
        Ok(())
    }

    /// Ends the cell of `row`, which was put at the end of `spill`, where it stays if it does not
    /// fit its slot.
    #[inline]
    fn settle(&mut self, row: usize, start: usize) {
        let length = self.spill.len() - start;
        if length > SLOT_TEXT_MAX {
            return self.end_spill(row, start);
        }
        // Something to copy along, so that the copy is of fixed size.
        self.spill.extend_from_slice(&[0; SLOT_BYTES]);
        let window = *self.spill[start..].first_chunk().expect("the slot's bytes were just added");
        self.spill.truncate(start);
        self.put_window(row, &window, length);
    }

    /// Runs the cell of `row`, which is in its slot, through all the rules of cells.
    pub(super) fn requote(
        &mut self,
        row: usize,
        kind: CellKind,
        rules: &Rules,
    ) -> Result<(), Problem> {
        let slot = self.slots[row];
        let length = usize::from(self.lengths[row] - self.ending_length);
        self.put_text(row, &slot[..length], kind, rules)
    }

    /// Takes over the cell of another lane, which has an ending of its own.
    #[inline]
    pub(super) fn copy_cell(&mut self, row: usize, source: &Self, source_row: usize) {
        self.rejected |= (source.rejected >> source_row & 1) << row;
        if source.lengths[source_row] == SPILLED {
            let (from, to) = source.spilled(source_row);
            return self.put_bare(row, &source.spill[from..to - usize::from(source.ending_length)]);
        }
        let length = source.lengths[source_row] - source.ending_length;
        self.put_window(row, &source.slots[source_row], usize::from(length));
    }

    /// Ends the cell of `row`, which was put at the end of `spill`.
    #[inline]
    fn end_spill(&mut self, row: usize, start: usize) {
        self.spill.extend_from_slice(&self.ending[..usize::from(self.ending_length)]);
        let slot = &mut self.slots[row];
        slot[..8].copy_from_slice(&(start as u64).to_le_bytes());
        slot[8..16].copy_from_slice(&(self.spill.len() as u64).to_le_bytes());
        self.lengths[row] = SPILLED;
    }

    #[inline(always)]
    fn spilled(&self, row: usize) -> (usize, usize) {
        let (start, rest) = self.slots[row].split_first_chunk().expect("a slot has 32 bytes");
        let end = rest.first_chunk().expect("a slot has 32 bytes");
        (u64::from_le_bytes(*start) as usize, u64::from_le_bytes(*end) as usize)
    }

    /// The bytes of memory that it takes.
    pub(super) fn bytes_held(&self) -> usize {
        size_of::<Self>() + self.spill.capacity() + self.null.capacity()
    }

    /// Whether the cell of `row` has no text, apart from what ends it.
    pub(super) fn is_blank(&self, row: usize) -> bool {
        let length = match self.lengths[row] {
            SPILLED => self.spilled(row).1 - self.spilled(row).0,
            length => usize::from(length),
        };
        length == usize::from(self.ending_length)
    }

    /// The bytes that the first `rows` cells take, or somewhat more.
    pub(super) fn bytes_max(&self, rows: usize) -> usize {
        let slots: usize = self.lengths[..rows].iter().map(|&length| usize::from(length)).sum();
        slots + self.spill.len()
    }

    /// Copies the cell of `row` to `out` at `at` and returns where it ends. `out` has to reach
    /// [`SLOT_BYTES`] beyond the cell, since cells are copied in pieces of that size.
    #[inline(always)]
    pub(super) fn copy_to(&self, row: usize, out: &mut [u8], at: usize) -> usize {
        let length = self.lengths[row];
        if length == SPILLED {
            return self.copy_spilled(row, out, at);
        }
        out[at..at + SLOT_BYTES].copy_from_slice(&self.slots[row]);
        at + usize::from(length)
    }

    #[inline]
    fn copy_spilled(&self, row: usize, out: &mut [u8], at: usize) -> usize {
        let (start, end) = self.spilled(row);
        let length = end - start;
        // Whole pieces while there is something behind the cell to copy along.
        if length <= 4 * SLOT_BYTES
            && let Some(text) = self.spill.get(start..start + length.next_multiple_of(SLOT_BYTES))
        {
            let (blocks, _) = text.as_chunks::<SLOT_BYTES>();
            for (index, block) in blocks.iter().enumerate() {
                let at = at + index * SLOT_BYTES;
                out[at..at + SLOT_BYTES].copy_from_slice(block);
            }
        } else {
            out[at..at + length].copy_from_slice(&self.spill[start..end]);
        }
        at + length
    }
}
