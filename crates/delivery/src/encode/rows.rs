//! Joins the cells of lanes into rows.

use super::chunk::Chunk;
use super::column::all;
use super::json_value::Name;
use super::lane::{Lane, SLOT_BYTES};

/// The most bytes that are reserved at once on the strength of the first rows of a batch.
const RESERVE_BYTES_MAX: usize = 64 << 20;
/// Row ends are 32 bits wide.
const TEXT_BYTES_MAX: usize = u32::MAX as usize;

/// The text of a chunk while rows are appended to it.
///
/// The buffer is kept longer than the text, so that cells can be copied in pieces of fixed size,
/// and cut at the end. What it held before is overwritten and need not be cleared.
pub(super) struct Rows<'c> {
    chunk: &'c mut Chunk,
    length: usize,
    /// Rows of the batch so far, with those that were left out.
    taken: u32,
}

/// There is no room for more rows.
#[derive(Debug)]
pub(super) struct Full;

impl<'c> Rows<'c> {
    /// Starts over in `chunk`, whose buffers are used again.
    pub(super) fn new(chunk: &'c mut Chunk) -> Self {
        chunk.columns = None;
        chunk.row_ends.clear();
        chunk.rejected.clear();
        Self { chunk, length: 0, taken: 0 }
    }

    /// Appends the first `count` rows of the lanes, without those that a lane rejects. `names` are
    /// what stands before the cell of each lane, or none at all; `rest` is how many rows are likely
    /// to follow.
    pub(super) fn append(
        &mut self,
        lanes: &[Lane],
        names: &[Name],
        count: usize,
        rest: usize,
    ) -> Result<(), Full> {
        let names_max: usize = names.iter().map(Name::bytes_max).sum();
        let cells_max: usize = lanes.iter().map(|lane| lane.bytes_max(count)).sum();
        let bytes_max = cells_max + names_max * count;
        if self.length + bytes_max > TEXT_BYTES_MAX {
            return Err(Full);
        }
        self.make_room(bytes_max, rest / count.max(1));
        let rejected = lanes.iter().fold(0, |rows, lane| rows | lane.rejected) & all(count);
        let text = self.chunk.text.as_mut_slice();
        let mut at = self.length;
        for row in 0..count {
            if rejected >> row & 1 == 1 {
                self.chunk.rejected.push(self.taken + row as u32);
                continue;
            }
            if names.is_empty() {
                for lane in lanes {
                    at = lane.copy_to(row, text, at);
                }
            } else {
                for (lane, name) in lanes.iter().zip(names) {
                    at = name.copy_to(text, at);
                    at = lane.copy_to(row, text, at);
                }
            }
            self.chunk.row_ends.push(at as u32);
        }
        self.length = at;
        self.taken += count as u32;
        Ok(())
    }

    fn make_room(&mut self, bytes: usize, blocks_to_follow: usize) {
        let text = &mut self.chunk.text;
        if self.length == 0 {
            let likely = bytes.saturating_mul(blocks_to_follow + 1);
            let likely = (likely + likely / 8).min(RESERVE_BYTES_MAX);
            text.reserve(likely.saturating_sub(text.len()));
        }
        let needed = self.length + bytes + SLOT_BYTES;
        if text.len() < needed {
            text.resize(needed, 0);
        }
    }

    /// Cuts the buffer to the text.
    pub(super) fn finish(self) {
        self.chunk.text.truncate(self.length);
    }
}
