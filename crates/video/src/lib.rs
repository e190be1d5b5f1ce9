//! Cameras and video files as sources of frames: the port `FrameSource`.
//!
//! - `rtsp://[user[:password]@]host[:port]/path`, H.264 or H.265, read by [`domain::StreamAddress`]. User and password
//!   are taken out of the URL before it is used, sent only when the camera asks (digest or basic), and never logged. RTP travels
//!   within the RTSP connection; a camera that refuses that (461) is asked for datagrams. A fragment, which never
//!   goes on the wire, decides instead: `rtsp://host/path#transport=udp` or `#transport=tcp`.
//!   `rtsps://` is not supported.
//! - An ONVIF device by address and login: it is asked for its main stream, which is played as above, at every
//!   opening anew.
//! - A GB/T 28181 camera by its SIP id and that of its server, which may be this device: called, and its program stream
//!   decoded.
//! - A camera that finds faces itself, by address and login: the stream of its pictures over HTTP.
//! - `file:///path.mp4[?loop=1]`, whatever gstreamer can decode, at its own pace; sound is ignored. With `loop=1` it
//!   starts again at its end, for ever.
//!
//! An open source has delivered a picture: a wrong password, a missing file or a stream that no decoder takes is
//! told by [`open`](domain::ports::FrameSource::open). Decoders are tried in order of preference, hardware first,
//! until one gives a picture. Of a camera the newest picture wins: a consumer that comes late misses some and never
//! gets an old one. Frames are the decoder's own buffers, not copies: hold few of them, and not for long, because
//! hardware decoders have few.

mod address;
mod camera;
mod capture;
mod challenge;
mod counters;
mod decoder;
mod file;
#[cfg(fuzzing)]
pub mod fuzzing;
mod gb28181;
mod http;
mod onvif;
mod pixels;
mod rtsp;
mod session;
mod sink;
mod supply;
mod trial;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::ports::{CameraDiscovery, Clock, FrameSource, FrameStream, PictureStream, SourceError};
use domain::{CameraStream, DeviceAddress, FoundCamera, Source};
use gstreamer as gst;
use tokio_util::task::TaskTracker;

pub use crate::counters::Counters;
pub use crate::gb28181::Sip;

use crate::address::{CameraAddress, FileAddress};
use crate::decoder::Codec;
use crate::gb28181::{Exchange, Wanted};
use crate::http::Http;
use crate::session::Surroundings;

/// How long a closing camera is waited for.
const FAREWELL: Duration = Duration::from_secs(2);

/// Elements without which nothing works, and the Debian package that has them.
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

/// Patience with sources, and decoders.
#[derive(Debug, Clone)]
pub struct Options {
    /// For each answer of a camera while connecting.
    pub answer: Duration,
    /// From the start of a source to its first picture, and between two pictures of a file.
    pub first_picture: Duration,
    /// Without an access unit, or without a decoded picture, of a camera that has sent one.
    pub stall: Duration,
    /// Decoders tried before the built-in ones: gstreamer elements with their properties, for example
    /// `avdec_h264 max-threads=2`. Those not installed are passed over.
    pub decoders: Vec<String>,
    /// Without any sign of life of a camera that delivers pictures.
    pub heartbeat: Duration,
    /// This device among SIP servers.
    pub sip: Sip,
    /// Where cameras are looked for.
    pub searched: SocketAddr,
    /// How long cameras are looked for.
    pub search: Duration,
}

impl Default for Options {
    /// 5 s for an answer, 10 s to the first picture, 5 s until it stalls, 30 s until a camera that delivers pictures counts as
    /// dead, 3 s for a search, by multicast.
    fn default() -> Self {
        Self {
            answer: Duration::from_secs(5),
            first_picture: Duration::from_secs(10),
            stall: Duration::from_secs(5),
            decoders: Vec::new(),
            heartbeat: Duration::from_secs(30),
            sip: Sip::default(),
            searched: onvif::EVERYBODY,
            search: Duration::from_secs(3),
        }
    }
}

/// Why there can be no video on this machine.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// The library itself.
    #[error("gstreamer does not start: {0}")]
    Library(String),
    /// A plugin.
    #[error("gstreamer has no element {element}: install the package {package}")]
    Element {
        /// The element that is missing.
        element: String,
        /// The Debian package that has it.
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
    /// Starts gstreamer, once in a process, and looks whether all that is needed is installed.
    ///
    /// # Errors
    /// What is missing.
    pub fn new(clock: Arc<dyn Clock>, options: Options) -> Result<Self, Unusable> {
        gst::init().map_err(|e| Unusable::Library(e.to_string()))?;
        check_elements()?;
        let http = Http::new(options.answer)?;
        let exchange = Exchange::new(options.sip.clone());
        let surroundings =
            Surroundings { clock, tally: Arc::default(), closing: TaskTracker::new(), answer: options.answer };
        Ok(Self { options, surroundings: Arc::new(surroundings), http, exchange })
    }

    /// Sums over all sources since the start.
    pub fn counters(&self) -> Counters {
        self.surroundings.tally.read()
    }

    /// Where cameras log in by SIP; opens the port.
    ///
    /// # Errors
    /// It cannot be opened.
    pub async fn sip_address(&self) -> std::io::Result<SocketAddr> {
        self.exchange.address(&self.surroundings).await
    }

    /// Waits, two seconds at most, until all streams are dropped and their cameras know that their sessions have ended;
    /// otherwise those that send datagrams go on for a minute. For the end of the process.
    pub async fn close(&self) {
        let closing = &self.surroundings.closing;
        closing.close();
        if tokio::time::timeout(FAREWELL, closing.wait()).await.is_err() {
            tracing::debug!("not every camera has confirmed the end of its session");
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
                let address = FileAddress::parse(url)?;
                Ok(Box::new(file::open(address, self.options.first_picture, clock, tally).await?))
            }
            // Asked for at every opening: a camera may have another address by now.
            Source::Onvif(device) => {
                let address = onvif::resolve(device, &self.http, &*surroundings.clock).await?;
                Ok(Box::new(camera::open(&address, &self.options, surroundings).await?))
            }
            Source::Gb28181 { server, server_sip_id, camera_sip_id } => {
                let wanted = Wanted { server, server_id: server_sip_id, camera_id: camera_sip_id };
                let units = self.exchange.play(&wanted, &surroundings, self.options.first_picture).await?;
                Ok(Box::new(camera::show(units, &self.options, surroundings).await?))
            }
            // It delivers pictures, not video.
            Source::Capture { .. } => Err(SourceError::NotSupported),
        }
    }

    async fn open_pictures(&self, source: &Source) -> Result<Box<dyn PictureStream>, SourceError> {
        match source {
            Source::Capture { device, .. } => capture::open(device, &self.http, self.options.heartbeat).await,
            Source::Rtsp { .. } | Source::File { .. } | Source::Onvif(_) | Source::Gb28181 { .. } => {
                Err(SourceError::NotSupported)
            }
        }
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
