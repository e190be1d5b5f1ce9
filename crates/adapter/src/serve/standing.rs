//! What a listener knows of the caller of a request.

use std::net::IpAddr;
use std::sync::Arc;

use axum::http::Extensions;
use domain::Appliance;

use super::place::Pulse;

/// The connection of a request. Connections without authentication give way when a listener is full, and do not confirm
/// that the device is reached.
#[derive(Clone, Default)]
pub struct Standing {
    pulse: Option<Arc<Pulse>>,
    /// The local address where it arrived.
    arrival: Option<(Appliance, IpAddr)>,
}

impl Standing {
    /// Of a request, from its extensions. A request not received by [`serve`](super::serve) has none, and nothing is
    /// noted.
    pub fn of(extensions: &Extensions) -> Self {
        extensions.get::<Self>().cloned().unwrap_or_default()
    }

    pub(super) fn new(pulse: Arc<Pulse>) -> Self {
        Self { pulse: Some(pulse), arrival: None }
    }

    /// With the local address where the request arrived.
    pub(super) fn arriving(self, appliance: Appliance, address: IpAddr) -> Self {
        Self { arrival: Some((appliance, address)), ..self }
    }

    /// Notes that the caller is one of those that the listener is for, without proof of who it is.
    pub fn admitted(&self) {
        if let Some(pulse) = &self.pulse {
            pulse.authenticated();
        }
    }

    /// Notes that the caller has proved who it is ([`Appliance::note_arrival`]).
    pub fn authenticated(&self) {
        self.admitted();
        if let Some((appliance, address)) = &self.arrival {
            appliance.note_arrival(*address);
        }
    }
}
