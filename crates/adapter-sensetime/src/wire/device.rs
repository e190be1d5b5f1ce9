//! 1281.

use serde::Serialize;

/// The answer to 1281.
#[derive(Serialize)]
pub(crate) struct Version {
    pub(crate) device_id: String,
    pub(crate) serial_id: String,
    pub(crate) version: String,
    pub(crate) web_version: String,
}
