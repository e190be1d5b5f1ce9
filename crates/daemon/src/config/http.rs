//! The section `[http]`: what every HTTP listener has in common.

use adapter::{Limits, TrustedProxies};
use ipnet::IpNet;
use serde::Deserialize;

use super::shapes;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Http {
    /// Reverse proxies whose `X-Forwarded-For` names the caller.
    #[serde(deserialize_with = "shapes::networks")]
    pub(crate) trusted_proxies: Vec<IpNet>,
}

impl Http {
    /// The limits of a listener.
    pub(crate) fn limits(&self) -> Limits {
        Limits { trusted_proxies: TrustedProxies::new(self.trusted_proxies.clone()), ..Limits::default() }
    }
}
