//! Notices: an entry in the log when a part of the device stops working, and one when it works again.
//!
//! They are derived from the state of the parts, so that none is lost: a change that cannot be written now, or that
//! happened while the process was down, is written in a later round.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use super::Appliance;
use super::readers::ReaderState;
use super::upgrades::UpgradeState;
use crate::{CameraId, CameraStatus, NewEntry, Notice, Restoration, Result, StorageState, Topic, What};

/// Interval between two rounds; a shorter failure may go unnoticed.
const ROUND: Duration = Duration::from_secs(1);
/// After this time every existing part has been started; standing notices of other parts are cleared.
const SETTLED: Duration = Duration::from_secs(120);

/// The subject of a notice that the database was replaced by an older copy; its topic is the storage.
const DATABASE: &str = "database";

/// A part of the device.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Part {
    topic: Topic,
    subject: String,
}

/// A part and its state.
struct Finding {
    part: Part,
    camera: Option<CameraId>,
    state: State,
}

/// What the log and the settings said at the start, and what was written since.
struct Known {
    /// The parts that do not work according to the log.
    standing: BTreeSet<Part>,
    restoration: Option<Restoration>,
}

enum State {
    Works,
    /// With the reason.
    Fails(String),
    /// Being started or retried.
    Unknown,
}

/// Writes notices until cancelled.
pub async fn run(appliance: Appliance, cancel: CancellationToken) {
    let (mut known, mut failing, started) = (None, false, Instant::now());
    let mut rounds = tokio::time::interval(ROUND);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while cancel.run_until_cancelled(rounds.tick()).await.is_some() {
        let done = appliance.notice_changes(&mut known, started.elapsed() >= SETTLED).await;
        if let Err(error) = &done
            && !failing
        {
            tracing::warn!(error = error.chain(), "failed to write notice, retrying");
        }
        failing = done.is_err();
    }
}

impl Appliance {
    /// The last time that the database was damaged and replaced by an older copy.
    pub async fn restoration(&self) -> Result<Option<Restoration>> {
        self.blocking(|a| a.device_state().restoration()).await
    }

    /// Writes a notice for every part whose state differs from the log. `known`: `None` before the log was read.
    async fn notice_changes(&self, known: &mut Option<Known>, settled: bool) -> Result<()> {
        let Known { standing, restoration } = match known {
            Some(known) => known,
            None => known.insert(self.blocking(Self::read_known).await?),
        };
        let mut findings = self.findings();
        findings.push(self.database(*restoration));
        if settled {
            findings.extend(removed(standing, &findings));
        }
        for Finding { part, camera, state } in findings {
            let (raised, reason) = match state {
                State::Works => (false, String::new()),
                State::Fails(why) => (true, why),
                State::Unknown => continue,
            };
            if raised == standing.contains(&part) {
                continue;
            }
            let Part { topic, subject } = part.clone();
            let notice = Notice { topic, subject, raised, reason };
            let entry = NewEntry { at: self.now(), camera, what: What::Notice(notice) };
            self.blocking(move |a| a.append(&entry)).await?;
            if raised {
                standing.insert(part)
            } else {
                standing.remove(&part)
            };
        }
        Ok(())
    }

    fn read_known(&self) -> Result<Known> {
        let standing = self.ports().log.standing_notices()?.into_iter();
        let standing = standing.map(|notice| Part { topic: notice.topic, subject: notice.subject }).collect();
        Ok(Known { standing, restoration: self.device_state().restoration()? })
    }

    fn database(&self, restoration: Option<Restoration>) -> Finding {
        let recent = restoration.filter(|restoration| restoration.is_recent(self.now()));
        let state = recent.map_or(State::Works, |recent| State::Fails(recent.describe(&self.time_zone())));
        Finding::new(Topic::Storage, DATABASE.to_owned(), state)
    }

    /// The state of every existing part.
    fn findings(&self) -> Vec<Finding> {
        let cameras = self.board().statuses().into_iter().map(|(camera, status)| Finding {
            camera: Some(camera),
            ..Finding::new(Topic::Camera, camera.to_string(), status.into())
        });
        let storage = self.storage_state().borrow().clone();
        let storage = Finding::new(Topic::Storage, String::new(), storage.into());
        let readers = self.readers();
        let readers = readers.into_iter().map(|(name, state)| Finding::new(Topic::Reader, name, state.into()));
        let feeds = self.feeds().into_iter().map(|feed| {
            let refused = || feed.failure.map(|(why, _)| why).unwrap_or_default();
            let state = if feed.stuck.is_some() { State::Fails(refused()) } else { State::Works };
            Finding::new(Topic::Feed, format!("{}/{}", feed.adapter, feed.feed), state)
        });
        let software = Finding::new(Topic::Software, String::new(), self.upgrade_state().into());
        cameras.chain([storage, software]).chain(readers).chain(feeds).collect()
    }
}

impl Finding {
    fn new(topic: Topic, subject: String, state: State) -> Self {
        Self { part: Part { topic, subject }, camera: None, state }
    }
}

impl From<CameraStatus> for State {
    fn from(status: CameraStatus) -> Self {
        match status {
            CameraStatus::Connecting => Self::Unknown,
            CameraStatus::Online => Self::Works,
            CameraStatus::Offline { reason } => Self::Fails(reason),
        }
    }
}

impl From<StorageState> for State {
    fn from(state: StorageState) -> Self {
        match state {
            StorageState::Working => Self::Works,
            StorageState::Full { reason } | StorageState::Failing { reason } => Self::Fails(reason),
        }
    }
}

impl From<ReaderState> for State {
    fn from(state: ReaderState) -> Self {
        match state {
            ReaderState::Starting => Self::Unknown,
            ReaderState::Ready => Self::Works,
            ReaderState::Lost(reason) => Self::Fails(reason),
        }
    }
}

impl From<UpgradeState> for State {
    fn from(state: UpgradeState) -> Self {
        match state {
            UpgradeState::None | UpgradeState::Succeeded { .. } => Self::Works,
            UpgradeState::Installing { .. } | UpgradeState::OnTrial { .. } => Self::Unknown,
            UpgradeState::Failed { why, .. } => Self::Fails(why),
        }
    }
}

/// The parts with a standing notice that no longer exist.
fn removed(standing: &BTreeSet<Part>, findings: &[Finding]) -> Vec<Finding> {
    let removed = standing.iter().filter(|part| !findings.iter().any(|finding| finding.part == **part));
    removed.map(|part| Finding { part: part.clone(), camera: None, state: State::Works }).collect()
}
