//! Accounts (chapter 1).

use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
pub(crate) struct Login {
    pub(crate) username: String,
    pub(crate) password: String,
}

/// Both values are at the top level and in `info` (quirk "1.1 response").
#[derive(Serialize)]
pub(crate) struct LoggedIn {
    pub(crate) code: u16,
    pub(crate) user_id: i64,
    pub(crate) session: String,
    pub(crate) info: SessionInfo,
    pub(crate) msg: &'static str,
}

/// A failed login; it has `user_id` too (quirk "1.1 failure").
#[derive(Serialize)]
pub(crate) struct LoginRefused {
    pub(crate) code: u16,
    pub(crate) msg: String,
    pub(crate) user_id: i64,
}

#[derive(Serialize)]
pub(crate) struct SessionInfo {
    pub(crate) user_id: i64,
    pub(crate) session: String,
}

#[derive(Deserialize)]
#[serde(try_from = "LooseRegisterUser")]
pub(crate) struct RegisterUser {
    pub(crate) name: String,
    pub(crate) password: String,
    pub(crate) remark: Option<String>,
}

/// The name may be sent as `username` (quirk "lists, name").
#[derive(Deserialize)]
struct LooseRegisterUser {
    name: Option<String>,
    username: Option<String>,
    password: String,
    remark: Option<String>,
}

impl TryFrom<LooseRegisterUser> for RegisterUser {
    type Error = &'static str;

    fn try_from(loose: LooseRegisterUser) -> Result<Self, Self::Error> {
        let LooseRegisterUser { name, username, password, remark } = loose;
        Ok(Self { name: name.or(username).ok_or("missing field `name`")?, password, remark })
    }
}

#[derive(Deserialize)]
#[serde(try_from = "LooseUpdateUser")]
pub(crate) struct UpdateUser {
    pub(crate) user_id: i64,
    pub(crate) name: Option<String>,
    /// The old and the new password.
    pub(crate) password: Option<(String, String)>,
    pub(crate) remark: Option<String>,
}

#[derive(Deserialize)]
struct LooseUpdateUser {
    user_id: i64,
    name: Option<String>,
    username: Option<String>,
    old_password: Option<String>,
    password: Option<String>,
    remark: Option<String>,
}

impl TryFrom<LooseUpdateUser> for UpdateUser {
    type Error = &'static str;

    fn try_from(loose: LooseUpdateUser) -> Result<Self, Self::Error> {
        let LooseUpdateUser { user_id, name, username, old_password, password, remark } = loose;
        let password = match (old_password, password) {
            (Some(old), Some(new)) => Some((old, new)),
            (None, Some(_)) => return Err("missing field `old_password`"),
            (_, None) => None,
        };
        Ok(Self { user_id, name: name.or(username), password, remark })
    }
}

#[derive(Deserialize)]
pub(crate) struct UserKey {
    pub(crate) user_id: i64,
}
