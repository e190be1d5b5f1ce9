//! What the adapter keeps: one struct for each value of its state.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::wire::events::ListEntry;

/// The key of [`RealtimeServers`].
pub(crate) const REALTIME: &str = "realtime";
/// The key of [`HistoryServers`].
pub(crate) const HISTORY: &str = "history";
/// The key of [`StatusServer`].
pub(crate) const STATUS: &str = "status";
/// The key of [`PlatformAddress`].
pub(crate) const PLATFORM: &str = "platform";

/// The URLs that pushes go to, from the values that the adapter keeps, for a check whether they can be reached. Values
/// that cannot be read are left out.
pub fn push_urls(value: impl Fn(&str) -> Option<String>) -> Vec<String> {
    fn read<T: DeserializeOwned + Default>(text: Option<String>) -> T {
        text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
    }
    let mut urls = read::<RealtimeServers>(value(REALTIME)).urls;
    urls.extend(read::<HistoryServers>(value(HISTORY)).urls);
    urls.push(read::<StatusServer>(value(STATUS)).url);
    urls.extend(read::<PlatformAddress>(value(PLATFORM)).login_url);
    urls.retain(|url| !url.is_empty());
    urls
}

/// How events are posted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Format {
    /// One JSON document.
    #[default]
    Json,
    /// A multipart form.
    FormData,
}

impl Format {
    /// The name in the document.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::FormData => "form-data",
        }
    }
}

/// Where realtime events go (4.4.4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RealtimeServers {
    /// In the order in which they are sent to; empty: none are sent.
    pub(crate) urls: Vec<String>,
    /// Whether enrolment photos are sent.
    pub(crate) enrolment_photo: bool,
    pub(crate) format: Format,
}

impl Default for RealtimeServers {
    fn default() -> Self {
        Self { urls: Vec::new(), enrolment_photo: true, format: Format::default() }
    }
}

/// Where the history of events goes (4.4.7).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HistoryServers {
    /// Each receives every event; empty: nothing is sent.
    pub(crate) urls: Vec<String>,
    /// Whether enrolment photos are sent.
    pub(crate) enrolment_photo: bool,
    /// Whether the face is sent.
    pub(crate) face: bool,
    /// Whether the scene is sent.
    pub(crate) scene: bool,
    pub(crate) format: Format,
    /// Seconds, as it was set; at least 1.
    pub(crate) period: u32,
}

impl Default for HistoryServers {
    fn default() -> Self {
        let format = Format::default();
        Self { urls: Vec::new(), enrolment_photo: true, face: true, scene: true, format, period: 20 }
    }
}

/// Where the status goes (4.5.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StatusServer {
    /// Empty: it is not sent.
    pub(crate) url: String,
    /// Seconds, at least 1.
    pub(crate) period: u32,
}

impl Default for StatusServer {
    fn default() -> Self {
        Self { url: String::new(), period: 20 }
    }
}

/// How the device finds its platform (8).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlatformAddress {
    /// The licence code; `None`: the serial number.
    pub(crate) dev_sno: Option<String>,
    /// `None`: there is no platform.
    pub(crate) login_url: Option<String>,
}

/// The cameras that the platform was told of one by one (7.4 of V2R1C01).
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReportedCameras {
    /// Where they were reported to, without the query.
    pub(crate) to: String,
    pub(crate) cameras: Vec<ReportedCamera>,
}

/// A camera as it was reported.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReportedCamera {
    /// Its channel.
    pub(crate) channel: u32,
    /// When it was added, milliseconds since 1970: a channel is used again.
    pub(crate) added_at: i64,
    pub(crate) entry: ListEntry,
}
