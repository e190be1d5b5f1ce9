//! The device's identity and its audit log.

use super::{Acts, Appliance};
use crate::settings::readable;
use crate::{Act, Actor, AuditEntry, Event, Result, Timestamp};

/// Identity of the device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceInfo {
    /// Display name.
    pub name: String,
    /// Serial number.
    pub serial: String,
    /// The platform's name for the device; the serial number until a platform sets one.
    pub device_id: String,
    /// Version of the software.
    pub version: &'static str,
}

impl Appliance {
    /// Identity of the device. `Unavailable` while its id cannot be read.
    pub async fn device(&self) -> Result<DeviceInfo> {
        let device_id = readable(&self.settings().device_id)?.cloned();
        let options = self.options();
        Ok(DeviceInfo {
            name: options.name.clone(),
            serial: options.serial.clone(),
            device_id: device_id.unwrap_or_else(|| options.serial.clone()),
            version: env!("CARGO_PKG_VERSION"),
        })
    }

    /// Announces [`Event::FrontEnd`]: what a platform wants shown or played on the device's front end.
    pub fn tell_front_end(&self, what: impl Into<String>, content: impl Into<String>) {
        self.announce(Event::FrontEnd { what: what.into(), content: content.into() });
    }

    /// Time of the device's clock.
    pub fn now(&self) -> Timestamp {
        self.ports().clock.now()
    }

    /// Writes an audit entry. The act is already done, so a failure to write is logged, not returned. Blocking.
    pub(crate) fn audit(&self, actor: &Actor, act: Act, subject: &dyn ToString) {
        let entry = self.audit_entry(actor, act, subject);
        if let Err(error) = self.ports().settings.audit(&entry) {
            tracing::error!(audit.action = act.name(), error = error.chain(), "audit entry lost");
        }
    }

    fn audit_entry(&self, actor: &Actor, act: Act, subject: &dyn ToString) -> AuditEntry {
        AuditEntry {
            at: self.now(),
            class: act.class(),
            actor: actor.name.clone(),
            role: (act != Act::LOGIN_FAILED).then_some(actor.role),
            origin: actor.origin,
            adapter: Some(actor.adapter.to_owned()),
            action: act.name().to_owned(),
            subject: subject.to_string(),
        }
    }
}

impl Acts<'_> {
    /// The newest entries of the audit log, newest first.
    pub async fn audit_log(self, limit: u32) -> Result<Vec<AuditEntry>> {
        self.permit(Act::AUDIT_READ)?;
        self.blocking(move |a| a.ports().settings.audit_log(limit)).await
    }

    /// Notes in the audit log what the actor has exported, by [`Act::PEOPLE_EXPORT`] or [`Act::RECORDS_EXPORT`].
    pub async fn note_export(self, act: Act, what: String) -> Result<()> {
        let actor = self.permit(act)?;
        self.appliance.note(&actor, act, &what).await
    }

    /// Removes the entries of the [classes that can be cleared](crate::AuditClass::is_cleared) from the audit log, which
    /// keeps the act itself.
    pub async fn clear_audit_log(self) -> Result<()> {
        let actor = self.permit(Act::AUDIT_CLEAR)?;
        let entry = self.appliance.audit_entry(&actor, Act::AUDIT_CLEAR, &"audit log");
        self.blocking(move |a| a.ports().settings.clear_audit_log(&entry)).await
    }
}
