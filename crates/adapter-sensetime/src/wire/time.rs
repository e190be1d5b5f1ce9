//! 1282, 1283, 1290 and 1291.

use adapter::lenient::optional_int;
use serde::{Deserialize, Serialize};

use super::{Int, Text};

/// The answer to 1291.
#[derive(Serialize)]
pub(crate) struct Ntp {
    /// Minutes.
    pub(crate) ntp_cycle: String,
    pub(crate) ntp_disable: &'static str,
    pub(crate) port: String,
    pub(crate) url: String,
}

/// 1290; absent fields stay as they are.
#[derive(Deserialize)]
pub(crate) struct SetNtp {
    pub(crate) url: Option<Text>,
    /// Minutes.
    #[serde(default, deserialize_with = "optional_int")]
    pub(crate) ntp_cycle: Option<Int>,
    #[serde(default, deserialize_with = "optional_int")]
    pub(crate) ntp_disable: Option<Int>,
    #[serde(default, deserialize_with = "optional_int")]
    pub(crate) port: Option<Int>,
}

/// The answer to 1283.
#[derive(Serialize)]
pub(crate) struct Time {
    pub(crate) sys_time: String,
    pub(crate) time_format: &'static str,
    pub(crate) time_zone: String,
}

/// 1282.
#[derive(Deserialize)]
pub(crate) struct SetTime {
    pub(crate) sys_time: Text,
    pub(crate) time_zone: Text,
    pub(crate) time_format: Option<Text>,
}
