//! Decoded frames of a camera whose access units arrive as a stream.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::frame::Frame;
use domain::ports::{FrameStream, SourceError, UnitFeed};
use gstreamer as gst;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use crate::Options;
use crate::address::CameraAddress;
use crate::decoder::{Arrivals, Feed};
use crate::rtsp;
use crate::session::Surroundings;
use crate::sink::{News, Pipeline, Sink};
use crate::supply::Supply;
use crate::trial::Trial;

/// A camera that has sent its first picture. A separate task reads the session, so a slow consumer does not delay the
/// camera. Only the newest decoded picture is kept: each one replaces the one before.
pub(crate) struct CameraStream {
    first: Option<gst::Sample>,
    sink: Sink,
    arrivals: Arc<Arrivals>,
    units: UnitFeed,
    surroundings: Arc<Surroundings>,
    reader: JoinSet<SourceError>,
    ended: Option<SourceError>,
    _pipeline: Pipeline,
}

/// Connects to an RTSP stream and waits for the first picture.
pub(crate) async fn open(
    address: &CameraAddress,
    options: &Options,
    surroundings: Arc<Surroundings>,
) -> Result<CameraStream, SourceError> {
    let units = rtsp::play(address, &surroundings).await?;
    show(Box::new(units), options, surroundings).await
}

/// Finds a decoder for a playing camera and waits for its first picture.
pub(crate) async fn show(
    mut units: Box<dyn Supply>,
    options: &Options,
    surroundings: Arc<Surroundings>,
) -> Result<CameraStream, SourceError> {
    let codec = units.codec();
    let trial = Trial::new(codec, options, Arc::clone(&surroundings.tally))?;
    let Ok(outcome) = timeout(options.first_picture, trial.first_picture(&mut *units)).await else {
        return Err(no_picture(&*units, options.first_picture));
    };
    let (decoder, first) = outcome?;
    tracing::debug!(decoder = decoder.name, %codec, "camera opened");
    let mut reader = JoinSet::new();
    let tee = UnitFeed::default();
    reader.spawn(read(units, (decoder.feed, tee.clone()), decoder.sink.news(), options.stall));
    Ok(CameraStream {
        first: Some(first),
        sink: decoder.sink,
        arrivals: decoder.arrivals,
        units: tee,
        surroundings,
        reader,
        ended: None,
        _pipeline: decoder.pipeline,
    })
}

fn no_picture(units: &dyn Supply, patience: Duration) -> SourceError {
    let seconds = patience.as_secs();
    match (units.synchronised(), units.undecodable()) {
        (false, 0) => SourceError::Stalled(seconds),
        (false, _) => SourceError::Undecodable(format!(
            "no key frame within {seconds} s: the camera's key frame interval is too long"
        )),
        (true, _) => SourceError::Undecodable(format!("the decoder produced no picture within {seconds} s")),
    }
}

/// Feeds the decoder and the receivers of coded pictures until the session ends or no picture has been decoded for
/// `stall`; returns the reason.
async fn read(
    mut units: Box<dyn Supply>,
    (mut feed, tee): (Feed, UnitFeed),
    news: Arc<News>,
    stall: Duration,
) -> SourceError {
    let stalled = SourceError::Stalled(stall.as_secs());
    let (mut decoded, mut since) = (news.decoded(), Instant::now());
    loop {
        match timeout(stall, units.next()).await {
            Err(_) => return stalled,
            Ok(Err(why)) => return why,
            Ok(Ok(unit)) => {
                if tee.is_wanted() {
                    unit.shared(units.codec()).into_iter().for_each(|unit| tee.send(unit));
                }
                feed.push(unit);
            }
        }
        if news.decoded() != decoded {
            (decoded, since) = (news.decoded(), Instant::now());
        } else if since.elapsed() >= stall {
            return stalled;
        }
    }
}

impl CameraStream {
    async fn sample(&mut self) -> Result<gst::Sample, SourceError> {
        if let Some(first) = self.first.take() {
            return Ok(first);
        }
        tokio::select! {
            // Pictures first: those decoded before the end are still delivered.
            biased;
            picture = self.sink.next() => {
                picture?.ok_or_else(|| SourceError::Undecodable("the decoder stopped unexpectedly".to_owned()))
            }
            why = self.reader.join_next() => {
                Err(match why {
                    Some(Ok(why)) => why,
                    _ => SourceError::Broken("the reading task ended unexpectedly: see the log".to_owned()),
                })
            }
        }
    }
}

#[async_trait]
impl FrameStream for CameraStream {
    async fn next(&mut self) -> Result<Option<Frame>, SourceError> {
        if let Some(why) = &self.ended {
            return Err(why.clone());
        }
        match self.sample().await {
            Ok(sample) => {
                let at = self.arrivals.of(&sample).unwrap_or_else(|| self.surroundings.clock.now());
                self.sink.frame(&sample, at).map(Some)
            }
            Err(why) => {
                self.ended = Some(why.clone());
                Err(why)
            }
        }
    }

    fn units(&self) -> Option<UnitFeed> {
        Some(self.units.clone())
    }
}
