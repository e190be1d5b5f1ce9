//! What recognised people mean for the doors: whose visit counts as a pass, and who is reported to the doors.

use std::sync::Arc;

use tokio::sync::broadcast;

use crate::error::Result;
use crate::ids::{CameraId, PersonId};
use crate::ports::{PersonStore, Ports};
use crate::settings::CurrentSettings;
use crate::similarity::Similarity;
use crate::time::Timestamp;

/// Maximum number of people who wait for their doors; beyond that the one who waits longest is not let in.
const WAITING: usize = 32;

/// A known person who has just been seen.
#[derive(Debug, Clone)]
pub(crate) struct Arrival {
    pub(crate) person: PersonId,
    pub(crate) camera: CameraId,
    pub(crate) similarity: Similarity,
    /// When the face was last in view; one that is too old opens nothing.
    pub(crate) seen: Timestamp,
    /// Whether the visit is counted already as one of the person's passes.
    pub(crate) pass: Pass,
}

/// What became of the pass of a person whom a camera has recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pass {
    /// The visit is counted.
    Counted,
    /// It is counted at the door, when somebody passes there, if passes are counted at all.
    AtTheDoor,
    /// There was none left.
    NoneLeft,
}

/// Between those who recognise people and those who open doors.
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

    /// Counts a visit of a recognised person as one of the passes, unless it counts at the door. Blocking.
    pub(crate) fn count_pass(&self, person: PersonId) -> Result<Pass> {
        if self.settings.now().door_rules().counts_at_the_door(self.own_door) {
            return Ok(Pass::AtTheDoor);
        }
        Ok(if self.people.count_use(person)? { Pass::Counted } else { Pass::NoneLeft })
    }

    /// Lets a known person in where the camera has a door; whether it opens is decided there.
    pub(crate) fn let_in(&self, arrival: Arrival) {
        // While nobody serves the doors, nobody is let in.
        let _ = self.arrivals.send(arrival);
    }

    /// Those who are to be let in from now on.
    pub(crate) fn arrivals(&self) -> broadcast::Receiver<Arrival> {
        self.arrivals.subscribe()
    }
}
