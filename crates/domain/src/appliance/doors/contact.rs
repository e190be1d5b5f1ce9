//! The device's contact, and the controller that receives numbers instead.

use std::sync::atomic::Ordering;

use super::openings::Access;
use crate::{Act, Acts, Appliance, ContactUse, Door, DoorRules, Event, Output, PersonId, Result, WiegandFrame};

impl Appliance {
    /// Opens the own door to an admitted person and announces the entry.
    pub(super) async fn open_own_to(&self, access: &Access<'_>, person: PersonId, rules: DoorRules) -> Result<()> {
        let at = self.now();
        self.open_or_admit(access, rules).await?;
        self.announce(Event::Entered { person, at });
        Ok(())
    }

    /// Opens the own door by its contact or, when the contact is unused, records the entry for the controller.
    pub(super) async fn open_or_admit(&self, access: &Access<'_>, rules: DoorRules) -> Result<()> {
        if rules.contact != ContactUse::Unused {
            return self.open(access, Output::Contact, rules.hold).await;
        }
        self.record_opening(access, Door::Controller, None).await;
        let subject = access.person.map(|person| format!("controller for person {person}"));
        self.note(access.actor, Act::DOOR_ADMIT, subject.as_deref().unwrap_or("controller")).await
    }

    /// Switches the output of a door so that the door is open, or closed.
    pub(super) async fn switch(&self, output: Output, open: bool) -> Result<()> {
        let inverted = output == Output::Contact && self.core.doors.inverted.load(Ordering::Acquire);
        self.ports().host.switch(output, open != inverted).await
    }

    /// Applies the rules to the contact: when its polarity has changed, switches it to the state of the door.
    pub(super) async fn use_contact(&self) -> Result<()> {
        let _one = self.core.doors.contact_lock.lock().await;
        let opens = self.door_rules().await?.contact == ContactUse::Opens;
        let changed = self.core.doors.inverted.swap(opens, Ordering::AcqRel) != opens;
        if !changed || !self.options().doors.own_door {
            return Ok(());
        }
        self.switch(Output::Contact, self.core.doors.is_open(Output::Contact)).await
    }
}

impl Acts<'_> {
    /// Sends a number to the controller of the door: for a person who enters, or by command (`None`). `Unavailable`
    /// when no controller is connected.
    pub async fn send_number(self, person: Option<PersonId>, number: &WiegandFrame) -> Result<()> {
        let actor = self.permit(Act::DOOR_NUMBER)?;
        self.appliance.ports().host.send_number(number).await?;
        let subject =
            person.map_or_else(|| "controller".to_owned(), |person| format!("controller for person {person}"));
        self.appliance.note(&actor, Act::DOOR_NUMBER, &subject).await
    }
}
