//! People (4.3).

use adapter::lenient::{Int, Text};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Bool, Dict, Names, Texts};

#[derive(Deserialize)]
pub(crate) struct CreatePerson {
    pub(crate) identity_id: Text,
    pub(crate) reg_photo: String,
    pub(crate) group_name: Names,
    pub(crate) ignore_exist: Option<Bool>,
    #[serde(alias = "create_no_exist_permission")]
    pub(crate) create_no_exit_permission: Option<Bool>,
    pub(crate) info: Dict,
}

#[derive(Deserialize)]
pub(crate) struct QueryPeople {
    pub(crate) identity_id: Option<Text>,
    pub(crate) group_name: Option<Text>,
    pub(crate) limit: Option<Int>,
    pub(crate) skip_num: Option<Int>,
}

#[derive(Deserialize)]
pub(crate) struct UpdatePerson {
    pub(crate) identity_id: Text,
    pub(crate) reg_photo: Option<String>,
    pub(crate) info: Dict,
}

#[derive(Deserialize)]
pub(crate) struct DeletePerson {
    pub(crate) identity_id: Text,
}

/// The keys of `info` that mean something to the device; the others are kept as they are.
#[derive(Deserialize)]
pub(crate) struct Info {
    pub(crate) name: Option<Text>,
    #[serde(rename = "type")]
    pub(crate) kind: Option<Int>,
    pub(crate) permission_ids: Option<Texts>,
}

/// What is told of a person.
#[derive(Serialize)]
pub(crate) struct PersonInfo {
    pub(crate) name: String,
    #[serde(rename = "type")]
    pub(crate) kind: u8,
    pub(crate) permission_ids: Vec<String>,
    pub(crate) user_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) image_id: Option<String>,
    /// What else was stored.
    #[serde(flatten)]
    pub(crate) more: Map<String, Value>,
}

#[derive(Serialize)]
pub(crate) struct PersonCreated {
    pub(crate) identity_id: String,
    /// Always empty (quirk S-REGPHOTO).
    pub(crate) reg_photo: &'static str,
    pub(crate) group_name: String,
    pub(crate) info: PersonInfo,
}

#[derive(Serialize)]
pub(crate) struct PersonRow {
    pub(crate) identity_id: String,
    pub(crate) reg_photo: String,
    pub(crate) group_name: Vec<String>,
    pub(crate) info: PersonInfo,
}

#[derive(Serialize)]
pub(crate) struct People {
    pub(crate) identities_list: Vec<PersonRow>,
}

#[derive(Serialize)]
pub(crate) struct PersonUpdated {
    pub(crate) identity_id: String,
    pub(crate) image_id: String,
    pub(crate) group_name: Vec<String>,
    pub(crate) info: PersonInfo,
}

#[derive(Serialize)]
pub(crate) struct PersonDeleted {
    pub(crate) identity_id: String,
    pub(crate) group_name: Vec<String>,
    pub(crate) message: &'static str,
}
