//! Records of tasks (chapter 8).

use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
pub(crate) struct QueryRecords {
    pub(crate) page_no: i64,
    pub(crate) page_size: i64,
    pub(crate) task_id: Option<i64>,
    pub(crate) camera_id: Option<i64>,
    pub(crate) lib_id: Option<i64>,
    pub(crate) person_name: Option<String>,
    pub(crate) card_no: Option<String>,
    pub(crate) classify: Option<i64>,
    pub(crate) similarity: Option<f64>,
    pub(crate) start_time: Option<String>,
    pub(crate) end_time: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct RecordKey {
    pub(crate) record_id: i64,
}

#[derive(Serialize)]
pub(crate) struct RecordRow {
    pub(crate) record_id: i64,
    pub(crate) task_id: i64,
    pub(crate) task_name: String,
    pub(crate) camera_id: u32,
    pub(crate) camera_name: String,
    #[serde(flatten)]
    pub(crate) person: PersonSeen,
    pub(crate) similarity: f64,
    pub(crate) capture_url: String,
    pub(crate) capture_time: String,
    pub(crate) create_time: String,
}

/// Zeros and empty texts for a stranger.
#[derive(Serialize, Default)]
pub(crate) struct PersonSeen {
    pub(crate) lib_id: i64,
    pub(crate) lib_name: String,
    pub(crate) person_id: i64,
    pub(crate) person_name: String,
    pub(crate) sex: u8,
    pub(crate) category: u8,
    pub(crate) card_no: String,
    pub(crate) classify: u8,
    pub(crate) pic_url: String,
}
