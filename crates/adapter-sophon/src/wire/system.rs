//! Wiping (4.5.4), and how the platform is found (8).

use adapter::lenient::Text;
use serde::{Deserialize, Serialize};

use super::{Bool, Dict};

#[derive(Deserialize)]
pub(crate) struct WipeData {
    pub(crate) wipe_options: Dict,
}

#[derive(Deserialize)]
pub(crate) struct WipeOptions {
    pub(crate) users: Bool,
    pub(crate) events: Bool,
}

/// What was wiped.
#[derive(Serialize, Clone, Copy)]
pub(crate) struct Wiped {
    pub(crate) wipe_options: Options,
}

#[derive(Serialize, Clone, Copy)]
pub(crate) struct Options {
    pub(crate) users: bool,
    pub(crate) events: bool,
}

#[derive(Deserialize)]
pub(crate) struct SetDevSno {
    pub(crate) dev_sno: Text,
}

#[derive(Deserialize)]
pub(crate) struct SetLoginUrl {
    pub(crate) login_url: Text,
}

/// The value now set.
#[derive(Serialize)]
pub(crate) struct Set {
    pub(crate) response: String,
}

/// Under both of its names (quirk S-PAGE81).
#[derive(Serialize)]
pub(crate) struct DevSno {
    pub(crate) dev_sno: String,
    pub(crate) response: String,
}

/// Under both of its names (quirk S-PAGE82).
#[derive(Serialize)]
pub(crate) struct LoginUrl {
    pub(crate) login_url: String,
    pub(crate) response: String,
}
