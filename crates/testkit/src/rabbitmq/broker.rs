//! A rabbitmq-server.

use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};

use super::Client;

/// Where Debian's package has the program itself: the one in the path changes the user.
const PROGRAM: &str = "/usr/lib/rabbitmq/bin/rabbitmq-server";
/// It starts within this time, also on a busy machine.
const START: Duration = Duration::from_secs(120);

/// What a broker proves its name with over TLS, PEM.
#[derive(Debug, Clone)]
pub struct Certificate {
    /// The certificate, which is its own issuer.
    pub certificate: String,
    /// Its private key.
    pub key: String,
}

/// A running broker, with a port mapper of its own; both end when it is dropped.
#[derive(Debug)]
pub struct Broker {
    port: u16,
    tls_port: Option<u16>,
    inner_port: u16,
    mapper_port: u16,
    folder: TempDir,
    mapper: Child,
    process: Option<Child>,
}

impl Broker {
    /// A broker without TLS.
    pub async fn start() -> Self {
        Self::begin(None).await
    }

    /// A broker that can also be reached over TLS, at [`tls_port`](Self::tls_port).
    pub async fn with_certificate(certificate: &Certificate) -> Self {
        Self::begin(Some(certificate)).await
    }

    async fn begin(certificate: Option<&Certificate>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let [port, tls_port, inner_port, mapper_port] = free_ports().await;
        let tls_port = certificate.map(|_| tls_port);
        write_configuration(folder.path(), tls_port.zip(certificate));
        let mut mapper = Command::new("epmd");
        mapper.args(["-address", "127.0.0.1", "-port", &mapper_port.to_string()]);
        let mapper = quiet(&mut mapper).spawn().expect("epmd is not installed");
        let mut broker = Self { port, tls_port, inner_port, mapper_port, folder, mapper, process: None };
        broker.come_back().await;
        broker
    }

    /// Kills the broker; its queues and what is in them stay on the disk.
    pub fn go_away(&mut self) {
        if let Some(mut process) = self.process.take() {
            // The program that was started is a shell: the broker is in its group.
            let _ = Command::new("kill").args(["-9", "--", &format!("-{}", process.id())]).status();
            let _ = process.wait();
        }
    }

    /// Starts the broker again on the same ports and data.
    pub async fn come_back(&mut self) {
        let path = |name: &str| self.folder.path().join(name);
        let mut command = Command::new(PROGRAM);
        command.env("HOME", self.folder.path()).env("RABBITMQ_NODENAME", format!("test{}@localhost", self.port));
        command.env("RABBITMQ_NODE_IP_ADDRESS", "127.0.0.1").env("RABBITMQ_NODE_PORT", self.port.to_string());
        command.env("RABBITMQ_DIST_PORT", self.inner_port.to_string());
        command.env("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", "-kernel inet_dist_use_interface {127,0,0,1} +S 2:2");
        command.env("ERL_EPMD_ADDRESS", "127.0.0.1").env("ERL_EPMD_PORT", self.mapper_port.to_string());
        command.env("ERL_CRASH_DUMP_SECONDS", "0").process_group(0);
        command.env("RABBITMQ_CONFIG_FILE", path("rabbitmq.conf"));
        command.env("RABBITMQ_MNESIA_BASE", path("db")).env("RABBITMQ_LOG_BASE", path("log"));
        command.env("RABBITMQ_ENABLED_PLUGINS_FILE", path("plugins"));
        self.process = Some(quiet(&mut command).spawn().expect("rabbitmq-server is not installed"));
        let until = Instant::now() + START;
        for port in [Some(self.port), self.tls_port].into_iter().flatten() {
            while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
                let ended = self.process.as_mut().and_then(|process| process.try_wait().unwrap());
                assert!(ended.is_none() && Instant::now() < until, "rabbitmq-server does not listen: {ended:?}");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }

    /// The port for connections in clear, at 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The port for connections over TLS, at 127.0.0.1.
    ///
    /// # Panics
    /// The broker was started without a certificate.
    pub fn tls_port(&self) -> u16 {
        self.tls_port.expect("the broker has a certificate")
    }

    /// A client of its own, with a queue for commands and one for results.
    pub async fn client(&self, name: &str) -> Client {
        Client::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, self.port)), name).await
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.go_away();
        let _ = self.mapper.kill();
        let _ = self.mapper.wait();
    }
}

fn write_configuration(folder: &Path, tls: Option<(u16, &Certificate)>) {
    let mut text = String::new();
    if let Some((port, Certificate { certificate, key })) = tls {
        let [certificate_file, key_file] = [("cert.pem", certificate), ("key.pem", key)].map(|(name, pem)| {
            std::fs::write(folder.join(name), pem).unwrap();
            folder.join(name).display().to_string()
        });
        text = format!(
            "listeners.ssl.1 = 127.0.0.1:{port}\nssl_options.cacertfile = {certificate_file}\n\
             ssl_options.certfile = {certificate_file}\nssl_options.keyfile = {key_file}\n\
             ssl_options.verify = verify_none\nssl_options.fail_if_no_peer_cert = false\n"
        );
    }
    std::fs::write(folder.join("rabbitmq.conf"), text).unwrap();
}

fn quiet(command: &mut Command) -> &mut Command {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null())
}

/// Different ports on which nothing listens now.
async fn free_ports<const N: usize>() -> [u16; N] {
    let mut held = Vec::new();
    for _ in 0..N {
        held.push(TcpListener::bind("127.0.0.1:0").await.unwrap());
    }
    std::array::from_fn(|place| held[place].local_addr().unwrap().port())
}
