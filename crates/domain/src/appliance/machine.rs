//! The machine: restart, figures, the management page.

use tokio::sync::watch;

use super::{Acts, Appliance};
use crate::settings::{DeviceSettings, check_device_id};
use crate::{Act, Actor, Memory, Processor, Result};

impl Appliance {
    /// The processor and its load.
    pub async fn processor(&self) -> Result<Processor> {
        self.ports().host.processor().await
    }

    /// Size and use of the memory.
    pub async fn memory(&self) -> Result<Memory> {
        self.ports().host.memory().await
    }

    /// Whether the management page is open, now and at every change.
    pub fn console_open(&self) -> watch::Receiver<bool> {
        self.core.console_open.subscribe()
    }

    /// As [`audit`](Self::audit), off the runtime.
    pub(super) async fn note(&self, actor: &Actor, act: Act, subject: &str) -> Result<()> {
        let (actor, subject) = (actor.clone(), subject.to_owned());
        self.blocking(move |a| {
            a.audit(&actor, act, &subject);
            Ok(())
        })
        .await
    }
}

impl Acts<'_> {
    /// Restarts the machine in a few seconds. `Unavailable` when the system does not permit it.
    pub async fn restart_machine(self) -> Result<()> {
        let actor = self.permit(Act::MACHINE_RESTART)?;
        self.appliance.ports().host.restart().await?;
        self.appliance.note(&actor, Act::MACHINE_RESTART, "machine").await
    }

    /// Sets the platform's name for this device. `Invalid` unless it has 1 to 255 characters.
    pub async fn set_device_id(self, id: &str) -> Result<()> {
        let actor = self.permit(Act::DEVICE_ID)?;
        check_device_id(id)?;
        let id = id.to_owned();
        self.blocking(move |a| {
            a.change_settings(|settings| settings.device_id = Ok(Some(id)))?;
            a.audit(&actor, Act::DEVICE_ID, &"device");
            Ok(())
        })
        .await
    }

    /// Opens or closes the management page, also over a restart. Returns whether that changed anything.
    pub async fn open_console(self, open: bool) -> Result<bool> {
        let act = if open { Act::CONSOLE_OPEN } else { Act::CONSOLE_CLOSE };
        let actor = self.permit(act)?;
        let kept = |settings: &DeviceSettings| settings.console_open.is_ok() && settings.is_console_open() == open;
        if kept(&self.appliance.settings()) {
            return Ok(false);
        }
        self.blocking(move |a| {
            let mut changed = false;
            a.change_settings(|settings| {
                changed = settings.is_console_open() != open;
                settings.console_open = Ok(Some(open));
            })?;
            a.audit(&actor, act, &"console");
            Ok(changed)
        })
        .await
    }
}
