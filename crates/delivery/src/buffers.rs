//! Buffers for texts and parts, used again and again.
//!
//! They are filled on one thread and dropped on another. Allocators answer that pattern by keeping
//! many times what is in use; a few buffers that come back keep memory flat and save touching fresh
//! pages for every part.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

/// The size and the alignment of what is written straight to a disk, in bytes.
pub(crate) const PAGE_BYTES: usize = 4096;

/// A buffer that is being filled, whose content begins at the beginning of a page of memory as long
/// as it does not outgrow the room that was reserved for it.
#[derive(Debug, Default)]
pub(crate) struct Filling {
    bytes: Vec<u8>,
    /// Where the content begins.
    start: usize,
}

impl Filling {
    /// Begins to fill a buffer that has room for `room` bytes.
    pub(crate) fn new(mut bytes: Vec<u8>, room: usize) -> Self {
        bytes.clear();
        bytes.reserve_exact(room + PAGE_BYTES);
        let start = bytes.as_ptr().align_offset(PAGE_BYTES).min(PAGE_BYTES);
        bytes.resize(start, 0);
        Self { bytes, start }
    }

    /// How many bytes there are.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len() - self.start
    }

    /// Appends bytes.
    pub(crate) fn extend(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The buffer, for those who append to it.
    pub(crate) fn end(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// The bytes from `at` on.
    pub(crate) fn rest(&self, at: usize) -> &[u8] {
        &self.bytes[self.start + at..]
    }

    /// Ends the filling: the first `length` bytes, or as many as there are, are lent out.
    pub(crate) fn finish(mut self, length: usize, home: &Arc<Buffers>) -> Bytes {
        self.bytes.truncate(self.start.saturating_add(length));
        home.lend(self.bytes).slice(self.start..)
    }
}

/// Buffers that wait to be used again, at most so many.
pub(crate) struct Buffers {
    free: Mutex<Vec<Vec<u8>>>,
    count_max: usize,
}

impl Buffers {
    /// Keeps at most `count_max` buffers; more may be in use, and are freed when they come back.
    pub(crate) fn new(count_max: usize) -> Arc<Self> {
        Arc::new(Self { free: Mutex::default(), count_max })
    }

    /// Returns a buffer with whatever it held last, for those who overwrite it.
    pub(crate) fn take(&self) -> Vec<u8> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default()
    }

    /// Makes a buffer immutable; it comes back when its last user drops it.
    pub(crate) fn lend(self: &Arc<Self>, content: Vec<u8>) -> Bytes {
        Bytes::from_owner(Lent { content, home: Arc::clone(self) })
    }

    /// Takes a buffer back.
    pub(crate) fn put_back(&self, buffer: Vec<u8>) {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        if free.len() < self.count_max {
            free.push(buffer);
        }
    }
}

struct Lent {
    content: Vec<u8>,
    home: Arc<Buffers>,
}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        &self.content
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        self.home.put_back(std::mem::take(&mut self.content));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_comes_back_when_its_last_user_is_done() {
        let buffers = Buffers::new(1);
        let lent = buffers.lend(b"part".to_vec());
        let other = lent.slice(1..);
        drop(lent);
        assert_eq!(buffers.take().capacity(), 0, "it is still in use");
        assert_eq!(&other[..], b"art");
        drop(other);
        assert!(buffers.take().capacity() >= 4);
    }

    #[test]
    fn what_is_filled_begins_at_a_page() {
        let buffers = Buffers::new(1);
        for round in 0..3 {
            let mut filling = Filling::new(buffers.take(), 10_000);
            filling.extend(&[b'a'; 6_000]);
            filling.end().extend_from_slice(&[b'b'; 4_000]);
            assert_eq!((filling.len(), filling.rest(9_999)), (10_000, &b"b"[..]));
            let lent = filling.finish(6_001, &buffers);
            assert_eq!(lent.as_ptr().addr() % PAGE_BYTES, 0, "round {round}");
            assert!(lent.starts_with(b"aa") && lent.ends_with(b"ab") && lent.len() == 6_001);
        }
    }

    #[test]
    fn no_more_are_kept_than_allowed() {
        let buffers = Buffers::new(1);
        drop([buffers.lend(vec![1]), buffers.lend(vec![2])]);
        assert!(buffers.take().capacity() > 0);
        assert_eq!(buffers.take().capacity(), 0);
    }
}
