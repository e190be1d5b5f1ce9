//! Memory of pictures in the making.
//!
//! The daemon returns freed memory to the system at once, and fresh pages cost more than the conversions that fill them.
//! Each thread therefore keeps a few buffers for its next pictures.

use std::cell::RefCell;
use std::ops::{Deref, DerefMut};

/// Maximum size of all buffers that a thread keeps, bytes: the canvas of a detector and what it is made from. A picture
/// of a photo is too large to keep.
const MAX_KEPT_BYTES: usize = 3 << 20;

thread_local! {
    /// From the one kept longest to the latest.
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

/// The smallest buffer kept that has this capacity.
fn take_kept(capacity: usize) -> Option<Vec<u8>> {
    KEPT.with_borrow_mut(|kept| {
        let large_enough = (0..kept.len()).filter(|&index| kept[index].capacity() >= capacity);
        let smallest = large_enough.min_by_key(|&index| kept[index].capacity())?;
        Some(kept.remove(smallest))
    })
}

/// Keeps the buffer, if need be instead of those kept longest.
fn keep(bytes: Vec<u8>) {
    // A thread that ends keeps nothing any more; then the buffer is freed.
    let _ended = KEPT.try_with(|kept| {
        let mut kept = kept.borrow_mut();
        kept.push(bytes);
        let mut excess = kept.iter().map(Vec::capacity).sum::<usize>().saturating_sub(MAX_KEPT_BYTES);
        while excess > 0 {
            excess = excess.saturating_sub(kept.remove(0).capacity());
        }
    });
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if (1..=MAX_KEPT_BYTES).contains(&self.0.capacity()) {
            keep(std::mem::take(&mut self.0));
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
        KEPT.with_borrow(|kept| kept.iter().map(Vec::capacity).collect())
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
        assert_eq!(kept(), [300, 100]);
        drop(taken);
        assert_eq!(kept(), [300, 100, 200]);
    }

    #[test]
    fn what_was_kept_longest_makes_room() {
        let third = MAX_KEPT_BYTES / 3;
        drop([third; 3].map(Buffer::with_len));
        drop(Buffer::with_len(2 * third));
        assert_eq!(kept(), [third, 2 * third]);
    }

    #[test]
    fn the_memory_of_a_photo_is_freed() {
        drop(Buffer::with_len(100));
        drop(Buffer::with_len(MAX_KEPT_BYTES + 1));
        assert_eq!(kept(), [100]);
    }
}
