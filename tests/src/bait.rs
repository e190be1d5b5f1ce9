//! Servers that only note who comes and what is said.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// A TCP server that gives every request the same answer; it ends when dropped.
pub struct Bait {
    address: SocketAddr,
    heard: Arc<Mutex<Vec<String>>>,
    _server: JoinSet<()>,
}

impl Bait {
    /// Listens at this address; `answer`: to every request.
    pub async fn listen(address: SocketAddr, answer: &str) -> Self {
        let listener = TcpListener::bind(address).await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (heard, answer) = (Arc::<Mutex<Vec<String>>>::default(), answer.to_owned());
        let mut server = JoinSet::new();
        let said = Arc::clone(&heard);
        server.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((connection, _)) = listener.accept().await {
                connections.spawn(note(connection, answer.clone(), Arc::clone(&said)));
            }
        });
        Self { address, heard, _server: server }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What was said so far: one text for each piece that arrived, and an empty one for each connection.
    pub fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn note(mut connection: TcpStream, answer: String, heard: Arc<Mutex<Vec<String>>>) {
    let note = |text: String| heard.lock().unwrap_or_else(PoisonError::into_inner).push(text);
    note(String::new());
    let mut piece = vec![0; 16 << 10];
    while let Ok(length @ 1..) = connection.read(&mut piece).await {
        note(String::from_utf8_lossy(&piece[..length]).into_owned());
        // RTSP wants the number of the request back.
        let asked = String::from_utf8_lossy(&piece[..length]).into_owned();
        let number = asked.lines().find(|line| line.starts_with("CSeq:")).unwrap_or("CSeq: 0");
        if connection.write_all(answer.replace("CSEQ", number).as_bytes()).await.is_err() {
            return;
        }
    }
}
