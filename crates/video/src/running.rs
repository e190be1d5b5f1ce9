//! A running decoder, in this process or in one of its own.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use domain::Timestamp;
use domain::frame::Frame;
use domain::ports::{Clock, SourceError};
use gstreamer as gst;
use gstreamer_app::AppSrc;

use crate::counters::Tally;
use crate::decoder::{Arrivals, Codec, Decoder, LARGEST_QUEUE, LONGEST_QUEUE, Unit};
use crate::disposable::Disposables;
use crate::effort::Effort;
use crate::helper;
use crate::sink::{Pipeline, Sink};

/// A running decoder.
pub(crate) struct Running {
    pub(crate) name: String,
    pub(crate) feed: Feed,
    pub(crate) pictures: Pictures,
    /// Number of pictures that it has decoded.
    pub(crate) decoded: Arc<AtomicU64>,
    pub(crate) effort: Arc<Effort>,
}

/// What decoders in this process and in others have in common.
pub(crate) struct Common {
    pub(crate) codec: Codec,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) tally: Arc<Tally>,
    pub(crate) arrivals: Arc<Arrivals>,
    pub(crate) pictures_every: Duration,
}

impl Running {
    /// A decoder in this process.
    pub(crate) fn here(name: String, decoder: Decoder, common: Common) -> Self {
        let Decoder { source, sink, pipeline } = decoder;
        sink.hold().want_every(common.pictures_every);
        let (decoded, effort) = (sink.news().counter(), Arc::clone(sink.effort()));
        let (arrivals, clock) = (Arc::clone(&common.arrivals), Arc::clone(&common.clock));
        let pictures = Pictures::Here { sink, arrivals, clock, _pipeline: pipeline };
        Self { name, feed: Feed::new(Input::Here(source), common, &effort), pictures, decoded, effort }
    }

    /// A decoder in a process of its own.
    pub(crate) fn apart(name: String, helper: helper::Helper, common: Common) -> Self {
        let helper::Helper { inlet, outlet, decoded, effort } = helper;
        let feed = Feed::new(Input::Apart(inlet), common, &effort);
        Self { name, feed, pictures: Pictures::Apart(outlet), decoded, effort }
    }
}

enum Input {
    Here(AppSrc),
    Apart(helper::Inlet),
}

impl Input {
    fn is_full(&self) -> bool {
        match self {
            Self::Here(source) => {
                source.current_level_buffers() >= LONGEST_QUEUE || source.current_level_bytes() >= LARGEST_QUEUE
            }
            Self::Apart(inlet) => inlet.is_full(),
        }
    }

    /// A decoder that has ended drops the unit; its pictures end with the reason.
    fn push(&mut self, unit: gst::Buffer) {
        match self {
            Self::Here(source) => drop(source.push_buffer(unit)),
            Self::Apart(inlet) => inlet.push(unit),
        }
    }
}

/// Input of a decoder. It never blocks: when the decoder cannot keep up, everything up to the next key frame is
/// dropped, because a single missing picture would corrupt all that refer to it.
pub(crate) struct Feed {
    input: Input,
    arrivals: Arc<Arrivals>,
    tally: Arc<Tally>,
    effort: Arc<Effort>,
    skipping: bool,
    disposables: Disposables,
    pictures_every: Duration,
    /// Arrival of the last unit given to the decoder.
    last: Option<Timestamp>,
}

impl Feed {
    fn new(input: Input, common: Common, effort: &Arc<Effort>) -> Self {
        let Common { codec, tally, arrivals, pictures_every, .. } = common;
        let (disposables, effort) = (Disposables::of(codec), Arc::clone(effort));
        Self { input, arrivals, tally, effort, skipping: false, disposables, pictures_every, last: None }
    }

    pub(crate) fn push(&mut self, unit: Unit) {
        self.effort.received();
        if self.can_do_without(&unit) {
            self.tally.spared();
            self.effort.spared();
            return;
        }
        self.skipping = self.input.is_full() || (self.skipping && !unit.key);
        if self.skipping {
            self.tally.skipped();
            self.effort.skipped();
            return;
        }
        self.arrivals.note(&unit);
        self.last = Some(unit.arrived);
        self.input.push(unit.data);
    }

    /// Whether the picture is not wanted yet and no other one needs it.
    fn can_do_without(&mut self, unit: &Unit) -> bool {
        let Ok(data) = unit.data.map_readable() else { return false };
        let disposable = self.disposables.has(&data);
        let every = self.pictures_every.as_millis() as i64;
        disposable && self.last.is_some_and(|last| unit.arrived.millis_since(last) < every)
    }
}

/// Output of a decoder. Only the newest picture is kept: each one replaces the one before.
pub(crate) enum Pictures {
    Here { sink: Sink, arrivals: Arc<Arrivals>, clock: Arc<dyn Clock>, _pipeline: Pipeline },
    Apart(helper::Outlet),
}

impl Pictures {
    /// The next picture. Cancel safe.
    pub(crate) async fn next(&mut self) -> Result<Frame, SourceError> {
        match self {
            Self::Here { sink, arrivals, clock, .. } => {
                let sample = sink.next().await?;
                let sample =
                    sample.ok_or_else(|| SourceError::Undecodable("the decoder stopped unexpectedly".to_owned()))?;
                let tick = sample.buffer().and_then(gst::BufferRef::pts);
                sink.frame(&sample, arrivals.of(tick).unwrap_or_else(|| clock.now()))
            }
            Self::Apart(outlet) => outlet.next().await,
        }
    }
}
