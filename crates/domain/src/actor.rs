//! Actors, acts, and the role that each act requires.

use std::net::IpAddr;

use crate::{Account, AuditClass, Error, Result, Role};

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

    /// Somebody whose login failed: the account's name if there is such an account, else `unknown`.
    pub(crate) fn refused(account: Option<&Account>, origin: Option<IpAddr>, adapter: &'static str) -> Self {
        let name = account.map_or("unknown", |account| &account.name).to_owned();
        Self { name, role: account.map_or(Role::Viewer, |account| account.role), origin, adapter }
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

/// Where a login comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoginFrom {
    /// The caller's address, as far as it is known.
    pub origin: Option<IpAddr>,
    /// The adapter that the login came through.
    pub adapter: &'static str,
}

impl From<(Option<IpAddr>, &'static str)> for LoginFrom {
    fn from((origin, adapter): (Option<IpAddr>, &'static str)) -> Self {
        Self { origin, adapter }
    }
}

/// Not through an adapter.
impl From<Option<IpAddr>> for LoginFrom {
    fn from(origin: Option<IpAddr>) -> Self {
        Self { origin, adapter: DEVICE }
    }
}

/// A kind of act on the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Act {
    name: &'static str,
    needs: Role,
    class: AuditClass,
}

/// All acts, each with its name in the audit log and the lowest role that may do it.
#[allow(missing_docs, reason = "the name in the audit log describes it")]
impl Act {
    pub const READ: Self = viewer("read");

    pub const PERSON_ENROL: Self = operator("person.enrol");
    pub const PERSON_UPDATE: Self = operator("person.update");
    pub const PERSON_REMOVE: Self = operator("person.remove");
    pub const PICTURE_DELIVER: Self = operator("picture.deliver");
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

    pub const PERMISSION_CREATE: Self = operator("permission.create");
    pub const PERMISSION_UPDATE: Self = operator("permission.update");
    pub const PERMISSION_REMOVE: Self = operator("permission.remove");

    pub const RULE_ADD: Self = operator("rule.add");
    pub const RULE_UPDATE: Self = operator("rule.update");
    pub const RULE_REMOVE: Self = operator("rule.remove");

    pub const TASK_ADD: Self = operator("task.add");
    pub const TASK_UPDATE: Self = operator("task.update");
    pub const TASK_REMOVE: Self = operator("task.remove");
    pub const TASK_START: Self = operator("task.start");
    pub const TASK_STOP: Self = operator("task.stop");

    pub const PEOPLE_EXPORT: Self = viewer("people.export").of(AuditClass::Exports);
    pub const RECORDS_EXPORT: Self = viewer("records.export").of(AuditClass::Exports);
    /// Has the device call an address that the caller names.
    pub const ADDRESS_CALL: Self = operator("address.call").of(AuditClass::Flows);

    pub const RECORD_CORRECT: Self = operator("record.correct");
    pub const RECORD_REMOVE: Self = operator("record.remove");
    pub const RECORDS_REMOVE: Self = operator("records.remove");

    pub const RELAY_BIND: Self = operator("relay.bind").of(AuditClass::Doors);
    pub const RELAY_RELEASE: Self = operator("relay.release").of(AuditClass::Doors);
    pub const DOOR_OPEN: Self = operator("door.open").of(AuditClass::Doors);
    pub const DOOR_CLOSE: Self = operator("door.close").of(AuditClass::Doors);
    pub const DOOR_ADMIT: Self = operator("door.admit").of(AuditClass::Doors);
    pub const DOOR_NUMBER: Self = operator("door.number").of(AuditClass::Doors);
    pub const ALARM_SOUND: Self = operator("alarm.sound").of(AuditClass::Doors);
    pub const DOOR_REACTION: Self = admin("door.reaction").of(AuditClass::Doors);
    pub const DOOR_RULES: Self = admin("door.rules").of(AuditClass::Doors);

    pub const FEED_ORDER: Self = operator("feed.order").of(AuditClass::Flows);
    /// Skips entries or delivers them again.
    pub const FEED_MOVE: Self = admin("feed.order").of(AuditClass::Flows);
    /// Sets a value that platforms keep on the device and that has no effect there.
    pub const ADAPTER_NOTE: Self = operator("adapter.note").of(AuditClass::Settings);
    /// Sets a value that changes what an adapter does or where it sends.
    pub const ADAPTER_CONFIGURE: Self = admin("adapter.configure").of(AuditClass::Flows);

    /// Changes the name or password of the actor's own account.
    pub const OWN_ACCOUNT_UPDATE: Self = viewer("account.update").of(AuditClass::Accounts);
    pub const ACCOUNT_CREATE: Self = admin("account.create").of(AuditClass::Accounts);
    pub const ACCOUNT_UPDATE: Self = admin("account.update").of(AuditClass::Accounts);
    pub const ACCOUNT_PASSWORD: Self = admin("account.password").of(AuditClass::Accounts);
    pub const ACCOUNT_REMOVE: Self = admin("account.remove").of(AuditClass::Accounts);
    pub const AUDIT_READ: Self = admin("audit.read").of(AuditClass::Accounts);
    pub const AUDIT_CLEAR: Self = admin("audit.clear").of(AuditClass::Accounts);

    pub const LIVENESS_SET: Self = admin("liveness.set").of(AuditClass::Settings);
    pub const RECORDS_PICTURES: Self = admin("records.pictures").of(AuditClass::Settings);
    pub const RETENTION_AGES: Self = admin("retention.ages").of(AuditClass::Settings);
    pub const STORAGE_WHEN_FULL: Self = admin("storage.when_full").of(AuditClass::Settings);

    pub const DEVICE_ID: Self = admin("device.id").of(AuditClass::Settings);
    pub const DEVICE_RESTORE: Self = admin("device.restore").of(AuditClass::Settings);
    pub const DEVICE_RESET: Self = admin("device.reset").of(AuditClass::Settings);
    pub const CONSOLE_OPEN: Self = admin("console.open").of(AuditClass::Settings);
    pub const CONSOLE_CLOSE: Self = admin("console.close").of(AuditClass::Settings);
    pub const TIME_SET: Self = admin("time.set").of(AuditClass::Settings);
    pub const TIME_SERVICE: Self = admin("time.service").of(AuditClass::Settings);
    pub const TIME_RESTORE: Self = admin("time.restore").of(AuditClass::Settings);
    pub const NETWORK_CHANGE: Self = admin("network.change").of(AuditClass::Flows);
    pub const MACHINE_RESTART: Self = admin("machine.restart").of(AuditClass::Settings);
    pub const MACHINE_UPGRADE: Self = admin("machine.upgrade").of(AuditClass::Settings);
    /// By the device itself: the version was kept, or the one before it is back.
    pub(crate) const MACHINE_UPGRADED: Self = admin("machine.upgraded").of(AuditClass::Settings);
    pub(crate) const MACHINE_UPGRADE_FAILED: Self = admin("machine.upgrade_failed").of(AuditClass::Settings);

    /// A login, and the first request of a digest login for half an hour.
    pub(crate) const LOGIN: Self = viewer("login").of(AuditClass::Logins);
    pub(crate) const LOGOUT: Self = viewer("logout").of(AuditClass::Logins);
    pub(crate) const LOGIN_FAILED: Self = viewer("login.failed").of(AuditClass::Failures);
    /// By the device itself, after too many failed logins.
    pub(crate) const LOGIN_LOCKED: Self = admin("login.locked").of(AuditClass::Failures);
}

const fn viewer(name: &'static str) -> Act {
    Act { name, needs: Role::Viewer, class: AuditClass::Contents }
}

const fn operator(name: &'static str) -> Act {
    Act { name, needs: Role::Operator, class: AuditClass::Contents }
}

const fn admin(name: &'static str) -> Act {
    Act { name, needs: Role::Admin, class: AuditClass::Contents }
}

impl Act {
    /// The same act, counted to another class than [`AuditClass::Contents`] in the audit log.
    const fn of(self, class: AuditClass) -> Self {
        Self { class, ..self }
    }

    /// Class in the audit log.
    pub(crate) fn class(self) -> AuditClass {
        self.class
    }

    /// Name in the audit log.
    pub(crate) fn name(self) -> &'static str {
        self.name
    }
}
