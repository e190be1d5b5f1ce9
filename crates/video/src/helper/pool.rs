//! Buffers for pictures, used again: a new one of three megabytes for each picture would have to be cleared by the
//! kernel each time.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

/// Maximum number of unused buffers: one is filled while another is searched.
const UNUSED: usize = 2;

/// Buffers of one camera.
#[derive(Debug, Clone, Default)]
pub(super) struct Pool(Arc<Mutex<Vec<Vec<u8>>>>);

/// A buffer that returns to its pool when it is dropped.
#[derive(Debug)]
pub(super) struct Buffer {
    data: Vec<u8>,
    pool: Pool,
}

impl Pool {
    /// A buffer of this length with any content. Buffers of other lengths are given up.
    pub(super) fn buffer(&self, length: usize) -> Buffer {
        let mut unused = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        unused.retain(|data| data.len() == length);
        let data = unused.pop().unwrap_or_else(|| vec![0; length]);
        Buffer { data, pool: self.clone() }
    }
}

impl Buffer {
    pub(super) fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.data
    }

    /// Shares the content; the last user returns the buffer.
    pub(super) fn share(self) -> Bytes {
        Bytes::from_owner(self)
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.data
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let mut unused = self.pool.0.lock().unwrap_or_else(PoisonError::into_inner);
        if unused.len() < UNUSED {
            unused.push(std::mem::take(&mut self.data));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_is_used_again_when_its_last_user_is_gone() {
        let pool = Pool::default();
        let mut buffer = pool.buffer(1000);
        buffer.bytes_mut().fill(7);
        let address = buffer.as_ref().as_ptr();
        let picture = buffer.share();
        let (plane, rest) = (picture.slice(..10), picture);
        drop(rest);
        assert_ne!(pool.buffer(1000).as_ref().as_ptr(), address, "still in use");
        assert_eq!(plane[..], [7; 10]);
        drop(plane);
        let addresses: Vec<_> = [pool.buffer(1000), pool.buffer(1000)].iter().map(|b| b.as_ref().as_ptr()).collect();
        assert!(addresses.contains(&address));
    }

    #[test]
    fn buffers_of_another_size_are_given_up() {
        let pool = Pool::default();
        drop(pool.buffer(1000));
        assert_eq!(pool.buffer(2000).as_ref().len(), 2000);
        assert!(pool.0.lock().unwrap().iter().all(|data| data.len() == 2000));
    }
}
