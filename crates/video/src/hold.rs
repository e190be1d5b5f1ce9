//! Whether the newest picture is kept for a reader that still has an earlier one.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use gstreamer_video::VideoFrame;
use gstreamer_video::video_frame::Readable;

type Picture = VideoFrame<Readable>;

/// What is known about the reader of a sink and the rate of its pictures.
///
/// A picture of high definition takes three megabytes, and a decoder keeps all buffers that it ever had at a time. While
/// the reader searches one, the newest is therefore kept for it only if the next would come late.
pub(crate) struct Hold<P = Picture>(Mutex<State<P>>);

struct State<P> {
    /// Interval at which pictures are wanted. Where they come more often, one can be missed.
    every: Duration,
    /// The picture that the reader was given last.
    given: Weak<P>,
    awaited: bool,
    decoded: Option<Instant>,
}

impl<P> Default for Hold<P> {
    /// Keeps every picture.
    fn default() -> Self {
        Self(Mutex::new(State { every: Duration::ZERO, given: Weak::new(), awaited: false, decoded: None }))
    }
}

impl<P> Hold<P> {
    /// Keeps none that follows the one before sooner than this while the reader has one.
    pub(crate) fn want_every(&self, interval: Duration) {
        self.state().every = interval;
    }

    /// Notes that the reader waits for a picture.
    pub(crate) fn awaited(&self) {
        self.state().awaited = true;
    }

    /// Notes that the reader waits no longer.
    pub(crate) fn taken(&self) {
        self.state().awaited = false;
    }

    /// Notes what the reader was given.
    pub(crate) fn given(&self, picture: &Arc<P>) {
        self.state().given = Arc::downgrade(picture);
    }

    /// Notes that a picture was decoded now. Returns whether it need not be kept.
    pub(crate) fn can_do_without(&self, now: Instant) -> bool {
        let mut state = self.state();
        let before = state.decoded.replace(now);
        let is_frequent = before.is_some_and(|before| now.duration_since(before) < state.every);
        is_frequent && !state.awaited && state.given.strong_count() > 0
    }

    fn state(&self) -> MutexGuard<'_, State<P>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WANTED: Duration = Duration::from_millis(150);

    /// Whether the last of pictures decoded at this interval is kept, while the reader has one of them.
    fn is_kept(hold: &Hold<()>, interval: u64) -> bool {
        let start = Instant::now();
        hold.can_do_without(start);
        !hold.can_do_without(start + Duration::from_millis(interval))
    }

    fn hold() -> Hold<()> {
        let hold = Hold::default();
        hold.want_every(WANTED);
        hold
    }

    #[test]
    fn a_reader_that_has_a_picture_is_kept_another_only_of_a_slow_camera() {
        let (hold, picture) = (hold(), Arc::new(()));
        hold.given(&picture);
        assert!(!is_kept(&hold, 40));
        assert!(is_kept(&hold, 200), "the next would come late");
    }

    #[test]
    fn a_picture_is_kept_for_a_reader_that_has_none() {
        let (hold, picture) = (hold(), Arc::new(()));
        assert!(is_kept(&hold, 40));
        hold.given(&picture);
        drop(picture);
        assert!(is_kept(&hold, 40));
    }

    #[test]
    fn a_picture_is_kept_for_a_reader_that_waits() {
        let (hold, picture) = (hold(), Arc::new(()));
        hold.given(&picture);
        hold.awaited();
        assert!(is_kept(&hold, 40));
        hold.taken();
        assert!(!is_kept(&hold, 40));
    }

    #[test]
    fn every_picture_is_kept_where_no_interval_is_wanted() {
        let (hold, picture) = (Hold::<()>::default(), Arc::new(()));
        hold.given(&picture);
        assert!(is_kept(&hold, 0));
    }
}
