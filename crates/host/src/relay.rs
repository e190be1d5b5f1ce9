//! Network relays that are switched by a message over TCP.

use std::io::{Error, ErrorKind};
use std::net::SocketAddr;
use std::time::Duration;

use domain::OutboundPolicy;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Timeout for connecting and sending a message.
const TIMEOUT: Duration = Duration::from_secs(1);
/// Wait for a reply, so that the connection is not closed while the relay still reads.
const GRACE: Duration = Duration::from_millis(200);

/// The messages that switch relays; they depend on the make.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RelayMessages {
    /// Switches a relay on.
    pub on: Vec<u8>,
    /// Switches it off; empty for relays that switch off by themselves.
    pub off: Vec<u8>,
}

/// Sends a message to a relay, if the policy allows its address.
pub(crate) async fn send(relay: SocketAddr, message: &[u8], policy: OutboundPolicy) -> std::io::Result<()> {
    if !policy.allows(relay.ip()) {
        return Err(Error::new(ErrorKind::PermissionDenied, "the address is not allowed"));
    }
    let mut connection = timeout(TIMEOUT, deliver(relay, message)).await.map_err(|_| ErrorKind::TimedOut)??;
    // The reply is specific to the make and not needed.
    let mut answer = [0; 64];
    let _ = timeout(GRACE, connection.read(&mut answer)).await;
    Ok(())
}

async fn deliver(relay: SocketAddr, message: &[u8]) -> std::io::Result<TcpStream> {
    let mut connection = TcpStream::connect(relay).await?;
    connection.write_all(message).await?;
    connection.shutdown().await?;
    Ok(connection)
}

/// Whether a relay accepts connections and the policy allows its address.
pub(crate) async fn answers(relay: SocketAddr, policy: OutboundPolicy) -> bool {
    policy.allows(relay.ip()) && matches!(timeout(TIMEOUT, TcpStream::connect(relay)).await, Ok(Ok(_)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    #[tokio::test]
    async fn a_message_arrives_whole_before_the_connection_ends() {
        let relay = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = relay.local_addr().unwrap();
        let received = async {
            let (mut connection, _) = relay.accept().await.unwrap();
            let mut message = Vec::new();
            connection.read_to_end(&mut message).await.unwrap();
            connection.write_all(b"done").await.unwrap();
            message
        };
        let (sent, message) = tokio::join!(send(address, &[0xA0, 1, 1, 0xA2], OutboundPolicy::OPEN), received);
        sent.unwrap();
        assert_eq!(message, [0xA0, 1, 1, 0xA2]);
    }

    #[tokio::test]
    async fn nobody_there_is_an_error_and_counts_as_offline() {
        let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        assert!(send(gone, b"on", OutboundPolicy::OPEN).await.is_err());
        assert!(!answers(gone, OutboundPolicy::OPEN).await);
        let there = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let there = there.local_addr().unwrap();
        assert!(answers(there, OutboundPolicy::OPEN).await);
        let wary = OutboundPolicy::default();
        assert!(!answers(there, wary).await && send(there, b"on", wary).await.is_err(), "the device itself");
    }
}
