//! Limits of the storage, and removal of records.

use std::fmt;

use jiff::tz::TimeZone;
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
    /// Entries whose time is outside of `earliest..=latest`, because the clock was wrong, and that lie in the log before
    /// one whose time is within that and before `before`: so they are older than that.
    Misdated {
        /// No entry was made earlier.
        earliest: Timestamp,
        /// No entry was made later.
        latest: Timestamp,
        /// What is older is removed.
        before: Timestamp,
    },
    /// Records captured before a time.
    Before {
        /// Only records of this kind.
        kind: RecordKind,
        /// Only records of this time or later.
        from: Timestamp,
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

/// The setting that holds the last [`Restoration`].
pub const RESTORATION: &str = "database.restored";

/// The database was damaged and replaced by an older copy; what was stored in between is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restoration {
    /// When it was replaced.
    pub at: Timestamp,
    /// When the copy was made.
    pub copied_at: Timestamp,
}

impl fmt::Display for Restoration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.at.as_millis(), self.copied_at.as_millis())
    }
}

/// How long a restoration is reported.
const REPORTED: i64 = 7 * 24 * 3600 * 1000;

impl Restoration {
    /// Whether it is still reported.
    pub fn is_recent(self, now: Timestamp) -> bool {
        now.millis_since(self.at) < REPORTED
    }

    /// What happened, for display.
    pub fn describe(self, zone: &TimeZone) -> String {
        let shown = |at: Timestamp| at.in_zone(zone).strftime("%Y-%m-%d %H:%M").to_string();
        format!(
            "the database was damaged and replaced on {} by its copy of {}: what was stored in between is lost",
            shown(self.at),
            shown(self.copied_at)
        )
    }

    /// Reads one as it is displayed; `None` when it is none.
    pub fn read(text: &str) -> Option<Self> {
        let (at, copied_at) = text.split_once(' ')?;
        let millis = |text: &str| text.parse().ok().map(Timestamp::from_millis);
        Some(Self { at: millis(at)?, copied_at: millis(copied_at)? })
    }
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
