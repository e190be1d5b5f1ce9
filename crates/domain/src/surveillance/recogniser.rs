//! From a camera's frames to records: detect, track, choose the shot, search, judge, commit.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::watch;

use super::best_shot::{BestShot, Shot};
use super::board::Entry;
use super::motion::MotionGate;
use super::pace::Pace;
use super::presence::{Visit, Visitor, Visitors};
use super::tracker::{Track, TrackId, Tracker};
use crate::frame::Frame;
use crate::gallery::{Query, Scope};
use crate::ports::{Lane, Search};
use crate::{
    Appliance, Camera, Capture, CaptureId, Draft, Error, Face, LibraryFilter, Match, NewRecord, Person, PersonId,
    Record, Result, Similarity, Verdict, rules,
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
    shots: HashMap<TrackId, BestShot>,
    waiting: Vec<Due>,
    visitors: Visitors,
}

/// A shot to be captured.
struct Due {
    track: TrackId,
    visit: Visit,
    shot: Shot,
}

impl Due {
    fn new(track: &Track, shot: Shot) -> Self {
        Self { track: track.id, visit: Visit { first_seen: track.first_seen, last_seen: track.last_seen }, shot }
    }
}

/// A captured face and the people it may be, best first.
struct Described {
    due: Due,
    face: Face,
    crop: Bytes,
    scene: Bytes,
    candidates: Vec<(PersonId, Similarity)>,
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
            appliance,
            configured,
            camera,
            entry,
            pace,
            gate: MotionGate::default(),
            tracker: Tracker::default(),
            shots: HashMap::new(),
            waiting: Vec::new(),
            visitors: Visitors::default(),
        }
    }

    /// Takes one frame; frames come in order of time. Failures are logged: the next frame is a new chance.
    pub(super) async fn look_at(&mut self, frame: Frame) {
        if self.configured.has_changed().unwrap_or(false) {
            self.camera = self.configured.borrow_and_update().clone();
        }
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
        self.capture_waiting().await;
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
            self.end(&track);
        }
        self.capture_waiting().await;
        for _ in 0..LAST_TRIES {
            if self.waiting.is_empty() {
                break;
            }
            tokio::time::sleep(BETWEEN_TRIES).await;
            self.capture_waiting().await;
        }
    }

    fn armed(&self) -> bool {
        let watch = &self.camera.watch.settings;
        watch.enabled && watch.plan.covers(&self.appliance.now().in_zone(&self.appliance.options().time_zone))
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

    /// Joins the detections to tracks and puts the shots that are due into the queue.
    fn follow(&mut self, frame: &Frame, detections: &[crate::Detection]) {
        let at = frame.at();
        let step = self.tracker.update(at, detections);
        for (track, index) in step.seen {
            self.entry.faces.count();
            self.visitors.seen(track, at);
            let mode = self.camera.settings.snap_mode;
            let best = self.shots.entry(track).or_insert_with(|| BestShot::new(mode, at));
            best.see(frame, &detections[index]);
        }
        for track in &step.ended {
            self.end(track);
        }
        for track in self.tracker.tracks() {
            let shot = self.shots.get_mut(&track.id).and_then(|best| best.due(at));
            self.waiting.extend(shot.map(|shot| Due::new(track, shot)));
        }
    }

    fn end(&mut self, track: &Track) {
        let shot = self.shots.remove(&track.id).and_then(|mut best| best.last(track.last_seen));
        self.waiting.extend(shot.map(|shot| Due::new(track, shot)));
    }

    /// Describes what waits, decides together who is who, and commits.
    async fn capture_waiting(&mut self) {
        let excess = self.waiting.len().saturating_sub(MAX_WAITING);
        if excess > 0 {
            tracing::error!(shots.lost = excess, "captures given up: the analyzer is too slow");
            self.waiting.drain(..excess);
        }
        let mut described = Vec::new();
        for due in std::mem::take(&mut self.waiting) {
            match self.describe(&due.shot).await {
                Ok((face, candidates, crop, scene)) => {
                    described.push(Described { due, face, candidates, crop, scene });
                }
                Err(Error::Busy) => self.waiting.push(due),
                Err(error) => tracing::error!(error = error.chain(), "a capture could not be analysed"),
            }
        }
        for (described, person) in self.who_is_who(described) {
            if let Err(error) = self.record(described, person).await {
                tracing::error!(error = error.chain(), "a record could not be written");
            }
        }
    }

    async fn describe(&self, shot: &Shot) -> Result<(Face, Vec<(PersonId, Similarity)>, Bytes, Bytes)> {
        let analyzer = &self.appliance.ports().analyzer;
        let faces = analyzer.describe(shot.frame.clone(), vec![shot.detection.clone()], Lane::Live).await?;
        let face = faces.into_iter().next().ok_or(Error::NoFace)?;
        let part = face.detection.face_box.scaled(crate::CROP_SCALE);
        let crop = analyzer.encode(shot.frame.clone(), Some(part)).await?;
        let scene = analyzer.encode(shot.frame.clone(), None).await?;
        let candidates = self.candidates(&face).await?;
        Ok((face, candidates, crop, scene))
    }

    async fn candidates(&self, face: &Face) -> Result<Vec<(PersonId, Similarity)>> {
        let libraries = self.camera.watch.settings.libraries.iter().copied().collect();
        let query = Query { scope: Scope::Libraries(libraries), limit: CANDIDATES };
        let probe = face.embedding.clone();
        // Off the runtime: cameras that ask at the same time share one reading of the gallery.
        let found = self.appliance.blocking(move |a| Ok(a.gallery().search(&probe, &[query]).pop())).await?;
        let calibration = self.appliance.ports().analyzer.calibration();
        let near = found.unwrap_or_default().into_iter();
        Ok(near.map(|near| (near.person, calibration.similarity(near.cosine))).collect())
    }

    /// Gives every face its best candidate that no other face has; the surest pair chooses first.
    fn who_is_who(&self, faces: Vec<Described>) -> Vec<(Described, Option<(PersonId, Similarity)>)> {
        let mut pairs: Vec<_> =
            faces.iter().enumerate().flat_map(|(f, d)| d.candidates.iter().map(move |c| (f, *c))).collect();
        pairs.sort_by(|a, b| b.1.1.value().total_cmp(&a.1.1.value()));
        let mut chosen: Vec<Option<(PersonId, Similarity)>> = vec![None; faces.len()];
        let mut given = HashSet::new();
        for (face, (person, similarity)) in pairs {
            let live = |track| self.tracker.track(track).is_some();
            let taken = self.visitors.taken(person, faces[face].due.track, live);
            // A picture of somebody does not take the person's place.
            let free = !self.is_living(&faces[face].face) || (!taken && given.insert(person));
            if chosen[face].is_none() && free {
                chosen[face] = Some((person, similarity));
            }
        }
        faces.into_iter().zip(chosen).collect()
    }

    /// Judges a face and commits its record, unless the visitor was recorded a moment ago.
    async fn record(&mut self, described: Described, best: Option<(PersonId, Similarity)>) -> Result<()> {
        let camera = self.camera.clone();
        let (answer, person) = self.appliance.blocking(move |a| answer(a, &camera, best)).await?;
        let visitor = self.visitor(&described.face, &answer);
        let Due { track, mut visit, .. } = described.due;
        // The shot may have waited while the face stayed in view.
        visit.last_seen = self.tracker.track(track).map_or(visit.last_seen, |track| track.last_seen);
        if !self.is_news(visitor, track, visit) {
            return Ok(());
        }
        let draft = self.draft(described, answer, person.as_ref());
        let kept = self.appliance.blocking(move |a| a.keep_record(draft)).await;
        // A visitor whose record was lost is news again.
        let committed = kept.inspect_err(|_| self.visitors.forget(track))?;
        self.entry.records.count();
        committed.iter().for_each(log_record);
        Ok(())
    }

    fn is_living(&self, face: &Face) -> bool {
        rules::is_living(self.appliance.ports().analyzer.live_from(), face.liveness)
    }

    fn visitor(&self, face: &Face, answer: &Match) -> Visitor {
        match answer.accepted() {
            _ if !self.is_living(face) => Visitor::Spoof(face.embedding.clone()),
            Some(candidate) => Visitor::Person(candidate.person),
            None => Visitor::Stranger(face.embedding.clone()),
        }
    }

    /// In timed mode a track is recorded again and again by intention.
    fn is_news(&mut self, visitor: Visitor, track: TrackId, visit: Visit) -> bool {
        let rearm = self.camera.watch.settings.rearm;
        let news = self.visitors.arrive(visitor, track, visit, rearm);
        news || self.camera.settings.snap_mode == crate::SnapMode::Timed
    }

    fn draft(&self, described: Described, answer: Match, person: Option<&Person>) -> Draft {
        let Described { due, face, crop, scene, .. } = described;
        let at = due.shot.frame.at();
        let verdict = match self.is_living(&face) {
            true => rules::verdict(&answer, person, at, &self.appliance.options().time_zone),
            false => Verdict::Spoof,
        };
        let (id, settings) = (self.camera.id, self.camera.settings.clone());
        let (capture, first_seen) = (CaptureId::random(), due.visit.first_seen);
        let record = move |crop, scene| NewRecord {
            capture: Capture {
                id: capture,
                camera: id,
                camera_name: settings.name.clone(),
                camera_position: settings.position.clone(),
                at,
                first_seen,
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
}

/// The camera's own watch on the person chosen for a face.
fn answer(
    appliance: &Appliance,
    camera: &Camera,
    best: Option<(PersonId, Similarity)>,
) -> Result<(Match, Option<Person>)> {
    let Some((id, similarity)) = best else { return Ok((rules::answer(&camera.watch, None), None)) };
    let people = &appliance.ports().people;
    let person = people.people_by_id(&[id])?.pop();
    let libraries = people.libraries(&LibraryFilter::default())?;
    let watched = &camera.watch.settings.libraries;
    let candidate = person.as_ref().and_then(|person| rules::candidate(person, similarity, watched, &libraries));
    Ok((rules::answer(&camera.watch, candidate), person))
}

fn log_record(record: &Record) {
    let similarity = record.own_match().and_then(|m| m.best.as_ref()).map(|best| best.similarity.value());
    tracing::info!(record.seq = record.seq.0, record.verdict = ?record.verdict, record.similarity = similarity, "record");
}
