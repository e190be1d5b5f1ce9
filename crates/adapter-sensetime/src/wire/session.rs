//! 257.

use serde::Deserialize;

use super::Text;

/// 257.
#[derive(Deserialize)]
pub(crate) struct Login {
    pub(crate) user_name: Text,
    pub(crate) user_pwd: Text,
}
