//! Passive data connections.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::Duration;

use rand::RngExt;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

/// How much room a file has at first, bytes.
const FIRST_ROOM: usize = 64 << 10;

/// A port that waits for one data connection.
pub(super) struct Passive {
    listener: TcpListener,
    address: SocketAddr,
}

impl Passive {
    /// Opens a port of the range, beginning anywhere in it; fails when all are taken.
    pub(super) async fn open(local: IpAddr, ports: &RangeInclusive<u16>) -> io::Result<Self> {
        let count = u32::from(*ports.end()) - u32::from(*ports.start()) + 1;
        let first = rand::rng().random_range(0..count);
        let mut failure = io::Error::from(io::ErrorKind::AddrInUse);
        for step in 0..count {
            let port = u32::from(*ports.start()) + (first + step) % count;
            // The sum is at most the end of the range.
            match TcpListener::bind((local, port as u16)).await {
                Ok(listener) => return Ok(Self { address: listener.local_addr()?, listener }),
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The connection of this peer; anyone else's is closed. `None` when there is none in time.
    pub(super) async fn accept(self, peer: IpAddr, within: Duration) -> Option<TcpStream> {
        let accepting = async {
            loop {
                match self.listener.accept().await {
                    Ok((stream, from)) if from.ip().to_canonical() == peer => return stream,
                    Ok((_, from)) => tracing::warn!(ftp.peer = %from.ip(), "data connection of another address closed"),
                    // The time-out ends this.
                    Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
                }
            }
        };
        timeout(within, accepting).await.ok()
    }
}

/// Why a file was not read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unread {
    /// It is larger than is allowed.
    TooLarge,
    /// The connection failed, or was too slow.
    Broken,
}

/// Reads a file of at most `most` bytes.
pub(super) async fn receive(mut stream: TcpStream, most: usize, within: Duration) -> Result<Vec<u8>, Unread> {
    let reading = async {
        let mut file = Vec::with_capacity(FIRST_ROOM.min(most));
        // One byte more tells a file of the largest size from a larger one.
        let mut bounded = (&mut stream).take(most as u64 + 1);
        bounded.read_to_end(&mut file).await.map_err(|_| Unread::Broken)?;
        if file.len() > most { Err(Unread::TooLarge) } else { Ok(file) }
    };
    timeout(within, reading).await.unwrap_or(Err(Unread::Broken))
}
