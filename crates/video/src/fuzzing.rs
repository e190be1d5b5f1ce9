//! Entry points for `make fuzz`: each takes bytes as a device may send them, and must neither panic nor allocate
//! without bound. Built only for fuzzing.

pub use crate::capture::fuzzing::parts;
pub use crate::gb28181::fuzzing::{program_stream, rtp, sip};
pub use crate::onvif::fuzzing::soap;
pub use crate::rtsp::hostile::read_anything as rtsp;
