//! What the device tells of its own accord (4.4.6, 4.4.9, 4.5.3).

use serde::{Deserialize, Serialize};

/// A face that was compared.
#[derive(Serialize)]
pub(crate) struct Event {
    pub(crate) identity_id: String,
    pub(crate) identity_name: String,
    pub(crate) group_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reg_pic: Option<String>,
    pub(crate) timestamp: i64,
    pub(crate) score: f64,
    pub(crate) ext_data: ExtData,
}

/// More of it.
#[derive(Serialize)]
pub(crate) struct ExtData {
    pub(crate) device_ip: String,
    #[serde(flatten)]
    pub(crate) origin: Option<Origin>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) spot_pic: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) recognize_face: Option<String>,
    pub(crate) person_type: u8,
    pub(crate) device_type: &'static str,
    pub(crate) grab_fiqa_info: Empty,
    pub(crate) box_fiqa_info: Empty,
}

/// Which device it comes from; only in the history.
#[derive(Serialize)]
pub(crate) struct Origin {
    pub(crate) ep_id: String,
    pub(crate) dev_sno: String,
}

/// `{}`.
#[derive(Serialize)]
pub(crate) struct Empty {}

/// The status of the device.
#[derive(Serialize)]
pub(crate) struct Status {
    pub(crate) gateway_ip: String,
    pub(crate) gateway_name: String,
    pub(crate) gateway_status: &'static str,
    pub(crate) gateway_sn: String,
    pub(crate) dev_sno: String,
    pub(crate) gateway_ext_data: Gateway,
    pub(crate) sub_devices: Vec<SubDevice>,
}

/// The machine.
#[derive(Serialize)]
pub(crate) struct Gateway {
    pub(crate) sw_version: String,
    pub(crate) sdk_version: &'static str,
    pub(crate) gateway_mac: String,
    /// Percent.
    pub(crate) cpu_usage: f64,
    /// GB.
    pub(crate) memory_size: f64,
    /// 0 to 1.
    pub(crate) memory_usage: f64,
    /// GB.
    pub(crate) disk_size: f64,
    /// GB.
    pub(crate) disk_free_size: f64,
    /// Always 0: nothing measures it.
    pub(crate) temperature: i32,
}

/// A camera.
#[derive(Serialize)]
pub(crate) struct SubDevice {
    pub(crate) ep_id: String,
    pub(crate) ep_name: String,
    pub(crate) ep_ip: String,
    pub(crate) ep_status: &'static str,
    pub(crate) ep_location: String,
    pub(crate) ep_type: &'static str,
}

/// The cameras (7.4).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CameraList {
    pub(crate) dev_sno: String,
    pub(crate) device_list: Vec<ListEntry>,
}

/// A camera in the list, and as it is told of alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ListEntry {
    pub(crate) ep_id: String,
    pub(crate) dev_sno: String,
    pub(crate) direction: u8,
    pub(crate) ep_type: String,
    pub(crate) memo: String,
    pub(crate) ep_name: String,
    pub(crate) ep_ip: String,
    pub(crate) ep_status: String,
    pub(crate) ep_version: String,
    pub(crate) ep_group_name: String,
    pub(crate) ep_stream_url: String,
    /// Seconds since 1970.
    pub(crate) last_monitor_time: i64,
    pub(crate) is_monitor: bool,
    pub(crate) privilege_group_key: String,
}

/// A camera was added or removed (7.4 of V2R1C01).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Operation {
    /// 1: added; 2: removed.
    pub(crate) action_type: u8,
    pub(crate) device_info: ListEntry,
}
