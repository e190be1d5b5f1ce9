//! Clips: coded pictures put into an MP4 file as they are.

use std::time::{Duration, Instant};

use bytes::Bytes;
use domain::{AccessUnit, Error, Result};
use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app::{AppSink, AppSrc};

use crate::decoder::{self, Codec};
use crate::sink::Pipeline;

/// How long writing a clip may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often a pipeline that gives nothing is asked whether it has failed.
const LOOK: gst::ClockTime = gst::ClockTime::from_mseconds(100);
/// Between two pictures at least, nanoseconds: those that arrived together have to follow each other.
const APART: u64 = 1_000_000;
/// How long a clip of one picture shows it, nanoseconds.
const ALONE: u64 = 40_000_000;

/// Writes the file. Blocking.
pub(crate) fn write(units: Vec<AccessUnit>) -> Result<Bytes> {
    let codec = check(&units)?;
    if !decoder::installed("mp4mux") {
        return Err(Error::NotSupported { what: "clips: gstreamer has no mp4mux" });
    }
    let failed = Error::internal("writing a clip");
    run(codec, units).map_err(failed)
}

fn check(units: &[AccessUnit]) -> Result<Codec> {
    let first = units.first().filter(|first| first.key);
    let first = first.ok_or_else(|| Error::invalid("clip", "does not begin with a key frame"))?;
    if units.iter().any(|unit| unit.codec != first.codec) {
        return Err(Error::invalid("clip", "is of several codecs"));
    }
    Ok(first.codec.into())
}

fn run(codec: Codec, units: Vec<AccessUnit>) -> std::result::Result<Bytes, String> {
    let (media, parser) = (codec.media(), codec.parser());
    let stream_format = match codec {
        Codec::H264 => "avc",
        Codec::H265 => "hvc1",
    };
    let pipeline = Pipeline::build(&format!(
        "appsrc name=source format=time max-bytes=0 caps={media},stream-format=byte-stream,alignment=au \
         ! {parser} ! {media},stream-format={stream_format},alignment=au ! mp4mux ! appsink name=sink sync=false",
    ));
    let pipeline = pipeline.map_err(|why| why.to_string())?;
    let source: AppSrc = pipeline.part("source").map_err(|why| why.to_string())?;
    let sink: AppSink = pipeline.part("sink").map_err(|why| why.to_string())?;
    say_seekable(&sink)?;
    pipeline.play().map_err(|why| why.to_string())?;
    for buffer in buffers(units) {
        source.push_buffer(buffer).map_err(|why| why.to_string())?;
    }
    source.end_of_stream().map_err(|why| why.to_string())?;
    collect(&pipeline, &sink)
}

/// The coded pictures with their times from the first one on, and how long each is shown.
fn buffers(units: Vec<AccessUnit>) -> Vec<gst::Buffer> {
    let start = units.first().map(|unit| unit.at).unwrap_or(domain::Timestamp::MIN);
    let mut last = None;
    let time = |unit: &AccessUnit| {
        let arrived = unit.at.millis_since(start).max(0).unsigned_abs().saturating_mul(1_000_000);
        let time = last.map_or(arrived, |last: u64| arrived.max(last + APART));
        last = Some(time);
        time
    };
    let times: Vec<u64> = units.iter().map(time).collect();
    // Nobody knows how long the last one was to be shown: as long as the others on average.
    let mean = match (times.last(), times.len() as u64) {
        (Some(last), 2..) => last / (times.len() as u64 - 1),
        _ => ALONE,
    };
    let ends = times.iter().skip(1).copied().chain(times.last().map(|last| last + mean)).collect::<Vec<_>>();
    let timed = units.into_iter().zip(times).zip(ends);
    timed.map(|((unit, from), to)| buffer(unit.data, from, to)).collect()
}

fn buffer(data: Bytes, from: u64, to: u64) -> gst::Buffer {
    let mut buffer = gst::Buffer::from_slice(data);
    // Just made: nobody else has it.
    if let Some(buffer) = buffer.get_mut() {
        let from = gst::ClockTime::from_nseconds(from);
        buffer.set_pts(from);
        buffer.set_dts(from);
        buffer.set_duration(gst::ClockTime::from_nseconds(to) - from);
    }
    buffer
}

/// Tells the muxer that it may go back in the file: it writes the size of the pictures before them at last.
fn say_seekable(sink: &AppSink) -> std::result::Result<(), String> {
    let pad = sink.static_pad("sink").ok_or("the sink has no pad")?;
    pad.add_probe(gst::PadProbeType::QUERY_DOWNSTREAM, |_, info| {
        let Some(gst::QueryViewMut::Seeking(seeking)) = info.query_mut().map(gst::QueryRef::view_mut) else {
            return gst::PadProbeReturn::Ok;
        };
        if seeking.format() != gst::Format::Bytes {
            return gst::PadProbeReturn::Ok;
        }
        seeking.set(true, gst::format::Bytes::ZERO, gst::format::Bytes::NONE);
        gst::PadProbeReturn::Handled
    });
    Ok(())
}

/// Puts together what the muxer writes, each piece at its place.
fn collect(pipeline: &Pipeline, sink: &AppSink) -> std::result::Result<Bytes, String> {
    let (started, mut file) = (Instant::now(), File::default());
    while !sink.is_eos() {
        if let Some(sample) = sink.try_pull_sample(LOOK) {
            file.take(&sample).ok_or("the muxer gave no bytes")?;
        } else if let Some(why) = pipeline.failure() {
            return Err(why);
        } else if started.elapsed() > PATIENCE {
            return Err("the muxer does not come to an end".to_owned());
        }
    }
    match pipeline.failure() {
        Some(why) => Err(why),
        None => Ok(file.bytes.into()),
    }
}

#[derive(Default)]
struct File {
    bytes: Vec<u8>,
    /// Where the muxer went to last, and where the next byte belongs.
    place: (u64, usize),
}

impl File {
    fn take(&mut self, sample: &gst::Sample) -> Option<()> {
        let segment = sample.segment()?.downcast_ref::<gst::format::Bytes>()?;
        let start = *segment.start()?;
        if start != self.place.0 {
            self.place = (start, usize::try_from(start).ok()?);
        }
        let data = sample.buffer()?.map_readable().ok()?;
        let end = self.place.1.checked_add(data.len())?;
        self.bytes.resize(self.bytes.len().max(end), 0);
        self.bytes.get_mut(self.place.1..end)?.copy_from_slice(&data);
        self.place.1 = end;
        Some(())
    }
}
