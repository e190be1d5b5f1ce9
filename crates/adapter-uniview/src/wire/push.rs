//! Messages to platforms (chapter 13).

use serde::Serialize;

/// A message; which of the optional objects it has depends on its type.
#[derive(Serialize)]
pub(crate) struct Message {
    #[serde(rename = "type")]
    pub(crate) kind: u8,
    pub(crate) event_id: String,
    pub(crate) has_result: u8,
    pub(crate) device_info: DeviceInfo,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) channel_info: Option<ChannelInfo>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) face: Option<Face>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) behaviour: Option<Behaviour>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) compare_results: Option<Vec<CompareResult>>,
}

#[derive(Serialize)]
pub(crate) struct DeviceInfo {
    pub(crate) device_code: u8,
    pub(crate) device_name: String,
    pub(crate) device_sn: String,
    pub(crate) custom_code: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct ChannelInfo {
    pub(crate) mode: u8,
    pub(crate) ipc_sn: String,
    pub(crate) ipc_addr: String,
    pub(crate) channel_id: u32,
    pub(crate) channel_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<u8>,
    pub(crate) custom_code: String,
}

#[derive(Serialize)]
pub(crate) struct Face {
    pub(crate) capture_time: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) point_x: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) point_y: Option<String>,
    pub(crate) orig_image_path: String,
    pub(crate) crop_image_path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) orig_image_base64: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) crop_image_base64: Option<String>,
}

#[derive(Serialize)]
pub(crate) struct Behaviour {
    pub(crate) algo_model: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) image_base64: Option<String>,
    pub(crate) image_path: String,
    pub(crate) capture_time: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) in_num: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) out_num: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) area_num: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) video_uuid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) video_url: Option<String>,
    pub(crate) capture_info: Vec<Target>,
}

#[derive(Serialize)]
pub(crate) struct Target {
    pub(crate) target_id: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) point_x: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) point_y: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) object_type: Option<u8>,
    pub(crate) plate_no: &'static str,
}

#[derive(Serialize)]
pub(crate) struct CompareResult {
    pub(crate) target_id: usize,
    pub(crate) lib_id: i64,
    pub(crate) lib_name: String,
    pub(crate) person_id: i64,
    pub(crate) person_name: String,
    pub(crate) sex: u8,
    pub(crate) email: String,
    pub(crate) tel: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) certificate_type: Option<u8>,
    pub(crate) certificate_no: String,
    pub(crate) image_path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) image_base64: Option<String>,
    pub(crate) similarity: u8,
}
