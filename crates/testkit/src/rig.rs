//! A running device on fakes.

#![allow(clippy::expect_used, reason = "test code may panic")]

use std::sync::Arc;
use std::time::Duration;

use domain::ports::Reader;
use domain::{Appliance, Limits, Options, Scan, doors, network, readers, surveillance};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::{FakeFace, FakeReader, Handles, Take, appliance_of, until};

/// Sampling of frames.
const SAMPLING: surveillance::Options = surveillance::Options { detect_every: Duration::from_millis(50) };
/// Duration of a visit, long enough to be recorded.
const VISIT: Duration = Duration::from_millis(700);
/// Time between two visits, long enough for them to be separate.
const BETWEEN_VISITS: Duration = Duration::from_secs(3);

/// An appliance on fakes that runs as in the daemon: surveillance, doors, a reader, and the guard of network changes.
/// An adapter is added with [`spawn`](Self::spawn).
pub struct Rig {
    /// The appliance.
    pub appliance: Appliance,
    /// Its fakes.
    pub handles: Handles,
    /// Its reader.
    pub reader: Arc<FakeReader>,
    cancel: CancellationToken,
    tasks: JoinSet<()>,
}

impl Rig {
    /// Starts a new device; [`options`](crate::options) are the default options.
    ///
    /// # Panics
    /// When the fakes are broken.
    pub fn start(options: Options) -> Self {
        let (appliance, handles) = appliance_of(options).expect("fakes that work");
        Self::run(appliance, handles)
    }

    /// Starts a device again that was stopped or crashed, with the default options.
    ///
    /// # Panics
    /// When the stored state cannot be loaded.
    pub fn restart(handles: Handles) -> Self {
        let appliance = handles.restart(Limits::default()).expect("what was stored can be loaded");
        Self::run(appliance, handles)
    }

    /// Runs an appliance.
    pub fn run(appliance: Appliance, handles: Handles) -> Self {
        let (reader, cancel, tasks) = (FakeReader::new("gate"), CancellationToken::new(), JoinSet::new());
        let readers: Vec<Arc<dyn Reader>> = vec![reader.clone()];
        let mut rig = Self { appliance, handles, reader, cancel, tasks };
        rig.spawn(|appliance, cancel| surveillance::run(appliance, SAMPLING, cancel));
        rig.spawn(doors::run);
        rig.spawn(|appliance, cancel| readers::run(appliance, readers, cancel));
        rig.spawn(network::guard);
        rig
    }

    /// Runs another task on the device; it must end when the token is cancelled.
    pub fn spawn<F>(&mut self, task: impl FnOnce(Appliance, CancellationToken) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.tasks.spawn(task(self.appliance.clone(), self.cancel.clone()));
    }

    /// Stops like the daemon: cancels all tasks and waits for them.
    pub async fn stop(mut self) -> Handles {
        self.cancel.cancel();
        while self.tasks.join_next().await.is_some() {}
        self.handles
    }

    /// Aborts all tasks, as in a crash.
    pub async fn crash(mut self) -> Handles {
        self.tasks.shutdown().await;
        self.handles
    }

    /// Shows something to the reader.
    ///
    /// # Panics
    /// When the device does not open the reader in time.
    pub async fn show(&self, scan: Scan) {
        until("the reader is read", async || self.reader.is_read()).await;
        assert!(self.reader.show(scan));
    }

    /// Scripts a camera at this URL to show these people, one after the other.
    pub fn script_visits(&self, url: &str, names: &[&str]) {
        let visit = |take: Take, name: &&str| take.show(VISIT, [FakeFace::of(name)]).nobody(BETWEEN_VISITS);
        self.handles.frames.script(url, [names.iter().fold(Take::new(), visit)]);
    }
}
