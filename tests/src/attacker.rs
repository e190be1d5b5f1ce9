//! Callers who mean harm, from addresses of their own.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::OnceLock;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::net::{TcpSocket, TcpStream};

use crate::Figures;
use crate::client::install_crypto;

/// Interval at which the memory of a device is read.
const SAMPLE: Duration = Duration::from_millis(5);

/// A caller at an address of the loopback network.
#[derive(Clone)]
pub struct Attacker {
    address: Ipv4Addr,
    /// Made for the first request.
    http: OnceLock<reqwest::Client>,
}

impl Attacker {
    /// The caller at 127.0.0.`last`. Tests themselves are at 127.0.0.1.
    pub fn at(last: u8) -> Self {
        Self { address: Ipv4Addr::new(127, 0, 0, last), http: OnceLock::new() }
    }

    fn http(&self) -> &reqwest::Client {
        self.http.get_or_init(|| {
            install_crypto();
            let client = reqwest::Client::builder().local_address(IpAddr::V4(self.address));
            let client = client.timeout(Duration::from_secs(60)).pool_idle_timeout(Duration::from_secs(2));
            let client = client.redirect(reqwest::redirect::Policy::none());
            // Nothing is encrypted here, and to read the certificates of the machine takes long.
            client.tls_danger_accept_invalid_certs(true).build().expect("an HTTP client")
        })
    }

    /// A request to be filled by the test.
    pub fn post(&self, to: SocketAddr, path: &str) -> reqwest::RequestBuilder {
        self.http().post(format!("http://{to}{path}"))
    }

    /// Tries a login at SenseNebula-M and returns the code: 0 when it succeeded.
    pub async fn log_in(&self, sensetime: SocketAddr, user: &str, password: &str) -> i64 {
        let login = json!({"msg_id": "257", "user_name": user, "user_pwd": password});
        let answer = self.post(sensetime, "/api/json").json(&login).send().await.expect("the device answers");
        answer.json::<Value>().await.expect("JSON")["code"].as_i64().expect("a code")
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
