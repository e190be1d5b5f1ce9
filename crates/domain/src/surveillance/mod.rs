//! From frames to records: one supervised task per camera.

mod best_shot;
mod board;
mod camera;
mod duty;
mod judgement;
mod motion;
mod pace;
mod presence;
mod recogniser;
mod slot;
mod tracker;
mod visit;
mod visits;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::{Appliance, CameraId};
pub(crate) use board::Board;
use camera::CameraTask;
use duty::Duty;
use pace::Pace;

/// How cameras are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// The time between two frames of a camera that are looked at; longer only when the machine cannot keep up.
    pub detect_every: Duration,
}

/// A restart after a panic waits so long, so that a camera that kills its task does not take the processor too.
const RESTART_DELAY: Duration = Duration::from_secs(1);

/// Watches all cameras until cancelled; then records what is in view and returns.
pub async fn run(appliance: Appliance, options: Options, cancel: CancellationToken) {
    let mut changed = appliance.cameras_changed();
    let pace = Arc::new(Pace::new(options.detect_every));
    let mut crew = Crew { appliance, pace, posts: HashMap::new(), tasks: JoinSet::new(), cancel: cancel.child_token() };
    crew.assign().await;
    loop {
        tokio::select! {
            () = cancel.cancelled() => break,
            _ = changed.changed() => crew.assign().await,
            Some(ended) = crew.tasks.join_next_with_id() => crew.replace(&ended).await,
        }
    }
    crew.leave().await;
}

/// A camera's task and the way to tell it of a changed configuration.
struct Post {
    configured: watch::Sender<Duty>,
    cancel: CancellationToken,
    task: tokio::task::Id,
}

impl Post {
    /// Tells the task of the camera's duty; a camera that is gone or has another source ends it.
    /// Answers whether the task stays.
    fn follows(&self, wanted: Option<&Duty>, board: &Board) -> bool {
        let current = self.configured.borrow().clone();
        match wanted {
            Some(duty) if duty.camera.settings.source == current.camera.settings.source => {
                self.configured.send_if_modified(|kept| {
                    let news = *kept != *duty;
                    *kept = duty.clone();
                    news
                });
                return true;
            }
            Some(_) => {}
            None => board.remove(current.camera.id),
        }
        self.cancel.cancel();
        false
    }
}

struct Crew {
    appliance: Appliance,
    pace: Arc<Pace>,
    posts: HashMap<CameraId, Post>,
    tasks: JoinSet<()>,
    cancel: CancellationToken,
}

type Ended = Result<(tokio::task::Id, ()), tokio::task::JoinError>;

impl Crew {
    /// Makes the running tasks agree with the configured cameras.
    async fn assign(&mut self) {
        let (cameras, tasks) = match tokio::try_join!(self.appliance.cameras(), self.appliance.tasks()) {
            Ok(read) => read,
            Err(error) => return tracing::error!(error = error.chain(), "cameras cannot be read"),
        };
        let duty = |camera: crate::Camera| (camera.id, Duty::new(camera, &tasks));
        let mut wanted: HashMap<_, _> = cameras.into_iter().map(duty).collect();
        self.posts.retain(|id, post| post.follows(wanted.get(id), self.appliance.board()));
        wanted.retain(|id, _| !self.posts.contains_key(id));
        for duty in wanted.into_values() {
            self.start(duty);
        }
    }

    fn start(&mut self, duty: Duty) {
        let cancel = self.cancel.child_token();
        let id = duty.camera.id;
        let (sender, configured) = watch::channel(duty);
        let task = CameraTask {
            appliance: self.appliance.clone(),
            configured,
            pace: Arc::clone(&self.pace),
            entry: self.appliance.board().entry(id),
        };
        let handle = self.tasks.spawn(task.run(cancel.clone()));
        self.posts.insert(id, Post { configured: sender, cancel, task: handle.id() });
    }

    /// A task that ended without being told so has panicked: its camera gets a new one.
    async fn replace(&mut self, ended: &Ended) {
        let id = match ended {
            Ok((id, ())) => *id,
            Err(error) => error.id(),
        };
        let post = self.posts.iter().find(|(_, post)| post.task == id).map(|(camera, _)| *camera);
        let Some(post) = post.and_then(|camera| self.posts.remove(&camera)) else { return };
        let duty = post.configured.borrow().clone();
        tracing::error!(camera.id = %duty.camera.id, "camera task died, starting a new one");
        if self.cancel.run_until_cancelled(tokio::time::sleep(RESTART_DELAY)).await.is_some() {
            self.start(duty);
        }
    }

    async fn leave(mut self) {
        self.cancel.cancel();
        while self.tasks.join_next().await.is_some() {}
    }
}
