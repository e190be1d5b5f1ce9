//! The newest coded video of a camera, kept while clips of it are wanted.

use std::collections::VecDeque;
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

/// Maximum duration of the video kept for a camera.
const KEPT: Duration = Duration::from_secs(30);
/// Maximum size of the video kept for a camera, bytes.
const MAX_BYTES: usize = 32 << 20;
/// How long to wait for video beyond the end of the clip.
const LATENCY: Duration = Duration::from_secs(2);

/// The newest video of one camera.
pub(super) struct Clips {
    ring: Mutex<Ring>,
    /// Number of [`KeptVideo`].
    users: watch::Sender<usize>,
    /// When the newest coded picture arrived.
    newest: watch::Sender<Timestamp>,
}

impl Default for Clips {
    fn default() -> Self {
        Self {
            ring: Mutex::new(Ring::new(KEPT, MAX_BYTES)),
            users: watch::Sender::new(0),
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
            self.ring().clear();
            // Cannot fail: `self` owns the sender.
            let _ = users.wait_for(|users| *users > 0).await;
            let mut units = feed.subscribe();
            tokio::select! {
                _ = users.wait_for(|users| *users == 0) => {}
                () = self.take_all(&mut units) => {}
            }
        }
    }

    /// Takes coded pictures until one was missed.
    async fn take_all(&self, units: &mut Receiver<AccessUnit>) {
        loop {
            match units.recv().await {
                Ok(unit) => {
                    let at = unit.at;
                    self.ring().push(unit);
                    self.newest.send_replace(at);
                }
                Err(RecvError::Lagged(_)) => return,
                Err(RecvError::Closed) => std::future::pending().await,
            }
        }
    }

    fn ring(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// While this exists, the newest video of a camera is kept as the camera has coded it: up to 30 s and 32 MiB.
pub struct KeptVideo {
    handle: Handle,
    entry: Arc<Entry>,
}

impl KeptVideo {
    pub(crate) fn new(handle: Handle, entry: Arc<Entry>) -> Self {
        entry.clips.users.send_modify(|users| *users += 1);
        Self { handle, entry }
    }

    /// Returns an MP4 file of the time around `moment`, without re-encoding. It begins at the last key frame before the
    /// requested time, or at the first one kept, and ends at the requested time or where the video ends. Waits until
    /// video of that time has arrived, at most for the clip's remaining time and 2 s.
    ///
    /// # Errors
    /// `Invalid("clip")` for more than 30 s; `Unavailable` when no video of that time is kept (the camera was offline,
    /// is a file or delivers single pictures, or this `KeptVideo` is too new); `NotSupported` when the machine cannot
    /// write clips.
    pub async fn clip(&self, moment: Timestamp, before: Duration, after: Duration) -> Result<Bytes> {
        if before.saturating_add(after) > KEPT {
            return Err(Error::invalid("clip", format!("longer than {} s", KEPT.as_secs())));
        }
        let (from, to) = (moment.plus_millis(-millis(before)), moment.plus_millis(millis(after)));
        self.wait_until(to).await;
        let units = self.entry.clips.ring().cut(from, to);
        if units.is_empty() {
            return Err(Error::Unavailable { what: "video of that time" });
        }
        self.handle.ports().frames.write_clip(units).await
    }

    async fn wait_until(&self, to: Timestamp) {
        let left = to.millis_since(self.handle.now()).clamp(0, millis(KEPT)).unsigned_abs();
        let mut newest = self.entry.clips.newest.subscribe();
        let reached = newest.wait_for(|newest| *newest >= to);
        // After the time-out the clip ends with the video there is.
        let _ = tokio::time::timeout(Duration::from_millis(left) + LATENCY, reached).await;
    }
}

impl Drop for KeptVideo {
    fn drop(&mut self) {
        self.entry.clips.users.send_modify(|users| *users -= 1);
    }
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

/// Coded pictures in order of arrival, in whole groups: each group begins with the key frame needed to decode it.
struct Ring {
    units: VecDeque<AccessUnit>,
    bytes: usize,
    kept: Duration,
    max_bytes: usize,
}

impl Ring {
    fn new(kept: Duration, max_bytes: usize) -> Self {
        Self { units: VecDeque::new(), bytes: 0, kept, max_bytes }
    }

    fn push(&mut self, unit: AccessUnit) {
        if self.units.is_empty() && !unit.key {
            return;
        }
        let horizon = unit.at.plus_millis(-millis(self.kept));
        self.bytes += unit.data.len();
        self.units.push_back(unit);
        while self.bytes > self.max_bytes || self.second_group().is_some_and(|at| at <= horizon) {
            self.drop_group();
        }
    }

    /// Time of the second group's key frame.
    fn second_group(&self) -> Option<Timestamp> {
        self.units.iter().skip(1).find(|unit| unit.key).map(|unit| unit.at)
    }

    fn drop_group(&mut self) {
        while let Some(unit) = self.units.pop_front() {
            self.bytes -= unit.data.len();
            if self.units.front().is_some_and(|next| next.key) {
                return;
            }
        }
    }

    fn clear(&mut self) {
        self.units.clear();
        self.bytes = 0;
    }

    /// The pictures from `from` until `to`, beginning with the key frame before `from`; empty when the video ended
    /// before.
    fn cut(&self, from: Timestamp, to: Timestamp) -> Vec<AccessUnit> {
        let is_early = |unit: &AccessUnit| unit.key && unit.at <= from;
        let first = self.units.iter().rposition(is_early).unwrap_or(0);
        let shown = self.units.iter().skip(first).take_while(|unit| unit.at <= to);
        let shows_it = self.units.back().is_some_and(|last| last.at >= from);
        shown.filter(|_| shows_it).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::video::Codec;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    /// Ten pictures in a second of 100 bytes each, every fifth a key frame.
    fn push_pictures(ring: &mut Ring, millis: std::ops::Range<i64>) {
        for time in millis.step_by(100) {
            let data = Bytes::from(vec![0; 100]);
            ring.push(AccessUnit { codec: Codec::H264, key: time % 500 == 0, at: at(time), data });
        }
    }

    fn times(units: &[AccessUnit]) -> (usize, i64, i64) {
        let (first, last) = (units.first().unwrap(), units.last().unwrap());
        assert!(first.key);
        (units.len(), first.at.as_millis(), last.at.as_millis())
    }

    fn ring() -> Ring {
        Ring::new(Duration::from_secs(2), 100_000)
    }

    #[test]
    fn a_clip_begins_at_the_key_frame_before_the_time_asked_for() {
        let mut ring = ring();
        push_pictures(&mut ring, 0..2_000);
        assert_eq!(times(&ring.cut(at(700), at(1_250))), (8, 500, 1_200));
        assert_eq!(times(&ring.cut(at(1_000), at(1_000))), (1, 1_000, 1_000));
        assert_eq!(times(&ring.cut(at(-900), at(300))), (4, 0, 300), "all there is");
        assert_eq!(times(&ring.cut(at(1_500), at(9_000))), (5, 1_500, 1_900));
        assert_eq!(ring.cut(at(2_000), at(3_000)), [], "that time was not seen");
        assert_eq!(ring.cut(at(-900), at(-100)), []);
    }

    #[test]
    fn only_whole_groups_are_dropped_and_the_time_kept_stays() {
        let mut ring = ring();
        push_pictures(&mut ring, 300..10_200);
        assert_eq!(times(&ring.cut(at(0), at(20_000))), (22, 8_000, 10_100));
        assert_eq!(ring.bytes, 2_200);
    }

    #[test]
    fn a_ring_never_grows_beyond_its_size() {
        let mut ring = Ring::new(Duration::from_secs(2), 1_200);
        for end in 1..100 {
            ring.clear();
            push_pictures(&mut ring, 0..end * 100);
            assert!(ring.bytes <= 1_200);
            assert!(ring.units.front().is_none_or(|unit| unit.key));
        }
        // A single group that is too large: nothing until the next one.
        let mut small = Ring::new(Duration::from_secs(2), 300);
        push_pictures(&mut small, 0..500);
        assert_eq!(small.cut(at(0), at(500)), []);
        push_pictures(&mut small, 500..800);
        assert_eq!(times(&small.cut(at(500), at(800))), (3, 500, 700));
    }
}
