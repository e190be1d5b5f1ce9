//! The looker of one camera: samples frames and passes them to the stages.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use super::board::Entry;
use super::config::CameraConfig;
use super::faces::FaceStage;
use super::handle::Handle;
use super::motion::MotionGate;
use super::objects::ObjectStage;
use super::pace::{Pace, Paces};
use super::slot::Slot;
use super::stage::{Answer, Stage};
use crate::error::Result;
use crate::frame::Frame;
use crate::ports::Search;
use crate::progress::Part;

/// How long to wait for the object stage to finish its last frame when the camera closes.
const LAST_LOOK: Duration = Duration::from_secs(2);

/// Samples the frames of one camera.
pub(super) struct Looker {
    handle: Handle,
    configured: watch::Receiver<Arc<CameraConfig>>,
    entry: Arc<Entry>,
    paces: Paces,
    faces: Gated<FaceStage>,
    objects: Gated<ObjectStage>,
}

impl Looker {
    pub(super) fn new(
        handle: Handle,
        configured: watch::Receiver<Arc<CameraConfig>>,
        entry: Arc<Entry>,
        paces: Paces,
    ) -> Self {
        let config = Arc::clone(&configured.borrow());
        let objects = ObjectStage::new(handle.clone(), Arc::clone(&config));
        let faces = FaceStage::new(handle.clone(), config, Arc::clone(&entry), Arc::clone(&paces.faces));
        let faces = Gated::new(faces, &configured, &paces.faces);
        let objects = Gated::new(objects, &configured, &paces.objects);
        Self { handle, configured, entry, paces, faces, objects }
    }

    /// Samples the newest frame at the rate of each stage until the slot is closed. Faces never wait for objects: while
    /// the object stage searches a frame, it gets no other.
    pub(super) async fn run(&mut self, slot: &Slot) {
        let Self { handle, configured, entry, paces, faces, objects } = self;
        let (handed, is_idle) = (Slot::default(), AtomicBool::new(true));
        let sampling = async {
            let (mut faces_due, mut objects_due) = (Instant::now(), Instant::now());
            while let Some(frame) = slot.take().await {
                handle.progress().stamp(Part::Frames);
                let now = Instant::now();
                let has_rules = !configured.borrow().rules.is_empty();
                if has_rules && now >= objects_due {
                    objects_due = now + paces.objects_interval();
                    if is_idle.swap(false, Ordering::Relaxed) {
                        handed.put(frame.clone());
                    }
                }
                if now >= faces_due {
                    faces_due = now + paces.faces.interval();
                    if faces.take(&frame).await == Taken::Still {
                        entry.frames_still.count();
                    }
                }
                // Returns the buffer to the decoder.
                drop(frame);
                tokio::time::sleep_until(if has_rules { faces_due.min(objects_due) } else { faces_due }).await;
            }
            handed.close();
        };
        let applying_rules = async {
            while let Some(frame) = handed.take().await {
                objects.take(&frame).await;
                drop(frame);
                is_idle.store(true, Ordering::Relaxed);
            }
        };
        tokio::pin!(applying_rules);
        tokio::select! {
            () = sampling => {}
            // Ends only after `sampling`, which closes its slot.
            () = &mut applying_rules => return,
        }
        // A detector that hangs must not keep the camera from being closed.
        let _ = timeout(LAST_LOOK, applying_rules).await;
    }

    /// Analyses a picture that the camera has selected itself. The people in it are recorded at once, since there is no
    /// track from one such picture to the next.
    ///
    /// # Errors
    /// When it cannot be analysed, or a person in it was not recorded; that is logged, too.
    pub(super) async fn take_picture(&mut self, frame: &Frame) -> Result<()> {
        self.handle.progress().stamp(Part::Frames);
        self.faces.follow_configuration();
        let faces = &mut self.faces.stage;
        match faces.begin(frame) {
            Some(search) => faces.take_picture(frame, search).await,
            None => Ok(()),
        }
    }

    /// Ends all tracks and records what was not recorded yet.
    pub(super) async fn finish(&mut self) {
        tokio::join!(self.faces.stage.finish(), self.objects.stage.finish());
    }
}

/// A stage that gets only frames in which something may have moved.
struct Gated<S> {
    configured: watch::Receiver<Arc<CameraConfig>>,
    pace: Arc<Pace>,
    gate: MotionGate,
    stage: S,
}

/// What became of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Taken {
    /// The stage has nothing to search for.
    Unwanted,
    /// Not searched: nothing has moved, and there is no live track.
    Still,
    Searched,
}

impl<S: Stage> Gated<S> {
    fn new(stage: S, configured: &watch::Receiver<Arc<CameraConfig>>, pace: &Arc<Pace>) -> Self {
        Self { configured: configured.clone(), pace: Arc::clone(pace), gate: MotionGate::default(), stage }
    }

    /// Has the stage search the frame if something may have moved or a track is live.
    async fn take(&mut self, frame: &Frame) -> Taken {
        self.follow_configuration();
        let Some(search) = self.stage.begin(frame) else {
            self.stage.finish().await;
            return Taken::Unwanted;
        };
        let motion = self.gate.compare(frame, &search);
        let aimed = self.stage.aim(frame, search, motion);
        if let Some(search) = aimed {
            let answer = self.stage.look(frame, search).await;
            self.report(answer, frame, &search);
        }
        self.stage.settle().await;
        if aimed.is_some() { Taken::Searched } else { Taken::Still }
    }

    fn report(&mut self, answer: Answer, frame: &Frame, search: &Search) {
        match answer {
            Answer::Searched(after) => {
                self.gate.searched(frame.at(), search.tiles.as_ref());
                self.pace.answered(after);
            }
            Answer::Failed(after) => self.pace.answered(after),
            Answer::Refused => self.pace.refused(),
        }
    }

    /// Applies the newest configuration.
    fn follow_configuration(&mut self) {
        if self.configured.has_changed().unwrap_or(false) {
            let config = Arc::clone(&self.configured.borrow_and_update());
            self.stage.configure(config);
        }
    }
}
