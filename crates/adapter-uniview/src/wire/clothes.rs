//! Libraries and pictures of work clothes (chapters 7 and 8).

use serde::{Deserialize, Serialize};

use super::{Ids, Int, Text, Texts, optional_int};

#[derive(Deserialize)]
pub(crate) struct AddLibrary {
    pub(crate) lib_name: Text,
}

#[derive(Deserialize)]
pub(crate) struct RenameLibrary {
    pub(crate) lib_id: Int,
    pub(crate) lib_name: Text,
}

/// One id; a list of one is taken too (quirk "2.2 against 7.3").
#[derive(Deserialize)]
pub(crate) struct DeleteLibrary {
    pub(crate) lib_id: Ids,
}

#[derive(Deserialize)]
pub(crate) struct ListLibraries {
    pub(crate) lib_name: Option<Text>,
    pub(crate) page: Int,
    pub(crate) pagesize: Int,
}

#[derive(Deserialize)]
pub(crate) struct AddPicture {
    pub(crate) lib_id: Int,
    pub(crate) image_base64: String,
}

#[derive(Deserialize)]
pub(crate) struct AddPictures {
    pub(crate) lib_id: Int,
    pub(crate) image_base64: Texts,
}

#[derive(Deserialize)]
pub(crate) struct DeletePictures {
    pub(crate) lib_id: Int,
    pub(crate) workclothes_id_list: Ids,
}

#[derive(Deserialize)]
pub(crate) struct ListPictures {
    pub(crate) lib_id: Int,
    pub(crate) page: Int,
    pub(crate) pagesize: Int,
    #[serde(default, deserialize_with = "optional_int")]
    pub(crate) model_status: Option<Int>,
    /// Another name of `model_status` (quirk "3.5 and 8.4").
    #[serde(default, deserialize_with = "optional_int")]
    pub(crate) modeling_type: Option<Int>,
}

#[derive(Serialize)]
pub(crate) struct LibraryId {
    pub(crate) lib_id: i64,
}

#[derive(Serialize)]
pub(crate) struct Libraries {
    pub(crate) total: u64,
    pub(crate) workcloth_lib_list: Vec<LibraryRow>,
}

#[derive(Serialize)]
pub(crate) struct LibraryRow {
    pub(crate) lib_id: i64,
    pub(crate) lib_name: String,
    pub(crate) create_time: i64,
}

#[derive(Serialize)]
pub(crate) struct PictureId {
    pub(crate) workclothes_id: i64,
}

#[derive(Serialize)]
pub(crate) struct PictureIds {
    pub(crate) workclothes_id: Vec<i64>,
    pub(crate) fail_list: Vec<Failure>,
}

#[derive(Serialize)]
pub(crate) struct Failure {
    pub(crate) index: usize,
    pub(crate) reason: &'static str,
}

#[derive(Serialize)]
pub(crate) struct Pictures {
    pub(crate) total: u64,
    pub(crate) workclothes_list: Vec<PictureRow>,
}

#[derive(Serialize)]
pub(crate) struct PictureRow {
    pub(crate) lib_id: i64,
    pub(crate) workclothes_id: i64,
    pub(crate) image_path: String,
    pub(crate) create_time: i64,
    pub(crate) model_status: u8,
}
