//! Callers who mean harm, from addresses of their own.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use serde_json::json;
use tokio::net::{TcpSocket, TcpStream};

use crate::Figures;
use crate::client::install_crypto;

/// Interval at which the memory of a device is read.
const SAMPLE: Duration = Duration::from_millis(5);

/// A caller at an address of the loopback network.
#[derive(Clone)]
pub struct Attacker {
    address: Ipv4Addr,
    http: reqwest::Client,
}

impl Attacker {
    /// The caller at 127.0.0.`last`. Tests themselves are at 127.0.0.1.
    pub fn at(last: u8) -> Self {
        install_crypto();
        let address = Ipv4Addr::new(127, 0, 0, last);
        let client = reqwest::Client::builder().local_address(IpAddr::V4(address)).timeout(Duration::from_secs(60));
        let client = client.redirect(reqwest::redirect::Policy::none()).pool_idle_timeout(Duration::from_secs(2));
        Self { address, http: client.build().expect("an HTTP client") }
    }

    /// A request to be filled by the test.
    pub fn post(&self, to: SocketAddr, path: &str) -> reqwest::RequestBuilder {
        self.http.post(format!("http://{to}{path}"))
    }

    /// Tries a login at the console and returns the status: 303 when it succeeded.
    pub async fn log_in(&self, console: SocketAddr, user: &str, password: &str) -> u16 {
        let request = self.post(console, "/login").json(&json!({"username": user, "password": password}));
        request.send().await.expect("the console answers").status().as_u16()
    }

    /// A connection from this address.
    pub async fn connect(&self, to: SocketAddr) -> TcpStream {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind((self.address, 0).into()).expect("a free port");
        socket.connect(to).await.expect("the device listens")
    }
}

/// Does `work` and returns by how many bytes the memory of a process grew in the meantime, at its peak.
pub async fn memory_growth<T>(pid: u32, work: impl Future<Output = T>) -> (T, u64) {
    let memory = || Figures::of(pid).expect("the process runs").anonymous_bytes;
    let before = memory();
    let (mut peak, mut samples) = (before, tokio::time::interval(SAMPLE));
    tokio::pin!(work);
    loop {
        tokio::select! {
            done = &mut work => return (done, peak.max(memory()).saturating_sub(before)),
            _ = samples.tick() => peak = peak.max(memory()),
        }
    }
}
