//! Counts passes of recognised people and reports known people to the doors.

use std::sync::Arc;

use tokio::sync::broadcast;

use crate::error::Result;
use crate::ids::{CameraId, PersonId};
use crate::ports::{PersonStore, Ports};
use crate::settings::CurrentSettings;
use crate::similarity::Similarity;
use crate::time::Timestamp;

/// Maximum number of arrivals waiting for the doors; beyond that the oldest is dropped.
const WAITING: usize = 32;

/// A known person who has just been seen.
#[derive(Debug, Clone)]
pub(crate) struct Arrival {
    pub(crate) person: PersonId,
    pub(crate) camera: CameraId,
    pub(crate) similarity: Similarity,
    /// Whether the face was checked for being alive.
    pub(crate) checked_alive: bool,
    /// When the face was last in view; a face older than `door.max_age_ms` opens nothing.
    pub(crate) seen: Timestamp,
    pub(crate) pass: Pass,
}

/// How a visit was counted against a person's number of passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pass {
    /// The visit is counted.
    Counted,
    /// Not counted here: the door counts it when it opens, or the person's passes are not counted.
    AtTheDoor,
    /// No passes were left.
    NoneLeft,
}

/// Connects the face stage with the doors.
pub(crate) struct Doorkeeper {
    people: Arc<dyn PersonStore>,
    settings: CurrentSettings,
    own_door: bool,
    arrivals: broadcast::Sender<Arrival>,
}

impl Doorkeeper {
    /// `own_door`: whether the device has a door of its own.
    pub(crate) fn new(ports: &Ports, settings: CurrentSettings, own_door: bool) -> Self {
        Self { people: Arc::clone(&ports.people), settings, own_door, arrivals: broadcast::Sender::new(WAITING) }
    }

    /// Counts a visit of a recognised person as a pass, unless passes are counted at the door. Blocking.
    pub(crate) fn count_pass(&self, person: PersonId) -> Result<Pass> {
        if self.settings.now().door_rules().counts_at_the_door(self.own_door) {
            return Ok(Pass::AtTheDoor);
        }
        Ok(if self.people.count_use(person)? { Pass::Counted } else { Pass::NoneLeft })
    }

    /// Reports a known person to the doors, which decide whether one opens.
    pub(crate) fn report(&self, arrival: Arrival) {
        // Without a receiver no door is served.
        let _ = self.arrivals.send(arrival);
    }

    /// The arrivals reported from now on.
    pub(crate) fn arrivals(&self) -> broadcast::Receiver<Arrival> {
        self.arrivals.subscribe()
    }
}
