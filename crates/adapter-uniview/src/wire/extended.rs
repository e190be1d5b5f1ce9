//! Extended configuration (6.4 to 6.7).

use serde::{Deserialize, Serialize};

use super::{Int, Text};

#[derive(Deserialize)]
pub(crate) struct GetExtended {
    pub(crate) channel_id: Option<Int>,
}

#[derive(Deserialize)]
pub(crate) struct UpdateExtended {
    pub(crate) list: Vec<UpdateChannel>,
}

#[derive(Deserialize)]
pub(crate) struct UpdateChannel {
    pub(crate) channel_id: Int,
    pub(crate) status: Int,
    pub(crate) smart_list: Vec<UpdateAlgorithm>,
}

#[derive(Deserialize)]
pub(crate) struct UpdateAlgorithm {
    pub(crate) algo_model: Text,
    pub(crate) sensitive: Option<Int>,
    pub(crate) report_rate: Option<Int>,
}

#[derive(Serialize)]
pub(crate) struct ExtendedRow {
    pub(crate) channel_id: u32,
    pub(crate) status: u8,
    pub(crate) smart_list: Vec<AlgorithmRow>,
}

#[derive(Serialize)]
pub(crate) struct AlgorithmRow {
    pub(crate) algo_model: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sensitive: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) report_rate: Option<u32>,
}

#[derive(Deserialize)]
pub(crate) struct UpdateParams {
    pub(crate) channel_id: Int,
    pub(crate) alarm_video_param: Option<UpdateVideo>,
    pub(crate) status_recovery_param: Option<UpdateRecovery>,
    pub(crate) face_param: Option<UpdateFace>,
}

#[derive(Deserialize)]
pub(crate) struct UpdateVideo {
    pub(crate) status: Int,
    pub(crate) befor_alarmed_time: Option<Int>,
    /// Another name of `befor_alarmed_time` (quirk "6.6, 6.7").
    pub(crate) before_alarmed_time: Option<Int>,
    pub(crate) after_alarmed_time: Int,
}

#[derive(Deserialize)]
pub(crate) struct UpdateRecovery {
    pub(crate) status: Int,
}

#[derive(Deserialize)]
pub(crate) struct UpdateFace {
    pub(crate) min_width: Int,
    pub(crate) min_height: Int,
}

#[derive(Serialize)]
pub(crate) struct ParamsRow {
    pub(crate) alarm_video_param: VideoRow,
    pub(crate) status_recovery_param: RecoveryRow,
    pub(crate) face_param: FaceRow,
}

#[derive(Serialize)]
pub(crate) struct VideoRow {
    pub(crate) status: u8,
    pub(crate) befor_alarmed_time: u8,
    pub(crate) after_alarmed_time: u8,
}

#[derive(Serialize)]
pub(crate) struct RecoveryRow {
    pub(crate) status: u8,
}

#[derive(Serialize)]
pub(crate) struct FaceRow {
    pub(crate) min_width: u32,
    pub(crate) min_height: u32,
}
