//! 1295, 1296 and 1297.

use serde::{Deserialize, Serialize};

use super::Text;

/// The answer to 1297.
#[derive(Serialize)]
pub(crate) struct Network {
    pub(crate) default_info: DefaultInfo,
    pub(crate) ethernet: Vec<Ethernet>,
}

/// The default port and the name servers.
#[derive(Serialize)]
pub(crate) struct DefaultInfo {
    pub(crate) dns_method: &'static str,
    pub(crate) ethname: String,
    pub(crate) first_dns: String,
    pub(crate) second_dns: String,
}

/// A port.
#[derive(Serialize)]
pub(crate) struct Ethernet {
    pub(crate) ethname: String,
    pub(crate) gateway: String,
    pub(crate) hw_addr: String,
    pub(crate) ip: String,
    pub(crate) ip_method: &'static str,
    pub(crate) ip_version: &'static str,
    pub(crate) netmask: String,
}

/// 1296.
#[derive(Deserialize)]
pub(crate) struct SetNetwork {
    pub(crate) ethname: Text,
    pub(crate) ip: Option<Text>,
    pub(crate) ip_method: Text,
    pub(crate) netmask: Option<Text>,
    pub(crate) gateway: Option<Text>,
    pub(crate) ip_version: Text,
}

/// 1295.
#[derive(Deserialize)]
pub(crate) struct SetDefaultPort {
    pub(crate) dns_method: Text,
    pub(crate) first_dns: Option<Text>,
    pub(crate) second_dns: Option<Text>,
    pub(crate) ethname: Text,
}
