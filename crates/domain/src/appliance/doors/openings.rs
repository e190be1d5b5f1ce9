//! Openings in the log.

use crate::{
    Act, Actor, Acts, Appliance, CameraId, CaptureId, Door, Error, Means, NamedPerson, NewEntry, Opening, PersonId,
    Result, Verdict, What,
};

/// The actor, means and person of an opening.
#[derive(Debug, Clone, Copy)]
pub(super) struct Access<'a> {
    pub(super) actor: &'a Actor,
    /// The camera that recognised the person.
    pub(super) camera: Option<CameraId>,
    /// `None`: no person at the door was recognised.
    pub(super) person: Option<PersonId>,
    pub(super) by: Means,
}

impl Appliance {
    /// Records that a door opened, or why it did not. The door has been switched by then, so a failure is only logged.
    pub(super) async fn record_opening(&self, access: &Access<'_>, door: Door, failure: Option<&Error>) {
        let Access { actor, camera, person, by } = *access;
        let named = match person {
            Some(person) => self.blocking(move |a| Ok(a.named(person).ok())).await.ok().flatten(),
            None => None,
        };
        let opening = Opening {
            door,
            opened: failure.is_none(),
            person: named,
            by,
            actor: actor.name.clone(),
            why: failure.map(ToString::to_string).unwrap_or_default(),
        };
        if let Err(error) = self.append_opening(camera, opening).await {
            tracing::error!(error = error.chain(), "failed to record door opening");
        }
    }

    async fn append_opening(&self, camera: Option<CameraId>, opening: Opening) -> Result<()> {
        let at = self.now();
        self.blocking(move |a| a.append(&NewEntry { at, camera, what: What::Opening(opening) }).map(drop)).await
    }
}

impl Acts<'_> {
    /// Records that a platform, asked about the person of a record, keeps the door closed.
    ///
    /// # Errors
    /// `NotFound(Record)`; `NotSupported` when the rules ask no platform; `Invalid` for a record without a known
    /// person.
    pub async fn refuse_entry(self, capture: CaptureId) -> Result<()> {
        let actor = self.permit(Act::DOOR_OPEN)?;
        let record = self.appliance.record_of_capture(capture).await?;
        if !self.appliance.door_rules().await?.asks_first() {
            return Err(Error::NotSupported { what: "an answer to a question" });
        }
        let known = record.accepted().filter(|_| record.verdict == Verdict::Known);
        let known = known.ok_or_else(|| Error::invalid("record", "shows nobody who is known"))?;
        if !self.appliance.core.doors.confirmed.refuse(capture) {
            return Ok(());
        }
        let person = NamedPerson { id: known.person, code: known.code.clone(), name: known.name.clone() };
        let opening = Opening {
            door: Door::Own,
            opened: false,
            person: Some(person),
            by: Means::Face,
            actor: actor.name,
            why: "refused".to_owned(),
        };
        self.appliance.append_opening(Some(record.capture.camera), opening).await
    }
}
