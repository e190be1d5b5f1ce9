//! Pictures (chapter 2) and their comparison (6.7).

use serde::{Deserialize, Serialize};

#[derive(Serialize)]
pub(crate) struct Uploaded {
    pub(crate) code: u16,
    pub(crate) pic_url: String,
    pub(crate) msg: &'static str,
}

#[derive(Deserialize)]
pub(crate) struct PictureKey {
    pub(crate) pic_url: String,
}

#[derive(Serialize)]
pub(crate) struct PictureData {
    pub(crate) code: u16,
    pub(crate) data: String,
    pub(crate) msg: &'static str,
}

#[derive(Deserialize)]
pub(crate) struct Compare {
    pub(crate) first_pic: String,
    pub(crate) second_pic: String,
}

#[derive(Serialize)]
pub(crate) struct Compared {
    pub(crate) code: u16,
    pub(crate) similarity: f64,
    pub(crate) msg: &'static str,
}

/// A failed comparison; it has `similarity` too (quirk "6.7 place").
#[derive(Serialize)]
pub(crate) struct CompareRefused {
    pub(crate) code: u16,
    pub(crate) msg: String,
    pub(crate) similarity: u8,
}
