//! From frames to the log: one supervised task per camera. Its looker hands sampled frames to stages, which give what
//! they find to one recorder and one doorkeeper.

mod board;
mod camera;
mod clips;
mod config;
mod doorkeeper;
mod faces;
mod handle;
mod inbox;
mod looker;
mod motion;
mod objects;
mod pace;
mod recorder;
mod slot;
mod stage;
mod tiles;
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
pub(crate) use clips::Orders as ClipOrders;
use config::CameraConfig;
pub(crate) use doorkeeper::{Arrival, Doorkeeper, Pass, Turned};
pub use handle::Handle;
pub(crate) use handle::Parts;
pub(crate) use objects::check_rule;
use pace::Paces;
pub(crate) use recorder::Recorder;

/// Options of surveillance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Interval at which frames of a camera are analysed; longer only when the machine cannot keep up.
    pub detect_every: Duration,
}

/// Delay before a task that panicked is restarted, so that a camera that always panics does not use up the processor.
const RESTART_DELAY: Duration = Duration::from_secs(1);
/// Delay before the configured cameras are read again after a failure.
const REREAD_DELAY: Duration = Duration::from_secs(2);

/// Watches all cameras until cancelled; then records what is in view and returns.
pub async fn run(device: impl Into<Handle>, options: Options, cancel: CancellationToken) {
    let handle = device.into();
    let cameras_closed = CancellationToken::new();
    let cameras = async {
        watch_cameras(handle.clone(), options, cancel).await;
        cameras_closed.cancel();
    };
    tokio::join!(cameras, clips::run(&handle, &cameras_closed));
}

async fn watch_cameras(handle: Handle, options: Options, cancel: CancellationToken) {
    let mut changed = handle.changes();
    let paces = Paces::new(options.detect_every);
    let cancel_tasks = cancel.child_token();
    let mut supervisor = Supervisor {
        handle,
        paces,
        running: HashMap::new(),
        tasks: JoinSet::new(),
        reread_at: None,
        cancel: cancel_tasks,
    };
    supervisor.reconcile().await;
    loop {
        tokio::select! {
            () = cancel.cancelled() => break,
            _ = changed.changed() => supervisor.reconcile().await,
            Some(ended) = supervisor.tasks.join_next_with_id() => supervisor.restart(&ended),
            () = wait_until(supervisor.reread_at) => supervisor.reconcile().await,
        }
    }
    supervisor.stop().await;
}

/// Returns at this time, or never for `None`.
async fn wait_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

/// A camera's running task, and the channel for its configuration.
struct RunningCamera {
    configured: watch::Sender<Arc<CameraConfig>>,
    cancel: CancellationToken,
    task: tokio::task::Id,
}

impl RunningCamera {
    /// Sends the task a changed configuration. Cancels it when the camera was removed (`None`) or has another source.
    /// Returns whether the task keeps running.
    fn update(&self, wanted: Option<&Arc<CameraConfig>>, board: &Board) -> bool {
        let current = Arc::clone(&self.configured.borrow());
        match wanted {
            Some(config) if config.camera.settings.source == current.camera.settings.source => {
                self.configured.send_if_modified(|kept| {
                    let changed = *kept != *config;
                    *kept = Arc::clone(config);
                    changed
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

/// Runs one task per configured camera.
struct Supervisor {
    handle: Handle,
    paces: Paces,
    running: HashMap<CameraId, RunningCamera>,
    tasks: JoinSet<()>,
    /// When the configured cameras are read again after a failure; `None` when the last attempt succeeded.
    reread_at: Option<Instant>,
    cancel: CancellationToken,
}

type Ended = Result<(tokio::task::Id, ()), tokio::task::JoinError>;

impl Supervisor {
    /// Makes the running tasks agree with the configured cameras. When these cannot be read, schedules another attempt.
    async fn reconcile(&mut self) {
        let configs = match self.handle.blocking(configs).await {
            Ok(configs) => configs,
            Err(error) => {
                if self.reread_at.is_none() {
                    tracing::error!(error = error.chain(), "failed to read cameras");
                }
                self.reread_at = Some(Instant::now() + REREAD_DELAY);
                return;
            }
        };
        if self.reread_at.take().is_some() {
            tracing::info!("cameras read again");
        }
        let mut wanted: HashMap<_, _> =
            configs.into_iter().map(|config| (config.camera.id, Arc::new(config))).collect();
        self.running.retain(|id, camera| camera.update(wanted.get(id), self.handle.board()));
        wanted.retain(|id, _| !self.running.contains_key(id));
        for config in wanted.into_values() {
            self.start(config, Duration::ZERO);
        }
    }

    fn start(&mut self, config: Arc<CameraConfig>, delay: Duration) {
        let cancel = self.cancel.child_token();
        let id = config.camera.id;
        let (sender, configured) = watch::channel(config);
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
        self.running.insert(id, RunningCamera { configured: sender, cancel, task: handle.id() });
    }

    /// Restarts the task of a camera after [`RESTART_DELAY`]. A task that ended without being cancelled has panicked.
    fn restart(&mut self, ended: &Ended) {
        let id = match ended {
            Ok((id, ())) => *id,
            Err(error) => error.id(),
        };
        let camera = self.running.iter().find(|(_, camera)| camera.task == id).map(|(id, _)| *id);
        let Some(camera) = camera.and_then(|id| self.running.remove(&id)) else { return };
        let config = Arc::clone(&camera.configured.borrow());
        tracing::error!(camera.id = %config.camera.id, "camera task panicked, restarting");
        self.start(config, RESTART_DELAY);
    }

    async fn stop(mut self) {
        self.cancel.cancel();
        while self.tasks.join_next().await.is_some() {}
    }
}

/// The configuration of every camera. Blocking.
fn configs(handle: &Handle) -> Result<Vec<CameraConfig>> {
    let ports = handle.ports();
    let (cameras, tasks, rules) = (ports.settings.cameras()?, ports.tasks.tasks()?, ports.settings.rules()?);
    let relays = ports.settings.relays()?;
    let config = |camera| CameraConfig::new(handle.in_force(camera), &tasks, &rules, &relays);
    Ok(cameras.into_iter().map(config).collect())
}
