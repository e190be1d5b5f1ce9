//! 1537 to 1539.

use serde::{Deserialize, Serialize};

use super::{Int, Text};

/// 1538.
#[derive(Deserialize)]
pub(crate) struct AddRelay {
    pub(crate) camera_channel: Int,
    pub(crate) dev_ip: Text,
    pub(crate) dev_port: Int,
    pub(crate) dev_name: Option<Text>,
    pub(crate) dev_tag: Option<Text>,
}

/// 1539.
#[derive(Deserialize)]
pub(crate) struct DeleteRelay {
    pub(crate) id: Int,
}

/// The answer to 1538.
#[derive(Serialize)]
pub(crate) struct RelayRow {
    pub(crate) id: i64,
    pub(crate) camera_channel: u32,
    pub(crate) camera_name: String,
    pub(crate) dev_ip: String,
    pub(crate) dev_port: u16,
    pub(crate) dev_name: String,
    pub(crate) dev_tag: String,
    pub(crate) dev_type: &'static str,
}

/// A row of 1537.
#[derive(Serialize)]
pub(crate) struct ListedRelay {
    #[serde(flatten)]
    pub(crate) row: RelayRow,
    /// 0 offline, 1 online.
    pub(crate) work_status: u8,
}
