//! Groups of faces (4.2), and groups as later clients ask for them.

use adapter::lenient::Text;
use serde::{Deserialize, Serialize};

use super::{Bool, Dict, Numbers};

#[derive(Deserialize)]
pub(crate) struct WriteGroup {
    pub(crate) group_name: Text,
    pub(crate) description: Text,
    pub(crate) info: Option<Dict>,
}

#[derive(Deserialize)]
pub(crate) struct QueryGroups {
    pub(crate) group_name: Option<Text>,
}

#[derive(Deserialize)]
pub(crate) struct DeleteGroup {
    pub(crate) group_name: Text,
    pub(crate) user_recursive_delete: Option<Bool>,
}

#[derive(Deserialize)]
pub(crate) struct GroupUsers {
    pub(crate) group_name: Text,
    pub(crate) identity_id: Numbers,
    pub(crate) with_identity_id: Option<Bool>,
}

#[derive(Serialize)]
pub(crate) struct GroupInfo {
    pub(crate) info: Group,
}

#[derive(Serialize)]
pub(crate) struct Group {
    pub(crate) name: String,
    pub(crate) description: String,
}

#[derive(Serialize)]
pub(crate) struct Groups {
    pub(crate) groups_list: Vec<Group>,
}

#[derive(Serialize)]
pub(crate) struct GroupDeleted {
    pub(crate) group_name: String,
    pub(crate) message: &'static str,
}

#[derive(Serialize)]
pub(crate) struct Members {
    pub(crate) group_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) identity_id: Option<Vec<String>>,
}

/// A query of a later client (`/SophonFace/api/…`).
#[derive(Deserialize)]
pub(crate) struct LaterQuery {
    #[serde(rename = "info.name")]
    pub(crate) name: Option<Text>,
    pub(crate) exact: Option<Bool>,
}

/// A group of faces or permissions as later clients know it.
#[derive(Serialize)]
pub(crate) struct LaterGroup {
    #[serde(rename = "_id")]
    pub(crate) id: String,
    pub(crate) info: Group,
}
