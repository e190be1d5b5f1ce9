//! What the adapter keeps: one struct for each value of its state.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

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

/// What follows a recognised person (4.4.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reaction {
    pub(crate) mode: String,
}

impl Default for Reaction {
    fn default() -> Self {
        Self { mode: "opendoor".into() }
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

/// Permission groups (4.1).
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PermissionGroups {
    /// In the order in which they were made.
    pub(crate) groups: Vec<PermissionGroup>,
}

/// A permission group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PermissionGroup {
    /// What people carry in `permission_ids`.
    pub(crate) id: String,
    /// Unique.
    pub(crate) name: String,
    pub(crate) description: String,
    /// What else was sent.
    pub(crate) info: Map<String, Value>,
}

impl PermissionGroups {
    /// The group with this name.
    pub(crate) fn named(&self, name: &str) -> Option<&PermissionGroup> {
        self.groups.iter().find(|group| group.name == name)
    }

    /// The group with this id, or else with this name: clients send either (quirk S-PERMID).
    pub(crate) fn meant(&self, text: &str) -> Option<&PermissionGroup> {
        self.groups.iter().find(|group| group.id == text).or_else(|| self.named(text))
    }
}
