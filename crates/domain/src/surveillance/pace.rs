//! The interval and the detail of all searches, reduced when the machine cannot keep up.
//!
//! All cameras share one pace, so that they slow down alike: first the interval grows, up to [`SLOWEST`], then the
//! detail is reduced. No camera is left out. An overload beyond that delays all cameras alike, because each camera
//! has at most one frame in the queue and the queue is first in, first out.
//!
//! Searches for objects have a pace of their own. They are answered after those for faces, so on a busy machine they
//! are late first, and slow down before the searches for faces do. When searches for faces are late all the same, those
//! for objects slow down at once, and recover step by step.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::ports::Detail;

/// The longest interval under load: a passing face is still searched for several times.
const SLOWEST: Duration = Duration::from_millis(500);
/// The load is assessed once per term.
const TERM: Duration = Duration::from_secs(1);
/// A term is late when a search takes more than this part of the interval on average.
const LATE: f64 = 0.75;
/// A term is early when a search takes less than this part of the interval on average.
const EARLY: f64 = 0.35;
/// Late terms at the slowest rate before the detail is reduced.
const LATE_TERMS_PER_DETAIL: u32 = 3;
/// Early terms before the detail is raised.
const EARLY_TERMS_PER_DETAIL: u32 = 20;
/// Early terms before the interval is shortened.
const EARLY_TERMS_PER_RATE: u32 = 3;
/// Terms at full rate and detail before the recovery is logged: at its limit a machine goes back and forth.
const RECOVERED: u32 = 60;

/// The interval between two searches for objects while the machine keeps up: a runner is found four times within the
/// second after which a track ends.
const OBJECTS_EVERY: Duration = Duration::from_millis(200);
/// The longest interval between two searches for objects under load: a track still continues.
const OBJECTS_SLOWEST: Duration = Duration::from_millis(800);

/// The paces of the two stages, shared by all cameras.
#[derive(Clone)]
pub(super) struct Paces {
    pub(super) faces: Arc<Pace>,
    pub(super) objects: Arc<Pace>,
}

impl Paces {
    /// `every`: the interval between two searches for faces while the machine keeps up.
    pub(super) fn new(every: Duration) -> Self {
        let objects = Pace { slowest: OBJECTS_SLOWEST, what: "objects", ..Pace::new(OBJECTS_EVERY) };
        Self { faces: Arc::new(Pace::new(every)), objects: Arc::new(objects) }
    }

    /// The present interval between two searches for objects; the longest while the rate or the detail of the searches
    /// for faces is reduced.
    pub(super) fn objects_interval(&self) -> Duration {
        if self.faces.is_reduced() {
            self.objects.state().interval = self.objects.slowest;
        }
        self.objects.interval()
    }
}

/// The pace of all cameras.
pub(super) struct Pace {
    every: Duration,
    slowest: Duration,
    /// What is searched for, for the log.
    what: &'static str,
    state: Mutex<State>,
}

struct State {
    interval: Duration,
    detail: Detail,
    /// Sum and number of the search times in this term.
    answers: (Duration, u32),
    term: Instant,
    /// Late terms in a row.
    late: u32,
    /// Early terms in a row.
    early: u32,
    /// Terms in a row at full rate and detail.
    full: u32,
    /// The largest reduction logged since the last recovery: 0 none, 1 the rate, 2 and 3 the detail too.
    reported: u8,
}

impl Pace {
    /// `every`: the interval between two searches while the machine keeps up.
    pub(super) fn new(every: Duration) -> Self {
        let state = State {
            interval: every,
            detail: Detail::Full,
            answers: (Duration::ZERO, 0),
            term: Instant::now(),
            late: 0,
            early: 0,
            full: 0,
            reported: 0,
        };
        Self { every, slowest: SLOWEST.max(every), what: "faces", state: Mutex::new(state) }
    }

    /// The present interval between two searches of a camera.
    pub(super) fn interval(&self) -> Duration {
        self.state().interval
    }

    /// Whether the rate or the detail is reduced.
    fn is_reduced(&self) -> bool {
        let state = self.state();
        state.interval > self.every || state.detail != Detail::Full
    }

    /// The present detail.
    pub(super) fn detail(&self) -> Detail {
        self.state().detail
    }

    /// Reports a search and its time, including the wait in the queue.
    pub(super) fn answered(&self, after: Duration) {
        let mut state = self.state();
        let passed = state.term.elapsed();
        if passed >= TERM {
            state.end_term(self);
            // Terms without a search count as early.
            let idle = (passed.as_secs_f64() / TERM.as_secs_f64()) as u32 - 1;
            (0..idle.min(RECOVERED)).for_each(|_| state.end_term(self));
            state.term = Instant::now();
        }
        state.answers.0 += after;
        state.answers.1 += 1;
    }

    /// Reports a search that was refused because the queue was full.
    pub(super) fn refused(&self) {
        self.answered(self.interval().mul_f64(2.0));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Assesses the load of the term that ends, and adapts the pace.
    fn end_term(&mut self, pace: &Pace) {
        let (sum, count) = std::mem::take(&mut self.answers);
        let share = sum.checked_div(count).map_or(0.0, |mean| mean.as_secs_f64() / self.interval.as_secs_f64());
        self.late = if share > LATE { self.late + 1 } else { 0 };
        self.early = if share < EARLY { self.early + 1 } else { 0 };
        if self.late > 0 {
            self.slow_down(pace.slowest);
        } else if self.early > 0 {
            self.speed_up(pace.every);
        }
        self.report(pace);
    }

    /// Reduces the rate first, then the detail.
    fn slow_down(&mut self, slowest: Duration) {
        if self.interval < slowest {
            self.interval = self.interval.mul_f64(1.25).min(slowest);
            self.late = 0;
        } else if self.late >= LATE_TERMS_PER_DETAIL {
            self.detail = coarser(self.detail);
            self.late = 0;
        }
    }

    /// Raises the detail first, then the rate.
    fn speed_up(&mut self, every: Duration) {
        if self.detail != Detail::Full {
            if self.early >= EARLY_TERMS_PER_DETAIL {
                self.detail = finer(self.detail);
                self.early = 0;
            }
        } else if self.early >= EARLY_TERMS_PER_RATE {
            self.interval = self.interval.mul_f64(0.9).max(every);
            self.early = 0;
        }
    }

    /// Logs each step of a reduction once, and the recovery.
    fn report(&mut self, pace: &Pace) {
        let reduced = match self.detail {
            Detail::Full => u8::from(self.interval > pace.every),
            Detail::Reduced => 2,
            Detail::Least => 3,
        };
        self.full = if reduced == 0 { self.full + 1 } else { 0 };
        if reduced > self.reported {
            self.reported = reduced;
            let interval_ms = self.interval.as_millis() as u64;
            tracing::warn!(searched.kind = pace.what, cameras.interval_ms = interval_ms, cameras.detail = ?self.detail,
                "cameras are too much for this machine: searching them less often, then in less detail");
        } else if self.reported > 0 && self.full >= RECOVERED {
            self.reported = 0;
            tracing::info!(searched.kind = pace.what, "the machine keeps up with its cameras again");
        }
    }
}

fn coarser(detail: Detail) -> Detail {
    if detail == Detail::Full { Detail::Reduced } else { Detail::Least }
}

fn finer(detail: Detail) -> Detail {
    if detail == Detail::Least { Detail::Reduced } else { Detail::Full }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVERY: Duration = Duration::from_millis(200);

    /// Lets `count` terms pass in which every search takes `answer` ms.
    async fn terms(pace: &Pace, count: u32, answer: u64) {
        for _ in 0..count * 5 {
            tokio::time::sleep(EVERY).await;
            pace.answered(Duration::from_millis(answer));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_machine_that_keeps_up_searches_at_the_full_rate() {
        let pace = Pace::new(EVERY);
        terms(&pace, 60, 100).await;
        assert_eq!((pace.interval(), pace.detail()), (EVERY, Detail::Full));
    }

    #[tokio::test(start_paused = true)]
    async fn the_rate_is_reduced_first_and_the_detail_after_it() {
        let pace = Pace::new(EVERY);
        terms(&pace, 3, 300).await;
        assert!(pace.interval() > EVERY && pace.detail() == Detail::Full);
        terms(&pace, 20, 300).await;
        assert!(pace.interval() < SLOWEST, "a rate at which searches end in time is kept");
        terms(&pace, 6, 600).await;
        assert_eq!((pace.interval(), pace.detail()), (SLOWEST, Detail::Reduced));
        terms(&pace, 20, 600).await;
        assert_eq!((pace.interval(), pace.detail()), (SLOWEST, Detail::Least));
    }

    #[tokio::test(start_paused = true)]
    async fn detail_recovers_first_and_the_rate_after_it() {
        let pace = Pace::new(EVERY);
        terms(&pace, 30, 600).await;
        assert_eq!(pace.detail(), Detail::Least);
        terms(&pace, 2 * EARLY_TERMS_PER_DETAIL + 1, 50).await;
        assert_eq!((pace.interval(), pace.detail()), (SLOWEST, Detail::Full));
        terms(&pace, 40, 50).await;
        assert_eq!(pace.interval(), EVERY);
    }

    #[tokio::test(start_paused = true)]
    async fn a_time_without_searches_counts_as_early() {
        let pace = Pace::new(EVERY);
        terms(&pace, 30, 600).await;
        tokio::time::sleep(Duration::from_secs(300)).await;
        pace.answered(Duration::from_millis(50));
        pace.answered(Duration::from_millis(50));
        assert_eq!(pace.detail(), Detail::Full);
    }

    #[tokio::test(start_paused = true)]
    async fn objects_slow_down_without_the_faces() {
        let paces = Paces::new(EVERY);
        for _ in 0..200 {
            tokio::time::sleep(EVERY).await;
            paces.objects.answered(Duration::from_millis(900));
            paces.faces.answered(Duration::from_millis(50));
        }
        assert_eq!((paces.objects_interval(), paces.faces.interval()), (OBJECTS_SLOWEST, EVERY));
    }

    #[tokio::test(start_paused = true)]
    async fn objects_slow_down_at_once_when_faces_are_late_and_recover_step_by_step() {
        let paces = Paces::new(EVERY);
        terms(&paces.objects, 3, 50).await;
        assert_eq!(paces.objects_interval(), OBJECTS_EVERY);
        terms(&paces.faces, 3, 300).await;
        assert!(paces.faces.interval() > EVERY);
        assert_eq!(paces.objects_interval(), OBJECTS_SLOWEST);
        terms(&paces.faces, 60, 50).await;
        terms(&paces.objects, 10, 50).await;
        assert!((OBJECTS_EVERY..OBJECTS_SLOWEST).contains(&paces.objects_interval()));
        terms(&paces.objects, 60, 50).await;
        assert_eq!(paces.objects_interval(), OBJECTS_EVERY);
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_rate_that_is_configured_is_not_made_faster() {
        let pace = Pace::new(Duration::from_secs(2));
        terms(&pace, 30, 1_900).await;
        assert_eq!((pace.interval(), pace.detail()), (Duration::from_secs(2), Detail::Least));
    }
}
