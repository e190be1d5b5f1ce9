//! Captures and their matches.

use domain::{BehaviourFilter, CameraId, Candidate, Capture, ObjectClass, Record, RecordFilter, Similarity};
use jiff::tz::TimeZone;

use super::people::{age_text, gender_text};
use super::{faces, libraries, library_ids, paths, time, within};
use crate::codes::Fault;
use crate::wire::Text;
use crate::wire::people::PersonTexts;
use crate::wire::push::{CaptureData, ObjectAttr};
use crate::wire::records::{Alarm, MatchedLib, QueryRecords, Snap};

/// The best rank; the only one that is reported.
const BEST: i64 = 1;
/// A number of a capture without a match.
pub(super) const NOBODY: i64 = -1;
/// `obj_label` of a face.
const FACE: u8 = 1;
/// Maximum number of libraries named by a query.
pub(crate) const MAX_LIBRARIES: usize = 1000;

/// The captures that a query is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// All captures of faces (1037).
    Snaps,
    /// Those that reached the threshold (1036).
    Alarms,
}

/// The conditions of a query. Conditions that the query does not have are ignored.
pub(crate) fn filter(
    query: QueryRecords,
    wanted: Wanted,
    channels: u32,
    zone: &TimeZone,
) -> Result<RecordFilter, Fault> {
    let lib_ids = query.lib_ids.and_then(Text::filled).filter(|_| wanted == Wanted::Alarms);
    Ok(RecordFilter {
        camera: query.channel.map(|number| channel(number.0, channels)).transpose()?,
        captured: time::range(query.start_time, query.stop_time, zone)?,
        accepted_only: wanted == Wanted::Alarms,
        libraries: lib_ids.map(|text| library_ids(&text, MAX_LIBRARIES)).transpose()?,
        library_name: query.lib_name.and_then(Text::filled),
        library_kind: query.lib_type.map(libraries::kind).transpose()?,
        ..Default::default()
    })
}

/// The conditions of a query for bodies, which belong to no library.
pub(crate) fn bodies_filter(query: QueryRecords, channels: u32, zone: &TimeZone) -> Result<BehaviourFilter, Fault> {
    Ok(BehaviourFilter {
        object: Some(ObjectClass::Person),
        camera: query.channel.map(|number| channel(number.0, channels)).transpose()?,
        captured: time::range(query.start_time, query.stop_time, zone)?,
        fired_only: true,
        ..BehaviourFilter::default()
    })
}

/// A channel of the device.
pub(crate) fn channel(number: i64, channels: u32) -> Result<CameraId, Fault> {
    within("channel", number, 1, channels.into()).map(|number| CameraId(number as u32))
}

/// A row of 1037.
pub(crate) fn snap(record: &Record, zone: &TimeZone) -> Snap {
    let (capture, best) = (&record.capture, record.best());
    Snap {
        camera_name: capture.camera_name.clone(),
        channel: capture.camera.0,
        face_attr: faces::attributes(&capture.attributes),
        library: library(best),
        position: capture.camera_position.clone(),
        ranking: ranking(best),
        similarity: similarity(best),
        snap_id: capture.id.to_string(),
        snap_path: snap_path(capture, paths::capture(capture.id)),
        threshold: threshold(record),
        trigger: time::text(capture.at, zone),
    }
}

/// The path of a capture's picture; empty when none was kept.
fn snap_path(capture: &Capture, path: String) -> String {
    if capture.crop.is_kept() { path } else { String::new() }
}

/// A row of 1036. `extension` is that of the matched picture.
pub(crate) fn alarm(record: &Record, extension: &str, zone: &TimeZone) -> Alarm {
    let best = record.best();
    Alarm {
        snap: snap(record, zone),
        create_time: best.map_or_else(String::new, |best| time::text(best.enrolled_at, zone)),
        img_id: img_id(best),
        img_path: img_path(best, extension),
        person: person(best),
    }
}

/// The data of 774 and 777. `extension` is that of the matched picture.
pub(crate) fn capture_data(record: &Record, device_id: String, extension: &str, zone: &TimeZone) -> CaptureData {
    let (capture, best) = (&record.capture, record.best());
    CaptureData {
        camera_name: capture.camera_name.clone(),
        device_id,
        channel: capture.camera.0,
        position: capture.camera_position.clone(),
        threshold: threshold(record),
        img_id: img_id(best),
        img_path: img_path(best, extension),
        library: library(best),
        person: person(best),
        snap_id: capture.id.to_string(),
        similarity: similarity(best),
        quality: capture.quality.overall,
        face: faces::position(&capture.face_box),
        snap_feat: faces::capture_feature(&capture.embedding),
        snap_path: snap_path(capture, paths::capture(capture.id)),
        trigger: time::text(capture.at, zone),
        obj_label: FACE,
        attributes: ObjectAttr::Face { face_attr: faces::attributes(&capture.attributes) },
    }
}

/// 1 with a match, -1 without.
pub(crate) fn ranking(best: Option<&Candidate>) -> i64 {
    best.map_or(NOBODY, |_| BEST)
}

fn similarity(best: Option<&Candidate>) -> i64 {
    best.map_or(NOBODY, |best| best.similarity.percent().into())
}

fn threshold(record: &Record) -> u8 {
    record.own_match().map_or(Similarity::ZERO, |own| own.threshold).percent()
}

fn img_id(best: Option<&Candidate>) -> String {
    best.map_or_else(String::new, |best| best.code.as_str().to_owned())
}

fn img_path(best: Option<&Candidate>, extension: &str) -> String {
    best.map_or_else(String::new, |best| paths::face(best.library, &best.code, extension))
}

pub(super) fn library(best: Option<&Candidate>) -> MatchedLib {
    match best {
        Some(best) => MatchedLib {
            lib_id: best.library.0,
            lib_name: best.library_name.clone(),
            lib_type: libraries::lib_type(best.library_kind),
        },
        None => MatchedLib { lib_id: NOBODY, lib_name: String::new(), lib_type: NOBODY },
    }
}

fn person(best: Option<&Candidate>) -> PersonTexts {
    best.map_or_else(PersonTexts::default, |best| PersonTexts {
        person_addr: best.address.clone(),
        person_age: age_text(best.age),
        person_gender: gender_text(best.gender).to_owned(),
        person_idcard: best.document_number.clone(),
        person_name: best.name.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::read;
    use domain::geometry::{Point, Rect};
    use domain::{
        Attributes, Capture, CaptureId, Embedding, LibraryId, LibraryKind, Match, ModelId, PersonId, Quality, Seq,
        Timestamp, Verdict, WatchId,
    };
    use serde_json::{Value, json};

    fn query(value: &Value) -> QueryRecords {
        read(value.as_object().unwrap().clone()).unwrap()
    }

    fn candidate() -> Candidate {
        Candidate {
            person: PersonId(7),
            code: "71f11a77".parse().unwrap(),
            library: LibraryId(3),
            library_name: "test".into(),
            library_kind: LibraryKind::Block,
            similarity: Similarity::from_percent(35.0),
            name: "wang".into(),
            gender: None,
            age: Some(14),
            category: domain::Category::Staff,
            document_number: "42".into(),
            address: "wuhan".into(),
            photo: "0".repeat(64).parse().unwrap(),
            enrolled_at: Timestamp::from_millis(1_000),
        }
    }

    fn record(best: Option<Candidate>) -> Record {
        let capture = Capture {
            id: CaptureId::random(),
            camera: CameraId(2),
            camera_name: "no2".into(),
            camera_position: "gate".into(),
            at: Timestamp::from_millis(0),
            first_seen: Timestamp::from_millis(0),
            face_box: Rect::new(100.0, 10.0, 150.0, 70.0),
            landmarks: [Point::default(); 5],
            quality: Quality { overall: 67, ..Default::default() },
            attributes: Attributes::default(),
            liveness: None,
            embedding: Embedding::normalised(ModelId("m".into()), vec![1.0, 0.0]).unwrap(),
            crop: "1".repeat(64).parse().unwrap(),
            scene: "2".repeat(64).parse().unwrap(),
        };
        let own = Match { watch: WatchId(1), threshold: Similarity::from_percent(80.0), best, task: None };
        Record { seq: Seq(1), capture, matches: vec![own], verdict: Verdict::Stranger }
    }

    #[test]
    fn the_best_match_is_reported_even_below_the_threshold() {
        let row = serde_json::to_value(alarm(&record(Some(candidate())), "png", &TimeZone::UTC)).unwrap();
        for (field, value) in [
            ("similarity", json!(35)),
            ("threshold", json!(80)),
            ("ranking", json!(1)),
            ("lib_type", json!(1)),
            ("img_path", json!("img/3_71f11a77.png")),
            ("person_age", json!("14")),
            ("person_gender", json!("")),
            ("create_time", json!("1970-01-01 00:00:01")),
            ("trigger", json!("1970-01-01 00:00:00")),
        ] {
            assert_eq!(row[field], value, "{field}");
        }
    }

    #[test]
    fn without_a_match_numbers_are_minus_one_and_texts_empty() {
        let data = capture_data(&record(None), "13".into(), "jpg", &TimeZone::UTC);
        let data = serde_json::to_value(data).unwrap();
        for field in ["similarity", "lib_id", "lib_type"] {
            assert_eq!(data[field], json!(-1), "{field}");
        }
        for field in ["img_id", "img_path", "lib_name", "person_name", "person_age", "person_gender"] {
            assert_eq!(data[field], json!(""), "{field}");
        }
        assert_eq!((&data["pos_top"], &data["pos_right"], &data["quality"]), (&json!(10), &json!(150), &json!(67)));
        assert_eq!(data["snap_feat"], json!("1.000000,0.000000,"));
    }

    #[test]
    fn a_spoof_is_reported_without_a_match() {
        let spoof = Record { verdict: Verdict::Spoof, ..record(Some(candidate())) };
        let data = serde_json::to_value(capture_data(&spoof, "13".into(), "jpg", &TimeZone::UTC)).unwrap();
        assert_eq!((&data["similarity"], &data["person_name"], &data["img_id"]), (&json!(-1), &json!(""), &json!("")));
        let row = serde_json::to_value(snap(&spoof, &TimeZone::UTC)).unwrap();
        assert_eq!((&row["similarity"], &row["ranking"], &row["lib_id"]), (&json!(-1), &json!(-1), &json!(-1)));
    }

    #[test]
    fn conditions_are_read_and_a_channel_out_of_range_is_refused() {
        let sent = || query(&json!({"channel": "16", "lib_name": "test", "lib_type": 2, "lib_ids": "1, 2"}));
        let alarms = filter(sent(), Wanted::Alarms, 16, &TimeZone::UTC).unwrap();
        assert_eq!(alarms.camera, Some(CameraId(16)));
        assert_eq!(alarms.libraries, Some(vec![LibraryId(1), LibraryId(2)]));
        assert_eq!(alarms.library_kind, Some(LibraryKind::Allow));
        assert_eq!(filter(sent(), Wanted::Snaps, 16, &TimeZone::UTC).unwrap().libraries, None);
        let bodies = bodies_filter(sent(), 16, &TimeZone::UTC).unwrap();
        assert_eq!((bodies.object, bodies.camera), (Some(ObjectClass::Person), Some(CameraId(16))));
        assert!(filter(sent(), Wanted::Alarms, 8, &TimeZone::UTC).is_err());
    }
}
