//! Identifiers. None is ever reused, except the channel number of a camera.

use std::fmt;
use std::str::FromStr;

use crate::{Error, Result};

macro_rules! number_id {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub $inner);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

number_id!(
    /// A library; 1 is built in.
    LibraryId(i64)
);
number_id!(
    /// A person on this device.
    PersonId(i64)
);
number_id!(
    /// A camera's channel: the lowest free number from 1; reused after the camera is removed.
    CameraId(u32)
);
number_id!(
    /// A watch.
    WatchId(i64)
);
number_id!(
    /// A relay bound to a camera.
    RelayId(i64)
);
number_id!(
    /// A rule over the objects that a camera sees.
    RuleId(i64)
);
number_id!(
    /// A user account.
    AccountId(i64)
);
number_id!(
    /// A job of an adapter.
    JobId(i64)
);
number_id!(
    /// The place of an entry in the log, in commit order, from 1.
    Seq(i64)
);
number_id!(
    /// A task.
    TaskId(i64)
);
number_id!(
    /// A record as one task sees it.
    SightingId(i64)
);

impl PersonId {
    /// In what the log says about people who were removed; nobody has it.
    pub const ERASED: Self = Self(0);
}

impl LibraryId {
    /// The library that every device has.
    pub const DEFAULT: Self = Self(1);
}

/// A capture; globally unique.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CaptureId(pub uuid::Uuid);

impl CaptureId {
    /// A new random id.
    pub fn random() -> Self {
        Self(uuid::Uuid::new_v4())
    }
}

impl fmt::Display for CaptureId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for CaptureId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let id = uuid::Uuid::try_parse(text).map_err(|_| Error::invalid("capture id", "not a UUID"))?;
        Ok(Self(id))
    }
}

/// A stored picture, named by its content: 64 lower-case hexadecimal digits (SHA-256).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PictureId(String);

/// The digest of empty data.
const NOT_KEPT: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

impl PictureId {
    /// The id in a record without a stored picture. No picture has this id.
    pub fn not_kept() -> Self {
        Self(NOT_KEPT.to_owned())
    }

    /// Whether a picture was stored under this id; it may have been removed since.
    pub fn is_kept(&self) -> bool {
        self.0 != NOT_KEPT
    }

    /// The id as text; safe as a file name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PictureId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for PictureId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let digits = text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if digits { Ok(Self(text.to_owned())) } else { Err(Error::invalid("picture id", "not 64 hexadecimal digits")) }
    }
}

/// The platform's own id of a person, unique on the device: 1..=64 printable characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PersonCode(String);

impl PersonCode {
    /// Maximum length, characters.
    pub const MAX_CHARS: usize = 64;

    /// A random code (a UUID).
    pub fn random() -> Self {
        Self(uuid::Uuid::new_v4().to_string())
    }

    /// The code of a person who was removed, in what the log still says; empty, so that nobody has it.
    pub fn erased() -> Self {
        Self(String::new())
    }

    /// The code as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PersonCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for PersonCode {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let length = text.chars().count();
        if length == 0 || length > Self::MAX_CHARS || text.chars().any(char::is_control) {
            return Err(Error::invalid("person code", "not 1 to 64 printable characters"));
        }
        Ok(Self(text.to_owned()))
    }
}
