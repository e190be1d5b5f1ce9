//! Counts passes of recognised people and reports known people to the doors.

use std::sync::Arc;

use tokio::sync::broadcast;

use crate::door::{DoorOptions, FaceReaction};
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
    pub(crate) turned: Turned,
}

/// Whether the head has turned, so that it is no picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turned {
    /// Not so far, which proves nothing.
    NotYet,
    /// Before the person was recognised.
    Before,
    /// Since the arrival was first reported, with [`NotYet`](Self::NotYet).
    Since,
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
    heads_turn: bool,
    arrivals: broadcast::Sender<Arrival>,
}

impl Doorkeeper {
    pub(crate) fn new(ports: &Ports, settings: CurrentSettings, doors: &DoorOptions) -> Self {
        let (own_door, heads_turn) = (doors.own_door, doors.turn_head);
        let people = Arc::clone(&ports.people);
        Self { people, settings, own_door, heads_turn, arrivals: broadcast::Sender::new(WAITING) }
    }

    /// Whether a face alone opens doors only after its head has turned.
    pub(crate) fn wants_turned_heads(&self) -> bool {
        self.heads_turn
    }

    /// Whether somebody known waits at a door until a camera has recognised the face. `opens_relay`: the camera has a
    /// relay of its own.
    pub(crate) fn waits_for_faces(&self, opens_relay: bool) -> bool {
        let settings = self.settings.now();
        let own = self.own_door && settings.door_rules().needs_a_face();
        (opens_relay || own) && settings.reaction() == FaceReaction::OpenDoors
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
