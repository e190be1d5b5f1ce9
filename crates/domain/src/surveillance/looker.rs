//! The looker of one camera: hands the frames that it samples to the stages.

use std::sync::Arc;

use tokio::sync::watch;
use tokio::time::Instant;

use super::board::Entry;
use super::duty::Duty;
use super::faces::FaceStage;
use super::handle::Handle;
use super::motion::MotionGate;
use super::objects::ObjectStage;
use super::pace::Pace;
use super::slot::Slot;
use super::stage::{Answer, Stage};
use crate::frame::Frame;
use crate::progress::Part;

/// Samples the frames of one camera.
pub(super) struct Looker {
    handle: Handle,
    configured: watch::Receiver<Arc<Duty>>,
    entry: Arc<Entry>,
    pace: Arc<Pace>,
    faces: Gated<FaceStage>,
    objects: Gated<ObjectStage>,
}

impl Looker {
    pub(super) fn new(
        handle: Handle,
        configured: watch::Receiver<Arc<Duty>>,
        entry: Arc<Entry>,
        pace: Arc<Pace>,
    ) -> Self {
        let duty = Arc::clone(&configured.borrow());
        let objects = ObjectStage::new(handle.clone(), Arc::clone(&duty));
        let faces = FaceStage::new(handle.clone(), duty, Arc::clone(&entry), Arc::clone(&pace));
        Self { handle, configured, entry, pace, faces: Gated::new(faces), objects: Gated::new(objects) }
    }

    /// Looks at the newest frame at the sampling rate, until the slot is closed.
    pub(super) async fn run(&mut self, slot: &Slot) {
        while let Some(frame) = slot.take().await {
            let next = Instant::now() + self.pace.interval();
            self.look_at(&frame).await;
            // The decoder gets its buffer back.
            drop(frame);
            tokio::time::sleep_until(next).await;
        }
    }

    /// Takes a picture that the camera has chosen itself: whoever it shows is recorded at once. Nothing can be followed
    /// from one such picture to the next.
    pub(super) async fn take_picture(&mut self, frame: &Frame) {
        self.handle.progress().stamp(Part::Frames);
        self.follow_configuration();
        let faces = &mut self.faces.stage;
        if let Some(search) = faces.begin(frame) {
            faces.take_picture(frame, search).await;
        }
    }

    /// Ends all tracks and records what was not recorded yet.
    pub(super) async fn finish(&mut self) {
        tokio::join!(self.faces.stage.finish(), self.objects.stage.finish());
    }

    async fn look_at(&mut self, frame: &Frame) {
        self.handle.progress().stamp(Part::Frames);
        self.follow_configuration();
        // Neither waits for the other.
        let (faces, objects) = tokio::join!(self.faces.take(frame), self.objects.take(frame));
        let answer = match (faces, objects) {
            (Taken::Looked(one), Taken::Looked(other)) => one.later(other),
            (Taken::Looked(answer), _) | (_, Taken::Looked(answer)) => answer,
            (Taken::Still, _) | (_, Taken::Still) => return self.entry.frames_still.count(),
            (Taken::Unwanted, Taken::Unwanted) => return,
        };
        match answer {
            Answer::Searched(after) | Answer::Failed(after) => self.pace.answered(after),
            Answer::Refused => self.pace.refused(),
        }
    }

    /// Goes on by the newest configuration.
    fn follow_configuration(&mut self) {
        if self.configured.has_changed().unwrap_or(false) {
            let duty = Arc::clone(&self.configured.borrow_and_update());
            self.faces.stage.take_up(Arc::clone(&duty));
            self.objects.stage.take_up(duty);
        }
    }
}

/// A stage that gets only frames in which something may have moved.
struct Gated<S> {
    gate: MotionGate,
    stage: S,
}

/// What a stage made of a frame.
enum Taken {
    /// It looks for nothing.
    Unwanted,
    /// Nothing has moved, and nothing is followed.
    Still,
    Looked(Answer),
}

impl<S: Stage> Gated<S> {
    fn new(stage: S) -> Self {
        Self { gate: MotionGate::default(), stage }
    }

    async fn take(&mut self, frame: &Frame) -> Taken {
        let Some(search) = self.stage.begin(frame) else {
            self.stage.finish().await;
            return Taken::Unwanted;
        };
        let taken = if self.gate.is_open(frame, &search) || self.stage.follows() {
            let answer = self.stage.look(frame, search).await;
            if matches!(answer, Answer::Searched(_)) {
                self.gate.searched(frame.at());
            }
            Taken::Looked(answer)
        } else {
            Taken::Still
        };
        self.stage.settle().await;
        taken
    }
}
