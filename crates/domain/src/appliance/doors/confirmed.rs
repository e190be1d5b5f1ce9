//! Records to which a platform has had the door opened.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::CaptureId;

/// Maximum number of records remembered; a record can be answered for ten seconds only.
const REMEMBERED: usize = 1024;

/// The door opens once to each: an answer that arrives twice is one answer.
#[derive(Default)]
pub(super) struct Confirmed {
    captures: Mutex<VecDeque<CaptureId>>,
}

impl Confirmed {
    /// Notes that the door opens to the person of this capture. False when it has opened already.
    pub(super) fn begin(&self, capture: CaptureId) -> bool {
        let mut captures = self.captures();
        if captures.contains(&capture) {
            return false;
        }
        if captures.len() == REMEMBERED {
            captures.pop_front();
        }
        captures.push_back(capture);
        true
    }

    /// It did not open after all.
    pub(super) fn forget(&self, capture: CaptureId) {
        self.captures().retain(|other| *other != capture);
    }

    fn captures(&self) -> MutexGuard<'_, VecDeque<CaptureId>> {
        self.captures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
