//! A mosquitto broker.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicU8, Ordering};

use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};

use crate::eventually;

/// A running broker; it ends when dropped.
#[derive(Debug)]
pub struct Broker {
    address: SocketAddr,
    folder: TempDir,
    process: Option<Child>,
}

impl Broker {
    /// A broker that accepts every client.
    pub async fn start() -> Self {
        Self::with(|_| "allow_anonymous true\n".to_owned()).await
    }

    /// A broker whose configuration ends with the text that `rest` returns for its folder.
    pub async fn with(rest: impl Fn(&Path) -> String) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let address = free_address().await;
        let text = format!(
            "listener {} {}\nmessage_size_limit 0\nset_tcp_nodelay true\nuser root\n{}",
            address.port(),
            address.ip(),
            rest(folder.path())
        );
        std::fs::write(folder.path().join("mosquitto.conf"), text).unwrap();
        let mut broker = Self { address, folder, process: None };
        broker.come_back().await;
        broker
    }

    /// Kills the broker.
    pub async fn go_away(&mut self) {
        let mut process = self.process.take().unwrap();
        process.kill().await.unwrap();
    }

    /// Starts the broker again on the same port, without retained state.
    pub async fn come_back(&mut self) {
        eventually("mosquitto listens", async || self.try_to_listen().await).await;
    }

    /// Starts the broker if it does not run; `None` when it does not listen yet. What it said when it ended is printed.
    async fn try_to_listen(&mut self) -> Option<()> {
        if self.process.is_none() {
            self.process = Some(self.spawn());
        }
        let answers = TcpStream::connect(self.address).await.is_ok();
        // Another process may be listening there instead.
        if let Some(ended) = self.process.as_mut()?.try_wait().unwrap() {
            eprintln!("mosquitto ended with {ended}: {}", std::fs::read_to_string(self.log()).unwrap_or_default());
            self.process = None;
            return None;
        }
        answers.then_some(())
    }

    fn spawn(&self) -> Child {
        let program = if Path::new("/usr/sbin/mosquitto").exists() { "/usr/sbin/mosquitto" } else { "mosquitto" };
        let log = std::fs::File::create(self.log()).unwrap();
        let mut command = Command::new(program);
        command.arg("-c").arg(self.folder.path().join("mosquitto.conf"));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).kill_on_drop(true);
        command.spawn().expect("mosquitto is not installed")
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("mosquitto.log")
    }

    /// Its address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("mqtt://{}", self.address())
    }
}

/// A free address. It is on a loopback IP of its own, because the broker binds it later and a port of 127.0.0.1 may be
/// in use by then.
async fn free_address() -> SocketAddr {
    static BROKERS: AtomicU8 = AtomicU8::new(0);
    let [_, _, high, low] = std::process::id().to_be_bytes();
    let ip = Ipv4Addr::new(127, high | 0x80, low, BROKERS.fetch_add(1, Ordering::Relaxed));
    TcpListener::bind((ip, 0)).await.unwrap().local_addr().unwrap()
}

/// A port of 127.0.0.1 that was free a moment ago.
pub async fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port()
}
