//! The face stage, from a camera's frames to records: detect, track, join tracks to visits, judge who they are of, decide.

mod best_shot;
mod description;
mod detection;
mod judgement;
mod presence;
mod verdict;
mod visit;
mod visits;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;

use super::board::Entry;
use super::duty::{Duty, Order};
use super::handle::Handle;
use super::pace::Pace;
use super::stage::{Answer, Stage};
use super::tracker::{Step, Tracker};
use crate::error::Error;
use crate::face::Detection;
use crate::frame::{Frame, Passing};
use crate::ports::Search;
use crate::time::Timestamp;
use description::describe;
use detection::Detector;
use judgement::{View, opinions};
use verdict::Decider;
use visit::{Look, VisitId};
use visits::{Comparison, Visits};

/// Shots that wait for an analyzer too busy to describe them; the oldest is given up beyond that.
const MAX_WAITING: usize = 64;

/// When a camera closes, a busy analyzer is asked again so often,
const LAST_TRIES: u32 = 20;
/// after so long.
const BETWEEN_TRIES: Duration = Duration::from_millis(100);

/// What one camera knows of the faces before it.
pub(super) struct FaceStage {
    handle: Handle,
    duty: Arc<Duty>,
    /// The watches that are armed, or were last.
    orders: Vec<Order>,
    entry: Arc<Entry>,
    detector: Detector,
    tracker: Tracker,
    step: Step,
    visits: Visits,
    decider: Decider,
    /// When the newest frame was taken.
    now: Timestamp,
}

impl FaceStage {
    pub(super) fn new(handle: Handle, duty: Arc<Duty>, entry: Arc<Entry>, pace: Arc<Pace>) -> Self {
        Self {
            duty,
            orders: Vec::new(),
            detector: Detector::new(handle.clone(), Arc::clone(&entry), pace),
            tracker: Tracker::default(),
            step: Step::default(),
            visits: Visits::default(),
            decider: Decider::new(handle.clone(), Arc::clone(&entry)),
            now: handle.now(),
            handle,
            entry,
        }
    }

    /// Takes a picture that the camera has chosen itself: whoever it shows is recorded at once.
    pub(super) async fn take_picture(&mut self, frame: &Frame, search: Search) {
        match self.detector.find_in_picture(frame, search).await {
            Ok(detections) => self.follow(frame, &detections),
            Err(error) => tracing::error!(error = error.chain(), "a delivered picture could not be analysed"),
        }
        self.visits.trust();
        self.finish().await;
    }

    /// Joins the detections to tracks, and these to visits.
    fn follow(&mut self, frame: &Frame, detections: &[Detection]) {
        let mode = self.duty.camera.settings.snap_mode;
        self.tracker.update(frame.at(), detections, &mut self.step);
        let mut passing = Passing::new(frame);
        for &(track, index) in &self.step.seen {
            self.entry.faces.count();
            let doubtful = self.tracker.doubtful(track);
            let visit = self.visits.of(track, frame.at(), mode);
            visit.see(&mut passing, &detections[index], doubtful);
            self.decider.recorded_mut().seen(visit.id, frame.at());
        }
        self.step.ended.iter().for_each(|track| self.visits.lose(track));
    }

    /// Describes the shots that wait, all at once so that the analyzer can put them together.
    async fn look_closely(&mut self) {
        let excess = self.visits.give_up_beyond(MAX_WAITING);
        if excess > 0 {
            tracing::error!(shots.lost = excess, "captures given up: the analyzer is too slow");
        }
        let wanted = self.visits.take_wanted();
        let analyzer = &*self.handle.ports().analyzer;
        let looks = join_all(wanted.iter().map(|(_, shot)| describe(analyzer, shot))).await;
        for ((visit, shot), look) in wanted.into_iter().zip(looks) {
            match look {
                Ok(look) => self.take_in(visit, look).await,
                Err(Error::Busy) => self.visits.give_back(visit, shot),
                Err(error) => tracing::error!(error = error.chain(), "a capture could not be analysed"),
            }
        }
    }

    /// Finds out whose look it is and who that may be, by all that was seen of the visitor.
    async fn take_in(&mut self, visit: VisitId, look: Look) {
        let track = self.visits.get(visit).and_then(|visit| visit.track);
        let doubtful = track.is_some_and(|track| self.tracker.doubtful(track));
        let own = self.duty.camera.watch.settings.rearm;
        let rearm = self.orders.iter().map(|order| order.settings.rearm).min().unwrap_or(own);
        let calibration = self.handle.ports().analyzer.calibration();
        let by = Comparison { calibration, rearm, live_from: self.handle.live_from() };
        let owner = self.visits.take_in(visit, look, doubtful, by);
        track.into_iter().for_each(|track| self.tracker.tell_apart(track));
        let Some(probe) = owner.and_then(|owner| self.visits.get(owner)?.probe().cloned()) else { return };
        let orders = self.orders.clone();
        match self.handle.blocking(move |handle| opinions(handle, &orders, &probe)).await {
            Ok(opinions) => {
                if let Some(visit) = owner.and_then(|owner| self.visits.get_mut(owner)) {
                    visit.weigh(opinions);
                }
            }
            Err(error) => tracing::error!(error = error.chain(), "a face could not be searched for"),
        }
    }
}

impl Stage for FaceStage {
    /// Whom a watch saw that is no longer kept is forgotten.
    fn take_up(&mut self, duty: Arc<Duty>) {
        self.orders.retain(|order| duty.keeps(order));
        self.decider.recorded_mut().keep_only(|watch| duty.knows(watch));
        self.duty = duty;
    }

    /// Nothing is to be looked for while no watch is armed.
    fn begin(&mut self, frame: &Frame) -> Option<Search> {
        self.now = frame.at();
        let armed = self.duty.armed(self.handle.local());
        if armed.is_empty() {
            return None;
        }
        self.orders = armed;
        Some(self.detector.search(&self.duty.camera, frame))
    }

    fn follows(&self) -> bool {
        !self.tracker.tracks().is_empty()
    }

    async fn look(&mut self, frame: &Frame, search: Search) -> Answer {
        let (found, answer) = self.detector.find(frame, search).await;
        found.iter().for_each(|detections| self.follow(frame, detections));
        answer
    }

    /// Looks closely at what waits for it, and decides what can be decided.
    async fn settle(&mut self) {
        self.look_closely().await;
        let (live_from, now) = (self.handle.live_from(), self.now);
        let recorded = self.decider.recorded();
        let view = View { visits: &self.visits, recorded, orders: &self.orders, now, live_from };
        for (visit, people) in view.who_is_who() {
            let Some(visit) = self.visits.get_mut(visit) else { continue };
            let decided = self.decider.decide(&self.duty.camera, visit, (&self.orders, &people), now).await;
            if let Err(error) = decided {
                tracing::error!(error = error.chain(), "a record could not be written");
            }
        }
        self.visits.forget_over(now);
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
        self.visits.clear();
    }
}
