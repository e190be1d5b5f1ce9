//! What of the catalogue is not done yet.

use testkit::contract::Gap;

pub(crate) const KNOWN_GAPS: &[Gap] =
    &[("/custom/router1#5", "rules do not ask for faces yet"), ("/custom/router2", "nothing stores clips yet")];

/// Codes that nothing is refused with, and why.
pub(crate) const UNPROVOKED: &[Gap] = &[
    ("0", "says that all went well"),
    ("5", "users cannot be disabled"),
    ("6", "only while another upgrade runs"),
    ("1002", "there are no sessions"),
    ("1003", "there are no sessions"),
    ("1500", "no algorithm excludes another"),
    ("1800", "a device that cannot be read is an inner failure, code 1, as any other"),
    ("1801", "a device that cannot be set is an inner failure, code 1, as any other"),
    ("1900", "only when the machine itself fails while it installs"),
    ("1901", "a damaged package is one without a good signature"),
    ("1902", "every signed package may be installed"),
    ("1903", "every signed package may be installed"),
];
