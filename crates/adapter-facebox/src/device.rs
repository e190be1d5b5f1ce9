//! What all requests share.

use std::sync::Arc;
use std::time::Duration;

use adapter::{Sessions, UnprovenBodies, hex_id, platform_terms};
use axum::extract::Request;
use domain::{Appliance, State};
use jiff::tz::TimeZone;
use tokio::sync::Mutex;

/// The adapter's name, also of its state.
pub(crate) const NAME: &str = "facebox";

/// Sessions end after this time without a call.
const SESSION_IDLE: Duration = Duration::from_secs(24 * 3600);

/// How much of a body is read before its session is known, bytes: most requests are shorter.
const FREE_BODY: usize = 16 << 10;
/// Number of larger bodies at a time whose session is not in their first bytes. Each takes at most 4 MiB.
const UNPROVEN_BODIES: usize = 8;
/// How many of them come from one address.
const UNPROVEN_BODIES_PER_ADDRESS: usize = 2;
/// Length of a session id.
const SESSION_LENGTH: usize = 32;

/// What all requests share.
pub(crate) struct Device {
    pub(crate) appliance: Appliance,
    pub(crate) sessions: Sessions,
    /// Bodies whose session is not known yet.
    unproven: Arc<UnprovenBodies>,
    /// Locked while a name or number is checked to be unique in this document and then stored.
    pub(crate) one_at_a_time: Mutex<()>,
}

impl Device {
    pub(crate) fn new(appliance: Appliance) -> Self {
        let sessions = Sessions::new(appliance.clone(), platform_terms(NAME, SESSION_IDLE), hex_id);
        let unproven = UnprovenBodies::new(FREE_BODY, UNPROVEN_BODIES, UNPROVEN_BODIES_PER_ADDRESS);
        Self { appliance, sessions, unproven: Arc::new(unproven), one_at_a_time: Mutex::default() }
    }

    /// The same request with a body that is bounded until the session in it is known: it may be anywhere in the body.
    /// Whoever has a session in the first bytes, wherever it stands there, is not bounded.
    pub(crate) fn bounded(self: &Arc<Self>, request: Request) -> Request {
        let device = Arc::clone(self);
        self.unproven.bound(request, move |start| device.names_session(start))
    }

    /// Whether the id of an open session is among these bytes.
    fn names_session(&self, bytes: &[u8]) -> bool {
        let words = bytes.split(|byte| !byte.is_ascii_hexdigit()).filter(|word| word.len() == SESSION_LENGTH);
        words.filter_map(|word| std::str::from_utf8(word).ok()).any(|word| self.sessions.has(word))
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
