//! Progress of the parts that do the device's main work. Health, the watchdog and the console read it, so that a hung
//! part is detected.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// A part whose progress is monitored; each variant documents what counts as progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Part {
    /// A frame was decoded.
    Frames,
    /// A model returned a result.
    Inference,
    /// The gallery was searched.
    Search,
    /// An entry was committed to the log.
    Commits,
    /// A routine call of the store returned; there is one every few seconds.
    Storage,
    /// A receiver acknowledged an entry.
    Deliveries,
    /// A request or command was answered.
    Commands,
}

impl Part {
    /// Name in `/healthz` and the metrics.
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

/// When each part last made progress, and which parts hang.
#[derive(Default)]
pub struct Progress {
    parts: Mutex<BTreeMap<Part, State>>,
}

#[derive(Clone, Default)]
struct State {
    last: Option<Instant>,
    /// Since when it hangs, and how that was detected.
    stall: Option<(Instant, String)>,
}

/// A part that hangs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stall {
    /// The part.
    pub part: Part,
    /// Duration so far.
    pub time: Duration,
    /// How it was detected.
    pub why: String,
}

impl Progress {
    /// Reports progress of a part; ends its stall. Logs a recovery.
    pub fn stamp(&self, part: Part) {
        let recovered = {
            let mut parts = self.lock();
            let state = parts.entry(part).or_default();
            state.last = Some(Instant::now());
            state.stall.take()
        };
        if recovered.is_some() {
            tracing::info!(part = part.name(), "part recovered");
        }
    }

    /// Reports that a part hangs; ignored while it hangs already. Logged once.
    pub fn stall(&self, part: Part, why: &str) {
        let is_new = {
            let mut parts = self.lock();
            let state = parts.entry(part).or_default();
            let is_new = state.stall.is_none();
            state.stall.get_or_insert_with(|| (Instant::now(), why.to_owned()));
            is_new
        };
        if is_new {
            tracing::error!(part = part.name(), why, "part stalled");
        }
    }

    /// Time since the last progress of a part; `None` before the first.
    pub fn age(&self, part: Part) -> Option<Duration> {
        self.lock().get(&part).and_then(|state| state.last).map(|last| last.elapsed())
    }

    /// Time since the last progress of every part that has made some.
    pub fn ages(&self) -> BTreeMap<Part, Duration> {
        let parts = self.lock();
        parts.iter().filter_map(|(part, state)| Some((*part, state.last?.elapsed()))).collect()
    }

    /// The hung parts.
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
