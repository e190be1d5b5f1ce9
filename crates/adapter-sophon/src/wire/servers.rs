//! Where events and status go (4.4.4 to 4.5.2).

use adapter::lenient::{Int, Text};
use serde::{Deserialize, Serialize};

use super::{Bool, Names};

#[derive(Deserialize)]
pub(crate) struct SetRealtime {
    pub(crate) event_server_url: Names,
    pub(crate) real_need_reg_pic: Option<Bool>,
    #[serde(rename = "content-type")]
    pub(crate) content_type: Text,
}

#[derive(Serialize)]
pub(crate) struct Realtime {
    pub(crate) event_server_url: Vec<String>,
    pub(crate) real_need_reg_pic: bool,
    #[serde(rename = "content-type")]
    pub(crate) content_type: &'static str,
}

#[derive(Deserialize)]
pub(crate) struct SetHistory {
    pub(crate) history_upload_event_url: Names,
    pub(crate) history_need_reg_pic: Option<Bool>,
    pub(crate) history_need_recognize_face: Option<Bool>,
    pub(crate) history_need_spot_pic: Option<Bool>,
    #[serde(rename = "content-type")]
    pub(crate) content_type: Text,
    #[serde(alias = "reported_period")]
    pub(crate) reported_peroid: Int,
}

#[derive(Serialize)]
pub(crate) struct History {
    /// Only where it was set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) message: Option<&'static str>,
    pub(crate) history_upload_event_url: Vec<String>,
    pub(crate) history_need_reg_pic: bool,
    #[serde(rename = "content-type")]
    pub(crate) content_type: &'static str,
    pub(crate) reported_peroid: u32,
}

#[derive(Deserialize)]
pub(crate) struct SetMonitor {
    pub(crate) monitor_server_url: Text,
    #[serde(rename = "content-type")]
    pub(crate) content_type: Text,
    #[serde(alias = "reported_period")]
    pub(crate) reported_peroid: Int,
}

#[derive(Serialize)]
pub(crate) struct Monitor {
    pub(crate) monitor_server_url: String,
    pub(crate) reported_peroid: u32,
}
