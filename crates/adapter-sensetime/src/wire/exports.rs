//! 1038 to 1043, 1047 and 1048.

use adapter::lenient::optional_int;
use serde::{Deserialize, Serialize};

use super::{Int, Text};

/// 1038.
#[derive(Deserialize)]
pub(crate) struct ExportFaces {
    pub(crate) lib_id: Int,
    #[serde(default, deserialize_with = "optional_int")]
    pub(crate) start_no: Option<Int>,
    #[serde(default, deserialize_with = "optional_int")]
    pub(crate) qry_len: Option<Int>,
}

/// 1041.
#[derive(Deserialize)]
pub(crate) struct SelectedFaces {
    pub(crate) lib_id: Int,
    pub(crate) img_ids: Text,
}

/// 1042, 1043 and 1047.
#[derive(Deserialize)]
pub(crate) struct SelectedSnaps {
    pub(crate) snap_ids: Text,
}

/// The answer to 1038, 1039, 1040 and 1048.
#[derive(Serialize)]
pub(crate) struct PageExport {
    pub(crate) export_url: String,
    pub(crate) result_num: usize,
    pub(crate) total_num: u64,
}

/// The answer to 1041, 1042, 1043 and 1047.
#[derive(Serialize)]
pub(crate) struct SelectionExport {
    pub(crate) export_url: String,
    pub(crate) failed_img_ids: String,
    pub(crate) result_num: usize,
    pub(crate) total_num: usize,
}
