//! The connection to a camera: requests and their answers, and what comes between them.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use domain::ports::SourceError;
use retina::client::Credentials;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::timeout;
use url::{Host, Url};

use super::login::Login;
use super::wire::{Incoming, Reader, Response};

/// Where cameras listen when the address does not say so.
const PORT: u16 = 554;
/// Room for a read, bytes.
const ROOM: usize = 16 << 10;
/// Room below which there must be more, bytes.
const LEAST_ROOM: usize = 2 << 10;
/// Maximum number of packets kept that come before the answer to PLAY.
const MOST_EARLY: usize = 512;
/// Requests that a camera does not take off the connection, bytes, after which none is added.
const MOST_UNSENT: usize = 16 << 10;

/// What can be asked of a camera in a request.
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
        patience: Duration,
    ) -> Result<Self, SourceError> {
        let port = url.port().unwrap_or(PORT);
        let connecting = async {
            match url.host() {
                Some(Host::Domain(name)) => TcpStream::connect((name, port)).await,
                Some(Host::Ipv4(address)) => TcpStream::connect((address, port)).await,
                Some(Host::Ipv6(address)) => TcpStream::connect((address, port)).await,
                None => Err(std::io::ErrorKind::InvalidInput.into()),
            }
        };
        let silence = |_| SourceError::Unreachable(format!("no connection within {} s", patience.as_secs()));
        let unreachable = |why: std::io::Error| SourceError::Unreachable(no_way(&why, port));
        let stream = timeout(patience, connecting).await.map_err(silence)?.map_err(unreachable)?;
        let (peer, local) = (stream.peer_addr().map_err(unreachable)?, stream.local_addr().map_err(unreachable)?);
        let (read, write) = stream.into_split();
        Ok(Self {
            read,
            write,
            incoming: BytesMut::new(),
            outgoing: BytesMut::new(),
            reader: Reader::default(),
            login: Login::new(credentials),
            sequence: 0,
            early: VecDeque::new(),
            patience,
            peer,
            local,
        })
    }

    /// The answer to a request, whatever it says; challenges are taken up.
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

    /// Puts a request on its way without waiting for the answer.
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

    /// Takes up a challenge: the request is to be sent again.
    pub(super) fn challenged(&mut self, refusal: &Response, challenges: u32) -> Result<(), SourceError> {
        self.login.challenged(refusal, challenges)
    }

    /// Notes that the login, if any, was good.
    pub(super) fn granted(&mut self, answer: &Response) {
        if (200..400).contains(&answer.code) {
            self.login.accepted();
        }
    }

    /// What comes next. Safe to drop at any await.
    pub(super) async fn next(&mut self) -> Result<Incoming, SourceError> {
        loop {
            if let Some(next) = self.buffered()? {
                return Ok(next);
            }
            // Packets that are kept hold the memory they lie in: no new piece for every small one.
            if self.incoming.capacity() - self.incoming.len() < LEAST_ROOM {
                self.incoming.reserve(ROOM);
            }
            let moved = tokio::select! {
                read = self.read.read_buf(&mut self.incoming) => match read {
                    Ok(0) => return Err(SourceError::Broken("the camera has closed the connection".to_owned())),
                    read => read,
                },
                written = self.write.write_buf(&mut self.outgoing), if !self.outgoing.is_empty() => written,
            };
            moved.map_err(|why| SourceError::Broken(why.to_string()))?;
        }
    }

    /// What has come already.
    pub(super) fn buffered(&mut self) -> Result<Option<Incoming>, SourceError> {
        if let Some((channel, data)) = self.early.pop_front() {
            return Ok(Some(Incoming::Packet { channel, data }));
        }
        self.reader.next(&mut self.incoming).map_err(|why| SourceError::Broken(why.to_string()))
    }

    /// Stretches of bytes that made no sense since the last call.
    pub(super) fn passed_over(&mut self) -> u64 {
        self.reader.passed_over()
    }

    /// Answers a request of the camera: there is nothing that it could want of this device but a sign of life.
    pub(super) fn reply(&mut self, method: &str, sequence: Option<&str>) {
        let sequence: u32 = sequence.and_then(|sequence| sequence.parse().ok()).unwrap_or_default();
        let known = ["OPTIONS", "GET_PARAMETER", "SET_PARAMETER", "ANNOUNCE"].contains(&method);
        let status = if known { "200 OK" } else { "501 Not Implemented" };
        if self.outgoing.len() <= MOST_UNSENT {
            let text = format!("RTSP/1.0 {status}\r\nCSeq: {sequence}\r\n\r\n");
            self.outgoing.extend_from_slice(text.as_bytes());
        }
    }

    /// The next final answer. There is one request at a time, so that it is the answer to it, whatever number it has.
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

/// A camera that ends the connection instead of answering: at the first request nothing that speaks RTSP is there.
fn unanswered(method: &str, why: SourceError) -> SourceError {
    match why {
        SourceError::Broken(why) if method == "DESCRIBE" => SourceError::Unreachable(why),
        SourceError::Broken(why) => SourceError::Broken(format!("{why} instead of answering {method}")),
        other => other,
    }
}

/// Why there is no connection, and what to look at.
fn no_way(why: &std::io::Error, port: u16) -> String {
    use std::io::ErrorKind::{ConnectionRefused, HostUnreachable, NetworkUnreachable};
    match why.kind() {
        ConnectionRefused => format!("connection refused at port {port}: is RTSP switched on in the camera?"),
        HostUnreachable | NetworkUnreachable => format!("{why}: check the address and the network of this device"),
        _ => why.to_string(),
    }
}
