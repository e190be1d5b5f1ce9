//! Messages to platforms.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use domain::geometry::Rect;
use domain::jpeg::segments;
use domain::{Behaviour as Found, BehaviourKind, Candidate, ObjectCapture, ObjectClass, Person, PictureId, Record};

use super::algorithms::name_of;
use super::pictures::{self, FACE, LIBRARY, SCENE};
use super::{people, percent, seconds};
use crate::wire::push::{Behaviour, CompareResult, Face, Target};

/// The face of the message, in comparisons.
pub(crate) const THIS_FACE: usize = 0;
/// The far edge of a picture.
const FAR: f32 = 10_000.0;

/// A picture that a message names, and its content when it is still kept.
pub(crate) struct Shown<'a> {
    pub(crate) id: &'a PictureId,
    pub(crate) bytes: Option<Bytes>,
}

impl Shown<'_> {
    fn address(&self, kind: u8) -> String {
        pictures::address(kind, self.id, self.bytes.as_ref().map(|bytes| bytes.len() as u64))
    }

    /// The content, for a platform that wants pictures.
    fn base64(&self, wanted: bool) -> Option<String> {
        self.bytes.as_ref().filter(|_| wanted).map(|bytes| STANDARD.encode(bytes))
    }
}

/// The captured face. Its place is only known while the scene is kept.
pub(crate) fn face(record: &Record, scene: &Shown<'_>, crop: &Shown<'_>, with_pictures: bool) -> Face {
    let size = scene.bytes.as_deref().and_then(jpeg_size);
    let (point_x, point_y) = size.map(|size| place(&record.capture.face_box, size)).unzip();
    Face {
        capture_time: seconds(record.capture.at),
        point_x,
        point_y,
        orig_image_path: scene.address(SCENE),
        crop_image_path: crop.address(FACE),
        orig_image_base64: scene.base64(with_pictures),
        crop_image_base64: crop.base64(with_pictures),
    }
}

/// What a rule has found. Targets are only placed while the scene is kept.
pub(crate) fn behaviour(found: &ObjectCapture, scene: &Shown<'_>, with_pictures: bool) -> Behaviour {
    let Found { kind, object, targets, inwards, outwards, count, .. } = &found.behaviour;
    let size = scene.bytes.as_deref().and_then(jpeg_size);
    let target = |(number, rect): (usize, &Rect)| {
        let (point_x, point_y) = size.map(|size| place(rect, size)).unzip();
        let object_type = (*kind == BehaviourKind::Area).then(|| object_type(*object)).flatten();
        Target { target_id: target_id(number), point_x, point_y, object_type, plate_no: "" }
    };
    let counts_line = *kind == BehaviourKind::LineCount;
    let video_url = pictures::video_address(&found.behaviour, None);
    Behaviour {
        algo_model: name_of(*kind, *object),
        image_base64: scene.base64(with_pictures),
        image_path: scene.address(SCENE),
        capture_time: seconds(found.at),
        in_num: counts_line.then_some(*inwards),
        out_num: counts_line.then_some(*outwards),
        area_num: (*kind == BehaviourKind::AreaCount).then_some(*count),
        video_uuid: video_url.is_some().then(|| found.behaviour.id.to_string()),
        video_url,
        capture_info: targets.iter().enumerate().map(target).collect(),
    }
}

/// How a message numbers a target, from 1; `place` is that among the targets.
pub(crate) fn target_id(place: usize) -> usize {
    place + 1
}

/// 1 pedestrian, 2 motor vehicle, 3 non-motor vehicle: tasks have the last two the other way round.
pub(crate) fn object_type(object: ObjectClass) -> Option<u8> {
    match object {
        ObjectClass::Person => Some(1),
        ObjectClass::Vehicle => Some(2),
        ObjectClass::Cycle => Some(3),
        ObjectClass::Dog => None,
    }
}

/// Width and height of a JPEG, pixels: its first frame says so.
fn jpeg_size(file: &[u8]) -> Option<(u32, u32)> {
    let is_frame = |marker: u8| matches!(marker, 0xc0..=0xcf) && !matches!(marker, 0xc4 | 0xc8 | 0xcc);
    let frame = segments(file)?.find(|segment| is_frame(segment.marker))?;
    let [_precision, high, low, wide, narrow, ..] = frame.content else { return None };
    let number = |high: &u8, low: &u8| u32::from(u16::from_be_bytes([*high, *low]));
    Some((number(wide, narrow), number(high, low)))
}

/// Left and right, upper and lower edge, in ten thousandths of the picture.
fn place(rect: &Rect, (width, height): (u32, u32)) -> (String, String) {
    let scaled = |value: f32, size: u32| (value / size.max(1) as f32 * FAR).round().clamp(0.0, FAR) as u32;
    let x = format!("{},{}", scaled(rect.left, width), scaled(rect.right, width));
    let y = format!("{},{}", scaled(rect.top, height), scaled(rect.bottom, height));
    (x, y)
}

/// The person recognised in a face; `now` is the person as enrolled now, when there still is one.
pub(crate) fn compare_result(
    target_id: usize,
    found: &Candidate,
    now: Option<Person>,
    photo: &Shown<'_>,
    with_pictures: bool,
) -> CompareResult {
    let profile = now.map(|person| person.profile).unwrap_or_default();
    CompareResult {
        target_id,
        lib_id: found.library.0,
        lib_name: found.library_name.clone(),
        person_id: found.person.0,
        person_name: found.name.clone(),
        sex: people::sex(found.gender),
        email: profile.email,
        tel: profile.phone,
        certificate_type: people::certificate_number(&profile.document_kind),
        certificate_no: found.document_number.clone(),
        image_path: photo.address(LIBRARY),
        image_base64: photo.base64(with_pictures),
        similarity: percent(found.similarity),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_ten_thousandths_of_the_picture_and_inside_it() {
        let rect = Rect::new(192.0, -5.0, 960.0, 1200.0);
        assert_eq!(place(&rect, (1920, 1080)), ("1000,5000".to_owned(), "0,10000".to_owned()));
    }

    #[test]
    fn the_size_of_a_picture_is_that_of_its_frame() {
        let tables = [0xff, 0xdb, 0, 4, 0, 0];
        let frame = [0xff, 0xc2, 0, 11, 8, 4, 56, 7, 128, 1, 1, 0x11, 0];
        let file = [&[0xff, 0xd8][..], &tables, &frame].concat();
        assert_eq!(jpeg_size(&file), Some((1920, 1080)));
        assert_eq!((jpeg_size(&file[..8]), jpeg_size(b"PNG")), (None, None));
    }
}
