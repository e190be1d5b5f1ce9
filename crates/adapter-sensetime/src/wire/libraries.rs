//! 1025 to 1028 and 1034.

use adapter::lenient::optional_int;
use serde::{Deserialize, Serialize};

use super::{Int, Text};

/// 1025.
#[derive(Deserialize)]
pub(crate) struct AddLib {
    pub(crate) lib_name: Text,
    pub(crate) lib_type: Int,
}

/// 1026.
#[derive(Deserialize)]
pub(crate) struct DeleteLib {
    pub(crate) lib_id: Int,
}

/// 1027.
#[derive(Deserialize)]
pub(crate) struct UpdateLib {
    pub(crate) lib_id: Int,
    pub(crate) lib_name: Text,
    pub(crate) lib_type: Int,
}

/// 1034.
#[derive(Deserialize)]
pub(crate) struct QueryLibs {
    #[serde(default, deserialize_with = "optional_int")]
    pub(crate) start_no: Option<Int>,
    #[serde(default, deserialize_with = "optional_int")]
    pub(crate) qry_len: Option<Int>,
    #[serde(default, deserialize_with = "optional_int")]
    pub(crate) lib_id: Option<Int>,
    pub(crate) lib_name: Option<Text>,
    #[serde(default, deserialize_with = "optional_int")]
    pub(crate) lib_type: Option<Int>,
}

/// The answer to 1025 and 1027.
#[derive(Serialize)]
pub(crate) struct LibKey {
    pub(crate) lib_id: i64,
    pub(crate) lib_name: String,
}

/// A row of 1028 and 1034.
#[derive(Serialize)]
pub(crate) struct Lib {
    pub(crate) create_time: String,
    pub(crate) lib_id: i64,
    pub(crate) lib_name: String,
    pub(crate) lib_type: i64,
    pub(crate) picture_no: u64,
    pub(crate) update_time: String,
}
