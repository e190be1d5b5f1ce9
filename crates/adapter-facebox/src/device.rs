//! What all requests share.

use std::time::Duration;

use adapter::{Sessions, hex_id, platform_terms};
use domain::{Appliance, State};
use jiff::tz::TimeZone;
use tokio::sync::Mutex;

/// The adapter's name, also of its state.
pub(crate) const NAME: &str = "facebox";

/// Sessions end after this time without a call.
const SESSION_IDLE: Duration = Duration::from_secs(24 * 3600);

/// What all requests share.
pub(crate) struct Device {
    pub(crate) appliance: Appliance,
    pub(crate) sessions: Sessions,
    /// Locked while a name or number is checked to be unique in this document and then stored.
    pub(crate) one_at_a_time: Mutex<()>,
}

impl Device {
    pub(crate) fn new(appliance: Appliance) -> Self {
        let sessions = Sessions::new(appliance.clone(), platform_terms(NAME, SESSION_IDLE), hex_id);
        Self { appliance, sessions, one_at_a_time: Mutex::default() }
    }

    /// The adapter's durable values.
    pub(crate) fn state(&self) -> State {
        self.appliance.state(NAME)
    }

    /// The device's time zone.
    pub(crate) fn zone(&self) -> TimeZone {
        self.appliance.time_zone()
    }
}
