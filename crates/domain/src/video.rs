//! Coded video.

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
