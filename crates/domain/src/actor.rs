//! Actors, acts, and the role that each act requires.

use std::net::IpAddr;

use crate::{Account, Error, Result, Role};

/// Adapter name of acts of the device itself.
const DEVICE: &str = "device";

/// A user, platform or part of the device that acts on the device. Rights are checked against the role; the audit log
/// stores every field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// Login name; the adapter's name if its protocol has no logins; or a part of the device such as `camera 1`.
    pub name: String,
    /// Role, which determines the rights.
    pub role: Role,
    /// Address of the caller, if known.
    pub origin: Option<IpAddr>,
    /// The adapter that the request came through; `device` for the device itself.
    pub adapter: &'static str,
}

impl Actor {
    /// A user who has logged in.
    pub fn user(account: &Account, origin: Option<IpAddr>, adapter: &'static str) -> Self {
        Self { name: account.name.clone(), role: account.role, origin, adapter }
    }

    /// The platform of a protocol without logins; it has all rights.
    pub fn platform(adapter: &'static str) -> Self {
        Self { name: adapter.to_owned(), role: Role::Admin, origin: None, adapter }
    }

    /// The device itself.
    pub fn system() -> Self {
        Self::part("system")
    }

    /// A part of the device.
    pub(crate) fn part(name: impl Into<String>) -> Self {
        Self { name: name.into(), role: Role::Admin, origin: None, adapter: DEVICE }
    }

    /// `Forbidden` unless the role suffices for this act. Every act checks this itself; an adapter calls it only to
    /// refuse a request before reading all of it.
    pub fn may(&self, act: Act) -> Result<()> {
        if self.role >= act.needs { Ok(()) } else { Err(Error::Forbidden) }
    }
}

/// A kind of act on the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Act {
    name: &'static str,
    needs: Role,
}

/// All acts, each with its name in the audit log and the lowest role that may do it.
#[allow(missing_docs, reason = "the name in the audit log describes it")]
impl Act {
    pub const READ: Self = viewer("read");

    pub const PERSON_ENROL: Self = operator("person.enrol");
    pub const PERSON_UPDATE: Self = operator("person.update");
    pub const PERSON_REMOVE: Self = operator("person.remove");
    pub const PICTURE_KEEP: Self = operator("picture.keep");
    pub const PICTURE_REMOVE: Self = operator("picture.remove");

    pub const LIBRARY_CREATE: Self = operator("library.create");
    pub const LIBRARY_UPDATE: Self = operator("library.update");
    pub const LIBRARY_REMOVE: Self = operator("library.remove");

    pub const CAMERA_ADD: Self = operator("camera.add");
    pub const CAMERA_UPDATE: Self = operator("camera.update");
    pub const CAMERA_REMOVE: Self = operator("camera.remove");
    pub const CAMERA_DEFAULTS: Self = operator("camera.defaults");
    pub const CAMERA_RELEASE: Self = operator("camera.release");

    pub const RULE_ADD: Self = operator("rule.add");
    pub const RULE_UPDATE: Self = operator("rule.update");
    pub const RULE_REMOVE: Self = operator("rule.remove");

    pub const TASK_ADD: Self = operator("task.add");
    pub const TASK_UPDATE: Self = operator("task.update");
    pub const TASK_REMOVE: Self = operator("task.remove");
    pub const TASK_START: Self = operator("task.start");
    pub const TASK_STOP: Self = operator("task.stop");

    pub const RECORD_CORRECT: Self = operator("record.correct");
    pub const RECORD_REMOVE: Self = operator("record.remove");
    pub const RECORDS_REMOVE: Self = operator("records.remove");

    pub const RELAY_BIND: Self = operator("relay.bind");
    pub const RELAY_RELEASE: Self = operator("relay.release");
    pub const DOOR_OPEN: Self = operator("door.open");
    pub const DOOR_ADMIT: Self = operator("door.admit");
    pub const DOOR_NUMBER: Self = operator("door.number");
    pub const DOOR_RULES: Self = admin("door.rules");

    pub const FEED_ORDER: Self = operator("feed.order");
    /// Skips entries or delivers them again.
    pub const FEED_MOVE: Self = admin("feed.order");
    /// Sets a value that platforms keep on the device and that has no effect there.
    pub const ADAPTER_NOTE: Self = operator("adapter.note");
    /// Sets a value that changes what an adapter does or where it sends.
    pub const ADAPTER_CONFIGURE: Self = admin("adapter.configure");

    /// Changes the name or password of the actor's own account.
    pub const OWN_ACCOUNT_UPDATE: Self = viewer("account.update");
    pub const ACCOUNT_CREATE: Self = admin("account.create");
    pub const ACCOUNT_UPDATE: Self = admin("account.update");
    pub const ACCOUNT_PASSWORD: Self = admin("account.password");
    pub const ACCOUNT_REMOVE: Self = admin("account.remove");
    pub const AUDIT_READ: Self = admin("audit.read");
    pub const AUDIT_CLEAR: Self = admin("audit.clear");

    pub const LIVENESS_SET: Self = admin("liveness.set");
    pub const RECORDS_PICTURES: Self = admin("records.pictures");
    pub const RETENTION_AGES: Self = admin("retention.ages");
    pub const STORAGE_WHEN_FULL: Self = admin("storage.when_full");

    pub const DEVICE_ID: Self = admin("device.id");
    pub const DEVICE_RESTORE: Self = admin("device.restore");
    pub const CONSOLE_OPEN: Self = admin("console.open");
    pub const CONSOLE_CLOSE: Self = admin("console.close");
    pub const TIME_SET: Self = admin("time.set");
    pub const TIME_SERVICE: Self = admin("time.service");
    pub const TIME_RESTORE: Self = admin("time.restore");
    pub const NETWORK_CHANGE: Self = admin("network.change");
    pub const MACHINE_RESTART: Self = admin("machine.restart");
    pub const MACHINE_UPGRADE: Self = admin("machine.upgrade");

    /// By the device itself, after too many failed logins.
    pub(crate) const LOGIN_LOCKED: Self = admin("login.locked");
}

const fn viewer(name: &'static str) -> Act {
    Act { name, needs: Role::Viewer }
}

const fn operator(name: &'static str) -> Act {
    Act { name, needs: Role::Operator }
}

const fn admin(name: &'static str) -> Act {
    Act { name, needs: Role::Admin }
}

impl Act {
    /// Name in the audit log.
    pub(crate) fn name(self) -> &'static str {
        self.name
    }
}
