//! What adapters keep about things of the device.

use crate::{CameraId, LibraryId, PersonId, TaskId};

/// What one adapter alone knows of a thing, in its own form. It is written in the transaction of the thing itself, read
/// back unchanged, and goes with the thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The adapter.
    pub adapter: &'static str,
    /// What it knows; `None`: nothing any more.
    pub text: Option<String>,
}

/// A thing that adapters keep notes about.
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
