//! Entrances for `make fuzz`: each takes bytes as a device may send them, and neither panics nor takes memory without
//! bounds. Built for fuzzing alone.

pub use crate::capture::fuzzing::parts;
pub use crate::gb28181::fuzzing::{program_stream, rtp, sip};
pub use crate::onvif::fuzzing::soap;
pub use crate::rtsp::hostile::read_anything as rtsp;
