//! Downloads of pictures and videos.

use serde::Deserialize;

#[derive(Deserialize)]
pub(crate) struct PictureQuery {
    #[serde(rename = "Type")]
    pub(crate) kind: String,
    #[serde(rename = "Index")]
    pub(crate) index: String,
}

#[derive(Deserialize)]
pub(crate) struct VideoQuery {
    #[serde(rename = "Index")]
    pub(crate) index: String,
}
