//! Platforms (chapter 12).

use serde::{Deserialize, Serialize};

use super::{Int, Text};

#[derive(Deserialize)]
pub(crate) struct UpdateDocking {
    pub(crate) platform: Vec<UpdatePlatform>,
    #[serde(default)]
    pub(crate) time_conf: Option<Vec<UpdateInterval>>,
}

#[derive(Deserialize)]
pub(crate) struct UpdatePlatform {
    pub(crate) id: Int,
    pub(crate) version_code: Text,
    pub(crate) enabled: Int,
    pub(crate) url: Text,
    pub(crate) picture_enable: Int,
    pub(crate) video_enable: Int,
    pub(crate) http_alive: Int,
    pub(crate) alive_interval: Int,
    pub(crate) channel_enable: Int,
}

#[derive(Deserialize, Clone, Copy)]
pub(crate) struct UpdateInterval {
    pub(crate) channel_id: Int,
    pub(crate) interval: Int,
    pub(crate) enable: Int,
}

#[derive(Serialize)]
pub(crate) struct Docking {
    pub(crate) time_conf: Vec<IntervalRow>,
    pub(crate) platform: Vec<PlatformRow>,
}

#[derive(Serialize)]
pub(crate) struct PlatformRow {
    pub(crate) id: u8,
    pub(crate) version_code: String,
    pub(crate) enabled: u8,
    pub(crate) url: String,
    pub(crate) picture_enable: u8,
    pub(crate) video_enable: u8,
    pub(crate) http_alive: u8,
    pub(crate) alive_interval: u16,
    pub(crate) channel_enable: u8,
}

#[derive(Serialize)]
pub(crate) struct IntervalRow {
    pub(crate) channel_id: u32,
    pub(crate) interval: u16,
    pub(crate) enable: u8,
    pub(crate) channel_name: String,
}

#[derive(Serialize)]
pub(crate) struct Ability {
    pub(crate) list: [Version; 2],
}

#[derive(Serialize)]
pub(crate) struct Version {
    pub(crate) version_code: &'static str,
    pub(crate) version_name: &'static str,
}
