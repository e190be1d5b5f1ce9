//! A device on fakes, for a real broker and a platform that speaks MQTT through another library than the device.

use std::ops::Deref;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use adapter::{Adapter, Component, Health, Outbound, Policy};
use adapter_terminal::{Config, Pace, Terminal, Trust};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::LibraryId;
use testkit::mqtt::ID;
use testkit::{FakeFace, Handles, Picture, Rig, actor, until};

pub(crate) struct Device {
    rig: Rig,
    pub(crate) health: Arc<Health>,
    config: Config,
}

/// Fast enough for tests.
pub(crate) const PACE: Pace = Pace {
    online: Duration::from_millis(200),
    heartbeat: Duration::from_millis(100),
    resend: Duration::from_millis(300),
    trial: Duration::from_millis(500),
};

/// The usual settings, with this broker.
pub(crate) fn config(broker: String) -> Config {
    Config {
        broker,
        username: String::new(),
        password_file: None,
        ca_file: None,
        trust: Trust::Network,
        device_id: ID.into(),
        topic_prefix: "mqtt/face".into(),
    }
}

impl Deref for Device {
    type Target = Rig;

    fn deref(&self) -> &Rig {
        &self.rig
    }
}

impl Device {
    pub(crate) async fn start(broker: String) -> Self {
        Self::start_on(Rig::start(testkit::options()), config(broker))
    }

    /// Also without a broker to be found.
    pub(crate) fn start_on(mut rig: Rig, config: Config) -> Self {
        let outbound = Outbound::new(Policy { allow_private: true, allow_loopback: true }).unwrap();
        let health = Arc::new(Health::default());
        let appliance = rig.appliance.clone();
        let adapter = Terminal::new(config.clone(), PACE, appliance, outbound, Arc::clone(&health)).unwrap();
        rig.spawn(|appliance, cancel| async move { adapter.run(appliance, cancel).await });
        Self { rig, health, config }
    }

    /// The same device, restarted.
    pub(crate) async fn restart(self) -> Self {
        let handles = self.rig.stop().await;
        Self::start_on(Rig::restart(handles), self.config)
    }

    pub(crate) async fn stop(self) -> Handles {
        self.rig.stop().await
    }

    /// Ends without a word, as by a power cut.
    pub(crate) async fn crash(self) -> Handles {
        self.rig.crash().await
    }

    /// How the health board shows the broker.
    pub(crate) fn broker(&self) -> Component {
        self.health.report().components["terminal broker"].clone()
    }

    pub(crate) async fn wait_until_connected(&self) {
        until("the device is connected", async || self.broker() == Component::Up).await;
    }

    /// Adds a camera, watching for the people of the built-in library, before which these pass one after the other.
    pub(crate) async fn watch(&self, names: &[&str]) {
        let url = format!("rtsp://{}", names.join("-"));
        self.script_visits(&url, names);
        self.watch_scripted(&url).await;
    }

    /// Adds a camera that shows what was scripted.
    pub(crate) async fn watch_scripted(&self, url: &str) {
        let mut camera = testkit::store_suite::samples::new_camera([LibraryId::DEFAULT]);
        camera.permission_groups.clear();
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
