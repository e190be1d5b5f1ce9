//! The sections of what is served over HTTP: the console and the vendor interfaces.

use std::net::SocketAddr;

use serde::Deserialize;

use super::shapes;

/// The port of HTTPS while a platform has switched to it and the file names none.
const SWITCHED_PORT: u16 = 8443;

/// What becomes of logins in clear from other machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Clear {
    /// They are refused.
    #[default]
    Refuse,
    /// They are accepted; anyone on the path can read the password.
    Allow,
}

/// Where a section is reached. Sections with the same `listen` share a listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// The name of the section.
    pub(crate) section: &'static str,
    pub(crate) listen: SocketAddr,
    /// Where it is always served over HTTPS too.
    pub(crate) https: Option<SocketAddr>,
    /// Where it is served over HTTPS alone, while a platform wants that.
    pub(crate) switched: Option<SocketAddr>,
    pub(crate) clear: Clear,
}

impl Place {
    /// Whether other machines can reach it.
    pub(crate) fn is_open(&self) -> bool {
        !self.listen.ip().to_canonical().is_loopback()
    }

    /// Whether it has the listener of another section.
    pub(crate) fn shares_with(&self, other: &Self) -> bool {
        self.listen == other.listen && self.listen.port() != 0
    }
}

/// Where HTTPS is served with this setting of a section.
fn switched(listen: SocketAddr, https: Option<SocketAddr>) -> SocketAddr {
    https.unwrap_or_else(|| SocketAddr::new(listen.ip(), SWITCHED_PORT))
}

#[derive(Debug, Deserialize)]
#[serde(default)]
pub(crate) struct Console {
    #[serde(deserialize_with = "shapes::listen")]
    pub(crate) listen: SocketAddr,
    #[serde(deserialize_with = "shapes::optional_listen")]
    pub(crate) listen_https: Option<SocketAddr>,
    pub(crate) clear: Clear,
}

impl Default for Console {
    fn default() -> Self {
        let listen = SocketAddr::from(([127, 0, 0, 1], 8000));
        Self { listen, listen_https: None, clear: Clear::default() }
    }
}

impl Console {
    pub(crate) fn place(&self) -> Place {
        let Self { listen, listen_https: https, clear } = *self;
        Place { section: "console", listen, https, switched: None, clear }
    }
}

#[derive(Debug, Deserialize)]
#[serde(default)]
pub(crate) struct SenseTime {
    pub(crate) enabled: bool,
    #[serde(deserialize_with = "shapes::listen")]
    pub(crate) listen: SocketAddr,
    #[serde(deserialize_with = "shapes::optional_listen")]
    pub(crate) listen_https: Option<SocketAddr>,
    pub(crate) clear: Clear,
    /// The former place of `device.channels`.
    pub(crate) channels: Option<u32>,
    /// Whether pictures are served without a session.
    pub(crate) open_pictures: bool,
}

impl Default for SenseTime {
    fn default() -> Self {
        Self {
            enabled: false,
            listen: SocketAddr::from(([0, 0, 0, 0], 8080)),
            listen_https: None,
            clear: Clear::default(),
            channels: None,
            open_pictures: false,
        }
    }
}

impl SenseTime {
    pub(crate) fn place(&self) -> Place {
        let Self { listen, listen_https: https, clear, .. } = *self;
        Place { section: "sensetime", listen, https, switched: Some(switched(listen, https)), clear }
    }
}

/// A vendor's interface that only has to be reached.
#[derive(Debug, Deserialize)]
#[serde(default)]
pub(crate) struct Interface {
    pub(crate) enabled: bool,
    #[serde(deserialize_with = "shapes::listen")]
    pub(crate) listen: SocketAddr,
    #[serde(deserialize_with = "shapes::optional_listen")]
    pub(crate) listen_https: Option<SocketAddr>,
    pub(crate) clear: Clear,
}

impl Default for Interface {
    fn default() -> Self {
        let listen = SocketAddr::from(([0, 0, 0, 0], 8080));
        Self { enabled: false, listen, listen_https: None, clear: Clear::default() }
    }
}

impl Interface {
    pub(crate) fn place(&self, section: &'static str) -> Place {
        let Self { listen, listen_https: https, clear, .. } = *self;
        Place { section, listen, https, switched: None, clear }
    }
}

#[cfg(test)]
mod tests {
    use crate::config::tests::config;

    #[test]
    fn a_default_configuration_opens_nothing_to_other_machines() {
        let places = config("").places();
        assert_eq!(places.iter().map(|place| place.section).collect::<Vec<_>>(), ["console"]);
        assert!(places.iter().all(|place| !place.is_open() && place.https.is_none()));
    }

    #[test]
    fn the_address_of_a_switch_is_beside_that_of_http() {
        let switched = |text| config(text).sensetime.place().switched.unwrap().to_string();
        assert_eq!(switched("[sensetime]\nlisten = \"127.0.0.1:80\""), "127.0.0.1:8443");
        assert_eq!(switched("[sensetime]\nlisten_https = \"[::]:443\""), "[::]:443");
    }
}
