//! What all requests and pushes share.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use adapter::{Encryption, Exports, Live, Outbound, Sessions, ShortLived, content_type, decimal_id, platform_terms};
use domain::{Appliance, EntryKind, PictureId, State};
use jiff::tz::TimeZone;
use tokio::sync::watch;

use crate::convert::paths;

/// The adapter's name, also of its state.
pub(crate) const NAME: &str = "sensetime";

/// Sessions end after this time without a call.
const SESSION_IDLE: Duration = Duration::from_secs(30 * 60);
/// The entries of the log that captures are among.
pub(crate) const CAPTURES: &[EntryKind] = &[EntryKind::Record, EntryKind::Behaviour];
/// Maximum number of WebSocket subscribers.
const MAX_SUBSCRIBERS: usize = 32;
/// Maximum size of the temporary pictures kept for download, bytes.
const TEMPORARY_BYTES: usize = 64 << 20;
/// Maximum number of extensions remembered.
const MAX_EXTENSIONS: usize = 8192;

/// How the device presents itself; fixed while it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Config {
    /// Camera channels: 16 (M8s) or 8 (M4s).
    pub channels: u32,
    /// Whether cameras may log in at the device, as their SIP server, with the password that the document prints.
    pub sip_default_password: bool,
}

/// What all requests and pushes share.
pub(crate) struct Device {
    pub(crate) config: Config,
    pub(crate) appliance: Appliance,
    pub(crate) outbound: Outbound,
    pub(crate) sessions: Sessions,
    pub(crate) live: Live,
    pub(crate) temporary: ShortLived,
    pub(crate) exports: Exports,
    pub(crate) encryption: Encryption,
    /// Held while files for HTTPS or the mode change.
    pub(crate) https_order: tokio::sync::Mutex<()>,
    /// Changes when the receiver of pushes is set.
    pub(crate) receiver_changed: watch::Sender<u64>,
    extensions: Mutex<HashMap<PictureId, &'static str>>,
}

impl Device {
    pub(crate) fn new(
        config: Config,
        appliance: Appliance,
        outbound: Outbound,
        exports: Exports,
        encryption: Encryption,
    ) -> Self {
        let sessions = Sessions::new(appliance.clone(), platform_terms(NAME, SESSION_IDLE), decimal_id);
        let copies = exports.clone();
        appliance.on_erasure(move || copies.remove_all());
        Self {
            config,
            appliance,
            outbound,
            sessions,
            live: Live::new(CAPTURES, MAX_SUBSCRIBERS),
            temporary: ShortLived::new(TEMPORARY_BYTES),
            exports,
            encryption,
            https_order: tokio::sync::Mutex::default(),
            receiver_changed: watch::Sender::new(0),
            extensions: Mutex::default(),
        }
    }

    /// The adapter's durable values.
    pub(crate) fn state(&self) -> State {
        self.appliance.state(NAME)
    }

    /// The device's time zone.
    pub(crate) fn zone(&self) -> TimeZone {
        self.appliance.time_zone()
    }

    /// The extension of a stored picture, by its content; `jpg` when it is gone. Pictures never change, so it is
    /// looked up once.
    pub(crate) async fn extension(&self, picture: &PictureId) -> &'static str {
        if let Some(known) = self.lock_extensions().get(picture) {
            return known;
        }
        let Ok(bytes) = self.appliance.picture(picture.clone()).await else { return "jpg" };
        let extension = paths::extension(content_type(&bytes));
        let mut known = self.lock_extensions();
        if known.len() >= MAX_EXTENSIONS {
            known.clear();
        }
        known.insert(picture.clone(), extension);
        extension
    }

    fn lock_extensions(&self) -> std::sync::MutexGuard<'_, HashMap<PictureId, &'static str>> {
        self.extensions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
