//! From a camera's frames to records: detect, track, look closely, search, judge, commit.

mod pictures;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use tokio::sync::watch;

use super::best_shot::{Shot, Standing};
use super::board::Entry;
use super::motion::MotionGate;
use super::pace::Pace;
use super::presence::{Stay, Visitor, Visitors};
use super::tracker::{Step, Tracker};
use super::visit::{Look, Visit, VisitId};
use super::visits::{Comparison, Visits};
use crate::frame::{Frame, Passing};
use crate::gallery::{Query, Scope};
use crate::ports::{Lane, Search};
use crate::{
    Appliance, Arrival, Calibration, Camera, Capture, CaptureId, CaptureKind, Draft, Embedding, Error, Face,
    LibraryFilter, Match, NewRecord, Person, PersonId, Record, Result, Similarity, Timestamp, Verdict, WatchSettings,
    rules,
};

/// Candidates asked of the gallery: the best may already be in view elsewhere in the frame.
const CANDIDATES: usize = 5;
/// Shots that wait for an analyzer too busy to describe them; the oldest is given up beyond that.
const MAX_WAITING: usize = 64;

/// When a camera closes, a busy analyzer is asked again so often,
const LAST_TRIES: u32 = 20;
/// after so long.
const BETWEEN_TRIES: Duration = Duration::from_millis(100);

/// What one camera knows of the faces before it.
pub(super) struct Recogniser {
    appliance: Appliance,
    configured: watch::Receiver<Camera>,
    camera: Camera,
    entry: Arc<Entry>,
    pace: Arc<Pace>,
    gate: MotionGate,
    tracker: Tracker,
    step: Step,
    visits: Visits,
    visitors: Visitors,
    /// When the newest frame was taken.
    now: Timestamp,
}

impl Recogniser {
    pub(super) fn new(
        appliance: Appliance,
        configured: watch::Receiver<Camera>,
        entry: Arc<Entry>,
        pace: Arc<Pace>,
    ) -> Self {
        let camera = configured.borrow().clone();
        Self {
            now: appliance.now(),
            appliance,
            configured,
            camera,
            entry,
            pace,
            gate: MotionGate::default(),
            tracker: Tracker::default(),
            step: Step::default(),
            visits: Visits::default(),
            visitors: Visitors::default(),
        }
    }

    /// Takes one frame; frames come in order of time. Failures are logged: the next frame is a new chance.
    pub(super) async fn look_at(&mut self, frame: Frame) {
        self.begin(&frame);
        if !self.armed() {
            return self.finish().await;
        }
        let search = self.search();
        // A face that stands still keeps its track only when it is found again.
        if self.gate.is_open(&frame, &search) || !self.tracker.tracks().is_empty() {
            self.look_for_faces(&frame, search).await;
        } else {
            self.entry.frames_still.count();
        }
        self.judge().await;
    }

    fn begin(&mut self, frame: &Frame) {
        self.now = frame.at();
        if self.configured.has_changed().unwrap_or(false) {
            self.camera = self.configured.borrow_and_update().clone();
        }
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

    fn armed(&self) -> bool {
        let watch = &self.camera.watch.settings;
        watch.enabled && watch.plan.covers(&self.appliance.now().in_zone(&self.appliance.time_zone()))
    }

    fn search(&self) -> Search {
        let settings = &self.camera.settings;
        Search {
            region: settings.region,
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
        let mode = self.camera.settings.snap_mode;
        self.tracker.update(frame.at(), detections, &mut self.step);
        let mut passing = Passing::new(frame);
        for &(track, index) in &self.step.seen {
            self.entry.faces.count();
            let doubtful = self.tracker.doubtful(track);
            let visit = self.visits.of(track, frame.at(), mode);
            visit.see(&mut passing, &detections[index], doubtful);
            self.visitors.seen(visit.id, frame.at());
        }
        self.step.ended.iter().for_each(|track| self.visits.lose(track));
    }

    /// Looks closely at what waits for it, and decides what can be decided.
    async fn judge(&mut self) {
        self.look_closely().await;
        for (visit, person) in self.who_is_who() {
            if let Err(error) = self.decide(visit, person).await {
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
        let faces = join_all(wanted.iter().map(|(_, shot)| self.describe(shot))).await;
        for ((visit, shot), face) in wanted.into_iter().zip(faces) {
            match face {
                Ok(face) => self.take_in(visit, Look { shot, face }).await,
                Err(Error::Busy) => self.visits.give_back(visit, shot),
                Err(error) => tracing::error!(error = error.chain(), "a capture could not be analysed"),
            }
        }
    }

    async fn describe(&self, shot: &Shot) -> Result<Face> {
        let analyzer = &self.appliance.ports().analyzer;
        let faces = analyzer.describe(shot.frame.clone(), vec![shot.detection.clone()], Lane::Live).await?;
        faces.into_iter().next().ok_or(Error::NoFace)
    }

    /// Finds out whose look it is and who that may be, by all that was seen of the visitor.
    async fn take_in(&mut self, visit: VisitId, look: Look) {
        let track = self.visits.get(visit).and_then(|visit| visit.track);
        let doubtful = track.is_some_and(|track| self.tracker.doubtful(track));
        let analyzer = &self.appliance.ports().analyzer;
        let rearm = self.camera.watch.settings.rearm;
        let by = Comparison { calibration: analyzer.calibration(), rearm, live_from: self.appliance.live_from() };
        let owner = self.visits.take_in(visit, look, doubtful, by);
        track.into_iter().for_each(|track| self.tracker.tell_apart(track));
        let Some(probe) = owner.and_then(|owner| self.visits.get(owner)?.probe().cloned()) else { return };
        let camera = self.camera.clone();
        match self.appliance.blocking(move |a| candidates(a, &camera, &probe)).await {
            Ok((candidates, threshold)) => {
                if let Some(visit) = owner.and_then(|owner| self.visits.get_mut(owner)) {
                    visit.weigh(candidates, threshold);
                }
            }
            Err(error) => tracing::error!(error = error.chain(), "a face could not be searched for"),
        }
    }

    /// Gives every visit that is to be decided its best candidate that no other face has; the surest pair chooses
    /// first, and a visit that is sure of somebody keeps the person until it is decided itself.
    fn who_is_who(&self) -> Vec<(VisitId, Option<(PersonId, Similarity)>)> {
        let ripe: Vec<_> = self.visits.iter().filter(|visit| visit.ripe(self.now)).collect();
        let claims =
            |visit: &&Visit| visit.ripe(self.now) || visit.standing == Standing::Sure && visit.shots.undecided();
        let of =
            |visit: &Visit| visit.candidates.iter().map(move |candidate| (visit.id, *candidate)).collect::<Vec<_>>();
        let mut pairs: Vec<_> = self.visits.iter().filter(claims).flat_map(of).collect();
        pairs.sort_by(|a, b| b.1.1.value().total_cmp(&a.1.1.value()));
        let mut chosen: Vec<(VisitId, (PersonId, Similarity))> = Vec::new();
        let mut given = HashSet::new();
        for (visit, (person, similarity)) in pairs {
            let served = chosen.iter().any(|(other, _)| *other == visit);
            let taken = self.visitors.taken(person, visit, |other| self.in_view(other));
            // A picture of somebody does not take the person's place.
            let free = !self.is_living(visit) || !taken && given.insert(person);
            if !served && free {
                chosen.push((visit, (person, similarity)));
            }
        }
        let choice = |id| chosen.iter().find(|(visit, _)| *visit == id).map(|(_, choice)| *choice);
        ripe.into_iter().map(|visit| (visit.id, choice(visit.id))).collect()
    }

    fn is_living(&self, visit: VisitId) -> bool {
        let best = self.visits.get(visit).and_then(|visit| visit.best.as_ref());
        let score = best.and_then(|look| look.face.liveness);
        rules::is_living(self.appliance.live_from(), score)
    }

    fn in_view(&self, visit: VisitId) -> bool {
        self.visits.get(visit).is_some_and(|visit| visit.track.is_some())
    }

    /// Judges a visit and commits its record, unless the visitor was recorded a moment ago.
    async fn decide(&mut self, id: VisitId, best: Option<(PersonId, Similarity)>) -> Result<()> {
        let living = self.is_living(id);
        let Some(visit) = self.visits.get_mut(id) else { return Ok(()) };
        let (threshold, stay) = (visit.threshold, Stay { first_seen: visit.first_seen, last_seen: visit.last_seen });
        let (Some(look), Some(probe)) = (visit.best.take(), visit.probe().cloned()) else { return Ok(()) };
        visit.decided(self.now);
        let camera = self.camera.clone();
        let (answer, person) = self.appliance.blocking(move |a| answer(a, &camera, threshold, best)).await?;
        let visitor = match answer.accepted() {
            _ if !living => Visitor::Spoof(probe),
            Some(candidate) => Visitor::Person(candidate.person),
            None => Visitor::Stranger(probe),
        };
        if !self.is_news(visitor, id, stay) {
            return Ok(());
        }
        let verdict = self.verdict(living, &answer, person.as_ref(), &look);
        self.let_in(verdict, &answer, stay);
        let kept = self.keep(look, stay, answer, verdict).await;
        // A visitor whose record was lost is news again.
        let committed = kept.inspect_err(|_| self.visitors.forget(id))?;
        self.entry.records.count();
        committed.iter().for_each(log_record);
        Ok(())
    }

    /// In timed mode a visit is recorded again and again by intention.
    fn is_news(&mut self, visitor: Visitor, visit: VisitId, stay: Stay) -> bool {
        let rearm = self.camera.watch.settings.rearm;
        let calibration = self.appliance.ports().analyzer.calibration();
        let news = self.visitors.arrive(visitor, visit, stay, rearm, calibration);
        news || self.camera.settings.snap_mode == crate::SnapMode::Timed
    }

    fn verdict(&self, living: bool, answer: &Match, person: Option<&Person>, look: &Look) -> Verdict {
        if !living {
            return Verdict::Spoof;
        }
        rules::verdict(answer, person, look.shot.frame.at(), &self.appliance.time_zone())
    }

    /// Opens the doors to a known person; before the record is written, for nobody waits for a disk.
    fn let_in(&self, verdict: Verdict, answer: &Match, stay: Stay) {
        let Some(known) = answer.accepted().filter(|_| verdict == Verdict::Known) else { return };
        let (person, similarity) = (known.person, known.similarity);
        self.appliance.let_in(Arrival { person, camera: self.camera.id, similarity, seen: stay.last_seen });
    }

    /// Commits the record, or keeps it until the store takes it again.
    async fn keep(&self, look: Look, stay: Stay, answer: Match, verdict: Verdict) -> Result<Option<Record>> {
        let analyzer = &self.appliance.ports().analyzer;
        let part = look.face.detection.face_box.scaled(crate::CROP_SCALE);
        let encode = |part| analyzer.encode(look.shot.frame.clone(), part);
        let (crop, scene) = tokio::try_join!(encode(Some(part)), encode(None))?;
        let at = look.shot.frame.at();
        // The frame may be large and the draft may wait long.
        let draft = draft(&self.camera, look.face, (at, stay), answer, verdict, (crop, scene));
        self.appliance.blocking(move |a| a.keep_record(draft)).await
    }
}

fn draft(
    camera: &Camera,
    face: Face,
    (at, stay): (Timestamp, Stay),
    answer: Match,
    verdict: Verdict,
    (crop, scene): (Bytes, Bytes),
) -> Draft {
    let (id, camera, settings) = (CaptureId::random(), camera.id, camera.settings.clone());
    let record = move |crop, scene| NewRecord {
        capture: Capture {
            id,
            kind: CaptureKind::Face,
            camera,
            camera_name: settings.name.clone(),
            camera_position: settings.position.clone(),
            at,
            first_seen: stay.first_seen,
            face_box: face.detection.face_box,
            landmarks: face.detection.landmarks,
            quality: face.detection.quality,
            attributes: face.attributes,
            liveness: face.liveness,
            embedding: face.embedding.clone(),
            crop,
            scene,
        },
        matches: vec![answer.clone()],
        verdict,
    };
    Draft { crop, scene, record: Box::new(record) }
}

/// The people of the camera's watch whom the probe is most like, and the similarity from which one is accepted.
fn candidates(
    appliance: &Appliance,
    camera: &Camera,
    probe: &Embedding,
) -> Result<(Vec<(PersonId, Similarity)>, Similarity)> {
    let watch = &camera.watch.settings;
    let scope = Scope::libraries(watch.libraries.iter().copied());
    let found = appliance.gallery().search(probe, &[Query { scope, limit: CANDIDATES }]).pop().unwrap_or_default();
    let calibration = appliance.ports().analyzer.calibration();
    let candidates = found.into_iter().map(|near| (near.person, calibration.similarity(near.cosine))).collect();
    Ok((candidates, threshold(appliance, watch, calibration)?))
}

/// The watch's threshold, raised where many people are watched for.
fn threshold(appliance: &Appliance, watch: &WatchSettings, calibration: &Calibration) -> Result<Similarity> {
    let everybody = appliance.gallery().len() as u64;
    if !appliance.options().thresholds_rise || everybody <= Calibration::SMALL_LIBRARY {
        return Ok(watch.threshold);
    }
    let libraries = appliance.ports().people.libraries(&LibraryFilter::default())?;
    let watched: u64 = libraries.iter().filter(|l| watch.libraries.contains(&l.id)).map(|l| l.people).sum();
    Ok(calibration.raised(watch.threshold, watched.min(everybody)))
}

/// The camera's own watch on the person chosen for a face.
fn answer(
    appliance: &Appliance,
    camera: &Camera,
    threshold: Similarity,
    best: Option<(PersonId, Similarity)>,
) -> Result<(Match, Option<Person>)> {
    let watch = &camera.watch;
    let Some((id, similarity)) = best else { return Ok((rules::answer(watch, threshold, None), None)) };
    let people = &appliance.ports().people;
    let person = people.people_by_id(&[id])?.pop();
    let libraries = people.libraries(&LibraryFilter::default())?;
    let watched = &watch.settings.libraries;
    let candidate = person.as_ref().and_then(|person| rules::candidate(person, similarity, watched, &libraries));
    Ok((rules::answer(watch, threshold, candidate), person))
}

fn log_record(record: &Record) {
    let similarity = record.own_match().and_then(|m| m.best.as_ref()).map(|best| best.similarity.value());
    tracing::info!(record.seq = record.seq.0, record.verdict = ?record.verdict, record.similarity = similarity, "record");
}
