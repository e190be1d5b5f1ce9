//! Finds a working decoder: some are installed without the hardware they need, or fail on a camera's stream.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use domain::frame::Frame;
use domain::ports::SourceError;

use crate::Options;
use crate::decoder::{Arrivals, Codec, Decoder, Unit};
use crate::helper;
use crate::running::{Common, Running};
use crate::session::Surroundings;
use crate::supply::Supply;

/// Maximum number of access units kept for the next decoder.
const LONGEST_REPLAY: usize = 250;
/// Maximum number of bytes kept for the next decoder.
const LARGEST_REPLAY: usize = 32 << 20;

/// The decoders not tried yet, and the access units to feed to the next one first.
pub(crate) struct Trial {
    codec: Codec,
    pictures_every: Duration,
    /// Maximum wait for a picture that a decoder process was asked for.
    patience: Duration,
    /// What is started as a decoder process.
    program: Option<PathBuf>,
    candidates: VecDeque<String>,
    surroundings: Arc<Surroundings>,
    replay: Replay,
}

/// Access units since the last key frame. Once one does not fit, none is kept until the next key frame: a decoder could
/// not use what follows a gap.
#[derive(Default)]
struct Replay {
    units: Vec<Unit>,
    bytes: usize,
    is_full: bool,
}

impl Replay {
    fn keep(&mut self, unit: &Unit) {
        if unit.key {
            *self = Self::default();
        }
        let bytes = self.bytes + unit.data.size();
        self.is_full |= self.units.len() == LONGEST_REPLAY || bytes > LARGEST_REPLAY;
        if !self.is_full {
            self.bytes = bytes;
            self.units.push(unit.clone());
        }
    }
}

impl Trial {
    pub(crate) fn new(codec: Codec, options: &Options, surroundings: Arc<Surroundings>) -> Result<Self, SourceError> {
        let candidates = codec.candidates(&options.decoders);
        if candidates.is_empty() {
            return Err(SourceError::Undecodable(format!("no decoder for {codec} is installed in gstreamer")));
        }
        Ok(Self {
            codec,
            pictures_every: options.pictures_every,
            // A camera that sends nothing stalls before.
            patience: options.stall * 2,
            program: options.decoder_process.clone(),
            candidates,
            surroundings,
            replay: Replay::default(),
        })
    }

    /// Feeds one decoder after another until one produces a picture; returns that decoder and the picture. Waits
    /// indefinitely when no access units arrive.
    pub(crate) async fn first_picture(mut self, units: &mut dyn Supply) -> Result<(Running, Frame), SourceError> {
        let mut decoder = self.start_next(None).await?;
        loop {
            tokio::select! {
                picture = decoder.pictures.next() => match picture {
                    Ok(picture) => return Ok((decoder, picture)),
                    Err(why) => decoder = self.replace(&decoder, why).await?,
                },
                unit = units.next() => {
                    let unit = unit?;
                    self.replay.keep(&unit);
                    decoder.feed.push(unit);
                }
            }
        }
    }

    async fn replace(&mut self, failed: &Running, why: SourceError) -> Result<Running, SourceError> {
        tracing::info!(decoder = failed.name, %why, "decoder failed on the camera's stream");
        let mut decoder = self.start_next(Some(why)).await?;
        self.replay.units.iter().for_each(|unit| decoder.feed.push(unit.clone()));
        Ok(decoder)
    }

    /// Starts the next decoder that can be started; when none is left, returns the reason why the last one failed.
    async fn start_next(&mut self, mut why: Option<SourceError>) -> Result<Running, SourceError> {
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

    async fn start(&self, name: String) -> Result<Running, SourceError> {
        let common = self.common();
        if let Some(program) = &self.program {
            let helper = helper::start(program, &name, &common, self.patience, &self.surroundings.closing).await?;
            return Ok(Running::apart(name, helper, common));
        }
        let (codec, tally, element) = (self.codec, Arc::clone(&common.tally), name.clone());
        let started = tokio::task::spawn_blocking(move || Decoder::start(codec, &element, &tally)).await;
        let decoder =
            started.unwrap_or_else(|e| Err(SourceError::Undecodable(format!("starting a decoder failed: {e}"))))?;
        Ok(Running::here(name, decoder, common))
    }

    fn common(&self) -> Common {
        Common {
            codec: self.codec,
            clock: Arc::clone(&self.surroundings.clock),
            tally: Arc::clone(&self.surroundings.tally),
            arrivals: Arc::<Arrivals>::default(),
            pictures_every: self.pictures_every,
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;

    use super::*;

    fn unit(key: bool, bytes: usize) -> Unit {
        Unit::new(vec![0; bytes], key, Timestamp::from_millis(0), 0).unwrap()
    }

    #[test]
    fn a_replay_is_bounded_by_bytes_and_has_no_gaps() {
        gstreamer::init().unwrap();
        let mut replay = Replay::default();
        replay.keep(&unit(true, 8 << 20));
        (0..10).for_each(|_| replay.keep(&unit(false, 8 << 20)));
        replay.keep(&unit(false, 1));
        assert_eq!((replay.units.len(), replay.bytes), (4, LARGEST_REPLAY));
        replay.keep(&unit(true, 2));
        replay.keep(&unit(false, 1));
        assert_eq!((replay.units.len(), replay.bytes), (2, 3), "the next key frame begins again");
        (0..1_000).for_each(|_| replay.keep(&unit(false, 1)));
        assert_eq!(replay.units.len(), LONGEST_REPLAY);
    }
}
