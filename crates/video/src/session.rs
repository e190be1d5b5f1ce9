//! The RTSP session with a camera: from its address to access units.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::ports::{Clock, SourceError};
use futures_util::StreamExt;
use retina::client::{
    Demuxed, Described, PlayOptions, Session, SessionGroup, SessionIdPolicy, SessionOptions, SetupOptions,
};
use retina::codec::{CodecItem, FrameFormat, ParametersRef, VideoFrame};
use tokio::time::{Instant, timeout};

use crate::address::{CameraAddress, Transport};
use crate::counters::Tally;
use crate::decoder::{Codec, Unit};
use crate::sink::LARGEST;
use crate::supply::Supply;

/// RTSP status: the camera does not speak the transport asked for.
const UNSUPPORTED_TRANSPORT: u16 = 461;

/// Broken packets between two good access units after which a session by datagram is given up: single ones are
/// to be expected where packets get lost.
const MISHAPS: u32 = 16;

/// What sessions share.
pub(crate) struct Surroundings {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) tally: Arc<Tally>,
    /// Sessions that are being closed at their cameras.
    pub(crate) closing: Arc<SessionGroup>,
    /// Patience for each answer.
    pub(crate) answer: Duration,
}

/// The access units of a playing camera.
pub(crate) struct Units {
    demuxed: Demuxed,
    stream: usize,
    codec: Codec,
    surroundings: Arc<Surroundings>,
    /// A key frame has come.
    synchronised: bool,
    /// Access units that came before it.
    undecodable: u64,
    started: Instant,
    last_tick: u64,
    mishaps_left: u32,
    tolerance: u32,
}

/// Why a session does not come about.
enum Refusal {
    Transport,
    Final(SourceError),
}

impl From<SourceError> for Refusal {
    fn from(why: SourceError) -> Self {
        Self::Final(why)
    }
}

/// Connects and plays, by the transport that the address wants or the camera grants.
pub(crate) async fn play(address: &CameraAddress, surroundings: &Arc<Surroundings>) -> Result<Units, SourceError> {
    let first = if address.transport == Transport::Udp { Transport::Udp } else { Transport::Tcp };
    match play_by(first, address, surroundings).await {
        Err(Refusal::Transport) if address.transport == Transport::Any => {
            tracing::debug!("the camera refuses RTP within RTSP, trying datagrams");
            match play_by(Transport::Udp, address, surroundings).await {
                Err(Refusal::Transport) => Err(no_transport()),
                Err(Refusal::Final(why)) => Err(why),
                Ok(units) => Ok(units),
            }
        }
        Err(Refusal::Transport) => Err(no_transport()),
        Err(Refusal::Final(why)) => Err(why),
        Ok(units) => Ok(units),
    }
}

fn no_transport() -> SourceError {
    SourceError::Broken("the camera refuses the transport".to_owned())
}

async fn play_by(
    transport: Transport,
    address: &CameraAddress,
    surroundings: &Arc<Surroundings>,
) -> Result<Units, Refusal> {
    let mut session = describe(address, surroundings).await?;
    let (stream, codec) = choose(&session)?;
    let tolerance = if transport == Transport::Udp { MISHAPS } else { 0 };
    let protocol = match transport {
        Transport::Udp => retina::client::Transport::Udp(Default::default()),
        Transport::Tcp | Transport::Any => retina::client::Transport::Tcp(Default::default()),
    };
    let setup = SetupOptions::default().transport(protocol).frame_format(FrameFormat::SIMPLE);
    let patience = surroundings.answer;
    match timeout(patience, session.setup(stream, setup)).await {
        Ok(Err(e)) if e.status_code() == Some(UNSUPPORTED_TRANSPORT) => return Err(Refusal::Transport),
        answer => answered(answer, "SETUP", patience)?,
    }
    let playing = answered(timeout(patience, session.play(PlayOptions::default())).await, "PLAY", patience)?;
    let demuxed = playing.demuxed().map_err(|e| SourceError::Undecodable(words(&e)))?;
    Ok(Units {
        demuxed,
        stream,
        codec,
        surroundings: Arc::clone(surroundings),
        synchronised: false,
        undecodable: 0,
        started: Instant::now(),
        last_tick: 0,
        mishaps_left: tolerance,
        tolerance,
    })
}

async fn describe(
    address: &CameraAddress,
    surroundings: &Arc<Surroundings>,
) -> Result<Session<Described>, SourceError> {
    let options = SessionOptions::default()
        .creds(address.credentials.clone())
        .user_agent("polyface".to_owned())
        .session_group(Arc::clone(&surroundings.closing))
        // Some cameras change the id on the way and go by the first.
        .session_id(SessionIdPolicy::UseFirst);
    let patience = surroundings.answer;
    match timeout(patience, Session::describe(address.url.clone(), options)).await {
        Ok(Err(e)) if e.status_code().is_none() => Err(SourceError::Unreachable(words(&e))),
        answer => answered(answer, "DESCRIBE", patience),
    }
}

/// The first video stream of the kinds we decode.
fn choose(session: &Session<Described>) -> Result<(usize, Codec), SourceError> {
    let videos = || session.streams().iter().enumerate().filter(|(_, stream)| stream.media() == "video");
    let decodable = videos().find_map(|(i, stream)| Some((i, Codec::named(stream.encoding_name())?)));
    decodable.ok_or_else(|| match videos().next() {
        None => SourceError::NoStream("the camera offers no video there".to_owned()),
        Some((_, stream)) => {
            let encoding = plain(stream.encoding_name());
            SourceError::Undecodable(format!("the camera sends {encoding}, only H.264 and H.265 are understood"))
        }
    })
}

type Answer<T> = Result<Result<T, retina::Error>, tokio::time::error::Elapsed>;

/// What the camera's answer to a request means.
fn answered<T>(answer: Answer<T>, request: &str, patience: Duration) -> Result<T, SourceError> {
    let error = match answer {
        Ok(Ok(value)) => return Ok(value),
        Ok(Err(error)) => error,
        Err(_) => {
            let seconds = patience.as_secs();
            return Err(SourceError::Unreachable(format!("no answer to {request} within {seconds} s")));
        }
    };
    Err(match error.status_code() {
        Some(401 | 403) => SourceError::Unauthorised,
        Some(code @ (404 | 410 | 454)) => SourceError::NoStream(format!("the camera answers {code} to {request}")),
        // A success that cannot be understood has its own words.
        Some(code) if code >= 300 => SourceError::Broken(format!("the camera answers {code} to {request}")),
        _ => SourceError::Broken(words(&error)),
    })
}

/// The error in short: its first line names what happened, the others name connections and packets.
fn words(error: &retina::Error) -> String {
    plain(error.to_string().lines().next().unwrap_or_default())
}

/// Text of a camera, made fit for a log.
pub(crate) fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(160).collect()
}

#[async_trait]
impl Supply for Units {
    async fn next(&mut self) -> Result<Unit, SourceError> {
        loop {
            let item = self.demuxed.next().await;
            let Some(frame) = self.frame_of(item)? else { continue };
            self.surroundings.tally.received(frame.loss());
            self.mishaps_left = self.tolerance;
            if frame.has_new_parameters() || !self.synchronised {
                self.check_size()?;
            }
            self.synchronised |= frame.is_random_access_point();
            if self.synchronised {
                return self.unit(frame);
            }
            self.undecodable += 1;
        }
    }

    fn codec(&self) -> Codec {
        self.codec
    }

    fn synchronised(&self) -> bool {
        self.synchronised
    }

    fn undecodable(&self) -> u64 {
        self.undecodable
    }
}

impl Units {
    fn frame_of(&mut self, item: Option<Result<CodecItem, retina::Error>>) -> Result<Option<VideoFrame>, SourceError> {
        match item {
            Some(Ok(CodecItem::VideoFrame(frame))) => Ok(Some(frame)),
            Some(Ok(_)) => Ok(None),
            Some(Err(e)) if self.mishaps_left == 0 => Err(SourceError::Broken(words(&e))),
            Some(Err(e)) => {
                tracing::debug!(error = words(&e), "a packet is not usable");
                self.mishaps_left -= 1;
                Ok(None)
            }
            None => Err(SourceError::Broken("the camera has closed the connection".to_owned())),
        }
    }

    fn check_size(&self) -> Result<(), SourceError> {
        let Some(ParametersRef::Video(video)) = self.demuxed.streams()[self.stream].parameters() else {
            return Ok(());
        };
        let (width, height) = video.pixel_dimensions();
        if width > LARGEST || height > LARGEST {
            let size = format!("the picture has {width} x {height} pixels, at most {LARGEST} x {LARGEST} are decoded");
            return Err(SourceError::Undecodable(size));
        }
        Ok(())
    }

    fn unit(&mut self, frame: VideoFrame) -> Result<Unit, SourceError> {
        let elapsed = self.started.elapsed().as_nanos() as u64;
        self.last_tick = elapsed.max(self.last_tick + 1);
        let key = frame.is_random_access_point();
        Unit::new(frame.into_data(), key, self.surroundings.clock.now(), self.last_tick)
    }
}
