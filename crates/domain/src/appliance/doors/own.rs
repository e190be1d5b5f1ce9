//! The door of the device itself.

use super::openings::Access;
use crate::settings::readable;
use crate::{Act, Acts, Appliance, CaptureId, DoorRules, Error, Means, PersonId, Result, Verdict};

/// A platform that is asked about a face answers within this time, milliseconds, or nobody enters.
const ANSWER_MILLIS: i64 = 10_000;

impl Appliance {
    /// By what rule the device's own door opens; [`DoorRules::factory`] until somebody has set one. While that cannot be
    /// read, nothing opens it.
    pub async fn door_rules(&self) -> Result<DoorRules> {
        Ok(self.settings().door_rules())
    }

    /// The same rules, for somebody who is to hear why the door stays closed.
    fn readable_door_rules(&self) -> Result<DoorRules> {
        let settings = self.settings();
        readable(&settings.door)?;
        Ok(settings.door_rules())
    }

    async fn open_to(&self, access: &Access<'_>, person: PersonId, rules: DoorRules) -> Result<()> {
        if !self.blocking(move |a| a.ports().people.count_use(person)).await? {
            return Err(opens_nothing("the person has no use left"));
        }
        self.open_own_door(access, rules).await
    }

    async fn open_own_door(&self, access: &Access<'_>, rules: DoorRules) -> Result<()> {
        if !self.options().doors.own_door {
            return Err(Error::Unavailable { what: "a door of the device" });
        }
        match access.person {
            Some(person) => self.welcome(access, person, rules).await,
            None => self.open_or_admit(access, rules).await,
        }
    }
}

impl Acts<'_> {
    /// Sets by what rule the device's own door opens; it holds at once and over a restart. `Invalid` when the door
    /// were to stay open for longer than a minute, or not at all; `Unavailable` when they hold, but the contact does not
    /// follow them.
    pub async fn set_door_rules(self, rules: DoorRules) -> Result<()> {
        let actor = self.permit(Act::DOOR_RULES)?;
        rules.check()?;
        self.blocking(move |a| {
            a.change_settings(|settings| settings.door = Ok(Some(rules)))?;
            // What was shown under other rules counts no more.
            a.core.doors.proofs.forget();
            a.audit(&actor, Act::DOOR_RULES, &"own door");
            Ok(())
        })
        .await?;
        self.appliance.use_contact().await
    }

    /// Opens the device's own door because somebody far away wants it. `NotSupported` when the rules leave that to
    /// faces, `Unavailable` when the device has no door, it cannot be opened, or its rules cannot be read.
    pub async fn open_door(self) -> Result<()> {
        let actor = self.permit(Act::DOOR_OPEN)?;
        let rules = self.appliance.readable_door_rules()?;
        if !rules.opens_remotely() {
            return Err(Error::NotSupported { what: "opening the door by command" });
        }
        let command = Access { actor: &actor, camera: None, person: None, by: Means::Command };
        self.appliance.open_own_door(&command, rules).await
    }

    /// Opens the device's own door to the person of a record, which a platform was asked about.
    ///
    /// # Errors
    /// `NotFound(Record)`; `NotSupported` when the rules ask no platform; `Invalid` for a record of nobody who is
    /// known, for one older than ten seconds, for one to which the door was opened already, and for somebody with no
    /// use left; `Unavailable` as [`open_door`](Self::open_door).
    pub async fn confirm_entry(self, capture: CaptureId) -> Result<()> {
        let actor = self.permit(Act::DOOR_OPEN)?;
        let (rules, record) = (self.appliance.readable_door_rules()?, self.appliance.record_of_capture(capture).await?);
        if !rules.asks_first() {
            return Err(Error::NotSupported { what: "opening the door after a question" });
        }
        let known = record.accepted().filter(|_| record.verdict == Verdict::Known);
        let known = known.ok_or_else(|| opens_nothing("shows nobody who is known"))?;
        let (person, similarity) = (known.person, known.similarity);
        if !(0..=ANSWER_MILLIS).contains(&self.appliance.now().millis_since(record.capture.at)) {
            return Err(opens_nothing("older than ten seconds"));
        }
        if similarity < rules.threshold {
            return Err(opens_nothing("not similar enough for the door"));
        }
        if !self.appliance.core.doors.confirmed.begin(capture) {
            return Err(opens_nothing("the door was opened for it already"));
        }
        let camera = Some(record.capture.camera);
        let face = Access { actor: &actor, camera, person: Some(person), by: Means::Face };
        let opened = self.appliance.open_to(&face, person, rules).await;
        if opened.is_err() {
            self.appliance.core.doors.confirmed.forget(capture);
        }
        opened
    }
}

/// Why the door stays closed although a platform confirmed the record.
fn opens_nothing(why: &str) -> Error {
    Error::invalid("record", why)
}
