//! Coded pictures, as cameras send them.

use bytes::Bytes;

use crate::Timestamp;

/// How pictures are coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Codec {
    /// H.264, Advanced Video Coding.
    H264,
    /// H.265, High Efficiency Video Coding.
    H265,
}

/// One coded picture with all that a decoder needs for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessUnit {
    /// How it is coded.
    pub codec: Codec,
    /// Whether it can be decoded without what came before.
    pub key: bool,
    /// When it reached the device.
    pub at: Timestamp,
    /// Its parts, each behind a start code (Annex B); those of a key frame begin with the parameter sets.
    pub data: Bytes,
}
