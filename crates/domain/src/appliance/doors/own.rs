//! The device's own door.

use super::openings::Access;
use crate::settings::readable;
use crate::{Act, Acts, Appliance, CaptureId, DoorRules, Error, Means, PersonId, Result, Verdict};

/// Time within which a platform that is asked about a face has to answer, milliseconds; a later answer opens nothing.
const ANSWER_MILLIS: i64 = 10_000;

impl Appliance {
    /// The rules of the device's own door; [`DoorRules::factory`] until others are set. While they cannot be read,
    /// rules that never open it.
    pub async fn door_rules(&self) -> Result<DoorRules> {
        Ok(self.settings().door_rules())
    }

    /// The same rules; `Unavailable` while they cannot be read.
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
            Some(person) => self.open_own_to(access, person, rules).await,
            None => self.open_or_admit(access, rules).await,
        }
    }
}

impl Acts<'_> {
    /// Sets the rules of the device's own door, at once and over a restart.
    ///
    /// # Errors
    /// `Invalid` for a hold time of zero or above a minute; `Unavailable` when the rules are set but cannot be applied
    /// to the contact.
    pub async fn set_door_rules(self, rules: DoorRules) -> Result<()> {
        let actor = self.permit(Act::DOOR_RULES)?;
        rules.check()?;
        self.blocking(move |a| {
            a.change_settings(|settings| settings.door = Ok(Some(rules)))?;
            // Proofs shown under the former rules no longer count.
            a.core.doors.proofs.forget();
            a.audit(&actor, Act::DOOR_RULES, &"own door");
            Ok(())
        })
        .await?;
        self.appliance.use_contact().await
    }

    /// Opens the device's own door by command.
    ///
    /// # Errors
    /// `NotSupported` when the rules do not allow commands, `Unavailable` when the device has no door, it cannot be
    /// opened, or its rules cannot be read.
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
    /// `NotFound(Record)`; `NotSupported` when the rules ask no platform; `Invalid` for a record without a known
    /// person, not similar enough, older than ten seconds or confirmed already, and for a person without passes left;
    /// `Unavailable` as [`open_door`](Self::open_door).
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

/// The error for a confirmed record that does not open the door.
fn opens_nothing(why: &str) -> Error {
    Error::invalid("record", why)
}
