//! Finds a working decoder: some are installed without the hardware they need, or fail on a camera's stream.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use domain::ports::SourceError;
use gstreamer as gst;

use crate::Options;
use crate::counters::Tally;
use crate::decoder::{Codec, Decoder, Unit};
use crate::supply::Supply;

/// Maximum number of access units kept for the next decoder.
const LONGEST_REPLAY: usize = 250;

/// The decoders not tried yet, and the access units to feed to the next one first.
pub(crate) struct Trial {
    codec: Codec,
    pictures_every: Duration,
    candidates: VecDeque<String>,
    tally: Arc<Tally>,
    /// Access units since the last key frame.
    replay: Vec<Unit>,
}

impl Trial {
    pub(crate) fn new(codec: Codec, options: &Options, tally: Arc<Tally>) -> Result<Self, SourceError> {
        let candidates = codec.candidates(&options.decoders);
        if candidates.is_empty() {
            return Err(SourceError::Undecodable(format!("no decoder for {codec} is installed in gstreamer")));
        }
        Ok(Self { codec, pictures_every: options.pictures_every, candidates, tally, replay: Vec::new() })
    }

    /// Feeds one decoder after another until one produces a picture; returns that decoder and the picture. Waits
    /// indefinitely when no access units arrive.
    pub(crate) async fn first_picture(mut self, units: &mut dyn Supply) -> Result<(Decoder, gst::Sample), SourceError> {
        let mut decoder = self.start_next(None).await?;
        loop {
            tokio::select! {
                picture = decoder.sink.next() => match picture {
                    Ok(Some(sample)) => return Ok((decoder, sample)),
                    Ok(None) => return Err(SourceError::Undecodable("the decoder stopped unexpectedly".to_owned())),
                    Err(why) => decoder = self.replace(&decoder, why).await?,
                },
                unit = units.next() => {
                    let unit = unit?;
                    self.keep(&unit);
                    decoder.feed.push(unit);
                }
            }
        }
    }

    fn keep(&mut self, unit: &Unit) {
        if unit.key {
            self.replay.clear();
        }
        if self.replay.len() < LONGEST_REPLAY {
            self.replay.push(unit.clone());
        }
    }

    async fn replace(&mut self, failed: &Decoder, why: SourceError) -> Result<Decoder, SourceError> {
        tracing::info!(decoder = failed.name, %why, "decoder failed on the camera's stream");
        let mut decoder = self.start_next(Some(why)).await?;
        self.replay.iter().for_each(|unit| decoder.feed.push(unit.clone()));
        Ok(decoder)
    }

    /// Starts the next decoder that can be started; when none is left, returns the reason why the last one failed.
    async fn start_next(&mut self, mut why: Option<SourceError>) -> Result<Decoder, SourceError> {
        while let Some(name) = self.candidates.pop_front() {
            match self.start(name.clone()).await {
                Ok(decoder) => return Ok(decoder),
                Err(e) => {
                    tracing::info!(decoder = name, why = %e, "failed to start decoder");
                    why = Some(e);
                }
            }
        }
        Err(why.unwrap_or_else(|| SourceError::Undecodable("no decoder is left to try".to_owned())))
    }

    async fn start(&self, name: String) -> Result<Decoder, SourceError> {
        let (codec, tally, every) = (self.codec, Arc::clone(&self.tally), self.pictures_every);
        let started = tokio::task::spawn_blocking(move || Decoder::start(codec, &name, &tally, every)).await;
        started.unwrap_or_else(|e| Err(SourceError::Undecodable(format!("starting a decoder failed: {e}"))))
    }
}
