//! Cameras.

mod defaults;

use std::collections::BTreeSet;
use std::net::IpAddr;

use jiff::civil::{DateTime, Time, Weekday};

use crate::geometry::Rect;
use crate::time::begun_on;
use crate::{CameraId, Decoding, Note, Timestamp, Watch, WatchSettings};

pub use defaults::{Area, CameraDefaults, OwnValues};

/// A camera: a channel of the device.
#[derive(Debug, Clone, PartialEq)]
pub struct Camera {
    /// The lowest number that was free, from 1.
    pub id: CameraId,
    /// Settings of the operator.
    pub settings: CameraSettings,
    /// The camera's own watch.
    pub watch: Watch,
    /// Which of its values are its own; the others follow the device's [`CameraDefaults`].
    pub own: OwnValues,
    /// Ids of the permission groups whose people may pass; empty: everyone who is known may. A group that does not exist
    /// has no people.
    pub permission_groups: BTreeSet<String>,
    /// When it was added.
    pub created_at: Timestamp,
}

/// The settings of a camera.
#[derive(Debug, Clone, PartialEq)]
pub struct CameraSettings {
    /// Display name.
    pub name: String,
    /// Free text: where it is mounted.
    pub position: String,
    /// Free text.
    pub description: String,
    /// Source of the pictures.
    pub source: Source,
    /// Faces whose centre lies outside are ignored; pixels of the camera's picture; `None`: everywhere.
    pub region: Option<Rect>,
    /// Minimum shorter side of a face, pixels.
    pub min_face_px: u32,
    /// Maximum longer side of a face, pixels.
    pub max_face_px: u32,
    /// When a capture is taken.
    pub snap_mode: SnapMode,
}

/// Source of pictures.
#[derive(Clone, PartialEq)]
pub enum Source {
    /// An RTSP stream: `rtsp://` or `rtsps://`, credentials in the URL, as parsed by
    /// [`StreamAddress`](crate::StreamAddress).
    Rtsp {
        /// URL of the stream.
        url: String,
    },
    /// A video file: `file:///path.mp4?loop=1`.
    File {
        /// URL of the file.
        url: String,
    },
    /// A camera found by ONVIF.
    Onvif(DeviceAddress),
    /// A camera behind a GB/T 28181 server.
    Gb28181 {
        /// Address and password of the SIP server.
        server: DeviceAddress,
        /// SIP id of the server.
        server_sip_id: String,
        /// SIP id of the camera.
        camera_sip_id: String,
    },
    /// A camera that detects faces itself and delivers pictures.
    Capture {
        /// Address and login of the camera.
        device: DeviceAddress,
        /// Maker, in lower case.
        vendor: String,
        /// Model text.
        product: String,
    },
    /// A camera that detects faces itself and sends pictures to the device, which never connects to it.
    Pushed {
        /// The address that it sends from.
        host: IpAddr,
    },
}

impl Source {
    /// Computing power that a camera of this source needs, in the unit of
    /// [`Limits::computing_power`](crate::Limits::computing_power): 2 when its video is decoded and searched, 1 when it
    /// delivers pictures of faces.
    pub fn computing_power(&self) -> u32 {
        match self {
            Self::Capture { .. } | Self::Pushed { .. } => 1,
            Self::Rtsp { .. } | Self::File { .. } | Self::Onvif(_) | Self::Gb28181 { .. } => 2,
        }
    }

    /// Whether it delivers single pictures in place of video.
    pub fn delivers_pictures(&self) -> bool {
        matches!(self, Self::Capture { .. } | Self::Pushed { .. })
    }

    /// Whether the source of a camera may change from this to `other`: to another address, but not to another kind. An
    /// RTSP stream and a file are the same kind.
    pub fn may_become(&self, other: &Self) -> bool {
        let by_url = |source: &Self| matches!(source, Self::Rtsp { .. } | Self::File { .. });
        by_url(self) && by_url(other) || std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

/// Shows only the kind of source, since an address may contain credentials.
impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Rtsp { .. } => "Rtsp",
            Self::File { .. } => "File",
            Self::Onvif(_) => "Onvif",
            Self::Gb28181 { .. } => "Gb28181",
            Self::Capture { .. } => "Capture",
            Self::Pushed { .. } => "Pushed",
        })
    }
}

/// Address and login of a device.
#[derive(Clone, PartialEq, Default)]
pub struct DeviceAddress {
    /// Host name or IP address.
    pub host: String,
    /// TCP or UDP port.
    pub port: u16,
    /// Login name; may be empty.
    pub user: String,
    /// Password; may be empty.
    pub password: String,
}

impl DeviceAddress {
    /// The same device at another host. A password is for the host that it was given for: there is none for another.
    pub fn moved_to(self, host: String) -> Self {
        let password = if same_host(&self.host, &host) { self.password } else { String::new() };
        Self { host, password, ..self }
    }
}

/// Whether two texts name the same host; names are not resolved.
pub fn same_host(one: &str, other: &str) -> bool {
    let bare = |host: &str| host.trim().trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
    let address = |host: &str| bare(host).parse::<IpAddr>().ok();
    bare(one) == bare(other) || address(one).is_some() && address(one) == address(other)
}

/// When a capture of a visit is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SnapMode {
    /// The best shot, at the end of the visit or at the decision deadline.
    Best,
    /// The best shot of every interval of the visit.
    Timed,
    /// The first shot that is good enough.
    First,
}

/// A camera to be added.
#[derive(Debug, Clone, PartialEq)]
pub struct NewCamera {
    /// The requested channel; `None`: the lowest free one.
    pub id: Option<CameraId>,
    /// Settings of the operator.
    pub settings: CameraSettings,
    /// The camera's own watch.
    pub watch: WatchSettings,
    /// The values that are set explicitly; the others follow the device's [`CameraDefaults`].
    pub own: OwnValues,
    /// Ids of the permission groups whose people may pass; empty: everyone who is known may.
    pub permission_groups: BTreeSet<String>,
    /// Note of an adapter.
    pub note: Option<Note>,
}

/// A change of a camera; `None` keeps the present value.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CameraChange {
    /// All settings. The kind of the source cannot change.
    pub settings: Option<CameraSettings>,
    /// All settings of the watch.
    pub watch: Option<WatchSettings>,
    /// Values that are set explicitly, even to their present value; a value that changes becomes the camera's own
    /// anyway.
    pub own: OwnValues,
    /// Ids of the permission groups whose people may pass.
    pub permission_groups: Option<BTreeSet<String>>,
    /// Note of an adapter.
    pub note: Option<Note>,
}

/// Windows of the week, local time; without windows always.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct WeeklyPlan {
    windows: Vec<DayWindow>,
}

/// A window that begins on one day of the week; both ends are included.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DayWindow {
    /// The day it begins on.
    pub day: Weekday,
    /// Start.
    pub from: Time,
    /// End: on the next day when it is earlier than the start, after 24 hours when it is equal; midnight is the end of
    /// the day.
    pub to: Time,
}

impl WeeklyPlan {
    /// Every minute of the week.
    pub fn always() -> Self {
        Self::default()
    }

    /// Armed inside these windows only.
    pub fn within(windows: Vec<DayWindow>) -> Self {
        Self { windows }
    }

    /// The windows; none means always.
    pub fn windows(&self) -> &[DayWindow] {
        &self.windows
    }

    /// Whether the plan covers this local time.
    pub fn covers(&self, local: DateTime) -> bool {
        let inside = |w: &DayWindow| begun_on(w.from, w.to, local).any(|day| day.weekday() == w.day);
        self.windows.is_empty() || self.windows.iter().any(inside)
    }
}

/// Whether a camera delivers pictures now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CameraStatus {
    /// Being opened for the first time or again.
    Connecting,
    /// Pictures arrive.
    Online,
    /// No pictures.
    Offline {
        /// Why, for display.
        reason: String,
    },
}

/// Counters of a camera since the daemon started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CameraCounters {
    /// Frames decoded.
    pub frames: u64,
    /// Frames replaced by a newer one before they were analysed.
    pub frames_skipped: u64,
    /// Frames not searched because nothing had moved.
    pub frames_still: u64,
    /// Frames searched for faces.
    pub frames_analysed: u64,
    /// Of those, frames searched in reduced detail because the machine could not keep up.
    pub frames_coarse: u64,
    /// Of those, frames searched as a whole, not only where something moved or a face was expected.
    pub frames_whole: u64,
    /// Sum of the searched shares of those frames, in percent of the frame or region: divided by
    /// [`frames_analysed`](Self::frames_analysed) the mean.
    pub area_percent: u64,
    /// What was done with the coded pictures of its streams.
    pub decoding: Decoding,
    /// Interval between two searches at the last one, milliseconds; 0 before the first.
    pub interval_ms: u64,
    /// Faces detected in those frames.
    pub faces: u64,
    /// Records written.
    pub records: u64,
    /// Number of reconnections.
    pub reconnects: u64,
}

#[cfg(test)]
mod tests {
    use jiff::civil::{date, time};

    use super::*;

    #[test]
    fn a_window_over_midnight_covers_the_early_morning_of_the_next_day() {
        // 2 March 2026 is a Monday.
        let covered = |windows: &[DayWindow], day, hour| {
            WeeklyPlan::within(windows.to_vec()).covers(date(2026, 3, day).at(hour, 0, 0, 0))
        };
        let night = |day| DayWindow { day, from: time(22, 0, 0, 0), to: time(6, 0, 0, 0) };
        let monday = [night(Weekday::Monday)];
        assert!(covered(&monday, 2, 22) && covered(&monday, 3, 0) && covered(&monday, 3, 6));
        assert!(!covered(&monday, 2, 5), "Sunday's night is not in the plan");
        assert!(!covered(&monday, 3, 7) && !covered(&monday, 3, 22));
        let sunday = [night(Weekday::Sunday)];
        assert!(covered(&sunday, 1, 23) && covered(&sunday, 2, 3) && !covered(&sunday, 1, 3));
    }

    #[test]
    fn a_window_of_equal_ends_covers_a_whole_day() {
        let all_day = |hour| WeeklyPlan::within(vec![DayWindow { day: Weekday::Monday, from: hour, to: hour }]);
        for (hour, first, last) in [(0, (2, 0), (2, 23)), (7, (2, 7), (3, 6))] {
            let plan = all_day(time(hour, 0, 0, 0));
            let covered = |(day, hour)| plan.covers(date(2026, 3, day).at(hour, 30, 0, 0));
            assert!(covered(first) && covered(last), "{hour}");
            assert!(!covered((1, 23)) && !covered((3, 23)), "{hour}");
        }
    }
}
