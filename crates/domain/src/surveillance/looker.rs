//! The looker of one camera: hands the frames that it samples to the stages.

use std::sync::Arc;

use tokio::sync::watch;
use tokio::time::Instant;

use super::board::Entry;
use super::duty::Duty;
use super::faces::FaceStage;
use super::handle::Handle;
use super::motion::MotionGate;
use super::pace::Pace;
use super::slot::Slot;
use crate::frame::Frame;
use crate::progress::Part;

/// Samples the frames of one camera.
pub(super) struct Looker {
    handle: Handle,
    configured: watch::Receiver<Arc<Duty>>,
    entry: Arc<Entry>,
    pace: Arc<Pace>,
    gate: MotionGate,
    faces: FaceStage,
}

impl Looker {
    pub(super) fn new(
        handle: Handle,
        configured: watch::Receiver<Arc<Duty>>,
        entry: Arc<Entry>,
        pace: Arc<Pace>,
    ) -> Self {
        let duty = Arc::clone(&configured.borrow());
        let faces = FaceStage::new(handle.clone(), duty, Arc::clone(&entry), Arc::clone(&pace));
        Self { handle, configured, entry, pace, gate: MotionGate::default(), faces }
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

    /// Takes a picture that the camera has chosen itself: whoever it shows is recorded at once.
    pub(super) async fn take_picture(&mut self, frame: &Frame) {
        self.handle.progress().stamp(Part::Frames);
        self.follow_configuration();
        if let Some(search) = self.faces.begin(frame) {
            self.faces.take_picture(frame, search).await;
        }
    }

    /// Ends all tracks and records what was not recorded yet.
    pub(super) async fn finish(&mut self) {
        self.faces.finish().await;
    }

    async fn look_at(&mut self, frame: &Frame) {
        self.handle.progress().stamp(Part::Frames);
        self.follow_configuration();
        let Some(search) = self.faces.begin(frame) else { return self.faces.finish().await };
        if self.gate.is_open(frame, &search) || self.faces.follows_anybody() {
            if self.faces.look(frame, search).await {
                self.gate.searched(frame.at());
            }
        } else {
            self.entry.frames_still.count();
        }
        self.faces.judge().await;
    }

    /// Goes on by the newest configuration.
    fn follow_configuration(&mut self) {
        if self.configured.has_changed().unwrap_or(false) {
            let duty = Arc::clone(&self.configured.borrow_and_update());
            self.faces.take_up(duty);
        }
    }
}
