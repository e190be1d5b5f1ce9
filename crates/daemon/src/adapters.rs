//! The adapters of this build: the one place that names them all.

use std::net::SocketAddr;
use std::sync::Arc;

use adapter::{Adapter, Encryption, ExportLimits, Exports, Health, Outbound};
use adapter_facebox::FaceBox;
use adapter_sensetime::SenseTime;
use adapter_sophon::Sophon;
use adapter_terminal::{Pace, Terminal};
use adapter_uniview::Uniview;
use anyhow::{Context, Result};
use domain::Appliance;

use crate::config::{Config, Place};

/// An adapter and where it is reached.
pub(crate) struct Enabled {
    pub(crate) adapter: Arc<dyn Adapter>,
    /// `None` for one that only makes outbound calls.
    pub(crate) place: Option<Place>,
    /// By which the adapter switches its listener to HTTPS.
    pub(crate) switch: Option<Encryption>,
    /// A socket of another protocol that it serves itself: its name and address.
    pub(crate) other: Option<(&'static str, SocketAddr)>,
}

impl Enabled {
    /// An adapter that is served at this place.
    pub(crate) fn served(adapter: Arc<dyn Adapter>, place: Place) -> Self {
        Self { adapter, place: Some(place), switch: None, other: None }
    }
}

/// Builds every adapter that the configuration enables.
pub(crate) fn enabled(
    config: &Config,
    appliance: &Appliance,
    outbound: &Outbound,
    health: &Arc<Health>,
) -> Result<Vec<Enabled>> {
    let mut adapters = Vec::new();
    if config.sensetime.enabled {
        let sip_default_password = config.sip.allows_default_password();
        let settings = adapter_sensetime::Config { channels: config.channels(), sip_default_password };
        if sip_default_password {
            health.raise("sip.default_password", "cameras may log in with a password that a vendor's document prints");
        }
        let exports = exports(config, "sensetime")?;
        let encryption = Encryption::new(config.storage.dir.join("tls").join("sensetime"));
        let open_pictures = config.sensetime.open_pictures;
        if open_pictures {
            health.raise("sensetime.open_pictures", "pictures of people are served without a login");
        }
        let adapter = SenseTime::new(settings, appliance.clone(), outbound.clone(), exports, encryption.clone());
        let adapter = Arc::new(adapter.with_open_pictures(open_pictures));
        adapters.push(Enabled { switch: Some(encryption), ..Enabled::served(adapter, config.sensetime.place()) });
    }
    if config.terminal.enabled {
        let (settings, pace) = (config.terminal.settings(), Pace::default());
        let adapter = Terminal::new(settings, pace, appliance.clone(), outbound.clone(), Arc::clone(health))?;
        adapters.push(Enabled { adapter: Arc::new(adapter), place: None, switch: None, other: None });
    }
    if config.facebox.enabled {
        let adapter = Arc::new(FaceBox::new(appliance.clone()));
        adapters.push(Enabled::served(adapter, config.facebox.place("facebox")));
    }
    if config.uniview.enabled {
        let key_file = config.storage.dir.join("keys").join("uniview.pem");
        let settings = adapter_uniview::Config { channels: config.channels(), key_file };
        let adapter = Arc::new(Uniview::new(settings, appliance.clone(), outbound.clone()));
        adapters.push(Enabled::served(adapter, config.uniview.place("uniview")));
    }
    if config.sophon.enabled {
        let settings = config.sophon.settings()?;
        let ftp = settings.ftp.as_ref().map(|ftp| ftp.listener.local_addr()).transpose();
        let other = ftp.context("an FTP socket without an address")?.map(|address| ("sophon-ftp", address));
        let adapter = Arc::new(Sophon::new(settings, appliance.clone(), outbound.clone()));
        adapters.push(Enabled { other, ..Enabled::served(adapter, config.sophon.place()) });
    }
    Ok(adapters)
}

/// Passwords of cameras that documents print; none where the owner allows them.
pub(crate) fn default_sip_passwords(config: &Config) -> Vec<String> {
    let passwords = [adapter_sensetime::SIP_PASSWORD.to_owned()];
    if config.sip.allows_default_password() { Vec::new() } else { passwords.into() }
}

/// The realm that passwords are hashed for beside everything else; none unless an adapter with digest logins is enabled.
pub(crate) fn digest_realm(config: &Config) -> Option<&'static str> {
    config.uniview.enabled.then_some(adapter_uniview::REALM)
}

/// The folder of an adapter's downloads.
fn exports(config: &Config, adapter: &str) -> Result<Exports> {
    let dir = config.storage.dir.join("exports").join(adapter);
    Exports::open(dir, ExportLimits::default()).context("no folder for downloads")
}
