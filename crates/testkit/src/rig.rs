//! A device on fakes.

#![allow(clippy::expect_used, reason = "code of tests, which may die of what a test may die of")]

use std::sync::Arc;
use std::time::Duration;

use domain::ports::Reader;
use domain::{Appliance, Limits, Options, Scan, doors, network, readers, surveillance};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::{FakeFace, FakeReader, Handles, Take, appliance_of, until};

/// How often a second of video is searched for faces.
const SAMPLING: surveillance::Options = surveillance::Options { detect_every: Duration::from_millis(50) };
/// Long enough to be recorded.
const VISIT: Duration = Duration::from_millis(700);
/// Long enough for the next one to be another visit.
const BETWEEN_VISITS: Duration = Duration::from_secs(3);

/// An appliance on fakes that runs as in the daemon: it watches its cameras, works its doors, listens to a reader and
/// guards its network. An adapter is added with [`spawn`](Self::spawn).
pub struct Rig {
    /// The appliance.
    pub appliance: Appliance,
    /// What it is made of.
    pub handles: Handles,
    /// The reader at its door.
    pub reader: Arc<FakeReader>,
    cancel: CancellationToken,
    tasks: JoinSet<()>,
}

impl Rig {
    /// A new device with these options, [`options`](crate::options) for the usual ones.
    ///
    /// # Panics
    /// When the fakes are broken.
    pub fn start(options: Options) -> Self {
        let (appliance, handles) = appliance_of(options).expect("fakes that work");
        Self::run(appliance, handles)
    }

    /// A device that was stopped or crashed, with the usual options.
    ///
    /// # Panics
    /// When what it has stored cannot be loaded.
    pub fn restart(handles: Handles) -> Self {
        let appliance = handles.restart(Limits::default()).expect("what was stored can be loaded");
        Self::run(appliance, handles)
    }

    /// An appliance that does not run yet.
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

    /// Runs something more on the device until that stops, which is when the token is cancelled.
    pub fn spawn<F>(&mut self, task: impl FnOnce(Appliance, CancellationToken) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.tasks.spawn(task(self.appliance.clone(), self.cancel.clone()));
    }

    /// Stops as the daemon does: everything that runs ends by itself.
    pub async fn stop(mut self) -> Handles {
        self.cancel.cancel();
        while self.tasks.join_next().await.is_some() {}
        self.handles
    }

    /// Ends without a word, as by a power cut.
    pub async fn crash(mut self) -> Handles {
        self.tasks.shutdown().await;
        self.handles
    }

    /// Shows something to the reader.
    ///
    /// # Panics
    /// When the device does not listen to it.
    pub async fn show(&self, scan: Scan) {
        until("the reader is read", async || self.reader.is_read()).await;
        assert!(self.reader.show(scan));
    }

    /// What a camera at this address will see: these people, one after the other.
    pub fn script_visits(&self, url: &str, names: &[&str]) {
        let visit = |take: Take, name: &&str| take.show(VISIT, [FakeFace::of(name)]).nobody(BETWEEN_VISITS);
        self.handles.frames.script(url, [names.iter().fold(Take::new(), visit)]);
    }
}
