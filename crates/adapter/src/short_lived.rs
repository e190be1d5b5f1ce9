//! Downloads kept in memory for a limited time.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;
use uuid::Uuid;

/// How long a download is kept.
const KEPT: Duration = Duration::from_secs(600);

/// A bounded store of downloads, each kept for ten minutes; the oldest are removed first when space runs out.
pub struct ShortLived {
    max_bytes: usize,
    entries: Mutex<VecDeque<Entry>>,
}

/// A download.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transient {
    /// The content.
    pub bytes: Bytes,
    /// Its media type.
    pub content_type: &'static str,
}

struct Entry {
    id: Uuid,
    made: Instant,
    transient: Transient,
}

impl ShortLived {
    /// An empty store. `max_bytes`: maximum total size, bytes.
    pub fn new(max_bytes: usize) -> Self {
        Self { max_bytes, entries: Mutex::default() }
    }

    /// Stores a download and returns its id. One larger than the whole store is dropped at once.
    pub fn put(&self, bytes: Bytes, content_type: &'static str) -> Uuid {
        let id = Uuid::new_v4();
        let mut entries = self.lock();
        entries.push_back(Entry { id, made: Instant::now(), transient: Transient { bytes, content_type } });
        let mut held: usize = entries.iter().map(|entry| entry.transient.bytes.len()).sum();
        while held > self.max_bytes {
            held -= entries.pop_front().map_or(held, |entry| entry.transient.bytes.len());
        }
        id
    }

    /// The download with this id, if it is still kept.
    pub fn get(&self, id: Uuid) -> Option<Transient> {
        self.lock().iter().find(|entry| entry.id == id).map(|entry| entry.transient.clone())
    }

    /// The locked entries, after removing expired ones.
    fn lock(&self) -> MutexGuard<'_, VecDeque<Entry>> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        while entries.front().is_some_and(|entry| entry.made.elapsed() >= KEPT) {
            entries.pop_front();
        }
        entries
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_download_is_kept_for_ten_minutes() {
        let store = ShortLived::new(100);
        let id = store.put(Bytes::from_static(b"abc"), "image/jpeg");
        tokio::time::advance(KEPT - Duration::from_secs(1)).await;
        assert_eq!(store.get(id).map(|t| t.bytes), Some(Bytes::from_static(b"abc")));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(store.get(id), None);
    }

    #[tokio::test(start_paused = true)]
    async fn the_oldest_download_makes_room() {
        let store = ShortLived::new(100);
        let ids: Vec<_> = (0..3).map(|_| store.put(Bytes::from(vec![0; 40]), "image/jpeg")).collect();
        let kept: Vec<_> = ids.iter().map(|id| store.get(*id).is_some()).collect();
        assert_eq!(kept, [false, true, true]);
        let too_large = store.put(Bytes::from(vec![0; 101]), "image/jpeg");
        assert_eq!(store.get(too_large), None);
    }
}
