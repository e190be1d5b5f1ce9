//! The settings of reports to the broker.

use domain::{RecordKind, Result, State};
use serde::{Deserialize, Serialize};

use super::groups::REPORTS;
use super::values::Values;

const ONLINE_TOPIC: &str = "OnlineTopic";
const HEARTBEAT_TOPIC: &str = "HeartbeatTopic";

/// The settings of reports to the broker.
pub(crate) struct Reports(Values);

/// The topics of notices that a platform has set; empty ones are not set.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OwnTopics {
    pub(crate) online: String,
    pub(crate) heartbeat: String,
}

impl Reports {
    pub(crate) async fn load(state: &State) -> Result<Self> {
        Ok(Self(Values::load(state, &REPORTS).await?))
    }

    /// As [`load`](Self::load), but the defaults where the settings cannot be read: they can be set again over the
    /// connection.
    pub(crate) async fn to_connect(state: &State) -> Result<Self> {
        Ok(Self(Values::load_to_set(state, &REPORTS).await?))
    }

    /// The settings with these values.
    pub(crate) fn of(values: Values) -> Self {
        Self(values)
    }

    /// Seconds between two heartbeats, when a platform has set them.
    pub(crate) fn keep_alive(&self) -> Option<u64> {
        let seconds = self.0.number("KeepAliveInterval");
        (seconds != 30).then_some(seconds.unsigned_abs())
    }

    /// The topics that a platform has set.
    pub(crate) fn topics(&self) -> OwnTopics {
        let set = |name: &str| self.0.text(name).to_owned();
        OwnTopics { online: set(ONLINE_TOPIC), heartbeat: set(HEARTBEAT_TOPIC) }
    }

    /// The values with these topics in place of those that a platform has set.
    pub(crate) fn with_topics(mut self, topics: OwnTopics) -> Values {
        self.0.set(ONLINE_TOPIC, topics.online);
        self.0.set(HEARTBEAT_TOPIC, topics.heartbeat);
        self.0
    }

    /// Whether records of this kind are pushed.
    pub(crate) fn pushes(&self, kind: RecordKind) -> bool {
        match kind {
            RecordKind::People => self.0.number("RecordUploadType") != 0,
            RecordKind::Strangers => self.0.number("StrangerUploadType") == 0,
        }
    }

    /// Whether pushes contain the captured picture.
    pub(crate) fn with_picture(&self) -> bool {
        self.0.number("RecordUploadType") == 1
    }

    /// Whether a record is pushed again until the platform confirms it.
    pub(crate) fn resumes(&self) -> bool {
        self.0.number("ResumefromBreakpoint") == 1
    }

    /// Whether scans of this kind are pushed: `QRCode`, `IDCard` or `Card`.
    pub(crate) fn reports(&self, name: &str) -> bool {
        self.0.number(name) == 1
    }

    pub(crate) fn direction(&self) -> &'static str {
        match self.0.number("Direction") {
            0 => "entr",
            1 => "exit",
            _ => "unknow",
        }
    }
}
