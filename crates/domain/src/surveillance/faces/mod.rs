//! The face stage, from a camera's frames to records: detect, track, join tracks to visits, identify them, decide.

mod best_shot;
mod description;
mod detection;
mod judgement;
mod parallax;
mod passing;
mod presence;
mod turn;
mod verdict;
mod visit;
mod visits;
mod vote;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;

use super::board::Entry;
use super::config::{CameraConfig, CameraWatch};
use super::handle::Handle;
use super::motion::Motion;
use super::pace::Pace;
use super::stage::{Answer, Stage};
use super::tiles::{self, Plan};
use super::tracker::{Step, Tracker};
use crate::calibration::Matching;
use crate::camera::SnapMode;
use crate::error::{Error, Result};
use crate::face::Detection;
use crate::frame::Frame;
use crate::ports::Search;
use crate::time::Timestamp;
pub(super) use best_shot::MIN_QUALITY;
use description::describe;
use detection::Detector;
use judgement::View;
pub(super) use judgement::opinions;
use passing::{Passing, Unencoded};
use verdict::Decider;
use visit::{Look, VisitId};
use visits::{Comparison, Visits};

/// Maximum number of shots waiting to be described by a busy analyzer; beyond that the oldest is dropped.
const MAX_WAITING: usize = 64;

/// Maximum number of retries while the analyzer is busy when a camera closes.
const LAST_TRIES: u32 = 20;
/// Interval between those retries.
const BETWEEN_TRIES: Duration = Duration::from_millis(100);

/// The face stage of one camera.
pub(super) struct FaceStage {
    handle: Handle,
    config: Arc<CameraConfig>,
    /// The watches that are armed, or those that were armed last.
    watches: Vec<CameraWatch>,
    entry: Arc<Entry>,
    detector: Detector,
    tracker: Tracker,
    step: Step,
    visits: Visits,
    decider: Decider,
    /// The scene of the newest frame, while shots in it wait for it.
    scene: Option<Unencoded>,
    /// Time of the newest frame.
    now: Timestamp,
    /// Why a person of the delivered picture was not recorded.
    failure: Option<Error>,
}

impl FaceStage {
    pub(super) fn new(handle: Handle, config: Arc<CameraConfig>, entry: Arc<Entry>, pace: Arc<Pace>) -> Self {
        Self {
            config,
            watches: Vec::new(),
            detector: Detector::new(handle.clone(), Arc::clone(&entry), pace),
            tracker: Tracker::default(),
            step: Step::default(),
            visits: Visits::default(),
            decider: Decider::new(handle.clone(), Arc::clone(&entry)),
            scene: None,
            now: handle.now(),
            failure: None,
            handle,
            entry,
        }
    }

    /// Analyses a picture that the camera has selected itself; the people in it are recorded at once.
    ///
    /// # Errors
    /// When it cannot be analysed, or a person in it was not recorded; that is logged, too.
    pub(super) async fn take_picture(&mut self, frame: &Frame, search: Search) -> Result<()> {
        self.failure = None;
        match self.detector.find_in_picture(frame, search).await {
            Ok(detections) => self.follow(frame, &detections),
            Err(error) => self.fail(error, "failed to analyse delivered picture"),
        }
        self.visits.trust();
        self.finish().await;
        self.failure.take().map_or(Ok(()), Err)
    }

    fn fail(&mut self, error: Error, what: &'static str) {
        tracing::error!(error = error.chain(), "{what}");
        self.failure = Some(error);
    }

    /// Joins the detections to tracks, and the tracks to visits.
    fn follow(&mut self, frame: &Frame, detections: &[Detection]) {
        let (mode, early) = (self.config.camera.settings.snap_mode, self.decides_early());
        self.tracker.update(frame.at(), detections, &mut self.step);
        let analyzer = Arc::clone(&self.handle.ports().analyzer);
        let surroundings = |frame: &Frame, face: &Detection| analyzer.surroundings(frame, face);
        let mut passing = Passing::new(frame, &surroundings);
        for &(track, index) in &self.step.seen {
            self.entry.faces.count();
            let doubtful = self.tracker.doubtful(track);
            let visit = self.visits.of(track, frame.at(), mode);
            visit.see(&mut passing, &detections[index], doubtful, early);
            self.decider.recorded_mut().seen(visit.id, frame.at());
        }
        self.scene = passing.unencoded();
        self.step.ended.iter().for_each(|track| self.visits.lose(track));
    }

    /// Describes the waiting shots and, meanwhile, encodes the scene of the newest. A record without its scene is better
    /// than none.
    async fn describe_newest(&mut self) {
        let (analyzer, scene) = (Arc::clone(&self.handle.ports().analyzer), self.scene.take());
        let encoding = async {
            let Some(scene) = scene else { return };
            if let Err(error) = scene.encode(&*analyzer).await {
                tracing::error!(error = error.chain(), "failed to encode scene");
            }
        };
        tokio::join!(encoding, self.describe_waiting());
    }

    /// How faces are matched. Where a face opens a door, no threshold falls below what was set.
    fn matching(&self) -> Matching {
        let matching = self.handle.matching();
        let thresholds_fall = matching.thresholds_fall && !self.opens_doors();
        Matching { thresholds_fall, ..matching }
    }

    fn opens_doors(&self) -> bool {
        self.handle.doorkeeper().waits_for_faces(self.config.opens_relay)
    }

    /// Whether somebody waits for the decision: by the camera's mode, or at a door.
    fn decides_early(&self) -> bool {
        let first = self.config.camera.settings.snap_mode == SnapMode::First;
        first || self.opens_doors()
    }

    /// Describes the waiting shots, concurrently so that the analyzer can batch them.
    async fn describe_waiting(&mut self) {
        let excess = self.visits.drop_beyond(MAX_WAITING);
        if excess > 0 {
            tracing::error!(count = excess, reason = "analyzer too slow", "shots dropped");
        }
        let wanted = self.visits.take_wanted();
        let tracks: Vec<_> = wanted.iter().map(|(visit, _)| self.visits.get(*visit)?.track).collect();
        let analyzer = &*self.handle.ports().analyzer;
        let looks = join_all(wanted.iter().map(|(_, shot)| describe(analyzer, shot))).await;
        for (((visit, shot), look), track) in wanted.into_iter().zip(looks).zip(tracks) {
            // A shot shows the face of its track, which another visit may have got by an earlier look.
            let visit = self.visits.following(track).unwrap_or(visit);
            match look {
                Ok(look) => self.take_in(visit, look).await,
                Err(Error::Busy) => self.visits.give_back(visit, shot),
                Err(error) => self.fail(error, "failed to describe shot, shot dropped"),
            }
        }
    }

    /// Adds a look to the visit that it belongs to, and searches the gallery with all looks of that visit.
    async fn take_in(&mut self, visit: VisitId, look: Look) {
        let track = self.visits.get(visit).and_then(|visit| visit.track);
        let doubtful = track.is_some_and(|track| self.tracker.doubtful(track));
        let own = self.config.camera.watch.settings.rearm;
        let rearm = self.watches.iter().map(|watch| watch.settings.rearm).min().unwrap_or(own);
        let calibration = self.handle.ports().analyzer.calibration();
        let by = Comparison { calibration, rearm, live_from: self.handle.live_from() };
        let (owner, turned) = self.visits.take_in(visit, look, doubtful, by).unzip();
        turned.flatten().into_iter().for_each(|arrival| self.handle.doorkeeper().report(arrival));
        track.into_iter().for_each(|track| self.tracker.verify(track));
        let matching = self.matching();
        let Some(owner) = owner.and_then(|owner| self.visits.get_mut(owner)) else { return };
        let (watches, probes) = (self.watches.clone(), owner.probes(matching.each_look, by.live_from));
        match self.handle.blocking(move |handle| Ok(opinions(handle, &watches, &probes, matching))).await {
            Ok(opinions) => owner.weigh(opinions),
            Err(error) => tracing::error!(error = error.chain(), "failed to search the gallery"),
        }
    }
}

impl Stage for FaceStage {
    /// Forgets the visitors that watches which no longer apply have recorded.
    fn configure(&mut self, config: Arc<CameraConfig>) {
        self.watches.retain(|watch| config.still_applies(watch));
        self.decider.recorded_mut().keep_only(|watch| config.has_watch(watch));
        self.config = config;
    }

    /// `None` while no watch is armed.
    fn begin(&mut self, frame: &Frame) -> Option<Search> {
        self.now = frame.at();
        let armed = self.config.armed(self.handle.local());
        if armed.is_empty() {
            return None;
        }
        self.watches = armed;
        Some(self.detector.search(&self.config.camera, frame))
    }

    fn aim(&self, frame: &Frame, search: Search, motion: Motion) -> Option<Search> {
        let Motion::In(changes) = motion else { return Some(search) };
        let (whole, smallest) = (tiles::whole(frame, &search), search.min_face_px as f32);
        match tiles::plan((&whole, &frame.bounds()), smallest, changes, self.tracker.expected(frame.at())) {
            Plan::Nothing => None,
            Plan::Tiles(tiles) => Some(Search { tiles: Some(tiles), ..search }),
            Plan::Whole => Some(search),
        }
    }

    async fn look(&mut self, frame: &Frame, search: Search) -> Answer {
        let (found, answer) = self.detector.find(frame, search).await;
        found.iter().for_each(|detections| self.follow(frame, detections));
        answer
    }

    /// Describes the waiting shots, and decides the visits that are ready.
    async fn settle(&mut self) {
        self.describe_newest().await;
        let (live_from, now) = (self.handle.live_from(), self.now);
        if self.decides_early() {
            self.visits.hasten(live_from);
        }
        let recorded = self.decider.recorded();
        let view = View { visits: &self.visits, recorded, watches: &self.watches, now, live_from };
        for (visit, people) in view.identify() {
            let Some(visit) = self.visits.get_mut(visit) else { continue };
            let decided = self.decider.decide(&self.config.camera, visit, (&self.watches, &people), now).await;
            match decided {
                Ok(true) => {}
                Ok(false) => self.failure = Some(Error::Busy),
                Err(error) => self.fail(error, "failed to write record"),
            }
        }
        self.visits.remove_over(now);
    }

    async fn finish(&mut self) {
        for track in self.tracker.finish() {
            self.visits.lose(&track);
        }
        self.visits.close(self.now);
        self.settle().await;
        for _ in 0..LAST_TRIES {
            if self.visits.iter().all(|visit| visit.wanted.is_none()) {
                break;
            }
            tokio::time::sleep(BETWEEN_TRIES).await;
            self.settle().await;
        }
        if self.visits.iter().any(|visit| visit.wanted.is_some()) {
            self.failure = Some(Error::Busy);
        }
        self.visits.clear();
    }
}
