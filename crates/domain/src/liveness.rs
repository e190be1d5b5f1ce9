//! The liveness rule.

use jiff::civil::{DateTime, Time};
use serde::{Deserialize, Serialize};

use crate::time::begun_on;

/// When a face must be living to be recognised, on a device that can judge liveness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LivenessRule {
    /// Always.
    #[default]
    Always,
    /// Never: pictures of people are accepted.
    Never,
    /// Every day between these local times, both included; over midnight when the second is the earlier, all day long
    /// when they are equal.
    Daily(#[serde(with = "crate::settings::times")] Time, #[serde(with = "crate::settings::times")] Time),
}

impl LivenessRule {
    /// Whether a face must be living at this local time.
    pub(crate) fn asks_at(self, local: DateTime) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Daily(from, to) => begun_on(from, to, local).next().is_some(),
        }
    }
}
