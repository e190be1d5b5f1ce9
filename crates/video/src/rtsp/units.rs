//! Access units of a playing camera.

use std::collections::VecDeque;
use std::sync::Arc;

use async_trait::async_trait;
use domain::ports::SourceError;
use retina::codec::VideoFrame;
use tokio::time::Instant;

use super::assembly::Assembly;
use super::session::Session;
use super::sieve::Sieve;
use crate::decoder::{Codec, Unit};
use crate::session::{Surroundings, plain};
use crate::sink::LARGEST;
use crate::supply::Supply;

/// The access units of a camera that plays.
pub(crate) struct Units {
    session: Session,
    sieve: Sieve,
    assembly: Assembly,
    whole: VecDeque<VideoFrame>,
    codec: Codec,
    surroundings: Arc<Surroundings>,
    /// Whether a key frame has arrived.
    synchronised: bool,
    /// Number of access units before it.
    undecodable: u64,
    /// Packets lost since the last access unit.
    lost: u16,
    /// Whether an ignored packet was already logged; further ones are only counted.
    noted: bool,
    started: Instant,
    last_tick: u64,
}

impl Units {
    pub(super) fn new(
        session: Session,
        sieve: Sieve,
        assembly: Assembly,
        codec: Codec,
        surroundings: Arc<Surroundings>,
    ) -> Self {
        Self {
            session,
            sieve,
            assembly,
            whole: VecDeque::new(),
            codec,
            surroundings,
            synchronised: false,
            undecodable: 0,
            lost: 0,
            noted: false,
            started: Instant::now(),
            last_tick: 0,
        }
    }

    /// Reads one packet.
    async fn read(&mut self) -> Result<(), SourceError> {
        let (channel, data) = self.session.packet().await?;
        self.sieve.take(channel, &data, Instant::now().into_std());
        while let Some(next) = self.sieve.next() {
            self.lost = self.lost.saturating_add(next.lost);
            if let Err(why) = self.assembly.take(&next, &mut self.whole) {
                self.ignore(1, &why);
            }
        }
        let noise = self.sieve.ignored() + self.session.passed_over();
        self.ignore(noise, "not video");
        Ok(())
    }

    fn ignore(&mut self, count: u64, reason: &str) {
        if count == 0 {
            return;
        }
        self.surroundings.tally.ignored(count);
        if !std::mem::replace(&mut self.noted, true) {
            tracing::debug!(count, reason = plain(reason), "packets ignored, further ones are only counted");
        }
    }

    fn check_size(&self) -> Result<(), SourceError> {
        let (width, height) = self.assembly.size().unwrap_or_default();
        if width > LARGEST || height > LARGEST {
            let size =
                format!("the picture has {width} x {height} pixels, at most {LARGEST} x {LARGEST} are supported");
            return Err(SourceError::Undecodable(size));
        }
        Ok(())
    }

    fn unit(&mut self, frame: VideoFrame) -> Result<Unit, SourceError> {
        let elapsed = self.started.elapsed().as_nanos() as u64;
        self.last_tick = elapsed.max(self.last_tick + 1);
        let key = frame.is_random_access_point();
        Unit::new(frame.into_data(), key, self.surroundings.clock.now(), self.last_tick)
    }
}

#[async_trait]
impl Supply for Units {
    async fn next(&mut self) -> Result<Unit, SourceError> {
        loop {
            let Some(frame) = self.whole.pop_front() else {
                self.read().await?;
                continue;
            };
            self.surroundings.tally.received(std::mem::take(&mut self.lost));
            if frame.has_new_parameters() || !self.synchronised {
                self.check_size()?;
            }
            self.synchronised |= frame.is_random_access_point();
            if self.synchronised {
                return self.unit(frame);
            }
            self.undecodable += 1;
        }
    }

    fn codec(&self) -> Codec {
        self.codec
    }

    fn synchronised(&self) -> bool {
        self.synchronised
    }

    fn undecodable(&self) -> u64 {
        self.undecodable
    }
}
