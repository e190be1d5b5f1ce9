//! Permission groups (4.1).

use adapter::lenient::Text;
use serde::{Deserialize, Serialize};

use super::{Bool, Dict};

#[derive(Deserialize)]
pub(crate) struct CreatePermission {
    pub(crate) permission_name: Text,
    pub(crate) description: Text,
    pub(crate) info: Option<Dict>,
}

#[derive(Deserialize)]
pub(crate) struct QueryPermissions {
    pub(crate) permission_name: Option<Text>,
}

#[derive(Deserialize)]
pub(crate) struct DeletePermission {
    pub(crate) permission_name: Text,
    pub(crate) user_recursive_delete: Option<Bool>,
}

#[derive(Deserialize)]
pub(crate) struct UpdatePermission {
    pub(crate) permission_name: Text,
    pub(crate) description: Text,
}

#[derive(Serialize)]
pub(crate) struct PermissionInfo {
    pub(crate) info: Permission,
}

#[derive(Serialize)]
pub(crate) struct Permission {
    /// Only where a group was made (quirk S-PERMID).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<String>,
    pub(crate) name: String,
    pub(crate) description: String,
}

#[derive(Serialize)]
pub(crate) struct Permissions {
    pub(crate) permissions_list: Vec<Permission>,
}

#[derive(Serialize)]
pub(crate) struct PermissionDeleted {
    pub(crate) permission_name: String,
    pub(crate) message: &'static str,
}
