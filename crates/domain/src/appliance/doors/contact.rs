//! How the device's contact is switched, and numbers for a controller instead.

use std::sync::atomic::Ordering;

use crate::{Appliance, ContactUse, DoorRules, Event, Output, PersonId, Result, WiegandFrame};

impl Appliance {
    /// Sends a number to the controller of the door, because this person enters or, without one, because somebody far
    /// away wants it. `Unavailable` when there is no line to a controller.
    pub async fn send_number(&self, actor: &str, person: Option<PersonId>, number: &WiegandFrame) -> Result<()> {
        self.ports().host.send_number(number).await?;
        let subject =
            person.map_or_else(|| "controller".to_owned(), |person| format!("controller for person {person}"));
        self.note(actor, "door.number", &subject).await
    }

    /// Opens the own door to somebody who has proved enough; `scanned`: also by a card or document.
    pub(super) async fn welcome(&self, actor: &str, person: PersonId, scanned: bool, rules: DoorRules) -> Result<()> {
        let at = self.now();
        if rules.contact == ContactUse::Unused {
            self.note(actor, "door.admit", &format!("controller for person {person}")).await?;
        } else {
            self.open(actor, Some(person), Output::Contact, rules.hold).await?;
        }
        self.announce(Event::Entered { person, at, scanned });
        Ok(())
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
