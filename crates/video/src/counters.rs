//! What the sources of this process have done since its start.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Sums over all sources since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Access units received from cameras.
    pub units: u64,
    /// Access units not decoded because the decoder could not keep up: from one that found its queue full to the
    /// next key frame.
    pub units_skipped: u64,
    /// RTP packets that never came.
    pub packets_lost: u64,
    /// Pictures decoded, of cameras and files.
    pub pictures: u64,
}

/// The counters, shared by all sources.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    units: AtomicU64,
    units_skipped: AtomicU64,
    packets_lost: AtomicU64,
    pictures: AtomicU64,
}

impl Tally {
    pub(crate) fn received(&self, lost_before: u16) {
        self.units.fetch_add(1, Relaxed);
        self.packets_lost.fetch_add(lost_before.into(), Relaxed);
    }

    pub(crate) fn skipped(&self) {
        self.units_skipped.fetch_add(1, Relaxed);
    }

    pub(crate) fn decoded(&self) {
        self.pictures.fetch_add(1, Relaxed);
    }

    pub(crate) fn read(&self) -> Counters {
        Counters {
            units: self.units.load(Relaxed),
            units_skipped: self.units_skipped.load(Relaxed),
            packets_lost: self.packets_lost.load(Relaxed),
            pictures: self.pictures.load(Relaxed),
        }
    }
}
