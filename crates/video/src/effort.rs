//! What is done with the coded pictures of one stream, and the time it takes.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, ThreadId};
use std::time::Duration;

use domain::Decoding;
use rustix::time::{ClockId, clock_gettime};

/// Counters of one stream.
#[derive(Debug, Default)]
pub(crate) struct Effort {
    units: AtomicU64,
    spared: AtomicU64,
    skipped: AtomicU64,
    pictures: AtomicU64,
    busy_nanos: AtomicU64,
    /// The decoding thread and its processor time at the last picture.
    last: Mutex<Option<(ThreadId, Duration)>>,
}

impl Effort {
    pub(crate) fn received(&self) {
        self.units.fetch_add(1, Relaxed);
    }

    pub(crate) fn spared(&self) {
        self.spared.fetch_add(1, Relaxed);
    }

    pub(crate) fn skipped(&self) {
        self.skipped.fetch_add(1, Relaxed);
    }

    /// Counts a picture, and adds the processor time of the calling thread since its last picture; for the thread that decodes. The time
    /// before its first picture is left out, since threads are shared between pipelines.
    pub(crate) fn decoded(&self) {
        self.pictures.fetch_add(1, Relaxed);
        let (thread, now) = (thread::current().id(), thread_time());
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, before)) = last.filter(|(before, _)| *before == thread) {
            self.busy_nanos.fetch_add(now.saturating_sub(before).as_nanos() as u64, Relaxed);
        }
        *last = Some((thread, now));
    }

    /// Takes over the totals of the process that decodes, which never decrease.
    pub(crate) fn has_decoded(&self, pictures: u64, total: Duration) {
        self.pictures.fetch_max(pictures, Relaxed);
        self.busy_nanos.fetch_max(total.as_nanos() as u64, Relaxed);
    }

    pub(crate) fn read(&self) -> Decoding {
        Decoding {
            units: self.units.load(Relaxed),
            spared: self.spared.load(Relaxed),
            skipped: self.skipped.load(Relaxed),
            pictures: self.pictures.load(Relaxed),
            busy: Duration::from_nanos(self.busy_nanos.load(Relaxed)),
        }
    }
}

/// Processor time that this process has used.
pub(crate) fn process_time() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ProcessCPUTime)).unwrap_or_default()
}

/// Processor time that the calling thread has used.
fn thread_time() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_processor_time_between_two_pictures_counts_and_waiting_does_not() {
        let effort = Effort::default();
        effort.decoded();
        thread::sleep(Duration::from_millis(50));
        effort.decoded();
        assert!(effort.read().busy < Duration::from_millis(20), "{:?}", effort.read());
        let start = thread_time();
        while thread_time() - start < Duration::from_millis(30) {}
        effort.decoded();
        assert!(effort.read().busy >= Duration::from_millis(30), "{:?}", effort.read());
    }

    #[test]
    fn the_time_of_another_thread_does_not_count() {
        let effort = Effort::default();
        effort.decoded();
        let start = thread_time();
        while thread_time() - start < Duration::from_millis(30) {}
        thread::scope(|scope| scope.spawn(|| effort.decoded()).join().unwrap());
        assert_eq!(effort.read().busy, Duration::ZERO);
    }
}
