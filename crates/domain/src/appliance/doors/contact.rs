//! How the device's contact is switched, and numbers for a controller instead.

use std::sync::atomic::Ordering;

use super::openings::Access;
use crate::{Act, Acts, Appliance, ContactUse, Door, DoorRules, Event, Output, PersonId, Result, WiegandFrame};

impl Appliance {
    /// Opens the own door to somebody who has proved enough.
    pub(super) async fn welcome(&self, access: &Access<'_>, person: PersonId, rules: DoorRules) -> Result<()> {
        let at = self.now();
        self.open_or_admit(access, rules).await?;
        self.announce(Event::Entered { person, at });
        Ok(())
    }

    /// Opens the own door by its contact or, where that is unused, leaves it to the controller.
    pub(super) async fn open_or_admit(&self, access: &Access<'_>, rules: DoorRules) -> Result<()> {
        if rules.contact != ContactUse::Unused {
            return self.open(access, Output::Contact, rules.hold).await;
        }
        self.keep_opening(access, Door::Controller, None).await;
        let subject = access.person.map(|person| format!("controller for person {person}"));
        self.note(access.actor, Act::DOOR_ADMIT, subject.as_deref().unwrap_or("controller")).await
    }

    /// Switches what opens a door so that it is open, or closed.
    pub(super) async fn switch(&self, output: Output, open: bool) -> Result<()> {
        let inverted = output == Output::Contact && self.core.doors.inverted.load(Ordering::Acquire);
        self.ports().host.switch(output, open != inverted).await
    }

    /// Has the contact follow the rules: a door that is closed by a closed contact is closed now.
    pub(super) async fn use_contact(&self) -> Result<()> {
        let _one = self.core.doors.following.lock().await;
        let opens = self.door_rules().await?.contact == ContactUse::Opens;
        let changed = self.core.doors.inverted.swap(opens, Ordering::AcqRel) != opens;
        if !changed || !self.options().doors.own_door {
            return Ok(());
        }
        self.switch(Output::Contact, self.core.doors.is_open(Output::Contact)).await
    }
}

impl Acts<'_> {
    /// Sends a number to the controller of the door, because this person enters or, without one, because somebody far
    /// away wants it. `Unavailable` when there is no line to a controller.
    pub async fn send_number(self, person: Option<PersonId>, number: &WiegandFrame) -> Result<()> {
        let actor = self.permit(Act::DOOR_NUMBER)?;
        self.appliance.ports().host.send_number(number).await?;
        let subject =
            person.map_or_else(|| "controller".to_owned(), |person| format!("controller for person {person}"));
        self.appliance.note(&actor, Act::DOOR_NUMBER, &subject).await
    }
}
