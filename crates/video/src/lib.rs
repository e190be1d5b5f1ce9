//! Cameras and video files as frame sources: implements the port `FrameSource`.
//!
//! - `rtsp://[user[:password]@]host[:port]/path`, H.264 or H.265, parsed by [`domain::StreamAddress`]. User and
//!   password are removed from the URL before it is used, sent only when the camera asks for them (digest or basic),
//!   and never logged. RTP is interleaved in the RTSP connection; a camera that refuses this (461) is asked for UDP. A
//!   fragment, which is never sent, selects one instead: `rtsp://host/path#transport=udp` or `#transport=tcp`.
//!   `rtsps://` is not supported.
//! - An ONVIF device by address and login: its main stream is queried at every opening and played as above.
//! - A GB/T 28181 camera by its SIP id and that of its server, which may be this device: it is called, and its program
//!   stream is decoded.
//! - A camera that finds faces itself, by address and login: its picture stream over HTTP.
//! - `file:///path.mp4[?loop=1]`: anything that gstreamer can decode, at its own frame rate, without sound. With
//!   `loop=1` it restarts at the end, indefinitely.
//!
//! An open source has delivered a picture: [`open`](domain::ports::FrameSource::open) reports a wrong password, a
//! missing file or a stream that no decoder accepts. Decoders are tried in order of preference, hardware first, until
//! one produces a picture. Only the newest picture of a camera is kept: a slow consumer misses pictures but never gets
//! an old one. Frames are the decoder's own buffers, not copies: keep few of them and release them soon, because
//! hardware decoders have few. Cameras may be decoded in [processes of their own](Options::decoder_process); then a
//! frame is a copy, made when it is waited for.
//!
//! Cameras give their coded pictures beside the frames, shared with the decoder. [`write_clip`] puts them into an MP4
//! file, as they are; each is shown until the next one arrived.
//!
//! [`write_clip`]: domain::ports::FrameSource::write_clip

mod access;
mod address;
mod camera;
mod capture;
mod challenge;
mod clip;
mod counters;
mod decoder;
mod disposable;
mod effort;
mod file;
#[cfg(fuzzing)]
pub mod fuzzing;
mod gb28181;
mod helper;
mod hold;
mod http;
mod nal;
mod onvif;
mod pixels;
mod rtsp;
mod running;
mod session;
mod sink;
mod supply;
mod trial;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use domain::ports::{CameraDiscovery, Clock, FrameSource, FrameStream, PictureStream, SourceError};
use domain::{AccessUnit, CameraStream, DeviceAddress, FoundCamera, Source};
use gstreamer as gst;
use tokio_util::task::TaskTracker;

pub use crate::access::Access;
pub use crate::counters::Counters;
pub use crate::gb28181::Sip;
pub use crate::helper::decode;

use crate::address::{CameraAddress, FileAddress};
use crate::decoder::Codec;
use crate::gb28181::{Exchange, Wanted};
use crate::http::Http;
use crate::session::Surroundings;

/// Maximum wait for cameras to confirm the end of their sessions.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// Required gstreamer elements, and the Debian packages that contain them.
const NEEDED: [(&str, &str); 8] = [
    ("appsrc", "gstreamer1.0-plugins-base"),
    ("appsink", "gstreamer1.0-plugins-base"),
    ("videoconvert", "gstreamer1.0-plugins-base"),
    ("decodebin", "gstreamer1.0-plugins-base"),
    ("filesrc", "libgstreamer1.0-0"),
    ("capsfilter", "libgstreamer1.0-0"),
    ("h264parse", "gstreamer1.0-plugins-bad"),
    ("h265parse", "gstreamer1.0-plugins-bad"),
];

/// Timeouts, decoders and addresses of the sources.
#[derive(Debug, Clone)]
pub struct Options {
    /// Timeout for each response of a camera while connecting.
    pub answer: Duration,
    /// Timeout for the first picture of a source, and for each picture of a file.
    pub first_picture: Duration,
    /// Maximum time without an access unit or a decoded picture from a camera that has sent one.
    pub stall: Duration,
    /// Decoders tried before the built-in ones: gstreamer elements with their properties, for example `avdec_h264
    /// max-threads=2`. Those not installed are skipped.
    pub decoders: Vec<String>,
    /// Program that is started for each camera to decode it, as `PROGRAM decode ARGUMENTS`; it must call [`decode`]
    /// with the arguments. Without one, cameras are decoded in this process.
    pub decoder_process: Option<PathBuf>,
    /// Minimum time between two pictures of a camera, as far as leaving some out does not change the others.
    pub pictures_every: Duration,
    /// Maximum time without any data from a camera that delivers pictures.
    pub heartbeat: Duration,
    /// Identity of this device as a SIP server.
    pub sip: Sip,
    /// Address to which discovery requests are sent.
    pub searched: SocketAddr,
    /// Duration of a discovery.
    pub search: Duration,
    /// What platforms and operators may make a camera of.
    pub access: Access,
}

impl Default for Options {
    /// 5 s per response, 10 s to the first picture, 5 s until a stall, 30 s without data from a camera that delivers
    /// pictures, 3 s for discovery by multicast. Access is open.
    fn default() -> Self {
        Self {
            answer: Duration::from_secs(5),
            first_picture: Duration::from_secs(10),
            stall: Duration::from_secs(5),
            decoders: Vec::new(),
            decoder_process: None,
            pictures_every: Duration::ZERO,
            heartbeat: Duration::from_secs(30),
            sip: Sip::default(),
            searched: onvif::EVERYBODY,
            search: Duration::from_secs(3),
            access: Access::open(),
        }
    }
}

/// Why video cannot be used on this machine.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// The library failed to start.
    #[error("gstreamer failed to start: {0}")]
    Library(String),
    /// A required element is not installed.
    #[error("gstreamer has no element {element}: install the package {package}")]
    Element {
        /// Name of the missing element.
        element: String,
        /// Debian package that contains it.
        package: &'static str,
    },
}

/// Opens cameras and files.
pub struct VideoSource {
    options: Options,
    surroundings: Arc<Surroundings>,
    http: Http,
    exchange: Exchange,
}

impl VideoSource {
    /// Initialises gstreamer, once per process, and checks that the required elements are installed.
    ///
    /// # Errors
    /// gstreamer does not start, or an element is missing.
    pub fn new(clock: Arc<dyn Clock>, options: Options) -> Result<Self, Unusable> {
        gst::init().map_err(|e| Unusable::Library(e.to_string()))?;
        check_elements()?;
        let http = Http::new(options.answer, options.access.clone())?;
        let exchange = Exchange::new(options.sip.clone());
        let surroundings = Surroundings {
            clock,
            tally: Arc::default(),
            closing: TaskTracker::new(),
            answer: options.answer,
            access: options.access.clone(),
        };
        Ok(Self { options, surroundings: Arc::new(surroundings), http, exchange })
    }

    /// Counters summed over all sources since the start.
    pub fn counters(&self) -> Counters {
        self.surroundings.tally.read()
    }

    /// Address at which cameras log in by SIP; opens the port.
    ///
    /// # Errors
    /// The port cannot be opened.
    pub async fn sip_address(&self) -> std::io::Result<SocketAddr> {
        self.exchange.address(&self.surroundings).await
    }

    /// Waits at most two seconds until all streams are dropped and their cameras have confirmed the end of their
    /// sessions; otherwise cameras that send over UDP continue for a minute. Call it when the process ends.
    pub async fn close(&self) {
        let closing = &self.surroundings.closing;
        closing.close();
        if tokio::time::timeout(CLOSE_TIMEOUT, closing.wait()).await.is_err() {
            tracing::debug!("some cameras did not confirm the end of their sessions");
        }
    }
}

fn check_elements() -> Result<(), Unusable> {
    let missing = NEEDED.into_iter().find(|(element, _)| !decoder::installed(element));
    if let Some((element, package)) = missing {
        return Err(Unusable::Element { element: element.to_owned(), package });
    }
    if Codec::H264.candidates(&[]).is_empty() {
        return Err(Unusable::Element { element: "avdec_h264".to_owned(), package: "gstreamer1.0-libav" });
    }
    Ok(())
}

#[async_trait]
impl FrameSource for VideoSource {
    async fn open(&self, source: &Source) -> Result<Box<dyn FrameStream>, SourceError> {
        let surroundings = Arc::clone(&self.surroundings);
        match source {
            Source::Rtsp { url } => {
                let address = CameraAddress::parse(url)?;
                Ok(Box::new(camera::open(&address, &self.options, surroundings).await?))
            }
            Source::File { url } => {
                let (clock, tally) = (Arc::clone(&surroundings.clock), Arc::clone(&surroundings.tally));
                let mut address = FileAddress::parse(url)?;
                address.path = surroundings.access.file(&address.path)?;
                Ok(Box::new(file::open(address, self.options.first_picture, clock, tally).await?))
            }
            // Resolved at every opening: the camera's address may have changed.
            Source::Onvif(device) => {
                let address = onvif::resolve(device, &self.http, &*surroundings.clock).await?;
                Ok(Box::new(camera::open(&address, &self.options, surroundings).await?))
            }
            Source::Gb28181 { server, server_sip_id, camera_sip_id } => {
                let wanted = Wanted { server, server_id: server_sip_id, camera_id: camera_sip_id };
                let units = self.exchange.play(&wanted, &surroundings, self.options.first_picture).await?;
                Ok(Box::new(camera::show(units, &self.options, surroundings).await?))
            }
            // Delivers pictures, not video.
            Source::Capture { .. } | Source::Pushed { .. } => Err(SourceError::NotSupported),
        }
    }

    async fn open_pictures(&self, source: &Source) -> Result<Box<dyn PictureStream>, SourceError> {
        match source {
            Source::Capture { device, .. } => capture::open(device, &self.http, self.options.heartbeat).await,
            Source::Rtsp { .. }
            | Source::File { .. }
            | Source::Onvif(_)
            | Source::Gb28181 { .. }
            | Source::Pushed { .. } => Err(SourceError::NotSupported),
        }
    }

    async fn write_clip(&self, units: Vec<AccessUnit>) -> domain::Result<Bytes> {
        let written = tokio::task::spawn_blocking(|| clip::write(units)).await;
        written.map_err(domain::Error::internal("writing a clip"))?
    }
}

#[async_trait]
impl CameraDiscovery for VideoSource {
    async fn discover(&self) -> Result<Vec<FoundCamera>, SourceError> {
        onvif::search(self.options.searched, self.options.search).await
    }

    async fn streams(&self, device: &DeviceAddress) -> Result<Vec<CameraStream>, SourceError> {
        onvif::streams(device, &self.http, &*self.surroundings.clock).await
    }
}
