//! The RTSP connection to a camera: requests, responses, and the packets between them.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use domain::ConnectError;
use domain::ports::SourceError;
use retina::client::Credentials;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::timeout;
use url::Url;

use super::login::Login;
use super::wire::{Incoming, Reader, Response};
use crate::session::{Surroundings, unconnected};

/// Default port.
const PORT: u16 = 554;
/// Buffer space reserved for reads, bytes.
const ROOM: usize = 16 << 10;
/// Free buffer space below which more is reserved, bytes.
const LEAST_ROOM: usize = 2 << 10;
/// Maximum number of packets kept that arrive before the response to PLAY.
const MOST_EARLY: usize = 512;
/// Unsent bytes above which no further request is queued.
const MOST_UNSENT: usize = 16 << 10;

/// A request, without the fields that the connection adds.
pub(super) struct Question<'a> {
    pub(super) method: &'static str,
    pub(super) uri: &'a str,
    pub(super) fields: &'a [(&'static str, &'a str)],
}

/// An open connection.
pub(super) struct Connection {
    read: OwnedReadHalf,
    write: OwnedWriteHalf,
    incoming: BytesMut,
    outgoing: BytesMut,
    reader: Reader,
    login: Login,
    sequence: u32,
    early: VecDeque<(u8, Bytes)>,
    patience: Duration,
    pub(super) peer: SocketAddr,
    pub(super) local: SocketAddr,
}

impl Connection {
    pub(super) async fn open(
        url: &Url,
        credentials: Option<Credentials>,
        surroundings: &Surroundings,
    ) -> Result<Self, SourceError> {
        let (port, patience) = (url.port().unwrap_or(PORT), surroundings.answer);
        let unreachable = |why: std::io::Error| SourceError::Unreachable(connect_failure(&why, port));
        let connected = surroundings.access.outbound.connect(url.host_str().unwrap_or_default(), port, patience).await;
        let stream = connected.map_err(|why| match why {
            ConnectError::TimedOut => {
                SourceError::Unreachable(format!("no connection within {} s", patience.as_secs()))
            }
            ConnectError::Failed(why) => unreachable(why),
            other => unconnected(other),
        })?;
        let (peer, local) = (stream.peer_addr().map_err(unreachable)?, stream.local_addr().map_err(unreachable)?);
        let (read, write) = stream.into_split();
        Ok(Self {
            read,
            write,
            incoming: BytesMut::new(),
            outgoing: BytesMut::new(),
            reader: Reader::default(),
            login: Login::new(credentials, surroundings.access.allows_clear_login(peer.ip())),
            sequence: 0,
            early: VecDeque::new(),
            patience,
            peer,
            local,
        })
    }

    /// Sends a request and returns its response, whatever the status; 401 challenges are answered.
    pub(super) async fn ask(&mut self, question: &Question<'_>) -> Result<Response, SourceError> {
        let mut challenges = 0;
        loop {
            self.send(question);
            let Ok(answer) = timeout(self.patience, self.answer()).await else {
                let (method, seconds) = (question.method, self.patience.as_secs());
                return Err(SourceError::Unreachable(format!("no answer to {method} within {seconds} s")));
            };
            let answer = answer.map_err(|why| unanswered(question.method, why))?;
            if answer.code != 401 {
                self.granted(&answer);
                return Ok(answer);
            }
            challenges += 1;
            self.challenged(&answer, challenges)?;
        }
    }

    /// Queues a request without waiting for the response.
    pub(super) fn send(&mut self, question: &Question<'_>) {
        if self.outgoing.len() > MOST_UNSENT {
            return;
        }
        self.sequence += 1;
        let Question { method, uri, fields } = question;
        let mut text = format!("{method} {uri} RTSP/1.0\r\nCSeq: {}\r\nUser-Agent: polyface\r\n", self.sequence);
        let login = self.login.authorization(method, uri);
        let login = login.iter().map(|value| ("Authorization", value.as_str()));
        for (name, value) in fields.iter().copied().chain(login) {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str("\r\n");
        self.outgoing.extend_from_slice(text.as_bytes());
    }

    /// Processes a challenge; the request must then be sent again.
    pub(super) fn challenged(&mut self, refusal: &Response, challenges: u32) -> Result<(), SourceError> {
        self.login.challenged(refusal, challenges)
    }

    /// Records that the login, if any, was accepted.
    pub(super) fn granted(&mut self, answer: &Response) {
        if (200..400).contains(&answer.code) {
            self.login.accepted();
        }
    }

    /// The next message or packet. Cancel safe.
    pub(super) async fn next(&mut self) -> Result<Incoming, SourceError> {
        loop {
            if let Some(next) = self.buffered()? {
                return Ok(next);
            }
            // Queued packets keep their buffer allocated: do not reserve a new one for every small packet.
            if self.incoming.capacity() - self.incoming.len() < LEAST_ROOM {
                self.incoming.reserve(ROOM);
            }
            let moved = tokio::select! {
                read = self.read.read_buf(&mut self.incoming) => match read {
                    Ok(0) => return Err(SourceError::Broken("the camera closed the connection".to_owned())),
                    read => read,
                },
                written = self.write.write_buf(&mut self.outgoing), if !self.outgoing.is_empty() => written,
            };
            moved.map_err(|why| SourceError::Broken(why.to_string()))?;
        }
    }

    /// The next message or packet that has already been received.
    pub(super) fn buffered(&mut self) -> Result<Option<Incoming>, SourceError> {
        if let Some((channel, data)) = self.early.pop_front() {
            return Ok(Some(Incoming::Packet { channel, data }));
        }
        self.reader.next(&mut self.incoming).map_err(|why| SourceError::Broken(why.to_string()))
    }

    /// Number of unparsable stretches of bytes since the last call.
    pub(super) fn passed_over(&mut self) -> u64 {
        self.reader.passed_over()
    }

    /// Answers a request of the camera: keepalives are acknowledged, anything else is not implemented.
    pub(super) fn reply(&mut self, method: &str, sequence: Option<&str>) {
        let sequence: u32 = sequence.and_then(|sequence| sequence.parse().ok()).unwrap_or_default();
        let known = ["OPTIONS", "GET_PARAMETER", "SET_PARAMETER", "ANNOUNCE"].contains(&method);
        let status = if known { "200 OK" } else { "501 Not Implemented" };
        if self.outgoing.len() <= MOST_UNSENT {
            let text = format!("RTSP/1.0 {status}\r\nCSeq: {sequence}\r\n\r\n");
            self.outgoing.extend_from_slice(text.as_bytes());
        }
    }

    /// The next final response. Only one request is pending at a time, so its sequence number is not checked.
    pub(super) async fn answer(&mut self) -> Result<Response, SourceError> {
        let mut early = std::mem::take(&mut self.early);
        let answer = loop {
            match self.next().await {
                Ok(Incoming::Response(answer)) if answer.code >= 200 => break Ok(answer),
                Ok(Incoming::Response(_)) => {}
                Ok(Incoming::Packet { channel, data }) if early.len() < MOST_EARLY => early.push_back((channel, data)),
                Ok(Incoming::Packet { .. }) => {}
                Ok(Incoming::Request { method, fields }) => self.reply(&method, fields.get("CSeq")),
                Err(why) => break Err(why),
            }
        };
        self.early = early;
        answer
    }
}

/// The error for a connection closed instead of a response: on the first request the peer does not speak RTSP.
fn unanswered(method: &str, why: SourceError) -> SourceError {
    match why {
        SourceError::Broken(why) if method == "DESCRIBE" => SourceError::Unreachable(why),
        SourceError::Broken(why) => SourceError::Broken(format!("{why} instead of answering {method}")),
        other => other,
    }
}

/// Why the connection failed, and what to check.
fn connect_failure(why: &std::io::Error, port: u16) -> String {
    use std::io::ErrorKind::{ConnectionRefused, HostUnreachable, NetworkUnreachable};
    match why.kind() {
        ConnectionRefused => format!("connection refused at port {port}: is RTSP enabled in the camera?"),
        HostUnreachable | NetworkUnreachable => format!("{why}: check the address and the network of this device"),
        _ => why.to_string(),
    }
}
