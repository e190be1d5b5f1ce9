//! From a camera's frames to records: detect, track, look closely, search, judge, commit.

mod passes;
mod pictures;
mod verdict;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::watch;

use super::best_shot::{Shot, Standing};
use super::board::Entry;
use super::duty::{Duty, Order};
use super::judgement::{Answer, Question, answers, draft, opinions};
use super::motion::MotionGate;
use super::pace::Pace;
use super::presence::{Stay, Visitor, Visitors};
use super::tracker::{Step, Tracker};
use super::visit::{Look, Opinion, Visit, VisitId};
use super::visits::{Comparison, Visits};
use crate::frame::{Frame, Passing};
use crate::ports::{Lane, Search};
use crate::{
    Appliance, Arrival, Embedding, Error, Match, Pass, PersonId, Record, Result, Similarity, Timestamp, Verdict,
    WatchId, rules,
};

/// Shots that wait for an analyzer too busy to describe them; the oldest is given up beyond that.
const MAX_WAITING: usize = 64;

/// When a camera closes, a busy analyzer is asked again so often,
const LAST_TRIES: u32 = 20;
/// after so long.
const BETWEEN_TRIES: Duration = Duration::from_millis(100);

/// A person and how alike.
type Choice = (PersonId, Similarity);

/// What one camera knows of the faces before it.
pub(super) struct Recogniser {
    appliance: Appliance,
    configured: watch::Receiver<Duty>,
    duty: Duty,
    /// The watches that are armed, or were last.
    orders: Vec<Order>,
    entry: Arc<Entry>,
    pace: Arc<Pace>,
    gate: MotionGate,
    tracker: Tracker,
    step: Step,
    visits: Visits,
    /// Whom each watch has recorded.
    visitors: HashMap<WatchId, Visitors>,
    /// When the newest frame was taken.
    now: Timestamp,
}

impl Recogniser {
    pub(super) fn new(
        appliance: Appliance,
        configured: watch::Receiver<Duty>,
        entry: Arc<Entry>,
        pace: Arc<Pace>,
    ) -> Self {
        let duty = configured.borrow().clone();
        Self {
            now: appliance.now(),
            appliance,
            configured,
            duty,
            orders: Vec::new(),
            entry,
            pace,
            gate: MotionGate::default(),
            tracker: Tracker::default(),
            step: Step::default(),
            visits: Visits::default(),
            visitors: HashMap::new(),
        }
    }

    /// Takes one frame; frames come in order of time. Failures are logged: the next frame is a new chance.
    pub(super) async fn look_at(&mut self, frame: Frame) {
        if !self.begin(&frame) {
            return self.finish().await;
        }
        let search = self.search(&frame);
        // A face that stands still keeps its track only when it is found again.
        if self.gate.is_open(&frame, &search) || !self.tracker.tracks().is_empty() {
            self.look_for_faces(&frame, search).await;
        } else {
            self.entry.frames_still.count();
        }
        self.judge().await;
    }

    /// Goes on with this frame by the newest configuration; answers whether any watch is armed.
    fn begin(&mut self, frame: &Frame) -> bool {
        self.now = frame.at();
        if self.configured.has_changed().unwrap_or(false) {
            let duty = self.configured.borrow_and_update().clone();
            self.take_up(duty);
        }
        let armed = self.duty.armed(self.now_in_zone());
        let any = !armed.is_empty();
        if any {
            self.orders = armed;
        }
        any
    }

    async fn look_for_faces(&mut self, frame: &Frame, search: Search) {
        self.entry.looked(self.pace.interval(), search.detail);
        match self.detect(frame, search).await {
            Ok(detections) => {
                self.gate.searched(frame.at());
                self.follow(frame, &detections);
            }
            Err(Error::Busy) => {}
            Err(error) => tracing::error!(error = error.chain(), "a frame could not be analysed"),
        }
    }

    /// Ends all tracks and records what was not recorded yet.
    pub(super) async fn finish(&mut self) {
        for track in self.tracker.finish() {
            self.visits.lose(&track);
        }
        self.visits.close(self.now);
        self.judge().await;
        for _ in 0..LAST_TRIES {
            if self.visits.iter().all(|visit| visit.wanted.is_none()) {
                break;
            }
            tokio::time::sleep(BETWEEN_TRIES).await;
            self.judge().await;
        }
        self.visits.clear();
    }

    /// Keeps to a changed duty. Whom a watch saw that is no longer kept is forgotten.
    fn take_up(&mut self, duty: Duty) {
        self.orders.retain(|order| duty.keeps(order));
        self.visitors.retain(|watch, _| duty.knows(*watch));
        self.duty = duty;
    }

    fn now_in_zone(&self) -> jiff::civil::DateTime {
        self.appliance.now().in_zone(&self.appliance.time_zone())
    }

    fn search(&self, frame: &Frame) -> Search {
        let settings = &self.duty.camera.settings;
        let area = self.appliance.camera_defaults().area.filter(|_| !self.duty.camera.own.region);
        Search {
            region: area.map_or(settings.region, |area| area.in_picture((frame.width(), frame.height()))),
            min_face_px: settings.min_face_px,
            max_face_px: settings.max_face_px,
            detail: self.pace.detail(),
        }
    }

    async fn detect(&self, frame: &Frame, search: Search) -> Result<Vec<crate::Detection>> {
        let asked = tokio::time::Instant::now();
        let detections = self.appliance.ports().analyzer.detect(frame.clone(), search, Lane::Live).await;
        match &detections {
            Err(Error::Busy) => self.pace.refused(),
            _ => self.pace.answered(asked.elapsed()),
        }
        detections
    }

    /// Joins the detections to tracks, and these to visits.
    fn follow(&mut self, frame: &Frame, detections: &[crate::Detection]) {
        let mode = self.duty.camera.settings.snap_mode;
        self.tracker.update(frame.at(), detections, &mut self.step);
        let mut passing = Passing::new(frame);
        for &(track, index) in &self.step.seen {
            self.entry.faces.count();
            let doubtful = self.tracker.doubtful(track);
            let visit = self.visits.of(track, frame.at(), mode);
            visit.see(&mut passing, &detections[index], doubtful);
            self.visitors.values_mut().for_each(|visitors| visitors.seen(visit.id, frame.at()));
        }
        self.step.ended.iter().for_each(|track| self.visits.lose(track));
    }

    /// Looks closely at what waits for it, and decides what can be decided.
    async fn judge(&mut self) {
        self.look_closely().await;
        for (visit, people) in self.who_is_who() {
            if let Err(error) = self.decide(visit, &people).await {
                tracing::error!(error = error.chain(), "a record could not be written");
            }
        }
        self.visits.forget_over(self.now);
    }

    /// Describes the shots that wait, all at once so that the analyzer can put them together.
    async fn look_closely(&mut self) {
        let excess = self.visits.give_up_beyond(MAX_WAITING);
        if excess > 0 {
            tracing::error!(shots.lost = excess, "captures given up: the analyzer is too slow");
        }
        let wanted = self.visits.take_wanted();
        let looks = join_all(wanted.iter().map(|(_, shot)| self.describe(shot))).await;
        for ((visit, shot), look) in wanted.into_iter().zip(looks) {
            match look {
                Ok(look) => self.take_in(visit, look).await,
                Err(Error::Busy) => self.visits.give_back(visit, shot),
                Err(error) => tracing::error!(error = error.chain(), "a capture could not be analysed"),
            }
        }
    }

    /// Describes the face and makes its pictures meanwhile, for the frame is not kept.
    async fn describe(&self, shot: &Shot) -> Result<Look> {
        let analyzer = &self.appliance.ports().analyzer;
        let part = shot.detection.face_box.scaled(crate::CROP_SCALE);
        let encode = |part| analyzer.encode(shot.frame.clone(), part);
        let faces = analyzer.describe(shot.frame.clone(), vec![shot.detection.clone()], Lane::Live);
        let (faces, crop, scene) = tokio::try_join!(faces, encode(Some(part)), encode(None))?;
        let face = faces.into_iter().next().ok_or(Error::NoFace)?;
        Ok(Look { at: shot.frame.at(), quality: shot.quality(), face, crop, scene })
    }

    /// Finds out whose look it is and who that may be, by all that was seen of the visitor.
    async fn take_in(&mut self, visit: VisitId, look: Look) {
        let track = self.visits.get(visit).and_then(|visit| visit.track);
        let doubtful = track.is_some_and(|track| self.tracker.doubtful(track));
        let analyzer = &self.appliance.ports().analyzer;
        let own = self.duty.camera.watch.settings.rearm;
        let rearm = self.orders.iter().map(|order| order.settings.rearm).min().unwrap_or(own);
        let by = Comparison { calibration: analyzer.calibration(), rearm, live_from: self.appliance.live_from() };
        let owner = self.visits.take_in(visit, look, doubtful, by);
        track.into_iter().for_each(|track| self.tracker.tell_apart(track));
        let Some(probe) = owner.and_then(|owner| self.visits.get(owner)?.probe().cloned()) else { return };
        let orders = self.orders.clone();
        match self.appliance.blocking(move |a| opinions(a, &orders, &probe)).await {
            Ok(opinions) => {
                if let Some(visit) = owner.and_then(|owner| self.visits.get_mut(owner)) {
                    visit.weigh(opinions);
                }
            }
            Err(error) => tracing::error!(error = error.chain(), "a face could not be searched for"),
        }
    }

    /// The visits that are to be decided, each with whom every watch takes it for.
    fn who_is_who(&self) -> Vec<(VisitId, HashMap<WatchId, Choice>)> {
        let ripe: Vec<_> = self.visits.iter().filter(|visit| visit.ripe(self.now)).map(|visit| visit.id).collect();
        if ripe.is_empty() {
            return Vec::new();
        }
        let chosen: Vec<_> = self.orders.iter().map(|order| (order.watch, self.who_is_who_for(order.watch))).collect();
        let choices = |visit| {
            let of = |(watch, chosen): &(WatchId, Vec<(VisitId, Choice)>)| {
                chosen.iter().find(|(other, _)| *other == visit).map(|(_, choice)| (*watch, *choice))
            };
            chosen.iter().filter_map(of).collect()
        };
        ripe.into_iter().map(|visit| (visit, choices(visit))).collect()
    }

    /// Gives every visit that is to be decided the watch's best candidate that no other face has; the surest pair
    /// chooses first, and a visit that is sure of somebody keeps the person until it is decided itself.
    fn who_is_who_for(&self, watch: WatchId) -> Vec<(VisitId, Choice)> {
        let claims = |visit: &Visit, opinion: &Opinion| {
            let sure = visit.standing_of(opinion) == Standing::Sure;
            visit.ripe(self.now) || sure && visit.shots.undecided()
        };
        let of = |visit: &Visit| {
            let opinion = visit.opinion(watch).filter(|opinion| claims(visit, opinion));
            let candidates = opinion.map_or(&[][..], |opinion| &opinion.candidates);
            candidates.iter().map(|candidate| (visit.id, *candidate)).collect::<Vec<_>>()
        };
        let mut pairs: Vec<_> = self.visits.iter().flat_map(of).collect();
        pairs.sort_by(|a, b| b.1.1.value().total_cmp(&a.1.1.value()));
        let mut chosen: Vec<(VisitId, Choice)> = Vec::new();
        let mut given = HashSet::new();
        for (visit, (person, similarity)) in pairs {
            let served = chosen.iter().any(|(other, _)| *other == visit);
            let visitors = self.visitors.get(&watch);
            let taken = visitors.is_some_and(|known| known.taken(person, visit, |other| self.in_view(other)));
            // A picture of somebody does not take the person's place.
            let free = !self.is_living(visit) || !taken && given.insert(person);
            if !served && free {
                chosen.push((visit, (person, similarity)));
            }
        }
        chosen
    }

    fn is_living(&self, visit: VisitId) -> bool {
        let best = self.visits.get(visit).and_then(|visit| visit.best.as_ref());
        let score = best.and_then(|look| look.face.liveness);
        rules::is_living(self.appliance.live_from(), score)
    }

    fn in_view(&self, visit: VisitId) -> bool {
        self.visits.get(visit).is_some_and(|visit| visit.track.is_some())
    }

    /// Judges a visit and commits its record, unless every watch recorded the visitor a moment ago.
    async fn decide(&mut self, id: VisitId, chosen: &HashMap<WatchId, Choice>) -> Result<()> {
        let living = self.is_living(id);
        let Some(visit) = self.visits.get_mut(id) else { return Ok(()) };
        let stay = Stay { first_seen: visit.first_seen, last_seen: visit.last_seen };
        let (Some(look), Some(probe)) = (visit.best.take(), visit.probe().cloned()) else { return Ok(()) };
        let questions: Vec<_> = self.orders.iter().filter_map(|order| question(visit, order, chosen)).collect();
        visit.decided(self.now);
        let at = look.at;
        let answers = self.appliance.blocking(move |a| answers(a, questions, at)).await?;
        let Some(news) = self.news(answers, &probe, living, (id, stay)) else { return Ok(()) };
        let Some(verdict) = self.verdict(living, news.first(), &look) else { return Ok(()) };
        let (verdict, pass) = self.pass(id, verdict, news.first()).await;
        self.let_in(verdict, pass, news.first(), stay);
        let kept = self.keep(look, stay, news, verdict).await;
        // A visitor whose record was lost is news again.
        let committed = kept.inspect_err(|_| self.visitors.values_mut().for_each(|visitors| visitors.forget(id)))?;
        self.entry.records.count();
        committed.iter().for_each(log_record);
        Ok(())
    }

    /// The answers of the watches to which the visitor is news, after that of the camera's own; `None` when it is news
    /// to nobody. In timed mode a visit is recorded again and again by intention.
    fn news(
        &mut self,
        answers: Vec<Answer>,
        probe: &Embedding,
        living: bool,
        (visit, stay): (VisitId, Stay),
    ) -> Option<Vec<Answer>> {
        let calibration = self.appliance.ports().analyzer.calibration();
        let timed = self.duty.camera.settings.snap_mode == crate::SnapMode::Timed;
        let (mut news, mut told) = (false, Vec::new());
        for mut answer in answers {
            let visitor = match answer.answer.accepted() {
                _ if !living => Visitor::Spoof(probe.clone()),
                Some(candidate) => Visitor::Person(candidate.person),
                None => Visitor::Stranger(probe.clone()),
            };
            let visitors = self.visitors.entry(answer.order.watch).or_default();
            let fresh = visitors.arrive(visitor, visit, stay, answer.order.settings.rearm, calibration);
            answer.is_news &= fresh || timed;
            news |= answer.is_news;
            told.extend(Some(answer).filter(|answer| answer.is_news || answer.order.task.is_none()));
        }
        news.then_some(told)
    }

    /// Opens the doors to a person known to the camera's own watch; before the record is written, for nobody waits for a
    /// disk. What is news to a task only opens nothing.
    fn let_in(&self, verdict: Verdict, pass: Pass, first: Option<&Answer>, stay: Stay) {
        let own = first.filter(|first| first.order.task.is_none() && first.is_news && verdict == Verdict::Known);
        let Some(known) = own.and_then(|own| own.answer.accepted()) else { return };
        let (person, similarity) = (known.person, known.similarity);
        let camera = self.duty.camera.id;
        self.appliance.let_in(Arrival { person, camera, similarity, seen: stay.last_seen, pass });
    }

    /// Commits the record, or keeps it until the store takes it again.
    async fn keep(&self, look: Look, stay: Stay, news: Vec<Answer>, verdict: Verdict) -> Result<Option<Record>> {
        let matches: Vec<Match> = news.into_iter().map(|news| news.answer).collect();
        let draft = draft(&self.duty.camera, look, stay, matches, verdict);
        self.appliance.blocking(move |a| a.keep_record(draft)).await
    }
}

/// What a watch is to be asked of a visit. A task that was started while the visit lasted has not looked at it.
fn question(visit: &Visit, order: &Order, chosen: &HashMap<WatchId, Choice>) -> Option<Question> {
    let opinion = visit.opinion(order.watch);
    if opinion.is_none() && order.task.is_some() {
        return None;
    }
    let threshold = opinion.map_or(order.settings.threshold, |opinion| opinion.threshold);
    Some(Question { order: order.clone(), threshold, best: chosen.get(&order.watch).copied() })
}

fn log_record(record: &Record) {
    let similarity = record.own_match().and_then(|m| m.best.as_ref()).map(|best| best.similarity.value());
    tracing::info!(record.seq = record.seq.0, record.verdict = ?record.verdict, record.similarity = similarity, "record");
}
