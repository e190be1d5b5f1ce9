//! Decodes access units with the best decoder available on the machine.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use domain::ports::SourceError;
use domain::{AccessUnit, Timestamp};
use gstreamer as gst;
use gstreamer_app::AppSrc;

use crate::counters::Tally;
use crate::disposable::Disposables;
use crate::sink::{self, LARGEST, Pipeline, Sink};

/// Maximum number of access units queued for the decoder: two and a half seconds at 25 frames per second.
const LONGEST_QUEUE: u64 = 64;

/// Maximum number of bytes queued for the decoder.
const LARGEST_QUEUE: u64 = 16 << 20;

/// Maximum size of an access unit, bytes.
const LARGEST_UNIT: usize = 8 << 20;

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
    let element = description.split_whitespace().next().unwrap_or_default();
    gst::ElementFactory::find(element).is_some()
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
    data: gst::Buffer,
    /// Decodable without earlier units.
    pub(crate) key: bool,
    arrived: Timestamp,
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
    fn note(&self, unit: &Unit) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() as u64 > LONGEST_QUEUE * 2 {
            all.pop_front();
        }
        all.extend(unit.data.pts().map(|tick| (tick, unit.arrived)));
    }

    /// Arrival time of the unit of this picture. With decoders that reorder pictures it may be that of a neighbouring
    /// unit.
    pub(crate) fn of(&self, sample: &gst::Sample) -> Option<Timestamp> {
        let tick = sample.buffer()?.pts()?;
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().rev().find(|(other, _)| *other <= tick).or(all.front()).map(|(_, arrived)| *arrived)
    }
}

/// Input of a decoder. It never blocks: when the decoder cannot keep up, everything up to the next key frame is
/// dropped, because a single missing picture would corrupt all that refer to it.
pub(crate) struct Feed {
    source: AppSrc,
    arrivals: Arc<Arrivals>,
    tally: Arc<Tally>,
    skipping: bool,
    disposables: Disposables,
    pictures_every: Duration,
    /// Arrival of the last unit given to the decoder.
    last: Option<Timestamp>,
}

impl Feed {
    pub(crate) fn push(&mut self, unit: Unit) {
        if self.can_do_without(&unit) {
            self.tally.spared();
            return;
        }
        let full =
            self.source.current_level_buffers() >= LONGEST_QUEUE || self.source.current_level_bytes() >= LARGEST_QUEUE;
        self.skipping = full || (self.skipping && !unit.key);
        if self.skipping {
            self.tally.skipped();
            return;
        }
        self.arrivals.note(&unit);
        self.last = Some(unit.arrived);
        // Fails only when the pipeline has failed, which the sink reports with the reason.
        let _ = self.source.push_buffer(unit.data);
    }

    /// Whether the picture is not wanted yet and no other one needs it.
    fn can_do_without(&mut self, unit: &Unit) -> bool {
        let Ok(data) = unit.data.map_readable() else { return false };
        let disposable = self.disposables.has(&data);
        let every = self.pictures_every.as_millis() as i64;
        disposable && self.last.is_some_and(|last| unit.arrived.millis_since(last) < every)
    }
}

/// A running decoder.
pub(crate) struct Decoder {
    pub(crate) name: String,
    pub(crate) feed: Feed,
    pub(crate) sink: Sink,
    pub(crate) arrivals: Arc<Arrivals>,
    pub(crate) pipeline: Pipeline,
}

impl Decoder {
    /// Starts this decoder, given as an element with its properties. Blocking: it opens the hardware.
    pub(crate) fn start(
        codec: Codec,
        decoder: &str,
        tally: &Arc<Tally>,
        pictures_every: Duration,
    ) -> Result<Self, SourceError> {
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
        pipeline.play()?;
        let arrivals = Arc::<Arrivals>::default();
        let feed = Feed {
            source,
            arrivals: Arc::clone(&arrivals),
            tally: Arc::clone(tally),
            skipping: false,
            disposables: Disposables::of(codec),
            pictures_every,
            last: None,
        };
        Ok(Self { name: decoder.to_owned(), feed, sink, arrivals, pipeline })
    }
}
