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
use tokio::time::Instant;
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
use pace::Paces;
pub(crate) use recorder::Recorder;

/// How cameras are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// The time between two frames of a camera that are looked at; longer only when the machine cannot keep up.
    pub detect_every: Duration,
}

/// A restart after a panic waits so long, so that a camera that kills its task does not take the processor too.
const RESTART_DELAY: Duration = Duration::from_secs(1);
/// Cameras that could not be read are read again after this time.
const REREAD_DELAY: Duration = Duration::from_secs(2);

/// Watches all cameras until cancelled; then records what is in view and returns.
pub async fn run(device: impl Into<Handle>, options: Options, cancel: CancellationToken) {
    let handle = device.into();
    let mut changed = handle.changes();
    let paces = Paces::new(options.detect_every);
    let cancel_tasks = cancel.child_token();
    let mut crew =
        Crew { handle, paces, posts: HashMap::new(), tasks: JoinSet::new(), reread_at: None, cancel: cancel_tasks };
    crew.assign().await;
    loop {
        tokio::select! {
            () = cancel.cancelled() => break,
            _ = changed.changed() => crew.assign().await,
            Some(ended) = crew.tasks.join_next_with_id() => crew.replace(&ended),
            () = due(crew.reread_at) => crew.assign().await,
        }
    }
    crew.leave().await;
}

/// Returns at this time; never when there is none.
async fn due(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
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
    paces: Paces,
    posts: HashMap<CameraId, Post>,
    tasks: JoinSet<()>,
    /// When the cameras are read again; `None` while the tasks agree with them.
    reread_at: Option<Instant>,
    cancel: CancellationToken,
}

type Ended = Result<(tokio::task::Id, ()), tokio::task::JoinError>;

impl Crew {
    /// Makes the running tasks agree with the configured cameras, at once or as soon as these can be read.
    async fn assign(&mut self) {
        let duties = match self.handle.blocking(duties).await {
            Ok(duties) => duties,
            Err(error) => {
                if self.reread_at.is_none() {
                    tracing::error!(error = error.chain(), "cameras cannot be read");
                }
                self.reread_at = Some(Instant::now() + REREAD_DELAY);
                return;
            }
        };
        if self.reread_at.take().is_some() {
            tracing::info!("cameras can be read again");
        }
        let mut wanted: HashMap<_, _> = duties.into_iter().map(|duty| (duty.camera.id, Arc::new(duty))).collect();
        self.posts.retain(|id, post| post.follows(wanted.get(id), self.handle.board()));
        wanted.retain(|id, _| !self.posts.contains_key(id));
        for duty in wanted.into_values() {
            self.start(duty, Duration::ZERO);
        }
    }

    fn start(&mut self, duty: Arc<Duty>, delay: Duration) {
        let cancel = self.cancel.child_token();
        let id = duty.camera.id;
        let (sender, configured) = watch::channel(duty);
        let task = CameraTask {
            handle: self.handle.clone(),
            configured,
            paces: self.paces.clone(),
            entry: self.handle.board().entry(id),
        };
        let stop = cancel.clone();
        let handle = self.tasks.spawn(async move {
            if stop.run_until_cancelled(tokio::time::sleep(delay)).await.is_some() {
                task.run(stop).await;
            }
        });
        self.posts.insert(id, Post { configured: sender, cancel, task: handle.id() });
    }

    /// A task that ended although nobody stopped it has panicked: its camera gets a new one, which waits before it
    /// begins.
    fn replace(&mut self, ended: &Ended) {
        let id = match ended {
            Ok((id, ())) => *id,
            Err(error) => error.id(),
        };
        let post = self.posts.iter().find(|(_, post)| post.task == id).map(|(camera, _)| *camera);
        let Some(post) = post.and_then(|camera| self.posts.remove(&camera)) else { return };
        let duty = Arc::clone(&post.configured.borrow());
        tracing::error!(camera.id = %duty.camera.id, "camera task died, starting a new one");
        self.start(duty, RESTART_DELAY);
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
