//! A video file as a camera, played at its own frame rate.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::frame::Frame;
use domain::ports::{Clock, FrameStream, SourceError};
use gstreamer as gst;
use gstreamer::prelude::*;
use tokio::time::timeout;

use crate::address::FileAddress;
use crate::counters::Tally;
use crate::sink::{self, News, Pipeline, Sink};

/// A playing file. It waits for a slow consumer, so no picture is skipped.
pub(crate) struct FileStream {
    first: Option<gst::Sample>,
    sink: Sink,
    pipeline: Pipeline,
    again: bool,
    ended: bool,
    patience: Duration,
    clock: Arc<dyn Clock>,
}

/// Opens the file and waits for its first picture. `patience`: maximum wait for each picture.
pub(crate) async fn open(
    address: FileAddress,
    patience: Duration,
    clock: Arc<dyn Clock>,
    tally: Arc<Tally>,
) -> Result<FileStream, SourceError> {
    let again = address.again;
    let started = tokio::task::spawn_blocking(move || start(&address, tally)).await;
    let (pipeline, sink) = started.map_err(|e| SourceError::Undecodable(format!("opening failed: {e}")))??;
    let mut stream = FileStream { first: None, sink, pipeline, again, ended: false, patience, clock };
    let first = stream.sample().await.map_err(no_picture)?;
    stream.first = Some(first.ok_or_else(|| SourceError::NoStream("the file contains no pictures".to_owned()))?);
    Ok(stream)
}

/// A file that yields no picture is damaged: decodebin drops the error of a demuxer that fails while it is plugged in.
fn no_picture(why: SourceError) -> SourceError {
    match why {
        SourceError::Stalled(seconds) => SourceError::Undecodable(format!("no picture within {seconds} s")),
        other => other,
    }
}

fn start(address: &FileAddress, tally: Arc<Tally>) -> Result<(Pipeline, Sink), SourceError> {
    let path = check(address)?;
    // Recordings from phones carry their orientation; upright pictures pass through unchanged.
    let sink = sink::description("videoflip video-direction=auto !", "sync=true max-buffers=2 drop=false");
    let pipeline = Pipeline::build(&format!("filesrc name=file ! decodebin name=decode {sink}"))?;
    pipeline.part::<gst::Element>("file")?.set_property("location", path);
    let sink = Sink::attach(&pipeline, tally)?;
    take_video(&pipeline.part("decode")?, &pipeline.part("convert")?, sink.news())?;
    pipeline.play()?;
    Ok((pipeline, sink))
}

/// The path of the file, checked to be a readable regular file.
fn check(address: &FileAddress) -> Result<&str, SourceError> {
    let path =
        address.path.to_str().ok_or_else(|| SourceError::BadAddress("the path is not valid UTF-8".to_owned()))?;
    let opened = std::fs::File::open(path).and_then(|file| file.metadata());
    match opened {
        Ok(metadata) if metadata.is_file() => Ok(path),
        Ok(_) => Err(SourceError::NoStream(format!("{path} is not a file"))),
        Err(e) => Err(SourceError::NoStream(format!("{path}: {e}"))),
    }
}

/// Links the first video stream to `convert`; other streams are not decoded.
fn take_video(decode: &gst::Element, convert: &gst::Element, news: Arc<News>) -> Result<(), SourceError> {
    let missing = || SourceError::Undecodable("the pipeline cannot be linked".to_owned());
    let entry = convert.static_pad("sink").ok_or_else(missing)?;
    decode.connect("autoplug-continue", false, |values| {
        let caps = values.get(2).and_then(|caps| caps.get::<gst::Caps>().ok());
        Some(caps.is_none_or(|caps| !is_beside_video(&caps)).to_value())
    });
    let target = entry.clone();
    decode.connect_pad_added(move |_, pad| {
        let video = pad.current_caps().is_some_and(|caps| starts(&caps, "video/x-raw"));
        if video && !target.is_linked() && pad.link(&target).is_err() {
            tracing::warn!("failed to link the decoded video of a file to the converter");
        }
    });
    decode.connect_no_more_pads(move |_| {
        if !entry.is_linked() {
            news.fail(SourceError::NoStream("the file contains no video that can be decoded".to_owned()));
        }
    });
    Ok(())
}

fn starts(caps: &gst::Caps, prefix: &str) -> bool {
    caps.structure(0).is_some_and(|kind| kind.name().starts_with(prefix))
}

/// Audio and text streams that a container may have beside the video.
fn is_beside_video(caps: &gst::Caps) -> bool {
    ["audio/", "text/", "subpicture/", "closedcaption/"].iter().any(|prefix| starts(caps, prefix))
}

impl FileStream {
    /// The next picture; `None` at the end.
    async fn sample(&mut self) -> Result<Option<gst::Sample>, SourceError> {
        if self.first.is_some() {
            return Ok(self.first.take());
        }
        let stalled = |_| SourceError::Stalled(self.patience.as_secs());
        timeout(self.patience, self.wait()).await.map_err(stalled)?
    }

    async fn wait(&self) -> Result<Option<gst::Sample>, SourceError> {
        loop {
            let sample = self.sink.next().await?;
            if sample.is_some() || !self.again {
                return Ok(sample);
            }
            self.sink.reopen();
            if !self.pipeline.rewind().await {
                return Err(SourceError::Undecodable("the file cannot be played again from its start".to_owned()));
            }
        }
    }
}

#[async_trait]
impl FrameStream for FileStream {
    async fn next(&mut self) -> Result<Option<Frame>, SourceError> {
        if self.ended {
            return Ok(None);
        }
        let sample = self.sample().await?;
        self.ended = sample.is_none();
        sample.map(|sample| self.sink.frame(&sample, self.clock.now())).transpose()
    }
}
