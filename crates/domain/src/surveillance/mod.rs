//! From frames to the log: one supervised task per camera. Its looker hands sampled frames to stages, which give what
//! they find to one recorder and one doorkeeper.

mod board;
mod camera;
mod clips;
mod doorkeeper;
mod duty;
mod faces;
mod handle;
mod looker;
mod motion;
mod objects;
mod pace;
mod recorder;
mod slot;
mod stage;
mod tracker;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::error::Result;
use crate::ids::CameraId;
pub(crate) use board::Board;
use camera::CameraTask;
pub use clips::KeptVideo;
pub(crate) use doorkeeper::{Arrival, Doorkeeper, Pass};
use duty::Duty;
pub use handle::Handle;
pub(crate) use handle::Parts;
pub(crate) use objects::check_rule;
use pace::Pace;
pub(crate) use recorder::Recorder;

/// How cameras are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// The time between two frames of a camera that are looked at; longer only when the machine cannot keep up.
    pub detect_every: Duration,
}

/// A restart after a panic waits so long, so that a camera that kills its task does not take the processor too.
const RESTART_DELAY: Duration = Duration::from_secs(1);

/// Watches all cameras until cancelled; then records what is in view and returns.
pub async fn run(device: impl Into<Handle>, options: Options, cancel: CancellationToken) {
    let handle = device.into();
    let mut changed = handle.changes();
    let pace = Arc::new(Pace::new(options.detect_every));
    let mut crew = Crew { handle, pace, posts: HashMap::new(), tasks: JoinSet::new(), cancel: cancel.child_token() };
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
    configured: watch::Sender<Arc<Duty>>,
    cancel: CancellationToken,
    task: tokio::task::Id,
}

impl Post {
    /// Tells the task of the camera's duty; a camera that is gone or has another source ends it.
    /// Answers whether the task stays.
    fn follows(&self, wanted: Option<&Arc<Duty>>, board: &Board) -> bool {
        let current = Arc::clone(&self.configured.borrow());
        match wanted {
            Some(duty) if duty.camera.settings.source == current.camera.settings.source => {
                self.configured.send_if_modified(|kept| {
                    let news = *kept != *duty;
                    *kept = Arc::clone(duty);
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
    handle: Handle,
    pace: Arc<Pace>,
    posts: HashMap<CameraId, Post>,
    tasks: JoinSet<()>,
    cancel: CancellationToken,
}

type Ended = Result<(tokio::task::Id, ()), tokio::task::JoinError>;

impl Crew {
    /// Makes the running tasks agree with the configured cameras.
    async fn assign(&mut self) {
        let duties = match self.handle.blocking(duties).await {
            Ok(duties) => duties,
            Err(error) => return tracing::error!(error = error.chain(), "cameras cannot be read"),
        };
        let mut wanted: HashMap<_, _> = duties.into_iter().map(|duty| (duty.camera.id, Arc::new(duty))).collect();
        self.posts.retain(|id, post| post.follows(wanted.get(id), self.handle.board()));
        wanted.retain(|id, _| !self.posts.contains_key(id));
        for duty in wanted.into_values() {
            self.start(duty);
        }
    }

    fn start(&mut self, duty: Arc<Duty>) {
        let cancel = self.cancel.child_token();
        let id = duty.camera.id;
        let (sender, configured) = watch::channel(duty);
        let task = CameraTask {
            handle: self.handle.clone(),
            configured,
            pace: Arc::clone(&self.pace),
            entry: self.handle.board().entry(id),
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
        let duty = Arc::clone(&post.configured.borrow());
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

/// What every camera has to do. Blocking.
fn duties(handle: &Handle) -> Result<Vec<Duty>> {
    let ports = handle.ports();
    let (cameras, tasks, rules) = (ports.settings.cameras()?, ports.tasks.tasks()?, ports.settings.rules()?);
    Ok(cameras.into_iter().map(|camera| Duty::new(handle.in_force(camera), &tasks, &rules)).collect())
}
