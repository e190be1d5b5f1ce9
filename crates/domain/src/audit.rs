//! The audit log: what was done to the device, and by whom.

use std::net::IpAddr;

use crate::{Role, Timestamp};

/// A class of audit entries. Each has a quota of its own, so that entries of one class never displace those of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AuditClass {
    /// Logins and logouts.
    Logins,
    /// Failed logins and locks.
    Failures,
    /// Accounts, and the audit log itself.
    Accounts,
    /// Doors, their rules and relays.
    Doors,
    /// Where data goes to: pushes, brokers, subscriptions, HTTPS and its keys, the network.
    Flows,
    /// Exports of people and records.
    Exports,
    /// Other settings of the device.
    Settings,
    /// People, libraries, cameras, tasks, records and pictures.
    Contents,
}

impl AuditClass {
    /// Every class.
    pub const ALL: [Self; 8] = [
        Self::Logins,
        Self::Failures,
        Self::Accounts,
        Self::Doors,
        Self::Flows,
        Self::Exports,
        Self::Settings,
        Self::Contents,
    ];

    /// Maximum number of entries; beyond it the oldest of the class goes.
    pub fn quota(self) -> u64 {
        match self {
            Self::Failures => 10_000,
            Self::Logins | Self::Accounts | Self::Flows | Self::Exports | Self::Settings => 20_000,
            Self::Doors | Self::Contents => 50_000,
        }
    }

    /// Whether clearing the audit log removes its entries. The others go by quota only, so that nobody can erase who
    /// logged in, changed accounts, opened doors or redirected data.
    pub fn is_cleared(self) -> bool {
        matches!(self, Self::Settings | Self::Contents)
    }
}

/// Something that was done to the device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// When.
    pub at: Timestamp,
    /// The class that it counts to.
    pub class: AuditClass,
    /// Who: the name of an [`Actor`](crate::Actor).
    pub actor: String,
    /// The actor's role then; `None` where there is none, as for a failed login, and in entries of versions that did
    /// not keep it.
    pub role: Option<Role>,
    /// The address the actor came from, as far as it was known.
    pub origin: Option<IpAddr>,
    /// The adapter the actor came through; `None` in entries of versions that did not keep it.
    pub adapter: Option<String>,
    /// What, e.g. `person.enrol`, `login.locked`.
    pub action: String,
    /// To which thing (an id, never the name of a person or a secret).
    pub subject: String,
}
