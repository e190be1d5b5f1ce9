//! Batches of people: the one that runs, and those queued.

use std::sync::{Mutex, PoisonError};

use adapter::Queue;
use domain::JobId;
use serde_json::Value;

use crate::codes::people::{self, PersonFault};
use crate::wire::people::PersonFields;

/// The code of a person who is enrolled.
pub(crate) const DONE: u16 = 200;

/// The operators of batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BatchKind {
    Add,
    Edit,
    AddOrEdit,
}

impl BatchKind {
    /// All of them.
    pub(crate) const ALL: [Self; 3] = [Self::Add, Self::Edit, Self::AddOrEdit];

    pub(crate) fn operator(self) -> &'static str {
        match self {
            Self::Add => "AddPersons",
            Self::Edit => "EditPersons",
            Self::AddOrEdit => "EditPersonsNew",
        }
    }

    /// In QueryProgress; 0 is idle.
    pub(crate) fn status(self) -> u8 {
        match self {
            Self::Add => 1,
            Self::Edit => 2,
            Self::AddOrEdit => 3,
        }
    }

    /// The code of a person who was refused.
    pub(crate) fn code(self, fault: PersonFault) -> u16 {
        match self {
            Self::Add => people::add_persons_item(fault),
            Self::Edit => people::edit_persons_item(fault),
            Self::AddOrEdit => people::edit_persons_new_item(fault),
        }
    }
}

/// A batch to be done.
pub(crate) struct Batch {
    pub(crate) about: About,
    /// The stored job; `None` when it could not be stored.
    pub(crate) job: Option<JobId>,
    /// Whether it was interrupted by a restart.
    pub(crate) resumed: bool,
    pub(crate) items: Vec<Item>,
}

/// The command of a batch.
pub(crate) struct About {
    pub(crate) kind: BatchKind,
    pub(crate) message_id: Option<Value>,
}

/// One of the people.
pub(crate) struct Item {
    pub(crate) person: PersonFields,
    /// [`DONE`] or the code of the refusal; `None` until the person is processed.
    pub(crate) outcome: Option<u16>,
}

impl Batch {
    pub(crate) fn is_done(&self) -> bool {
        self.items.iter().all(|item| item.outcome.is_some())
    }

    /// Whether this batch has enrolled the person at this place before.
    pub(crate) fn is_repeated(&self, place: usize) -> bool {
        let id = &self.items[place].person.custom_id;
        self.items[..place].iter().any(|item| item.outcome == Some(DONE) && item.person.custom_id == *id)
    }
}

/// The batch that runs, and the queue of the worker.
pub(crate) struct Batches {
    running: Mutex<Option<BatchKind>>,
    /// At most one batch: the next one is refused while one runs.
    pub(crate) queue: Queue<Batch>,
}

impl Default for Batches {
    fn default() -> Self {
        Self { running: Mutex::default(), queue: Queue::new(1) }
    }
}

impl Batches {
    /// The kind of the batch that runs.
    pub(crate) fn running(&self) -> Option<BatchKind> {
        *self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Marks a batch as running; returns whether none was.
    pub(crate) fn reserve(&self, kind: BatchKind) -> bool {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let free = running.is_none();
        running.get_or_insert(kind);
        free
    }

    /// Marks the batch as ended.
    pub(crate) fn end(&self) {
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}
