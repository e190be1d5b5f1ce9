//! Relays that are switched by command, and alarms.

use std::net::SocketAddr;
use std::time::Duration;

use super::openings::Access;
use crate::surveillance::Arrival;
use crate::{Act, Actor, Acts, Appliance, Error, FaceReaction, Means, Output, Result};

/// The longest time that a relay is switched on by command.
const MAX_RELAY_HOLD: Duration = Duration::from_secs(60);

impl Appliance {
    /// What follows a recognised face at the doors. `Unavailable` while the setting cannot be read.
    pub async fn face_reaction(&self) -> Result<FaceReaction> {
        let settings = self.settings();
        Ok(crate::settings::readable(&settings.reaction)?.copied().unwrap_or_default())
    }

    /// Switches the alarm output on because of a recognised face.
    pub(super) async fn alarm_for(&self, arrival: &Arrival) -> Result<()> {
        let Some(output) = self.options().doors.alarm else { return Ok(()) };
        if self.fresh_age(arrival).is_none() {
            return Ok(());
        }
        let actor = Actor::part(format!("camera {}", arrival.camera));
        self.alarm(&actor, output, self.options().doors.relay_hold).await
    }

    /// Switches an alarm output on for `hold`.
    async fn alarm(&self, actor: &Actor, output: SocketAddr, hold: Duration) -> Result<()> {
        let relays = self.blocking(|a| a.ports().settings.relays()).await?;
        // Otherwise a door would open that no opening in the log tells of.
        if relays.iter().any(|relay| relay.address == output) {
            return Err(Error::invalid("relay", "it opens a door"));
        }
        self.switch_on(Output::Relay(output), hold).await?;
        metrics::counter!("polyface_alarms_total").increment(1);
        tracing::info!(alarm.output = %output, "alarm output switched on");
        self.note(actor, Act::ALARM_SOUND, &format!("relay {output}")).await
    }
}

impl Acts<'_> {
    /// Sets what follows a recognised face at the doors, at once and over a restart.
    pub async fn set_face_reaction(self, reaction: FaceReaction) -> Result<()> {
        let actor = self.permit(Act::DOOR_REACTION)?;
        self.blocking(move |a| {
            a.change_settings(|settings| settings.reaction = Ok(Some(reaction)))?;
            a.audit(&actor, Act::DOOR_REACTION, &format!("{reaction:?}"));
            Ok(())
        })
        .await
    }

    /// Switches a relay in the network on for so long, because somebody far away wants it. `Invalid` for more than a
    /// minute, `Unavailable` when it cannot be reached.
    pub async fn open_relay(self, address: SocketAddr, hold: Duration) -> Result<()> {
        let actor = self.permit(Act::DOOR_OPEN)?;
        check_hold(hold)?;
        let command = Access { actor: &actor, camera: None, person: None, by: Means::Command };
        self.appliance.open(&command, Output::Relay(address), hold).await
    }

    /// Switches a relay in the network off at once, whatever it was switched on for. `Unavailable` when it cannot be
    /// reached; that is tried again for some minutes.
    pub async fn close_relay(self, address: SocketAddr) -> Result<()> {
        let actor = self.permit(Act::DOOR_CLOSE)?;
        let output = Output::Relay(address);
        self.appliance.core.doors.close_now(output)?;
        self.appliance.try_to_close(output).await?;
        self.appliance.note(&actor, Act::DOOR_CLOSE, &output.to_string()).await
    }

    /// Switches a relay in the network that opens no door on for so long, as an alarm. `Invalid` for more than a minute
    /// and for a relay that is bound to a camera, `Unavailable` when it cannot be reached.
    pub async fn sound_alarm(self, address: SocketAddr, hold: Duration) -> Result<()> {
        let actor = self.permit(Act::ALARM_SOUND)?;
        check_hold(hold)?;
        self.appliance.alarm(&actor, address, hold).await
    }
}

fn check_hold(hold: Duration) -> Result<()> {
    if hold <= MAX_RELAY_HOLD { Ok(()) } else { Err(Error::invalid("hold", "longer than a minute")) }
}
