//! Cameras.

use domain::{
    Camera, CameraId, CameraSettings, CameraStatus, DeviceAddress, NewCamera, OwnValues, SnapMode, Source,
    WatchSettings,
};
use jiff::tz::TimeZone;
use url::Url;

use super::{name, remark, time_text};
use crate::codes::Fault;
use crate::wire::cameras::{AddCamera, CameraRow};

/// Sides of the smallest and largest face taken, pixels; the document knows no such setting.
const FACE_SIZES: (u32, u32) = (60, 10_000);

/// The camera of a number; one that no camera can have is an unknown camera.
pub(crate) fn camera_id(number: i64) -> CameraId {
    CameraId(u32::try_from(number).unwrap_or(0))
}

/// A stream, or a video file that plays one (quirk "5.1, 5.3 rtsp").
pub(crate) fn source(address: &str) -> Result<Source, Fault> {
    Source::of_url(address).map_err(|why| Fault::address(&why))
}

/// A camera that records for tasks only: its own watch is off.
pub(crate) fn new_camera(camera: AddCamera) -> Result<NewCamera, Fault> {
    let settings = CameraSettings {
        name: name("name", camera.name)?,
        position: String::new(),
        description: remark(camera.remark)?,
        source: source(&camera.rtsp)?,
        region: None,
        min_face_px: FACE_SIZES.0,
        max_face_px: FACE_SIZES.1,
        snap_mode: SnapMode::Best,
    };
    Ok(NewCamera {
        id: None,
        settings,
        watch: WatchSettings { enabled: false, ..WatchSettings::default() },
        own: OwnValues::default(),
        permission_groups: [].into(),
        note: None,
    })
}

/// 1 while pictures arrive.
pub(crate) fn online(status: &CameraStatus) -> u8 {
    u8::from(*status == CameraStatus::Online)
}

/// The entry of a camera; `kind` is the number that the document gives no meaning.
pub(crate) fn row(camera: Camera, kind: i64, status: &CameraStatus, zone: &TimeZone) -> CameraRow {
    let rtsp = match camera.settings.source {
        Source::Rtsp { url } | Source::File { url } => url,
        // Added through another interface; the document has no words for them.
        Source::Onvif(_) | Source::Gb28181 { .. } | Source::Capture { .. } | Source::Pushed { .. } => String::new(),
    };
    CameraRow {
        camera_id: camera.id.0,
        name: camera.settings.name,
        rtsp,
        kind,
        online: online(status),
        state: online(status),
        remark: camera.settings.description,
        create_time: time_text(camera.created_at, zone),
    }
}

/// The URL of a stream with this login in it; `None` for what is no URL.
pub(crate) fn with_login(url: &str, device: &DeviceAddress) -> Option<String> {
    let mut url = Url::parse(url).ok()?;
    if !device.user.is_empty() {
        url.set_username(&device.user).ok()?;
        url.set_password(Some(&device.password)).ok()?;
    }
    Some(url.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codes::Code;

    #[test]
    fn streams_and_files_are_cameras() {
        assert!(matches!(source("rtsp://192.0.2.1/a"), Ok(Source::Rtsp { .. })));
        assert!(matches!(source(" RTSPS://192.0.2.1/a"), Ok(Source::Rtsp { .. })));
        assert!(matches!(source("file:///clip.mp4?loop=1"), Ok(Source::File { .. })));
        for bad in
            ["", "http://192.0.2.1", "192.0.2.1", "rtsp://", "rtsp:///a", &format!("rtsp://{}", "a".repeat(2048))]
        {
            assert_eq!(source(bad).unwrap_err().code, Code::BadRtsp);
        }
    }
}
