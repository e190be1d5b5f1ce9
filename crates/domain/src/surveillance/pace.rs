//! How often and how closely cameras are looked at when the machine cannot do all that is asked.
//!
//! All cameras share one pace, so none pays for another: first every camera is looked at less often, down to
//! [`SLOWEST`]; only then less closely; and never is one left out. What is still too much then shows as longer
//! turns for all alike, because each camera has one frame in the queue at most and the queue is first come,
//! first served.
//!
//! Searches for objects have a pace of their own. They are answered after those for faces, so on a busy machine they are
//! late first, and are done less often. When searches for faces are late all the same, those for objects make room at
//! once, and come back little by little.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::ports::Detail;

/// The longest time between two looks that a busy machine may choose: a passing face is still seen several times.
const SLOWEST: Duration = Duration::from_millis(500);
/// The load is judged once in this time.
const TERM: Duration = Duration::from_secs(1);
/// An answer that takes a larger part of the time between two looks is late,
const LATE: f64 = 0.75;
/// and one that takes a smaller part leaves room.
const EARLY: f64 = 0.35;
/// Late terms at the slowest rate before cameras are looked at less closely.
const PATIENCE: u32 = 3;
/// Terms with room before cameras are looked at more closely again.
const CAUTION: u32 = 20;
/// A shorter time between two looks is tried after so many terms with room.
const CALM: u32 = 3;
/// Terms without any hardship before the log says so: a machine at its limit goes to and fro.
const RECOVERED: u32 = 60;

/// The time between two searches for objects when the machine keeps up: a runner is found four times in the second in
/// which a track ends.
const OBJECTS_EVERY: Duration = Duration::from_millis(200);
/// The longest time between two searches for objects that a busy machine may choose: a track still lasts.
const OBJECTS_SLOWEST: Duration = Duration::from_millis(800);

/// The paces of the two stages, shared by all cameras.
#[derive(Clone)]
pub(super) struct Paces {
    pub(super) faces: Arc<Pace>,
    pub(super) objects: Arc<Pace>,
}

impl Paces {
    /// `every`: the time between two searches for faces when the machine keeps up.
    pub(super) fn new(every: Duration) -> Self {
        let objects = Pace { slowest: OBJECTS_SLOWEST, what: "objects", ..Pace::new(OBJECTS_EVERY) };
        Self { faces: Arc::new(Pace::new(every)), objects: Arc::new(objects) }
    }

    /// The time between two searches for objects, at present: the longest while faces are searched for less often or less
    /// closely than asked for.
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
    /// What is looked for, for the log.
    what: &'static str,
    state: Mutex<State>,
}

struct State {
    interval: Duration,
    detail: Detail,
    /// The sum and the number of the answers of this term.
    answers: (Duration, u32),
    term: Instant,
    late: u32,
    early: u32,
    easy: u32,
    /// How far the pace had to be reduced in this hardship: 1 the rate, 2 and 3 the detail too.
    told: u8,
}

impl Pace {
    /// `every`: the time between two looks when the machine keeps up.
    pub(super) fn new(every: Duration) -> Self {
        let state = State {
            interval: every,
            detail: Detail::Full,
            answers: (Duration::ZERO, 0),
            term: Instant::now(),
            late: 0,
            early: 0,
            easy: 0,
            told: 0,
        };
        Self { every, slowest: SLOWEST.max(every), what: "faces", state: Mutex::new(state) }
    }

    /// The time between two looks at a camera, at present.
    pub(super) fn interval(&self) -> Duration {
        self.state().interval
    }

    /// Whether the machine cannot do what is asked.
    fn is_reduced(&self) -> bool {
        let state = self.state();
        state.interval > self.every || state.detail != Detail::Full
    }

    /// How closely to look at present.
    pub(super) fn detail(&self) -> Detail {
        self.state().detail
    }

    /// An analysis was answered after so long, waiting included.
    pub(super) fn answered(&self, after: Duration) {
        let mut state = self.state();
        let passed = state.term.elapsed();
        if passed >= TERM {
            state.judge(self);
            // Terms in which nobody asked had room.
            let idle = (passed.as_secs_f64() / TERM.as_secs_f64()) as u32 - 1;
            (0..idle.min(RECOVERED)).for_each(|_| state.judge(self));
            state.term = Instant::now();
        }
        state.answers.0 += after;
        state.answers.1 += 1;
    }

    /// An analysis was refused because too many were waiting.
    pub(super) fn refused(&self) {
        self.answered(self.interval().mul_f64(2.0));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Ends a term.
    fn judge(&mut self, pace: &Pace) {
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

    /// First the rate, then the detail.
    fn slow_down(&mut self, slowest: Duration) {
        if self.interval < slowest {
            self.interval = self.interval.mul_f64(1.25).min(slowest);
            self.late = 0;
        } else if self.late >= PATIENCE {
            self.detail = coarser(self.detail);
            self.late = 0;
        }
    }

    /// First the detail, then the rate.
    fn speed_up(&mut self, every: Duration) {
        if self.detail != Detail::Full {
            if self.early >= CAUTION {
                self.detail = finer(self.detail);
                self.early = 0;
            }
        } else if self.early >= CALM {
            self.interval = self.interval.mul_f64(0.9).max(every);
            self.early = 0;
        }
    }

    /// Logs each step of a hardship once, and its end.
    fn report(&mut self, pace: &Pace) {
        let reduced = match self.detail {
            Detail::Full => u8::from(self.interval > pace.every),
            Detail::Reduced => 2,
            Detail::Least => 3,
        };
        self.easy = if reduced == 0 { self.easy + 1 } else { 0 };
        if reduced > self.told {
            self.told = reduced;
            let interval_ms = self.interval.as_millis() as u64;
            tracing::warn!(searched.kind = pace.what, cameras.interval_ms = interval_ms, cameras.detail = ?self.detail,
                "cameras are too much for this machine: they are looked at less often, then less closely");
        } else if self.told > 0 && self.easy >= RECOVERED {
            self.told = 0;
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

    /// Lets so many terms pass in which every answer takes this long.
    async fn terms(pace: &Pace, count: u32, answer: u64) {
        for _ in 0..count * 5 {
            tokio::time::sleep(EVERY).await;
            pace.answered(Duration::from_millis(answer));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_machine_that_keeps_up_is_left_alone() {
        let pace = Pace::new(EVERY);
        terms(&pace, 60, 100).await;
        assert_eq!((pace.interval(), pace.detail()), (EVERY, Detail::Full));
    }

    #[tokio::test(start_paused = true)]
    async fn the_rate_goes_first_and_the_detail_after_it() {
        let pace = Pace::new(EVERY);
        terms(&pace, 3, 300).await;
        assert!(pace.interval() > EVERY && pace.detail() == Detail::Full);
        terms(&pace, 20, 300).await;
        assert!(pace.interval() < SLOWEST, "a rate at which answers come in time is kept");
        terms(&pace, 6, 600).await;
        assert_eq!((pace.interval(), pace.detail()), (SLOWEST, Detail::Reduced));
        terms(&pace, 20, 600).await;
        assert_eq!((pace.interval(), pace.detail()), (SLOWEST, Detail::Least));
    }

    #[tokio::test(start_paused = true)]
    async fn detail_comes_back_first_and_the_rate_after_it() {
        let pace = Pace::new(EVERY);
        terms(&pace, 30, 600).await;
        assert_eq!(pace.detail(), Detail::Least);
        terms(&pace, 2 * CAUTION + 1, 50).await;
        assert_eq!((pace.interval(), pace.detail()), (SLOWEST, Detail::Full));
        terms(&pace, 40, 50).await;
        assert_eq!(pace.interval(), EVERY);
    }

    #[tokio::test(start_paused = true)]
    async fn a_time_in_which_nobody_asked_counts_as_room() {
        let pace = Pace::new(EVERY);
        terms(&pace, 30, 600).await;
        tokio::time::sleep(Duration::from_secs(300)).await;
        pace.answered(Duration::from_millis(50));
        pace.answered(Duration::from_millis(50));
        assert_eq!(pace.detail(), Detail::Full);
    }

    #[tokio::test(start_paused = true)]
    async fn objects_are_searched_for_less_often_without_the_faces() {
        let paces = Paces::new(EVERY);
        for _ in 0..200 {
            tokio::time::sleep(EVERY).await;
            paces.objects.answered(Duration::from_millis(900));
            paces.faces.answered(Duration::from_millis(50));
        }
        assert_eq!((paces.objects_interval(), paces.faces.interval()), (OBJECTS_SLOWEST, EVERY));
    }

    #[tokio::test(start_paused = true)]
    async fn objects_make_room_at_once_when_faces_are_late_and_come_back_little_by_little() {
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
    async fn a_slow_rate_asked_for_is_not_made_faster() {
        let pace = Pace::new(Duration::from_secs(2));
        terms(&pace, 30, 1_900).await;
        assert_eq!((pace.interval(), pace.detail()), (Duration::from_secs(2), Detail::Least));
    }
}
