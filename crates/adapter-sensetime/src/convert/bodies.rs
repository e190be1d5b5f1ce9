//! Captures of bodies: people detected by a rule for moving objects.

use domain::{Behaviour, CameraId, CaptureId, ObjectCapture, ObjectClass, PictureId};
use jiff::tz::TimeZone;

use super::records::{NOBODY, library};
use super::{faces, paths, time};
use crate::wire::bodies::{BodyAttr, BodySnap};
use crate::wire::people::PersonTexts;
use crate::wire::push::{CaptureData, ObjectAttr};

/// An attribute that no model detects and that has no value for "none".
const UNKNOWN: &str = "";
/// `obj_label` of a body.
const BODY: u8 = 2;

/// Whether a behaviour is the capture of a body. What recovers shows none, and a rule about the number of people may
/// fire without any.
pub(crate) fn is_capture(seen: &Behaviour) -> bool {
    seen.fired && seen.object == ObjectClass::Person && !seen.targets.is_empty()
}

/// A row of 1046.
pub(crate) fn snap(body: &ObjectCapture, zone: &TimeZone) -> BodySnap {
    let seen = &body.behaviour;
    BodySnap {
        body_attr: attributes(),
        camera_name: seen.camera_name.clone(),
        channel: body.camera.0,
        position: seen.camera_position.clone(),
        quality: seen.quality,
        snap_id: seen.id.to_string(),
        snap_path: snap_path(body.camera, seen.id, &seen.crop),
        trigger: time::text(body.at, zone),
    }
}

/// The data of 774 and 777.
pub(crate) fn capture_data(body: &ObjectCapture, device_id: String, zone: &TimeZone) -> CaptureData {
    let seen = &body.behaviour;
    CaptureData {
        camera_name: seen.camera_name.clone(),
        device_id,
        channel: body.camera.0,
        position: seen.camera_position.clone(),
        threshold: 0,
        img_id: String::new(),
        img_path: String::new(),
        library: library(None),
        person: PersonTexts::default(),
        snap_id: seen.id.to_string(),
        similarity: NOBODY,
        quality: seen.quality,
        face: faces::position(&seen.targets.first().copied().unwrap_or_default()),
        snap_feat: String::new(),
        snap_path: snap_path(body.camera, seen.id, &seen.crop),
        trigger: time::text(body.at, zone),
        obj_label: BODY,
        attributes: ObjectAttr::Body { body_attr: attributes() },
    }
}

/// The path of the picture; empty when none was kept.
fn snap_path(camera: CameraId, id: CaptureId, crop: &PictureId) -> String {
    if crop.is_kept() { paths::body(camera, id) } else { String::new() }
}

/// The attributes of appendix C; no model detects them yet.
fn attributes() -> BodyAttr {
    let unknown = faces::attributes(&domain::Attributes::default());
    BodyAttr {
        st_pedestrian_angle: UNKNOWN,
        gender_code: unknown.gender_code,
        st_age: unknown.st_age,
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

#[cfg(test)]
mod tests {
    use domain::geometry::Rect;
    use domain::{BehaviourKind, ClipState, Seq, Timestamp};
    use serde_json::json;

    use super::*;

    #[test]
    fn a_body_has_attributes_of_a_body_only() {
        let behaviour = Behaviour {
            id: CaptureId::random(),
            camera_name: "no2".into(),
            camera_position: "gate".into(),
            kind: BehaviourKind::Line,
            rule: "threshold".into(),
            fired: true,
            object: ObjectClass::Person,
            targets: vec![Rect::new(100.0, 10.0, 150.0, 70.0)],
            quality: 67,
            count: 1,
            inwards: 0,
            outwards: 0,
            ends: None,
            comparisons: Vec::new(),
            clip: ClipState::None,
            crop: "1".repeat(64).parse().unwrap(),
            scene: "2".repeat(64).parse().unwrap(),
        };
        let body = ObjectCapture { seq: Seq(1), at: Timestamp::from_millis(0), camera: CameraId(2), behaviour };
        let data = serde_json::to_value(capture_data(&body, "13".into(), &TimeZone::UTC)).unwrap();
        assert_eq!((&data["obj_label"], &data["similarity"], &data["img_id"]), (&json!(2), &json!(-1), &json!("")));
        assert!(data["body_attr"].is_object() && data.get("face_attr").is_none());
        assert!(data["snap_path"].as_str().unwrap().starts_with("record/2/body/"));
        assert_eq!((&data["pos_top"], &data["pos_right"], &data["quality"]), (&json!(10), &json!(150), &json!(67)));
    }
}
