//! Cameras that send pictures, as programs for later versions add and play them (`/SophonDevice`, `/SophonMatch`).

use adapter::lenient::Text;
use serde::{Deserialize, Serialize};

use super::Dict;

#[derive(Deserialize)]
pub(crate) struct AddDevices {
    pub(crate) devices_list: Vec<Device>,
}

#[derive(Deserialize)]
pub(crate) struct Device {
    pub(crate) device_type: Text,
    #[serde(rename = "netRelay")]
    pub(crate) relay: Option<Dict>,
    pub(crate) device_name: Text,
    pub(crate) device_key: Text,
    pub(crate) group_id: Text,
    pub(crate) permission_id: Text,
}

#[derive(Serialize)]
pub(crate) struct DevicesAdded {
    pub(crate) devices_list: Vec<AddedDevice>,
}

#[derive(Serialize)]
pub(crate) struct AddedDevice {
    #[serde(rename = "_id")]
    pub(crate) id: String,
    pub(crate) device_key: String,
    pub(crate) device_name: String,
}

#[derive(Deserialize)]
pub(crate) struct MatchPicture {
    pub(crate) rgb_image_base64: String,
    pub(crate) device_ip: Text,
}

#[derive(Serialize)]
pub(crate) struct PictureTaken {
    pub(crate) message: &'static str,
}
