//! The machine: restarting it, its figures, and what of it is shown.

use tokio::sync::watch;

use super::device::DEVICE_ID;
use super::{Acts, Appliance};
use crate::ports::Ports;
use crate::{Act, Actor, Error, Memory, Processor, Result};

/// The setting that says `no` when the management page is closed.
pub(super) const CONSOLE_OPEN: &str = "console.open";
/// The longest name that a platform may give the device, characters.
const MAX_DEVICE_ID: usize = 255;

/// Whether the management page was open last.
pub(super) fn console_is_open(ports: &Ports) -> Result<bool> {
    Ok(ports.settings.setting(CONSOLE_OPEN)?.as_deref() != Some("no"))
}

impl Appliance {
    /// The processor, and how busy it is.
    pub async fn processor(&self) -> Result<Processor> {
        self.ports().host.processor().await
    }

    /// The memory.
    pub async fn memory(&self) -> Result<Memory> {
        self.ports().host.memory().await
    }

    /// Whether the management page is open, now and whenever that changes.
    pub fn console_open(&self) -> watch::Receiver<bool> {
        self.core.console_open.subscribe()
    }

    /// Lets the console know; answers whether that is news.
    pub(super) fn show_console(&self, open: bool) -> bool {
        self.core.console_open.send_if_modified(|now| std::mem::replace(now, open) != open)
    }

    /// Writes an audit entry from an async place.
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
    /// Restarts the machine in a few seconds. `Unavailable` when the system does not let the device do that.
    pub async fn restart_machine(self) -> Result<()> {
        let actor = self.permit(Act::MACHINE_RESTART)?;
        self.appliance.ports().host.restart().await?;
        self.appliance.note(&actor, Act::MACHINE_RESTART, "machine").await
    }

    /// Sets the platform's name for this device. `Invalid` unless it has 1 to 255 characters.
    pub async fn set_device_id(self, id: &str) -> Result<()> {
        let actor = self.permit(Act::DEVICE_ID)?;
        if id.is_empty() || id.chars().count() > MAX_DEVICE_ID {
            return Err(Error::invalid("device_id", format!("must have 1 to {MAX_DEVICE_ID} characters")));
        }
        let id = id.to_owned();
        self.blocking(move |a| {
            a.ports().settings.set_setting(DEVICE_ID, Some(&id))?;
            a.audit(&actor, Act::DEVICE_ID, &"device");
            Ok(())
        })
        .await
    }

    /// Opens or closes the management page; it stays so over a restart. Answers whether that changed anything.
    pub async fn open_console(self, open: bool) -> Result<bool> {
        let act = if open { Act::CONSOLE_OPEN } else { Act::CONSOLE_CLOSE };
        let actor = self.permit(act)?;
        if *self.appliance.core.console_open.borrow() == open {
            return Ok(false);
        }
        self.blocking(move |a| {
            a.ports().settings.set_setting(CONSOLE_OPEN, (!open).then_some("no"))?;
            a.audit(&actor, act, &"console");
            Ok(a.show_console(open))
        })
        .await
    }
}
