//! Configuration (chapter 7).

use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(Deserialize)]
pub(crate) struct UpdateConfig {
    pub(crate) name: String,
    /// A JSON text, or an object (quirk "7.1 config").
    pub(crate) config: Value,
    pub(crate) remark: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct GetConfig {
    pub(crate) name: String,
}

/// The table says `info`, the example `Info`: both (quirk "7.2 info").
#[derive(Serialize)]
pub(crate) struct ConfigAnswer {
    pub(crate) code: u16,
    pub(crate) info: NamedConfig,
    #[serde(rename = "Info")]
    pub(crate) info_again: NamedConfig,
    pub(crate) msg: &'static str,
}

#[derive(Serialize, Clone)]
pub(crate) struct NamedConfig {
    pub(crate) name: String,
    pub(crate) config: String,
}
