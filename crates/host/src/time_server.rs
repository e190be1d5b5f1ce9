//! Checks whether a time server answers (SNTP, RFC 4330).

use std::time::Duration;

use domain::OutboundPolicy;
use tokio::net::UdpSocket;
use tokio::time::timeout;

const TRIES: usize = 2;
const TIMEOUT: Duration = Duration::from_secs(2);
/// Version 4, mode client.
const QUESTION: u8 = 0x23;
const SERVER: u8 = 4;

/// Whether a synchronised time server answers, at an address that the policy allows.
pub(crate) async fn answers(server: &str, port: u16, policy: OutboundPolicy) -> bool {
    for mark in 1..=TRIES as u8 {
        if let Ok(Ok(true)) = timeout(TIMEOUT, ask(server, port, mark, policy)).await {
            return true;
        }
    }
    false
}

async fn ask(server: &str, port: u16, mark: u8, policy: OutboundPolicy) -> std::io::Result<bool> {
    let allowed = policy.resolve(server, port).await.map_err(std::io::Error::other)?;
    let address = *allowed.first().ok_or(std::io::ErrorKind::NotFound)?;
    let local = if address.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
    let socket = UdpSocket::bind(local).await?;
    socket.connect(address).await?;
    let mut question = [0; 48];
    question[0] = QUESTION;
    // Transmit timestamp, which the server echoes.
    question[40..].fill(mark);
    socket.send(&question).await?;
    let mut answer = [0; 128];
    let length = socket.recv(&mut answer).await?;
    let stratum = answer[1];
    Ok(length >= 48 && answer[0] & 7 == SERVER && (1..16).contains(&stratum) && answer[24..32] == question[40..])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A time server that answers with this stratum.
    async fn server(stratum: u8) -> (u16, tokio::task::JoinSet<()>) {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let port = socket.local_addr().unwrap().port();
        let mut tasks = tokio::task::JoinSet::new();
        tasks.spawn(async move {
            let mut question = [0; 48];
            while let Ok((48, asker)) = socket.recv_from(&mut question).await {
                let mut answer = [0; 48];
                (answer[0], answer[1]) = (0x24, stratum);
                answer[24..32].copy_from_slice(&question[40..]);
                socket.send_to(&answer, asker).await.unwrap();
            }
        });
        (port, tasks)
    }

    #[tokio::test]
    async fn a_server_that_knows_the_time_answers() {
        let (port, _server) = server(2).await;
        assert!(answers("127.0.0.1", port, OutboundPolicy::OPEN).await);
        assert!(!answers("localhost", port, OutboundPolicy::default()).await, "it is the device itself");
    }

    #[tokio::test]
    async fn a_server_that_does_not_know_the_time_counts_as_none() {
        let (port, _server) = server(0).await;
        assert!(!answers("127.0.0.1", port, OutboundPolicy::OPEN).await);
        let nobody = UdpSocket::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
        assert!(!answers("127.0.0.1", nobody, OutboundPolicy::OPEN).await);
    }
}
