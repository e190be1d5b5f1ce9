//! What of the catalogue is not done yet.

use testkit::contract::Gap;

const ONVIF: &str = "cameras are not looked for in the network yet";

pub(crate) const KNOWN_GAPS: &[Gap] = &[("/SearchCamera", ONVIF), ("/QueryCameraRtsp", ONVIF)];
