//! 513 to 516.

use adapter::lenient::optional_int;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Int, Text};

/// 513 of any kind, and 515. The fields that a kind requires are checked when the kind is known.
#[derive(Deserialize)]
pub(crate) struct CameraFields {
    #[serde(default, deserialize_with = "optional_int")]
    pub(crate) channel: Option<Int>,
    pub(crate) camera_name: Option<Text>,
    pub(crate) camera_mode: Option<Text>,
    pub(crate) protocol: Option<Text>,
    pub(crate) url: Option<Text>,
    pub(crate) ip: Option<Text>,
    #[serde(default, deserialize_with = "optional_int")]
    pub(crate) port: Option<Int>,
    pub(crate) camera_user: Option<Text>,
    pub(crate) camera_pwd: Option<Text>,
    pub(crate) camera_sip_id: Option<Text>,
    pub(crate) vendor: Option<Text>,
    pub(crate) product: Option<Text>,
    pub(crate) server_sip_id: Option<Text>,
    pub(crate) decoder: Option<Text>,
    pub(crate) position: Option<Text>,
    pub(crate) description: Option<Text>,
    pub(crate) lib_ids: Option<Text>,
    #[serde(default, deserialize_with = "optional_int")]
    pub(crate) threshold: Option<Int>,
    #[serde(default, deserialize_with = "optional_int")]
    pub(crate) snap_mode: Option<Int>,
    /// Any value: one that is not a size counts as the default.
    pub(crate) facesize_min: Option<Value>,
    /// Any value: one that is not a size counts as the default.
    pub(crate) facesize_max: Option<Value>,
    pub(crate) camera_roi: Option<Text>,
}

/// 514.
#[derive(Deserialize)]
pub(crate) struct CameraKey {
    pub(crate) channel: Int,
}

/// The answer to 513 and 515.
#[derive(Serialize)]
pub(crate) struct Channel {
    pub(crate) channel: u32,
}

/// The answer to 516.
#[derive(Serialize)]
pub(crate) struct Cameras {
    pub(crate) camera: Vec<CameraRow>,
    pub(crate) computing_power_capacity: u32,
    pub(crate) used_computing_power: u32,
}

/// A row of 516: exactly the fields of the camera's kind.
#[derive(Serialize)]
pub(crate) struct CameraRow {
    pub(crate) camera_name: String,
    pub(crate) channel: u32,
    pub(crate) camera_mode: &'static str,
    pub(crate) description: String,
    pub(crate) lib_ids: String,
    pub(crate) position: String,
    pub(crate) status: u8,
    pub(crate) threshold: u8,
    #[serde(flatten)]
    pub(crate) video: Option<VideoFields>,
    #[serde(flatten)]
    pub(crate) kind: KindFields,
}

/// The fields of every VIDEO camera.
#[derive(Serialize)]
pub(crate) struct VideoFields {
    pub(crate) protocol: &'static str,
    pub(crate) snap_mode: u8,
    pub(crate) facesize_min: u32,
    pub(crate) facesize_max: u32,
}

/// The fields of one kind of camera.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum KindFields {
    Rtsp {
        #[serde(flatten)]
        roi: RoiFields,
        url: String,
    },
    Onvif {
        #[serde(flatten)]
        roi: RoiFields,
        #[serde(flatten)]
        address: AddressFields,
        camera_user: String,
    },
    Gb28181 {
        #[serde(flatten)]
        address: AddressFields,
        server_sip_id: String,
        camera_sip_id: String,
    },
    Image {
        #[serde(flatten)]
        address: AddressFields,
        camera_user: String,
        product: String,
        vendor: String,
    },
}

/// The region of interest of RTSP and ONVIF cameras.
#[derive(Serialize)]
pub(crate) struct RoiFields {
    pub(crate) decoder: String,
    pub(crate) camera_roi: String,
    pub(crate) roi_max: u32,
}

/// The address of a camera or of its SIP server.
#[derive(Serialize)]
pub(crate) struct AddressFields {
    pub(crate) ip: String,
    pub(crate) port: u16,
    pub(crate) camera_pwd: String,
}
