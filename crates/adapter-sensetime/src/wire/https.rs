//! 1302 to 1306.

use serde::{Deserialize, Serialize};

use super::Text;

/// 1302 and 1303.
#[derive(Deserialize)]
pub(crate) struct HttpsFile {
    pub(crate) file_type: Text,
}

/// The answer to 1304: names, never the contents.
#[derive(Serialize)]
pub(crate) struct HttpsFiles {
    pub(crate) https_cert: String,
    pub(crate) https_key: String,
}

/// 1305.
#[derive(Deserialize)]
pub(crate) struct SwitchHttps {
    pub(crate) prot_mode: Text,
}

/// The answer to 1306.
#[derive(Serialize)]
pub(crate) struct HttpsState {
    pub(crate) https_stat: &'static str,
}
