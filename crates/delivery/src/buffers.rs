//! Buffers for texts and parts, used again and again.
//!
//! They are filled on one thread and dropped on another. Allocators answer that pattern by keeping
//! many times what is in use; a few buffers that come back keep memory flat and save touching fresh
//! pages for every part.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

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

    /// Returns an empty buffer.
    pub(crate) fn take(&self) -> Vec<u8> {
        let mut buffer = self.take_as_it_is();
        buffer.clear();
        buffer
    }

    /// Returns a buffer with whatever it held last, for those who overwrite it.
    pub(crate) fn take_as_it_is(&self) -> Vec<u8> {
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
        let back = buffers.take();
        assert!(back.is_empty() && back.capacity() >= 4);
    }

    #[test]
    fn no_more_are_kept_than_allowed() {
        let buffers = Buffers::new(1);
        drop([buffers.lend(vec![1]), buffers.lend(vec![2])]);
        assert!(buffers.take().capacity() > 0);
        assert_eq!(buffers.take().capacity(), 0);
    }
}
