//! How much each address may do.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::FtpLimits;

/// The time that uploads are counted over.
const WINDOW: Duration = Duration::from_secs(60);
/// Maximum number of addresses whose uploads are counted; they have all logged in.
const REMEMBERED: usize = 1024;

/// The connections and uploads of all addresses.
pub(super) struct Quotas {
    most: usize,
    most_of_address: usize,
    most_uploads: u32,
    connected: Arc<Mutex<HashMap<IpAddr, usize>>>,
    uploads: Mutex<HashMap<IpAddr, (Instant, u32)>>,
}

/// A connection's place, free again when it is dropped.
pub(super) struct Place {
    address: IpAddr,
    connected: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

impl Quotas {
    pub(super) fn new(limits: &FtpLimits) -> Self {
        Self {
            most: limits.connections,
            most_of_address: limits.connections_of_address,
            most_uploads: limits.uploads_per_minute,
            connected: Arc::default(),
            uploads: Mutex::default(),
        }
    }

    /// A place for a connection; `None` when there is none, or none for this address.
    pub(super) fn connect(&self, address: IpAddr) -> Option<Place> {
        let mut connected = lock(&self.connected);
        let of_address = connected.get(&address).copied().unwrap_or_default();
        if connected.values().sum::<usize>() >= self.most || of_address >= self.most_of_address {
            return None;
        }
        connected.insert(address, of_address + 1);
        Some(Place { address, connected: Arc::clone(&self.connected) })
    }

    /// Counts an upload. `false` when the address has used up those of this minute.
    pub(super) fn count_upload(&self, address: IpAddr) -> bool {
        let (mut uploads, now) = (lock(&self.uploads), Instant::now());
        if uploads.len() >= REMEMBERED {
            uploads.retain(|_, (since, _)| now.saturating_duration_since(*since) < WINDOW);
        }
        if uploads.len() >= REMEMBERED && !uploads.contains_key(&address) {
            return false;
        }
        let (since, count) = uploads.entry(address).or_insert((now, 0));
        if now.saturating_duration_since(*since) >= WINDOW {
            (*since, *count) = (now, 0);
        }
        *count += 1;
        *count <= self.most_uploads
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut connected = lock(&self.connected);
        if let Some(count) = connected.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                connected.remove(&self.address);
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quotas() -> Quotas {
        let few =
            FtpLimits { connections: 3, connections_of_address: 2, uploads_per_minute: 2, ..FtpLimits::default() };
        Quotas::new(&few)
    }

    fn address(last: u8) -> IpAddr {
        [192, 0, 2, last].into()
    }

    #[test]
    fn places_are_counted_together_and_for_each_address() {
        let quotas = quotas();
        let first = quotas.connect(address(1)).unwrap();
        let _second = quotas.connect(address(1)).unwrap();
        assert!(quotas.connect(address(1)).is_none(), "the address has two");
        let _third = quotas.connect(address(2)).unwrap();
        assert!(quotas.connect(address(3)).is_none(), "there are three");
        drop(first);
        assert!(quotas.connect(address(1)).is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn uploads_are_counted_over_a_minute() {
        let quotas = quotas();
        assert_eq!([(); 3].map(|()| quotas.count_upload(address(1))), [true, true, false]);
        assert!(quotas.count_upload(address(2)));
        tokio::time::advance(WINDOW).await;
        assert!(quotas.count_upload(address(1)));
    }
}
