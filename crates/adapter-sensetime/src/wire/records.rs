//! 1036 and 1037, and the attributes of a face (appendix B).

use adapter::lenient::optional_int;
use serde::{Deserialize, Serialize};

use super::people::PersonTexts;
use super::{Int, Text};

/// 1037, and 1036 with `lib_ids`.
#[derive(Deserialize)]
pub(crate) struct QueryRecords {
    #[serde(default, deserialize_with = "optional_int")]
    pub(crate) channel: Option<Int>,
    pub(crate) lib_name: Option<Text>,
    #[serde(default, deserialize_with = "optional_int")]
    pub(crate) lib_type: Option<Int>,
    pub(crate) lib_ids: Option<Text>,
    pub(crate) start_time: Option<Text>,
    pub(crate) stop_time: Option<Text>,
    #[serde(default, deserialize_with = "optional_int")]
    pub(crate) start_no: Option<Int>,
    #[serde(default, deserialize_with = "optional_int")]
    pub(crate) qry_len: Option<Int>,
}

/// The eight attributes of appendix B.
#[derive(Serialize)]
pub(crate) struct FaceAttr {
    pub(crate) cap_style: &'static str,
    pub(crate) gender_code: &'static str,
    pub(crate) glass_style: &'static str,
    pub(crate) mustache_style: &'static str,
    pub(crate) respirator_color: &'static str,
    pub(crate) st_age: &'static str,
    pub(crate) st_age_value: String,
    pub(crate) st_expression: &'static str,
}

/// A row of 1037.
#[derive(Serialize)]
pub(crate) struct Snap {
    pub(crate) camera_name: String,
    pub(crate) channel: u32,
    pub(crate) face_attr: FaceAttr,
    #[serde(flatten)]
    pub(crate) library: MatchedLib,
    pub(crate) position: String,
    pub(crate) ranking: i64,
    pub(crate) similarity: i64,
    pub(crate) snap_id: String,
    pub(crate) snap_path: String,
    pub(crate) threshold: u8,
    pub(crate) trigger: String,
}

/// The library of a match; -1 and empty text without one.
#[derive(Serialize, Clone)]
pub(crate) struct MatchedLib {
    pub(crate) lib_id: i64,
    pub(crate) lib_name: String,
    pub(crate) lib_type: i64,
}

/// A row of 1036.
#[derive(Serialize)]
pub(crate) struct Alarm {
    #[serde(flatten)]
    pub(crate) snap: Snap,
    pub(crate) create_time: String,
    pub(crate) img_id: String,
    pub(crate) img_path: String,
    #[serde(flatten)]
    pub(crate) person: PersonTexts,
}
