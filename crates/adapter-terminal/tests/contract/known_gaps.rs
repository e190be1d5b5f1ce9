//! What of the catalogue is not done yet.

use testkit::contract::Gap;

pub(crate) const KNOWN_GAPS: &[Gap] = &[];

/// Codes that no command can be refused with, and why.
pub(crate) const UNPROVOKED: &[Gap] = &[
    ("EditPerson 200", SUCCESS),
    ("DelPerson 200", SUCCESS),
    ("EditPersonsNew item 482", "a new picture takes the place of the stored one, which nobody reads for that"),
];

const SUCCESS: &str = "says that all went well";
