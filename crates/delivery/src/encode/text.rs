//! Columns of words: text as it is, and bytes that have to be UTF-8.

use arrow_array::types::{ByteArrayType, ByteViewType};
use arrow_array::{Array, FixedSizeBinaryArray, GenericByteArray, GenericByteViewArray};
use arrow_buffer::ArrowNativeType;
use arrow_schema::DataType;

use super::column::{Column, Fault, Validity};
use super::error::Problem;
use super::lane::{Lane, SLOT_TEXT_MAX, Slot};
use super::rules::{CellKind, Rules};

/// A view is a length of 4 bytes, then the text itself, or its beginning, buffer and offset.
const VIEW_BYTES: usize = 16;
/// The longest text that lies in its view.
const VIEW_TEXT_MAX: usize = 12;

/// The texts of an array. What a row without a value gives is of no meaning.
pub(super) trait Texts {
    /// Whether the array vouches for UTF-8.
    fn is_utf8(&self) -> bool;

    /// The text of a row.
    fn text(&self, row: usize) -> &[u8];

    /// The length of the text of a row, which is 1 to [`SLOT_TEXT_MAX`], and a window that begins
    /// with the text and ends wherever. None for texts of other lengths, and for those so close to
    /// the end of their buffer that there is no window.
    fn window(&self, row: usize) -> Option<(&Slot, usize)>;
}

/// A column of words.
pub(super) struct Words<T> {
    validity: Validity,
    texts: T,
}

impl<T: Texts> Words<T> {
    pub(super) fn new(validity: Validity, texts: T) -> Self {
        Self { validity, texts }
    }

    /// Texts that are UTF-8 and may go without quotes, if they need none.
    fn fill_bare(&self, rows: (usize, usize), lane: &mut Lane, rules: &Rules) -> Result<(), Fault> {
        self.validity.fill(rows, lane, |lane, row| match self.texts.window(rows.0 + row) {
            Some((window, length)) if rules.is_clear(window, length) => {
                lane.put_window(row, window, length);
                Ok(())
            }
            _ => self.put_carefully(rows.0 + row, lane, row, rules),
        })
    }

    /// The way of longer texts and of those that may need quotes.
    #[inline(never)]
    fn put_carefully(
        &self,
        index: usize,
        lane: &mut Lane,
        row: usize,
        rules: &Rules,
    ) -> Result<(), Problem> {
        let text = self.texts.text(index);
        if text.len() > SLOT_TEXT_MAX && rules.is_clear_text(text) {
            lane.put_bare(row, text);
            return Ok(());
        }
        lane.put_text(row, text, CellKind::Text, rules)
    }
}

impl<T: Texts> Column for Words<T> {
    fn fill(
        &self,
        start: usize,
        count: usize,
        lane: &mut Lane,
        rules: &Rules,
    ) -> Result<(), Fault> {
        if self.texts.is_utf8() && rules.has_bare_text() {
            return self.fill_bare((start, count), lane, rules);
        }
        self.validity.fill((start, count), lane, |lane, row| {
            let text = self.texts.text(start + row);
            if !self.texts.is_utf8() {
                str::from_utf8(text).map_err(|_| Problem::InvalidUnicode)?;
            }
            lane.put_text(row, text, CellKind::Text, rules)
        })
    }
}

#[inline(always)]
fn window_at(data: &[u8], start: usize, length: usize) -> Option<(&Slot, usize)> {
    let window = data.get(start..)?.first_chunk()?;
    (1..=SLOT_TEXT_MAX).contains(&length).then_some((window, length))
}

/// Texts one behind the other.
pub(super) struct Bytes<'a, O> {
    offsets: &'a [O],
    data: &'a [u8],
    is_utf8: bool,
}

impl<'a, O: ArrowNativeType> Bytes<'a, O> {
    pub(super) fn new<T: ByteArrayType<Offset = O>>(array: &'a GenericByteArray<T>) -> Self {
        let is_utf8 = matches!(array.data_type(), DataType::Utf8 | DataType::LargeUtf8);
        Self { offsets: array.value_offsets(), data: array.value_data(), is_utf8 }
    }
}

impl<O: ArrowNativeType> Texts for Bytes<'_, O> {
    fn is_utf8(&self) -> bool {
        self.is_utf8
    }

    fn text(&self, row: usize) -> &[u8] {
        &self.data[self.offsets[row].as_usize()..self.offsets[row + 1].as_usize()]
    }

    #[inline(always)]
    fn window(&self, row: usize) -> Option<(&Slot, usize)> {
        let (start, end) = (self.offsets[row].as_usize(), self.offsets[row + 1].as_usize());
        window_at(self.data, start, end - start)
    }
}

/// Short texts in place, and others by reference.
pub(super) struct Views<'a, T: ByteViewType> {
    array: &'a GenericByteViewArray<T>,
    views: &'a [u128],
    /// The bytes of the views, then the buffers that they refer to: a text is in one of these
    /// wherever it is, and no branch on its length has to be guessed.
    sources: Vec<&'a [u8]>,
}

impl<'a, T: ByteViewType> Views<'a, T> {
    pub(super) fn new(array: &'a GenericByteViewArray<T>) -> Self {
        let views = std::iter::once(array.views().inner());
        let sources = views.chain(array.data_buffers()).map(|buffer| buffer.as_slice()).collect();
        Self { array, views: array.views(), sources }
    }
}

impl<T: ByteViewType> Texts for Views<'_, T> {
    fn is_utf8(&self) -> bool {
        T::IS_UTF8
    }

    fn text(&self, row: usize) -> &[u8] {
        self.array.value(row).as_ref()
    }

    #[inline(always)]
    fn window(&self, row: usize) -> Option<(&Slot, usize)> {
        let view = self.views[row];
        let length = view as u32 as usize;
        if length > SLOT_TEXT_MAX {
            return None;
        }
        let in_place = length <= VIEW_TEXT_MAX;
        let referred = (view >> 64) as u64;
        let source = if in_place { 0 } else { 1 + referred as u32 as usize };
        let start = if in_place { row * VIEW_BYTES + 4 } else { (referred >> 32) as usize };
        window_at(self.sources[source], start, length)
    }
}

/// Texts of one length.
pub(super) struct FixedBytes<'a> {
    size: usize,
    data: &'a [u8],
}

impl<'a> FixedBytes<'a> {
    pub(super) fn new(array: &'a FixedSizeBinaryArray) -> Self {
        Self { size: array.value_size(), data: array.value_data() }
    }
}

impl Texts for FixedBytes<'_> {
    fn is_utf8(&self) -> bool {
        false
    }

    fn text(&self, row: usize) -> &[u8] {
        &self.data[row * self.size..(row + 1) * self.size]
    }

    fn window(&self, _: usize) -> Option<(&Slot, usize)> {
        // Only UTF-8 is asked for its windows.
        None
    }
}
