//! What of the catalogue is not done yet.

use testkit::contract::Gap;

const KINDS: &str = "only RTSP streams and files are played yet";

pub(crate) const KNOWN_GAPS: &[Gap] = &[
    ("513/onvif", KINDS),
    ("513/gb28181", KINDS),
    ("513/image", KINDS),
    ("515/onvif", KINDS),
    ("515/gb28181", KINDS),
    ("515/image", KINDS),
    ("1310", KINDS),
];
