//! Person libraries (chapter 2).

use serde::{Deserialize, Serialize};

use super::{Ids, Int, Text};

#[derive(Deserialize)]
pub(crate) struct AddLibrary {
    pub(crate) lib_name: Text,
}

#[derive(Deserialize)]
pub(crate) struct DeleteLibraries {
    pub(crate) lib_id: Ids,
}

#[derive(Deserialize)]
pub(crate) struct UpdateLibrary {
    pub(crate) lib_id: Int,
    pub(crate) lib_name: Text,
}

#[derive(Deserialize)]
pub(crate) struct ListLibraries {
    pub(crate) lib_name: Option<Text>,
    pub(crate) page: Int,
    pub(crate) pagesize: Int,
}

#[derive(Serialize)]
pub(crate) struct LibraryId {
    pub(crate) lib_id: i64,
}

#[derive(Serialize)]
pub(crate) struct Libraries {
    pub(crate) total: u64,
    pub(crate) list: Vec<LibraryRow>,
}

#[derive(Serialize)]
pub(crate) struct LibraryRow {
    pub(crate) lib_id: i64,
    pub(crate) lib_name: String,
}
