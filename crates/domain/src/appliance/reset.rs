//! Resets the device by parts.
//!
//! A reset is only noted while the device runs, since no key is destroyed under a process that has the storage open, and
//! nothing in memory has to follow: the process ends, and the next one resets before it serves. What a power cut
//! interrupts is repeated then.

use std::sync::Arc;

use super::device_state::DeviceState;
use super::{Acts, Appliance};
use crate::ports::{LogStore, PersonStore, SettingsStore};
use crate::settings::DeviceSettings;
use crate::{Act, Error, Removal, Reset, Result};

/// Number of entries removed at a time.
const STEP: u32 = 1000;

impl Appliance {
    /// Completes when the process has to end, so that the next one resets the device.
    pub async fn until_reset(&self) {
        let mut wanted = self.core.reset_wanted.subscribe();
        // The sender lives as long as the appliance.
        drop(wanted.wait_for(|wanted| *wanted).await);
    }
}

impl Acts<'_> {
    /// Has parts of the device reset: durably noted when this returns, and done when the process has ended, which it
    /// does at once, and is started again.
    ///
    /// # Errors
    /// `Invalid` for no part.
    pub async fn reset(self, reset: Reset) -> Result<()> {
        let actor = self.permit(Act::DEVICE_RESET)?;
        if reset.is_nothing() {
            return Err(Error::invalid("parts", "at least one is needed"));
        }
        let noted = self.blocking(move |a| {
            a.audit(&actor, Act::DEVICE_RESET, &reset);
            a.ports().settings.want_reset(reset)
        });
        noted.await?;
        self.appliance.core.reset_wanted.send_replace(true);
        Ok(())
    }
}

/// The stores that are reset.
pub struct ResetStores {
    /// People.
    pub people: Arc<dyn PersonStore>,
    /// The log.
    pub log: Arc<dyn LogStore>,
    /// The settings.
    pub settings: Arc<dyn SettingsStore>,
}

impl ResetStores {
    /// Resets parts of a device that does not run; repeatable. What is `everything` is not done here: it ends with the
    /// store.
    ///
    /// # Errors
    /// When the store fails; then some of it may be done.
    pub fn reset(&self, reset: Reset) -> Result<()> {
        if reset.settings {
            self.reset_settings()?;
        }
        if reset.people {
            self.people.remove_everybody()?;
            self.people.erase_removed()?;
        }
        if reset.records {
            while self.log.remove_entries(Removal::Oldest, STEP)? == STEP {}
        }
        Ok(())
    }

    fn reset_settings(&self) -> Result<()> {
        let before = self.settings.device_settings()?;
        let mut changes = DeviceSettings::factory().changes_from(&before)?;
        changes.extend(before.sets_time().then(DeviceState::making_machine_due));
        let password = DeviceState(self.settings.as_ref()).factory_login()?;
        self.settings.restore_all(&changes, password.as_ref())
    }
}
