//! 1029 to 1033, 1035, 1044, 1051 and 1052.

use adapter::lenient::optional_int;
use serde::{Deserialize, Serialize};

use super::{Int, Text};

/// A picture inside a JSON body.
#[derive(Deserialize)]
pub(crate) struct PictureFile {
    /// In a batch it describes the person in the picture.
    pub(crate) filename: Text,
    /// base64, with or without a data-URI prefix.
    pub(crate) data: String,
}

/// 1029 and 1051, beside the picture and [`PersonFields`].
#[derive(Deserialize)]
pub(crate) struct AddFace {
    pub(crate) lib_id: Int,
    pub(crate) img_id: Option<Text>,
}

/// The fields of a person. They are read separately, because the error of a flattened field would not name it.
#[derive(Deserialize, Default, Debug, PartialEq)]
pub(crate) struct PersonFields {
    pub(crate) person_idcard: Option<Text>,
    pub(crate) person_name: Option<Text>,
    pub(crate) person_gender: Option<Text>,
    pub(crate) person_age: Option<Text>,
    pub(crate) person_addr: Option<Text>,
}

/// 1031 and 1032.
#[derive(Deserialize)]
pub(crate) struct FaceKey {
    pub(crate) img_id: Text,
    pub(crate) lib_id: Int,
}

/// 1033, beside [`PersonFields`].
#[derive(Deserialize)]
pub(crate) struct UpdateFace {
    pub(crate) img_id: Text,
    pub(crate) lib_id: Int,
}

/// 1030 and 1052, beside the pictures.
#[derive(Deserialize)]
pub(crate) struct AddFaces {
    pub(crate) lib_id: Int,
    pub(crate) uuid: Text,
}

/// 1044.
#[derive(Deserialize)]
pub(crate) struct DeleteFaces {
    pub(crate) lib_id: Int,
    pub(crate) img_ids: Text,
}

/// 1035, beside [`PersonFields`].
#[derive(Deserialize)]
pub(crate) struct QueryFaces {
    pub(crate) lib_id: Int,
    #[serde(default, deserialize_with = "optional_int")]
    pub(crate) start_no: Option<Int>,
    #[serde(default, deserialize_with = "optional_int")]
    pub(crate) qry_len: Option<Int>,
    pub(crate) create_time: Option<Text>,
    pub(crate) fuzzy_key: Option<Text>,
}

/// The answer to 1029 and 1051.
#[derive(Serialize)]
pub(crate) struct FaceAdded {
    pub(crate) img_id: String,
}

/// The answer to 1030 and 1052.
#[derive(Serialize)]
pub(crate) struct BatchAdded {
    pub(crate) url: String,
    pub(crate) err_count: usize,
}

/// The answer to 1033.
#[derive(Serialize)]
pub(crate) struct FaceUpdated {
    pub(crate) img_id: String,
    pub(crate) lib_id: i64,
}

/// A person in answers and pushes; empty text for what is not known.
#[derive(Serialize, Default)]
pub(crate) struct PersonTexts {
    pub(crate) person_addr: String,
    pub(crate) person_age: String,
    pub(crate) person_gender: String,
    pub(crate) person_idcard: String,
    pub(crate) person_name: String,
}

/// A row of 1035.
#[derive(Serialize)]
pub(crate) struct FaceRow {
    pub(crate) create_time: String,
    pub(crate) img_id: String,
    pub(crate) img_path: String,
    pub(crate) lib_id: i64,
    #[serde(flatten)]
    pub(crate) person: PersonTexts,
}

/// The answer to 1032.
#[derive(Serialize)]
pub(crate) struct FaceDetails {
    #[serde(flatten)]
    pub(crate) row: FaceRow,
    pub(crate) img: String,
    pub(crate) img_feat: String,
}
