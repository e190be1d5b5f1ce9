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
    /// Index into [`SIGNS`].
    sign: usize,
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
        let open = Open { connection, datagrams, uri, id, keepalive, timer, sign: 0, challenges: 0 };
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
        self.connection.send(&Question { method: SIGNS[self.sign], uri: &self.uri, fields: &fields });
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
            405 | 501 | 551 => self.sign = (self.sign + 1) % SIGNS.len(),
            200..300 if self.sign == 0 => self.sign = better_sign(answer),
            code => tracing::trace!(code, "sign of life answered"),
        }
    }

    async fn end(&mut self) -> Result<Response, SourceError> {
        let fields: Vec<_> = self.id.iter().map(|id| ("Session", id.as_str())).collect();
        self.connection.send(&Question { method: "TEARDOWN", uri: &self.uri, fields: &fields });
        self.connection.answer().await
    }
}

/// What keeps the session alive for sure, when the camera says that it knows it.
fn better_sign(options: &Response) -> usize {
    let known = options.fields.get("Public").unwrap_or_default();
    let knows = |sign: &str| known.split(',').any(|method| method.trim().eq_ignore_ascii_case(sign));
    SIGNS.iter().skip(1).position(|sign| knows(sign)).map_or(0, |at| at + 1)
}
