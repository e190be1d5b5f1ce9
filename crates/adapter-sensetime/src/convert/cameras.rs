//! Cameras.

use domain::geometry::Rect;
use domain::{Camera, CameraStatus, DeviceAddress, SnapMode, Source};
use serde_json::Value;

use crate::codes::{Code, Fault};
use crate::wire::cameras::{AddressFields, CameraFields, CameraRow, KindFields, RoiFields, VideoFields};
use crate::wire::{Int, Text, whole};

/// The largest area of a region of interest, pixels: 1920 by 1080.
const ROI_MAX: u32 = 2_073_600;
/// The default sizes of faces, pixels; an invalid value counts as the default.
const FACE_SIZES: (u32, u32) = (60, 1000);
/// The sizes of faces in pictures of capture cameras, pixels; those cameras select faces themselves.
const CAPTURED_FACE_SIZES: (u32, u32) = (30, 8192);

/// A kind of camera.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CameraKind {
    Rtsp,
    Onvif,
    Gb28181,
    Image,
}

impl CameraKind {
    /// The kind of a source; a video file counts as an RTSP camera.
    pub(crate) fn of(source: &Source) -> Self {
        match source {
            Source::Rtsp { .. } | Source::File { .. } => Self::Rtsp,
            Source::Onvif(_) => Self::Onvif,
            Source::Gb28181 { .. } => Self::Gb28181,
            Source::Capture { .. } | Source::Pushed { .. } => Self::Image,
        }
    }

    /// The document's name of the protocol; a capture camera has none.
    fn protocol(self) -> Option<&'static str> {
        match self {
            Self::Rtsp => Some("rtsp"),
            Self::Onvif => Some("onvif"),
            Self::Gb28181 => Some("GB28181"),
            Self::Image => None,
        }
    }

    /// Whether a region of interest can be set.
    pub(crate) fn has_region(self) -> bool {
        matches!(self, Self::Rtsp | Self::Onvif)
    }

    fn mode(self) -> &'static str {
        match self {
            Self::Image => "IMAGE",
            Self::Rtsp | Self::Onvif | Self::Gb28181 => "VIDEO",
        }
    }

    /// The kind of a new camera; without a protocol it follows from the other fields.
    pub(crate) fn wanted(fields: &CameraFields) -> Result<Self, Fault> {
        let mode = fields.camera_mode.as_ref().ok_or_else(|| missing("camera_mode"))?.0.to_ascii_uppercase();
        match mode.as_str() {
            "IMAGE" => return Ok(Self::Image),
            "VIDEO" => {}
            _ => return Err(Fault::parameter("camera_mode is not VIDEO or IMAGE")),
        }
        let protocol = fields.protocol.as_ref().map(|text| text.0.to_ascii_lowercase()).unwrap_or_default();
        match protocol.as_str() {
            "rtsp" => Ok(Self::Rtsp),
            "onvif" => Ok(Self::Onvif),
            "gb28181" => Ok(Self::Gb28181),
            "" if fields.url.is_some() => Ok(Self::Rtsp),
            "" if fields.server_sip_id.is_some() => Ok(Self::Gb28181),
            "" if fields.ip.is_some() => Ok(Self::Onvif),
            "" => Err(missing("protocol")),
            _ => Err(Fault::parameter("protocol is not rtsp, onvif or GB28181")),
        }
    }

    /// Refuses a change of protocol or mode.
    pub(crate) fn check_same(self, fields: &CameraFields) -> Result<(), Fault> {
        let same = |sent: &Option<Text>, own: Option<&str>| {
            sent.as_ref()
                .is_none_or(|text| text.0.is_empty() || own.is_some_and(|own| own.eq_ignore_ascii_case(&text.0)))
        };
        if !same(&fields.protocol, self.protocol()) || !same(&fields.camera_mode, Some(self.mode())) {
            return Err(Fault::parameter("protocol and camera_mode cannot be changed"));
        }
        if self == Self::Image && fields.snap_mode.is_some() {
            return Err(Code::ImageSnapMode.into());
        }
        Ok(())
    }
}

/// The fault of a missing field.
pub(crate) fn missing(field: &str) -> Fault {
    Fault::parameter(format!("missing field `{field}`"))
}

/// 1 accurate, 2 timed, 3 real time.
pub(crate) fn snap_mode(number: Int) -> Result<SnapMode, Fault> {
    match number.0 {
        1 => Ok(SnapMode::Best),
        2 => Ok(SnapMode::Timed),
        3 => Ok(SnapMode::First),
        _ => Err(Fault::parameter("snap_mode is not 1, 2 or 3")),
    }
}

fn snap_mode_number(mode: SnapMode) -> u8 {
    match mode {
        SnapMode::Best => 1,
        SnapMode::Timed => 2,
        SnapMode::First => 3,
    }
}

/// The smallest and the largest face: as sent, else as in force; an invalid value counts as the default.
pub(crate) fn face_sizes(sent: (Option<&Value>, Option<&Value>), now: (u32, u32)) -> (u32, u32) {
    let (least, most) = FACE_SIZES;
    let side = |sent: Option<&Value>, now: u32, default: u32| match sent {
        None | Some(Value::Null) => now,
        Some(value) => whole(value).and_then(|side| side.try_into().ok()).unwrap_or(default),
    };
    let max = Some(side(sent.1, now.1, most)).filter(|max| (least..=most).contains(max)).unwrap_or(most);
    let min = Some(side(sent.0, now.0, least)).filter(|min| (least..=max).contains(min)).unwrap_or(least);
    (min, max)
}

/// The default face sizes of a camera.
pub(crate) fn default_face_sizes(kind: CameraKind) -> (u32, u32) {
    match kind {
        CameraKind::Image => CAPTURED_FACE_SIZES,
        CameraKind::Rtsp | CameraKind::Onvif | CameraKind::Gb28181 => FACE_SIZES,
    }
}

/// `x1,y1,x2,y2`: left, top, right, bottom; empty for the whole picture.
pub(crate) fn region(text: &str) -> Result<Option<Rect>, Fault> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let edges: Vec<u16> = text.split(',').filter_map(|edge| edge.trim().parse().ok()).collect();
    let places = text.split(',').count();
    match edges[..] {
        [left, top, right, bottom] if places == 4 && left < right && top < bottom => {
            let region = Rect::new(left.into(), top.into(), right.into(), bottom.into());
            let area = u32::from(right - left) * u32::from(bottom - top);
            if area <= ROI_MAX { Ok(Some(region)) } else { Err(Fault::parameter("camera_roi is larger than roi_max")) }
        }
        _ => Err(Fault::parameter("camera_roi is not left,top,right,bottom")),
    }
}

/// The region that 515 sets. The text that 516 reports keeps the region in force, even one that another interface set
/// or that is too large.
pub(crate) fn changed_region(text: &str, now: Option<Rect>) -> Result<Option<Rect>, Fault> {
    let packed: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    if packed == region_text(now) { Ok(now) } else { region(text) }
}

/// The region rounded outwards to the whole pixels of the document; empty for the whole picture. Other interfaces set
/// fractions of a picture.
fn region_text(region: Option<Rect>) -> String {
    /// The rounding error of a fraction times a side.
    const NOISE: f32 = 1e-3;
    let Some(region) = region else { return String::new() };
    let down = |edge: f32| (edge + NOISE).floor().max(0.0) as u16;
    let up = |edge: f32, from: u16| ((edge - NOISE).ceil() as u16).max(from.saturating_add(1));
    let (left, top) = (down(region.left), down(region.top));
    format!("{left},{top},{},{}", up(region.right, left), up(region.bottom, top))
}

/// A row of 516.
pub(crate) fn row(camera: Camera, status: &CameraStatus, decoder: String) -> CameraRow {
    let (settings, watch) = (camera.settings, camera.watch.settings);
    let kind = CameraKind::of(&settings.source);
    let video = kind.protocol().map(|protocol| VideoFields {
        protocol,
        snap_mode: snap_mode_number(settings.snap_mode),
        facesize_min: settings.min_face_px,
        facesize_max: settings.max_face_px,
    });
    let roi = RoiFields { decoder, camera_roi: region_text(settings.region), roi_max: ROI_MAX };
    CameraRow {
        camera_name: settings.name,
        channel: camera.id.0,
        camera_mode: kind.mode(),
        description: settings.description,
        lib_ids: watch.libraries.iter().map(ToString::to_string).collect::<Vec<_>>().join(","),
        position: settings.position,
        status: u8::from(*status == CameraStatus::Online),
        threshold: watch.threshold.percent(),
        video,
        kind: kind_fields(settings.source, roi),
    }
}

fn kind_fields(source: Source, roi: RoiFields) -> KindFields {
    let address = |a: DeviceAddress| AddressFields { ip: a.host, port: a.port, camera_pwd: a.password };
    match source {
        Source::Rtsp { url } | Source::File { url } => KindFields::Rtsp { roi, url },
        Source::Onvif(device) => KindFields::Onvif { roi, camera_user: device.user.clone(), address: address(device) },
        Source::Gb28181 { server, server_sip_id, camera_sip_id } => {
            KindFields::Gb28181 { address: address(server), server_sip_id, camera_sip_id }
        }
        Source::Capture { device, vendor, product } => {
            KindFields::Image { camera_user: device.user.clone(), address: address(device), product, vendor }
        }
        // Added through another interface; the document has no words for it.
        Source::Pushed { host } => KindFields::Image {
            camera_user: String::new(),
            address: address(DeviceAddress { host: host.to_string(), ..DeviceAddress::default() }),
            product: String::new(),
            vendor: String::new(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::read;
    use domain::{CameraId, CameraSettings, Timestamp, Watch, WatchId, WatchSettings};
    use serde_json::json;

    fn fields(value: &Value) -> CameraFields {
        read(value.as_object().unwrap().clone()).unwrap()
    }

    #[test]
    fn the_kind_is_sent_or_follows_from_other_fields() {
        let cases = [
            (json!({"camera_mode": "video", "protocol": "RTSP"}), CameraKind::Rtsp),
            (json!({"camera_mode": "VIDEO", "protocol": "GB28181"}), CameraKind::Gb28181),
            (json!({"camera_mode": "VIDEO", "url": "rtsp://a"}), CameraKind::Rtsp),
            (json!({"camera_mode": "VIDEO", "ip": "1.1.1.1", "server_sip_id": "3"}), CameraKind::Gb28181),
            (json!({"camera_mode": "VIDEO", "ip": "1.1.1.1"}), CameraKind::Onvif),
            (json!({"camera_mode": "Image"}), CameraKind::Image),
        ];
        for (sent, kind) in cases {
            assert_eq!(CameraKind::wanted(&fields(&sent)).ok(), Some(kind), "{sent}");
        }
        for bad in [json!({}), json!({"camera_mode": "X"}), json!({"camera_mode": "VIDEO", "protocol": "sip"})] {
            assert!(CameraKind::wanted(&fields(&bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn another_protocol_is_refused_the_same_is_ignored() {
        let check = |kind: CameraKind, sent: Value| kind.check_same(&fields(&sent)).map_err(|fault| fault.code);
        assert_eq!(check(CameraKind::Gb28181, json!({"protocol": "gb28181", "camera_mode": "video"})), Ok(()));
        assert_eq!(check(CameraKind::Rtsp, json!({"protocol": "onvif"})), Err(Code::Parameter));
        assert_eq!(check(CameraKind::Rtsp, json!({"camera_mode": "IMAGE"})), Err(Code::Parameter));
        assert_eq!(check(CameraKind::Image, json!({"snap_mode": 1})), Err(Code::ImageSnapMode));
    }

    #[test]
    fn invalid_face_sizes_count_as_the_defaults() {
        let sizes = |min: Value, max: Value| face_sizes((Some(&min), Some(&max)), (100, 200));
        assert_eq!(sizes(json!(80), json!("800")), (80, 800));
        assert_eq!(sizes(json!(59), json!(1001)), (60, 1000));
        assert_eq!(sizes(json!("x"), json!({})), (60, 1000));
        assert_eq!(sizes(json!(500), json!(400)), (60, 400));
        assert_eq!(sizes(json!(-1), Value::Null), (60, 200));
        assert_eq!(face_sizes((None, None), (100, 200)), (100, 200));
    }

    #[test]
    fn a_region_has_four_edges_and_fits_full_hd() {
        assert_eq!(region("").unwrap(), None);
        assert_eq!(region("0,180, 1920,900").unwrap(), Some(Rect::new(0.0, 180.0, 1920.0, 900.0)));
        assert_eq!(region_text(region("0,180,1920,900").unwrap()), "0,180,1920,900");
        assert_eq!(region_text(None), "");
        for bad in ["1,2,3", "1,2,3,4,5", "1,2,3,x", "10,0,5,5", "0,0,1920,1081", "-1,0,5,5", "1,2,,3,4"] {
            assert!(region(bad).is_err(), "{bad}");
        }
    }

    fn camera(source: Source) -> Camera {
        let settings = CameraSettings {
            name: "test".into(),
            position: String::new(),
            description: String::new(),
            source,
            region: None,
            min_face_px: 60,
            max_face_px: 1000,
            snap_mode: SnapMode::First,
        };
        let watch = Watch { id: WatchId(1), settings: WatchSettings::default() };
        Camera {
            id: CameraId(7),
            settings,
            watch,
            own: domain::OwnValues::default(),
            permission_groups: std::collections::BTreeSet::new(),
            created_at: Timestamp::from_millis(0),
        }
    }

    #[test]
    fn fractions_of_a_picture_are_reported_in_whole_pixels_and_read_back() {
        for (edges, reported) in [
            ([0.25, 432.000_03, 1_919.999_9, 900.4], "0,432,1920,901"),
            ([-3.5, 0.9, 100.000_03, 1.1], "0,0,100,2"),
            ([0.0, 0.0, 3840.0, 2160.0], "0,0,3840,2160"),
            ([10.0, 10.0, 10.000_1, 90_000.0], "10,10,11,65535"),
        ] {
            let set = Some(Rect::new(edges[0], edges[1], edges[2], edges[3]));
            assert_eq!(region_text(set), reported);
            assert_eq!(changed_region(reported, set).unwrap(), set, "{reported} changes nothing");
            assert_eq!(changed_region(&reported.replace(',', " , "), set).unwrap(), set);
        }
        let (now, other) = (Some(Rect::new(0.0, 0.0, 99.5, 50.0)), Some(Rect::new(0.0, 0.0, 99.0, 50.0)));
        assert_eq!(changed_region("0,0,99,50", now).unwrap(), other);
        assert_eq!(changed_region("", now).unwrap(), None);
        assert!(changed_region("0,0,3840,2160", now).is_err(), "too large unless it is in force");
    }

    #[test]
    fn a_row_has_exactly_the_fields_of_its_kind() {
        let common = "camera_name channel camera_mode description lib_ids position status threshold";
        let video = "protocol snap_mode facesize_min facesize_max";
        let device = DeviceAddress::default;
        let id = String::new;
        let cases = [
            (Source::Rtsp { url: "rtsp://a".into() }, format!("{common} {video} decoder camera_roi roi_max url")),
            (
                Source::Onvif(device()),
                format!("{common} {video} decoder camera_roi roi_max ip port camera_pwd camera_user"),
            ),
            (
                Source::Gb28181 { server: device(), server_sip_id: id(), camera_sip_id: id() },
                format!("{common} {video} ip port camera_pwd server_sip_id camera_sip_id"),
            ),
            (
                Source::Capture { device: device(), vendor: "dahua".into(), product: id() },
                format!("{common} ip port camera_pwd camera_user product vendor"),
            ),
        ];
        for (source, names) in cases {
            let row = serde_json::to_value(row(camera(source), &CameraStatus::Online, String::new())).unwrap();
            let mut expected: Vec<_> = names.split(' ').collect();
            expected.sort_unstable();
            let mut found: Vec<_> = row.as_object().unwrap().keys().map(String::as_str).collect();
            found.sort_unstable();
            assert_eq!(found, expected);
            assert_eq!(row["status"], json!(1));
        }
    }
}
