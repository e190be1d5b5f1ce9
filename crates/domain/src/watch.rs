//! Watches.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::{LibraryId, Similarity, WatchId, WeeklyPlan};

/// A watch: which people a camera or task looks for, and when.
#[derive(Debug, Clone, PartialEq)]
pub struct Watch {
    /// Never reused.
    pub id: WatchId,
    /// Settings of the operator.
    pub settings: WatchSettings,
}

/// The settings of a watch.
#[derive(Debug, Clone, PartialEq)]
pub struct WatchSettings {
    /// Libraries searched; empty: every face is a stranger.
    pub libraries: BTreeSet<LibraryId>,
    /// Lowest similarity at which a candidate is recognised.
    pub threshold: Similarity,
    /// Time out of sight after which the same face is recorded again.
    pub rearm: Duration,
    /// When the watch is armed; outside it takes no captures.
    pub plan: WeeklyPlan,
    /// Whether it is enabled.
    pub enabled: bool,
    /// Treatment of unrecognised captures that are too poor to rule out a known person.
    pub unclear: UnclearFaces,
}

/// Treatment of unrecognised captures that are too poor to rule out a known person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum UnclearFaces {
    /// Recorded as [`Unclear`](crate::Verdict::Unclear).
    #[default]
    AsUnclear,
    /// Recorded as a stranger.
    AsStrangers,
    /// Not recorded.
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
