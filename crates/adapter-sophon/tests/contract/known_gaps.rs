//! What of the catalogue is not done yet.

use testkit::contract::Gap;

pub(crate) const KNOWN_GAPS: &[Gap] = &[];

/// Codes that nothing is refused with, and why.
pub(crate) const UNPROVOKED: &[Gap] = &[
    ("0", "says that all went well"),
    ("50072", "only when the device itself fails"),
    ("40000", "refuses callers and methods before there is a call"),
    ("40006", "a poor face is refused as one that cannot be found"),
    ("40008", "an empty group is no fault of a request"),
    ("40009", "a small face is one of low quality"),
    ("40010", "a face without a usable feature is one of low quality"),
    ("40013", "groups need no loading"),
    ("40014", "strangers are not enrolled"),
    ("40400", "refuses paths that are no call"),
    ("40094", "only in a sample"),
    ("40095", "only in a sample"),
    ("500001", "sent by platforms"),
];
