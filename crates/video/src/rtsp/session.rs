//! A playing session: packets, keepalives and teardown.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use domain::ports::SourceError;
use tokio::time::{Instant, Sleep, sleep, timeout};
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::connection::{Connection, Question};
use super::datagrams::Datagrams;
use super::fields::SessionField;
use super::wire::{Incoming, Response};
use crate::session::Surroundings;

/// Maximum wait for a camera to confirm the end of a session.
const TEARDOWN_TIMEOUT: Duration = Duration::from_secs(2);
/// Keepalive requests in the order in which they are tried; RFC 2326 does not specify one.
const METHODS: [&str; 3] = ["OPTIONS", "GET_PARAMETER", "SET_PARAMETER"];

/// A session at a camera; dropping it sends TEARDOWN.
pub(super) struct Session {
    /// `None` only while it is being dropped.
    open: Option<Open>,
    surroundings: Arc<Surroundings>,
    /// Delays [`Surroundings::closing`] until this session has ended.
    _unended: TaskTrackerToken,
}

struct Open {
    connection: Connection,
    datagrams: Option<Datagrams>,
    uri: String,
    id: Option<String>,
    keepalive: Duration,
    timer: Pin<Box<Sleep>>,
    keepalive_method: Keepalive,
    /// Number of challenges to the last keepalive.
    challenges: u32,
}

impl Session {
    /// `uri`: aggregate control URL. Without `datagrams`, packets are interleaved in the connection.
    pub(super) fn new(
        connection: Connection,
        datagrams: Option<Datagrams>,
        uri: String,
        field: SessionField,
        surroundings: Arc<Surroundings>,
    ) -> Self {
        let SessionField { id, keepalive } = field;
        let timer = Box::pin(sleep(keepalive));
        let open = Open {
            connection,
            datagrams,
            uri,
            id,
            keepalive,
            timer,
            keepalive_method: Keepalive::default(),
            challenges: 0,
        };
        let unended = surroundings.closing.token();
        Self { open: Some(open), surroundings, _unended: unended }
    }

    pub(super) async fn play(&mut self) -> Result<Response, SourceError> {
        self.open()?.play().await
    }

    /// The next packet and its channel. Cancel safe.
    pub(super) async fn packet(&mut self) -> Result<(u8, Bytes), SourceError> {
        self.open()?.packet().await
    }

    /// Number of unparsable stretches of bytes since the last call.
    pub(super) fn passed_over(&mut self) -> u64 {
        self.open.as_mut().map_or(0, |open| open.connection.passed_over())
    }

    fn open(&mut self) -> Result<&mut Open, SourceError> {
        self.open.as_mut().ok_or_else(|| SourceError::Broken("the session has ended".to_owned()))
    }
}

impl Drop for Session {
    /// Without TEARDOWN, cameras continue to send datagrams for a minute, and some serve few viewers.
    fn drop(&mut self) {
        if let (Some(mut open), Ok(runtime)) = (self.open.take(), tokio::runtime::Handle::try_current()) {
            let teardown = async move {
                if !matches!(timeout(TEARDOWN_TIMEOUT, open.end()).await, Ok(Ok(_))) {
                    tracing::debug!("camera did not confirm the end of its session");
                }
            };
            self.surroundings.closing.spawn_on(teardown, &runtime);
        }
    }
}

impl Open {
    async fn play(&mut self) -> Result<Response, SourceError> {
        let session = self.id.iter().map(|id| ("Session", id.as_str()));
        let fields: Vec<_> = session.chain([("Range", "npt=0.000-")]).collect();
        let question = Question { method: "PLAY", uri: &self.uri, fields: &fields };
        self.connection.ask(&question).await
    }

    async fn packet(&mut self) -> Result<(u8, Bytes), SourceError> {
        loop {
            let incoming = match self.connection.buffered()? {
                Some(incoming) => incoming,
                None => match self.wait().await? {
                    Some(incoming) => incoming,
                    None => continue,
                },
            };
            match incoming {
                Incoming::Packet { channel, data } => return Ok((channel, data)),
                Incoming::Response(answer) => self.answered(&answer),
                Incoming::Request { method, fields } => self.connection.reply(&method, fields.get("CSeq")),
            }
        }
    }

    /// The next message or packet; `None` after sending a keepalive.
    async fn wait(&mut self) -> Result<Option<Incoming>, SourceError> {
        let datagram = async {
            match &mut self.datagrams {
                Some(datagrams) => datagrams.next().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            incoming = self.connection.next() => return incoming.map(Some),
            datagram = datagram => {
                let (channel, data) = datagram.map_err(|why| SourceError::Broken(why.to_string()))?;
                return Ok(Some(Incoming::Packet { channel, data }));
            }
            () = &mut self.timer => {}
        }
        self.challenges = 0;
        self.send_keepalive();
        self.timer.as_mut().reset(Instant::now() + self.keepalive);
        Ok(None)
    }

    fn send_keepalive(&mut self) {
        let fields: Vec<_> = self.id.iter().map(|id| ("Session", id.as_str())).collect();
        self.connection.send(&Question { method: self.keepalive_method.method(), uri: &self.uri, fields: &fields });
    }

    /// Processes the response to a keepalive. It never ends the session: as long as packets arrive, its status does not
    /// matter.
    fn answered(&mut self, answer: &Response) {
        self.connection.granted(answer);
        match answer.code {
            401 => {
                self.challenges += 1;
                match self.connection.challenged(answer, self.challenges) {
                    Ok(()) => self.send_keepalive(),
                    Err(why) => tracing::debug!(%why, "keepalive refused"),
                }
            }
            400 | 405 | 451 | 501 | 551 => {
                // Do not wait for the next interval: cameras tolerate only one failed keepalive.
                if self.keepalive_method.refused() {
                    self.challenges = 0;
                    self.send_keepalive();
                }
            }
            200..300 => self.keepalive_method.granted(answer),
            code => tracing::trace!(code, "keepalive answered"),
        }
    }

    async fn end(&mut self) -> Result<Response, SourceError> {
        let fields: Vec<_> = self.id.iter().map(|id| ("Session", id.as_str())).collect();
        self.connection.send(&Question { method: "TEARDOWN", uri: &self.uri, fields: &fields });
        self.connection.answer().await
    }
}

/// Selects the method of the next keepalive.
#[derive(Debug, Default)]
struct Keepalive {
    /// Index into [`METHODS`].
    next: usize,
    /// Methods that the camera has refused, even if it announces them.
    refused: [bool; METHODS.len()],
}

impl Keepalive {
    fn method(&self) -> &'static str {
        METHODS[self.next]
    }

    /// Records a refusal; returns whether another method should be tried at once. When all are refused, they are used
    /// in turn.
    fn refused(&mut self) -> bool {
        self.refused[self.next] = true;
        let mut others = (1..METHODS.len()).map(|step| (self.next + step) % METHODS.len());
        let other = others.find(|other| !self.refused[*other]);
        self.next = other.unwrap_or((self.next + 1) % METHODS.len());
        other.is_some()
    }

    /// Records an acceptance of OPTIONS; switches to a method that surely keeps the session alive if the camera
    /// announces one.
    fn granted(&mut self, answer: &Response) {
        let known = answer.fields.get("Public").unwrap_or_default();
        let knows = |sign: &str| known.split(',').any(|method| method.trim().eq_ignore_ascii_case(sign));
        let better = (1..METHODS.len()).find(|at| knows(METHODS[*at]) && !self.refused[*at]);
        if self.next == 0 {
            self.next = better.unwrap_or(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;

    use super::*;
    use crate::rtsp::wire::Reader;

    fn options(public: &str) -> Response {
        let text = format!("RTSP/1.0 200 OK\r\nPublic: {public}\r\n\r\n");
        match Reader::default().next(&mut BytesMut::from(text.as_str())) {
            Ok(Some(Incoming::Response(answer))) => answer,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_sign_that_was_refused_is_not_given_again_while_another_is_left() {
        let (mut keepalive, known) = (Keepalive::default(), options("OPTIONS, get_parameter, SET_PARAMETER"));
        keepalive.granted(&known);
        assert_eq!(keepalive.method(), "GET_PARAMETER");
        assert!(keepalive.refused());
        assert_eq!(keepalive.method(), "SET_PARAMETER");
        assert!(keepalive.refused());
        keepalive.granted(&known);
        assert_eq!(keepalive.method(), "OPTIONS", "although it says that it knows the others");
        assert!(!keepalive.refused(), "nothing is left that could be given at once");
        assert_eq!(keepalive.method(), "GET_PARAMETER");
        assert!(!keepalive.refused());
        assert_eq!(keepalive.method(), "SET_PARAMETER");
    }

    #[test]
    fn options_are_given_to_a_camera_that_knows_nothing_else() {
        let mut keepalive = Keepalive::default();
        keepalive.granted(&options("OPTIONS, DESCRIBE"));
        assert_eq!(keepalive.method(), "OPTIONS");
        assert!(keepalive.refused());
        keepalive.granted(&options("SET_PARAMETER"));
        assert_eq!(keepalive.method(), "GET_PARAMETER", "what is granted is kept");
    }
}
