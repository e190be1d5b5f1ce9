//! The device.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use adapter::{Adapter, Component, Health, Outbound, Policy};
use adapter_terminal::{Config, Pace, Terminal};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::ports::Reader;
use domain::surveillance::{self, Options};
use domain::{Appliance, LibraryId};
use testkit::mqtt::{DEADLINE, ID};
use testkit::{FakeFace, FakeReader, Handles, Picture, Take, actor};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub(crate) struct Device {
    pub(crate) appliance: Appliance,
    pub(crate) handles: Handles,
    pub(crate) health: Arc<Health>,
    pub(crate) reader: Arc<FakeReader>,
    config: Config,
    cancel: CancellationToken,
    tasks: JoinSet<()>,
}

/// Fast enough for tests.
pub(crate) const PACE: Pace = Pace {
    online: Duration::from_millis(200),
    heartbeat: Duration::from_millis(100),
    resend: Duration::from_millis(300),
};

/// The usual settings, with this broker.
pub(crate) fn config(broker: String) -> Config {
    Config {
        broker,
        username: String::new(),
        password_file: None,
        ca_file: None,
        device_id: ID.into(),
        topic_prefix: "mqtt/face".into(),
    }
}

impl Device {
    pub(crate) async fn start(broker: String) -> Self {
        let (appliance, handles) = testkit::appliance().unwrap();
        Self::start_on(appliance, handles, config(broker))
    }

    /// Also without a broker to be found.
    pub(crate) fn start_on(appliance: Appliance, handles: Handles, config: Config) -> Self {
        let outbound = Outbound::new(Policy { allow_private: true, allow_loopback: true }).unwrap();
        let health = Arc::new(Health::default());
        let adapter = Terminal::new(config.clone(), PACE, appliance.clone(), outbound, Arc::clone(&health)).unwrap();
        let (cancel, mut tasks) = (CancellationToken::new(), JoinSet::new());
        let (of, token) = (appliance.clone(), cancel.clone());
        tasks.spawn(async move { adapter.run(of, token).await });
        let watching = Options { detect_every: Duration::from_millis(50) };
        tasks.spawn(domain::doors::run(appliance.clone(), cancel.clone()));
        let reader = FakeReader::new("gate");
        let readers: Vec<Arc<dyn Reader>> = vec![reader.clone()];
        tasks.spawn(domain::readers::run(appliance.clone(), readers, cancel.clone()));
        tasks.spawn(surveillance::run(appliance.clone(), watching, cancel.clone()));
        Self { appliance, handles, health, reader, config, cancel, tasks }
    }

    /// The same device, ended and started anew.
    pub(crate) async fn restart(self) -> Self {
        let config = self.config.clone();
        let handles = self.stop().await;
        let appliance = handles.restart(domain::Limits::default()).unwrap();
        Self::start_on(appliance, handles, config)
    }

    pub(crate) async fn stop(mut self) -> Handles {
        self.cancel.cancel();
        while self.tasks.join_next().await.is_some() {}
        self.handles
    }

    /// Ends without a word, as by a power cut.
    pub(crate) async fn crash(mut self) -> Handles {
        self.tasks.shutdown().await;
        self.handles
    }

    /// How the health board shows the broker.
    pub(crate) fn broker(&self) -> Component {
        self.health.report().components["terminal broker"].clone()
    }

    pub(crate) async fn wait_until_connected(&self) {
        let waiting = async {
            while self.broker() != Component::Up {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(DEADLINE, waiting).await.expect("the device does not connect");
    }

    /// Shows something to the reader.
    pub(crate) async fn show(&self, scan: domain::Scan) {
        let ready = async {
            while !self.reader.is_read() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(DEADLINE, ready).await.expect("nobody reads");
        assert!(self.reader.show(scan));
    }

    /// Adds a camera, watching for the people of the built-in library, before which these pass one after the other.
    pub(crate) async fn watch(&self, names: &[&str]) {
        let url = format!("rtsp://{}", names.join("-"));
        let pass = |take: Take, name: &&str| {
            take.show(Duration::from_millis(600), [FakeFace::of(name)]).nobody(Duration::from_secs(3))
        };
        self.handles.frames.script(&url, [names.iter().fold(Take::new(), pass)]);
        self.watch_scripted(&url).await;
    }

    /// Adds a camera that shows what was scripted.
    pub(crate) async fn watch_scripted(&self, url: &str) {
        let mut camera = testkit::store_suite::samples::new_camera([LibraryId::DEFAULT]);
        camera.settings.source = domain::Source::Rtsp { url: url.to_owned() };
        camera.settings.region = None;
        camera.settings.snap_mode = domain::SnapMode::First;
        camera.watch = domain::WatchSettings { libraries: [LibraryId::DEFAULT].into(), ..Default::default() };
        self.appliance.by(&actor("test")).add_camera(camera).await.unwrap();
    }
}

/// A picture of the one who goes by this name, as commands have it.
pub(crate) fn photo(name: &str) -> String {
    uri(&Picture::of([FakeFace::of(name)]).jpeg())
}

pub(crate) fn uri(picture: &[u8]) -> String {
    format!("data:image/jpeg;base64,{}", STANDARD.encode(picture))
}

/// A file with nothing in it but this.
pub(crate) fn file(folder: &tempfile::TempDir, name: &str, text: &str) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    path
}
