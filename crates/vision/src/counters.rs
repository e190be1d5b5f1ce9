//! Counters of the inference threads.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::engine::Turn;

/// Counters since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Camera frames analysed.
    pub live_done: u64,
    /// Camera frames rejected because the queue was full.
    pub live_refused: u64,
    /// Photos analysed.
    pub photos_done: u64,
    /// Camera frames searched for objects.
    pub objects_done: u64,
    /// Camera frames not searched for objects because the queue was full.
    pub objects_refused: u64,
    /// Time spent inside networks, over all threads.
    pub in_networks: Duration,
}

/// The counters, shared by the threads and exported as metrics.
pub(crate) struct Counted {
    live_done: Count,
    live_refused: Count,
    photos_done: Count,
    objects_done: Count,
    objects_refused: Count,
}

struct Count {
    value: AtomicU64,
    metric: metrics::Counter,
}

impl Count {
    fn new(metric: metrics::Counter) -> Self {
        Self { value: AtomicU64::default(), metric }
    }

    fn increment(&self) {
        self.value.fetch_add(1, Ordering::Relaxed);
        self.metric.increment(1);
    }

    fn read(&self) -> u64 {
        self.value.load(Ordering::Relaxed)
    }
}

impl Default for Counted {
    fn default() -> Self {
        Self {
            live_done: Count::new(metrics::counter!("polyface_inference_live_total")),
            live_refused: Count::new(metrics::counter!("polyface_inference_live_refused_total")),
            photos_done: Count::new(metrics::counter!("polyface_inference_photos_total")),
            objects_done: Count::new(metrics::counter!("polyface_inference_objects_total")),
            objects_refused: Count::new(metrics::counter!("polyface_inference_objects_refused_total")),
        }
    }
}

impl Counted {
    pub(crate) fn count(&self, turn: Turn) {
        match turn {
            Turn::Live => self.live_done.increment(),
            Turn::Photo => self.photos_done.increment(),
            Turn::Objects => self.objects_done.increment(),
        }
    }

    /// Counts a camera frame that found no room; photos always find some.
    pub(crate) fn refuse(&self, turn: Turn) {
        match turn {
            Turn::Live | Turn::Photo => self.live_refused.increment(),
            Turn::Objects => self.objects_refused.increment(),
        }
    }

    pub(crate) fn read(&self) -> Counters {
        Counters {
            live_done: self.live_done.read(),
            live_refused: self.live_refused.read(),
            photos_done: self.photos_done.read(),
            objects_done: self.objects_done.read(),
            objects_refused: self.objects_refused.read(),
            in_networks: Duration::ZERO,
        }
    }
}
