//! What of the catalogue is not done yet.

use testkit::contract::Gap;

pub(crate) const KNOWN_GAPS: &[Gap] = &[];

/// Codes that nothing is refused with, and why.
pub(crate) const UNPROVOKED: &[Gap] = &[
    ("0", "says that all went well"),
    ("5", "users cannot be disabled"),
    ("1002", "there are no sessions"),
    ("1003", "there are no sessions"),
];
