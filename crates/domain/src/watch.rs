//! Watches: whom a camera or task looks for.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::{LibraryId, Similarity, WatchId, WeeklyPlan};

/// Which people a camera looks for, and when.
#[derive(Debug, Clone, PartialEq)]
pub struct Watch {
    /// Never reused.
    pub id: WatchId,
    /// What an operator configures.
    pub settings: WatchSettings,
}

/// What an operator configures of a watch.
#[derive(Debug, Clone, PartialEq)]
pub struct WatchSettings {
    /// Libraries searched; empty: every face is a stranger.
    pub libraries: BTreeSet<LibraryId>,
    /// From this similarity on, a candidate is a match.
    pub threshold: Similarity,
    /// The same face is not recorded again until it was out of sight for so long.
    pub rearm: Duration,
    /// When the watch is armed; outside it takes no captures.
    pub plan: WeeklyPlan,
    /// Whether it is on at all.
    pub enabled: bool,
    /// What becomes of a capture that is too poor to say that it shows nobody known.
    pub unclear: UnclearFaces,
}

/// What becomes of a capture in which nobody was recognised, and which is too poor to say that it is nobody known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum UnclearFaces {
    /// It is recorded as [`Unclear`](crate::Verdict::Unclear).
    #[default]
    Tell,
    /// It is recorded as a stranger.
    AsStrangers,
    /// It is not recorded.
    Ignore,
}

impl Default for WatchSettings {
    fn default() -> Self {
        Self {
            libraries: BTreeSet::new(),
            threshold: Similarity::DEFAULT_THRESHOLD,
            rearm: Duration::from_secs(2),
            plan: WeeklyPlan::always(),
            enabled: true,
            unclear: UnclearFaces::default(),
        }
    }
}
