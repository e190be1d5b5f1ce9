//! Channels (chapter 4).

use serde::{Deserialize, Serialize};

use super::{Fields, Ids, Int, Text};

#[derive(Deserialize)]
pub(crate) struct DeviceInfo {
    pub(crate) ip: Text,
    pub(crate) port: Int,
    pub(crate) username: Text,
    pub(crate) pwd: Text,
}

#[derive(Deserialize)]
pub(crate) struct AddChannel {
    #[serde(rename = "type")]
    pub(crate) kind: Int,
    pub(crate) channel_name: Text,
    #[serde(flatten)]
    pub(crate) place: Place,
}

#[derive(Deserialize)]
pub(crate) struct UpdateChannel {
    pub(crate) channel_id: Int,
    #[serde(rename = "type")]
    pub(crate) kind: Option<Int>,
    pub(crate) channel_name: Text,
    #[serde(flatten)]
    pub(crate) place: Place,
}

/// Where a camera is, and what else is said of it.
#[derive(Deserialize)]
pub(crate) struct Place {
    pub(crate) transport_type: Option<Int>,
    pub(crate) rtsp: Option<Text>,
    pub(crate) ip: Option<Text>,
    pub(crate) port: Option<Int>,
    pub(crate) username: Option<Text>,
    pub(crate) pwd: Option<Text>,
    pub(crate) video_type: Option<Int>,
    pub(crate) video_id: Option<Int>,
    pub(crate) custom_code: Option<Text>,
    pub(crate) serial_number: Option<Text>,
    /// Another name of `serial_number`, often sent beside it (quirk "4.3, 4.5, 4.7 examples").
    pub(crate) serialnumber: Option<Text>,
    pub(crate) manufacturer: Option<Text>,
    pub(crate) model: Option<Text>,
}

/// The entries are read one by one: a bad one does not stop the others.
#[derive(Deserialize)]
pub(crate) struct ImportChannels {
    pub(crate) channel_list: Vec<Fields>,
}

#[derive(Deserialize)]
pub(crate) struct DeleteChannels {
    pub(crate) channel_id_list: Ids,
}

#[derive(Deserialize)]
pub(crate) struct ListChannels {
    pub(crate) channel_name: Option<Text>,
    pub(crate) page: Int,
    pub(crate) pagesize: Int,
}

#[derive(Serialize)]
pub(crate) struct ChannelId {
    pub(crate) channel_id: u32,
}

#[derive(Serialize)]
pub(crate) struct Streams {
    pub(crate) video: Vec<StreamRow>,
}

#[derive(Serialize)]
pub(crate) struct StreamRow {
    pub(crate) id: usize,
    pub(crate) rtsp: String,
    pub(crate) encoding: String,
    pub(crate) ratio: String,
}

#[derive(Serialize)]
pub(crate) struct Failures {
    pub(crate) fail_list: Vec<String>,
}

#[derive(Serialize)]
pub(crate) struct Channels {
    pub(crate) total: u64,
    pub(crate) channel_list: Vec<ChannelRow>,
}

#[derive(Serialize)]
pub(crate) struct ChannelRow {
    pub(crate) channel_id: u32,
    pub(crate) channel_name: String,
    pub(crate) custom_code: String,
    #[serde(rename = "type")]
    pub(crate) kind: u8,
    pub(crate) transport_type: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ip: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) port: Option<u16>,
    pub(crate) serial_number: String,
    pub(crate) model: String,
    pub(crate) manufacturer: String,
    pub(crate) status: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rtsp: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) username: Option<String>,
}
