//! The object stage, from a camera's frames to behaviours: detect, track, apply the camera's rules.

mod area;
mod identity;
mod line;
mod memory;
mod people;
mod rules;
mod situation;
mod stay;
#[cfg(test)]
mod tests;
mod visits;
mod zone;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::ToSpan;
use jiff::civil::{Date, DateTime};

use super::clips::{KeptVideo, Order};
use super::config::CameraConfig;
use super::handle::Handle;
use super::motion::Motion;
use super::recorder::Draft;
use super::stage::{Answer, Stage, timed};
use super::tracker::{Step, Tracker};
use crate::behaviour::{Behaviour, ClipSpan, ClipState, Comparison, DetectedObject, ObjectClass, Rule};
use crate::camera::Camera;
use crate::error::Result;
use crate::frame::Frame;
use crate::geometry::Rect;
use crate::ids::{CaptureId, PictureId};
use crate::log::{Entry, NewEntry, What};
use crate::ports::{ObjectDetector, Search};
use crate::time::Timestamp;
use memory::{Change, Memory};
use rules::Kind;
pub(crate) use rules::check as check_rule;

/// How much more than the box of an object its crop shows.
const CROP_SCALE: f32 = 1.2;
/// What moves is noticed from this size on, pixels.
const SMALLEST_PX: u32 = 64;

/// What one camera knows of the objects before it.
pub(super) struct ObjectStage {
    handle: Handle,
    duty: Arc<CameraConfig>,
    /// The rules that the detector has an eye for.
    rules: Vec<Applied>,
    /// What they are about.
    classes: Vec<ObjectClass>,
    tracker: Tracker<ObjectClass>,
    step: Step<ObjectClass>,
    /// Of the newest frame, pixels.
    size: (u32, u32),
    /// When the newest frame was taken.
    now: Timestamp,
    /// While a rule wants clips.
    video: Option<KeptVideo>,
}

/// A rule, and what it remembers.
struct Applied {
    rule: Rule,
    kind: &'static Kind,
    memory: Memory,
    /// The entry with which it fired last, until it recovers.
    fired: Option<CaptureId>,
    /// The day, from its reset hour on, whose count it keeps.
    day: Option<Date>,
}

impl ObjectStage {
    pub(super) fn new(handle: Handle, duty: Arc<CameraConfig>) -> Self {
        let mut stage = Self {
            duty: Arc::clone(&duty),
            rules: Vec::new(),
            classes: Vec::new(),
            tracker: Tracker::default(),
            step: Step::default(),
            size: (0, 0),
            now: handle.now(),
            video: None,
            handle,
        };
        stage.configure(duty);
        stage
    }

    /// Whether things of this class can be found.
    fn finds(&self, class: ObjectClass) -> bool {
        self.detector().is_some_and(|detector| detector.finds(class))
    }

    fn detector(&self) -> Option<&dyn ObjectDetector> {
        self.handle.ports().objects.as_deref()
    }

    /// The rule, with what it remembers when it is the same as before.
    fn applied(before: &mut Vec<Applied>, rule: &Rule, size: (u32, u32)) -> Option<Applied> {
        if let Some(same) = before.iter().position(|applied| applied.does_the_same(rule)) {
            return Some(Applied { rule: rule.clone(), ..before.swap_remove(same) });
        }
        let kind = rules::kind(rule.settings.kind)?;
        let memory = Memory::new(&rule.settings, size);
        Some(Applied { rule: rule.clone(), kind, memory, fired: None, day: None })
    }

    /// Goes on with pictures of another size: places in them are others.
    async fn resize(&mut self, size: (u32, u32)) {
        self.finish().await;
        self.size = size;
        for Applied { rule, memory, .. } in &mut self.rules {
            let count = memory.count;
            *memory = Memory::new(&rule.settings, size);
            memory.count = count;
        }
    }

    /// Applies all rules to the tracks in view, and records what fires or recovers; `seen` is what they were found by.
    async fn apply(&mut self, seen: (&Frame, &[DetectedObject])) {
        let (tracks, now, local) = (self.tracker.tracks(), self.now, self.handle.local());
        let change = |(place, applied): (usize, &mut Applied)| {
            applied.start_day(local);
            Some((place, (applied.kind.step)(&mut applied.memory, tracks, now)?))
        };
        let changes = self.rules.iter_mut().enumerate().filter_map(change).collect();
        self.record_all(changes, Some(seen)).await;
    }

    /// Records what rules have found: which rule, and what.
    async fn record_all(&mut self, changes: Vec<(usize, Change)>, seen: Option<(&Frame, &[DetectedObject])>) {
        for (place, change) in changes {
            let id = CaptureId::random();
            let Applied { rule, fired, .. } = &mut self.rules[place];
            let ends = fired.take().filter(|_| !change.fired);
            *fired = change.fired.then_some(id);
            let rule = rule.clone();
            if let Err(error) = self.record(&rule, &change, (id, ends), seen).await {
                tracing::error!(rule.id = rule.id.0, error = error.chain(), "a behaviour could not be written");
            }
        }
    }

    /// Records what a rule has found, as the entry `id`, which ends the situation that the entry `ends` began.
    async fn record(
        &self,
        rule: &Rule,
        change: &Change,
        (id, ends): (CaptureId, Option<CaptureId>),
        seen: Option<(&Frame, &[DetectedObject])>,
    ) -> Result<()> {
        let tracks = change.targets.iter().filter_map(|id| self.tracker.track(*id));
        let targets: Vec<Rect> = tracks.map(|track| track.place).collect();
        let score = seen.and_then(|(_, detections)| self.score(change, detections)).unwrap_or_default();
        let (crop, scene) = match seen.filter(|_| change.fired) {
            Some((frame, _)) => self.pictures(frame, &targets).await?,
            None => (Bytes::new(), Bytes::new()),
        };
        let comparisons = match seen.filter(|_| change.fired && rule.settings.options.identify) {
            Some((frame, _)) => self.comparisons(rule, frame, &targets).await,
            None => Vec::new(),
        };
        let span = rule.settings.options.clip.filter(|_| change.fired && self.handle.settings().keeps_pictures());
        let clip = span.map_or(ClipState::None, |_| ClipState::Awaited);
        let behaviour =
            Behaviour { id, ends, comparisons, clip, ..behaviour(&self.duty.camera, rule, change, (targets, score)) };
        let (at, camera) = (self.now, Some(self.duty.camera.id));
        let draft = Draft::new(crop, scene, move |crop, scene| {
            let behaviour = Behaviour { crop, scene, ..behaviour.clone() };
            NewEntry { at, camera, what: What::Behaviour(Box::new(behaviour)) }
        });
        let kept = self.handle.blocking(move |handle| handle.recorder().keep(draft)).await?;
        log_change(rule, change, kept.as_ref());
        // One that was queued has none any more when it is written.
        if let (Some(span), Some(_)) = (span, kept) {
            self.order_clip(id, span).await;
        }
        Ok(())
    }

    async fn order_clip(&self, of: CaptureId, span: ClipSpan) {
        let (camera, moment) = (self.duty.camera.id, self.now);
        let video = self.keep_video(span.length());
        self.handle.clip_orders().add(&self.handle, Order { of, camera, moment, span, video }).await;
    }

    fn keep_video(&self, longest: Duration) -> KeptVideo {
        KeptVideo::new(self.handle.clone(), self.handle.board().entry(self.duty.camera.id), longest)
    }

    /// The faces of the people who fired a rule; none when they cannot be compared: the behaviour counts without them.
    async fn comparisons(&self, rule: &Rule, frame: &Frame, targets: &[Rect]) -> Vec<Comparison> {
        if rule.settings.object != ObjectClass::Person {
            return Vec::new();
        }
        identity::compare(&self.handle, &self.duty.camera, frame, targets).await.unwrap_or_else(|error| {
            tracing::warn!(rule.id = rule.id.0, error = error.chain(), "failed to compare the faces of a behaviour");
            Vec::new()
        })
    }

    /// How certain the first target is, in the frame that shows it.
    fn score(&self, change: &Change, detections: &[DetectedObject]) -> Option<f32> {
        let first = change.targets.first()?;
        let (_, index) = self.step.seen.iter().find(|(track, _)| track == first)?;
        Some(detections.get(*index)?.score)
    }

    /// JPEGs of the first target and of the scene.
    async fn pictures(&self, frame: &Frame, targets: &[Rect]) -> Result<(Bytes, Bytes)> {
        let part = targets.first().map(|target| target.scaled(CROP_SCALE));
        let analyzer = &self.handle.ports().analyzer;
        tokio::try_join!(analyzer.encode(frame.clone(), part), analyzer.encode(frame.clone(), None))
    }
}

impl Stage for ObjectStage {
    fn configure(&mut self, duty: Arc<CameraConfig>) {
        let mut before = std::mem::take(&mut self.rules);
        let possible = duty.rules.iter().filter(|rule| self.finds(rule.settings.object));
        let rules: Vec<_> = possible.filter_map(|rule| Self::applied(&mut before, rule, self.size)).collect();
        if rules.len() < duty.rules.len() {
            let count = duty.rules.len() - rules.len();
            tracing::warn!(rules.count = count, "rules do not run: no model finds the objects that they are about");
        }
        self.classes = ObjectClass::ALL.to_vec();
        self.classes.retain(|class| rules.iter().any(|applied| applied.rule.settings.object == *class));
        if rules.is_empty() {
            // No more frames come.
            self.tracker.finish();
        }
        let clips = rules.iter().filter_map(|applied| applied.rule.settings.options.clip);
        let longest = clips.map(ClipSpan::length).max();
        self.rules = rules;
        self.duty = duty;
        self.video = longest.map(|longest| self.keep_video(longest));
    }

    fn begin(&mut self, frame: &Frame) -> Option<Search> {
        self.now = frame.at();
        let wanted = !self.rules.is_empty();
        wanted.then_some(Search { min_face_px: SMALLEST_PX, ..Search::ANYWHERE })
    }

    fn aim(&self, _: &Frame, search: Search, motion: Motion) -> Option<Search> {
        (motion.is_any() || !self.tracker.tracks().is_empty()).then_some(search)
    }

    async fn look(&mut self, frame: &Frame, _: Search) -> Answer {
        let size = (frame.width(), frame.height());
        if size != self.size {
            self.resize(size).await;
        }
        // Without a detector no rule runs, and no frame comes here.
        let Some(detector) = self.detector() else { return Answer::Failed(Duration::ZERO) };
        let (found, answer) = timed(detector.detect(frame.clone(), &self.classes)).await;
        if let Some(found) = found {
            self.tracker.update(frame.at(), &found, &mut self.step);
            self.apply((frame, &found)).await;
        }
        answer
    }

    async fn settle(&mut self) {}

    async fn finish(&mut self) {
        self.tracker.finish();
        let ended = |(place, applied): (usize, &mut Applied)| Some((place, applied.memory.end()?));
        let changes = self.rules.iter_mut().enumerate().filter_map(ended).collect();
        self.record_all(changes, None).await;
    }
}

impl Applied {
    /// Whether it fires for the same as this rule, whatever is recorded then.
    fn does_the_same(&self, rule: &Rule) -> bool {
        let mut own = self.rule.clone();
        (own.settings.options.identify, own.settings.options.clip) =
            (rule.settings.options.identify, rule.settings.options.clip);
        own == *rule
    }

    /// Starts to count from zero when a day, from the reset hour on, has begun.
    fn start_day(&mut self, local: DateTime) {
        let Some(hour) = self.rule.settings.options.reset_hour else { return };
        let day = local.checked_sub(i64::from(hour).hours()).map_or(local.date(), DateTime::date);
        if self.day.replace(day).is_some_and(|before| before != day) {
            self.memory.count = 0;
        }
    }
}

/// What a change means, without pictures.
fn behaviour(camera: &Camera, rule: &Rule, change: &Change, (targets, score): (Vec<Rect>, f32)) -> Behaviour {
    Behaviour {
        id: CaptureId::random(),
        camera_name: camera.settings.name.clone(),
        camera_position: camera.settings.position.clone(),
        kind: rule.settings.kind,
        rule: rule.settings.name.clone(),
        fired: change.fired,
        object: rule.settings.object,
        targets,
        quality: (score.clamp(0.0, 1.0) * 100.0).round() as u8,
        count: change.count,
        inwards: change.passages.0,
        outwards: change.passages.1,
        ends: None,
        comparisons: Vec::new(),
        clip: ClipState::None,
        crop: PictureId::not_kept(),
        scene: PictureId::not_kept(),
    }
}

fn log_change(rule: &Rule, change: &Change, kept: Option<&Entry>) {
    let (seq, count) = (kept.map(|entry| entry.seq.0), change.count);
    let what = if change.fired { "rule fired" } else { "rule recovered" };
    tracing::info!(rule.id = rule.id.0, rule.count = count, entry.seq = seq, "{what}");
}
