//! FTP server (RFC 959, RFC 2428) for cameras that upload pictures, and for nothing else.
//!
//! There is no file system behind it. A file is read into memory, bounded, and given to [`Uploads`]; the client gets its
//! answer once that has taken it. Names and folders that a client sends are accepted and mean nothing, listings are
//! empty, and files cannot be read, renamed or removed. The server connects to no one: data connections are passive, and
//! only the address of the control connection may open them.
//!
//! The kept library, libunftp, does not bound the length of a command, accepts data connections from any address and
//! limits neither connections nor uploads; none of that can be added from outside.

mod line;
mod passive;
mod quota;
mod replies;
mod session;

use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use domain::Timestamp;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use quota::Quotas;
use session::Session;

/// Delay before connections are accepted again after a failure: a resource is exhausted.
const ACCEPT_AGAIN: Duration = Duration::from_millis(500);

/// What the server allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FtpLimits {
    /// Ports for data connections.
    pub passive_ports: RangeInclusive<u16>,
    /// Maximum number of control connections.
    pub connections: usize,
    /// Maximum number of control connections of one address.
    pub connections_of_address: usize,
    /// Maximum size of a file, bytes.
    pub upload_bytes: usize,
    /// Maximum number of files in memory, those that wait to be taken included.
    pub uploads_at_once: usize,
    /// Maximum number of files of one address in a minute.
    pub uploads_per_minute: u32,
    /// Maximum time for a login, from the start of the connection.
    pub login: Duration,
    /// Maximum time between two commands.
    pub idle: Duration,
    /// Maximum time until a data connection is opened.
    pub open: Duration,
    /// Maximum time for a file to arrive.
    pub transfer: Duration,
}

impl Default for FtpLimits {
    /// Ports 50000 to 50063, 32 connections, 4 of one address, 8 MiB, 8 files at once, 600 a minute, 20 s for a login,
    /// 120 s idle, 10 s to open a data connection, 30 s for a file.
    fn default() -> Self {
        Self {
            passive_ports: 50_000..=50_063,
            connections: 32,
            connections_of_address: 4,
            upload_bytes: 8 << 20,
            uploads_at_once: 8,
            uploads_per_minute: 600,
            login: Duration::from_secs(20),
            idle: Duration::from_secs(120),
            open: Duration::from_secs(10),
            transfer: Duration::from_secs(30),
        }
    }
}

/// Why a file was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// It will never be taken.
    ForGood(&'static str),
    /// The same file may be taken later.
    ForNow,
}

/// Receives what clients send.
#[async_trait]
pub trait Uploads: Send + Sync {
    /// Whether this login is right. Counts failures.
    async fn log_in(&self, user: &str, password: &str, from: IpAddr) -> bool;

    /// The time now.
    fn now(&self) -> Timestamp;

    /// Takes a file, whose transfer began at `began`. `Ok` once it need not be sent again.
    async fn take(&self, file: Bytes, from: IpAddr, began: Timestamp) -> Result<(), Refused>;
}

/// What all connections share.
struct Shared {
    limits: FtpLimits,
    uploads: Arc<dyn Uploads>,
    quotas: Quotas,
    /// One permit for each file in memory.
    files: Semaphore,
}

/// Serves FTP on a bound listener until `cancel` is cancelled; then closes all connections and returns. A file that is
/// being taken then is still answered.
pub async fn serve_ftp(
    listener: &TcpListener,
    limits: FtpLimits,
    uploads: Arc<dyn Uploads>,
    cancel: CancellationToken,
) {
    let (tasks, files) = (TaskTracker::new(), Semaphore::new(limits.uploads_at_once));
    let quotas = Quotas::new(&limits);
    let shared = Arc::new(Shared { limits, uploads, quotas, files });
    while let Some(accepted) = cancel.run_until_cancelled(listener.accept()).await {
        match accepted {
            Ok((stream, peer)) => {
                let from = peer.ip().to_canonical();
                match shared.quotas.connect(from) {
                    Some(place) => {
                        let (shared, cancel) = (Arc::clone(&shared), cancel.clone());
                        tasks.spawn(async move {
                            Session::new(&shared, from, &cancel).run(stream).await;
                            drop(place);
                        });
                    }
                    None => turn_away(stream).await,
                }
            }
            Err(error) => {
                tracing::warn!(%error, "failed to accept FTP connection");
                let _ = cancel.run_until_cancelled(tokio::time::sleep(ACCEPT_AGAIN)).await;
            }
        }
    }
    tasks.close();
    tasks.wait().await;
}

/// Tells a client that there is no room. The few bytes fit into the socket's empty buffer, so this does not wait.
async fn turn_away(mut stream: TcpStream) {
    metrics::counter!("polyface_ftp_connections_refused_total").increment(1);
    let _ = tokio::time::timeout(ACCEPT_AGAIN, stream.write_all(replies::TOO_MANY.as_bytes())).await;
}
