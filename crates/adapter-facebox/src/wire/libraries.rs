//! Libraries (chapter 3).

use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
pub(crate) struct AddLibrary {
    pub(crate) name: String,
    #[serde(rename = "type")]
    pub(crate) kind: Option<i64>,
    pub(crate) remark: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct LibraryKey {
    pub(crate) lib_id: i64,
}

#[derive(Deserialize)]
pub(crate) struct QueryLibraries {
    pub(crate) page_no: i64,
    pub(crate) page_size: i64,
    #[serde(rename = "type")]
    pub(crate) kind: Option<i64>,
    pub(crate) name: Option<String>,
    pub(crate) username: Option<String>,
}

#[derive(Serialize)]
pub(crate) struct LibraryRow {
    pub(crate) lib_id: i64,
    pub(crate) name: String,
    #[serde(rename = "type")]
    pub(crate) kind: i64,
    pub(crate) person_count: u64,
    pub(crate) remark: String,
    pub(crate) create_time: String,
}
