//! Counters of all sources since the start of the process.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Sums over all sources since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Access units received from cameras.
    pub units: u64,
    /// Access units not decoded because the decoder could not keep up: from the one that found its queue full to the
    /// next key frame.
    pub units_skipped: u64,
    /// Access units not decoded because no other picture needs theirs and the one before was recent enough.
    pub units_spared: u64,
    /// RTP packets lost.
    pub packets_lost: u64,
    /// Packets ignored because they are not part of the requested video.
    pub packets_ignored: u64,
    /// Pictures decoded from cameras and files.
    pub pictures: u64,
}

/// The counters, shared by all sources and exported as metrics.
#[derive(Debug)]
pub(crate) struct Tally {
    units: Count,
    units_skipped: Count,
    units_spared: Count,
    packets_lost: Count,
    packets_ignored: Count,
    pictures: Count,
}

struct Count {
    value: AtomicU64,
    metric: metrics::Counter,
}

impl Count {
    fn new(metric: metrics::Counter) -> Self {
        Self { value: AtomicU64::default(), metric }
    }

    fn add(&self, more: u64) {
        self.value.fetch_add(more, Relaxed);
        self.metric.increment(more);
    }

    fn read(&self) -> u64 {
        self.value.load(Relaxed)
    }
}

impl std::fmt::Debug for Count {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.read().fmt(f)
    }
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            units: Count::new(metrics::counter!("polyface_video_units_total")),
            units_skipped: Count::new(metrics::counter!("polyface_video_units_skipped_total")),
            units_spared: Count::new(metrics::counter!("polyface_video_units_spared_total")),
            packets_lost: Count::new(metrics::counter!("polyface_video_packets_lost_total")),
            packets_ignored: Count::new(metrics::counter!("polyface_video_packets_ignored_total")),
            pictures: Count::new(metrics::counter!("polyface_video_pictures_total")),
        }
    }
}

impl Tally {
    pub(crate) fn received(&self, lost_before: u16) {
        self.units.add(1);
        self.packets_lost.add(lost_before.into());
    }

    pub(crate) fn ignored(&self, packets: u64) {
        self.packets_ignored.add(packets);
    }

    pub(crate) fn skipped(&self) {
        self.units_skipped.add(1);
    }

    pub(crate) fn spared(&self) {
        self.units_spared.add(1);
    }

    pub(crate) fn decoded(&self, pictures: u64) {
        self.pictures.add(pictures);
    }

    pub(crate) fn read(&self) -> Counters {
        Counters {
            units: self.units.read(),
            units_skipped: self.units_skipped.read(),
            units_spared: self.units_spared.read(),
            packets_lost: self.packets_lost.read(),
            packets_ignored: self.packets_ignored.read(),
            pictures: self.pictures.read(),
        }
    }
}
