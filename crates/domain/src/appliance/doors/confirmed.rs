//! The answers of platforms that were asked about records.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::CaptureId;

/// Maximum number of answers remembered; a record can be answered for ten seconds only.
const REMEMBERED: usize = 1024;

/// Remembers answers, so that the door opens once for each: an answer that arrives twice counts once.
#[derive(Default)]
pub(super) struct Confirmed {
    answers: Mutex<VecDeque<(CaptureId, Answer)>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Open,
    Refuse,
}

impl Confirmed {
    /// Registers that the door opens for this capture. Returns `false` when it has opened already.
    pub(super) fn begin(&self, capture: CaptureId) -> bool {
        let mut answers = self.answers();
        if answers.contains(&(capture, Answer::Open)) {
            return false;
        }
        remember(&mut answers, (capture, Answer::Open));
        true
    }

    /// Registers that the door stays closed. Returns `false` when there is an answer already.
    pub(super) fn refuse(&self, capture: CaptureId) -> bool {
        let mut answers = self.answers();
        if answers.iter().any(|(answered, _)| *answered == capture) {
            return false;
        }
        remember(&mut answers, (capture, Answer::Refuse));
        true
    }

    /// Forgets that the door opens, because it did not.
    pub(super) fn forget(&self, capture: CaptureId) {
        self.answers().retain(|answer| *answer != (capture, Answer::Open));
    }

    fn answers(&self) -> MutexGuard<'_, VecDeque<(CaptureId, Answer)>> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn remember(answers: &mut VecDeque<(CaptureId, Answer)>, answer: (CaptureId, Answer)) {
    if answers.len() == REMEMBERED {
        answers.pop_front();
    }
    answers.push_back(answer);
}
