//! Notes of adapters about things of the device.

use crate::{CameraId, LibraryId, PersonId, TaskId};

/// A note of one adapter about a thing, in a form of its own. It is written in the transaction of the thing itself,
/// read back unchanged, and removed with the thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The adapter.
    pub adapter: &'static str,
    /// The text; `None` removes the note.
    pub text: Option<String>,
}

/// A thing that a note is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Noted {
    /// A person.
    Person(PersonId),
    /// A library.
    Library(LibraryId),
    /// A camera.
    Camera(CameraId),
    /// A task.
    Task(TaskId),
}

macro_rules! noted {
    ($($kind:ident($id:ty)),+) => {$(
        impl From<$id> for Noted {
            fn from(id: $id) -> Self {
                Self::$kind(id)
            }
        }
    )+};
}

noted!(Person(PersonId), Library(LibraryId), Camera(CameraId), Task(TaskId));
