//! Cameras (5.1 to 5.6).

use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
pub(crate) struct AddCamera {
    pub(crate) name: String,
    pub(crate) rtsp: String,
    #[serde(rename = "type")]
    pub(crate) kind: Option<i64>,
    pub(crate) remark: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct CameraKey {
    pub(crate) camera_id: i64,
}

#[derive(Deserialize)]
pub(crate) struct UpdateCamera {
    pub(crate) camera_id: i64,
    pub(crate) name: Option<String>,
    pub(crate) rtsp: Option<String>,
    #[serde(rename = "type")]
    pub(crate) kind: Option<i64>,
    pub(crate) remark: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct QueryCameras {
    pub(crate) page_no: i64,
    pub(crate) page_size: i64,
    pub(crate) name: Option<String>,
    pub(crate) username: Option<String>,
    #[serde(rename = "type")]
    pub(crate) kind: Option<i64>,
}

#[derive(Serialize)]
pub(crate) struct CameraRow {
    pub(crate) camera_id: u32,
    pub(crate) name: String,
    pub(crate) rtsp: String,
    #[serde(rename = "type")]
    pub(crate) kind: i64,
    pub(crate) online: u8,
    /// As `online`; an example of the document has it.
    pub(crate) state: u8,
    pub(crate) remark: String,
    pub(crate) create_time: String,
}

/// /SearchCamera: only the session.
#[derive(Deserialize)]
pub(crate) struct SearchCamera {}

/// The answer to /SearchCamera.
#[derive(Serialize)]
pub(crate) struct FoundCameras {
    pub(crate) total_count: usize,
    pub(crate) items: Vec<FoundCameraRow>,
}

#[derive(Serialize)]
pub(crate) struct FoundCameraRow {
    pub(crate) ip: String,
    pub(crate) manufacturer: String,
}

#[derive(Deserialize)]
pub(crate) struct QueryCameraRtsp {
    pub(crate) ip: String,
    pub(crate) user: Option<String>,
    pub(crate) password: Option<String>,
}

/// The answer to /QueryCameraRtsp.
#[derive(Serialize)]
pub(crate) struct CameraRtsp {
    pub(crate) rtsp: String,
}
