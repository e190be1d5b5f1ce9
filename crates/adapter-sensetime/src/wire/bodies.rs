//! 1046, and the attributes of a body (appendix C).

use serde::Serialize;

/// A row of 1046.
#[derive(Serialize)]
pub(crate) struct BodySnap {
    pub(crate) body_attr: BodyAttr,
    pub(crate) camera_name: String,
    pub(crate) channel: u32,
    pub(crate) position: String,
    pub(crate) quality: u8,
    pub(crate) snap_id: String,
    pub(crate) snap_path: String,
    pub(crate) trigger: String,
}

/// The sixteen attributes of appendix C that are always present. The others are flags, present when they are detected.
#[derive(Serialize)]
pub(crate) struct BodyAttr {
    pub(crate) st_pedestrian_angle: &'static str,
    pub(crate) gender_code: &'static str,
    pub(crate) st_age: &'static str,
    pub(crate) hair_style: &'static str,
    pub(crate) hair_color: &'static str,
    pub(crate) coat_style: &'static str,
    pub(crate) coat_color: &'static str,
    pub(crate) coat_length: &'static str,
    pub(crate) st_coat_pattern: &'static str,
    pub(crate) trousers_len: &'static str,
    pub(crate) trousers_color: &'static str,
    pub(crate) st_trousers_pattern: &'static str,
    pub(crate) shoes_style: &'static str,
    pub(crate) shoes_color: &'static str,
    pub(crate) bag_style: &'static str,
    pub(crate) cap_style: &'static str,
}
