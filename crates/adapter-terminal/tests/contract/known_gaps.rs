//! What of the catalogue is not done yet.

use testkit::contract::Gap;

const READERS: &str = "no reader of codes or cards is bound yet";
const SOUNDS: &str = "no sound files are kept yet";

pub(crate) const KNOWN_GAPS: &[Gap] = &[
    ("GetAudio", SOUNDS),
    ("voiceplay", SOUNDS),
    ("QRCodePush", READERS),
    ("IDCardPush", READERS),
    ("CardPush", READERS),
    ("HTTP QRCode", READERS),
    ("HTTP IDCard", READERS),
];
