//! Signs of life of the parts that do the device's main work. Health, the watchdog and the console are fed from them, so
//! that a part which hangs shows.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// A part whose progress is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Part {
    /// A frame was decoded.
    Frames,
    /// A network answered.
    Inference,
    /// The gallery was searched.
    Search,
    /// An entry was committed to the log.
    Commits,
    /// The storage answered a routine question; it is asked every few seconds.
    Storage,
    /// A receiver acknowledged an entry.
    Deliveries,
    /// A request or command was answered.
    Commands,
}

impl Part {
    /// As `/healthz` and the metrics name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Frames => "frames",
            Self::Inference => "inference",
            Self::Search => "search",
            Self::Commits => "commits",
            Self::Storage => "storage",
            Self::Deliveries => "deliveries",
            Self::Commands => "commands",
        }
    }
}

/// When each part last made progress, and which part does not.
#[derive(Default)]
pub struct Progress {
    parts: Mutex<BTreeMap<Part, State>>,
}

#[derive(Clone, Default)]
struct State {
    last: Option<Instant>,
    /// Since when it hangs, and how that showed.
    stall: Option<(Instant, String)>,
}

/// A part that hangs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stall {
    /// The part.
    pub part: Part,
    /// For how long.
    pub time: Duration,
    /// How it showed, for a human.
    pub why: String,
}

impl Progress {
    /// Notes that a part made progress; it does not hang any more.
    pub fn stamp(&self, part: Part) {
        let recovered = {
            let mut parts = self.lock();
            let state = parts.entry(part).or_default();
            state.last = Some(Instant::now());
            state.stall.take()
        };
        if recovered.is_some() {
            tracing::info!(part = part.name(), "part works again");
        }
    }

    /// Notes that a part does not answer.
    pub fn stall(&self, part: Part, why: &str) {
        let is_news = {
            let mut parts = self.lock();
            let state = parts.entry(part).or_default();
            let is_news = state.stall.is_none();
            state.stall.get_or_insert_with(|| (Instant::now(), why.to_owned()));
            is_news
        };
        if is_news {
            tracing::error!(part = part.name(), why, "part does not answer");
        }
    }

    /// The time since a part last made progress; `None` before the first time.
    pub fn age(&self, part: Part) -> Option<Duration> {
        self.lock().get(&part).and_then(|state| state.last).map(|last| last.elapsed())
    }

    /// Every part that made progress, and how long ago.
    pub fn ages(&self) -> BTreeMap<Part, Duration> {
        let parts = self.lock();
        parts.iter().filter_map(|(part, state)| Some((*part, state.last?.elapsed()))).collect()
    }

    /// The parts that hang.
    pub fn stalls(&self) -> Vec<Stall> {
        let parts = self.lock();
        let stalls = parts.iter().filter_map(|(part, state)| Some((*part, state.stall.clone()?)));
        stalls.map(|(part, (since, why))| Stall { part, time: since.elapsed(), why }).collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Part, State>> {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_part_hangs_from_the_first_sign_of_it_until_it_makes_progress() {
        let progress = Progress::default();
        assert_eq!((progress.age(Part::Storage), progress.stalls()), (None, vec![]));
        progress.stall(Part::Storage, "no answer for 20 s");
        tokio::time::advance(Duration::from_secs(7)).await;
        progress.stall(Part::Storage, "no answer for 27 s");
        let stall = Stall { part: Part::Storage, time: Duration::from_secs(7), why: "no answer for 20 s".to_owned() };
        assert_eq!(progress.stalls(), [stall]);
        progress.stamp(Part::Storage);
        tokio::time::advance(Duration::from_secs(3)).await;
        assert_eq!((progress.stalls(), progress.age(Part::Storage)), (vec![], Some(Duration::from_secs(3))));
        assert_eq!(progress.ages().keys().collect::<Vec<_>>(), [&Part::Storage]);
    }
}
