//! How much room there is, and which records go when there is none.

use serde::{Deserialize, Serialize};

use crate::settings::Change;
use crate::{Error, PasswordHashes, Seq, Timestamp, Verdict};

/// Which records are to be removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// Whatever was recorded first.
    Oldest,
    /// Everything up to this place in the log, it included.
    UpTo(Seq),
    /// What has this place in the log.
    One(Seq),
    /// What is too old.
    Before {
        /// Records of this kind only.
        kind: RecordKind,
        /// Captured before this time.
        time: Timestamp,
    },
}

/// Records that are kept equally long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordKind {
    /// Somebody enrolled.
    People,
    /// Nobody enrolled, nobody who can be told, or no living face.
    Strangers,
}

impl RecordKind {
    /// The verdicts of this kind's records.
    pub fn verdicts(self) -> &'static [Verdict] {
        match self {
            Self::People => &[Verdict::Known, Verdict::Blocked, Verdict::NotAllowedNow],
            Self::Strangers => &[Verdict::Stranger, Verdict::Unclear, Verdict::Spoof],
        }
    }
}

/// What the store takes, and what is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// Bytes of the database and the pictures.
    pub used_bytes: u64,
    /// Bytes free on the file system.
    pub free_bytes: u64,
    /// The file system takes no writes at all.
    pub read_only: bool,
}

/// What happens when the limit is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WhenFull {
    /// The oldest records go.
    Overwrite,
    /// Nothing more is recorded.
    Stop,
}

/// How much may be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StorageLimits {
    /// The most that database and pictures may take, bytes.
    pub max_bytes: u64,
    /// What happens then.
    pub when_full: WhenFull,
}

/// How long records are kept, in days; `None`: until their room is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ages {
    /// Records of people.
    pub people_days: Option<u32>,
    /// Records of strangers.
    pub strangers_days: Option<u32>,
}

/// What restoring the settings of a new device changes, all at once.
#[derive(Debug, Clone, PartialEq)]
pub struct Defaults<'a> {
    /// What becomes of settings.
    pub changes: &'a [Change],
    /// Values of this adapter that go.
    pub values: (&'a str, &'a [&'a str]),
    /// An account, when it is still there, and what its password becomes.
    pub password: Option<(String, PasswordHashes)>,
}

/// Whether records are being kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StorageState {
    /// They are.
    Working,
    /// They are refused: there is no room, and nothing may go.
    Full {
        /// Why, for a human.
        reason: String,
    },
    /// They cannot be written now; a few wait in memory.
    Failing {
        /// Why, for a human.
        reason: String,
    },
}

impl StorageState {
    /// They cannot be written because of this.
    pub(crate) fn failing(error: &Error) -> Self {
        Self::Failing { reason: error.chain() }
    }
}
