//! Doors: outputs and rules.

use std::net::SocketAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{CameraId, Error, Means, RelayId, Result, Similarity};

/// Maximum hold time of the door.
const MAX_HOLD: Duration = Duration::from_secs(60);

/// An output that opens a door while it is on.
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
    /// The camera that switches it.
    pub camera: CameraId,
    /// Its network address.
    pub address: SocketAddr,
    /// Display name; may be empty.
    pub name: String,
    /// Free text of the platform; may be empty.
    pub tag: String,
}

/// A relay to be bound to a camera.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRelay {
    /// The camera that switches it.
    pub camera: CameraId,
    /// Its network address.
    pub address: SocketAddr,
    /// Display name; may be empty.
    pub name: String,
    /// Free text of the platform; may be empty.
    pub tag: String,
}

/// Options of doors; fixed while the process runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DoorOptions {
    /// Maximum age of a face that opens a door, since it was last in view.
    pub max_age: Duration,
    /// Hold time of relays.
    pub relay_hold: Duration,
    /// Whether the device has a door of its own.
    pub own_door: bool,
    /// Whether a face alone opens a door although it was not checked for being alive, so that a photo of it does too.
    pub photos_open: bool,
    /// Whether a face alone opens a door only after its head has turned.
    pub turn_head: bool,
    /// The relay in the network that [`FaceReaction::Alarm`] switches on; `None`: there is none.
    pub alarm: Option<SocketAddr>,
}

impl Default for DoorOptions {
    fn default() -> Self {
        let (max_age, relay_hold) = (Duration::from_millis(1_500), Duration::from_secs(3));
        Self { max_age, relay_hold, own_door: false, photos_open: false, turn_head: false, alarm: None }
    }
}

/// Rules of the device's own door.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DoorRules {
    /// Who decides.
    pub decided_by: Decider,
    /// What a person must show.
    pub proof: Proof,
    /// Lowest similarity of a face that opens the door; the threshold of the watch applies too.
    pub threshold: Similarity,
    /// Hold time, 1 ms to 60 s.
    #[serde(rename = "hold_ms", with = "crate::settings::millis")]
    pub hold: Duration,
    /// How the device's contact opens it.
    pub contact: ContactUse,
    /// Whether the bytes of a card number are reversed.
    pub cards_reversed: bool,
}

/// How the device's contact opens the door.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ContactUse {
    /// It closes to open the door.
    #[default]
    Closes,
    /// It opens to open the door, and is closed otherwise.
    Opens,
    /// It is unused: a person who enters is reported to a controller instead.
    Unused,
}

impl Default for DoorRules {
    fn default() -> Self {
        Self {
            decided_by: Decider::Face,
            proof: Proof::Face,
            threshold: Similarity::new(0.0),
            hold: Duration::from_millis(200),
            contact: ContactUse::Closes,
            cards_reversed: false,
        }
    }
}

impl DoorRules {
    /// The factory rules: a face opens the door, and so does a command of a platform.
    pub fn factory() -> Self {
        Self { decided_by: Decider::FaceOrRemote, ..Self::default() }
    }

    /// Rules that never open the door, for when the set ones cannot be read.
    pub(crate) fn closed() -> Self {
        Self { proof: Proof::Impossible, ..Self::default() }
    }

    /// `Invalid` for a hold time of zero or above a minute.
    pub(crate) fn check(&self) -> Result<()> {
        let held = !self.hold.is_zero() && self.hold <= MAX_HOLD;
        if held { Ok(()) } else { Err(Error::invalid("door hold", "not 1 ms to 60 s")) }
    }

    /// What a person proves by showing this.
    pub(crate) fn judge(&self, shown: Shown) -> Proved {
        let device_decides = matches!(self.decided_by, Decider::Face | Decider::FaceOrRemote);
        match (self.proof, shown) {
            _ if !device_decides => Proved::Nothing,
            (Proof::Face | Proof::FaceOrCard, Shown::Face) | (Proof::Card | Proof::FaceOrCard, Shown::Card) => {
                Proved::Enough
            }
            (Proof::FaceAndCard, Shown::Face) => Proved::HalfWithout(Shown::Card),
            (Proof::FaceAndDocument, Shown::Face) => Proved::HalfWithout(Shown::Document),
            (Proof::FaceAndCard, Shown::Card) | (Proof::FaceAndDocument, Shown::Document) => {
                Proved::HalfWithout(Shown::Face)
            }
            _ => Proved::Nothing,
        }
    }

    /// What a known face with this similarity proves.
    pub(crate) fn judge_face(&self, similarity: Similarity) -> Proved {
        if similarity >= self.threshold { self.judge(Shown::Face) } else { Proved::Nothing }
    }

    /// Whether a face opens the door, alone or with something else, here or when a platform has agreed.
    pub(crate) fn needs_a_face(&self) -> bool {
        self.asks_first() || self.judge(Shown::Face) != Proved::Nothing
    }

    /// Whether a face alone opens the door.
    pub(crate) fn opens_by_face_alone(&self) -> bool {
        self.judge(Shown::Face) == Proved::Enough
    }

    /// Whether a command may open the door.
    pub fn opens_remotely(&self) -> bool {
        matches!(self.decided_by, Decider::Remote | Decider::FaceOrRemote)
    }

    /// Whether a pass is counted when the door opens, not when the camera recognises the person: when the face alone
    /// does not open the door, because a platform is asked first or the own door requires a card as well.
    pub(crate) fn counts_at_the_door(&self, own_door: bool) -> bool {
        let face_is_enough = matches!(self.proof, Proof::Face | Proof::FaceOrCard);
        self.asks_first() || own_door && !face_is_enough
    }

    /// Whether a platform is asked before the door opens to a known face.
    pub fn asks_first(&self) -> bool {
        let face = matches!(self.proof, Proof::Face | Proof::FaceOrCard);
        self.decided_by == Decider::FaceThenRemote && face
    }
}

/// What follows at the doors when a camera recognises a person who may pass. Cards, documents and commands are not
/// affected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaceReaction {
    /// The doors of the camera open.
    #[default]
    OpenDoors,
    /// The doors stay closed, and the alarm output is switched on, if there is one.
    Alarm,
    /// The doors stay closed.
    Nothing,
}

/// What a person must show. Two things must belong to the same person and be shown within ten seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Proof {
    /// A known face.
    #[default]
    Face,
    /// A card.
    Card,
    /// A known face or a card.
    FaceOrCard,
    /// A known face and a card.
    FaceAndCard,
    /// A known face and a document.
    FaceAndDocument,
    /// More than the device can check; never fulfilled.
    Impossible,
}

/// Something that identifies a person at the door.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Shown {
    Face,
    Card,
    Document,
}

impl Shown {
    /// The means of opening when this completes the required proof.
    pub(crate) fn with(self, proved: Proved) -> Means {
        let other = if let Proved::HalfWithout(other) = proved { Some(other) } else { None };
        match (self, other) {
            (Self::Card, Some(_)) | (Self::Face, Some(Self::Card)) => Means::FaceAndCard,
            (Self::Document, Some(_)) | (Self::Face, Some(Self::Document)) => Means::FaceAndDocument,
            (Self::Face, _) => Means::Face,
            (Self::Card, None) => Means::Card,
            (Self::Document, None) => Means::Document,
        }
    }
}

/// Result of showing something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Proved {
    /// All that is required.
    Enough,
    /// Half of it; the other half is missing.
    HalfWithout(Shown),
    /// Nothing that counts here.
    Nothing,
}

/// Who decides whether the door opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decider {
    /// The device, by what is shown to it.
    #[default]
    Face,
    /// A platform, by command.
    Remote,
    /// The device or a platform.
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
    fn a_face_opens_only_where_faces_decide_and_only_when_similar_enough() {
        for (decided_by, opens) in [
            (Decider::Face, true),
            (Decider::FaceOrRemote, true),
            (Decider::Remote, false),
            (Decider::FaceThenRemote, false),
        ] {
            let proved = if opens { Proved::Enough } else { Proved::Nothing };
            assert_eq!(rules(decided_by).judge_face(Similarity::new(0.9)), proved, "{decided_by:?}");
            assert_eq!(rules(decided_by).judge_face(Similarity::new(0.89)), Proved::Nothing);
        }
    }

    #[test]
    fn what_is_shown_is_enough_alone_or_half_of_it() {
        use Proved::{Enough, HalfWithout, Nothing};
        use Shown::{Card, Document, Face};
        let judged =
            |proof| [Face, Card, Document].map(|shown| DoorRules { proof, ..DoorRules::default() }.judge(shown));
        assert_eq!(judged(Proof::Face), [Enough, Nothing, Nothing]);
        assert_eq!(judged(Proof::Card), [Nothing, Enough, Nothing]);
        assert_eq!(judged(Proof::FaceOrCard), [Enough, Enough, Nothing]);
        assert_eq!(judged(Proof::FaceAndCard), [HalfWithout(Card), HalfWithout(Face), Nothing]);
        assert_eq!(judged(Proof::FaceAndDocument), [HalfWithout(Document), Nothing, HalfWithout(Face)]);
        assert_eq!(judged(Proof::Impossible), [Nothing; 3]);
    }
}
