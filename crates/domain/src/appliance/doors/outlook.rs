//! The doors that a face alone opens, as far as they are not protected from photos.

use crate::{Appliance, Output, Result};

/// A door that a known face opens without anything else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DoorByFace {
    /// The door: its output and, of a relay, the camera.
    pub name: String,
    /// Whether a photo of the face opens it; otherwise no face does.
    pub photos_open: bool,
}

impl Appliance {
    /// The doors that a face alone is to open although faces are not always checked for being alive: each opens to photos
    /// or, unless `door.photos_open` is set, to no face while they are not. Empty while liveness is always checked.
    pub async fn doors_without_liveness(&self) -> Result<Vec<DoorByFace>> {
        if self.can_judge_liveness() && self.liveness_rule() == crate::LivenessRule::Always {
            return Ok(Vec::new());
        }
        let photos_open = self.options().doors.photos_open;
        let own = self.options().doors.own_door && self.door_rules().await?.opens_by_face_alone();
        let relays = self.blocking(|a| a.ports().settings.relays()).await?;
        let relays = relays.iter().map(|relay| format!("{} of camera {}", Output::Relay(relay.address), relay.camera));
        let names = relays.chain(own.then(|| Output::Contact.to_string()));
        Ok(names.map(|name| DoorByFace { name, photos_open }).collect())
    }
}
