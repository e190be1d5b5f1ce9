//! The newest coded video of a camera, kept while clips of it are wanted, and the clips of behaviours.

mod ring;
mod writer;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio::sync::watch;

use super::board::Entry;
use super::handle::Handle;
use crate::error::{Error, Result};
use crate::ports::UnitFeed;
use crate::time::Timestamp;
use crate::video::AccessUnit;
use ring::Ring;
pub(crate) use writer::Orders;
pub(super) use writer::{Order, run};

/// Maximum size of the video kept for a camera, bytes.
const MAX_BYTES: usize = 32 << 20;
/// How long to wait for video beyond the end of the clip.
const LATENCY: Duration = Duration::from_secs(2);
/// How much longer video is kept than a clip is: a clip is cut after its end, one after the other.
const SLACK: Duration = Duration::from_secs(5);

/// The newest video of one camera.
pub(super) struct Clips {
    ring: Mutex<Ring>,
    /// Each [`KeptVideo`], by the time that it keeps.
    users: watch::Sender<BTreeMap<Duration, usize>>,
    /// When the newest coded picture arrived.
    newest: watch::Sender<Timestamp>,
}

impl Default for Clips {
    fn default() -> Self {
        Self {
            ring: Mutex::new(Ring::new(MAX_BYTES)),
            users: watch::Sender::default(),
            newest: watch::Sender::new(Timestamp::MIN),
        }
    }
}

impl Clips {
    /// Keeps the newest coded pictures of an open camera while clips are wanted.
    pub(super) async fn keep(&self, feed: &UnitFeed) -> Infallible {
        let mut users = self.users.subscribe();
        loop {
            // A clip must not span a gap or two streams.
            self.ring().interrupt();
            if self.users.borrow().is_empty() {
                self.ring().clear();
            }
            // Cannot fail: `self` owns the sender.
            let _ = users.wait_for(|users| !users.is_empty()).await;
            let mut units = feed.subscribe();
            tokio::select! {
                _ = users.wait_for(BTreeMap::is_empty) => {}
                () = self.take_all(&mut units) => {}
            }
        }
    }

    /// Takes coded pictures until one was missed.
    async fn take_all(&self, units: &mut Receiver<AccessUnit>) {
        loop {
            match units.recv().await {
                Ok(unit) => {
                    let (at, longest) = (unit.at, self.users.borrow().last_key_value().map(|(time, _)| *time));
                    self.ring().push(unit, longest.unwrap_or_default() + SLACK);
                    self.newest.send_replace(at);
                }
                Err(RecvError::Lagged(_)) => return,
                Err(RecvError::Closed) => std::future::pending().await,
            }
        }
    }

    fn add_user(&self, time: Duration) {
        self.users.send_modify(|users| *users.entry(time).or_default() += 1);
    }

    fn remove_user(&self, time: Duration) {
        self.users.send_modify(|users| {
            if let Some(count) = users.get_mut(&time) {
                *count -= 1;
            }
            users.retain(|_, count| *count > 0);
        });
        // Also while the camera is offline.
        if self.users.borrow().is_empty() {
            self.ring().clear();
        }
    }

    fn ring(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// While this exists, the newest video of a camera is kept as the camera has coded it, for clips of up to a certain
/// duration; at most 32 MiB.
pub struct KeptVideo {
    handle: Handle,
    entry: Arc<Entry>,
    /// Longest duration of a clip.
    longest: Duration,
}

impl KeptVideo {
    pub(crate) fn new(handle: Handle, entry: Arc<Entry>, longest: Duration) -> Self {
        entry.clips.add_user(longest);
        Self { handle, entry, longest }
    }

    /// Returns an MP4 file of the time around `moment`, without re-encoding. It begins at the last key frame before the
    /// requested time, or at the first one kept, and ends at the requested time or where the video ends. Where the
    /// camera was lost in that time, it shows what is connected to the moment. Waits until video of that time has
    /// arrived, at most for the clip's remaining time and 2 s.
    ///
    /// # Errors
    /// `Invalid("clip")` for a longer one than this is kept for; `Unavailable` when no video of that time is kept (the
    /// camera was offline, is a file or delivers single pictures, or this `KeptVideo` is too new); `NotSupported` when
    /// the machine cannot write clips.
    pub async fn clip(&self, moment: Timestamp, before: Duration, after: Duration) -> Result<Bytes> {
        if before.saturating_add(after) > self.longest {
            return Err(Error::invalid("clip", format!("longer than {} s", self.longest.as_secs())));
        }
        self.wait_until(moment.plus_millis(millis(after))).await;
        self.write(moment, before, after).await
    }

    /// Waits until video of this time has arrived, at most 2 s longer.
    async fn wait_until(&self, to: Timestamp) {
        let left = to.millis_since(self.handle.now()).clamp(0, millis(self.longest)).unsigned_abs();
        let mut newest = self.entry.clips.newest.subscribe();
        let reached = newest.wait_for(|newest| *newest >= to);
        // After the time-out the clip ends with the video there is.
        let _ = tokio::time::timeout(Duration::from_millis(left) + LATENCY, reached).await;
    }

    /// As [`clip`](Self::clip), of the video there is.
    async fn write(&self, moment: Timestamp, before: Duration, after: Duration) -> Result<Bytes> {
        let (from, to) = (moment.plus_millis(-millis(before)), moment.plus_millis(millis(after)));
        let units = self.entry.clips.ring().cut(from, moment, to);
        if units.is_empty() {
            return Err(Error::Unavailable { what: "video of that time" });
        }
        self.handle.ports().frames.write_clip(units).await
    }
}

impl Drop for KeptVideo {
    fn drop(&mut self) {
        self.entry.clips.remove_user(self.longest);
    }
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}
