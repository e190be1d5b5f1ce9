//! What a screen shows, as the front end gets it.

use serde::{Deserialize, Serialize};

/// An advertisement in a slot.
#[derive(Serialize, Deserialize)]
pub(crate) struct Advertisement {
    /// A data URI.
    pub(crate) picture: String,
    /// Seconds.
    pub(crate) polltime: i64,
}

/// A code over the rest of the screen; places and sizes in pixels.
#[derive(Serialize)]
pub(crate) struct ShownCode {
    #[serde(rename = "AbsX")]
    pub(crate) x: i64,
    #[serde(rename = "AbsY")]
    pub(crate) y: i64,
    #[serde(rename = "ImageH")]
    pub(crate) height: i64,
    #[serde(rename = "ImageType")]
    pub(crate) kind: i64,
    #[serde(rename = "ImageW")]
    pub(crate) width: i64,
    #[serde(rename = "QRCodeData")]
    pub(crate) data: String,
}
