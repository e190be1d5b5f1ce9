//! Decoded frames of a camera whose access units arrive as a stream.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use domain::Decoding;
use domain::frame::Frame;
use domain::ports::{FrameStream, SourceError, UnitFeed};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use crate::Options;
use crate::address::CameraAddress;
use crate::effort::Effort;
use crate::rtsp;
use crate::running::{Feed, Pictures};
use crate::session::Surroundings;
use crate::supply::Supply;
use crate::trial::Trial;

/// A camera that has sent its first picture. A separate task reads the session, so a slow consumer does not delay the
/// camera. Only the newest decoded picture is kept: each one replaces the one before.
pub(crate) struct CameraStream {
    first: Option<Frame>,
    pictures: Pictures,
    effort: Arc<Effort>,
    units: UnitFeed,
    reader: JoinSet<SourceError>,
    ended: Option<SourceError>,
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
    let trial = Trial::new(codec, options, surroundings)?;
    let Ok(outcome) = timeout(options.first_picture, trial.first_picture(&mut *units)).await else {
        return Err(no_picture(&*units, options.first_picture));
    };
    let (decoder, first) = outcome?;
    tracing::debug!(decoder = decoder.name, %codec, "camera opened");
    let mut reader = JoinSet::new();
    let tee = UnitFeed::default();
    reader.spawn(read(units, (decoder.feed, tee.clone()), decoder.decoded, options.stall));
    Ok(CameraStream {
        first: Some(first),
        pictures: decoder.pictures,
        effort: decoder.effort,
        units: tee,
        reader,
        ended: None,
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
    decoded: Arc<AtomicU64>,
    stall: Duration,
) -> SourceError {
    let stalled = SourceError::Stalled(stall.as_secs());
    let decoded = || decoded.load(Ordering::Relaxed);
    let (mut before, mut since) = (decoded(), Instant::now());
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
        if decoded() != before {
            (before, since) = (decoded(), Instant::now());
        } else if since.elapsed() >= stall {
            return stalled;
        }
    }
}

impl CameraStream {
    async fn picture(&mut self) -> Result<Frame, SourceError> {
        if let Some(first) = self.first.take() {
            return Ok(first);
        }
        tokio::select! {
            // Pictures first: those decoded before the end are still delivered.
            biased;
            picture = self.pictures.next() => picture,
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
        match self.picture().await {
            Ok(picture) => Ok(Some(picture)),
            Err(why) => {
                self.ended = Some(why.clone());
                Err(why)
            }
        }
    }

    fn units(&self) -> Option<UnitFeed> {
        Some(self.units.clone())
    }

    fn decoding(&self) -> Decoding {
        self.effort.read()
    }

    fn keeps_newest(&self) -> bool {
        true
    }
}
