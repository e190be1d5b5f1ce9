//! What the adapter keeps: one struct for each value of its state.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::{Camera, ClipSpan, PictureId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::convert::algorithms::FACES;
use crate::convert::smart::{Tuning, faces};
use crate::wire::plans::Week;
use crate::wire::smart::Task;

/// How the device presents itself to platforms (9.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeviceNames {
    /// `None`: the configured name.
    pub(crate) name: Option<String>,
    /// 1 to 255.
    pub(crate) code: u8,
    pub(crate) custom_code: String,
}

impl Default for DeviceNames {
    fn default() -> Self {
        Self { name: None, code: 1, custom_code: String::new() }
    }
}

/// The key of [`Platforms`].
pub(crate) const PLATFORMS: &str = "platforms";

/// The ids of platforms.
pub(crate) const IDS: [u8; 2] = [1, 2];

/// The platforms that pushes go to, and how often channels report (12.1).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Platforms {
    /// At most two, by id.
    pub(crate) by_id: BTreeMap<u8, Platform>,
    /// By channel, whether it is in use or not.
    pub(crate) intervals: BTreeMap<u32, Interval>,
}

/// The URLs that pushes go to, from the values that the adapter keeps, for a check whether they can be reached. Values
/// that cannot be read are left out.
pub fn push_urls(value: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let platforms = value(PLATFORMS).and_then(|text| serde_json::from_str::<Platforms>(&text).ok()).unwrap_or_default();
    platforms.by_id.into_values().filter(|platform| platform.enabled).map(|platform| platform.url).collect()
}

/// A platform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Platform {
    pub(crate) version: String,
    pub(crate) enabled: bool,
    pub(crate) url: String,
    pub(crate) pictures: bool,
    pub(crate) videos: bool,
    pub(crate) keep_alive: bool,
    /// Seconds between two keep-alives, 30 to 600.
    pub(crate) keep_alive_every: u16,
    /// Whether changes of channels are pushed.
    pub(crate) channels: bool,
}

/// The least time between two alarms of one algorithm on a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Interval {
    /// 0 to 10080.
    pub(crate) minutes: u16,
    pub(crate) enabled: bool,
}

/// What is noted on a camera beside what the core knows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Channel {
    pub(crate) custom_code: String,
    pub(crate) serial_number: String,
    pub(crate) manufacturer: String,
    pub(crate) model: String,
    /// The stream chosen of an ONVIF camera: `None` is its main stream.
    pub(crate) stream: Option<OnvifStream>,
    /// Whether `smart/task` runs the analysis.
    pub(crate) running: bool,
    /// What is analysed; faces are the camera's watch, the others rules.
    pub(crate) tasks: Vec<Task>,
    /// The arming plans of rules, by algorithm; one that is not here is always armed. That of faces is the watch's.
    pub(crate) plans: BTreeMap<String, Week>,
    /// The arming plan of faces when it covers no time at all, which the core has no plan for.
    pub(crate) faces_never: bool,
    /// Sensitivities and intervals, by algorithm.
    pub(crate) extended: BTreeMap<String, Extended>,
    /// Whether they hold in place of the defaults.
    pub(crate) extended_on: bool,
    pub(crate) params: Params,
}

/// The stream that was chosen of an ONVIF camera.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OnvifStream {
    pub(crate) video_id: i64,
    pub(crate) host: String,
    pub(crate) port: u16,
}

/// Sensitivity and interval of an algorithm (6.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Extended {
    /// 1 to 100.
    pub(crate) sensitive: u8,
    /// Seconds; 0: an alarm is reported once.
    pub(crate) report_rate: u32,
}

impl Default for Extended {
    fn default() -> Self {
        Self { sensitive: 80, report_rate: 0 }
    }
}

/// Parameters of a channel (6.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Params {
    pub(crate) video: bool,
    /// Seconds, 5 to 30.
    pub(crate) video_before: u8,
    /// Seconds, 5 to 30.
    pub(crate) video_after: u8,
    pub(crate) recovery: bool,
    /// Width and height of the smallest face, pixels.
    pub(crate) face: (u32, u32),
}

impl Params {
    /// The alarm video; `None` while it is off.
    fn clip(&self) -> Option<ClipSpan> {
        let seconds = |seconds: u8| Duration::from_secs(seconds.into());
        let span = ClipSpan { before: seconds(self.video_before), after: seconds(self.video_after) };
        self.video.then_some(span)
    }
}

impl Default for Params {
    fn default() -> Self {
        Self { video: false, video_before: 5, video_after: 5, recovery: false, face: (10, 10) }
    }
}

impl Default for Channel {
    /// Of a camera that this adapter has not been used for yet.
    fn default() -> Self {
        Self {
            custom_code: String::new(),
            serial_number: String::new(),
            manufacturer: String::new(),
            model: String::new(),
            stream: None,
            running: true,
            tasks: Vec::new(),
            plans: BTreeMap::new(),
            faces_never: false,
            extended: BTreeMap::new(),
            extended_on: false,
            params: Params::default(),
        }
    }
}

impl Channel {
    /// Sensitivity and interval of an algorithm, none while the defaults hold, and the alarm video.
    pub(crate) fn tuning(&self, algorithm: &str) -> Tuning {
        let set = self.extended.get(algorithm).filter(|_| self.extended_on);
        Tuning {
            sensitivity: set.map(|set| set.sensitive),
            every: set.map(|set| set.report_rate),
            clip: self.params.clip(),
        }
    }

    fn analyses_faces(&self) -> bool {
        self.tasks.iter().any(|task| task.algo_model == FACES)
    }

    /// Whether the watch of the camera is to be on.
    pub(crate) fn watches(&self) -> bool {
        self.running && self.analyses_faces() && !self.faces_never
    }

    /// Takes a library of work clothes out of the tasks; returns whether a task named it.
    pub(crate) fn forget_clothes(&mut self, library: i64) -> bool {
        let lists = self.tasks.iter_mut().filter_map(|task| task.workclothes_lib_list.as_mut());
        lists.map(|ids| ids.extract_if(.., |id| *id == library).count()).sum::<usize>() > 0
    }

    /// In accordance with the camera's watch, which others may have switched.
    pub(crate) fn reconciled(mut self, camera: &Camera) -> Self {
        match (camera.watch.settings.enabled, self.watches()) {
            (true, false) => {
                self.running = true;
                self.faces_never = false;
                if !self.analyses_faces() {
                    self.tasks.push(faces());
                }
            }
            (false, true) => self.running = false,
            (true, true) | (false, false) => {}
        }
        self
    }
}

/// Libraries of work clothes (chapters 7 and 8).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WorkClothes {
    /// The id that was given last, to a library or a picture.
    last_id: i64,
    pub(crate) libraries: Vec<ClothesLibrary>,
}

/// A library of work clothes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClothesLibrary {
    pub(crate) id: i64,
    pub(crate) name: String,
    /// Milliseconds since 1970.
    pub(crate) created: i64,
    pub(crate) pictures: Vec<ClothesPicture>,
}

/// A picture of work clothes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClothesPicture {
    pub(crate) id: i64,
    /// The stored picture.
    picture: String,
    /// Milliseconds since 1970.
    pub(crate) created: i64,
}

/// The library of work clothes that a new device has.
const FACTORY_LIBRARY: &str = "默认工服库";

impl WorkClothes {
    /// As on a new device.
    pub(crate) fn factory(at: Timestamp) -> Self {
        let mut clothes = Self { last_id: 0, libraries: Vec::new() };
        clothes.add_library(FACTORY_LIBRARY.to_owned(), at);
        clothes
    }

    /// Adds an empty library and returns its id.
    pub(crate) fn add_library(&mut self, name: String, at: Timestamp) -> i64 {
        let id = self.next_id();
        self.libraries.push(ClothesLibrary { id, name, created: at.as_millis(), pictures: Vec::new() });
        id
    }

    /// The id of the next library or picture.
    pub(crate) fn next_id(&mut self) -> i64 {
        self.last_id += 1;
        self.last_id
    }
}

impl ClothesPicture {
    pub(crate) fn new(id: i64, picture: &PictureId, at: Timestamp) -> Self {
        Self { id, picture: picture.to_string(), created: at.as_millis() }
    }

    /// The stored picture.
    pub(crate) fn picture(&self) -> PictureId {
        self.picture.parse().unwrap_or_else(|_| PictureId::not_kept())
    }
}
