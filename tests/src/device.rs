//! The built daemon, started on a storage directory of its own.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use store::StoreKey;
use tempfile::TempDir;

use crate::disk::{self, Disk};
use crate::{SenseTime, eventually_within};

/// The administrator's password on every test device.
pub const ADMIN_PASSWORD: &str = "Admin_1234";

/// A start takes no longer than this, even on a busy machine.
const START: Duration = Duration::from_secs(60);

/// A running (or killed) daemon. Dropping it kills the daemon and removes its storage.
pub struct Device {
    dir: TempDir,
    disk: Option<Disk>,
    child: Child,
    listeners: BTreeMap<String, SocketAddr>,
}

impl Device {
    /// Starts a device with an empty storage and waits until it is healthy.
    pub async fn start() -> Self {
        Self::start_with_storage("").await
    }

    /// Starts a device with the sections of its adapters replaced by these.
    pub async fn start_with_adapters(sections: &str) -> Self {
        Self::start_changed(|text| {
            let (head, _) = text.split_once("[sensetime]").expect("the adapters come last");
            format!("{head}{}\n{sections}", accounts())
        })
        .await
    }

    /// Starts a device with its configuration changed before.
    pub async fn start_changed(change: impl FnOnce(String) -> String) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let config = change(configuration(dir.path(), "", &accounts()));
        Self::start_on(dir, None, &config).await
    }

    /// Starts a device with these keys in the section `storage`.
    pub async fn start_with_storage(keys: &str) -> Self {
        Self::start_with(keys, &accounts()).await
    }

    /// Starts a device whose configuration ends with these sections.
    pub async fn start_with_sections(sections: &str) -> Self {
        Self::start_with("", &format!("{}\n{sections}", accounts())).await
    }

    /// Starts a device whose configuration names no password.
    pub async fn start_without_password() -> Self {
        Self::start_with("", "").await
    }

    /// Starts a device whose storage is a disk of its own; `None` where disks cannot be mounted.
    pub async fn start_on_disk(mebibytes: u64, keys: &str) -> Option<Self> {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let disk = Disk::create(&dir.path().join("disk"), mebibytes)?;
        Some(Self::start_in(dir, Some(disk), keys, &accounts()).await)
    }

    /// Starts a device in this folder, where the directory `storage` may be a mounted disk.
    pub async fn start_in_folder(dir: TempDir, keys: &str) -> Self {
        Self::start_in(dir, None, keys, &accounts()).await
    }

    async fn start_with(storage: &str, extra: &str) -> Self {
        Self::start_in(tempfile::tempdir().expect("a temporary directory"), None, storage, extra).await
    }

    async fn start_in(dir: TempDir, disk: Option<Disk>, storage: &str, extra: &str) -> Self {
        let config = configuration(dir.path(), storage, extra);
        Self::start_on(dir, disk, &config).await
    }

    async fn start_on(dir: TempDir, disk: Option<Disk>, config: &str) -> Self {
        fs::write(dir.path().join("polyface.toml"), config).expect("the configuration is written");
        let child = launch(dir.path(), disk.as_ref());
        let mut device = Self { dir, disk, child, listeners: BTreeMap::new() };
        device.wait_until_healthy().await;
        device
    }

    /// Ends the daemon as a power cut would.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Asks the daemon to stop and waits for it; panics when it takes longer than it promises.
    pub fn terminate(&mut self) -> ExitStatus {
        self.signal("TERM");
        let deadline = Instant::now() + Duration::from_secs(11);
        loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                return status;
            }
            assert!(Instant::now() < deadline, "the daemon did not end within ten seconds of SIGTERM");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Starts the daemon again on the same storage.
    pub async fn restart(&mut self) {
        self.launch();
        self.wait_until_healthy().await;
    }

    /// As [`Device::restart`], without waiting for it to serve.
    pub fn launch(&mut self) {
        self.kill();
        let _ = fs::remove_file(self.storage().join("run/listeners.json"));
        self.child = launch(self.dir.path(), self.disk.as_ref());
    }

    /// Changes the configuration file; the next start reads it.
    pub fn reconfigure(&self, from: &str, to: &str) {
        let text = fs::read_to_string(self.config()).expect("the configuration");
        assert!(text.contains(from), "the configuration has no {from:?}");
        fs::write(self.config(), text.replacen(from, to, 1)).expect("the configuration is written");
    }

    /// Starts the daemon again, waits until it says that it refuses to serve, and answers the reasons.
    pub async fn restart_refusing(&mut self) -> String {
        self.launch();
        self.wait_for_listeners().await;
        let health = eventually_within(START, "the daemon refuses to serve", async || {
            let (status, health) = self.health().await?;
            (status == 503).then_some(health)
        })
        .await;
        health["reasons"].to_string()
    }

    /// What `/healthz` answers: status and body; nothing when nobody answers.
    pub async fn health(&self) -> Option<(u16, serde_json::Value)> {
        let url = format!("http://{}/healthz", self.listener("console"));
        let answer = crate::client::http().get(&url).send().await.ok()?;
        Some((answer.status().as_u16(), answer.json().await.ok()?))
    }

    /// The adapters that listen.
    pub fn listening(&self) -> Vec<&str> {
        self.listeners.keys().map(String::as_str).collect()
    }

    /// A client logged in as the administrator.
    pub async fn log_in(&self) -> SenseTime {
        SenseTime::log_in(self.listener("sensetime"), "admin", ADMIN_PASSWORD).await
    }

    /// A client without a session.
    pub fn anonymous(&self) -> SenseTime {
        SenseTime::anonymous(self.listener("sensetime"))
    }

    /// Where an adapter listens.
    pub fn listener(&self, name: &str) -> SocketAddr {
        self.listeners[name]
    }

    /// The key that the storage directory is sealed with.
    pub fn storage_key(&self) -> StoreKey {
        let file = storage(self.dir.path()).with_added_extension("key");
        StoreKey::parse(&fs::read(file).expect("a key file")).expect("a key")
    }

    /// The storage directory; one on a disk of its own can be reached while the daemon runs.
    pub fn storage(&self) -> PathBuf {
        let storage = storage(self.dir.path());
        match (&self.disk, storage.strip_prefix("/")) {
            (Some(_), Ok(inside)) => Path::new("/proc").join(self.pid().to_string()).join("root").join(inside),
            _ => storage,
        }
    }

    /// Breaks the device's own disk: nothing can be written to it any more until the next start.
    pub fn break_disk(&self) {
        disk::break_down(self.pid(), &storage(self.dir.path()));
    }

    /// The configuration file.
    pub fn config(&self) -> PathBuf {
        self.dir.path().join("polyface.toml")
    }

    /// The daemon's log so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }

    /// The daemon's process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Whether the daemon still runs.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.pid().to_string()]).status();
        assert!(sent.expect("kill runs").success());
    }

    async fn wait_for_listeners(&mut self) {
        let run = self.storage().join("run/listeners.json");
        let listeners = eventually_within(START, "the daemon publishes its listeners", async || {
            assert!(matches!(self.child.try_wait(), Ok(None)), "the daemon ended:\n{}", self.log());
            serde_json::from_slice(&fs::read(&run).ok()?).ok()
        })
        .await;
        self.listeners = listeners;
    }

    async fn wait_until_healthy(&mut self) {
        eventually_within(START, "the daemon is healthy", async || {
            // A disk of its own shows the listeners of the run before until the daemon is started on it.
            self.wait_for_listeners().await;
            let (status, _) = self.health().await?;
            (status == 200).then_some(())
        })
        .await;
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            eprintln!("---- the daemon's log ----\n{}", self.log());
        }
    }
}

/// The built daemon: it lies beside this program, or beside the directory of the test binaries.
pub fn polyfaced() -> PathBuf {
    let program = std::env::current_exe().expect("a program");
    let mut places = program.ancestors().skip(1).take(2).map(|folder| folder.join("polyfaced"));
    let built = places.find(|place| place.exists());
    built.expect("polyfaced is missing: run `cargo build --package daemon` first")
}

fn accounts() -> String {
    format!("[accounts]\nadmin_password = {ADMIN_PASSWORD:?}")
}

fn storage(dir: &Path) -> PathBuf {
    dir.join("storage")
}

fn launch(dir: &Path, disk: Option<&Disk>) -> Child {
    let log = fs::OpenOptions::new().create(true).append(true).open(dir.join("log")).expect("a log file");
    let daemon = polyfaced();
    let mut command = disk.map_or_else(|| Command::new(&daemon), |disk| disk.mounting(&storage(dir), &daemon));
    if !cfg!(debug_assertions) {
        // As its service does: measurements need that, and tests would spend a quarter of their time on it.
        command.env("MIMALLOC_PURGE_DELAY", "0");
    }
    command
        .args(["run", "--config"])
        .arg(dir.join("polyface.toml"))
        // The daemon sets it itself.
        .env_remove("ORT_DISABLE_TELEMETRY")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .expect("the daemon starts")
}

fn configuration(dir: &Path, storage_keys: &str, extra: &str) -> String {
    let storage = storage(dir);
    let models = crate::cast::models();
    // Films lie beside the storage or among temporary files.
    let films = [dir.to_owned(), std::env::temp_dir(), crate::cast::cache()];
    format!(
        r#"
[device]
name = "test"
serial = "TEST0001"
time_zone = "UTC"
[storage]
dir = {storage:?}
{storage_keys}
[models]
dir = {models:?}
[video]
file_folders = {films:?}
[outbound]
allow_loopback = true
[host]
backend = "recording"
[console]
listen = "127.0.0.1:0"
[sensetime]
enabled = true
listen = "127.0.0.1:0"
listen_https = "127.0.0.1:0"
[facebox]
enabled = true
listen = "127.0.0.1:0"
{extra}
"#
    )
}
