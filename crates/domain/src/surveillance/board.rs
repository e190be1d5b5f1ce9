//! Status and counters of every camera, readable at any time.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{Notify, oneshot};

use super::clips::Clips;
use super::inbox::Inbox;
use crate::camera::{CameraCounters, CameraStatus};
use crate::error::Result;
use crate::frame::Frame;
use crate::ids::CameraId;
use crate::ports::{Detail, Search};
use crate::time::Timestamp;
use crate::video::Decoding;

/// Status and counters of all cameras since the daemon started.
#[derive(Default)]
pub(crate) struct Board {
    entries: RwLock<HashMap<CameraId, Arc<Entry>>>,
}

/// Status and counters of one camera.
pub(crate) struct Entry {
    status: RwLock<CameraStatus>,
    /// Callers that wait for the next frame.
    viewers: Mutex<Vec<oneshot::Sender<Frame>>>,
    viewed: Notify,
    /// Width and height of the newest frame, pixels.
    size: Mutex<Option<(u32, u32)>>,
    pub(super) clips: Clips,
    pub(super) inbox: Inbox,
    pub(super) frames: Tally,
    pub(super) frames_skipped: Tally,
    pub(super) frames_still: Tally,
    frames_analysed: Tally,
    frames_coarse: Tally,
    frames_whole: Tally,
    area_percent: Tally,
    units: Tally,
    units_spared: Tally,
    units_skipped: Tally,
    decoding_micros: Tally,
    interval_ms: AtomicU64,
    interval: metrics::Gauge,
    pub(super) faces: Tally,
    pub(super) records: Tally,
    pub(super) reconnects: Tally,
}

/// A counter that is shown on the status page and exported as a metric.
pub(super) struct Tally {
    value: AtomicU64,
    metric: metrics::Counter,
}

impl Board {
    pub(crate) fn status(&self, camera: CameraId) -> CameraStatus {
        self.find(camera).map_or(CameraStatus::Connecting, |entry| entry.status())
    }

    /// The status of every camera, in any order.
    pub(crate) fn statuses(&self) -> Vec<(CameraId, CameraStatus)> {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        entries.iter().map(|(camera, entry)| (*camera, entry.status())).collect()
    }

    pub(crate) fn counters(&self, camera: CameraId) -> CameraCounters {
        self.find(camera).map_or_else(CameraCounters::default, |entry| entry.counters())
    }

    /// Returns a receiver of the camera's next frame; `None` when the camera does not exist.
    pub(crate) fn next_frame(&self, camera: CameraId) -> Option<oneshot::Receiver<Frame>> {
        let (viewer, frame) = oneshot::channel();
        let entry = self.find(camera)?;
        let mut viewers = entry.viewers();
        // Otherwise they would accumulate while the camera delivers nothing.
        viewers.retain(|viewer| !viewer.is_closed());
        viewers.push(viewer);
        entry.viewed.notify_one();
        Some(frame)
    }

    /// Hands a picture that a camera has sent to its task, which may be still to start. Returns the receiver of what
    /// becomes of it, which is closed when the task ends first; `Busy` when too many wait.
    pub(crate) fn deliver(
        &self,
        camera: CameraId,
        picture: Bytes,
        at: Timestamp,
    ) -> Result<oneshot::Receiver<Result<()>>> {
        self.entry(camera).inbox.put(picture, at)
    }

    /// Width and height of the camera's newest picture, pixels; `None` before the first.
    pub(crate) fn picture_size(&self, camera: CameraId) -> Option<(u32, u32)> {
        *self.find(camera)?.size.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The camera's entry, created when there is none.
    pub(crate) fn entry(&self, camera: CameraId) -> Arc<Entry> {
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(entries.entry(camera).or_insert_with(|| Arc::new(Entry::new(camera))))
    }

    /// Removes the entry of a removed camera, since a new camera may get its channel.
    pub(super) fn remove(&self, camera: CameraId) {
        self.entries.write().unwrap_or_else(PoisonError::into_inner).remove(&camera);
    }

    fn find(&self, camera: CameraId) -> Option<Arc<Entry>> {
        self.entries.read().unwrap_or_else(PoisonError::into_inner).get(&camera).cloned()
    }
}

impl Entry {
    fn new(camera: CameraId) -> Self {
        let label = camera.to_string();
        let tally = |metric| Tally { value: AtomicU64::default(), metric };
        Self {
            status: RwLock::new(CameraStatus::Connecting),
            viewers: Mutex::default(),
            viewed: Notify::new(),
            size: Mutex::default(),
            clips: Clips::default(),
            inbox: Inbox::default(),
            frames: tally(metrics::counter!("polyface_camera_frames_total", "camera" => label.clone())),
            frames_skipped: tally(metrics::counter!("polyface_camera_frames_skipped_total", "camera" => label.clone())),
            frames_still: tally(metrics::counter!("polyface_camera_frames_still_total", "camera" => label.clone())),
            frames_analysed: tally(
                metrics::counter!("polyface_camera_frames_analysed_total", "camera" => label.clone()),
            ),
            frames_coarse: tally(metrics::counter!("polyface_camera_frames_coarse_total", "camera" => label.clone())),
            frames_whole: tally(metrics::counter!("polyface_camera_frames_whole_total", "camera" => label.clone())),
            area_percent: tally(
                metrics::counter!("polyface_camera_area_searched_percent_total", "camera" => label.clone()),
            ),
            units: tally(metrics::counter!("polyface_camera_units_total", "camera" => label.clone())),
            units_spared: tally(metrics::counter!("polyface_camera_units_spared_total", "camera" => label.clone())),
            units_skipped: tally(metrics::counter!("polyface_camera_units_skipped_total", "camera" => label.clone())),
            decoding_micros: tally(
                metrics::counter!("polyface_camera_decoding_microseconds_total", "camera" => label.clone()),
            ),
            interval_ms: AtomicU64::default(),
            interval: metrics::gauge!("polyface_camera_interval_seconds", "camera" => label.clone()),
            faces: tally(metrics::counter!("polyface_camera_faces_total", "camera" => label.clone())),
            records: tally(metrics::counter!("polyface_camera_records_total", "camera" => label.clone())),
            reconnects: tally(metrics::counter!("polyface_camera_reconnects_total", "camera" => label)),
        }
    }

    /// Stores the size of a frame, and sends the frame to the callers that wait for one.
    pub(super) fn show(&self, frame: &Frame) {
        *self.size.lock().unwrap_or_else(PoisonError::into_inner) = Some((frame.width(), frame.height()));
        for viewer in self.viewers().drain(..) {
            // Fails when the caller has stopped waiting.
            let _ = viewer.send(frame.clone());
        }
    }

    /// Waits until a caller waits for a frame.
    pub(super) async fn is_viewed(&self) {
        while self.viewers().is_empty() {
            self.viewed.notified().await;
        }
    }

    fn viewers(&self) -> MutexGuard<'_, Vec<oneshot::Sender<Frame>>> {
        self.viewers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn status(&self) -> CameraStatus {
        self.status.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Sets the status. Returns whether it has changed.
    pub(super) fn set_status(&self, status: CameraStatus) -> bool {
        let mut current = self.status.write().unwrap_or_else(PoisonError::into_inner);
        let changed = *current != status;
        *current = status;
        changed
    }

    /// Counts a frame as searched, at this interval. `share`: the searched share of the frame or region, 0..=1.
    pub(super) fn count_search(&self, interval: Duration, search: &Search, share: f32) {
        self.frames_analysed.count();
        if search.detail != Detail::Full {
            self.frames_coarse.count();
        }
        if search.tiles.is_none() {
            self.frames_whole.count();
        }
        self.area_percent.add((share * 100.0).round() as u64);
        self.interval_ms.store(interval.as_millis() as u64, Ordering::Relaxed);
        self.interval.set(interval.as_secs_f64());
    }

    /// Counts coded pictures, and the time that decoding took.
    pub(super) fn count_decoding(&self, decoding: &Decoding) {
        self.units.add(decoding.units);
        self.units_spared.add(decoding.spared);
        self.units_skipped.add(decoding.skipped);
        self.frames.add(decoding.pictures);
        // All but the one that is read.
        self.frames_skipped.add(decoding.pictures.saturating_sub(1));
        self.decoding_micros.add(decoding.busy.as_micros() as u64);
    }

    fn counters(&self) -> CameraCounters {
        let decoding = Decoding {
            units: self.units.get(),
            spared: self.units_spared.get(),
            skipped: self.units_skipped.get(),
            pictures: self.frames.get(),
            busy: Duration::from_micros(self.decoding_micros.get()),
        };
        CameraCounters {
            decoding,
            frames_still: self.frames_still.get(),
            frames_coarse: self.frames_coarse.get(),
            frames_whole: self.frames_whole.get(),
            area_percent: self.area_percent.get(),
            interval_ms: self.interval_ms.load(Ordering::Relaxed),
            frames: self.frames.get(),
            frames_skipped: self.frames_skipped.get(),
            frames_analysed: self.frames_analysed.get(),
            faces: self.faces.get(),
            records: self.records.get(),
            reconnects: self.reconnects.get(),
        }
    }
}

impl Tally {
    pub(super) fn count(&self) {
        self.add(1);
    }

    pub(super) fn add(&self, more: u64) {
        self.value.fetch_add(more, Ordering::Relaxed);
        self.metric.increment(more);
    }

    fn get(&self) -> u64 {
        self.value.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn viewers_that_stopped_waiting_do_not_accumulate() {
        let board = Board::default();
        let entry = board.entry(CameraId(1));
        for _ in 0..100 {
            drop(board.next_frame(CameraId(1)));
        }
        assert_eq!(entry.viewers().len(), 1);
    }

    #[test]
    fn of_the_pictures_decoded_since_the_last_reading_one_is_read_and_the_others_are_skipped() {
        let board = Board::default();
        let entry = board.entry(CameraId(1));
        entry.count_decoding(&Decoding { units: 6, pictures: 5, ..Decoding::default() });
        entry.count_decoding(&Decoding { units: 1, pictures: 1, ..Decoding::default() });
        entry.count_decoding(&Decoding::default());
        let counters = board.counters(CameraId(1));
        assert_eq!((counters.frames, counters.frames_skipped), (6, 4));
    }
}
