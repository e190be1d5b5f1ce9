//! Doors: what opens them, and by what rule.

use std::net::SocketAddr;
use std::time::Duration;

use crate::{CameraId, RelayId, Similarity};

/// Something that opens a door while it is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Output {
    /// A relay in the network.
    Relay(SocketAddr),
    /// The device's own contact.
    Contact,
}

impl std::fmt::Display for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Relay(address) => write!(f, "relay {address}"),
            Self::Contact => f.write_str("own door"),
        }
    }
}

/// A relay in the network that a camera switches on for each known person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relay {
    /// Never reused.
    pub id: RelayId,
    /// Whose people switch it.
    pub camera: CameraId,
    /// Where it listens.
    pub address: SocketAddr,
    /// Display name; may be empty.
    pub name: String,
    /// Free text of the platform; may be empty.
    pub tag: String,
}

/// A relay to be bound to a camera.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRelay {
    /// Whose people switch it.
    pub camera: CameraId,
    /// Where it listens.
    pub address: SocketAddr,
    /// Display name; may be empty.
    pub name: String,
    /// Free text of the platform; may be empty.
    pub tag: String,
}

/// How doors are opened; fixed while the process runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DoorOptions {
    /// A face last seen longer ago than this opens nothing.
    pub max_age: Duration,
    /// How long a relay of a camera stays on.
    pub relay_hold: Duration,
    /// Whether the device has a door of its own.
    pub own_door: bool,
}

impl Default for DoorOptions {
    fn default() -> Self {
        Self { max_age: Duration::from_millis(1_500), relay_hold: Duration::from_secs(3), own_door: false }
    }
}

/// By what rule the device's own door opens.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DoorRules {
    /// Who decides.
    pub decided_by: Decider,
    /// Whether a known face is all the proof that is wanted. When more is wanted than the device can check, no face
    /// opens the door.
    pub face_suffices: bool,
    /// A face opens the door from this similarity on, and not below the threshold of its watch.
    pub threshold: Similarity,
    /// How long it stays open.
    pub hold: Duration,
}

impl Default for DoorRules {
    fn default() -> Self {
        Self {
            decided_by: Decider::Face,
            face_suffices: true,
            threshold: Similarity::new(0.0),
            hold: Duration::from_millis(200),
        }
    }
}

impl DoorRules {
    /// Whether a known face of this similarity opens the door by itself.
    pub fn opens_to(&self, similarity: Similarity) -> bool {
        matches!(self.decided_by, Decider::Face | Decider::FaceOrRemote)
            && self.face_suffices
            && similarity >= self.threshold
    }

    /// Whether somebody far away may open the door, with nobody before it.
    pub fn opens_remotely(&self) -> bool {
        matches!(self.decided_by, Decider::Remote | Decider::FaceOrRemote)
    }

    /// Whether a platform is asked before the door opens to a known face.
    pub fn asks_first(&self) -> bool {
        self.decided_by == Decider::FaceThenRemote && self.face_suffices
    }
}

/// Who decides whether the door opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Decider {
    /// The device, by the face.
    #[default]
    Face,
    /// A platform, by command.
    Remote,
    /// Either of them.
    FaceOrRemote,
    /// A platform, about a face that the device has recognised.
    FaceThenRemote,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(decided_by: Decider) -> DoorRules {
        DoorRules { decided_by, threshold: Similarity::new(0.9), ..DoorRules::default() }
    }

    #[test]
    fn a_face_opens_only_where_faces_decide_and_only_when_it_is_alike_enough() {
        for (decided_by, opens) in [
            (Decider::Face, true),
            (Decider::FaceOrRemote, true),
            (Decider::Remote, false),
            (Decider::FaceThenRemote, false),
        ] {
            assert_eq!(rules(decided_by).opens_to(Similarity::new(0.9)), opens, "{decided_by:?}");
            assert!(!rules(decided_by).opens_to(Similarity::new(0.89)));
        }
        let stricter = DoorRules { face_suffices: false, ..rules(Decider::Face) };
        assert!(!stricter.opens_to(Similarity::new(1.0)));
    }
}
