//! The device among SIP servers (GB/T 28181).

use std::net::SocketAddr;

use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(default)]
pub(crate) struct Sip {
    /// The device's id: 20 digits.
    pub(crate) id: String,
    /// Where cameras log in; opened when the first such camera is added.
    #[serde(deserialize_with = "super::shapes::listen")]
    pub(crate) listen: SocketAddr,
    /// Whether cameras may log in with a password that a document prints.
    pub(crate) default_password: DefaultPassword,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum DefaultPassword {
    Refuse,
    Allow,
}

impl Default for Sip {
    fn default() -> Self {
        let video::Sip { id, listen, .. } = video::Sip::default();
        Self { id, listen, default_password: DefaultPassword::Refuse }
    }
}

impl Sip {
    /// Whether cameras may log in with a password that a document prints.
    pub(crate) fn allows_default_password(&self) -> bool {
        self.default_password == DefaultPassword::Allow
    }

    /// Whether the id is one.
    pub(crate) fn is_usable(&self) -> bool {
        self.id.len() == 20 && self.id.bytes().all(|byte| byte.is_ascii_digit())
    }
}
