//! What all calls share.

use adapter::Sessions;
use domain::{Appliance, State};
use jiff::tz::TimeZone;
use tokio::sync::Mutex;

use crate::session;

/// The adapter's name, also of its state.
pub(crate) const NAME: &str = "facebox";

/// What all calls share.
pub(crate) struct Core {
    pub(crate) appliance: Appliance,
    pub(crate) sessions: Sessions,
    /// Held while something is checked to be the only one of its name or number in this document and then stored.
    pub(crate) one_at_a_time: Mutex<()>,
}

impl Core {
    pub(crate) fn new(appliance: Appliance) -> Self {
        Self { appliance, sessions: session::sessions(), one_at_a_time: Mutex::default() }
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
