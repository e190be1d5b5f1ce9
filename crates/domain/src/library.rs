//! Named sets of people.

use crate::{Error, LibraryId, Note, Result, Timestamp};

/// Meaning of membership in a library.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LibraryKind {
    /// Allow list: its people are expected.
    Allow,
    /// Block list: its people raise an alarm.
    Block,
}

/// A named set of people.
#[derive(Debug, Clone, PartialEq)]
pub struct Library {
    /// From 1, never reused.
    pub id: LibraryId,
    /// Unique on the device.
    pub name: LibraryName,
    /// What membership means.
    pub kind: LibraryKind,
    /// Free text.
    pub description: String,
    /// Number of people in it.
    pub people: u64,
    /// When it was created.
    pub created_at: Timestamp,
    /// When its name, kind or description last changed.
    pub updated_at: Timestamp,
}

/// A library's name: 1..=64 characters, none of them a control character.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LibraryName(String);

impl LibraryName {
    /// Checks the length and characters; `Invalid` otherwise.
    pub fn new(name: impl Into<String>) -> Result<Self> {
        let name = name.into();
        let length = name.chars().count();
        if length == 0 || length > 64 || name.chars().any(char::is_control) {
            return Err(Error::invalid("library name", "not 1 to 64 printable characters"));
        }
        Ok(Self(name))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A library to be created.
#[derive(Debug, Clone, PartialEq)]
pub struct NewLibrary {
    /// Unique on the device.
    pub name: LibraryName,
    /// What membership means.
    pub kind: LibraryKind,
    /// Free text.
    pub description: String,
    /// Note of an adapter.
    pub note: Option<Note>,
}

/// A change of a library; `None` keeps the present value.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LibraryChange {
    /// A new unique name.
    pub name: Option<LibraryName>,
    /// A new meaning.
    pub kind: Option<LibraryKind>,
    /// A new free text.
    pub description: Option<String>,
    /// Note of an adapter.
    pub note: Option<Note>,
}

/// Which libraries to list; conditions are combined with AND.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LibraryFilter {
    /// This one only.
    pub id: Option<LibraryId>,
    /// With this whole name, as [`names::same`](crate::names::same) compares.
    pub name: Option<String>,
    /// Of this kind.
    pub kind: Option<LibraryKind>,
}
