//! GB/T 28181 cameras: called by SIP over UDP, they send video as an MPEG program stream over RTP.
//!
//! A camera behind another SIP server is reached through it: this device logs in there and calls. When the configured
//! server is this device, the camera logs in here and is called back. Video is requested over UDP first, then over TCP
//! if the camera refuses. An incomplete frame and all that follow up to the next key frame are dropped, so faces are
//! never searched in a damaged picture.

mod call;
mod endpoint;
#[cfg(fuzzing)]
pub(crate) mod fuzzing;
mod login;
mod media;
mod message;
mod platform;
mod ps;
mod refusals;
mod registrar;
mod rtp;

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::DeviceAddress;
use domain::ports::SourceError;
use tokio::sync::OnceCell;
use tokio::time::{Instant, timeout};

use self::call::{Call, Carrier, Line, Refusal};
use self::media::Port;
use self::ps::Program;
use self::registrar::Registrar;
use self::rtp::{Frame, Frames, Packet};
use crate::address::bad;
use crate::decoder::{Codec, Unit};
use crate::session::Surroundings;
use crate::supply::Supply;

/// Maximum length of a SIP id.
const LONGEST_ID: usize = 20;

/// Identity of this device as a SIP server.
#[derive(Debug, Clone)]
pub struct Sip {
    /// SIP id, 20 digits.
    pub id: String,
    /// Address at which cameras log in; opened when the first one is needed.
    pub listen: SocketAddr,
    /// Passwords that everyone knows: no camera logs in with one of them, nor with none.
    pub refused_passwords: Vec<String>,
}

impl Default for Sip {
    /// The customary default id, and the standard port.
    fn default() -> Self {
        Self {
            id: "34020000002000000001".to_owned(),
            listen: ([0, 0, 0, 0], 5060).into(),
            refused_passwords: Vec::new(),
        }
    }
}

/// Reaches GB/T 28181 cameras, directly or through other SIP servers.
pub(crate) struct Exchange {
    sip: Sip,
    registrar: OnceCell<Registrar>,
}

/// A configured camera.
pub(crate) struct Wanted<'a> {
    pub(crate) server: &'a DeviceAddress,
    pub(crate) server_id: &'a str,
    pub(crate) camera_id: &'a str,
}

impl Exchange {
    pub(crate) fn new(sip: Sip) -> Self {
        Self { sip, registrar: OnceCell::new() }
    }

    /// Address at which cameras log in; opens the port.
    pub(crate) async fn address(&self, surroundings: &Surroundings) -> io::Result<SocketAddr> {
        self.registrar(surroundings).await?.endpoint.socket.local_addr()
    }

    async fn registrar(&self, surroundings: &Surroundings) -> io::Result<&Registrar> {
        let Sip { id, listen, .. } = &self.sip;
        self.registrar.get_or_try_init(|| Registrar::open(*listen, id, Arc::clone(&surroundings.clock))).await
    }

    /// Starts the camera's video and waits for the first key frame. `patience`: timeout for login and call, and again
    /// for the key frame.
    pub(crate) async fn play(
        &self,
        wanted: &Wanted<'_>,
        surroundings: &Arc<Surroundings>,
        patience: Duration,
    ) -> Result<Box<dyn Supply>, SourceError> {
        for id in [wanted.server_id, wanted.camera_id] {
            if !(1..=LONGEST_ID).contains(&id.len()) || !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                return Err(bad("a SIP id has 1 to 20 digits or letters"));
            }
        }
        let (line, login) = self.line(wanted, surroundings, patience).await?;
        let (call, port) = match call(&line, wanted.camera_id, patience).await {
            Ok(connected) => connected,
            Err(why) => {
                if let (SourceError::Unreachable(_), Some(registrar)) = (&why, self.registrar.get()) {
                    registrar.forget(wanted.camera_id);
                }
                return Err(why);
            }
        };
        let from = call.sender.into_iter().chain([line.peer.ip()]).collect();
        let mut units = Units::new(call, port, from, Arc::clone(surroundings), login);
        match timeout(patience, units.begin()).await {
            Ok(begun) => begun.map(|()| Box::new(units) as Box<dyn Supply>),
            Err(_) if units.undecodable > 0 => {
                let seconds = patience.as_secs();
                Err(SourceError::Undecodable(format!("no complete key frame within {seconds} s")))
            }
            Err(_) => Err(SourceError::Stalled(patience.as_secs())),
        }
    }

    async fn line(
        &self,
        wanted: &Wanted<'_>,
        surroundings: &Surroundings,
        patience: Duration,
    ) -> Result<(Line, Option<platform::Login>), SourceError> {
        if wanted.server_id != self.sip.id {
            let login = platform::log_in(wanted.server, wanted.server_id, &self.sip.id, surroundings).await?;
            return Ok((login.line.clone(), Some(login)));
        }
        let password = &wanted.server.password;
        if password.is_empty() || self.sip.refused_passwords.contains(password) {
            return Err(bad("the camera needs a password that is not a default of a document: choose one"));
        }
        let broken = |error: io::Error| SourceError::Broken(format!("this device's SIP server failed: {error}"));
        let registrar = self.registrar(surroundings).await.map_err(broken)?;
        let peer = registrar.camera(wanted.camera_id, &wanted.server.password, patience).await?;
        let ip = platform::own_address(peer).await.map_err(broken)?;
        let port = registrar.endpoint.socket.local_addr().map_err(broken)?.port();
        let line = Line {
            endpoint: Arc::clone(&registrar.endpoint),
            peer,
            local: (ip, port).into(),
            own: registrar.id.clone(),
            password: wanted.server.password.clone(),
            patience: surroundings.answer,
        };
        Ok((line, None))
    }
}

/// Calls the camera with the first transport that it accepts.
async fn call(line: &Line, camera: &str, patience: Duration) -> Result<(Call, Port), SourceError> {
    for carrier in [Carrier::Datagrams, Carrier::Connection] {
        let closed = |error: io::Error| SourceError::Broken(error.to_string());
        let port = Port::open(carrier, line.local.ip()).await.map_err(closed)?;
        match line.call(camera, carrier, port.number().map_err(closed)?, patience).await {
            Ok(call) => return Ok((call, port)),
            Err(Refusal::Final(why)) => return Err(why),
            Err(Refusal::Carrier) => tracing::debug!(?carrier, "camera refused the transport"),
        }
    }
    Err(SourceError::Broken("the camera refuses the transport".to_owned()))
}

/// Access units of a called camera.
struct Units {
    call: Call,
    port: Port,
    from: Vec<IpAddr>,
    surroundings: Arc<Surroundings>,
    /// Kept for the duration of the call.
    _login: Option<platform::Login>,
    frames: Frames,
    waiting: VecDeque<Frame>,
    program: Program,
    codec: Codec,
    /// Whether a key frame has arrived and nothing was lost since.
    synchronised: bool,
    undecodable: u64,
    first: Option<Unit>,
    started: Instant,
    last_tick: u64,
}

impl Units {
    fn new(
        call: Call,
        port: Port,
        from: Vec<IpAddr>,
        surroundings: Arc<Surroundings>,
        login: Option<platform::Login>,
    ) -> Self {
        Self {
            call,
            port,
            from,
            surroundings,
            _login: login,
            frames: Frames::default(),
            waiting: VecDeque::new(),
            program: Program::default(),
            codec: Codec::H264,
            synchronised: false,
            undecodable: 0,
            first: None,
            started: Instant::now(),
            last_tick: 0,
        }
    }

    /// Waits for the first key frame: the coding is unknown until then.
    async fn begin(&mut self) -> Result<(), SourceError> {
        self.first = Some(self.unit().await?);
        Ok(())
    }

    async fn unit(&mut self) -> Result<Unit, SourceError> {
        loop {
            while let Some(frame) = self.waiting.pop_front() {
                if let Some(unit) = self.take(&frame)? {
                    return Ok(unit);
                }
            }
            let packet = tokio::select! {
                packet = self.port.packet(&self.from) => packet,
                () = self.call.over.cancelled() => {
                    return Err(SourceError::Broken("the camera ended the call".to_owned()));
                }
            };
            let gone = || SourceError::Broken("the camera closed the connection".to_owned());
            let packet = packet.map_err(|error| SourceError::Broken(error.to_string()))?.ok_or_else(gone)?;
            if let Some(packet) = Packet::parse(packet) {
                self.waiting.extend(self.frames.take(packet));
            }
        }
    }

    /// The access unit of a frame; `None` for one that cannot be decoded.
    fn take(&mut self, frame: &Frame) -> Result<Option<Unit>, SourceError> {
        self.surroundings.tally.received(frame.lost);
        self.synchronised &= frame.lost == 0;
        let video = if frame.lost == 0 { self.program.video(&frame.data) } else { None };
        let Some(video) = video else {
            self.synchronised = false;
            self.undecodable += 1;
            return Ok(None);
        };
        if video.is_empty() {
            return Ok(None);
        }
        match self.program.codec() {
            Some(Ok(codec)) => self.codec = codec,
            Some(Err(kind)) => {
                let why = format!("the camera sends stream type {kind:#x}, only H.264 and H.265 are supported");
                return Err(SourceError::Undecodable(why));
            }
            None => {}
        }
        let key = self.program.codec().is_some() && ps::is_key(self.codec, &video);
        self.synchronised |= key;
        if !self.synchronised {
            self.undecodable += 1;
            return Ok(None);
        }
        let elapsed = self.started.elapsed().as_nanos() as u64;
        self.last_tick = elapsed.max(self.last_tick + 1);
        Unit::new(video, key, self.surroundings.clock.now(), self.last_tick).map(Some)
    }
}

#[async_trait]
impl Supply for Units {
    async fn next(&mut self) -> Result<Unit, SourceError> {
        match self.first.take() {
            Some(unit) => Ok(unit),
            None => self.unit().await,
        }
    }

    fn codec(&self) -> Codec {
        self.codec
    }

    /// Always true: playing begins with a key frame.
    fn synchronised(&self) -> bool {
        true
    }

    fn undecodable(&self) -> u64 {
        self.undecodable
    }
}
