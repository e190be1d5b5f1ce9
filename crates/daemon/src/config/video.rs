//! What platforms and operators may make a camera of.

use std::path::PathBuf;

use ipnet::IpNet;
use serde::Deserialize;

use super::shapes;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Video {
    /// Folders below which files count as cameras.
    pub(crate) file_folders: Vec<PathBuf>,
    /// Cameras that may get their password in clear.
    #[serde(deserialize_with = "shapes::networks")]
    pub(crate) clear_logins: Vec<IpNet>,
    /// Whether each camera is decoded in a process of its own, which can do nothing else.
    pub(crate) decoder_process: bool,
}
