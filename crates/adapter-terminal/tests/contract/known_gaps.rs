//! What of the catalogue is not done yet.

use testkit::contract::Gap;

const READERS: &str = "no reader of codes or cards is bound yet";

pub(crate) const KNOWN_GAPS: &[Gap] = &[
    ("QRCodePush", READERS),
    ("IDCardPush", READERS),
    ("CardPush", READERS),
    ("HTTP QRCode", READERS),
    ("HTTP IDCard", READERS),
];
