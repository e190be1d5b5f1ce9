//! Coded video.

use std::time::Duration;

use bytes::Bytes;

use crate::Timestamp;

/// A video codec.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Codec {
    /// H.264, Advanced Video Coding.
    H264,
    /// H.265, High Efficiency Video Coding.
    H265,
}

/// One coded picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessUnit {
    /// The codec.
    pub codec: Codec,
    /// Whether it is a key frame: decodable without earlier pictures.
    pub key: bool,
    /// When it reached the device.
    pub at: Timestamp,
    /// NAL units, each after a start code (Annex B); those of a key frame begin with the parameter sets.
    pub data: Bytes,
}

/// Numbers of coded pictures, and the time that decoding them took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Decoding {
    /// Coded pictures received.
    pub units: u64,
    /// Of those, pictures not decoded because no other one needs them and none was wanted yet.
    pub spared: u64,
    /// Of those, pictures not decoded because the decoder could not keep up.
    pub skipped: u64,
    /// Pictures decoded, as far as the stream counts them.
    pub pictures: u64,
    /// Processor time spent on decoding; hardware decoders hardly use any.
    pub busy: Duration,
}

impl Decoding {
    /// What was done since an earlier reading of the same stream.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        Self {
            units: self.units.saturating_sub(earlier.units),
            spared: self.spared.saturating_sub(earlier.spared),
            skipped: self.skipped.saturating_sub(earlier.skipped),
            pictures: self.pictures.saturating_sub(earlier.pictures),
            busy: self.busy.saturating_sub(earlier.busy),
        }
    }
}
