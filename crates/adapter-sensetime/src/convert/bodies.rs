//! Captures of bodies.

use domain::{Attributes, Record};
use jiff::tz::TimeZone;

use super::{faces, paths, time};
use crate::wire::bodies::{BodyAttr, BodySnap};

/// Stands for what no model tells and has no value for "none".
const UNKNOWN: &str = "";

/// A row of 1046.
pub(crate) fn snap(record: &Record, zone: &TimeZone) -> BodySnap {
    let capture = &record.capture;
    BodySnap {
        body_attr: attributes(&capture.attributes),
        camera_name: capture.camera_name.clone(),
        channel: capture.camera.0,
        position: capture.camera_position.clone(),
        quality: capture.quality.overall,
        snap_id: capture.id.to_string(),
        snap_path: paths::body(capture.camera, capture.id),
        trigger: time::text(capture.at, zone),
    }
}

/// The attributes of appendix C. Clothes are told by no model yet.
pub(super) fn attributes(attributes: &Attributes) -> BodyAttr {
    let told = faces::attributes(attributes);
    BodyAttr {
        st_pedestrian_angle: UNKNOWN,
        gender_code: told.gender_code,
        st_age: told.st_age,
        hair_style: UNKNOWN,
        hair_color: UNKNOWN,
        coat_style: UNKNOWN,
        coat_color: UNKNOWN,
        coat_length: UNKNOWN,
        st_coat_pattern: UNKNOWN,
        trousers_len: UNKNOWN,
        trousers_color: UNKNOWN,
        st_trousers_pattern: UNKNOWN,
        shoes_style: UNKNOWN,
        shoes_color: UNKNOWN,
        bag_style: "bag_style_type_none",
        cap_style: "hat_style_type_none",
    }
}
