//! The settings of reports to the broker.

use domain::{RecordKind, Result, State};

use super::groups::REPORTS;
use super::values::Values;

/// The settings of reports to the broker.
pub(crate) struct Reports(Values);

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

    pub(crate) fn online_topic(&self) -> String {
        self.0.text("OnlineTopic").to_owned()
    }

    pub(crate) fn heartbeat_topic(&self) -> String {
        self.0.text("HeartbeatTopic").to_owned()
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
