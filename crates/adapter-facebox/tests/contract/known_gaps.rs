//! What of the catalogue is not done yet.

use testkit::contract::Gap;

pub(crate) const KNOWN_GAPS: &[Gap] = &[];

/// Codes that nothing is refused with, and why.
pub(crate) const UNPROVOKED: &[Gap] = &[
    ("0", "says that all went well"),
    ("4", "a statement that fails is an inner failure, code 1, as any other"),
    ("7", "no call waits for anything that has no answer of its own when it takes too long"),
];
