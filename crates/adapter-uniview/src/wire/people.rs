//! People (chapter 3).

use serde::{Deserialize, Serialize};

use super::{Ids, Int, Text, optional_int};

#[derive(Deserialize)]
pub(crate) struct AddPerson {
    pub(crate) lib_id: Int,
    pub(crate) person_name: Text,
    pub(crate) image_base64: String,
    #[serde(flatten)]
    pub(crate) details: Details,
}

/// What may be known of a person besides the name.
#[derive(Deserialize)]
pub(crate) struct Details {
    pub(crate) sex: Option<Int>,
    pub(crate) email: Option<Text>,
    pub(crate) tel: Option<Text>,
    pub(crate) certificate_type: Option<Int>,
    pub(crate) certificate_no: Option<Text>,
    pub(crate) birth_date: Option<Text>,
}

/// The entries are read one by one: a bad one does not stop the others.
#[derive(Deserialize)]
pub(crate) struct ImportPeople {
    pub(crate) person_list: Vec<super::Fields>,
}

#[derive(Deserialize)]
pub(crate) struct DeletePeople {
    pub(crate) person_id_list: Ids,
}

#[derive(Deserialize)]
pub(crate) struct UpdatePerson {
    pub(crate) person_id: Int,
    pub(crate) person_name: Option<Text>,
    pub(crate) image_base64: Option<String>,
    #[serde(flatten)]
    pub(crate) details: Details,
}

#[derive(Deserialize)]
pub(crate) struct ListPeople {
    pub(crate) lib_id: Int,
    pub(crate) page: Int,
    pub(crate) pagesize: Int,
    pub(crate) person_name: Option<Text>,
    #[serde(default, deserialize_with = "optional_int")]
    pub(crate) sex: Option<Int>,
    pub(crate) certificate_no: Option<Text>,
    #[serde(default, deserialize_with = "optional_int")]
    pub(crate) model_status: Option<Int>,
    /// Another name of `model_status` (quirk "3.5 and 8.4").
    #[serde(default, deserialize_with = "optional_int")]
    pub(crate) modeling_type: Option<Int>,
}

#[derive(Serialize)]
pub(crate) struct PersonId {
    pub(crate) person_id: i64,
}

#[derive(Serialize)]
pub(crate) struct Failures {
    pub(crate) fail_list: Vec<String>,
}

#[derive(Serialize)]
pub(crate) struct People {
    pub(crate) total: u64,
    pub(crate) list: Vec<PersonRow>,
}

#[derive(Serialize)]
pub(crate) struct PersonRow {
    pub(crate) person_id: i64,
    pub(crate) person_name: String,
    pub(crate) sex: u8,
    pub(crate) email: String,
    pub(crate) tel: String,
    pub(crate) modeling_type: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) certificate_type: Option<u8>,
    pub(crate) certificate_no: String,
    pub(crate) image_path: String,
    pub(crate) lib_id: i64,
    pub(crate) birth_date: String,
    pub(crate) create_time: i64,
}
