//! What of the catalogue is not done yet.

use testkit::contract::Gap;

pub(crate) const KNOWN_GAPS: &[Gap] = &[];
