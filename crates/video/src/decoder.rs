//! Decodes access units with the best decoder available on the machine.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use domain::ports::SourceError;
use domain::{AccessUnit, Timestamp};
use gstreamer as gst;
use gstreamer::prelude::PluginFeatureExt;
use gstreamer_app::AppSrc;

use crate::counters::Tally;
use crate::sink::{self, LARGEST, Pipeline, Sink};

/// Maximum number of access units queued for the decoder: two and a half seconds at 25 frames per second.
pub(crate) const LONGEST_QUEUE: u64 = 64;

/// Maximum number of bytes queued for the decoder.
pub(crate) const LARGEST_QUEUE: u64 = 16 << 20;

/// Maximum size of an access unit, bytes.
pub(crate) const LARGEST_UNIT: usize = 8 << 20;

/// Video coding of a camera.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Codec {
    H264,
    H265,
}

impl From<Codec> for domain::Codec {
    fn from(codec: Codec) -> Self {
        match codec {
            Codec::H264 => Self::H264,
            Codec::H265 => Self::H265,
        }
    }
}

impl From<domain::Codec> for Codec {
    fn from(codec: domain::Codec) -> Self {
        match codec {
            domain::Codec::H264 => Self::H264,
            domain::Codec::H265 => Self::H265,
        }
    }
}

impl Codec {
    /// Its encoding name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::H264 => "h264",
            Self::H265 => "h265",
        }
    }

    /// By the encoding name of a session description, in lower case.
    pub(crate) fn named(encoding: &str) -> Option<Self> {
        match encoding {
            "h264" => Some(Self::H264),
            "h265" => Some(Self::H265),
            _ => None,
        }
    }

    pub(crate) fn media(self) -> &'static str {
        match self {
            Self::H264 => "video/x-h264",
            Self::H265 => "video/x-h265",
        }
    }

    pub(crate) fn parser(self) -> &'static str {
        match self {
            Self::H264 => "h264parse",
            Self::H265 => "h265parse",
        }
    }

    /// Decoders in order of preference: Rockchip, stateless and stateful V4L2, graphics cards, then the CPU. One thread
    /// per camera has the least overhead in total; cameras share the cores.
    fn decoders(self) -> &'static [&'static str] {
        match self {
            Self::H264 => &[
                "mppvideodec",
                "v4l2slh264dec",
                "v4l2h264dec",
                "vah264dec",
                "nvh264dec",
                "avdec_h264 max-threads=1",
                "openh264dec",
            ],
            Self::H265 => {
                &["mppvideodec", "v4l2slh265dec", "v4l2h265dec", "vah265dec", "nvh265dec", "avdec_h265 max-threads=1"]
            }
        }
    }

    /// The installed decoders in the order in which to try them: the configured ones, then the built-in ones.
    pub(crate) fn candidates(self, wanted: &[String]) -> VecDeque<String> {
        let built_in = self.decoders().iter().map(|name| (*name).to_owned());
        wanted.iter().cloned().chain(built_in).filter(|decoder| installed(decoder)).collect()
    }
}

/// Whether the first element of a pipeline description is installed.
pub(crate) fn installed(description: &str) -> bool {
    gst::ElementFactory::find(element(description)).is_some()
}

/// The first element of a pipeline description.
fn element(description: &str) -> &str {
    description.split_whitespace().next().unwrap_or_default()
}

/// The files of the plugins that a pipeline with this decoder needs, each once.
pub(crate) fn plugins(codec: Codec, decoder: &str) -> Vec<PathBuf> {
    let elements = ["appsrc", "capsfilter", codec.parser(), element(decoder), "videoconvert", "appsink"];
    let plugin = |element| gst::ElementFactory::find(element)?.plugin()?.filename();
    let mut all: Vec<_> = elements.into_iter().filter_map(plugin).collect();
    all.sort();
    all.dedup();
    all
}

impl std::fmt::Display for Codec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::H264 => "H.264",
            Self::H265 => "H.265",
        })
    }
}

/// One access unit in Annex B format.
#[derive(Debug, Clone)]
pub(crate) struct Unit {
    pub(crate) data: gst::Buffer,
    /// Decodable without earlier units.
    pub(crate) key: bool,
    pub(crate) arrived: Timestamp,
}

impl Unit {
    /// `tick`: timestamp within the stream, nanoseconds, strictly increasing.
    pub(crate) fn new(data: Vec<u8>, key: bool, arrived: Timestamp, tick: u64) -> Result<Self, SourceError> {
        if data.len() > LARGEST_UNIT {
            let size = data.len();
            return Err(SourceError::Undecodable(format!(
                "an access unit has {size} bytes, at most {LARGEST_UNIT} are accepted"
            )));
        }
        let mut data = gst::Buffer::from_mut_slice(data);
        if let Some(buffer) = data.get_mut() {
            buffer.set_pts(gst::ClockTime::from_nseconds(tick));
        }
        Ok(Self { data, key, arrived })
    }

    /// As the core sees it; its bytes are shared, not copied. `None` when they are out of reach.
    pub(crate) fn shared(&self, codec: Codec) -> Option<AccessUnit> {
        let bytes = self.data.clone().into_mapped_buffer_readable().ok()?;
        let Self { key, arrived, .. } = *self;
        Some(AccessUnit { codec: codec.into(), key, at: arrived, data: Bytes::from_owner(bytes) })
    }
}

/// Arrival times of the units in the decoder, by tick.
#[derive(Default)]
pub(crate) struct Arrivals(Mutex<VecDeque<(gst::ClockTime, Timestamp)>>);

impl Arrivals {
    pub(crate) fn note(&self, unit: &Unit) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() as u64 > LONGEST_QUEUE * 2 {
            all.pop_front();
        }
        all.extend(unit.data.pts().map(|tick| (tick, unit.arrived)));
    }

    /// Arrival time of the unit with this tick. With decoders that reorder pictures it may be that of a neighbouring
    /// unit.
    pub(crate) fn of(&self, tick: Option<gst::ClockTime>) -> Option<Timestamp> {
        let tick = tick?;
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().rev().find(|(other, _)| *other <= tick).or(all.front()).map(|(_, arrived)| *arrived)
    }
}

/// A decoder in this process.
pub(crate) struct Decoder {
    pub(crate) source: AppSrc,
    pub(crate) sink: Sink,
    pub(crate) pipeline: Pipeline,
}

impl Decoder {
    /// Loads this decoder, given as an element with its properties, without starting it.
    pub(crate) fn prepare(codec: Codec, decoder: &str, tally: &Arc<Tally>) -> Result<Self, SourceError> {
        let (media, parser) = (codec.media(), codec.parser());
        // The caps limit the size before a decoder allocates memory for the dimensions that the stream claims.
        let pipeline = Pipeline::build(&format!(
            "appsrc name=source is-live=true format=time block=false max-bytes=0 max-buffers=0 \
             caps={media},stream-format=byte-stream,alignment=au \
             ! {parser} ! {media},width=[1,{LARGEST}],height=[1,{LARGEST}] ! {decoder} ! {}",
            sink::description("", "sync=false max-buffers=1 drop=true"),
        ))?;
        let source = pipeline.part("source")?;
        let sink = Sink::attach(&pipeline, Arc::clone(tally))?;
        Ok(Self { source, sink, pipeline })
    }

    /// Starts this decoder. Blocking: it opens the hardware.
    pub(crate) fn start(codec: Codec, decoder: &str, tally: &Arc<Tally>) -> Result<Self, SourceError> {
        let decoder = Self::prepare(codec, decoder, tally)?;
        decoder.pipeline.play()?;
        Ok(decoder)
    }
}
