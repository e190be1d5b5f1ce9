//! Downloads of pictures.

use serde::Deserialize;

#[derive(Deserialize)]
pub(crate) struct PictureQuery {
    #[serde(rename = "Type")]
    pub(crate) kind: String,
    #[serde(rename = "Index")]
    pub(crate) index: String,
}
