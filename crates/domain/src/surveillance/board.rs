//! How every camera is doing, readable at any time.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use crate::{CameraCounters, CameraId, CameraStatus};

/// Status and counters of all cameras since the daemon started.
#[derive(Default)]
pub(crate) struct Board {
    entries: RwLock<HashMap<CameraId, Arc<Entry>>>,
}

/// One camera's line on the board.
pub(crate) struct Entry {
    status: RwLock<CameraStatus>,
    pub(super) frames: Tally,
    pub(super) frames_skipped: Tally,
    pub(super) frames_analysed: Tally,
    pub(super) faces: Tally,
    pub(super) records: Tally,
    pub(super) reconnects: Tally,
}

/// A number that only rises, for the status page and for the metrics.
pub(super) struct Tally {
    value: AtomicU64,
    metric: metrics::Counter,
}

impl Board {
    pub(crate) fn status(&self, camera: CameraId) -> CameraStatus {
        self.find(camera).map_or(CameraStatus::Connecting, |entry| entry.status())
    }

    pub(crate) fn counters(&self, camera: CameraId) -> CameraCounters {
        self.find(camera).map_or_else(CameraCounters::default, |entry| entry.counters())
    }

    /// The camera's line, made when it is new.
    pub(super) fn entry(&self, camera: CameraId) -> Arc<Entry> {
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(entries.entry(camera).or_insert_with(|| Arc::new(Entry::new(camera))))
    }

    /// A camera that is gone loses its line: its channel may be given to another.
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
            frames: tally(metrics::counter!("polyface_camera_frames_total", "camera" => label.clone())),
            frames_skipped: tally(metrics::counter!("polyface_camera_frames_skipped_total", "camera" => label.clone())),
            frames_analysed: tally(
                metrics::counter!("polyface_camera_frames_analysed_total", "camera" => label.clone()),
            ),
            faces: tally(metrics::counter!("polyface_camera_faces_total", "camera" => label.clone())),
            records: tally(metrics::counter!("polyface_camera_records_total", "camera" => label.clone())),
            reconnects: tally(metrics::counter!("polyface_camera_reconnects_total", "camera" => label)),
        }
    }

    fn status(&self) -> CameraStatus {
        self.status.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Sets the status; answers whether it is news.
    pub(super) fn set_status(&self, status: CameraStatus) -> bool {
        let mut current = self.status.write().unwrap_or_else(PoisonError::into_inner);
        let news = *current != status;
        *current = status;
        news
    }

    fn counters(&self) -> CameraCounters {
        CameraCounters {
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
    /// One more.
    pub(super) fn count(&self) {
        self.value.fetch_add(1, Ordering::Relaxed);
        self.metric.increment(1);
    }

    fn get(&self) -> u64 {
        self.value.load(Ordering::Relaxed)
    }
}
