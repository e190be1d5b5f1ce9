//! Limits of the storage, and removal of records.

use serde::{Deserialize, Serialize};

use crate::settings::Change;
use crate::{Error, PasswordHashes, Seq, Timestamp, Verdict};

/// Which records are to be removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// The oldest entries.
    Oldest,
    /// All entries up to and including this place in the log.
    UpTo(Seq),
    /// The entry at this place in the log.
    One(Seq),
    /// Records captured before a time.
    Before {
        /// Only records of this kind.
        kind: RecordKind,
        /// The time.
        time: Timestamp,
    },
}

/// Records with a common retention time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordKind {
    /// Records of enrolled people.
    People,
    /// Records of strangers, unclear faces and spoofs.
    Strangers,
}

impl RecordKind {
    /// The verdicts of the records of this kind.
    pub fn verdicts(self) -> &'static [Verdict] {
        match self {
            Self::People => &[Verdict::Known, Verdict::Blocked, Verdict::NotAllowedNow],
            Self::Strangers => &[Verdict::Stranger, Verdict::Unclear, Verdict::Spoof],
        }
    }
}

/// Used and free space of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// Bytes of the database and the pictures.
    pub used_bytes: u64,
    /// Bytes free on the file system.
    pub free_bytes: u64,
    /// Whether the file system is read-only.
    pub read_only: bool,
}

/// What happens when the limit is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WhenFull {
    /// The oldest records are removed.
    Overwrite,
    /// New records are refused.
    Stop,
}

/// Limits of the storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StorageLimits {
    /// Maximum size of database and pictures together, bytes.
    pub max_bytes: u64,
    /// What happens at the limit.
    pub when_full: WhenFull,
}

/// How long records are kept, days; `None`: until the space is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ages {
    /// Records of people.
    pub people_days: Option<u32>,
    /// Records of strangers.
    pub strangers_days: Option<u32>,
}

/// The changes that restore the factory settings, in one transaction.
#[derive(Debug, Clone, PartialEq)]
pub struct Defaults<'a> {
    /// Changes of settings.
    pub changes: &'a [Change],
    /// An adapter, and those of its values that are removed.
    pub values: (&'a str, &'a [&'a str]),
    /// An account and its new password; ignored when the account does not exist.
    pub password: Option<(String, PasswordHashes)>,
}

/// Whether records can be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StorageState {
    /// They can.
    Working,
    /// They are refused: the storage is full, and no record may be removed.
    Full {
        /// Why, for display.
        reason: String,
    },
    /// They cannot be written now; a limited number is queued in memory.
    Failing {
        /// Why, for display.
        reason: String,
    },
}

impl StorageState {
    /// [`Failing`](Self::Failing) with this error as the reason.
    pub(crate) fn failing(error: &Error) -> Self {
        Self::Failing { reason: error.chain() }
    }
}
