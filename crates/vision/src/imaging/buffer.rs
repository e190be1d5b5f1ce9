//! Memory of pictures in the making.
//!
//! The daemon returns freed memory to the system at once, and fresh pages cost more than the conversions that fill them.
//! Each thread therefore keeps a few buffers for its next pictures.

use std::cell::RefCell;
use std::ops::{Deref, DerefMut};

/// Maximum size of a buffer that is kept, bytes. The canvas of a detector fits in; a picture of a photo is too large.
const MAX_KEPT_BYTES: usize = 2 << 20;

thread_local! {
    /// No more than were in use at a time.
    static KEPT: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// Bytes of a picture; their thread keeps them for its next when they are dropped.
pub(super) struct Buffer(Vec<u8>);

impl Buffer {
    /// A buffer of this length, of any content.
    pub(super) fn with_len(length: usize) -> Self {
        match take_kept(length) {
            Some(mut bytes) => {
                bytes.resize(length, 0);
                Self(bytes)
            }
            None => Self(vec![0; length]),
        }
    }
}

/// The smallest buffer kept that has this capacity. If none has, the largest is freed: a larger one takes its place.
fn take_kept(capacity: usize) -> Option<Vec<u8>> {
    KEPT.with_borrow_mut(|kept| {
        let room = |index: &usize| kept[*index].capacity();
        let large_enough = (0..kept.len()).filter(|index| room(index) >= capacity).min_by_key(room);
        let taken = large_enough.or_else(|| (0..kept.len()).max_by_key(room))?;
        Some(kept.swap_remove(taken)).filter(|_| large_enough.is_some())
    })
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if (1..=MAX_KEPT_BYTES).contains(&self.0.capacity()) {
            let bytes = std::mem::take(&mut self.0);
            // A thread that ends keeps nothing any more; then the buffer is freed.
            let _ended = KEPT.try_with(|kept| kept.borrow_mut().push(bytes));
        }
    }
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each test has a thread of its own, and with it buffers of its own.
    fn kept() -> Vec<usize> {
        let mut sizes = KEPT.with_borrow(|kept| kept.iter().map(Vec::capacity).collect::<Vec<_>>());
        sizes.sort_unstable();
        sizes
    }

    #[test]
    fn the_next_picture_takes_the_memory_of_the_one_before() {
        let address = Buffer::with_len(1000).as_ptr();
        let smaller = Buffer::with_len(900);
        assert_eq!((smaller.as_ptr(), smaller.len()), (address, 900));
        drop(smaller);
        let longer = Buffer::with_len(1000);
        assert_eq!((longer.as_ptr(), longer.len()), (address, 1000));
    }

    #[test]
    fn the_smallest_that_is_large_enough_is_taken() {
        drop([300, 100, 200].map(Buffer::with_len));
        let taken = Buffer::with_len(150);
        assert_eq!(kept(), [100, 300]);
        drop(taken);
        assert_eq!(kept(), [100, 200, 300]);
    }

    #[test]
    fn no_more_are_kept_than_were_in_use_at_a_time() {
        drop([100, 200].map(Buffer::with_len));
        drop(Buffer::with_len(300));
        assert_eq!(kept(), [100, 300]);
    }

    #[test]
    fn the_memory_of_a_photo_is_freed() {
        drop(Buffer::with_len(MAX_KEPT_BYTES + 1));
        assert!(kept().is_empty());
    }
}
