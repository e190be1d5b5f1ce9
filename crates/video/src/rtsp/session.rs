//! A session that plays: packets, signs of life, and its end.

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

/// How long a camera may take to confirm the end of a session.
const FAREWELL: Duration = Duration::from_secs(2);
/// Requests that keep a session alive, in the order in which they are tried (RFC 2326 does not say which).
const SIGNS: [&str; 3] = ["OPTIONS", "GET_PARAMETER", "SET_PARAMETER"];

/// A session at a camera; dropping it ends it there.
pub(super) struct Session {
    /// `None` only while it is being dropped.
    open: Option<Open>,
    surroundings: Arc<Surroundings>,
    /// Whoever waits for sessions to end waits for this one.
    _unended: TaskTrackerToken,
}

struct Open {
    connection: Connection,
    datagrams: Option<Datagrams>,
    uri: String,
    id: Option<String>,
    keepalive: Duration,
    timer: Pin<Box<Sleep>>,
    signs: Signs,
    /// Challenges to the last sign of life.
    challenges: u32,
}

impl Session {
    /// `uri` names the whole in requests. Without `datagrams` packets come within the connection.
    pub(super) fn new(
        connection: Connection,
        datagrams: Option<Datagrams>,
        uri: String,
        field: SessionField,
        surroundings: Arc<Surroundings>,
    ) -> Self {
        let SessionField { id, keepalive } = field;
        let timer = Box::pin(sleep(keepalive));
        let open = Open { connection, datagrams, uri, id, keepalive, timer, signs: Signs::default(), challenges: 0 };
        let unended = surroundings.closing.token();
        Self { open: Some(open), surroundings, _unended: unended }
    }

    pub(super) async fn play(&mut self) -> Result<Response, SourceError> {
        self.open()?.play().await
    }

    /// The next packet and its channel. Safe to drop at any await.
    pub(super) async fn packet(&mut self) -> Result<(u8, Bytes), SourceError> {
        self.open()?.packet().await
    }

    /// Stretches of bytes that made no sense since the last call.
    pub(super) fn passed_over(&mut self) -> u64 {
        self.open.as_mut().map_or(0, |open| open.connection.passed_over())
    }

    fn open(&mut self) -> Result<&mut Open, SourceError> {
        self.open.as_mut().ok_or_else(|| SourceError::Broken("the session has ended".to_owned()))
    }
}

impl Drop for Session {
    /// Cameras that are not told go on sending datagrams for a minute, and some serve few viewers.
    fn drop(&mut self) {
        if let (Some(mut open), Ok(runtime)) = (self.open.take(), tokio::runtime::Handle::try_current()) {
            let telling = async move {
                if !matches!(timeout(FAREWELL, open.end()).await, Ok(Ok(_))) {
                    tracing::debug!("the camera has not confirmed the end of its session");
                }
            };
            self.surroundings.closing.spawn_on(telling, &runtime);
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

    /// What comes next; `None` when it was time for a sign of life.
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
        self.give_sign();
        self.timer.as_mut().reset(Instant::now() + self.keepalive);
        Ok(None)
    }

    fn give_sign(&mut self) {
        let fields: Vec<_> = self.id.iter().map(|id| ("Session", id.as_str())).collect();
        self.connection.send(&Question { method: self.signs.method(), uri: &self.uri, fields: &fields });
    }

    /// The answer to a sign of life. A session whose packets come is not given up for what it says.
    fn answered(&mut self, answer: &Response) {
        self.connection.granted(answer);
        match answer.code {
            401 => {
                self.challenges += 1;
                match self.connection.challenged(answer, self.challenges) {
                    Ok(()) => self.give_sign(),
                    Err(why) => tracing::debug!(%why, "sign of life refused"),
                }
            }
            400 | 405 | 451 | 501 | 551 => {
                // Not an interval later: cameras allow no more than one sign of life to fail.
                if self.signs.refused() {
                    self.challenges = 0;
                    self.give_sign();
                }
            }
            200..300 => self.signs.granted(answer),
            code => tracing::trace!(code, "sign of life answered"),
        }
    }

    async fn end(&mut self) -> Result<Response, SourceError> {
        let fields: Vec<_> = self.id.iter().map(|id| ("Session", id.as_str())).collect();
        self.connection.send(&Question { method: "TEARDOWN", uri: &self.uri, fields: &fields });
        self.connection.answer().await
    }
}

/// Which sign of life is given next.
#[derive(Debug, Default)]
struct Signs {
    /// Index into [`SIGNS`].
    next: usize,
    /// Those that the camera has refused, whatever it says that it knows.
    refused: [bool; SIGNS.len()],
}

impl Signs {
    fn method(&self) -> &'static str {
        SIGNS[self.next]
    }

    /// The sign was refused. Whether another is to be given at once; a camera that refuses all gets them in turn.
    fn refused(&mut self) -> bool {
        self.refused[self.next] = true;
        let mut others = (1..SIGNS.len()).map(|step| (self.next + step) % SIGNS.len());
        let other = others.find(|other| !self.refused[*other]);
        self.next = other.unwrap_or((self.next + 1) % SIGNS.len());
        other.is_some()
    }

    /// The sign was granted: what keeps the session alive for sure is given from now on, when the camera says that it
    /// knows it.
    fn granted(&mut self, answer: &Response) {
        let known = answer.fields.get("Public").unwrap_or_default();
        let knows = |sign: &str| known.split(',').any(|method| method.trim().eq_ignore_ascii_case(sign));
        let better = (1..SIGNS.len()).find(|at| knows(SIGNS[*at]) && !self.refused[*at]);
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
        let (mut signs, known) = (Signs::default(), options("OPTIONS, get_parameter, SET_PARAMETER"));
        signs.granted(&known);
        assert_eq!(signs.method(), "GET_PARAMETER");
        assert!(signs.refused());
        assert_eq!(signs.method(), "SET_PARAMETER");
        assert!(signs.refused());
        signs.granted(&known);
        assert_eq!(signs.method(), "OPTIONS", "although it says that it knows the others");
        assert!(!signs.refused(), "nothing is left that could be given at once");
        assert_eq!(signs.method(), "GET_PARAMETER");
        assert!(!signs.refused());
        assert_eq!(signs.method(), "SET_PARAMETER");
    }

    #[test]
    fn options_are_given_to_a_camera_that_knows_nothing_else() {
        let mut signs = Signs::default();
        signs.granted(&options("OPTIONS, DESCRIBE"));
        assert_eq!(signs.method(), "OPTIONS");
        assert!(signs.refused());
        signs.granted(&options("SET_PARAMETER"));
        assert_eq!(signs.method(), "GET_PARAMETER", "what is granted is kept");
    }
}
