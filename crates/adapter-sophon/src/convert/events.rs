//! What the device tells of its own accord.

use adapter::OutboundPart;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use domain::{Camera, CameraStatus, Library, NetworkPort, Record, Similarity, Source};
use serde_json::Value;
use url::Url;

use super::people::{STRANGER, person_type};
use crate::wire::events::{Empty, Event, ExtData, ListEntry, Operation, Origin, SubDevice};

/// The precision of scores: millionths.
const MILLION: f64 = 1e6;
/// The statuses of cameras.
const ONLINE: &str = "online";
const OFFLINE: &str = "offline";
const UNKNOWN: &str = "unknown";
/// A camera that finds faces itself.
const CAPTURE_CAMERA: &str = "1";
/// A camera whose video is searched.
const VIDEO: &str = "3";

/// The pictures of an event; `None` where one is not wanted or no longer kept.
#[derive(Default)]
pub(crate) struct Pictures {
    pub(crate) enrolment: Option<Bytes>,
    pub(crate) scene: Option<Bytes>,
    pub(crate) face: Option<Bytes>,
}

/// The event of a record. `camera`: as it is now, when it is still there; `dev_sno`: for the history.
pub(crate) fn event(record: &Record, camera: Option<&Camera>, pictures: Pictures, dev_sno: Option<String>) -> Event {
    let (known, best) = (record.accepted(), record.best());
    let device_ip = camera.map(|camera| address(&camera.settings.source)).unwrap_or_default();
    let text = |picture: Option<Bytes>| picture.map(|bytes| STANDARD.encode(bytes));
    Event {
        identity_id: known.map(|person| person.code.to_string()).unwrap_or_default(),
        identity_name: known.map_or_else(|| "stranger".to_owned(), |person| person.name.clone()),
        group_name: best.map(|person| person.library_name.clone()).unwrap_or_default(),
        reg_pic: text(pictures.enrolment),
        timestamp: record.capture.at.as_millis(),
        score: best.map_or(0.0, |person| score(person.similarity)),
        ext_data: ExtData {
            origin: dev_sno.map(|dev_sno| Origin { ep_id: ep_id(&dev_sno, &device_ip), dev_sno }),
            device_ip,
            spot_pic: text(pictures.scene),
            recognize_face: text(pictures.face),
            person_type: known.map_or(STRANGER, |person| person_type(person.category)),
            device_type: camera.map_or(VIDEO, |camera| device_type(&camera.settings.source)),
            grab_fiqa_info: Empty {},
            box_fiqa_info: Empty {},
        },
    }
}

/// An event as a form: each key a text part, `ext_data` as JSON text (quirk S-FORM).
pub(crate) fn form(event: &Event) -> serde_json::Result<Vec<OutboundPart>> {
    const NAMES: [&str; 7] =
        ["identity_id", "identity_name", "group_name", "reg_pic", "timestamp", "score", "ext_data"];
    let fields = serde_json::to_value(event)?;
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let part = |name| fields.get(name).map(|value| OutboundPart::Text { name, text: text(value) });
    Ok(NAMES.into_iter().filter_map(part).collect())
}

fn score(similarity: Similarity) -> f64 {
    (f64::from(similarity.value()) * MILLION).round() / MILLION
}

/// A camera in the status.
pub(crate) fn sub_device(camera: &Camera, status: &CameraStatus, dev_sno: &str) -> SubDevice {
    let ep_ip = address(&camera.settings.source);
    let online = matches!(status, CameraStatus::Online);
    SubDevice {
        ep_id: ep_id(dev_sno, &ep_ip),
        ep_name: camera.settings.name.clone(),
        ep_ip,
        ep_status: if online { ONLINE } else { OFFLINE },
        ep_location: camera.settings.position.clone(),
        ep_type: device_type(&camera.settings.source),
    }
}

/// A camera in the list. Its stream has a login in it, and is not told.
pub(crate) fn list_entry(
    camera: &Camera,
    status: &CameraStatus,
    libraries: &[Library],
    dev_sno: &str,
    now: i64,
) -> ListEntry {
    let watched = |library: &&Library| camera.watch.settings.libraries.contains(&library.id);
    let group = libraries.iter().find(watched).map(|library| library.name.as_str().to_owned());
    let SubDevice { ep_id, ep_name, ep_ip, ep_status, ep_type, .. } = sub_device(camera, status, dev_sno);
    ListEntry {
        ep_id,
        dev_sno: dev_sno.to_owned(),
        direction: 0,
        ep_type: ep_type.to_owned(),
        memo: camera.settings.description.clone(),
        ep_name,
        ep_ip,
        ep_status: ep_status.to_owned(),
        ep_version: String::new(),
        ep_group_name: group.unwrap_or_default(),
        ep_stream_url: String::new(),
        last_monitor_time: now,
        is_monitor: camera.watch.settings.enabled,
        privilege_group_key: camera.permission_groups.first().cloned().unwrap_or_default(),
    }
}

/// The message that a camera was added.
pub(crate) fn added(entry: ListEntry) -> Operation {
    Operation { action_type: 1, device_info: in_numbers(entry) }
}

/// The message that a camera was removed, as it was added.
pub(crate) fn removed(entry: ListEntry, now: i64) -> Operation {
    let entry = ListEntry { ep_status: UNKNOWN.to_owned(), last_monitor_time: now, ..entry };
    Operation { action_type: 2, device_info: in_numbers(entry) }
}

/// The statuses of V2R1C01 are numbers (quirk S-EPSTATUS).
fn in_numbers(entry: ListEntry) -> ListEntry {
    let number = match entry.ep_status.as_str() {
        ONLINE => "1",
        OFFLINE => "2",
        _ => "3",
    };
    ListEntry { ep_status: number.to_owned(), ..entry }
}

/// The port that the device is reached at: the first with an address.
pub(crate) fn main_port(ports: &[NetworkPort]) -> Option<&NetworkPort> {
    ports.iter().find(|port| port.subnet.is_some()).or_else(|| ports.first())
}

fn ep_id(dev_sno: &str, ip: &str) -> String {
    format!("{dev_sno}__{ip}")
}

fn device_type(source: &Source) -> &'static str {
    match source {
        Source::Capture { .. } | Source::Pushed { .. } => CAPTURE_CAMERA,
        Source::Rtsp { .. } | Source::File { .. } | Source::Onvif(_) | Source::Gb28181 { .. } => VIDEO,
    }
}

/// The host of a camera; empty for a film.
fn address(source: &Source) -> String {
    match source {
        Source::Rtsp { url } => {
            Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default()
        }
        Source::File { .. } => String::new(),
        Source::Onvif(device) | Source::Gb28181 { server: device, .. } | Source::Capture { device, .. } => {
            device.host.clone()
        }
        Source::Pushed { host } => host.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_a_camera_holds_no_login() {
        let source = |url: &str| Source::Rtsp { url: url.into() };
        assert_eq!(address(&source("rtsp://user:secret@192.0.2.7:554/ch2")), "192.0.2.7");
        assert_eq!(address(&Source::File { url: "file:///a.mp4".into() }), "");
    }
}
