//! The section `[sophon]`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use adapter_sophon::Login;
use ipnet::IpNet;
use serde::Deserialize;

use super::{Clear, Place, Problems, shapes};

/// The least time between two uploads of the history, which the document sets.
const HISTORY_EVERY: Duration = Duration::from_secs(20);
/// The shortest interval between two attempts to reach the platform.
const RETRY_AFTER: Duration = Duration::from_secs(5);

#[derive(Debug, Deserialize)]
#[serde(default)]
pub(crate) struct Sophon {
    pub(crate) enabled: bool,
    #[serde(deserialize_with = "shapes::listen")]
    pub(crate) listen: SocketAddr,
    #[serde(deserialize_with = "shapes::optional_listen")]
    pub(crate) listen_https: Option<SocketAddr>,
    pub(crate) clear: Clear,
    /// Callers from anywhere else are refused.
    #[serde(deserialize_with = "shapes::networks")]
    pub(crate) allow_from: Vec<IpNet>,
    /// What callers must prove beside that; nothing when empty.
    pub(crate) user: String,
    pub(crate) password_file: PathBuf,
    /// Certificates that the one of the platform's broker must come from; those of the machine when empty.
    pub(crate) ca_file: PathBuf,
}

impl Default for Sophon {
    fn default() -> Self {
        let loopback = IpNet::new_assert(IpAddr::V4(Ipv4Addr::new(127, 0, 0, 0)), 8);
        Self {
            enabled: false,
            listen: SocketAddr::from(([0, 0, 0, 0], 5555)),
            listen_https: None,
            clear: Clear::default(),
            allow_from: vec![loopback, IpAddr::V6(Ipv6Addr::LOCALHOST).into()],
            user: String::new(),
            password_file: PathBuf::new(),
            ca_file: PathBuf::new(),
        }
    }
}

impl Sophon {
    pub(crate) fn place(&self) -> Place {
        let Self { listen, listen_https: https, clear, .. } = *self;
        Place { section: "sophon", listen, https, switched: None, clear }
    }

    /// As the adapter has it.
    pub(crate) fn settings(&self) -> anyhow::Result<adapter_sophon::Config> {
        let login = self.login().map_err(|why| anyhow::anyhow!("sophon.password_file: {why}"))?;
        Ok(adapter_sophon::Config {
            allow_from: self.allow_from.clone(),
            login,
            ca_file: (!self.ca_file.as_os_str().is_empty()).then(|| self.ca_file.clone()),
            history_every: HISTORY_EVERY,
            retry_after: RETRY_AFTER,
        })
    }

    /// The login that callers must have, if any; else why the password cannot be read.
    pub(super) fn login(&self) -> Result<Option<Login>, String> {
        if self.user.is_empty() {
            return Ok(None);
        }
        let text = std::fs::read_to_string(&self.password_file);
        let password = text.map_err(|error| format!("the file cannot be read: {error}"))?.trim().to_owned();
        if password.is_empty() {
            return Err("the file is empty".to_owned());
        }
        Ok(Some(Login { user: self.user.clone(), password }))
    }

    pub(super) fn check(&self, problems: &mut Problems<'_>) {
        let both = self.user.is_empty() == self.password_file.as_os_str().is_empty();
        problems.require(both, "sophon.user", "must be set together with password_file");
        problems.require(!self.user.contains(':'), "sophon.user", "must not contain a colon");
    }
}
