//! Passes of people who may come only so many times.

use crate::{Appliance, DoorRules, PersonId, Proof, Result};

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

impl Appliance {
    /// Counts a visit of a recognised person as one of the passes. Where the face alone lets nobody in, because a
    /// platform is asked first or the own door demands a card as well, whoever opens the door counts.
    pub(crate) async fn count_pass(&self, person: PersonId) -> Result<Pass> {
        self.blocking(move |a| {
            if a.read_door_rules()?.counts_at_the_door(a.options().doors.own_door) {
                return Ok(Pass::AtTheDoor);
            }
            let counted = a.ports().people.count_use(person)?;
            Ok(if counted { Pass::Counted } else { Pass::NoneLeft })
        })
        .await
    }
}

impl DoorRules {
    fn counts_at_the_door(&self, own_door: bool) -> bool {
        let face_is_enough = matches!(self.proof, Proof::Face | Proof::FaceOrCard);
        self.asks_first() || own_door && !face_is_enough
    }
}
